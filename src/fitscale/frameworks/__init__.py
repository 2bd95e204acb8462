"""How models are fitted: one file, or one folder, for each framework."""
