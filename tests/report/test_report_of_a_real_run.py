"""From a workload to its page, with nothing written by hand."""

from __future__ import annotations

import html
import re
from pathlib import Path

from fitscale.report import actual_of, write
from fitscale.running.training import train
from fitscale.store import journal
from fitscale.workload.spec import load


def test_a_trained_workload_has_a_page(tmp_path: Path) -> None:
    """Score, times and memory of the page are those of manifest, journal and events."""
    file = tmp_path / "small.yaml"
    file.write_text(
        "name: small\n"
        "data: {uri: 'synthetic://?rows=3000&columns=4&groups=12', target: y, groups: [group]}\n"
        "model: {estimator: baseline.Classifier, params: {passes: 2}}\n"
    )
    run = tmp_path / "run"
    trained = train(load(file), run)
    actual = actual_of(run, 1)
    assert actual is not None
    ends = [event for event in journal.replay(run) if event["kind"] in ("command", "version-finished")]
    assert abs(actual.wall_s - (ends[-1]["at"] - ends[0]["at"])) < 0.01
    assert actual.peak_bytes == max(e["peak"] for e in journal.replay(run) if e["kind"] == "attempt-ended")
    assert actual.wall_s > actual.work_s > sum(phase.wall_s for phase in actual.phases.values()) > 0
    text = write(run).read_text()
    said = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())
    score = trained.manifest.scores["roc_auc"]
    assert score is not None
    assert f"roc_auc measured {score:.4g} over" in said
    assert f"{trained.manifest.models} fitted" in said
