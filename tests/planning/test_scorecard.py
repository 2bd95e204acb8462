"""What the scorecard promises: scores on the user's own limits, one order whatever else there is, and nothing judged in a sum."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitscale.planning.decision import deciding
from fitscale.planning.decision.curves import by_factor, linear, score
from fitscale.planning.decision.sureness import sureness_of
from fitscale.planning.scoring.card import card_of
from fitscale.planning.scoring.ground import MEASURES, Ground, floor_of
from fitscale.planning.scoring.staff import people_flip
from fitscale.records.plan import Assessed, Decision
from fitscale.records.scorecard import Anchors, Card, Facts, Library, Need, Proof
from fitscale.records.workload import EarlyStopping, Evaluation, Needs, Workload

GB = 1e9
DAY = "2026-11-30"


def proof(
    family: str, plugin: str, ability: str, *, passed: bool = True, how: str = "tests/a.py::TestA::test_b"
) -> Proof:
    return Proof(family=family, plugin=plugin, ability=ability, passed=passed, how=how, on=DAY)


def need(activity: str = "modelling", each: str = "job", hours: float = 4, origin: Any = "judged") -> Need:
    return Need(activity=activity, hours=hours, each=each, origin=origin, role="data scientist", level="mid", in_team=False,
                usd_hour=50.0, source="judged: because", as_of="2025-05-01", wage_source="BLS")  # fmt: skip


def facts(**changes: Any) -> Facts:
    return Facts.model_validate({"progress": "rounds", **changes})


def card(
    bench: Any, one: Assessed, workload: Workload | None = None, known: Facts | None = None, **machine: Any
) -> Card:
    here = bench.machine(**{"disk_free_bytes": int(100 * GB), **machine})
    return card_of(one, Ground(workload or bench.workload(), here, known or facts(), floor_of([one])))


def decide(bench: Any, assessed: Any, workload: Any = None, known: Facts | None = None, **more: Any) -> Decision:
    machine = bench.machine(24 * GB, disk_free_bytes=int(100 * GB))
    return deciding.decide(workload or bench.workload(), machine, assessed, more.pop("refused", ()), choose=None, settled=True,
                           elsewhere=(), facts=known or facts(), **more)  # fmt: skip


def stored(one: Assessed, n_bytes: float) -> Assessed:
    from fitscale.records.base import Figure

    return one.but(forecast=one.forecast.but(storage_bytes=Figure.exact(n_bytes)))


# Curves.


@given(st.floats(1e-3, 1e9), st.floats(1e-3, 1e9), st.floats(1.01, 1e4), st.floats(1.01, 100))
def test_less_is_never_worth_less(amount: float, best: float, wide: float, more: float) -> None:
    """Between 0 and 1 as it is shown; all of it at the best anchor, nothing at the worst; never more for more."""
    anchors = Anchors(best=best, worst=best * wide, origin="stated", by_factor=True)
    assert score(best, anchors) == 1
    assert score(best * wide, anchors) == 0
    assert 0 <= score(amount * more, anchors) <= score(amount, anchors) <= 1
    assert by_factor(amount * more, best, best * wide) <= by_factor(amount, best, best * wide) <= 1


def test_halfway_is_by_the_factor_or_by_the_difference() -> None:
    """A factor counts the same wherever it lies; a count goes by its share."""
    assert by_factor(10**0.5, 1, 10) == pytest.approx(0.5)
    assert by_factor(10**1.5, 1, 10) == pytest.approx(-0.5)
    assert linear(3, 4, 0) == 0.75
    assert linear(1, 0, 4) == 0.75


# The eight.


def test_all_eight_stand_there_in_their_order(bench: Any) -> None:
    """Each with its number, where it is from and a sentence, whatever is known."""
    for known in (facts(), Facts()):
        found = card(bench, bench.known("in-memory", 24, 3.5 * GB), known=known)
        assert [(e.number, e.name) for e in found.entries] == list(enumerate(MEASURES, start=1))
        assert all(e.sentence and e.shown and e.origin for e in found.entries)
        assert all(0 <= e.score <= 1 for e in found.entries if e.score is not None)


def test_time_is_worth_what_the_deadline_says(bench: Any) -> None:
    """1 up to what is wanted, 0 from what must be met; without a deadline the floor and ten times it, said to be assumed."""
    workload = bench.workload(want=60, must=600)
    found = [card(bench, bench.known("in-memory", s, GB), workload).entry("time") for s in (30, 60, 189.7, 600)]
    assert [e.score for e in found] == [1, 1, pytest.approx(0.5, abs=1e-3), 0]
    assert {e.anchors.origin for e in found if e.anchors} == {"stated"}
    one = bench.known("in-memory", 60, GB)
    free = card(bench, one.but(forecast=one.forecast.but(floor_s=20.0))).entry("time")
    assert free.anchors == Anchors(best=20, worst=200, origin="assumed", by_factor=True)
    assert "no deadline is stated" in free.sentence


def test_budget_is_of_what_may_be_spent(bench: Any) -> None:
    """A month of runs against the workload's budget, else the team's; a machine without a price says how to give it one."""
    one = bench.known("in-memory", 3600, GB, usd=1.0)
    weekly = bench.workload(usd_month=43.5, frequency="weekly")
    own = card(bench, one, weekly).entry("budget")
    assert own.value == pytest.approx(4.35)
    assert own.score == pytest.approx(1.0)
    assert "10 % of 44 USD (your budget)" in own.sentence
    team = card(bench, one, bench.workload(), facts(platform_usd_month=1.0)).entry("budget")
    assert team.score == 0
    assert "platform budget" in team.sentence
    unpriced = bench.known("in-memory", 3600, GB)
    lacking = card(bench, unpriced).entry("budget")
    assert (lacking.value, lacking.score, lacking.counted) == (None, None, False)
    assert "machine_hour" in lacking.sentence
    priced = card(bench, unpriced, known=facts(machine_usd_hour=0.5)).entry("budget")
    assert priced.value == pytest.approx(0.5)


def test_storage_is_of_the_disk_that_is_free(bench: Any) -> None:
    """A tenth of it costs nothing; a disk that nobody knows gives no score."""
    one = stored(bench.known("in-memory", 60, GB), 100 * GB / 10**0.5)
    assert card(bench, one).entry("storage").score == pytest.approx(0.5, abs=1e-3)
    assert card(bench, one, disk_free_bytes=None).entry("storage").score is None


# Functions: tried, not claimed.


def test_what_no_suite_proved_is_not_matched(bench: Any) -> None:
    """An ability without a proof, one whose test failed, and a function that is not offered count as unmatched."""
    workload = bench.workload().but(
        needs=Needs(export=("onnx",), functions=("collaboration", "distributed_training")),
        evaluate=Evaluation(early_stopping=EarlyStopping(rounds=5)),
    )
    one = bench.known("in-memory", 24, GB)
    nothing = card(bench, one, workload).entry("functions")
    assert nothing.shown == "0 of 5"
    assert nothing.score == 0
    for told in (
        "collaboration: not offered",
        "early stopping: no suite proved it",
        "distributed training: it trains in one",
    ):
        assert told in nothing.sentence
    proofs = (proof("frameworks", "xgboost", "early stopping", passed=False), proof("frameworks", "xgboost", "resume"))
    tried = (proof("exporters", "onnx", "export", how="tried here: it was converted"),)
    some = card(bench, one, workload, facts(proofs=proofs, tried=tried)).entry("functions")
    assert some.shown == "2 of 5"
    assert some.as_of == DAY
    assert f"early stopping: failed when it was tried on {DAY}" in some.sentence


def test_ranks_are_proved_by_framework_and_engine(bench: Any) -> None:
    """Both suites must have tried it."""
    workload = bench.workload(functions=("distributed_training",))
    one = bench.known("data-parallel", 24, GB, ranks=2)
    both = (proof("frameworks", "xgboost", "ranks"), proof("engines", "process", "ranks"))
    for proofs, shown in ((both[:1], "0 of 2"), (both[1:], "0 of 2"), (both, "1 of 2")):
        assert card(bench, one, workload, facts(proofs=proofs)).entry("functions").shown == shown


def test_a_failed_trial_here_is_believed_before_the_record(bench: Any) -> None:
    """What was tried with the user's own model says more than the suite's."""
    workload = bench.workload().but(needs=Needs(export=("onnx",)))
    recorded = proof("exporters", "onnx", "without fitscale: xgboost")
    failed = proof("exporters", "onnx", "export", passed=False, how="tried here: no")
    one = bench.known("in-memory", 24, GB)
    assert card(bench, one, workload, facts(proofs=(recorded,))).entry("functions").shown == "1 of 2"
    assert card(bench, one, workload, facts(proofs=(recorded,), tried=(failed,))).entry("functions").shown == "0 of 2"


# Openness, integration, extension.


def test_openness_counts_licences_format_and_independence(bench: Any) -> None:
    """Each of the three is worth a third, and what is not open is named first."""
    libraries = (
        Library(name="a", version="1", licence="MIT", is_open=True, source="License"),
        Library(name="b", version="2", licence="", is_open=None, source="no field of its metadata"),
    )
    known = facts(libraries={"xgboost": libraries}, proofs=(proof("exporters", "native", "without fitscale: xgboost"),))
    found = card(bench, bench.known("in-memory", 24, GB), known=known).entry("openness")
    assert found.value == 2.5
    assert found.parts == ("not known to be open: b 2: no licence stated", "MIT: a 1")
    pickled = card(bench, bench.known("in-memory", 24, GB, framework="sklearn")).entry("openness")
    assert pickled.value == 0
    assert "pickle" in pickled.sentence


def test_what_must_be_stood_up_is_counted(bench: Any) -> None:
    """A database and its credentials, a rented machine with what it takes; nothing for files here."""
    one = bench.known("in-memory", 24, GB)
    assert card(bench, one).entry("integration").shown == "0 to stand up"
    asked = bench.workload()
    asked = asked.but(data=asked.data.but(uri="postgresql://u:${PGPASSWORD}@pg/db", table="t"))
    assert card(bench, one, asked).entry("integration").parts == ("a database that must be reached", "its credentials")
    there = bench.known("in-memory", 24, GB, machine="r7i.2xlarge")
    assert card(bench, there).entry("integration").shown == "4 to stand up"


def test_headroom_names_the_nearest_limit(bench: Any) -> None:
    """How many times the rows until the memory or the deadline is too little."""
    late = card(bench, bench.known("in-memory", 100, GB), bench.workload(must=200)).entry("extension")
    assert late.parts[0].startswith("your deadline is enough for 2 ×")
    large = card(bench, bench.known("in-memory", 100, 10 * GB)).entry("extension")
    assert large.parts[0].startswith("the memory here is enough for 2")


def test_headroom_names_what_goes_on_from_there(bench: Any) -> None:
    """Another way that passes, where it lasts notably longer; its score hangs on no other."""
    one, other = bench.known("in-memory", 100, 10 * GB), bench.known("quantised", 110, GB)
    alone = Ground(bench.workload(), bench.machine(24 * GB), facts(), floor_of([one]))
    beside = alone._replace(others=(one, other))
    said = card_of(one, beside).entry("extension")
    assert "the features, quantised for 2" in said.parts[0]
    assert said.score == card_of(one, alone).entry("extension").score
    assert "quantised for" not in card_of(other, beside).entry("extension").parts[0]


# People.


def test_people_are_judged_and_stand_apart(bench: Any) -> None:
    """Hours and wages are shown with their sources, and no sum has them in it."""
    known = facts(needs=(need(), need("platform operation", "kind of machine", 3)))
    found = card(bench, bench.known("in-memory", 24, GB), known=known)
    people = found.entry("people")
    assert (people.value, people.origin, people.counted) == (7, "judged", False)
    assert "350 USD a month" in people.sentence
    assert found.total == card(bench, bench.known("in-memory", 24, GB)).total
    there = card(bench, bench.known("in-memory", 24, GB, machine="r7i.2xlarge"), known=known).entry("people")
    assert there.value == 10, "a rented machine is one more kind to look after"


def test_hours_that_the_team_states_are_counted(bench: Any) -> None:
    """Against the hours that it works."""
    known = facts(needs=(need(hours=16, origin="stated"),), team_hours=160.0)
    people = card(bench, bench.known("in-memory", 24, GB), known=known).entry("people")
    assert people.counted
    assert people.score == 1.0
    assert people.anchors == Anchors(best=16, worst=160, origin="stated", by_factor=True)


@pytest.mark.parametrize(
    ("here", "hours", "told"),
    [
        (30.0, 4, "this machine is the cheaper with them and without"),
        (50.0, 0, "r7i.2xlarge is the cheaper with them and without"),
        (50.0, 4, "without them r7i.2xlarge is the cheaper, with them this machine"),
    ],
)
def test_whether_people_make_another_place_the_cheaper(bench: Any, here: float, hours: float, told: str) -> None:
    """A rented machine is one more kind to look after, at 50 USD an hour; 40 USD a month is what it costs itself."""
    chosen = bench.known("in-memory", 3600, GB, usd=here)
    better = bench.known("in-memory", 600, GB, usd=40.0, machine="r7i.2xlarge")
    known = facts(needs=(need(), need("platform operation", "kind of machine", hours)))
    said = people_flip(chosen, better, Ground(bench.workload(), bench.machine(), known))
    assert said.endswith(told)


# Where it decides.


def test_a_tie_is_broken_by_what_was_measured(bench: Any) -> None:
    """Within 5 % of the time the one that needs less of the disk wins, although it holds more memory; and that is said."""
    large, small = (
        stored(bench.known("quantised", 100, GB), 60 * GB),
        stored(bench.known("in-memory", 100.1, 3 * GB), 20 * GB),
    )
    decision = decide(bench, [large, small])
    assert decision.chosen == small
    assert decision.reasons[1] == "within 5 % of quantised: in-memory needs 33 % of the storage (20 GB against 60 GB)"
    assert deciding.decide(bench.workload(), bench.machine(24 * GB), [large, small], (), choose=None, settled=True,
                           elsewhere=()).chosen == large  # fmt: skip
    sure = sureness_of(decision, bench.workload(), bench.machine(24 * GB, disk_free_bytes=int(100 * GB)), facts=facts())
    assert sure.objective == "time"


def test_more_than_a_tie_is_not_broken(bench: Any) -> None:
    """A fifth faster is faster, whatever it keeps."""
    fast, small = stored(bench.known("in-memory", 80, GB), 60 * GB), stored(bench.known("quantised", 100, GB), GB)
    decision = decide(bench, [fast, small])
    assert decision.chosen == fast
    assert not any("within 5 %" in reason for reason in decision.reasons)


def test_weights_decide(bench: Any) -> None:
    """What is slower wins where storage weighs most; the reason has both sums, and names what time alone would take."""
    fast, small = stored(bench.known("in-memory", 80, GB), 60 * GB), stored(bench.known("quantised", 100, GB), 20 * GB)
    workload = bench.workload(want=50, must=500)
    known = facts(weights={"storage": 3.0, "time": 1.0, "people": 1.0}, weights_from="workload", needs=(need(),))
    decision = decide(bench, [fast, small], workload, known)
    assert decision.chosen == small
    assert decision.reasons[1].startswith(
        "by your weights (storage 3, people 1, time 1) its measured scores come to 0.7"
    )
    assert "by the objective alone it would be in-memory (0.37)" in decision.reasons[1]
    assert decision.reasons[2] == "not in that sum: people is judged"
    assert decision.reasons[3].endswith("and in-memory 0.8 × the time")
    by_time = decide(bench, [fast, small], bench.workload(), facts(weights={"time": 1.0}, weights_from="workload"))
    assert by_time.chosen == fast
    assert by_time.reasons[2].startswith("time weighs by its factor")
    sure = sureness_of(decision, workload, bench.machine(24 * GB, disk_free_bytes=int(100 * GB)), facts=known)
    assert sure.objective == "weights"
    assert sure.chances[0].best > 0.95


def test_weights_never_let_in_what_a_gate_refuses(bench: Any) -> None:
    """Storage weighs all, and what is late stays out."""
    late, good = stored(bench.known("quantised", 1000, GB), 1.0), stored(bench.known("in-memory", 80, GB), 60 * GB)
    known = facts(weights={"storage": 1.0}, weights_from="workload")
    decision = decide(bench, [late, good], bench.workload(must=500), known)
    assert decision.chosen == good
    assert [r.gate for r in decision.refused] == ["deadline"]


STRATEGIES = ("in-memory", "quantised", "out-of-core", "data-parallel", "parts-and-merge", "cluster-native")
WEIGHTS = st.dictionaries(st.sampled_from(MEASURES), st.floats(0.1, 5), max_size=4)


@settings(max_examples=60, deadline=None)
@given(
    seconds=st.lists(st.floats(1, 1e4), min_size=2, max_size=6), kept=st.lists(st.floats(1e6, 9e10), min_size=6, max_size=6),
    weights=WEIGHTS, want=st.none() | st.floats(1, 1e4), usd=st.booleans(), out=st.integers(0, 5),
    budget=st.none() | st.floats(11, 1e3),
)  # fmt: skip
def test_another_candidate_never_reorders_the_rest(
    bench: Any, seconds: Any, kept: Any, weights: Any, want: float | None, usd: bool, out: int, budget: float | None
) -> None:
    """With weights and without, with limits and without: the order of some is their order among all."""
    every = [
        stored(bench.known(name, s, GB, usd=s / 1e3 if usd else None), size)
        for name, s, size in zip(STRATEGIES, seconds, kept, strict=False)
    ]
    some = [one for at, one in enumerate(every) if at != out % len(every)]
    workload, known = (
        bench.workload(want=want, usd_month=budget),
        facts(weights=weights, weights_from="workload" if weights else ""),
    )
    orders = []
    for assessed in (every, some):
        decision = decide(bench, assessed, workload, known)
        assert decision.chosen is not None
        orders.append([a.candidate.name for a in (decision.chosen, *decision.alternatives) if a in some])
    assert orders[0] == orders[1]
