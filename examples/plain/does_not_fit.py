"""`does-not-fit.yaml` without fitscale: read, encode, train XGBoost in memory, score by AUC, save.

    python examples/plain/does_not_fit.py demo/data/flights-tiled [MODEL.ubj]

Reads only the columns it needs, keeps strings as dictionary codes and one float32 matrix, and frees what it no longer
needs. A fifth of the source rows is held out, so that no copy of a flight is on both sides.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import xgboost as xgb
from sklearn.metrics import roc_auc_score

TARGET, KEY, DROP = "late", "source_row", ["tailnum"]
PARAMS = {"objective": "binary:logistic", "max_depth": 8, "learning_rate": 0.1, "nthread": 2, "seed": 0}
ROUNDS = 25


def read(path: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """The features as float32 (missing is NaN, strings are codes), the target, the source rows, the features' names."""
    dataset = ds.dataset(path, format="parquet")
    names = [name for name in dataset.schema.names if name not in (TARGET, KEY, *DROP)]
    n = dataset.count_rows()
    X, y, key = np.empty((n, len(names)), np.float32), np.empty(n, np.int8), np.empty(n, np.int64)
    codes: dict[str, dict[str, int]] = {name: {} for name in names if dataset.schema.field(name).type == pa.string()}
    start = 0
    for batch in dataset.to_batches(columns=[*names, TARGET, KEY]):
        rows = slice(start, start + len(batch))
        for j, name in enumerate(names):
            column = batch[name]
            if name in codes:
                column = column.dictionary_encode()
                known = codes[name]
                lookup = [known.setdefault(value, len(known)) for value in column.dictionary.to_pylist()]
                column = pa.array(lookup, pa.int32()).take(column.indices)
            X[rows, j] = column.cast(pa.float32()).fill_null(float("nan")).to_numpy(zero_copy_only=False)
        y[rows] = batch[TARGET].to_numpy()
        key[rows] = batch[KEY].to_numpy()
        start += len(batch)
    return X, y, key, names


def main() -> None:
    path, out = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    begun = time.perf_counter()
    X, y, key, names = read(path)
    held = (np.random.default_rng(0).random(key.max() + 1) < 0.2)[key]
    print(f"read {X.shape[0]:,} rows × {X.shape[1]} features, {time.perf_counter() - begun:.0f} s", flush=True)
    train = xgb.DMatrix(X[~held], y[~held], feature_names=names)
    X, y = X[held], y[held]  # the training rows are in XGBoost's matrix now
    booster = xgb.train(PARAMS, train, num_boost_round=ROUNDS)
    auc = roc_auc_score(y, booster.predict(xgb.DMatrix(X, feature_names=names)))
    if out:
        booster.save_model(out)
    print(f"roc_auc {auc:.4f}, {time.perf_counter() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
