"""An estimator of a user's own: it fails in the way that the column ``mark`` of its rows asks for."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

FINE, RAISES, EXITS, CRASHES, HOGS, SLEEPS = range(6)


class Moody(ClassifierMixin, BaseEstimator):
    """Class shares of the rows, for rows that are in no mood."""

    def __init__(self, mark: int = 0, sleep_s: float = 0.0) -> None:
        self.mark = mark  # which column
        self.sleep_s = sleep_s

    def fit(self, X: Any, y: Any) -> Moody:
        time.sleep(self.sleep_s)
        match int(np.asarray(X)[0, self.mark]):
            case 1:
                raise RuntimeError(f"these rows are bad, says {object()!r} of process {os.getpid()}")
            case 2:
                os._exit(7)
            case 3:
                os.kill(os.getpid(), signal.SIGSEGV)
            case 4:
                held = []
                while True:  # 10 MB each 5 ms
                    held.append(np.ones(1_250_000))
                    time.sleep(0.005)
            case 5:
                # in words that a test finds: a child of the fit's own, and a wait for it
                os.system(f"exec sleep {self.sleep_s + 86_400}")
        self.classes_, counts = np.unique(y, return_counts=True)
        self.shares_ = counts / counts.sum()
        return self

    def predict_proba(self, X: Any) -> Any:
        return np.tile(self.shares_, (len(X), 1))

    def predict(self, X: Any) -> Any:
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]
