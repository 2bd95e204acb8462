"""What a run costs at a place, and a month of them: line by line, each with where it is from."""

from __future__ import annotations

from typing import Literal

from fitscale.records.base import Figure, Origin, Record

Part = Literal["machine", "spot", "storage", "transfer", "licences"]


class Cost(Record):
    """One line. ``usd_month`` None: not known, and nothing is made up; ``usd_run`` None: not paid by the run, or not known."""

    part: Part
    what: str
    usd_run: Figure | None = None
    usd_month: Figure | None = None
    counted: bool = True  # in the total; else it stands beside it, as another way
    time_s: Figure | None = None  # of a run: worked, waited or sent
    origin: Origin
    as_of: str = ""  # of what was looked up
    source: str = ""


class Costs(Record):
    """All lines for one candidate on one machine, and what they come to. Lines that are not known are not in the sums."""

    machine: str
    provider: str = ""
    region: str = ""
    frequency: str  # weekly; 'once a month' where nothing is said
    runs_a_month: float
    lines: tuple[Cost, ...]
    usd_run: Figure  # on demand
    usd_month: Figure
    spot_usd_month: Figure | None = None  # None: no spot machine is to be had there
    over_budget: str = ""  # the sentence, where a month is more than may be spent on hardware
    unknown: tuple[str, ...] = ()  # what the sums lack
    assumptions: tuple[str, ...] = ()
