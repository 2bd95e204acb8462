"""XGBoost: in memory, quantised, out of core and over several ranks, all to the same trees.

params · matrices · rounds · watch · ranks · cost: one file for each part; `framework` puts them together.
"""

from fitscale.frameworks.xgboost.framework import XGBoost

__all__ = ["XGBoost"]
