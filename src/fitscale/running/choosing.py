"""The model of a workload that leaves it open: which of several estimators, and with which parameters. What was decided is kept.

What was decided lies in ``closing/`` and ``search/`` of the run, under digests of all that it hangs on: the same command takes it
from there; other data, another list, other libraries or ``--fresh`` decide anew. A version that is unfinished keeps what it was
begun with.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from fitscale import metrics
from fitscale.planning.exporting import exports_tried
from fitscale.planning.loop import Loop
from fitscale.planning.preparing import Prepared, with_model
from fitscale.planning.trials.comparing import decided
from fitscale.planning.trials.spaces import entries_of
from fitscale.records.base import Figure, digest_of
from fitscale.records.contest import Contest, Entrant
from fitscale.records.trials import Trial, Tried
from fitscale.records.tuning import Searched, Tuned
from fitscale.records.workload import ModelSpec, Search, Workload
from fitscale.running.command import Command
from fitscale.running.contest import compared, way_of
from fitscale.running.state import state_of
from fitscale.running.tuning import Wanted, kept, key_of, search
from fitscale.store import files, searches


def is_open(workload: Workload) -> bool:
    """Whether it is left open which model is trained."""
    return bool(workload.model.any_of or workload.model.search)


class Choosing:
    """One settling of a workload's model, for a command that holds the run."""

    def __init__(self, prepared: Prepared, command: Command) -> None:
        self._prepared = prepared
        self._command = command
        self._asked = asked_of(prepared.workload)

    def settled(self) -> Prepared:
        """The job with one estimator and its parameters. `plan` searches nothing: what that will take is in its forecast."""
        command = self._command
        begun = None if command.fresh else state_of(command.run).unfinished
        if begun is not None and begun.asked == self._asked and begun.model is not None:
            # Whatever changed since: that the data or a library did is said where the version is gone on with.
            return self._with(begun.model)
        model = self._prepared.workload.model
        if not model.any_of:
            return self._searched([model], None)
        contest = self._contest()
        passed = [k for k, one in enumerate(contest.entrants) if not one.why and k != contest.chosen]
        # Those that are left share what the others had of the budget beside them.
        left = entries_of(model.but(any_of=tuple(model.any_of[k] for k in (contest.chosen, *passed))))
        if not any(entry.search for entry in left):
            return self._with(left[0])._replace(contest=contest)
        return self._searched(list(left), contest)

    def _with(self, model: ModelSpec) -> Prepared:
        return with_model(self._prepared, model, self._command.run, trust=self._command.trust)._replace(
            asked=self._asked
        )

    # Of several.

    def _contest(self) -> Contest:
        command = self._command
        path = command.run / "closing" / f"{self._contest_key()}.json"
        found = None if command.fresh else _read(path)
        if found is None or (found.cut_short and command.goes_on):
            found = compared(
                command.run, self._prepared, command.attempts, command.machine,
                trust=command.trust, choose=command.choose, probe_s=command.probe_s, goes_on=command.goes_on,
            )  # fmt: skip
            files.replace(path, found.to_json())
        return found

    def _contest_key(self) -> str:
        """What is asked but for the searches, with the rows, the libraries, what is needed and what may be used."""
        w = self._prepared.workload
        bare = w.model.but(search=None, any_of=tuple(entry.but(search=None) for entry in w.model.any_of))
        return digest_of(
            asked_of(w.but(model=bare)), self._prepared.snapshot.content,
            repr(sorted(self._prepared.traits.versions.items())), w.needs.to_json(), *(place.to_json() for place in w.where),
        )  # fmt: skip

    # Parameters.

    def _searched(self, models: list[ModelSpec], contest: Contest | None) -> Prepared:
        wanted = self._wanted(models)
        if not wanted:  # nothing of it can run, which its plan says
            return self._with(models[0].but(search=None))._replace(contest=contest)
        known = [self._kept(one) for one in wanted]
        left = [one for one, found in zip(wanted, known, strict=True) if found is None]
        command = self._command
        if left and not command.goes_on:
            stated = Figure.exact(sum(one.budget_s for one in left if one.space.ranges), "stated")
            return self._with(models[0])._replace(contest=contest, search_s=stated)
        found = tuple(
            before or search(command.run, one, command.attempts, command.machine, trust=command.trust)
            for one, before in zip(wanted, known, strict=True)
        )
        searched = _best(found)
        spent_s = sum(one.spent_s for one in found if not one.kept)
        if spent_s:
            command.journal.append("searched", seconds=round(spent_s, 3), trials=sum(one.trials for one in found))
        took = Figure.exact(spent_s, "measured") if spent_s else None
        closed = self._with(searched.found[searched.chosen].model)
        return closed._replace(contest=contest, searched=searched, search_s=took)

    def _wanted(self, models: list[ModelSpec]) -> list[Wanted]:
        """The searches, with how trials are fitted; one that is not to be tuned is judged as it is."""
        command = self._command
        budget_s = max(model.search.budget_s or 0.0 for model in models if model.search)
        wanted = []
        for model in models:
            own = self._with(model if model.search else model.but(search=Search(budget_s=budget_s, trials=0)))
            why_not = exports_tried(own).why_not
            plan = Loop(own, None, command.machine, choose=command.choose, unexportable=why_not).run().plan
            if plan.decision.chosen is None:
                continue
            forecast, fits = plan.decision.chosen.forecast, sum(fit.share for fit in own.fits) / own.fits[0].share
            fit_s = max(0.0, forecast.time_s.value / fits - forecast.phases.get("start", 0.0))
            asked = asked_of(own.workload.but(model=model.but(search=None)))
            wanted.append(Wanted(own, way_of(plan, command.choose), fit_s, key_of(own, asked)))
        return wanted

    def _kept(self, one: Wanted) -> Tuned | None:
        command = self._command
        if command.fresh and command.goes_on:
            searches.forget(command.run, one.key)
            return None
        return kept(command.run, one.key, one.prepared)


def asked_of(w: Workload) -> str:
    """The digest of the model as it is left open, and of all in the workload that what is decided hangs on, but for its needs."""
    return digest_of(
        w.model.to_json(), w.evaluate.to_json(), w.data.features.to_json(),
        repr((w.seed, w.data.target, w.data.weight, w.data.time, w.data.use, w.allow_other)),
    )  # fmt: skip


def _read(path: Path) -> Contest | None:
    try:
        return Contest.from_json(path.read_bytes()).but(kept=True)
    except (OSError, ValidationError):  # not there, or of another version of fitscale: decided anew
        return None


def _best(found: tuple[Tuned, ...]) -> Searched:
    """Of several that were tuned, the best on the rows that guided no search; the fastest of those as good."""
    if len(found) == 1:
        return Searched(found=found, reason=found[0].reason)
    metric = next((one.metric for one in found if one.metric), "")
    entrants = [_entrant(one) for one in found]
    if all(one.judged is None for one in entrants):
        return Searched(found=found, reason="none was judged within its time: what was chosen before stays")
    by = decided(entrants, metric, 0.0, greater=metrics.greater(metric))
    return Searched(found=found, chosen=by.chosen, reason=by.reason)


def _entrant(one: Tuned) -> Entrant:
    """What was found for it, as it is compared."""
    score = one.score if one.better else one.own_score
    trial = Tried(trial=Trial(), metric=one.metric, score=score, blocks=one.blocks, seconds=one.fit_s)
    return Entrant(
        model=one.model, tried=(trial,), at=0 if score is not None else None, why=one.reason if score is None else ""
    )
