"""How much of the data is enough, on the page: the sentence, the curve, and what each share would lose."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "planning"))
import handmade_runs as handmade
from curves import WHOLE, tried, truths

from fitscale.planning.trials.ladder import decided
from fitscale.report import write
from fitscale.store import folder


def test_the_page_shows_the_curve_and_the_shares(tmp_path: Path) -> None:
    """Each share has its row, and what is taken is lit; a plan without a curve has no such section."""
    run = handmade.one_model(tmp_path / "run")
    assert "How much of the data is enough" not in write(run).read_text()
    rng = np.random.default_rng(3)
    curve = decided(tried(truths(rng)["power law"], rng), WHOLE, tolerance=0.02, settled=True, seconds=12.3)
    plan = folder.read_plan(run)
    (run / "plans" / "001.json").write_text(plan.but(curve=curve).to_json())
    section = write(run).read_text().partition("How much of the data is enough")[2].partition("</section>")[0]
    assert "of the rows give roc_auc within 0.02 of all of them" in section
    assert "learning curve: " in section
    assert "<svg" in section
    assert section.count('class="chosen"') == 1
    assert all(f"{level.rows:,}" in section for level in curve.levels)
