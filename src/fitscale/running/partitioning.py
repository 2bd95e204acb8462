"""The partition of many models: cut by a worker, before the tasks are written, whose chunks follow the groups' sizes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from fitscale.planning.preparing import Prepared
from fitscale.records.base import Figure, digest_of
from fitscale.records.data import Cutting, GroupSizes
from fitscale.records.machine import Machine
from fitscale.records.plan import Candidate
from fitscale.records.run import Order, Partitioning
from fitscale.running.attempts import Attempts
from fitscale.running.completing import ended_badly, failure_of
from fitscale.store import files, folder

RETRIES = 3
PLAN_CUT_S = 15.0  # `plan` answers within a minute
CUT_CELL_S = 60e-9  # to read, order and write one value: 55 of 327,346 flights with 29 columns, on two cores
CUT_ERROR = 0.6


def is_soon_cut(prepared: Prepared) -> bool:
    """Whether the rows can be cut by group, and a few groups fitted, within the time that a plan may take."""
    if not prepared.workload.data.groups or (prepared.stage is not None and prepared.stage.sampled):
        return False
    return cut_by_prior_s(prepared) <= PLAN_CUT_S


def with_cut(run: Path, prepared: Prepared, partition: str | None, sizes: Sequence[int] | None = None) -> Prepared:
    """With what cutting took, where it is done, or what it is thought to take; and with the groups as they were counted."""
    if not prepared.workload.data.groups:
        return prepared
    if partition is not None and sizes is not None and _are_all(prepared):
        prepared = _counted(prepared, sizes)
    if partition is None:
        seconds = Figure.around(cut_by_prior_s(prepared), CUT_ERROR, "forecast")
        size = float(prepared.shape.source_bytes)  # what is kept is packed less, and has fewer columns
        return prepared._replace(cut=Cutting(seconds=seconds, kept_bytes=size, most_bytes=size))
    from fitscale.data.partition import Cut

    there = run / "data" / partition
    try:
        took, peak = map(float, there.with_name(f"{partition}.took").read_text().split())
    except (OSError, ValueError):  # cut before it was written down
        return prepared
    kept = sum(path.stat().st_size for path in there.rglob("*") if path.is_file())
    most = max(kept, Cut.from_json((there / "partition.json").read_bytes()).spilled_bytes)
    cut = Cutting(seconds=Figure.exact(took), held_bytes=peak, kept_bytes=kept, most_bytes=most, done=True)
    return prepared._replace(cut=cut)


def _are_all(prepared: Prepared) -> bool:
    """Whether the partition has all rows, each once."""
    workload = prepared.workload
    return prepared.some is None and workload.model.fallback is None and not isinstance(workload.data.use, float)


def _counted(prepared: Prepared, sizes: Sequence[int]) -> Prepared:
    low, middle, high = min(sizes), round(statistics.median(sizes)), max(sizes)
    groups = GroupSizes(n=len(sizes), rows_min=low, rows_median=middle, rows_max=high, exact=True)
    return prepared._replace(
        profile=prepared.profile.but(groups=groups), shape=prepared.shape.but(groups=len(sizes), largest_group=high)
    )


def largest_of(run: Path, partition: str | None) -> str:
    """Which group has the most rows, as a sentence names it; empty where the rows are not cut."""
    from fitscale.data.partition import Partition

    if partition is None:
        return ""
    there = Partition(run / "data" / partition)
    k = int(there.sizes.argmax())
    (key,) = there.key_tuples(k, k + 1)
    return "group " + ", ".join(f"{name}={value!r}" for name, value in zip(there.groups, key, strict=True))


def cut_by_prior_s(prepared: Prepared) -> float:
    """Seconds that cutting the rows by group is thought to take."""
    profile = prepared.profile
    return profile.rows.value * len(profile.columns) * CUT_CELL_S


def partition_of(
    run: Path, prepared: Prepared, attempts: Attempts, machine: Machine, engine: str = "process"
) -> tuple[str | None, Sequence[int] | None]:
    """(its name in data/, rows of each group in key order); (None, None) where one model is fitted."""
    from fitscale.data.partition import Partition

    workload = prepared.workload
    if not workload.data.groups:
        return None, None
    use = workload.data.use if isinstance(workload.data.use, float) else 1.0
    # Some groups alone have no parent that knows the others: those that are too small stay without a model.
    fallback = None if prepared.some else workload.model.fallback
    folds = tuple(fit.folds for fit in prepared.fits)
    name = "by-group-" + digest_of(
        prepared.snapshot.content, workload.data.to_json(), repr((use, workload.seed)), *(f.to_json() for f in folds),
        *([prepared.some.keys] if prepared.some else []), *([fallback] if fallback else []),
    )  # fmt: skip
    if not (run / "data" / name / "partition.json").exists():
        wanted = Partitioning(
            name=name, snapshot=folder.write_snapshot(run, prepared.snapshot), data=workload.data, folds=folds, use=use,
            seed=workload.seed, only=prepared.some.keys if prepared.some else None, fallback=fallback,
        )  # fmt: skip
        order = Order(
            kind="partition", epoch=0, partitioning=wanted, threads=machine.cores, memory_bytes=machine.memory_bytes
        )
        candidate = Candidate(
            name="partition", framework=prepared.framework, strategy="many-models", engine=engine,
            machine=machine.name, form="matrix",
        )  # fmt: skip
        began = time.monotonic()
        for _ in range(RETRIES):
            attempt = attempts.start(candidate, order)
            attempts.ready(engine, machine.cores)  # who fits the groups next
            attempts.follow(attempt)
            if attempt.cause == "failed":
                raise failure_of(attempt)
            if attempt.cause in ("done", "memory", "stopped"):
                break
        if attempt.cause != "done":
            raise ended_badly(run, "cutting the rows by group", attempt)
        peak = max((int(event.data["peak"]) for event in attempt.events if event.kind == "memory"), default=0)
        files.replace(run / "data" / f"{name}.took", f"{time.monotonic() - began:.3f} {peak}\n")
    return name, Partition(run / "data" / name).sizes.tolist()
