"""Trials: models that are fitted to be compared, on rows that the result is not judged by, and kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fitscale.records.base import Record

BLOCKS = 16  # parts of the rows that trials are judged on: by them two trials are held against each other


def in_place(params: Mapping[str, Any], instead: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The parameters with others in place of those that have the same name; ``names``: from other names to the main one."""
    taken = {names.get(name, name) for name in instead}
    return {**{name: value for name, value in params.items() if names.get(name, name) not in taken}, **instead}


class Trial(Record):
    """One model to be tried.

    ``params`` stand in place of the task's; ``rows`` is how many training rows are drawn by ``seed``, None is all.
    """

    params: dict[str, Any] = {}
    rows: int | None = None
    seed: int = 0


class Tried(Record):
    """What a trial showed. ``score`` is by the workload's metric, of which more is better; None where it has none, and why.

    ``blocks`` is the score on each of `BLOCKS` parts of the judged rows, drawn by their numbers: the same parts for all trials
    of one workload, so that the differences of two trials tell how far chance could have made the one better.
    """

    trial: Trial
    metric: str = ""
    score: float | None = None
    blocks: tuple[float | None, ...] = ()
    why: str = ""
    rows: int = 0  # that trained
    judged: int = 0  # that it was judged on
    units: int = 0
    seconds: float = 0.0  # wall, reading and judging included
    cpu_s: float = 0.0
