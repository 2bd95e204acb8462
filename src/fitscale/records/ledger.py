"""The ledger: what was forecast of each finished run of this user on this machine, and what came; and what follows from it.

No name of a column, a file or a workload is in it, and no row of data: it can be shown to anybody.
"""

from __future__ import annotations

from typing import Literal

from fitscale.records.base import Record

LEDGER_FORMAT: Literal[1] = 1

# What a forecast rests on: nothing measured, parts of the rows, the beginning of another form of the same model at full size,
# its own beginning at full size, or a few groups of many.
Kind = Literal["priors", "parts", "kin", "beginning", "groups"]
Quantity = Literal["time", "cpu", "memory", "storage"]
Range = tuple[float, float, float]  # low, value, high: seconds or bytes, with their 90 % interval


class Said(Record):
    """What a command forecast of a run: `plan`, and `train` once it had begun."""

    by: Literal["plan", "train"]
    kind: Kind
    figures: dict[Quantity, Range]  # as they were shown
    raw: dict[Quantity, Range] = {}  # as the measurements alone said it, of what was calibrated: else as shown

    def raw_of(self, quantity: Quantity) -> Range | None:
        return self.raw.get(quantity) or self.figures.get(quantity)


class Entry(Record):
    """One line of the ledger: one version that was trained to its end."""

    format: Literal[1] = LEDGER_FORMAT
    at: float  # seconds since 1970
    machine: str  # its fingerprint: see `machines.here`
    framework: str
    strategy: str
    form: str
    rows: int
    features: int
    groups: int = 1
    cells: float
    said: tuple[Said, ...]
    actual: dict[Quantity, float]  # what cannot be told is left out: of time where an attempt was cut off
    contention: float = 0.0  # the share of the machine that others used meanwhile
    commands: int = 1  # that worked on it; of several, what was begun twice is not counted twice
    interrupted: int = 0  # attempts that were killed, cut off or ended by the memory limit

    @property
    def scopes(self) -> tuple[str, str, str]:
        """What it stands for, the narrowest first: its path, its framework, everything."""
        return scopes_of((self.framework, self.strategy, self.form))


class Track(Record):
    """How forecasts of one kind did here."""

    kind: Kind
    quantity: Quantity
    runs: int
    error: float  # median of |actual / forecast - 1|
    within: int  # of the runs: those whose actual value lay within the interval


class Adjusted(Record):
    """What past runs change in forecasts of one kind: of one quantity, for one scope.

    The value is multiplied by ``exp(shift)``; half-widths of the interval, as logarithms, by ``scale``.
    """

    kind: Kind
    quantity: Quantity
    scope: str  # '' everything, 'xgboost', 'xgboost in-memory matrix'
    runs: int
    shift: float
    scale: float
    bound: float | None = None  # of memory, from enough runs: the upper half-widths that 99 % stay within


class Calibration(Record):
    """What the ledger says, as planning takes it: kept in the plan, so that it is decided again by the same."""

    runs: int = 0  # of this machine
    elsewhere: int = 0  # of others, which count for nothing
    skipped: int = 0  # lines that cannot be read, or that cannot be
    adjusted: tuple[Adjusted, ...] = ()
    tracks: tuple[Track, ...] = ()


def scopes_of(path: tuple[str, str, str]) -> tuple[str, str, str]:
    return (" ".join(path), path[0], "")
