"""``fitscale plan --verify``: what the scorecard has on record is tried again, here and now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from fitscale.cli.saying import Out
    from fitscale.records.data import Snapshot
    from fitscale.records.plan import Plan
    from fitscale.records.scorecard import Proof


def verify(out: Out, run: Path, plan: Plan, *, trust: bool) -> Plan:
    """The plan with what was tried, kept in the run; each trial is told as it ends."""
    from fitscale.running.verifying import kept
    from fitscale.store import folder

    snapshot = folder.read_snapshot(run, plan.snapshot)
    tried = []
    for proof in _tried(plan, snapshot, trust):
        tried.append(proof)
        out.say(f"{'works' if proof.passed else 'FAILS'}  {proof.plugin}, {proof.ability}: {proof.how}")
    if not tried:
        out.say("nothing could be tried: nothing was chosen, or a part of this job would be another one")
    made = kept(run, plan, tried)
    out.say("")
    return made


def _tried(plan: Plan, snapshot: Snapshot, trust: bool) -> Iterator[Proof]:
    from fitscale.deploying.checking import context_problem
    from fitscale.deploying.target import is_deployable
    from fitscale.records.scorecard import Proof
    from fitscale.running.verifying import verified

    yield from verified(plan, snapshot, trust=trust)
    if is_deployable(plan):
        why = context_problem(plan, snapshot)
        how = f"tried here: {why or 'its folder was written; all that its files name is there'}"
        yield Proof(family="deploying", plugin="container", ability="context", passed=why is None, how=how,
                    on=date.today().isoformat())  # fmt: skip
