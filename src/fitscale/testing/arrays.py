"""A feed over arrays and a context without a run folder: what a framework needs to be tried on its own.

feed = ArrayFeed(X, y, fold=fold, form="bins", batch_rows=1_000)
context = DirectContext(scratch=tmp_path, segment=5)
fitted = MyFramework().fit(feed, recipe, None, context)
again = MyFramework().fit(feed, recipe, context.checkpoints[10], context.resumed(10))
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fitscale.contracts import Batch, Stopped, View
from fitscale.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.errors import DataError
from fitscale.records.run import Form

FOLD: dict[View, int] = {"train": 0, "validation": 1, "holdout": 2}


class ArrayFeed:
    """A `contracts.Feed` over rows in memory.

    Parameters
    ----------
    X
        (n, d) numbers, NaN where missing; a scipy CSR matrix; or of a series (n, 1) int64, its moments.
    y
        (n,) class codes 0..k-1, or values.
    weight
        (n,) or None.
    fold
        (n,) int8: 0 train, 1 validation, 2 hold-out; None: all rows train.
    kinds, categories, names
        Of the columns, as in `contracts.Feed`; default: quantities called f0, f1, …
    classes
        Number of classes; 0 for regression.
    group
        (n,) key of each row's group, for `groups`.
    """

    def __init__(
        self,
        X: Any,
        y: Any,
        *,
        weight: Any = None,
        fold: Any = None,
        kinds: Sequence[Literal["q", "c"]] | None = None,
        categories: Sequence[int] | None = None,
        names: Sequence[str] | None = None,
        classes: int = 2,
        form: Form = "matrix",
        batch_rows: int = 65_536,
        group: Any = None,
    ) -> None:
        self.sparse = not isinstance(X, np.ndarray) and hasattr(X, "tocsr")
        series = not self.sparse and np.asarray(X).dtype == np.int64
        kept = np.int64 if series else np.float32
        self._X = X.tocsr().astype(np.float32) if self.sparse else np.ascontiguousarray(X, dtype=kept)
        n, d = self._X.shape
        self._y = np.asarray(y, dtype=np.float64 if series else np.float32)
        self._weight = None if weight is None else np.asarray(weight, dtype=np.float32)
        self._fold = np.zeros(n, dtype=np.int8) if fold is None else np.asarray(fold, dtype=np.int8)
        self._group = None if group is None else np.asarray(group)
        self._row = np.arange(n, dtype=np.int64)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.form: Form = form
        self.batch_rows = batch_rows
        self.names = tuple(names) if names is not None else tuple(f"f{j}" for j in range(d))
        self.kinds: tuple[Literal["q", "c"], ...] = tuple(kinds) if kinds is not None else ("q",) * d
        self.categories = tuple(categories) if categories is not None else (0,) * d
        self.classes = classes

    def _of(self, rows: np.ndarray) -> ArrayFeed:
        """The feed of some of the rows, which keep their numbers."""
        part = object.__new__(ArrayFeed)
        part.__dict__.update(self.__dict__)
        part._folder = None
        part._X, part._y, part._fold, part._row = self._X[rows], self._y[rows], self._fold[rows], self._row[rows]
        part._weight = None if self._weight is None else self._weight[rows]
        part._group = None if self._group is None else self._group[rows]
        return part

    def _batch(self, rows: np.ndarray) -> Batch:
        weight = None if self._weight is None else self._weight[rows]
        return Batch(self._X[rows], self._y[rows], weight, self._row[rows])

    def _rows(self, view: View) -> np.ndarray:
        return np.flatnonzero(self._fold == FOLD[view])

    def as_form(self, form: Form, batch_rows: int | None = None) -> ArrayFeed:
        """The same rows in another form."""
        other = self._of(np.arange(len(self._y)))
        other.form = form
        other.batch_rows = self.batch_rows if batch_rows is None else batch_rows
        return other

    def count(self, view: View) -> int:
        return len(self._rows(view))

    def matrix(self, view: View) -> Batch:
        return self._batch(self._rows(view))

    def batches(self, view: View, rows: int | None = None, start: int = 0) -> Iterator[Batch]:
        size = self.batch_rows if rows is None else rows
        of_view = self._rows(view)
        for at in range(start, len(of_view), size):
            yield self._batch(of_view[at : at + size])

    def frame(self, view: View) -> tuple[pa.Table, np.ndarray, np.ndarray | None]:
        import pyarrow as pa

        X, y, weight, _ = self.matrix(view)
        X = X.toarray() if self.sparse else X
        columns = [pa.array(X[:, j], mask=np.isnan(X[:, j])) for j in range(X.shape[1])]
        return pa.table(columns, names=list(self.names)), y, weight

    def shard(self, rank: int, world: int, rows: int | None = None) -> ArrayFeed:
        train = self._rows("train")
        mine = (np.arange(len(train)) // (rows or self.batch_rows)) % world == rank
        if not mine.any():
            size = rows or self.batch_rows
            raise DataError(f"rank {rank} of {world} has no training rows in batches of {size:,}: take fewer ranks")
        return self._of(np.sort(np.concatenate([train[mine], np.flatnonzero(self._fold != FOLD["train"])])))

    def groups(self) -> Iterator[tuple[tuple[Any, ...], ArrayFeed]]:
        if self._group is None:
            return
        for key in np.unique(self._group):
            yield (key.item(),), self._of(np.flatnonzero(self._group == key))

    def file(self, format: Literal["csv", "parquet"], view: View) -> Path:
        import pyarrow.csv as csv
        import pyarrow.parquet as parquet

        # The folder goes with the feed: files of a fit are not wanted after it.
        self._folder = self._folder or tempfile.TemporaryDirectory()
        path = Path(self._folder.name) / f"{view}.{format}"
        table, y, _ = self.frame(view)
        table = table.append_column("target", [y])
        csv.write_csv(table, path) if format == "csv" else parquet.write_table(table, path)
        return path

    def session(self, session: Any) -> Any:
        raise NotImplementedError("an ArrayFeed has no cluster session")


class DirectContext:
    """A `contracts.Context` that keeps everything in memory.

    Parameters
    ----------
    segment
        Checkpoints are taken at multiples of this many units, as the recipe would say.
    stop_after
        `Stopped` is raised at the first checkpoint at or after this many units.
    scores
        What was reported before a resume, by name (see `resumed`).
    """

    def __init__(
        self,
        *,
        segment: int = 1,
        threads: int = 1,
        scratch: Path,
        rank: int = 0,
        world: int = 1,
        host: str = "127.0.0.2",
        port: int = 0,
        stop_after: int | None = None,
        scores: dict[str, tuple[float, ...]] | None = None,
    ) -> None:
        self.segment = segment
        self.threads = threads
        self.scratch = scratch
        self.rank = rank
        self.world = world
        self.host = host
        self.port = port
        self.stop_after = stop_after
        self.checkpoints: dict[int, bytes] = {}
        self.phases: dict[str, float] = {}  # wall seconds; those of an inner phase are not counted in the outer
        self.reported: list[tuple[int, dict[str, float]]] = []
        self._before = {name: tuple(values) for name, values in (scores or {}).items()}
        self._open: list[str] = []
        self._since = 0.0

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        self._turn()
        self._open.append(name)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()

    def _turn(self) -> None:
        now = time.perf_counter()
        if self._open:
            self.phases[self._open[-1]] = self.phases.get(self._open[-1], 0.0) + now - self._since
        self._since = now

    def report(
        self,
        units: int,
        state: Callable[[], bytes] | None = None,
        scores: Mapping[str, float] | None = None,
        **about: Any,
    ) -> bytes | None:
        self.reported.append((units, dict(scores or {})))
        if state is None or units % self.segment:
            return None
        taken = self.checkpoints[units] = state()
        if self.stop_after is not None and units >= self.stop_after:
            raise Stopped(f"stopped after {units} units")
        return taken

    def scores(self) -> dict[str, tuple[float, ...]]:
        return self.scores_at(None)

    def scores_at(self, units: int | None) -> dict[str, tuple[float, ...]]:
        """The scores of the first ``units`` units: what a resume from there may know. None: all."""
        found = {name: list(values) for name, values in self._before.items()}
        for at, scores in self.reported:
            if units is None or at <= units:
                for name, value in scores.items():
                    found.setdefault(name, []).append(value)
        return {name: tuple(values) for name, values in found.items()}

    def resumed(self, units: int) -> DirectContext:
        """The context of an attempt that goes on from this one's checkpoint at ``units``."""
        return DirectContext(
            segment=self.segment,
            threads=self.threads,
            scratch=self.scratch,
            rank=self.rank,
            world=self.world,
            host=self.host,
            port=self.port,
            scores=self.scores_at(units),
        )

    def program(self, argv: Sequence[str]) -> str:
        return subprocess.run(list(argv), check=True, capture_output=True, text=True, cwd=self.scratch).stdout
