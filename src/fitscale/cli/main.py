"""``fitscale``: the group of commands. A command's module is imported when it is used; its line of help stands here."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import traceback
from typing import Annotated, Any, NamedTuple

import typer
import typer.core
import typer.main

from fitscale.cli.later import refuse_command
from fitscale.errors import FitscaleError

COMMANDS = {
    "init": "Write a workload file by looking at the data.",
    "plan": "What would run, how long, in how much memory, and why.",
    "train": "Train; after any interruption the same command goes on.",
    "status": "What a run is doing, and what is left of it.",
    "predict": "Raw columns in, predictions out, by key for many models.",
    "drift": "Whether new rows still are what each model was fitted on.",
    "deploy": "Write what a rented machine needs: a container file, a SkyPilot task.",
    "export": "Write a finished version for elsewhere: native files, or ONNX.",
    "models": "List, show, compare and package models; roll back and prune versions.",
    "report": "Write a run's report, one HTML file.",
    "doctor": "What is here, what is missing, and the next step for each.",
    "machines": "This machine, measured, and those of the catalogue.",
}
INTERRUPTED = 130


class Completion(NamedTuple):
    """What a shell is offered, as typer's own classes read it."""

    value: str
    help: str
    type: str = "plain"


class Commands(typer.core.TyperGroup):
    """The commands by name, each from ``fitscale.cli.NAME``; errors end here."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        # Not through the commands either: a Tab must not import all.
        found = [Completion(name, about) for name, about in COMMANDS.items() if name.startswith(incomplete)]
        return found or super().shell_complete(ctx, incomplete)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if ctx is not None and ctx.resilient_parsing and cmd_name not in COMMANDS:
            return None  # while a line is completed, nothing is refused
        refuse_command(cmd_name)
        if cmd_name not in COMMANDS:
            return None
        command = typer.main.get_command(importlib.import_module(f"fitscale.cli.{cmd_name}").app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        # Not through the commands: the help of all must not import all.
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: Any) -> Any:
        try:
            if sys.platform != "linux":
                from fitscale.machines.here import require_linux

                require_linux()
            return super().invoke(ctx)
        except FitscaleError as error:
            raise typer.Exit(tell(error, error.exit_code)) from error
        except KeyboardInterrupt as error:
            sys.stderr.write("interrupted: what was finished is kept, and the same command goes on\n")
            raise typer.Exit(INTERRUPTED) from error
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if hasattr(error, "exit_code"):  # the command line's own: a flag that is not there
                raise
            said = f"unexpected {type(error).__name__}: {error} (FITSCALE_TRACE=1 shows where)"
            raise typer.Exit(tell(FitscaleError(said), 1, error)) from error


def tell(error: FitscaleError, code: int, cause: BaseException | None = None) -> int:
    """Write ``error: MESSAGE``, with the trace if FITSCALE_TRACE asks for it; the exit code."""
    if os.environ.get("FITSCALE_TRACE") == "1":
        traceback.print_exception(cause or error, file=sys.stderr)
    sys.stderr.write(told(f"error: {error}"))
    return code


def told(text: str) -> str:
    """The line as it is; on a terminal that is narrower, lines that end between words."""
    if not sys.stderr.isatty():
        return f"{text}\n"
    import shutil
    import textwrap

    width = max(40, shutil.get_terminal_size((100, 24)).columns)
    lines = [
        textwrap.fill(line, width, subsequent_indent=" " * 7, break_long_words=False, break_on_hyphens=False)
        for line in text.splitlines()
    ]
    return "\n".join(lines) + "\n"


app = typer.Typer(cls=Commands, rich_markup_mode=None, no_args_is_help=True, pretty_exceptions_enable=False)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        sys.stdout.write(f"fitscale {version('fitscale')}\n")
        raise typer.Exit


@app.callback()
def fitscale(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version and end.")
    ] = False,
) -> None:
    """On what, and with what, should this model be trained?

    Measures a training job on your own data, forecasts time, memory, storage and cost for every architecture that could
    run it, chooses one and says why, trains on it without losing anything, and reports forecast against actual.

    Commands that concern a run take the workload file, a run folder, or nothing where the current folder has one run.
    """


def main() -> None:
    """The entry point. Exit codes: see `fitscale.errors`; 130 for Ctrl-C."""
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)
    try:
        typer.main.get_command(app)(prog_name="fitscale")
    except KeyboardInterrupt:  # while something was being imported
        sys.stderr.write("interrupted\n")
        sys.exit(INTERRUPTED)
