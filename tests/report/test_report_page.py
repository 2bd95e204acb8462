"""The page: what stands in it, that nothing is fetched for it, that strangers' names stay words, and that it stays small."""

from __future__ import annotations

import functools
import html
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import handmade_runs as handmade

from fitscale.errors import UsageError
from fitscale.records.ledger import Calibration, Track
from fitscale.records.run import Order
from fitscale.report import write
from fitscale.store import folder

MOST_BYTES = 300_000
VOID = {"meta", "br", "link", "img", "hr", "input"}


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return handmade.one_model(tmp_path_factory.mktemp("one") / "run")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return handmade.many_models(tmp_path_factory.mktemp("many") / "run")


def page(run: Path) -> str:
    return write(run).read_text()


@functools.cache
def known_page(run: Path) -> str:
    """The page of a run that no test changes."""
    return page(run)


def words(text: str) -> str:
    """The words of a page, without its style, its pictures' paths and its tags, in one line."""
    bare = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", bare)).split())


class Balanced(HTMLParser):
    """Raises where an element is closed that is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None: ...

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"


def test_the_three_figures_stand_on_top(one: Path) -> None:
    """Score, time and memory, each measured figure beside its forecast, come before anything else."""
    top = words(known_page(one).partition("<section>")[0])
    assert "Trained: quantised, on this machine (2 cores, 2 GB of memory)." in top
    assert "roc_auc measured 0.7561 on 1,000,000 held-out rows" in top
    assert "time measured 3.4 min forecast 3.8 min (3.3–4.4): −12 %, within the interval" in top
    assert "peak memory measured 1.3 GB forecast 1.3 GB (1.2–1.4): −2 %, within the interval limit 2 GB" in top


def test_the_decision_is_told_with_its_path_reasons_and_refusals(one: Path) -> None:
    """Every sentence of the decision is there, each question of its path with the answer that was taken."""
    text = known_page(one)
    said = words(text)
    for sentence in (
        "not in-memory: it needs 3.6 GB (3.4–3.8)",
        "in-memory fits in memory here below 2.6M rows, or with 4 GB",
        "needs 3.6 GB (3.4–3.8), 1.94 GB usable",
        "early stopping cannot be judged over several ranks",
        "Would be better: c7i.2xlarge",
        "95 s†",
        "settled",
    ):
        assert sentence in said
    steps = re.findall(r"<li><div class=\"node\">.*?</li>", text, flags=re.DOTALL)
    assert len(steps) == 4
    assert '<span class="answer">yes</span><span class="answer taken">no</span>' in steps[1]
    assert '<span class="answer taken">yes</span><span class="answer">no</span>' in steps[2]


def test_a_kill_is_told(one: Path) -> None:
    """Who reads the report sees that the run was killed, when it lay still, and where it went on."""
    said = words(known_page(one))
    assert "1 attempt ended before it was done, 1 attempt went on from a checkpoint" in said
    assert "2 commands worked on this version with 60 min between them. What was committed was kept." in said
    assert "cut off: its command was killed" in said
    assert "went on from unit 40; done" in said


def test_phases_show_forecast_actual_and_error(one: Path) -> None:
    """Each phase has its forecast, what it took, and how far apart they are."""
    said = words(known_page(one))
    assert "bin 18 s 20 s +9 % 38 s" in said
    assert "cut off – 52 s –" in said
    assert "in all 3.8 min 3.4 min −12 %" in said
    assert "Beside it went 6.5 s of probes" in said


def test_every_figure_says_where_it_is_from(one: Path) -> None:
    """Origins are tagged: measured, forecast, modelled with its dagger, stated, estimated."""
    text = known_page(one)
    for origin in ("measured", "forecast", "modelled", "stated"):
        assert f'<span class="tag {origin}">' in text.partition("<footer>")[0]


def test_the_recipe_can_be_repeated_from_the_page(one: Path) -> None:
    """Estimator, parameters, seed, versions and the digests of recipe, encoding and data are on it."""
    said = words(known_page(one))
    for fact in (
        "xgboost.XGBClassifier",
        "max_depth 8",
        "xgboost 3.2.0",
        handmade.recipe().digest,
        "0123456789abcdef",
        "feedfacefeedface",
        "20 % held out by random, 10 % of the rest validates",
    ):
        assert fact in said


def test_a_password_in_the_address_of_the_data_is_not_shown(one: Path) -> None:
    """An address of a database may carry a password."""
    text = known_page(one)
    assert "secret" not in text
    assert "postgresql://reader:…@db/flights" in text


def test_many_models_are_counted_and_their_failures_named(many: Path) -> None:
    """Counts, the worst groups with score and rows, and each kind of failure with an example."""
    said = words(known_page(many))
    assert re.search(r"Trained 1,1\d\d models: many-models, on this machine .*; 3 failed, \d+ unfit\.", said)
    assert "The worst 20 by roc_auc" in said
    assert re.search(r"failed killed 2 D0000, 5 Check failed: valid: Input data contains `inf`", said)
    assert re.search(r"unfit one class in … training rows \d+ ", said)
    assert "time of one model (mean of its chunk)" in said
    assert "training rows of a group" in said


def test_a_group_named_like_a_script_stays_a_name(many: Path) -> None:
    """Names come from strangers: the page has no script, and the name is shown as text."""
    text = known_page(many)
    assert "<script" not in text
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in text


def test_names_in_pictures_are_text(tmp_path: Path) -> None:
    """A candidate's or metric's name in a chart is escaped too, and a dollar sign starts no formula."""
    known = handmade.decision(many=False)
    assert known.chosen is not None
    chosen = known.chosen.but(candidate=known.chosen.candidate.but(name="<script>$\\frac</b>"))
    handmade.plan(tmp_path / "run", decision=known.but(chosen=chosen, alternatives=(chosen,)))
    text = page(tmp_path / "run")
    assert "<script" not in text
    assert "</b>" not in re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)[0]
    assert "&lt;script&gt;$\\frac&lt;/b&gt;" in re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)[0]


@pytest.mark.parametrize("which", ["one", "many"])
def test_nothing_is_fetched(which: str, request: pytest.FixtureRequest) -> None:
    """The file is whole: no address in it but the name of SVG's link attribute, no image, style or frame from outside."""
    text = known_page(request.getfixturevalue(which))
    assert set(re.findall(r"https?://[^\s\"'<]*", text)) <= {"http://www.w3.org/1999/xlink"}
    assert not re.search(r"<(link|img|iframe|object|embed|base)\b|@import|\bsrc=|srcset=|javascript:", text)
    assert all(target.startswith("#") for target in re.findall(r"(?:href=\"|url\()([^\")]*)", text))


@pytest.mark.parametrize("which", ["one", "many"])
def test_the_page_is_well_formed(which: str, request: pytest.FixtureRequest) -> None:
    """Every element is closed; every picture is XML that has a title and scales."""
    text = known_page(request.getfixturevalue(which))
    parser = Balanced()
    parser.feed(text)
    assert parser.open == []
    pictures = re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)
    assert len(pictures) >= 5
    for picture in pictures:
        root = ET.fromstring(picture)
        assert root.find("title") is not None
        assert "viewBox" in root.attrib
        assert "width" not in root.attrib
        assert not re.search(r"#(0[1-9])\1\1", picture), "a colour that stands for a variable was left"


@pytest.mark.parametrize("which", ["one", "many"])
def test_the_same_run_gives_the_same_bytes(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Twice, and from a copy in another folder: no moment of writing, path or random name is in it."""
    run = request.getfixturevalue(which)
    first = page(run)
    assert page(run) == first
    shutil.copytree(run, tmp_path / "elsewhere")
    assert page(tmp_path / "elsewhere") == first


def test_a_quarter_of_a_million_models_stay_under_300_kb(tmp_path: Path) -> None:
    """The page does not grow with the models."""
    path = write(handmade.many_models(tmp_path / "run", 250_000))
    assert path.stat().st_size < MOST_BYTES
    assert "250,000" not in words(path.read_text()).partition("The data")[0]  # fitted, unfit and failed are told apart


def test_a_page_of_extremes_stays_small(tmp_path: Path) -> None:
    """A different failure for each of 5,000 groups, endless texts, 120 attempts: lists are cut, and say so."""
    import pyarrow as pa

    run, groups, n = tmp_path / "run", ("key", "score"), 5000
    handmade.plan(run, groups)
    made = handmade.recipe(groups)
    index = pa.table(
        [
            pa.array([f"{'k' * 500}{i}" for i in range(n)]), pa.array([f"{i}" for i in range(n)]),
            pa.array(["failed"] * (n - 2) + ["fitted"] * 2), pa.array([f"Error{i}" for i in range(n)]),
            pa.array(["w" * 5000] * n), pa.array([10] * n), pa.array([None] * (n - 2) + [0.5, 0.7], pa.float64()),
        ],
        names=["key", "score", "status", "kind", "why", "n_train", "score"],
    )  # fmt: skip
    handmade.write_version(run, index, {"fit": made}, {"roc_auc": 0.6})
    order = Order(kind="groups", task=made.digest, epoch=1, memory_bytes=10**9)
    events = [{"kind": "command", "at": handmade.T0, "command": "train"}, {"at": handmade.T0, **handmade.begun(groups)}]
    for i in range(1, 121):
        at = handmade.T0 + 10 * i
        handmade.write_attempt(
            run, f"1-{i}", order, [(at + 1, "started", {}), (at + 9, "chunk", {"rows": i, "wall_s": 8})], 10**8
        )
        events += [
            {"kind": "attempt-started", "at": at, "attempt": f"1-{i}", "candidate": "many-models", "order": "groups"},
            {"kind": "attempt-ended", "at": at + 9, "attempt": f"1-{i}", "cause": "killed", "peak": 10**8},
        ]  # fmt: skip
    handmade.write_journal(run, 1, *events, {"kind": "version-finished", "at": handmade.T0 + 9000, "version": 1})
    path = write(run)
    said = words(path.read_text())
    assert path.stat().st_size < MOST_BYTES
    assert "4986 more kinds are in failures.jsonl" in said
    assert "lines are left out" in said
    assert "The worst 2 by roc_auc" in said  # although a column of the key is called like the score


def test_a_plan_alone_has_a_page(tmp_path: Path) -> None:
    """Before anything was trained, the forecasts and the decision are shown, and nothing of a training."""
    handmade.plan(tmp_path / "run")
    text = page(tmp_path / "run")
    said = words(text)
    assert "Planned, not trained yet: quantised on this machine" in said
    assert "time forecast 3.8 min 90 %: 3.3–4.4" in said
    assert not {"Attempts", "Forecast against actual", "The models"} & set(re.findall(r"<h2>(.*?)</h2>", text))


def test_nothing_can_run_is_a_page_too(tmp_path: Path) -> None:
    """A plan without a choice says so, with its refusals."""
    known = handmade.decision(many=False)
    nothing = known.but(
        chosen=None, alternatives=(), better=None, reasons=("no candidate fits",), settled=True, meets=False
    )
    handmade.plan(tmp_path / "run", decision=nothing)
    said = words(page(tmp_path / "run"))
    assert "Nothing can run on this machine (2 cores, 2 GB of memory): 2 candidates refused." in said
    assert "does not meet what the workload demands" in said


def test_an_unfinished_version_has_a_page(tmp_path: Path) -> None:
    """After a kill the page shows what there is, and how to go on."""
    run = tmp_path / "run"
    handmade.plan(run)
    handmade.killed_and_went_on(run, finished=False)
    said = words(page(run))
    assert "Begun and not finished: quantised on this machine" in said
    assert "The same command goes on." in said
    assert "no end noted: killed, or still running" in said


def test_where_it_is_written(tmp_path: Path) -> None:
    """report.html in the run, or the file that is named; whole, without leftovers."""
    run = tmp_path / "run"
    handmade.plan(run)
    assert write(run) == run / "report.html"
    assert write(run, to=tmp_path / "deep" / "page.html") == tmp_path / "deep" / "page.html"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["page.html"]
    assert not list(run.glob(".report*"))


def test_what_cannot_be_reported_says_what_to_do(tmp_path: Path, one: Path) -> None:
    """No run, an empty run, a version that is not there: one sentence with the next step, and no file."""
    with pytest.raises(UsageError, match="is no run"):
        write(tmp_path)
    folder.create(tmp_path / "run", "empty")
    with pytest.raises(UsageError, match="nothing was planned yet; begin with 'fitscale plan WORKLOAD'"):
        write(tmp_path / "run")
    with pytest.raises(UsageError, match="no version 7; there are: 1"):
        write(one, 7)
    assert not list(tmp_path.rglob("report.html"))


def test_importing_the_report_loads_no_drawing() -> None:
    """The command line imports the room; matplotlib and jinja2 come with the first page."""
    code = (
        "import sys, fitscale.report; print(sorted({'matplotlib', 'jinja2', 'pyarrow', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_track_record_stands_beneath_forecast_and_actual(tmp_path: Path) -> None:
    """How forecasts of this kind had done on this machine when the run was planned."""
    run = handmade.one_model(tmp_path / "run")
    made = folder.read_plan(run)
    chosen = made.decision.chosen
    assert chosen is not None
    told = chosen.but(forecast=chosen.forecast.but(kind="beginning"))
    track = Track(kind="beginning", quantity="time", runs=17, error=0.06, within=15)
    made = made.but(decision=made.decision.but(chosen=told), calibration=Calibration(runs=17, tracks=(track,)))
    (run / "plans" / f"{made.number:03d}.json").write_text(made.to_json())
    said = "Forecasts of this kind before it: 17 past runs here: median error 6 %, 15 of 17 within the interval."
    assert said in words(page(run))


def test_without_past_runs_the_report_says_nothing_of_them(one: Path) -> None:
    """As on the screen."""
    assert "past run" not in words(known_page(one))
