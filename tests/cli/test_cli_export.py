"""`fitscale export`, and what a workload's `needs.export` does at plan and at the end of training."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from commands import MANY, fitscale, write_job

from fitscale import registry
from fitscale.exporters.onnx import models

TREES = {"model": {"estimator": "xgboost.XGBClassifier", "params": {"n_estimators": 3}}}
ONNX = {"needs": {"export": ["onnx"]}}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run of one model, made for onnx."""
    folder = tmp_path_factory.mktemp("exports")
    assert fitscale("train", write_job(folder, "one", **TREES, **ONNX), "--quiet").code == 0
    return folder


def test_a_version_is_exported_and_compared(trained: Path, tmp_path: Path) -> None:
    """The file, and the largest difference on rows that were held out, for a person and as a record."""
    said = fitscale("export", trained / "one.yaml", "--to", "onnx", "--out", tmp_path / "out", "--json")
    assert said.code == 0, said.err
    assert [Path(name).name for name in said.record["files"]] == ["model.onnx"]
    assert said.record["compared"]["rows"] > 1_000
    assert said.record["compared"]["largest"] < 1e-6
    assert "held-out rows: the largest difference of probabilities is" in said.err


def test_training_ends_with_the_export(trained: Path, tmp_path: Path) -> None:
    """Into the run, with the bytes that the command gives."""
    kept = trained / "runs/one/exports/1/onnx/model.onnx"
    fitscale("export", trained / "one.yaml", "--to", "onnx", "--out", tmp_path / "out")
    assert kept.read_bytes() == (tmp_path / "out/model.onnx").read_bytes()


def test_an_export_that_is_gone_is_made_again(trained: Path) -> None:
    """Where nothing else is to be done: also a format that was asked for only later."""
    gone = trained / "runs/one/exports"
    shutil.rmtree(gone)
    said = fitscale("train", trained / "one.yaml", "--json")
    assert said.record["nothing_to_do"]
    assert said.record["exported"][0]["compared"]["rows"]
    assert "Export" in said.err
    assert (gone / "1/onnx/model.onnx").exists()


def test_many_models_are_one_archive(tmp_path: Path) -> None:
    """As many models as were fitted, the same bytes each time."""
    job = write_job(tmp_path, "many", **MANY)
    assert fitscale("train", job, "--quiet").code == 0
    said = [fitscale("export", job, "--to", "onnx", "--out", tmp_path / out, "--json") for out in ("a", "b")]
    assert said[0].record["compared"]["models"] == said[0].record["models"] > 20
    assert (tmp_path / "a/models.zip").read_bytes() == (tmp_path / "b/models.zip").read_bytes()


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (("--to", "onxx", "--out", "o"), "no exporter 'onxx'; did you mean 'onnx'?"),
        (("--to", "onnx", "--out", "."), "is there already; name a folder that is not"),
        (("--to", "onnx", "--out", "m.onnx"), "names a folder, and the model is a file in it; leave out .onnx"),
        (("--to", "onnx", "--out", "o", "--version", "7"), "no version 7; there are: 1"),
    ],
)
def test_what_is_asked_wrongly_is_said(trained: Path, argv: tuple[str, ...], told: str) -> None:
    """In one line, with 2, and nothing is written."""
    said = fitscale("export", trained / "one.yaml", *argv)
    assert said.code == 2
    assert told in said.err
    assert not Path("o").exists()


def test_a_run_without_a_finished_version_is_said(tmp_path: Path) -> None:
    """With the command that finishes it."""
    job = write_job(tmp_path, "planned")
    assert fitscale("plan", job).code == 0
    said = fitscale("export", job, "--to", "onnx", "--out", tmp_path / "o")
    assert said.code == 2
    assert "has no finished version yet; 'fitscale train' goes on with it" in said.err


def test_what_cannot_be_converted_is_refused_at_plan(tmp_path: Path) -> None:
    """With the operator that is lacking; nothing is trained for it."""
    job = write_job(tmp_path, "lacking", model={"estimator": "sklearn.neighbors.NearestCentroid"}, **ONNX)
    said = fitscale("plan", job, "--json")
    assert said.code == 3
    [refused] = [r for r in said.record["decision"]["refused"] if r["gate"] == "export"]
    assert refused["candidate"]["name"] == "in-memory"
    assert "cannot be exported to onnx: skl2onnx cannot convert NearestCentroid" in refused["sentence"]
    assert "leave onnx out of 'needs.export'" in refused["sentence"]


def test_a_framework_without_a_converter_is_refused_at_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any process is started."""
    monkeypatch.delitem(models.CONVERTERS, "baseline")
    said = fitscale("plan", write_job(tmp_path, "without", **ONNX))
    assert said.code == 3
    assert "framework 'baseline' has no converter to ONNX" in " ".join(said.out.split())


def test_a_library_that_is_lacking_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what installs it."""
    monkeypatch.setattr(registry.plugin("exporters", "onnx"), "needs", ("onnx_that_is_not_there",))
    said = fitscale("plan", write_job(tmp_path, "library", **ONNX))
    assert said.code == 2
    assert "exporter 'onnx' needs onnx_that_is_not_there: pip install 'fitscale[onnx]'" in said.err


def test_an_export_that_fails_costs_no_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command ends with 1 and says so; the version is served, nothing half-written lies in the run."""
    from fitscale.exporters.onnx import comparing

    monkeypatch.setattr(comparing, "PROBABILITY", -1.0)  # whatever differs by nothing differs too much
    monkeypatch.setattr("fitscale.planning.exporting.try_exports", lambda *_: {})
    job = write_job(tmp_path, "differs", **ONNX)
    said: Any = fitscale("train", job, "--quiet", "--choose", "in-memory@inline")
    assert said.code == 1
    assert "version 1 is finished, but not exported to onnx: the exported model's probabilities differ" in said.err
    run = tmp_path / "runs/differs"
    assert (run / "CURRENT").read_text() == "1\n"
    assert not [path for path in (run / "exports").rglob("*") if path.is_file()]
