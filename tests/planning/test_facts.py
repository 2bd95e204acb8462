"""What is looked up once for the scorecard: whose weights count, who is lacking, and which proofs concern the job."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
import plans

from fitscale.planning.scoring.facts import facts_of
from fitscale.records.scorecard import Proof
from fitscale.records.workload import DataSpec, ModelSpec, Needs, Person, Team

DATA = DataSpec(uri="synthetic://?rows=10&columns=2", target="y")


def prepared(**changes: Any) -> Any:
    workload = plans.workload(**{"data": DATA, "needs": Needs(), **changes})
    return SimpleNamespace(workload=workload, framework="xgboost", traits=SimpleNamespace(progress="rounds"))


def test_the_jobs_own_weights_come_before_the_teams() -> None:
    """Whose they are is kept with them."""
    team = Team(weights={"people": 1.0})
    own = prepared(needs=Needs(weights={"time": 2.0}))
    assert (facts_of(own, team).weights, facts_of(own, team).weights_from) == ({"time": 2.0}, "workload")
    assert facts_of(prepared(), team).weights_from == "team"
    assert facts_of(prepared()).weights == {}


def test_who_is_lacking_is_told_of_a_team_alone() -> None:
    """Where nobody is named nobody is lacking; a database asks for one more."""
    assert facts_of(prepared()).lacking == ()
    assert facts_of(prepared()).team_hours is None
    team = Team(people=(Person(role="data scientist", skills=("python",), count=2),))
    found = facts_of(prepared(), team)
    assert found.team_hours == pytest.approx(2 * 2080 / 12)
    assert "nobody of the team is for data preparation" in found.lacking
    assert "nobody of the team states the skill 'xgboost'" in found.lacking
    assert not any("database" in text for text in found.lacking)
    there = prepared(data=DATA.but(uri="postgresql://u@h/d", table="t"))
    assert "nobody of the team is for database administration" in facts_of(there, team).lacking


def test_hours_are_judged_unless_the_team_states_them() -> None:
    found = {need.activity: need for need in facts_of(prepared(), Team(hours={"modelling": 9.0})).needs}
    assert (found["modelling"].hours, found["modelling"].origin) == (9.0, "stated")
    assert found["data preparation"].origin == "judged"
    assert found["data preparation"].source.startswith("judged: ")


def test_proofs_of_other_libraries_are_left_out() -> None:
    """Those of the job's frameworks and formats, of engines, of plug-ins and of deploying; what was tried comes along."""
    tried = Proof(
        family="exporters", plugin="onnx", ability="export", passed=True, how="tried here: x", on="2026-11-30"
    )
    model = ModelSpec(
        any_of=(ModelSpec(estimator="xgboost.XGBClassifier"), ModelSpec(estimator="lightgbm.LGBMClassifier"))
    )
    found = facts_of(prepared(needs=Needs(export=("onnx",)), model=model), None, [tried])
    assert {p.plugin for p in found.proofs if p.family == "frameworks"} == {"xgboost", "lightgbm"}
    assert {p.plugin for p in found.proofs if p.family == "exporters"} == {"native", "onnx"}
    assert set(found.libraries) == {"xgboost", "lightgbm"}
    assert found.tried == (tried,)
    assert {p.plugin for p in facts_of(prepared()).proofs if p.family == "exporters"} == {"native"}
