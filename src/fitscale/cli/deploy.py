"""``fitscale deploy FILE [MACHINE]``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fitscale.cli.completing import machines, runs_and_workloads

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fitscale.deploying.writing import Deployment
    from fitscale.records.plan import Plan

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def deploy(
    target: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="The workload file, or the run folder of its plan.", autocompletion=runs_and_workloads
        ),
    ],
    machine: Annotated[
        str | None,
        typer.Argument(
            metavar="MACHINE",
            help="A machine of the catalogue, or STRATEGY@MACHINE, or a letter of the plan's table; default: what the plan says "
            "would be better.",
            autocompletion=machines,
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the files go; default: NAME-on-MACHINE in the current folder."),
    ] = None,
    spot: Annotated[
        bool, typer.Option("--spot", help="Rent a spot machine: cheaper, and taken away at any time, with its disk.")
    ] = False,
    run: Annotated[Path | None, typer.Option(metavar="DIR", help="The run folder, where it is another one.")] = None,
    where: Annotated[
        str | None, typer.Option(metavar="SQL", help="As it was given to plan, in place of the file's data.where.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="What was written as a record on stdout.")] = False,
) -> None:
    """Write what the better place of the last plan needs: a container file and a SkyPilot task, pinned libraries, and a README.

    Nothing is rented, built or started. The forecast for that machine is modelled; time limit, memory and disk are taken from
    its upper ends. A machine that is named is taken if the plan's measurements, carried over to it, pass its gates: else the
    command ends with 3 (memory, disk) or 4 (deadline, budget).
    """
    from fitscale.cli.saying import Out
    from fitscale.deploying.target import target_of
    from fitscale.deploying.writing import deploy as written
    from fitscale.store import folder
    from fitscale.workload.spec import slug

    out = Out(json)
    place, plan = _planned(target, run, where)
    snapshot = folder.read_snapshot(place, plan.snapshot)
    found = target_of(plan, snapshot, _by_letter(plan, machine, str(target)), str(target))
    to = to if to is not None else Path(slug(f"{plan.workload.name}-on-{found.machine.name}"))
    made = written(plan, found, to, spot=spot)
    out.lines(deployed_lines(made, out.width))
    out.record(made)


def _planned(target: Path, run: Path | None, where: str | None) -> tuple[Path, Plan]:
    """The run folder, and its last plan: that of the file as it is, or whatever was planned where a run folder is given."""
    from fitscale.cli.finding import for_training, named, run_of
    from fitscale.errors import UsageError
    from fitscale.store import folder

    if not target.is_file():
        place = run_of(target, run)
        return place, folder.read_plan(place)
    found = for_training(target, run, trust=False, probe=None, where=where)
    plan = folder.read_plan(found.run)
    if found.workload != plan.workload:
        again = named(target, run, where)
        raise UsageError(f"{target}: is not what plan {plan.number} was made for; plan it again: fitscale plan {again}")
    return found.run, plan


def _by_letter(plan: Plan, machine: str | None, file: str) -> str | None:
    """The machine that a letter of the plan's table stands for; anything else as it is."""
    from fitscale.cli.screen import ways_of
    from fitscale.errors import UsageError

    ways = dict(ways_of(plan))
    if machine not in ways:
        return machine
    candidate = ways[machine].candidate
    if candidate.machine == plan.machine.name:
        raise UsageError(f"{machine} is {candidate.name} here, which needs no deployment: fitscale train {file}")
    return f"{candidate.name}@{candidate.machine}"


def deployed_lines(made: Deployment, width: int) -> list[str]:
    """The lines that a person reads."""
    from shlex import quote

    from fitscale.cli.shown import duration, size, usd, wrapped

    forecast, machine = made.forecast, made.machine
    where = "/".join(part for part in (machine.provider, machine.region) if part)
    head = (
        f"{made.candidate.name} on {machine.name}{f' ({where})' if where else ''}: {duration(forecast.time_s)}†, "
        f"{size(forecast.memory_bytes)}†"
    )
    if forecast.cost_usd is not None:
        head += f", {usd(forecast.cost_usd)} USD a run†" + (" on demand" if made.spot else "")
    moved, limit = made.moved, f"{made.limits.disk_gb} GB of disk"
    data = f"nothing is moved: {moved.uri} is read from there"
    if moved.mounts:
        data = f"{size(float(moved.bytes))} are copied when a machine is launched, and mounted: {_few(moved.mounts.values())}"
    told = (
        ("Data", data),
        (
            "Secrets",
            f"{', '.join(moved.secrets)}: by name; values are taken from the environment" if moved.secrets else "",
        ),
        ("Libraries", f"{len(made.libraries)} pinned as installed here, and fitscale itself as a wheel"),
        ("Code", f"{_few(made.code)}, and what they import" if made.code else ""),
        ("Limits", f"ended after {made.limits.ended}; {limit}" if made.launch else limit),
        ("Written", f"{made.to}: {_few(made.files)}"),
        ("Next", f"cd {quote(made.to)}; {made.launch or 'README.md says how it is started'}"),
    )
    lines = [line for name, text in told if text for line in wrapped(name, text, width)]
    return [*wrapped("", head, width, 0), *lines, "† modelled: never measured on such a machine"]


def _few(names: Iterable[str], most: int = 8) -> str:
    every = list(names)
    rest = len(every) - most
    return ", ".join(every[:most]) + (f" and {rest} more" if rest > 0 else "")
