"""A plan → a finished version: attempts, resume, progress, finish once."""
