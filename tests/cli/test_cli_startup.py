"""What a command does not use, it does not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from commands import write_job

HEAVY = ("pandas", "sklearn", "scipy", "xgboost", "pyarrow", "matplotlib", "sqlglot", "jinja2")


def loaded(code: str, names: tuple[str, ...]) -> set[str]:
    """Which of the libraries a fresh interpreter has after the code."""
    asked = f"{code}\nimport sys; sys.stderr.write('\\n' + ' '.join(n for n in {names!r} if n in sys.modules))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stderr.splitlines()[-1].split())


def test_importing_fitscale_loads_no_library() -> None:
    """Not even those that every command needs."""
    assert loaded("import fitscale; dir(fitscale)", (*HEAVY, "pydantic", "numpy", "typer", "rich")) == set()


def help_of(*argv: str) -> str:
    asked = [*argv, "--help"]
    return (
        "from fitscale.cli.main import app; import typer.main\n"
        f"typer.main.get_command(app).main({asked!r}, 'fitscale', standalone_mode=False)"
    )


@pytest.mark.parametrize("argv", [(), ("train",), ("models", "list")])
def test_help_loads_no_heavy_library(argv: tuple[str, ...]) -> None:
    """Help answers at once."""
    assert loaded(help_of(*argv), (*HEAVY, "numpy", "rich")) == set()


def test_help_imports_no_command() -> None:
    """The lines of help stand in the group itself."""
    assert loaded(help_of(), ("fitscale.cli.train", "fitscale.cli.models", "fitscale.running", "pydantic")) == set()


@pytest.mark.parametrize("command", ["plan", "train"])
def test_a_command_loads_no_machine_learning_library(command: str, tmp_path: Path) -> None:
    """Workers do; the command stays light beside them, and says its imports here."""
    argv = [sys.executable, "-X", "importtime", "-m", "fitscale", command, str(write_job(tmp_path, "job"))]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "pyarrow" in imported
    assert imported.isdisjoint(
        {"pandas._libs", "sklearn.base", "scipy._lib", "xgboost.core"}
    )  # names that fail are listed too


def test_the_four_names_are_there() -> None:
    """Lazily, and nothing else is."""
    import fitscale

    assert {"plan", "train", "predict", "open_run"} <= set(dir(fitscale))
    assert callable(fitscale.open_run)
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        fitscale.trian  # noqa: B018  (asking is the point)
