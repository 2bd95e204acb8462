"""What a decision promises: refusals with their figures, an order that stands, reasons that can be checked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitscale.errors import NothingRuns, UsageError
from fitscale.planning import wording
from fitscale.planning.decision import deciding
from fitscale.planning.decision.gates import must_s, runs_a_month
from fitscale.records.base import Figure
from fitscale.records.plan import Assessed, Decision, Refusal, Term
from fitscale.records.run import Event

GB = 1e9
NAMES = ("in-memory", "quantised", "out-of-core", "data-parallel", "parts-and-merge", "cluster-native")


def decide(
    bench: Any, assessed: Any, workload: Any = None, memory: float = 24 * GB, disk: float | None = None, **more: Any
) -> Decision:
    given = {"choose": None, "settled": True, "elsewhere": (), "refused": ()} | more
    refused, machine = given.pop("refused"), bench.machine(memory, disk_free_bytes=disk)
    return deciding.decide(workload or bench.workload(), machine, assessed, refused, **given)


def flights(bench: Any) -> list[Assessed]:
    """3 million flights with 29 columns, as they were measured: the plain way, bins from batches, a cache on disk."""
    return [
        bench.known("in-memory", 24, 3.5 * GB),
        bench.known("quantised", 28, 0.86 * GB),
        bench.known("out-of-core", 31, 0.54 * GB),
    ]


# Worked examples.


def test_flights_do_not_fit_in_two_gigabytes(bench: Any) -> None:
    """In memory it would need 3.5 GB: refused with its figures; the fastest of the rest is chosen, and said why."""
    decision = decide(bench, flights(bench), bench.workload(must=3600), memory=2 * GB)
    assert decision.chosen is not None
    assert decision.chosen.candidate.name == "quantised"
    assert [r.candidate.name for r in decision.refused] == ["in-memory"]
    assert decision.refused[0].sentence == (
        "needs 3.5 GB (3–4), this machine has 2 GB (1.9 GB usable); allow 4.3 GB in 'where', add a machine, or take what "
        "holds less"
    )
    assert decision.reasons == (
        "quantised: 28 s (25–31), from 3 probes up to 6 % of the rows",
        "not in-memory: it needs 3.5 GB (3–4), this machine has 2 GB (1.9 GB usable)",
        "quantised holds 860 MB (748–989) of 1.9 GB usable, and nothing else is faster (out-of-core 1.1 ×)",
        "within your 60 min: P90 is 30 s",
    )
    assert [a.candidate.name for a in decision.alternatives] == ["out-of-core"]
    assert decision.meets
    assert not decision.overridden


def test_what_would_flip_it(bench: Any) -> None:
    """The rows below which the simpler way fits, the memory it needs, and the rows above which the choice fails."""
    decision = decide(bench, flights(bench), bench.workload(must=3600), memory=2 * GB)
    assert decision.flips == (
        "in-memory fits in memory here below 1.3M rows, or with 4.3 GB",
        "quantised no longer fits in memory here above 6.1M rows",
        "quantised misses your 60 min above 415M rows",
    )
    for rows, fits in ((1.25e6, True), (1.35e6, False)):
        smaller = bench.known("in-memory", 12, 0.15 * GB + 3.35 * GB * rows / 3e6)
        assert (decide(bench, [smaller], memory=2 * GB).chosen is not None) is fits


def test_with_room_the_simple_way_is_taken(bench: Any) -> None:
    """24 GB: in memory, and the reasons say that nothing else is faster."""
    decision = decide(bench, flights(bench))
    assert decision.chosen is not None
    assert decision.chosen.candidate.name == "in-memory"
    assert "in-memory holds 3.5 GB (3–4) of 24 GB usable, and nothing else is faster" in decision.reasons[1]
    assert "(quantised 1.2 ×, out-of-core 1.3 ×)" in decision.reasons[1]


def test_what_the_disk_has_no_room_for_is_refused(bench: Any) -> None:
    """What lies there already counts on neither side, and a machine that has told nothing of its disk refuses nothing."""
    one = bench.known("out-of-core", 100, GB)
    one = one.but(forecast=one.forecast.but(storage_bytes=Figure.around(30 * GB, 0.4, "forecast")))
    [refusal] = decide(bench, [one], disk=20 * GB).refused
    assert refusal.gate == "storage"
    assert refusal.sentence == (
        "30 GB of disk, where 20 GB are free; make room, put the run on another disk with --run, or take what keeps less"
    )
    assert decide(bench, [one], disk=20 * GB).chosen is None
    overridden = decide(bench, [one], disk=20 * GB, choose="out-of-core")
    assert overridden.chosen == one
    assert overridden.reasons[0].startswith("out-of-core, though it takes 30 GB of disk, where 20 GB are free")
    staged = one.but(forecast=one.forecast.but(storage_there_bytes=12 * GB))
    for told, disk in ((staged, 20 * GB), (one, None), (one, 31 * GB)):
        assert decide(bench, [told], disk=disk).chosen == told


def test_kept_batches_take_half_of_the_free_disk_at_most(bench: Any) -> None:
    """They are kept for speed alone, so that a small disk never refuses for them."""
    candidate, shape = bench.candidate("quantised"), bench.shape()
    law = bench.law(shape, storage=(Term(name="spill", amount=50e9, prior=1.0),))
    takes = [
        bench.forecast(candidate, shape, machine=bench.machine(disk_free_bytes=free), law=law).storage_bytes.value
        for free in (200 * GB, 20 * GB, None)
    ]
    assert [round(size / GB) for size in takes] == [50, 10, 50]


def test_ties_go_to_less_memory_then_to_the_simpler(bench: Any) -> None:
    """Within a twentieth time does not decide; with equal memory the simpler strategy is taken."""
    pair = [bench.known("in-memory", 102, 3.5 * GB), bench.known("quantised", 103, 0.9 * GB)]
    decision = decide(bench, pair)
    assert decision.chosen is not None
    assert decision.chosen.candidate.name == "quantised"
    equal = [bench.known("quantised", 100, GB), bench.known("in-memory", 100.1, GB)]
    assert decide(bench, equal).chosen == equal[1]


def test_a_sure_forecast_beats_a_hopeful_one(bench: Any) -> None:
    """The mean counts: an untried path that may be 10 % faster, or three times as slow, is not chosen."""
    decision = decide(bench, [bench.known("quantised", 100, GB), bench.known("out-of-core", 90, GB, error=2.0)])
    assert decision.chosen is not None
    assert decision.chosen.candidate.name == "quantised"


def test_nothing_meets_the_deadline(bench: Any) -> None:
    """What comes nearest is chosen and does not meet it; the refusals stay; what would be fast enough is named."""
    slow = [bench.known("in-memory", 13 * 3600, 3 * GB, error=0.3), bench.known("quantised", 15 * 3600, GB)]
    there = bench.known("in-memory", 3 * 3600, 3 * GB, usd=4.2, machine="c6i.8xlarge")
    dear = bench.known("in-memory", 1 * 3600, 3 * GB, usd=9.0, machine="c6i.metal")
    decision = decide(bench, slow, bench.workload(must=4 * 3600), elsewhere=(dear, there))
    assert decision.chosen == slow[0]
    assert not decision.meets
    assert {r.candidate.name for r in decision.refused} == {"in-memory", "quantised"}
    assert decision.reasons[0] == (
        "nothing meets the deadline; the nearest is in-memory: 13 h (10–17): over your 4 h; allow more time in "
        "'needs.deadline', fewer rows in 'data.use', or a faster machine"
    )
    assert decision.better == there
    assert "better: in-memory on c6i.8xlarge, 3 h (2.7–3.3), 4.2 USD a run (modelled)" in decision.reasons
    assert "in-memory meets your 4 h below 923k rows" in decision.flips


def test_a_deadline_refusal_that_does_not_fit_in_memory_is_not_run(bench: Any) -> None:
    """The nearest of what is late must itself be admitted by its memory."""
    late = bench.known("in-memory", 13 * 3600, 30 * GB)
    refusal = Refusal(candidate=late.candidate, sentence="late", gate="deadline", forecast=late.forecast)
    decision = decide(bench, [], bench.workload(must=60), refused=(refusal,))
    assert decision.chosen is None
    assert not decision.meets
    assert decision.reasons[0] == "no candidate fits: in-memory late"


def test_between_p50_and_p90_it_is_warned(bench: Any) -> None:
    """A deadline that is met at the median and missed at P90 is no refusal, and is said."""
    decision = decide(bench, [bench.known("in-memory", 3300, GB, error=0.5)], bench.workload(must=3600))
    assert decision.meets
    assert "may miss your 60 min: P90 is 75 min" in decision.reasons
    wanted = decide(bench, [bench.known("in-memory", 3300, GB)], bench.workload(want=600))
    assert "over the 10 min that you want" in wanted.reasons


def test_with_a_budget_the_cheapest_that_is_in_time_is_taken(bench: Any) -> None:
    """The cheapest that meets the deadline at P90; one that is cheaper and may be late comes after it."""
    pair = [
        bench.known("in-memory", 1000, GB, usd=3.0),
        bench.known("quantised", 2000, GB, usd=2.0),
        bench.known("out-of-core", 3500, GB, usd=1.0),
    ]
    work = bench.workload(must=3600, usd_month=100, frequency="daily")
    decision = decide(bench, pair, work)
    assert [decision.chosen, *decision.alternatives] == [pair[1], pair[0], pair[2]]
    assert "2 USD (1.8–2.2) a run, 61 USD a month (daily)" in decision.reasons
    dear = decide(bench, pair[:1], bench.workload(usd_month=10, frequency="daily"))
    assert not dear.meets
    assert "3 USD (2.7–3.3) a run, 91 USD a month (daily): over your 10 USD" in dear.refused[0].sentence
    unknown = decide(bench, [bench.known("in-memory", 10, GB)], work)
    assert any("the budget is not checked" in reason for reason in unknown.reasons)


def test_better_is_only_what_is_notably_better(bench: Any) -> None:
    """Half an hour saved is worth renting a machine for, the cheapest such; half a minute is not."""
    here = [bench.known("in-memory", 3600, GB)]
    there = [
        bench.known("in-memory", 1200, GB, usd=2.0, machine="a"),
        bench.known("in-memory", 1500, GB, usd=0.5, machine="b"),
        bench.known("in-memory", 3000, GB, usd=0.1, machine="c"),
    ]
    better = decide(bench, here, elsewhere=there).better
    assert better is not None
    assert better.candidate.machine == "b"
    assert decide(bench, [bench.known("in-memory", 60, GB)], elsewhere=[bench.known("in-memory", 5, GB)]).better is None


def test_not_settled_is_said(bench: Any) -> None:
    """Where the time for probing was spent, the verdict says what was not tried; what was, it does not name."""
    first, *others = flights(bench)
    tried = others[0]
    untried = [a.but(forecast=a.forecast.but(source="from priors")) for a in others[1:]]
    decision = decide(bench, [first, tried, *untried], settled=False)
    assert not decision.settled
    said = decision.reasons[-1]
    assert said.startswith("not settled: the time for probing was spent before")
    assert all(a.candidate.name in said for a in untried)
    assert tried.candidate.name not in said


def test_of_groups_no_number_of_rows_flips(bench: Any) -> None:
    """What more rows of each would do is not what a flip says."""
    decision = decide(bench, [bench.known("many-models", 40, GB, workers=2)], bench.workload(groups=("origin", "dest")))
    assert all("rows" not in flip for flip in decision.flips)


# Overriding.


def test_a_name_overrides_time_but_never_memory(bench: Any) -> None:
    """--choose takes a slower one, and one that is late; what does not fit stays refused."""
    chosen = decide(bench, flights(bench), choose="out-of-core")
    assert chosen.chosen is not None
    assert chosen.chosen.candidate.name == "out-of-core"
    assert chosen.overridden
    assert chosen.meets
    assert "chosen by --choose; in-memory would take 24 s (22–26)" in chosen.reasons
    late = decide(bench, flights(bench), bench.workload(must=29), choose="out-of-core")
    assert late.chosen is not None
    assert late.chosen.candidate.name == "out-of-core"
    assert late.overridden
    assert not late.meets
    small = decide(bench, flights(bench), memory=2 * GB, choose="in-memory")
    assert small.chosen is None
    assert not small.overridden


def test_only_the_named(bench: Any) -> None:
    """A name that is not there gets the nearest and the list; a refusal by memory stands, one by time does not."""
    alive = [bench.candidate("quantised"), bench.candidate("out-of-core")]
    refused = tuple(
        Refusal(candidate=bench.candidate(name), sentence=sentence, gate=gate)
        for name, sentence, gate in (
            ("in-memory", "needs 41 GB (38–45), this machine has 24 GB", "memory"),
            ("data-parallel", "13 h (10–17): over your 4 h", "deadline"),
        )
    )
    assert deciding.only("quantised", alive, refused) == [alive[0]]
    assert deciding.only("data-parallel", alive, refused) == [refused[1].candidate]
    with pytest.raises(
        UsageError, match=r"no candidate 'quantized'; did you mean 'quantised'\?; there are: quantised, "
    ):
        deciding.only("quantized", alive, refused)
    with pytest.raises(
        NothingRuns, match=r"--choose in-memory: needs 41 GB \(38–45\).*there are: quantised, out-of-core"
    ):
        deciding.only("in-memory", alive, refused)


def test_a_budget_for_software_is_held_against_licences(bench: Any) -> None:
    """What fitscale drives costs nothing, whatever the budget; of others it says that it does not know."""
    free = decide(bench, flights(bench), bench.workload(software=0))
    assert free.meets
    assert "xgboost needs no licence: 0 of your 0 USD a month for software" in free.reasons
    other = decide(bench, flights(bench), bench.workload(software=20, estimator="snapml.BoostingMachineClassifier"))
    assert any("the budget for software is not checked" in reason and "'snapml'" in reason for reason in other.reasons)
    assert not any("licence" in reason for reason in decide(bench, flights(bench)).reasons)


# Gates.


def test_surely_refuses_only_what_cannot_be(bench: Any) -> None:
    """Before anything is measured the lower bound must fit; afterwards P99."""
    maybe = bench.known("in-memory", 100, 1.9 * GB)
    machine, work = bench.machine(2 * GB), bench.workload(must=95)
    assert deciding.gate(maybe, work, machine, surely=True) is None
    refusal = deciding.gate(maybe, work, machine, surely=False)
    assert refusal is not None
    assert refusal.gate == "memory"
    assert "needs 1.9 GB (1.7–2.2), at P99 2.3 GB, this machine has 2 GB (1.9 GB usable)" in refusal.sentence
    late = deciding.gate(maybe, work, bench.machine(), surely=False)
    assert late is not None
    assert late.gate == "deadline"
    over = deciding.gate(bench.known("in-memory", 100, 5 * GB), work, machine, surely=True)
    assert over is not None


@pytest.mark.parametrize(
    ("probed", "memory", "seconds", "hint"),
    [
        (1 / 128, 1.9, 100, "--probe 2m tries a quarter of the rows, which may settle it; else allow "),
        (1 / 16, 1.9, 31, "--probe 40s tries a quarter of the rows, which may settle it; else allow "),
        (0.25, 1.9, 100, ""),  # that was tried
        (1.0, 1.9, 100, ""),
        (0.0, 1.9, 100, ""),  # nothing was tried: not worth it, or not to be had
        (1 / 16, 2.5, 100, ""),  # not likely to fit
    ],
)
def test_a_coarse_probe_that_rules_out_says_which_would_settle_it(
    bench: Any, probed: float, memory: float, seconds: float, hint: str
) -> None:
    """Where only the 99 % bound is too much, and a larger part of the rows can be tried."""
    known = bench.known("in-memory", seconds, memory * GB)
    known = known.but(forecast=known.forecast.but(probed=probed))
    refusal = deciding.gate(known, bench.workload(), bench.machine(2 * GB), surely=False)
    assert refusal is not None
    assert ("--probe" in refusal.sentence) == bool(hint)
    assert hint in refusal.sentence


def test_each_worker_keeps_memory_back(bench: Any) -> None:
    """The supervisor keeps 64 MB back in each process: what fits one does not fit eight."""
    one = bench.known("many-models", 10, 1.5 * GB, workers=1)
    eight = bench.known("many-models", 10, 1.5 * GB, workers=8)
    assert deciding.gate(one, bench.workload(), bench.machine(2 * GB), surely=False) is None
    assert deciding.gate(eight, bench.workload(), bench.machine(2 * GB), surely=False) is not None
    less = bench.known("many-models", 10, 1.3 * GB, workers=8)
    assert deciding.gate(less, bench.workload(), bench.machine(2 * GB), surely=False) is None


def test_a_time_of_day_is_a_deadline(bench: Any) -> None:
    """From half past five, six o'clock is half an hour away."""
    now = datetime(2026, 11, 23, 5, 30)
    work = bench.workload(at="06:00")
    assert must_s(work, now) == 1800
    assert deciding.gate(bench.known("in-memory", 1700, GB), work, bench.machine(), surely=False, now=now) is None
    late = deciding.gate(bench.known("in-memory", 2000, GB), work, bench.machine(), surely=False, now=now)
    assert late is not None
    assert "33 min (30–37): over your 30 min" in late.sentence


def test_distributed_training_is_not_one_process(bench: Any) -> None:
    """Asked for, it refuses what trains in one process."""
    work = bench.workload(functions=("distributed_training",))
    refusal = deciding.gate(bench.known("in-memory", 10, GB), work, bench.machine(), surely=False)
    assert refusal is not None
    assert refusal.gate == "functions"
    shared = bench.known("data-parallel", 10, GB, ranks=2)
    assert deciding.gate(shared, work, bench.machine(), surely=False) is None


def test_memory_that_was_passed_is_the_truth(bench: Any) -> None:
    """An attempt that its limit ended says where, after how much, and what was forecast."""
    events = [
        Event(kind="memory", at=1.0, data={"peak": 1_000_000_000}),
        Event(kind="units", at=2.0, data={"units": 12}),
        Event(kind="memory", at=3.0, data={"peak": 1_950_000_000}),
    ]
    refusal = deciding.ended_by_memory(bench.known("quantised", 28, 0.86 * GB), events, bench.machine(2 * GB))
    assert refusal.gate == "memory"
    assert refusal.sentence == (
        "was ended at 1.9 GB after 12 iterations: this machine has 2 GB (1.9 GB usable); the forecast was 860 MB "
        "(748–989); allow more memory in 'where', or add a machine"
    )


@pytest.mark.parametrize(
    ("often", "times"),
    [
        ("weekly", 4.35),
        (None, 1),
        ("30 5 * * 1", 4.3),
        ("0 6 * * mon-fri", 21.7),
        ("0 */6 * * *", 122),
        ("5 4 1 * *", 1),
    ],
)
def test_how_often_a_job_runs(bench: Any, often: str | None, times: float) -> None:
    """A word or a cron line, near enough for money."""
    assert runs_a_month(bench.workload(frequency=often)) == pytest.approx(times, rel=0.03)


# Whatever the figures are.

FORECASTS = st.lists(
    st.tuples(st.floats(1, 1e6), st.floats(1e8, 2e10), st.floats(0.05, 2.0)), min_size=2, max_size=len(NAMES)
)


def order(decision: Decision) -> list[str]:
    return [a.candidate.name for a in ([decision.chosen] if decision.chosen else []) + list(decision.alternatives)]


@settings(max_examples=80, deadline=None)
@given(forecasts=FORECASTS, budget=st.booleans())
def test_one_more_candidate_does_not_reorder_the_rest(bench: Any, forecasts: Any, budget: bool) -> None:
    """Ties are steps of a fixed scale: without any one of them, the others stand as they stood."""
    work = bench.workload(must=1.5e6, usd_month=1e9) if budget else bench.workload()
    known = [bench.known(name, s, b, error=e, usd=s / 1000) for name, (s, b, e) in zip(NAMES, forecasts, strict=False)]
    whole = order(decide(bench, known, work, memory=1e11))
    for left_out in known:
        rest = [one for one in known if one != left_out]
        name = left_out.candidate.name
        assert order(decide(bench, rest, work, memory=1e11)) == [n for n in whole if n != name]


@settings(max_examples=80, deadline=None)
@given(forecasts=FORECASTS, memory=st.floats(5e8, 2e10), must=st.one_of(st.none(), st.floats(1, 1e6)))
def test_nothing_is_dropped_and_sentences_have_their_figures(
    bench: Any, forecasts: Any, memory: float, must: float | None
) -> None:
    """Each candidate is chosen, an alternative or refused; a refusal names what was needed and what there is."""
    known = [bench.known(name, s, b, error=e) for name, (s, b, e) in zip(NAMES, forecasts, strict=False)]
    decision = decide(bench, known, bench.workload(must=must), memory=memory)
    names = {r.candidate.name for r in decision.refused} | set(order(decision))
    assert names == {one.candidate.name for one in known}
    for refusal in decision.refused:
        assert refusal.forecast is not None
        if refusal.gate == "memory":
            assert wording.size(refusal.forecast.memory_bytes) in refusal.sentence
            assert wording.size(float(int(memory))) in refusal.sentence
        else:
            assert must is not None
            assert (
                f"{wording.duration(refusal.forecast.time_s)}: over your {wording.duration(must)}" in refusal.sentence
            )
    assert Decision.from_json(decision.to_json()) == decision
    if decision.chosen is not None:
        assert (decision.chosen.forecast.memory_p99_bytes or 0) <= memory


@settings(max_examples=60, deadline=None)
@given(value=st.floats(1e-3, 1e15), relative=st.floats(0, 5))
def test_figures_are_short(value: float, relative: float) -> None:
    """Two digits that count: no figure is longer than a glance, and the unit is said once."""
    figure = Figure.around(value, relative, "forecast")
    for text in (wording.duration(figure), wording.size(figure)):
        assert len(text) <= 64
        assert text.count(" ") <= 2
