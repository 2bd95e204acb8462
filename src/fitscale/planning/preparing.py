"""From a workload to all that is known before anything is fitted: snapshot, profile, traits, folds, recipe, shape."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fitscale import metrics
from fitscale.errors import NotOffered, UsageError, WorkloadError
from fitscale.models.exporting import exporter_of
from fitscale.planning.trials.spaces import check_search, entries_of
from fitscale.planning.trials.tolerance import check_tolerance
from fitscale.records.base import Figure, digest_of
from fitscale.records.contest import Contest
from fitscale.records.curve import Curve
from fitscale.records.data import ColumnProfile, Cutting, Folds, Profile, Shape, Snapshot, Stage, Staging
from fitscale.records.run import Estimator, Recipe, Some, Traits
from fitscale.records.tuning import Searched
from fitscale.records.workload import ModelSpec, Workload
from fitscale.store import chunks, folder
from fitscale.store.trust import check
from fitscale.work.describe import describe
from fitscale.work.live import signature_name

if TYPE_CHECKING:
    from fitscale.contracts import Source
    from fitscale.data.reader import Reader

ENCODING_FORMAT = 1
PROFILE_BYTES = 256 << 20
PROFILE_S = 1.0
SERIES = ("series.AR", "series.ARIMA", "series.Smoothing", "series.Mean", "series.Quantile", "series.Seasonal")


class Fit(NamedTuple):
    """One fit that the workload asks for: its name, and which rows train and are held out."""

    name: str
    folds: Folds

    @property
    def share(self) -> float:
        """Of all rows that may train: those that do."""
        return self.folds.trains


class Prepared(NamedTuple):
    workload: Workload
    reader: Reader
    snapshot: Snapshot
    profile: Profile
    framework: str
    estimator: Estimator
    traits: Traits
    fits: tuple[Fit, ...]
    shape: Shape  # of one fit on all of its rows
    staging: Staging | None = None  # where the rows had to be read once for all
    stage: Stage | None = None  # of that, what is still to be done, or was done just now
    some: Some | None = None  # the groups that are trained again, where it is not all
    cut: Cutting | None = None  # of many models
    part: float = 1.0  # of all rows: those that this has, where it stands for more
    contest: Contest | None = None  # by which the estimator was chosen, where there were several
    searched: Searched | None = None  # by which its parameters were found
    search_s: Figure | None = None  # what tuning takes before, or took for this command
    asked: str = ""  # digest of the workload that this was closed from, which left something open
    curve: Curve | None = None  # by which it was decided how much of the data is taken


def prepare(
    workload: Workload,
    run: Path,
    *,
    trust: bool = False,
    fresh: bool = False,
    whole: bool = True,
    told: Callable[[str], None] = lambda text: None,
) -> Prepared:
    """Look at the data and the estimator. ``fresh``: at data that cannot be pinned as it is now.

    Data that must be staged is: all of it if ``whole``, else a part of it where the source has one to give.

    Raises
    ------
    WorkloadError, DataError
        What cannot be trained, with its place and the next step.
    """
    from fitscale.data.checks import check_columns
    from fitscale.data.choosing import open_source
    from fitscale.data.profile import profile
    from fitscale.data.reader import Reader
    from fitscale.data.staging import outline_of

    source = open_source(workload.data)
    if hasattr(source, "threads"):
        source.threads = len(os.sched_getaffinity(0))  # no process is forked from this one
    snapshot = source.snapshot() if source.stable else outline_of(source)
    check_columns(snapshot, workload.data, counted=source.stable)
    _check_names(workload)
    framework, estimator, traits = fitted_of(workload, run, snapshot, trust=trust)
    # Last, as it may take long: what else is wrong is known by now.
    staging: Staging | None = None
    stage: Stage | None = None
    if source.stable:
        reader = Reader(source, snapshot)
    else:
        reader, staging, stage = _staged(source, workload, run, fresh, whole, told)
    every = stage.rows if stage is not None and stage.sampled else None
    about = profile(reader, workload.data, limit_bytes=PROFILE_BYTES, limit_s=PROFILE_S, every=every)
    fits = fits_of(workload, reader)
    shape = shape_of(workload, reader.snapshot, about, traits).but(piece_bytes=_piece_bytes(reader))
    check_tolerance(workload, traits, shape.classes)
    return Prepared(
        workload, reader, reader.snapshot, about, framework, estimator, traits, fits, shape, staging, stage,
    )  # fmt: skip


def fitted_of(
    workload: Workload, run: Path, snapshot: Snapshot, *, trust: bool = False
) -> tuple[str, Estimator, Traits]:
    """(framework, estimator, traits) of the workload's model; of several to choose from, those of the first that can be had.

    Raises
    ------
    WorkloadError
        What is wrong with an estimator, or that it cannot do what the workload asks; of several, if none can.
    """
    refused: list[UsageError] = []
    able: list[tuple[str, Estimator, Traits]] = []
    for k, model in enumerate(entries_of(workload.model)):
        one = workload.but(model=model)
        try:
            found = _described(one, run, trust=trust)
        except WorkloadError as error:
            raise type(error)(_entry_place(error.place, workload, k), error.problem) from None
        try:
            check_search(one, found[1], found[2])
        except WorkloadError as error:
            raise type(error)(_entry_place(error.place, workload, k), error.problem) from None
        try:
            check_fit(one, snapshot, found[2])
            able.append(found)
        except UsageError as error:
            refused.append(error)
    if not able:
        raise refused[0]
    return able[0]


def _entry_place(place: str, workload: Workload, k: int) -> str:
    return place.replace("model.", f"model.any_of[{k}].", 1) if workload.model.any_of else place


def _described(workload: Workload, run: Path, *, trust: bool) -> tuple[str, Estimator, Traits]:
    estimator = estimator_of(workload, run, trust=trust)
    framework, traits = describe(estimator, workload.folder, workload.model.framework)
    return framework, estimator.but(params=traits.params, source=traits.source, live=workload.model.live), traits


def check_fit(workload: Workload, snapshot: Snapshot, traits: Traits) -> None:
    """Refuse what an estimator of these traits cannot do of what the workload asks.

    Raises
    ------
    WorkloadError
        With its place.
    """
    _check_abilities(workload, traits)
    _check_input(workload, snapshot, traits)


def with_model(prepared: Prepared, model: ModelSpec, run: Path, *, trust: bool = False) -> Prepared:
    """What `prepare` finds of the same data for another model: nothing is read, and its search is taken as it is.

    Raises
    ------
    WorkloadError
        As `prepare`, of the model.
    """
    before, workload = prepared.workload.model, prepared.workload.but(model=model)
    if not before.any_of and before.but(search=None) == model.but(search=None):
        return prepared._replace(workload=workload)
    framework, estimator, traits = _described(workload, run, trust=trust)
    check_fit(workload, prepared.snapshot, traits)
    shape = shape_of(workload, prepared.snapshot, prepared.profile, traits)
    return prepared._replace(
        workload=workload, framework=framework, estimator=estimator, traits=traits,
        shape=shape.but(piece_bytes=prepared.shape.piece_bytes),
    )  # fmt: skip


def _piece_bytes(reader: Reader) -> int:
    """What reading holds: the largest natural unit, as often as its source has it."""
    largest = max((size for piece in reader.snapshot.pieces for _, size in piece.parts), default=0)
    return round(getattr(reader.source, "held", 1.0) * largest)


def _staged(
    source: Source, workload: Workload, run: Path, fresh: bool, whole: bool, told: Callable[[str], None]
) -> tuple[Reader, Staging | None, Stage | None]:
    """The rows as Parquet in the run, or a part of them; what was staged for all, and what of it counts in the forecast."""
    from fitscale.data.checks import check_columns
    from fitscale.data.staging import found_staged, is_pinned, sampled, staged

    data = workload.data
    with folder.begun(run, workload.name):  # data that is wrong leaves no run behind
        found = None if fresh and not is_pinned(source) else found_staged(source, data, run / "data")
        if found is None and not whole and (part := sampled(source, data, run / "data", told)) is not None:
            return part[0], None, part[1]
        reader, staging = found or staged(source, data, run / "data", fresh=fresh, told=told)
        check_columns(reader.snapshot, data)
        seconds, size, rows = (Figure.exact(float(n)) for n in (staging.seconds, staging.bytes, staging.rows))
        done = None if found else Stage(seconds=seconds, bytes=size, rows=rows)
        return reader, staging, done


def estimator_of(workload: Workload, run: Path, *, trust: bool = False) -> Estimator:
    """The estimator as a record; a live object's address is made absolute, for those who load it.

    Raises
    ------
    Untrusted
        If somebody else pickled the live object.
    """
    model = workload.model
    if model.live:
        check(run, signature_name(model.live), (run / model.live).read_bytes(), trust=trust)
    live = str(run / model.live) if model.live else None
    return Estimator(path=model.estimator or "live", params=model.params, live=live)


def _check_abilities(workload: Workload, traits: Traits) -> None:
    if workload.evaluate.early_stopping and not traits.early_stopping:
        raise NotOffered(
            "evaluate.early_stopping",
            f"{workload.model.estimator} cannot be judged while it is fitted here; leave it out, or use the estimator's "
            "own parameters",
        )
    if workload.data.is_series and traits.input != "series":
        raise NotOffered(
            "data.step",
            f"{workload.model.estimator} fits rows, no series: name one of {', '.join(SERIES)}, or one of "
            "statsforecast.models, or leave 'step' out and give lagged columns as features",
        )
    if traits.input == "series" and not workload.data.is_series:
        raise WorkloadError(
            "data.step", f"is missing: {workload.model.estimator} needs the spacing of its series, such as 1h"
        )
    for name in workload.needs.export:
        exporter_of(name)  # its libraries are there
    if workload.data.weight and traits.weights is False:
        raise WorkloadError("data.weight", f"{workload.model.estimator} takes no weights; leave it out")
    if workload.evaluate.metric:
        tasks = ("regression",) if traits.target == "regressor" else ("binary", "multiclass")
        metrics.check(workload.evaluate.metric, tasks, traits.gives)


def _check_input(workload: Workload, snapshot: Snapshot, traits: Traits) -> None:
    from fitscale.data.features import feature_columns, kind_of

    if traits.input == "series" and traits.params.get("calendar"):
        kind = kind_of(dict(snapshot.columns)[str(workload.data.time)])
        if kind != "date":
            raise WorkloadError(
                "model.params", f"calendar: '{workload.data.time}' counts steps, and has no hours: leave it out"
            )
    if traits.input != "raw":
        return
    if workload.data.features.text:
        raise WorkloadError(
            "data.features.text",
            "a Pipeline takes raw columns, and its own steps turn texts into numbers: leave it out",
        )
    for name, type in feature_columns(workload.data, snapshot.columns):
        if kind_of(type) == "vector":
            raise WorkloadError(
                "model.estimator",
                f"it takes raw columns, and '{name}' holds sparse vectors: name the estimator without a Pipeline around it",
            )


def _check_names(workload: Workload) -> None:
    for name in workload.data.groups:
        if name in chunks.TAKEN or name.startswith("proba_"):
            taken = f"{', '.join(chunks.TAKEN)}, and what begins with proba_"
            raise WorkloadError(
                "data.groups",
                f"'{name}' is the name of a column that stands beside the keys; rename it (taken: {taken})",
            )


def fits_of(workload: Workload, reader: Reader | None) -> tuple[Fit, ...]:
    """``cv``: one fit for each part, then one on all rows; ``refit``: one on all rows after the judged one.

    Without a ``reader`` the same fits with the same shares of the rows; where a split by time falls is not known then.
    """
    from fitscale.data.folds import folds_of, refit_of

    found = folds_of(workload.evaluate, workload.seed, workload.data, reader)
    if workload.evaluate.cv:
        parts = tuple(Fit(f"cv {k}/{len(found)}", folds) for k, folds in enumerate(found, start=1))
        return (*parts, Fit("final", refit_of(found[0])))
    judged = Fit("fit", found[0])
    return (judged, Fit("final", refit_of(judged.folds))) if workload.refits else (judged,)


def _held(workload: Workload) -> float:
    """The share of the rows that is held out from a fit."""
    evaluate = workload.evaluate
    if not evaluate.cv or workload.data.is_series:  # of which the last steps are few
        return evaluate.holdout or 0.0
    return 1 / (evaluate.cv + (evaluate.by == "time"))


def shape_of(workload: Workload, snapshot: Snapshot, about: Profile, traits: Traits) -> Shape:
    """The size of one fit on all of its training rows, as far as the profile knows it."""
    from fitscale.data.texts import columns_of

    evaluate = workload.evaluate
    rows = about.rows.value * (workload.data.use if isinstance(workload.data.use, float) else 1.0)
    held = _held(workload)
    validation = evaluate.early_stopping.validation if evaluate.early_stopping else 0.0
    # A series has its values, and no others.
    features = [] if traits.input == "series" else _features(workload, snapshot, about)
    wide, filled = 0, 0.0  # columns of the matrix, and how many of them a row has
    for column in features:
        distinct = int(column.distinct.value) if column.distinct else 2
        if column.kind in ("vector", "text"):
            own = columns_of(workload.data.features, traits.sparse) if column.kind == "text" else column.width
            wide += own
            filled += min(own, column.filled * (workload.data.features.ngrams if column.kind == "text" else 1))
            continue
        if column.kind == "category" and traits.input == "one-hot":
            wide += min(distinct, workload.data.features.max_categories)
            filled += 1
        elif column.kind != "unsupported":
            wide += 5 if column.kind == "date" else 1
            filled += 5 if column.kind == "date" else 1
    categories = sum(int(c.distinct.value) for c in features if c.kind == "category" and c.distinct)
    vectors = sum(c.kind in ("vector", "text") for c in features)
    size = (
        part_bytes(snapshot) * about.rows.value / max(1, snapshot.rows)
    )  # more than the snapshot's, where that is a part
    return Shape(
        rows=max(1, round(rows * (1 - held) * (1 - validation))),
        features=max(1, wide),
        holdout_rows=round(rows * held),
        validation_rows=round(rows * (1 - held) * validation),
        classes=0 if traits.target == "regressor" else _classes(workload, about),
        missing=sum(c.missing.value for c in features) / max(1, len(features)),
        # A column that is missing everywhere is left out by the encoding.
        missing_most=max((c.missing.value for c in features if c.missing.value < 1), default=0.0),
        # One without a CSR matrix holds the zeros of vectors too.
        density=1.0 if vectors and not traits.sparse else min(1.0, filled / max(1, wide)),
        categories=categories,
        source_bytes=round(size),
        groups=about.groups.n if about.groups else 1,
        largest_group=about.groups.rows_max if about.groups else 0,
    )


def _classes(workload: Workload, about: Profile) -> int:
    """As many as the profile saw in the target: boosting grows a tree for each in every round."""
    from fitscale.data.labels import MOST_CLASSES

    seen = next((c.distinct for c in about.columns if c.name == workload.data.target and c.distinct), None)
    return min(MOST_CLASSES, max(2, round(seen.value))) if seen is not None else 2


def part_bytes(snapshot: Snapshot) -> int:
    """Of all units of reading."""
    return sum(size for piece in snapshot.pieces for _, size in piece.parts)


def _features(workload: Workload, snapshot: Snapshot, about: Profile) -> list[ColumnProfile]:
    from fitscale.data.features import feature_columns

    chosen = {name for name, _ in feature_columns(workload.data, snapshot.columns)}
    return [column for column in about.columns if column.name in chosen]


def _step(workload: Workload, snapshot: Snapshot) -> int | None:
    from fitscale.data.cut import step_of

    return step_of(workload.data, snapshot) if workload.data.is_series else None


def recipe_of(
    prepared: Prepared, fit: Fit, *, threads: int, ranks: int = 1, params: dict[str, object] | None = None
) -> Recipe:
    """The recipe of one fit under one arrangement. ``params`` override the estimator's."""
    workload, traits = prepared.workload, prepared.traits
    encoding = prepared.some.encoding if prepared.some else digest_of(
        str(ENCODING_FORMAT), prepared.snapshot.content, fit.folds.to_json(), workload.data.features.to_json(),
        repr((workload.data.target, workload.data.weight, workload.data.groups, workload.data.use, workload.evaluate.by)),
        repr((traits.target, traits.input, traits.missing, traits.sparse)),
    )  # fmt: skip
    estimator = prepared.estimator
    stopping = workload.evaluate.early_stopping if fit.folds.validation else None
    return Recipe(
        framework=prepared.framework,
        estimator=estimator.but(params={**estimator.params, **params}) if params else estimator,
        encoding=encoding,
        data=prepared.snapshot.content,
        use=workload.data.use if isinstance(workload.data.use, float) else 1.0,
        target=workload.data.target,
        weight=workload.data.weight,
        groups=workload.data.groups,
        folds=fit.folds,
        seed=workload.seed,
        segment=traits.segment,
        threads=threads,
        ranks=ranks,
        early_stopping=stopping.rounds if stopping else None,
        metric=(workload.evaluate.metric or "") if stopping else "",
        time=workload.data.time if workload.data.is_series else None,
        step=_step(workload, prepared.snapshot),
        only=prepared.some.keys if prepared.some else None,
        fallback=None if prepared.some else workload.model.fallback,
        versions=traits.versions,
    )
