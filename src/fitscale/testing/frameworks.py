"""The suite that every framework passes. It asks for abilities through the traits, never for names.

    class TestMine(FrameworkSuite):
        framework = MyFramework
        cases = {"trees": Case(Estimator(path="mine.Trees", params={"n_trees": 12}))}

Give each case enough units for two checkpoints, so that resuming is tried.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest

from fitscale.contracts import Fitted, Framework, Stopped
from fitscale.errors import WorkloadError
from fitscale.records.plan import Law, Term
from fitscale.records.run import Estimator, Form, Recipe, Traits
from fitscale.testing.arrays import ArrayFeed, DirectContext
from fitscale.testing.trying import (
    Case,
    Elsewhere,
    differ,
    elsewhere,
    feed_for,
    free_port,
    predicted,
    recipe_for,
    shape_for,
    told_by,
)

ABILITIES = frozenset({"whole", "bins", "stream", "groups", "parts", "ranks", "session"})
PHASES = frozenset({"start", "read", "encode", "bin", "iterations", "score", "export", "save"})


class Tried:
    """One case of one framework, ready to be fitted."""

    def __init__(self, framework: Framework, case: Case, scratch: Path) -> None:
        self.framework = framework
        self.case = case
        self.scratch = scratch
        self.traits: Traits = framework.traits(case.estimator)
        self.whole: Form = "frame" if self.traits.input == "raw" else "matrix"

    def feed(self, form: Form | None = None, **data: object) -> ArrayFeed:
        return feed_for(self.case, self.traits, form=form or self.whole, **data)  # type: ignore[arg-type]

    def recipe(self, feed: ArrayFeed, patience: int | None = None) -> Recipe:
        return recipe_for(self.framework, self.case, self.traits, feed, patience)

    def context(self, stop_after: int | None = None) -> DirectContext:
        return DirectContext(segment=self.traits.segment, scratch=self.scratch, stop_after=stop_after)

    def fit(self, feed: ArrayFeed, patience: int | None = None, context: DirectContext | None = None) -> Fitted:
        return self.framework.fit(feed, self.recipe(feed, patience), None, context or self.context())

    def law(self, rows: int, form: Form) -> Law:
        feed = self.feed(form)
        return self.framework.law(shape_for(feed, rows), self.recipe(feed), form)

    def elsewhere(self, what: Literal["fit", "law"], **more: Any) -> Elsewhere:
        """The same case for another process."""
        module = f"{type(self.framework).__module__}:{type(self.framework).__name__}"
        job = Elsewhere(framework=module, estimator=self.case.estimator, target=self.case.target, what=what)
        return job.but(**{"form": self.whole, **more})

    def forms(self) -> list[tuple[str, Form]]:
        """(ability, form) of all that one process can do, in memory first."""
        by: dict[str, Form] = {"whole": self.whole, "bins": "bins", "stream": self.traits.stream_form}
        return [(ability, form) for ability, form in by.items() if ability in self.traits.can]

    def kept(self) -> list[Form]:
        """The forms that keep progress: whose law has more units than one segment."""
        if self.traits.progress == "none":
            pytest.skip("it keeps no progress")
        laws = {form: self.law(600, form) for _, form in self.forms()}
        forms = [form for form, law in laws.items() if law.keeps and law.units > self.traits.segment]
        assert forms, "give the case more units than one segment"
        return forms


class FrameworkSuite:
    """Subclass it, and name the framework and its cases."""

    framework: ClassVar[type[Framework]]
    cases: ClassVar[Mapping[str, Case]]
    tolerance: ClassVar[float] = 0.2  # of an *equivalent* result: mean difference in standard deviations

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "tried" in metafunc.fixturenames and metafunc.cls is not None:
            metafunc.parametrize("tried", list(metafunc.cls.cases), indirect=True)

    @pytest.fixture
    def tried(self, request: pytest.FixtureRequest, tmp_path: Path) -> Tried:
        return Tried(self.framework(), self.cases[request.param], tmp_path)

    # what it says of itself

    def test_it_fulfils_the_protocol(self) -> None:
        """All that the contract names is there."""
        assert isinstance(self.framework(), Framework)

    def test_traits_are_known_and_repeatable(self, tried: Tried) -> None:
        """Abilities are those of the contract, and asking twice gives the same answer."""
        traits = tried.traits
        assert traits.can
        assert set(traits.can) <= ABILITIES
        assert traits.units >= 1
        assert traits.segment >= 1
        assert traits == tried.framework.traits(tried.case.estimator)
        assert Traits.from_json(traits.to_json()) == traits
        assert set(traits.versions) >= set(tried.framework.needs)  # beside them, what a framework numbers of its own

    def test_an_unknown_parameter_is_refused_by_name(self, tried: Tried) -> None:
        """A misspelt parameter is an error of the workload, at its place, before anything is read."""
        params = {**tried.case.estimator.params, "no_such_parameter": 1}
        with pytest.raises(WorkloadError, match="no_such_parameter") as error:
            tried.framework.traits(tried.case.estimator.but(params=params))
        assert error.value.place == "model.params"

    def test_an_unknown_estimator_is_refused_by_name(self, tried: Tried) -> None:
        """A class that is not there is an error of the workload, at its place."""
        path = tried.case.estimator.path.rpartition(".")[0] + ".NoSuchEstimator"
        with pytest.raises(WorkloadError, match="NoSuchEstimator") as error:
            tried.framework.traits(Estimator(path=path))
        assert error.value.place == "model.estimator"

    # its law

    def test_law_is_pure_and_finite(self, tried: Tried) -> None:
        """The same shape has the same law; amounts and priors are finite, none negative, no floor above its prior."""
        for _, form in tried.forms():
            for rows in (0, 1, 5_000, 10**9):
                law = tried.law(rows, form)
                assert law == tried.law(rows, form)
                assert set(law.time) <= PHASES
                assert law.units >= 1
                for term in _terms(law):
                    assert 0 <= term.amount < math.inf, term
                    assert 0 <= term.floor <= term.prior < math.inf, term

    def test_more_rows_are_never_cheaper(self, tried: Tried) -> None:
        """Time, memory and storage by the priors do not fall as rows are added."""
        for _, form in tried.forms():
            before: dict[str, float] = {}
            for rows in (100, 1_000, 3_000, 50_000, 10**6, 10**8):
                now = _totals(tried.law(rows, form))
                for name, total in before.items():
                    assert now[name] >= total * (1 - 1e-9), (form, rows, name)
                before = now

    def test_law_imports_nothing_heavy(self, tried: Tried) -> None:
        """Planning evaluates laws of libraries that are not installed."""
        assert elsewhere([tried.elsewhere("law")])[0]["heavy"] == []

    # fitting and scoring

    def test_what_was_fitted_scores_every_row(self, tried: Tried) -> None:
        """Payloads are bytes; each row gets a prediction, in order; probabilities are shares of all the classes."""
        feed = tried.feed()
        context = tried.context()
        fitted = tried.fit(feed, context=context)
        assert isinstance(fitted.payload, bytes)
        assert set(context.phases) <= PHASES
        parts = list(tried.framework.score(tried.framework.load(fitted.payload), feed.batches("holdout")))
        assert np.array_equal(np.concatenate([s.row for s in parts]), feed.matrix("holdout").row)
        value = np.concatenate([s.value for s in parts])
        assert value.dtype == np.float64
        assert np.isfinite(value).all()
        if feed.classes:
            assert set(np.unique(value)) <= set(range(feed.classes))
        for scores in parts:
            if scores.proba is not None:
                assert scores.proba.shape == (len(scores.row), feed.classes)
                assert scores.proba.dtype == np.float64
                assert np.allclose(scores.proba.sum(axis=1), 1.0, atol=1e-5)

    def test_what_a_fit_hands_over_scores_as_what_it_kept(self, tried: Tried) -> None:
        """To the last bit: of many models nobody reads a payload again before it is delivered."""
        feed = tried.feed()
        fitted = tried.fit(feed)
        if fitted.native is None:
            pytest.skip("it hands nothing over")
        told = told_by(tried.framework, fitted.native, feed)
        assert np.array_equal(told, predicted(tried.framework, fitted.payload, feed))

    def test_progress_is_told_unit_by_unit(self, tried: Tried) -> None:
        """Units count up to what the traits promise, and the payload says how many it took."""
        if tried.traits.progress == "none":
            pytest.skip("it keeps no progress")
        context = tried.context()
        fitted = tried.fit(tried.feed(), context=context)
        units = [at for at, _ in context.reported]
        assert units == sorted(set(units))
        assert units[-1] == fitted.units <= tried.traits.units

    def test_batches_are_scored_as_the_whole(self, tried: Tried) -> None:
        """A row's prediction does not depend on the rows beside it."""
        feed = tried.feed()
        payload = tried.fit(feed).payload
        whole = predicted(tried.framework, payload, feed, 10_000)
        assert np.allclose(predicted(tried.framework, payload, feed, 7), whole, rtol=1e-6, atol=1e-9)

    def test_a_class_without_training_rows_keeps_its_column(self, tried: Tried) -> None:
        """Probabilities stand under the codes of the target, also where training rows lack one."""
        if tried.case.target != "multiclass":
            pytest.skip("a matter of several classes")
        feed = tried.feed(absent=1)
        payload = tried.fit(feed).payload
        for scores in tried.framework.score(tried.framework.load(payload), feed.batches("holdout")):
            assert set(np.unique(scores.value)) <= {0.0, 1.0, 2.0}
            if scores.proba is not None:
                assert scores.proba.shape[1] == 3
                assert (scores.proba[:, 1] < 0.5).all()

    def test_weights_change_the_model(self, tried: Tried) -> None:
        """Weights of rows are not dropped."""
        if not (tried.case.weights and tried.traits.weights):
            pytest.skip("it takes no weights")
        feed, weighted = tried.feed(), tried.feed(weight=True)
        plain = predicted(tried.framework, tried.fit(feed).payload, feed)
        assert differ(plain, predicted(tried.framework, tried.fit(weighted).payload, feed)) > 0

    def test_missing_values_are_taken(self, tried: Tried) -> None:
        """Where the traits say that missing values are ok, rows that have nothing else get a prediction too."""
        if tried.traits.missing != "ok" or tried.traits.input == "series":
            pytest.skip("missing values are filled before it sees them, or its rows have no features")
        feed = tried.feed(missing=True)
        payload = tried.fit(feed).payload
        empty = feed.matrix("holdout")
        empty.X[:] = np.nan
        (scores,) = tried.framework.score(tried.framework.load(payload), [empty])
        assert np.isfinite(scores.value).all()

    # the same bytes

    def test_the_same_fit_gives_the_same_bytes(self, tried: Tried) -> None:
        """Recipe and rows fix the payload."""
        assert tried.fit(tried.feed()).payload == tried.fit(tried.feed()).payload

    def test_every_form_gives_what_it_declares(self, tried: Tried) -> None:
        """*same* is the same bytes as in memory, whatever the batches; *equivalent* is within the tolerance."""
        if "whole" not in tried.traits.can:
            pytest.skip("there is no in-memory fit to compare with")
        weight = tried.case.weights and tried.traits.weights
        reference = tried.fit(tried.feed(weight=weight)).payload
        for ability, form in tried.forms()[1:]:
            for batch_rows in (50, 10_000):
                feed = tried.feed(weight=weight).as_form(form, batch_rows)
                payload = tried.fit(feed).payload
                if tried.traits.can[ability] == "same":
                    assert payload == reference, (form, batch_rows)
                elif tried.traits.can[ability] == "equivalent":
                    a, b = (predicted(tried.framework, p, feed) for p in (reference, payload))
                    assert differ(a, b) <= self.tolerance, (form, batch_rows)

    @pytest.mark.parametrize("patience", [None, 3])
    def test_a_resumed_fit_gives_the_same_bytes(self, tried: Tried, patience: int | None) -> None:
        """From every checkpoint, with and without early stopping, in every form."""
        if patience and not tried.traits.early_stopping:
            pytest.skip("it does not judge validation rows")
        for form in tried.kept():
            feed = tried.feed(form)
            context = tried.context()
            fitted = tried.fit(feed, patience, context)
            assert context.checkpoints, form
            for units, state in context.checkpoints.items():
                later = context.resumed(units)
                again = tried.framework.fit(feed, tried.recipe(feed, patience), state, later)
                assert again == fitted, (form, units)
                assert later.scores() == context.scores(), (form, units)

    def test_a_stopped_fit_leaves_a_usable_checkpoint(self, tried: Tried) -> None:
        """`Stopped` comes through, and what was saved before it leads to the same model."""
        feed = tried.feed(tried.kept()[0])
        context = tried.context(stop_after=1)
        with pytest.raises(Stopped):
            tried.fit(feed, context=context)
        ((units, state),) = context.checkpoints.items()
        assert tried.framework.fit(feed, tried.recipe(feed), state, context.resumed(units)) == tried.fit(feed)

    def test_early_stopping_reports_each_unit(self, tried: Tried) -> None:
        """One score, under one name, after each unit; the model ends with its best one."""
        if not tried.traits.early_stopping:
            pytest.skip("it does not judge validation rows")
        context = tried.context()
        fitted = tried.fit(tried.feed(), 2, context)
        (history,) = context.scores().values()
        assert history[fitted.units - 1] == max(history)
        assert 0 <= len(history) - fitted.units <= 2

    def test_payloads_do_not_depend_on_the_process(self, tried: Tried) -> None:
        """Another process with another hash seed writes the same bytes as this one."""
        (other,) = elsewhere([tried.elsewhere("fit", hash_seed=1)])
        assert other["digest"] == hashlib.sha256(tried.fit(tried.feed()).payload).hexdigest()

    def test_all_ranks_have_the_same_model(self, tried: Tried) -> None:
        """Two ranks end with the same bytes, equivalent to those of one process."""
        if "ranks" not in tried.traits.can:
            pytest.skip("it does not share a fit between ranks")
        port = free_port("127.0.0.2")
        jobs = [tried.elsewhere("fit", form="shard", rank=rank, world=2, port=port) for rank in range(2)]
        one, two = elsewhere(jobs)
        assert one["digest"] == two["digest"]
        feed = tried.feed()
        alone = predicted(tried.framework, tried.fit(feed).payload, feed)
        assert differ(alone, np.array(one["predicted"])) <= self.tolerance


def _terms(law: Law) -> list[Term]:
    return [*(term for terms in law.time.values() for term in terms), *law.memory, *law.storage]


def _totals(law: Law) -> dict[str, float]:
    parts = {**law.time, "memory": law.memory, "storage": law.storage}
    return {name: sum(term.amount * term.prior for term in terms) for name, terms in parts.items()}
