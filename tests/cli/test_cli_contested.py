"""What a person reads of estimators that were compared and of a search: on the plan's screen, at the end, while it goes on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import plans

from fitscale.cli.contested import contest_lines
from fitscale.cli.following import progress_line
from fitscale.cli.screen import plan_screen
from fitscale.cli.searched import search_lines
from fitscale.planning.considered.considerations import considered
from fitscale.planning.trials.found_words import outcome
from fitscale.records.base import Figure
from fitscale.records.contest import Contest, Entrant
from fitscale.records.plan import Plan
from fitscale.records.trials import Trial, Tried
from fitscale.records.tuning import Searched, Tuned
from fitscale.records.workload import ModelSpec, Search
from fitscale.report.chosen import chosen_shown
from fitscale.running.progress import Progress
from fitscale.running.progress import Search as Going

LIGHT, LINE = (
    ModelSpec(estimator="lightgbm.LGBMClassifier"),
    ModelSpec(estimator="sklearn.linear_model.LogisticRegression"),
)


def entrant(model: ModelSpec, score: float | None, verdict: Any, **more: Any) -> Entrant:
    tried = (Tried(trial=Trial(), metric="roc_auc", score=score, rows=12_800, judged=3_200),) if score else ()
    given = {"time_s": Figure.around(100, 0.3, "forecast"), "memory_bytes": Figure.around(3e8, 0.2, "forecast")}
    return Entrant.model_validate(
        {"model": model, "tried": tried, "at": 0 if score else None, "verdict": verdict, **given, **more}
    )


BEHIND = Figure(value=0.0063, low=0.0011, high=0.0113, origin="measured")
CONTEST = Contest(
    entrants=(
        entrant(LIGHT, 0.7941, "chosen"),
        entrant(LINE, 0.7878, "worse", behind=BEHIND),
        entrant(ModelSpec(estimator="sklearn.svm.SVC"), None, "ruled out", why="needs 41 GB, this machine has 24 GB"),
    ),
    chosen=0,
    metric="roc_auc",
    share=0.25,
    reason="LGBMClassifier: the best by roc_auc, by 0.0063 (0.0011–0.0113) before the next",
    seconds=12.3,
)
FOUND = Tuned(
    model=LIGHT.but(params={"num_leaves": 63, "learning_rate": 0.04567}), own=LIGHT.but(params={"num_leaves": 31}), space={},
    published=True, budget_s=600, spent_s=588, trials=47, done=12, stopped=33, failed=2, metric="roc_auc", own_score=0.7901,
    score=0.7951, better_by=Figure(value=0.005, low=0.0021, high=0.0079, origin="measured"), better=True,
    reason="better than your own parameters: +0.0050 (0.0021–0.0079)",
)  # fmt: skip


def made(**changes: Any) -> Plan:
    return plans.plan().but(contest=CONTEST, **changes)


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    lines = plan_screen(made(searched=Searched(found=(FOUND,))), width)
    assert max(map(len, lines)) <= width


def test_each_estimator_has_its_time_memory_score_and_verdict() -> None:
    lines = contest_lines(CONTEST, 110)
    text = "\n".join(lines)
    assert "Any of 3: roc_auc on 3,200 rows that train none of them, fitted on 25 % of the rows of training" in text
    assert lines[1].rstrip().endswith("[measured]")
    row = next(line for line in lines if "LogisticRegression" in line)
    assert row.split("  ")[-1].strip() == "0.0063 (0.0011–0.0113)"
    assert "0.7878" in row
    assert any(line.split() == ["LGBMClassifier", "1.7", "min", "(1.3–2.2)", "300", "MB", "(250–360)", "0.7941", "chosen"]
               for line in lines)  # fmt: skip
    assert "not SVC: needs 41 GB, this machine has 24 GB" in text
    assert lines[-2] == CONTEST.reason
    assert lines[-1].startswith("On a part of the rows one that learns more of many may be behind")
    assert contest_lines(CONTEST.but(share=1.0), 110)[-1] == CONTEST.reason


def test_what_was_compared_before_says_so() -> None:
    text = " ".join(" ".join(contest_lines(CONTEST.but(kept=True), 100)).split())
    assert "compared before, train --fresh compares anew" in text
    assert contest_lines(None, 100) == []


def test_a_search_that_is_to_come_stands_with_its_time() -> None:
    workload = plans.workload(model=LIGHT.but(search=Search(budget_s=600)))
    plan = plans.plan().but(workload=workload, search_s=Figure.exact(600, "stated"))
    (blank, line) = search_lines(plan, 110)
    assert (blank, line.endswith("[stated]")) == ("", True)
    assert line.startswith("Search: 10 min before training, in which better parameters are looked for; 'train' does it")
    assert search_lines(plans.plan(), 100) == []


def test_a_search_that_was_done_says_what_it_found_and_how_sure_that_is() -> None:
    text = " ".join(" ".join(search_lines(made(searched=Searched(found=(FOUND,))), 100)).split())
    assert "Search: 47 trials in 9.8 min of 10 min: 12 on all rows, 33 stopped early, 2 failed [measured]" in text
    assert "your own parameters roc_auc 0.7901, the best found 0.7951, on rows that guided nothing" in text
    assert "better than your own parameters: +0.0050 (0.0021–0.0079)" in text
    assert "num_leaves 31 → 63, learning_rate 0.0457" in text


def test_the_end_says_it_in_one_sentence() -> None:
    assert outcome(None) == ""
    assert outcome(Searched(found=(FOUND,))).startswith("47 trials; your own parameters roc_auc 0.7901")
    both = Searched(found=(FOUND, FOUND.but(own=LINE, trials=3)), reason="LGBMClassifier: the best by roc_auc")
    assert outcome(both).startswith("50 trials of LGBMClassifier and LogisticRegression; LGBMClassifier: the best")


def test_the_framework_is_considered_as_one_of_several() -> None:
    framework = considered(made())[1]
    assert framework.value.startswith("any of 3: xgboost.XGBClassifier")
    assert framework.origin == "measured"
    assert framework.changed[0].startswith("takes LGBMClassifier: the best")


def test_progress_of_a_search_tells_the_best_and_the_time_that_is_left() -> None:
    going = Going(name="LGBMClassifier", trials=47, stopped=33, metric="roc_auc", best=0.7931, own=0.7901, left_s=192)
    line = progress_line(Progress(doing="tuning", search=going, elapsed_s=410))
    assert line.startswith(
        "tuning LGBMClassifier: 47 trials, 33 stopped early; best roc_auc 0.7931, your own 0.7901; 3.2 min left to search"
    )


def test_the_report_has_both() -> None:
    shown = chosen_shown(made(searched=Searched(found=(FOUND,))))
    assert shown is not None
    assert [row[0] for row in shown["entrants"]] == ["LGBMClassifier", "LogisticRegression", "SVC"]
    assert shown["entrants"][2][4] == "ruled out: needs 41 GB, this machine has 24 GB"
    assert shown["found"][0][3] == "num_leaves 31 → 63, learning_rate 0.0457"
    assert chosen_shown(plans.plan()) is None


def test_a_plan_keeps_them_and_older_ones_have_none() -> None:
    plan = made(searched=Searched(found=(FOUND,)), search_s=Figure.exact(588))
    assert Plan.from_json(plan.to_json()) == plan
    older = plans.plan().model_dump(mode="json")
    for name in ("contest", "searched", "search_s"):
        del older[name]
    assert Plan.model_validate(older) == plans.plan()
