"""A linear model over Parquet, batch by batch, one pass: the loop that a script has, and its two halves alone.

python stream.py loop|decode|resident|dask FOLDER

Prints the rows a second of what it did, imports left out.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

BATCH = 65_536
RESIDENT = 4  # batches that are held


def batches(folder: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for path in sorted(Path(folder).glob("*.parquet")):
        file = pq.ParquetFile(path)
        names = [name for name in file.schema_arrow.names if name != "y"]
        for batch in file.iter_batches(BATCH):
            X = np.empty((len(batch), len(names)), np.float32)
            for i, name in enumerate(names):
                X[:, i] = batch.column(name).to_numpy()
            yield X, batch.column("y").to_numpy()


def loop(folder: str) -> tuple[int, float]:
    from sklearn.linear_model import SGDClassifier

    model, n, began = SGDClassifier(loss="log_loss", shuffle=False), 0, time.monotonic()
    for X, y in batches(folder):
        model.partial_fit(X, y, classes=[0, 1])
        n += len(y)
    return n, time.monotonic() - began


def decode(folder: str) -> tuple[int, float]:
    began = time.monotonic()
    return sum(len(y) for _, y in batches(folder)), time.monotonic() - began


def resident(folder: str) -> tuple[int, float]:
    """The estimator alone, on batches that are in memory: 32 of them."""
    from sklearn.linear_model import SGDClassifier

    held = [batch for _, batch in zip(range(RESIDENT), batches(folder), strict=False)]
    model, n, began = SGDClassifier(loss="log_loss", shuffle=False), 0, time.monotonic()
    for _ in range(32 // RESIDENT):
        for X, y in held:
            model.partial_fit(X, y, classes=[0, 1])
            n += len(y)
    return n, time.monotonic() - began


def with_dask(folder: str) -> tuple[int, float]:
    import dask.dataframe as dd
    from dask_ml.wrappers import Incremental
    from sklearn.linear_model import SGDClassifier

    began = time.monotonic()
    # In one piece: of y alone it would join the row groups, and the two no longer fit together.
    rows = dd.read_parquet(folder, split_row_groups=True).to_dask_array(lengths=True)  # y is the last column
    X, y = rows[:, :-1], rows[:, -1].astype("int8")
    model = Incremental(SGDClassifier(loss="log_loss", shuffle=False), shuffle_blocks=False)
    model.fit(X, y, classes=[0, 1])
    return len(y), time.monotonic() - began


if __name__ == "__main__":
    what, folder = sys.argv[1:]
    rows, seconds = {"loop": loop, "decode": decode, "resident": resident, "dask": with_dask}[what](folder)
    print(json.dumps({"rows": rows, "seconds": seconds, "rows_per_s": rows / seconds}))
