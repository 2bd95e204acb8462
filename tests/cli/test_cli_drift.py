"""``fitscale drift`` from end to end: what drifted, what could not be tested, and the exit code that a cron line asks for."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from commands import fitscale

from fitscale.models.drift import Found

STEPS = 200
HOUR = np.timedelta64(3600, "s")
START = np.datetime64("2026-01-01T00", "s")


def rows(keys: list[str], seed: int, first: int, shift: dict[str, float], steps: int = STEPS) -> pa.Table:
    rng = np.random.default_rng(seed)
    parts = []
    for key in keys:
        y = rng.normal(size=steps)
        for t in range(1, steps):
            y[t] += 0.3 * y[t - 1]
        at = START + (first + np.arange(steps)) * HOUR
        parts.append(pa.table({"metric": [key] * steps, "at": at, "value": 100 + y + shift.get(key, 0.0)}))
    return pa.concat_tables(parts)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty series, trained; one of them without a model."""
    folder = tmp_path_factory.mktemp("drift")
    keys = [f"m{k:02d}" for k in range(60)]
    table = pa.concat_tables([rows(keys[:-1], 0, 0, {}), rows(keys[-1:], 0, 0, {}, steps=3)])
    pq.write_table(table, folder / "before.parquet")
    document = {
        "name": "metrics",
        "data": {
            "uri": "before.parquet", "target": "value", "groups": ["metric"], "time": "at", "step": "1h", "horizon": 10,
        },
        "model": {"estimator": "series.AR"},
    }  # fmt: skip
    path = folder / "metrics.yaml"
    path.write_text(json.dumps(document))
    said = fitscale("train", path, "--no-report")
    assert said.code == 0, said.err
    return path


def test_nothing_drifted_ends_with_0(job: Path) -> None:
    """And says how many were tested, and why not the others."""
    keys = [f"m{k:02d}" for k in range(60)]
    pq.write_table(rows(keys, 1, STEPS, {}), job.parent / "same.parquet")
    said = fitscale("drift", job, "--data", job.parent / "same.parquet")
    assert said.code == 0, said.err
    assert "59 series tested against version 1, 0 drifted" in said.out
    assert "1 not tested: unfit" in said.out


def test_a_constant_series_that_stays_one_has_not_drifted(tmp_path: Path) -> None:
    """Whatever it was; one that moves has."""
    before = rows(["still", "moves"], 0, 0, {})
    flat = before.set_column(2, "value", pa.array(np.full(2 * STEPS, 7.0)))
    pq.write_table(flat, tmp_path / "before.parquet")
    document = {
        "name": "flat",
        "data": {
            "uri": "before.parquet", "target": "value", "groups": ["metric"], "time": "at", "step": "1h", "horizon": 10,
        },
        "model": {"estimator": "series.AR"},
    }  # fmt: skip
    (tmp_path / "flat.yaml").write_text(json.dumps(document))
    assert fitscale("train", tmp_path / "flat.yaml", "--no-report").code == 0
    values = np.repeat([7.0, 9.0], STEPS)
    later = rows(["still", "moves"], 1, STEPS, {}).set_column(2, "value", pa.array(values))
    pq.write_table(later, tmp_path / "later.parquet")
    said = fitscale(
        "drift", tmp_path / "flat.yaml", "--data", tmp_path / "later.parquet", "--out", tmp_path / "d.parquet"
    )
    assert said.code == 5, said.err
    found = pq.read_table(tmp_path / "d.parquet").to_pylist()
    assert {row["metric"]: row["drifted"] for row in found} == {"still": False, "moves": True}


def test_rows_that_were_trained_on_are_no_new_ones(tmp_path: Path) -> None:
    """However well a model knows them: nothing is tested, nothing drifted, and no group is meant by ``train --only drifted``."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=2_000)
    table = pa.table({"shop": np.repeat(np.arange(10), 200), "x": X, "y": X + rng.normal(size=2_000)})
    pq.write_table(table, tmp_path / "shops.parquet")
    document = {
        "data": {"uri": "shops.parquet", "target": "y", "groups": ["shop"]},
        "evaluate": {"refit": False},
        "model": {"estimator": "sklearn.tree.DecisionTreeRegressor"},
    }
    (tmp_path / "shops.yaml").write_text(json.dumps(document))
    assert fitscale("train", tmp_path / "shops.yaml", "--no-report").code == 0
    said = fitscale("drift", tmp_path / "shops.yaml")
    assert said.code == 0, said.err
    assert "0 groups tested against version 1, 0 drifted" in said.out
    assert "10 not tested: these are the rows that it was trained on" in said.out
    assert "no group of version 1 is meant" in fitscale("train", tmp_path / "shops.yaml", "--only", "drifted").err


def test_what_drifted_is_named_and_ends_with_5(job: Path) -> None:
    """Most first; with what could not be tested apart; the table has all series."""
    keys = [f"m{k:02d}" for k in range(50)]
    new = rows(keys, 2, STEPS, {"m07": 2.0, "m31": -5.0})
    few = rows(["m55"], 2, STEPS, {}, steps=4)
    twice = rows(["m56"], 2, STEPS, {})
    strange = rows(["other"], 2, STEPS, {})
    table = pa.concat_tables([new, few, twice, twice.slice(0, 1), strange])
    order = np.random.default_rng(0).permutation(table.num_rows)
    pq.write_table(table.take(pa.array(order)), job.parent / "drifted.parquet")
    said = fitscale("drift", job, "--data", job.parent / "drifted.parquet", "--json")
    assert said.code == 5, said.err
    found = Found.from_json(said.out)
    assert found.tested == 50
    assert 2 <= found.drifted <= 3  # of the alarms some may be false
    assert found.without["too few new rows"] == 1
    assert found.without["unknown key"] == 1
    assert found.without["no new rows"] == 7
    assert any("occur twice" in reason for reason in found.without)
    assert "m31: errors -" in said.err.split("m07")[0]
    written = pq.read_table(found.out)
    assert written.column("metric").to_pylist()[:2] == ["m31", "m07"]
    assert written.num_rows == 53
    assert not list(Path(found.out).parent.glob(".rows-*"))


def test_new_rows_that_cannot_be_used_are_told(job: Path) -> None:
    """A column that is missing or renamed, a rate that is none; nothing is left behind."""
    table = rows(["m01"], 3, STEPS, {})
    pq.write_table(table.rename_columns(["metric", "at", "valeu"]), job.parent / "renamed.parquet")
    said = fitscale("drift", job, "--data", job.parent / "renamed.parquet")
    assert (said.code, "no column 'value'" in said.err, "did you mean 'valeu'" in said.err) == (2, True, True)
    assert fitscale("drift", job, "--data", job.parent / "none.parquet").code == 2
    said = fitscale("drift", job, "--data", job.parent / "renamed.parquet", "--rate", "many")
    assert (said.code, "--rate many" in said.err) == (2, True)


ESTIMATORS = [
    ("batched.Ridge", {}, "value"),
    ("sklearn.linear_model.LogisticRegression", {}, "late"),
    ("sklearn.ensemble.RandomForestClassifier", {"n_estimators": 10, "max_depth": 3}, "kind"),
]


def shops(seed: int, shops: int, rows_each: int, shifted: tuple[int, ...] = (), bad: int | None = None) -> pa.Table:
    """Of each shop a value, whether it is late, and of which of three kinds; those that shifted follow another rule."""
    rng = np.random.default_rng(seed)
    shop = np.repeat(np.arange(shops), rows_each)
    a, b = rng.normal(size=(2, len(shop)))
    value = 2 * a - b + shop + 0.5 * rng.normal(size=len(shop)) + 1.5 * np.isin(shop, shifted)
    if bad is not None:
        a[shop == bad] = np.inf
    level = value - shop
    return pa.table(
        {"shop": shop, "a": a, "b": b, "value": value, "late": level > 0.5, "kind": np.digitize(level, [-1, 1])}
    )


@pytest.mark.parametrize(("estimator", "params", "target"), ESTIMATORS)
@pytest.mark.parametrize("groups", [["shop"], []])
def test_models_of_rows_are_held_against_their_held_out_errors(
    tmp_path: Path, estimator: str, params: dict[str, object], target: str, groups: list[str]
) -> None:
    """Values, two classes and more, many models and one: nothing drifts by itself, and what does is found.

    A column that is infinite in all rows has changed, whatever the model makes of it; and so has a shop number, if there are more.
    """
    if estimator.startswith("batched") and not groups:
        estimator = "sklearn.linear_model.Ridge"
    pq.write_table(shops(0, 6, 500), tmp_path / "before.parquet")
    others = [name for name in ("value", "late", "kind") if name != target]
    document = {
        "name": "shops",
        "data": {"uri": "before.parquet", "target": target, "groups": groups, "features": {"drop": others}},
        "model": {"estimator": estimator, "params": params},
    }
    (tmp_path / "shops.yaml").write_text(json.dumps(document))
    said = fitscale("train", tmp_path / "shops.yaml", "--no-report")
    assert said.code == 0, said.err
    pq.write_table(shops(1, 6, 300), tmp_path / "same.parquet")
    said = fitscale("drift", tmp_path / "shops.yaml", "--data", tmp_path / "same.parquet", "--rate", "1%")
    assert said.code == 0, said.err + said.out
    shifted = (2, 4) if groups else tuple(range(6))
    pq.write_table(shops(2, 7, 300, shifted, bad=5 if groups else None), tmp_path / "new.parquet")
    said = fitscale("drift", tmp_path / "shops.yaml", "--data", tmp_path / "new.parquet", "--json")
    if not groups:
        assert said.code == 5, said.err
        assert Found.from_json(said.out).tested == 1
        assert "    shops: errors" in said.err
        assert "; column 'shop' PSI" in said.err
        return
    assert said.code == 5, said.err
    found = Found.from_json(said.out)
    table = pq.read_table(found.out)
    assert (found.drifted, found.by_errors, found.by_columns) == (3, 2, 1)
    by = dict(zip(table.column("shop").to_pylist(), table.column("by").to_pylist(), strict=True))
    assert {shop: told for shop, told in by.items() if told} == {2: "errors", 4: "errors", 5: "columns"}
    assert "    5: column 'a' PSI" in said.err
    assert found.without == {"unknown key": 1}
    assert sum(found.alone.values()) == 1
    if not estimator.startswith("batched"):
        assert any("inf" in reason.lower() for reason in found.alone), found.alone


def test_values_of_rows_that_are_far_off_are_anomalies(tmp_path: Path) -> None:
    """A regression is a detector, too; of classes there is none, and without held-out rows there is no measure."""
    pq.write_table(shops(0, 4, 300), tmp_path / "before.parquet")
    document = {
        "name": "shops",
        "data": {"uri": "before.parquet", "target": "value", "groups": ["shop"], "features": {"drop": ["late", "kind"]}},
        "model": {"estimator": "batched.Linear"},
    }  # fmt: skip
    job, out = tmp_path / "shops.yaml", tmp_path / "found.parquet"
    job.write_text(json.dumps(document))
    assert fitscale("train", job, "--no-report").code == 0
    new = shops(1, 4, 100)
    value = new.column("value").to_numpy().copy()
    value[::50] += 8.0
    pq.write_table(new.set_column(3, "value", pa.array(value)), tmp_path / "new.parquet")
    said = fitscale("predict", job, "--data", tmp_path / "new.parquet", "--anomalies", "--out", out)
    assert said.code == 0, said.err
    found = pq.read_table(out)
    assert np.flatnonzero(found.column("anomaly").to_numpy(zero_copy_only=False)).tolist() == list(range(0, 400, 50))
    assert found.column_names[:2] == ["shop", "value"]
    document["data"]["target"], document["data"]["features"] = "late", {"drop": ["value", "kind"]}
    document["model"]["estimator"] = "baseline.Classifier"
    job.write_text(json.dumps({**document, "name": "classes"}))
    assert fitscale("train", job, "--no-report").code == 0
    said = fitscale("predict", job, "--data", tmp_path / "new.parquet", "--anomalies", "--out", out)
    assert (said.code, "a class, there are none" in said.err) == (2, True)


def test_one_series_alone_drifts_and_has_anomalies(tmp_path: Path) -> None:
    """Without a key there is one model, which is asked as the others are; its rows need no order."""
    document = {
        "name": "one",
        "data": {"uri": "before.parquet", "target": "value", "time": "at", "step": "1h", "horizon": 10},
        "model": {"estimator": "series.AR"},
    }
    (tmp_path / "one.yaml").write_text(json.dumps(document))
    pq.write_table(rows(["m"], 0, 0, {}).drop_columns(["metric"]), tmp_path / "before.parquet")
    assert fitscale("train", tmp_path / "one.yaml", "--no-report").code == 0
    order = np.random.default_rng(0).permutation(STEPS)
    for name, shift, code in (("same", 0.0, 0), ("shifted", 3.0, 5)):
        table = rows(["m"], 4, STEPS, {"m": shift}).drop_columns(["metric"]).take(pa.array(order))
        pq.write_table(table, tmp_path / f"{name}.parquet")
        said = fitscale("drift", tmp_path / "one.yaml", "--data", tmp_path / f"{name}.parquet")
        assert said.code == code, said.err
        assert f"1 model tested against version 1, {code // 5} drifted" in said.out
    out = tmp_path / "found.parquet"
    said = fitscale("predict", tmp_path / "one.yaml", "--data", tmp_path / "same.parquet", "--anomalies", "--out", out)
    assert said.code == 0, said.err
    assert pq.read_table(out).column_names[:2] == ["at", "value"]


def test_a_version_that_knows_no_errors_says_so(tmp_path: Path) -> None:
    """One that was made before they were written down."""
    document = {"data": {"uri": "synthetic://?rows=300", "target": "y"}, "model": {"estimator": "baseline.Classifier"}}
    (tmp_path / "rows.yaml").write_text(json.dumps(document))
    assert fitscale("train", tmp_path / "rows.yaml", "--no-report").code == 0
    index = tmp_path / "runs" / "rows" / "versions" / "1" / "index.parquet"
    index.with_name("reference.json").unlink()
    table = pq.read_table(index)
    pq.write_table(table.drop_columns([name for name in table.column_names if name.startswith("error_")]), index)
    said = fitscale("drift", tmp_path / "rows.yaml", "--data", "synthetic://?rows=301")
    assert said.code == 2
    assert "train with evaluate.holdout" in said.err


def test_values_that_are_far_from_what_was_foretold_are_anomalies(job: Path) -> None:
    """In the order of the rows, with what was expected; better than a rule of three deviations of the last hours."""
    keys = [f"m{k:02d}" for k in range(50)]
    table = rows(keys, 5, STEPS, {})
    rng = np.random.default_rng(7)
    y = table.column("value").to_numpy().copy()
    planted = rng.choice(len(y), 100, replace=False)
    y[planted] += rng.choice([-6.0, 6.0], 100)
    table = table.set_column(2, "value", pa.array(y)).append_column(
        "planted", pa.array(np.isin(np.arange(len(y)), planted))
    )
    table = table.take(pa.array(rng.permutation(table.num_rows)))
    pq.write_table(table, job.parent / "spikes.parquet")
    out = job.parent / "anomalies.parquet"
    said = fitscale("predict", job, "--data", job.parent / "spikes.parquet", "--anomalies", "--out", out, "--json")
    assert said.code == 0, said.err
    found = pq.read_table(out)
    assert found.column("metric").equals(table.column("metric"))
    assert found.column("value").to_pylist() == table.column("value").to_pylist()
    truth = table.column("planted").to_numpy()
    score = found.column("score").to_numpy()
    assert said.record["judged"] == int(np.isfinite(score).sum()) == len(y)
    assert average_precision(truth, score) > 0.85
    order = np.lexsort((table.column("at").to_numpy(), table.column("metric").to_numpy(zero_copy_only=False)))
    rolling = np.empty(len(y))
    rolling[order] = rolled(table.column("value").to_numpy()[order].reshape(50, STEPS)).reshape(-1)
    assert average_precision(truth, score) > average_precision(truth, rolling)
    assert fitscale("predict", job, "--ahead", "3", "--anomalies", "--out", out).code == 2


def average_precision(truth: np.ndarray, score: np.ndarray) -> float:
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(truth, score))


def rolled(y: np.ndarray, last: int = 24) -> np.ndarray:
    """(g, t) distances from the mean of the last values, in their deviations."""
    score = np.zeros(y.shape)
    for t in range(2, y.shape[1]):
        before = y[:, max(0, t - last) : t]
        score[:, t] = np.abs(y[:, t] - before.mean(axis=1)) / np.maximum(before.std(axis=1), 1e-9)
    return score
