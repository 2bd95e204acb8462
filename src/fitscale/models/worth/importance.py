"""What shuffling a raw column costs: permutation importance, bounded in rows and seconds, by seed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from fitscale.models.worth.segments import taken
from fitscale.records.worth import Importance, Shuffled

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.contracts import Metric
    from fitscale.models.worth.judged import Block
    from fitscale.models.worth.rows import Sample
    from fitscale.work.model import Model

REPEATS = 5
LADDER = (500, 1_000, 2_000, 5_000, 10_000, 20_000)  # of rows: a machine that is somewhat slower takes as many
PILOT = 500


def importance_of(
    model: Model, sample: Sample, measure: Metric, seed: int, limit_s: float, repeats: int = REPEATS
) -> Importance | str:
    """The drops of the score by column, or why there are none.

    So many of the sample's rows are taken that ``repeats`` rounds over all columns take about ``limit_s``. A round that the
    time ends counts only where it is the first.
    """
    began = time.monotonic()
    classes = model.encoding.n_classes
    _score(model, _part(sample, PILOT), measure, classes)  # what is loaded on first use is no cost of a row
    pilot = time.monotonic()
    _score(model, _part(sample, PILOT), measure, classes)
    per_row = (time.monotonic() - pilot) / max(1, min(PILOT, len(sample.row)))
    calls = repeats * max(1, sample.table.num_columns)
    affordable = limit_s / max(per_row * calls, 1e-12)
    part = _part(sample, max((n for n in LADDER if n <= affordable), default=LADDER[0]))
    score = _score(model, part, measure, classes)
    if score is None:
        return f"{measure.name} is undefined on {len(part.row):,} held-out rows, or takes what the model does not give"
    sign = 1.0 if measure.greater else -1.0
    rounds: list[dict[int, float]] = []
    for k in range(repeats):
        drops: dict[int, float] = {}
        for column in np.random.default_rng([seed, k]).permutation(part.table.num_columns).tolist():
            if time.monotonic() - began > limit_s and (rounds or drops):
                break
            # Drawn for each round and column apart: one that the time ended changes nothing of the others.
            order = np.random.default_rng([seed, k, column]).permutation(len(part.row))
            changed = _score(model, part._replace(table=shuffled(part.table, column, order)), measure, classes)
            if changed is not None:
                drops[column] = sign * (score - changed)
        else:
            rounds.append(drops)
            continue
        rounds = rounds or [drops]
        break
    names = part.table.column_names
    found = [(names[column], [drops[column] for drops in rounds if column in drops]) for column in rounds[0]]
    return Importance(
        metric=measure.name,
        score=score,
        rows=len(part.row),
        repeats=len(rounds),
        columns=tuple(sorted((_shuffled(name, drops) for name, drops in found), key=lambda c: (-c.drop, c.column))),
        untried=len(names) - len(found),
        seconds=round(time.monotonic() - began, 3),
        limit_s=limit_s,
    )


def shuffled(table: pa.Table, column: int, order: np.ndarray) -> pa.Table:
    """The table with one column's values in another order."""
    import pyarrow as pa

    field = table.schema.field(column)
    return table.set_column(column, field, table.column(column).take(pa.array(order)))


def _shuffled(name: str, drops: list[float]) -> Shuffled:
    spread = float(np.std(drops, ddof=1)) if len(drops) > 1 else None
    return Shuffled(column=name, drop=float(np.mean(drops)), spread=spread)


def _part(sample: Sample, most: int) -> Sample:
    """Evenly drawn rows of the sample."""
    import pyarrow as pa

    if len(sample.row) <= most:
        return sample
    at = np.linspace(0, len(sample.row) - 1, most).astype(np.int64)
    weight = None if sample.weight is None else sample.weight[at]
    return sample._replace(table=sample.table.take(pa.array(at)), row=sample.row[at], y=sample.y[at], weight=weight)


def _score(model: Model, part: Sample, measure: Metric, classes: int) -> float | None:
    predicted = taken(measure.takes, scored(model, part), classes)
    return None if predicted is None else measure.one(part.y, predicted, part.weight)


def scored(model: Model, part: Sample) -> Block:
    """What the model says of the rows."""
    from fitscale.models.worth.judged import Block

    value, proba = model.scored(part.table.combine_chunks())
    return Block(part.row, part.y, part.weight, value, proba)
