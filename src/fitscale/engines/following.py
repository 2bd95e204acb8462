"""Follow the event files of an attempt while it runs, whoever writes them."""

from __future__ import annotations

from pathlib import Path

from fitscale.records.run import Event


class Follower:
    """New events of all ranks, in the order of their time; remembers the last kind of each rank."""

    def __init__(self, folder: Path, ranks: int) -> None:
        self._paths = [folder / f"events.{rank}.jsonl" for rank in range(ranks)]
        self._seen = [0] * ranks
        self.last: dict[int, str] = {}

    def new(self) -> list[Event]:
        found: list[Event] = []
        for i, path in enumerate(self._paths):
            try:
                with open(path, "rb") as file:
                    file.seek(self._seen[i])
                    raw = file.read()
            except FileNotFoundError:
                continue
            whole = raw.rfind(b"\n") + 1  # a line that is being written is for the next look
            self._seen[i] += whole
            found.extend(Event.from_json(line) for line in raw[:whole].splitlines())
        found.sort(key=lambda event: event.at)
        for event in found:
            self.last[event.rank] = event.kind
        return found


def cause_of(last: dict[int, str], code: int) -> str:
    """How an attempt ended, from the last event of each rank: done, stopped, failed or killed."""
    kinds = set(last.values())
    if "failed" in kinds:
        return "failed"
    if "stopped" in kinds:
        return "stopped"
    if kinds == {"finished"} and code == 0:
        return "done"
    return "killed"
