"""What of the data is mounted, what is asked from there, and that no secret is written."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fitscale.data.sources.files import Files
from fitscale.deploying.moving import FEW, moved
from fitscale.errors import DataError
from fitscale.records.workload import DataSpec


def parquet(*paths: Path) -> int:
    """A file at each; their bytes."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"x": [1.0, 2.0], "y": [0, 1]}), path)
    return sum(path.stat().st_size for path in paths)


def spec(base: Path, uri: str) -> DataSpec:
    return DataSpec(uri=uri, base=str(base), target="y")


def test_a_file_is_mounted_under_its_name(tmp_path: Path) -> None:
    """And costs its bytes."""
    size = parquet(tmp_path / "rows.parquet")
    found = moved(spec(tmp_path, "rows.parquet"))
    assert found.uri == "/data/rows.parquet"
    assert found.mounts == {"/data/rows.parquet": str(tmp_path / "rows.parquet")}
    assert found.bytes == size


def test_a_link_is_mounted_as_what_it_leads_to(tmp_path: Path) -> None:
    """Under its own name: a copy of the link alone would lead nowhere."""
    parquet(tmp_path / "2026-11-30.parquet")
    (tmp_path / "latest.parquet").symlink_to("2026-11-30.parquet")
    found = moved(spec(tmp_path, "latest.parquet"))
    assert found.mounts == {"/data/latest.parquet": str(tmp_path / "2026-11-30.parquet")}


def test_a_folder_is_mounted_as_a_whole(tmp_path: Path) -> None:
    """With its key=value folders, and with what else lies in it, which is copied too."""
    size = parquet(tmp_path / "d/day=1/a.parquet", tmp_path / "d/day=2/b.parquet")
    (tmp_path / "d/notes.txt").write_text("12345")
    found = moved(spec(tmp_path, "d"))
    assert found.mounts == {"/data/d": str(tmp_path / "d")}
    assert found.bytes == size + 5


@pytest.mark.parametrize("pattern", ["part-*.parquet", "*/part-*.parquet"])
def test_a_glob_takes_what_it_matches(tmp_path: Path, pattern: str) -> None:
    """Each file by itself, so that nothing beside them is copied; the same files are found by the pattern there."""
    parts = [tmp_path / pattern.replace("*", f"{n}") for n in range(3)]
    size = parquet(*parts)
    parquet(tmp_path / "other.parquet")
    found = moved(spec(tmp_path, pattern))
    assert found.uri == f"/data/{pattern}"
    assert sorted(found.mounts.values()) == sorted(map(str, parts))
    assert found.bytes == size
    assert {there.removeprefix("/data/") for there in found.mounts} == set(Files(tmp_path / pattern).paths)


@pytest.mark.parametrize("uri", ["d", "d/day=1/a.parquet", "d/day=*/*.parquet", "d/*/a.parquet"])
def test_what_is_mounted_is_the_data_that_was_planned(tmp_path: Path, uri: str) -> None:
    """Its digest there is the one that it has here: the same recipe, wherever it lies."""
    parquet(tmp_path / "d/day=1/a.parquet", tmp_path / "d/day=2/b.parquet")
    found = moved(spec(tmp_path, uri))
    there = tmp_path / "there"
    for name, source in found.mounts.items():
        (there / name.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (there / name.lstrip("/")).symlink_to(source)
    here = Files(tmp_path / uri).snapshot()
    assert Files(there / found.uri.lstrip("/")).snapshot().content == here.content


def test_a_glob_of_many_files_takes_their_folder(tmp_path: Path) -> None:
    """A mount for each of thousands would be no command line any more."""
    parquet(*(tmp_path / "d" / f"p{n}.parquet" for n in range(FEW + 1)))
    found = moved(spec(tmp_path, "d/p*.parquet"))
    assert found.uri == "/data/d/p*.parquet"
    assert found.mounts == {"/data/d": str(tmp_path / "d")}


def test_data_that_is_gone_is_told(tmp_path: Path) -> None:
    """Before anything is written."""
    with pytest.raises(DataError, match=r"data\.uri: no file rows\.parquet in"):
        moved(spec(tmp_path, "rows.parquet"))


def test_generated_rows_need_nothing(tmp_path: Path) -> None:
    """They are made where they are needed."""
    found = moved(spec(tmp_path, "synthetic://?rows=10&columns=2"))
    assert (found.uri, found.mounts, found.bytes) == ("synthetic://?rows=10&columns=2", {}, 0)


def test_secrets_go_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the uri; without one, the driver's own, where it is set."""
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    named = moved(spec(tmp_path, "postgresql://me:${DB_PASSWORD}@db.example:${DB_PORT}/b"))
    assert named.secrets == ("DB_PASSWORD", "DB_PORT")
    assert moved(spec(tmp_path, "postgresql://me@db.example/b")).secrets == ("PGPASSWORD",)
    monkeypatch.delenv("PGPASSWORD")
    assert moved(spec(tmp_path, "postgresql://me@db.example/b")).secrets == ()
    assert "hunter2" not in named.to_json()
