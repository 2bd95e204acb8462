"""The ledger's file: every run is in it once, and whatever else is in it costs itself alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))
from fitscale.records.ledger import Entry
from fitscale.store import ledger
from past_runs import HERE, entry, said

WRITER = """
import sys
from pathlib import Path
from fitscale.records.ledger import Entry
from fitscale.store import ledger
for k in range(25):
    ledger.append(Path(sys.argv[1]), Entry.from_json(sys.argv[2]).but(rows=int(sys.argv[3]) * 100 + k + 1))
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "fitscale" / "ledger.jsonl"


def test_what_was_appended_is_read_in_order(file: Path) -> None:
    """The folder is made; nobody else may look into it."""
    assert ledger.read(file, HERE) == ledger.Ledger()
    for took in (90.0, 110.0):
        ledger.append(file, entry(took))
    assert [one.actual["time"] for one in ledger.read(file, HERE).entries] == [90.0, 110.0]
    assert file.stat().st_mode & 0o077 == 0


def test_commands_that_finish_together_lose_nothing(file: Path) -> None:
    """Four processes, 25 runs each: a hundred lines, none mixed with another."""
    file.parent.mkdir(parents=True)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    argv = [sys.executable, "-c", WRITER, str(file), entry().to_json()]
    children = [subprocess.Popen([*argv, str(k)], env=env) for k in range(4)]
    assert [child.wait(60) for child in children] == [0, 0, 0, 0]
    found = ledger.read(file, HERE)
    assert found.skipped == 0
    assert sorted(one.rows for one in found.entries) == [k * 100 + i + 1 for k in range(4) for i in range(25)]


@given(cut=st.integers(1, 300))
def test_a_torn_line_costs_itself_alone(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    """A power cut left a part of the last line; the next run is whole all the same."""
    file = tmp_path_factory.mktemp("ledger") / "ledger.jsonl"
    for took in (90.0, 110.0):
        ledger.append(file, entry(took))
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) - min(cut, len(whole) // 2 - 2)])
    torn = ledger.read(file, HERE)
    # Cut by the line feed alone the line is whole.
    assert (len(torn.entries), torn.skipped) in ((1, 1), (2, 0))
    ledger.append(file, entry(120.0))
    after = ledger.read(file, HERE)
    assert [one.actual["time"] for one in after.entries][-1] == 120.0
    assert (len(after.entries), after.skipped) == (len(torn.entries) + 1, torn.skipped)


def test_another_machine_s_runs_are_counted_apart(file: Path) -> None:
    """A home that several machines share: what one of them took says nothing of another."""
    ledger.append(file, entry())
    ledger.append(file, entry(machine="f" * 16))
    found = ledger.read(file, HERE)
    assert (len(found.entries), found.elsewhere, found.skipped) == (1, 1, 0)


ABSURD: dict[str, dict[str, Any]] = {
    "nothing forecast": {"said": []},
    "negative": {"actual": {"time": -5.0}},
    "zero": {"actual": {"time": 0.0}},
    "not a number": {"actual": {"time": float("nan")}},
    "without end": {"actual": {"time": float("inf")}},
    "a million times as long": {"actual": {"time": 1e8}},
    "a millionth": {"actual": {"time": 1e-4}},
    "an interval that is upside down": {
        "said": [{"by": "train", "kind": "parts", "figures": {"time": [3.0, 2.0, 1.0]}}]
    },
    "an interval without end": {"said": [{"by": "train", "kind": "parts", "figures": {"time": [1.0, 2.0, 1e9]}}]},
    "a forecast of nothing": {"said": [{"by": "train", "kind": "parts", "figures": {"time": [0.0, 0.0, 1.0]}}]},
    "a newer format": {"format": 2},
    "a field that nobody knows": {"colour": "red"},
    "a kind that nobody knows": {"said": [{"by": "train", "kind": "stars", "figures": {"time": [1.0, 2.0, 3.0]}}]},
    "a text in place of a number": {"actual": {"time": "soon"}},
}


@pytest.mark.parametrize("changes", ABSURD.values(), ids=list(ABSURD))
def test_a_run_that_cannot_be_is_skipped_and_counted(file: Path, changes: dict[str, Any]) -> None:
    """The others count as before."""
    import json

    ledger.append(file, entry())
    with open(file, "a") as poisoned:
        poisoned.write(json.dumps({**json.loads(entry().to_json()), **changes}) + "\n")
    ledger.append(file, entry(101.0))
    found = ledger.read(file, HERE)
    assert (len(found.entries), found.skipped, found.problem) == (2, 1, "")


@given(st.binary(max_size=400))
def test_whatever_is_in_the_file_is_no_error(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    """Bytes of anything: skipped, and the next run is added."""
    file = tmp_path_factory.mktemp("ledger") / "ledger.jsonl"
    file.write_bytes(raw)
    before = ledger.read(file, HERE)
    assert before.entries == ()
    ledger.append(file, entry())
    assert len(ledger.read(file, HERE).entries) == 1


def test_deep_nesting_is_no_error(file: Path) -> None:
    """A line of ten thousand brackets."""
    file.parent.mkdir(parents=True)
    file.write_text("[" * 10_000 + "\n")
    assert ledger.read(file, HERE) == ledger.Ledger(skipped=1)


def test_of_a_long_ledger_the_last_runs_are_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading it takes no longer after years; the line that the window cuts is none that is wrong."""
    for rows in range(1, 21):
        ledger.append(file, entry(rows=rows))
    size = file.stat().st_size
    monkeypatch.setattr(ledger, "READ_BYTES", size // 2)
    found = ledger.read(file, HERE)
    assert found.skipped == 0
    assert 8 <= len(found.entries) <= 10
    assert found.entries[-1].rows == 20


def test_a_directory_is_told(tmp_path: Path) -> None:
    """Neither read nor written, and the reason is the system's."""
    assert ledger.read(tmp_path, HERE).problem == "Is a directory"
    with pytest.raises(IsADirectoryError):
        ledger.append(tmp_path, entry())


def test_a_pipe_holds_nobody(tmp_path: Path) -> None:
    """Opened without a wait for its other end, read as nothing, and refused or passed over when written."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert ledger.read(pipe, HERE).entries == ()
    ledger.append(pipe, entry())
    assert ledger.read(pipe, HERE).entries == ()


def test_no_ledger_is_kept_in_dev_null() -> None:
    """The way to have none."""
    ledger.append(Path(os.devnull), entry())
    assert ledger.read(Path(os.devnull), HERE) == ledger.Ledger()


def test_a_line_is_never_longer_than_one_write_takes(file: Path) -> None:
    """A run with everything in it is far shorter; one that is not is refused, and nothing of it is written."""
    figures = {name: (1.23456e11, 1.23456e12, 1.23456e13) for name in ("time", "cpu", "memory", "storage")}
    full = said().but(figures=figures, raw=figures)
    took = dict.fromkeys(figures, 1.23456e12)
    ledger.append(file, entry(1.0, full, full.but(by="plan"), actual=took))
    assert file.stat().st_size < ledger.LONGEST // 2
    before = file.read_bytes()
    with pytest.raises(OSError, match="longer than"):
        ledger.append(file, entry(form="x" * 5000))
    assert file.read_bytes() == before


def test_a_write_that_fails_leaves_nothing_of_itself(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full after half a line."""
    ledger.append(file, entry())
    before = file.read_bytes()
    write = os.write
    monkeypatch.setattr(ledger.os, "write", lambda handle, line: write(handle, line[: len(line) // 2]))
    with pytest.raises(OSError, match="only a part"):
        ledger.append(file, entry())
    assert file.read_bytes() == before


def test_the_seed_that_ships_is_whole() -> None:
    """Absent, or runs that can be; none of them is of this machine."""
    assert all(
        isinstance(one, Entry) and not ledger.is_absurd(one) and one.machine == "benchmark" for one in ledger.seed()
    )
