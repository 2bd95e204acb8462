"""A finished version → files for elsewhere."""
