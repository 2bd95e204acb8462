"""The loop of planning: candidates → probing → forecasting → deciding. This file alone calls the four.

The rules are those of the design (section 8): arithmetic floors first; what takes less than ten seconds is not probed; the
first path is begun at full size as the run's own attempt, wherever the framework keeps progress; a rival is probed only if
it could win; the budget for what is not refunded is the larger of five seconds and two hundredths of the forecast.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from fitscale.machines.contention import Contention
from fitscale.planning import deciding, forecasting, gates, probing
from fitscale.planning.candidates import candidates
from fitscale.planning.laws import law_of
from fitscale.planning.preparing import Prepared
from fitscale.records.base import Figure
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Candidate, Forecast, Law, Measurement, Plan, Refusal
from fitscale.records.run import Event, Sample

NO_PROBE_S = 10.0
BUDGET_S = 5.0
BUDGET_SHARE = 0.02
SAMPLE_S = 3.0  # a process, its imports, and fits of small parts
PLAN_BEGIN_S = 40.0  # `plan` answers within a minute: it begins at full size only what shows its pace within this


class Live(Protocol):
    """An attempt that planning looks at."""

    events: list[Event]

    @property
    def cause(self) -> str: ...


class Attempts(Protocol):
    """What `running` lets planning do."""

    def sample(self, candidate: Candidate, samples: tuple[Sample, ...]) -> Live:
        """Fit parts of the rows in a fresh process, and wait for its end."""

    def begin(self, candidate: Candidate, enough: Callable[[Sequence[Event]], bool]) -> Live:
        """Start the run's own attempt at full size, and wait until it has shown enough, or ended."""

    def park(self, live: Live) -> bool: ...

    def resume(self, live: Live) -> None: ...

    def stop(self, live: Live) -> None:
        """End it with a checkpoint."""


class Outcome(NamedTuple):
    plan: Plan
    live: Live | None  # the chosen path's attempt, begun and not ended


class Loop:
    """One planning. Holds what was measured; `run` does the work."""

    def __init__(
        self,
        prepared: Prepared,
        attempts: Attempts | None,
        machine: Machine,
        *,
        number: int = 1,
        goes_on: bool = False,
        choose: str | None = None,
        budget_s: float | None = None,
        sizes: Sequence[int] | None = None,
        elsewhere: Sequence[Machine] = (),
        measured: Sequence[Measurement] = (),
    ) -> None:
        self._prepared = prepared
        self._attempts = attempts
        self._machine = machine
        self._number = number
        self._goes_on = goes_on  # `train`: what is begun at full size is the run's own
        self._choose = choose
        self._budget_s = budget_s
        self._sizes = sizes
        self._elsewhere = elsewhere
        self._rates = forecasting.rates_of(prepared.profile, prepared.snapshot, prepared.shape)
        self._shape = prepared.shape
        self._measured: dict[tuple[str, str, str], list[tuple[Measurement, Law]]] = {}
        self._spent_s = 0.0
        self._settled = True
        self._refused: list[Refusal] = []
        self._leader: tuple[Candidate, Live] | None = None
        self._begun: Candidate | None = None  # the one whose beginning at full size was measured
        self._before = measured  # by an earlier plan

    def run(self) -> Outcome:
        """Probe what must be probed, and decide."""
        found, refused = candidates(self._prepared, self._machine, engines_for(self._choose))
        self._refused = list(refused)
        for measurement in self._before:
            if (candidate := next((c for c in found if c.path == measurement.path), None)) is not None:
                self._keep(candidate, measurement)
        alive = self._within_floors(found)
        if self._choose:
            alive = deciding.only(self._choose, alive, tuple(self._refused))
        if self._attempts is not None and alive:
            self._probe(alive)
        decision = deciding.decide(
            self._prepared.workload,
            self._machine,
            [self._assess(candidate) for candidate in found if not self._is_refused(candidate)],
            tuple(self._refused),
            choose=self._choose,
            settled=self._settled,
            elsewhere=self._compared(found),
        )
        plan = Plan(
            number=self._number,
            workload=self._prepared.workload,
            snapshot=self._prepared.snapshot.content,
            profile=self._prepared.profile,
            machine=self._machine,
            traits=self._prepared.traits,
            shape=self._shape,
            decision=decision,
            measurements=tuple(m for pairs in self._measured.values() for m, _ in pairs),
            plain_bytes=self._plain(found),
            probing_s=round(self._spent_s, 3),
        )
        return Outcome(plan, self._handed_over(decision.chosen))

    def _handed_over(self, chosen: Assessed | None) -> Live | None:
        """The live attempt if it is the chosen path's; another is stopped with its checkpoint."""
        if self._leader is None:
            return None
        candidate, live = self._leader
        if chosen is not None and chosen.candidate == candidate and self._goes_on:
            return live
        if self._attempts is not None and live.cause == "running":
            self._attempts.stop(live)
        return None

    # Floors and forecasts.

    def _law(self, candidate: Candidate) -> Law:
        return law_of(self._prepared, candidate, self._shape, self._sizes)

    def _forecast(self, candidate: Candidate) -> Forecast:
        one = forecasting.forecast(
            candidate, self._law(candidate), self._shape, self._machine,
            measured=self._measured.get(candidate.path, ()), rates=self._rates, kin=self._kin(candidate),
        )  # fmt: skip
        return forecasting.repeated(one, self._times, self._machine)

    def _kin(self, candidate: Candidate) -> tuple[Candidate, Measurement, Law] | None:
        """The leader's full-size beginning, for the other forms of the same framework with as many threads."""
        if self._begun is None or self._begun == candidate or candidate.threads != self._begun.threads:
            return None
        found = [pair for pair in self._measured.get(self._begun.path, ()) if pair[0].full_size]
        return (self._begun, *found[-1]) if found and candidate.framework == self._begun.framework else None

    @property
    def _times(self) -> float:
        """How many times the work of the first fit all fits are, by their training rows."""
        shares = [fit.share for fit in self._prepared.fits]
        return sum(shares) / shares[0]

    def _plain(self, found: Sequence[Candidate]) -> Figure | None:
        """What the plain script would hold, where the framework says it, for one model."""
        one = next((candidate for candidate in found if candidate.strategy == "in-memory"), None)
        return forecasting.plain_of(self._law(one)) if one is not None else None

    def _assess(self, candidate: Candidate) -> Assessed:
        return Assessed(candidate=candidate, forecast=self._forecast(candidate).but(done_s=self._done_s(candidate)))

    def _done_s(self, candidate: Candidate) -> float:
        """How long the run's own attempt has worked on this candidate: what another would have to catch up."""
        if not self._goes_on or self._leader is None or self._leader[0] != candidate:
            return 0.0
        return round(probing.worked_s(self._leader[1].events), 3)

    def _is_refused(self, candidate: Candidate) -> bool:
        return any(refusal.candidate == candidate for refusal in self._refused)

    def _within_floors(self, found: Sequence[Candidate]) -> list[Candidate]:
        """In the order of their forecast times; what physics or memory surely forbids is refused."""
        alive = []
        for candidate in found:
            assessed = self._assess(candidate)
            refusal = deciding.gate(assessed, self._prepared.workload, self._machine, surely=True)
            if refusal is not None:
                self._refused.append(refusal)
            else:
                alive.append((assessed.forecast.time_s.value, candidate))
        return [candidate for _, candidate in sorted(alive, key=lambda pair: pair[0])]

    # Probing.

    def _probe(self, alive: list[Candidate]) -> None:
        first = self._first_that_fits(alive)
        if first is None:
            return
        forecast = self._forecast(first)
        if forecast.time_s.value < NO_PROBE_S and not self._measured.get(first.path):
            return
        self._begin(first)
        self._rivals([c for c in alive if c != first and not self._is_refused(c)], first)

    def _first_that_fits(self, alive: Sequence[Candidate]) -> Candidate | None:
        """The fastest whose memory is sure to fit; where a prior cannot tell, parts of the rows do."""
        for candidate in alive:
            if self._fits(candidate) is None and self._budget_left() > 0:
                self._sample(candidate)
            refusal = deciding.gate(self._assess(candidate), self._prepared.workload, self._machine, surely=False)
            if refusal is None:
                return candidate
            self._refused.append(refusal)
        return None

    def _fits(self, candidate: Candidate) -> bool | None:
        """Whether its memory is admitted; None where only a measurement can tell."""
        forecast, limit = self._forecast(candidate), gates.usable_bytes(candidate, self._machine)
        if gates.p99_bytes(forecast) <= limit:
            return True
        return False if forecast.memory_bytes.low > limit else None

    def _begin(self, candidate: Candidate) -> None:
        """Begin the run itself where the framework keeps progress and its pace shows soon; else fit parts of the rows."""
        assert self._attempts is not None
        forecast = self._forecast(candidate)
        many = candidate.strategy == "many-models"
        keeps = self._prepared.traits.progress != "none" or many
        if not self._goes_on:
            law = self._law(candidate)
            setup = sum(forecast.phases.get(phase, 0.0) for phase in ("start", "read", "encode", "bin"))
            pace = forecast.phases.get("iterations", 0.0) * 5 / max(5, law.units)
            keeps = keeps and not many and setup + pace <= PLAN_BEGIN_S
        if not keeps:
            self._sample(candidate)
            return
        with _Watch() as watch:
            enough = _enough_chunks if many else probing.is_measured
            live = self._attempts.begin(candidate, enough)
        self._leader = (candidate, live)
        if many:
            rows = sum(self._sizes or ())
            found = probing.from_chunks(candidate, self._shape, live.events, watch.share, rows)
        else:
            found = probing.from_beginning(candidate, self._shape, live.events, watch.share)
        if live.cause == "memory":
            assessed = self._assess(candidate)
            self._refused.append(deciding.ended_by_memory(assessed, live.events, self._machine))
            self._leader = None
        elif found is not None:
            self._keep(candidate, found)
            self._begun = candidate
        if not self._goes_on:
            self._spent_s += watch.wall_s

    def _rivals(self, rivals: Sequence[Candidate], leader: Candidate) -> None:
        """Probe those whose optimistic bound beats the leader's pessimistic one, while the budget lasts."""
        assert self._attempts is not None
        for rival in sorted(rivals, key=lambda c: self._forecast(c).time_s.low):
            if self._choose or self._is_refused(rival) or self._measured.get(rival.path):
                continue
            if self._forecast(rival).time_s.low + SAMPLE_S >= self._forecast(leader).time_s.high - self._done_s(leader):
                continue  # even if it is as fast as it could be, looking at it costs more than it saves
            if self._budget_left() <= 0:
                self._settled = False
                return
            live = self._leader[1] if self._leader and self._goes_on else None
            if live is not None and not (live.cause == "running" and self._attempts.park(live)):
                return  # it is done already: nothing is left to choose
            if live is not None and not self._fit_together(leader, rival):
                self._attempts.stop(live)  # with a checkpoint, from which it may go on
                self._leader = live = None
            self._sample(rival)
            if live is not None:
                self._attempts.resume(live)
            refusal = deciding.gate(self._assess(rival), self._prepared.workload, self._machine, surely=False)
            if refusal is not None:
                self._refused.append(refusal)

    def _fit_together(self, leader: Candidate, rival: Candidate) -> bool:
        """Whether a probe of the rival fits beside the parked leader."""
        held = self._forecast(leader).memory_bytes.high
        base = sum(term.amount * term.prior for term in self._law(rival).memory if term.amount == 1)
        part = self._forecast(rival).memory_bytes.high / 8  # the largest sample is a sixteenth of the rows
        return held + base + part <= self._machine.memory_bytes

    def _sample(self, candidate: Candidate) -> None:
        """Fit parts of the rows, as large as the budget allows."""
        assert self._attempts is not None
        total = self._shape.rows + self._shape.holdout_rows + self._shape.validation_rows
        samples = probing.samples_of(total, self._prepared.workload.seed)
        left = self._budget_left()
        forecast_s = self._forecast(candidate).time_s.value
        affordable = [s for s in samples if forecast_s * s.rows / total <= left] or list(samples[:1])
        if not affordable or candidate.strategy == "many-models":
            return
        with _Watch() as watch:
            live = self._attempts.sample(candidate, tuple(affordable))
        self._spent_s += watch.wall_s
        if live.cause == "failed":
            self._refused.append(deciding.probe_failed(self._assess(candidate), live.events))
            return
        for found in probing.from_samples(candidate, self._shape, live.events, watch.share):
            self._keep(candidate, found)

    def _keep(self, candidate: Candidate, measurement: Measurement) -> None:
        sizes = self._sizes if candidate.strategy == "many-models" else None
        law = law_of(self._prepared, candidate, measurement.shape, sizes)
        self._measured.setdefault(candidate.path, []).append((measurement, law))
        # The sample counted what the profile could only estimate.
        if candidate.strategy != "many-models":
            self._shape = self._shape.but(features=measurement.shape.features)

    def _budget_left(self) -> float:
        forecast = (
            max((self._forecast(c).time_s.value for c in [self._leader[0]]), default=0.0) if self._leader else 0.0
        )
        budget = self._budget_s if self._budget_s is not None else max(BUDGET_S, BUDGET_SHARE * forecast)
        return budget - self._spent_s

    # Other machines.

    def _compared(self, found: Sequence[Candidate]) -> tuple[Assessed, ...]:
        """The paths on the machines of the catalogue that pass its gates: modelled, never measured there."""
        compared = []
        for candidate in found:
            if candidate.strategy == "data-parallel":
                continue
            law, forecast = self._law(candidate), self._forecast(candidate)
            shared = candidate.strategy == "many-models"
            for machine in self._elsewhere:
                cores = machine.cores
                there = candidate.but(
                    machine=machine.name, threads=1 if shared else cores, workers=cores if shared else 1
                )
                modelled = forecasting.elsewhere(
                    forecast, law, self._machine, machine, processes=there.workers / candidate.workers
                )
                assessed = Assessed(candidate=there, forecast=modelled)
                if deciding.gate(assessed, self._prepared.workload, machine, surely=False) is None:
                    compared.append(assessed)
        return tuple(compared)


def engines_for(choose: str | None) -> tuple[str, ...]:
    """The engines whose candidates are looked at: ``many-models@inline`` asks for another than processes."""
    return (choose.split("@")[1],) if choose and "@" in choose else ("process",)


class _Watch:
    """Wall time and the share of the machine that others used meanwhile."""

    def __enter__(self) -> _Watch:
        self._contention = Contention()
        self._contention.start()
        self._began = time.monotonic()
        self.wall_s = 0.0
        self.share = 0.0
        return self

    def __exit__(self, *_: object) -> None:
        self.wall_s = time.monotonic() - self._began
        self.share = self._contention.share()


def _enough_chunks(events: Sequence[Event]) -> bool:
    return sum(event.kind == "chunk" for event in events) >= 4
