"""Pinned libraries, fitscale's own wheel, and code of the user's own."""

from __future__ import annotations

import re
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
import plans

import fitscale
from fitscale.deploying import libraries
from fitscale.deploying.code import imports_of, own_code
from fitscale.deploying.libraries import pinned
from fitscale.deploying.wheel import write_wheel
from fitscale.errors import UsageError, WorkloadError
from fitscale.records.workload import DataSpec, Evaluation, ModelSpec, Needs, Search

DATA = DataSpec(uri="synthetic://?rows=10&columns=2", target="y")
SMALL = plans.workload(data=DATA, needs=Needs())


def names(pins: tuple[str, ...]) -> set[str]:
    assert all(re.fullmatch(r"[a-z0-9-]+==\S+", pin) for pin in pins)
    assert list(pins) == sorted(pins, key=lambda pin: pin.partition("=")[0])
    return {pin.partition("=")[0] for pin in pins}


def test_what_is_installed_is_pinned() -> None:
    """The framework's library by the name that installs it, what that needs, and fitscale's own needs, in their versions."""
    found = pinned(SMALL, "xgboost")
    assert {"xgboost-cpu", "scipy", "numpy", "pyarrow", "typer", "typing-extensions"} <= names(found)
    assert f"xgboost-cpu=={version('xgboost-cpu')}" in found
    assert names(found).isdisjoint({"fitscale", "scikit-learn", "lightgbm", "onnx", "pytest", "ruff"})


def test_what_else_the_workload_takes_is_pinned() -> None:
    """Exporters, the driver of its database, a metric of scikit-learn's, what its own code imports."""
    assert {"onnx", "skl2onnx", "onnxruntime"} <= names(pinned(SMALL.but(needs=Needs(export=("onnx",))), "xgboost"))
    there = SMALL.but(data=DATA.but(uri="postgresql://db.example/b", table="t"))
    assert {"adbc-driver-postgresql", "adbc-driver-manager"} <= names(pinned(there, "xgboost"))
    tuned = SMALL.but(model=SMALL.model.but(search=Search(budget_s=60)))
    assert "optuna" in names(pinned(tuned, "xgboost"))
    judged = SMALL.but(evaluate=Evaluation(metric="neg_max_error"))
    assert "scikit-learn" in names(pinned(judged, "baseline"))
    assert "joblib" in names(pinned(SMALL, "baseline", ["joblib", "os", "own_module"]))


def test_a_library_of_a_folder_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another machine would find another one by its name, or none."""
    monkeypatch.setattr(libraries, "_local", lambda one: "file:///home/me/scipy" if one.name == "scipy" else None)
    with pytest.raises(UsageError, match="scipy was installed from file:///home/me/scipy"):
        pinned(SMALL, "xgboost")


def test_the_wheel_is_what_runs_here(tmp_path: Path) -> None:
    """Every file of the package, and a record of each; written twice, the same bytes."""
    name = write_wheel(tmp_path)
    first = (tmp_path / name).read_bytes()
    write_wheel(tmp_path)
    assert (tmp_path / name).read_bytes() == first
    root = Path(fitscale.__file__).parent
    ours = {
        f"fitscale/{path.relative_to(root)}"
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(tmp_path / name) as wheel:
        inside = set(wheel.namelist())
        record = wheel.read(f"fitscale-{version('fitscale')}.dist-info/RECORD").decode()
        assert wheel.read("fitscale/api.py") == (root / "api.py").read_bytes()
    assert ours < inside
    assert {line.split(",")[0] for line in record.splitlines()} == inside


def test_own_code_goes_along(tmp_path: Path) -> None:
    """The estimator's package and the modules beside the workload; where a library has the estimator, nothing."""
    for path in ("mine/__init__.py", "mine/deep/models.py", "helper.py", "elsewhere/not.py", "not-a-module.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("import joblib.memory\nfrom scipy import stats\nfrom . import deep\n")
    mine = SMALL.but(folder=str(tmp_path), model=ModelSpec(estimator="mine.deep.models.Trees"))
    found = own_code(mine, "0123")
    assert set(found) == {"mine/__init__.py", "mine/deep/models.py", "helper.py"}
    assert imports_of(found) == ("joblib", "scipy")
    assert own_code(mine, "") == {}
    with pytest.raises(
        WorkloadError, match=r"model.estimator: 'yours.Trees' is no installed library's, and yours.py is not in"
    ):
        own_code(mine.but(model=ModelSpec(estimator="yours.Trees")), "0123")
