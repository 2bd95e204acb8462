"""The commands from end to end, on small synthetic jobs: what they print, what they record, how they end."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
from commands import MANY, fitscale, write_job

from fitscale.cli.listing import About
from fitscale.cli.summary import Summary
from fitscale.machines.here import fingerprint
from fitscale.models.comparing import Comparison
from fitscale.models.predict import Predicted
from fitscale.planning.again import Explained
from fitscale.records.plan import Plan
from fitscale.running.status import Status
from fitscale.store import ledger
from past_runs import runs


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained job of one model: its workload file."""
    job = write_job(tmp_path_factory.mktemp("one"), "one")
    said = fitscale("train", job)
    assert said.code == 0, said.err
    return job


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained job of thirty models, with two versions."""
    job = write_job(tmp_path_factory.mktemp("many"), "many", **MANY)
    for flags in ((), ("--fresh",)):
        said = fitscale("train", job, *flags, "--quiet")
        assert said.code == 0, said.err
    return job


def test_plan_prints_the_screen_and_trains_nothing(tmp_path: Path) -> None:
    """What runs, and no version."""
    job = write_job(tmp_path, "job")
    said = fitscale("plan", job)
    assert said.code == 0, said.err
    assert "VERDICT" in said.out
    assert "Run here: A." in said.out
    assert max(map(len, said.out.splitlines())) <= 100
    assert (tmp_path / "runs" / "job" / "plans" / "001.json").exists()
    assert not (tmp_path / "runs" / "job" / "versions").exists()


def test_plan_json_is_the_record_and_the_screen_goes_to_stderr(tmp_path: Path) -> None:
    """stdout is one record for machines."""
    said = fitscale("plan", write_job(tmp_path, "job"), "--json")
    made = Plan.from_json(said.out)
    assert made.decision.chosen is not None
    assert "VERDICT" in said.err


def test_train_says_forecast_against_actual(tmp_path: Path) -> None:
    """The plan, then what came of it."""
    said = fitscale("train", write_job(tmp_path, "job"), "--run", tmp_path / "elsewhere")
    assert said.code == 0, said.err
    for sentence in ("VERDICT", "Version 1: 1 model, roc_auc", "forecast (90 %)", "actual", "fitscale predict"):
        assert sentence in said.out
    assert (tmp_path / "elsewhere" / "CURRENT").read_text() == "1\n"


def test_package_copies_the_models_of_a_version(many: Path, tmp_path: Path) -> None:
    """Each in its library's format, with what leads from key to file; the second version is the served one."""
    said = fitscale("models", "package", many, "--to", tmp_path / "out", "--json")
    assert (said.code, said.record["version"], said.record["models"]) == (0, 2, 30), said.err
    with zipfile.ZipFile(tmp_path / "out" / "models.zip") as archive:
        named = json.loads(archive.read("index.json"))
        assert len(named) == 30
        assert {each["file"] for each in named} | {"index.json", "encoding.json"} == set(archive.namelist())
    assert "30 models of version 1" in fitscale("models", "package", many, "--to", tmp_path / "b", "--version", 1).out


def test_package_by_a_column_of_the_key(many: Path, tmp_path: Path) -> None:
    """An archive for each value, each whole by itself, and what leads to them; a column that is none is named."""
    said = fitscale("models", "package", many, "--to", tmp_path / "out", "--by", "group", "--json")
    assert (said.code, said.record["models"], said.record["files"]) == (0, 30, 31), said.err
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["by"] == ["group"]
    assert [each["key"]["group"] for each in manifest["packages"]] == sorted(range(30))
    for each in manifest["packages"]:
        content = (tmp_path / "out" / each["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == each["sha256"]
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            (named,) = json.loads(archive.read("index.json"))
            assert named["key"] == [each["key"]["group"]]
            assert {named["file"], "index.json", "encoding.json"} == set(archive.namelist())
    wrong = fitscale("models", "package", many, "--to", tmp_path / "b", "--by", "grup")
    assert wrong.code == 2
    assert "--by grup: no column of the models' key; did you mean 'group'?" in wrong.err
    assert not (tmp_path / "b").exists()


def test_train_again_does_nothing_and_says_so(one: Path) -> None:
    """Exit code 0, the same version."""
    said = fitscale("train", one, "--json")
    summary = Summary.from_json(said.out)
    assert (said.code, summary.nothing_to_do, summary.version, summary.models) == (0, True, 1, 1)
    assert "Nothing to do: version 1" in said.err
    assert summary.actual is not None
    assert summary.forecast is not None


@pytest.mark.parametrize(
    ("values", "holdout", "target", "says"),
    [
        (
            ["x", "y"],
            "1%",
            [0, 1],
            "no row was held out: k has few values, and seed 0 holds none of them out; another seed",
        ),
        (range(60), "20%", [0] * 59 + [1], "roc_auc is undefined on the held-out rows: they have one class"),
    ],
)
def test_a_version_without_a_score_says_why(
    tmp_path: Path, values: Sequence[object], holdout: str, target: Sequence[int], says: str
) -> None:
    """A column of few values may have none that is held out; what was held out may have one class."""
    n = 60
    rows = {"a": list(range(n)), "k": [*values] * (n // len(values)), "y": [*target] * (n // len(target))}
    pq.write_table(pa.table(rows), tmp_path / "d.parquet")
    job = write_job(tmp_path, "job", data={"uri": "d.parquet", "target": "y"}, evaluate={"by": "k", "holdout": holdout})
    said = fitscale("train", job, "--quiet", "--json")
    assert (said.code, said.record["score"]) == (0, None), said.err
    assert says in said.record["unscored"]
    assert f"No score: {says}"[:60] in said.err


def test_choose_overrides_and_is_recorded(tmp_path: Path) -> None:
    """Another candidate than the planner's."""
    job = write_job(tmp_path, "job")
    assert fitscale("train", job, "--choose", "out-of-core", "--quiet").code == 0
    made = Plan.from_json((tmp_path / "runs" / "job" / "plans" / "001.json").read_bytes())
    assert made.decision.overridden
    assert made.decision.chosen is not None
    assert made.decision.chosen.candidate.name == "out-of-core"


def test_what_if_decides_again_from_the_last_plan(one: Path) -> None:
    """A million times the rows do not fit within 200 MB in memory; nothing is read for it."""
    said = fitscale("plan", one, "--what-if", "rows=100000x,memory=200MB", "--json")
    made = Plan.from_json(said.out)
    assert made.profile.rows.value == 6000 * 100_000
    assert made.machine.memory_bytes == 200_000_000
    assert any(r.candidate.name == "in-memory" and r.gate == "memory" for r in made.decision.refused)


def test_a_plan_alone_can_be_asked(tmp_path: Path) -> None:
    """Whether or not something could run, and before anything was fitted or trained."""
    for name, where, code in (("job", [], 0), ("small", [{"local": {"memory": "20 MB"}}], 3)):
        for command in ("plan", "train") if where else ("plan",):
            job = write_job(tmp_path, f"{name}-{command}", **({"where": where} if where else {}))
            assert fitscale(command, job).code == code
            assert Plan.from_json(fitscale("plan", job, "--what-if", "rows=2x", "--json").out).number == 1
            assert fitscale("plan", job, "--explain", "in-memory").code == 0


def test_what_if_groups_were_longer_or_more(tmp_path: Path) -> None:
    """Longer groups have more rows each; more groups are of the same sizes. Both take longer than what is there."""
    job = write_job(tmp_path, "many", **MANY)
    assert fitscale("plan", job).code == 0
    now, longer, more = (
        Plan.from_json(fitscale("plan", job, "--what-if", text, "--json").out)
        for text in ("rows=1x", "rows=1000x", "groups=1000x")
    )
    assert now.profile.groups is not None
    assert longer.profile.groups is not None
    assert more.profile.groups is not None
    assert (longer.profile.groups.n, more.profile.groups.n) == (now.profile.groups.n, 1000 * now.profile.groups.n)
    assert longer.profile.groups.rows_max == 1000 * now.profile.groups.rows_max
    assert more.profile.groups.rows_max == now.profile.groups.rows_max
    assert longer.shape.rows == more.shape.rows == 1000 * now.shape.rows
    taken = [plan.decision.chosen.forecast.time_s.value for plan in (now, longer, more) if plan.decision.chosen]
    assert taken[1] > 5 * taken[0]
    assert taken[2] > 5 * taken[0]


def test_what_if_there_are_no_groups(one: Path) -> None:
    """One model has none that could be more."""
    said = fitscale("plan", one, "--what-if", "groups=10x")
    assert said.code == 2
    assert "the workload has no data.groups" in said.err


def test_what_if_a_deadline_cannot_be_met(one: Path) -> None:
    """Exit code 4: something runs, and nothing meets it."""
    said = fitscale("plan", one, "--what-if", "rows=100000x,deadline=1s")
    assert said.code == 4
    assert "error: " in said.err


def test_explain_shows_forecast_and_terms(one: Path) -> None:
    """Phases, and the law's terms behind them."""
    said = fitscale("plan", one, "--explain", "in-memory", "--json")
    found = Explained.from_json(said.out)
    assert found.law is not None
    assert found.forecast is not None
    assert "iterations" in said.err


def test_explain_says_why_a_candidate_is_refused(one: Path) -> None:
    """The sentence of its refusal."""
    said = fitscale("plan", one, "--explain", "quantised")
    assert said.code == 0
    assert "refused: " in said.out


def test_status_of_a_run_that_rests(one: Path) -> None:
    """What is finished, and that nothing works."""
    said = fitscale("status", one, "--json")
    found = Status.from_json(said.out)
    assert (found.working, found.versions, found.serving, found.unfinished) == (False, (1,), 1, None)
    assert "nothing is unfinished" in said.err


def test_list_has_a_line_for_each_model(many: Path) -> None:
    """Thirty lines under a header, and as many records."""
    said = fitscale("models", "list", many)
    lines = said.out.splitlines()
    assert lines[0].split()[:2] == ["group", "status"]
    assert len(lines) == 31
    assert len(fitscale("models", "list", many, "--json").record["models"]) == 30


def test_list_takes_conditions_and_a_limit(many: Path) -> None:
    """SQL over the columns that are listed."""
    found = fitscale(
        "models", "list", many, "--where", "group < 4 and status = 'fitted'", "--limit", 2, "--json"
    ).record
    assert (found["found"], len(found["models"])) == (4, 2)
    assert fitscale("models", "list", many, "--failed").out == "no such models\n"
    assert fitscale("models", "list", many, "--status", "fitted", "--limit", 3).out.endswith(
        "and 27 more: --limit 0 lists all\n"
    )


def test_show_one_model(many: Path) -> None:
    """Its key, rows, score and recipe."""
    found = About.from_json(fitscale("models", "show", many, 7, "--json").out)
    assert found.key == {"group": 7}
    assert found.status == "fitted"
    assert found.n_train > 0
    assert found.recipe.estimator.params["passes"] == 3


def test_show_the_only_model(one: Path) -> None:
    """Without a key."""
    said = fitscale("models", "show", one)
    assert said.code == 0
    assert "the one model" in said.out


def test_compare_two_equal_versions(many: Path) -> None:
    """The same recipe on the same data: nothing is better or worse."""
    found = Comparison.from_json(fitscale("models", "compare", many, 1, 2, "--json").out)
    assert (found.better, found.worse, found.new, found.gone, found.lost) == (0, 0, 0, 0, 0)
    assert found.equal > 0


def test_predict_counts_rows_without_a_prediction(many: Path, tmp_path: Path) -> None:
    """Groups that were never trained are unknown; every row is in the file, in its order."""
    import pyarrow.parquet as pq

    out = tmp_path / "predictions.parquet"
    said = fitscale(
        "predict", many, "--data", "synthetic://?rows=3000&columns=4&groups=60", "--out", out, "--proba", "--json"
    )
    found = Predicted.from_json(said.out)
    table = pq.read_table(out)
    assert found.rows == table.num_rows == 3000
    assert found.why == {"unknown key": 3000 - found.predicted}
    assert 0 < found.predicted < 3000
    assert {"group", "prediction", "why", "proba_0", "proba_1"} <= set(table.column_names)
    assert f"{found.why['unknown key']:,} unknown key" in said.err


def test_rollback_and_prune(tmp_path: Path) -> None:
    """An earlier version is served; prune keeps it, and the latest."""
    job = write_job(tmp_path, "job")
    for flags in ((), ("--fresh",), ("--fresh",)):
        assert fitscale("train", job, "--quiet", *flags).code == 0
    assert fitscale("models", "rollback", job, 1, "--json").record == {"before": 3, "format": 1, "serving": 1}
    said = fitscale("models", "prune", job, "--keep", 1)
    assert said.code == 0
    assert "versions left: 1, 3" in said.out
    assert (
        fitscale("predict", job, "--data", "synthetic://?rows=10&columns=4", "--out", tmp_path / "p.parquet").code == 0
    )


def test_report_says_where_it_is(one: Path) -> None:
    """The path, which is there."""
    said = fitscale("report", one)
    assert said.code == 0, said.err
    assert Path(said.out.strip()).read_text().lstrip().lower().startswith("<!doctype html")


def test_machines_shows_this_one_and_those_to_rent() -> None:
    """Measured here, priced there."""
    said = fitscale("machines", "--catalogue", "aws/us-east-1", "--json")
    assert said.record["here"]["cores"] >= 1
    prices = [machine["usd_per_hour"] for machine in said.record["catalogue"]]
    assert len(prices) > 50
    assert "[measured]" in said.err


def test_doctor_tries_what_a_workload_needs(one: Path) -> None:
    """Every line has a state, and the data was really opened."""
    said = fitscale("doctor", one, "--json")
    found = {finding["what"]: finding for finding in said.record["findings"]}
    assert said.code == 0, said.err
    assert found["data"]["says"].endswith("6,000 rows, 7 columns")
    assert found["estimator"]["state"] == "ok"


def test_a_run_is_found_by_its_folder_its_file_or_the_current_folder(
    one: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them mean the same run."""
    run = one.parent / "runs" / "one"
    ways = [fitscale("status", way, "--json").record["name"] for way in (one, run, one.parent)]
    monkeypatch.chdir(one.parent)
    ways += [fitscale("status", *way, "--json").record["name"] for way in ((), ("one",), ("--run", run))]
    monkeypatch.chdir(run)
    assert [*ways, fitscale("status", "--json").record["name"]] == ["one"] * 7


def test_past_runs_are_shown_wherever_a_plan_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """25 runs here took half as long again: under Trust, figure by figure with --explain, as records with --json."""
    file = tmp_path / "ledger.jsonl"
    for run in runs([0.4] * 25, machine=fingerprint(), framework="baseline"):
        ledger.append(file, run.but(said=(run.said[0].but(kind="priors"),)))
    monkeypatch.setenv("FITSCALE_LEDGER", str(file))
    job = write_job(tmp_path, "job")
    said = fitscale("plan", job, "--json")
    assert said.code == 0, said.err
    assert "calibrated on 25 runs here: median error 49 %, 0 of 25 within the interval" in " ".join(said.err.split())
    made = Plan.from_json(said.out)
    assert made.decision.chosen is not None
    assert made.decision.chosen.forecast.time_s.origin == "calibrated"
    assert made.calibration.runs == 25
    file.unlink()  # the plan keeps what it was made by
    told = " ".join(fitscale("plan", job, "--explain", made.decision.chosen.candidate.name).out.split())
    assert "Past runs calibrated on 25 runs here" in told
    assert "time × 1.3, its interval × " in told
    assert "by 25 runs here of " in told
    supposed = fitscale("plan", job, "--what-if", "rows=2x", "--json")
    assert Plan.from_json(supposed.out).calibration == made.calibration
