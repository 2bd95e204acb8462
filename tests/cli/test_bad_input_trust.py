"""A run folder from a stranger runs no code of theirs: not their pickles, and not what their files name."""

from __future__ import annotations

import json
import pickle
import shutil
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from bad_jobs import LOGISTIC, XGBOOST, as_plain_user, job, refuse, there, versions, write
from commands import Said, fitscale

from fitscale.records.base import digest_of
from fitscale.store import checkpoints

STREAMED = {
    "estimator": "sklearn.linear_model.SGDClassifier",
    "params": {"loss": "log_loss", "shuffle": False, "tol": None, "max_iter": 3},
}


class Bomb:
    """Whoever unpickles it leaves a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (str(self.mark), "w"))


class Stranger:
    """A job that somebody else trained, and what they then did to its files; from `leave` on we are another user."""

    def __init__(self, folder: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "theirs"
        self.mark = folder / "exploded"
        self.job = self.folder / "job.yaml"
        self._shared = shared
        self._monkeypatch = monkeypatch
        monkeypatch.setenv("XDG_CONFIG_HOME", str(shared / "their-home"))

    def train(self, *flags: object, files: dict[str, str] | None = None, **sections: Any) -> None:
        """Each job is trained once for all tests; a run may be copied."""
        trained = self._shared / digest_of(json.dumps((flags, files, sections)))
        if not trained.exists():
            trained.mkdir()
            write(trained)
            for name, text in (files or {}).items():
                (trained / name).parent.mkdir(exist_ok=True)
                (trained / name).write_text(text)
            said = as_plain_user(("train", job(trained, **sections), "--quiet", *flags), trained)
            assert said.code == 0, said.err
        shutil.copytree(trained, self.folder)

    def train_again(self, *flags: object) -> Said:
        # As a user does: in a process that has not imported what an earlier one did.
        return as_plain_user(("train", self.job, "--quiet", *flags), self.folder)

    @property
    def run(self) -> Path:
        return self.folder / "runs" / "job"

    @property
    def payloads(self) -> list[Path]:
        about = json.loads((self.run / "versions/1/manifest.json").read_text())
        return [self.run / "models" / name for name in about["payloads"]]

    def swap(self) -> None:
        """Bombs under the names of the models."""
        for path in self.payloads:
            bomb = pickle.dumps(Bomb(self.mark))
            path.write_bytes(bomb.ljust(path.stat().st_size, b"\0"))

    def unfinish(self) -> Path:
        """As if the command had been killed before its version was put together; the folder of the task."""
        shutil.rmtree(self.run / "versions")
        (self.run / "CURRENT").unlink()
        for path in (self.run / "journal").iterdir():
            kept = [line for line in path.read_text().splitlines() if "version-finished" not in line]
            path.write_text("".join(f"{line}\n" for line in kept))
        [task] = (self.run / "tasks").iterdir()
        return task

    def leave(self) -> None:
        """Copied to our home, where the key is another."""
        ours = self.folder.with_name("ours")
        shutil.copytree(self.folder, ours)
        shutil.rmtree(self.folder)
        self.folder, self.job = ours, ours / "job.yaml"
        self._monkeypatch.setenv("XDG_CONFIG_HOME", str(self._shared / "our-home"))

    def predict(self, *flags: object) -> Any:
        argv = ("--data", self.folder / "d.parquet", "--out", self.folder / "p.parquet")
        return fitscale("predict", self.job, *argv, *flags)

    def export(self, *flags: object) -> Any:
        return fitscale("export", self.job, "--to", "onnx", "--out", self.folder / "onnx", *flags)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("strangers")


@pytest.fixture
def stranger(tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> Stranger:
    return Stranger(tmp_path, shared, monkeypatch)


def test_the_bomb_goes_off_when_it_is_loaded(tmp_path: Path) -> None:
    """So that the tests below mean something."""
    pickle.loads(pickle.dumps(Bomb(tmp_path / "mark")).ljust(500, b"\0")).close()
    assert (tmp_path / "mark").exists()


@pytest.mark.parametrize("many", [False, True], ids=["one model", "many models"])
def test_a_strangers_pickle_is_never_loaded(stranger: Stranger, many: bool) -> None:
    """Exit code 2 with --trust named where a model is needed; the other commands work without one."""
    stranger.train(many=many, model=LOGISTIC)
    stranger.swap()
    stranger.leave()
    before = there(stranger.folder)
    refuse(stranger.predict(), "is a pickle that was not written by you", "say --trust")
    assert there(stranger.folder) == before
    for argv in (("models", "list"), ("models", "show"), ("status",), ("report",), ("plan",), ("train",)):
        key = ("x",) if many and argv[-1] == "show" else ()
        said = fitscale(*argv, stranger.job, *key)
        assert said.code == 0, said.err
    assert not stranger.mark.exists()


def test_training_anew_replaces_what_is_not_ours(stranger: Stranger) -> None:
    """The same recipe gives the same bytes under the same name: what lay there is not taken for them."""
    stranger.train(model=LOGISTIC)
    stranger.swap()
    stranger.leave()
    assert stranger.train_again("--fresh").code == 0
    said = stranger.predict()
    assert said.code == 0, said.err
    assert not stranger.mark.exists()


def test_an_honest_strangers_pickle_needs_trust_too(stranger: Stranger) -> None:
    """Refused by default, loaded with --trust; an empty or foreign signature helps nobody."""
    stranger.train(model=LOGISTIC)
    stranger.leave()
    refuse(stranger.predict(), "--trust")
    for signature in (b"", b"\xff\xfe", b"0" * 64):
        for path in (stranger.run / "signatures").iterdir():
            path.write_bytes(signature)
        refuse(stranger.predict(), "--trust")
    assert stranger.predict("--trust").code == 0
    assert pq.read_table(stranger.folder / "p.parquet").num_rows == 300


@pytest.mark.parametrize("many", [False, True], ids=["one model", "many models"])
def test_what_cannot_run_code_needs_no_trust(stranger: Stranger, many: bool) -> None:
    """XGBoost's own format is data."""
    stranger.train(many=many, model=XGBOOST)
    stranger.leave()
    said = stranger.predict()
    assert said.code == 0, said.err


def test_an_export_loads_nobodys_pickle_but_ours(stranger: Stranger) -> None:
    """Converting a model loads it: with --trust alone, and nothing is written without."""
    stranger.train(model=LOGISTIC)
    stranger.leave()
    refuse(stranger.export(), "is a pickle that was not written by you", "say --trust")
    assert not (stranger.folder / "onnx").exists()
    said = stranger.export("--trust")
    assert said.code == 0, said.err
    stranger.swap()
    refuse(fitscale("export", stranger.job, "--to", "onnx", "--out", stranger.folder / "again"), "--trust")
    assert not stranger.mark.exists()


@pytest.mark.parametrize("framework", ["xgboost", "baseline", "sklearn"])
def test_a_manifest_that_lies_about_the_format(stranger: Stranger, framework: str) -> None:
    """A pickle that is called something else is no model of that, and is not unpickled."""
    stranger.train(model=LOGISTIC)
    stranger.swap()
    path = stranger.run / "versions/1/manifest.json"
    about = json.loads(path.read_text())
    for recipe in about["recipes"].values():
        recipe["framework"] = framework
    path.write_text(json.dumps(about))
    stranger.leave()
    assert stranger.predict().code in (1, 2)
    assert not stranger.mark.exists()


def test_train_goes_on_with_nobodys_chunks_but_ours(stranger: Stranger) -> None:
    """An unfinished version of many models, whose committed chunks are bombs: exit code 2, no version."""
    stranger.train(many=True, model=LOGISTIC)
    task = stranger.unfinish()
    for chunk in (task / "chunks").iterdir():
        path = stranger.run / "models" / json.loads(chunk.read_text())["models"]
        path.write_bytes(pickle.dumps(Bomb(stranger.mark)).ljust(path.stat().st_size, b"\0"))
    stranger.leave()
    refuse(stranger.train_again(), "is a pickle that was not written by you", "say --trust")
    assert versions(stranger.folder) == []
    assert not stranger.mark.exists()


def test_train_goes_on_from_nobodys_checkpoint_but_ours(stranger: Stranger) -> None:
    """The state of a streamed fit is a pickle too."""
    stranger.train("--choose", "out-of-core", model=STREAMED)
    task = stranger.unfinish()
    shutil.rmtree(task / "chunks")
    checkpoints.save(stranger.run, task.name, 64, pickle.dumps(Bomb(stranger.mark)), {}, 0.0)
    stranger.leave()
    refuse(
        stranger.train_again("--choose", "out-of-core"),
        "ckpt/000000064 is a pickle that was not written by you",
        "say --trust",
    )
    assert versions(stranger.folder) == []
    assert not stranger.mark.exists()


@pytest.mark.parametrize("what", ["estimator", "folder"])
def test_train_imports_what_our_workload_names(stranger: Stranger, what: str) -> None:
    """A task that was changed to name a module of theirs, or a folder of theirs to import ours from, is not followed."""
    own = "from sklearn.naive_bayes import GaussianNB\nclass Model(GaussianNB):\n    pass\n"
    stranger.train(files={"mine.py": own}, model={"estimator": "mine.Model"})
    (stranger.folder / "evil").mkdir()
    for name in ("mine", "evil"):
        (stranger.folder / "evil" / f"{name}.py").write_text(f"open({str(stranger.mark)!r}, 'w').close()\n{own}")
    task = stranger.unfinish() / "task.json"
    shutil.rmtree(task.parent / "chunks")
    about = json.loads(task.read_text())
    about["folder"] = str(stranger.folder.with_name("ours") / "evil")
    if what == "estimator":
        about["recipe"]["estimator"]["path"] = "evil.Model"
    task.write_text(json.dumps(about))
    stranger.leave()
    if what == "estimator":
        refuse(stranger.train_again(), "task.json: is damaged, or was changed by somebody else", "--fresh")
        assert not stranger.mark.exists()
    said = stranger.train_again(*(["--fresh"] if what == "estimator" else []))
    assert said.code == 0, said.err
    assert not stranger.mark.exists()


def test_a_workload_file_names_no_pickle(stranger: Stranger) -> None:
    """Where live estimators lie is for the Python API alone."""
    stranger.folder.mkdir()
    write(stranger.folder)
    (stranger.folder / "bomb.pkl").write_bytes(pickle.dumps(Bomb(stranger.mark)))
    path = job(stranger.folder, model={"live": "bomb.pkl"})
    refuse(fitscale("train", path), "model.live: unknown key")
    assert not stranger.mark.exists()
