"""The end of ``fitscale train``: what was made, forecast against actual, and where the report is."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

from fitscale.cli.export import compared_lines
from fitscale.cli.shown import columns, duration, plural, size, value, wrapped
from fitscale.errors import NothingMeets, UsageError
from fitscale.models import worth
from fitscale.planning.trials.found_words import outcome
from fitscale.records.base import Figure, Record
from fitscale.records.contest import Contest
from fitscale.records.plan import Forecast, Plan
from fitscale.records.run import Manifest
from fitscale.records.tuning import Searched
from fitscale.records.workload import Workload
from fitscale.report import Actual, actual_of, write
from fitscale.report.tracking import Tracked, track
from fitscale.running.exporting import Exported
from fitscale.running.state import state_of
from fitscale.running.training import Trained
from fitscale.store import chunks, folder, versions

SHOWN_REASONS = 3
LOOK_SHARE, LEAST_LOOK_S = 0.1, 3.0  # of a training's time, for shuffling columns after it
log = logging.getLogger("fitscale")


class Summary(Record):
    """What ``fitscale train --json`` prints."""

    format: int = 1
    run: str
    version: int
    nothing_to_do: bool
    metric: str
    score: float | None
    unscored: str = ""  # why there is no score
    models: int
    unfit: int
    failed: int
    reasons: dict[str, int] = {}  # of groups without a model: "STATUS: WHY" → how many
    forecast: Forecast | None = None
    actual: Actual | None = None
    report: str | None = None
    exported: tuple[Exported, ...] = ()
    mlflow: Tracked | None = None
    unlogged: str = ""  # why it is not in MLflow
    contest: Contest | None = None  # by which the estimator was chosen
    searched: Searched | None = None  # by which its parameters were found


def summary_of(
    trained: Trained, workload: Workload, *, trust: bool = False, mlflow: str | None = None, report: bool = True
) -> Summary:
    """Writes the report and logs to MLflow too; what cannot be written or logged costs itself alone."""
    about, run = trained.manifest, trained.run
    failures = versions.failures(run, about.version)
    written = write_report(run, about.version, trust=trust, folder=workload.folder) if report else None
    plan = plan_of(run, about.version)
    tracked, unlogged = tracked_in(mlflow, run, about.version) if mlflow else (None, "")
    reasons = Counter(f"{record['status']}: {record['why'] or record['kind']}" for record in failures)
    return Summary(
        run=str(run),
        version=about.version,
        nothing_to_do=trained.nothing_to_do,
        metric=about.metric,
        score=about.scores.get(about.metric),
        unscored=_unscored(run, about, workload) if about.scores.get(about.metric) is None else "",
        models=about.models,
        unfit=about.unfit,
        failed=about.failed,
        reasons=dict(reasons.most_common()),
        forecast=forecast_of(run, about.version),
        actual=actual_of(run, about.version),
        report=written,
        exported=trained.exported,
        mlflow=tracked,
        unlogged=unlogged,
        contest=plan.contest if plan else None,
        searched=plan.searched if plan else None,
    )


def _unscored(run: Path, about: Manifest, workload: Workload) -> str:
    """Why a version has no score: nothing was held out, or the metric is undefined on what was."""
    judged = next(iter(about.recipes.values())).digest
    tables = [chunks.read_table(run, chunks.read(run, judged, k).table) for k in sorted(chunks.committed(run, judged))]
    if sum(sum(table.column("n_holdout").to_pylist()) for table in tables):
        return f"{about.metric} is undefined on the held-out rows: they have one class, or a constant target"
    by = workload.evaluate.by
    if by == "random" or not workload.evaluate.holdout:
        return "no row was held out: a larger evaluate.holdout keeps some"
    return (
        f"no row was held out: {by} has few values, and seed {workload.seed} holds none of them out; another seed, or a "
        "larger evaluate.holdout, keeps some"
    )


def write_report(run: Path, version: int, *, trust: bool, folder: str) -> str | None:
    """The report of a version that is committed. A tenth of what it took, and 3 to 20 s, go into what its model is worth."""
    try:
        took = actual_of(run, version)
        limit_s = min(worth.LIMIT_S, max(LEAST_LOOK_S, LOOK_SHARE * (took.work_s if took else 0.0)))
        worth.refresh(run, version, limit_s=limit_s, trust=trust, folder=folder)
        return str(write(run, version))
    except Exception as error:  # whatever it is: the models are there
        log.warning("%s: the report was not written (%s: %s)", run, type(error).__name__, error)
        return None


def tracked_in(uri: str, run: Path, version: int) -> tuple[Tracked | None, str]:
    """(where a committed version stands in MLflow, why it does not)."""
    try:
        return track(run, version, uri), ""
    except Exception as error:  # whatever it is: the models are there
        log.warning(
            "version %d was not logged to MLflow (%s); it is there all the same, and the same command logs it later",
            version, error,
        )  # fmt: skip
        return None, str(error)


def plan_of(run: Path, version: int) -> Plan | None:
    """The plan that a version was begun with."""
    begun = state_of(run).finished.get(version)
    return None if begun is None else folder.read_plan(run, begun.plan)


def forecast_of(run: Path, version: int) -> Forecast | None:
    """What the version's plan promised of the architecture that was chosen."""
    begun, plan = state_of(run).finished.get(version), plan_of(run, version)
    if begun is None or plan is None:
        return None
    decision = plan.decision
    known = [*([decision.chosen] if decision.chosen else []), *decision.alternatives]
    return next((a.forecast for a in known if a.candidate == begun.candidate), None)


def summary_lines(summary: Summary, trained: Trained, width: int, file: str) -> list[str]:
    """The lines that a person reads."""
    about = trained.manifest
    head = f"Version {summary.version}: {plural(summary.models, 'model')}, {summary.metric} {value(summary.score)} on held-out rows"
    if summary.nothing_to_do:
        head = f"Nothing to do: version {summary.version} is made from this workload, this data and these libraries"
    lines = wrapped("", head, width, 0)
    if summary.contest is not None:
        lines += wrapped("Any of", summary.contest.reason, width)
    if told := outcome(summary.searched):
        lines += wrapped("Search", told, width)
    if summary.unscored:
        lines += wrapped("", f"No score: {summary.unscored}", width, 0)
    if about.base is not None:
        told = f"{plural(about.retrained, 'group')} trained again, which the score is of; the others are version {about.base}'s"
        lines += wrapped("", told, width, 0)
    if about.groups:
        lines += wrapped("", f"{plural(about.failed, 'group')} failed, {about.unfit:,} unfit", width, 0)
        if about.fallback:
            told = (
                f"{plural(about.fallback, 'group')} too small for a model of their own, with that of several together"
            )
            lines += wrapped("", told, width, 4)
        # Failures first: an unfit group is as its data are.
        ordered = sorted(summary.reasons.items(), key=lambda item: (item[0].startswith("unfit"), -item[1]))
        for reason, count in ordered[:SHOWN_REASONS]:
            lines += wrapped("", f"{count:,} × {reason}", width, 4)
        if about.failed or about.unfit:
            lines += wrapped("", f"all of them: fitscale models list {file} --failed", width, 4)
    if not summary.nothing_to_do:
        lines += ["", *against(summary.forecast, summary.actual)]
    lines += [""]
    for one in summary.exported:
        lines += wrapped("Export", "; ".join([f"{one.to}: {one.folder}", *compared_lines(one.compared)]), width)
    if summary.mlflow:
        before = "was logged before as" if summary.mlflow.before else "logged as"
        told = f"{before} run {summary.mlflow.run_id} of experiment {summary.mlflow.experiment}, {summary.mlflow.uri}"
        lines += wrapped("MLflow", told, width)
    lines += wrapped("Report", summary.report, width) if summary.report else []
    return [*lines, *wrapped("Predict", f"fitscale predict {file} --data NEW --out predictions.parquet", width)]


def against(forecast: Forecast | None, actual: Actual | None) -> list[str]:
    """Forecast and actual, side by side."""
    if actual is None:
        return []
    rows = []
    for name, promised, took, shown in (
        ("time", forecast.time_s if forecast else None, actual.work_s, duration),
        ("memory", forecast.memory_bytes if forecast else None, actual.peak_bytes, size),
    ):
        rows.append([name, shown(promised) if promised else "–", shown(took) if took else "–", _judged(promised, took)])
    lines = columns(rows, ["", "forecast (90 %)", "actual", ""])
    more = [f"{duration(actual.probing_s)} of probing not counted in"] if actual.probing_s >= 0.1 else []
    more += [f"{actual.commands} commands, what was interrupted counted in"] if actual.commands > 1 else []
    return [*lines, *more]


def _judged(promised: Figure | None, took: float) -> str:
    if promised is None or not promised.value or not took:
        return ""
    off = f"{took / promised.value - 1:+.0%}".replace("-", "−").replace("%", " %")
    return off if promised.low <= took <= promised.high else f"{off}, outside the interval"


def check_deadline(workload: Workload, began: float, ended: float) -> None:
    """Raise if the command took longer than ``needs.deadline`` says it must.

    Raises
    ------
    NothingMeets
        With both times. The version is there all the same.
    """
    deadline = workload.needs.deadline
    if deadline is None:
        return
    if deadline.must_s is not None and ended - began > deadline.must_s:
        took, must = duration(ended - began), duration(deadline.must_s)
        raise NothingMeets(
            f"finished late: it took {took}, needs.deadline says {must}; the version is there all the same"
        )
    if deadline.at is not None and "T" in deadline.at:
        from fitscale.workload.moments import seconds_until

        try:
            seconds_until(deadline.at)
        except UsageError:
            raise NothingMeets(
                f"finished late: it was to be done by {deadline.at}; the version is there all the same"
            ) from None
