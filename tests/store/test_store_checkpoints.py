"""The last two checkpoints are kept; what is torn, gone or a stranger's is not gone on from."""

from __future__ import annotations

import logging
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fitscale.errors import StorageFull, Untrusted
from fitscale.store import checkpoints


def _save(run: Path, *units: int) -> None:
    for n in units:
        checkpoints.save(run, "t", n, b"state %d" % n, {"loss": tuple(1.0 / (k + 1) for k in range(n))}, 0.5 * n)


def _latest(run: Path) -> checkpoints.Checkpoint | None:
    return checkpoints.latest(run, "t", pickles=False, trusted=False)


def _folder(run: Path, units: int) -> Path:
    return run / "tasks" / "t" / "ckpt" / f"{units:09d}"


def test_the_last_one_is_taken_as_it_was_saved(tmp_path: Path) -> None:
    """State, units, scores and the time spent come back; before the first there is none."""
    assert _latest(tmp_path) is None
    _save(tmp_path, 3)
    assert _latest(tmp_path) == (3, b"state 3", {"loss": (1.0, 0.5, 1 / 3)}, 1.5)


def test_two_are_kept_in_the_order_of_their_units(tmp_path: Path) -> None:
    """Of many the last two stay, by number and not by text."""
    _save(tmp_path, 5, 50, 500, 1_000_000)
    assert sorted(path.name for path in _folder(tmp_path, 0).parent.iterdir()) == ["000000500", "001000000"]
    latest = _latest(tmp_path)
    assert latest is not None
    assert latest.units == 1_000_000


@pytest.mark.parametrize(
    ("file", "spoil"),
    [
        ("state", lambda path: path.write_bytes(path.read_bytes()[:-1])),
        ("state", lambda path: path.write_bytes(b"")),
        ("state", lambda path: path.write_bytes(b"X" + path.read_bytes()[1:])),
        ("state", lambda path: path.unlink()),
        ("meta.json", lambda path: path.write_text(path.read_text()[:-1])),
        ("meta.json", lambda path: path.write_text("{}")),
        ("meta.json", lambda path: path.write_text("[]")),
        ("meta.json", lambda path: path.unlink()),
    ],
)
def test_a_torn_one_falls_back_to_the_one_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, file: str, spoil: Callable[[Path], object]
) -> None:
    """Whatever is wrong with the last, the one before it is taken and the notice names the folder; of two, none is left."""
    _save(tmp_path, 1, 2)
    spoil(_folder(tmp_path, 2) / file)
    with caplog.at_level(logging.WARNING, "fitscale"):
        latest = _latest(tmp_path)
    assert latest is not None
    assert (latest.units, latest.state) == (1, b"state 1")
    assert str(_folder(tmp_path, 2)) in caplog.text
    spoil(_folder(tmp_path, 1) / file)
    assert _latest(tmp_path) is None


def test_saving_goes_on_after_a_torn_one(tmp_path: Path) -> None:
    """A fit that fell back reaches later units, and these are taken."""
    _save(tmp_path, 1, 2)
    (_folder(tmp_path, 2) / "state").write_bytes(b"torn")
    _save(tmp_path, 2, 3)
    latest = _latest(tmp_path)
    assert latest is not None
    assert latest.units == 3


def test_a_strangers_pickle_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state that could run code is taken from its own user, or with --trust; one that cannot is taken from anybody."""
    _save(tmp_path, 1)
    assert checkpoints.latest(tmp_path, "t", pickles=True, trusted=False) is not None
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "somebody else"))
    with pytest.raises(Untrusted, match=r"tasks/t/ckpt/000000001 is a pickle .* say --trust") as error:
        checkpoints.latest(tmp_path, "t", pickles=True, trusted=False)
    assert error.value.exit_code == 2
    for pickles, trusted in ((True, True), (False, False)):
        latest = checkpoints.latest(tmp_path, "t", pickles=pickles, trusted=trusted)
        assert latest is not None
        assert latest.units == 1


def test_a_state_that_was_exchanged_is_refused(tmp_path: Path) -> None:
    """A digest that fits is no signature: who can write to the folder can make digests too."""
    import hashlib
    import json

    _save(tmp_path, 1)
    meta = json.loads((_folder(tmp_path, 1) / "meta.json").read_text())
    (_folder(tmp_path, 1) / "state").write_bytes(b"evil")
    meta["sha256"] = hashlib.sha256(b"evil").hexdigest()
    (_folder(tmp_path, 1) / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(Untrusted):
        checkpoints.latest(tmp_path, "t", pickles=True, trusted=False)


def test_what_was_saved_survives_a_kill(tmp_path: Path, start: Callable[..., Any]) -> None:
    """After SIGKILL at any moment the latest is whole, and not before the last that `save` returned from."""
    code = """
import sys
from pathlib import Path
from fitscale.store import checkpoints
for n in range(int(sys.argv[2]), 1_000_000):
    checkpoints.save(Path(sys.argv[1]), "t", n, str(n).encode() * 20_000, {}, 0.0)
    print(n, flush=True)
"""
    moments = random.Random(5)
    begin = 1
    for _ in range(8):
        process = start(code, tmp_path, begin)
        acknowledged = int(process.stdout.readline())
        time.sleep(moments.uniform(0, 0.04))
        process.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *map(int, process.communicate()[0].split())])
        latest = _latest(tmp_path)
        assert latest is not None
        assert latest.units >= acknowledged
        assert latest.state == str(latest.units).encode() * 20_000
        begin = latest.units + 1


def test_a_full_disk_keeps_the_last_one(small_disk: Path, full_disk: Callable[[], Path]) -> None:
    """Where there is no room for the next, the fit is told so, and goes on from the last that was whole."""
    _save(small_disk, 1)
    full_disk()
    with pytest.raises(StorageFull):
        checkpoints.save(small_disk, "t", 2, bytes(9_000), {}, 0.0)
    latest = _latest(small_disk)
    assert latest is not None
    assert latest.units == 1


def test_a_finished_task_has_none(tmp_path: Path) -> None:
    """Clearing forgets them all; clearing again is harmless."""
    _save(tmp_path, 1, 2)
    checkpoints.clear(tmp_path, "t")
    checkpoints.clear(tmp_path, "t")
    assert _latest(tmp_path) is None
    shutil.rmtree(tmp_path / "tasks")
    checkpoints.clear(tmp_path, "t")
