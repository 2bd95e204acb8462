"""What a run's disk costs: the machine's own SSD, a block volume while it is rented, and what is kept between runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fitscale.machines.prices import Storage
from fitscale.planning import wording
from fitscale.planning.portfolio.schedule import MONTH_S
from fitscale.records.base import Figure
from fitscale.records.costs import Cost
from fitscale.records.machine import Machine

SYSTEM_GB = 60  # assumed: SkyPilot's images take 30 to 50, and the libraries up to 5
GIB = 2**30
NOTICED_S = 0.1


class Held(NamedTuple):
    """Bytes on the disk of a run, and how long its reading is thought to take."""

    data: float  # files that are there for it; 0 of what is read from elsewhere
    kept: float  # what the run writes and keeps
    read_s: float  # of the forecast's time

    @property
    def work(self) -> float:
        return self.data + self.kept


class Disk(NamedTuple):
    """The disk that the run works on."""

    row: Storage | None  # the kind of block volume; None: the table has none for this place
    is_own: bool  # the machine's own SSD holds data and run
    bytes: float  # of the volume: the system, and what the machine's own does not hold

    def slower_s(self, held: Held) -> float:
        """Seconds that reading the data once from it takes longer than was forecast; 0 where its speed is not known."""
        rate = self.row.read_bytes_per_s(self.bytes) if self.row is not None and not self.is_own else None
        return max(0.0, held.data / rate - held.read_s) if rate else 0.0


def disk_of(machine: Machine, held: Held, table: Sequence[Storage]) -> Disk:
    """The machine's own where it is large enough; the cheapest block volume whose speed is known."""
    own = machine.disk_free_bytes is not None and machine.disk_free_bytes >= held.work
    return Disk(_cheapest(machine, "block", table), own, SYSTEM_GB * 1e9 + (0.0 if own else held.work))


def stored(
    machine: Machine, held: Held, disk: Disk, up_s: Figure, runs: float, table: Sequence[Storage]
) -> Iterator[Cost]:
    """The lines of what is paid for storage.

    Parameters
    ----------
    up_s
        Seconds that the machine is rented for a run: so long its volume is paid.
    """
    if disk.is_own:
        what = (
            f"the machine's own SSD, {wording.size(held.work)} of {wording.size(float(machine.disk_free_bytes or 0))}"
        )
        yield Cost(part="storage", what=what, usd_run=_nothing(), usd_month=_nothing(), origin=machine.origin,
                   as_of=machine.as_of, source="in the price of the machine; gone with it")  # fmt: skip
    if not machine.provider:
        if not disk.is_own:
            why = "the table of machines does not say what disk it has (local_disk_gb)"
            yield Cost(part="storage", what=f"disk, {wording.size(held.work)}", origin=machine.origin, source=why)
        return
    if disk.row is None:
        why = f"no block storage of {machine.provider}/{machine.region} in the table"
        yield Cost(part="storage", what=f"disk, {wording.size(disk.bytes)}", origin="looked up", source=why)
        return
    a_month = disk.bytes / GIB * disk.row.usd_per_gib_month
    run = Figure(**{end: getattr(up_s, end) / MONTH_S * a_month for end in ("value", "low", "high")}, origin="modelled")
    what = (
        f"{disk.row.service} (block), {wording.size(disk.bytes)} while it is rented{_speed(disk.row, disk.bytes, held)}"
    )
    yield _line(what, disk.row).but(usd_run=run, usd_month=_times(run, runs))
    yield from _kept_on(machine, held, disk.row, table)


def _kept_on(machine: Machine, held: Held, block: Storage, table: Sequence[Storage]) -> Iterator[Cost]:
    """The other ways: what is there stays between the runs, and is not sent again."""
    instead = ", in place of sending the data" if held.data else ""
    for row in (block, _cheapest(machine, "object", table)):
        if row is not None:
            what = f"or {row.service} ({row.kind}), {wording.size(held.work)} kept all month{instead}"
            usd = Figure.exact(held.work / GIB * row.usd_per_gib_month, "forecast")
            yield _line(what + _speed(row, held.work, held), row).but(usd_month=usd, counted=False)


def _cheapest(machine: Machine, kind: str, table: Sequence[Storage]) -> Storage | None:
    """Of those of its region that ask nothing for being read, and rather of those whose speed is known."""
    place = (machine.provider, machine.region)
    there = [
        row for row in table if (row.provider, row.region) == place and row.kind == kind and "retrieval" not in row.note
    ]
    return min(there, key=lambda row: (row.read_bytes_per_s(GIB) is None, row.usd_per_gib_month), default=None)


def _speed(row: Storage, volume: float, held: Held) -> str:
    """How long reading the data once from it takes, of the time that the run is thought to read."""
    rate = row.read_bytes_per_s(volume)
    if not held.data:
        return ""
    if rate is None:
        return "; how fast it reads is not known"
    seconds = held.data / rate
    return f"; read once in {wording.duration(seconds)}" if seconds >= NOTICED_S else ""


def _line(what: str, row: Storage) -> Cost:
    told = f"{row.usd_per_gib_month:g} USD a GiB and month: {row.source}"
    return Cost(part="storage", what=what, origin="looked up", as_of=row.as_of, source=told)


def _times(figure: Figure, by: float) -> Figure:
    return figure.but(value=figure.value * by, low=figure.low * by, high=figure.high * by)


def _nothing() -> Figure:
    return Figure.exact(0.0, "looked up")
