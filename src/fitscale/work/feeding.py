"""From a task to its feed: the reader of its snapshot, its encoding (learnt once for a run), its folds."""

from __future__ import annotations

import fcntl
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fitscale.records.run import Order, Sample, Task, batch_rows_of
from fitscale.records.workload import DataSpec
from fitscale.store import crash, files, folder
from fitscale.store.reference import BINS

if TYPE_CHECKING:
    from fitscale.contracts import Feed
    from fitscale.data.bins import Bins
    from fitscale.data.encoding import Encoding
    from fitscale.data.reader import Reader
    from fitscale.work.context import WorkContext


def reader_of(run: Path, task: Task, threads: int = 1) -> Reader:
    """The rows of the task's snapshot."""
    # Texts as the dictionaries that the files hold them in: half the time of reading and encoding. Pipelines get plain texts.
    texts = task.traits.input == "raw"
    return rows_used(
        run, task.snapshot, task.data, task.recipe.use, task.recipe.seed, threads=threads, dictionaries=not texts
    )


def rows_used(
    run: Path, snapshot: str, data: DataSpec, use: float, seed: int, *, threads: int = 1, dictionaries: bool = False
) -> Reader:
    """The share of a snapshot's rows that is to be used."""
    from fitscale.data.reader import reader_of_run

    reader = reader_of_run(data, folder.read_snapshot(run, snapshot), threads=threads, dictionaries=dictionaries)
    return reader if use >= 1 else reader.sample(max(1, round(reader.rows * use)), seed)


def encoding_of(run: Path, task: Task, reader: Reader, *, keep: bool, threads: int = 1) -> Encoding:
    """The encoding that the recipe names: read, or learnt now and kept for all who come after."""
    from fitscale.data.encoding import Encoding
    from fitscale.data.learning import learn

    path = run / "encoding" / task.recipe.encoding / "encoding.json"
    if path.exists():
        return Encoding.from_json(path.read_bytes())
    learnt = partial(learn, reader, task.data, task.recipe.folds, task.traits, reads_ahead=threads > 1)
    if not keep:
        return learnt()
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_name("lock"), "wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # the workers of a pool come here together: one learns, the others wait
        if not path.exists():
            files.create(path, learnt().to_json())
            crash.point("encoding.written")
    return Encoding.from_json(path.read_bytes())


def bins_of(run: Path, task: Task, reader: Reader, encoding: Encoding) -> Bins | None:
    """The bins that belong to the encoding: read, or laid now and kept for all who come after. None where no column has any."""
    from fitscale.data.binning import laid
    from fitscale.data.bins import Bins

    if task.traits.input == "series":
        return None
    path = run / "encoding" / task.recipe.encoding / BINS
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path.with_name("lock"), "wb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            if not path.exists():
                files.create(path, laid(reader, task.data, task.recipe.folds, encoding).to_json())
                crash.point("bins.written")
    bins = Bins.from_json(path.read_bytes())
    return bins if bins.columns else None


def feed_of(run: Path, order: Order, task: Task, context: WorkContext, sample: Sample | None = None) -> Feed:
    """The feed of one model: of all rows, or of a part of them for a probe."""
    from fitscale.data.feed import make_feed
    from fitscale.data.rowcheck import need_weight

    reader = reader_of(run, task, order.threads)
    if sample is not None:
        reader = reader.sample(sample.rows, sample.seed)
    with context.phase("read"):
        need_weight(reader, task.data, task.recipe.folds)
    with context.phase("encode"):
        encoding = encoding_of(run, task, reader, keep=sample is None, threads=order.threads)
    return make_feed(
        reader,
        task.data,
        encoding,
        task.recipe.folds,
        form=order.form,
        batch_rows=batch_rows(order, task, sample, encoding),
        scratch=context.scratch,
        phase=context.phase,
        reads_ahead=order.threads > 1,
    )


def batch_rows(order: Order, task: Task, sample: Sample | None, encoding: Encoding) -> int:
    """The recipe's, where it changes the model; smaller for a sample that several ranks share."""
    width = encoding.most_set + encoding.filled if encoding.sparse else encoding.width
    rows = task.recipe.batch_rows or batch_rows_of(width, order.batch_rows)
    return min(rows, max(64, sample.rows // (8 * order.ranks))) if sample is not None and order.ranks > 1 else rows


def source_bytes(run: Path, task: Task, sample: Sample) -> int:
    """What is read for a sample: units are decoded from their beginning, so more than its share of the rows."""
    reader = reader_of(run, task).sample(sample.rows, sample.seed)
    return sum(size for _, _, size in reader.units)
