"""The gate of ``needs.export``: what a format cannot hold is known before anything is trained for it, by trying."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from fitscale.models.exporting import exporter_of
from fitscale.planning.preparing import Prepared, recipe_of
from fitscale.records.run import Task
from fitscale.records.scorecard import Proof
from fitscale.work.exportable import try_exports

HOW = "tried here: a model of a few rows of yours was converted, and predicts what the original does"


class Tried(NamedTuple):
    """What became of the formats that the workload asks for."""

    why_not: (
        str | None
    )  # why no candidate will do: the format that cannot hold its model, with the converter's sentence
    proofs: tuple[Proof, ...] = ()


def exports_tried(prepared: Prepared) -> Tried:
    """Each format, with a small model of the workload's own; one that copies bytes has nothing that could fail."""
    answers = _answers(prepared)
    for name, why in answers.items():
        if why:
            return Tried(
                f"cannot be exported to {name}: {why}; leave {name} out of 'needs.export', or take another estimator"
            )
    on = date.today().isoformat()
    versions = ", ".join(f"{name} {version}" for name, version in sorted(prepared.traits.versions.items()))
    return Tried(None, tuple(
        Proof(family="exporters", plugin=name, ability="export", passed=True, how=HOW, on=on, versions=versions)
        for name in answers
    ))  # fmt: skip


def _answers(prepared: Prepared) -> dict[str, str]:
    """Format → why not, empty where it worked; of those that were tried."""
    workload = prepared.workload
    if not workload.needs.export:
        return {}
    recipe = recipe_of(prepared, prepared.fits[0], threads=1)
    tried = []
    for name in workload.needs.export:
        exporter = exporter_of(name)
        if why := exporter.reason_not(recipe):
            return {name: why}
        if exporter.needs:  # one that needs no library copies bytes: nothing that it could lack
            tried.append(name)
    if not tried:
        return {}
    task = Task(
        recipe=recipe,
        name="fit",
        data=workload.data,
        folder=workload.folder,
        traits=prepared.traits,
        snapshot=prepared.snapshot.content,
    )
    return try_exports(task, prepared.snapshot, tried)
