"""Workloads, flags and run folders that are wrong: said before anything is read or written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from bad_jobs import (
    BASELINE,
    LOGISTIC,
    REGRESSOR,
    SVM,
    XGBOOST,
    N,
    as_plain_user,
    job,
    refuse,
    table,
    there,
    versions,
    write,
)
from commands import Said, fitscale

from fitscale.store.chunks import TAKEN

KNN = {"estimator": "sklearn.neighbors.KNeighborsClassifier"}
WEIGHTED = {"data": {"weight": "b"}}
TEXTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "empty": ("", ("job.yaml: the file: is empty", "begins with keys such as 'data:'")),
    "only a comment": ("# nothing yet\n", ("job.yaml: the file: is empty",)),
    "no YAML": ("data: [1,\nmodel: }", ("job.yaml:2: YAML: ",)),
    "a list": (
        "- data\n- model\n",
        ("job.yaml: the file: ['data', 'model'] is not a workload", "keys such as 'data:'"),
    ),
    "a word": ("hello", ("job.yaml: the file: 'hello' is not a workload",)),
    "not text": ("\0\1\2", ("job.yaml: YAML: ", "a workload file is plain text")),
    "a key twice": ("name: a\nname: b\n", ("job.yaml:2: YAML: the key 'name' is there twice",)),
}
# Sections → what is said of them. All are found before a run is begun.
SECTIONS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "an unknown section": ({"evaluat": {}}, ("job.yaml:1: evaluat: unknown key", "did you mean 'evaluate'?")),
    "an unknown key": ({"evaluate": {"hold": 0.2}}, ("evaluate.hold: unknown key", "did you mean 'holdout'?")),
    "a size": ({"where": [{"local": {"memory": "2 GBB"}}]}, ("where[0].local.memory: '2 GBB' cannot be read", "'2 GB'")),
    "a duration": ({"needs": {"deadline": "2 fortnights"}}, ("needs.deadline: '2 fortnights' cannot be read", "'1h 30m'")),
    "a share": ({"evaluate": {"holdout": "120%"}}, ("evaluate.holdout: ", "120%")),
    "a deadline that is over": (
        {"needs": {"deadline": "2020-01-01 10:00"}}, ("needs.deadline: 2020-01-01", "is past", "give a later time")
    ),
    "a group that is the target": ({"data": {"groups": ["y"]}}, ("data.groups: 'y' is the target",)),
    "no such group": ({"data": {"groups": ["kk"]}}, ("data.groups: no column 'kk'", "did you mean 'k'?")),
    "a group of fractions": ({"data": {"groups": ["a"]}}, ("data.groups: column 'a' is of type double", "cast it")),
    "no such metric": ({"evaluate": {"metric": "rocauc"}}, ("evaluate.metric: no metric 'rocauc'", "did you mean 'roc_auc'?")),
    "a metric of values": ({"evaluate": {"metric": "r2"}}, ("evaluate.metric: 'r2' is for regression", "there are: roc_auc")),
    "a metric of classes": (
        {"evaluate": {"metric": "roc_auc"}, "model": REGRESSOR}, ("evaluate.metric: 'roc_auc' is for binary", "neg_")
    ),
    "log loss of margins": (
        {"evaluate": {"metric": "neg_log_loss"}, "model": SVM},
        ("evaluate.metric: 'neg_log_loss' needs probabilities", "margins", "roc_auc", "CalibratedClassifierCV"),
    ),
    "no such module": (
        {"model": {"estimator": "nosuch.Thing"}},
        ("model.estimator: 'nosuch.Thing' does not import: no module 'nosuch'", "put it beside the workload file"),
    ),
    "no such class": (
        {"model": {"estimator": "sklearn.linear_model.LogisticRegresion"}},
        ("model.estimator: ", "has no 'LogisticRegresion'", "did you mean 'LogisticRegression'?"),
    ),
    "no such class of xgboost": ({"model": {"estimator": "xgboost.XGBClasifier"}}, ("model.estimator: ", "xgboost.XGBClassifier")),
    "no estimator": ({"model": {"estimator": "sklearn.preprocessing.StandardScaler"}}, ("model.estimator: ", "StandardScaler")),
    "no such parameter": (
        {"model": {**LOGISTIC, "params": {"CC": 1}}}, ("model.params: ", "no parameter 'CC'", "did you mean 'C'?")
    ),
    "no such parameter of xgboost": (
        {"model": {**XGBOOST, "params": {"n_estimator": 3}}}, ("model.params: ", "'n_estimator'", "did you mean 'n_estimators'?")
    ),
    "a value that the library refuses": (
        {"model": {**LOGISTIC, "params": {"C": -3}}}, ("model.params: ", "'C' parameter", "Got -3")
    ),
    "early stopping that cannot be": (
        {"model": LOGISTIC, "evaluate": {"early_stopping": {"rounds": 3}}},
        ("evaluate.early_stopping: ", "LogisticRegression cannot be judged while it is fitted", "leave it out"),
    ),
    "weights that are not taken": (
        {"model": KNN, **WEIGHTED}, ("data.weight: ", "KNeighborsClassifier takes no weights", "leave it out")
    ),
    "a password": (
        {"data": {"uri": "postgresql://me:hunter2@host/db"}}, ("data.uri: holds a password", "${PGPASSWORD}")
    ),
}  # fmt: skip
# Once: what knows of groups anyway, and what takes a second because scikit-learn is asked.
ONCE = [name for name, (sections, _) in SECTIONS.items() if "group" in name or "sklearn" in str(sections.get("model"))]


@pytest.mark.parametrize("name", TEXTS)
def test_a_file_that_is_no_workload(tmp_path: Path, name: str) -> None:
    """The file, the line where there is one, and what a workload begins with."""
    text, says = TEXTS[name]
    path = tmp_path / "job.yaml"
    path.write_text(text)
    refuse(fitscale("train", path), *says)
    assert there(tmp_path) == {"job.yaml"}


@pytest.mark.parametrize(
    ("name", "many"), [(name, many) for name in SECTIONS for many in ((False,) if name in ONCE else (False, True))]
)
def test_a_workload_that_is_wrong_begins_no_run(tmp_path: Path, name: str, many: bool) -> None:
    """Exit code 2, the place, the value, the next step; the folder is as it was."""
    write(tmp_path)
    sections, says = SECTIONS[name]
    path = job(tmp_path, many=many, **{key: v if isinstance(v, list) else dict(v) for key, v in sections.items()})
    before = there(tmp_path)
    err = refuse(fitscale("train", path), *says)
    assert "hunter2" not in err
    assert there(tmp_path) == before


@pytest.mark.parametrize("command", ["plan", "doctor"])
def test_other_commands_say_the_same_of_it(tmp_path: Path, command: str) -> None:
    """`plan` refuses as `train` does; `doctor` lists it. Neither writes anything."""
    write(tmp_path)
    path = job(tmp_path, model={"estimator": "baseline.Clasifier"})
    before = there(tmp_path)
    said = fitscale(command, path)
    assert said.code == 2
    assert "did you mean 'baseline.Classifier'?" in " ".join((said.err + said.out).split())
    assert there(tmp_path) == before


@pytest.mark.parametrize("name", [*TAKEN, "proba_1"])
def test_keys_have_no_name_that_stands_beside_them(tmp_path: Path, name: str) -> None:
    """A version's index and predictions have columns of their own: the error says which names are taken."""
    write(tmp_path, table(**{name: [i % 3 for i in range(N)]}))
    path = job(tmp_path, data={"groups": [name]})
    before = there(tmp_path)
    refuse(fitscale("train", path), f"data.groups: '{name}' ", "rename it", "taken: status, kind, why, ", "proba_")
    assert there(tmp_path) == before


@pytest.mark.parametrize("many", [False, True], ids=["one model", "many models"])
@pytest.mark.parametrize(
    ("sections", "says"),
    [
        ({"evaluate": {"metric": "f1"}}, ("evaluate.metric: 'f1' is for binary targets, this one is multiclass", "f1_macro")),
        (
            {"model": XGBOOST, "evaluate": {"metric": "f1_macro", "early_stopping": {"rounds": 2}}},
            ("evaluate.metric: early stopping of xgboost cannot watch 'f1_macro'", "neg_log_loss"),
        ),
    ],
    ids=["for another task", "not to be watched"],
)  # fmt: skip
def test_a_metric_that_the_classes_rule_out(
    tmp_path: Path, sections: dict[str, Any], says: tuple[str, ...], many: bool
) -> None:
    """Found when the classes are known and before a fit: an error of the workload, not of every group."""
    write(tmp_path, table(y=[i // 3 % 3 for i in range(N)]))
    path = job(tmp_path, many=many, **sections)
    refuse(fitscale("train", path, "--quiet"), *says)
    assert versions(tmp_path) == []
    assert not list(tmp_path.glob("runs/job/tasks/*/chunks/*"))


def test_margins_are_judged_by_their_order_or_by_labels(tmp_path: Path) -> None:
    """Where no metric is named, an estimator without probabilities gets one that it can be judged by."""
    for name, classes, metric in (("two", 2, "roc_auc"), ("three", 3, "accuracy")):
        write(tmp_path, table(y=[i // 3 % classes for i in range(N)]))
        said = fitscale("train", job(tmp_path, name=name, model=SVM), "--quiet", "--json")
        assert said.code == 0, said.err
        assert said.record["metric"] == metric


@pytest.mark.parametrize("command", ["plan", "train"])
@pytest.mark.parametrize(
    ("choose", "says", "code"),
    [
        ("in-memry", ("--choose: no candidate 'in-memry'", "did you mean 'in-memory'?", "there are: in-memory"), 2),
        ("in-memory@ry", ("no engine 'ry'", "there are: "), 2),
        ("quantised", ("--choose quantised: baseline.Classifier has no compact bins", "there are: in-memory"), 3),
    ],
)
def test_a_choice_that_is_not_there(
    tmp_path: Path, command: str, choose: str, says: tuple[str, ...], code: int
) -> None:
    """The names that there are; nothing is begun for one that there is not."""
    write(tmp_path)
    path = job(tmp_path)
    before = there(tmp_path)
    refuse(fitscale(command, path, "--choose", choose), *says, code=code)
    assert there(tmp_path) == before


def test_what_gives_another_model_runs_where_it_is_allowed(tmp_path: Path) -> None:
    """The refusal says which key allows it and where it stands, and with it the same choice is trained."""
    write(tmp_path)
    sgd = {"estimator": "sklearn.linear_model.SGDClassifier", "params": {"loss": "log_loss"}}
    argv = ("--choose", "out-of-core", "--quiet")
    said = fitscale("train", job(tmp_path, model=sgd), *argv)
    refuse(said, "gives another model", "allow it with 'allow_other: true', beside 'model'", code=3)
    assert fitscale("train", job(tmp_path, model=sgd, allow_other=True), *argv).code == 0


@pytest.mark.parametrize("argv", [("plan",), ("train",), ("doctor",), ("train", "--json")])
def test_a_secret_is_never_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]) -> None:
    """``${PGPASSWORD}`` stays what it is, whatever goes wrong, with the trace too; no file has the value."""
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    monkeypatch.setenv("FITSCALE_TRACE", "1")
    path = job(tmp_path, data={"uri": "postgresql://me:${PGPASSWORD}@host/db", "target": "yy"})
    said = fitscale(argv[0], path, *argv[1:])
    assert said.code == 2
    assert "hunter2" not in said.out + said.err
    assert not any("hunter2" in p.read_text(errors="replace") for p in tmp_path.rglob("*") if p.is_file())


def _run_folder(tmp_path: Path, about: str | None) -> Path:
    run = tmp_path / "runs" / "job"
    run.mkdir(parents=True)
    (run / ("run.json" if about is not None else "notes.txt")).write_text(about or "mine")
    return run


@pytest.mark.parametrize("argv", [("train",), ("plan",), ("status",), ("models", "list"), ("report",)])
def test_a_run_folder_of_a_newer_version(tmp_path: Path, argv: tuple[str, ...]) -> None:
    """Its format, ours, and how to get a newer fitscale; it is left as it was."""
    write(tmp_path)
    path = job(tmp_path)
    _run_folder(tmp_path, json.dumps({"fitscale": 99, "name": "job"}))
    before = there(tmp_path)
    refuse(
        fitscale(*argv, path), "was made by a newer fitscale (format 99, this one reads 1)", "pip install -U fitscale"
    )
    assert there(tmp_path) == before


@pytest.mark.parametrize(
    ("about", "says"),
    [
        ('{"fitsc', ("run.json: cannot be read", "another folder with --run")),
        (None, ("is not a run, and not empty", "name another folder with --run")),
    ],
    ids=["damaged", "somebody else's files"],
)
def test_a_folder_that_is_no_run_is_left_alone(tmp_path: Path, about: str | None, says: tuple[str, ...]) -> None:
    """Nothing is written beside what is there."""
    write(tmp_path)
    path = job(tmp_path)
    _run_folder(tmp_path, about)
    before = there(tmp_path)
    refuse(fitscale("train", path), *says)
    assert there(tmp_path) == before


def test_a_run_folder_that_cannot_be_made_or_written(tmp_path: Path) -> None:
    """Under a file, in a folder without rights, or an old run that has become read-only."""
    write(tmp_path)
    path = job(tmp_path)
    before = there(tmp_path)
    refuse(fitscale("train", path, "--run", tmp_path / "d.parquet" / "run"), "cannot write here", "with --run")
    assert there(tmp_path) == before
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o555)
    said = as_plain_user(("train", path, "--run", locked / "run"), tmp_path)
    refuse(said, "locked/run: cannot write here (Permission denied)", "name another folder with --run")
    assert there(tmp_path) == {*before, "locked"}
    locked.chmod(0o755)
    run = locked / "run"
    run.mkdir()
    (run / "run.json").write_text(json.dumps({"fitscale": 1, "name": "job"}))
    run.chmod(0o555)
    refuse(
        as_plain_user(("train", path, "--run", run), tmp_path), "cannot write here (Permission denied)", "with --run"
    )
    assert there(tmp_path) == {*before, "locked", "locked/run", "locked/run/run.json"}


def test_a_wrong_edit_leaves_what_was_trained(tmp_path: Path) -> None:
    """A run that is there stays as it was served, and the right workload goes on with it."""
    write(tmp_path)
    assert fitscale("train", job(tmp_path), "--quiet").code == 0
    kept = versions(tmp_path)
    for sections in ({"data": {"target": "yy"}}, {"model": {"estimator": "nosuch.Thing"}}, {"data": {"uri": "gone"}}):
        refuse(fitscale("train", job(tmp_path, **sections), "--quiet"))
        assert versions(tmp_path) == kept
    again = fitscale("train", job(tmp_path), "--json")
    assert again.record["nothing_to_do"] is True


SHADOWS = ("random", "json", "secrets", "tempfile", "yaml", "numpy", "pyarrow", "typer", "sklearn", "xgboost", "pandas")


@pytest.mark.parametrize(("model", "way"), [(XGBOOST, "-m"), (LOGISTIC, "script")], ids=["xgboost", "sklearn"])
def test_files_beside_the_workload_shadow_no_library(tmp_path: Path, model: dict[str, Any], way: str) -> None:
    """A user's random.py or xgboost.py is neither taken for the library nor run, wherever the command is given."""
    write(tmp_path)
    path = job(tmp_path, model=model)
    for name in SHADOWS:
        (tmp_path / f"{name}.py").write_text(
            "import pathlib\npathlib.Path(__file__).with_suffix('.ran').touch()\nraise SystemExit('shadowed')\n"
        )
    first = ["-m", "fitscale"] if way == "-m" else ["-c", "from fitscale.cli.main import main; main()"]
    flags = [] if way == "-m" else ["-P"]
    for argv in (["train", path, "--quiet"], ["predict", path, "--data", "d.parquet", "--out", "p.parquet"]):
        done = subprocess.run(
            [sys.executable, *flags, *first, *map(str, argv)], cwd=tmp_path, env=os.environ, capture_output=True,
            text=True, check=False, timeout=120,
        )  # fmt: skip
        said = Said(done.returncode, done.stdout, done.stderr)
        assert said.code == 0, said.err
    assert not list(tmp_path.glob("*.ran"))


def test_a_module_of_the_users_own_is_found(tmp_path: Path) -> None:
    """Beside the workload file; one that raises while it is imported is an error at model.estimator."""
    write(tmp_path)
    (tmp_path / "mine.py").write_text("from sklearn.naive_bayes import GaussianNB\nclass Mine(GaussianNB):\n    pass\n")
    (tmp_path / "broken.py").write_text("1 / 0\n")
    good = job(tmp_path, name="good", model={"estimator": "mine.Mine"})
    assert as_plain_user(("train", good, "--quiet"), tmp_path).code == 0
    before = there(tmp_path)
    path = job(tmp_path, name="bad", model={"estimator": "broken.Mine"})
    refuse(
        as_plain_user(("train", path), tmp_path), "model.estimator: 'broken.Mine' does not import: ZeroDivisionError"
    )
    assert {name for name in there(tmp_path) if "__pycache__" not in name} - before == {"bad.yaml"}


def test_baseline_is_as_written(tmp_path: Path) -> None:
    """The job that all of these differ from is sound, one model or many."""
    write(tmp_path)
    for many in (False, True):
        assert fitscale("train", job(tmp_path, many=many, name=f"sound{many}", model=BASELINE), "--quiet").code == 0
