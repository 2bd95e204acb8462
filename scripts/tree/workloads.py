"""A workload of the grid, and what the planner is given of it: no data, and nothing is fitted.

It has the shape, the profile and the needs that preparing would have found; the traits are those of the real frameworks.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from fitscale.planning.preparing import Prepared, fits_of
from fitscale.records.base import Figure
from fitscale.records.data import Cutting, GroupSizes, Piece, Profile, Shape, Snapshot
from fitscale.records.machine import Machine
from fitscale.records.run import Estimator, Traits
from fitscale.records.workload import Budget, DataSpec, Deadline, ModelSpec, Needs, Workload
from fitscale.running.partitioning import CUT_CELL_S, CUT_ERROR
from fitscale.work.describe import describe

HELD_OUT = 0.2  # as where a workload says nothing
CELL_BYTES = 4.0  # of the files
DISK = {"disk_free_bytes": 2 * 10**12, "disk_read_bytes_per_s": 1e9}  # of all machines here: no workload is about it


class Kind(NamedTuple):
    """An estimator as the grid has it."""

    path: str
    params: dict[str, Any]
    density: float = 1.0  # of the table that it is given
    series: bool = False
    allow_other: bool = False


IN_ORDER = {"loss": "log_loss", "shuffle": False, "tol": None}  # steps that a stream of the rows can take too
KINDS = {
    # Of the grid.
    "boosting": Kind("xgboost.XGBClassifier", {"n_estimators": 300, "max_depth": 6}),
    "boosting-short": Kind("xgboost.XGBRegressor", {"n_estimators": 30, "max_depth": 6}),
    "boosting-sparse": Kind("xgboost.XGBClassifier", {"n_estimators": 300, "max_depth": 6}, density=0.01),
    "leaves": Kind("lightgbm.LGBMClassifier", {"n_estimators": 300, "num_leaves": 63}),
    "histograms": Kind("sklearn.ensemble.HistGradientBoostingClassifier", {"max_iter": 200}),
    "forest": Kind("sklearn.ensemble.RandomForestClassifier", {"n_estimators": 100, "max_depth": 14}),
    "extra-trees": Kind("sklearn.ensemble.ExtraTreesRegressor", {"n_estimators": 100, "max_depth": 14}),
    "logistic": Kind("sklearn.linear_model.LogisticRegression", {"max_iter": 200}),
    "gradient": Kind("sklearn.linear_model.SGDClassifier", {**IN_ORDER, "max_iter": 20}, allow_other=True),
    "gradient-sparse": Kind(
        "sklearn.linear_model.SGDClassifier", {**IN_ORDER, "max_iter": 20}, density=0.01, allow_other=True
    ),
    "bayes": Kind("sklearn.naive_bayes.GaussianNB", {}),
    "ridge": Kind("batched.Ridge", {"alpha": 1.0}),
    "autoregression": Kind("series.AR", {"lags": 2}, series=True),
    "arima": Kind("series.ARIMA", {"order": [2, 0, 1]}, series=True),
    # Outside of it: other estimators, and other parameters.
    "boosting-deep": Kind("xgboost.XGBRegressor", {"n_estimators": 120, "max_depth": 9}),
    "boosting-wide": Kind("xgboost.XGBClassifier", {"n_estimators": 100, "max_depth": 5}, density=0.003),
    "leaves-many": Kind("lightgbm.LGBMRegressor", {"n_estimators": 150, "num_leaves": 127}),
    "histograms-short": Kind("sklearn.ensemble.HistGradientBoostingRegressor", {"max_iter": 80}),
    "forest-shallow": Kind("sklearn.ensemble.RandomForestRegressor", {"n_estimators": 40, "max_depth": 10}),
    "extra-classes": Kind("sklearn.ensemble.ExtraTreesClassifier", {"n_estimators": 200, "max_depth": 16}),
    "linear": Kind("sklearn.linear_model.Ridge", {"alpha": 1.0}),
    "gradient-long": Kind("sklearn.linear_model.SGDClassifier", {**IN_ORDER, "max_iter": 60}, allow_other=True),
    "bayes-binary": Kind("sklearn.naive_bayes.BernoulliNB", {}),
    "least-squares": Kind("batched.Linear", {}),
    "smoothing": Kind("series.Smoothing", {}, series=True),
    "autoregression-long": Kind("series.AR", {"lags": 24}, series=True),
}


class Point(NamedTuple):
    """One workload of the grid."""

    kind: str
    models: int
    rows: int  # of a model, on average
    features: int
    skew: float  # the largest group has so many times the mean's rows
    cores: int
    memory_gb: float
    must_h: float | None
    usd_month: float | None
    frequency: str
    several: bool  # needs.functions asks for distributed_training

    @property
    def cells(self) -> float:
        """That are not zero, over all models."""
        kind = KINDS[self.kind]
        return float(self.models) * self.rows * (1 if kind.series else self.features) * kind.density


@cache
def traits_of(kind: str) -> tuple[str, Traits]:
    """The framework's name, and what it says of the estimator."""
    own = KINDS[kind]
    return describe(Estimator(path=own.path, params=own.params), ".")


def machine_of(point: Point) -> Machine:
    return Machine(
        name="here", cores=point.cores, memory_bytes=round(point.memory_gb * 1e9), clock_ghz=3.0, arch="amd64",
        origin="stated", **DISK,
    )  # fmt: skip


def workload_of(point: Point) -> Workload:
    kind = KINDS[point.kind]
    series = {"time": "at", "step_s": 3600.0, "horizon": 24} if kind.series else {}
    return Workload(
        name=point.kind,
        data=DataSpec(uri="grid.parquet", target="y", groups=("group",) if point.models > 1 else (), **series),
        model=ModelSpec(estimator=kind.path, params=kind.params),
        needs=Needs(
            deadline=Deadline(must_s=3600.0 * point.must_h) if point.must_h else None,
            budget=Budget(hardware_usd_month=point.usd_month) if point.usd_month is not None else None,
            frequency=point.frequency,
            functions=("distributed_training",) if point.several else (),
        ),
        allow_other=kind.allow_other,
    )


def prepared_of(point: Point) -> tuple[Prepared, list[int] | None]:
    """What preparing would have found, and the rows of each group."""
    kind = KINDS[point.kind]
    framework, traits = traits_of(point.kind)
    workload = workload_of(point)
    sizes = sizes_of(point)
    rows = sum(sizes)
    columns = columns_of(point.kind, point.features, point.models > 1)
    size = round(rows * CELL_BYTES * (2 if kind.series else point.features * min(1.0, 2 * kind.density) + 1))
    snapshot = Snapshot(
        source="files", root=".", columns=columns,
        pieces=(Piece(path="grid.parquet", bytes=size, pin="", parts=((rows, size),)),),
    )  # fmt: skip
    groups = None
    if point.models > 1:
        groups = GroupSizes(
            n=point.models, rows_min=min(sizes), rows_median=int(np.median(sizes)), rows_max=max(sizes), exact=True
        )
    profile = Profile(
        rows=Figure.exact(rows, "stated"), bytes=size, columns=(), groups=groups, read_rows=0, read_bytes=0, read_s=0.0
    )
    held = round(rows * HELD_OUT)
    shape = Shape(
        rows=rows - held,
        features=1 if kind.series else point.features,
        holdout_rows=held,
        classes=0 if traits.target == "regressor" else 2,
        density=kind.density,
        source_bytes=size,
        groups=point.models,
        largest_group=max(sizes) if groups else 0,
    )
    cut = None
    if groups is not None:
        seconds = Figure.around(rows * len(columns) * CUT_CELL_S, CUT_ERROR, "forecast")
        cut = Cutting(seconds=seconds, kept_bytes=float(size), most_bytes=float(size))
    estimator = Estimator(path=kind.path, params=traits.params)
    prepared = Prepared(
        workload, None, snapshot, profile, framework, estimator, traits, fits_of(workload, None), shape, cut=cut,  # type: ignore[arg-type]
    )  # fmt: skip
    return prepared, sizes if groups else None


def sizes_of(point: Point) -> list[int]:
    """Rows of each group: one has ``skew`` times the mean's, the others share the rest evenly."""
    if point.models == 1:
        return [point.rows]
    total = point.models * point.rows
    largest = min(round(point.skew * point.rows), total - point.models + 1)
    each = max(1, (total - largest) // (point.models - 1))
    return [each] * (point.models - 1) + [max(each, largest)]


@cache
def columns_of(name: str, features: int, grouped: bool) -> tuple[tuple[str, str], ...]:
    """As of a file: a sparse table has its cells in one column."""
    kind = KINDS[name]
    own = [("at", "timestamp[us]")] if kind.series else [("x", "vector")] if kind.density < 1 else []
    if not own:
        own = [(f"x{k}", "float") for k in range(features)]
    return (*own, ("y", "double"), *([("group", "int64")] if grouped else []))
