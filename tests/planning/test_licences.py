"""Which licences count as open: by what a library's own metadata says, and by nothing else."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
import plans

from fitscale.planning.scoring.licences import libraries_of, licence_of
from fitscale.records.workload import DataSpec, Needs


@pytest.mark.parametrize(
    ("expression", "is_open"),
    [
        ("MIT", True),
        ("BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0", True),
        ("Apache-2.0 OR BSD-2-Clause", True),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", True),
        ("MIT AND LicenseRef-Proprietary", False),
        ("(MIT OR Apache-2.0) AND LicenseRef-NVIDIA-Proprietary", False),
        ("(MIT OR LicenseRef-Proprietary) AND ISC", True),
        ("LicenseRef-Proprietary OR MIT", True),
        ("LicenseRef-Ours", None),
        ("MIT AND LicenseRef-Ours", None),
        ("", None),
        ("AND", None),
    ],
)
def test_an_expression_is_open_if_it_leaves_an_open_way(expression: str, is_open: bool | None) -> None:
    """One of several that are joined by OR is enough; of those joined by AND each must be; what is not known is not guessed."""
    assert licence_of(expression, (), None)[1] is is_open


def test_the_newest_field_counts() -> None:
    """License-Expression before classifiers before the free text, and it is told which it was."""
    mit = ["License :: OSI Approved :: MIT License"]
    assert licence_of("Apache-2.0", mit, "BSD") == ("Apache-2.0", True, "License-Expression")
    assert licence_of(None, mit, "whatever") == ("MIT License", True, "classifiers")
    assert licence_of(None, ["License :: Other/Proprietary License"], "MIT")[1] is False
    assert licence_of(None, [], "3-Clause BSD License") == ("BSD", True, "License")
    assert licence_of(None, [], "NVIDIA Proprietary Software\nmore")[:2] == ("NVIDIA Proprietary Software", False)
    assert licence_of(None, [], "see the file")[:2] == ("see the file", None)
    assert licence_of(None, [], "UNKNOWN") == ("", None, "no field of its metadata")


def test_what_is_really_installed_is_looked_at() -> None:
    """The library of the framework and what it needs, in the versions that are here; nothing of other frameworks."""
    workload = plans.workload(data=DataSpec(uri="synthetic://?rows=10&columns=2", target="y"), needs=Needs())
    found = {one.name: one for one in libraries_of(workload, "xgboost")}
    assert found["xgboost-cpu"].version == version("xgboost-cpu")
    assert found["xgboost-cpu"].is_open
    assert found["numpy"].licence.startswith("BSD-3-Clause")
    assert not {"lightgbm", "onnx", "fitscale"} & set(found)
