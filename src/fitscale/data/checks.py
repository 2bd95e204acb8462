"""What the workload says of the columns, held to the columns that are there: before anything is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fitscale.data.features import feature_columns, kind_of
from fitscale.errors import DataError, WorkloadError, nearest

if TYPE_CHECKING:
    from fitscale.records.data import Snapshot
    from fitscale.records.workload import DataSpec


def check_columns(snapshot: Snapshot, data: DataSpec, *, counted: bool = True) -> None:
    """Every named column is there, has one role, and a type that can play it; and there are rows, where they are counted.

    Raises
    ------
    WorkloadError
        At data.target, data.groups, data.time, data.weight or data.features.…
    DataError
        At data.uri or data.where: fewer than two rows; at data.features: no feature left.
    """
    types = dict(snapshot.columns)
    named = [("target", data.target), *(("groups", name) for name in data.groups)]
    named += [(place, name) for place, name in (("time", data.time), ("weight", data.weight)) if name is not None]
    taken: dict[str, str] = {}
    for place, name in named:
        if name not in types:
            shown = ", ".join(list(types)[:20]) + (", …" if len(types) > 20 else "")
            raise WorkloadError(f"data.{place}", f"no column '{name}'{nearest(name, types) or ';'} columns: {shown}")
        if name in taken and not (place == "time" and taken[name] == "groups"):
            also = "twice" if taken[name] == place else f"also as data.{taken[name]}"
            raise WorkloadError(f"data.{place}", f"column '{name}' is named {also}: a column has one role")
        taken[name] = place
        _check_type(place, name, types[name])
    if data.is_series and data.time is not None:
        _check_type("step", data.time, types[data.time])
    for name, type in feature_columns(data, snapshot.columns):
        if name in data.features.text and (kind_of(type) != "category" or name in data.features.categorical):
            what = (
                "named in data.features.categorical too" if kind_of(type) == "category" else f"of type {type}, no text"
            )
            raise WorkloadError("data.features.text", f"column '{name}' is {what}: leave it out")
        if kind_of(type) != "vector":
            continue
        if data.features.scale:
            raise WorkloadError("data.features.scale", f"'{name}' is a column of sparse vectors, which it would fill")
        if name in data.features.categorical:
            raise WorkloadError("data.features.categorical", f"'{name}' is a column of sparse vectors: leave it out")
    if not counted:
        return
    if snapshot.rows == 0 and snapshot.where:
        raise DataError(f'data.where: no row is kept by "{snapshot.where}"; widen it')
    if snapshot.rows < 2:
        where = (
            f"{snapshot.pieces[0].path} has"
            if len(snapshot.pieces) == 1
            else f"the {len(snapshot.pieces):,} files have"
        )
        told = "no rows" if snapshot.rows == 0 else "only 1 row"
        raise DataError(f"data.uri: {where} {told}: at least 2 are needed, one to train on and one to hold out")


def _check_type(place: str, name: str, type: str) -> None:
    kind = kind_of(type)
    problem = None
    if place == "weight" and (kind != "number" or type.startswith(("time", "duration"))):
        problem = "a weight is a number"
    elif place == "time" and kind not in ("number", "date"):
        problem = "time must be a date, a timestamp or a number, so that it orders the rows; cast it"
    elif place == "step" and not (kind == "date" or type.startswith(("int", "uint"))):
        problem = "the times of a series are dates or whole numbers; cast it"
    elif place == "target" and kind in ("date", "vector", "unsupported"):
        problem = "a target is a number, a truth value or text; cast it"
    elif place == "groups" and kind in ("vector", "unsupported"):
        problem = "a group key is text, a whole number or a date; cast it"
    elif place == "groups" and type in ("halffloat", "float", "double"):
        problem = "fractions make no group keys; cast it to whole numbers or text"
    if problem:
        raise WorkloadError(f"data.{place}", f"column '{name}' is of type {type}: {problem}")
