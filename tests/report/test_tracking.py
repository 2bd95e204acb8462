"""One run in MLflow for a finished version, in a real store: once, whole, without secrets, and never at the training's cost."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
from commands import MANY, fitscale, write_job

import fitscale as fitscale_
from fitscale.errors import MissingLibrary, UsageError
from fitscale.models import worth
from fitscale.report.tracking import check
from fitscale.report.tracking.logged import logged_of
from fitscale.report.tracking.masking import masked

# MLflow 3.17 asks SQLAlchemy 2.1 for what it calls deprecated
pytestmark = pytest.mark.filterwarnings("ignore:The .*noload.* loader strategy is deprecated")
SECRET = "hunter%402"


def store(folder: Path) -> Any:
    pytest.importorskip("mlflow")
    pytest.importorskip("sqlalchemy")
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri(folder))


def uri(folder: Path) -> str:
    return f"sqlite:///{folder.absolute()}/mlflow.db"


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One model and many, each trained with --mlflow."""
    pytest.importorskip("mlflow")
    pytest.importorskip("sqlalchemy")
    folder = tmp_path_factory.mktemp("logged")
    for name, job in {"one": write_job(folder, "one"), "many": write_job(folder, "many", **MANY)}.items():
        said = fitscale("train", job, "--mlflow", uri(folder), "--json")
        assert said.code == 0, said.err
        (folder / f"{name}.json").write_text(said.out)
    return folder


def test_one_run_for_the_job(logged: Path) -> None:
    """The plan's figures and what it took, the score, the models as one artifact, and the report."""
    client, summary = store(logged), json.loads((logged / "one.json").read_text())
    experiment = client.get_experiment_by_name("one")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_id == summary["mlflow"]["run_id"]
    assert run.info.status == "FINISHED"
    assert (run.data.params["estimator"], run.data.params["param.passes"]) == ("baseline.Classifier", "3")
    assert run.data.params["architecture"] == "in-memory"
    metrics = run.data.metrics
    assert metrics["roc_auc"] == summary["score"]
    assert metrics["forecast_time_s"] == summary["forecast"]["time_s"]["value"]
    assert metrics["actual_time_s"] == summary["actual"]["work_s"]
    assert {"forecast_memory_low_bytes", "actual_memory_bytes", "models", "brier"} <= set(metrics)
    artifacts = {each.path for each in client.list_artifacts(run.info.run_id)}
    assert artifacts == {"models", "plan.json", "report.html"}
    assert {each.path for each in client.list_artifacts(run.info.run_id, "models")} == {
        "models/encoding.json", "models/index.json", "models/model.json",
    }  # fmt: skip
    assert (logged / "mlruns").is_dir(), "beside the database, wherever the command was given"


def test_many_models_are_one_run_and_a_table(logged: Path) -> None:
    """Never one run a model: one archive, and one row for each."""
    client = store(logged)
    (run,) = client.search_runs([client.get_experiment_by_name("many").experiment_id])
    assert run.data.metrics["models"] == 30
    assert {each.path for each in client.list_artifacts(run.info.run_id)} >= {"models", "models.json"}
    assert "models/models.zip" in {each.path for each in client.list_artifacts(run.info.run_id, "models")}
    table = json.loads(Path(client.download_artifacts(run.info.run_id, "models.json")).read_text())
    assert len(table["data"]) == 30
    assert {"group", "status", "n_train", "score"} <= set(table["columns"])


def test_names_of_strangers_are_names_there_too(tmp_path: Path) -> None:
    """Columns are called as they like: what MLflow refuses in a metric's name is an underscore, and no part leads elsewhere."""
    table = pa.table({"späte/../<b>": [float(k % 7) for k in range(300)], "y": [int(k % 7 > 3) for k in range(300)]})
    model = {"estimator": "baseline.Classifier"}
    run = fitscale_.train({"data": {"uri": table, "target": "y"}, "model": model}, tmp_path / "run")
    worth.refresh(run.path, 1, limit_s=1.0)
    found = logged_of(run.path, 1)
    assert "importance/sp_te/_b_" in found.metrics
    assert found.params["data"].endswith(".parquet")
    assert logged_of(run.path, 1).identity == found.identity


def test_a_finished_version_is_logged_once(logged: Path) -> None:
    """The same command again says which run it is; one that was logged nowhere is logged then."""
    job = logged / "one.yaml"
    before = json.loads((logged / "one.json").read_text())["mlflow"]
    again = fitscale("train", job, "--mlflow", uri(logged), "--json")
    assert again.record["nothing_to_do"]
    assert again.record["mlflow"] == {**before, "before": True}
    assert f"was logged before as run {before['run_id']} of experiment one" in " ".join(again.err.split())
    client = store(logged)
    assert len(client.search_runs([client.get_experiment_by_name("one").experiment_id])) == 1


def test_what_broke_off_is_gone_on_with(logged: Path) -> None:
    """A run that was not finished is filled again under its own name, its table once."""
    client = store(logged)
    experiment = client.get_experiment_by_name("many").experiment_id
    (run,) = client.search_runs([experiment])
    client.set_terminated(run.info.run_id, "FAILED")
    said = fitscale("train", logged / "many.yaml", "--mlflow", uri(logged), "--json")
    assert said.record["mlflow"]["run_id"] == run.info.run_id
    assert not said.record["mlflow"]["before"]
    (again,) = client.search_runs([experiment])
    assert again.info.status == "FINISHED"
    table = json.loads(Path(client.download_artifacts(run.info.run_id, "models.json")).read_text())
    assert len(table["data"]) == 30


def test_what_cannot_be_logged_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens there: the version is there, the command ends with 0 and a warning, and no secret is shown or kept."""
    pytest.importorskip("mlflow")
    address = f"http://me:{SECRET}@127.0.0.1:9/store?token=abcdef"
    job = write_job(tmp_path, "job")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    said = fitscale("train", job, "--mlflow", address, "--json")
    assert said.code == 0
    assert said.record["version"] == 1
    assert said.record["mlflow"] is None
    assert "127.0.0.1" in said.record["unlogged"]
    for text in (said.out, said.err, *files(tmp_path)):
        for secret in (SECRET, "hunter@2", "abcdef"):
            assert secret not in text


def files(folder: Path) -> list[str]:
    return [path.read_bytes().decode(errors="replace") for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("mlruns", "MLflow keeps no runs in files any more; take a database such as sqlite:///mlflow.db"),
        ("file:///tmp/mlruns", "MLflow keeps no runs in files any more"),
        ("postgresql://me:${NO_SUCH_WORD}@db/mlflow", "needs ${NO_SUCH_WORD}, which is not set"),
    ],
)
def test_what_cannot_be_an_address_is_refused_before_training(tmp_path: Path, address: str, sentence: str) -> None:
    """With 2, and nothing is written."""
    pytest.importorskip("mlflow")
    pytest.importorskip("sqlalchemy")
    said = fitscale("train", write_job(tmp_path, "job"), "--mlflow", address)
    assert said.code == 2
    assert sentence in said.err
    assert not (tmp_path / "runs").exists()


def test_without_the_library_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is done."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingLibrary, match=r"^--mlflow needs mlflow: pip install 'fitscale\[mlflow\]'$"):
        check("sqlite:///mlflow.db")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:pw@db:5432/x", "postgresql://…@db:5432/x"),
        ("https://host/a?token=abc&b=1", "https://host/a?token=…&b=1"),
        ("cannot reach mysql://u:p@w@h/d (p@w)", "cannot reach mysql://…@h/d (…)"),
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
    ],
)
def test_addresses_are_shown_without_secrets(text: str, shown: str) -> None:
    """Users, passwords and secret options are dots, wherever they stand."""
    assert masked(text, "mysql://u:p@w@h/d" if "mysql" in text else "") == shown


def test_an_address_is_no_secret_of_itself() -> None:
    """What is checked is not reached for."""
    pytest.importorskip("mlflow")
    for address in ("https://127.0.0.1:9", "databricks", "databricks://profile"):
        check(address)
    with pytest.raises(UsageError, match="--mlflow ftp://…@host: MLflow keeps no runs in files"):
        check("ftp://me:pw@host")
