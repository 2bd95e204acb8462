"""docs/reference/strategies.md: which estimator can be trained how, what survives a kill, and what it costs in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from text import code, table

from fitscale.planning.candidates import MANY_MODELS, ONE_MODEL, form_of
from fitscale.records.data import Folds, Shape
from fitscale.records.plan import Law
from fitscale.records.run import Estimator, Recipe, Traits
from fitscale.registry import framework_of

ROWS, COLUMNS, PROCESSES = 1_000_000, 30, 2

HEAD = f"""
# Strategies: what survives a kill, and what it takes

How a model can be trained depends on its library and on its parameters. This page asks the frameworks: what is not in a
table cannot be, and `fitscale plan` says so with a sentence.

* **Result**: the model against the one that is fitted in memory: *same* is the same bytes, *equivalent* within a tolerance
  that the tests state, *other* another model, which is only trained where the workload has `allow_other: true`.
* **After a kill** the same command goes on. Checkpoints are written each ten seconds (`FITSCALE_CHECKPOINT_S`), and more
  rarely where writing one takes so long that this would cost more than two hundredths of the time; only what came after
  the last one is done again. What says *begins anew* keeps nothing of an unfinished fit.
* **Memory** is the peak that the plan assumes before anything is measured, of {ROWS:,} training rows × {COLUMNS} columns, two
  classes (or values), nothing missing, {PROCESSES} cores, and the parameters shown (the library's own where none are); *a further
  row* is what each row more adds, all of its {COLUMNS} columns together. Models of deep trees grow with the rows: they are in it.

[Many models](../many-models.md), one for each group, are kept chunk by chunk, whatever fits them: a chunk is about two
seconds of work. They are not in the tables; each takes what one of its size takes in memory.
"""

NOTES = """
## Notes

* **Forests.** A tree depends on nothing but the rows and its own seed, which scikit-learn draws in the order of the trees. In
  memory the threads of one process grow them, a few at a time, over one matrix. By parts, processes that are forked from the
  one that read the rows grow them with one thread each, share its matrix, and keep a few trees at a time in files: a kill loses at
  most what was being grown, and trees are not held while others grow. Both give the bytes of one plain fit.
* **Histogram boosting** is one fit, as without fitscale. To cut it into several by `warm_start` would bin the rows again and
  ask all earlier trees anew each time. Its rounds are seen from inside, and only a fit that goes on after a kill bins once more.
* **Pipelines**, searches, bagging, stacking and all others that fit something inside keep nothing of an unfinished fit; nor do
  linear models, nearest neighbours and kernels, whose solvers say nothing while they work.
* **Early stopping by the estimator's own parameters** is gone on with where its rounds are judged by its loss
  (`HistGradientBoosting` as it is); `n_iter_no_change` of `GradientBoosting` begins anew.
"""


class Asked(NamedTuple):
    path: str
    params: dict[str, Any] = {}


ESTIMATORS = {
    "XGBoost": [Asked("xgboost.XGBClassifier")],
    "LightGBM": [Asked("lightgbm.LGBMClassifier")],
    "scikit-learn": [
        Asked("sklearn.ensemble.HistGradientBoostingClassifier"),
        Asked("sklearn.ensemble.GradientBoostingClassifier"),
        Asked("sklearn.ensemble.RandomForestClassifier", {"max_depth": 12}),
        Asked("sklearn.ensemble.RandomForestClassifier", {"max_depth": 12, "oob_score": True}),
        Asked("sklearn.ensemble.ExtraTreesRegressor", {"max_depth": 12}),
        Asked("sklearn.ensemble.BaggingClassifier"),
        Asked("sklearn.linear_model.LogisticRegression"),
        Asked("sklearn.linear_model.Ridge"),
        Asked("sklearn.linear_model.SGDClassifier"),
        Asked("sklearn.linear_model.SGDClassifier", {"shuffle": False, "tol": None, "max_iter": 20}),
        Asked("sklearn.naive_bayes.GaussianNB"),
        Asked("sklearn.neural_network.MLPClassifier"),
        Asked("sklearn.neighbors.KNeighborsClassifier"),
    ],
    "The smallest, for trials": [Asked("baseline.Classifier")],
}


def page() -> str:
    parts = [HEAD.strip()]
    for title, asked in ESTIMATORS.items():
        rows = [row for one in asked for row in _rows(one)]
        parts += [
            f"## {title}",
            table(["estimator", "strategy", "result", "after a kill", "memory", "a further row"], rows),
        ]
    strategies = ", ".join(code(arrangement.strategy) for arrangement in (*ONE_MODEL, *MANY_MODELS))
    parts += [NOTES.strip(), f"The strategies: {strategies}."]
    return "\n\n".join(parts)


def _rows(asked: Asked) -> Iterator[list[str]]:
    estimator = Estimator(path=asked.path, params=asked.params)
    framework = framework_of(asked.path)()
    traits: Traits = framework.traits(estimator)
    estimator = estimator.but(params=traits.params)
    given = ", ".join(f"{name}={value}" for name, value in asked.params.items())
    short = asked.path if asked.path.count(".") < 2 else asked.path.rpartition(".")[2]
    name = code(short + (f"({given})" if given else ""))
    for arrangement in ONE_MODEL:
        if arrangement.ability not in traits.can:
            continue
        strategy = arrangement.strategy
        form = form_of(strategy, traits)
        shape = Shape(
            rows=ROWS,
            features=COLUMNS,
            classes=2 if traits.target == "classifier" else 0,
            threads=1 if strategy == "data-parallel" else PROCESSES,
            ranks=PROCESSES if strategy == "data-parallel" else 1,
            parts=PROCESSES if strategy == "parts-and-merge" else 0,
        )
        recipe = Recipe(
            framework=framework.name, estimator=estimator, encoding="", data="", target="y", folds=Folds(seed=0)
        )
        law = framework.law(shape, recipe, form)
        held = _held(law) * shape.ranks
        more = _held(framework.law(shape.but(rows=2 * ROWS), recipe, form)) * shape.ranks - held
        yield [
            name, strategy, traits.can[arrangement.ability], _kept(strategy, traits, law),
            f"{held / 1e6:,.0f} MB", f"{more / ROWS:,.0f} B",
        ]  # fmt: skip
        name = ""


def _held(law: Law) -> float:
    return max(sum(term.amount * term.prior for term in terms) for terms in (law.memory, law.end))


def _kept(strategy: str, traits: Traits, law: Law) -> str:
    """What of an unfinished fit is there after a kill."""
    if strategy == "parts-and-merge":
        return f"keeps about {traits.together} trees at a time" if traits.together > 1 else "keeps each tree"
    if traits.progress == "none" or law.units <= 1 or not law.keeps:
        return "begins anew"
    # A stream counts batches, of which its passes are made.
    unit = "trees" if traits.progress == "parts" else "batches" if law.units > traits.units else traits.progress
    step = f", at multiples of {traits.segment}" if traits.segment > 1 else ""
    return f"goes on from the {unit} of the last checkpoint{step}"
