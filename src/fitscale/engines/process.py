"""A pool of processes on this machine, each under a memory limit that ends it alone.

A worker is told the run folder and the name of its attempt, nothing else: when it is started, or while it waits for it (see
`waiting`). It dies with this process, and its children with it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import ClassVar, Literal

from fitscale.engines import supervisor
from fitscale.engines.following import Follower, cause_of
from fitscale.engines.waiting import Waiting
from fitscale.errors import StorageFull
from fitscale.records.plan import Candidate
from fitscale.records.run import Event, Order

LOOK_S = 0.05
GRACE_S = 0.5  # until a rank that has ended already is seen to have
MEMORY_EVERY_S = 0.5
POOLED = ("partition", "groups", "finish")  # orders of many models, which workers that wait can take


class Process:
    """See `contracts.Engine`."""

    name: ClassVar[str] = "process"
    needs: ClassVar[tuple[str, ...]] = ()
    can: ClassVar[frozenset[Literal["tasks", "ranks", "session"]]] = frozenset({"tasks", "ranks"})

    def __init__(self) -> None:
        self._waiting = Waiting()

    def reason_not(self, candidate: Candidate) -> str | None:
        return None

    def ready(self, run: Path, workers: int) -> None:
        """Start so many workers that wait for the order of a pool, those that wait already counted."""
        self._waiting.start(run, workers)

    def close(self) -> None:
        """End those that wait."""
        self._waiting.close()

    def start(self, run: Path, attempt: str, work: Callable[[Path, str], int]) -> Generator[Event, None, None]:
        folder = run / "attempts" / attempt
        order = Order.from_json((folder / "order.json").read_bytes())
        n = max(order.workers, order.ranks)
        follower = Follower(folder, n)
        children: list[supervisor.Child] = []
        told, seen = 0.0, 0
        try:
            children.extend(
                self._worker(run, f"{attempt}.{rank}", folder / f"log.{rank}.txt", order) for rank in range(n)
            )
            while any(child.poll() is None for child in children):
                _wait_any(children, LOOK_S)
                news = follower.new()
                yield from news
                peak = sum(child.peak_bytes for child in children)
                # A part of the rows is told with its own peak: half a second later the next part's would be in it.
                is_part = any(event.kind == "sampled" for event in news)
                if is_part or (news and peak != seen) or time.monotonic() - told >= MEMORY_EVERY_S:
                    told, seen = time.monotonic(), peak
                    yield _memory(children)
                if order.ranks > 1 and any(child.poll() not in (None, 0) for child in children):
                    # A gang that lost one waits for it for ever: end the others, never let them finalise. But one that died
                    # and so made another fail is to be known by its own end, which may be seen after the other's.
                    for child in children:
                        child.wait(GRACE_S)
                    for child in children:
                        child.kill()
            yield from follower.new()
            yield _memory(children)
        finally:
            for child in children:
                child.kill()
        if dead := [rank for rank in _silent(children, follower) if children[rank].returncode == StorageFull.exit_code]:
            # It had not even room to say so: a worker ends with this code in no other silence.
            why = f"{run}: the disk is full; what was committed is kept: make room, then give the same command again"
            said = {"error": StorageFull.__name__, "message": why, "code": StorageFull.exit_code}
            follower.last[dead[0]] = "failed"
            yield Event(kind="failed", at=time.time(), rank=dead[0], data=said)
        yield self._ended(children, follower, folder)

    def _worker(self, run: Path, name: str, log: Path, order: Order) -> supervisor.Child:
        if order.kind in POOLED and (child := self._waiting.take(run, name, order.memory_bytes)):
            return child
        argv = [sys.executable, "-P", "-m", "fitscale.work", str(run), name]
        with open(log, "ab") as file:
            return supervisor.start(argv, memory_bytes=order.memory_bytes, stdout=file, stderr=file)

    def _ended(self, children: list[supervisor.Child], follower: Follower, folder: Path) -> Event:
        codes = [child.returncode or 0 for child in children]
        data: dict[str, object] = {
            "code": next((code for code in codes if code), 0),
            "cpu_s": sum(child.cpu_s for child in children),
            "wall_s": max(child.wall_s for child in children),
        }
        over = [child for child in children if child.ended_by == "memory"]
        if over:
            data |= {"cause": "memory", "why": over[0].why}
        elif dead := _silent(children, follower):
            # What the others of a gang then raised is no failure of the fit's.
            data |= {"cause": "killed", "why": _killed(children, dead, folder)}
        else:
            data["cause"] = cause_of(follower.last, int(str(data["code"])))
            if data["cause"] == "killed":
                data["why"] = _killed(children, list(range(len(children))), folder)
        return Event(kind="ended", at=time.time(), data=data)


def _wait_any(children: list[supervisor.Child], seconds: float) -> None:
    for child in children:
        if child.poll() is None:
            child.wait(seconds)
            return


def _memory(children: list[supervisor.Child]) -> Event:
    now = [child.samples[-1][1] if child.samples else 0 for child in children if child.poll() is None]
    peaks = [child.peak_bytes for child in children]
    return Event(kind="memory", at=time.time(), data={"bytes": sum(now), "peak": sum(peaks), "peak_each": max(peaks)})


def _silent(children: list[supervisor.Child], follower: Follower) -> list[int]:
    """The ranks that ended without a last word, and not by our hand."""
    said = ("finished", "stopped", "failed")
    return [
        rank for rank, child in enumerate(children)
        if child.returncode and child.ended_by is None and follower.last.get(rank) not in said
    ]  # fmt: skip


def _said(log: Path) -> str:
    """What a worker wrote; nothing of one that waited and was killed before it had a log."""
    try:
        return log.read_text(errors="replace").strip()
    except FileNotFoundError:
        return ""


def _killed(children: list[supervisor.Child], ranks: list[int], folder: Path) -> str:
    for rank in ranks:
        child = children[rank]
        if child.returncode:
            tail = _said(folder / f"log.{rank}.txt").splitlines()[-1:]
            end = f"signal {-child.returncode}" if child.returncode < 0 else f"code {child.returncode}"
            return f"worker {rank} ended with {end}" + (f": {tail[0]}" if tail else "")
    return "a worker ended without saying how"
