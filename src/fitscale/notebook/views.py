"""A plan or a run → HTML for a notebook's cell: styles stand in the elements, names of strangers stay words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fitscale.errors import FitscaleError
from fitscale.planning import wording
from fitscale.report.candidates import SHOWN, row_of
from fitscale.report.considered import considered_shown
from fitscale.report.headline import tiles, verdict
from fitscale.report.reading import read
from fitscale.report.scored import scored_shown
from fitscale.report.text import many, parted, percent, plain, score

if TYPE_CHECKING:
    from fitscale.models.opened import Run
    from fitscale.records.plan import Plan
    from fitscale.records.worth import Shuffled

COLUMNS = 8  # of the most important


def plan_html(plan: Plan) -> str:
    """The verdict, the candidates with their intervals, what was considered, how it scores, and what was ruled out."""
    decision = plan.decision
    chosen = decision.chosen
    others = [a for a in decision.alternatives if chosen is None or a.candidate != chosen.candidate]
    rows = [row_of(a, a is chosen) for a in [*([chosen] if chosen else []), *others][:SHOWN]]
    return _rendered(
        "plan.html.j2",
        title=f"{plain(plan.workload.name, 80)} · plan {plan.number}",
        reasons=[plain(reason) for reason in decision.reasons],
        considered=considered_shown(plan),
        scored=scored_shown(plan),
        rows=rows,
        costs=any(row.cost for row in rows),
        refused=[(plain(r.candidate.name, 60), plain(r.sentence)) for r in decision.refused[:SHOWN]],
        flips=[plain(flip) for flip in decision.flips],
        warnings=[plain(warning) for warning in plan.profile.warnings],
    )


def run_html(run: Run) -> str | None:
    """Score, and time and memory beside their forecasts; None where the run folder cannot be read any more."""
    try:
        m = read(run.path, run.version)
    except (FitscaleError, OSError):
        return None
    about = run.manifest
    models = m.models if about.groups else None
    importance = m.worth.importance if m.worth else None
    return _rendered(
        "run.html.j2",
        title=f"{plain(run.name, 80)} · version {run.version}",
        verdict=verdict(m),
        estimator=plain(run.estimator, 120),
        tiles=tiles(m),
        counts=[(n, name) for name, n in (("fitted", about.models), ("unfit", about.unfit), ("failed", about.failed))]
        if about.groups else [],
        failures=[(f.status, f.kind, f.n, f.examples[0] if f.examples else None) for f in models.failures] if models else [],
        metric=plain(about.metric, 40),
        importance=[_drop(column) for column in importance.columns[:COLUMNS]] if importance else [],
        report=plain((run.path / "report.html").absolute(), 200) if (run.path / "report.html").exists() else "",
    )  # fmt: skip


def _drop(column: Shuffled) -> tuple[str, str, str]:
    return plain(column.column, 40), score(column.drop), wording.number(column.spread) if column.spread else ""


def progress_html(words: str, share: float | None) -> str:
    """A bar, where the share that is done is known, and the words beneath it."""
    return _rendered("progress.html.j2", words=plain(words), share=None if share is None else percent(share))


def _rendered(template: str, **values: Any) -> str:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fitscale.notebook", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"parted": parted, "many": many}
    return environment.get_template(template).render(**values)
