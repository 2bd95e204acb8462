"""Export a version into its run: whole or not at all, so that it can be done again after any end."""

from __future__ import annotations

from pathlib import Path

from fitscale.contracts import Exporter
from fitscale.errors import FitscaleError
from fitscale.records.run import Order
from fitscale.registry import plugin
from fitscale.store import versions
from fitscale.work.events import EventLog


def export(run: Path, order: Order, log: EventLog) -> None:
    """Write exports/VERSION/FORMAT of the order, and say how it compares."""
    if order.version is None or order.exporter is None:
        raise FitscaleError("an order to export names no version or no format")
    to = versions.export_folder(run, order.version, order.exporter)
    exporter: Exporter = plugin("exporters", order.exporter)()
    to.parent.mkdir(parents=True, exist_ok=True)
    made = exporter.export(run, order.version, to, trust=order.trust)
    log.write("exported", to=order.exporter, compared=made.compared.model_dump() if made.compared else None)
