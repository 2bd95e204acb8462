"""The example of many metrics, small: from a PostgreSQL server to packages, and what the cron line does a month later."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from postgres_server import Server

from fitscale.models.opened import Run

EXAMPLE = Path(__file__).parents[2] / "examples" / "aiops"
SCALE = ("--databases", "4", "--metrics", "10", "--hours", "240")


@pytest.fixture
def folder(postgres: Server, tmp_path: Path) -> Path:
    """The example's own files, with data for its server."""
    for name in ("metrics.py", "metrics.yaml", "monthly.sh"):
        shutil.copy(EXAMPLE / name, tmp_path / name)
    make(tmp_path, postgres, "--from", "2026-01-01")
    return tmp_path


def run(folder: Path, server: Server, *command: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PGPORT": str(server.port), "PGPASSWORD": server.password, "PATH": path, "SINCE": "2026-01-11"}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def make(folder: Path, server: Server, *more: str) -> None:
    made = run(folder, server, sys.executable, "metrics.py", server.uri(), *SCALE, *more)
    assert made.returncode == 0, made.stderr


def test_from_the_database_to_packages_and_a_month_later(folder: Path, postgres: Server) -> None:
    """Each metric has a model, what shifts is found and trained again, and nothing else is."""
    done = run(folder, postgres, "fitscale", "train", "metrics.yaml")
    assert done.returncode == 0, done.stderr
    assert Run(folder / "runs" / "metrics").manifest.models == 40

    quiet = run(folder, postgres, "./monthly.sh")  # no row is new yet
    assert quiet.returncode == 2, quiet.stderr
    make(folder, postgres, "--from", "2026-01-11", "--drifted", "20%", "--incidents", "0.5%")
    spotted = run(
        folder, postgres, "fitscale", "predict", "metrics.yaml", "--where", "at >= '2026-01-11'", "--anomalies",
        "--out", "anomalies.parquet",
    )  # fmt: skip
    assert spotted.returncode == 0, spotted.stderr
    found = pq.read_table(folder / "anomalies.parquet")
    planted = postgres.sql("select db, metric, at from incidents")
    assert found.num_rows == 40 * 240
    flagged = found.filter(found.column("anomaly"))
    hits = set(zip(*(flagged.column(name).to_pylist() for name in ("db", "metric", "at")), strict=True))
    assert len(hits & set(planted)) > 0.5 * len(planted) > 10

    month = run(folder, postgres, "./monthly.sh")
    assert month.returncode == 0, month.stderr
    opened = Run(folder / "runs" / "metrics")
    assert (opened.version, opened.manifest.base) == (2, 1)
    drifted = pq.read_table(folder / "runs" / "metrics" / "drift" / "1.parquet")
    assert 1 <= opened.manifest.retrained == drifted.filter(drifted.column("drifted")).num_rows < 40
    manifest = json.loads((folder / "packages" / "manifest.json").read_text())
    assert sum(archive["models"] for archive in manifest["packages"]) == 40
    assert (folder / "packages").is_dir()
    assert not list((folder / "runs" / "metrics" / "scratch").glob("rows-*"))
    assert isinstance(opened.models("db = 'db00001'"), pa.Table)
    assert opened.models("db = 'db00001'").num_rows == 10
