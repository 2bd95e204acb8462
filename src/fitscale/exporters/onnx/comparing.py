"""What was exported against the run's own model, on the same rows.

Labels must agree, but where the model itself hardly tells two of them apart: float32 sums end on either side then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fitscale.contracts import Batch
from fitscale.errors import NotExportable
from fitscale.exporters.onnx.inputs import Input, feeds, sayable
from fitscale.records.run import Compared
from fitscale.registry import plugin

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.data.encoding import Encoding
    from fitscale.records.run import Recipe

TIE = 1e-5  # two labels whose probabilities, as the run gives them, are so near are a tie
PROBABILITY = 1e-4  # by how much a probability may differ
VALUE = 1e-4  # by how much a value may differ, in parts of the largest


class Seen(NamedTuple):
    """Of the rows of one model."""

    rows: int
    largest: float  # difference of a probability, or of a value
    ties: int


def compare(
    model: bytes, inputs: tuple[Input, ...], native: Any, encoding: Encoding, recipe: Recipe, rows: pa.RecordBatch
) -> Seen:
    """Run both on the rows.

    Raises
    ------
    NotExportable
        If they say different things.
    """
    rows = sayable(inputs, rows)
    if not rows.num_rows:
        return Seen(0, 0.0, 0)
    said = _run(model, feeds(inputs, rows))
    framework = plugin("frameworks", recipe.framework)()
    batch = Batch(encoding.apply(rows), np.empty(0), None, np.arange(rows.num_rows))
    [own] = framework.score(native, [batch])
    value = encoding.decode(own.value).to_numpy(zero_copy_only=False)
    if not encoding.n_classes:
        return _values(value, said[0])
    ties = _labels(value, said[0], own.value, own.proba, encoding)
    if len(said) == 1 or own.proba is None:
        return Seen(len(value), 0.0, ties)
    largest = float(np.abs(said[1] - own.proba).max(initial=0.0))
    if not largest <= PROBABILITY:
        raise NotExportable(
            f"the exported model's probabilities differ from the run's by up to {largest:.2g} on {len(value):,} rows, more "
            f"than {PROBABILITY:g}"
        )
    return Seen(len(value), largest, ties)


def summed(seen: list[Seen], classes: int) -> Compared:
    return Compared(
        models=len(seen),
        rows=sum(one.rows for one in seen),
        largest=max((one.largest for one in seen), default=0.0),
        of="probabilities" if classes else "values",
        ties=sum(one.ties for one in seen),
    )


def _run(model: bytes, given: dict[str, np.ndarray]) -> list[np.ndarray]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # a second input for truth values has a default, which is warned of
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        return [np.asarray(output) for output in session.run(None, given)]
    except Exception as error:  # the library's own classes are not documented
        raise NotExportable(f"onnxruntime cannot run the exported model: {str(error).splitlines()[0][:300]}") from error


def _values(own: np.ndarray, said: np.ndarray) -> Seen:
    largest = float(np.abs(own - said).max(initial=0.0))
    allowed = VALUE * float(np.abs(own).max(initial=0.0))
    if not largest <= allowed:
        raise NotExportable(
            f"the exported model's values differ from the run's by up to {largest:.3g} on {len(own):,} rows, more than "
            f"{allowed:.3g} (a ten thousandth of the largest)"
        )
    return Seen(len(own), largest, 0)


def _labels(own: np.ndarray, said: np.ndarray, codes: np.ndarray, proba: np.ndarray | None, encoding: Encoding) -> int:
    """How many ties ended elsewhere."""
    at = np.flatnonzero(own != said)
    if not len(at):
        return 0
    wrong = at
    if proba is not None:
        place = {label: code for code, label in enumerate(encoding.labels() or ())}
        theirs = np.array([place[label] for label in said[at].tolist()])
        wrong = at[~(np.abs(proba[at, codes[at].astype(np.int64)] - proba[at, theirs]) <= TIE)]
    if len(wrong):
        raise NotExportable(
            f"the exported model gives another label in {len(wrong):,} of {len(own):,} rows, where the run's probabilities "
            f"are no tie (within {TIE:g}): the first is {said[wrong[0]]!r} for {own[wrong[0]]!r}"
        )
    return len(at)
