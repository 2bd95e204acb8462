"""The plain script of the overhead benchmark: read, one matrix, fit, score the held-out rows, save.

python fit.py xgboost|lightgbm|hgb|forest|logistic|sgd DATA PARAMS(JSON) OUT
"""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

LEFT_OUT = ("late", "tailnum", "source_row")


class Rows(NamedTuple):
    """(n, d) float32 features and targets of the training rows and the held-out ones; which columns are categories."""

    X: np.ndarray
    y: np.ndarray
    held_X: np.ndarray
    held_y: np.ndarray
    kinds: list[str]


def read(path: str, *, linear: bool = False) -> Rows:
    """Strings become codes; for a linear model they are left out and the rest is scaled."""
    files = sorted(Path(path).glob("*.parquet")) or [path]
    schema = pq.read_schema(files[0])
    names = [f.name for f in schema if f.name not in LEFT_OUT and not (linear and pa.types.is_string(f.type))]
    table = pq.read_table(path, columns=[*names, "late"])
    X = np.empty((table.num_rows, len(names)), np.float32)
    kinds = []
    for i, name in enumerate(names):
        column = table.column(name)
        if pa.types.is_string(column.type):
            column = column.combine_chunks().dictionary_encode().indices
        kinds.append("c" if pa.types.is_string(table.column(name).type) else "q")
        if pa.types.is_temporal(column.type):
            column = column.cast(pa.int64())
        X[:, i] = pc.cast(column, pa.float32(), safe=False).to_numpy(zero_copy_only=False)
    y = table.column("late").to_numpy().astype(np.float32)
    del table, column
    held = np.random.default_rng(0).random(len(y)) < 0.2
    if linear:
        scale(X, held)
    return Rows(X[~held], y[~held], X[held], y[held], kinds)


def scale(X: np.ndarray, held: np.ndarray) -> None:
    """In place, column by column: missing values by the mean, then mean 0 and deviation 1, of the training rows."""
    for i in range(X.shape[1]):
        column = X[:, i]
        mean, deviation = np.nanmean(column[~held], dtype=np.float64), np.nanstd(column[~held], dtype=np.float64)
        column[np.isnan(column)] = mean
        column -= mean
        column /= deviation or 1.0


def xgboost_(path: str, params: dict[str, Any], out: str) -> tuple[np.ndarray, np.ndarray]:
    import xgboost

    rows = read(path)
    types = {"feature_types": rows.kinds, "enable_categorical": True}
    train = xgboost.DMatrix(rows.X, rows.y, **types)
    test, held_y = xgboost.DMatrix(rows.held_X, rows.held_y, **types), rows.held_y
    del rows
    rounds = params.pop("n_estimators")
    fixed = {"objective": "binary:logistic", "nthread": 2, "tree_method": "hist"}
    model = xgboost.train({**params, **fixed}, train, rounds)
    chance = model.predict(test)
    model.save_model(out)
    return chance, held_y


def lightgbm_(path: str, params: dict[str, Any], out: str) -> tuple[np.ndarray, np.ndarray]:
    import lightgbm

    rows = read(path)
    categories = [i for i, kind in enumerate(rows.kinds) if kind == "c"]
    fixed = {"objective": "binary", "num_threads": 2, "verbosity": -1}
    train = lightgbm.Dataset(rows.X, rows.y, categorical_feature=categories, params=fixed)
    train.construct()
    test, held_y = rows.held_X, rows.held_y
    del rows
    rounds = params.pop("n_estimators")
    model = lightgbm.train({**params, **fixed}, train, rounds)
    chance = model.predict(test)
    model.save_model(out)
    return chance, held_y


def sklearn_(kind: str, path: str, params: dict[str, Any], out: str) -> tuple[np.ndarray, np.ndarray]:
    rows = read(path, linear=kind in ("logistic", "sgd"))
    model = estimator(kind, rows, params).fit(rows.X, rows.y.astype(np.int64))
    chance = model.predict_proba(rows.held_X)[:, 1]
    with open(out, "wb") as file:
        pickle.dump(model, file)
    return chance, rows.held_y


def estimator(kind: str, rows: Rows, params: dict[str, Any]) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression, SGDClassifier

    if kind == "hgb":
        categorical = [k == "c" and len(np.unique(rows.X[:, i])) <= 255 for i, k in enumerate(rows.kinds)]
        return HistGradientBoostingClassifier(**params, categorical_features=categorical, random_state=0)
    if kind == "forest":
        return RandomForestClassifier(**params, n_jobs=2, random_state=0)
    return {"logistic": LogisticRegression, "sgd": SGDClassifier}[kind](**params, random_state=0)


def main() -> None:
    kind, path, params, out = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), sys.argv[4]
    if kind == "xgboost":
        chance, held_y = xgboost_(path, params, out)
    elif kind == "lightgbm":
        chance, held_y = lightgbm_(path, params, out)
    else:
        chance, held_y = sklearn_(kind, path, params, out)
    order = np.argsort(chance)
    rank = np.empty(len(order))
    rank[order] = np.arange(1, len(order) + 1)
    late = held_y == 1
    auc = (rank[late].sum() - late.sum() * (late.sum() + 1) / 2) / (late.sum() * (~late).sum())
    print(f"AUC {auc:.4f}")


if __name__ == "__main__":
    main()
