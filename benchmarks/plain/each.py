"""The bare fits of a table of groups, by its columns `key` and `y`: a loop, one thread. Prints their CPU seconds, and those of the
longest.

python each.py DATA ESTIMATOR PARAMS(JSON)
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module

import numpy as np
import pyarrow.parquet as pq


def main() -> None:
    table, (module, _, name), params = pq.read_table(sys.argv[1]), sys.argv[2].rpartition("."), json.loads(sys.argv[3])
    estimator = getattr(import_module(module), name)
    key, y = table.column("key").to_numpy(), table.column("y").to_numpy()
    X = np.column_stack([table.column(name).to_numpy() for name in table.column_names if name not in ("key", "y")])
    order = np.argsort(key, kind="stable")
    ends = np.cumsum(np.bincount(key))
    held = np.random.default_rng(0).random(len(y)) < 0.2
    took = []
    for start, end in zip(np.concatenate([[0], ends[:-1]]), ends, strict=True):
        rows = order[start:end]
        rows = rows[~held[rows]]
        data, target = X[rows], y[rows]
        begun = time.process_time()
        estimator(**params, n_jobs=1).fit(data, target)
        took.append(time.process_time() - begun)
    print(json.dumps({"fits": len(took), "cpu_s": round(sum(took), 2), "longest_s": round(max(took), 2)}))


if __name__ == "__main__":
    main()
