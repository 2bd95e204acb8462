"""The rows that a version is asked about, read as they are now and cut by group."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fitscale.errors import DataError, nearest
from fitscale.models.asked import Asked
from fitscale.models.opened import Run

if TYPE_CHECKING:
    from fitscale.data.partition import Partition
    from fitscale.data.reader import Reader
    from fitscale.records.workload import DataSpec

CHUNK_CELLS = 40_000_000
MOST_ROWS = 4_000_000


class NewRows(NamedTuple):
    """The rows as they came, and cut by group: None where there is one model of all."""

    reader: Reader
    spec: DataSpec
    partition: Partition | None
    beside: Path  # a folder for what is needed meanwhile
    has_target: bool = True

    def spans(self, width: int) -> Iterator[tuple[int, int]]:
        """Groups in turn, as many as have some millions of cells together, and at least one."""
        assert self.partition is not None
        first, most = self.partition.first, min(MOST_ROWS, CHUNK_CELLS // max(1, width))
        ends = np.append(first[1:], self.partition.rows)
        start = 0
        while start < len(first):
            stop = max(start + 1, int(np.searchsorted(ends, first[start] + most, "right")))
            yield start, stop
            start = stop


@contextmanager
def new_rows(run: Run, asked: Asked, *, need_target: bool = True) -> Iterator[NewRows]:
    """The rows, for as long as this lasts: what is cut and staged lies in the run's scratch folder.

    Without ``need_target`` the truth may be missing altogether, but not have another name, as far as that can be seen.

    Raises
    ------
    UsageError, DataError
        If the data or its columns cannot be used.
    """
    scratch = run.path / "scratch"
    scratch.mkdir(exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix="rows-", dir=scratch))
    try:
        yield _read(run, asked, beside, need_target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _read(run: Run, asked: Asked, beside: Path, need_target: bool) -> NewRows:
    from fitscale.data.choosing import open_source
    from fitscale.data.partition import partition
    from fitscale.data.reader import Reader
    from fitscale.data.staging import parquet_of

    spec = asked.spec(run)
    source = open_source(spec)
    reader = Reader(source, source.snapshot()) if source.stable else parquet_of(source, beside / "staged")
    columns = columns_of(run)
    there = [name for name, _ in reader.snapshot.columns]
    target = run.recipe.target
    has_target = need_target or target in there or bool(nearest(target, set(there) - {*columns, *spec.groups}))
    if not has_target:
        del columns[target]
    for name, has in {**columns, **dict.fromkeys(spec.groups, "the key")}.items():
        if name not in there:
            near = nearest(name, there) or f"; columns: {', '.join(there[:20])}"
            raise DataError(f"{asked.named(run)}: no column '{name}', which has {has}{near}")
    cut = partition(reader, spec, tuple(columns), beside / "cut") if run.manifest.groups else None
    return NewRows(reader, spec, cut, beside, has_target)


def columns_of(run: Run) -> dict[str, str]:
    """The columns that are looked at beside the key, and what each has."""
    if run.encoding.input == "series":
        return {str(run.recipe.time): "the times of a series", run.recipe.target: "its values"}
    return {**dict.fromkeys(run.encoding.raw_columns, "a feature"), run.recipe.target: "the truth"}
