"""Machines that can be rented, from a table that is shipped with its dates, or from the user's own."""

from __future__ import annotations

from pathlib import Path

from fitscale.errors import UsageError, nearest
from fitscale.machines.table import Row, own, rows
from fitscale.records.machine import Machine

NEEDED = ("machine", "vcpus", "memory_gib", "usd_per_hour")
GIB = 2**30


def catalogue(spec: str | None = None, base: Path = Path(".")) -> tuple[Machine, ...]:
    """The machines of the catalogue, in the table's order.

    Parameters
    ----------
    spec
        None or '': all that are shipped. ``aws``, ``aws/us-east-1`` or ``aws/us-east-1/c6i.large``: those. A path
        that ends in ``.csv``: the machines of that file, which has the same columns (needed: machine, vcpus,
        memory_gib, usd_per_hour; of its own: usd_per_hour_spot, interruptions_per_hour, uplink_mbit).
    base
        The folder that a relative path starts from.

    Raises
    ------
    UsageError
        If nothing is meant by `spec`, or a row is wrong; it names the line, the column and the value.
    """
    spec = (spec or "").strip().strip("/") if not (spec or "").endswith(".csv") else spec or ""
    if spec.endswith(".csv"):
        return tuple(_machine(row, "stated") for row in rows("machines", base / spec, NEEDED))
    origin = "stated" if own("machines") else "looked up"
    found = tuple(_machine(row, origin) for row in rows("machines", None, NEEDED))
    for depth, word in enumerate(spec.split("/") if spec else []):
        known = dict.fromkeys((m.provider, m.region, m.name)[depth] for m in found) if depth < 3 else {}
        if word not in known:
            what = ("provider", "region", "machine", "part")[min(depth, 3)]
            hint = nearest(word, known) or (f"; there are: {', '.join(known)}" if 0 < len(known) <= 12 else "")
            raise UsageError(f"catalogue '{spec}': no {what} '{word}' in the shipped table{hint}")
        found = tuple(m for m in found if (m.provider, m.region, m.name)[depth] == word)
    return found


def _machine(row: Row, origin: str) -> Machine:
    vcpus = row.needed("vcpus", least=1)
    disk = row.number("local_disk_gb")
    name, provider = row.named("machine"), row.text("provider")
    return Machine.model_validate(
        {
            "name": name,
            "kind": "catalogue",
            "provider": provider,
            "region": row.text("region"),
            "cores": int(vcpus),
            "memory_bytes": int(row.needed("memory_gib", least=0.1) * GIB),
            "disk_free_bytes": int(disk * 1e9) if disk else None,  # 0: none of its own, a volume is rented
            "cpu": row.text("cpu"),
            "arch": row.text("arch"),
            "clock_ghz": row.number("clock_ghz") or None,  # 0: not known
            "network_bytes_per_s": (row.number("network_gbit") or 0) * 1e9 / 8 or None,
            "gpus": int(row.number("gpus") or 0),
            "gpu": row.text("gpu"),
            "gpu_memory_bytes": int((row.number("gpu_memory_gib") or 0) * GIB),
            "usd_per_hour": row.needed("usd_per_hour", least=1e-6),
            "usd_per_hour_spot": row.number("usd_per_hour_spot", least=1e-6),
            "interruptions_per_hour": row.number("interruptions_per_hour"),
            "uplink_bytes_per_s": _uplink(row),
            "as_of": row.text("as_of"),
            "origin": origin,
        }
    )


def _uplink(row: Row) -> float | None:
    mbit = row.number("uplink_mbit", least=1e-3)
    return None if mbit is None else mbit * 1e6 / 8
