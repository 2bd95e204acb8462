"""Machines: this one (detected, measured), connected ones, and those of the catalogue."""

from __future__ import annotations

from fitscale.records.base import Origin, Record


class Machine(Record):
    """Where an architecture would run.

    ``memory_bytes`` is what may be used: the smallest of installed, cgroup limit and what the workload allows.
    ``cpu_ns`` is the time of a fixed arithmetic loop, by which machines are compared (see `machines.speed`).
    """

    name: str
    kind: str = "local"  # local | ray | spark | catalogue
    provider: str = ""
    region: str = ""
    cores: int
    memory_bytes: int
    disk_free_bytes: int | None = None
    disk_read_bytes_per_s: float | None = None  # cold
    disk_write_bytes_per_s: float | None = None  # with fsync
    memory_bytes_per_s: float | None = None  # one thread that copies, read plus written
    network_bytes_per_s: float | None = None
    cpu: str = ""
    arch: str = ""  # amd64 | arm64
    clock_ghz: float | None = None
    cpu_ns: float | None = None
    gpus: int = 0
    gpu: str = ""
    gpu_memory_bytes: int = 0  # of one
    usd_per_hour: float | None = None
    usd_per_hour_spot: float | None = None  # stated: no table of them is shipped
    interruptions_per_hour: float | None = None  # of a spot machine, stated
    uplink_bytes_per_s: float | None = None  # from here to it, stated
    as_of: str = ""
    origin: Origin = "measured"
    notes: tuple[str, ...] = ()
