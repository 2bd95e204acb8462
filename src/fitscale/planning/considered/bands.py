"""The scales on which a job is placed: each count in one band, without a gap between them.

A band begins at its edge and ends before the next one's: 100 models are in 100–1,000.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from fitscale.planning import wording
from fitscale.records.plan import Plan

HOUR = 3600.0
DAY = 24 * HOUR


class Scale(NamedTuple):
    """Where each band begins, from 0 on, and what it is called."""

    edges: tuple[float, ...]
    names: tuple[str, ...]

    def band(self, value: float) -> str:
        """The band of a value that is not negative."""
        return self.names[self._at(value)]

    def is_large(self, value: float) -> bool:
        """Whether it is in one of the two uppermost bands."""
        return self._at(value) >= len(self.edges) - 2

    def _at(self, value: float) -> int:
        return max(0, bisect_right(self.edges, value) - 1)


MODELS = Scale((0, 10, 100, 1_000, 10_000), ("< 10", "10–100", "100–1,000", "1,000–10,000", "10,000+"))
FEATURES = Scale((0, 100, 1_000, 5_000), ("0–100", "100–1,000", "1,000–5,000", "5,000+"))
BYTES = Scale((0, 20e9, 100e9, 500e9), ("0–20 GB", "20–100 GB", "100–500 GB", "500+ GB"))
USERS = Scale((0, 20, 50, 100), ("0–20", "20–50", "50–100", "100+"))
SECONDS = Scale(
    (0, HOUR, 2 * HOUR, 4 * HOUR, 12 * HOUR, 7 * DAY), ("under 1 h", "1–2 h", "2–4 h", "4–12 h", "days", "weeks")
)
# Runs a month; the edges lie half-way between two frequencies, by their ratio.
FREQUENCY = Scale((0, 0.5, 1.5, 3.1, 11.5), ("ad hoc", "monthly", "biweekly", "weekly", "daily"))


def scales_of(plan: Plan) -> str:
    """What is large at once: ``both scales at once: 1,000 models of 10,000 features``; nothing where at most one is."""
    n, features, size = model_count(plan), plan.shape.features, bytes_of_a_model(plan)
    large = [MODELS.is_large(n), FEATURES.is_large(features), BYTES.is_large(size)]
    if sum(large) < 2:
        return ""
    models, *of = [word for word, is_large in zip(
        (f"{n:,} models", f"{features:,} features", wording.size(size)), large, strict=True
    ) if is_large]  # fmt: skip
    return f"{'all three' if all(large) else 'both'} scales at once: {models} of {' and '.join(of)}"


def model_count(plan: Plan) -> int:
    return plan.profile.groups.n if plan.profile.groups else 1


def bytes_of_a_model(plan: Plan) -> float:
    """Bytes of the data, as they lie there, for one model: of many, for the largest."""
    whole = float(plan.shape.source_bytes or plan.profile.bytes)
    groups, rows = plan.profile.groups, plan.profile.rows.value
    return whole * min(1.0, groups.rows_max / max(1.0, rows)) if groups else whole
