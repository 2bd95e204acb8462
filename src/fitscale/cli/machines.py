"""``fitscale machines``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fitscale.cli.completing import catalogues

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fitscale.records.machine import Machine

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def machines(
    catalogue: Annotated[
        str | None,
        typer.Option(
            metavar="WHICH",
            help="Rented ones: aws, aws/us-east-1, or a table of your own (.csv).",
            autocompletion=catalogues,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The machines as records on stdout.")] = False,
) -> None:
    """This machine, measured; and with --catalogue those that can be rented, with the date of their prices."""
    from fitscale.cli.saying import Out
    from fitscale.machines.catalogue import catalogue as rented_of
    from fitscale.machines.here import detect
    from fitscale.machines.speed import with_speeds

    out = Out(json)
    rented = rented_of(catalogue) if catalogue is not None else ()
    here = with_speeds(detect(), Path("."))
    out.lines(here_lines(here, out.width))
    if rented:
        out.lines(["", *rented_lines(rented)])
    out.record(
        {"format": 1, "here": here.model_dump(mode="json"), "catalogue": [m.model_dump(mode="json") for m in rented]}
    )


def here_lines(here: Machine, width: int) -> list[str]:
    """This machine, with what was noticed of it."""
    from fitscale.cli.shown import size, tagged, wrapped

    lines = tagged(f"Here: {here.cores} cores, {size(here.memory_bytes)} of memory to be used", here.origin, width)
    lines += wrapped(
        "", f"{here.cpu}, {here.arch}" + (f", {here.clock_ghz:.1f} GHz" if here.clock_ghz else ""), width, 6
    )
    read, write, copy = here.disk_read_bytes_per_s, here.disk_write_bytes_per_s, here.memory_bytes_per_s
    disk = f"disk reads {size(read)}/s cold, writes {size(write)}/s" if read and write else "disk speed not measured"
    free = f", {size(here.disk_free_bytes)} free" if here.disk_free_bytes is not None else ""
    lines += wrapped("", disk + free, width, 6)
    if copy and here.cpu_ns:
        lines += wrapped(
            "", f"memory {size(copy)}/s by one thread; {here.cpu_ns:.2f} ns for one step of the loop", width, 6
        )
    for note in here.notes:
        lines += wrapped("", note, width, 6)
    return lines


def rented_lines(rented: Sequence[Machine]) -> list[str]:
    """The table, cheapest first."""
    from fitscale.cli.shown import columns, size

    rows = [
        [
            machine.name,
            "/".join(part for part in (machine.provider, machine.region) if part),
            str(machine.cores),
            size(machine.memory_bytes),
            f"{machine.gpus} × {machine.gpu}" if machine.gpus else "",
            f"{machine.usd_per_hour:.4g}" if machine.usd_per_hour is not None else "",
            machine.as_of,
        ]
        for machine in sorted(rented, key=lambda m: (m.usd_per_hour or 0.0, m.name))
    ]
    return columns(rows, ["machine", "where", "vCPUs", "memory", "accelerators", "USD/h", "as of"], "235")
