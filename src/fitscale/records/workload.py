"""The workload: what to train. `workload.spec` makes it from a file.

Durations are seconds, sizes bytes, shares fractions.
"""

from __future__ import annotations

from typing import Any, Literal

from fitscale.records.base import Record
from fitscale.records.scorecard import Measure


class Features(Record):
    """Which columns are features, and what is done to them beyond what the framework needs."""

    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()  # when given, only these
    categorical: tuple[str, ...] = ()  # numeric columns to be taken as categories
    scale: bool = False  # to mean 0 and deviation 1, learnt from training rows
    max_categories: int = 10_000  # rarer categories become 'other'
    text: tuple[str, ...] = ()  # columns of text, whose words are hashed
    hash_columns: int | None = None  # of each; None: 16,384 of a sparse matrix, 256 of a dense one
    ngrams: int = 1  # 2: pairs of neighbouring words are counted too


class Csv(Record):
    """How text files are written, where that is not as they show it themselves."""

    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    header: bool | tuple[str, ...] | None = None  # true: the first line has names; or the names, where no line has them
    missing: tuple[str, ...] = ()  # words for a missing value; default: empty, NA, null, NaN, …


class SvmLightFiles(Record):
    """How svmlight files are written."""

    zero_based: bool | None = None  # false: an index of 0 is an error; None: either, and the plan says which


class Enough(Record):
    """As many of the rows as it takes."""

    within: float | None = None  # the loss that may be, in the metric's own units; None: what nobody would miss


class DataSpec(Record):
    """Where the data is, and what its columns mean."""

    uri: str
    base: str = "."  # the folder that a relative uri starts from
    table: str | None = None
    query: str | None = None
    key: str | None = None
    where: str | None = None
    csv: Csv = Csv()
    svmlight: SvmLightFiles = SvmLightFiles()
    target: str
    groups: tuple[str, ...] = ()
    time: str | None = None
    step_s: float | None = None
    horizon: int | None = None
    weight: str | None = None
    features: Features = Features()
    use: Literal["all"] | float | Enough = "all"

    @property
    def is_series(self) -> bool:
        """Whether the rows (of each group) are a series, which is forecast from its own past."""
        return self.step_s is not None


class EarlyStopping(Record):
    rounds: int
    validation: float = 0.1


class Evaluation(Record):
    """How models are judged. Either ``holdout`` or ``cv`` is set."""

    holdout: float | None = 0.2
    by: str = "random"  # random | time | a column
    cv: int | None = None
    metric: str | None = None  # None: roc_auc, log loss or root mean squared error by the target's kind
    early_stopping: EarlyStopping | None = None
    refit: bool | None = None  # None: of series, whose forecasts begin where what was fitted ends


class Range(Record):
    """What one parameter may be: numbers from ``low`` to ``high``, or one of ``choices``."""

    low: float | None = None
    high: float | None = None
    log: bool = False  # drawn by its logarithm
    whole: bool = False  # whole numbers alone
    choices: tuple[bool | int | float | str | None, ...] = ()


class Search(Record):
    """Tuning. In an entry of ``any_of`` the budget may be left out: it then has its share of the one beside."""

    budget_s: float | None = None
    space: dict[str, Range] = {}  # of the parameters; none: the estimator's published one
    trials: int | None = None  # at most


class ModelSpec(Record):
    """The estimator: by import path, or a live object that `api` staged into the run (``live``: its address there)."""

    estimator: str | None = None
    any_of: tuple[ModelSpec, ...] = ()
    function: str | None = None
    params: dict[str, Any] = {}
    search: Search | None = None
    live: str | None = None
    framework: str | None = None  # by name; default: by the estimator's import path
    fallback: Literal["parent", "global"] | None = None  # whose model a group takes that is too small for its own


class Deadline(Record):
    """Seconds from the start of `train`, or a time of day (``at``: ISO time) by which it must be done."""

    want_s: float | None = None
    must_s: float | None = None
    at: str | None = None


class Budget(Record):
    hardware_usd_month: float | None = None
    software_usd_month: float | None = None


class Needs(Record):
    deadline: Deadline | None = None
    frequency: str | None = None  # daily weekly biweekly monthly ad-hoc, or cron
    budget: Budget | None = None
    export: tuple[str, ...] = ()
    deploy: str | None = None
    functions: tuple[str, ...] = ()
    weights: dict[Measure, float] = {}  # of the scorecard's measurements; none: it breaks ties alone
    max_failed: float = 0.01  # share of groups that may fail; ≥ 1 is a count


class Place(Record):
    """One entry of ``where``."""

    kind: Literal["local", "ray", "spark", "catalogue"]
    address: str = ""
    memory_bytes: int | None = None
    cores: int | None = None


class Workload(Record):
    """A training job, described once."""

    name: str
    seed: int = 0
    data: DataSpec
    evaluate: Evaluation = Evaluation()
    model: ModelSpec
    needs: Needs = Needs()
    where: tuple[Place, ...] = (Place(kind="local"),)
    allow_other: bool = False  # may a strategy be chosen whose result is another one?
    folder: str = "."  # where the workload file is; user code is imported from here, last on the path

    @property
    def refits(self) -> bool:
        """Whether what was judged is fitted again on all rows."""
        return self.data.is_series if self.evaluate.refit is None else self.evaluate.refit


class Person(Record):
    """Someone, or several of one kind, who works with the models."""

    role: str  # as in the table of roles: data scientist, data engineer, …
    level: Literal["junior", "mid", "senior"] = "mid"
    skills: tuple[str, ...] = ()
    count: int = 1


class Team(Record):
    """What concerns the team rather than one job. None: not said."""

    people: tuple[Person, ...] = ()
    users: int | None = None
    environments: int | None = None  # at the same time
    platform_usd_month: float | None = None
    machine_usd_hour: float | None = None  # own price of a machine-hour
    hours: dict[str, float] = {}  # of people a month, by what they do: in place of what is assumed
    weights: dict[Measure, float] = {}  # of the scorecard's measurements, for all jobs that state none
