"""`data.use: enough`: a learning curve says how many rows are taken, and from then on it is as if that had been said."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from doing import events_of, workload_of
from killing import train as train_by_command
from killing import write_job

from fitscale.errors import SourceChanged, WorkloadError
from fitscale.planning.trials import ladder
from fitscale.records.curve import Curve
from fitscale.records.plan import Plan
from fitscale.records.run import Event, Order
from fitscale.running import sufficing
from fitscale.running.command import Told
from fitscale.running.planning import plan_only
from fitscale.running.training import Trained, train
from fitscale.store import folder, versions

INLINE = "in-memory@inline"
ROWS = 20_000
RIDGE = {
    "name": "enough",
    "data": {"uri": "rows.parquet", "target": "y", "use": "enough"},
    "evaluate": {"holdout": 0.2, "metric": "r2"},
    "model": {"estimator": "sklearn.linear_model.Ridge", "params": {"alpha": 1.0}},
}


def write_rows(path: Path, seed: int = 3, n: int = ROWS, rare: int | None = None) -> Path:
    """Eight columns of which y is a sum with as much noise; ``rare``: y is 1 in so many rows, and else 0."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 8))
    y = X @ rng.normal(size=8) + 2 * rng.normal(size=n)
    if rare is not None:
        y = (y > np.sort(y)[-rare]).astype(np.int64)
    columns = {f"x{k}": X[:, k] for k in range(8)} | {"y": y, "w": rng.random(n) + 0.5, "at": np.arange(n)}
    pq.write_table(pa.table(columns), path, row_group_size=1_000)
    return path


class Said:
    """What a command said, and how many trials it did."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.trials = 0

    @property
    def told(self) -> Told:
        return Told(note=self.notes.append, event=self._event)

    def _event(self, name: str, order: Order, event: Event) -> None:
        self.trials += event.kind == "tried"


def planned(document: dict[str, Any], run: Path, said: Said | None = None, **about: Any) -> Plan:
    told = (said or Said()).told
    return plan_only(workload_of(document, run.parent), run, **{"choose": INLINE, "told": told, **about})


def done(document: dict[str, Any], run: Path, said: Said | None = None, **about: Any) -> Trained:
    told = (said or Said()).told
    return train(workload_of(document, run.parent), run, **{"choose": INLINE, "told": told, **about})


def kept(run: Path) -> list[Curve]:
    return [Curve.from_json(path.read_bytes()) for path in sorted((run / "closing").glob("*.json"))]


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], Said]:
    """A run that was trained on enough of its rows."""
    here = tmp_path_factory.mktemp("enough")
    write_rows(here / "rows.parquet")
    said = Said()
    done(RIDGE, here / "run", said)
    return here / "run", RIDGE, said


def test_a_part_of_the_rows_is_taken(job: tuple[Path, dict[str, Any], Said]) -> None:
    """The smallest share whose loss is surely within 0.002; the plan has the curve, and the recipe its share."""
    run, _, said = job
    (curve,) = kept(run)
    assert (curve.metric, curve.tolerance, curve.rows) == ("r2", 0.002, round(0.8 * ROWS))
    assert curve.use < 1.0
    assert said.trials == len(curve.tried) > 5
    assert curve.level is not None
    assert curve.level.loss.high <= 0.002
    assert curve.level.time is not None
    assert 0 < curve.level.time < 1
    plan = folder.read_plan(run)
    assert plan.curve == curve
    assert plan.workload.data.use == curve.use
    assert plan.shape.rows == pytest.approx(curve.use * curve.rows, rel=0.01)
    assert versions.manifest(run, 1).recipes["fit"].use == curve.use
    assert f"{100 * curve.use:.0f} % of the rows give r2 within 0.002 of all of them" in said.notes[0]
    assert f"learning curve: {said.trials} trials" in said.notes[0]
    (event,) = events_of(run, "closed")
    assert event["use"] == curve.use


def test_it_is_as_if_that_share_had_been_said(job: tuple[Path, dict[str, Any], Said], tmp_path: Path) -> None:
    """The same recipe, and the same model to the byte."""
    run, document, _ = job
    (curve,) = kept(run)
    (tmp_path / "rows.parquet").write_bytes((run.parent / "rows.parquet").read_bytes())
    plain = {**document, "data": {**document["data"], "use": curve.use}}
    done(plain, tmp_path / "run")
    own, other = versions.manifest(run, 1), versions.manifest(tmp_path / "run", 1)
    assert own.recipes == other.recipes
    assert own.payloads == other.payloads
    assert own.scores == other.scores


def test_the_loss_is_what_it_was_said_to_be(job: tuple[Path, dict[str, Any], Said], tmp_path: Path) -> None:
    """Trained on all rows too: the held-out score of both, which trials never saw, differs by no more than may be."""
    run, document, _ = job
    (curve,) = kept(run)
    (tmp_path / "rows.parquet").write_bytes((run.parent / "rows.parquet").read_bytes())
    done({**document, "data": {**document["data"], "use": "all"}}, tmp_path / "run")
    few, every = versions.manifest(run, 1).scores["r2"], versions.manifest(tmp_path / "run", 1).scores["r2"]
    assert few is not None
    assert every is not None
    assert every - few <= 2 * curve.tolerance  # what is promised is the mean over which rows they are
    assert curve.score is not None
    assert curve.score.value == pytest.approx(every, abs=0.02)


def test_the_same_command_takes_what_was_decided(job: tuple[Path, dict[str, Any], Said]) -> None:
    """It says so, tries nothing, and has nothing to do; a plan takes it too."""
    run, document, _ = job
    said = Said()
    assert done(document, run, said).nothing_to_do
    assert planned(document, run, said).curve == kept(run)[0]
    assert said.trials == 0
    assert said.notes[0].endswith("decided before: --fresh decides anew")


def test_another_tolerance_is_decided_apart(job: tuple[Path, dict[str, Any], Said]) -> None:
    """Each that was decided is kept."""
    run, document, _ = job
    before = kept(run)
    wide = {**document, "data": {**document["data"], "use": {"enough": 0.1}}}
    said = Said()
    plan = planned(wide, run, said)
    assert said.trials > 0
    assert plan.curve is not None
    assert plan.curve.stated
    assert plan.curve.use <= before[0].use
    assert len(kept(run)) == len(before) + 1


def test_fresh_and_new_data_decide_anew(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.parquet")
    run, said = tmp_path / "run", Said()
    planned(RIDGE, run)
    done(RIDGE, run, said, fresh=True)
    assert said.trials > 0
    assert len(kept(run)) == 1
    write_rows(tmp_path / "rows.parquet", seed=4)
    again = Said()
    done(RIDGE, run, again)
    assert again.trials > 0
    assert len(kept(run)) == 2
    assert versions.numbers(run) == [1, 2]


def test_after_a_kill_the_same_share_is_taken(tmp_path: Path) -> None:
    """Killed when it had planned, the command goes on with what it decided; with other data it says that they changed."""
    write_rows(tmp_path / "rows.parquet")
    path, run = write_job(tmp_path, RIDGE), tmp_path / "run"
    code, said = train_by_command(path, run, "--choose", INLINE, crash="plan.written")
    assert code == -9, said
    (curve,) = kept(run)
    unread = Said()

    class Cut(Exception):
        pass

    def cut(name: str, order: Order, event: Event) -> None:
        unread.trials += event.kind == "tried"
        if order.kind == "fit":
            raise Cut

    with pytest.raises(Cut):
        done(RIDGE, run, told=Told(event=cut))
    assert unread.trials == 0
    whole = (tmp_path / "rows.parquet").read_bytes()
    write_rows(tmp_path / "rows.parquet", seed=4)
    with pytest.raises(SourceChanged, match="the data changed since version 1"):
        done(RIDGE, run)
    (tmp_path / "rows.parquet").write_bytes(whole)
    done(RIDGE, run)
    assert versions.manifest(run, 1).recipes["fit"].use == curve.use
    assert kept(run) == [curve]


def test_what_plan_had_no_time_for_train_looks_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A curve that `plan` cut short is climbed again, to what it is worth."""
    write_rows(tmp_path / "rows.parquet")
    run = tmp_path / "run"
    monkeypatch.setattr(sufficing, "PLAN_LIMIT_S", 0.05)
    short = planned(RIDGE, run).curve
    assert short is not None
    assert short.cut_short
    assert short.use == 1.0
    said = Said()
    done(RIDGE, run, said)
    assert said.trials > len(short.tried)
    assert not kept(run)[0].cut_short


@pytest.mark.parametrize(
    ("section", "changes"),
    [
        ("evaluate", {"holdout": 0.2, "by": "time", "metric": "r2"}),
        ("evaluate", {"cv": 3, "metric": "r2"}),
        ("data", {"weight": "w", "features": {"keep": ["x0", "x1", "x2"]}}),
    ],
)
def test_however_it_is_judged(section: str, changes: dict[str, Any], tmp_path: Path) -> None:
    """By time, in parts, by weights."""
    write_rows(tmp_path / "rows.parquet")
    document = {**RIDGE, "data": {**RIDGE["data"], "time": "at"}}
    document[section] = {**(document[section] if section == "data" else {}), **changes}
    curve = planned(document, tmp_path / "run", probe_s=10.0).curve
    assert curve is not None
    assert curve.use < 1.0
    assert curve.weights


def test_with_early_stopping(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.parquet")
    document = {
        **RIDGE,
        "evaluate": {"holdout": 0.2, "early_stopping": {"rounds": 3, "validation": 0.2}},
        "data": {**RIDGE["data"], "use": {"enough": 0.5}},
        "model": {"estimator": "xgboost.XGBRegressor", "params": {"n_estimators": 10, "max_depth": 3}},
    }
    curve = planned(document, tmp_path / "run", probe_s=10.0).curve
    assert curve is not None
    assert curve.use < 0.5


def test_few_rows_are_all_taken(tmp_path: Path) -> None:
    """There is nothing to be saved, and nothing is tried."""
    write_rows(tmp_path / "rows.parquet", n=1_200)
    said = Said()
    curve = planned(RIDGE, tmp_path / "run", said).curve
    assert curve is not None
    assert (curve.use, curve.tried, said.trials) == (1.0, (), 0)
    assert said.notes == [
        "all rows are taken: 960 training rows are too few for a learning curve, which begins at 2,000"
    ]


def test_small_parts_with_one_class_tell_nothing(tmp_path: Path) -> None:
    """The library's words, or ours, stand beside the trial; the others are judged."""
    write_rows(tmp_path / "rows.parquet", rare=30)
    document = {
        **RIDGE,
        "data": {**RIDGE["data"], "use": {"enough": 0.5}},
        "evaluate": {"holdout": 0.2, "metric": "roc_auc"},
        "model": {"estimator": "sklearn.naive_bayes.GaussianNB"},
    }
    curve = planned(document, tmp_path / "run", probe_s=15.0).curve
    assert curve is not None
    assert any(one.score is None and one.why for one in curve.tried)
    assert any(one.score is not None for one in curve.tried)
    assert all(level.rows >= min(o.rows for o in curve.tried if o.score is not None) for level in curve.levels)


def test_a_tolerance_that_no_score_can_lose(tmp_path: Path) -> None:
    """It is refused before anything is written; an error in its own units may lose that much."""
    write_rows(tmp_path / "rows.parquet", n=3_000)
    document = {**RIDGE, "data": {**RIDGE["data"], "use": {"enough": 1.5}}}
    with pytest.raises(WorkloadError, match=r"data\.use\.enough: 1\.5 is more than r2 can lose"):
        planned(document, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    errors = {**document, "evaluate": {"holdout": 0.2}}
    curve = planned(errors, tmp_path / "run", probe_s=0.05).curve
    assert curve is not None
    assert curve.tolerance == 1.5


def test_every_share_is_one_that_can_be_said() -> None:
    """What is taken stands in the file as it would be written by hand."""
    for share in ladder.SHARES:
        document = {**RIDGE, "data": {**RIDGE["data"], "use": f"{100 * share:g}%"}}
        assert workload_of(document, Path()).data.use == pytest.approx(share, abs=0)
