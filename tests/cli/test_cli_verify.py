"""``plan --verify``: what is on record is tried here and now, and what fails is told as a result."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from commands import MANY, fitscale, write_job

from fitscale.errors import NotExportable
from fitscale.exporters.onnx import Onnx
from fitscale.store import folder


def functions(record: Any) -> Any:
    return record["scorecard"]["cards"][0]["entries"][0]


def test_what_is_asked_for_is_trained_exported_and_opened_elsewhere(tmp_path: Path) -> None:
    """With the job's own estimator and rows; the plan that says so is the run's last, and nothing else is left."""
    job = write_job(tmp_path, "tried", **MANY, needs={"export": ["onnx", "native"]})
    done = fitscale("plan", job, "--verify", "--json")
    assert done.code == 0, done.err
    tried = {(p["plugin"], p["ability"]): p for p in done.record["facts"]["tried"]}
    assert all(proof["passed"] for proof in tried.values())
    assert {("onnx", "export"), ("native", "export"), ("onnx", "without fitscale: baseline")} <= set(tried)
    assert "compared on" in tried["onnx", "export"]["how"]
    assert "works  onnx, export: tried here: exported, compared on" in done.err
    run = tmp_path / "runs" / "tried"
    assert folder.read_plan(run).number == done.record["number"] == 2
    assert folder.read_plan(run, 1).facts.tried != folder.read_plan(run).facts.tried
    assert not (run / "versions").exists() or not any((run / "versions").iterdir())
    explained = fitscale("plan", job, "--explain", done.record["decision"]["chosen"]["candidate"]["name"])
    assert "export to onnx: works: tried here: exported, compared on" in " ".join(explained.out.split())


def test_what_fails_counts_as_unmatched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reason stands on the screen, and the command does not fail for it."""

    def refused(*_: object, **__: object) -> None:
        raise NotExportable("the model has a secret")

    monkeypatch.setattr(Onnx, "export", refused)
    job = write_job(tmp_path, "failing", needs={"export": ["onnx"]})
    done = fitscale("plan", job, "--verify", "--json")
    assert done.code == 0, done.err
    assert "FAILS  onnx, export: tried here: the model has a secret" in done.err
    assert functions(done.record)["shown"] == "1 of 2"
    assert "export to onnx: failed when it was tried" in functions(done.record)["sentence"]


def test_it_concerns_a_new_plan_of_one_job(tmp_path: Path) -> None:
    """Not an answer from the last one, and not a portfolio."""
    job = write_job(tmp_path, "one")
    assert "--verify" in fitscale("plan", job, "--verify", "--what-if", "rows=2x").err
    other = write_job(tmp_path, "other")
    said = fitscale("plan", job, other, "--verify")
    assert said.code == 2
    assert "--verify: concerns one job" in said.err
