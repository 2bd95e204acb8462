"""The next steps of every series of a run, with their intervals, from the models alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fitscale.data.cut import moments_as
from fitscale.errors import UsageError
from fitscale.registry import plugin

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.models.opened import Run


def ahead(run: Run, steps: int, *, interval: float = 0.9) -> pa.Table:
    """One row for each series that has a model and each step after its end: keys, time, ``prediction``, ``low``, ``high``.

    Parameters
    ----------
    interval
        How much of what may come lies between low and high, if the model is right, and its errors as it takes them to be.

    Raises
    ------
    UsageError
        For models that are of no series.
    """
    import pyarrow as pa

    framework = plugin("frameworks", run.recipe.framework)()
    if run.encoding.input != "series":
        raise UsageError(f"{run.path}: {run.estimator} was fitted on rows, not on series: give rows with --data")
    if steps < 1:
        raise UsageError(f"--ahead {steps}: at least one step")
    keys, payloads = run.fitted()
    models = framework.together(payloads)
    values, low, high = models.ahead(steps, interval)
    (time,) = run.encoding.columns
    moments = (models.ends[:, None] + models.step * np.arange(1, steps + 1)).reshape(-1)
    of = np.repeat(np.arange(len(payloads)), steps)
    return pa.table(
        {
            **{name: keys.column(name).take(pa.array(of)) for name in keys.column_names},
            time.name: moments_as(moments, time.type),
            "prediction": values.reshape(-1),
            "low": low.reshape(-1),
            "high": high.reshape(-1),
        }
    )
