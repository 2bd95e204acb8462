"""One bad group among many: it is named with its reason, and the others go on."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from bad_jobs import BASELINE, KEYS, LOGISTIC, XGBOOST, N, job, table, write
from commands import fitscale

BAD = "bad"
ROWS = 40
# Over the rows of the bad group: what they hold instead, and the status and reason that come of it.
GROUPS: dict[str, tuple[dict[str, Any], str, tuple[str, ...]]] = {
    "one class": ({"y": [1] * ROWS}, "unfit", ("one class in ",)),
    "missing in the target": (
        {"y": [None, *([0, 1] * ROWS)[1:ROWS]]}, "failed", ("data.target: column 'y' is missing in 1 row", "data.where")
    ),
    "no target at all": ({"y": [None] * ROWS}, "failed", ("data.target: column 'y' is missing in ",)),
    "infinite": ({"a": [np.inf, *range(1, ROWS)]}, "failed", ("column 'a' is infinite", "make these values missing")),
    "a negative weight": ({"w": [-1.0, *[1.0] * (ROWS - 1)]}, "failed", ("data.weight: column 'w' is negative in 1 row",)),
    "a weight of nothing": ({"w": [0.0] * ROWS}, "unfit", ("data.weight is 0 in all ", "training rows")),
    "one row": ({}, "unfit", ("training row",)),
    "an all-missing column": ({"a": [None] * ROWS}, "fitted", ()),
}  # fmt: skip


def _with_bad_group(name: str) -> pa.Table:
    over, _, _ = GROUPS[name]
    good = table(w=[1.0] * N)
    n = 1 if name == "one row" else ROWS
    rows = {
        "a": np.arange(float(ROWS)),
        "b": np.ones(ROWS),
        "k": [BAD] * ROWS,
        "y": [0, 1] * (ROWS // 2),
        "w": [1.0] * ROWS,
    }
    return pa.concat_tables([good, pa.table({**rows, **over}, schema=good.schema).slice(0, n)])


MODELS = {"baseline": BASELINE, "sklearn": LOGISTIC, "xgboost": XGBOOST}
JOBS = [
    *((name, "baseline") for name in GROUPS),
    *((n, m) for n in ("missing in the target", "infinite", "a weight of nothing") for m in [*MODELS][1:]),
]


@pytest.mark.parametrize(("name", "of"), JOBS)
def test_a_bad_group_costs_no_other(tmp_path: Path, name: str, of: str) -> None:
    """Exit code 0, three good models, and the fourth listed with status and reason; prediction says why there is none."""
    _, status, says = GROUPS[name]
    write(tmp_path, _with_bad_group(name))
    # Missing weights would concern the fit: the column of weights is there in one job alone.
    data = {"weight": "w"} if "weight" in name else {"features": {"drop": ["w"]}}
    path = job(tmp_path, many=True, model=MODELS[of], data=data, needs={"max_failed": 1})
    said = fitscale("train", path, "--quiet", "--json")
    assert said.code == 0, said.err
    assert (said.record["models"], said.record["failed"], said.record["unfit"]) == (
        3 + (status == "fitted"), int(status == "failed"), int(status == "unfit")
    )  # fmt: skip
    models = {row["k"]: row for row in fitscale("models", "list", path, "--json").record["models"]}
    assert {models[key]["status"] for key in KEYS} == {"fitted"}
    assert models[BAD]["status"] == status
    for sentence in says:
        assert sentence in models[BAD]["why"]
        assert sentence in " ".join(said.err.split())
    new, out = tmp_path / "new.parquet", tmp_path / "p.parquet"
    pq.write_table(pa.table({"k": [BAD, "x"], "a": [1.0, 2.0], "b": [1.0, 2.0]}), new)
    assert fitscale("predict", path, "--data", new, "--out", out).code == 0
    why = None if status == "fitted" else status
    assert pq.read_table(out).column("why").to_pylist() == [why, None]


def test_one_group_too_many_is_exit_code_1_and_keeps_the_others(tmp_path: Path) -> None:
    """``needs.max_failed`` is 1 % where nothing is said: one of four is more."""
    write(tmp_path, _with_bad_group("infinite"))
    path = job(tmp_path, many=True, data={"features": {"drop": ["w"]}})
    said = fitscale("train", path, "--quiet")
    assert said.code == 1
    assert "1 of 4 groups failed, more than needs.max_failed allows" in said.err
    assert "column 'a' is infinite" in said.out
    assert fitscale("models", "list", path, "--status", "fitted", "--json").record["found"] == 3


def test_all_reasons_are_in_the_version(tmp_path: Path) -> None:
    """failures.jsonl names each group that has no model, without paths, addresses or process ids."""
    write(tmp_path, _with_bad_group("infinite"))
    path = job(tmp_path, many=True, data={"features": {"drop": ["w"]}}, needs={"max_failed": "50%"})
    assert fitscale("train", path, "--quiet").code == 0
    [failure] = map(json.loads, (tmp_path / "runs/job/versions/1/failures.jsonl").read_text().splitlines())
    assert (failure["key"], failure["status"], failure["kind"]) == ({"k": BAD}, "failed", "DataError")
    assert str(tmp_path) not in failure["why"]
