"""How much of a metric may be lost where fewer rows are taken: as the workload says, or what nobody would miss."""

from __future__ import annotations

from fitscale import metrics
from fitscale.errors import WorkloadError
from fitscale.records.run import Traits
from fitscale.records.workload import Enough, Workload

ABSOLUTE = 0.002  # of scores whose best is 1
RELATIVE = 0.005  # of errors, which are in units of their own


def tolerance_of(metric: str, score: float) -> float:
    """What nobody would miss: 0.002 of a score that is at most 1, half a per cent of an error."""
    return RELATIVE * abs(score) if is_error(metric) else ABSOLUTE


def is_error(metric: str) -> bool:
    """Whether scikit-learn's name says an error with its sign turned, in units of its own."""
    return metric.startswith("neg_") or metric == "max_error"


def check_tolerance(workload: Workload, traits: Traits, classes: int) -> None:
    """Refuse what no score can lose.

    Raises
    ------
    WorkloadError
        At data.use.enough.
    """
    use = workload.data.use
    if not isinstance(use, Enough) or use.within is None:
        return
    name = workload.evaluate.metric or metrics.default_metric(metrics.task_of(classes), classes, traits.gives)
    if not is_error(name) and use.within >= 1:
        raise WorkloadError(
            "data.use.enough",
            f"{use.within:g} is more than {name} can lose between a good model and none: a loss such as {ABSOLUTE:g}",
        )
