"""``fitscale report``: the same figures on the page and as a record, found out once, and refused in words."""

from __future__ import annotations

import html
import re
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from commands import MANY, Said, fitscale, write_job


def words(run: Path) -> str:
    text = re.sub(r"<style>.*?</style>", "", (run / "report.html").read_text(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a job that was trained by the command."""
    folder = tmp_path_factory.mktemp("report")
    said = fitscale("train", write_job(folder, "one"), "--quiet")
    assert said.code == 0, said.err
    return folder / "runs" / "one"


def test_training_ends_with_what_the_model_is_worth(trained: Path) -> None:
    """On the page that it wrote, and nothing of it in the version."""
    said = words(trained)
    assert "What the model is worth" in said
    assert "By how much roc_auc" in said
    assert sorted(path.name for path in (trained / "versions" / "1").iterdir()) == [
        "failures.jsonl", "index.parquet", "manifest.json", "metrics.json", "reference.json", "reference.parquet",
    ]  # fmt: skip


def test_the_record_has_the_figures_of_the_page(trained: Path) -> None:
    """Counts and scores, to the digits that are shown; twice the same, as they are kept."""
    found = fitscale("report", trained, "--json").record["worth"]
    said = words(trained)
    assert f"On {found['held_out']:,} held-out rows" in said
    for label, counts in zip(found["confusion"]["labels"], found["confusion"]["counts"], strict=True):
        total = sum(counts)
        cells = " ".join(f"{n:,} {100 * n / total:.0f} %" for n in counts)
        assert f"{label} {cells} {total:,}" in said
    assert f"Brier score {found['calibration']['brier']:.4g}" in said
    assert fitscale("report", trained, "--json").record["worth"] == found


def test_a_run_that_nobody_looked_at_is_looked_at(trained: Path, tmp_path: Path) -> None:
    """As one that was made before there was such a thing; `--spend` looks again."""
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    shutil.rmtree(run / "worth")
    found = fitscale("report", run, "--json").record["worth"]
    assert found["importance"]["limit_s"] == 20
    again = fitscale("report", run, "--spend", "5s", "--json").record["worth"]
    assert again["importance"]["limit_s"] == 5
    assert again["confusion"] == found["confusion"]


def refused(said: Said, sentence: str) -> None:
    assert said.code == 2
    assert sentence in said.err


def test_what_has_no_such_figures(trained: Path, tmp_path: Path) -> None:
    """A plan, and many models, have a page without them; a time that is none is refused."""
    fitscale("plan", write_job(tmp_path, "planned"))
    assert fitscale("report", tmp_path / "planned.yaml", "--json").record["worth"] is None
    assert fitscale("train", write_job(tmp_path, "many", **MANY), "--quiet").code == 0
    assert fitscale("report", tmp_path / "many.yaml", "--json").record["worth"] is None
    refused(fitscale("report", trained, "--spend", "soon"), "'soon'")
    refused(fitscale("report", trained, "--version", "7"), "no version 7; there are: 1")
