"""The tasks of a version: one for each fit that the workload asks for, with the boundaries of its chunks."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from fitscale.planning.preparing import Fit, Prepared, recipe_of
from fitscale.records.machine import Machine
from fitscale.records.plan import Candidate
from fitscale.records.run import (
    BATCH_ROWS,
    CHUNK_S,
    LARGE_CHUNK,
    LEAST_CHUNK_S,
    LEAST_CHUNKS,
    Chunk,
    Order,
    Recipe,
    Task,
    batched_rows,
)
from fitscale.registry import plugin
from fitscale.store import chunks, folder

PROBES, PROBE_GROUPS, PROBED = 8, 16, 0.005  # chunks to probe, groups in each at most, and their share of all
TRIES = 2_000  # groups that are looked at, each smaller than the last, where a place to probe is too large or taken
# Of chunks in turn, in the usual size: the small ones come last, so that workers end together.
SIZES = (LARGE_CHUNK, LARGE_CHUNK, 0.6)


def write_tasks(
    run: Path, prepared: Prepared, candidate: Candidate, sizes: Sequence[int] | None, partition: str | None
) -> dict[str, str]:
    """Write down the tasks whose recipes are known; name → recipe digest. A final fit may wait for the judged one."""
    folder.write_snapshot(run, prepared.snapshot)
    found: dict[str, str] = {}
    for fit in prepared.fits:
        params = _final_params(run, prepared, fit, found)
        if params is None:
            break
        task = _task(run, prepared, candidate, fit, params, sizes, partition)
        found[fit.name] = folder.write_task(run, task)
    return found


def _final_params(run: Path, prepared: Prepared, fit: Fit, before: dict[str, str]) -> dict[str, object] | None:
    """What the final fit takes over from those before it: the number of units that early stopping found; None: not yet."""
    traits = prepared.traits
    if fit.name != "final" or not prepared.workload.evaluate.early_stopping or prepared.workload.data.groups:
        return {}
    units = []
    for digest in before.values():
        if 0 not in chunks.committed(run, digest):
            return None
        units.append(chunks.read(run, digest, 0).units or traits.units)
    return {traits.units_param: sorted(units)[len(units) // 2]} if traits.units_param else {}


def _task(
    run: Path,
    prepared: Prepared,
    candidate: Candidate,
    fit: Fit,
    params: dict[str, object],
    sizes: Sequence[int] | None,
    partition: str | None,
) -> Task:
    recipe = recipe_of(prepared, fit, threads=candidate.threads, ranks=candidate.ranks, params=params)
    if candidate.result != "same":
        recipe = recipe.but(form=candidate.form, batch_rows=_batch_rows(prepared, candidate))
    return Task(
        recipe=recipe,
        name=fit.name,
        data=prepared.workload.data,
        folder=prepared.workload.folder,
        traits=prepared.traits,
        metric=prepared.workload.evaluate.metric,
        snapshot=prepared.snapshot.content,
        partition=partition,
        chunks=folder.chunks_of(run, recipe.digest) or _bounds(prepared, candidate, fit, recipe, sizes),
    )


def _bounds(
    prepared: Prepared, candidate: Candidate, fit: Fit, recipe: Recipe, sizes: Sequence[int] | None
) -> tuple[Chunk, ...]:
    if sizes is None:
        return (Chunk(start=0, stop=1, rows=prepared.snapshot.rows),)
    framework = plugin("frameworks", prepared.framework)()
    most = batched_rows(prepared.shape.features)

    def seconds(rows: int) -> float:
        train = max(1, round(rows * fit.share))
        group = prepared.shape.but(
            rows=train, holdout_rows=rows - train, validation_rows=0, groups=1, threads=1, piece_bytes=0
        )
        law = framework.law(group, recipe, candidate.form)
        fitted = sum(t.amount * t.prior for phase, terms in law.time.items() if phase != "start" for t in terms)
        # Of models that take microseconds the rows are most of the work, and all of a chunk's are held at once.
        return float(fitted + (rows * CHUNK_S / most if candidate.strategy == "batched-models" else 0.0))

    probed = min(0.5, PROBED / prepared.part) if candidate.strategy == "many-models" else 0.0
    return bounds_of(sizes, seconds, probed=probed)


def _batch_rows(prepared: Prepared, candidate: Candidate) -> int:
    """Shards are dealt by batches: small enough that each rank has at least eight."""
    return (
        max(256, min(BATCH_ROWS, prepared.shape.rows // (8 * candidate.ranks))) if candidate.ranks > 1 else BATCH_ROWS
    )


def forget(run: Path, prepared: Prepared) -> None:
    """Delete what was done so far for the workload's recipes, under any arrangement, so that they are trained anew."""
    found = prepared.traits.units_param  # by early stopping, for a final fit: how many is no part of what was asked for
    wanted = {_bare(recipe_of(prepared, fit, threads=1), fit.name, found) for fit in prepared.fits}
    for path in (run / "tasks").glob("*/task.json"):
        task = folder.read_task(run, path.parent.name)
        is_other = task.recipe.digest != path.parent.name  # not what its name says
        if is_other or _bare(task.recipe, task.name, found) in wanted:
            shutil.rmtree(path.parent)


def _bare(recipe: Recipe, fit: str, found: str) -> str:
    params = {name: value for name, value in recipe.estimator.params.items() if fit != "final" or name != found}
    estimator = recipe.estimator.but(params=params)
    return recipe.but(estimator=estimator, threads=1, ranks=1, form=None, batch_rows=None).digest


def bounds_of(sizes: Sequence[int], seconds: Callable[[int], float], *, probed: float = 0.0) -> tuple[Chunk, ...]:
    """Cut the groups, in key order, into chunks of about two seconds by prior cost, every third of them half as long as others.

    A function of sizes and priors alone. ``probed``: the share of all that a few small ones among them may have, see `_probes`.
    """
    known: dict[int, float] = {}
    costs = [known.setdefault(n, seconds(max(1, n))) if n not in known else known[n] for n in sizes]
    usual = min(CHUNK_S, max(LEAST_CHUNK_S, sum(costs) / LEAST_CHUNKS))
    edges = dict(_probes(costs, probed))
    ends = set(edges.values())
    found: list[Chunk] = []
    start, rows, cost = 0, 0, 0.0
    for i, (n, each) in enumerate(zip(sizes, costs, strict=True)):
        in_probe = start in edges
        is_full = cost + each > usual * SIZES[len(found) % len(SIZES)] and not in_probe
        if i > start and (is_full or i in edges or i in ends):
            found.append(Chunk(start=start, stop=i, rows=rows, probe=in_probe))
            start, rows, cost = i, 0, 0.0
        rows += n
        cost += each
    found.append(Chunk(start=start, stop=len(sizes), rows=rows, probe=start in edges))
    return tuple(found)


def _probes(costs: Sequence[float], share: float) -> Iterator[tuple[int, int]]:
    """(first, end) of eight short runs of groups; together such a share of all groups at most, and of the cost each.

    Around one group in each eighth of the cost, from the smallest group to the largest: small groups tell what stands around a
    fit, and large ones, which are few, how it grows.
    """
    each = min(PROBE_GROUPS, int(len(costs) * share / PROBES))
    if each < 2:  # the first of a process is dearer, and tells nothing
        return
    by_cost = np.argsort(costs, kind="stable")
    until = np.cumsum(np.asarray(costs)[by_cost])
    before = np.concatenate([[0.0], np.cumsum(costs)])
    taken = np.zeros(len(costs), bool)
    for k in range(PROBES):
        place = int(np.searchsorted(until, until[-1] * (k + 0.5) / PROBES))
        for at in range(place, max(-1, place - TRIES), -1):
            start = min(max(0, int(by_cost[at]) - each // 2), len(costs) - each)
            if before[start + each] - before[start] <= until[-1] * share and not taken[start : start + each].any():
                taken[start : start + each] = True
                yield start, start + each
                break


def order_for(run: Path, digest: str, candidate: Candidate, machine: Machine, seed: int, *, trust: bool) -> Order:
    """What the workers are told to do what is left of a task."""
    task = folder.read_task(run, digest)
    left = set(range(len(task.chunks))) - chunks.committed(run, digest)
    many = bool(task.recipe.groups)
    parts = candidate.workers if candidate.strategy == "parts-and-merge" else 0
    return Order(
        kind="groups" if many else "fit",
        task=digest,
        epoch=0,
        form=candidate.form,
        chunks=_first_to_last(task, left, seed),
        threads=1 if parts else candidate.threads,  # of the process that forks: it may have started none
        parts=parts,
        workers=1 if parts else min(candidate.workers, max(1, len(left))),
        ranks=candidate.ranks,
        isolate=candidate.engine != "inline",
        address="127.0.0.1" if candidate.ranks > 1 else "",
        port=_free_port() if candidate.ranks > 1 else 0,
        memory_bytes=machine.memory_bytes // candidate.limits,
        trust=trust,
    )


def _first_to_last(task: Task, left: set[int], seed: int) -> tuple[int, ...]:
    """The probe, or a few drawn by seed; then those cut large, the largest first, and at last those cut small."""
    import random

    drawn = [k for k in sorted(left) if task.chunks[k].probe] or random.Random(seed).sample(
        sorted(left), min(4, len(left))
    )
    rest = sorted(left - set(drawn), key=lambda k: (-SIZES[k % len(SIZES)], -task.chunks[k].rows, k))
    return (*drawn, *rest)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
