"""A plan: laws, measurements, candidates with their forecasts, and the decision with its reasons."""

from __future__ import annotations

from typing import Literal

from fitscale.records.base import Figure, Origin, Record
from fitscale.records.contest import Contest
from fitscale.records.costs import Costs
from fitscale.records.curve import Curve, Fewer
from fitscale.records.data import Cutting, Profile, Shape, Stage, Staging
from fitscale.records.ledger import Calibration, Kind, Quantity
from fitscale.records.machine import Machine
from fitscale.records.run import GROUPED, Form, Strategy, Traits
from fitscale.records.scorecard import Facts, Scorecard
from fitscale.records.tuning import Searched
from fitscale.records.workload import Team, Workload

Sameness = Literal["same", "equivalent", "other"]


class Term(Record):
    """``amount`` of work at this shape, ``prior`` seconds (or bytes) for each, ``floor``: the least that physics allows."""

    name: str
    amount: float
    prior: float
    floor: float = 0.0


class Law(Record):
    """How the cost of one path grows. Evaluated by the framework at a shape; the forecaster scales measurements by it.

    ``time`` has CPU seconds of one thread, by phase; ``parallel`` the share of a phase that several threads divide.
    A framework gives bin, iterations (all units together), score and save; reading and encoding are added by planning,
    ``passes`` times over. ``error`` are relative half-widths (90 %) of a forecast from this law: by prior alone, from
    samples of the rows, and from iterations at full size.
    """

    units: int = 1
    keeps: bool = True  # of units that were done, a fit that is ended can go on
    later: float = 1.0  # what a unit usually takes in the long run, against those that a fit begins with
    settling: float = 40.0  # units in which it falls to that, by 1 / e: see `planning.forecasts.course`
    passes: float = 1.0  # how often the training rows are read and encoded in this form
    time: dict[str, tuple[Term, ...]]
    memory: tuple[Term, ...]
    late: tuple[Term, ...] = ()  # of the memory: what grows with the units, and is not there at their beginning
    end: tuple[Term, ...] = ()  # memory when all units are done and the rows are gone; the larger of both is the peak
    storage: tuple[Term, ...] = ()
    plain: tuple[Term, ...] = ()  # memory of the script that a good engineer writes with the library, for comparison
    parallel: dict[str, float] = {}
    error: tuple[float, float, float] = (2.0, 0.5, 0.15)
    memory_error: tuple[float, float, float] = (0.6, 0.2, 0.05)


class Candidate(Record):
    """An architecture that could do the job."""

    name: str  # what --choose takes
    framework: str
    strategy: Strategy
    engine: str
    machine: str
    workers: int = 1
    ranks: int = 1
    threads: int = 1  # of each process; those that grow parts of one model share them out
    form: Form
    result: Sameness = "same"  # against the in-memory one

    @property
    def path(self) -> tuple[str, str, str]:
        """What is probed: never machines or worker counts."""
        return (self.framework, self.strategy, self.form)

    @property
    def is_grouped(self) -> bool:
        """Whether it fits a model for each group."""
        return self.strategy in GROUPED

    @property
    def limits(self) -> int:
        """How many processes have a memory limit of their own: those that grow parts of one model share one."""
        return 1 if self.strategy == "parts-and-merge" else max(1, self.workers, self.ranks)


class Phase(Record):
    wall_s: float
    cpu_s: float


class Measurement(Record):
    """What one attempt showed of a path."""

    path: tuple[str, str, str]
    shape: Shape
    full_size: bool
    phases: dict[str, Phase]
    units: int  # of which time was taken
    unit_s: float = 0.0  # wall seconds of a unit, the first ones left out
    unit_cpu_s: float = 0.0
    peak_bytes: int = 0  # anonymous
    # Of a beginning: a middle unit, of how many, and wall and CPU seconds of each of them.
    steps: tuple[tuple[float, float, float, float], ...] = ()
    done: int = 0  # units that there were by then, of a model that is so large:
    model_bytes: int = 0
    storage_bytes: int = 0
    contention: float = 0.0  # share of the machine that others used
    attempt: str = ""
    timed: tuple[tuple[int, float], ...] = ()  # of groups that were fitted one by one: rows, and CPU seconds of the fit
    pace: tuple[float, float] = (
        1.0,
        0.0,
    )  # of them: times what the law says, and seconds beside: see `planning.forecasts.pacing`
    around_s: float = 0.0  # CPU seconds of a chunk of them beside its fits and its rows
    each_s: float = 0.0  # CPU seconds to take the result of one
    row_s: float = 0.0  # CPU seconds to decode a row


class Forecast(Record):
    """At full size, from start to committed, scored and exported."""

    time_s: Figure
    memory_bytes: Figure
    storage_bytes: Figure
    cpu_s: Figure | None = None  # of the fits, over all processes; of another machine nobody knows
    cost_usd: Figure | None = None
    phases: dict[str, float] = {}
    source: str = ""  # 'from 3 probes up to 2 % of the rows', 'from priors'
    done_s: float = 0.0  # of the time, by an attempt that was begun and would go on
    time_p50_s: float | None = None
    floor_s: float = 0.0  # that physics allows: arithmetic at its fastest, bytes over bandwidth; 0: not known
    memory_p99_bytes: float | None = None
    rows: int = 0  # training rows that it is for
    probed: float = 0.0  # the largest share of the rows that was fitted to find it out
    memory_fixed_bytes: float = 0.0  # what of the memory stays however few the rows
    storage_there_bytes: int = 0  # what of the storage is taken already: rows that were staged
    kind: Kind | None = None  # what it rests on; of another machine there is none
    raw: dict[Quantity, Figure] = {}  # what past runs moved, as it was before: see `planning.forecasts.calibrating`
    calibrated: int = 0  # on so many runs, its time


class Refusal(Record):
    candidate: Candidate
    sentence: str
    gate: Literal[
        "memory", "storage", "deadline", "budget", "functions", "export", "ability", "engine", "floor", "other"
    ]
    forecast: Forecast | None = None


class Assessed(Record):
    candidate: Candidate
    forecast: Forecast
    costs: Costs | None = None  # of what would be better: a run and a month there


class Step(Record):
    """One node of the drawn path: the question, the user's value, the threshold, the branch taken."""

    question: str
    value: str
    threshold: str
    taken: bool
    leads_to: str
    node: int = -1  # of the decision tree


class Chance(Record):
    """How sure one of those that pass is to be the best."""

    name: str
    workers: int = 1  # where several have the name
    best: float  # the share of draws of the forecasts in which the planner would choose it
    first: float  # the share of weightings under which its values add up to most
    on_front: bool  # none is as good in all that is weighed, and better in some of it
    longer: float = 0.0  # what it takes more than what is chosen, on average, of that which decides: 0.02 is 2 %


class Axis(Record):
    """One of what is weighed against each other, with what is worth all of its weight, and what nothing of it."""

    name: Literal["time", "memory", "cost"]
    best: float  # seconds, bytes or dollars a run
    worst: float
    origin: Origin


class Sureness(Record):
    """How sure a decision is: by what its forecasts may be off, and apart from it by what may be held dear."""

    objective: Literal["time", "cost", "weights"] = "time"
    draws: int = 0  # of the forecasts, and as many weightings; 0: not asked, since nothing passes
    chances: tuple[Chance, ...] = ()  # what was chosen, then its alternatives
    axes: tuple[Axis, ...] = ()
    close: str = ""  # which two are too close, and what may settle it


class Decision(Record):
    """Two verdicts: what to run here, and what of the catalogue would be better."""

    chosen: Assessed | None
    reasons: tuple[str, ...]
    better: Assessed | None = None
    alternatives: tuple[Assessed, ...] = ()
    refused: tuple[Refusal, ...] = ()
    path: tuple[Step, ...] = ()  # through the decision tree
    leaf: str = ""  # where that ends: a strategy, rented or nothing; empty in plans of before
    tree: str = ""  # its version
    path_note: str = ""  # where the choice is another than the leaf, why; or why there is no path
    flips: tuple[str, ...] = ()
    settled: bool = True
    overridden: bool = False  # by --choose
    meets: bool = True  # the musts and the budget
    sureness: Sureness = Sureness()


class Consideration(Record):
    """One of the ten that lead a plan. Nothing in ``removes`` and ``changed``: it changed nothing in this decision."""

    number: int
    name: str
    value: str
    band: str = ""  # where the value lies on its scale, such as 10–100: see `planning.considered.bands`
    origin: Origin
    removes: tuple[tuple[str, str], ...] = ()  # candidates that it rules out, each with the sentence of its refusal
    changed: tuple[str, ...] = ()  # what would be chosen without it, and what else follows from it


class Plan(Record):
    """plans/NNN.json, and what `fitscale plan` prints."""

    format: int = 1
    number: int
    workload: Workload
    snapshot: str
    profile: Profile
    machine: Machine
    traits: Traits
    shape: Shape
    decision: Decision
    considerations: tuple[Consideration, ...] = ()
    team: Team | None = None  # that it was made for
    facts: Facts = Facts()  # what scoring stands on beside all this
    scorecard: Scorecard = Scorecard()
    measurements: tuple[Measurement, ...] = ()
    calibration: Calibration = Calibration()  # what past runs on this machine said when it was made
    plain_bytes: Figure | None = (
        None  # what the plain script would hold: all rows in one matrix, then in the library's own
    )
    probing_s: float = 0.0  # not refunded
    staging: Staging | None = None  # of data that was read once for all
    stage: Stage | None = None  # what of that is in the forecasts: it is still to be done, or was done for this plan
    cut: Cutting | None = None  # of many models: in the forecasts
    sizes: tuple[
        tuple[int, int], ...
    ] = ()  # of groups, as far as they were counted: rows, and how many have about so many
    curve: Curve | None = None  # how much of the data is enough, where that was asked
    fewer: Fewer | None = None  # rows that would be done in time, where all of them are not
    recipes: dict[str, str] = {}  # task name → recipe digest
    contest: Contest | None = None  # by which the estimator was chosen, where there were several
    searched: Searched | None = None  # by which its parameters were found, where they were
    search_s: Figure | None = None  # what tuning takes before training, or took for this plan: in the forecasts

    def _repr_html_(self) -> str | None:
        """What a notebook shows of it."""
        from fitscale.registry import html_of

        return html_of("plan", self)
