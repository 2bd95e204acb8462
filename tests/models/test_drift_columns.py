"""Drift of columns: what moved is found though the predictions are as good as before, and nothing where nothing did."""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "running"))
from doing import results_of, trained, workload_of

from fitscale.data.bins import Binned, Bins
from fitscale.errors import DataError, UsageError
from fitscale.models.asked import Asked
from fitscale.models.columns import columns_of
from fitscale.models.drift import drift, needed
from fitscale.models.opened import Run
from fitscale.running.training import train
from fitscale.store import reference, versions
from fitscale.store.reference import Reference

SHOPS, EACH = 40, 300
MOVED, OTHERS, GONE = 7, 11, 21  # the shops of which a number, a category, a share of missing values changes


def rows(seed: int, *, changed: bool = False, shops: int = SHOPS) -> pa.Table:
    """The target follows the same rule everywhere."""
    rng = np.random.default_rng(seed)
    shop = np.repeat(np.arange(shops), EACH)
    n = len(shop)
    a, b = rng.normal(size=(2, n))
    town = rng.choice(["x", "y", "z"], n, p=[0.5, 0.3, 0.2])
    gone = rng.random(n) < 0.05
    if changed:
        a += 0.7 * (shop == MOVED)
        town = np.where(shop == OTHERS, rng.choice(["x", "y", "new"], n), town)
        gone |= (shop == GONE) & (rng.random(n) < 0.25)
    y = 2 * a + (town == "x") + rng.normal(size=n)
    return pa.table({"shop": shop, "a": a, "b": pa.array(b, mask=gone), "town": town, "y": y})


def document(folder: Path, **data: Any) -> dict[str, Any]:
    return {
        "name": "shops",
        "data": {"uri": str(folder / "before.parquet"), "target": "y", "groups": ["shop"], **data},
        "evaluate": {"holdout": "25%"},
        "model": {"estimator": "batched.Ridge"},
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of forty shops, and beside it new rows of which nothing changed, and of which three shops did."""
    folder = tmp_path_factory.mktemp("shops")
    pq.write_table(rows(0), folder / "before.parquet")
    pq.write_table(rows(1), folder / "same.parquet")
    pq.write_table(rows(2, changed=True), folder / "new.parquet")
    pq.write_table(rows(2, changed=True).drop_columns(["y"]), folder / "unlabelled.parquet")
    trained(document(folder), folder / "run")
    return folder / "run"


def of(run: Path, name: str) -> Asked:
    return Asked(str(run.parent / f"{name}.parquet"))


def test_columns_that_moved_are_named(run: Path, tmp_path: Path) -> None:
    """A number, a category and the share of missing values; the errors are as they were."""
    found, table = drift(Run(run), of(run, "new"), tmp_path / "drift.parquet")
    assert (found.tested, found.drifted, found.by_errors, found.by_columns) == (SHOPS, 3, 0, 3)
    assert (found.columns, found.left_out, found.alone, found.without) == (3, 0, {}, {})
    first = table.slice(0, 3).to_pylist()
    assert {row["shop"]: (row["column"], row["by"]) for row in first} == {
        MOVED: ("a", "columns"), OTHERS: ("town", "columns"), GONE: ("b", "columns"),
    }  # fmt: skip
    by_shop = {row["shop"]: row for row in first}
    assert 0.2 < by_shop[MOVED]["ks"] < 0.4
    assert by_shop[GONE]["ks"] < 0.15  # of the values that are there nothing changed
    assert by_shop[OTHERS]["ks"] is None
    assert all(row["psi"] > 0.2 and row["q"] < 0.01 and abs(row["shift"]) < 0.4 for row in first)
    assert set(table.column("by").to_pylist()[3:]) == {None}
    stated, _ = drift(Run(run), of(run, "new"), tmp_path / "drift.parquet", psi=100.0)
    assert stated.drifted == 0


def test_nothing_moved_by_itself(run: Path, tmp_path: Path) -> None:
    """And whatever there is to be told of a group is."""
    found, table = drift(Run(run), of(run, "same"), tmp_path / "drift.parquet")
    assert found.drifted == 0
    assert table.column("p").null_count == table.column("psi").null_count == 0


def test_without_a_target_the_columns_are_looked_at_alone(run: Path, tmp_path: Path) -> None:
    """And that is told; one with another name is not taken for none."""
    found, table = drift(Run(run), of(run, "unlabelled"), tmp_path / "drift.parquet")
    assert (found.tested, found.drifted, found.by_columns) == (SHOPS, 3, 3)
    assert found.alone == {"the new rows have no target": SHOPS}
    assert set(table.column("shop").to_pylist()[:3]) == {MOVED, OTHERS, GONE}
    assert table.column("rows").to_pylist()[:3] == [EACH] * 3
    assert table.column("shift").null_count == SHOPS
    named = rows(3).rename_columns(["shop", "a", "b", "town", "y_"])
    pq.write_table(named, tmp_path / "named.parquet")
    with pytest.raises(DataError, match="no column 'y', which has the truth; did you mean 'y_'"):
        drift(Run(run), Asked(str(tmp_path / "named.parquet")))
    pq.write_table(rows(3).drop_columns(["town", "y"]), tmp_path / "less.parquet")
    with pytest.raises(DataError, match="no column 'town', which has a feature"):
        drift(Run(run), Asked(str(tmp_path / "less.parquet")))
    assert not list((run / "scratch").iterdir())


def test_one_model_of_all_rows_has_a_reference_too(run: Path, tmp_path: Path) -> None:
    """Of values and of classes, whatever the model takes; of a pipeline's raw columns, too."""
    folder = run.parent
    for estimator in ("sklearn.linear_model.Ridge", "xgboost.XGBRegressor"):
        asked = document(folder, groups=[], features={"drop": ["shop"]})
        path = tmp_path / estimator
        trained({**asked, "model": {"estimator": estimator}}, path)
        opened = Run(path)
        assert drift(opened, of(run, "same"))[0].drifted == 0
        moved = rows(4)
        shifted = moved.set_column(1, "a", pa.array(moved.column("a").to_numpy() + 0.5))
        for name, table in (("shifted", shifted), ("alone", shifted.drop_columns(["y"]))):
            pq.write_table(table, tmp_path / f"{name}.parquet")
            found, told = drift(opened, Asked(str(tmp_path / f"{name}.parquet")))
            assert (found.drifted, found.by_columns) == (1, 1)
            (row,) = told.to_pylist()
            assert (row["column"], row["rows"]) == ("a", SHOPS * EACH)
            assert bool(found.alone) == (name == "alone")


def test_a_version_of_before_is_tested_by_its_errors(run: Path, tmp_path: Path) -> None:
    """It says that it knows nothing of columns; and new rows without a target it cannot judge."""
    old = tmp_path / "run"
    shutil.copytree(run, old)
    for name in ("json", "parquet"):
        (old / "versions" / "1" / f"reference.{name}").unlink()
    found, table = drift(Run(old), of(run, "new"))
    assert (found.tested, found.drifted, found.columns) == (SHOPS, 0, 0)
    assert table.column("psi").null_count == SHOPS
    with pytest.raises(DataError, match="no column 'y', which has the truth"):
        drift(Run(old), of(run, "unlabelled"))


def test_a_reference_of_other_models_is_refused(run: Path, tmp_path: Path) -> None:
    """One row more or less than the index has, and nothing of it could be believed."""
    old = tmp_path / "run"
    shutil.copytree(run, old)
    path = old / "versions" / "1" / "reference.parquet"
    pq.write_table(pq.read_table(path).slice(1), path)
    with pytest.raises(UsageError, match="has 39 rows, and its index 40"):
        drift(Run(old), of(run, "new"))


def test_what_is_trained_again_gets_a_new_reference_and_the_others_keep_theirs(run: Path, tmp_path: Path) -> None:
    """So that what drifted no longer does; and of a version without references the others have none."""
    folder = tmp_path / "job"
    shutil.copytree(run, folder / "run")
    shutil.copy(run.parent / "before.parquet", folder)
    asked = document(folder)
    bare = tmp_path / "bare"
    trained(asked, folder / "again")
    shutil.copytree(folder / "again", bare)
    for name in ("json", "parquet"):
        (bare / "versions" / "1" / f"reference.{name}").unlink()
    pq.write_table(rows(2, changed=True), folder / "before.parquet")
    path = folder / "again"
    assert drift(Run(path), Asked())[0].drifted == 3
    about = train(workload_of(asked, folder), path, only="drifted").manifest
    assert (about.version, about.retrained) == (2, 3)
    first, second = (reference.read(path, version) for version in (1, 2))
    assert first is not None
    assert second is not None
    same = (first.counts == second.counts).all(axis=1)
    assert np.flatnonzero(~same).tolist() == sorted((MOVED, OTHERS, GONE))
    assert drift(Run(path), Asked())[0].drifted == 0
    train(workload_of(asked, folder), bare, only=str(MOVED))
    mixed = reference.read(bare, 2)
    assert mixed is not None
    assert np.flatnonzero(mixed.counts.any(axis=1)).tolist() == [MOVED]
    assert versions.manifest(bare, 2).models == SHOPS


def test_however_the_groups_are_cut_and_fitted_the_reference_is_the_same(run: Path, tmp_path: Path) -> None:
    """Byte by byte: at once or one by one, in one process or two, in large chunks or in small ones."""
    wanted = _bytes(run)
    ways = {"many": "many-models", "inline": "batched-models@inline", "small": "batched-models"}
    for name, choose in ways.items():
        with pytest.MonkeyPatch.context() as patch:
            if name == "small":
                patch.setattr("fitscale.running.tasks.CHUNK_S", 1e-4)
            trained(document(run.parent), tmp_path / name, choose)
        assert _bytes(tmp_path / name) == wanted
    assert len(_chunks(tmp_path / "small")) > len(_chunks(run))


def _chunks(run: Path) -> list[Any]:
    (found,) = results_of(run).values()
    return found


def test_a_group_with_its_parents_model_is_held_against_its_own_rows(tmp_path: Path) -> None:
    """Parents are in no version, and in no reference; of a cross-validation it is that of the last fit, of all rows."""
    table = rows(5, shops=6).append_column("kind", pa.array(np.arange(6 * EACH) % 2 == 0))
    few = table.filter(pa.array((np.arange(table.num_rows) % EACH < 12) | (table.column("shop").to_numpy() > 0)))
    one = pa.array(
        [bool(shop) and kind for shop, kind in zip(*(few.column(n).to_pylist() for n in ("shop", "kind")), strict=True)]
    )
    pq.write_table(few.set_column(5, "kind", one), tmp_path / "before.parquet")
    asked = document(tmp_path, target="kind", features={"drop": ["y"]})
    asked |= {"evaluate": {"cv": 3, "refit": True}, "model": {"estimator": "baseline.Classifier", "fallback": "global"}}
    trained(asked, tmp_path / "run")
    assert versions.manifest(tmp_path / "run", 1).fallback == 1
    known = reference.read(tmp_path / "run", 1)
    assert known is not None
    assert known.counts[:, known.bins.slices[0]].sum(axis=1).tolist() == [12, *[EACH] * 5]


def _bytes(run: Path) -> list[str]:
    folder = run / "versions" / "1"
    return [hashlib.sha256((folder / f"reference.{name}").read_bytes()).hexdigest() for name in ("json", "parquet")]


def test_the_rate_of_false_alarms_holds_over_many_groups() -> None:
    """Of sixty passes over two thousand groups of eight columns, few have an alarm; a tenth of a percent that moved is found."""
    rng = np.random.default_rng(0)
    bins = Bins(columns=tuple(Binned(name=f"c{k}", type="", edges=tuple(range(9))) for k in range(8)))
    shares = np.append(0.03, np.full(10, 0.097))
    g, alarms = 2_000, 0

    def counts(n: int) -> np.ndarray:
        return np.concatenate([rng.multinomial(n, shares, g) for _ in bins.columns], axis=1)

    known = Reference(bins, counts(240).astype(np.uint8))
    for _ in range(60):
        found = columns_of(known, np.arange(g), counts(300), 0.1)
        alarms += bool(((needed(found.p) <= 0.05) & (found.p_far < 1)).any())
    assert alarms <= 7
    now = counts(300)
    now[:2, 1:6] //= 5
    found = columns_of(known, np.arange(g), now, 0.1)
    assert (needed(found.p)[:2] <= 0.05).all()
    assert found.column[:2].tolist() == ["c0", "c0"]
    found = columns_of(known, np.full(g, -1), now, 0.1)
    assert np.isnan(found.p).all()
    assert set(found.column) == {""}
