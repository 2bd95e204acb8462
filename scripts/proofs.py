"""``python scripts/proofs.py``: run what the suites try of each plug-in, and write what they proved into the shipped table.

    python scripts/proofs.py             # prints what would be written
    python scripts/proofs.py --write     # src/fitscale/machines/tables/proofs.csv

A line stands for one ability of one plug-in: how many tests tried it, on which day, with which versions. What was skipped,
since the plug-in does not say that it can, has no line; what failed has one that says so.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections import Counter, defaultdict
from datetime import date
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "src" / "fitscale" / "machines" / "tables" / "proofs.csv"
COLUMNS = ("family", "plugin", "ability", "passed", "tests", "as_of", "versions", "source")


class Line(NamedTuple):
    """What is tried, where, and with which libraries."""

    family: str
    plugin: str
    ability: str
    node: str  # file::class::test, of which every parametrisation counts
    libraries: tuple[str, ...] = ()  # as they are imported


FRAMEWORKS = {  # where each is held to the suite
    "baseline": ("tests/frameworks/test_sklearn_suite.py::TestBaseline", ()),
    "sklearn": ("tests/frameworks/test_sklearn_suite.py::TestScikitLearn", ("sklearn",)),
    "xgboost": ("tests/frameworks/test_xgboost_suite.py::TestXGBoost", ("xgboost",)),
    "lightgbm": ("tests/frameworks/test_lightgbm_suite.py::TestLightGBM", ("lightgbm",)),
    "batched": ("tests/frameworks/test_batched.py::TestBatched", ("numpy",)),
    "series": ("tests/frameworks/test_series_suite.py::TestSeries", ("numpy",)),
    "statsforecast": ("tests/frameworks/test_statsforecast_suite.py::TestStatsForecast", ("statsforecast",)),
}
OF_FRAMEWORKS = {
    "fitting": "test_what_was_fitted_scores_every_row",
    "weights": "test_weights_change_the_model",
    "resume": "test_a_resumed_fit_gives_the_same_bytes",
    "early stopping": "test_early_stopping_reports_each_unit",
    "ranks": "test_all_ranks_have_the_same_model",
    "same model again": "test_the_same_fit_gives_the_same_bytes",
}
OF_ENGINES = {
    "groups": "test_many_models_are_those_of_the_reference",
    "ranks": "test_ranks_commit_one_model",
    "resume": "test_an_attempt_that_is_told_to_stop_leaves_a_checkpoint",
    "memory limit": "test_the_memory_limit_ends_the_child_alone",
}
EXPORTED = {"baseline": "TestBaseline", "xgboost": "TestXGBoost", "lightgbm": "TestLightGBM", "sklearn": "TestSklearn"}
OPENS = "test_the_files_open_without_fitscale"
PACKAGE = "tests/plugin/test_plugin.py"
DEPLOYED = "tests/deploying/test_written.py"


def lines() -> list[Line]:
    """All that is tried."""
    found = [
        Line("frameworks", name, ability, f"{where}::{test}", libraries)
        for name, (where, libraries) in FRAMEWORKS.items()
        for ability, test in OF_FRAMEWORKS.items()
    ]
    found += [
        Line("engines", name, ability, f"tests/engines/test_engine_suite.py::{cls}::{test}")
        for name, cls in (("inline", "TestInline"), ("process", "TestProcess"))
        for ability, test in OF_ENGINES.items()
    ]
    for exporter, needs in (("native", ()), ("onnx", ("onnx", "onnxruntime", "skl2onnx"))):
        found += [
            Line("exporters", exporter, f"without fitscale: {framework}",
                 f"tests/exporters/test_{exporter}_suite.py::{cls}::{OPENS}", (*FRAMEWORKS[framework][1], *needs))
            for framework, cls in EXPORTED.items()
        ]  # fmt: skip
    copied = (
        "tests/exporters/test_native_suite.py::TestBaseline::test_what_it_names_is_there_and_all_that_is_there_is_named"
    )
    found.append(Line("exporters", "native", "export", copied))
    found += [
        Line("plug-ins", "fitscale-example", what, f"{PACKAGE}::test_the_packages_own_suites_pass")
        for what in ("source", "estimator", "exporter", "metric")
    ]
    found += [
        Line("deploying", "container", "context", f"{DEPLOYED}::test_the_context_installs_and_trains"),
        Line("deploying", "container", "container file", f"{DEPLOYED}::test_the_container_file_copies_what_is_there"),
        Line("deploying", "skypilot", "task", f"{DEPLOYED}::test_the_task_is_one_of_skypilots"),
    ]
    return found


class Outcomes:
    """What became of each test: a plug-in of pytest."""

    def __init__(self) -> None:
        self.of: dict[str, Counter[str]] = defaultdict(Counter)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self.of[report.nodeid.partition("[")[0]][report.outcome] += 1


def tried(wanted: list[Line]) -> dict[str, Counter[str]]:
    """Outcomes by node."""
    outcomes = Outcomes()
    nodes = list(dict.fromkeys(line.node for line in wanted))
    code = pytest.main(["-q", "-p", "no:cacheprovider", "--rootdir", str(ROOT), *nodes], plugins=[outcomes])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        sys.exit(f"pytest ended with {code}: nothing is written")
    return outcomes.of


def versions_of(libraries: tuple[str, ...], known: dict[str, list[str]]) -> str:
    """``onnx 1.22.0, scikit-learn 1.9.0``."""
    found = dict.fromkeys(name for library in libraries for name in known.get(library, ())[:1])
    told = []
    for name in found:
        try:
            told.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(told)


def table(wanted: list[Line], outcomes: dict[str, Counter[str]]) -> str:
    """The table as it is shipped."""
    known, text = packages_distributions(), io.StringIO()
    written = csv.writer(text, lineterminator="\n")
    written.writerow(COLUMNS)
    for line in wanted:
        seen = outcomes.get(line.node, Counter())
        if seen["passed"] or seen["failed"]:
            passed = "no" if seen["failed"] else "yes"
            written.writerow([line.family, line.plugin, line.ability, passed, seen["passed"] + seen["failed"],
                              date.today().isoformat(), versions_of(line.libraries, known), line.node])  # fmt: skip
    return text.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="write the shipped table")
    asked = parser.parse_args()
    wanted = lines()
    text = table(wanted, tried(wanted))
    if asked.write:
        TABLE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
