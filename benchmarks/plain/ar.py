"""AR(2) of each series of a sample by least squares: in a loop, or in two processes of joblib. Prints wall seconds a model.

python ar.py SAMPLE.npy
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from joblib import Parallel, delayed

PROCESSES = 2


def fit(y: np.ndarray) -> np.ndarray:
    X = np.stack([np.ones(len(y) - 2), y[1:-1], y[:-2]], axis=1)
    return np.linalg.lstsq(X, y[2:], rcond=None)[0]


def main() -> None:
    sample = np.load(sys.argv[1])
    began = time.perf_counter()
    for y in sample:
        fit(y)
    loop = time.perf_counter() - began
    with Parallel(n_jobs=PROCESSES) as pool:
        pool(delayed(fit)(y) for y in sample[: 10 * PROCESSES])  # its processes are there before time is taken
        began = time.perf_counter()
        pool(delayed(fit)(y) for y in sample)
        both = time.perf_counter() - began
    print(json.dumps({"loop_s": loop / len(sample), "joblib_s": both / len(sample)}))


if __name__ == "__main__":
    main()
