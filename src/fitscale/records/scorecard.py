"""The scorecard of eight measurements: what each candidate is worth, on curves between anchors, and how that is known."""

from __future__ import annotations

from typing import Literal

from fitscale.records.base import Origin, Record

Measure = Literal["functions", "openness", "integration", "extension", "time", "storage", "budget", "people"]
# Beside the origins of figures: counted from the workload, tried in a suite on a day, tried here and now, and judged.
Basis = Literal[Origin, "counted", "recorded", "tried", "judged"]


class Proof(Record):
    """What a plug-in's suite, or ``plan --verify``, tried, and what became of it."""

    ability: str
    family: str  # frameworks, engines, exporters, deploying, plug-ins
    plugin: str
    passed: bool
    tests: int = 1
    how: str
    on: str  # the day
    versions: str = ""  # of the libraries, then


class Library(Record):
    """A library that is really installed, and its licence by its own metadata."""

    name: str
    version: str
    licence: str  # as the metadata has it, shortened; empty where it says nothing
    is_open: bool | None  # None: not to be told from its metadata
    source: str  # which field said it


class Need(Record):
    """What people do for one of its kind, and at which wage."""

    activity: str
    hours: float  # a month, for each
    each: str  # job, database, kind of machine
    origin: Basis
    role: str
    level: str
    in_team: bool
    usd_hour: float
    source: str = ""  # of the hours
    as_of: str = ""  # of the wage
    wage_source: str = ""


class Facts(Record):
    """What scoring stands on beside the plan: looked up once, so that deciding again is a function of records."""

    libraries: dict[str, tuple[Library, ...]] = {}  # by framework
    proofs: tuple[Proof, ...] = ()  # shipped
    tried: tuple[Proof, ...] = ()  # for this plan: an export to each format that is asked for; by --verify more
    needs: tuple[Need, ...] = ()
    team_hours: float | None = None  # that it works a month; None: nobody is named
    lacking: tuple[str, ...] = ()  # skills and roles that nobody of the team states
    platform_usd_month: float | None = None  # of the team's
    machine_usd_hour: float | None = None  # the team's own price
    progress: str = "none"  # of a fit: see `records.run.Traits`
    weights: dict[Measure, float] = {}  # that decide
    weights_from: Literal["", "workload", "team"] = ""


class Anchors(Record):
    """Between which values a curve runs: a score of 1 at ``best``, of 0 at ``worst``."""

    best: float
    worst: float
    origin: Origin
    by_factor: bool = False  # by the logarithm: a factor counts the same wherever it lies


class Entry(Record):
    """One measurement of one candidate."""

    number: int
    name: Measure
    value: float | None  # None: not known
    unit: str
    shown: str  # the value in words
    score: float | None  # 0 to 1
    anchors: Anchors | None = None
    origin: Basis
    counted: bool  # in the weighted sum; what is judged never is
    as_of: str = ""
    sentence: str = ""
    source: str = ""
    parts: tuple[str, ...] = ()  # what it is made of, line by line


class Card(Record):
    """All eight of one candidate."""

    name: str
    machine: str
    workers: int = 1
    entries: tuple[Entry, ...]
    total: float | None = None  # mean score of what is counted, by the weights

    def entry(self, name: Measure) -> Entry:
        return next(entry for entry in self.entries if entry.name == name)


class Scorecard(Record):
    cards: tuple[Card, ...] = ()  # what was chosen, its alternatives, the better place
    weights: dict[Measure, float] = {}  # none: it breaks ties alone
    weights_from: Literal["", "workload", "team"] = ""
    people: str = ""  # whether people make another place the cheaper
