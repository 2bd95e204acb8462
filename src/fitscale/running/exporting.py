"""The formats of ``needs.export``: each written into the run by a worker, once, after its version was put together."""

from __future__ import annotations

from pathlib import Path

from fitscale.errors import FitscaleError
from fitscale.records.base import Record
from fitscale.records.machine import Machine
from fitscale.records.plan import Candidate
from fitscale.records.run import Compared, Order
from fitscale.running.attempts import Attempts
from fitscale.running.completing import RETRIES, ended_badly, failure_of
from fitscale.store import versions


class Exported(Record):
    """One format of a version, in the run."""

    to: str
    folder: str
    compared: Compared | None = None  # of this command; None where it was there


def export_missing(
    run: Path,
    version: int,
    formats: tuple[str, ...],
    candidate: Candidate,
    attempts: Attempts,
    machine: Machine,
    *,
    trust: bool,
) -> tuple[Exported, ...]:
    """Write what of the formats is not there yet.

    Raises
    ------
    FitscaleError
        What the exporter said. The version is there all the same.
    """
    return tuple(_export(run, version, name, candidate, attempts, machine, trust) for name in formats)


def _export(
    run: Path, version: int, name: str, candidate: Candidate, attempts: Attempts, machine: Machine, trust: bool
) -> Exported:
    folder = versions.export_folder(run, version, name)
    compared: Compared | None = None
    task = list(versions.manifest(run, version).recipes.values())[-1].digest
    for _ in range(RETRIES):
        if folder.exists():
            return Exported(to=name, folder=str(folder), compared=compared)
        one = candidate.but(workers=1, ranks=1, threads=1)
        order = Order(
            kind="export", epoch=0, task=task, version=version, exporter=name, memory_bytes=machine.memory_bytes,
            trust=trust,
        )  # fmt: skip
        attempt = attempts.start(one, order)
        attempts.follow(attempt)
        if attempt.cause == "failed":
            error = failure_of(attempt)
            raise type(error)(f"{run}: version {version} is finished, but not exported to {name}: {error}")
        if attempt.cause in ("memory", "stopped"):
            break
        said = next((event.data["compared"] for event in attempt.events if event.kind == "exported"), None)
        compared = Compared.model_validate(said) if said else None
    if folder.exists():
        return Exported(to=name, folder=str(folder), compared=compared)
    error = ended_badly(run, f"exporting version {version} to {name}", attempt)
    assert isinstance(error, FitscaleError)
    raise error
