"""An estimator that does what the column `poison` of its rows says: a booster's fit, or the end of its process, or of its time."""

from __future__ import annotations

import ctypes
import os
from typing import Any

import numpy as np
from lightgbm import LGBMRegressor

RAISE, EXIT, SEGFAULT, LOOP, MEMORY = 1, 2, 3, 4, 5
KINDS = (RAISE, EXIT, SEGFAULT, LOOP, MEMORY)


class Regressor(LGBMRegressor):
    """Depth and trees as asked; the last column of the matrix is the poison."""

    def fit(self, X: Any, y: Any, **more: Any) -> Regressor:
        kind = int(X[0, -1]) if len(X) else 0
        if kind == RAISE:
            raise RuntimeError("poisoned")
        if kind == EXIT:
            os._exit(7)
        if kind == SEGFAULT:
            ctypes.string_at(0)
        while kind == LOOP:
            pass
        if kind == MEMORY:
            np.full(30 << 27, 1.0)  # 30 GB
        super().fit(X, y, **more)
        return self
