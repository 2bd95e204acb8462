"""What a series costs: by its length and the numbers of its model."""

from __future__ import annotations

from typing import Any

from fitscale.records.data import Shape
from fitscale.records.plan import Law, Term
from fitscale.records.run import Form

MODEL_S = 2e-6  # of each, beside its values
VALUE_S = {"ar": 4e-9, "level": 4e-9, "smoothing": 1.2e-8, "arima": 1e-6}  # and of each number held with it
# One by one each step of a kernel is a call for one number.
ALONE_MODEL_S = 1e-4
ALONE_VALUE_S = {"ar": 1e-8, "level": 1e-8, "smoothing": 5e-5, "arima": 5e-4}
HEAD_BYTES = 24


def law(kind: str, settings: Any, shape: Shape, form: Form) -> Law:
    """See `contracts.Framework.law`: of one series. Times are CPU seconds, by what was measured at 200 and 720 values."""
    values = float(shape.rows)
    alone = form != "groups"
    value_s, model_s = VALUE_S[kind] * settings.cells, ALONE_MODEL_S if alone else MODEL_S
    value_s += ALONE_VALUE_S[kind] if alone else 0.0
    work = Term(name="values", amount=values, prior=value_s, floor=value_s / 20)
    model = Term(name="model", amount=1, prior=model_s, floor=model_s / 20)
    score = Term(name="rows", amount=float(shape.holdout_rows), prior=2e-8)
    held = Term(name="series", amount=values, prior=40.0, floor=16.0)
    return Law(
        time={"iterations": (work, model), "score": (score,)},
        memory=(Term(name="process", amount=1, prior=9e7, floor=3e7), held),
        storage=(Term(name="model", amount=1, prior=HEAD_BYTES + 8.0 * settings.width),),
        error=(1.0, 0.3, 0.12),
    )
