"""Hall files: their schema, their loader and the halls that ship with the product."""
