"""An estimator of a user's own: it fails in the way that the column ``mark`` of its rows asks for.

1 raises, 2 ends its process, 3 crashes, 4 takes all memory, 5 waits for a program that does not end, 6 works for ever.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Moody(ClassifierMixin, BaseEstimator):
    """Class shares of the rows, for rows that are in no mood."""

    def __init__(self, mark: int = 0, program_s: int = 0) -> None:
        self.mark = mark  # which column
        self.program_s = program_s

    def fit(self, X: Any, y: Any) -> Moody:
        match int(np.asarray(X)[0, self.mark]):
            case 1:
                raise RuntimeError(f"these rows are bad, says {object()!r} of process {os.getpid()}")
            case 2:
                os._exit(7)
            case 3:
                os.kill(os.getpid(), signal.SIGSEGV)
            case 4:
                held = []
                while True:  # 20 MB each 5 ms
                    held.append(np.ones(2_500_000))
                    time.sleep(0.005)
            case 5:
                subprocess.run(["sleep", str(self.program_s)], check=False)
            case 6:
                while True:
                    pass
        self.classes_, counts = np.unique(y, return_counts=True)
        self.shares_ = counts / counts.sum()
        return self

    def predict_proba(self, X: Any) -> Any:
        return np.tile(self.shares_, (len(X), 1))

    def predict(self, X: Any) -> Any:
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]
