"""A portfolio: the jobs of a team, what each takes on each platform, and the one platform that is recommended for all."""

from __future__ import annotations

from typing import Literal

from fitscale.records.base import Figure, Origin, Record
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Consideration
from fitscale.records.workload import Team

# This machine; a rented one that is started for each run; a rented one that is never switched off.
Pay = Literal["own", "by the run", "kept on"]


class Job(Record):
    """What of a workload counts in a month."""

    name: str
    file: str
    run: str = ""  # its run folder
    plan: int = 0  # the number of its plan there
    framework: str = ""
    frequency: str = "monthly"
    frequency_origin: Origin = "stated"  # assumed where the workload does not say
    period_s: float | None = None  # from one start to the next; None: at no fixed time
    runs_a_month: float = 1.0
    at_once: int = 1  # starts that may fall on one moment: of a job at no fixed time each user may have one
    must_s: float | None = None
    must_at: str = ""  # the time of day or date that it was counted to
    budget_usd_month: float | None = None  # of this job alone, as its workload states it
    database: str = ""  # the address of the server that its rows are in
    source: str = ""  # what its forecast here rests on
    skills: tuple[str, ...] = ()  # what its library and its source ask of somebody
    considerations: tuple[Consideration, ...] = ()  # of its plan


class Way(Record):
    """One job on one machine: how it would run there, or why it cannot."""

    assessed: Assessed | None = None
    sentence: str = ""


class Placed(Record):
    """One job on one platform, for a month. Seconds are of one run; where a machine is rented for it, its start is counted in."""

    job: str
    candidate: str
    time_s: Figure
    p90_s: float
    memory_bytes: float  # P99, with what is kept back for the supervisor
    cores: int
    busy_hours: float  # a month, at the median
    usd_month: Figure
    wait_s: float = 0.0  # the longest, for an environment that is free
    problems: tuple[str, ...] = ()  # what cannot be kept


class Platform(Record):
    """All jobs on machines of one kind."""

    machine: Machine
    pay: Pay
    jobs: tuple[Placed, ...]
    cores: int  # of one environment, which runs one job at a time
    memory_bytes: float
    needed: int  # environments, so that all that can be kept is kept
    at_once: int  # environments in which nothing would ever wait
    environments: int  # that are reckoned with: as stated, else as needed
    per_machine: int  # environments that one machine holds
    machines: int
    busy_hours: float  # a month, of all runs
    used: float  # share of the environments' month that is worked in
    usd_month: Figure
    problems: tuple[str, ...] = ()

    @property
    def keeps(self) -> bool:
        """Whether each frequency and deadline is kept, within the budget."""
        return not self.problems

    @property
    def is_here(self) -> bool:
        return self.pay == "own"

    @property
    def name(self) -> str:
        """``this machine``, ``c7g.medium``, ``c7g.medium kept on``."""
        if self.is_here:
            return "this machine"
        return self.machine.name + (" kept on" if self.pay == "kept on" else "")


class Best(Record):
    """Where one job alone would be cheapest among what keeps it."""

    job: str
    machine: str
    pay: Pay
    placed: Placed

    @property
    def is_here(self) -> bool:
        return self.pay == "own"


class Effort(Record):
    """Hours of people that a month asks for."""

    activity: str
    hours: float
    origin: Origin  # stated in the team file, or assumed
    role: str
    level: str
    in_team: bool
    usd_month: float


class Failed(Record):
    """A job that could not be planned. It costs the others nothing."""

    file: str
    sentence: str
    exit_code: int = 2


class Refused(Record):
    """Machines that one job cannot run on: how many, and the sentence for one of them."""

    job: str
    machines: int
    example: str
    sentence: str


class Portfolio(Record):
    """What `fitscale plan FILE… --team FILE` prints."""

    format: int = 1
    team: Team
    here: Machine
    jobs: tuple[Job, ...]
    failed: tuple[Failed, ...] = ()
    platforms: tuple[Platform, ...] = ()  # this machine, where all jobs run on it; then rented ones, the cheapest first
    recommended: Platform | None = None
    meets: bool = False  # whether the recommended one keeps everything
    reasons: tuple[str, ...] = ()
    best: tuple[Best, ...] = ()
    refused: tuple[Refused, ...] = ()
    compared: int = 0  # machines, this one counted in
    efforts: tuple[Effort, ...] = ()  # with one platform for all
    people_usd_month: float = 0.0
    people_apart_usd_month: float = 0.0  # with the best for each job, of whichever kinds of machine
    lacking: tuple[str, ...] = ()  # skills and hours that the team does not have
    assumptions: tuple[str, ...] = ()
