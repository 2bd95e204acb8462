"""Which columns are features, and of what kind: known from the snapshot's types alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fitscale.data.vectors import is_vector
from fitscale.errors import DataError, WorkloadError, nearest

if TYPE_CHECKING:
    from fitscale.records.data import Kind
    from fitscale.records.workload import DataSpec

NUMBERS = ("int", "uint", "half", "float", "double", "decimal", "time32", "time64", "duration")
DATES = ("date32", "date64", "timestamp")
CATEGORIES = ("string", "large_string", "string_view", "dictionary")


def kind_of(type: str) -> Kind:
    """The kind of an Arrow type, given as `str` of it. A column of type null is a number that is always missing."""
    if type.startswith(NUMBERS) or type == "null":
        return "number"
    if type == "bool":
        return "boolean"
    if type.startswith(DATES):
        return "date"
    if is_vector(type):
        return "vector"
    return "category" if type.startswith(CATEGORIES) else "unsupported"


def roles_of(data: DataSpec) -> dict[str, str]:
    """Columns that mean something else than a feature, and what."""
    roles = {data.target: "target"}
    roles |= {name: "groups" for name in data.groups}
    for name, role in ((data.weight, "weight"), (data.time, "time"), (data.key, "key")):
        if name is not None:
            roles.setdefault(name, role)
    return roles


def feature_columns(
    data: DataSpec, columns: Sequence[tuple[str, str]], apart: str | None = None
) -> tuple[tuple[str, str], ...]:
    """(name, Arrow type) of the features, in the order of the snapshot.

    Without ``keep`` these are all columns but the target, groups, weight, time, key and ``apart`` (the column whose
    values are kept apart by the folds: what is held out was never seen); ``keep`` may name these, but for target and
    weight. ``drop`` is taken away from either. Of a series it is the column of its times.

    Raises
    ------
    WorkloadError
        At the place that names a column which is not there, or which cannot be a feature.
    DataError
        Where nothing is left.
    """
    features, types, roles = data.features, dict(columns), roles_of(data)
    if data.is_series and data.time in types:
        return ((data.time, types[data.time]),)
    for name, role in roles.items():
        if name not in types and role != "key":
            raise WorkloadError(f"data.{role}", f"no column '{name}'{_hint(name, types)}")
    for place in ("drop", "keep", "categorical", "text"):
        for name in getattr(features, place):
            if name not in types:
                raise WorkloadError(f"data.features.{place}", f"no column '{name}'{_hint(name, types)}")
            if place != "drop" and roles.get(name) in ("target", "weight"):
                raise WorkloadError(f"data.features.{place}", f"'{name}' is the {roles[name]}, which is no feature")
    wanted = set(features.keep) or types.keys() - roles.keys() - {apart}
    chosen = tuple((name, type) for name, type in columns if name in wanted and name not in features.drop)
    if not chosen:
        series = ", or give data.step if the rows are a series" if data.time is not None else ""
        raise DataError(f"data.features: no column is left as a feature; look at keep and drop{series}")
    return chosen


def encodable(
    chosen: Sequence[tuple[str, str]], categorical: Sequence[str], text: Sequence[str] = ()
) -> tuple[tuple[str, str, Kind], ...]:
    """(name, type, kind) of features that are to become numbers.

    Raises
    ------
    WorkloadError
        At data.features.drop: a column of a type that has no place in a matrix.
    """
    out: list[tuple[str, str, Kind]] = []
    for name, type in chosen:
        kind = kind_of(type)
        if kind == "unsupported":
            raise WorkloadError(
                "data.features.drop", f"column '{name}' is of type {type}, which cannot be a feature; add it to drop"
            )
        if type != "null" and name in (*categorical, *text):
            kind = "category" if name in categorical else "text"
        out.append((name, type, kind))
    return tuple(out)


def _hint(name: str, types: dict[str, str]) -> str:
    if found := nearest(name, types):
        return found
    shown = ", ".join(list(types)[:12])
    return f"; columns: {shown}, …" if len(types) > 12 else f"; columns: {shown}"
