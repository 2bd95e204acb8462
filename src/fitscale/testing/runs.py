"""Small runs for the suites of engines and exporters: a run folder with one task on made-up rows, ready for attempts.

trial = begin(tmp_path / "run", Estimator(path="baseline.Classifier", params={"passes": 3}))
name = trial.attempt(form="matrix")                       # writes the order
events = list(Inline().start(trial.run, name, work))

version = finished(tmp_path / "run", Estimator(path="baseline.Classifier"))
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fitscale.records.data import Folds
from fitscale.records.run import Chunk, Estimator, Order, Partitioning, Recipe, Task
from fitscale.records.workload import DataSpec
from fitscale.registry import framework_of
from fitscale.store import chunks, folder, versions
from fitscale.store.lock import RunLock, epoch_of
from fitscale.work.attempt import work

if TYPE_CHECKING:
    from fitscale.contracts import Framework

ROWS = 3_000
PARTITION = "by-group"


class Trial(NamedTuple):
    """A run with one task, of which nothing is done."""

    run: Path
    task: str  # digest of its recipe

    def attempt(self, **order: Any) -> str:
        """Write the order of a new attempt; its name. Default: fit the task, or all of its groups, in one process."""
        epoch = epoch_of(self.run)
        name = f"{epoch}-{len(folder.attempts(self.run)) + 1}"
        task = folder.read_task(self.run, self.task)
        kind = "groups" if task.recipe.groups else "fit"
        form = "frame" if task.traits.input == "raw" else "matrix"
        said = {"kind": kind, "form": form, "task": self.task, "chunks": tuple(range(len(task.chunks)))} | order
        folder.write_order(self.run, name, Order(epoch=epoch, **said))
        return name

    def committed(self) -> dict[str, str]:
        """Digests of what was committed: of each chunk, and of its models' bytes."""
        found: dict[str, str] = {}
        for k in sorted(chunks.committed(self.run, self.task)):
            result = chunks.read(self.run, self.task, k)
            models = (self.run / "models" / result.models).read_bytes()
            found[f"{k}: models"] = hashlib.sha256(models).hexdigest()
            found[f"{k}: chunk"] = result.digest
        return found


def begin(run: Path, estimator: Estimator, *, groups: int = 0, ranks: int = 1, rows: int = ROWS) -> Trial:
    """Begin a run on ``rows`` made-up rows; ``groups``: so many models, in chunks of three."""
    from fitscale.data.reader import open_reader

    framework: Framework = framework_of(estimator.path)()
    traits = framework.traits(estimator)
    classes = 0 if traits.target == "regressor" else 2
    uri = f"synthetic://?rows={rows}&columns=3&categorical=1&classes={classes}"
    names = ("group",) if groups else ()
    data = DataSpec(uri=f"{uri}&groups={groups}" if groups else uri, target="y", groups=names)
    folder.create(run, "trial")
    with RunLock(run):  # its epoch is that of the attempts
        pass
    reader = open_reader(data)
    folds = Folds(seed=0, holdout=0.2)
    snapshot = folder.write_snapshot(run, reader.snapshot)
    recipe = Recipe(
        framework=framework.name,
        estimator=estimator,
        encoding="trial",
        data=snapshot,
        target="y",
        groups=names,
        folds=folds,
        seed=7,
        segment=traits.segment,
        ranks=ranks,
        versions=traits.versions,
    )
    n = _partition(run, data, snapshot, folds) if groups else 1
    bounds = tuple(Chunk(start=k, stop=min(k + 3, n)) for k in range(0, n, 3))
    partition = PARTITION if groups else None
    task = Task(
        recipe=recipe, name="fit", data=data, traits=traits, snapshot=snapshot, chunks=bounds, partition=partition
    )
    return Trial(run, folder.write_task(run, task))


def _partition(run: Path, data: DataSpec, snapshot: str, folds: Folds) -> int:
    from fitscale.data.partition import Partition

    wanted = Partitioning(name=PARTITION, snapshot=snapshot, data=data, folds=(folds,))
    _do(run, Order(kind="partition", epoch=epoch_of(run), partitioning=wanted))
    return len(Partition(run / "data" / PARTITION).sizes)


def finished(run: Path, estimator: Estimator, *, groups: int = 0) -> int:
    """A run with a finished version, which is served; its number."""
    trial = begin(run, estimator, groups=groups)
    _do(run, folder.read_order(run, trial.attempt(isolate=False)))
    _do(run, Order(kind="finish", epoch=epoch_of(run), task=trial.task, version=1, tasks=(trial.task,)))
    versions.serve(run, 1)
    return 1


def _do(run: Path, order: Order) -> None:
    """One attempt, in this process."""
    name = f"{order.epoch}-{len(folder.attempts(run)) + 1}"
    folder.write_order(run, name, order)
    if code := work(run, name):
        said = (run / "attempts" / name / "events.0.jsonl").read_text().splitlines()[-1]
        raise AssertionError(f"the attempt ended with {code}: {said}")
