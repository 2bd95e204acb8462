"""Machines: this one (detected, measured), and the catalogue with its price tables."""
