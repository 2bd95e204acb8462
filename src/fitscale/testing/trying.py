"""What the framework suite tries a framework on: small data for each kind of target, recipes, and fits elsewhere.

``python -m fitscale.testing.trying`` fits once in a process of its own: it reads an `Elsewhere` from standard input and
writes the payload's digest, predictions and (for laws) the modules that were imported to standard output, as JSON.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from fitscale.contracts import Feed, Fitted, Framework
from fitscale.records.base import Record
from fitscale.records.data import Folds, Shape
from fitscale.records.run import Estimator, Form, Recipe, Traits
from fitscale.testing.arrays import ArrayFeed, DirectContext

Target = Literal["binary", "multiclass", "regression"]
CLASSES: dict[Target, int] = {"binary": 2, "multiclass": 3, "regression": 0}
# Importing one of these costs what a plan that never trains should not pay.
HEAVY = frozenset({"lightgbm", "matplotlib", "pandas", "scipy", "sklearn", "statsforecast", "torch", "xgboost"})


class Case(NamedTuple):
    """An estimator and the kind of target that it is tried on."""

    estimator: Estimator
    target: Target = "binary"
    weights: bool = True  # whether it takes the weights of rows


class Elsewhere(Record):
    """What another process is to do."""

    framework: str  # module:class
    estimator: Estimator
    target: Target
    what: Literal["fit", "law"]
    form: Form = "matrix"
    rank: int = 0
    world: int = 1
    port: int = 0
    hash_seed: int = 0


def feed_for(
    case: Case,
    traits: Traits,
    *,
    form: Form = "matrix",
    missing: bool | None = None,
    weight: bool = False,
    absent: int | None = None,
    rows: int = 600,
) -> ArrayFeed:
    """Rows that the framework can take by its traits: categories only as codes, missing values only where it may.

    ``absent`` is a class that no training row has.
    """
    if traits.input == "series":
        return _series(form, rows)
    random = np.random.default_rng(5)
    X = random.standard_normal((rows, 5)).astype(np.float32)
    codes = traits.input == "codes"
    if codes:
        X[:, 4] = random.integers(0, 4, rows)
    signal = X[:, 0] - 0.8 * X[:, 1] + 0.5 * X[:, 2] * X[:, 3] + 0.3 * random.standard_normal(rows)
    classes = CLASSES[case.target]
    y = signal if classes == 0 else np.digitize(signal, np.quantile(signal, np.arange(1, classes) / classes))
    if (traits.missing == "ok") if missing is None else missing:
        X[random.random(X.shape) < 0.05] = np.nan
    fold = random.choice(np.array([0, 0, 0, 0, 1, 2], dtype=np.int8), rows)
    if absent is not None:
        fold[(fold != 2) & (y == absent)] = 2
    return ArrayFeed(
        X,
        y,
        weight=random.exponential(size=rows) ** 2 if weight else None,
        fold=fold,
        kinds=("q", "q", "q", "q", "c") if codes else None,
        categories=(0, 0, 0, 0, 4) if codes else None,
        classes=classes,
        form=form,
        batch_rows=64,
    )


def _series(form: Form, rows: int) -> ArrayFeed:
    """One with a season of six steps and some gaps, of which the last steps are kept apart."""
    random = np.random.default_rng(5)
    errors = random.standard_normal(rows)
    y = np.zeros(rows)
    for t in range(rows):
        y[t] = 0.6 * y[t - 1] * (t > 0) + np.sin(t * np.pi / 3) + errors[t]
    y[random.random(rows) < 0.02] = np.nan
    fold = np.repeat(np.array([0, 1, 2], dtype=np.int8), [rows - 60, 30, 30])
    return ArrayFeed(np.arange(rows)[:, None] * 60, y, fold=fold, names=("t",), classes=0, form=form, batch_rows=64)


def recipe_for(framework: Framework, case: Case, traits: Traits, feed: Feed, patience: int | None = None) -> Recipe:
    """As planning would make it: form and batch rows belong to it only where they may change the model."""
    other = any(traits.can.get(ability, "same") != "same" for ability in ("bins", "stream"))
    return Recipe(
        framework=framework.name,
        estimator=case.estimator,
        encoding="none",
        data="none",
        target="y",
        folds=Folds(seed=0, holdout=0.2),
        seed=11,
        segment=traits.segment,
        early_stopping=patience,
        versions=traits.versions,
        form=feed.form if other else None,
        batch_rows=feed.batch_rows if other else None,
        time="t" if traits.input == "series" else None,
        step=60 if traits.input == "series" else None,
    )


def shape_for(feed: ArrayFeed, rows: int) -> Shape:
    return Shape(
        rows=rows,
        features=len(feed.names),
        holdout_rows=rows // 4,
        validation_rows=rows // 8,
        classes=feed.classes,
        categories=sum(feed.categories),
        source_bytes=rows * 40,
    )


def predicted(framework: Framework, payload: bytes, feed: Feed, rows: int | None = None) -> np.ndarray:
    """(n, k) probabilities, or (n, 1) values, of the hold-out rows."""
    return told_by(framework, framework.load(payload), feed, rows)


def told_by(framework: Framework, native: Any, feed: Feed, rows: int | None = None) -> np.ndarray:
    """The same, of a model that is loaded."""
    scored = framework.score(native, feed.batches("holdout", rows))
    return np.concatenate([s.value[:, None] if s.proba is None else s.proba for s in scored])


def differ(a: np.ndarray, b: np.ndarray) -> float:
    """The mean absolute difference of predictions, in standard deviations of ``a``."""
    return float(np.abs(a - b).mean() / (a.std() or 1.0))


def elsewhere(jobs: Iterable[Elsewhere], *, timeout_s: float = 120.0) -> list[dict[str, Any]]:
    """Each in a process of its own, all at once; none is left running."""
    path = os.pathsep.join(p for p in sys.path if p)
    started = []
    try:
        for job in jobs:
            env = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": str(job.hash_seed), "OMP_NUM_THREADS": "1"}
            argv = [sys.executable, "-m", "fitscale.testing.trying", job.to_json()]
            started.append(subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        done = [process.communicate(timeout=timeout_s) for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()
    for process, (_, error) in zip(started, done, strict=True):
        if process.returncode:
            raise AssertionError(f"the process ended with {process.returncode}: {error[-2000:]}")
    return [json.loads(out.splitlines()[-1]) for out, _ in done]


def free_port(host: str) -> int:
    with socket.socket() as s:
        s.bind((host, 0))
        port: int = s.getsockname()[1]
        return port


def main(argv: Sequence[str]) -> None:
    job = Elsewhere.from_json(argv[0])
    module, _, name = job.framework.partition(":")
    framework: Framework = getattr(importlib.import_module(module), name)()
    case = Case(job.estimator, job.target)
    if job.what == "law":
        # The traits would import the library: those of a plain case do for the arithmetic.
        target: Literal["classifier", "regressor"] = "regressor" if job.target == "regression" else "classifier"
        plain = Traits(target=target, can={}, input="codes", missing="ok", progress="none")
        feed = feed_for(case, plain, form=job.form)
        law = framework.law(shape_for(feed, 10_000), recipe_for(framework, case, plain, feed), job.form)
        answer: dict[str, Any] = {"heavy": sorted(HEAVY & set(sys.modules)), "law": law.to_json()}
    else:
        traits = framework.traits(case.estimator)
        feed = feed_for(case, traits, form=job.form)
        with tempfile.TemporaryDirectory() as scratch:
            context = DirectContext(
                segment=traits.segment, scratch=Path(scratch), rank=job.rank, world=job.world, port=job.port
            )
            recipe = recipe_for(framework, case, traits, feed).but(ranks=job.world)
            fitted: Fitted = framework.fit(feed, recipe, None, context)
        digest = hashlib.sha256(fitted.payload).hexdigest()
        answer = {"digest": digest, "predicted": predicted(framework, fitted.payload, feed).tolist()}
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
