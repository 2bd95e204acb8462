"""`fitscale doctor`: each finding in a line with its next step; what is needed and does not work ends with 2."""

from __future__ import annotations

import os
import resource
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from postgres_server import Server

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
from commands import fitscale, write_job

from fitscale.cli.checking import libraries, machine
from fitscale.machines.here import fingerprint
from fitscale.store import ledger
from fitscale.store.lock import RunLock
from past_runs import entry


def doctor(*argv: object, code: int = 0) -> dict[str, dict[str, Any]]:
    """The findings by what they are about."""
    said = fitscale("doctor", *argv, "--json")
    assert said.code == code, said.err
    return {found["what"]: found for found in said.record["findings"]}


def test_the_machine_and_the_libraries_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cores, memory, limits, disk and its speed; every extra in one line; no workload is needed."""
    monkeypatch.chdir(tmp_path)
    found = doctor()
    assert {"python", "cores", "memory", "control group", "limits", "disk", "core", "frameworks"} <= set(found)
    assert "numpy" in found["core"]["says"]
    assert all(one["next_step"] for one in found.values() if one["state"] in ("missing", "wrong"))
    said = fitscale("doctor")
    assert said.out.rstrip().endswith("fitscale doctor FILE")
    assert max(map(len, said.out.splitlines())) <= 100


def test_what_a_workload_needs_is_really_tried(tmp_path: Path) -> None:
    """The data is opened and read, the estimator imported, the run folder written, linked and locked; nothing is left."""
    found = doctor(write_job(tmp_path, "job"))
    assert found["data"]["says"].endswith("6,000 rows, 7 columns")
    assert found["reading"]["says"].startswith("1,000 rows read in ")
    assert found["estimator"]["state"] == "ok"
    assert "is made by the first command" in found["run folder"]["says"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["job.yaml"]


def test_each_of_several_estimators_is_tried_and_what_it_is_tuned_with(tmp_path: Path) -> None:
    """One that is wrong costs the others nothing."""
    tuned = {"estimator": "sklearn.linear_model.Ridge", "search": {"budget": "1m", "space": {"alpa": [1, 2]}}}
    job = write_job(tmp_path, "job", model={"any_of": ["baseline.Classifier", "baseline.Classifir", tuned]})
    said = " ".join(fitscale("doctor", job).out.split())
    assert said.count("ok estimator") == 2
    assert said.count("WRONG estimator") == 1
    assert "did you mean 'baseline.Classifier'?" in said
    assert "no parameter 'alpa'; did you mean 'alpha'" in said


def test_a_filter_is_not_counted(tmp_path: Path) -> None:
    """Looking stays bounded: a few of the rows that it keeps are read."""
    pq.write_table(pa.table({"x": range(5_000), "y": [k % 2 for k in range(5_000)]}), tmp_path / "d.parquet")
    job = write_job(tmp_path, "job", data={"uri": "d.parquet", "target": "y", "where": "x > 4900"})
    found = doctor(job)
    assert found["data"]["says"].endswith("5,000 rows, 2 columns before data.where (x > 4900)")
    assert found["reading"]["says"].startswith("99 rows read in ")


@pytest.mark.parametrize(
    ("sections", "what", "sentence"),
    [
        ({"data": {"uri": "none.parquet", "target": "y"}}, "source", "no file none.parquet"),
        ({"data": {"uri": "synthetic://?rows=100", "target": "z"}}, "columns", "no column 'z'"),
        ({"model": {"estimator": "baseline.Classifir"}}, "estimator", "did you mean 'baseline.Classifier'?"),
        ({"modle": {}}, "workload", "did you mean 'model'?"),
    ],
)
def test_what_does_not_work_is_wrong_and_the_rest_is_tried(
    tmp_path: Path, sections: dict[str, Any], what: str, sentence: str
) -> None:
    """Exit code 2, and it does not stop at the first."""
    job = write_job(tmp_path, "job", **sections)
    found = doctor(job, code=2)
    assert found[what]["state"] == "wrong"
    assert sentence in found[what]["says"]
    assert "run folder" in found
    said = fitscale("doctor", job)
    assert f"WRONG  {what}" in said.out
    assert said.out.rstrip().endswith(f"1 thing that does not work: {what}")


def test_a_run_that_is_worked_on_names_who_does(tmp_path: Path) -> None:
    """It is no fault: wait, or look."""
    job = write_job(tmp_path, "job")
    assert fitscale("train", job, "--quiet").code == 0
    assert doctor(job)["run"]["says"].endswith("runs/job: 1 version")
    with RunLock(tmp_path / "runs" / "job"):
        found = doctor(job)["run"]
    assert found["state"] == "note"
    assert f"fitscale train (process {os.getpid()}) is writing to it" in found["says"]
    assert found["next_step"].endswith("runs/job")


def test_a_folder_that_is_no_run_or_a_newer_one_is_wrong(tmp_path: Path) -> None:
    """What `train` would refuse, with the same sentence."""
    job = write_job(tmp_path, "job")
    run = tmp_path / "runs" / "job"
    run.mkdir(parents=True)
    (run / "thesis.txt").write_text("mine")
    assert "is not a run, and not empty" in doctor(job, code=2)["run"]["says"]
    (run / "run.json").write_text('{"fitscale": 99, "name": "job"}')
    assert "was made by a newer fitscale" in doctor(job, code=2)["run"]["says"]


def test_a_folder_that_cannot_be_written_is_wrong(tmp_path: Path) -> None:
    """A file where the folder should be, for one."""
    (tmp_path / "file").write_text("x")
    found = doctor(write_job(tmp_path, "job"), "--run", tmp_path / "file" / "run", code=2)["run folder"]
    assert "cannot write, link and lock here (Not a directory)" in found["says"]
    assert "--run" in found["next_step"]


def test_a_database_is_really_asked(tmp_path: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The login, the table's columns and some of its rows; a wrong password is told with the next step."""
    postgres.sql("create table t as select g as x, g % 2 = 0 as y from generate_series(1, 3000) g", "analyze t")
    job = write_job(tmp_path, "job", data={"uri": postgres.uri(), "table": "t", "target": "y"})
    found = doctor(job)
    assert "t at 127.0.0.1" in found["data"]["says"]
    assert "2 columns; it is staged to Parquet once" in found["data"]["says"]
    assert found["reading"]["says"].startswith("1,000 rows read")
    monkeypatch.setenv("PGPASSWORD", "wrong")
    refused = doctor(job, code=2)["source"]
    assert "password" in refused["says"]
    assert postgres.password not in refused["says"]


def test_what_must_be_stood_up_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the scorecard counts it; a catalogue is read, and the tool that would rent of it is looked for."""
    own = tmp_path / "own.csv"
    own.write_text("machine,vcpus,memory_gib,usd_per_hour\nbig,8,64,1.5\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    job = write_job(tmp_path, "job", where=["local", {"catalogue": "own.csv"}])
    found = {finding["what"]: finding for finding in fitscale("doctor", job, "--json").record["findings"]}
    assert found["to stand up"]["says"] == "nothing but this machine and its files"
    assert found["catalogue own.csv"]["says"].startswith("1 machine")
    assert found["skypilot"]["state"] == "note"
    own.write_text("machine,vcpus,memory_gib,usd_per_hour\nbig,8,64,-1\n")
    wrong = fitscale("doctor", job, "--json")
    assert wrong.code == 2
    found = {finding["what"]: finding for finding in wrong.record["findings"]}
    assert "own.csv: line 2: usd_per_hour: " in found["catalogue own.csv"]["says"]


def test_an_export_whose_library_is_missing_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that brings it."""
    from fitscale.models import exporting

    def missing(who: str, library: str, extra: str) -> None:
        from fitscale.errors import MissingLibrary

        raise MissingLibrary(who, library, extra)

    monkeypatch.setattr(exporting, "require", missing)
    found = doctor(write_job(tmp_path, "job", needs={"export": ["onnx"]}), code=2)
    assert found["export onnx"]["says"].endswith("pip install 'fitscale[onnx]'")


def versions(monkeypatch: pytest.MonkeyPatch, asked: list[str], installed: dict[str, str]) -> dict[str, Any]:
    """What is found where fitscale asks for these requirements and those are installed."""

    def version(name: str) -> str:
        if name not in installed:
            raise PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(libraries, "requires", lambda name: asked)
    monkeypatch.setattr(libraries, "version", version)
    return {one.what: one for one in libraries.findings()}


def test_versions_are_held_to_what_is_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the core another version is wrong, of an extra worth a note; each with the command that mends it."""
    asked = [
        "numpy>=2.0", "typer>=0.15", 'scikit-learn==1.9.0; extra == "sklearn"', 'scipy>=1.13; extra == "sklearn"',
        'xgboost-cpu==3.2.*; extra == "xgboost"', 'onnx==1.23.*; extra == "onnx"', 'pytest>=9; extra == "dev"',
        'fitscale[sklearn]; extra == "all"',
    ]  # fmt: skip
    there = {"numpy": "1.26.0", "typer": "0.29.2", "scikit-learn": "1.9.1", "scipy": "1.17.1", "xgboost": "3.2.1"}
    found = versions(monkeypatch, asked, there)
    assert (found["core"].state, found["core"].next_step) == ("wrong", "pip install 'numpy>=2.0'")
    assert found["core"].says == "numpy 1.26.0, where >=2.0 is supported"
    assert (found["sklearn"].state, found["sklearn"].next_step) == ("note", "pip install 'scikit-learn==1.9.0'")
    assert (found["xgboost"].state, found["xgboost"].says) == ("ok", "xgboost 3.2.1")  # a build of its own
    assert (found["onnx"].state, found["onnx"].next_step) == ("missing", "pip install 'fitscale[onnx]'")
    assert {"dev", "all"}.isdisjoint(found)
    both = versions(monkeypatch, asked, {**there, "xgboost-cpu": "3.2.0"})
    assert both["xgboost"].state == "wrong"
    assert "overwrite each other" in both["xgboost"].says


def test_fitscales_own_requirements_are_understood() -> None:
    """Each stands under the core, or under the extra that asks for it."""
    found = libraries.requirements()
    assert {"numpy", "typer"} <= {one.name for one in found[""]}
    assert all(one.marker is None for one in found.pop(""))
    assert {"sklearn", "xgboost"} <= set(found)
    for extra, several in found.items():
        assert all(one.marker is not None and one.marker.evaluate({"extra": extra}) for one in several)


def test_limits_that_a_run_would_meet_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address space that ends below the forecast, too few open files; with what lifts them."""
    real = resource.getrlimit

    def tight(which: int) -> tuple[int, int]:
        limits = {resource.RLIMIT_AS: (4 << 30, -1), resource.RLIMIT_NOFILE: (256, 4096)}
        return limits.get(which, real(which))

    monkeypatch.setattr(machine.resource, "getrlimit", tight)
    found = machine.kernel_limits()
    assert found.state == "wrong"
    assert "address space limited to 4.3 GB" in found.says
    assert "only 256 open files" in found.says
    assert found.next_step.startswith("ulimit -v unlimited; ulimit -n 1024")


def test_the_ledger_is_told_with_all_that_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is and how many runs; those of other machines and lines that are none apart."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "ledger.jsonl"
    monkeypatch.setenv("FITSCALE_LEDGER", str(file))
    assert doctor()["ledger"]["says"] == f"{file}: 0 past runs of this machine, calibrated from 20 on"
    for machine_ in (fingerprint(), fingerprint(), "f" * 16):
        ledger.append(file, entry(machine=machine_))
    with open(file, "a") as torn:
        torn.write('{"format": 1, "at"')
    found = doctor()["ledger"]
    assert found["state"] == "ok"
    assert "2 past runs of this machine" in found["says"]
    assert "1 run of others, which count for nothing here" in found["says"]
    assert "1 line skipped" in found["says"]


def test_a_ledger_that_cannot_be_used_is_no_reason_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory, a place under a file: a note with the next step, and the exit code of all is well."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain").write_text("x")
    for place, why in ((tmp_path, "Is a directory"), (tmp_path / "plain" / "x.jsonl", "Not a directory")):
        monkeypatch.setenv("FITSCALE_LEDGER", str(place))
        found = doctor()["ledger"]
        assert (found["state"], found["says"]) == ("note", f"{place}: cannot be read ({why})")
        assert "FITSCALE_LEDGER" in found["next_step"]
    monkeypatch.setenv("FITSCALE_LEDGER", os.devnull)
    assert doctor()["ledger"]["says"] == f"{os.devnull}: none is kept"
