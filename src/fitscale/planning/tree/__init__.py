"""The decision tree that ships, and the path of a plan through it. `path` is the way in."""
