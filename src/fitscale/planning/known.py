"""What planning knows so far: the laws of the paths, what was measured of them, and the forecasts that follow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fitscale.planning import probing
from fitscale.planning.decision.elsewhere import comparable, there
from fitscale.planning.forecasts import forecasting
from fitscale.planning.forecasts.calibrating import calibrated
from fitscale.planning.forecasts.grouped import joined_bytes
from fitscale.planning.forecasts.laws import groups_s, law_of
from fitscale.planning.forecasts.pacing import pace_of
from fitscale.planning.preparing import Prepared
from fitscale.records.base import Figure
from fitscale.records.ledger import Calibration
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Candidate, Forecast, Law, Measurement
from fitscale.records.run import Event


class Known:
    """Grows with each measurement; every forecast is of all that is known when it is asked for."""

    def __init__(
        self,
        prepared: Prepared,
        machine: Machine,
        sizes: Sequence[int] | None,
        calibration: Calibration = Calibration(),  # noqa: B008 (a frozen record)
    ) -> None:
        self.prepared = prepared
        self.calibration = calibration
        self.machine = machine
        self.sizes = sizes  # rows of each group
        self.shape = prepared.shape
        self.begun: Candidate | None = None  # the one whose beginning at full size was measured
        self.stage = prepared.stage
        staged = prepared.staging.bytes if prepared.staging else round(self.stage.bytes.value) if self.stage else 0
        self._rates = forecasting.rates_of(
            prepared.profile, prepared.snapshot, prepared.shape,
            staged_bytes=staged, staged_there=prepared.staging is not None, imputes=prepared.traits.missing == "impute",
        )  # fmt: skip
        self._measured: dict[tuple[str, str, str], list[tuple[Measurement, Law]]] = {}

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        return tuple(m for pairs in self._measured.values() for m, _ in pairs)

    def is_measured(self, candidate: Candidate) -> bool:
        return bool(self._measured.get(candidate.path))

    def keep(self, candidate: Candidate, measurement: Measurement) -> None:
        """Remember what an attempt showed of the candidate's path."""
        many = candidate.is_grouped
        if measurement.timed:
            rows, took = zip(*measurement.timed, strict=True)
            by_law = groups_s(self.prepared, candidate, measurement.shape, rows)
            measurement = measurement.but(pace=pace_of(np.array(by_law), np.array(took)))
        law = law_of(self.prepared, candidate, measurement.shape, self.sizes if many else None)
        self._measured.setdefault(candidate.path, []).append((measurement, law))
        if not many:  # a fit counts what the profile could only estimate
            self.shape = self.shape.but(features=measurement.shape.features)

    def recall(self, found: Sequence[Candidate], measurements: Sequence[Measurement]) -> None:
        """Keep what was measured before, in a shape that has what it counted already."""
        shape = self.shape
        for measurement in measurements:
            candidate = next((c for c in found if c.path == measurement.path), None)
            if candidate is not None:
                self.keep(candidate, measurement)
                if measurement.full_size:
                    self.begun = candidate
        self.shape = shape

    def law(self, candidate: Candidate) -> Law:
        """How the cost of the candidate's path grows, at full size."""
        return law_of(self.prepared, candidate, self.shape, self.sizes)

    def forecast(self, candidate: Candidate) -> Forecast:
        """Of all fits that the workload asks for, as past runs on this machine move it."""
        one = forecasting.forecast(
            candidate, self.law(candidate), self.shape, self.machine,
            measured=self._measured.get(candidate.path, ()), rates=self._rates, kin=self._kin(candidate),
        )  # fmt: skip
        whole = forecasting.repeated(one, self._times, self.machine)
        shape = self.shape
        cut = self.prepared.cut if candidate.is_grouped else None
        held = max(cut.held_bytes if cut else 0.0, joined_bytes(shape)) if candidate.is_grouped else 0.0
        full = forecasting.with_before(whole, self._before, self.machine, shape.source_bytes, held)
        full = full if cut is None else forecasting.with_partition(full, cut)
        return calibrated(full, candidate, self.calibration, self.machine)

    def work_s(self, candidate: Candidate) -> float:
        """What it would take once the rows are staged and cut: what probing can save of."""
        return max(0.0, self.forecast(candidate).time_s.value - sum(figure.value for figure in self._before.values()))

    def part_s(self, candidate: Candidate, rows: int) -> float:
        """What one fit on so many of the rows would take, in a process that is there already.

        By the law: of a wide table a tenth of the rows may take half of the time.
        """
        whole = self.shape
        part = whole.times(rows / max(1, whole.rows + whole.holdout_rows + whole.validation_rows))
        found = forecasting.forecast(
            candidate, law_of(self.prepared, candidate, part, self.sizes), part, self.machine,
            measured=self._measured.get(candidate.path, ()), rates=self._rates, kin=self._kin(candidate),
        )  # fmt: skip
        return found.time_s.value - found.phases.get("start", 0.0)

    def assess(self, candidate: Candidate, own: Sequence[Event] = ()) -> Assessed:
        """The candidate with its forecast; ``own`` are the events of the run's own attempt, where it is on this candidate."""
        return Assessed(
            candidate=candidate, forecast=self.forecast(candidate).but(done_s=round(probing.worked_s(own), 3))
        )

    def plain(self, found: Sequence[Candidate]) -> Figure | None:
        """What the plain script would hold, where the framework says it, for one model."""
        one = next((candidate for candidate in found if candidate.strategy == "in-memory"), None)
        return forecasting.plain_of(self.law(one)) if one is not None else None

    def elsewhere(self, found: Sequence[Candidate], machines: Sequence[Machine]) -> tuple[Assessed, ...]:
        """The paths on other machines, of which each passes that machine's gates: modelled, never measured there."""
        own = [Assessed(candidate=candidate, forecast=self.forecast(candidate)) for candidate in found]
        ways = [(one, self.law(one.candidate)) for one in comparable(own)]
        workload, here = self.prepared.workload, self.machine
        placed = (there(one, law, workload, here, machine) for one, law in ways for machine in machines)
        return tuple(assessed for assessed, refusal in placed if refusal is None)

    @property
    def _before(self) -> dict[str, Figure]:
        """What is done once, before any fit."""
        stage = self.stage.seconds if self.stage else None
        cut = self.prepared.cut.seconds if self.prepared.cut else None
        found = {"stage": stage, "cut": cut, "search": self.prepared.search_s}
        return {phase: figure for phase, figure in found.items() if figure}

    @property
    def _times(self) -> float:
        """How many times the work of the first fit all fits are, by their training rows."""
        shares = [fit.share for fit in self.prepared.fits]
        return sum(shares) / shares[0]

    def _kin(self, candidate: Candidate) -> tuple[Candidate, Measurement, Law] | None:
        """What was begun at full size, for the other forms of the same framework with as many threads."""
        begun = self.begun
        if begun is None or begun == candidate or candidate.threads != begun.threads or candidate.is_grouped:
            return None  # of groups nothing is taken over but what was measured of them
        found = [pair for pair in self._measured.get(begun.path, ()) if pair[0].full_size]
        return (begun, *found[-1]) if found and candidate.framework == begun.framework else None
