"""One MLflow run for a version: found again by its identity, gone on with where an earlier attempt broke off."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fitscale.report.tracking.logged import Logged
from fitscale.store.lookup import Index

if TYPE_CHECKING:
    from mlflow import MlflowClient

IDENTITY = "fitscale.version"
PARAMS_AT_ONCE = 100
TABLE = "models.json"
FINISHED = "FINISHED"


def log(uri: str, run: Path, version: int, logged: Logged) -> dict[str, object]:
    """``experiment``, ``run_id``, and whether it was there ``before``.

    Raises
    ------
    mlflow.exceptions.MlflowException
        Whatever the store says. What was logged so far stays, marked as failed.
    """
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or logged.experiment
    known = client.get_experiment_by_name(name)
    experiment = known.experiment_id if known else client.create_experiment(name, artifact_location=_beside(uri))
    answer: dict[str, object] = {"experiment": name}
    earlier = client.search_runs([experiment], f"tags.`{IDENTITY}` = '{logged.identity}'")
    done = next((each for each in earlier if each.info.status == FINISHED), None)
    if done is not None:
        return {**answer, "run_id": done.info.run_id, "before": True}
    run_id = earlier[0].info.run_id if earlier else _begun(client, experiment, logged)
    try:
        _fill(client, run_id, run, version, logged)
    except BaseException:
        with contextlib.suppress(Exception):  # the store may be what failed
            client.set_terminated(run_id, "FAILED")
        raise
    client.set_terminated(run_id, FINISHED, round(1000 * logged.ended) or None)
    return {**answer, "run_id": run_id, "before": False}


def _begun(client: MlflowClient, experiment: str, logged: Logged) -> str:
    made = client.create_run(
        experiment, round(1000 * logged.began) or None, {IDENTITY: logged.identity}, run_name=logged.name
    )
    return str(made.info.run_id)


def _fill(client: MlflowClient, run_id: str, run: Path, version: int, logged: Logged) -> None:
    from mlflow.entities import Metric, Param

    params = [Param(name, value) for name, value in logged.params.items()]
    for first in range(0, len(params), PARAMS_AT_ONCE):
        client.log_batch(run_id, params=params[first : first + PARAMS_AT_ONCE])
    at = round(1000 * logged.ended)
    client.log_batch(run_id, metrics=[Metric(name, value, at, 0) for name, value in logged.metrics.items()])
    with TemporaryDirectory(prefix="fitscale-") as folder:
        _models(run, version, Path(folder) / "models")
        client.log_artifacts(run_id, str(Path(folder) / "models"), "models")
    client.log_text(run_id, logged.plan, "plan.json")
    if (run / "report.html").exists():
        client.log_artifact(run_id, str(run / "report.html"))
    index = Index(run, version)
    # Logging a table adds to one that is there.
    if index.manifest.groups and TABLE not in {each.path for each in client.list_artifacts(run_id)}:
        client.log_table(run_id, _table(index), TABLE)


def _models(run: Path, version: int, to: Path) -> None:
    from fitscale.models.exporting import exporter_of

    exporter_of("native").export(run, version, to)


def _table(index: Index) -> dict[str, list[Any]]:
    """One row for each model: key, status, why, rows, score."""
    table = index.table.drop_columns(["file", "offset", "length"])
    return {name: [_plain(value) for value in table.column(name).to_pylist()] for name in table.column_names}


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | str | None) else str(value)


def _beside(uri: str) -> str | None:
    """Where a new experiment of a database file keeps its artifacts: beside it, wherever the command was given."""
    parts = urlsplit(uri)
    if parts.scheme.partition("+")[0] != "sqlite":
        return None  # as the server is set up
    return (Path(parts.path[1:]).absolute().parent / "mlruns").as_uri()  # sqlite:///relative, sqlite:////absolute
