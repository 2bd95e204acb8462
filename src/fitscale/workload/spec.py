"""The workload file → a frozen `Workload`, and back. Also built from Python, by the same keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fitscale.errors import UsageError, WorkloadError
from fitscale.records.workload import Evaluation, Workload
from fitscale.workload.checks import problems, problems_of_choice, problems_of_series
from fitscale.workload.document import read_document, read_file
from fitscale.workload.keys import WORKLOAD
from fitscale.workload.moments import seconds_until
from fitscale.workload.offered import refuse_gaps
from fitscale.workload.schema import homes
from fitscale.workload.spot import Spot
from fitscale.workload.units import shown


def load(path: Path, *, overrides: Mapping[str, Any] | None = None, check_offered: bool = True) -> Workload:
    """The workload of a file.

    ``overrides`` are values by dotted key (``{"data.use": "20%"}``), as flags give them; they win over the file.
    ``check_offered=False`` is for commands that only look at what was trained: abilities that are not there
    and a deadline that is past are then no errors.

    Raises
    ------
    UsageError
        If the file cannot be read.
    WorkloadError
        If a key is unknown, missing or wrong; it names file, line, dotted place, value and what would do.
    NotOffered
        If a key is known, and its ability is not there yet.
    """
    document, lines = read_document(read_file(path), str(path))
    if not isinstance(document, Mapping):
        problem = "is empty" if document is None else f"{shown(document)} is not a workload"
        raise WorkloadError("the file", f"{problem}; it begins with keys such as 'data:'", file=str(path))
    merged = dict(document)
    for place, value in (overrides or {}).items():
        merged = _set(merged, place.split("."), value, place)
        lines = {where: line for where, line in lines.items() if not _within(where, place)}
    return parse(merged, file=str(path), folder=path.parent, lines=lines, check_offered=check_offered)


def parse(
    document: Mapping[str, Any],
    *,
    file: str | None,
    folder: Path,
    lines: Mapping[str, int] | None = None,
    check_offered: bool = True,
) -> Workload:
    """The workload of a mapping with the keys of the file. Raises as `load` does.

    ``folder`` is where relative paths start from; it becomes absolute. The name defaults to the stem of ``file``.
    """
    root = Spot("", file, lines or {}, homes())
    if document.get("name") is None:
        document = {**document, "name": slug(Path(file).stem if file else "workload")}
    read: Workload = WORKLOAD.read(document, root)
    base = str(folder.absolute())
    workload = read.but(data=read.data.but(base=base), folder=base, evaluate=_of_series(read, document))
    for place, problem in problems(workload):
        raise Spot(place, file, root.lines).wrong(problem)
    if check_offered:
        for place, problem in (*problems_of_series(workload), *problems_of_choice(workload)):
            raise Spot(place, file, root.lines).wrong(problem)
        refuse_gaps(workload, root)
        _refuse_past(workload, root)
    return workload


def build(
    data: str | Path | Mapping[str, Any],
    target: str | None = None,
    estimator: str | None = None,
    *,
    folder: Path | None = None,
    check_offered: bool = True,
    **keys: Any,
) -> Workload:
    """A workload from Python, by the keys of the file.

    ``data`` is a path or address, or the section. Further keys are sections (``evaluate={"cv": 5}``), dotted names
    (``**{"evaluate.cv": 5}``) or names that stand in one section alone (``groups=["origin"]``, ``metric="roc_auc"``).
    A staged live estimator is given by its address: ``live="…"``.

    >>> build("flights.parquet", "late", "sklearn.linear_model.LogisticRegression", params={"C": 0.1}).model.params
    {'C': 0.1}
    """
    document: dict[str, Any] = {"data": dict(data) if isinstance(data, Mapping) else {"uri": str(data)}}
    given = {"data.target": target, "model.estimator": estimator}
    known = homes()
    for key, value in {**{k: v for k, v in given.items() if v is not None}, **keys}.items():
        place = f"{known[key]}.{key}" if key in known else key
        document = _set(document, place.split("."), value, place)
    document.setdefault("name", slug(str(document["data"].get("target") or "workload")))
    return parse(document, file=None, folder=folder or Path.cwd(), check_offered=check_offered)


def to_document(workload: Workload) -> dict[str, Any]:
    """The file's keys and values, where they differ from the defaults. `parse` in the same folder reads it back."""
    written: dict[str, Any] = WORKLOAD.write(workload)
    return written


def read_value(text: str) -> Any:
    """A value as it would stand in the file, for flags such as ``--set evaluate.cv=5``: here 5, a number."""
    return read_document(text)[0]


def _set(document: Mapping[str, Any], path: list[str], value: Any, place: str) -> dict[str, Any]:
    """The document with one dotted key set. A Mapping given for a section is merged into it."""
    key, *rest = path
    inner = document.get(key)
    if not rest:
        if isinstance(value, Mapping) and isinstance(inner, Mapping):
            value = {**inner, **value}
        return {**document, key: value}
    if inner is not None and not isinstance(inner, Mapping):
        raise WorkloadError(place, f"cannot be set: '{key}' is {shown(inner)}, not a section; set it as a whole")
    return {**document, key: _set(inner or {}, rest, value, place)}


def _of_series(read: Workload, document: Mapping[str, Any]) -> Evaluation:
    """A series is judged on its last rows; where nobody says how many, on as many as it is to be forecast."""
    said = document.get("evaluate") or {}
    if not read.data.is_series:
        return read.evaluate
    evaluate = read.evaluate if "by" in said else read.evaluate.but(by="time")
    return evaluate.but(holdout=None) if read.data.horizon and "holdout" not in said else evaluate


def _within(where: str, place: str) -> bool:
    return where == place or where.startswith((place + ".", place + "["))


def slug(name: str) -> str:
    """A name for a folder, from any text. What of it cannot stand there becomes hyphens."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:100] or "workload"


def _refuse_past(workload: Workload, root: Spot) -> None:
    at = workload.needs.deadline.at if workload.needs.deadline else None
    if at is None:
        return
    try:
        seconds_until(at)
    except UsageError as error:
        place = "needs.deadline.must" if "needs.deadline.must" in root.lines else "needs.deadline"
        raise Spot(place, root.file, root.lines).wrong(str(error)) from None
