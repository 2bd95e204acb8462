"""What a model is worth: held to scikit-learn's own functions on the same rows, bounded, seeded, honest where something is gone."""

from __future__ import annotations

import hashlib
import itertools
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("sklearn")
from sklearn.calibration import calibration_curve
from sklearn.inspection import permutation_importance
from sklearn.metrics import brier_score_loss, confusion_matrix, mean_absolute_error, mean_squared_error, roc_auc_score

from fitscale.models import worth
from fitscale.models.worth import asking
from fitscale.models.worth.classes import Calibrating, Confusing
from fitscale.models.worth.importance import EncodedRows, RawRows, importance_of
from fitscale.models.worth.judged import Block, Judged, joined, judged_of
from fitscale.models.worth.looking import look
from fitscale.models.worth.rows import sample_of
from fitscale.records.worth import Worth
from fitscale.running.training import train
from fitscale.store import versions
from fitscale.workload import parse

ROWS = 5_000
LONG_S = 600.0  # nothing here is ended by its time, unless a test says so


def rows(seed: int = 0) -> pa.Table:
    """Two numbers, of which one counts; a text, in whose value 'z' the outcome is a coin's; a rare text; a constant."""
    random = np.random.default_rng(seed)
    a, b = random.normal(size=ROWS), random.normal(size=ROWS)
    kind = random.choice(["x", "y", "z"], ROWS, p=[0.4, 0.4, 0.2])
    rare = np.where(np.arange(ROWS) % 100 == 3, "seldom", "often")
    late = np.where(kind == "z", random.random(ROWS) < 0.5, a + 0.3 * random.normal(size=ROWS) > 0).astype(int)
    value = 3 * a + np.where(kind == "z", 4, 1) * random.normal(size=ROWS)
    return pa.table(
        {
            "a": a,
            "b": b,
            "kind": kind,
            "rare": rare,
            "one": np.ones(ROWS),
            "day": np.arange(ROWS),
            "late": late,
            "value": value,
        }
    )


def trained(folder: Path, table: pa.Table | None = None, **sections: Any) -> Path:
    """A run with a finished version of histogram boosting."""
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows() if table is None else table, folder / "rows.parquet", row_group_size=1_000)
    data = {"uri": "rows.parquet", "target": "late", "features": {"drop": ["value", "day"]}}
    estimator = "sklearn.ensemble.HistGradientBoostingClassifier"
    model = {"estimator": estimator, "params": {"max_iter": 20, "random_state": 0}}
    document = {"name": "job", "data": data, "model": model, "evaluate": {"metric": "roc_auc"}, **sections}
    train(parse(document, file=None, folder=folder), folder / "run")
    return folder / "run"


CHEAP = {"estimator": "baseline.Classifier"}  # where the model does not matter
REGRESSION = {
    "data": {"uri": "rows.parquet", "target": "value", "features": {"drop": ["late", "day"]}},
    "model": {"estimator": "sklearn.ensemble.HistGradientBoostingRegressor", "params": {"max_iter": 20}},
    "evaluate": {"metric": "neg_root_mean_squared_error"},
}


@pytest.fixture(scope="module")
def classified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("classified"))


@pytest.fixture(scope="module")
def looked(classified: Path) -> Worth:
    return look(classified, 1, limit_s=LONG_S)


def judged(run: Path) -> Judged:
    found = judged_of(run, versions.manifest(run, 1))
    assert found is not None
    return found


def whole(run: Path) -> Block:
    """All held-out rows as one block."""
    return joined(list(judged(run).blocks()))


def block(y: Any, value: Any, proba: Any = None) -> Block:
    return Block(np.arange(len(y)), np.asarray(y, np.float32), None, np.asarray(value, float), proba)


def test_confusion_and_calibration_are_those_of_scikit_learn(classified: Path, looked: Worth) -> None:
    """On the run's own held-out rows: the matrix, the bins of a tenth each, and the Brier score."""
    rows = whole(classified)
    assert rows.proba is not None
    p = rows.proba[:, 1]
    assert looked.confusion is not None
    assert np.array_equal(looked.confusion.counts, confusion_matrix(rows.y, rows.value))
    assert looked.confusion.labels == ("0", "1")
    assert looked.calibration is not None
    observed, predicted = calibration_curve(rows.y, p, n_bins=10, strategy="quantile")
    bins = looked.calibration.bins
    assert len(bins) == len(observed)
    assert [b.predicted for b in bins] == pytest.approx(predicted, abs=0.003)
    assert [b.observed for b in bins] == pytest.approx(observed, abs=0.02)
    assert sum(b.rows for b in bins) == looked.held_out == len(p)
    assert looked.calibration.brier == pytest.approx(brier_score_loss(rows.y, p))
    assert looked.calibration.ece == pytest.approx(sum(b.rows * abs(b.predicted - b.observed) for b in bins) / len(p))


def test_more_classes_than_two_in_any_blocks() -> None:
    """Counts, the top class's bins and the distances do not depend on how rows came."""
    random = np.random.default_rng(3)
    proba = random.dirichlet(np.ones(4), 2_000)
    y, value = random.integers(0, 4, 2_000), proba.argmax(axis=1)
    confusing, calibrating = Confusing(4), Calibrating(4)
    for first in range(0, 2_000, 300):
        part = slice(first, first + 300)
        confusing.add(block(y[part], value[part], proba[part]))
        calibrating.add(block(y[part], value[part], proba[part]))
    confused = confusing.result(list("pqrs"))
    expected = confusion_matrix(y, value)
    assert np.array_equal(confused.counts, expected)
    worst = max((expected[i, j], -i, -j) for i in range(4) for j in range(4) if i != j)
    assert confused.mistaken[0] == ("pqrs"[-worst[1]], "pqrs"[-worst[2]], worst[0])
    found = calibrating.result(None)
    observed, predicted = calibration_curve(y == value, proba.max(axis=1), n_bins=10, strategy="quantile")
    assert [b.predicted for b in found.bins] == pytest.approx(predicted, abs=0.003)
    assert [b.observed for b in found.bins] == pytest.approx(observed, abs=0.02)
    assert found.brier == pytest.approx(np.square(proba - np.eye(4)[y]).sum(axis=1).mean())


def test_rare_outcomes_are_calibrated_in_bins_of_their_own() -> None:
    """Probabilities of a thousandth and less fall into ten bins as others do, and equal ones stay together."""
    random = np.random.default_rng(4)
    p = 10 ** random.uniform(-6, -3, 20_000)
    calibrating = Calibrating(2)
    calibrating.add(block(random.random(20_000) < p, np.zeros(20_000), np.column_stack([1 - p, p])))
    bins = calibrating.result("rare").bins
    assert [b.rows for b in bins] == pytest.approx([2_000] * 10, abs=40)
    assert all(x.high <= y.low for x, y in itertools.pairwise(bins))
    level = Calibrating(2)
    level.add(block(np.arange(100) % 4 == 0, np.zeros(100), np.tile([0.75, 0.25], (100, 1))))
    (only,) = level.result("1").bins
    assert (only.rows, only.predicted, only.observed) == (100, 0.25, 0.25)


def test_many_classes_are_named_by_what_is_mistaken() -> None:
    """A matrix of a hundred classes could not be read: the most frequent mistakes can."""
    y = np.repeat(np.arange(100), 3)
    confusing = Confusing(100)
    confusing.add(block(y, np.where(y == 7, 8, y)))
    found = confusing.result([str(k) for k in range(100)])
    assert found.counts == ()
    assert found.mistaken == (("7", "8", 3),)


def test_importance_is_that_of_scikit_learn(classified: Path) -> None:
    """The same rows and metric, twelve rounds each: means within their noise, and zero where a column says nothing."""
    chosen = judged(classified)
    model, sample = chosen.model(False), sample_of(chosen)
    found = importance_of(model, sample, roc_auc(), seed=1, limit_s=LONG_S, repeats=12)
    assert not isinstance(found, str)
    assert found.score == pytest.approx(measured(model, sample.table, sample.y))
    assert (found.rows, found.repeats, found.untried) == (len(sample.row), 12, 0)
    theirs = permutation_importance(
        Fitted(), sample.table.to_pandas(), sample.y, n_repeats=12, random_state=0,
        scoring=lambda _, X, y: measured(model, pa.Table.from_pandas(X, preserve_index=False), y),
    )  # fmt: skip
    names = sample.table.column_names
    for column in found.columns:
        at = names.index(column.column)
        mean, std = theirs.importances_mean[at], theirs.importances_std[at]
        assert column.drop == pytest.approx(mean, abs=4 * (std + 1e-12) / np.sqrt(12) * np.sqrt(2))
        assert column.spread == pytest.approx(std, rel=0.8, abs=1e-9)
    assert found.columns[0].column == "a"
    assert next(column for column in found.columns if column.column == "one").drop == 0


def test_a_drop_is_that_of_one_shuffled_column(classified: Path) -> None:
    """By hand: the column's values in another order, the others where they were."""
    chosen = judged(classified)
    model, sample = chosen.model(False), sample_of(chosen)
    found = importance_of(model, sample, roc_auc(), seed=5, limit_s=LONG_S, repeats=1)
    assert not isinstance(found, str)
    for at, name in enumerate(sample.table.column_names):
        order = np.random.default_rng([5, 0, at]).permutation(len(sample.row))
        values = pa.array(sample.table.column(name).to_pylist()).take(pa.array(order))
        other = sample.table.set_column(at, name, values)
        drop = measured(model, sample.table, sample.y) - measured(model, other, sample.y)
        (own,) = [column for column in found.columns if column.column == name]
        assert own.drop == pytest.approx(drop, abs=1e-12)
        assert own.spread is None


def test_encoded_columns_are_shuffled_like_raw_ones(tmp_path: Path) -> None:
    """One-hot texts and the parts of a date move together; afterwards everything is where it was."""
    table = rows().append_column("when", pa.array(np.arange(ROWS) * 3_600, pa.timestamp("s")))
    run = trained(
        tmp_path, table, data={"uri": "rows.parquet", "target": "late", "features": {"drop": ["value", "day"]}},
        model={"estimator": "sklearn.linear_model.LogisticRegression"},
    )  # fmt: skip
    chosen = judged(run)
    model, sample = chosen.model(False), sample_of(chosen)
    assert model.encoding.width > len(model.encoding.columns) + 4
    encoded, raw = EncodedRows(model, sample, roc_auc()), RawRows(model, sample, roc_auc())
    order = np.random.default_rng(0).permutation(len(sample.row))
    for column in range(sample.table.num_columns):
        assert encoded.score(column, order) == pytest.approx(raw.score(column, order), abs=1e-9)
    assert encoded.score() == pytest.approx(raw.score(), abs=1e-9)


class Fitted:
    """What scikit-learn wants to be given."""

    def fit(self) -> None: ...


def roc_auc() -> Any:
    from fitscale.metrics import metric

    return metric("roc_auc", 2)


def measured(model: Any, table: pa.Table, y: np.ndarray) -> float:
    return float(roc_auc_score(y, model.scored(table)[1][:, 1]))


def test_the_same_seed_gives_the_same_figures(classified: Path, looked: Worth) -> None:
    """But for the seconds that it took; and nothing of the version changes."""
    before = digest(classified / "versions")
    again = look(classified, 1, limit_s=LONG_S)
    assert timeless(again) == timeless(looked)
    assert digest(classified / "versions") == before


def timeless(found: Worth) -> Worth:
    assert found.importance is not None
    return found.but(seconds=0.0, importance=found.importance.but(seconds=0.0))


def digest(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def test_the_time_ends_it(classified: Path) -> None:
    """No time at all: a few rows, one column of one round, and the others are counted as not tried."""
    found = look(classified, 1, limit_s=0.0)
    assert found.importance is not None
    assert (found.importance.rows, found.importance.repeats, found.importance.untried) == (500, 1, 4)
    assert len(found.importance.columns) == 1


def test_the_rows_are_bounded_and_held_out(classified: Path) -> None:
    """So many as were asked for, from one end of the data to the other, none of them trained on, in their order."""
    chosen = judged(classified)
    sample = sample_of(chosen, 200)
    assert len(sample.row) == sample.table.num_rows == 200
    assert set(sample.row.tolist()) <= set(whole(classified).row.tolist())
    assert (np.diff(sample.row) > 0).all()
    assert sample.row[0] < 500
    assert sample.row[-1] > 4_500
    assert sample.table.column("a").to_pylist() == rows().column("a").take(pa.array(sample.row)).to_pylist()


def test_the_segment_with_the_error_leads(looked: Worth) -> None:
    """With its counts and shares; ten rows of a rare value mislead nobody, a constant column has no segments."""
    found = looked.segments
    assert found is not None
    first = found.found[0]
    assert (first.column, first.value) == ("kind", "z")
    assert first.loss_share > 2 * first.share
    assert first.rows / found.rows == pytest.approx(first.share)
    assert (found.of, found.columns, found.rows) == ("log loss", 2, looked.held_out)
    assert first.score is not None
    assert first.score < 0.65
    assert first.actual == pytest.approx(0.5, abs=0.1)
    assert [segment.value for segment in found.found if segment.column == "rare"] == []


def test_a_regression_has_residuals(tmp_path: Path) -> None:
    """Their mean and distances are scikit-learn's, the histogram holds every row, and the segment with the noise leads."""
    run = trained(tmp_path, **REGRESSION)
    found, all_ = look(run, 1, limit_s=LONG_S), whole(run)
    left = found.residuals
    assert left is not None
    assert left.root_mean_square == pytest.approx(mean_squared_error(all_.y, all_.value) ** 0.5)
    assert left.mean_absolute == pytest.approx(mean_absolute_error(all_.y, all_.value))
    assert left.mean == pytest.approx(float(np.mean(all_.y - all_.value)))
    assert sum(left.counts) == left.rows == found.held_out
    assert dict(left.shares)[0.5] == pytest.approx(float(np.median(all_.y - all_.value)))
    assert sum(part.rows for part in left.reach) == left.rows
    assert all(part.low <= part.actual <= part.high for part in left.reach)
    assert (found.confusion, found.calibration) == (None, None)
    assert found.segments is not None
    assert (found.segments.found[0].column, found.segments.found[0].value) == ("kind", "z")
    assert found.importance is not None
    assert found.importance.columns[0].column == "a"


@pytest.mark.parametrize(
    ("evaluate", "parts"),
    [({"cv": 3}, 3), ({"holdout": 0.3, "refit": True}, 1), ({"by": "time"}, 1), ({"by": "kind"}, 1)],
)
def test_every_way_of_holding_out(tmp_path: Path, evaluate: dict[str, Any], parts: int) -> None:
    """Of a cross-validation all rows, once; of a final fit those that the one before it was judged by; by time the last."""
    data = {"uri": "rows.parquet", "target": "late", "time": "day", "features": {"drop": ["value"]}}
    run = trained(tmp_path, data=data, model=CHEAP, evaluate={"metric": "accuracy", **evaluate})
    found = look(run, 1, limit_s=LONG_S)
    assert len(found.judged) == parts
    assert found.missing == {}
    assert found.confusion is not None
    assert found.confusion.rows == found.held_out == len(set(whole(run).row.tolist()))
    sample = sample_of(judged(run))
    if "cv" in evaluate:
        assert found.held_out == ROWS
        assert found.sampled == len(sample.row) < ROWS / 2
    else:
        assert sorted(sample.row.tolist()) == sorted(whole(run).row.tolist())
    if evaluate.get("by") == "time":
        assert sample.row[0] == ROWS - found.held_out


def test_lost_predictions_are_made_again(tmp_path: Path, classified: Path, looked: Worth) -> None:
    """From the model and the rows, which says so; without the model too there is nothing to be said."""
    run = tmp_path / "run"
    shutil.copytree(classified, run)
    for path in judged(run).predictions:
        path.unlink()
    found = look(run, 1, limit_s=LONG_S)
    assert not found.kept
    assert found.confusion == looked.confusion
    assert timeless(found).importance == timeless(looked).importance
    (run / "models" / versions.manifest(run, 1).payloads[0]).unlink()
    bare = look(run, 1, limit_s=LONG_S)
    assert bare.confusion is None
    assert "is gone" in bare.missing["importance"]
    assert "what was predicted in training is gone" in bare.missing["predictions"]
    assert bare.again


@pytest.mark.parametrize("gone", [True, False])
def test_data_that_is_gone_or_changed(tmp_path: Path, gone: bool) -> None:
    """What predictions alone tell is still told; why the rest is not; and what was found out before stays."""
    run = trained(tmp_path, model=CHEAP)
    known = worth.refresh(run, None, limit_s=LONG_S)
    path = tmp_path / "rows.parquet"
    if gone:
        path.unlink()
    else:
        pq.write_table(rows(1), path)
    found = look(run, 1, limit_s=LONG_S)
    assert known is not None
    assert found.confusion == known.confusion
    assert found.importance is None
    assert found.missing["segments"] == found.missing["importance"]
    assert found.missing["segments"].startswith("the rows cannot be read: ")
    assert "rows.parquet" in found.missing["segments"]
    assert found.again
    kept = worth.refresh(run, None, limit_s=LONG_S, anew=True)
    assert kept is not None
    assert (kept.segments, kept.importance) == (known.segments, known.importance)
    assert "importance" not in kept.missing


def test_a_strangers_model_is_not_loaded(tmp_path: Path, classified: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With another key its importance is left out, with the reason; trusted, it is there."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "other"))
    found = look(classified, 1, limit_s=LONG_S)
    assert "say --trust" in found.missing["importance"]
    assert found.segments is not None
    assert look(classified, 1, limit_s=LONG_S, trust=True).importance is not None


OWN = """
from sklearn.linear_model import LogisticRegression

class Mine(LogisticRegression):
    pass
"""


def test_code_is_imported_from_our_workload_alone(tmp_path: Path) -> None:
    """A run names a folder, which may be a stranger's: only the one that the command was given is looked into."""
    (tmp_path / "own_of_worth.py").write_text(OWN)
    features = {"keep": ["a", "b"]}
    run = trained(
        tmp_path, data={"uri": "rows.parquet", "target": "late", "features": features},
        model={"estimator": "own_of_worth.Mine", "framework": "sklearn"},
    )  # fmt: skip
    bare = worth.refresh(run, None, limit_s=1.0)
    assert bare is not None
    assert bare.missing["importance"] == (
        "the model cannot be loaded: ModuleNotFoundError: No module named 'own_of_worth'"
    )
    assert bare.confusion is not None
    whole = worth.refresh(run, None, limit_s=1.0, folder=str(tmp_path))
    assert whole is not None
    assert whole.importance is not None


def test_a_run_sends_us_nowhere(tmp_path: Path, classified: Path) -> None:
    """Of a database the rows are in the run: a snapshot that names one itself is not followed."""
    run = tmp_path / "run"
    shutil.copytree(classified, run)
    (path,) = run.glob("data/*/snapshot.json")
    path.write_text(path.read_text().replace('"source":"files"', '"source":"postgres"'))
    found = look(run, 1, limit_s=1.0)
    assert found.missing["segments"].endswith(
        "the snapshot is of source 'postgres', and not of files or of the run's own copy"
    )


def test_predictions_that_are_no_numbers_cost_themselves(tmp_path: Path) -> None:
    """The importance is there all the same, and why the others are not."""
    run = trained(tmp_path, **{**REGRESSION, "model": {"estimator": "baseline.Regressor"}})
    (path,) = judged(run).predictions
    table = pq.read_table(path)
    value = pa.array([float("nan"), *table.column("value").to_pylist()[1:]])
    pq.write_table(table.set_column(table.column_names.index("value"), "value", value), path)
    found = look(run, 1, limit_s=LONG_S)
    assert found.residuals is None
    assert found.missing["predictions"].startswith("they cannot be summed up: ValueError: ")
    assert found.importance is not None


def test_nothing_held_out_is_said(tmp_path: Path) -> None:
    """A version that nothing judges has a sentence."""
    found = look(trained(tmp_path, model=CHEAP, evaluate={"holdout": "1%", "by": "one"}), 1, limit_s=LONG_S)
    assert found.missing == {"all of it": "no row was held out: a larger evaluate.holdout keeps some"}
    assert not found.again


def test_it_is_found_out_once(tmp_path: Path, classified: Path) -> None:
    """In a process of its own, kept beside the report; asked for anew, or of another version's bytes, it is found out again."""
    run = tmp_path / "run"
    shutil.copytree(classified, run)
    first = worth.refresh(run, None, limit_s=2.0)
    path = run / "worth" / "1.json"
    assert first is not None
    assert first == worth.kept(run, 1) == Worth.from_json(path.read_bytes())
    stamp = path.stat().st_mtime_ns
    assert worth.refresh(run, 1) == first
    assert path.stat().st_mtime_ns == stamp
    path.write_text(first.but(basis="0" * 16).to_json())
    assert worth.kept(run, 1) is None


def test_its_process_is_held_to_a_limit(tmp_path: Path, classified: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What passes it costs these sections alone, and is tried again another time."""
    run = tmp_path / "run"
    shutil.copytree(classified, run)
    monkeypatch.setattr(asking, "_memory", lambda run: 40_000_000)
    found = worth.refresh(run, None, limit_s=2.0)
    assert found is not None
    assert "passed the limit of 40 MB" in found.missing["all of it"]
    monkeypatch.undo()
    again = worth.refresh(run, None, limit_s=2.0)
    assert again is not None
    assert again.importance is not None


def test_what_was_pruned_leaves_nothing(tmp_path: Path, classified: Path) -> None:
    """The figures of a version go with it."""
    run = tmp_path / "run"
    shutil.copytree(classified, run)
    worth.refresh(run, None, limit_s=2.0)
    (run / "versions" / "1").rename(run / "versions" / "2")
    (run / "CURRENT").write_text("2\n")
    shutil.copytree(run / "versions" / "2", run / "versions" / "1")
    assert "versions/1" in versions.prune(run, {2})
    assert not (run / "worth" / "1.json").exists()


def test_many_models_and_unfinished_runs_have_none(tmp_path: Path) -> None:
    """The page of many models has sections of its own."""
    data = {"uri": "synthetic://?rows=600&columns=3&groups=3", "target": "y", "groups": ["group"]}
    workload = parse(
        {"name": "m", "data": data, "model": {"estimator": "baseline.Classifier"}}, file=None, folder=tmp_path
    )
    train(workload, tmp_path / "run")
    assert worth.refresh(tmp_path / "run", None) is None
    assert worth.refresh(tmp_path / "run", 7) is None
    assert not (tmp_path / "run" / "worth").exists()
