"""A chunk is committed once, with its payload, and never changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fitscale.errors import FitscaleError, StorageFull
from fitscale.records.run import Chunk
from fitscale.store import chunks, trust

TABLE = pa.table({"key": ["a", "b"], "status": ["fitted", "unfit"], "offset": [0, 0], "length": [3, 0]})
PREDICTIONS = pa.table({"row": [4, 9], "y": [0.0, 1.0]})


def _commit(run: Path, number: int = 0, models: bytes = b"abc", pickles: bool = False) -> bool:
    return chunks.commit(
        run,
        "t",
        number,
        result={"chunk": Chunk(start=0, stop=2), "units": 5, "scores": {"loss": (0.5, 0.25)}},
        table=TABLE,
        models=models,
        predictions=PREDICTIONS,
        pickles=pickles,
    )


def test_a_commit_is_read_back(tmp_path: Path) -> None:
    """Models, table, predictions and scores are those that were committed."""
    assert chunks.committed(tmp_path, "t") == set()
    assert _commit(tmp_path, 3)
    assert chunks.committed(tmp_path, "t") == {3}
    result = chunks.read(tmp_path, "t", 3)
    assert (result.chunk, result.units, result.scores) == (Chunk(start=0, stop=2), 5, {"loss": (0.5, 0.25)})
    assert (tmp_path / "models" / result.models).read_bytes() == b"abc"
    assert chunks.read_table(tmp_path, result.table).equals(TABLE)
    assert result.predictions is not None
    assert chunks.read_table(tmp_path, result.predictions).equals(PREDICTIONS)


def test_the_same_commit_again_is_success_and_another_an_error(tmp_path: Path) -> None:
    """A worker that was too slow is not told off; two fits of one recipe that differ are."""
    assert _commit(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert not _commit(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    with pytest.raises(FitscaleError, match="two fits of one recipe differ"):
        _commit(tmp_path, models=b"xyz")
    result = chunks.read(tmp_path, "t", 0)
    assert (tmp_path / "models" / result.models).read_bytes() == b"abc"


@pytest.mark.parametrize("equal", [True, False])
def test_racing_workers_commit_once(tmp_path: Path, equal: bool) -> None:
    """Of four that commit the same chunk one does; whatever a chunk names is there."""
    barrier = threading.Barrier(4)

    def race(worker: int) -> list[str]:
        outcomes = []
        for k in range(10):
            barrier.wait()
            try:
                outcomes.append("made" if _commit(tmp_path, k, b"same" if equal else b"%d" % worker) else "was there")
            except FitscaleError:
                outcomes.append("differs")
        return outcomes

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(race, range(4)))
    for k in range(10):
        told = [each[k] for each in outcomes]
        assert told.count("made") == 1
        assert told.count("was there" if equal else "differs") == 3
        winner = told.index("made")
        models = (tmp_path / "models" / chunks.read(tmp_path, "t", k).models).read_bytes()
        assert models == (b"same" if equal else b"%d" % winner)


@pytest.mark.parametrize(
    ("point", "done"), [("payload.written", False), ("chunk.temporary", False), ("chunk.linked", True)]
)
def test_a_killed_commit_is_whole_or_none(tmp_path: Path, start: Callable[..., Any], point: str, done: bool) -> None:
    """A payload without its chunk is no commit, and does not hinder the next; a chunk has all of its payloads."""
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_store_chunks import _commit
_commit(Path(sys.argv[1]), pickles=True)
"""
    process = start(code, tmp_path, FITSCALE_CRASH=point)
    _, said = process.communicate()
    assert process.returncode == -9, said
    assert chunks.committed(tmp_path, "t") == ({0} if done else set())
    assert _commit(tmp_path, pickles=True) is not done
    result = chunks.read(tmp_path, "t", 0)
    assert all((tmp_path / "models" / name).is_file() for name in (result.models, result.table, result.predictions))
    assert trust.is_signed(tmp_path, result.models, b"abc")


def test_only_pickles_are_signed(tmp_path: Path) -> None:
    """A payload that cannot run code needs no signature."""
    _commit(tmp_path, 0)
    assert not (tmp_path / "signatures").exists()
    _commit(tmp_path, 1, b"pickle", pickles=True)
    result = chunks.read(tmp_path, "t", 1)
    assert trust.is_signed(tmp_path, result.models, b"pickle")


def test_equal_tables_are_equal_bytes(tmp_path: Path) -> None:
    """Neither how a table was put together nor its metadata are in the file; others can read it."""
    pieces = pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1, 1)]).replace_schema_metadata({"made": "now"})
    assert chunks.parquet_bytes(pieces) == chunks.parquet_bytes(TABLE)
    (tmp_path / "x.parquet").write_bytes(chunks.parquet_bytes(TABLE))
    assert pq.read_table(tmp_path / "x.parquet").equals(TABLE)


def test_a_full_disk_commits_nothing(small_disk: Path, full_disk: Callable[[], Path]) -> None:
    """Where the payload finds no room there is no chunk, and with room there is."""
    ballast = full_disk()
    with pytest.raises(StorageFull):
        _commit(small_disk, models=bytes(9_000))
    assert chunks.committed(small_disk, "t") == set()
    ballast.unlink()
    assert _commit(small_disk, models=bytes(9_000))
