"""Helpers of the tests of whole runs: a workload from a document, a run of it in this process, and what it left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fitscale.records.run import ChunkResult, Event, Order
from fitscale.records.workload import Workload
from fitscale.running.command import Told
from fitscale.running.training import Trained, train
from fitscale.store import chunks, folder, journal, versions
from fitscale.workload import parse

CORES = 2  # threads are in the recipe: what is compared is given the same, whatever the machine has


HOUR = np.timedelta64(3600, "s")
START = np.datetime64("2026-01-01T00", "s")


def rows_of(key: int, y: np.ndarray, first: int = 0, kept: np.ndarray | None = None) -> pa.Table:
    """A series by the hour, of which some values are kept."""
    kept = np.ones(len(y), bool) if kept is None else kept
    at = START + (first + np.arange(len(y))) * HOUR
    return pa.table({"metric": pa.array([f"m{key:03d}"] * int(kept.sum())), "at": at[kept], "value": y[kept]})


def workload_of(document: dict[str, Any], folder: Path, *, cores: int = CORES, memory: str | None = None) -> Workload:
    """The workload, on this machine with so many of its cores."""
    local = {"cores": cores} | ({"memory": memory} if memory else {})
    return parse({"where": [{"local": local}], **document}, file=None, folder=folder)


def trained(
    document: dict[str, Any],
    run: Path,
    choose: str | None = None,
    *,
    cores: int = CORES,
    memory: str | None = None,
    fresh: bool = False,
    told: Told | None = None,
) -> Trained:
    """Train in this process; its workers are processes of their own unless ``choose`` ends in @inline."""
    workload = workload_of(document, run.parent, cores=cores, memory=memory)
    return train(workload, run, choose=choose, fresh=fresh, told=told or Told())


class Interrupted(Exception):
    """What `interrupted` ends a run with."""


def interrupted(document: dict[str, Any], run: Path, choose: str, at: int = 10) -> int:
    """Begin a run, and end it when its worker has a checkpoint of so many units, or a chunk; the units of the last one."""

    def see(name: str, order: Order, event: Event) -> None:
        if event.kind == "chunk" or (event.kind == "checkpoint" and event.data["units"] >= at):
            raise Interrupted

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FITSCALE_CHECKPOINT_S", "0")
        with pytest.raises(Interrupted):
            trained(document, run, choose, told=Told(event=see))
    assert not versions.numbers(run)
    return max((int(path.name) for path in run.glob("tasks/*/ckpt/*") if path.name.isdigit()), default=0)


def units_of(run: Path, kind: str = "units") -> list[tuple[str, int]]:
    """(attempt, units) of all events of a kind, in the order of the attempts."""
    found = []
    for attempt in folder.attempts(run):
        for path in sorted(attempt.glob("events.*.jsonl")):
            events = [Event.from_json(line) for line in path.read_text().splitlines()]
            found += [(attempt.name, int(event.data["units"])) for event in events if event.kind == kind]
    return found


def results_of(run: Path, version: int = 1) -> dict[str, list[ChunkResult]]:
    """The chunks of a version's tasks, by the task's recipe."""
    found = {}
    for recipe in versions.manifest(run, version).recipes.values():
        numbers = sorted(chunks.committed(run, recipe.digest))
        found[recipe.digest] = [chunks.read(run, recipe.digest, k) for k in numbers]
    return found


def held_out(run: Path, version: int = 1, fit: str | None = None) -> pa.Table:
    """The hold-out predictions of a fit by name; default: of all fits of the version."""
    recipes = versions.manifest(run, version).recipes
    wanted = {recipe.digest for name, recipe in recipes.items() if fit in (None, name)}
    tables = [
        chunks.read_table(run, result.predictions)
        for digest, results in results_of(run, version).items()
        for result in results
        if digest in wanted and result.predictions is not None
    ]
    return pa.concat_tables(tables)


def said_of(table: pa.Table) -> np.ndarray:
    """(n, k) what was predicted: probabilities where there are any, else values."""
    names = [name for name in table.column_names if name[0] == "p" and name[1:].isdigit()] or ["value"]
    return np.column_stack([table.column(name).to_numpy() for name in names])


def orders_of(run: Path) -> list[Order]:
    """What the workers of each attempt were told, in their order."""
    return [folder.read_order(run, attempt.name) for attempt in folder.attempts(run)]


def events_of(run: Path, kind: str) -> list[dict[str, Any]]:
    """The journal's events of a kind."""
    return [event for event in journal.replay(run) if event["kind"] == kind]
