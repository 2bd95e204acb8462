"""Run small fits in forked children: what a fit does to its process costs that fit alone.

The parent has imported what is needed and loaded the data, and has started no thread and no OpenMP region (a fork after one
hangs). A child takes many items; when it dies, the item that it was at is tried once more alone, then given up, and a new
child goes on with the rest. Where items are large, each has a child of its own, and several are at work side by side.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import itertools
import os
import pickle
import select
import signal
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from fitscale.work.failure import of_exit

if TYPE_CHECKING:
    from fitscale.contracts import Framework
    from fitscale.records.run import Task

LOOK_S = 0.01  # between looks at what a child holds
LOOKS = 25  # of them until a look at what it has worked
STILL = 10.0  # times an item's CPU seconds: in wall seconds, after which one that waits is ended too
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
PIPE_BYTES = 1 << 20  # a child goes on with the next fit while the last is read
# b'B' began item | b'V' value of item | b'R' Result of item | b'E' end; item; two lengths: of what is pickled, of the payload
_HEADER = struct.Struct("<cqqq")


TIME, MEMORY = "time", "memory"  # the kinds of an item that took too long, or too much


class Fatal(NamedTuple):
    """An item that ended its process, twice."""

    kind: str
    why: str


class Limits(NamedTuple):
    """What a child is ended for.

    Attributes
    ----------
    bytes
        Private anonymous memory.
    seconds
        Of an item: CPU seconds, which a noisy machine does not change.
    """

    bytes: int | None = None
    seconds: Callable[[int], float] | None = None


class Result(NamedTuple):
    """What a fit may return: a value that pickles, and a model, which is large and is sent as it is."""

    value: Any
    payload: bytes | bytearray


def import_first(framework: Framework, task: Task) -> None:
    """Import once, before the first fork: a second would cost each child as much as a fit."""
    for name in (*framework.needs, *getattr(framework, "warms", ())):
        importlib.import_module(name)
    module = task.recipe.estimator.path.rpartition(".")[0]
    if module and task.recipe.estimator.live is None and not getattr(framework, "own", False):
        importlib.import_module(module)
    # What stays is left alone by the collector: it would write into pages that the children share, and so copy them.
    gc.collect()
    gc.freeze()


def fit_forked(
    items: Sequence[int],
    fit: Callable[[int], Any],
    *,
    limits: Limits = Limits(),  # noqa: B008 (an immutable tuple)
    retries: int = 1,
    meanwhile: Callable[[], None] = lambda: None,
) -> Iterator[tuple[int, Any]]:
    """(item, what ``fit`` returned, or Fatal) for every item, each exactly once.

    Parameters
    ----------
    items
        In the order in which they are to be done.
    fit
        Called in a child; what it returns must pickle.
    limits
        A child that passes them is ended, and counts as dead at its item.
    retries
        How often an item that killed its child is tried again, alone. One that took too long or too much is not: it would
        again.
    meanwhile
        Called once, as soon as a child is at work: what else this process has to do. While it lasts, the child's
        memory is not looked at.
    """
    rest = list(items)
    is_first = True
    tried: dict[int, int] = {}
    while rest:
        suspect = next((item for item in rest if tried.get(item)), None)
        batch = [suspect] if suspect is not None else rest
        done: set[int] = set()
        at: int | None = None
        end: tuple[str, str] | None = None
        for kind, item, value in _child(batch, fit, limits):
            if kind == b"B":
                at = item
                if is_first:
                    is_first = False
                    meanwhile()
            elif kind in (b"R", b"V"):
                done.add(item)
                at = None
                yield item, value
            else:
                end = value
        if end is not None:  # the child died
            guilty = at if at is not None else next(item for item in batch if item not in done)
            tried[guilty] = tried.get(guilty, 0) + 1
            if tried[guilty] > retries or end[0] in (TIME, MEMORY):
                done.add(guilty)
                yield guilty, Fatal(*end)
        rest = [item for item in rest if item not in done]


def fit_side_by_side(
    items: Sequence[int],
    fit: Callable[[int], Any],
    at_once: int,
    *,
    between: Callable[[], None] = lambda: None,
    retries: int = 1,
) -> Iterator[tuple[int, Any]]:
    """(item, what ``fit`` returned, or Fatal) for every item, each exactly once, as they come.

    Parameters
    ----------
    fit
        Called in a child of the item's own; what it returns must pickle, and is small.
    at_once
        How many children there are at most.
    between
        Called again and again while children are at work. What it raises ends them all.
    retries
        How often an item whose child died is tried again.
    """
    waiting = list(reversed(items))
    tried: dict[int, int] = {}
    running: dict[int, _Running] = {}  # by the pipe that they write to
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                child = _start(waiting.pop(), fit)
                running[child.pipe] = child
            between()
            for pipe in select.select([*running], [], [], LOOK_S)[0]:
                child = running[pipe]
                try:
                    end = child.end()
                finally:
                    del running[pipe]  # it has ended, and was waited for
                if isinstance(end, Fatal) and tried.get(child.item, 0) < retries:
                    tried[child.item] = tried.get(child.item, 0) + 1
                    waiting.append(child.item)
                    continue
                yield child.item, end
    finally:
        for child in running.values():
            os.kill(child.pid, signal.SIGKILL)
            child.end()


class _Running(NamedTuple):
    item: int
    pid: int
    pipe: int

    def end(self) -> Any:
        """Wait for what it says, and for its end."""
        with open(self.pipe, "rb", buffering=0) as file:
            said = file.read()  # until it closes its end, by dying if by nothing else
        _, status = os.waitpid(self.pid, 0)
        if status or not said:
            return Fatal(*of_exit(status))
        return pickle.loads(said)


def _start(item: int, fit: Callable[[int], Any]) -> _Running:
    parent = os.getpid()
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        _one_in_child(parent, item, fit, read, write)
    os.close(write)
    return _Running(item, pid, read)


def _one_in_child(parent: int, item: int, fit: Callable[[int], Any], read: int, write: int) -> None:
    """Never returns."""
    from fitscale.engines.supervisor import die_with_parent

    code = 1
    try:
        die_with_parent(parent)
        os.close(read)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        said = pickle.dumps(fit(item), protocol=5)
        with open(write, "wb", buffering=0) as pipe:
            _exactly_written(pipe, said)
        code = 0
    finally:
        os._exit(code)


def _child(items: Sequence[int], fit: Callable[[int], Any], limits: Limits) -> Iterator[tuple[bytes, int, Any]]:
    """Fork once for these items; what the child says, and (b'E', -1, (kind, why)) if it did not come to its end."""
    parent = os.getpid()
    read, write = os.pipe()
    with contextlib.suppress(OSError):  # the user's pipes may have no more room
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    pid = os.fork()
    if pid == 0:
        _in_child(parent, items, fit, read, write)
    os.close(write)
    watch = _Watch(pid, limits)
    finished = False
    pipe = _Inbox(read)
    try:
        while True:
            if pipe.is_empty and not select.select([read], [], [], LOOK_S)[0]:
                if not watch.why and watch.is_over():
                    os.kill(pid, signal.SIGKILL)
                continue
            head = pipe.exactly(_HEADER.size)
            if head is None:
                break
            kind, item, *lengths = _HEADER.unpack(head)
            body, payload = (pipe.exactly(length) for length in lengths)
            if body is None or payload is None:
                break
            if kind == b"E":
                finished = True
            else:
                if kind == b"B":
                    watch.begins(item)
                value = pickle.loads(body) if body else None
                yield kind, item, Result(value, payload) if kind == b"R" else value
    finally:
        os.close(read)
        if not finished:
            os.kill(pid, signal.SIGKILL)  # not reaped yet: the id is still this child's
        _, status = os.waitpid(pid, 0)
    if not finished:
        yield b"E", -1, watch.why or of_exit(status)


class _Watch:
    """What a child holds, and how long it works on its item. It is looked at while the child says nothing."""

    def __init__(self, pid: int, limits: Limits) -> None:
        self.why: tuple[str, str] | None = None
        self._pid, self._limits = pid, limits
        self._item: int | None = None
        self._cpu_s = self._since = 0.0
        self._looks = 0

    def begins(self, item: int) -> None:
        self._item, self._looks = item, 0

    def is_over(self) -> bool:
        """Whether it is to be ended; ``why`` says it then."""
        most, seconds = self._limits
        if most is not None and _holds_more(self._pid, most):
            self.why = MEMORY, "the fit needed more memory than one fit may take"
        elif seconds is not None and self._item is not None:
            self._looks += 1
            if self._looks == 1:  # an item that is quick is never looked at
                self._cpu_s, self._since = _cpu_s(self._pid), time.monotonic()
            elif self._looks % LOOKS == 0 and self._works_longer(seconds(self._item)):
                told = f"{seconds(self._item):,.0f}"
                self.why = TIME, f"the fit was ended: it took more than {told} CPU seconds, or waited ten times as long"
        return self.why is not None

    def _works_longer(self, seconds: float) -> bool:
        waited = time.monotonic() - self._since
        return _cpu_s(self._pid) - self._cpu_s > seconds or waited > STILL * seconds


def _cpu_s(pid: int) -> float:
    """CPU seconds of a process, with those of its children that have ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return 0.0
    return sum(int(ticks) for ticks in fields[11:15]) * TICK_S


def _in_child(parent: int, items: Sequence[int], fit: Callable[[int], Any], read: int, write: int) -> None:
    """Never returns."""
    from fitscale.engines.supervisor import die_with_parent

    code = 1
    try:
        die_with_parent(parent)
        os.close(read)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with open(write, "wb", buffering=0) as pipe:
            _exactly_written(pipe, _HEADER.pack(b"B", items[0], 0, 0))
            for item, after in itertools.zip_longest(items, items[1:]):
                made = fit(item)
                kind, value, payload = (b"R", *made) if isinstance(made, Result) else (b"V", made, b"")
                body = pickle.dumps(value, protocol=5)
                what_next = (b"E", -1, 0, 0) if after is None else (b"B", after, 0, 0)
                said = (_HEADER.pack(kind, item, len(body), len(payload)), body, payload, _HEADER.pack(*what_next))
                if len(payload) < PIPE_BYTES:  # of a tiny model each call of the system is a tenth of the fit
                    _exactly_written(pipe, b"".join(said))
                else:
                    for part in said:
                        _exactly_written(pipe, part)
        code = 0
    finally:
        os._exit(code)


def _exactly_written(pipe: Any, data: bytes | bytearray) -> None:
    view = memoryview(data)
    while view:
        view = view[pipe.write(view) :]


class _Inbox:
    """A pipe that is emptied at once, as much as there is."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._room = bytearray(PIPE_BYTES)
        self._at = self._end = 0  # of what was read, and not yet asked for

    @property
    def is_empty(self) -> bool:
        return self._at == self._end

    def exactly(self, length: int) -> bytearray | None:
        """The next bytes; None where the pipe was closed before so many came."""
        data = self._room[self._at : min(self._end, self._at + length)]
        self._at += len(data)
        while len(data) < length:
            self._at, self._end = 0, os.readv(self._pipe, [self._room])
            if not self._end:
                return None
            taken = min(self._end, length - len(data))
            data += memoryview(self._room)[:taken]
            self._at = taken
        return data


def _holds_more(pid: int, limit: int) -> bool:
    return _anonymous_bytes(pid) > limit and _private_bytes(pid) > limit  # the first costs a fiftieth of the second


def _anonymous_bytes(pid: int) -> int:
    """Anonymous memory, with what is shared with us since the fork."""
    try:
        with open(f"/proc/{pid}/status") as file:
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon")), 0)
    except OSError:
        return 0


def _private_bytes(pid: int) -> int:
    """Anonymous memory that is the child's own, not shared with us since the fork."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            fields = dict(line.split(":", 1) for line in file if ":" in line)
    except (OSError, ValueError):
        return 0
    return int(fields.get("Private_Dirty", "0 kB").split()[0]) * 1024
