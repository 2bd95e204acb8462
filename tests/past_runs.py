"""Entries of a ledger, made by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fitscale.records.ledger import Entry, Said

HERE = "0123456789abcdef"
PATH = {"framework": "xgboost", "strategy": "in-memory", "form": "matrix"}


def said(
    value: float = 100.0, half: float = 0.1, kind: str = "parts", by: str = "train", quantity: str = "time"
) -> Said:
    """A forecast of one quantity, its half-widths as logarithms."""
    figures = {quantity: (value * math.exp(-half), value, value * math.exp(half))}
    return Said.model_validate({"by": by, "kind": kind, "figures": figures})


def entry(took: float = 100.0, *told: Said, quantity: str = "time", **changes: Any) -> Entry:
    """A run that took so long, or so much."""
    given = {"at": 1.8e9, "machine": HERE, **PATH, "rows": 1000, "features": 20, "cells": 20_000.0}
    forecasts = told or (said(quantity=quantity),)
    return Entry.model_validate({**given, "said": forecasts, "actual": {quantity: took}, **changes})


def runs(residuals: Sequence[float], half: float = 0.1, quantity: str = "time", **changes: Any) -> list[Entry]:
    """Runs whose logarithm of actual over forecast is given; each was forecast as something else."""
    found = []
    for k, residual in enumerate(residuals):
        value = 10.0 * (1 + k % 7)
        found.append(
            entry(value * math.exp(residual), said(value, half, quantity=quantity), quantity=quantity, **changes)
        )
    return found
