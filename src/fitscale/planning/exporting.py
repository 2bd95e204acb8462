"""The gate of ``needs.export``: what a format cannot hold is known before anything is trained for it, by trying."""

from __future__ import annotations

from fitscale.models.exporting import exporter_of
from fitscale.planning.preparing import Prepared, recipe_of
from fitscale.records.run import Task
from fitscale.work.exportable import try_exports


def unexportable(prepared: Prepared) -> str | None:
    """Why no candidate will do: the format that cannot hold its model, with the converter's sentence."""
    for name, why in _reasons(prepared).items():
        return f"cannot be exported to {name}: {why}; leave {name} out of 'needs.export', or take another estimator"
    return None


def _reasons(prepared: Prepared) -> dict[str, str]:
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
