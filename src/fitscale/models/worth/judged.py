"""Which fit of a version held rows out, its model, and what it predicted of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fitscale.data.encoding import Encoding
from fitscale.errors import FitscaleError
from fitscale.records.run import Manifest, Task
from fitscale.registry import plugin, require
from fitscale.store import chunks, files, folder, trust
from fitscale.work.model import Model

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

BATCH = 1 << 18
MOST_ROWS = 64_000_000  # of predictions; of more, every so many row groups are looked at


class Block(NamedTuple):
    """Held-out rows with what was predicted of them; ``proba`` as the model gives it, (n, k)."""

    row: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None
    value: np.ndarray
    proba: np.ndarray | None

    def take(self, at: np.ndarray) -> Block:
        """Some of its rows."""
        weight, proba = (None if each is None else each[at] for each in (self.weight, self.proba))
        return Block(self.row[at], self.y[at], weight, self.value[at], proba)


def joined(blocks: Sequence[Block]) -> Block:
    """The blocks, of which there is one at least, as one."""
    import numpy as np

    def column(parts: list[np.ndarray | None]) -> np.ndarray | None:
        there = [part for part in parts if part is not None]
        return np.concatenate(there) if there else None

    row, y, value = (np.concatenate([block[at] for block in blocks]) for at in (0, 1, 3))
    return Block(row, y, column([block.weight for block in blocks]), value, column([block.proba for block in blocks]))


class Judged(NamedTuple):
    """The fits that a version was judged by. The first stands for them where a model is looked into."""

    run: Path
    tasks: tuple[Task, ...]
    encoding: Encoding
    predictions: tuple[Path, ...]  # those that are still there

    @property
    def task(self) -> Task:
        return self.tasks[0]

    @property
    def kept(self) -> bool:
        """Whether all predictions of the training are still there."""
        return len(self.predictions) == len(self.tasks)

    def rows(self) -> int:
        import pyarrow.parquet as pq

        return sum(pq.read_metadata(path).num_rows for path in self.predictions)

    def blocks(self) -> Iterator[Block]:
        """What was predicted while it was trained, a block at a time."""
        import pyarrow.parquet as pq

        step = max(1, -(-self.rows() // MOST_ROWS))
        for path in self.predictions:
            file = pq.ParquetFile(path, memory_map=True)
            groups = list(range(file.num_row_groups))[::step]
            for batch in file.iter_batches(BATCH, row_groups=groups, use_threads=False):
                yield block_of(batch, self.encoding.n_classes)

    def model(self, trusted: bool) -> Model:
        """The model of the first fit. What it gives counts as probabilities: metrics take margins' shares too.

        Raises
        ------
        Untrusted
            If loading it could run code that somebody else wrote.
        FitscaleError
            If its bytes are gone, or its library is.
        """
        recipe = self.task.recipe
        framework = plugin("frameworks", recipe.framework)
        for library in framework.needs:
            require(f"framework '{framework.name}'", library, framework.extra)
        content = chunks.read(self.run, recipe.digest, 0).models
        payload = bytes(files.mapped(chunks.kept(self.run, content)))
        if framework.pickles:
            trust.check(self.run, content, payload, trust=trusted)
        return Model(payload, self.encoding, recipe)


def judged_of(run: Path, manifest: Manifest) -> Judged | None:
    """The fits of a version that held rows out; None where none did."""
    tasks: list[Task] = []
    predictions: list[Path] = []
    for recipe in manifest.recipes.values():
        if not (recipe.folds.holdout or recipe.folds.part):
            continue
        try:
            content = chunks.read(run, recipe.digest, 0).predictions
            if content is None:  # it was to hold rows out, and no value fell there
                continue
            predictions.append(chunks.kept(run, content))
        except (FitscaleError, OSError, ValueError):  # lost
            pass
        tasks.append(folder.read_task(run, recipe.digest))
    if not tasks:
        return None
    path = run / "encoding" / tasks[0].recipe.encoding / "encoding.json"
    return Judged(run, tuple(tasks), Encoding.from_json(path.read_bytes()), tuple(predictions))


def block_of(batch: pa.RecordBatch, classes: int) -> Block:
    """A batch of what `work.fit.score_view` found."""
    import numpy as np

    there = batch.schema.names

    def column(name: str) -> np.ndarray:
        return np.asarray(batch.column(name).to_numpy(zero_copy_only=False))

    proba: np.ndarray | None = None
    if classes and "p1" in there:
        if classes == 2:
            proba = np.column_stack([1.0 - column("p1"), column("p1")])
        else:
            proba = np.column_stack([column(f"p{k}") for k in range(classes)])
    return Block(
        column("row"), column("y"), column("weight") if "weight" in there else None, column("value"), proba
    )  # fmt: skip
