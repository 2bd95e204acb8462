"""The suite that every exporter passes: finished versions of small runs, exported and looked at.

class TestMine(ExporterSuite):
    opens = "import sys, onnx; [onnx.load(path) for path in sys.argv[1:] if path.endswith('.onnx')]"

    @pytest.fixture
    def exporter(self):
        return MyExporter()
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from fitscale.contracts import Exporter
from fitscale.errors import FitscaleError, UsageError
from fitscale.records.run import Estimator
from fitscale.store import versions
from fitscale.testing.runs import finished

GROUPS = 7

# Exports in a process of its own that can write no file longer than one byte: a disk that is full, for any user.
_NO_ROOM = """
import importlib, resource, signal, sys
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
module, name, run, to = sys.argv[1:]
exporter = getattr(importlib.import_module(module), name)()
resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))
try:
    exporter.export(Path(run), 1, Path(to))
except Exception:
    sys.exit(3)
"""
# What is exported is opened where fitscale cannot be imported.
_WITHOUT_US = "import sys; sys.modules['fitscale'] = None\n"


class ExporterSuite:
    """Subclass it, and give the fixture ``exporter``."""

    estimators: ClassVar[Mapping[str, Estimator]] = {
        "classifier": Estimator(path="baseline.Classifier"),
        "regressor": Estimator(path="baseline.Regressor"),
    }
    groups: ClassVar[bool] = True  # it exports versions of many models too
    # Python code that opens the exported files (their paths are in sys.argv[1:]) and raises where it cannot; "" where
    # the format has no library of its own.
    opens: ClassVar[str] = ""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "case" in metafunc.fixturenames and metafunc.cls is not None:
            metafunc.parametrize("case", list(metafunc.cls.estimators))

    @pytest.fixture
    def exporter(self) -> Exporter:
        """The exporter under test."""
        raise NotImplementedError("override the fixture 'exporter'")

    @pytest.fixture
    def run(self, case: str, exporter: Exporter, tmp_path: Path) -> Path:
        """A run with one model, finished."""
        folder = tmp_path / "run"
        finished(folder, self.estimators[case])
        recipe = versions.manifest(folder, 1).recipes["fit"]
        if why := exporter.reason_not(recipe):
            pytest.skip(why)
        return folder

    @pytest.fixture
    def many(self, exporter: Exporter, tmp_path: Path) -> Path:
        """A run with a model for each group, finished."""
        if not self.groups:
            pytest.skip("it exports one model")
        folder = tmp_path / "run"
        finished(folder, next(iter(self.estimators.values())), groups=GROUPS)
        return folder

    def test_it_fulfils_the_protocol(self, exporter: Exporter) -> None:
        """All that the contract names is there."""
        assert isinstance(exporter, Exporter)
        assert exporter.name

    def test_what_it_names_is_there_and_all_that_is_there_is_named(
        self, exporter: Exporter, run: Path, tmp_path: Path
    ) -> None:
        """Paths of files under the folder that was asked for, none empty, none left out."""
        to = tmp_path / "out"
        named = exporter.export(run, 1, to).files
        assert named
        assert set(named) == {path for path in to.rglob("*") if path.is_file()}
        assert all(path.stat().st_size for path in named)
        assert {path.name for path in tmp_path.iterdir()} == {"run", "out"}, "something lies beside the folder"

    def test_the_run_is_left_as_it_was(self, exporter: Exporter, run: Path, tmp_path: Path) -> None:
        """Exporting reads."""
        before = _bytes_under(run)
        exporter.export(run, 1, tmp_path / "out")
        assert _bytes_under(run) == before

    def test_the_same_version_gives_the_same_bytes(self, exporter: Exporter, run: Path, tmp_path: Path) -> None:
        """No time, host or path in the files."""
        exporter.export(run, 1, tmp_path / "one")
        exporter.export(run, 1, tmp_path / "deeper" / "two")
        assert _bytes_under(tmp_path / "one") == _bytes_under(tmp_path / "deeper" / "two")

    def test_the_files_open_without_fitscale(self, exporter: Exporter, run: Path, tmp_path: Path) -> None:
        """In a process that cannot import it."""
        if not self.opens:
            pytest.skip("the suite was not told how its files are opened")
        self._open(exporter.export(run, 1, tmp_path / "out").files)

    def test_every_fitted_group_is_exported(self, exporter: Exporter, many: Path, tmp_path: Path) -> None:
        """As many models as were fitted, whose files open too; unfit groups are no error."""
        named = exporter.export(many, 1, tmp_path / "out").files
        assert versions.manifest(many, 1).models
        assert set(named) == {path for path in (tmp_path / "out").rglob("*") if path.is_file()}
        if self.opens:
            self._open(named)

    def test_a_folder_that_is_there_is_refused(self, exporter: Exporter, run: Path, tmp_path: Path) -> None:
        """It is not filled, emptied or mixed with what was there; the error names it."""
        to = tmp_path / "out"
        to.mkdir()
        for there in ([], ["mine.txt"]):
            for name in there:
                (to / name).write_text("x")
            with pytest.raises(UsageError, match="out"):
                exporter.export(run, 1, to)
            assert [path.name for path in to.iterdir()] == there

    def test_a_version_that_is_not_there_is_refused(self, exporter: Exporter, run: Path, tmp_path: Path) -> None:
        """With the versions that are, and nothing is written."""
        with pytest.raises(FitscaleError, match="no version 9; there are: 1"):
            exporter.export(run, 9, tmp_path / "out")
        assert {path.name for path in tmp_path.iterdir()} == {"run"}

    def test_all_or_none_where_there_is_no_room(self, exporter: Exporter, run: Path, tmp_path: Path) -> None:
        """When no file can be written the export fails, and neither the folder nor a part of it is there."""
        kind = type(exporter)
        argv = [sys.executable, "-c", _NO_ROOM, kind.__module__, kind.__qualname__, str(run), str(tmp_path / "out")]
        done = subprocess.run(argv, env=_env(), capture_output=True, text=True, check=False)
        assert done.returncode == 3, done.stderr
        assert {path.name for path in tmp_path.iterdir()} == {"run"}

    def _open(self, files: tuple[Path, ...]) -> None:
        argv = [sys.executable, "-c", _WITHOUT_US + self.opens, *map(str, files)]
        done = subprocess.run(argv, env=_env(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def _env() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def _bytes_under(folder: Path) -> dict[str, str]:
    """Digest of each file, by its path in the folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
