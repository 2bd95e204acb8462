"""Groups that are too small for a model of their own take that of several together, and it is said."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from doing import trained, workload_of
from killing import bytes_of, kill_after, train, write_job

from fitscale.data.parents import Parent, Picker, keys_of, parents_of
from fitscale.errors import WorkloadError
from fitscale.models.opened import Run

TOWNS, SHOPS = 4, 8


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shops of four towns with a slope each; one of a town has a single row, all of the last town have."""
    rng = np.random.default_rng(0)
    town, shop = np.divmod(np.arange(TOWNS * SHOPS), SHOPS)
    size = np.where(town == TOWNS - 1, 1, np.where(shop == 3, 1, rng.integers(150, 400, len(shop))))
    size[0] = 0
    town, shop = np.repeat(town, size), np.repeat(shop, size)
    x = rng.normal(size=len(town))
    y = (town + 1) * x + 0.1 * rng.normal(size=len(town))
    path = tmp_path_factory.mktemp("visits") / "visits.parquet"
    names = pa.array(["a", "b", None, "d"]).take(pa.array(town))  # a town may have no name
    pq.write_table(
        pa.table({"town": names, "shop": shop, "x": x, "y": y}).take(pa.array(rng.permutation(len(x)))), path
    )
    return path


def job(
    visits: Path, fallback: str | None, estimator: str = "batched.Linear", groups: tuple[str, ...] = ("town", "shop")
) -> dict[str, Any]:
    return {
        "name": "visits",
        "data": {"uri": str(visits), "target": "y", "groups": list(groups)},
        "model": {"estimator": estimator, **({"fallback": fallback} if fallback else {})},
    }  # fmt: skip


@pytest.mark.parametrize("choose", ["batched-models", "many-models"])
def test_the_nearest_parent_is_taken(visits: Path, tmp_path: Path, choose: str) -> None:
    """A shop takes its town's; others keep their own model, to the bit, and the score is of those."""
    alone = trained(job(visits, None), tmp_path / "alone", choose)
    about = trained(job(visits, "parent"), tmp_path / "run", choose).manifest
    small = 3 + SHOPS  # of three towns one, and all of the fourth
    assert (alone.manifest.models, alone.manifest.unfit) == (TOWNS * SHOPS - 1 - small, small)
    assert (about.models, about.unfit, about.fallback) == (TOWNS * SHOPS - 1, 0, small)
    assert about.scores == alone.manifest.scores
    run, before = Run(tmp_path / "run"), Run(tmp_path / "alone").payloads()
    assert {key: run.payloads()[key] for key in before} == before
    for town, slope in (("a", 1.0), ("b", 2.0), (None, 3.0)):
        told = run.model(town, 3).predict({"x": [0.0, 1.0]})
        assert told[1] - told[0] == pytest.approx(slope, abs=0.1)
        assert run.entry((town, 3)).why.endswith(f"has the model of town={town}")  # type: ignore[union-attr]
    assert run.entry(("d", 0)).why.endswith("has the model of town=d")  # type: ignore[union-attr]
    assert run.models("kind = 'parent'").num_rows == small


def test_the_one_of_all_groups(visits: Path, tmp_path: Path) -> None:
    """One key column has no other parent."""
    about = trained(job(visits, "global", "sklearn.linear_model.LinearRegression"), tmp_path / "run").manifest
    assert about.fallback == 3 + SHOPS
    run = Run(tmp_path / "run")
    assert {row["why"].partition(": ")[2] for row in run.models("kind = 'parent'").to_pylist()} == {
        "has the model of all groups"
    }
    about = trained(job(visits, "parent", groups=("shop",)), tmp_path / "one").manifest
    assert (about.models, about.fallback) == (SHOPS, 0)  # none is small


def test_a_run_that_is_killed_ends_with_the_same_bytes(visits: Path, tmp_path: Path) -> None:
    path = write_job(tmp_path, job(visits, "parent"))
    assert train(path, tmp_path / "whole")[0] == 0
    for seconds in (1.0, 1.4):
        kill_after(path, tmp_path / "killed", seconds)
    assert train(path, tmp_path / "killed")[0] == 0
    assert bytes_of(tmp_path / "killed") == bytes_of(tmp_path / "whole")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"data": {"groups": []}}, "give data.groups"),
        ({"data": {"time": "x", "step": "1h"}}, "forecast from its own past"),
        ({"model": {"fallback": "mother"}}, "parent, global"),
    ],
)
def test_where_there_is_none_it_is_refused(visits: Path, tmp_path: Path, change: dict[str, Any], told: str) -> None:
    document = job(visits, "parent")
    for section, keys in change.items():
        document[section] |= keys
    with pytest.raises(WorkloadError, match=told):
        workload_of(document, tmp_path)


def test_parents_are_of_neighbours_and_share_their_rows() -> None:
    """Those of small groups alone; a part of many rows, the same each time."""
    keys = pa.table({"a": ["x", "x", "y", "y", None], "b": [1, 2, 1, 2, 1]})
    sizes = np.array([50_000, 3, 500, 500, 7])
    parents = parents_of(keys, sizes, nearest=True)
    assert parents == [Parent(1, 0, 2), Parent(0, 0, 5)]
    assert keys_of(parents, keys).to_pylist() == [{"a": "x", "b": None}, {"a": None, "b": None}]
    picker = Picker(parents, sizes, seed=1)
    assert picker.spans == [(0, 50_003), (0, 51_010)]
    drawn = picker.of(1, np.arange(51_010))
    assert 49_000 < drawn.sum() <= 51_010
    small = Picker(parents_of(keys, sizes // 100 + 1, nearest=False), sizes // 100 + 1, seed=1)
    assert small.of(0, np.arange(513)).all()
    many = Picker([Parent(0, 0, 100)], np.full(100, 5_000), seed=1)
    share = many.of(0, np.arange(500_000)).mean()
    assert 0.019 < share < 0.021
    assert np.array_equal(many.of(0, np.arange(500_000)), many.of(0, np.arange(500_000)))
