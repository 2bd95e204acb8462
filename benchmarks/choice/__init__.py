"""The benchmark of choosing: see README.md. `design` says what is run, `measure` runs it, `judge` says what came of it."""

from choice.measure import main

__all__ = ["main"]
