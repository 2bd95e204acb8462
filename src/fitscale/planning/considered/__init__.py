"""The ten considerations that lead a plan, with what each changed. `considerations` is the way in."""
