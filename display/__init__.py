"""Hall board and zone board pages."""
