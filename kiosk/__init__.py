"""The touch page where a visitor takes a ticket."""
