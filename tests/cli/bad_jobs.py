"""Tiny jobs with something wrong in them, and what their refusals have in common."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent))
from commands import Said

N = 300
KEYS = ("x", "y", "z")
BASELINE = {"estimator": "baseline.Classifier", "params": {"passes": 2}}
REGRESSOR = {"estimator": "baseline.Regressor", "params": {"passes": 2}}
XGBOOST = {"estimator": "xgboost.XGBClassifier", "params": {"n_estimators": 3, "max_depth": 2}}
LIGHTGBM = {"estimator": "lightgbm.LGBMClassifier", "params": {"n_estimators": 3}}
LOGISTIC = {"estimator": "sklearn.linear_model.LogisticRegression"}
SVM = {"estimator": "sklearn.svm.LinearSVC"}


def table(**over: Any) -> pa.Table:
    """300 rows: numbers ``a`` and ``b``, a text ``k`` of three values, a target ``y`` of 0 and 1; None leaves one out."""
    rng = np.random.default_rng(7)
    columns: dict[str, Any] = {
        "a": rng.normal(size=N),
        "b": rng.normal(size=N),
        "k": [KEYS[i % 3] for i in range(N)],
        "y": [(i // 3) % 2 for i in range(N)],
    }
    columns |= over
    return pa.table({name: values for name, values in columns.items() if values is not None})


def write(folder: Path, what: pa.Table | None = None) -> Path:
    path = folder / "d.parquet"
    pq.write_table(table() if what is None else what, path)
    return path


def job(folder: Path, *, many: bool = False, name: str = "job", **sections: Any) -> Path:
    """A workload file on d.parquet; ``data`` is merged, other sections replace. ``many``: one model for each ``k``."""
    data = {"uri": "d.parquet", "target": "y", **({"groups": ["k"]} if many else {}), **sections.pop("data", {})}
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps({"name": name, "data": data, "model": BASELINE, **sections}))  # JSON is YAML
    return path


def there(folder: Path) -> set[str]:
    """Everything below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def versions(folder: Path, name: str = "job") -> list[str]:
    """What a run has of versions, half-written ones and CURRENT included."""
    run = folder / "runs" / name
    return sorted(path.name for path in [*run.glob("versions/*"), *run.glob("versions/.*"), *run.glob("CURRENT")])


def refuse(said: Said, *sentences: str, code: int = 2) -> str:
    """The refusal: its exit code, one line or two on stderr with all of the sentences, no trace."""
    assert said.code == code, f"{said.code}\n{said.out}\n{said.err}"
    lines = said.err.splitlines()
    assert 1 <= len(lines) <= 2, said.err
    assert lines[0].startswith("error: ")
    assert "Traceback" not in said.err
    for sentence in sentences:
        assert sentence in said.err, f"{sentence!r} is not in {said.err!r}"
    return said.err


def as_plain_user(argv: Sequence[object], cwd: Path, **env: str) -> Said:
    """``python -m fitscale …`` in a process that no permission is waived for, whoever runs the tests."""
    done = subprocess.run(
        [sys.executable, "-m", "fitscale", *map(str, argv)], cwd=cwd, env={**os.environ, **env}, capture_output=True,
        text=True, check=False, timeout=120, preexec_fn=_drop_override if os.geteuid() == 0 else None,
    )  # fmt: skip
    return Said(done.returncode, done.stdout, done.stderr)


def _drop_override() -> None:
    libc, drop_from_bounding_set = ctypes.CDLL(None), 24
    for dac_override_and_read_search in (1, 2):
        libc.prctl(drop_from_bounding_set, dac_override_and_read_search, 0, 0, 0)
