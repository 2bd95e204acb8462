"""docs/benchmarks.md: what was measured, from benchmarks/results; what was not is said to be not measured yet."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from text import code, table

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
from about import BENCHMARKS, About

FOLDER = Path(__file__).parents[2] / "benchmarks"

HEAD = """
# Benchmarks

Each section is one program in `benchmarks/`, which anybody can run: `python benchmarks/run.py NAME`, or `make bench` for all.
Times of processes are wall seconds from their start to their end; memory is anonymous memory, summed over the command and its
children, read every 10 to 20 ms. Where a script is compared, it takes its turns beside fitscale, and ratios are medians of
pairs. Nothing else works on the machine meanwhile.
"""

# What stands in a column that has a name of its own for programs.
SAID = {
    "actual_mb": "MB", "actual_s": "s", "cap_mb": "cap MB", "case": "", "choice": "chosen", "cold_mb_s": "cold read MB/s",
    "cpu_ratio": "CPU ×", "fitscale_mb": "MB", "fitscale_s": "s", "forecast_mb": "forecast MB", "forecast_s": "forecast s",
    "in_interval": "within", "in_memory_round_s": "s a round in memory", "interval_s": "90 % interval",
    "memory_error_%": "memory error %", "memory_in_interval": "memory within", "memory_ratio": "memory ×",
    "more_s": "more s", "mrows_s": "M rows/s", "not_refunded_s": "not refunded s", "peak_mb": "peak MB",
    "plain_mb": "script MB", "plain_s": "script s", "round_s": "s a round", "time_error_%": "time error %",
    "upper_by_lower": "upper / lower", "wall_ratio": "time ×", "wall_s": "s",
}  # fmt: skip
# What the file has, and the page does not show.
LEFT_OUT = {
    "asked", "source", "chosen_by_plan", "plan_probing_s", "measured", "runs", "with_report_s", "command_mb", "of_rows",
    "gb", "plan_mb",
}  # fmt: skip
KILLS = 5  # of the moments, which are many and alike


def page() -> str:
    parts = [HEAD.strip()]
    for name, about in BENCHMARKS.items():
        parts += [f"## {about.title}", about.question, f"**Aim.** {about.aim}", *_figures(name, about)]
    return "\n\n".join(parts)


def _figures(name: str, about: About) -> list[str]:
    path = FOLDER / "results" / f"{name}.json"
    if not path.exists():
        return [f"*Not measured yet:* `python benchmarks/run.py {name}`."]
    result = json.loads(path.read_text(encoding="utf-8"))
    rows: list[dict[str, Any]] = result["rows"]
    if judged := {title: lines for title, lines in result.get("summary", {}).items() if isinstance(lines, list)}:
        return [part for title, lines in judged.items() for part in (f"**{title}.**", _table(lines))] + [
            _machine(result)
        ]
    if result.get("summary") == {}:
        return [
            f"*Not measured yet* is what is reported; of the rest {len(rows)} rows are: `python benchmarks/run.py {name}`."
        ]
    if name == "kills":
        result["moments"], rows = len(rows), rows[:KILLS]
    return [_table(rows), *_summary(result), _machine(result)]


def _table(rows: list[dict[str, Any]]) -> str:
    columns = [key for key in dict.fromkeys(key for row in rows for key in row) if key not in LEFT_OUT]
    lines = [[_said(row.get(key)) for key in columns] for row in rows]
    return table([SAID.get(key, key.replace("_", " ")) for key in columns], lines)


def _summary(result: dict[str, Any]) -> list[str]:
    """What sums the rows up: the summary, and single figures beside the rows."""
    summary = result.get("summary", {})
    if summary and not any(isinstance(value, dict) for value in summary.values()):
        summary = {"all": summary}
    more = {
        key: value for key, value in result.items() if isinstance(value, (bool, int, float)) and key not in ("pairs",)
    }
    said = [f"{name}: {_pairs(figures)}." for name, figures in summary.items()]
    return ["  \n".join(said)] * bool(said) + [f"{_pairs(more)}."] * bool(more)


def _pairs(figures: dict[str, Any]) -> str:
    return ", ".join(f"{key.replace('_', ' ')} {_said(value)}" for key, value in figures.items())


def _machine(result: dict[str, Any]) -> str:
    machine = result["machine"]
    libraries = ", ".join(f"{name} {version}" for name, version in machine["libraries"].items())
    note = f" {result['note']}" if "note" in result else ""
    return (
        f"*{result['date']}, {machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB; "
        f"Python {machine['python']}, {libraries}.*{note}"
    )


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"
    if isinstance(value, int):
        return f"{value:,}"
    return code(value) if isinstance(value, str) and "_" in value else str("–" if value is None else value)
