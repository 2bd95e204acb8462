"""The journal keeps what was appended, through torn lines, newer versions and full disks."""

from __future__ import annotations

import json
import logging
import random
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitscale.errors import StorageFull
from fitscale.store import journal
from fitscale.store.journal import Journal

TEXTS = st.text(max_size=20)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(sorted(journal.KINDS)),
        st.dictionaries(TEXTS.map("x{}".format), TEXTS | st.integers() | st.none() | st.lists(TEXTS), max_size=3),
    ),
    min_size=1,
    max_size=6,
)


def _told(run: Path) -> list[dict[str, Any]]:
    """The events without their time."""
    return [{name: value for name, value in event.items() if name != "at"} for event in journal.replay(run)]


@settings(max_examples=60, deadline=None)
@given(epochs=st.lists(EVENTS, min_size=1, max_size=3), share=st.floats(0, 1))
def test_any_prefix_replays_to_a_prefix(epochs: list[Any], share: float) -> None:
    """Cut anywhere, a journal tells its first events; a command that then appends cuts what was torn, and only that."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder)
        told = []
        for epoch, events in enumerate(epochs, 1):
            appending = Journal(run, epoch)
            for kind, data in events:
                appending.append(kind, **data)
                told.append({"kind": kind, **data})
        assert _told(run) == told

        last = sorted((run / "journal").iterdir())[-1]
        raw = last.read_bytes()
        cut = round(share * len(raw))
        last.write_bytes(raw[:cut])
        left = _told(run)
        earlier = sum(map(len, epochs[:-1]))
        assert left == told[: earlier + raw[:cut].count(b"\n")]
        assert last.read_bytes() == raw[:cut], "reading changed the journal"

        Journal(run, len(epochs)).append("command", command="after")
        assert _told(run) == [*left, {"kind": "command", "command": "after"}]


def test_a_torn_line_of_an_older_epoch_is_cut_too(tmp_path: Path) -> None:
    """The command that was killed is seldom the one that goes on: its journal is mended as well."""
    Journal(tmp_path, 1).append("command", command="one")
    with open(tmp_path / "journal" / "000001.jsonl", "ab") as file:
        file.write(b'{"kind": "pl')
    Journal(tmp_path, 2).append("command", command="two")
    assert (tmp_path / "journal" / "000001.jsonl").read_bytes().endswith(b"}\n")
    assert [event["command"] for event in journal.replay(tmp_path)] == ["one", "two"]


def test_unknown_events_are_passed_over_with_a_notice(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An event of a newer version, or a line that is none, costs itself alone, and is said."""
    appending = Journal(tmp_path, 1)
    appending.append("command", command="one")
    with open(tmp_path / "journal" / "000001.jsonl", "ab") as file:
        file.write(b'{"kind": "teleported", "to": "elsewhere"}\n\xff\xfe\n7\nnull\n')
    appending.append("command", command="two")
    with caplog.at_level(logging.WARNING, "fitscale"):
        assert [event["command"] for event in journal.replay(tmp_path)] == ["one", "two"]
    assert "event 'teleported' is unknown to this version" in caplog.text
    assert len(caplog.records) == 4


def test_epochs_replay_in_their_order(tmp_path: Path) -> None:
    """The ninth epoch comes before the tenth."""
    for epoch in (10, 9, 2, 11):
        Journal(tmp_path, epoch).append("command", epoch=epoch)
    assert [event["epoch"] for event in journal.replay(tmp_path)] == [2, 9, 10, 11]


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, start: Callable[..., Any]) -> None:
    """Events that `append` returned from are all there after SIGKILL, in order, without a gap."""
    code = """
import itertools, sys
from pathlib import Path
from fitscale.store.journal import Journal
appending = Journal(Path(sys.argv[1]), int(sys.argv[2]))
for n in itertools.count():
    appending.append("plan", number=n, text="x" * 5_000)
    print(n, flush=True)
"""
    moments = random.Random(4)
    for epoch in range(1, 9):
        process = start(code, tmp_path, epoch)
        process.stdout.readline()
        time.sleep(moments.uniform(0, 0.03))
        process.send_signal(signal.SIGKILL)
        acknowledged = process.communicate()[0].splitlines()
        last = int(acknowledged[-1]) if acknowledged else 0
        raw = (tmp_path / "journal" / f"{epoch:06d}.jsonl").read_bytes()
        numbers = [json.loads(line)["number"] for line in raw.split(b"\n")[:-1]]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) > last


def test_a_full_disk_does_not_spoil_the_next_event(small_disk: Path, full_disk: Callable[[], Path]) -> None:
    """The event that found no room is gone whole; the one after it, when there is room again, is kept."""
    appending = Journal(small_disk, 1)
    appending.append("command", command="one")
    ballast = full_disk()
    with pytest.raises(StorageFull):
        appending.append("failed", why="x" * 9_000)  # what is left of the file's page takes some of it
    before = len(_told(small_disk))
    ballast.unlink()
    appending.append("command", command="two")
    told = _told(small_disk)
    assert len(told) == before + 1
    assert told[-1] == {"kind": "command", "command": "two"}


def test_an_event_that_is_not_listed_is_a_mistake(tmp_path: Path) -> None:
    """A kind that readers would pass over is not written."""
    with pytest.raises(AssertionError, match="not listed"):
        Journal(tmp_path, 1).append("teleported")
