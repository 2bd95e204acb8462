"""``python -P -m fitscale.work.exportable``: can models of an estimator be exported? Tried, in a process of its own.

The estimator is fitted to a few of the workload's rows, encoded as they will be, and each exporter tries that model.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from fitscale.errors import NotExportable, OneClass
from fitscale.records.data import Snapshot
from fitscale.records.run import Recipe, Task
from fitscale.registry import plugin

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.contracts import Framework
    from fitscale.data.encoding import Encoding

ROWS = (500, 20_000)  # the second where the first show one class
UNITS = 5
LIMIT_S = 60.0


def try_exports(task: Task, snapshot: Snapshot, formats: Sequence[str]) -> dict[str, str]:
    """Format → why it cannot hold such a model, empty where it can. What could not be tried in a minute is left out."""
    request = json.dumps(
        {"task": task.model_dump(mode="json"), "snapshot": snapshot.model_dump(mode="json"), "formats": list(formats)}
    )
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "fitscale.work.exportable"],
            input=request,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        answer: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, ValueError, IndexError):
        return {}
    return answer


def reasons(task: Task, snapshot: Snapshot, formats: Sequence[str]) -> dict[str, str]:
    """What `try_exports` answers, in this process."""
    tried = None
    for rows in ROWS:
        try:
            tried = _fitted(task, snapshot, rows)
            break
        except OneClass:
            continue
        except Exception:  # what a fit of a few rows stumbles over, the probe will tell
            return {}
    if tried is None:
        return {}
    recipe, payload, encoding, table = tried
    found: dict[str, str] = {}
    for name in formats:
        try:
            plugin("exporters", name)().check(recipe, payload, encoding, table)
            found[name] = ""
        except NotExportable as error:
            found[name] = str(error)
        except Exception as error:  # a converter can raise anything, and would do so at the end too
            found[name] = f"{type(error).__name__}: {error}"
    return found


def _fitted(task: Task, snapshot: Snapshot, rows: int) -> tuple[Recipe, bytes, Encoding, pa.RecordBatch]:
    """(recipe, payload, encoding, raw rows) of a small fit."""
    import pyarrow as pa

    from fitscale.data.feed import make_feed
    from fitscale.data.learning import learn
    from fitscale.data.reader import open_reader

    data = task.data.but(groups=()) if not task.data.groups else _without_groups(task)
    reader = open_reader(data, snapshot).sample(rows, task.recipe.seed)
    encoding = learn(reader, data, task.recipe.folds, task.traits)
    params = dict(task.recipe.estimator.params)
    if task.traits.units_param:
        params[task.traits.units_param] = min(UNITS, task.traits.units)
    recipe = task.recipe.but(estimator=task.recipe.estimator.but(params=params), early_stopping=None, groups=())
    framework: Framework = plugin("frameworks", recipe.framework)()
    form: Any = "frame" if task.traits.input == "raw" else "matrix"
    with TemporaryDirectory(prefix="fitscale-") as scratch:
        feed = make_feed(reader, data, encoding, recipe.folds, form=form, scratch=Path(scratch))
        payload = framework.fit(feed, recipe, None, _Alone(Path(scratch))).payload
    batches = [batch for _, batch in reader.batches(list(encoding.raw_columns))]
    return recipe, payload, encoding, pa.Table.from_batches(batches).combine_chunks().to_batches()[0]


def _without_groups(task: Task) -> Any:
    """The columns of the key are no features for one model of all groups either."""
    features = task.data.features
    return task.data.but(groups=(), features=features.but(drop=(*features.drop, *task.data.groups)))


class _Alone:
    """See `contracts.Context`: of a fit that nobody watches."""

    rank, world, host, port, threads = 0, 1, "", 0, 1

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch

    def phase(self, name: str) -> AbstractContextManager[None]:
        return nullcontext()

    def report(
        self,
        units: int,
        state: Callable[[], bytes] | None = None,
        scores: Mapping[str, float] | None = None,
        **about: Any,
    ) -> bytes | None:
        return None

    def scores(self) -> dict[str, tuple[float, ...]]:
        return {}

    def program(self, argv: Sequence[str]) -> str:
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def main() -> None:
    request = json.loads(sys.stdin.read())
    task = Task.model_validate(request["task"])
    sys.path.append(task.folder)
    answer = reasons(task, Snapshot.model_validate(request["snapshot"]), request["formats"])
    sys.stdout.write("\n" + json.dumps(answer) + "\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
