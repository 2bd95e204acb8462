"""LightGBM: in memory, quantised and many models, resumed to the same trees.

names · params · datasets · library · rounds · watch · cost: one file for each part; `framework` puts them together.
"""

from fitscale.frameworks.lightgbm.framework import LightGBM

__all__ = ["LightGBM"]
