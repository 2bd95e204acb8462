"""``fitscale plan FILE``; of several files, or with a team, `cli.portfolio` plans them all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fitscale.cli.completing import strategies, workload_files

if TYPE_CHECKING:
    from fitscale.cli.finding import Found
    from fitscale.cli.saying import Out
    from fitscale.records.plan import Plan
    from fitscale.records.workload import Team

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def plan(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE", help="The workload file; of several one platform is sought.", autocompletion=workload_files
        ),
    ],
    run: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run folder; default: runs/NAME beside FILE.")
    ] = None,
    where: Annotated[
        str | None, typer.Option(metavar="SQL", help="Only these rows, in place of the file's data.where.")
    ] = None,
    choose: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Plan this candidate alone.", autocompletion=strategies),
    ] = None,
    probe: Annotated[str | None, typer.Option(metavar="TIME", help="How long to probe, such as 10m.")] = None,
    what_if: Annotated[
        str | None,
        typer.Option(metavar="CHANGES", help="Decide again for rows=10x,groups=10x,deadline=30m,memory='8 GB'."),
    ] = None,
    explain: Annotated[
        str | None,
        typer.Option(
            metavar="CANDIDATE",
            help="One candidate: its forecast, its terms, or why it is refused; CANDIDATE@MACHINE: what it costs there.",
            autocompletion=strategies,
        ),
    ] = None,
    team: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Who works with the models, and what they share: plans all jobs for them.",
            autocompletion=workload_files,
        ),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Try what the scorecard has on record: train a part, export it, open it elsewhere, write the folder of deploy.",
        ),
    ] = False,
    trust: Annotated[bool, typer.Option("--trust", help="Pickles from elsewhere may be loaded.")] = False,
    json: Annotated[bool, typer.Option("--json", help="The plan, or the portfolio, as a record on stdout.")] = False,
) -> None:
    """What would run, how long, in how much memory, and why.

    Reads and measures within a minute; trains nothing to its end. What it fitted at full size is kept, and `train` goes on
    from it. Ends with 3 where nothing can run, 4 where nothing meets a must or the budget.

    --what-if and --explain answer from the measurements of the last plan.

    Several files, or --team, are a portfolio: each job is planned in its own run folder, then one platform for all of them.
    A job that cannot be planned costs the others nothing. Ends with 3 where no machine runs all jobs, 4 where none keeps
    every frequency, deadline and budget; a job that could not be planned with its own code. Of several: 1, 75, 2, 3, 4.
    """
    from fitscale.cli.finding import for_training, named
    from fitscale.cli.saying import Out
    from fitscale.errors import UsageError
    from fitscale.work.hiding import hide

    if len(files) > 1 or team is not None:
        from fitscale.cli.portfolio import plan_all

        flags: dict[str, object] = {
            "--run": run,
            "--where": where,
            "--choose": choose,
            "--what-if": what_if,
            "--explain": explain,
        }
        flags["--verify"] = verify or None
        plan_all(files, team, flags, probe=probe, trust=trust, json=json)
        return
    (file,) = files
    if "@inline" not in (choose or ""):
        hide(("pandas",))  # Arrow would import it for conveniences: half a second, before anything is read
    out = Out(json)
    found = for_training(file, run, trust=trust, probe=probe, where=where)
    if what_if is not None or explain is not None:
        if verify:
            raise UsageError(
                "--verify: --what-if and --explain answer from the last plan, and try nothing; leave it out"
            )
        _again(out, found, file, what_if, explain)
        return
    name = named(file, run, where)
    made = planned(out, found, name, choose)
    if verify:
        from fitscale.cli.verifying import verify as tried

        made = tried(out, found.run, made, trust=found.settings.trust)
    _show(out, made, name)


def planned(out: Out, found: Found, name: str, choose: str | None = None, team: Team | None = None) -> Plan:
    """Plan one job, with its progress as it goes; of a team's, with what that shares."""
    from fitscale.cli.following import Following
    from fitscale.running.planning import plan_only

    with Following(out, found.run, found.workload, name) as following:
        return plan_only(
            found.workload,
            found.run,
            choose=choose,
            probe_s=found.settings.probe_s,
            trust=found.settings.trust,
            team=team,
            ledger=Path(found.settings.ledger),
            told=following.told._replace(plan=lambda plan: None),
        )


def _again(out: Out, found: Found, file: Path, what_if: str | None, explain: str | None) -> None:
    """Answer from the last plan: nothing is read and nothing measured."""
    from fitscale.planning.again import changed, explained, read_changes
    from fitscale.store import folder

    folder.check(found.run)
    made = folder.read_plan(found.run)
    snapshot = folder.read_snapshot(found.run, made.snapshot)
    if what_if is not None:
        made = changed(made, snapshot, read_changes(what_if))
    if explain is None:
        out.say(f"What if {what_if}, by the measurements of plan {made.number}:\n")
        _show(out, made, str(file), supposed=True)
        return
    from fitscale.cli.explaining import lines_of

    answer = explained(made, snapshot, explain)
    out.lines(lines_of(answer, made, out.width))
    out.record(answer)


def _show(out: Out, plan: Plan, file: str, *, supposed: bool = False) -> None:
    """The screen and the record; raises where nothing runs, or nothing meets what must be met."""
    from fitscale.cli.screen import plan_screen
    from fitscale.errors import NothingMeets, NothingRuns

    out.lines(plan_screen(plan, out.width, file, supposed=supposed))
    out.record(plan)
    if plan.decision.chosen is None:
        raise NothingRuns("no candidate fits; 'Ruled out' says why")
    if not plan.decision.meets and not plan.decision.overridden:
        raise NothingMeets("something can run, but nothing meets what the workload says must be met")
