"""What the ten considerations promise: one band for every count, and no change that was not found by deciding again."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitscale.planning.considered import bands
from fitscale.planning.considered.causes import DATA, FEATURES, causes_of
from fitscale.planning.considered.considerations import NAMES, considered
from fitscale.planning.decision import deciding
from fitscale.records.base import Figure
from fitscale.records.data import GroupSizes, Profile, Stage
from fitscale.records.plan import Consideration, Plan, Refusal
from fitscale.records.run import Traits
from fitscale.records.workload import DataSpec, Evaluation, ModelSpec, Team

GB = 1e9


def plan_of(
    bench: Any, assessed: Any, workload: Any = None, *, memory: float = 24 * GB, refused: Any = (), features: int = 29,
    data: float = 0.5 * GB, rows: float = 3e6, groups: int | None = None, largest: int = 500, choose: str | None = None,
    elsewhere: Any = (), stage: Stage | None = None, progress: Any = "rounds", input: Any = "codes",
) -> Plan:  # fmt: skip
    """The plan of a job, decided; its considerations are still to be found."""
    workload, machine = workload or bench.workload(), bench.machine(memory)
    decision = deciding.decide(workload, machine, assessed, refused, choose=choose, settled=True, elsewhere=elsewhere)
    sizes = GroupSizes(n=groups, rows_min=1, rows_median=100, rows_max=largest, exact=True) if groups else None
    return Plan(
        number=1, workload=workload, snapshot="0" * 16, machine=machine, decision=decision, stage=stage,
        profile=Profile(
            rows=Figure.exact(rows), bytes=int(data), columns=(), groups=sizes, read_rows=1, read_bytes=1, read_s=0.1
        ),
        traits=Traits(
            target="classifier", can={"whole": "same"}, input=input, missing="ok", progress=progress, units=300,
            versions={"xgboost": "3.2.0"},
        ),
        shape=bench.shape(int(rows), features=features, source_bytes=int(data)),
    )  # fmt: skip


def one(plan: Plan, name: str, team: Team | None = None) -> Consideration:
    return next(c for c in considered(plan, team) if c.name == name)


def flights(bench: Any) -> list[Any]:
    return [
        bench.known("in-memory", 24, 3.5 * GB),
        bench.known("quantised", 28, 0.86 * GB),
        bench.known("out-of-core", 31, 0.54 * GB),
    ]


# The scales.


def limits_of(name: str) -> tuple[float, float]:
    """What a band's name says: ``100–1,000`` from 100 on, below 1,000."""
    numbers = [float(n.replace(",", "")) for n in re.findall(r"[\d,]+", name)]
    unit = GB if name.endswith("GB") else 1.0
    if name.startswith("<"):
        return 0.0, numbers[0] * unit
    return numbers[0] * unit, numbers[1] * unit if len(numbers) > 1 else float("inf")


@pytest.mark.parametrize("scale", [bands.MODELS, bands.FEATURES, bands.USERS, bands.BYTES], ids=lambda s: s.names[-1])
@given(data=st.data())
def test_every_count_is_in_exactly_one_band(scale: bands.Scale, data: st.DataObject) -> None:
    """The one whose name says so, also at its edges; the scale has no gap."""
    value = data.draw(st.one_of(st.sampled_from(scale.edges), st.integers(0, int(20 * scale.edges[-1]))))
    named = [name for name in scale.names if limits_of(name)[0] <= value < limits_of(name)[1]]
    assert named == [scale.band(value)]


@given(seconds=st.floats(0, 1e9))
def test_every_time_is_in_one_band(seconds: float) -> None:
    """Longer is never in an earlier band, and an hour is no longer under one."""
    order = bands.SECONDS.names.index
    assert order(bands.SECONDS.band(seconds)) <= order(bands.SECONDS.band(seconds + 1))
    assert (bands.SECONDS.band(seconds) == "under 1 h") is (seconds < 3600)


@pytest.mark.parametrize(
    ("cron", "band"),
    [("0 6 * * *", "daily"), ("0 * * * *", "daily"), ("0 6 * * 1", "weekly"), ("0 6 1,15 * *", "biweekly"),
     ("0 6 1 * *", "monthly"), ("0 6 1 1 *", "ad hoc")],
)  # fmt: skip
def test_a_cron_line_is_in_the_band_of_the_nearest_frequency(bench: Any, cron: str, band: str) -> None:
    """With the line itself beside it."""
    assert one(plan_of(bench, flights(bench), bench.workload(frequency=cron)), "how often, when").value == (
        f"{band} ({cron}), no deadline"
    )


# What they say.


def test_all_ten_stand_in_their_order_whatever_the_job(bench: Any) -> None:
    """Also where nothing can run; each has a value and where it is from."""
    for assessed in (flights(bench), []):
        found = considered(plan_of(bench, assessed))
        assert [c.number for c in found] == list(range(1, 11))
        assert [c.name for c in found] == list(NAMES.values())
        assert all(c.value for c in found)
        assert Plan.from_json(plan_of(bench, assessed).but(considerations=found).to_json()).considerations == found


def test_a_job_with_room_and_without_needs_is_changed_by_none(bench: Any) -> None:
    """'Nothing' is an answer; what nobody said is assumed, and said so."""
    found = considered(plan_of(bench, flights(bench)[:1]))
    assert not [c for c in found if c.removes or c.changed]
    assert [(c.name, c.value) for c in found if c.origin == "assumed"] == [
        ("users", "1 user, 1 environment at once"),
        ("how often, when", "ad hoc, no deadline"),
        ("budget", "none"),
        ("export", "none but the library's own format"),
    ]
    assert [(c.value, c.band) for c in found[1:5]] == [
        ("xgboost.XGBClassifier, by xgboost 3.2.0", ""),
        ("1", "< 10"),
        ("29, 300 rounds", "0–100"),
        ("500 MB, 3M rows, all of it", "0–20 GB"),
    ]


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (ModelSpec(estimator="xgboost.XGBClassifier", params={"objective": "binary:logistic"}), "ML"),
        (ModelSpec(estimator="torch.nn.Module"), "DL, and no accelerator is here"),
        (
            ModelSpec(
                estimator="sklearn.pipeline.Pipeline",
                params={"steps": [["net", "sklearn.neural_network.MLPClassifier"]]},
            ),
            "DL, and no accelerator is here",
        ),
        (
            ModelSpec(any_of=(ModelSpec(estimator="lightgbm.LGBMClassifier"), ModelSpec(estimator="keras.Model"))),
            "both, and no accelerator is here",
        ),
    ],
)
def test_networks_are_deep_learning_wherever_they_stand(bench: Any, model: ModelSpec, value: str) -> None:
    """By the import path of what is fitted, of a step of a pipeline too."""
    plan = plan_of(bench, flights(bench), bench.workload().but(model=model))
    assert one(plan, "ML, DL or both").value == value
    assert one(plan, "ML, DL or both").origin == "stated"


def test_a_live_pipeline_is_assumed_to_hold_no_network(bench: Any) -> None:
    """Its steps stand in no record; of a live estimator the class does."""
    for path, origin in (("sklearn.pipeline.Pipeline", "assumed"), ("xgboost.XGBClassifier", "stated")):
        model = ModelSpec(estimator=path, live="live/0.pkl")
        learning = one(plan_of(bench, flights(bench), bench.workload().but(model=model)), "ML, DL or both")
        assert (learning.value, learning.origin) == ("ML", origin)


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("flights.parquet", "local files"),
        ("file:///data/*.csv", "local files"),
        ("postgresql://host/db", "database"),
        ("S3://bucket/key", "object storage"),
        ("hdfs://name/rows", "Hadoop"),
        ("edge://drop", "edge device"),
        ("ftp://old/rows", "others (ftp)"),
    ],
)
def test_where_the_data_is(bench: Any, uri: str, place: str) -> None:
    """By the scheme of its address."""
    plan = plan_of(bench, flights(bench), bench.workload().but(data=DataSpec(uri=uri, target="late")))
    assert one(plan, "place of data").value == place


def test_what_must_be_staged_is_part_of_every_forecast(bench: Any) -> None:
    """Data of a database costs its reading, once; the place says how much of the time that is."""
    stage = Stage(seconds=Figure.exact(30.0), bytes=Figure.exact(1.2 * GB), rows=Figure.exact(3e6))
    assert one(plan_of(bench, flights(bench), stage=stage), "place of data").changed == (
        "is read once into 1.2 GB of Parquet: 30 s of every forecast",
    )


def test_users_and_environments_are_the_teams(bench: Any) -> None:
    """One of each is assumed where no team says otherwise; its budget for the platform stands beside those of the job."""
    plan = plan_of(bench, flights(bench), bench.workload(software=0))
    team = Team(users=60, environments=3, platform_usd_month=2000)
    users = one(plan, "users", team)
    assert (users.value, users.band, users.origin) == ("60 users, 3 environments at once", "50–100", "stated")
    assert one(plan, "budget", team).value == "software 0 USD/month, platform 2,000 USD/month"
    assert one(plan, "users", Team()).origin == "assumed"


def test_repeated_fits_of_one_model_are_still_one_model(bench: Any) -> None:
    """Five parts and all of the rows are six fits; a series is fitted once more to its end."""
    for evaluate, value in (
        (Evaluation(holdout=None, cv=5), "1, fitted 6 times (cv)"),
        (Evaluation(refit=True), "1, fitted twice (refit)"),
    ):
        plan = plan_of(bench, flights(bench), bench.workload().but(evaluate=evaluate))
        assert one(plan, "models at once").value == value


@pytest.mark.parametrize(
    ("groups", "features", "data", "said"),
    [
        (1_000, 10_000, 1.0, "both scales at once: 1,000 models of 10,000 features"),
        (None, 10_000, 200 * GB, "both scales at once: 10,000 features of 200 GB"),
        (250_000, 1_000, 3e5 * 200 * GB, "all three scales at once: 250,000 models of 1,000 features and 10 TB"),
        (250_000, 10, 1.0, ""),
        (999, 999, 1.0, ""),
    ],
)
def test_a_combination_of_scales_is_named(bench: Any, groups: Any, features: int, data: float, said: str) -> None:
    """Many models, many features, much data for one: what is in the two uppermost bands of at least two scales."""
    plan = plan_of(bench, flights(bench), groups=groups, features=features, data=data)
    assert bands.scales_of(plan) == said
    beside = one(plan, "models at once" if groups else "data of a model").value
    assert beside.endswith(said)


# What they changed.


def test_data_that_does_not_fit_rules_out_with_the_refusals_own_sentence(bench: Any) -> None:
    """And deciding again on a machine with room for it says what it would have been."""
    plan = plan_of(bench, flights(bench), memory=2 * GB)
    data = one(plan, "data of a model")
    assert data.removes == (("in-memory", plan.decision.refused[0].sentence),)
    assert data.changed == ("with room for it in-memory at 24 s (22–26) would be chosen",)
    assert not one(plan, "features").removes
    assert one(plan, "framework").changed == ("makes quantised possible; without it nothing would run here",)


def test_what_was_begun_already_speaks_for_no_candidate(bench: Any) -> None:
    """'train' stays with what it has begun; with room for it something else would have been begun."""
    begun = bench.known("out-of-core", 31, 0.54 * GB)
    begun = begun.but(forecast=begun.forecast.but(done_s=20.0))
    for memory, changed in ((2 * GB, True), (24 * GB, False)):
        plan = plan_of(bench, [flights(bench)[0], begun], memory=memory)
        assert plan.decision.chosen == begun
        with_room = ("with room for it in-memory at 24 s (22–26) would be chosen",)
        assert one(plan, "data of a model").changed == (with_room if changed else ())
    slow = plan_of(bench, [flights(bench)[0], begun], bench.workload(must=3600))
    assert one(slow, "how often, when").changed == ()  # by its need nothing would be another


def test_a_wide_table_is_refused_for_its_features_too(bench: Any) -> None:
    """Its cells grow with both; where no number of rows would fit it is the features alone, and of a narrow one neither."""
    wide = plan_of(bench, flights(bench), memory=2 * GB, features=5_000)
    assert [c.name for c in considered(wide) if c.removes] == ["features", "data of a model"]
    fixed = bench.known("in-memory", 24, 3.5 * GB)
    fixed = fixed.but(forecast=fixed.forecast.but(memory_fixed_bytes=3.4 * GB))
    for features, causes in ((5_000, {FEATURES}), (29, set())):
        plan = plan_of(bench, [fixed], memory=2 * GB, features=features)
        assert causes_of(plan.decision.refused[0], plan) == causes
    assert one(plan_of(bench, [fixed], memory=2 * GB, features=5_000), "features").changed == (
        "with it nothing here passes",
        "with room for it in-memory at 24 s (22–26) would be chosen",
    )
    assert DATA in causes_of(wide.decision.refused[0], wide)


def test_models_side_by_side_that_do_not_fit_are_fitted_one_by_one(bench: Any) -> None:
    """Two at a time are too much where one is not: it is their number at once that rules them out."""
    both = [
        bench.known("many-models", 20, 3 * GB, workers=2, threads=1),
        bench.known("many-models", 40, 1.5 * GB, workers=1, threads=1),
    ]
    plan = plan_of(bench, both, bench.workload(groups=("route",)), memory=2 * GB, groups=1_141)
    models = one(plan, "models at once")
    assert (models.value, models.band) == ("1,141, 1 at a time", "1,000–10,000")
    assert [name for name, _ in models.removes] == ["many-models with 2 workers"]
    assert models.changed[0] == "a model for each group: many-models in place of one fit"
    alone = plan_of(bench, both[1:], bench.workload(groups=("route",)), memory=GB, groups=1_141)
    assert [c.name for c in considered(alone) if c.removes] == ["data of a model"]


def test_a_deadline_that_decides_says_for_what(bench: Any) -> None:
    """With a budget the cheapest is taken that is in time: without the deadline it would be the slow one."""
    dear, cheap = bench.known("in-memory", 20, GB, usd=0.02), bench.known("out-of-core", 60, GB, usd=0.001)
    plan = plan_of(bench, [dear, cheap], bench.workload(must=30, usd_month=100))
    when = one(plan, "how often, when")
    assert (when.value, when.band) == ("ad hoc, must 30 s", "under 1 h")
    assert [name for name, _ in when.removes] == ["out-of-core"]
    assert when.changed == ("without the deadline out-of-core at 60 s (55–66) would be chosen",)
    assert one(plan, "budget").changed == ()


def test_a_budget_that_decides_says_for_what(bench: Any) -> None:
    """The fast one is over it; once a month it would not be."""
    dear, cheap = bench.known("in-memory", 20, GB, usd=1.0), bench.known("out-of-core", 60, GB, usd=0.001)
    plan = plan_of(bench, [dear, cheap], bench.workload(usd_month=20, frequency="daily"))
    assert [name for name, _ in one(plan, "budget").removes] == ["in-memory"]
    assert one(plan, "budget").changed == ("without the budget in-memory at 20 s (18–22) would be chosen",)
    assert one(plan, "how often, when").changed == ()  # once a month the cheaper one is still the cheaper one
    alone = plan_of(bench, [dear], bench.workload(usd_month=20, frequency="daily"))
    assert one(alone, "budget").changed == ("with it nothing here passes",)
    assert one(alone, "how often, when").changed == ("with it nothing here passes",)


def test_a_must_that_nothing_meets_is_said_with_what_would_meet_it(bench: Any) -> None:
    """Every candidate is ruled out by the deadline, and a rented machine is named."""
    rented = bench.known("in-memory", 5, GB, usd=0.01, machine="m8i.large")
    plan = plan_of(bench, flights(bench), bench.workload(must=10), elsewhere=[rented])
    when = one(plan, "how often, when")
    assert [name for name, _ in when.removes] == ["in-memory", "quantised", "out-of-core"]
    assert when.changed == ("with it nothing here passes, but in-memory on m8i.large does",)


def test_what_the_framework_cannot_do_is_its_own(bench: Any) -> None:
    """Its gaps rule out, in the estimator's words; and what it can beyond the plain fit is said where it was chosen."""
    gap = Refusal(candidate=bench.candidate("out-of-core"), sentence="needs all of the rows at once", gate="ability")
    plan = plan_of(bench, flights(bench)[:1], refused=[gap])
    assert one(plan, "framework").removes == (("out-of-core", "needs all of the rows at once"),)
    assert one(plan, "framework").changed == ()
    faster = [bench.known("in-memory", 24, GB), bench.known("quantised", 12, GB)]
    assert one(plan_of(bench, faster), "framework").changed == (
        "makes quantised possible; without it in-memory at 24 s (22–26) would be chosen",
    )
    asked = plan_of(bench, flights(bench), bench.workload(functions=("distributed_training",)))
    framework = one(asked, "framework")
    assert framework.value.endswith("; distributed_training asked for")
    assert [name for name, _ in framework.removes] == ["in-memory", "quantised", "out-of-core"]


def test_a_format_rules_out_what_cannot_be_exported(bench: Any) -> None:
    """With the converter's sentence; a format that every candidate can be had in changes nothing."""
    asked = bench.workload()
    asked = asked.but(needs=asked.needs.but(export=("onnx",), deploy="edge/linux-arm64"))
    fine = one(plan_of(bench, flights(bench), asked), "export")
    assert (fine.value, fine.removes, fine.changed) == ("onnx: can be had; deployed to edge/linux-arm64", (), ())
    lacking = Refusal(candidate=bench.candidate(), sentence="cannot be exported to onnx: no converter", gate="export")
    refused = one(plan_of(bench, [], asked, refused=[lacking]), "export")
    assert refused.removes == (("in-memory", "cannot be exported to onnx: no converter"),)


def test_what_is_chosen_by_hand_is_changed_by_no_need(bench: Any) -> None:
    """--choose decides, whatever the workload says beside it."""
    plan = plan_of(bench, flights(bench), bench.workload(must=25), choose="out-of-core")
    assert [c.changed for c in considered(plan) if c.changed] == []


@given(
    must=st.none() | st.floats(1, 200), usd=st.none() | st.floats(0, 50), memory=st.floats(0.3 * GB, 24 * GB),
    features=st.integers(1, 20_000), seconds=st.lists(st.floats(1, 300), min_size=3, max_size=3),
)  # fmt: skip
def test_nothing_is_ruled_out_without_a_consideration_or_the_machine(
    bench: Any, must: Any, usd: Any, memory: float, features: int, seconds: list[float]
) -> None:
    """Each refusal stands under what it is due to, or is of the machine's memory alone; and none stands there that is not."""
    names = ("in-memory", "quantised", "out-of-core")
    known = [
        bench.known(name, s, held * GB, usd=s / 100)
        for name, s, held in zip(names, seconds, (3.5, 0.9, 0.5), strict=True)
    ]
    plan = plan_of(bench, known, bench.workload(must=must, usd_month=usd), memory=memory, features=features)
    removed = {pair for c in considered(plan) for pair in c.removes}
    refused = {(r.candidate.name, r.sentence): r for r in plan.decision.refused}
    assert removed <= refused.keys()
    assert all(refused[pair].gate == "memory" for pair in refused.keys() - removed)
