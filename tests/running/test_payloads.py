"""The files of a version: those of its chunks where they are few, joined ones where they are many; the same models in both."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from doing import results_of, trained

from fitscale.running import tasks
from fitscale.store import versions
from fitscale.store.lookup import Index
from fitscale.work import finish

MANY = {
    "name": "many",
    "data": {"uri": "synthetic://?rows=3000&columns=3&groups=30", "target": "y", "groups": ["group"]},
    "model": {"estimator": "sklearn.linear_model.LogisticRegression"},
}


def models_of(run: Path) -> list[bytes]:
    index = Index(run, 1)
    entries = [index.entry(row) for row in range(len(index))]
    return [index.payload(entry, pickles=True, trusted=False) if entry.file else b"" for entry in entries]


def test_few_chunks_are_named_as_they_are_and_many_are_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "CHUNK_S", 1e-9)  # a chunk for each group
    trained(MANY, tmp_path / "few", "many-models@inline")
    monkeypatch.setattr(finish, "MOST_FILES", 3)
    monkeypatch.setattr(finish, "FILE_BYTES", 8_000)
    trained(MANY, tmp_path / "joined", "many-models@inline")

    (results,) = results_of(tmp_path / "few").values()
    assert len(results) == 30
    assert list(versions.manifest(tmp_path / "few", 1).payloads) == [result.models for result in results]
    joined = versions.manifest(tmp_path / "joined", 1).payloads
    assert 1 < len(joined) < len(results)
    assert not {result.models for result in results} & set(joined)
    assert models_of(tmp_path / "few") == models_of(tmp_path / "joined")
    assert sum(map(bool, models_of(tmp_path / "few"))) == 30
