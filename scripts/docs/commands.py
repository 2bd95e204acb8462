"""docs/reference/commands.md: every command with its arguments and options, from the command line's own help."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer.main
from text import code, prose, table

from fitscale.cli.main import app

HEAD = """
# Commands

What `fitscale COMMAND --help` says. `FILE` is a workload file ([its keys](workload.md)). `RUN` is a workload file or a run
folder, and may be left out where the current folder has one run. With `--json` the record goes to stdout and what a person
reads to stderr. What a command ends with: [exit codes](exit-codes.md).
`fitscale --install-completion` teaches your shell the commands.
"""


def page() -> str:
    root: Any = typer.main.get_command(app)
    parts = [HEAD.strip(), _options(root)]
    for name in root.list_commands(None):
        parts += _command(root.get_command(None, name), f"fitscale {name}", 2)
    return "\n\n".join(part for part in parts if part)


def _command(command: Any, path: str, level: int) -> Iterator[str]:
    inner = getattr(command, "commands", {})
    yield f"{'#' * level} {path}"
    yield prose(inspect.cleandoc(command.help or ""))
    if not inner:
        yield f"```text\n{path}{_usage(command)}\n```"
    yield _options(command)
    for name, one in inner.items():
        yield from _command(one, f"{path} {name}", level + 1)


def _usage(command: Any) -> str:
    said = "".join(f" {name}" if p.required else f" [{name}]" for p in command.params if (name := _argument(p)))
    return f"{said} [options]"


def _argument(param: Any) -> str:
    if param.param_type_name != "argument":
        return ""
    return str(param.metavar or param.name.upper()) + ("…" if param.nargs == -1 or param.multiple else "")


def _options(command: Any) -> str:
    rows = []
    for param in command.params:
        if param.name in ("install_completion", "show_completion"):
            continue  # their words are typer's
        if name := _argument(param):
            rows.append([code(name), param.help or ""])
            continue
        metavar = "" if param.is_flag else f" {param.metavar}"
        default = "" if param.default in (None, False) or param.required else f" Default: {param.default}."
        needed = " Required." if param.required else ""
        rows.append([code(", ".join(param.opts) + metavar), (param.help or "") + default + needed])
    return table(["argument or option", "what for"], rows) if rows else ""
