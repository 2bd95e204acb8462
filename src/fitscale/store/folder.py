"""The run folder: where everything of a run lies, and how it is begun and opened.

run.json              immutable; its presence makes the run exist
plans/NNN.json        workload, forecasts, decision
encoding/KEY/  data/NAME/  snapshots, staged and partitioned data
lock  journal/EPOCH.jsonl
tasks/RECIPE/{task.json, ckpt/N/, chunks/K}
attempts/EPOCH-N/     order, control, events by rank, logs
models/HASH           payload files, by content;  signatures/HASH for those that could run code
versions/V/{index.parquet, metrics.json, failures.jsonl, reference.{json,parquet}, manifest.json}   CURRENT
exports/V/FORMAT      versions in the formats of needs.export
closing/KEY.json      which of several estimators was chosen, and why;  search/KEY/{trials.jsonl, found.json} what tuning tried
worth/V.json          what a version's one model is worth, beside report.html
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from fitscale.errors import UsageError
from fitscale.records.data import Snapshot
from fitscale.records.plan import Plan
from fitscale.records.run import RUN_FORMAT, Chunk, Order, Task
from fitscale.store import crash, files


def create(run: Path, name: str) -> None:
    """Begin a run, or find it begun.

    Raises
    ------
    UsageError
        If the folder cannot be written, or belongs to something else.
    """
    with writing(run):
        if is_begun(run):
            return
        run.mkdir(parents=True, exist_ok=True)
        files.create(run / "run.json", json.dumps({"fitscale": RUN_FORMAT, "name": name}, sort_keys=True))
    crash.point("run.created")


def is_begun(run: Path) -> bool:
    """Whether this is a run already; else one can be begun here.

    Raises
    ------
    UsageError
        If the folder belongs to something else, or a newer version made the run.
    """
    if (run / "run.json").exists():
        check(run)
        return True
    if run.is_dir() and any(_is_foreign(path.name) for path in run.iterdir()):
        raise UsageError(f"{run}: is not a run, and not empty; name another folder with --run")
    return False


@contextlib.contextmanager
def writing(run: Path) -> Iterator[None]:
    """Turn what keeps us from writing to a run folder into the error that says so."""
    try:
        with files.disk_errors(run):
            yield
    except OSError as error:
        raise UsageError(f"{run}: cannot write here ({error.strerror}); name another folder with --run") from error


@contextlib.contextmanager
def begun(run: Path, name: str) -> Iterator[None]:
    """A run that is there while something is put into it: one that was begun for it is taken back if that goes wrong."""
    if (run / "run.json").exists():
        yield
        return
    new = [path for path in (run, *run.parents) if not path.exists()]
    create(run, name)
    try:
        yield
    except UsageError:
        (run / "run.json").unlink()
        shutil.rmtree(run / "data", ignore_errors=True)
        with contextlib.suppress(OSError):  # what others put there meanwhile stays
            for path in new:
                path.rmdir()
        raise


def _is_foreign(name: str) -> bool:
    # What a beginning leaves that was killed before run.json had its name is no reason to refuse the next one.
    return name not in ("lock", "plans", "live", "signatures") and not name.startswith(".run.json.")


def check(run: Path) -> str:
    """The name of a run.

    Raises
    ------
    UsageError
        If it is none, or one that a newer version made.
    """
    try:
        about = json.loads((run / "run.json").read_text())
        made_by = int(about["fitscale"])
    except FileNotFoundError:
        raise UsageError(f"{run}: is no run (it has no run.json); begin one with 'fitscale train WORKLOAD'") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{run}/run.json: cannot be read ({error}); put it back, or name another folder with --run"
        ) from error
    if made_by > RUN_FORMAT:
        raise UsageError(
            f"{run}: was made by a newer fitscale (format {made_by}, this one reads {RUN_FORMAT}): pip install -U fitscale"
        )
    return str(about.get("name", run.name))


def write_snapshot(run: Path, snapshot: Snapshot) -> str:
    """Keep a snapshot under its digest; the name. The same data at another place is read there from now on."""
    name = snapshot.content
    path, text = run / "data" / name / "snapshot.json", snapshot.but(pieces=_timeless(snapshot)).to_json()
    if not path.exists():
        files.create(path, text)
    elif path.read_text() != text:  # where the data lies is not in the digest: run and workload may have been moved
        files.replace(path, text)
    crash.point("snapshot.written")
    return name


def _timeless(snapshot: Snapshot) -> tuple[object, ...]:
    # Times only hint at a change: a file that was copied back is the same data.
    return tuple(piece.but(modified=0.0) for piece in snapshot.pieces)


def read_snapshot(run: Path, name: str) -> Snapshot:
    """A snapshot by its name.

    Raises
    ------
    UsageError
        If it is not there or cannot be read.
    """
    path = run / "data" / name / "snapshot.json"
    try:
        return Snapshot.from_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); plan anew, or train anew with --fresh") from error


def chunks_of(run: Path, digest: str) -> tuple[Chunk, ...] | None:
    """The boundaries that a task was written with; None where it is not written yet."""
    return read_task(run, digest).chunks if (run / "tasks" / digest / "task.json").exists() else None


def write_task(run: Path, task: Task) -> str:
    """Keep a task under its recipe's digest. What was written before stands, but for where workload and data lie.

    Raises
    ------
    UsageError
        If what is there is of another recipe: workers would import what it names.
    """
    digest = task.recipe.digest
    path = run / "tasks" / digest / "task.json"
    if not path.exists():
        files.create(path, task.to_json())
    else:
        known = read_task(run, digest)
        if known.recipe.digest != digest:
            raise UsageError(f"{path}: is damaged, or was changed by somebody else; train anew with --fresh")
        # The run may have been moved, or come from elsewhere: user code is imported from this command's workload alone.
        now = known.but(folder=task.folder, data=task.data)
        if now != known:
            files.replace(path, now.to_json())
    crash.point("task.written")
    return digest


def read_task(run: Path, digest: str) -> Task:
    """The task of a recipe.

    Raises
    ------
    UsageError
        If it is not there or cannot be read.
    """
    path = run / "tasks" / digest / "task.json"
    try:
        return Task.from_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise UsageError(f"{path}: cannot be read ({error})") from error


def write_plan(run: Path, plan: Plan) -> Path:
    path = run / "plans" / f"{plan.number:03d}.json"
    files.create(path, plan.to_json())
    crash.point("plan.written")
    return path


def next_plan(run: Path) -> int:
    return max((int(path.stem) for path in (run / "plans").glob("*.json") if path.stem.isdigit()), default=0) + 1


def read_plan(run: Path, number: int | None = None) -> Plan:
    """A plan of the run, the last by default.

    Raises
    ------
    UsageError
        If there is none.
    """
    path = run / "plans" / f"{number or next_plan(run) - 1:03d}.json"
    try:
        return Plan.from_json(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"{run}: has no plan yet; make one with 'fitscale plan WORKLOAD'") from None


def write_order(run: Path, attempt: str, order: Order) -> Path:
    """Write down all that the workers of an attempt are told; its folder."""
    folder = run / "attempts" / attempt
    files.create(folder / "order.json", order.to_json())
    crash.point("order.written")
    return folder


def read_order(run: Path, attempt: str) -> Order:
    return Order.from_json((run / "attempts" / attempt / "order.json").read_bytes())


def attempts(run: Path) -> list[Path]:
    """The folders of all attempts, oldest first."""
    named = [path for path in (run / "attempts").glob("*-*") if re.fullmatch(r"\d+-\d+", path.name)]
    return sorted(named, key=lambda path: tuple(int(part) for part in path.name.split("-")))


def clear_scratch(run: Path) -> None:
    """Delete what attempts that are over left: scratch folders (caches can be large), and what a kill left half-written."""
    for folder in attempts(run):
        shutil.rmtree(folder / "scratch", ignore_errors=True)
    shutil.rmtree(run / "scratch" / "part", ignore_errors=True)
    for pattern in (
        "models/.*.tmp",
        "versions/.*.tmp",
        "tasks/*/.*.tmp",
        "tasks/*/*/.*.tmp",
        "data/.*.part",
        "exports/*/.*.tmp",
        "*/.*.tmp",
    ):
        for path in run.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
