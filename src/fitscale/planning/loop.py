"""The loop of planning: candidates → probing → forecasting → deciding. This file alone calls the four.

The rules are those of the design (section 8): arithmetic floors first; what takes less than ten seconds is not probed; the
first path is begun at full size as the run's own attempt, wherever the framework keeps progress; a rival is probed only if
it could win; the budget for what is not refunded is the larger of five seconds and two hundredths of the forecast, and
for `plan`, which refunds nothing to anybody, the larger of fifteen seconds and that.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from fitscale.machines.contention import Contention
from fitscale.planning import probing
from fitscale.planning.candidates import candidates
from fitscale.planning.considered.considerations import considered
from fitscale.planning.costs.monthly import priced
from fitscale.planning.decision import deciding, gates
from fitscale.planning.decision.settling import NO_PROBE_S
from fitscale.planning.decision.sureness import sureness_of
from fitscale.planning.forecasts.sizes import outline_of
from fitscale.planning.known import Known
from fitscale.planning.preparing import Prepared
from fitscale.planning.scoring.card import scorecard_of
from fitscale.planning.tree.measures import Circumstances
from fitscale.planning.tree.path import with_path
from fitscale.planning.wording import PRIORS
from fitscale.records.ledger import Calibration
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Candidate, Decision, Measurement, Plan, Refusal
from fitscale.records.run import Event, Sample
from fitscale.records.scorecard import Facts

LEAST_PROBES = 8  # chunks that are there to probe, see `running.tasks`
BUDGET_S = 5.0
PLAN_BUDGET_S = (
    15.0  # of 10 GB two hundredths let one part of 0.2 % be fitted, and the answer was one within a factor of three
)
BUDGET_SHARE = 0.02
SAMPLE_S = 3.0  # a process, its imports, and fits of small parts
PLAN_PROBE_S = 30.0  # `plan` answers within a minute, and a probe may take longer than it was thought to
# The run's own beginning, where its pace changes: nothing of it is lost. A share of what all will take, within these seconds.
LOOK_SHARE, LEAST_LOOK_S, LOOK_S, PLAN_LOOK_S = 0.1, 2.0, 15.0, 8.0
LEAST_UNITS = 5  # that are done before a beginning has surely shown its pace
PLAN_BEGIN_S = 40.0  # `plan` answers within a minute: it begins at full size only what shows its pace within this


class Live(Protocol):
    """An attempt that planning looks at."""

    events: list[Event]

    @property
    def cause(self) -> str: ...


class Attempts(Protocol):
    """What `running` lets planning do."""

    def sample(
        self, candidate: Candidate, samples: tuple[Sample, ...], thought_s: Sequence[float], within_s: float
    ) -> Live:
        """Fit parts of the rows in a fresh process; after the first, those that will be done within this time.

        ``thought_s``: what each is thought to take, of which the first may take another multiple than was thought.
        """

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
    """One planning; `run` does the work. What was measured, and what follows from it, is in `known`."""

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
        largest: str = "",
        elsewhere: Sequence[Machine] = (),
        measured: Sequence[Measurement] = (),
        refuted: Sequence[Refusal] = (),
        settled: bool = True,
        unexportable: str | None = None,
        looks: bool = False,
        calibration: Calibration = Calibration(),  # noqa: B008 (a frozen record)
        facts: Facts = Facts(),  # noqa: B008 (a frozen record)
        begin_s: float | None = None,
    ) -> None:
        self._prepared = prepared
        self._workload = prepared.workload
        self._attempts = attempts
        self._machine = machine
        self._number = number
        self._goes_on = goes_on  # `train`: what is begun at full size is the run's own
        self._choose = choose
        self._budget_s = budget_s
        self._largest = largest  # which group
        self._elsewhere = elsewhere
        self._before = measured  # by an earlier plan
        self._refuted = refuted  # by what was tried then
        self._looks = looks  # whatever it costs: what is measured stands for more
        self._facts = facts
        # Of `plan`: it begins at full size only what shows its pace within this.
        self._begin_s = PLAN_BEGIN_S if begin_s is None else begin_s
        self._unexportable = unexportable  # why no model of the workload can be had in a format that it needs
        self._known = Known(prepared, machine, sizes, calibration)
        self._refused: list[Refusal] = []
        self._leader: tuple[Candidate, Live] | None = None
        self._spent_s = 0.0
        self._settled = settled

    def run(self) -> Outcome:
        """Probe what must be probed, and decide; then what the plan says beside its decision."""
        found, decision = self.decided()
        sureness = sureness_of(
            decision, self._workload, self._machine, untried=self._untried, spent_s=self._spent_s, facts=self._facts
        )
        decision = with_path(decision, self.circumstances(found))
        plan = self._plan(found, decision.but(sureness=sureness))
        plan = priced(plan.but(considerations=considered(plan)), self._elsewhere)
        return Outcome(plan.but(scorecard=scorecard_of(plan)), self._handed_over(decision.chosen))

    def decided(self) -> tuple[Sequence[Candidate], Decision]:
        """The candidates, and the decision alone."""
        found, refused = candidates(self._prepared, self._machine, engines_for(self._choose))
        self._refused = list(refused)
        if self._unexportable is not None:
            sentence = self._unexportable
            self._refused += [Refusal(candidate=candidate, sentence=sentence, gate="export") for candidate in found]
            found = ()
        found = (*found, *self._with_fewer_workers(found))
        self._known.recall(found, self._before)
        self._refused += [refusal for refusal in self._refuted if refusal.candidate in found]
        alive = self._within_floors(found)
        if self._choose:
            alive = deciding.only(self._choose, alive, tuple(self._refused))
        if self._attempts is not None and alive:
            self._probe(alive)
        return found, deciding.decide(
            self._workload,
            self._machine,
            [self._assess(candidate) for candidate in found if not self._is_refused(candidate)],
            tuple(self._refused),
            choose=self._choose,
            settled=self._settled,
            elsewhere=self._known.elsewhere(found, self._elsewhere),
            facts=self._facts,
        )

    def circumstances(self, found: Sequence[Candidate]) -> Circumstances:
        """What the decision tree asks about: every candidate by all that is known of it, whether it is refused or not."""
        ways = [(self._known.assess(candidate), self._known.law(candidate)) for candidate in found]
        groups = self._prepared.profile.groups
        return Circumstances(self._workload, self._machine, groups.n if groups else 1, ways, self._elsewhere)

    def _plan(self, found: Sequence[Candidate], decision: Decision) -> Plan:
        prepared = self._prepared
        return Plan(
            number=self._number,
            workload=self._workload,
            snapshot=prepared.snapshot.content,
            profile=prepared.profile,
            machine=self._machine,
            traits=prepared.traits,
            shape=self._known.shape,
            decision=decision,
            facts=self._facts,
            measurements=self._known.measurements,
            calibration=self._known.calibration,
            plain_bytes=self._known.plain(found),
            probing_s=round(self._spent_s, 3),
            staging=prepared.staging,
            stage=prepared.stage,
            cut=prepared.cut,
            sizes=outline_of(self._known.sizes or ()),
            contest=self._prepared.contest,
            searched=self._prepared.searched,
            search_s=self._prepared.search_s,
            curve=self._prepared.curve,
        )

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

    # Gates.

    def _assess(self, candidate: Candidate) -> Assessed:
        """With how long the run's own attempt has worked on it: what another would have to catch up."""
        own = self._leader is not None and self._goes_on and self._leader[0] == candidate
        return self._known.assess(candidate, self._leader[1].events if own and self._leader else ())

    def _is_refused(self, candidate: Candidate) -> bool:
        return any(refusal.candidate == candidate for refusal in self._refused)

    def _passes(self, candidate: Candidate, *, surely: bool = False) -> bool:
        """Whether the gates let it through; a refusal is kept."""
        refusal = deciding.gate(self._assess(candidate), self._workload, self._machine, surely=surely)
        if refusal is not None:
            self._refused.append(self._with_group(refusal))
        return refusal is None

    def _with_group(self, refusal: Refusal) -> Refusal:
        """Whose memory it is that one worker does not have."""
        if refusal.gate != "memory" or refusal.candidate.strategy != "many-models":
            return refusal
        rows, which = max(self._known.sizes or (self._known.shape.largest_group,)), self._largest or "the largest group"
        return refusal.but(sentence=f"{refusal.sentence} ({which} alone has {rows:,} rows)")

    def _with_fewer_workers(self, found: Sequence[Candidate]) -> list[Candidate]:
        """Where the largest group is too much for one of several workers, as many as may leave room for it."""
        fewer = []
        for candidate in found:
            while candidate.is_grouped and candidate.workers > 1 and not self._fits(candidate):
                candidate = candidate.but(workers=candidate.workers // 2)
            if candidate not in found and self._fits(candidate) is not False:
                fewer.append(candidate)
        return fewer

    def _within_floors(self, found: Sequence[Candidate]) -> list[Candidate]:
        """In the order of their forecast times; what physics or memory surely forbids is refused."""
        alive = [candidate for candidate in found if self._passes(candidate, surely=True)]
        return sorted(alive, key=lambda candidate: self._known.forecast(candidate).time_s.value)

    # Probing.

    def _probe(self, alive: list[Candidate]) -> None:
        first = self._first_that_fits(alive)
        if first is None:
            return
        if not self._looks and self._most_s(first) < NO_PROBE_S and not self._known.is_measured(first):
            return
        self._begin(first)
        self._rivals([c for c in alive if c != first and not self._is_refused(c)], first)

    def _most_s(self, candidate: Candidate) -> float:
        """What it may take; of many models, of which a few cost next to nothing to fit, at most."""
        work, time_s = self._known.work_s(candidate), self._known.forecast(candidate).time_s
        return work + (time_s.high - time_s.value if candidate.is_grouped else 0.0)

    def _first_that_fits(self, alive: Sequence[Candidate]) -> Candidate | None:
        """The fastest whose memory is sure to fit; where a prior cannot tell, parts of the rows do."""
        for candidate in alive:
            if self._fits(candidate) is None and self._budget_left(candidate) > 0:
                self._settle_memory(candidate)
            if not self._is_refused(candidate) and self._passes(candidate):
                return candidate
        return None

    def _settle_memory(self, candidate: Candidate) -> None:
        """Fit parts of the rows: where it is not thought to fit, first the smallest, which may be enough to know."""
        if self._is_thought_too_large(candidate):
            samples = self._parts(coarse=True)
            if not samples or not self._fit_parts(candidate, samples[:1]) or self._is_thought_too_large(candidate):
                return
        self._sample(candidate)

    def _is_thought_too_large(self, candidate: Candidate) -> bool:
        held = self._known.forecast(candidate).memory_bytes.value
        return held > gates.usable_bytes(candidate, self._machine)

    def _fits(self, candidate: Candidate) -> bool | None:
        """Whether its memory is admitted; None where only a measurement can tell."""
        forecast, limit = self._known.forecast(candidate), gates.usable_bytes(candidate, self._machine)
        if gates.p99_bytes(forecast) <= limit:
            return True
        return False if forecast.memory_bytes.low > limit else None

    def _begin(self, candidate: Candidate) -> None:
        """Begin the run itself where that shows its pace soon; else fit parts of the rows."""
        assert self._attempts is not None
        many = candidate.is_grouped
        if not self._shows_its_pace(candidate):
            # What was named is not compared: `train` has nothing to learn, while whoever plans asks what it will take.
            if not self._goes_on or self._choose is None or self._budget_s is not None:
                self._sample(candidate)
            return
        abreast = self._abreast(candidate)
        with _Watch() as watch:
            law, most_s = self._known.law(candidate), LOOK_S if self._goes_on else PLAN_LOOK_S
            most_s = max(LEAST_LOOK_S, min(most_s, LOOK_SHARE * self._known.work_s(candidate)))
            enough = partial(probing.is_measured, abreast=abreast, law=law, most_s=most_s)
            live = self._attempts.begin(candidate, _enough_chunks if many else enough)
        if not self._goes_on:
            self._spent_s += watch.wall_s
        if live.cause == "memory":
            self._refused.append(deciding.ended_by_memory(self._assess(candidate), live.events, self._machine))
            return
        self._leader = (candidate, live)
        shape, rows = self._known.shape, sum(self._known.sizes or ())
        found = (
            probing.from_chunks(candidate, shape, live.events, watch.share, rows)
            if many
            else probing.from_beginning(candidate, shape, live.events, watch.share, abreast)
        )
        if found is not None:
            self._known.keep(candidate, found)
            self._known.begun = candidate

    def _abreast(self, candidate: Candidate) -> int:
        """How many units are worked on at once: parts by all threads, of one process or of several."""
        return candidate.threads if self._prepared.traits.progress == "parts" else 1

    def _shows_its_pace(self, candidate: Candidate) -> bool:
        """Whether the framework tells of its progress; for `plan`, whether it also does so within the time that a plan may take."""
        many = candidate.is_grouped
        if self._is_sampled:
            return False  # the rows are not there yet
        units = self._known.law(candidate).units
        tells = self._prepared.traits.progress != "none" and units > 1
        if self._goes_on:
            return many or tells
        if many:
            sizes = self._known.sizes  # None: the rows are not cut, and there is nothing to begin
            return sizes is not None and self._one_s(candidate, max(sizes) / sum(sizes)) <= self._begin_s
        if not tells:
            return False
        phases = self._known.forecast(candidate).phases
        least = max(LEAST_UNITS, 3 * self._prepared.traits.together * self._abreast(candidate))
        setup = sum(phases.get(phase, 0.0) for phase in ("start", "read", "encode", "bin"))
        return setup + phases.get("iterations", 0.0) * min(1.0, least / units) <= self._begin_s

    def _one_s(self, candidate: Candidate, share: float) -> float:
        """What a group with this share of the rows takes: chunks are seconds long, but no group is cut in two."""
        return self._known.work_s(candidate) * candidate.workers * share

    def _rivals(self, rivals: Sequence[Candidate], leader: Candidate) -> None:
        """Probe those whose optimistic bound beats the leader's pessimistic one, while the budget lasts."""
        assert self._attempts is not None
        for rival in sorted(rivals, key=lambda c: self._known.forecast(c).time_s.low):
            if self._choose or self._is_refused(rival) or self._known.is_measured(rival):
                continue
            if rival.ranks > 1 and leader.ranks <= 1:
                continue  # they share this machine's cores, and exchange what one process has: where that fits, it is faster
            ahead = self._assess(leader).forecast
            if self._known.forecast(rival).time_s.low + SAMPLE_S >= ahead.time_s.high - ahead.done_s:
                continue  # even if it is as fast as it could be, looking at it costs more than it saves
            if self._budget_left(leader) <= 0:
                self._settled = False
                return
            live = self._leader[1] if self._leader else None  # two at once would each show the pace of a shared machine
            if live is not None and not (live.cause == "running" and self._attempts.park(live)):
                return  # it is done already: nothing is left to choose
            if live is not None and not self._fit_together(leader, rival):
                self._attempts.stop(live)  # with a checkpoint, from which it may go on
                self._leader = live = None
            self._sample(rival, wary=True)
            if live is not None:
                self._attempts.resume(live)
            if not self._is_refused(rival):
                self._passes(rival)

    @property
    def _is_sampled(self) -> bool:
        stage = self._prepared.stage
        return stage is not None and stage.sampled > 0

    def _fit_together(self, leader: Candidate, rival: Candidate) -> bool:
        """Whether a probe of the rival fits beside the parked leader."""
        held = self._known.forecast(leader).memory_bytes.high
        base = sum(term.amount * term.prior for term in self._known.law(rival).memory if term.amount == 1)
        part = self._known.forecast(rival).memory_bytes.high / 8  # the largest sample is a sixteenth of the rows
        return held + base + part <= self._machine.memory_bytes

    def _sample(self, candidate: Candidate, *, wary: bool = False) -> None:
        """Fit parts of the rows, as large as the budget allows.

        ``wary``: what is forecast already is not worth more than the budget; a part costs what the law says, which of a wide
        table is more than its share of the rows, and where the smallest is too much there is none.
        """
        assert self._attempts is not None
        if candidate.is_grouped:
            return
        left, whole_s = self._budget_left(candidate), self._known.work_s(candidate)
        samples, total = self._parts(coarse=whole_s / 64 > left), self._everything
        costs = [self._known.part_s(candidate, s.rows) if wary else whole_s * s.rows / total for s in samples]
        sums = itertools.accumulate(costs)
        affordable = [s for s, all_s in zip(samples, sums, strict=True) if all_s <= left]
        if not affordable and wary:  # what a kin of it showed at full size stands
            self._settled = self._settled and self._known.forecast(candidate).source != PRIORS
            return
        affordable = affordable or list(samples[:1])
        if not affordable or not self._fit_parts(candidate, affordable):
            return
        # What the smaller showed may be less than what it was thought to take.
        larger = samples[len(affordable) : len(affordable) + 1]
        start_s = self._known.forecast(candidate).phases.get("start", 0.0)
        if larger and start_s + self._known.part_s(candidate, larger[0].rows) <= self._budget_left(candidate):
            self._fit_parts(candidate, larger)

    @property
    def _everything(self) -> int:
        """All rows, whichever they are for."""
        shape = self._known.shape
        return shape.rows + shape.holdout_rows + shape.validation_rows

    def _parts(self, *, coarse: bool) -> tuple[Sample, ...]:
        """The parts of the rows that could be fitted, in rising order."""
        there = self._prepared.reader.rows if self._is_sampled else self._everything
        third = self._budget_s is not None or not self._goes_on
        return probing.samples_of(self._everything, self._workload.seed, there=there, coarse=coarse, third=third)

    def _untried(self, candidate: Candidate) -> tuple[tuple[int, float], ...] | None:
        """The parts of the rows that a probe could still fit, larger than those that were: rows, and seconds from its start.

        None: not known, of groups and where the rows are not all there.
        """
        if candidate.is_grouped or self._is_sampled:
            return None
        forecast, known, seed = self._known.forecast(candidate), self._known, self._workload.seed
        sizes = [s.rows for s in probing.samples_of(self._everything, seed, third=True)]
        tried, start_s = 1.01 * forecast.probed * self._everything, forecast.phases.get("start", 0.0)
        return tuple((rows, start_s + known.part_s(candidate, rows)) for rows in sizes if rows > tried)

    def _fit_parts(self, candidate: Candidate, samples: Sequence[Sample]) -> bool:
        """Fit these parts of the rows in a process, and keep what they showed; False where they failed."""
        assert self._attempts is not None
        with _Watch() as watch:
            thought_s = [max(0.01, self._known.part_s(candidate, sample.rows)) for sample in samples]
            live = self._attempts.sample(candidate, tuple(samples), thought_s, self._budget_left(candidate))
        self._spent_s += watch.wall_s
        if live.cause == "failed":
            self._refused.append(deciding.probe_failed(self._assess(candidate), live.events))
            return False
        for found in probing.from_samples(candidate, self._known.shape, live.events, watch.share):
            self._known.keep(candidate, found)
        return True

    def _budget_left(self, leader: Candidate) -> float:
        """Seconds that may still be spent on what is not refunded: by the forecast of what leads."""
        if self._budget_s is not None:
            return self._budget_s - self._spent_s
        least_s, most_s = (BUDGET_S, math.inf) if self._goes_on else (PLAN_BUDGET_S, PLAN_PROBE_S)
        whole_s = self._known.work_s(self._leader[0] if self._leader else leader)
        return min(most_s, max(least_s, BUDGET_SHARE * whole_s)) - self._spent_s


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
    """All that are there to probe, or four of those that are not."""
    chunks = [event for event in events if event.kind == "chunk"]
    probes = sum("timed_rows" in event.data for event in chunks)
    return probes >= LEAST_PROBES or len(chunks) - probes >= 4
