"""How sure a decision is: shares that add up, that another candidate cannot raise, and that the same plan gives again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitscale.planning.decision import deciding
from fitscale.planning.decision.choosing import TIE
from fitscale.planning.decision.settling import close_of
from fitscale.planning.decision.sure_words import told
from fitscale.planning.decision.sureness import DRAWS, sureness_of
from fitscale.records.base import Figure
from fitscale.records.plan import Assessed, Chance, Decision, Sureness

GB = 1e9
NAMES = ("in-memory", "quantised", "out-of-core", "data-parallel", "parts-and-merge", "cluster-native")


def decided(bench: Any, assessed: Sequence[Assessed], workload: Any = None, **more: Any) -> Decision:
    given = {"choose": None, "settled": True, "elsewhere": ()} | more
    return deciding.decide(workload or bench.workload(), bench.machine(), assessed, (), **given)


def sure(
    bench: Any, assessed: Sequence[Assessed], workload: Any = None, *, choose: str | None = None, **more: Any
) -> Sureness:
    decision = decided(bench, assessed, workload, choose=choose)
    return sureness_of(decision, workload or bench.workload(), bench.machine(), **more)


def by_name(found: Sureness) -> dict[str, Chance]:
    return {chance.name: chance for chance in found.chances}


seconds, memories, errors = st.floats(5, 500), st.floats(0.1 * GB, 12 * GB), st.floats(0.0, 2.0)
sizes = st.lists(st.tuples(seconds, memories, errors), min_size=1, max_size=len(NAMES))


def made(bench: Any, drawn: Sequence[tuple[float, float, float]], usd: bool = False) -> list[Assessed]:
    """Candidates with these times, memories and relative errors; each second costs as much."""
    return [
        bench.known(name, time_s, memory, error=error, usd=time_s / 3600 if usd else None)
        for name, (time_s, memory, error) in zip(NAMES, drawn, strict=False)
    ]


# Promises that hold for all candidates.


@settings(max_examples=40, deadline=None)
@given(drawn=sizes, usd=st.booleans())
def test_both_shares_add_up_to_one(bench: Any, drawn: Any, usd: bool) -> None:
    """In each draw, and under each weighting, one candidate is the best."""
    chances = sure(bench, made(bench, drawn, usd)).chances
    assert len(chances) == len(drawn)
    assert sum(c.best for c in chances) == pytest.approx(1)
    assert sum(c.first for c in chances) == pytest.approx(1)
    assert any(c.on_front for c in chances)


@settings(max_examples=40, deadline=None)
@given(drawn=st.lists(st.tuples(seconds, memories, errors), min_size=2, max_size=len(NAMES)), must=st.booleans())
def test_another_candidate_raises_nobodys_share(bench: Any, drawn: Any, must: bool) -> None:
    """It can take draws and weightings from the others, and give them none."""
    workload = bench.workload(must=2000 if must else None)
    fewer = by_name(sure(bench, made(bench, drawn[:-1]), workload))
    more = by_name(sure(bench, made(bench, drawn), workload))
    assert all(more[name].best <= fewer[name].best for name in fewer)
    assert all(more[name].first <= fewer[name].first for name in fewer)


@settings(max_examples=40, deadline=None)
@given(drawn=sizes, usd=st.booleans())
def test_what_is_dominated_is_never_on_the_front(bench: Any, drawn: Any, usd: bool) -> None:
    """Whatever takes more in one respect, and less in none, is left out; all else is on it."""
    assessed = made(bench, drawn, usd)
    found = by_name(sure(bench, assessed))
    amounts = {a.candidate.name: (a.forecast.time_s.value, a.forecast.memory_bytes.value) for a in assessed}
    for name, mine in amounts.items():
        beaten = any(
            all(x <= y for x, y in zip(other, mine, strict=True)) and other != mine for other in amounts.values()
        )
        assert found[name].on_front is not beaten


@settings(max_examples=40, deadline=None)
@given(
    rival=st.tuples(seconds, st.floats(0.05, 1.0)), ahead=st.floats(1.3, 3.0), narrower=st.floats(0.0, 1.0),
    faster=st.floats(1.0, 3.0), error=st.floats(0.05, 1.0),
)  # fmt: skip
def test_what_is_narrower_and_faster_is_surer(
    bench: Any, rival: tuple[float, float], ahead: float, narrower: float, faster: float, error: float
) -> None:
    """Against the same rival, for what leads by more than steps of a twentieth and 2,000 draws can blur."""
    time_s, its_error = rival
    other = bench.known("cluster-native", time_s, GB, error=its_error, framework="lightgbm")

    def best(own_s: float, own_error: float) -> float:
        return by_name(sure(bench, [bench.known("in-memory", own_s, GB, error=own_error), other]))["in-memory"].best

    assert best(time_s / ahead / faster, error * narrower) >= best(time_s / ahead, error) - 0.06


@settings(max_examples=20, deadline=None)
@given(drawn=sizes)
def test_the_same_plan_gives_the_same_figures(bench: Any, drawn: Any) -> None:
    """In whatever order the candidates came."""
    assessed = made(bench, drawn)
    assert sure(bench, assessed) == sure(bench, assessed[::-1])


# Draws.


def test_what_is_exact_is_sure(bench: Any) -> None:
    """Without an error there is nothing to draw."""
    found = sure(bench, [bench.known("in-memory", 20, GB, error=0.0), bench.known("quantised", 24, GB, error=0.0)])
    assert [c.best for c in found.chances] == [1.0, 0.0]
    assert found.draws == DRAWS


def test_two_alike_of_two_libraries_share_the_draws(bench: Any) -> None:
    """Each is the best in about half of them: what lies within a twentieth goes to the simpler."""
    two = [
        bench.known("in-memory", 100, GB, error=1.0),
        bench.known("quantised", 100, GB, error=1.0, framework="lightgbm"),
    ]
    first, second = sure(bench, two).chances
    assert 0.45 < second.best < 0.5 < first.best < 0.55


def test_errors_that_are_shared_do_not_blur_the_order(bench: Any) -> None:
    """30 % apart with the same wide error: surer for one path with more threads than for two paths, and for two libraries."""

    def best(**more: Any) -> float:
        return (
            sure(
                bench,
                [bench.known("in-memory", 100, GB, error=1.0), bench.known(seconds=130, memory=GB, error=1.0, **more)],
            )
            .chances[0]
            .best
        )

    same_path = best(strategy="in-memory", name="in-memory-1", threads=1)
    same_library, another = best(strategy="quantised"), best(strategy="quantised", framework="lightgbm")
    assert same_path > same_library + 0.1
    assert same_library > another + 0.03


def test_nothing_is_drawn_below_its_floor(bench: Any) -> None:
    """A rival that physics holds above the leader's worst draw is never the best."""
    leader = bench.known("in-memory", 100, GB, error=0.0)
    rival = bench.known("quantised", 125, GB, error=2.0)
    held = rival.but(forecast=rival.forecast.but(floor_s=120.0))
    assert sure(bench, [leader, rival]).chances[0].best < 0.8
    assert sure(bench, [leader, held]).chances[0].best == 1.0


def test_with_a_budget_it_is_the_cost_that_decides(bench: Any) -> None:
    """The cheaper is chosen, and is the best by cost."""
    slow, fast = bench.known("in-memory", 100, GB, usd=0.1), bench.known("quantised", 60, GB, usd=0.4)
    found = sure(bench, [slow, fast], bench.workload(usd_month=50.0))
    assert found.objective == "cost"
    assert [c.name for c in found.chances] == ["in-memory", "quantised"]
    assert found.chances[0].best == 1.0
    assert [axis.name for axis in found.axes] == ["time", "memory", "cost"]
    assert found.axes[2].worst == 50.0


def test_what_was_begun_counts_what_it_has_done(bench: Any) -> None:
    """Two that are alike: the one that has half of it behind it is the best."""
    begun = bench.known("quantised", 100, GB)
    begun = begun.but(forecast=begun.forecast.but(done_s=50.0))
    found = sure(bench, [bench.known("in-memory", 100, GB), begun])
    assert by_name(found)["quantised"].best == 1.0


# Weightings.


def test_what_is_less_in_everything_is_first_under_every_weighting(bench: Any) -> None:
    """And alone on the front."""
    found = sure(bench, [bench.known("in-memory", 20, 3 * GB), bench.known("quantised", 30, 6 * GB)])
    assert [(c.first, c.on_front) for c in found.chances] == [(1.0, True), (0.0, False)]


def test_memory_under_a_tenth_of_the_machine_counts_as_none(bench: Any) -> None:
    """The faster is first although it holds four times as much: neither is felt."""
    found = sure(bench, [bench.known("in-memory", 20, 2 * GB), bench.known("quantised", 30, 0.5 * GB)])
    assert found.chances[0].first == 1.0


def test_anchors_are_the_limits_that_were_stated(bench: Any) -> None:
    """Want and must; one of them with a factor of ten; else the floor and ten times it, assumed."""
    one = [bench.known("in-memory", 100, GB)]
    floored = [one[0].but(forecast=one[0].forecast.but(floor_s=3.0))]
    for workload, assessed, anchors in (
        (bench.workload(want=60, must=600), one, (60, 600, "stated")),
        (bench.workload(must=600), one, (60, 600, "stated")),
        (bench.workload(want=60), one, (60, 600, "stated")),
        (bench.workload(), floored, (3, 30, "assumed")),
    ):
        axis = sure(bench, assessed, workload).axes[0]
        assert (axis.best, axis.worst, axis.origin) == anchors


def test_what_comes_before_the_time_that_is_wanted_is_no_better(bench: Any) -> None:
    """Both are in time: memory alone decides between them."""
    two = [bench.known("in-memory", 20, 6 * GB), bench.known("quantised", 30, 3 * GB)]
    assert by_name(sure(bench, two, bench.workload(want=60, must=600)))["quantised"].first == 1.0
    assert by_name(sure(bench, two))["in-memory"].first > 0.2


# Too close.


def rivals(
    bench: Any, later: float, error: float = 0.5, probed: tuple[float, float] = (1 / 16, 1 / 64)
) -> list[Assessed]:
    two = [bench.known("in-memory", 100, GB, error=error), bench.known("quantised", 100 * later, GB, error=error)]
    return [a.but(forecast=a.forecast.but(probed=p)) for a, p in zip(two, probed, strict=True)]


def test_too_close_names_the_probe_that_may_settle_it(bench: Any) -> None:
    """The cheapest of those that tell more, with what --probe has to allow for it and for what was probed before."""
    costs = {"in-memory": ((750_000, 31.0),), "quantised": ((187_500, 9.0), (750_000, 30.0))}
    found = sure(bench, rivals(bench, 1.03), untried=lambda c: costs[c.name], spent_s=12.0)
    assert found.chances[0].best < 0.75
    assert found.close == (
        "too close: in-memory or quantised, which takes 3 % more on average; a fit of 188k rows by quantised, about 9 s, "
        "may settle it: --probe 30s"
    )


def test_the_one_of_which_less_is_known_is_probed(bench: Any) -> None:
    """Though a part of the other would be cheaper: it would tell little."""
    wide = bench.known("quantised", 100, GB, error=0.5)
    known = bench.known("in-memory", 103.5, GB, error=0.3)
    found = sure(bench, [known, wide], untried=lambda c: ((50_000, 2.0 if c.name == "in-memory" else 70.0),))
    assert "a fit of 50k rows by quantised, about 70 s, may settle it: --probe 2m" in found.close


def test_where_nothing_larger_can_be_probed_it_is_said(bench: Any) -> None:
    """A quarter of the rows of both was tried; the sizes are not known; the run is too short to be worth it."""
    tried = sure(bench, rivals(bench, 1.03, probed=(1.0, 0.25)))
    assert tried.close.endswith("; no larger part is left to probe: only a run tells more (quantised: 1.7 min)")
    assert "--probe 2m" in sure(bench, rivals(bench, 1.03)).close
    short = [bench.known("in-memory", 4, GB, error=0.5), bench.known("quantised", 4.1, GB, error=0.5)]
    assert sure(bench, short).close.endswith("at 4.1 s that is not worth a probe")


@settings(max_examples=40, deadline=None)
@given(drawn=sizes)
def test_only_what_costs_next_to_nothing_more_is_too_close(bench: Any, drawn: Any) -> None:
    """Whoever takes the rival loses a twentieth at most on average, and whoever is sure of the leader is told of no rival."""
    found = sure(bench, made(bench, drawn))
    if found.close:
        assert found.chances[0].best < 0.75
        assert any(c.longer <= TIE and c.name in found.close for c in found.chances[1:])


def test_what_would_be_late_is_no_rival(bench: Any) -> None:
    """Where the cheapest in time is wanted, one that may miss the deadline is not too close to one that does not."""
    two = rivals(bench, 1.03)
    found = sure(bench, two).but(close="")
    assert close_of(found, two, [False, False], None, 0.0)
    assert close_of(found, two, [False, True], None, 0.0) == ""


# Where there is nothing to be sure of.


def test_nothing_is_said_where_nothing_passes(bench: Any) -> None:
    """No shares of a decision that meets nothing, and no sentence for one that has no rival."""
    late = sure(bench, [bench.known("in-memory", 100, GB)], bench.workload(must=20))
    assert late == Sureness()
    alone = sure(bench, [bench.known("in-memory", 100, GB)])
    assert (alone.chances[0].best, alone.chances[0].first, told(alone)) == (1.0, 1.0, ())


def test_what_was_named_is_told_how_seldom_it_is_the_best(bench: Any) -> None:
    """--choose settles it: nothing is too close."""
    found = sure(bench, rivals(bench, 1.2, error=0.1), choose="quantised")
    assert found.chances[0].name == "quantised"
    assert found.chances[0].best < 0.05
    assert found.close == ""


def test_a_decision_of_before_reads_without_it() -> None:
    """What an older plan says nothing of is empty."""
    old = '{"chosen":null,"reasons":["x"]}'
    assert Decision.from_json(old).sureness == Sureness()


def test_the_sentences(bench: Any) -> None:
    """Shares of both kinds with the nearest rival, the front, and what is too close."""
    found = sure(bench, [bench.known("in-memory", 24, 3.5 * GB), bench.known("quantised", 28, 0.86 * GB)])
    assert told(found) == (
        "in-memory is the best by time in 98 % of draws of the forecasts (quantised in 2 %), and first in 29 % of weightings "
        "of time and memory (quantised in 71 %); in-memory and quantised are on the front of time and memory",
    )
    assert told(found, lambda c: c.name[0].upper())[0].startswith("I is the best by time in 98 % of draws")


def test_several_of_a_name_are_told_by_their_workers() -> None:
    """Many models with two workers, and with one."""
    chances = [
        Chance(name="many-models", workers=n, best=b, first=b, on_front=True) for n, b in ((2, 0.999), (1, 0.001))
    ]
    sentence = told(Sureness(draws=DRAWS, chances=tuple(chances)))[0]
    assert "many-models with 2 workers is the best by time in over 99 %" in sentence
    assert "many-models with 1 workers in under 1 %" in sentence


def test_a_figure_without_a_lower_bound_is_drawn_by_its_upper(bench: Any) -> None:
    """An interval from nothing to something has no logarithm below."""
    one = bench.known("in-memory", 20, GB)
    open_below = one.but(forecast=one.forecast.but(time_s=Figure(value=20, low=0, high=30, origin="forecast")))
    assert 0 < sure(bench, [open_below, bench.known("quantised", 21, GB)]).chances[0].best < 1
