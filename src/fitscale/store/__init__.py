"""The run folder: lock, journal, chunks, checkpoints, versions, lookup. What is in it survives anything."""
