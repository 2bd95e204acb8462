"""From what was seen and what was said to a workload file that `plan` takes as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitscale.data.checks import check_columns
from fitscale.data.features import encodable, feature_columns
from fitscale.data.starter import guessing
from fitscale.data.starter.choices import Choice, Choices, named
from fitscale.data.starter.lines import lines_of
from fitscale.data.starter.noticing import Notice, notices
from fitscale.data.starter.seeing import Seen
from fitscale.data.starter.writing import Item, Line, text_of
from fitscale.errors import DataError
from fitscale.records.base import Record
from fitscale.records.data import Snapshot
from fitscale.workload.document import LARGEST_BYTES, read_document
from fitscale.workload.spec import parse

if TYPE_CHECKING:
    from fitscale.data.starter.looking import Look
    from fitscale.records.workload import Workload

SCHEMA_FILE = ".fitscale.schema.json"  # beside the workload file, so that an editor finds it without a network


class Draft(Record):
    """What `init` found and wrote."""

    format: int = 1
    name: str
    rows: int  # looked at
    of_rows: int | None
    seconds: float
    columns: int
    task: guessing.Task
    chosen: dict[str, Choice]
    notices: tuple[Notice, ...]
    assumed: tuple[str, ...] = ()
    text: str


def draft(
    look: Look,
    columns: Sequence[Seen],
    choices: Choices,
    said: Mapping[str, Any],
    *,
    name: str,
    folder: Path,
    given: str,
) -> Draft:
    """The file's text, read back and held to the columns. ``folder`` is where it will lie; ``given`` is how it was asked.

    Raises
    ------
    WorkloadError, DataError
        What was said and does not go together with the data.
    """
    target = named(columns, str(choices.target.value), "target")
    task = guessing.task_of(target)
    roles = {target.name, *(choices.groups.value or ()), *([str(choices.time.value)] if choices.time.value else ())}
    roles |= {str(said[place]) for place in ("data.key", "data.weight", "evaluate.by") if said.get(place)}
    found = notices(columns, look.table, target, roles, task, look.rows)
    for notice in found:
        if notice.dropped and not notice.column.strip():
            raise DataError(f"data.uri: a column has no name, and {notice.says}: give it a name, or take it out")
    lines = lines_of(choices, found, said, target, task, name)
    text = text_of(_head(look, given), lines)
    if len(text.encode()) > LARGEST_BYTES:
        raise DataError(
            f"data.uri: {len(look.columns):,} columns are too many for each to be named in a file; write it by hand, with "
            "data.features.keep"
        )
    workload = parse(read_document(text)[0], file=None, folder=folder)
    _check(workload, look)
    chosen = {line.place: Choice(value=_plain(line.value), why=line.why) for line in lines if _is_chosen(line)}
    return Draft(
        name=name, rows=look.table.num_rows, of_rows=look.rows, seconds=look.seconds, columns=len(look.columns), task=task,
        chosen=chosen, notices=found, assumed=look.assumed, text=text,
    )  # fmt: skip


def _check(workload: Workload, look: Look) -> None:
    """What `plan` would refuse before it reads."""
    check_columns(Snapshot(source="", root="", columns=look.columns, pieces=()), workload.data, counted=False)
    by = workload.evaluate.by
    apart = None if by in ("random", "time") else by
    encodable(feature_columns(workload.data, look.columns, apart), workload.data.features.categorical)


def _head(look: Look, given: str) -> list[str]:
    of = f" of its {look.rows:,}" if look.rows is not None else ""
    return [
        f"yaml-language-server: $schema={SCHEMA_FILE}",
        "",
        f"A training job, written by '{given}' after a look at {look.table.num_rows:,}{of} rows.",
        "Each line says where its value came from; lines that begin with # are offers. Nothing here is final.",
    ]


def _is_chosen(line: Line) -> bool:
    return not line.offered and line.value is not None and not isinstance(line.value, Mapping)


def _plain(value: Any) -> str | tuple[str, ...]:
    if isinstance(value, list | tuple):
        return tuple(item.value if isinstance(item, Item) else str(item) for item in value)
    return str(value)
