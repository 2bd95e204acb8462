"""Candidates → probing → forecasting → deciding; `loop` alone calls the four."""
