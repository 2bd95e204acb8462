"""Models that were judged on the same rows are held against each other, and the fastest of the best is chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitscale.planning.trials.comparing import T90, decided, difference, labels_of, score_text
from fitscale.records.base import Figure
from fitscale.records.contest import Entrant
from fitscale.records.trials import BLOCKS, Trial, Tried
from fitscale.records.workload import ModelSpec


def entrant(
    name: str, score: float | None, seconds: float, *, noise: float = 0.0, measured: bool = True, **more: Any
) -> Entrant:
    """An estimator whose blocks lie around its score, every other one above."""
    blocks = () if score is None else tuple(score + noise * (-1) ** k for k in range(BLOCKS))
    tried = Tried(
        trial=Trial(), metric="roc_auc", score=score, blocks=blocks, judged=1_000, rows=4_000, seconds=seconds
    )
    given = {
        "model": ModelSpec(estimator=f"some.{name}"),
        "time_s": Figure.around(seconds, 0.2, "forecast"),
        "memory_bytes": Figure.exact(1e6),
        "measured": measured,
        "tried": (tried,),
        "at": 0 if score is not None else None,
    }
    return Entrant.model_validate({**given, **more})


def test_a_difference_is_paired_by_blocks() -> None:
    """What both have in common is not in its interval: hard blocks are hard for both."""
    rng = np.random.default_rng(0)
    hard = rng.normal(0.7, 0.1, BLOCKS)
    found = difference((hard + 0.01).tolist(), hard.tolist())
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((0.01, 0.01, 0.01))


def test_the_interval_of_a_difference_holds_in_nine_of_ten() -> None:
    """Of 2,000 pairs that differ by 0.01 and noise."""
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(2_000):
        found = difference(rng.normal(0.01, 0.02, BLOCKS).tolist(), [0.0] * BLOCKS)
        assert found is not None
        held += found.low <= 0.01 <= found.high
    assert 0.87 < held / 2_000 < 0.93


def test_the_quantiles_are_those_of_students_t() -> None:
    from scipy.stats import t

    assert pytest.approx([t.ppf(0.95, k) for k in range(1, len(T90) + 1)], abs=5e-4) == T90


def test_blocks_without_a_score_are_left_out_and_few_tell_nothing() -> None:
    assert difference([0.1, None, 0.3, float("nan"), 0.5], [0.0, 0.0, 0.1, 0.1, 0.2]) is not None
    assert difference([0.1, None, 0.3], [0.0, 0.0, None]) is None
    assert difference((), ()) is None


def test_the_best_is_chosen_where_it_surely_is() -> None:
    found = decided([entrant("Slow", 0.8, 100), entrant("Fast", 0.75, 1)], "roc_auc", 3.0)
    assert (found.chosen, [e.verdict for e in found.entrants]) == (0, ["chosen", "worse"])
    assert found.reason == "Slow: the best by roc_auc, by 0.0500 (0.0500–0.0500) before the next"


def test_the_fastest_is_chosen_of_those_that_chance_may_have_put_behind() -> None:
    entrants = [entrant("Slow", 0.801, 100), entrant("Fast", 0.797, 1, noise=0.02), entrant("Poor", 0.6, 0.1)]
    found = decided(entrants, "roc_auc", 3.0)
    assert (found.chosen, [e.verdict for e in found.entrants]) == (1, ["as good", "chosen", "worse"])
    assert found.reason == "Fast: as good as Slow, the best by roc_auc (−0.0040), and faster"


def test_a_thousandth_is_no_reason_to_take_longer() -> None:
    """However surely it is there."""
    found = decided([entrant("Slow", 0.8, 100), entrant("Fast", 0.7993, 1)], "roc_auc", 3.0)
    assert found.chosen == 1


def test_the_best_stays_where_it_is_the_fastest_too() -> None:
    found = decided([entrant("Best", 0.8, 1), entrant("Other", 0.7999, 5)], "roc_auc", 3.0)
    assert (found.chosen, found.reason) == (0, "Best: the best by roc_auc; Other is as good, and not faster")


def test_what_rests_on_priors_is_ordered_by_what_its_trial_took() -> None:
    quick = entrant("Quick", 0.8, 1, measured=False, time_s=Figure.exact(50.0))
    found = decided([entrant("Other", 0.8, 3, time_s=Figure.exact(2.0)), quick], "roc_auc", 3.0)
    assert found.chosen == 1


def test_of_a_metric_of_which_less_is_better_the_least_is_best() -> None:
    found = decided([entrant("More", 0.8, 1), entrant("Less", 0.5, 9)], "own_loss", 3.0, greater=False)
    assert found.chosen == 1
    assert found.entrants[0].behind is not None
    assert found.entrants[0].behind.value == pytest.approx(0.3)


def test_what_is_ruled_out_is_never_chosen() -> None:
    """Where nothing has a score, the fastest of those that can be trained; where nothing can, the first."""
    out = entrant("Out", 0.9, 1, why="needs 41 GB, this machine has 24")
    assert decided([out, entrant("In", 0.5, 9)], "roc_auc", 3.0).chosen == 1
    unjudged = decided([out, entrant("Slow", None, 9), entrant("Fast", None, 4)], "roc_auc", 3.0)
    assert (unjudged.chosen, unjudged.reason) == (2, "Fast: none could be judged, and it is the fastest")
    none = decided([out, out], "roc_auc", 3.0)
    assert (none.chosen, [e.verdict for e in none.entrants]) == (0, ["ruled out", "ruled out"])


def test_entries_of_one_class_are_told_apart_by_their_params() -> None:
    models = [ModelSpec(estimator="a.Tree", params={"depth": d, "x": 1}) for d in (3, 9)]
    assert labels_of([*models, ModelSpec(estimator="b.Line")]) == ["Tree(depth=3)", "Tree(depth=9)", "Line"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.79123, "0.7912"), (-0.0021, "−0.0021"), (12.345, "12.35"), (3456.7, "3,457"), (-123.46, "−123.5")],
)
def test_scores_have_digits_that_count(value: float, text: str) -> None:
    assert score_text(value) == text


@given(
    st.lists(
        st.tuples(st.floats(-1e3, 1e3), st.floats(0.1, 1e4), st.floats(0, 1), st.booleans()), min_size=1, max_size=6
    ),
    st.booleans(),
)
def test_what_is_chosen_is_as_good_as_the_best_and_none_of_those_is_faster(
    drawn: list[tuple[float, float, float, bool]], greater: bool
) -> None:
    entrants = [
        entrant(f"E{k}", score, seconds, noise=noise, why="" if passes else "no")
        for k, (score, seconds, noise, passes) in enumerate(drawn)
    ]
    found = decided(entrants, "some", 1.0, greater=greater)
    good = [e for e in found.entrants if e.verdict in ("chosen", "as good")]
    if any(passes for *_, passes in drawn):
        assert found.entrants[found.chosen].verdict == "chosen"
        fastest = min(e.time_s.value for e in good if e.time_s)
        assert found.entrants[found.chosen].time_s == Figure.around(fastest, 0.2, "forecast")
    assert [e.verdict for e in found.entrants].count("chosen") == bool(good)
    assert all(e.verdict == "ruled out" for e in found.entrants if e.why)
