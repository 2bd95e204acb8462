"""Files appear whole or not at all, once or not at all, whoever else writes and whenever the writer is killed."""

from __future__ import annotations

import json
import random
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fitscale.errors import FitscaleError, StorageFull
from fitscale.store import files

KILLS = 12


def _outcome(path: Path, data: bytes) -> str:
    try:
        return "made" if files.create(path, data) else "was there"
    except FitscaleError:
        return "differs"


def _kill_at_some_moment(process: object, moments: random.Random) -> None:
    """After its first word, and a few milliseconds that nobody chose."""
    assert process.stdout.readline(), process.stderr.read()  # type: ignore[attr-defined]
    time.sleep(moments.uniform(0, 0.03))
    process.send_signal(signal.SIGKILL)  # type: ignore[attr-defined]
    process.wait()  # type: ignore[attr-defined]


@pytest.mark.parametrize("equal", [True, False])
def test_racing_threads_create_a_file_once(tmp_path: Path, equal: bool) -> None:
    """Of eight threads one makes the file; the others find equal bytes there, or are told that theirs differ."""
    barrier = threading.Barrier(8)

    def race(k: int) -> list[tuple[str, bytes]]:
        found = []
        for n in range(30):
            data = b"same" if equal else b"thread %d" % k
            barrier.wait()
            found.append((_outcome(tmp_path / str(n), data), data))
        return found

    with ThreadPoolExecutor(8) as pool:
        by_thread = list(pool.map(race, range(8)))
    for n in range(30):
        outcomes = [found[n] for found in by_thread]
        (winner,) = [data for outcome, data in outcomes if outcome == "made"]
        assert (tmp_path / str(n)).read_bytes() == winner
        lost = {outcome for outcome, _ in outcomes} - {"made"}
        assert lost == {"was there" if equal else "differs"}
    assert not list(tmp_path.glob(".*")), "temporary files are left"


def test_racing_processes_create_a_file_once(tmp_path: Path, start: Callable[..., object]) -> None:
    """Four processes with bytes of their own: each file is made by one of them, and holds its bytes."""
    code = """
import json, sys
from pathlib import Path
from fitscale.errors import FitscaleError
from fitscale.store import files
folder, me = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True); sys.stdin.readline()
made = []
for n in range(200):
    try:
        if files.create(folder / str(n), me):
            made.append(n)
    except FitscaleError:
        pass
print(json.dumps(made))
"""
    processes = [start(code, tmp_path / "files", k) for k in range(4)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"  # type: ignore[attr-defined]
    for process in processes:
        process.stdin.write("go\n")  # type: ignore[attr-defined]
        process.stdin.flush()  # type: ignore[attr-defined]
    made = [json.loads(process.communicate()[0]) for process in processes]  # type: ignore[attr-defined]
    assert sorted(n for numbers in made for n in numbers) == list(range(200))
    for k, numbers in enumerate(made):
        assert {(tmp_path / "files" / str(n)).read_text() for n in numbers} <= {str(k)}


def test_equal_bytes_are_success_and_unequal_an_error(tmp_path: Path) -> None:
    """Creating again is harmless; creating something else names the file and leaves it as it was."""
    assert files.create(tmp_path / "x", "one")
    assert not files.create(tmp_path / "x", "one")
    with pytest.raises(FitscaleError, match="x: is there already, with other contents"):
        files.create(tmp_path / "x", "two")
    assert (tmp_path / "x").read_text() == "one"


def test_replace_leaves_old_or_new_whenever_it_is_killed(tmp_path: Path, start: Callable[..., object]) -> None:
    """A process that replaces a file over and over is killed: the file is all of one generation, never a mixture."""
    code = """
import itertools, sys
from pathlib import Path
from fitscale.store import files
for n in itertools.count():
    files.replace(Path(sys.argv[1]), bytes([n % 251]) * 300_000)
    if n == 0:
        print("first", flush=True)
"""
    moments = random.Random(1)
    path = tmp_path / "x"
    for _ in range(KILLS):
        _kill_at_some_moment(start(code, path), moments)
        data = path.read_bytes()
        assert len(data) == 300_000
        assert len(set(data)) == 1


def test_created_files_are_whole_whenever_the_writer_is_killed(tmp_path: Path, start: Callable[..., object]) -> None:
    """Whatever has its name is complete, and the same contents can be created again after the kill."""
    code = """
import sys
from pathlib import Path
from fitscale.store import files
for n in range(100_000):
    files.create(Path(sys.argv[1]) / str(n), str(n) * 20_000)
    if n == 0:
        print("first", flush=True)
"""
    moments = random.Random(2)
    for kill in range(KILLS):
        folder = tmp_path / str(kill)
        _kill_at_some_moment(start(code, folder), moments)
        there = [path for path in folder.iterdir() if not path.name.startswith(".")]
        for path in there:
            assert path.read_text() == path.name * 20_000
        next_one = len(there)
        assert not files.create(folder / "0", "0" * 20_000)
        assert files.create(folder / str(next_one), str(next_one) * 20_000)


def test_what_a_killed_process_left_cannot_harm_its_namesake(tmp_path: Path, start: Callable[..., object]) -> None:
    """In a container all processes have one id: leftovers of the one before are neither written to nor in the way."""
    code = """
import os, signal, sys
from pathlib import Path
from fitscale.store import files
os.getpid = lambda: 7
folder, kill = Path(sys.argv[1]), sys.argv[2]
if kill == "linked":  # killed between giving the name and removing the other one: two names of one file
    os.unlink = os.remove = Path.unlink = lambda *a, **k: signal.raise_signal(signal.SIGKILL)
    files.create(folder / "file", "committed")
if kill == "filling":
    files.folder_whole(folder / "whole", lambda path: signal.raise_signal(signal.SIGKILL))
if kill == "writing":  # dies before it gives the name, having written over what it found
    os.link = lambda *a, **k: signal.raise_signal(signal.SIGKILL)
    files.create(folder / "file", "others")
files.folder_whole(folder / "whole", lambda path: (path / "x").write_text("x") and None)
"""
    for kill in ("linked", "filling", "writing", ""):
        process = start(code, tmp_path, kill)
        _, said = process.communicate()  # type: ignore[attr-defined]
        assert process.returncode == (-9 if kill else 0), said  # type: ignore[attr-defined]
        assert (tmp_path / "file").read_text() == "committed"
    assert (tmp_path / "whole" / "x").read_text() == "x"


def test_equal_contents_are_kept_once(tmp_path: Path) -> None:
    """The digest is the name: twice the same bytes are one file, others are another."""
    one, again, other = (files.store_content(tmp_path, data) for data in (b"a" * 99, b"a" * 99, b"b"))
    assert one == again != other
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([one, other])
    assert (tmp_path / one).read_bytes() == b"a" * 99


def test_a_folder_that_is_there_is_not_filled_again(tmp_path: Path) -> None:
    """The first filling stands, and the second is not even begun."""
    assert files.folder_whole(tmp_path / "f", lambda path: path.joinpath("x").write_text("1") and None)
    assert not files.folder_whole(tmp_path / "f", lambda path: pytest.fail("it was filled again"))
    assert (tmp_path / "f" / "x").read_text() == "1"


def test_a_filling_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """An error comes through, and neither the folder nor half of it is there."""

    def fill(path: Path) -> None:
        (path / "x").write_text("half")
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        files.folder_whole(tmp_path / "f", fill)
    assert not list(tmp_path.iterdir())


def test_racing_fillings_give_one_folder(tmp_path: Path) -> None:
    """Of eight threads one names its folder; all of it is that thread's."""
    barrier = threading.Barrier(8)

    def race(k: int) -> list[bool]:
        made = []
        for n in range(20):

            def fill(path: Path) -> None:
                (path / "a").write_text(str(k))
                (path / "b").write_text(str(k))

            barrier.wait()
            made.append(files.folder_whole(tmp_path / str(n), fill))
        return made

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(race, range(8)))
    for n in range(20):
        (winner,) = [k for k in range(8) if made[k][n]]
        assert {(tmp_path / str(n) / name).read_text() for name in "ab"} == {str(winner)}
    assert not list(tmp_path.glob(".*"))


def test_a_folder_is_whole_whenever_the_writer_is_killed(tmp_path: Path, start: Callable[..., object]) -> None:
    """Each folder that has its name has all of its files."""
    code = """
import sys
from pathlib import Path
from fitscale.store import files
def fill(path):
    for name in "abcd":
        (path / name).write_bytes(bytes(50_000))
for n in range(100_000):
    files.folder_whole(Path(sys.argv[1]) / str(n), fill)
    if n == 0:
        print("first", flush=True)
"""
    moments = random.Random(3)
    for kill in range(KILLS):
        folder = tmp_path / str(kill)
        _kill_at_some_moment(start(code, folder), moments)
        for path in folder.iterdir():
            if path.name.isdigit():
                assert [(path / name).stat().st_size for name in "abcd"] == [50_000] * 4


def test_a_full_disk_is_said_so_and_nothing_is_lost(small_disk: Path, full_disk: Callable[[], Path]) -> None:
    """StorageFull, which ends with 75; what was there stays as it was, no half file is left, and room lets it go on."""
    files.replace(small_disk / "old", b"old")
    ballast = full_disk()
    writes: list[Callable[[], object]] = [
        lambda: files.replace(small_disk / "old", bytes(8192)),
        lambda: files.create(small_disk / "new", bytes(8192)),
        lambda: files.store_content(small_disk, bytes(8192)),
        lambda: files.folder_whole(
            small_disk / "folder", lambda path: path.joinpath("x").write_bytes(bytes(8192)) and None
        ),
    ]
    for write in writes:
        with pytest.raises(StorageFull, match="the disk is full; what was committed is kept") as error:
            write()
        assert error.value.exit_code == 75
    assert {path.name for path in small_disk.iterdir()} == {"old", "ballast"}
    assert (small_disk / "old").read_bytes() == b"old"
    ballast.unlink()
    for write in writes:
        write()
    assert (small_disk / "old").read_bytes() == bytes(8192)
