"""The supervisor's promises, held to real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from fitscale.engines.supervisor import MAX_SAMPLES, Child, start
from fitscale.errors import UsageError
from fitscale.machines import processes

PYTHON = sys.executable
MB = 1_000_000


def run(code: str, *, memory_bytes: int | None = None, **more: object) -> Child:
    return start([PYTHON, "-c", textwrap.dedent(code)], memory_bytes=memory_bytes, **more)  # type: ignore[arg-type]


def alive(pid: int) -> bool:
    found = processes.read(pid)
    return found is not None and found.state not in "ZX"


def until(condition: object, seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.01)
    return False


def pids_in(file: Path, count: int) -> list[int]:
    assert until(lambda: file.exists() and len(file.read_text().split()) == count)
    return [int(word) for word in file.read_text().split()]


# Touches memory at full speed and says in a shared file, which counts as no memory of its own, how far it has come.
GREEDY = """
    import mmap, sys
    with open(sys.argv[1], "r+b") as file:
        told = mmap.mmap(file.fileno(), 8)
    kept = []
    for n in range(1, 3000):
        block = mmap.mmap(-1, 1_000_000, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        for at in range(0, 1_000_000, 4096):
            block[at] = 1
        kept.append(block)
        told[:8] = n.to_bytes(8, "little")
"""


def test_a_child_that_passes_its_limit_is_ended_and_the_parent_lives(tmp_path: Path) -> None:
    """A child that takes all it can get is ended near its limit, far from what it wanted, and the reason is kept."""
    told = tmp_path / "told"
    told.write_bytes(bytes(8))
    limit = 400 * MB
    child = start([PYTHON, "-c", textwrap.dedent(GREEDY), str(told)], memory_bytes=limit)
    assert child.wait(60) == -signal.SIGKILL
    assert child.ended_by == "memory"
    assert child.limiter == "polling"
    assert "passed the limit of 400 MB (50 MB kept back) after" in child.why
    taken = int.from_bytes(told.read_bytes(), "little") * MB
    assert taken > limit * 0.7  # it was not ended for nothing
    assert taken < limit * 2  # generous: the machine may be busy; 3,000 MB without the supervisor
    assert child.peak_bytes >= limit - child.reserve_bytes


def test_a_child_below_its_limit_ends_by_itself() -> None:
    """A child that keeps to its limit ends with its own code, and its peak and CPU are told."""
    child = run("import time; a = bytearray(80_000_000); time.sleep(0.3); raise SystemExit(7)", memory_bytes=400 * MB)
    assert child.wait(60) == 7
    assert child.ended_by is None
    assert child.why == ""
    assert 80 * MB < child.peak_bytes < 130 * MB
    assert child.cpu_s > 0
    assert child.wall_s >= 0.3
    assert max(size for _, size in child.samples) == child.peak_bytes


def test_file_pages_do_not_count(tmp_path: Path) -> None:
    """A child that maps and reads a file larger than its limit goes on: the kernel can drop those pages."""
    file = tmp_path / "data"
    with file.open("wb") as out:
        for _ in range(200):
            out.write(bytes(MB))
    code = """
        import mmap, sys, time
        with open(sys.argv[1], "rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        total = sum(data[at] for at in range(0, len(data), 4096))
        time.sleep(0.2)
        raise SystemExit(total)
    """
    child = start([PYTHON, "-c", textwrap.dedent(code), str(file)], memory_bytes=100 * MB)
    assert child.wait(60) == 0
    assert child.peak_bytes < 80 * MB


FORKS = """
    import os, sys, time
    a = bytearray(b"x") * 120_000_000
    for _ in range(3):
        if os.fork() == 0:
            if sys.argv[1] == "own":
                a = bytearray(b"y") * 120_000_000 + a[:1]
            time.sleep(1.5)
            os._exit(0)
    for _ in range(3):
        os.wait()
"""


def test_pages_that_forks_share_count_once() -> None:
    """Four processes that share 120 MB hold 120 MB, and fit under a limit of 300 MB."""
    child = start([PYTHON, "-c", textwrap.dedent(FORKS), "shared"], memory_bytes=300 * MB)
    assert child.wait(60) == 0, child.why
    assert child.processes == 4
    assert 120 * MB < child.peak_bytes < 220 * MB


def test_memory_of_grandchildren_counts() -> None:
    """Four processes with 120 MB each pass a limit of 300 MB, though none of them does alone; all are ended."""
    child = start([PYTHON, "-c", textwrap.dedent(FORKS), "own"], memory_bytes=300 * MB)
    assert child.wait(60) == -signal.SIGKILL
    assert child.ended_by == "memory"


def test_memory_of_all_processes_is_summed() -> None:
    """Without a limit the peak of a tree is the sum of what its processes hold for themselves."""
    child = start([PYTHON, "-c", textwrap.dedent(FORKS), "own"], memory_bytes=None)
    assert child.wait(60) == 0
    assert child.limiter == "none"
    assert child.peak_bytes > 400 * MB


def test_shared_memory_counts() -> None:
    """Shared memory segments are no file pages: nothing can drop them, so they count."""
    child = run(
        """
        import mmap, time
        a = mmap.mmap(-1, 600_000_000)
        for at in range(0, len(a), 4096):
            a[at] = 1
        time.sleep(20)
        """,
        memory_bytes=300 * MB,
    )
    assert child.wait(60) == -signal.SIGKILL
    assert child.ended_by == "memory"


FAMILY = """
    import os, subprocess, sys, time
    file, kind = sys.argv[1:]
    def note():
        with open(file, "a") as out:
            out.write(f"{os.getpid()}\\n")
    if os.fork() == 0:                                  # a child, which has a child
        if os.fork() == 0:
            note()
            time.sleep(600)
        note()
        time.sleep(600)
    if os.fork() == 0:                                  # one with its own session, whose parent has ended
        if os.fork() == 0:
            os.setsid()
            note()
            os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)"])
        os._exit(0)
    os.wait()
    note()
    if kind == "ends":
        while len(open(file).read().split()) < 4:
            time.sleep(0.01)
    else:
        time.sleep(600)
"""


def test_kill_leaves_nothing_running(tmp_path: Path) -> None:
    """`kill` ends children of children, and a daemon that took its own session and lost its parent."""
    file = tmp_path / "pids"
    child = start([PYTHON, "-c", textwrap.dedent(FAMILY), str(file), "stays"], memory_bytes=2000 * MB)
    family = pids_in(file, 4)
    assert child.poll() is None
    assert all(map(alive, family))
    child.kill()
    assert until(
        lambda: not any(map(alive, family)), 5
    )  # killed each of them is; on a busy machine dead a moment later
    assert child.poll() == -signal.SIGKILL
    assert child.ended_by == "kill"
    child.kill()  # once more does no harm


def test_what_a_child_leaves_behind_is_ended(tmp_path: Path) -> None:
    """When the program ends by itself, what it leaves running is ended too, before its code is told."""
    file = tmp_path / "pids"
    child = start([PYTHON, "-c", textwrap.dedent(FAMILY), str(file), "ends"], memory_bytes=None)
    assert child.wait(60) == 0
    assert not any(map(alive, pids_in(file, 4)))
    assert child.ended_by is None


def test_a_stopped_tree_can_be_killed(tmp_path: Path) -> None:
    """A parked child is ended like any other."""
    file = tmp_path / "pids"
    child = start([PYTHON, "-c", textwrap.dedent(FAMILY), str(file), "stays"], memory_bytes=None)
    family = pids_in(file, 4)
    child.signal(signal.SIGSTOP)
    child.kill()
    assert not any(map(alive, family))


def test_the_family_dies_when_the_parent_is_killed(tmp_path: Path) -> None:
    """SIGKILL of the supervising process leaves neither the child nor its children nor its daemons."""
    file = tmp_path / "pids"
    code = """
        import sys, time
        from fitscale.engines.supervisor import start
        start([sys.executable, "-c", *sys.argv[1:]], memory_bytes=10**9)
        time.sleep(600)
    """
    argv = [PYTHON, "-c", textwrap.dedent(code), textwrap.dedent(FAMILY), str(file), "stays"]
    parent = subprocess.Popen(argv, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    try:
        family = pids_in(file, 4)
        assert all(map(alive, family))
    finally:
        parent.kill()
        parent.wait()
    assert until(lambda: not any(map(alive, family)))


def test_a_child_outlives_the_thread_that_asked_for_it() -> None:
    """The kernel ends a child with the thread that forked it; a caller's thread may end all the same."""
    import threading

    made: list[Child] = []
    thread = threading.Thread(target=lambda: made.append(run("import time; time.sleep(0.5)")))
    thread.start()
    thread.join()
    assert made[0].wait(60) == 0


def test_forked_children_can_die_with_their_parent(tmp_path: Path) -> None:
    """A fork that calls `die_with_parent` ends when its parent does, without anybody's help."""
    file = tmp_path / "pids"
    code = """
        import os, sys, time
        from fitscale.machines.processes import die_with_parent
        parent = os.getpid()
        if os.fork() == 0:
            die_with_parent(parent)
            with open(sys.argv[1], "w") as out:
                out.write(str(os.getpid()))
            time.sleep(600)
        time.sleep(600)
    """
    argv = [PYTHON, "-c", textwrap.dedent(code), str(file)]
    parent = subprocess.Popen(argv, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    (orphan,) = pids_in(file, 1)
    parent.kill()
    parent.wait()
    assert until(lambda: not alive(orphan))


def test_the_environment_and_signals_are_the_callers(tmp_path: Path) -> None:
    """The launcher leaves no trace: variables as given, SIGPIPE not ignored, the folder and streams as asked."""
    grep = "cat; env; grep SigIgn /proc/self/status; pwd"
    given = {"PATH": os.environ["PATH"], "A": "1"}
    child = start(
        ["sh", "-c", grep], memory_bytes=None, env=given, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin is not None
    assert child.stdout is not None
    with child.stdin, child.stdout:
        child.stdin.write(b"said\n")
        child.stdin.close()
        lines = child.stdout.read().decode().split("\n")
    assert child.wait(60) == 0
    assert lines[0] == "said"
    assert "A=1" in lines
    assert not any(line.startswith("LC_CTYPE") for line in lines)
    ignored = next(line for line in lines if line.startswith("SigIgn"))
    assert int(ignored.split()[1], 16) & (1 << (signal.SIGPIPE - 1)) == 0
    assert str(tmp_path) in lines


def test_samples_are_thinned_and_keep_the_peak() -> None:
    """However long a child lives, 500 samples at most are kept, in order of time, with the peak among them."""
    child = run("pass")
    child.wait(60)
    child.samples.clear()
    child.peak_bytes = 0
    for n in range(20_000):
        child._note(n / 100, 999_999 if n == 12_345 else n % 1000)
    assert 200 <= len(child.samples) <= MAX_SAMPLES
    assert [t for t, _ in child.samples] == sorted(t for t, _ in child.samples)
    assert (123.45, 999_999) in child.samples


def test_a_wrong_program_or_limit_is_named() -> None:
    """A program that is not there and a limit that is none are refused with the value, before anything starts."""
    with pytest.raises(UsageError, match="'no-such-program-here': no such program"):
        start(["no-such-program-here"], memory_bytes=None)
    with pytest.raises(UsageError, match="0 bytes"):
        start(["true"], memory_bytes=0)


def command(*words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    argv = [PYTHON, "-P", "-m", "fitscale.engines.supervisor", *words]
    return subprocess.run(argv, env=env, text=True, capture_output=True, timeout=120, check=False)


def test_the_command_ends_with_the_programs_code() -> None:
    """The command line passes streams and code through."""
    done = command("--memory", "1 GB", "--", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_the_command_says_when_the_limit_ended_it() -> None:
    """137 and one sentence with the figures, when the limit ended the program."""
    done = command("--memory", "200 MB", "--", PYTHON, "-c", "import time; a = bytearray(b'x') * 10**9; time.sleep(60)")
    assert done.returncode == 137
    assert done.stderr.startswith("ended: anonymous memory ")
    assert "passed the limit of 200 MB (25 MB kept back) after" in done.stderr


def test_the_command_refuses_a_size_that_it_cannot_read() -> None:
    """A size that is none is named, with exit code 2."""
    done = command("--memory", "plenty", "--", "true")
    assert done.returncode == 2
    assert "plenty" in done.stderr
