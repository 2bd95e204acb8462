"""What --what-if knows of the last plan: all of it, so that nothing supposed is the plan itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from commands import MANY, fitscale, write_job

from fitscale.planning import loop
from fitscale.planning.again import Explained
from fitscale.planning.forecasts.sizes import BUCKETS, outline_of, sizes_of
from fitscale.records.plan import Assessed, Plan, Refusal

START, HOUR = np.datetime64("2026-01-01T00", "s"), np.timedelta64(3600, "s")
BOOSTED = {"estimator": "xgboost.XGBClassifier", "params": {"n_estimators": 40}}
SERIES = {"uri": "series.parquet", "target": "value", "groups": ["metric"], "time": "at", "step": "1h", "horizon": 10}
TIMED = {"uri": "series.parquet", "target": "value", "time": "at"}
STOPPING = {"rounds": 5, "validation": "20%"}

JOBS: dict[str, dict[str, Any]] = {
    "cv": {"evaluate": {"cv": 5}},
    "refit": {"evaluate": {"holdout": "30%", "refit": True}},
    "stopping": {"model": BOOSTED, "evaluate": {"holdout": "20%", "early_stopping": STOPPING}},
    "stopped cv": {"model": BOOSTED, "evaluate": {"cv": 3, "early_stopping": STOPPING}},
    "by time": {"data": TIMED, "model": {"estimator": "baseline.Regressor"}, "evaluate": {"by": "time", "cv": 3}},
    "by column": {**MANY, "data": {**MANY["data"], "groups": []}, "evaluate": {"by": "group", "cv": 4}},
    "many": {**MANY, "evaluate": {"cv": 3}},
    "skewed": {
        "data": {"uri": "skewed.parquet", "target": "y", "groups": ["shop"]},
        "model": {"estimator": "sklearn.linear_model.Ridge"},
    },
    "series": {"data": SERIES, "model": {"estimator": "series.AR"}},
    "series cv": {
        "data": SERIES, "model": {"estimator": "series.AR"}, "evaluate": {"by": "time", "cv": 4, "refit": False},
    },
    "exported": {**MANY, "needs": {"export": ["native"]}},
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With 20 series, and with 60 shops of which the first has half of the rows."""
    folder = tmp_path_factory.mktemp("what-if")
    rng = np.random.default_rng(0)
    at = np.tile(START + np.arange(200) * HOUR, 20)
    names = np.repeat([f"m{k:02d}" for k in range(20)], 200)
    pq.write_table(pa.table({"metric": names, "at": at, "value": rng.normal(size=4000)}), folder / "series.parquet")
    n = 12_000
    shop = np.where(np.arange(n) % 2, 0, rng.integers(0, 60, n) ** 2 // 60)
    table = pa.table({"a": rng.normal(size=n), "b": rng.normal(size=n), "shop": shop, "y": rng.normal(size=n)})
    pq.write_table(table, folder / "skewed.parquet")
    return folder


def asked(job: Path, *flags: str) -> Plan:
    said = fitscale("plan", job, *flags, "--json")
    assert said.code == 0, said.err
    return Plan.from_json(said.out)


def every(plan: Plan) -> dict[tuple[str, int], Assessed]:
    """All candidates with a forecast, those that are refused too."""
    decision = plan.decision
    found = [one for one in (decision.chosen, *decision.alternatives) if one is not None]
    found += [Assessed(candidate=r.candidate, forecast=r.forecast) for r in decision.refused if r.forecast is not None]
    return {(one.candidate.name, one.candidate.workers): one for one in found}


def is_the_same(supposed: Plan, plan: Plan) -> None:
    ours, theirs = every(supposed), every(plan)
    assert ours.keys() == theirs.keys()
    assert theirs
    for key, one in theirs.items():
        for figure in ("time_s", "cpu_s", "memory_bytes", "storage_bytes"):
            now, then = getattr(ours[key].forecast, figure), getattr(one.forecast, figure)
            assert (now.value, now.low, now.high) == pytest.approx((then.value, then.low, then.high), rel=1e-3), (
                key,
                figure,
            )
        assert ours[key].forecast.phases == pytest.approx(one.forecast.phases, rel=1e-3)
        assert ours[key].forecast.source == one.forecast.source


@pytest.mark.parametrize("name", JOBS)
def test_nothing_supposed_is_the_plan_itself(folder: Path, name: str) -> None:
    """With as many rows as there are, each candidate has the plan's own forecast: all fits, early stopping, every group."""
    job = write_job(folder, name.replace(" ", "-"), **JOBS[name])
    plan = asked(job)
    is_the_same(asked(job, "--what-if", "rows=1x"), plan)


@pytest.mark.parametrize("name", ["stopped cv", "skewed"])
def test_so_it_is_of_what_was_measured(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And of what another form of the same model tells of one that was not."""
    monkeypatch.setattr(loop, "NO_PROBE_S", 0.0)
    job = write_job(folder, f"measured-{name.replace(' ', '-')}", **JOBS[name])
    plan = asked(job)
    assert plan.measurements
    is_the_same(asked(job, "--what-if", "rows=1x"), plan)


@pytest.mark.parametrize(
    ("gate", "sentence", "opened"),
    [("ability", "failed in its probe: no", ()), ("memory", "was ended at 9 GB", ("rows=0.5x", "memory=1 TB"))],
)
def test_what_failed_when_it_was_tried_still_does(
    folder: Path, gate: Any, sentence: str, opened: tuple[str, ...]
) -> None:
    """Its forecast would let it in; memory that was passed may be enough for fewer rows, or where there is more."""
    job = write_job(folder, f"failed-{gate}", model=BOOSTED)
    decision = asked(job).decision
    chosen = decision.chosen
    assert chosen is not None
    failed = Refusal(candidate=chosen.candidate, sentence=sentence, gate=gate, forecast=chosen.forecast)
    first, *others = decision.alternatives
    tried = decision.but(chosen=first, alternatives=others, refused=(*decision.refused, failed), settled=False)
    file = folder / "runs" / f"failed-{gate}" / "plans" / "001.json"
    file.write_text(Plan.from_json(file.read_text()).but(decision=tried).to_json())
    for text in ("rows=1x", "rows=3x", "rows=0.5x", "deadline=1h", "memory=1 TB"):
        supposed = asked(job, "--what-if", text).decision
        told = [r.sentence for r in supposed.refused if r.candidate == chosen.candidate]
        assert told == ([] if text in opened else [sentence])
        assert supposed.chosen is not None
        assert (supposed.chosen.candidate == chosen.candidate) is (text in opened)
        assert not supposed.settled


def test_more_of_the_largest_group_is_more_for_one_worker(folder: Path) -> None:
    """Groups keep their sizes: ten times the rows are ten times those of the largest, ten times the groups are no longer ones."""
    job = write_job(folder, "scaled", **JOBS["skewed"])
    plan = asked(job)
    longer, more = (asked(job, "--what-if", text) for text in ("rows=10x", "groups=10x"))
    (largest, one) = plan.sizes[-1]
    assert one == 1
    assert longer.sizes[-1] == (10 * largest, 1)
    assert more.sizes[-1] == (largest, 10)
    assert sum(n for _, n in more.sizes) == 10 * sum(n for _, n in plan.sizes)


def test_a_plan_from_before_can_be_asked(folder: Path) -> None:
    """One without sizes: its groups are taken as of one size; its fits stand in its workload."""
    job = write_job(folder, "old", **JOBS["skewed"])
    plan = asked(job)
    file = folder / "runs" / "old" / "plans" / "001.json"
    text = plan.but(sizes=()).to_json().replace('"sizes":[],', "")
    assert '"sizes"' not in text
    file.write_text(text)
    supposed = asked(job, "--what-if", "rows=1x")
    assert supposed.sizes == ()
    assert supposed.decision.chosen is not None


def test_explain_has_early_stopping_in_its_law(folder: Path) -> None:
    """The terms are those that the forecast rests on."""
    judged, plain = (
        write_job(folder, f"explained-{name}", model=BOOSTED, evaluate={"holdout": "20%", **more})
        for name, more in (("judged", {"early_stopping": STOPPING}), ("plain", {}))
    )
    terms = []
    for job in (judged, plain):
        plan = asked(job)
        law = Explained.from_json(fitscale("plan", job, "--explain", "in-memory", "--json").out).law
        assert law is not None
        assert plan.shape.validation_rows == (960 if job == judged else 0)
        terms.append(law.time["iterations"])
    assert terms[0] != terms[1]


@pytest.mark.parametrize("n", [1, 5, 24, 25, 1_000])
def test_sizes_are_kept_by_their_largest_and_their_sum(n: int) -> None:
    """In at most as many pairs as make a law no other, whatever the sizes are."""
    sizes = np.random.default_rng(n).integers(1, 10**6, n).tolist()
    outline = outline_of(sizes)
    assert len(outline) <= 2 * BUCKETS
    again = sizes_of(outline)
    assert again is not None
    assert (len(again), max(again)) == (n, max(sizes))
    assert sum(again) == pytest.approx(sum(sizes), rel=1e-3)
    assert sizes_of(()) is None
