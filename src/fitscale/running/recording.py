"""A finished version → one line of the ledger: what was forecast of it, and what came.

What the time of a run was is told where it can be: of a version that one `train` began and finished, with nothing killed. What
`plan` had fitted before is counted as if this command had done it, by its own pace; a version that a second `train` went on with
has no time, as the wait between and what was done twice are no part of any forecast. Its memory counts all the same.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fitscale.machines.contention import Contention
from fitscale.machines.here import fingerprint
from fitscale.planning.forecasts.calibrating import calibration_of
from fitscale.records.base import Figure
from fitscale.records.ledger import Calibration, Entry, Quantity, Range, Said
from fitscale.records.plan import Candidate, Forecast, Plan
from fitscale.running.actual import CUT_OFF, Actual, AttemptActual, actual_of
from fitscale.running.state import Begun
from fitscale.store import folder, journal, ledger, versions

WORKED = ("fit", "groups", "finish")  # attempts whose CPU seconds are forecast
PAID = (*WORKED, "partition", "export")  # and those whose time is
ENDED_BADLY = ("killed", "memory", CUT_OFF)
MOST_BEFORE = 0.5  # of a fit: where `plan` had done more, the pace of the rest tells too little
KEPT = ("matrix", "frame")  # forms that keep nothing on the disk which is gone when a run ends


class PastRuns:
    """The user's ledger, as one command uses it. What is wrong with it is told once, and costs the command nothing."""

    def __init__(self, path: Path | None, note: Callable[[str], None]) -> None:
        self._path = path
        self._note = note
        self._told = False
        self._others = Contention().start()

    def calibration(self) -> Calibration:
        """What the runs that are there say; nothing where there is no ledger."""
        if self._path is None:
            return Calibration()
        found = ledger.read(self._path, fingerprint())
        if found.problem:
            self._tell(f"cannot be read ({found.problem}): past runs say nothing of this one")
        return calibration_of(found.entries, found.elsewhere, found.skipped)

    def remember(self, run: Path, begun: Begun, epoch: int, *, began_here: bool) -> None:
        """Add a version that is finished. ``began_here``: by the command of this epoch, and not by one before it."""
        if self._path is None:
            return
        try:
            entry = entry_of(run, begun, epoch, began_here=began_here)
            if entry is not None:
                share = round(max(entry.contention, self._others.share()), 3)
                ledger.append(self._path, entry.but(contention=share))
        except OSError as error:
            self._tell(f"cannot be written ({error.strerror or error}): this run is not in it")
        except Exception as error:  # whatever it is: the models are there
            self._tell(f"does not have this run ({type(error).__name__}: {error})")

    def _tell(self, what: str) -> None:
        if not self._told:
            self._told = True
            self._note(f"the ledger of past runs, {self._path}, {what}; FITSCALE_LEDGER names another file")


def entry_of(run: Path, begun: Begun, epoch: int, *, began_here: bool) -> Entry | None:
    """The line of a version; None where nothing was fitted for it, or nothing forecast.

    Raises
    ------
    UsageError
        If its plan cannot be read.
    """
    actual = actual_of(run, begun.version)
    made = folder.read_plan(run, begun.plan)
    promised = forecast_of(made, begun.candidate)
    if actual is None or not actual.fitted or promised is None or promised.kind is None:
        return None
    # A time that tuning was given is no forecast, and would make the others look better than they are.
    said = [said_of(promised, "train", without=("time",) if made.search_s is not None else ())]
    before = _planned(run, begun, made)
    if before is not None and before[0].kind is not None:
        # What `plan` staged is in its own forecast, and is not done again by `train`.
        staged = before[1].stage is not None and made.stage is None
        said.insert(0, said_of(before[0], "plan", without=("time",) if staged else ()))
    shape = made.shape
    return Entry(
        at=round(time.time()),
        machine=fingerprint(),
        framework=begun.candidate.framework,
        strategy=begun.candidate.strategy,
        form=begun.candidate.form,
        rows=shape.rows,
        features=shape.features,
        groups=shape.groups,
        cells=float(shape.cells),
        said=tuple(one for one in said if one.figures),
        actual=_actual(run, begun, actual, epoch, began_here=began_here),
        contention=round(max((m.contention for m in made.measurements), default=0.0), 3),
        commands=actual.commands,
        interrupted=actual.killed,
    )


def forecast_of(plan: Plan, candidate: Candidate) -> Forecast | None:
    """What a plan promised of a candidate that may run."""
    decision = plan.decision
    known = [*([decision.chosen] if decision.chosen else []), *decision.alternatives]
    return next((a.forecast for a in known if a.candidate == candidate), None)


def said_of(forecast: Forecast, by: str, without: Sequence[str] = ()) -> Said:
    """The figures of a forecast, as it was shown and as it was before past runs moved it."""
    shown: dict[Quantity, Figure | None] = {
        "time": forecast.time_s, "cpu": forecast.cpu_s, "memory": forecast.memory_bytes, "storage": forecast.storage_bytes,
    }  # fmt: skip
    figures = {name: _range(figure) for name, figure in shown.items() if figure is not None and name not in without}
    raw = {name: _range(figure) for name, figure in forecast.raw.items() if name in figures}
    return Said.model_validate({"by": by, "kind": forecast.kind, "figures": figures, "raw": raw})


def _range(figure: Figure) -> Range:
    low, value, high = (float(f"{x:.6g}") for x in (figure.low, figure.value, figure.high))
    return low, value, high


def _planned(run: Path, begun: Begun, made: Plan) -> tuple[Forecast, Plan] | None:
    """What the last `plan` before it said of the same way, of the same workload and data."""
    number: int | None = None
    for event in journal.replay(run):
        if event["kind"] == "plan":
            number = int(event["number"])
        elif event["kind"] == "version-begun" and event["begun"].get("plan") == begun.plan:
            break
    if number is None or number == begun.plan:
        return None
    planned = folder.read_plan(run, number)
    forecast = forecast_of(planned, begun.candidate)
    is_same = planned.workload == made.workload and planned.snapshot == made.snapshot
    return (forecast, planned) if forecast is not None and is_same else None


def _actual(run: Path, begun: Begun, actual: Actual, epoch: int, *, began_here: bool) -> dict[Quantity, float]:
    found: dict[Quantity, float] = {}
    own = [a for a in actual.attempts if a.name.startswith(f"{epoch}-") and a.kind != "probe"]
    worked = [a for a in own if a.kind in WORKED]
    more = _before(run, own)
    if began_here and more is not None and not any(a.cause in ENDED_BADLY or not a.phases for a in worked):
        cut = [
            a for a in actual.attempts if a.kind == "partition" and a not in own
        ]  # by `plan`, and in either forecast
        stage = actual.phases.get("stage")
        wall = sum(a.wall_s for a in (*own, *cut) if a.kind in PAID) + (stage.wall_s if stage else 0.0)
        found["time"] = wall + more[0]
        found["cpu"] = sum(phase.cpu_s for a in worked for phase in a.phases.values()) + more[1]
    # Of several candidates, where memory ended the first: what that held by then, which is the least that it needed.
    held = [a.peak_bytes for a in actual.attempts if a.kind in WORKED and a.candidate == begun.candidate.name]
    found["memory"] = float(max(held, default=0))
    if begun.candidate.form in KEPT and _is_alone(run, begun.version):
        found["storage"] = float(_kept_bytes(run))
    return {name: float(f"{value:.6g}") for name, value in found.items() if value > 0}


def _before(run: Path, own: Sequence[AttemptActual]) -> tuple[float, float] | None:
    """(wall, CPU) seconds of the fits that an earlier `plan` had done, by the pace of this command's; None: too many to tell."""
    fits = [a for a in own if a.kind in ("fit", "groups")]
    if not fits:
        return None
    order = folder.read_order(run, fits[0].name)
    if fits[0].kind == "fit":
        done, total = fits[0].resumed_units or 0, fits[0].units or 1
        share = done / max(1, total)
    else:
        task = folder.read_task(run, order.task)
        share = 1 - sum(task.chunks[k].rows for k in order.chunks) / max(1, sum(chunk.rows for chunk in task.chunks))
    if share > MOST_BEFORE:
        return None
    of_task = [a for a in fits if folder.read_order(run, a.name).task == order.task] if share else []
    phases = [a.phases["iterations"] for a in of_task if "iterations" in a.phases]
    times = share / (1 - share)
    return sum(phase.wall_s for phase in phases) * times, sum(phase.cpu_s for phase in phases) * times


def _is_alone(run: Path, version: int) -> bool:
    """Whether all that the run folder holds is this version's: no other, no task of another recipe, no frame of a session."""
    tasks = {path.name for path in (run / "tasks").iterdir()}
    own = {recipe.digest for recipe in versions.manifest(run, version).recipes.values()}
    return versions.numbers(run) == [version] and tasks == own and not (run / "live").exists()


def _kept_bytes(run: Path) -> int:
    """Bytes of all files, each once however many names it has."""
    return sum({(about.st_dev, about.st_ino): about.st_size for about in _files(run)}.values())


def _files(run: Path) -> Iterator[os.stat_result]:
    for at, _, names in os.walk(run):
        for name in names:
            try:
                yield os.lstat(os.path.join(at, name))
            except OSError:
                continue
