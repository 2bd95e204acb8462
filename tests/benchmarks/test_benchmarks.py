"""What the benchmarks promise those who run them: rows are kept as they come, and done once."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
from common import Failed
from kept import Results


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_RESULTS", str(tmp_path))
    monkeypatch.delenv("BENCH_AGAIN", raising=False)


def results(**more: Any) -> Results:
    return Results("wide", ("case",), **more)


def rows(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "wide.json").read_text())["rows"]
    return found


def never() -> dict[str, Any]:
    raise AssertionError("measured once more")


def test_a_row_is_there_as_soon_as_it_is_measured(tmp_path: Path) -> None:
    """A later one that ends the program costs none before it; the next program does the missing one alone."""
    first = results()
    first.row({"case": "a"}, lambda: {"s": 1})
    assert [row["s"] for row in rows(tmp_path)] == [1]
    with pytest.raises(KeyboardInterrupt):
        first.row({"case": "b"}, _interrupted)
    again = results()
    assert again.row({"case": "a"}, never)
    again.row({"case": "b"}, lambda: {"s": 2})
    assert [(row["case"], row["s"]) for row in rows(tmp_path)] == [("a", 1), ("b", 2)]


def _interrupted() -> dict[str, Any]:
    raise KeyboardInterrupt


def test_all_are_measured_anew_where_that_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in its old place, and once."""
    before = results()
    for case in "ab":
        before.row({"case": case}, lambda: {"s": 1})
    monkeypatch.setenv("BENCH_AGAIN", "1")
    anew = results()
    anew.row({"case": "a"}, lambda: {"s": 2})
    assert [row["s"] for row in rows(tmp_path)] == [2, 1]
    anew.row({"case": "a"}, never)


def test_what_fails_leaves_no_row_and_is_told(tmp_path: Path) -> None:
    """The others are measured, and the program ends with an error."""
    some = results()
    some.row({"case": "a"}, _fails)
    some.row({"case": "b"}, lambda: {"s": 1})
    assert [row["case"] for row in rows(tmp_path)] == ["b"]
    with pytest.raises(SystemExit, match="1 not measured:\na: no room"):
        some.done("wide")


def _fails() -> dict[str, Any]:
    raise Failed("no room")


def test_rows_of_what_is_no_longer_asked_go(tmp_path: Path) -> None:
    """A workload whose parameters were changed is another one; the rest stands in the order of the list."""
    before = results()
    for case in "cba":
        before.row({"case": case}, lambda: {"s": 1})
    results(order=[{"case": "a"}, {"case": "d"}, {"case": "c"}]).row({"case": "d"}, lambda: {"s": 2})
    assert [row["case"] for row in rows(tmp_path)] == ["a", "d", "c"]


def test_rows_of_another_machine_are_measured_anew(tmp_path: Path) -> None:
    """Figures of two machines do not stand in one table."""
    results().row({"case": "a"}, lambda: {"s": 1})
    path = tmp_path / "wide.json"
    there = json.loads(path.read_text())
    there["machine"]["cores"] += 1
    path.write_text(json.dumps(there))
    assert results().rows == []
