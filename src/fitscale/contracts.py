"""The protocols where abilities meet. A plug-in of any family is one file that fulfils one of these.

The smallest of each family is its reference: sources/synthetic, frameworks/baseline, engines/inline, exporters/native.
The suites of `fitscale.testing` hold every plug-in to what the docstrings here promise.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, Self, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from fitscale.records.data import Shape, Snapshot
    from fitscale.records.plan import Candidate, Law
    from fitscale.records.run import Compared, Estimator, Event, Form, Recipe, Traits
    from fitscale.records.workload import DataSpec

View = Literal["train", "validation", "holdout"]


class Batch(NamedTuple):
    """Rows as a framework takes them, in the order of the snapshot."""

    X: Any  # (n, d) float32, C order; a scipy CSR matrix where the feed is sparse; of a series (n, 1) int64, its moments
    y: np.ndarray  # (n,) float32: class codes 0..k-1, or values; of a series float64
    weight: np.ndarray | None  # (n,) float32
    row: np.ndarray  # (n,) int64: the row's number in the snapshot


class Scores(NamedTuple):
    """What a model says of one batch."""

    value: np.ndarray  # (n,) float64: class codes, or values
    proba: np.ndarray | None  # (n, k) float64, for classifiers that have it
    row: np.ndarray  # (n,) int64


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted model: the library's own bytes, and how many units (rounds, passes, parts) it has.

    ``native``, where a framework has it at hand, scores as what `Framework.load` makes of the payload: of many small
    models each is scored without being read again, a twentieth of a fit. It may hold on to what the fit needed.
    """

    payload: bytes
    units: int = 1
    native: Any = field(default=None, compare=False, repr=False)

    def bare(self) -> Fitted:
        """Without ``native``, and what that holds."""
        return replace(self, native=None)


@dataclass(frozen=True, slots=True)
class FittedGroups:
    """What the groups of a chunk came to, in key order.

    Attributes
    ----------
    models, lengths
        The models' bytes, one after the other, and how long each is (g,) int64; 0 where there is none.
    why
        Of groups without a model: (status, kind, why) as a chunk's table has them.
    units
        (g,) int32.
    native
        What `Grouped.score_groups` takes.
    """

    models: bytes
    lengths: np.ndarray
    why: Mapping[int, tuple[Literal["unfit", "failed"], str, str]]
    units: np.ndarray
    native: Any = field(default=None, compare=False, repr=False)


class Part(NamedTuple):
    """Some of a source's rows, seeded and spread where they can be, read when they are asked for."""

    batches: Iterator[pa.RecordBatch]
    rows: Callable[[int], tuple[float, float, float]]  # of all rows, once so many were read: number, least, most
    told: str  # in words, before: how much is read of what
    faster: float = 1.0  # by so many times all rows are read, by several connections or threads


class StartAgain(Exception):
    """Raised by a source's stream: what it gave so far is not as it should be; it is to be asked again from its start."""


@runtime_checkable
class Source(Protocol):
    """Where data is. Yields Arrow record batches, unit by unit; never holds the whole.

    A source of paths has ``suffixes`` too, the endings of the names of its files, and ``takes`` names the sections of
    ``data`` that say how to read it (``csv``). One that need not count may have
    ``glance()``: a snapshot without what would have to be counted.

    What is not ``stable`` is staged (`fitscale.data.staging`). Such a source may have ``outline()``: a snapshot before rows
    are read, its columns as far as they are known and its pieces without parts; what cannot be pinned has an empty pin, and
    is staged again only with ``--fresh``. ``stream()`` gives all rows once, in order, by as many threads as it likes, and
    may raise `StartAgain`; ``volume()`` says in words, before, how much that will be. ``sample()`` gives a bounded `Part`
    of the rows that stands for all of them, where it would take long to read them, else None: ``plan`` decides by that.
    ``digests()`` are those of all bytes
    of each piece, looked at where only a file's time has changed. ``assumed`` says in words, after reading, what it rested
    on beyond what was said.

    ``peek(rows, seed)``, where it is there, gives batches of about so many rows from all over, for a first look by `init`
    and `doctor`; of a source without it, these are its first rows.
    """

    name: ClassVar[str]
    schemes: ClassVar[tuple[str, ...]]  # of the uri; '' is a path
    needs: ClassVar[tuple[str, ...]]  # libraries
    stable: ClassVar[bool]  # can be read again, the same and as fast as Parquet; what cannot is staged to Parquet once

    @classmethod
    def open(cls, data: DataSpec) -> Self:
        """Look at what is there.

        Raises
        ------
        DataError, WorkloadError
            Missing, unreadable, of differing schemas: with the path and the next step.
        """

    def snapshot(self) -> Snapshot:
        """What is there now. Reads footers, not rows (unless ``where`` must count)."""

    def read(
        self, snapshot: Snapshot, piece: int, part: int, columns: Sequence[str], batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """The rows of one natural unit, in order, in batches of at most ``batch_rows``.

        Raises
        ------
        SourceChanged
            If the piece is no longer what the snapshot pinned.
        """


@runtime_checkable
class Feed(Protocol):
    """The data as a framework takes it. Each fit gets one; a shard and each group are feeds too.

    The order of rows is the snapshot's, in every form. Batches hold exactly the asked number of rows but for the last:
    they do not depend on how files were cut.
    """

    form: Form
    batch_rows: int
    names: tuple[str, ...]  # of the encoded columns
    kinds: tuple[Literal["q", "c"], ...]  # quantity, or category codes
    categories: tuple[int, ...]  # number of codes of each column; 0 for quantities
    classes: int  # 0: regression
    sparse: bool

    def count(self, view: View) -> int:
        """Rows of a view. Reads no more than the columns that the folds look at."""

    def frame(self, view: View) -> tuple[pa.Table, np.ndarray, np.ndarray | None]:
        """The raw feature columns, y and weight: for pipelines that encode by themselves."""

    def matrix(self, view: View) -> Batch:
        """All rows in one piece, decoded once into one matrix."""

    def batches(self, view: View, rows: int | None = None, start: int = 0) -> Iterator[Batch]:
        """Rows ``start`` and on of the view, in batches of ``rows`` (default ``batch_rows``). Seeks to the start."""

    def shard(self, rank: int, world: int, rows: int | None = None) -> Feed:
        """Every world-th batch of the training rows, beginning with the rank-th; all of the other views.

        Batches of ``rows`` (default ``batch_rows``): an estimator whose steps are mini-batches gives their size.

        Raises
        ------
        DataError
            If the rank would have no training rows.
        """

    def groups(self) -> Iterator[tuple[tuple[Any, ...], Feed]]:
        """The groups of this worker's chunk in key order, each a feed."""

    def file(self, format: Literal["csv", "parquet"], view: View) -> Path:
        """The encoded rows as a file in the attempt's scratch folder, target last: for programs that read files."""

    def session(self, session: Any) -> Any:
        """The data in a live cluster session. Engines that host sessions bring this."""


class Context(Protocol):
    """What `work` gives a framework beside the data.

    `report` is the only place of checkpoints, progress, pausing and stopping.
    """

    rank: int
    world: int
    host: str
    port: int
    threads: int
    scratch: Path  # of this attempt; may be deleted when it ends

    def phase(self, name: str) -> AbstractContextManager[None]:
        """Times what is inside: read, encode, bin, iterations, score, save."""

    def report(
        self,
        units: int,
        state: Callable[[], bytes] | None = None,
        scores: Mapping[str, float] | None = None,
        *,
        of: int = 0,
        kept: bool = True,
        size: int = 0,
    ) -> bytes | None:
        """Say that ``units`` are done since the very beginning, with the scores of the validation rows after the last.

        At multiples of the recipe's ``segment`` it takes ``state()`` and returns it: the fit then goes on **from those
        bytes**, whether or not they were written, so that a resumed run and an uninterrupted one are the same. Where
        the traits say that this makes no difference (``reload`` false), it takes them only when it writes them.

        ``of`` is how many units there will be, where the traits do not say (0: they do); ``kept`` is false where a fit
        has no state that it could go on from: told to stop, it then ends here, and what it did is lost.
        ``size`` are the bytes of the model so far, where those of the whole are hard to foresee: memory is forecast by it.

        Raises
        ------
        Stopped
            When the attempt is to end here (its state is saved, where it has one).
        """

    def scores(self) -> dict[str, tuple[float, ...]]:
        """All scores reported so far, those before a resume included."""

    def program(self, argv: Sequence[str]) -> str:
        """Run a program under this attempt's limits; its standard output. Raises on a non-zero end."""


class Unfit(Exception):
    """Raised by `Framework.fit`: a group has too little to learn from, and why. No failure of its own."""


class Stopped(Exception):
    """Raised by `Context.report` where an attempt is to end with its checkpoint."""


@runtime_checkable
class Framework(Protocol):
    """How a model is fitted."""

    name: ClassVar[str]
    handles: ClassVar[tuple[str, ...]]  # prefixes of import paths; the longest wins
    needs: ClassVar[tuple[str, ...]]  # libraries, as they are imported
    extra: ClassVar[str]  # what pip install 'fitscale[…]' calls it
    pickles: ClassVar[bool]  # loading a payload or a state can run code: it is loaded only with this user's signature
    # Where it has the ability ``parts``, it is a `Divisible` too.
    # May be there: ``hides``, libraries that its own imports would load and its fits do not need (see `work.hiding`);
    # ``warms``, modules that its fits import: a process that forks for fits imports them once, before; ``own``, true where
    # its estimators are its own names and no classes that could be imported; ``spaces``, by class of its library what each
    # parameter may be while it is tuned, as `model.search.space` has it; ``names``, from other names of a parameter to the main
    # one; of series ``together(payloads)``, the models of one
    # recipe, by which `models.ahead` tells their next steps and `models.judging` judges new rows.

    def traits(self, estimator: Estimator) -> Traits:
        """What it can do for this estimator. May import the library; never reads data.

        Raises
        ------
        WorkloadError
            At ``model.estimator`` or ``model.params``: does not import, or takes no such parameter.
        """

    def law(self, shape: Shape, recipe: Recipe, form: Form) -> Law:
        """How the cost grows, at this shape: pure arithmetic over the record, nothing is imported."""

    def fit(self, feed: Feed, recipe: Recipe, state: bytes | None, context: Context) -> Fitted:
        """Fit in the feed's form; from ``state`` (bytes that `Context.report` took) where there is one."""

    def load(self, payload: bytes) -> Any:
        """The library's own object. Its caller has checked where a payload that could run code comes from."""

    def score(self, native: Any, batches: Iterable[Batch]) -> Iterator[Scores]:
        """Predictions, batch by batch."""


@runtime_checkable
class Divisible(Protocol):
    """What a framework can do beside, whose traits have the ability ``parts``: models that are the sum of independent parts.

    A part is the same bytes whoever grows it, and the model that is merged of them the same as `Framework.fit` gives.
    """

    def spans(self, feed: Feed, recipe: Recipe) -> Sequence[tuple[int, int]]:
        """Which units are grown and kept together, as (first, the one after the last): all of them, in their order.

        A function of the recipe and of the numbers of training rows and columns alone.
        """

    def grow(self, feed: Feed, recipe: Recipe, span: tuple[int, int]) -> bytes:
        """The units of a span, by one thread. The matrix of the training rows is held by the feed, and only looked at."""

    def merge(self, feed: Feed, recipe: Recipe, parts: Iterator[bytes]) -> Fitted:
        """The model of all parts, which come in the order of their spans. The rows are gone by now."""


@runtime_checkable
class Groups(Protocol):
    """The feed of a chunk of groups: its views are the rows of all of them, group by group in key order."""

    @property
    def rows(self) -> Batch:
        """All rows, group by group in key order, within a group those that train first. A view is spans of them."""

    def __len__(self) -> int: ...

    def sizes(self, view: View) -> np.ndarray:
        """(g,) int64: how many rows each group has in a view."""

    def spans(self, view: View) -> tuple[np.ndarray, np.ndarray]:
        """(g,) int64 each: where the rows of each group in a view begin in ``rows``, and its `sizes`."""

    def matrix(self, view: View) -> Batch:
        """All rows of a view. Groups with rows that no model can be fitted on are told of elsewhere, and have none here."""


class Judged(NamedTuple):
    """What the models of several series say of new rows, and of their own errors: ``together(payloads).judge(rows, sizes)``.

    Attributes
    ----------
    expected
        (n,) one step ahead, NaN where it is not known.
    deviation, n, kurtosis
        (g,) of the errors while each model was fitted, and how many there were; NaN where there is none.
    why
        Of groups that are not judged: the reason.
    """

    expected: np.ndarray
    deviation: np.ndarray
    n: np.ndarray
    kurtosis: np.ndarray
    why: dict[int, str]


@runtime_checkable
class Grouped(Protocol):
    """What a framework can do beside, whose traits have the ability ``groups``: many small models fitted at once, as arrays.

    Each group's model is that of `Framework.fit`, as the traits say: where *same*, to the bit, whatever groups are beside it.
    It is code on arrays that neither ends its process nor goes on for ever: nothing is forked for it.
    """

    def fit_groups(self, feed: Groups, recipe: Recipe, context: Context, *, one_by_one: bool = False) -> FittedGroups:
        """All groups of a chunk, at once or one after the other. What is wrong with one is told of that one, nothing is raised."""

    def score_groups(self, native: Any, feed: Groups) -> Scores:
        """Predictions for the held-out rows, in their order; NaN where a group has no model."""


@runtime_checkable
class Engine(Protocol):
    """Where work runs. Starts the same worker function everywhere."""

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]]
    can: ClassVar[frozenset[Literal["tasks", "ranks", "session"]]]

    def reason_not(self, candidate: Candidate) -> str | None:
        """Why it cannot host this candidate, or None."""

    def start(self, run: Path, attempt: str, work: Callable[[Path, str], int]) -> Generator[Event, None, None]:
        """Run the attempt whose order lies in the run folder; its events, until it ended (the last is ``ended``).

        ``work(run, NAME)`` does the work of one process in this one and is what `inline` calls; other engines start
        ``python -P -m fitscale.work RUN NAME``. NAME is ATTEMPT, with ``.RANK`` after it where several processes work
        on the attempt. ``ended`` has ``code`` and ``cause``: done, stopped, failed, memory, killed. Closing the
        generator leaves nothing running.

        An engine whose workers take long to start may have ``ready(run, workers)``, by which so many are started ahead
        of the orders of a pool, and then ``close()``, which ends those that got none.
        """


@runtime_checkable
class Metric(Protocol):
    """One value, or a column of values by group, under scikit-learn's name."""

    name: str
    takes: Literal["label", "proba", "value"]
    greater: bool  # greater is better
    tasks: frozenset[str]  # of binary, multiclass, regression

    def one(self, y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float | None:
        """The metric; None where it is undefined."""

    def many(
        self, group: np.ndarray, n_groups: int, y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None
    ) -> np.ndarray:
        """(n_groups,) float64, NaN where undefined; ``group`` holds codes, rows in any order."""


class Exported(NamedTuple):
    """What was written, and how it compared where the format has a runtime to compare with."""

    files: tuple[Path, ...]
    compared: Compared | None = None


@runtime_checkable
class Exporter(Protocol):
    """Turns a finished version into files for elsewhere."""

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]]  # libraries, as they are imported
    extra: ClassVar[str]  # what pip install 'fitscale[…]' calls them

    def reason_not(self, recipe: Recipe) -> str | None:
        """Why models of this recipe cannot be exported so, or None: what is known without a model."""

    def check(self, recipe: Recipe, payload: bytes, encoding: Any, rows: pa.RecordBatch) -> None:
        """Try it with a fitted model (its payload and `data.encoding.Encoding`) and raw rows; write nothing.

        Raises
        ------
        NotExportable
            Naming what the format cannot hold.
        """

    def export(self, run: Path, version: int, to: Path, *, trust: bool = False) -> Exported:
        """Write the files into a folder that is not there yet; all or none.

        Raises
        ------
        NotExportable
            If a model cannot be exported, or what was exported predicts otherwise.
        Untrusted
            If a payload could run code, is not this user's, and there is no ``trust``.
        """
