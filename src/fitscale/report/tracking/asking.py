"""Ask for a version to be logged: checked before anything is trained, done in a process of its own after it is committed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from fitscale.errors import FitscaleError, UsageError
from fitscale.records.base import Record
from fitscale.registry import require
from fitscale.report.tracking.masking import masked
from fitscale.workload import expand

LIMIT_S = 3600.0  # of many models the upload may take long
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
SERVERS = ("http", "https", "databricks")
# A server that does not answer is given up after a minute or so, unless the user says otherwise.
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "GIT_PYTHON_REFRESH": "quiet"}


class Tracked(Record):
    """Where a version stands in MLflow."""

    uri: str  # without secrets
    experiment: str
    run_id: str
    before: bool = False  # it was logged by an earlier command


def check(uri: str) -> None:
    """Refuse an address that cannot be logged to, without reaching for it.

    Raises
    ------
    UsageError
        What would do.
    MissingLibrary
        If MLflow is not installed.
    """
    require("--mlflow", "mlflow", "mlflow")
    scheme = uri.partition(":")[0].partition("+")[0]
    if scheme in DATABASES:
        require("--mlflow", "sqlalchemy", "mlflow")
        require("--mlflow", "alembic", "mlflow")
    elif scheme not in SERVERS:
        raise UsageError(
            f"--mlflow {masked(uri)}: MLflow keeps no runs in files any more; take a database such as sqlite:///mlflow.db, or"
            " the address of a server"
        )
    expand(uri, os.environ)


def track(run: Path, version: int, uri: str) -> Tracked:
    """Log a finished version as one run, unless it was logged there before.

    Raises
    ------
    FitscaleError
        What MLflow said, without secrets. The version is there all the same, and the same call logs it later.
    """
    whole = expand(uri, os.environ)
    request = json.dumps({"run": str(run.absolute()), "version": version, "uri": whole})
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "fitscale.report.tracking"],
            input=request,  # and not an argument, which others can see
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
            env={**PATIENCE, **QUIET, **os.environ},
        )
        answer = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        raise FitscaleError(f"{masked(uri)}: gave no answer within {LIMIT_S / 60:.0f} min") from None
    except (ValueError, IndexError):
        last = "; ".join(done.stderr.strip().splitlines()[-1:]) or f"ended with {done.returncode}"
        raise FitscaleError(f"{masked(uri)}: {masked(last, whole, os.environ)}") from None
    if "error" in answer:
        raise FitscaleError(f"{masked(uri)}: {masked(answer['error'], whole, os.environ)}")
    return Tracked(uri=masked(uri), **answer)
