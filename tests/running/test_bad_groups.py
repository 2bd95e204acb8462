"""One bad group costs one group: it is named with its reason, and the others are delivered."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from killing import bytes_of, train, wait_until_quiet, write_job

import fitscale
from fitscale.errors import UsageError

GROUPS, EACH = 60, 30
MARKS = {5: 1, 9: 2, 12: 3, 20: 4, 25: 6}  # see moody.py
WHY = {
    5: ("failed", "RuntimeError", "these rows are bad, says <object object at 0x…> of process …"),
    7: ("unfit", "unfit", "one class in"),
    9: ("failed", "exited", "code 7"),
    12: ("failed", "killed", "SIGSEGV"),
    20: ("failed", "memory", "more memory than one fit may take"),
    25: ("failed", "time", "more than 4 CPU seconds"),
    33: ("unfit", "unfit", "no training rows"),
}


@pytest.fixture(autouse=True, scope="module")
def _impatient() -> Iterator[None]:
    """One of them never ends. The one that takes all memory needs about half a second of it to get there, on a quiet machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FITSCALE_GROUP_S", "4s")
        yield


def job(folder: Path, **needs: Any) -> Path:
    """Sixty groups, of which five are bad, one has one class and one no training row; a user's own estimator."""
    shutil.copy(Path(__file__).with_name("moody.py"), folder)
    group = np.repeat(np.arange(GROUPS), EACH)
    y = np.random.default_rng(0).integers(0, 2, len(group))
    y[group == 7] = 1
    fold = np.where(group == 33, "kept apart", np.arange(len(group)).astype(str))
    y, group, fold = (np.append(values, extra) for values, extra in ((y, [0]), (group, [34]), (fold, ["kept apart"])))
    marks = pa.array([MARKS.get(k, 0) for k in group.tolist()], pa.float32())
    pq.write_table(pa.table({"mark": marks, "part": fold, "g": group, "y": y}), folder / "rows.parquet")
    document = {
        "name": "moods",
        "seed": _seed_that_holds_out("kept apart", fold),
        "data": {"uri": "rows.parquet", "target": "y", "groups": ["g"]},
        "evaluate": {"by": "part"},
        "model": {"estimator": "moody.Moody"},
        "where": [{"local": {"memory": "2 GB", "cores": 2}}],
        "needs": needs,
    }
    return write_job(folder, document)


def _seed_that_holds_out(value: str, column: np.ndarray) -> int:
    """A seed with which this value is in the hold-out."""
    from fitscale.data.folds import HOLDOUT, assign
    from fitscale.records.data import Folds

    at = pa.array([value])
    folds = (Folds(seed=seed, by="column", column="part", holdout=0.2) for seed in range(100))
    return next(f.seed for f in folds if assign(f, np.zeros(1, np.int64), at)[0] == HOLDOUT)


@pytest.fixture(scope="module")
def within(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str]:
    """(run, exit code, what was said) where ten may fail."""
    folder = tmp_path_factory.mktemp("within")
    code, said = train(job(folder, max_failed=10), folder / "run")
    return folder / "run", code, said


def test_failed_and_unfit_groups_are_named_with_their_reasons(within: tuple[Path, int, str]) -> None:
    """A raise, an end of the process, a crash, too much memory, no end; one class, no rows: each under its key, and only these."""
    run, code, said = within
    assert code == 0, said
    lines = (run / "versions" / "1" / "failures.jsonl").read_text().splitlines()
    told = {record["key"]["g"]: record for record in map(json.loads, lines)}
    assert sorted(told) == sorted(WHY)
    for key, (status, kind, words) in WHY.items():
        assert (told[key]["status"], told[key]["kind"]) == (status, kind)
        assert words in told[key]["why"]


def test_the_others_are_delivered(within: tuple[Path, int, str]) -> None:
    """The version counts them apart; the models of the rest predict, and the failed have a word instead."""
    run = fitscale.open_run(within[0])
    about = run.manifest
    assert (about.models, about.failed, about.unfit) == (GROUPS - len(WHY), 5, 2)
    assert run.model(6).predict(pa.table({"mark": pa.array([0.0], pa.float32()), "part": ["0"]}))[0] in (0, 1)
    with pytest.raises(UsageError, match=r"RuntimeError|these rows are bad|failed"):
        run.model(5)
    rows = pa.table({"mark": pa.array([0.0] * 4, pa.float32()), "part": ["0"] * 4, "g": [6, 5, 7, 99]})
    assert fitscale.predict(run, rows).column("why").to_pylist() == [None, "failed", "unfit", "unknown key"]


def test_beyond_max_failed_the_code_is_1_and_the_version_the_same(
    tmp_path: Path, within: tuple[Path, int, str]
) -> None:
    """By default one in a hundred may fail; five of sixty is more. What succeeded is delivered all the same, same bytes.

    The unfit are not counted: with max_failed 5 the code is 0 again, and nothing is trained anew for it.
    """
    path = job(tmp_path)
    code, said = train(path, tmp_path / "run")
    assert code == 1
    assert "5 of 58 groups failed" in said
    assert "max_failed" in said
    wait_until_quiet(tmp_path / "run")
    assert bytes_of(tmp_path / "run") == bytes_of(within[0])
    code, said = train(job(tmp_path, max_failed=5), tmp_path / "run")
    assert code == 0, said
    assert not (tmp_path / "run" / "versions" / "2").exists()
    code, said = train(job(tmp_path, max_failed=4), tmp_path / "run")
    assert code == 1
