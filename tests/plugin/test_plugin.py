"""A package of somebody else's adds a source, a framework and a metric, without a line in fitscale that names them."""

from __future__ import annotations

import importlib.util
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parents[2] / "examples" / "plugin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process that has the example package installed, in a folder of the test."""
    for needed in ("pip", "hatchling"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"installing a package without a network needs {needed}")
    target = tmp_path_factory.mktemp("installed")
    flags = [
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--disable-pip-version-check",
        "--no-cache-dir",
    ]
    argv = [sys.executable, "-m", "pip", "install", *flags, "--target", str(target), str(PLUGIN)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ours = [path for path in sys.path if path and not path.startswith(str(PLUGIN))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(target), *ours])}


def _python(env: dict[str, str], *argv: str, cwd: Path) -> str:
    done = subprocess.run([sys.executable, *argv], env=env, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout


def test_plug_ins_are_found_by_their_entry_points(installed: dict[str, str], tmp_path: Path) -> None:
    """By name, by scheme and by import path; listing them loads none of them."""
    code = """
import json, sys
from fitscale import metrics, registry
names = {family: registry.names(family)[-1] for family in ("sources", "frameworks", "metrics")}
loaded = [name for name in sys.modules if name.startswith("fitscale_example")]
found = [registry.source_of("jsonl").name, registry.framework_of("fitscale_example.Centroids").name]
print(json.dumps([names, loaded, found, metrics.metric("top_decile_lift", 2).name]))
"""
    names, loaded, found, metric = json.loads(_python(installed, "-c", code, cwd=tmp_path))
    assert names == {"sources": "jsonlines", "frameworks": "centroids", "metrics": "top_decile_lift"}
    assert loaded == []
    assert found == ["jsonlines", "centroids"]
    assert metric == "top_decile_lift"


def test_without_the_package_they_are_unknown(tmp_path: Path) -> None:
    """What the tests above find comes from the package alone."""
    code = "from fitscale import registry; print(registry.names('sources'), registry.names('frameworks'))"
    assert "jsonlines" not in _python(dict(os.environ), "-c", code, cwd=tmp_path)


def test_the_packages_own_suites_pass(installed: dict[str, str], tmp_path: Path) -> None:
    """The published suites, as its author runs them."""
    config = ["-c", str(PLUGIN / "pyproject.toml"), "--rootdir", str(PLUGIN)]
    _python(installed, "-m", "pytest", "-q", *config, "-p", "no:cacheprovider", str(PLUGIN / "tests"), cwd=tmp_path)


def test_a_workload_trains_with_all_three(installed: dict[str, str], tmp_path: Path) -> None:
    """From JSON lines to a finished version, judged by the package's metric; and its model predicts."""
    runpy.run_path(str(PLUGIN / "rows.py"))["write"](tmp_path / "rows.jsonl", 4_000)
    (tmp_path / "job.yaml").write_text((PLUGIN / "job.yaml").read_text())
    _python(installed, "-m", "fitscale", "train", "job.yaml", "--run", "run", cwd=tmp_path)
    manifest = json.loads((tmp_path / "run" / "versions" / "1" / "manifest.json").read_text())
    (recipe,) = manifest["recipes"].values()
    assert recipe["framework"] == "centroids"
    assert recipe["versions"]["fitscale_example"] == "0.1.0"
    assert manifest["metric"] == "top_decile_lift"
    assert manifest["scores"]["top_decile_lift"] > 1.5
    code = """
import fitscale
row = {"spent": [9.0, 0.1], "town": ["town 3", "town 1"], "at": ["2026-01-01T12:00:00"] * 2, "visits": [1, 1]}
import pyarrow as pa
table = pa.table(row)
table = table.set_column(2, "at", table.column("at").cast(pa.timestamp("s")))
print(fitscale.open_run("run").model().predict(table).tolist())
"""
    assert _python(installed, "-c", code, cwd=tmp_path).strip() == "[1, 0]"
