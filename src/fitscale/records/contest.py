"""A contest: the estimators of ``any_of``, each with what it would take and how well it does, and which of them was chosen."""

from __future__ import annotations

from typing import Literal

from fitscale.records.base import Figure, Record
from fitscale.records.trials import Tried
from fitscale.records.workload import ModelSpec

Verdict = Literal["chosen", "as good", "worse", "ruled out"]


class Entrant(Record):
    """One of them. Forecasts are of training it as the workload asks, by the best way here; None: it was ruled out before."""

    model: ModelSpec
    time_s: Figure | None = None
    memory_bytes: Figure | None = None
    measured: bool = False  # whether a probe stands behind the forecast
    tried: tuple[Tried, ...] = ()  # at rising rows
    at: int | None = None  # which of them it is compared by
    behind: Figure | None = None  # how far its score lies behind the best one's on the same rows, 90 %
    verdict: Verdict = "ruled out"
    why: str = ""  # of what is ruled out

    @property
    def judged(self) -> Tried | None:
        """The trial that it is compared by."""
        return None if self.at is None else self.tried[self.at]


class Contest(Record):
    """What was compared, by what, and which was chosen. Kept in the run: the same command takes it as it is."""

    format: int = 1
    entrants: tuple[Entrant, ...]
    chosen: int
    metric: str = ""
    share: float = 1.0  # of the rows that a trial may train on: those that the ones compared by did
    reason: str
    seconds: float = 0.0  # that it took
    cut_short: bool = False  # `plan`, which answers within a minute, had less time for it than `train` takes
    kept: bool = False  # by an earlier command
