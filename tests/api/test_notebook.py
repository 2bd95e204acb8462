"""In a notebook: plans and runs have a view, calls show their progress, models take frames; and none of it elsewhere."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import fitscale
from fitscale.errors import UsageError
from fitscale.notebook.progress import Showing, words_of
from fitscale.notebook.views import progress_html
from fitscale.records.base import Figure
from fitscale.records.plan import Forecast
from fitscale.running.live import staged
from fitscale.running.progress import Progress
from fitscale.workload import build, load, parse

EVIL = "<script>alert('x')</script>"
SMALL = {
    "name": "small",
    "data": {"uri": "synthetic://?rows=6000&columns=4", "target": "y"},
    "model": {"estimator": "baseline.Classifier"},
}
MANY = {**SMALL, "data": {"uri": "synthetic://?rows=900&columns=3&groups=4", "target": "y", "groups": ["group"]}}

CELLS = (
    "import fitscale, numpy as np, pandas as pd\n"
    "rng = np.random.default_rng(0)\n"
    "frame = pd.DataFrame({'a': rng.normal(size=2000), 'b': rng.normal(size=2000)})\n"
    "frame['y'] = (frame.a + rng.normal(size=2000) > 0).astype(int)\n"
    "workload = {'name': 'cell', 'data': {'uri': frame, 'target': 'y'},\n"
    "            'model': {'estimator': 'baseline.Classifier', 'params': {'passes': 5, 'sleep_s': 0.3}}}\n"
    "plan = fitscale.plan(workload)\nplan",
    "run = fitscale.train(workload)",
    "run",
    "list(run.model().predict(frame.head(3)))",
)


def test_a_notebook_is_run(tmp_path: Path) -> None:
    """By a real kernel: the plan's table, a display that went on while it trained, the run's figures, predictions."""
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbclient.NotebookClient(
        book, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    plan, training, run, predicted = (cell["outputs"] for cell in book.cells)
    shown = plan[-1]["data"]["text/html"]
    assert "in-memory</b> – chosen" in shown
    assert "time (90 %)" in shown
    progress = [output["data"] for output in training if "text/html" in output.get("data", {})]
    assert len(progress) == 1, "one display, which is updated"
    assert progress[0]["text/plain"] == "finished"
    assert [output for output in training if output["output_type"] == "stream"] == []
    said = run[-1]["data"]["text/html"]
    for word in ("cell · version 1", "roc_auc", "forecast", "peak memory"):
        assert word in said
    assert predicted[-1]["data"]["text/plain"].count("0") + predicted[-1]["data"]["text/plain"].count("1") >= 3


def test_a_plan_has_a_view(tmp_path: Path) -> None:
    """The verdict, candidates with intervals, what was considered and ruled out; elements that style themselves alone."""
    plan = fitscale.plan(SMALL, tmp_path / "run")
    view = plan._repr_html_()
    assert view is not None
    for text in (plan.decision.reasons[0], *(refusal.sentence for refusal in plan.decision.refused)):
        assert text.replace("'", "&#39;").replace('"', "&#34;") in view
    assert plan.decision.chosen is not None
    assert f"<b>{plan.decision.chosen.candidate.name}</b> – chosen" in view
    for one in plan.considerations:
        assert f"<b>{one.name}</b>" in view
    assert not any(word in view for word in ("<style", "<script", "src=", "href=", "class=", "id="))
    none = plan.but(decision=plan.decision.but(chosen=None, alternatives=(), reasons=("nothing fits",)))
    assert "nothing fits" in str(none._repr_html_())


def test_a_run_has_a_view(tmp_path: Path) -> None:
    """Score, time and memory beside their forecasts; of many models how many; none when its folder is gone."""
    one, many = fitscale.train(SMALL, tmp_path / "one"), fitscale.train(MANY, tmp_path / "many")
    view = str(one._repr_html_())
    assert f"{one.score:.4g}" in view
    assert view.count("the interval") == 2
    assert "4 fitted, 0 unfit, 0 failed" in str(many._repr_html_())
    (tmp_path / "one" / "run.json").unlink()
    assert one._repr_html_() is None


def test_names_of_strangers_stay_words(tmp_path: Path) -> None:
    """A workload, column or class called like a script is shown as it is called."""
    table = pa.table({EVIL: np.arange(400.0), "y": np.arange(400) % 2})
    run = fitscale.train({**SMALL, "data": {"uri": table, "target": "y"}}, tmp_path / "run")
    plan = run.plan.but(workload=run.plan.workload.but(name=EVIL))
    for view in (str(plan._repr_html_()), str(run._repr_html_()), progress_html(EVIL, 0.5)):
        assert "<script" not in view
    assert "&lt;script&gt;" in str(plan._repr_html_())


def test_progress_is_words_and_a_share(tmp_path: Path) -> None:
    """What is done, what is left beside the forecast, what is held; the plan's forecast before; every note."""
    said: list[tuple[str, float | None]] = []
    model = {"estimator": "baseline.Classifier", "params": {"passes": 4, "sleep_s": 0.4}}
    workload = parse({**SMALL, "model": model}, file=None, folder=tmp_path)
    showing = Showing(tmp_path / "run", workload, lambda words, share: said.append((words, share)))
    fitscale.train(workload, tmp_path / "run", told=showing.told)
    assert said[0][0].startswith("in-memory: ")
    fits = [(words, share) for words, share in said if words.startswith("fit: ")]
    assert fits
    assert all(" of 4 passes" in words for words, _ in fits)
    assert all(share is None or 0 <= share <= 1 for _, share in fits)


def test_the_words_of_progress() -> None:
    """Each figure with its interval, and no more than is known."""
    figure = Figure(value=36, low=30, high=44, origin="forecast")
    forecast = Forecast(time_s=figure.but(value=61, low=50, high=75), memory_bytes=figure, storage_bytes=figure)
    fit = Progress(
        doing="fitting", task="fit", unit="rounds", done=212, total=500, share=0.42, remaining_s=figure, forecast=forecast,
        memory_bytes=1_200_000_000, limit_bytes=20_000_000_000, failed=1, unfit=3,
    )  # fmt: skip
    assert words_of(fit) == (
        "fit: 212 of 500 rounds; 42 %, 36 s (30–44) left, forecast 61 s (50–75); 1.2 GB of at most 20 GB; 1 group failed,"
        " 3 unfit"
    )
    assert words_of(Progress()) == "planning"
    assert "width:42%" in progress_html("fit", 0.42)
    assert "width" not in progress_html("fit", None).replace("max-width", "")


def test_elsewhere_nothing_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A script's output is its own; IPython is not even imported."""
    before = "IPython" in sys.modules
    fitscale.train(SMALL, tmp_path / "run")
    assert capsys.readouterr() == ("", "")
    assert ("IPython" in sys.modules) == before


def test_an_ipython_terminal_has_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell without a kernel shows plain text, and no more of it than a line each few seconds."""
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=object))
    fitscale.train(SMALL, tmp_path / "run")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("in-memory: ")
    assert len(lines) <= 2


def test_a_model_takes_any_frame(tmp_path: Path) -> None:
    """Pandas, Arrow and a mapping of arrays give one answer, whatever the order of their columns and beside what."""
    pd = pytest.importorskip("pandas")
    pytest.importorskip("xgboost")
    random = np.random.default_rng(0)
    columns = {"a": random.normal(size=500), "b": random.choice(["x", "y"], 500), "c": random.integers(0, 9, 500)}
    table = pa.table({**columns, "y": (columns["a"] > 0).astype(int)})
    model = {"estimator": "xgboost.XGBClassifier", "params": {"n_estimators": 5}}
    run = fitscale.train({"name": "f", "data": {"uri": table, "target": "y"}, "model": model}, tmp_path / "run")
    mixed = {"other": np.zeros(500), **dict(reversed(columns.items()))}
    expected = run.model().predict_proba(table)
    for given in (pd.DataFrame(mixed, index=np.arange(500)[::-1]), pa.table(mixed), pa.record_batch(mixed), mixed):
        assert np.array_equal(run.model().predict_proba(given), expected)
        assert np.array_equal(run.model().predict(given), expected.argmax(axis=1))
    with pytest.raises(UsageError, match="no column 'c', which the model was trained on"):
        run.model().predict({"a": columns["a"], "b": columns["b"]})


@pytest.mark.parametrize("library", ["xgboost.XGBClassifier", "lightgbm.LGBMClassifier"])
def test_a_workload_of_python_is_that_of_a_file(tmp_path: Path, library: str) -> None:
    """As a mapping, built, or with a live booster: the same record, to the last default that nobody said."""
    module, _, name = library.partition(".")
    params = {"n_estimators": 6, "max_depth": 3}
    live = getattr(pytest.importorskip(module), name)(**params)
    document = same(library, params)
    file = tmp_path / "same.yaml"
    file.write_text(json.dumps(document))
    built = build(
        document["data"], estimator=library, name="same", seed=3, evaluate=document["evaluate"], params=params,
        folder=tmp_path,
    )  # fmt: skip
    from_live, _, _ = staged({**document, "model": {"estimator": live}}, tmp_path / "run", tmp_path, tmp_path)
    assert parse(document, file=None, folder=tmp_path) == load(file) == built == from_live


def test_their_models_have_one_recipe(tmp_path: Path) -> None:
    """A run that was made from the file has nothing to do for the same workload with a live booster."""
    xgboost = pytest.importorskip("xgboost")
    params = {"n_estimators": 6, "max_depth": 3}
    file = tmp_path / "same.yaml"
    file.write_text(json.dumps(same("xgboost.XGBClassifier", params)))
    made = fitscale.train(file, tmp_path / "run").manifest
    live = {**same("", params), "model": {"estimator": xgboost.XGBClassifier(**params)}}
    again = fitscale.train(live, tmp_path / "run")
    assert (again.version, again.manifest) == (1, made)
    apart = fitscale.train(live, tmp_path / "other").manifest
    assert [recipe.digest for recipe in apart.recipes.values()] == [recipe.digest for recipe in made.recipes.values()]


def same(estimator: str, params: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "same",
        "seed": 3,
        "data": {"uri": "synthetic://?rows=4000&columns=4&categorical=1", "target": "y", "features": {"drop": ["x1"]}},
        "evaluate": {"holdout": "30%", "metric": "roc_auc"},
        "model": {"estimator": estimator, "params": params},
    }
