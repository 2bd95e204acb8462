"""What a version is worth, in this process: each of the five looked at where what it needs is there."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fitscale.errors import FitscaleError
from fitscale.metrics import metric, task_of
from fitscale.models.worth.classes import Calibrating, Confusing
from fitscale.models.worth.importance import importance_of, scored
from fitscale.models.worth.judged import Block, Judged, joined, judged_of
from fitscale.models.worth.residuals import Distances
from fitscale.models.worth.rows import Sample, sample_of
from fitscale.models.worth.segments import segments_of
from fitscale.records.worth import Worth
from fitscale.store import versions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fitscale.records.run import Manifest
    from fitscale.work.model import Model

NO_ROWS = "no row was held out: a larger evaluate.holdout keeps some"
UNREAD, UNLOADED, GONE = (
    "the rows cannot be read",
    "the model cannot be loaded",
    "what was predicted in training is gone",
)
PASSING = (UNREAD, UNLOADED, GONE)  # may be otherwise another time


def look(run: Path, version: int, *, limit_s: float, trust: bool = False, most_rows: int | None = None) -> Worth:
    """Look at a version with one model.

    Parameters
    ----------
    limit_s
        Seconds for shuffling columns. What else is done reads what was predicted once, and a bounded part of the rows.
    trust
        A pickle from elsewhere may be loaded.
    most_rows
        Of the held-out rows whose columns are read; default: bounded in cells.
    """
    began = time.monotonic()
    manifest = versions.manifest(run, version)
    bare = Worth(version=version, basis=manifest.digest, metric=manifest.metric)
    judged = judged_of(run, manifest)
    if judged is None:
        return bare.but(missing={"all of it": NO_ROWS})
    missing: dict[str, str] = {}
    sample = _sample(judged, most_rows, missing)
    model = _model(judged, trust, missing) if sample is not None or not judged.kept else None
    try:
        found = _tallied(judged, manifest, sample, model, missing)
    except (ValueError, ArithmeticError) as error:  # such as of predictions that are no numbers
        found, missing["predictions"] = {}, f"they cannot be summed up: {type(error).__name__}: {error}"
    if sample is not None and model is not None:
        recipe = judged.task.recipe
        measure = metric(manifest.metric, judged.encoding.n_classes, task_of(judged.encoding.n_classes))
        try:
            importance = importance_of(model, sample, measure, recipe.seed, limit_s)
        except Exception as error:  # the user's own code may raise anything
            importance = f"the model raises: {type(error).__name__}: {error}"
        if isinstance(importance, str):
            missing["importance"] = importance
        else:
            found["importance"] = importance
    return bare.but(
        judged=tuple(task.name for task in judged.tasks),
        kept=judged.kept,
        weighted=judged.task.recipe.weight is not None,
        sampled=0 if sample is None else len(sample.row),
        seed=judged.task.recipe.seed,
        missing=missing,
        again=any(why.startswith(PASSING) for why in missing.values()),
        seconds=round(time.monotonic() - began, 3),
        **found,
    )


def _sample(judged: Judged, most: int | None, missing: dict[str, str]) -> Sample | None:
    try:
        sample = sample_of(judged, most)
    except (FitscaleError, OSError) as error:
        missing["importance"] = missing["segments"] = f"{UNREAD}: {error}"
        return None
    if not len(sample.row):
        missing["importance"] = missing["segments"] = NO_ROWS
        return None
    return sample


def _model(judged: Judged, trust: bool, missing: dict[str, str]) -> Model | None:
    try:
        return judged.model(trust)
    except Exception as error:  # what unpickling raises is not known
        told = str(error) if isinstance(error, FitscaleError) else f"{type(error).__name__}: {error}"
        missing["importance"] = f"{UNLOADED}: {told}"
        return None


def _tallied(
    judged: Judged, manifest: Manifest, sample: Sample | None, model: Model | None, missing: dict[str, str]
) -> dict[str, object]:
    """The sections that need predictions alone, and the segments: one pass over the predictions."""
    encoding = judged.encoding
    classes, gives = encoding.n_classes, manifest.gives
    blocks: Iterable[Block]
    if judged.kept:
        rows, blocks = judged.rows(), judged.blocks()
    elif sample is not None and model is not None:
        try:
            rows, blocks = len(sample.row), [scored(model, sample)]
        except Exception as error:
            missing["predictions"] = f"the model cannot score the rows: {type(error).__name__}: {error}"
            return {}
    else:
        missing["predictions"] = f"{GONE}, and cannot be predicted again now"
        return {}
    labels = [str(label) for label in encoding.labels() or ()]
    confusing, calibrating, distances = Confusing(classes), Calibrating(classes), Distances(rows)
    calibrates = bool(classes) and gives == "probabilities"
    picked = None if sample is None else Picked(sample.row)
    seen = 0
    for block in blocks:
        seen += len(block.row)
        if classes:
            confusing.add(block)
            calibrates = calibrates and block.proba is not None
            if calibrates:
                calibrating.add(block)
        else:
            distances.add(block)
        if picked is not None:
            picked.add(block)
    found: dict[str, object] = {"held_out": seen}
    if not seen:
        missing["predictions"] = NO_ROWS
        return found
    if classes:
        found["confusion"] = confusing.result(labels)
        if calibrates:
            found["calibration"] = calibrating.result(labels[1] if classes == 2 else None)
        else:
            missing["calibration"] = f"{judged.task.recipe.estimator.path} gives no probabilities"
    else:
        found["residuals"] = distances.result()
    if picked is not None and sample is not None and (of_sample := picked.result()) is not None:
        at, block = of_sample
        measure = metric(manifest.metric, classes, task_of(classes))
        found["segments"] = segments_of(sample.table.take(at), block, measure, classes, gives)
    return found


class Picked:
    """The predictions of a sample's rows, picked out as the blocks pass."""

    def __init__(self, rows: np.ndarray) -> None:
        self._rows = rows
        self._at: list[np.ndarray] = []
        self._blocks: list[Block] = []

    def add(self, block: Block) -> None:
        at = np.searchsorted(self._rows, block.row).clip(max=len(self._rows) - 1)
        hit = np.flatnonzero(self._rows[at] == block.row)
        if len(hit):
            self._at.append(at[hit])
            self._blocks.append(block.take(hit))

    def result(self) -> tuple[np.ndarray, Block] | None:
        """(places in the sample, ascending; what was predicted of them); None where nothing was."""
        if not self._blocks:
            return None
        at = np.concatenate(self._at)
        order = np.argsort(at, kind="stable")
        return at[order], joined(self._blocks).take(order)
