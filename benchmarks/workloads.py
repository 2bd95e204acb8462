"""The workloads of the forecast benchmark, fixed before they were measured: parameters such that each takes 30 to 45 s.

`main` are the three shapes × four estimators that were fixed first. BENCH_SCALE shrinks the rows, for trials.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from common import DATA, SCALE, WORK, flights

XGB, LGBM = "xgboost.XGBClassifier", "lightgbm.LGBMClassifier"
HGB, FOREST = "sklearn.ensemble.HistGradientBoostingClassifier", "sklearn.ensemble.RandomForestClassifier"
SGD, LOGISTIC = "sklearn.linear_model.SGDClassifier", "sklearn.linear_model.LogisticRegression"
ONE_BY_ONE = {"loss": "log_loss", "shuffle": False, "tol": None}  # what a stream of rows can do, too


class Workload(NamedTuple):
    name: str
    data: str
    estimator: str
    params: dict[str, Any]
    choose: str = ""
    columns: dict[str, Any] = {}  # more of `data`
    main: bool = False


def _main(shape: str, estimator: str, **params: Any) -> Workload:
    return Workload(f"{estimator.rpartition('.')[2]}-{shape}", shape, estimator, params, main=True)


WORKLOADS = (
    _main("flights", XGB, n_estimators=200, max_depth=8),
    _main("wide", XGB, n_estimators=170, max_depth=7),
    _main("long", XGB, n_estimators=90, max_depth=8),
    _main("flights", HGB, max_iter=300, early_stopping=False),
    _main("wide", HGB, max_iter=250, early_stopping=False),
    _main("long", HGB, max_iter=85, early_stopping=False),
    _main("flights", FOREST, n_estimators=18, max_depth=16),
    _main("wide", FOREST, n_estimators=16, max_depth=14),
    _main("long", FOREST, n_estimators=8, max_depth=14),
    _main("flights", SGD, loss="log_loss", max_iter=48, tol=None),
    _main("wide", SGD, loss="log_loss", max_iter=135, tol=None),
    _main("long", SGD, loss="log_loss", max_iter=30, tol=None),
    Workload("LGBMClassifier-flights", "flights", LGBM, {"n_estimators": 110, "num_leaves": 127}),
    Workload("LGBMClassifier-wide", "wide", LGBM, {"n_estimators": 75, "num_leaves": 63}),
    Workload("LGBMClassifier-long", "long", LGBM, {"n_estimators": 65, "num_leaves": 127}),
    Workload("LogisticRegression-wide", "wide", LOGISTIC, {"solver": "saga", "max_iter": 30, "tol": 1e-12}),
    Workload("XGBRegressor-numbers", "numbers", "xgboost.XGBRegressor", {"n_estimators": 130, "max_depth": 8}),
    Workload("HistGradientBoostingRegressor-numbers", "numbers", "sklearn.ensemble.HistGradientBoostingRegressor",
             {"max_iter": 85, "early_stopping": False}),
    Workload("RandomForestClassifier-parts", "flights", FOREST, {"n_estimators": 18, "max_depth": 16},
             choose="parts-and-merge"),
    Workload("RandomForestRegressor-parts", "few numbers", "sklearn.ensemble.RandomForestRegressor",
             {"n_estimators": 20, "max_depth": 12, "max_features": 0.4}, choose="parts-and-merge"),
    Workload("XGBClassifier-csv.gz", "csv.gz", XGB, {"n_estimators": 150, "max_depth": 8}),
    Workload("HistGradientBoostingClassifier-arrow", "arrow", HGB, {"max_iter": 300, "early_stopping": False}),
    Workload("XGBClassifier-postgres", "postgres", XGB, {"n_estimators": 260, "max_depth": 8}),
    Workload("XGBClassifier-svmlight", "svmlight", XGB, {"n_estimators": 150, "max_depth": 6}),
    Workload("SGDClassifier-svmlight", "svmlight", SGD, {"loss": "log_loss", "max_iter": 350, "tol": None}),
    Workload("XGBClassifier-quantised", "long", XGB, {"n_estimators": 80, "max_depth": 8}, choose="quantised"),
    Workload("LGBMClassifier-quantised", "long", LGBM, {"n_estimators": 65, "num_leaves": 127}, choose="quantised"),
    Workload("XGBClassifier-out-of-core", "long", XGB, {"n_estimators": 70, "max_depth": 8}, choose="out-of-core"),
    Workload("SGDClassifier-out-of-core", "long", SGD, {**ONE_BY_ONE, "max_iter": 10}, choose="out-of-core"),
    Workload("XGBClassifier-many-models", "groups", XGB,
             {"n_estimators": 350, "max_depth": 4, "learning_rate": 0.05}, columns={"groups": ["dest", "hour"]}),
    Workload("GradientBoostingClassifier-many-models", "groups", "sklearn.ensemble.GradientBoostingClassifier",
             {"n_estimators": 60, "max_depth": 4}, columns={"groups": ["dest", "hour"]}),
    Workload("XGBClassifier-sampled", "flights", XGB,
             {"n_estimators": 200, "max_depth": 8, "subsample": 0.7, "colsample_bytree": 0.7}),
    Workload("LGBMClassifier-weighted", "weighted", LGBM, {"n_estimators": 85, "num_leaves": 127},
             columns={"weight": "w"}),
    Workload("XGBClassifier-classes", "classes", XGB, {"n_estimators": 75, "max_depth": 6}),
)  # fmt: skip

LATE = {"target": "late", "features": {"drop": ["tailnum", "source_row"]}}
SYNTHETIC = {  # rows, and what else the uri says
    "wide": (300_000, "columns=200&missing=0.05"),
    "long": (4_000_000, "columns=20"),
    "numbers": (2_000_000, "columns=30&classes=0"),
    "few numbers": (600_000, "columns=20&classes=0"),
    "weighted": (2_000_000, "columns=30&weight=true"),
    "classes": (800_000, "columns=20&classes=6"),
}


@contextmanager
def data_of(name: str) -> Iterator[dict[str, Any]]:
    """The `data` of a workload file; what was made for it alone is deleted afterwards."""
    if name in SYNTHETIC:
        rows, rest = SYNTHETIC[name]
        yield {"uri": f"synthetic://?rows={scaled(rows)}&{rest}", "target": "y"}
    elif name == "flights":
        yield {"uri": str(_tiled(1_500_000)), **LATE}
    elif name == "groups":
        yield {"uri": str(flights("joined", "flights.parquet")), "target": "late", "features": {"drop": ["tailnum"]}}
    elif name == "postgres":
        with _database(scaled(1_500_000)) as data:
            yield data
    else:
        path = {"csv.gz": _csv, "arrow": _arrow, "svmlight": _svmlight}[name]()
        try:
            yield {"uri": str(path), **({"target": "label"} if name == "svmlight" else LATE)}
        finally:
            path.unlink()


def scaled(rows: int) -> int:
    return max(3_000, int(rows * SCALE))


def _tiled(rows: int) -> Path:
    """Copies of the flights, in a folder of their own for each number of rows."""
    rows = scaled(rows)
    name = f"flights-{rows / 1e6:g}m"
    path = flights("tiled", name, "--rows", rows)
    assert path == DATA / name
    return path


def _csv() -> Path:
    import pyarrow.dataset as ds
    from pyarrow import csv

    path = WORK / "flights.csv.gz"
    table = ds.dataset(_tiled(1_000_000)).to_table()
    with gzip.open(path, "wb", compresslevel=1) as file:
        csv.write_csv(table, file)
    return path


def _arrow() -> Path:
    import pyarrow as pa
    import pyarrow.dataset as ds

    path = WORK / "flights.arrow"
    rows = ds.dataset(_tiled(1_500_000))
    with pa.ipc.new_file(path, rows.schema) as file:
        for batch in rows.to_batches():
            file.write_batch(batch)
    return path


def _svmlight() -> Path:
    return words(WORK / "words.svm", scaled(250_000), 20_000)


def words(path: Path, rows: int, wide: int, each: int = 40) -> Path:
    """An svmlight file: rows of so many words, drawn skewed; the commonest say what the label is."""
    import numpy as np
    from scipy.sparse import csr_matrix
    from sklearn.datasets import dump_svmlight_file

    random = np.random.default_rng(0)
    found = (wide * random.random(rows * each, np.float32) ** 3).astype(np.int32)
    counts = random.integers(1, 4, rows * each).astype(np.float64)
    X = csr_matrix((counts, found, np.arange(0, rows * each + 1, each)), (rows, wide))
    X.sum_duplicates()
    lean = X[:, : wide // 100].sum(axis=1).A1 - X[:, wide // 100 : wide // 30].sum(axis=1).A1
    path.parent.mkdir(parents=True, exist_ok=True)
    dump_svmlight_file(X, np.where(lean + random.normal(0, 1, rows) > np.median(lean), 1, -1), str(path))
    return path


@contextmanager
def _database(rows: int) -> Iterator[dict[str, Any]]:
    from postgres import started  # the tests' own server

    columns = ", ".join(f"random()::float4 as x{k}" for k in range(16))
    with started() as server:
        server.sql(
            f"create table rows as select *, (x0 + x1 * x2 + random() > 1.2) as y from "
            f"(select g::bigint as id, (g % 24)::int as hour, 'name' || g % 40 as name, {columns} "
            f"from generate_series(1, {rows}) g) made",
            "alter table rows add primary key (id)",
            "vacuum analyze rows",
        )
        os.environ["PGPASSWORD"] = server.password
        yield {"uri": server.uri(), "table": "rows", "key": "id", "target": "y", "features": {"drop": ["id"]}}
