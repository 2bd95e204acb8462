"""Many models whose rows cannot be cut within the time of a plan: a part of the rows is cut, and a few of its groups are fitted.

The part is a run of its own among the scratch of the run, of which what was measured stays. Where it has some rows only of each
group, neighbours are put together to groups as large as those that there will be: what a fit takes hangs on how many rows and
columns it has, and hardly on whose rows they are.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fitscale.errors import FitscaleError
from fitscale.planning.loop import Loop
from fitscale.planning.preparing import Prepared
from fitscale.records.data import Cutting
from fitscale.records.machine import Machine
from fitscale.records.plan import Measurement
from fitscale.running.attempts import Attempts, Listener
from fitscale.running.engines import Engines
from fitscale.running.partitioning import PLAN_CUT_S, cut_by_prior_s, partition_of, with_cut
from fitscale.running.probes import Probes
from fitscale.store import folder
from fitscale.store.journal import Journal
from fitscale.store.lock import RunLock

PART_S = PLAN_CUT_S / 2  # of cutting, as it is thought to take
PART_BYTES = 800_000_000  # of what lies there, to be read
WHOLE = 1.5  # times the rows that a group of the part has: those that there will be, if it is there as a whole


class Seen(NamedTuple):
    """What a part showed: ``sizes`` are the rows of each group of all, as it lets expect."""

    measurements: tuple[Measurement, ...]
    cut: Cutting
    sizes: list[int]
    bytes: int  # that were read for it
    seconds: float

    def with_it(self, prepared: Prepared) -> Prepared:
        """What is known of the job, with this."""
        about = prepared.profile
        about = about.but(read_bytes=about.read_bytes + self.bytes, read_s=round(about.read_s + self.seconds, 3))
        return prepared._replace(cut=self.cut, profile=about)


def look_at_part(
    run: Path, prepared: Prepared, machine: Machine, *, choose: str | None, trust: bool, told: Listener
) -> Seen | None:
    """Cut and fit a part of the rows; None where nothing of it could be told: it costs a forecast, and no run."""
    if prepared.workload.model.live is not None:
        return None  # which lies in the run
    own = run / "scratch" / "part"
    shutil.rmtree(own, ignore_errors=True)
    try:
        folder.create(own, prepared.workload.name)
        with RunLock(own) as lock, Engines(own) as engines:
            attempts = Attempts(own, lock.epoch, Journal(own, lock.epoch), engines, _of_cutting(told))
            try:
                return _seen(own, prepared, machine, attempts, choose, trust)
            finally:
                attempts.kill_all()
    except FitscaleError:
        return None
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _of_cutting(told: Listener) -> Listener:
    """Of the fits, which are few, nobody need hear: their task is none of the run's."""
    return lambda name, order, event: told(name, order, event) if order.kind == "partition" else None


def _seen(own: Path, prepared: Prepared, machine: Machine, attempts: Attempts, choose: str | None, trust: bool) -> Seen:
    share = min(1.0, PART_S / cut_by_prior_s(prepared), PART_BYTES / max(1, prepared.profile.bytes))
    there = prepared.reader.rows / prepared.profile.rows.value  # less than all of a database
    part = _part_of(prepared, share, min(1.0, share / there))
    name, rows = partition_of(own, part, attempts, machine)
    assert name is not None
    assert rows is not None
    cut = with_cut(own, part, name)
    assert cut.cut is not None
    expected = _expected(prepared, rows, share)
    is_whole = np.mean(expected) < WHOLE * np.mean(rows)
    sizes = list(rows) if is_whole else _together(own / "data" / name, expected, prepared.workload.seed)
    measurements: tuple[Measurement, ...] = ()
    if is_whole or not prepared.workload.data.is_series:  # steps of several series are no series
        shape = part.shape.but(groups=len(sizes), largest_group=max(sizes))
        probes = Probes(own, part, attempts, machine, sizes=sizes, partition=name, trust=trust)
        planned = Loop(part._replace(shape=shape), probes, machine, choose=choose, sizes=sizes, looks=True).run()
        measurements = planned.plan.measurements
    used = part.workload.data.use
    assert isinstance(used, float), "a part of the rows is a share of them"
    read = prepared.reader.sample(max(1, round(prepared.reader.rows * used)), prepared.workload.seed)
    return Seen(
        measurements,
        cut.cut.times(1 / share),
        expected,
        sum(size for _, _, size in read.units),
        cut.cut.seconds.value,
    )


def _part_of(prepared: Prepared, share: float, of_reader: float) -> Prepared:
    """The same job on a share of all rows, which is another share of those that the reader has."""
    data = prepared.workload.data
    use = (data.use if isinstance(data.use, float) else 1.0) * of_reader
    workload = prepared.workload.but(data=data.but(use=use))
    return prepared._replace(
        workload=workload, shape=prepared.shape.times(share), staging=None, stage=None, cut=None, part=share
    )


def _expected(prepared: Prepared, rows: Sequence[int], share: float) -> list[int]:
    """Rows of each group of all, from those of the part's groups, and how many there are as far as the profile could tell."""
    of_all = prepared.shape.rows + prepared.shape.holdout_rows + prepared.shape.validation_rows
    about = prepared.profile.groups
    n = max(len(rows), about.n if about is not None else 0)
    seen = np.asarray(rows, np.float64)
    if of_all / n < WHOLE * seen.mean():  # they are there as a whole, and so are the others
        found = np.resize(seen, n)
    else:  # those of which no row was drawn are small
        left = max(0.0, of_all - seen.sum() / share)
        found = np.concatenate([seen / share, np.full(n - len(rows), max(1.0, left / max(1, n - len(rows))))])
    scaled: list[int] = np.maximum(1, np.round(found * of_all / found.sum())).astype(np.int64).tolist()
    return scaled


def _together(cut: Path, expected: Sequence[int], seed: int) -> list[int]:
    """Put neighbours of a partition together to groups of about these sizes, in a seeded order; rows of each that comes of it."""
    from fitscale.data.partition import join_groups

    drawn = np.random.default_rng(seed).permutation(np.asarray(expected))
    return join_groups(cut, drawn.tolist())
