"""Versions are served and pruned whole; from a key the index leads to a model's bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from fitscale.errors import Untrusted, UsageError
from fitscale.records.run import Chunk, Manifest, Task
from fitscale.store import chunks, files, folder, lookup, trust, versions

KEYS = [("a", 1), ("a", 2), ("b", 1)]


@pytest.fixture
def add(tmp_path: Path, task_of: Callable[..., Task]) -> Callable[..., Task]:
    """``add(version)``: a finished version of three groups, of which the second is unfit, with a task of its own."""

    def version(number: int, payload: bytes | None = None, *, pickles: bool = False) -> Task:
        task = task_of(seed=number, groups=("town", "line"))
        digest = folder.write_task(tmp_path, task)
        models = b"model of a1|model of b1|%d" % number if payload is None else payload
        table = pa.table(
            {
                "town": [town for town, _ in KEYS],
                "line": pa.array([line for _, line in KEYS], pa.int64()),
                "status": ["fitted", "unfit", "fitted"],
                "kind": ["", "one-class", ""],
                "why": ["", "only class 1", ""],
                "offset": [0, 0, 12],
                "length": [11, 0, 11],
            }
        )
        chunks.commit(
            tmp_path,
            digest,
            0,
            result={"chunk": Chunk(start=0, stop=3)},
            table=table,
            models=models,
            predictions=None,
            pickles=pickles,
        )
        result = chunks.read(tmp_path, digest, 0)
        manifest = Manifest(
            version=number,
            name="test",
            recipes={"fit": task.recipe},
            encoding="none",
            groups=("town", "line"),
            models=2,
            failed=0,
            unfit=1,
            payloads=(result.models,),
            metric="accuracy",
            scores={"accuracy": 0.5},
        )
        index = table.append_column("file", pa.array([0, -1, 0], pa.int32()))

        def fill(path: Path) -> None:
            (path / "index.parquet").write_bytes(chunks.parquet_bytes(index))
            (path / "manifest.json").write_text(manifest.to_json())
            failure = {"key": {"town": "a", "line": 2}, "status": "unfit", "why": "only class 1"}
            (path / "failures.jsonl").write_text(json.dumps(failure) + "\n")

        assert files.folder_whole(tmp_path / "versions" / str(number), fill)
        return task

    return version


# versions


def test_current_names_what_is_served(tmp_path: Path, add: Callable[..., Task]) -> None:
    """None at first, and then whichever version was chosen last, an older one too."""
    assert versions.current(tmp_path) is None
    assert versions.numbers(tmp_path) == []
    for number in (1, 2, 10):
        add(number)
    assert versions.numbers(tmp_path) == [1, 2, 10]
    assert versions.current(tmp_path) is None
    for number in (10, 2):
        versions.serve(tmp_path, number)
        assert versions.current(tmp_path) == number


def test_a_version_that_is_not_there_is_not_served(tmp_path: Path, add: Callable[..., Task]) -> None:
    """The error names those that are; what was served stays served."""
    with pytest.raises(UsageError, match="no version 1; there are: none yet"):
        versions.serve(tmp_path, 1)
    add(1)
    add(2)
    versions.serve(tmp_path, 1)
    with pytest.raises(UsageError, match="no version 7; there are: 1, 2"):
        versions.serve(tmp_path, 7)
    assert versions.current(tmp_path) == 1


def test_failures_have_their_reasons(tmp_path: Path, add: Callable[..., Task]) -> None:
    """Each group without a model, with its key and why."""
    add(1)
    assert versions.failures(tmp_path, 1) == [
        {"key": {"town": "a", "line": 2}, "status": "unfit", "why": "only class 1"}
    ]


def _names_all(run: Path) -> None:
    """Whatever a version that is left names is there."""
    for number in versions.numbers(run):
        about = versions.manifest(run, number)
        assert all((run / "models" / name).is_file() for name in about.payloads)
        for recipe in about.recipes.values():
            for k in chunks.committed(run, recipe.digest):
                result = chunks.read(run, recipe.digest, k)
                assert (run / "models" / result.models).is_file()
                assert (run / "models" / result.table).is_file()


def test_pruning_keeps_what_versions_name(tmp_path: Path, add: Callable[..., Task]) -> None:
    """The kept and the served version have all that they name; of the others nothing is left, signatures included."""
    tasks = {number: add(number, pickles=True).recipe.digest for number in (1, 2, 3, 4)}
    versions.serve(tmp_path, 2)
    gone = versions.prune(tmp_path, {4})
    assert versions.numbers(tmp_path) == [2, 4]
    assert versions.current(tmp_path) == 2
    _names_all(tmp_path)
    assert {path.name for path in (tmp_path / "tasks").iterdir()} == {tasks[2], tasks[4]}
    payloads = {name for number in (2, 4) for name in versions.manifest(tmp_path, number).payloads}
    assert {path.name for path in (tmp_path / "signatures").iterdir()} == payloads
    assert {"versions/1", "versions/3", f"tasks/{tasks[1]}", f"tasks/{tasks[3]}"} <= set(gone)
    assert versions.prune(tmp_path, {4}) == []


def test_pruning_keeps_a_payload_that_two_versions_share(tmp_path: Path, add: Callable[..., Task]) -> None:
    """A payload goes with the last version that names it."""
    for number in (1, 2):
        add(number, b"the same models, here")
    versions.serve(tmp_path, 2)
    versions.prune(tmp_path, set())
    _names_all(tmp_path)
    assert versions.numbers(tmp_path) == [2]


def test_a_killed_prune_leaves_whole_versions(
    tmp_path: Path, add: Callable[..., Task], start: Callable[..., Any]
) -> None:
    """Killed after any number of deleted files, every version that is listed is whole; the next prune does the rest."""
    code = """
import os, signal, sys
from pathlib import Path
from fitscale.store import versions
left = int(sys.argv[2])
def counted(real):
    def delete(*a, **k):
        global left
        left -= 1
        if left < 0:
            signal.raise_signal(signal.SIGKILL)
        return real(*a, **k)
    return delete
for name in ("unlink", "rmdir", "remove", "rename"):
    setattr(os, name, counted(getattr(os, name)))
versions.prune(Path(sys.argv[1]), {3})
"""
    for number in (1, 2, 3):
        add(number)
    versions.serve(tmp_path, 3)
    killed = 0
    for left in (0, 1, 2, 3, 4, 6, 8, 11):
        process = start(code, tmp_path, left)
        process.wait()
        killed += process.returncode == -9
        _names_all(tmp_path)
        assert 3 in versions.numbers(tmp_path)
    assert killed >= 3
    versions.prune(tmp_path, {3})
    assert [path.name for path in (tmp_path / "versions").iterdir()] == ["3"]
    assert len(list((tmp_path / "tasks").iterdir())) == 1


# lookup


def test_a_key_leads_to_its_models_bytes(tmp_path: Path, add: Callable[..., Task]) -> None:
    """Keys of several columns, in their own types."""
    add(1)
    index = lookup.Index(tmp_path, 1)
    assert len(index) == 3
    assert list(index.rows()) == KEYS
    for key, model in ((("a", 1), b"model of a1"), (("b", 1), b"model of b1")):
        entry = index.find(key)
        assert (entry.key, entry.status) == (key, "fitted")
        assert index.payload(entry, pickles=False, trusted=False) == model


@pytest.mark.parametrize("key", [("a", 3), ("a", "1"), ("a",), ()])
def test_an_unknown_key_is_said_so(tmp_path: Path, add: Callable[..., Task], key: tuple[object, ...]) -> None:
    """A group that was never seen, or a key of another type or length, is named and refused."""
    add(1)
    with pytest.raises(UsageError, match="version 1 has no model for"):
        lookup.Index(tmp_path, 1).find(key)


def test_a_group_without_a_model_says_why(tmp_path: Path, add: Callable[..., Task]) -> None:
    """Its key is known, and asking for the model gives the reason."""
    add(1)
    index = lookup.Index(tmp_path, 1)
    with pytest.raises(UsageError, match=r"\('a', 2\) has no model: it is unfit \(only class 1\)"):
        index.payload(index.find(("a", 2)), pickles=False, trusted=False)


def test_pickles_of_strangers_are_not_handed_out(
    tmp_path: Path, add: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signed by this user, or trusted, or not at all."""
    add(1, pickles=True)
    mine = lookup.Index(tmp_path, 1)
    assert mine.payload(mine.find(("a", 1)), pickles=True, trusted=False) == b"model of a1"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "somebody else"))
    theirs = lookup.Index(tmp_path, 1)
    for _ in range(2):  # a refusal is not remembered as a check that was passed
        with pytest.raises(Untrusted, match="--trust"):
            theirs.payload(theirs.find(("a", 1)), pickles=True, trusted=False)
    assert theirs.payload(theirs.find(("a", 1)), pickles=True, trusted=True) == b"model of a1"


def test_a_payload_that_was_changed_is_refused(tmp_path: Path, add: Callable[..., Task]) -> None:
    """One bit is enough: the signature covers every byte of the file."""
    add(1, pickles=True)
    path = tmp_path / "models" / versions.manifest(tmp_path, 1).payloads[0]
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    index = lookup.Index(tmp_path, 1)
    with pytest.raises(Untrusted):
        index.payload(index.find(("a", 1)), pickles=True, trusted=False)


def test_an_index_of_no_version_is_refused(tmp_path: Path) -> None:
    """There is nothing to look up before the first version."""
    with pytest.raises(UsageError, match="no version 1; there are: none yet"):
        lookup.Index(tmp_path, 1)


# trust


def test_the_key_is_for_its_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mode 0600 in a folder of mode 0700, whatever the umask; made once, and kept."""
    import os

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    before = os.umask(0)
    try:
        one = trust.signature(b"x")
    finally:
        os.umask(before)
    key = tmp_path / "config" / "fitscale" / "signing.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.parent.stat().st_mode & 0o777 == 0o700
    assert len(key.read_bytes()) == 32
    assert [path.name for path in key.parent.iterdir()] == ["signing.key"]
    assert trust.signature(b"x") == one != trust.signature(b"y")


def test_racing_threads_have_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that sign first at once sign with the same key."""
    import threading
    from concurrent.futures import ThreadPoolExecutor

    for k in range(20):
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / str(k)))
        barrier = threading.Barrier(8)

        def sign(_: int, barrier: threading.Barrier = barrier) -> str:
            barrier.wait()
            return trust.signature(b"x")

        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(sign, range(8)))) == 1


def test_a_key_of_another_length_signs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an empty key anybody could sign: it is refused, with the way out."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    trust.signature(b"x")
    (tmp_path / "fitscale" / "signing.key").write_bytes(b"")
    with pytest.raises(UsageError, match=r"signing.key: has 0 bytes and should have 32; delete it"):
        trust.signature(b"x")


def test_a_home_that_cannot_be_written_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the file and the setting."""
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    with pytest.raises(UsageError, match=r"signing.key cannot be kept here|cannot be kept here .* XDG_CONFIG_HOME"):
        trust.signature(b"x")


@pytest.mark.parametrize("left", [b"", b"\xff\xfe", "schlüssel".encode(), b"0" * 64])
def test_any_other_signature_is_none(tmp_path: Path, left: bytes) -> None:
    """Whatever a stranger wrote there, it is refused and not stumbled over."""
    trust.sign(tmp_path, "m", b"x")
    assert trust.is_signed(tmp_path, "m", b"x")
    (tmp_path / "signatures" / "m").write_bytes(left)
    assert not trust.is_signed(tmp_path, "m", b"x")
    with pytest.raises(Untrusted):
        trust.check(tmp_path, "m", b"x", trust=False)
    trust.check(tmp_path, "m", b"x", trust=True)
