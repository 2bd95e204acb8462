"""New rows of series, each foretold one step ahead by its own model: what drift and anomalies are seen by."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fitscale.errors import DataError, NotOffered, nearest
from fitscale.models.asked import Asked
from fitscale.models.opened import Run
from fitscale.records.data import Folds
from fitscale.registry import plugin

if TYPE_CHECKING:
    from fitscale.contracts import Batch
    from fitscale.data.partition import Partition
    from fitscale.data.reader import Reader
    from fitscale.records.workload import DataSpec

CHUNK_ROWS = 4_000_000

Told = Callable[[int, int], None]  # (rows that are done, all of them)


class NewRows(NamedTuple):
    """The rows as they came, and cut by series."""

    reader: Reader
    spec: DataSpec
    partition: Partition


class Chunk(NamedTuple):
    """Some series of the new rows, in key order, and what their models say.

    Attributes
    ----------
    rows, of
        All rows, one series after the other, and which series each is of (n,).
    error
        (n,) of each value, in deviations of the errors while its model was fitted; NaN where it was not foretold.
    expected
        (n,) what was foretold.
    n, kurtosis
        (g,) of those errors before.
    why
        (g,) why a series is not judged; empty where it is.
    has_model
        (g,) bool.
    """

    rows: Batch
    of: np.ndarray
    expected: np.ndarray
    error: np.ndarray
    n: np.ndarray
    kurtosis: np.ndarray
    why: list[str]
    has_model: np.ndarray


@contextmanager
def new_rows(run: Run, asked: Asked, what: str) -> Iterator[NewRows]:
    """Rows that are to be judged, cut by series in the run's scratch folder for as long as this lasts.

    ``what`` is what asks for it, such as ``fitscale drift``.

    Raises
    ------
    NotOffered
        For models that were fitted on rows.
    UsageError, DataError
        If the data or its columns cannot be used.
    """
    if run.encoding.input != "series":
        raise NotOffered(
            what,
            f"of {run.estimator}, which was fitted on rows and not on series, is not offered yet: train again, and compare with "
            "'fitscale models compare'",
        )
    if not run.manifest.groups:
        raise NotOffered(what, "of one series alone is not offered yet: give it a column of one value as data.groups")
    scratch = run.path / "scratch"
    scratch.mkdir(exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix="rows-", dir=scratch))
    try:
        yield _cut(run, asked, beside)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _cut(run: Run, asked: Asked, beside: Path) -> NewRows:
    from fitscale.data.choosing import open_source
    from fitscale.data.partition import partition
    from fitscale.data.reader import Reader
    from fitscale.data.staging import parquet_of

    spec = asked.spec(run)
    source = open_source(spec)
    reader = Reader(source, source.snapshot()) if source.stable else parquet_of(source, beside / "staged")
    there = [name for name, _ in reader.snapshot.columns]
    time = str(run.recipe.time)
    for name, has in ((time, "the times"), (spec.target, "the values"), *((name, "the key") for name in spec.groups)):
        if name not in there:
            near = nearest(name, there) or f"; columns: {', '.join(there[:20])}"
            raise DataError(f"{asked.named(run)}: no column '{name}', which has {has} of a series{near}")
    return NewRows(reader, spec, partition(reader, spec, (time, spec.target), beside / "cut"))


def judged(run: Run, new: NewRows, told: Told = lambda done, total: None) -> Iterator[Chunk]:
    """All series of the new rows, some millions of rows at a time."""
    from fitscale.data.chunked import Chunked
    from fitscale.data.rowfeed import untimed

    framework = plugin("frameworks", run.recipe.framework)()
    models, known, partition = run.payloads(), run.statuses(), new.partition
    for start, stop in _spans(partition.first, partition.rows):
        keys = partition.key_tuples(start, stop)
        payloads = [models.get(key, b"") for key in keys]
        rows = Chunked(partition, new.spec, run.encoding, Folds(seed=0), start, stop, untimed).rows
        sizes = partition.sizes[start:stop]
        said = framework.together(payloads).judge(rows, sizes)
        of = np.repeat(np.arange(len(sizes)), sizes)
        # Of a series that was constant any other value is beyond all measure.
        deviation = np.where(said.deviation == 0, np.finfo(np.float64).tiny, said.deviation)[of]
        with np.errstate(over="ignore"):
            error = np.clip((rows.y - said.expected) / deviation, -1e70, 1e70)
        why = ["" if content else known.get(key, "unknown key") for key, content in zip(keys, payloads, strict=True)]
        why = [text or said.why.get(k, "") for k, text in enumerate(why)]
        yield Chunk(
            rows, of, said.expected, error, said.n, said.kurtosis, why, np.array([bool(p) for p in payloads], bool)
        )
        told(partition.span(start, stop)[1], partition.rows)


def _spans(first: np.ndarray, rows: int) -> Iterator[tuple[int, int]]:
    """Groups in turn, as many as have so many rows together, and at least one."""
    ends = np.append(first[1:], rows)
    start = 0
    while start < len(first):
        stop = max(start + 1, int(np.searchsorted(ends, first[start] + CHUNK_ROWS, "right")))
        yield start, stop
        start = stop
