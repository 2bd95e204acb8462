"""Tuning: what a worker that searches is told, what it writes down of each trial, and what was found."""

from __future__ import annotations

from typing import Any, Literal

from fitscale.records.base import Figure, Record
from fitscale.records.workload import ModelSpec, Range

State = Literal["begun", "going", "done", "stopped", "failed", "cut"]


class Tuning(Record):
    """The search of one estimator's parameters, as its worker is told.

    ``rungs`` are the rows that a trial is fitted on in turn, in rising order; None is all. A trial whose score is not among the
    best third of those seen at a rung ends there.
    """

    name: str  # of its folder in search/
    title: str = ""  # what a person calls it: the estimator's class
    space: dict[str, Range]
    own: dict[str, Any] = {}  # of the user's own params, as far as the space has them: where the search begins
    rungs: tuple[int | None, ...] = (None,)
    seconds: float  # that are left of the budget
    before_s: float = 0.0  # that were spent by earlier commands
    trials: int | None = None
    seed: int = 0
    greater: bool = True  # of the metric


class Step(Record):
    """One line of what was tried: a trial began, was judged at a rung, or ended.

    ``state``: begun; going (judged at a rung, and goes on); done (judged on all rows); stopped (poor at a rung); failed (no
    score, and why); cut (the time was over, or the command ended: it may be taken up again).
    """

    trial: int  # 0: the user's own params
    state: State
    params: dict[str, Any] = {}
    rung: int = 0
    score: float | None = None  # by the half of the rows that guides the search
    blocks: tuple[float | None, ...] = ()
    metric: str = ""
    rows: int = 0
    judged: int = 0
    seconds: float = 0.0  # of this rung
    spent_s: float = 0.0  # of the budget, by then
    why: str = ""


class Tuned(Record):
    """What a search found for one estimator. ``params`` are the user's own where nothing better was found."""

    format: int = 1
    model: ModelSpec  # as it is trained
    own: ModelSpec
    space: dict[str, Range]
    published: bool = False  # whether the space is the estimator's published one
    budget_s: float
    most: int | None = None  # trials, as they were limited
    spent_s: float
    trials: int = 0
    done: int = 0  # of them: judged on all rows
    stopped: int = 0  # as poor, on a part of them
    failed: int = 0
    metric: str = ""
    own_score: float | None = None  # on rows that guided nothing
    score: float | None = None
    better_by: Figure | None = None  # of what was found than the own params, on the same rows; 90 %
    better: bool = False
    blocks: tuple[float | None, ...] = ()  # of what is taken, those that guided nothing
    fit_s: float = 0.0  # of it, on all rows
    reason: str = ""
    kept: bool = False  # by an earlier command


class Searched(Record):
    """The searches of a workload: of one estimator, or of each of ``any_of``."""

    format: int = 1
    found: tuple[Tuned, ...]
    chosen: int = 0
    reason: str = ""

    @property
    def spent_s(self) -> float:
        return sum(one.spent_s for one in self.found)

    @property
    def budget_s(self) -> float:
        return sum(one.budget_s for one in self.found)
