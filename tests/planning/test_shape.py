"""What is known of a fit's size before anything is fitted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fitscale.planning.preparing import prepare
from fitscale.workload import parse

CLASSIFIER, REGRESSOR = "xgboost.XGBClassifier", "xgboost.XGBRegressor"


@pytest.mark.parametrize(("estimator", "classes", "known"), [(CLASSIFIER, 6, 6), (CLASSIFIER, 2, 2), (REGRESSOR, 0, 0)])
def test_the_profile_counts_the_classes(estimator: str, classes: int, known: int, tmp_path: Path) -> None:
    """Boosting grows a tree for each of them in every round: six classes were forecast to take a third of what they take."""
    document: dict[str, Any] = {
        "name": "shape",
        "data": {"uri": f"synthetic://?rows=3000&columns=4&classes={classes}", "target": "y"},
        "model": {"estimator": estimator},
    }
    assert prepare(parse(document, file=None, folder=tmp_path), tmp_path / "run").shape.classes == known
