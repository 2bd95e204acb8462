"""What the pages tell their readers to run, run."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main
from postgres_server import Server

from fitscale.cli.main import app

sys.path.insert(0, str(Path(__file__).parent))
from pages import DOCS, blocks, run, script

BY_HAND = sorted(path.name for path in DOCS.glob("*.md"))
COMMAND = re.compile(r"\bfitscale ((?:models )?[a-z]+)\b([^|&#\n`]*)")


@pytest.fixture(scope="module")
def customers(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The data of the first page, as its own script makes it."""
    folder = tmp_path_factory.mktemp("customers")
    first = next(block for block in blocks("first-run.md") if block.file == "customers.py")
    (folder / "customers.py").write_text(first.text)
    run_in = {"__name__": "__main__"}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(compile(first.text, "customers.py", "exec"), run_in)
    return (folder / "customers.parquet").read_bytes()


def test_the_tutorial_works_as_written(tmp_path: Path) -> None:
    """From a CSV to a workload file that is taken as it is, a model, its report and predictions."""
    said = run("tutorial.md", tmp_path, report=True)
    assert "closed_reason nearly gives the target away: AUC 1.00 alone" in said
    assert "Run here: A." in said
    assert "Version 1: 1 model, roc_auc 0.7" in said
    assert "20,000 rows → predictions.parquet" in said
    assert (tmp_path / "runs" / "customers" / "report.html").exists()
    shown = next(block for block in blocks("tutorial.md") if block.language == "yaml")
    assert shown.text in (tmp_path / "customers.yaml").read_text()


def test_the_first_run_works_as_written(tmp_path: Path) -> None:
    """From the data to a report and predictions, with the commands of the page alone."""
    said = run("first-run.md", tmp_path, report=True)
    assert "Run here: A." in said
    assert "Version 1: 1 model, roc_auc" in said
    assert (tmp_path / "predictions.parquet").exists()
    assert (tmp_path / "runs" / "leavers" / "report.html").exists()


@pytest.mark.slow
def test_what_was_stopped_goes_on_as_written(tmp_path: Path, customers: bytes) -> None:
    """Killed and interrupted, and the version has the bytes of one that was not."""
    (tmp_path / "customers.parquet").write_bytes(customers)
    said = run("stop-and-go-on.md", tmp_path)
    assert "the same bytes" in said
    assert "0 better, 0 worse, 1 equal" in said
    assert "versions left: 1, 2" in said


def test_python_works_as_written(tmp_path: Path) -> None:
    """A frame and a Pipeline in, models and predictions out, and the error at the end is told with its code."""
    said = run("python.md", tmp_path)
    assert "<run 'leavers' version 1: 1 models" in said
    assert "['prediction', 'proba_False', 'proba_True', 'why']" in said
    assert said.rstrip().endswith("2 data.target: no column 'gone'; columns: age, visits, plan, left")


def test_the_report_is_read_as_written(tmp_path: Path, customers: bytes) -> None:
    """The figures of the page are those of its commands, and the finished version is logged."""
    pytest.importorskip("mlflow")
    (tmp_path / "customers.parquet").write_bytes(customers)
    said = run("read-the-report.md", tmp_path, report=True)
    assert "report.html" in said
    assert "roc_auc 0.738 on 3,944 rows, 5 rounds" in said
    assert "age     0.13" in said
    assert "logged as run" in said


def test_a_run_is_in_the_ledger_as_written(tmp_path: Path, customers: bytes) -> None:
    """One line of it, in which nothing is named."""
    (tmp_path / "customers.parquet").write_bytes(customers)
    said = " ".join(run("past-runs.md", tmp_path).split())
    assert "1 past run of this machine, calibrated from 20 on" in said
    assert "'framework': 'xgboost', 'strategy': 'in-memory', 'form': 'matrix', 'rows': 16000" in said
    assert "train priors ['cpu', 'memory', 'storage', 'time'] ['cpu', 'memory', 'storage', 'time']" in said
    assert "customers" not in (tmp_path / "ledger.jsonl").read_text()


def test_an_estimator_is_chosen_and_tuned_as_written(tmp_path: Path, customers: bytes) -> None:
    """The best of three is trained without being compared again, and a tree is tuned to something surely better."""
    (tmp_path / "customers.parquet").write_bytes(customers)
    said = " ".join(run("choose-an-estimator.md", tmp_path).split())
    assert "Any of 3: roc_auc on 3,237 rows that train none of them" in said
    assert "LogisticRegression: the best by roc_auc, by 0.0089 (0.0051–0.0126) before the next" in said
    assert "compared before, train --fresh compares anew" in said
    assert "Search: 60 trials in" in said
    assert "better than your own parameters: +0.0" in said


def test_many_models_are_trained_as_written(tmp_path: Path) -> None:
    """One group fails and is named, some are unfit, and the others predict."""
    said = run("many-models.md", tmp_path)
    assert "1 group failed, 15 unfit" in said
    assert "19,611 with a prediction, 389 without" in said


def test_a_team_is_planned_for_as_written(tmp_path: Path) -> None:
    """One platform for three jobs, what was assumed of them, who does what, and which skill nobody has."""
    said = " ".join(run("plan-for-a-team.md", tmp_path).split())
    assert "VERDICT this machine for all 3 jobs" in said
    assert "shops: no frequency is stated, so once a month" in said
    assert "platform operation: 4 h, data engineer (mid), 268 USD [assumed]" in said
    assert "nobody states the skill 'xgboost', which churn asks for" in said
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"churn", "risk", "shops"}


@pytest.mark.slow
def test_six_use_cases_are_planned_as_written(tmp_path: Path) -> None:
    """Each with its recommendation, and what it becomes at full size; the files are those of the examples."""
    lines = run("use-cases.md", tmp_path).splitlines()
    said = " ".join(" ".join(lines).split())
    examples = DOCS.parent / "examples" / "use-cases"
    files = {block.file: block.text for block in blocks("use-cases.md") if block.file is not None}
    assert files == {path.name: path.read_text() for path in examples.iterdir() if path.suffix in (".py", ".yaml")}
    assert "250,000 groups of 336 rows each" in said
    assert sum(line.startswith("Path ") for line in lines) == 12
    assert "both scales at once:" in said
    assert "2,000 models of 1,000 features" in said
    assert "out-of-core: " in said  # of 80 million rows
    assert "better: out-of-core on r6i.2xlarge" in said  # of a billion
    assert "no path is drawn" not in said
    assert "60 users" in said


def test_series_are_forecast_as_written(tmp_path: Path) -> None:
    """One of them fails and is named, the next day is told, what drifted is found and trained again alone."""
    said = run("series.md", tmp_path)
    assert "Version 1: 299 models, neg_root_mean_squared_error -2.09" in said
    assert "1 times occur twice, the first in row 100 of the series" in " ".join(said.split())
    assert "7,176 rows → next.parquet, by version 1 of metrics" in said
    assert "96 rows → searched.parquet, by version 1 of searched" in said
    assert "299 series tested against version 1, 2 drifted" in said
    assert "exit code 5" in said
    assert "2 groups trained again, which the score is of; the others are version 1's" in said
    assert "values are further than 4 deviations from what was foretold" in said


def test_a_table_of_a_database_is_trained_on_as_written(
    tmp_path: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a server that is there already, by its port and password in the environment."""
    monkeypatch.setenv("PGPORT", str(postgres.port))
    said = " ".join(run("from-a-database.md", tmp_path).split())
    assert "about 17,9" in said
    assert "Version 1: 1 model, roc_auc" in said
    assert postgres.password not in said


def test_a_strangers_pickle_is_refused_as_written(tmp_path: Path, customers: bytes) -> None:
    """With another key a scikit-learn model is not loaded, with --trust it is."""
    (tmp_path / "customers.parquet").write_bytes(customers)
    said = run("trust.md", tmp_path)
    assert "is a pickle that was not written by you" in said
    assert "exit code 2" in said
    assert "20,000 rows → p.parquet" in said


def test_a_run_is_written_down_for_another_machine_as_written(tmp_path: Path, customers: bytes) -> None:
    """Planned here, deployed to a machine that is named; the page shows the task that was written."""
    (tmp_path / "customers.parquet").write_bytes(customers)
    said = run("deploy.md", tmp_path)
    # Which of the two forms is the faster for 20,000 rows is within the noise of the host
    assert re.search(r"(in-memory|quantised) on m8i\.large \(aws/us-east-1\): ", said), said
    assert "37 kB are copied when a machine is launched" in said
    task = (tmp_path / "there" / "skypilot.yaml").read_text().partition("\n")[2].replace(str(tmp_path), "/home/you")
    shown = [block.text for block in blocks("deploy.md") if block.language == "yaml"][-1]
    assert shown.replace("3.11", f"{sys.version_info.major}.{sys.version_info.minor}") == task


def test_a_place_is_priced_as_written(tmp_path: Path, customers: bytes) -> None:
    """On a machine of the catalogue part by part, and on one of a table of one's own, where nothing of spot is assumed."""
    (tmp_path / "customers.parquet").write_bytes(customers)
    said = " ".join(run("what-it-costs.md", tmp_path).split())
    assert "Costs m8i.large (aws/us-east-1), daily: 30 runs a month" in said
    assert "Costs box (aws/us-east-1), daily: 30 runs a month" in said
    assert said.count("'usd_per_hour_spot' in a table of your own states it") == 1


def test_candidates_are_scored_as_written(tmp_path: Path, customers: bytes) -> None:
    """Eight measurements, weights that decide, and a team whose hours count."""
    (tmp_path / "customers.parquet").write_bytes(customers)
    said = " ".join(run("scorecard.md", tmp_path).split())
    assert "not matched: collaboration: not offered" in said
    assert "1 at 5 s, 0 at 60 s (stated) [forecast]" in said
    assert "by your weights (time 3, people 1, storage 1) its measured scores come to" in said
    assert "not in that sum: people is judged" in said
    assert "modelling: 6 h [stated], data scientist (senior, of the team)" in said


def test_how_much_data_is_enough_is_found_out_as_written(tmp_path: Path) -> None:
    """A plan says what each share would lose, and the training takes what was decided."""
    said = " ".join(run("how-much-data.md", tmp_path).split())
    assert re.search(
        r"rows give roc_auc within 0.005 of all of them|all rows are taken: no smaller share is sure", said
    ), said
    assert "decided before: --fresh decides anew" in said  # by the training, of what the plan found
    assert "Version 1: 1 model, roc_auc 0.7" in said


def test_an_exported_model_is_served_as_written(tmp_path: Path, customers: bytes) -> None:
    """Trained, exported and run by onnxruntime alone, on raw columns."""
    (tmp_path / "customers.parquet").write_bytes(customers)
    said = run("export-to-onnx.md", tmp_path)
    assert "Export      onnx:" in said
    assert "1 model of version 1 of leavers → served" in said
    assert "the largest difference of probabilities is" in said
    assert "plan tensor(string)" in said
    assert "(3, 2)" in said


@pytest.mark.parametrize("page", BY_HAND)
def test_commands_and_options_are_there(page: str) -> None:
    """Each `fitscale COMMAND --option` of a page is one that the command line knows."""
    root: Any = typer.main.get_command(app)
    for path, rest in COMMAND.findall("\n".join(_code(page))):
        name, _, inner = path.partition(" ")
        command = root.get_command(None, name)
        assert command is not None, f"{page}: no command 'fitscale {name}'"
        if inner:
            command = command.commands.get(inner)
            assert command is not None, f"{page}: no command 'fitscale {path}'"
        known = {option for param in command.params for option in param.opts}
        for option in re.findall(r"(?<!\S)--[a-z-]+", rest):
            assert option in known, f"{page}: 'fitscale {path}' has no {option}"


def test_blocks_are_told_apart() -> None:
    """What is shown is not run, files are written before they are used, and a page without code runs nothing."""
    text = script("stop-and-go-on.md")
    assert text.index("cat > long.yaml") < text.index("fitscale train long.yaml")
    assert "nothing is unfinished" not in text
    assert "pip install" not in script("first-run.md")


def _code(page: str) -> list[str]:
    """Blocks that are typed, and what stands between backticks in the prose."""
    said = (DOCS / page).read_text(encoding="utf-8")
    typed = [block.text for block in blocks(page) if block.language in ("sh", "console")]
    return typed + re.findall(r"`(fitscale [^`\n]+)`", said)
