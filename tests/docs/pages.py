"""The pages' code, as their readers run it: files are written, shell and Python blocks run, in the order of the page.

A `sh` or `python` block is run. One whose first line is ``# NAME.py`` or ``# NAME.yaml`` is a file of that name. What is
only shown is `text` or `console`, or has ``<!-- shown -->`` on the line above.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"^(<!-- shown -->\n)?```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([\w-]+\.(?:py|yaml))\n")


class Block(NamedTuple):
    language: str
    text: str
    shown: bool

    @property
    def file(self) -> str | None:
        named = _FILE.match(self.text)
        return named[1] if named else None


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page."""
    for shown, language, text in _BLOCK.findall((DOCS / page).read_text(encoding="utf-8")):
        yield Block(language, text, bool(shown))


def script(page: str) -> str:
    """All that a page runs, as one shell script. Python blocks after each other are one program: they share their names."""
    parts: list[str] = []
    program = ""
    for block in blocks(page):
        if block.file is not None:
            parts.append(_written(block.file, block.text))
        elif block.language == "python" and not block.shown:
            program += block.text + "\n"
        elif block.language == "sh" and not block.shown:
            parts.append(block.text)
    if program:
        parts += [_written("page.py", program), "python page.py"]
    return "set -eu\n" + "\n".join(parts)


def run(page: str, folder: Path, *, report: bool = False) -> str:
    """What the page's commands say. Fails with it where one of them does. ``report``: trainings write theirs, as they do."""
    here = str(Path(sys.executable).parent)
    path = os.pathsep.join(item for item in sys.path if item)
    env = {**os.environ, "PATH": f"{here}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": path, "COLUMNS": "100"}
    if not report:
        env["FITSCALE_REPORT"] = "0"
    done = subprocess.run(
        ["bash", "-c", script(page)],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, f"{page} ends with {done.returncode}:\n{done.stdout[-4000:]}"
    return done.stdout


def _written(name: str, text: str) -> str:
    return f"cat > {name} <<'END_OF_FILE'\n{text}END_OF_FILE"
