"""A run: the recipes of its models, the orders of its workers, and what they leave behind."""

from __future__ import annotations

from typing import Any, Literal

from fitscale.records.base import Grown, Record
from fitscale.records.data import Folds
from fitscale.records.trials import Trial
from fitscale.records.tuning import Tuning
from fitscale.records.workload import DataSpec

Form = Literal["matrix", "bins", "cache", "stream", "shard", "frame", "groups"]
Strategy = Literal[  # the simplest first: where two are as good as each other, that is taken
    "in-memory",
    "quantised",
    "out-of-core",
    "many-models",
    "batched-models",
    "parts-and-merge",
    "data-parallel",
    "cluster-native",
]

# Of a chunk of models that are fitted at once, about: they are all held.
BATCHED_ROWS, BATCHED_CELLS = 4_000_000, 80_000_000
CHUNK_S = 2.0  # a commit costs a few milliseconds, and what a kill loses is at most this much work
LEAST_CHUNKS, LEAST_CHUNK_S = 24, 0.05  # small jobs are cut finer, so that progress is seen
LARGE_CHUNK = 1.2  # of the usual size: most are, and every third is small
GROUPED: frozenset[Strategy] = frozenset({"many-models", "batched-models"})  # a model for each group

RECIPE_FORMAT = 1
RUN_FORMAT = 1


def batched_rows(columns: int) -> int:
    """About how many rows of so many columns a chunk may have whose models are fitted at once."""
    return max(1, min(BATCHED_ROWS, BATCHED_CELLS // max(1, columns)))


class Estimator(Record):
    """What is fitted: a class by import path with its parameters, or a live object's address in the run."""

    path: str
    params: dict[str, Any] = {}
    source: str = ""  # digest of the source of code that is not a library's
    live: str | None = None  # file in the run folder that holds the pickled object


class Traits(Record):
    """What a framework can do for one estimator, as data: what `Framework.traits` finds out."""

    target: Literal["classifier", "regressor"]
    can: dict[str, Literal["same", "equivalent", "other"]]  # whole bins stream groups parts ranks session
    cannot: dict[str, str] = {}  # abilities that its kind has and this one lacks: why, as the end of a sentence
    input: Literal["raw", "codes", "one-hot", "series"]
    missing: Literal["ok", "impute"]
    progress: Literal["rounds", "passes", "groups", "parts", "none"]
    units: int = 1  # how many rounds, passes or parts one fit has
    units_param: str = ""  # the parameter that sets the number of units, such as n_estimators
    together: int = 1  # about how many units are done at once, and told of together
    segment: int = 1  # checkpoints fall on multiples of this many units
    reload: bool = True  # an uninterrupted fit must go on from the saved bytes too, or a resumed one would differ
    sparse: bool = False  # takes a CSR matrix
    weights: bool = True  # takes sample weights
    gives: Literal["probabilities", "margins", "labels"] = "probabilities"  # of a classifier
    stream_form: Literal["stream", "cache"] = "stream"  # how it holds what is larger than memory
    source: str = ""  # digest of the module, where it is no installed library's
    early_stopping: bool = False  # can judge validation rows after each unit
    versions: dict[str, str] = {}  # of the framework's `needs`
    params: dict[str, Any] = {}  # as resolved


class Recipe(Grown):
    """All that fixes a model's bits; its digest names the task.

    ``form`` and ``batch_rows`` are set only where the framework does not declare *same*.
    """

    LATER = frozenset({"time", "step", "only", "fallback"})

    format: int = RECIPE_FORMAT
    framework: str
    estimator: Estimator
    encoding: str  # key of the encoding in the run
    data: str  # content digest of the snapshot
    use: float = 1.0  # share of the rows, drawn by seed
    target: str
    weight: str | None = None
    groups: tuple[str, ...] = ()
    folds: Folds
    row_order: str = "snapshot"
    seed: int = 0
    segment: int = 1
    threads: int = 1
    ranks: int = 1
    early_stopping: int | None = None  # rounds
    metric: str = ""  # early stopping looks at it; kept here because it then changes the model
    time: str | None = None  # of a series: the column of its times
    step: int | None = None  # between neighbours of a series, in the unit of its times
    only: str | None = None  # the keys of the groups that are fitted, where it is not all of them: see `Some`
    fallback: Literal["parent", "global"] | None = None  # whose models stand beside those of the groups
    versions: dict[str, str] = {}
    form: Form | None = None
    batch_rows: int | None = None


class Chunk(Record):
    """Groups ``start`` to ``stop`` (in key order), committed together.

    ``probe``: a few groups that are fitted before all others, each of them timed: what the rest takes is forecast by them.
    """

    start: int
    stop: int
    rows: int = 0
    probe: bool = False


class Task(Record):
    """tasks/RECIPE/task.json: written once, before the first fit."""

    recipe: Recipe
    name: str  # fit, or cv 1/5, or final: what a person calls it
    data: DataSpec
    folder: str = "."  # of the workload: user code is imported from there
    traits: Traits
    metric: str | None = None  # what models are judged by; None: the default for the target
    snapshot: str  # name in data/
    partition: str | None = None  # name in data/, for many models
    chunks: tuple[Chunk, ...] = (Chunk(start=0, stop=1),)


class Sample(Record):
    """A seeded part of the training rows."""

    rows: int
    seed: int = 0


class Until(Record):
    """When an attempt ends by itself, with a checkpoint: after so many units, or so many seconds of fitting."""

    units: int | None = None
    seconds: float | None = None


class Some(Record):
    """Some groups of a finished version, which are trained again."""

    base: int  # the version, whose other models stay
    keys: str  # name in data/ of the keys of those that are meant
    encoding: str  # of the version
    groups: int


class Partitioning(Record):
    """Cut the rows of a snapshot by group, into data/NAME of the run."""

    name: str
    snapshot: str
    data: DataSpec
    folds: tuple[Folds, ...]  # of all fits: what they look at is kept
    use: float = 1.0
    seed: int = 0
    only: str | None = None  # name in data/ of the keys of the groups that are meant, where it is not all
    fallback: Literal["parent", "global"] | None = None


BATCH_ROWS, LEAST_BATCH_ROWS = 65_536, 2_048
BATCH_CELLS = 1 << 24  # 64 MB of float32


def batch_rows_of(width: float, most: int = BATCH_ROWS) -> int:
    """Rows of a batch, where the model does not hang on them; ``width``: cells of a row. Fewer than ``most`` of wide tables."""
    return min(most, max(LEAST_BATCH_ROWS, int(BATCH_CELLS / max(1.0, width))))


class Order(Record):
    """attempts/EPOCH-N/order.json: all that a worker is told."""

    kind: Literal["partition", "fit", "groups", "try", "tune", "finish", "export"]
    epoch: int
    task: str = ""
    partitioning: Partitioning | None = None  # kind partition
    form: Form = "matrix"
    batch_rows: int = BATCH_ROWS
    chunks: tuple[int, ...] = (0,)
    threads: int = 1
    workers: int = 1  # processes that share the chunks
    parts: int = 0  # processes that grow parts of one model, forked from this one; 0: it is fitted as a whole
    isolate: bool = True  # fit groups in forked children, so that a group that crashes costs only itself
    ranks: int = 1  # processes that share one fit
    address: str = ""  # of rank 0, for ranks
    port: int = 0
    memory_bytes: int | None = None  # for each process
    samples: tuple[Sample, ...] = ()  # a probe: fit these parts of the rows one after the other, commit nothing
    trials: tuple[Trial, ...] = ()  # kind try: fit these one after the other, and judge each
    tuning: Tuning | None = None  # kind tune
    until: Until | None = None
    trust: bool = False  # pickles from elsewhere may be loaded
    resume: bool = True  # go on from the last checkpoint, if there is one
    version: int | None = None  # kind finish: which version is put together; kind export: which is exported
    exporter: str | None = None  # kind export
    tasks: tuple[str, ...] = ()  # kind finish: of these tasks
    base: int | None = None  # kind finish: the version whose other models stay

    @property
    def is_trial(self) -> bool:
        """Whether it fits models to be compared, before it is settled what is trained."""
        return self.kind in ("try", "tune")

    @property
    def is_probe(self) -> bool:
        """Whether what it fits is looked at, and kept nowhere."""
        return bool(self.samples) or self.is_trial


class Event(Record):
    """One line of events.RANK.jsonl.

    Kinds: started, resumed, units, checkpoint, sampled, tried, searched, chunk, paused, unpaused, exported, and at the end
    finished, stopped or failed; from the engine: memory, ended.
    """

    kind: str
    at: float  # seconds since 1970
    rank: int = 0
    data: dict[str, Any] = {}


class ChunkResult(Record):
    """tasks/RECIPE/chunks/K: the commit. Names payloads by content; holds no time, host or path."""

    chunk: Chunk
    table: str  # Parquet: one row for each model (see store.chunks.TABLE)
    models: str  # the models' bytes, one after the other
    predictions: str | None = None  # Parquet: hold-out predictions
    scores: dict[str, tuple[float, ...]] = {}  # by unit, of the validation rows
    units: int | None = None


class Compared(Record):
    """What was exported, against the run's own models on real rows."""

    models: int  # that had rows to be compared on
    rows: int
    largest: float  # difference, of any probability or value
    of: Literal["probabilities", "values"]
    ties: int = 0  # labels that differ where the model itself hardly tells them apart


class Manifest(Record):
    """versions/V/manifest.json: a pure function of recipes and snapshot."""

    version: int
    name: str
    recipes: dict[str, Recipe]  # by task name
    encoding: str
    groups: tuple[str, ...]
    models: int
    failed: int
    unfit: int
    payloads: tuple[str, ...]
    gives: Literal["probabilities", "margins", "labels"] = "probabilities"  # the models, where they are classifiers
    metric: str
    scores: dict[str, float | None]  # of what was trained, on held-out rows
    base: int | None = None  # the version that the other models are of
    retrained: int = 0  # groups that were trained again, where there is such a version
    fallback: int = 0  # of the models: groups that were too small, and have that of several groups together
