"""``fitscale plan FILE… --team FILE``: each job as `fitscale plan` does it, then one platform for all of them."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fitscale.errors import FitscaleError, NothingMeets, NothingRuns, Resumable, UsageError

if TYPE_CHECKING:
    from fitscale.cli.saying import Out
    from fitscale.machines.prices import Role
    from fitscale.records.machine import Machine
    from fitscale.records.plan import Plan
    from fitscale.records.portfolio import Failed, Portfolio
    from fitscale.records.workload import Team

# What must be mended first, first: a defect, what only stopped, what is wrong in a file, and what the verdict is.
WORST = (1, Resumable.exit_code, 2, NothingRuns.exit_code, NothingMeets.exit_code)
ERRORS: dict[int, type[FitscaleError]] = {
    error.exit_code: error for error in (FitscaleError, Resumable, UsageError, NothingRuns, NothingMeets)
}


class Done(NamedTuple):
    """A job that is planned."""

    file: Path
    run: Path
    plan: Plan


def plan_all(
    files: Sequence[Path],
    team_file: Path | None,
    flags: Mapping[str, object],
    *,
    probe: str | None,
    trust: bool,
    json: bool,
) -> None:
    """Plan every job and show the portfolio. ``flags``: those that concern one job, which none may have.

    Raises
    ------
    UsageError
        A flag or the team file is wrong: before anything is planned.
    FitscaleError
        The worst of what happened, after everything is shown; see `WORST`.
    """
    from fitscale.cli.portfolio_screen import portfolio_screen
    from fitscale.cli.saying import Out
    from fitscale.machines.prices import roles
    from fitscale.work.hiding import hide

    for flag, value in flags.items():
        if value is not None:
            raise UsageError(f"{flag}: concerns one job; plan that one by itself, without --team")
    table = roles()
    team = _team(team_file, table)
    hide(("pandas",))  # as for one job
    out = Out(json)
    jobs = _jobs(files, team_file)
    done, failed = _plan_each(out, jobs, probe, trust, team if team_file is not None else None)
    found = _weighed(done, failed, team, table)
    out.say()
    out.lines(portfolio_screen(found, out.width))
    out.record(found)
    _end(found)


def _team(file: Path | None, table: Sequence[Role]) -> Team:
    from fitscale.machines.skills import known_roles, known_skills
    from fitscale.planning.portfolio.people import HOURS
    from fitscale.records.workload import Team
    from fitscale.workload.team import Words, load_team

    if file is None:
        return Team()
    return load_team(file, Words(known_roles(table), known_skills(table), tuple(HOURS)))


def _jobs(files: Sequence[Path], team_file: Path | None) -> list[Path]:
    """The files of jobs: ``*.yaml`` of a folder may have the team's among them, and each counts once."""
    found = {file.resolve(): file for file in files}
    if team_file is not None:
        found.pop(team_file.resolve(), None)
    if not found:
        raise UsageError(f"{team_file}: is the team file; give the workload files beside it")
    return list(found.values())


def _plan_each(
    out: Out, files: Sequence[Path], probe: str | None, trust: bool, team: Team | None
) -> tuple[list[Done], list[Failed]]:
    """One job after the other, so that none disturbs what is measured of another."""
    from fitscale.records.portfolio import Failed

    done: list[Done] = []
    failed: list[Failed] = []
    for number, file in enumerate(files, start=1):
        out.say(f"{number} of {len(files)}  {file}")
        try:
            with _settings_of_its_own():
                names = {one.plan.workload.name: one.file for one in done}
                done.append(_plan_one(out, file, names, probe, trust, team))
        except FitscaleError as error:
            failed.append(Failed(file=str(file), sentence=str(error), exit_code=error.exit_code))
        except Exception as error:  # a defect that one job meets costs the others nothing
            if os.environ.get("FITSCALE_TRACE") == "1":
                traceback.print_exception(error, file=sys.stderr)
            said = f"{file}: unexpected {type(error).__name__}: {error} (FITSCALE_TRACE=1 shows where)"
            failed.append(Failed(file=str(file), sentence=said, exit_code=FitscaleError.exit_code))
    return done, failed


def _plan_one(
    out: Out, file: Path, names: Mapping[str, Path], probe: str | None, trust: bool, team: Team | None
) -> Done:
    from fitscale.cli.finding import for_training
    from fitscale.cli.plan import planned

    found = for_training(file, None, trust=trust, probe=probe)
    name = found.workload.name
    if name in names:
        raise UsageError(f"{file}: name: '{name}' is the name of {names[name]} too; give each job one of its own")
    return Done(file, found.run, planned(out, found, str(file), team=team))


@contextmanager
def _settings_of_its_own() -> Iterator[None]:
    """What a job's project file sets is handed to its workers in the environment, and is not for the next job."""
    before = {name: value for name, value in os.environ.items() if name.startswith("FITSCALE_")}
    try:
        yield
    finally:
        for name in [name for name in os.environ if name.startswith("FITSCALE_")]:
            del os.environ[name]
        os.environ.update(before)


def _weighed(done: Sequence[Done], failed: Sequence[Failed], team: Team, table: Sequence[Role]) -> Portfolio:
    from fitscale.machines.here import detect
    from fitscale.planning.portfolio.moving import way_here, ways_there
    from fitscale.planning.portfolio.portfolio import Asked, job_of, portfolio_of
    from fitscale.store.folder import read_snapshot

    machines = _machines([one.plan for one in done])
    asked = []
    for one in done:
        job = job_of(one.plan, team, file=str(one.file), run=str(one.run))
        ways = ways_there(one.plan, read_snapshot(one.run, one.plan.snapshot), machines)
        asked.append(Asked(job, way_here(one.plan), ways))
    return portfolio_of(asked, detect(), machines, team, table, failed)


def _machines(plans: Sequence[Plan]) -> tuple[Machine, ...]:
    """Those of the catalogues that the jobs name; where none is named, all that are shipped."""
    from fitscale.machines.catalogue import catalogue

    named = dict.fromkeys(place.address for plan in plans for place in plan.workload.where if place.kind == "catalogue")
    every = (machine for address in named or [None] for machine in catalogue(address))
    return tuple({(machine.provider, machine.region, machine.name): machine for machine in every}.values())


def _end(found: Portfolio) -> None:
    """Raise the worst of what happened, if anything did."""
    codes = [failed.exit_code for failed in found.failed]
    said = []
    if found.failed:
        total = len(found.failed) + len(found.jobs)
        said.append(f"{len(found.failed)} of {total} jobs could not be planned: {found.failed[0].sentence}")
    if found.jobs and not found.meets:
        codes.append((NothingRuns if found.recommended is None else NothingMeets).exit_code)
        said.append(
            "no machine runs all jobs; 'Ruled out' says why"
            if found.recommended is None
            else "no platform keeps every frequency, deadline and budget; the verdict says which"
        )
    worst = next((code for code in WORST if code in codes), None)
    if worst is not None:
        raise ERRORS[worst]("; ".join(said))
