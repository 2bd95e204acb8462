"""Shell completion: in bash as a person presses Tab, in zsh by what its script asks; nothing heavy is loaded for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
import typer.main

from fitscale.cli import completing
from fitscale.cli.main import COMMANDS, app
from fitscale.machines.catalogue import catalogue
from fitscale.records.run import Strategy

HEAVY = {"numpy", "pyarrow", "rich", "pandas", "sklearn", "xgboost", "yaml", "sqlglot", "psutil"}


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two workload files, one of them below, a run and data."""
    for name in ("late.yaml", "jobs/early.yml", "jobs/notes.txt", "rows.csv", "parts/a.parquet", "runs/late/run.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(item for item in sys.path if item), **more}


def asked(line: str, shell: str = "bash") -> list[str]:
    """What the command offers for a line whose last word is begun."""
    words = line.split(" ")
    env = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), "_TYPER_COMPLETE_ARGS": line}
    code = "from fitscale.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(_FITSCALE_COMPLETE=f"complete_{shell}", **env),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("fitscale pl", ["plan"]),
        ("fitscale ", list(COMMANDS)),
        ("fitscale plan ", ["jobs/early.yml", "late.yaml"]),
        ("fitscale train l", ["late.yaml"]),
        ("fitscale train jobs/", ["jobs/early.yml"]),
        ("fitscale status ", ["jobs/early.yml", "late.yaml", "runs/late"]),
        ("fitscale models show ru", ["runs/late"]),
        ("fitscale init ", ["parts/a.parquet", "rows.csv"]),
        ("fitscale train late.yaml --choose out", ["out-of-core"]),
        ("fitscale train late.yaml --fre", ["--fresh"]),
        ("fitscale export late.yaml --to on", ["onnx"]),
        ("fitscale machines --catalogue azu", None),
        ("fitscale deploy ", ["jobs/early.yml", "late.yaml", "runs/late"]),
        ("fitscale deploy late.yaml r7i.2x", ["r7i.2xlarge"]),
        ("fitscale serve ", list(COMMANDS)),
    ],
)
def test_a_word_is_completed(jobs: Path, line: str, offered: list[str] | None) -> None:
    """Commands, workload files, run folders, strategies, options, catalogues."""
    found = asked(line)
    assert found == offered if offered is not None else "azure" in found


def test_bash_completes_as_it_is_installed(jobs: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """--install-completion writes into the home; a bash that reads it offers the words."""
    home = tmp_path_factory.mktemp("home")
    bin = home / "bin"
    bin.mkdir()
    script = bin / "fitscale"
    script.write_text(
        f"#!{sys.executable}\nimport sys; sys.argv[0] = 'fitscale'\nfrom fitscale.cli.main import main\nmain()\n"
    )
    script.chmod(0o755)
    env = environment(HOME=str(home), PATH=f"{bin}{os.pathsep}{os.environ['PATH']}")
    bash = shutil.which("bash")
    assert bash is not None
    install = "fitscale --install-completion; true"  # `true`, so that bash stays its parent: the shell is found by that
    done = subprocess.run([bash, "-c", install], env=env, capture_output=True, text=True, check=False)
    assert "bash completion installed" in done.stdout, done.stderr
    press = (
        "source ~/.bashrc; COMP_WORDS=(fitscale train la); COMP_CWORD=2; _fitscale_completion fitscale; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run([bash, "-c", press], env=env, capture_output=True, text=True, check=False, cwd=jobs)
    assert done.stdout.split() == ["late.yaml"], done.stderr


def test_zsh_is_offered_the_same(jobs: Path) -> None:
    """By its own script, which is shown on request."""
    assert " ".join(asked("fitscale train la", "zsh")) == """_arguments '*: :(("late.yaml"))'"""
    code = "from fitscale.cli.main import main; main()"
    env = environment(_FITSCALE_COMPLETE="source_zsh")
    shown = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert shown.stdout.lstrip().startswith("#compdef fitscale")
    if zsh := shutil.which("zsh"):
        assert subprocess.run([zsh, "-n"], input=shown.stdout, text=True, check=False).returncode == 0


@pytest.mark.parametrize(
    "line", ["fitscale ", "fitscale train ", "fitscale train late.yaml --choose ", "fitscale status "]
)
def test_a_tab_loads_nothing_heavy(jobs: Path, line: str) -> None:
    """The standard library and what typer itself takes."""
    words = line.split(" ")
    code = (
        "import sys, os\nfrom fitscale.cli.main import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write(' '.join(sys.modules))"
    )
    env = environment(_FITSCALE_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1))
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.stdout.strip()
    assert HEAVY.isdisjoint(done.stderr.split())


def test_what_is_offered_is_what_there_is() -> None:
    """The strategies of the records, the catalogue's providers and regions."""
    assert set(completing.STRATEGIES) == set(get_args(Strategy))
    for name in completing.catalogues("aws"):
        assert catalogue(name)
    assert typer.main.get_command(app).name is not None
