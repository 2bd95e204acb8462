"""How much of the data is enough, where the workload leaves that open: found out once, and from then on it is as if said.

RUN/closing/KEY.json holds what was decided, under the digest of all that it hangs on. The same command again takes it, and
after a kill the version goes on that was begun with it; other data, another workload or other libraries decide anew.
"""

from __future__ import annotations

import math
from pathlib import Path

from pydantic import ValidationError

from fitscale.planning.preparing import Prepared, shape_of
from fitscale.planning.trials.curve_words import told
from fitscale.records.base import digest_of
from fitscale.records.curve import Curve
from fitscale.records.workload import Enough, Workload
from fitscale.running.command import Command
from fitscale.running.enough import enough_of
from fitscale.running.state import state_of
from fitscale.store import files, folder

PLAN_LIMIT_S = 30.0  # `plan` answers within a minute


def is_open(workload: Workload) -> bool:
    """Whether it is left open how much of the data is taken."""
    return isinstance(workload.data.use, Enough)


def settled(prepared: Prepared, command: Command) -> tuple[Prepared, str]:
    """What was prepared, with a workload that leaves nothing open; and a sentence on how that came.

    `train` takes the time that its result is worth, and looks longer where `plan` had too little; ``--probe`` gives either more.

    Raises
    ------
    UsageError
        What is wrong with the workload or the data.
    """
    run, goes_on = command.run, command.goes_on
    path = run / "closing" / f"{key_of(prepared)}.json"
    before = None if command.fresh else _kept(path) or _of_unfinished(run, prepared)
    if before is not None and not (goes_on and before.cut_short):
        return _closed(prepared, before), f"{told(before)}; decided before: --fresh decides anew"
    most_s = command.probe_s or (math.inf if goes_on else PLAN_LIMIT_S)
    curve = enough_of(prepared, command, limit_s=most_s)
    files.replace(path, curve.to_json())
    command.journal.append("closed", use=curve.use, trials=len(curve.tried), seconds=curve.seconds)
    return _closed(prepared, curve), told(curve)


def key_of(prepared: Prepared) -> str:
    """The digest of all that a decision hangs on."""
    workload = prepared.workload
    data = workload.data.but(uri="", base=".")  # where it lies is no matter: the snapshot is what it is
    return digest_of(
        prepared.snapshot.content, prepared.framework, prepared.estimator.to_json(), data.to_json(),
        workload.evaluate.but(refit=None).to_json(), str(workload.seed), repr(sorted(prepared.traits.versions.items())),
    )  # fmt: skip


def _kept(path: Path) -> Curve | None:
    try:
        return Curve.from_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _of_unfinished(run: Path, prepared: Prepared) -> Curve | None:
    """What an unfinished version was begun with, where its data is no longer there: whether it can go on is not ours to say."""
    begun = state_of(run).unfinished
    if begun is None or begun.basis.data == prepared.snapshot.content:
        return None
    return folder.read_plan(run, begun.plan).curve


def _closed(prepared: Prepared, curve: Curve) -> Prepared:
    data = prepared.workload.data
    workload = prepared.workload.but(data=data.but(use=curve.use if curve.use < 1 else "all"))
    shape = shape_of(workload, prepared.snapshot, prepared.profile, prepared.traits)
    return prepared._replace(
        workload=workload, shape=shape.but(piece_bytes=prepared.shape.piece_bytes), curve=curve
    )  # fmt: skip
