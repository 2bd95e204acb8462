"""Where a deadline is missed, fewer rows are offered: how many would be done in time, and what they would lose."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from doing import workload_of

from fitscale.cli.screen import plan_screen
from fitscale.errors import NothingMeets
from fitscale.planning.decision.choosing import P90
from fitscale.planning.forecasts.spread import quantile
from fitscale.planning.trials import fewer
from fitscale.planning.trials.ladder import SHARES
from fitscale.records.base import Figure
from fitscale.records.curve import Curve, Level
from fitscale.records.plan import Plan
from fitscale.running.planning import plan_only
from fitscale.running.training import train
from fitscale.store import folder

WANTED_S = 2.5
JOB = {
    "name": "fewer",
    "data": {"uri": "rows.parquet", "target": "y"},
    "model": {"estimator": "sklearn.ensemble.GradientBoostingClassifier", "params": {"n_estimators": 100}},
}


@pytest.fixture(scope="module")
def folder_of_rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty thousand rows whose classes eight columns tell partly."""
    here = tmp_path_factory.mktemp("fewer")
    rng = np.random.default_rng(5)
    X = rng.normal(size=(20_000, 8))
    y = (X[:, 0] * X[:, 1] + X[:, 2] + rng.normal(size=len(X)) > 0).astype(np.int8)
    pq.write_table(pa.table({f"x{k}": X[:, k] for k in range(8)} | {"y": y}), here / "rows.parquet")
    return here


def job_of(deadline: dict[str, Any] | None = None, **data: Any) -> dict[str, Any]:
    needs = {"needs": {"deadline": deadline}} if deadline else {}
    return {**JOB, **needs, "data": {**JOB["data"], **data}}


def planned(document: dict[str, Any], run: Path, data: Path) -> Plan:
    return plan_only(workload_of(document, data), run)


@pytest.fixture(scope="module")
def late(folder_of_rows: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path]:
    """A plan that takes longer than is wanted."""
    run = tmp_path_factory.mktemp("late") / "run"
    return planned(job_of({"want": f"{WANTED_S}s"}), run, folder_of_rows), run


def test_what_is_wanted_and_missed_is_met_by_a_share(late: tuple[Plan, Path]) -> None:
    """The largest of the shares that is done in time at P90, its loss by a learning curve, and the key to write."""
    plan, run = late
    chosen, found = plan.decision.chosen, plan.fewer
    assert chosen is not None
    assert chosen.forecast.time_s.value > WANTED_S
    assert found is not None
    assert found.use in SHARES
    assert quantile(found.time_s, P90) <= WANTED_S
    assert found.loss is not None
    assert 0 <= found.loss.low <= found.loss.value <= found.loss.high < 0.2
    assert found.curve.metric == "roc_auc"
    assert found.curve.seconds < 30
    said = " ".join(" ".join(plan_screen(plan, 100)).split())
    assert f"Fewer rows {100 * found.use:.0f} % of the rows would be done here in" in said
    assert f"with roc_auc {found.loss.value:.2g} less" in said
    assert f"write data.use: {found.use:g}" in said
    assert folder.read_plan(run).fewer == found


def test_what_was_offered_is_in_time(late: tuple[Plan, Path], folder_of_rows: Path, tmp_path: Path) -> None:
    """With the share written down nothing is late, and nothing is offered."""
    plan, _ = late
    assert plan.fewer is not None
    again = planned(job_of({"want": f"{WANTED_S}s"}, use=plan.fewer.use), tmp_path / "run", folder_of_rows)
    assert again.decision.chosen is not None
    assert again.decision.chosen.forecast.time_s.value <= WANTED_S
    assert again.fewer is None


def test_a_must_that_nothing_meets_is_refused_with_the_offer(folder_of_rows: Path, tmp_path: Path) -> None:
    """`train` trains nothing, and says what would be done in time."""
    with pytest.raises(
        NothingMeets, match=r"nothing meets the deadline.*% of the rows would be done here.*write data\.use: 0"
    ):
        train(workload_of(job_of({"must": f"{WANTED_S}s"}), folder_of_rows), tmp_path / "run")
    assert not list((tmp_path / "run").glob("versions/*"))


@pytest.mark.parametrize("deadline", [None, {"want": "1h"}, {"want": "0.2s"}, {"must": "0.2s"}])
def test_nothing_is_offered_that_helps_nobody(
    folder_of_rows: Path, tmp_path: Path, deadline: dict[str, Any] | None
) -> None:
    """Where nothing is missed, and where no share would do: then no trial is fitted either."""
    plan = planned(job_of(deadline), tmp_path / "run", folder_of_rows)
    assert plan.fewer is None
    assert not list((tmp_path / "run").glob("attempts/*"))


def test_shares_of_a_curve_are_of_all_rows(late: tuple[Plan, Path]) -> None:
    """Where a curve took 50 % already, the offer is one of its smaller shares."""
    plan, run = late
    snapshot = folder.read_snapshot(run, plan.snapshot)
    levels = tuple(Level(share=x, rows=round(16_000 * x), loss=Figure.exact(0.01, "measured")) for x in SHARES)
    curve = Curve(metric="roc_auc", rows=16_000, tolerance=0.1, stated=True, use=0.5, levels=levels)
    found = fewer.in_time(
        plan.but(curve=curve, workload=plan.workload.but(data=plan.workload.data.but(use=0.5))), snapshot
    )
    plain = fewer.in_time(plan, snapshot)
    assert found is not None
    assert plain is not None
    assert any(abs(found[0] * 0.5 - x) < 1e-9 for x in SHARES if x < 0.5)
    assert quantile(found[1], P90) <= WANTED_S
