"""What a model is worth, on the page: the figures of the record, strangers' names as words, and still a small page."""

from __future__ import annotations

import html
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import handmade_runs as handmade

from fitscale.records.worth import (
    Bin,
    Calibration,
    Confusion,
    Importance,
    Reach,
    Residuals,
    Segment,
    Segments,
    Shuffled,
    Worth,
)
from fitscale.report import write
from fitscale.store import files, versions

EVIL = handmade.EVIL
MOST_BYTES = 300_000


def words(text: str) -> str:
    bare = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", bare)).split())


def importance(columns: int, repeats: int = 5) -> Importance:
    drops = tuple(
        Shuffled(column=f"column {k}" if k else EVIL, drop=0.1 / (k + 1), spread=0.004 if repeats > 1 else None)
        for k in range(columns)
    )
    return Importance(
        metric="roc_auc", score=0.7561, rows=5_000, repeats=repeats, columns=drops, untried=7, seconds=18.4, limit_s=20
    )  # fmt: skip


def confusion(classes: int) -> Confusion:
    labels = tuple(EVIL if k == 1 else f"class {k}" for k in range(classes))
    counts = tuple(tuple(800 if i == j else 20 for j in range(classes)) for i in range(classes))
    return Confusion(rows=sum(map(sum, counts)), classes=classes, labels=labels, counts=counts)


def segment(k: int) -> Segment:
    return Segment(
        column="carrier", value=EVIL if k == 0 else f"value {k}", rows=1234, share=0.0188, loss=0.9, error=0.05,
        loss_share=0.034, score=0.61 if k else None, predicted=0.4, actual=0.5,
    )  # fmt: skip


CALIBRATION = Calibration(
    label=EVIL, rows=1_000, brier=0.1702, ece=0.0123,
    bins=tuple(Bin(rows=100, low=k / 10, high=k / 10 + 0.1, predicted=k / 10 + 0.05, observed=k / 10) for k in range(10)),
)  # fmt: skip
RESIDUALS = Residuals(
    rows=1_000, mean=-0.25, mean_absolute=3.5, root_mean_square=4.75, shown_rows=1_000, shares=((0.5, 0.1),),
    edges=tuple(float(k) for k in range(-20, 21)), counts=tuple(range(40)),
    reach=tuple(Reach(rows=50, predicted=k, actual=k + 1, low=k - 3, high=k + 4) for k in range(20)),
)  # fmt: skip


def with_worth(run: Path, **sections: Any) -> str:
    """The page of a handmade run of which this is known."""
    about = versions.manifest(run, 1)
    worth = Worth(
        version=1, basis=about.digest, metric="roc_auc", judged=("fit",), held_out=1_000_000, sampled=50_000, **sections
    )  # fmt: skip
    files.replace(run / "worth" / "1.json", worth.to_json())
    return write(run).read_text()


@pytest.fixture
def one(tmp_path: Path) -> Path:
    return handmade.one_model(tmp_path / "run")


def test_a_page_without_it_has_no_such_section(one: Path) -> None:
    """As of a run that was made before, or one that was only planned."""
    assert "What the model is worth" not in write(one).read_text()


def test_the_figures_of_a_classifier(one: Path) -> None:
    """Importance with its cost, counts and shares, calibration, and the segments with their rows."""
    text = with_worth(
        one, importance=importance(28), confusion=confusion(3), calibration=CALIBRATION,
        segments=Segments(of="log loss", rows=50_000, loss=0.51, columns=12, least=50, found=(segment(0), segment(1))),
    )  # fmt: skip
    said = words(text)
    assert "On 1,000,000 held-out rows, as predicted in training." in said
    assert (
        "By how much roc_auc (0.7561) falls when one column is shuffled: mean and deviation of 5 rounds on 5,000"
        in said
    )
    assert (
        "It took 18 s, of at most about 20 s. 7 columns were not tried in that time. 8 columns with less are left out"
        in said
    )
    assert "class 0 800 95 % 20 2.4 % 20 2.4 % 840" in said
    assert "Brier score 0.1702, expected calibration error 0.0123." in said
    assert "carrier value 1 1,234 1.9 % 3.4 % 0.9 ± 0.05 0.61 0.4 0.5" in said
    assert "fewer than 50 rows, or whose excess three standard errors could explain, are left out" in said


def test_the_figures_of_a_regression(one: Path) -> None:
    """Residuals and actual values against predicted ones; where no segment stands out, that is said."""
    found = Segments(of="squared error", rows=900, loss=20.1, columns=3, least=50, found=())
    said = words(with_worth(one, residuals=RESIDUALS, segments=found))
    assert "Actual less predicted: mean −0.25, mean distance 3.5, root mean square 4.75" in said
    assert "Equally many rows for each point" in said
    assert "No segment holds clearly more of the squared error than of the rows." in said


def test_names_of_strangers_stay_words_and_the_page_small(one: Path) -> None:
    """Twenty classes, columns and segments called like a script; every picture is whole."""
    segments = Segments(
        of="log loss", rows=50_000, loss=0.5, columns=40, least=50, found=tuple(segment(k % 2) for k in range(15))
    )
    text = with_worth(
        one, importance=importance(20), confusion=confusion(20), calibration=CALIBRATION, residuals=RESIDUALS,
        segments=segments, missing={"calibration": EVIL},
    )  # fmt: skip
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 8
    assert len(text.encode()) < MOST_BYTES
    for picture in re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL):
        assert ET.fromstring(picture).find("title") is not None


def test_what_is_missing_says_why(one: Path) -> None:
    """Each section that is not there, with its reason; the mistakes of very many classes as a list."""
    many = Confusion(rows=1_000, classes=400, mistaken=(("p", "q", 12),))
    said = words(with_worth(one, confusion=many, missing={"importance": "the rows cannot be read: a.parquet is gone"}))
    assert "Not here: importance of columns. the rows cannot be read: a.parquet is gone" in said
    assert "p q 12 1.2 % The most frequent, of 400 classes." in said


def test_what_is_of_other_bytes_is_not_shown(one: Path) -> None:
    """A version that was trained anew under the same number has none of the old one's figures."""
    about = versions.manifest(one, 1)
    worth = Worth(version=1, basis=about.but(models=2).digest, metric="roc_auc", confusion=confusion(2), held_out=1)
    files.replace(one / "worth" / "1.json", worth.to_json())
    assert "What the model is worth" not in write(one).read_text()
