"""What the benchmark of choosing promises: a design that is fixed, rows in pieces, and tables that follow from the rows."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
from choice import baselines, coverage, design, judge, known, later, measure, regret, seed, stored
from kept import Results

sys.path.append(str(Path(__file__).parents[2] / "scripts" / "docs"))
import figures

from fitscale.records.ledger import Entry
from fitscale.store import ledger

SHAPE = {"rows": 1_000_000, "holdout_rows": 250_000, "features": 10, "classes": 2, "density": 1.0}
GB = 1_000_000_000


def forecast(seconds: float, size: float, width: float = 1.2, **more: Any) -> dict[str, Any]:
    return {
        "time_s": [seconds / width, seconds, seconds * width],
        "memory_bytes": [size / width, size, size * width],
        "storage_bytes": [1e6, 2e6, 3e6],
        "admitted_bytes": size * 1.1, "usable_bytes": 2 * GB, "probed": 0.0625, "source": "from 2 probes", **more,
    }  # fmt: skip


def row(workload: str, step: str, number: int = 0, **figures: Any) -> dict[str, Any]:
    about = {
        "workload": workload,
        "asked": {"estimator": "xgboost.XGBClassifier", "params": {"max_depth": 6}},
        "round": number,
        "step": step,
    }
    return {**about, "half": "test", "ranged": False, "contention": 0.01, "ended": "done", "wall_s": 20.0, **figures}


def plan(workload: str, chosen: str, forecasts: dict[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    return row(
        workload, "plan", chosen=chosen, feasible=sorted(forecasts), refused={}, forecasts=forecasts, probing_s=5.0,
        shape=SHAPE, cores=2, memory_bytes=2 * GB, **more,
    )  # fmt: skip


def run(
    workload: str, step: str, choice: str, seconds: float, *, number: int = 0, probing: float = 0.0, **more: Any
) -> dict[str, Any]:
    figures = {
        "choice": choice, "begun": True, "forecast": forecast(seconds * 1.02, GB), "committed_s": seconds + probing,
        "probing_s": probing, "actual_s": seconds, "cpu_s": 2 * seconds, "peak_bytes": GB, "storage_bytes": 2_000_000,
        "children_ended": 0, "machine_ended": 0,
    }  # fmt: skip
    return row(workload, step, number, **{**figures, **more})


def three(workload: str, *, chosen: str, probing: float = 0.0, **seconds: float) -> list[dict[str, Any]]:
    """A workload of three candidates: seconds of in_memory, quantised and out_of_core."""
    times = {name.replace("_", "-"): value for name, value in seconds.items()}
    rows = [plan(workload, chosen, {name: forecast(value * 1.1, GB) for name, value in times.items()})]
    rows.append(run(workload, "train", chosen, times[chosen], probing=probing))
    return rows + [run(workload, f"choose {name}", name, value) for name, value in times.items() if name != chosen]


def line(rows: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    (found,) = (row for row in rows if all(row[key] == value for key, value in wanted.items()))
    return found


def regret_of(rows: list[dict[str, Any]], who: str) -> dict[str, Any]:
    (found,) = (line for line in judge.tables(rows)["Regret"] if line["who"].startswith(who))
    return found


# The design.


def test_the_design_keeps_what_it_promises() -> None:
    """Both halves have their numbers and all families, by the first salt that gives them; names say which half, and are unique."""
    names = [workload.name for workload in design.WORKLOADS]
    assert len(names) == len(set(names))
    assert design.is_as_promised()
    assert sum(design.hours().values()) <= 8
    said = (Path(design.__file__).parent / "README.md").read_text()
    found = design.counts()
    refusals = sum(workload.is_refusal for workload in design.WORKLOADS)
    assert f"lists {len(names) - refusals} workloads and {refusals} that nothing is enough for" in said
    assert f"{found['test']} workloads, {found['three']} of them" in said
    assert f"{found['forced']} refusals that are forced" in said


def test_no_smaller_salt_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The salt was not chosen for what is in the halves."""
    for salt in range(design.SALT):
        monkeypatch.setattr(design, "SALT", salt)
        assert not design.is_as_promised()


def test_each_shape_of_the_machine_meets_several_estimators() -> None:
    """And rows and columns reach from end to end."""
    runs = [w for w in design.WORKLOADS if not w.is_refusal]
    for cores in (1, 2):
        for memory in (2, 6, 20):
            assert len({w.estimator for w in runs if (w.cores, w.memory_gb) == (cores, memory)}) >= 3
    assert {w.cores for w in runs} == {1, 2}
    assert (min(w.rows for w in runs), max(w.columns for w in runs)) == (10_000, 20_000)
    assert sum(w.rows >= 10_000_000 for w in runs) >= 3


def test_rounds_of_a_workload_come_in_turn() -> None:
    """Whatever the order of the blocks: a repeat needs the plan of the first round. A third of the test half is repeated."""
    seen: dict[str, int] = {}
    for number, workload in design.blocks():
        assert number == seen.get(workload.name, 0)
        seen[workload.name] = number + 1
    again = [name for name, rounds in seen.items() if rounds == design.ROUNDS]
    assert len(again) == pytest.approx(design.counts()["test"] / 3, abs=3)
    assert all(design.is_test(name) for name in again)


# Rows in pieces.


def results(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Results:
    monkeypatch.setenv("BENCH_RESULTS", str(folder))
    monkeypatch.delenv("BENCH_AGAIN", raising=False)
    return measure.opened()


def test_the_steps_of_a_block_follow_from_its_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused ones that are marked are forced, what is feasible is trained, and of three also parts of the rows."""
    kept = results(tmp_path, monkeypatch)
    workload = next(w for w in design.WORKLOADS if w.three and design.is_test(w.name))
    assert list(measure.steps(kept, workload, 0)) == ["plan"]
    found = plan(
        workload.name, "quantised", {name: forecast(40, GB) for name in ("in-memory", "quantised", "out-of-core")}
    )
    kept.put({**found, **measure.known(workload, 0, "plan")})
    kept.put({**run(workload.name, "train", "quantised", 40), **measure.known(workload, 0, "train")})
    steps = list(measure.steps(kept, workload, 0))
    assert steps[:2] == ["plan", "train"]
    assert set(steps[2:4]) == {"choose in-memory", "choose out-of-core"}
    assert set(steps[4:]) == {"parts in-memory", "parts quantised", "parts out-of-core"}
    assert "plan" not in list(measure.steps(kept, workload, 1))
    marked = next(w for w in design.WORKLOADS if "quantised" in w.force)
    refused = plan(marked.name, "out-of-core", {"out-of-core": forecast(40, GB)})
    kept.put(
        {**refused, "refused": {"quantised": "memory", "in-memory": "ability"}, **measure.known(marked, 0, "plan")}
    )
    assert "force quantised" in list(measure.steps(kept, marked, 0))
    assert "force in-memory" not in list(measure.steps(kept, marked, 0))


def test_a_row_of_other_parameters_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workload that was sized anew is measured anew."""
    kept = results(tmp_path, monkeypatch)
    workload = design.WORKLOADS[0]
    known = measure.known(workload, 0, "plan")
    kept.put({**plan(workload.name, "in-memory", {"in-memory": forecast(40, GB)}), **known})
    assert len(results(tmp_path, monkeypatch).rows) == 1
    other = workload._replace(params={**workload.params, "n_estimators": 7})
    monkeypatch.setattr(measure, "WORKLOADS", (other,))
    assert results(tmp_path, monkeypatch).rows == []


def test_time_that_is_over_begins_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And makes no table."""
    kept = results(tmp_path, monkeypatch)
    assert not measure.block(kept, design.WORKLOADS[0], 0, until=0.0)
    assert kept.rows == []


# The tables.


def test_only_the_test_half_is_judged() -> None:
    """What was tuned on says nothing; what has a range stands apart."""
    tuned = [
        {**r, "half": "tuning"} for r in three("a", chosen="in-memory", in_memory=40, quantised=50, out_of_core=60)
    ]
    assert judge.tables(tuned) == {}
    ranged = [{**r, "ranged": True} for r in three("a", chosen="in-memory", in_memory=40, quantised=50, out_of_core=60)]
    assert list(judge.tables(ranged)) == ["Where the number of iterations is open"]
    found = line(judge.tables(ranged)["Where the number of iterations is open"], choice="quantised")
    assert (found["took_s"], found["interval_s"], found["in_interval"]) == ("50-50", "46-66", 1)


def test_errors_are_of_one_forecast_for_each_workload() -> None:
    """Ten percent off at the plan, two after the beginning; of the probed, those from few rows; what no forecast names has none."""
    rows = three("a", chosen="in-memory", in_memory=40, quantised=50, out_of_core=60)
    rows += three("b", chosen="quantised", in_memory=40, quantised=50, out_of_core=60)
    rows[0]["forecasts"]["in-memory"]["probed"] = 1.0
    found = judge.tables(rows)["Error"]
    assert line(found, forecast="(i) plan", of="wall time")["median_%"] == 10.0
    assert line(found, forecast="(i) plan", of="wall time")["workloads"] == 2
    assert line(found, forecast="(i) plan, from at most 1/16 of the rows", of="wall time")["workloads"] == 1
    assert line(found, forecast="(ii) train, after its beginning", of="wall time")["median_%"] == 2.0
    assert line(found, forecast="(ii) train, after its beginning", of="CPU time")["workloads"] == 0
    rows[1]["forecast"]["cpu_s"] = [70.0, 84.0, 100.0]
    found = judge.tables(rows)["Error"]
    assert line(found, forecast="(ii) train, after its beginning", of="CPU time")["median_%"] == 5.0


def test_twenty_other_runs_move_what_was_planned() -> None:
    """All are planned ten percent too long, of which two thirds are believed. The other half counts as earlier runs alone."""
    rows = [
        r for n in range(10) for r in three(f"w{n}", chosen="in-memory", in_memory=40, quantised=50, out_of_core=60)
    ]
    tuned = [{**r, "half": "tuning"} for r in rows]
    for r in tuned:
        r["workload"] = r["workload"].replace("w", "t")
    one = three("w0", chosen="in-memory", in_memory=40, quantised=50, out_of_core=60)
    told = {"forecast": "(iii) plan, after 20 other runs", "of": "wall time"}
    assert all(r["forecast"] != told["forecast"] for r in judge.tables(one)["Error"])
    found = judge.tables(one + tuned)
    assert (line(found["Error"], **told)["workloads"], line(found["Error"], **told)["median_%"]) == (1, 3.2)
    assert (
        line(found["Coverage and width of the 90 % intervals"], forecast="(iii)", of="wall time")["within_%"] == 100.0
    )
    assert line(judge.tables(rows + tuned)["Error"], **told)["workloads"] == 10


def test_earlier_runs_are_never_of_the_same_workload() -> None:
    """However often it was repeated."""
    rows = three("a", chosen="in-memory", in_memory=40, quantised=50, out_of_core=60)
    rows += [run("a", "train", "in-memory", 40, number=n) for n in range(1, 40)]
    (one,) = known.known(rows)
    assert later.later([one], [one], known.QUANTITIES["wall time"]) == {}


def test_noise_is_of_the_same_candidate_run_again() -> None:
    """Never of two candidates."""
    rows = three("a", chosen="in-memory", in_memory=40, quantised=50, out_of_core=60)
    rows.append(run("a", "train", "in-memory", 44, number=1))
    assert line(judge.tables(rows)["Error"], forecast="the same run again", of="wall time")["median_%"] == 10.0


def test_coverage_counts_every_candidate_and_resampling_has_a_seed() -> None:
    """Half of the forecasts miss; drawn anew it is the same interval, and one that knows whole workloads is no narrower."""
    rows = three("a", chosen="in-memory", in_memory=40, quantised=50, out_of_core=60)
    far = three("b", chosen="in-memory", in_memory=40, quantised=50, out_of_core=60)
    for name in far[0]["forecasts"]:
        far[0]["forecasts"][name]["time_s"] = [100.0, 200.0, 400.0]
    found = line(judge.tables(rows + far)["Coverage and width of the 90 % intervals"], forecast="(i)", of="wall time")
    assert (found["forecasts"], found["within_%"], found["workloads"]) == (6, 50.0, 2)
    groups = {"a": [True] * 9, "b": [False] * 9, "c": [True] * 9, "d": [True] * 9}
    assert coverage.bootstrap(groups) == coverage.bootstrap(dict(reversed(groups.items())))
    low, high = coverage.bootstrap(groups)
    assert low <= 0.5
    assert high == 1.0
    assert coverage.bootstrap({"a": [True], "b": [True]}) == (1.0, 1.0)


def test_memory_counts_what_ended_and_what_was_refused_too_soon() -> None:
    """A child that was ended and recovered, a command that was not, and a forced candidate that would have fitted."""
    rows = three("a", chosen="in-memory", in_memory=40, quantised=50, out_of_core=60)
    rows[1]["children_ended"] = 1
    rows.append(row("b", "train", choice="in-memory", children_ended=0, machine_ended=1, ended="memory", peak_bytes=0))
    rows += [
        row("b", "force quantised", fits=True),
        row("b", "force in-memory", fits=False),
        row("c", "force in-memory", fits=None),
    ]
    rows.append(row("c", "choose quantised", choice=None, children_ended=0, machine_ended=0, ended="3: no"))
    found = {r["what"]: r["count"] for r in judge.tables(rows)["Memory"]}
    assert found["admitted runs"] == 4
    assert found["refused when they were to run, which an earlier plan had not"] == 1
    assert found["command or machine ended for memory"] == 1
    assert (found["runs with a child ended at its limit"], found["of those, recovered by themselves"]) == (1, 1)
    assert found["admitted above what was held, median %"] == 10.0
    assert (found["refused for memory, and forced"], found["of those, would have fitted"]) == (2, 1)


def test_probing_is_held_against_the_run_or_five_seconds() -> None:
    """Four seconds of a short run are within, six are not."""
    rows = three("a", chosen="in-memory", probing=4.0, in_memory=40, quantised=50, out_of_core=60)
    rows += three("b", chosen="in-memory", probing=6.0, in_memory=40, quantised=50, out_of_core=60)
    found = {r["what"]: r["figure"] for r in judge.tables(rows)["Probing that is not refunded"]}
    assert found["of the run, median %"] == 12.5
    assert found["runs beyond both"] == 1


def test_regret_charges_probes() -> None:
    """The best candidate and two seconds of probes: five percent of forty."""
    rows = three("a", chosen="in-memory", probing=2.0, in_memory=40, quantised=44, out_of_core=60)
    assert regret_of(rows, "train")["mean_%"] == 5.0
    assert regret_of(rows, "best fixed architecture: in-memory")["mean_%"] == 0.0
    assert regret_of(rows, "random")["mean_%"] == 20.0
    assert regret_of(rows, "quantised if it fits")["mean_%"] == 10.0


def test_regret_charges_a_run_that_ended_badly() -> None:
    """What it took, and the smallest candidate after it."""
    rows = three("a", chosen="in-memory", in_memory=40, quantised=44, out_of_core=60)
    rows[1] = row(
        "a", "train", choice="in-memory", wall_s=20.0, ended="3: no", children_ended=1, machine_ended=0, peak_bytes=0
    )
    rows.append(run("a", "choose in-memory", "in-memory", 40))
    rows[3]["peak_bytes"] = GB // 2  # out-of-core
    assert regret_of(rows, "train")["mean_%"] == 100.0


def test_a_rule_that_chooses_what_cannot_run_pays_for_the_attempt() -> None:
    """Until it was ended, where that was measured; then it takes the smallest."""
    rows = three("a", chosen="quantised", quantised=40, out_of_core=50, data_parallel=44)
    rows[0]["refused"] = {"in-memory": "memory"}
    rows[2]["peak_bytes"] = GB // 2
    (of,) = regret.compared(known.known(rows))
    assert regret.charged(of, "in-memory") == 50.0
    (of,) = regret.compared(known.known([*rows, row("a", "force in-memory", fits=False, wall_s=7.0)]))
    assert regret.charged(of, "in-memory") == 57.0


def test_regret_is_of_workloads_that_are_long_enough_and_whole() -> None:
    """Not of two candidates, nor of seconds, nor while one that is feasible has not been run."""
    short = three("a", chosen="in-memory", in_memory=20, quantised=44, out_of_core=60)
    assert "Regret" not in judge.tables(short)
    lacking = three("a", chosen="in-memory", in_memory=40, quantised=44, out_of_core=60, data_parallel=70)[:-1]
    assert "Regret" not in judge.tables(lacking)


def test_the_ceiling_is_of_halves_of_the_repeats() -> None:
    """None without repeats; nothing where repeats agree; where they cross, what one half costs on the other."""
    steady = {
        "a": [run("w", "train", "a", 40, number=k) for k in range(3)],
        "b": [run("w", "choose b", "b", 50, number=k) for k in range(3)],
    }
    assert regret.ceiling({name: rows[:1] for name, rows in steady.items()}) is None
    assert regret.ceiling(steady) == 0.0
    crossing = {
        "a": [run("w", "train", "a", 40), run("w", "train", "a", 60, number=1)],
        "b": [run("w", "choose b", "b", 50), run("w", "choose b", "b", 50, number=1)],
    }
    assert regret.ceiling(crossing) == pytest.approx((60 / 50 - 1 + 50 / 40 - 1) / 2)


def test_lines_through_parts_choose_by_what_they_say() -> None:
    """A line reaches the whole; terms that may not be negative do not fall below nothing."""
    shares = [1 / 64, 1 / 32, 1 / 16]
    assert baselines.line(shares, [2 + 40 * share for share in shares]) == pytest.approx(42)
    assert baselines.non_negative(shares, [2 + 40 * share for share in shares]) == pytest.approx(42)
    assert baselines.non_negative(shares, [3.0, 2.0, 1.0]) >= 0
    parts = {
        "slow": {"shares": shares, "seconds": [3.0, 4.0, 6.0]},
        "fast": {"shares": shares, "seconds": [4.0, 4.2, 4.6]},
    }
    assert baselines.fastest(parts, baselines.line) == "fast"
    assert baselines.fastest({}, baselines.line) is None


def test_rules_know_the_table_and_the_machine() -> None:
    """Eighty megabytes on two gigabytes are kept; a gigabyte is more than a third; seven times the frame is more than all."""
    about = {"shape": SHAPE, "cores": 2, "memory_bytes": 2 * GB, "params": {"max_depth": 6, "n_estimators": 100}}
    feasible = ["in-memory", "quantised", "out-of-core"]
    assert baselines.autogluon(about, feasible) == baselines.third_of_memory(about, feasible) == "in-memory"
    large = {**about, "shape": {**SHAPE, "rows": 12_000_000}}
    assert baselines.third_of_memory(large, feasible) == "data-parallel"
    assert baselines.autogluon(large, feasible) == "out-of-core"
    assert baselines.quantised_if_it_fits(about, ["in-memory", "out-of-core"]) == "out-of-core"
    # 1e6 × 10 cells of 8 bytes; 1.2 × 20 × 64 × 10 × 256 of histograms; 100 trees of six levels.
    assert baselines.autogluon_bytes(SHAPE, about["params"]) == pytest.approx(80e6 * 7.25 + 3_932_160 + 300_000)


def test_what_is_kept_counts_files_without_a_name(tmp_path: Path) -> None:
    """A file that was deleted while it is open takes its room all the same; what others hold is not counted."""
    with open(tmp_path / "gone", "wb") as file:
        file.write(bytes(1 << 20))
        file.flush()
        os.fsync(file.fileno())
        (tmp_path / "gone").unlink()
        assert stored.nameless_bytes(tmp_path / "other") == 0
        with stored.Stored(tmp_path) as kept:
            pass
    assert kept.most >= 1 << 20


def test_the_page_of_benchmarks_shows_tables_and_no_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand rows stay in the file; each table has its title, and the machine stands below."""
    kept = results(tmp_path / "results", monkeypatch)
    workload = next(w for w in design.WORKLOADS if design.is_test(w.name) and not w.ranged)
    for step in ("plan", "train"):
        found = next(row for row in three(workload.name, chosen="in-memory", in_memory=40) if row["step"] == step)
        kept.put({**found, **measure.known(workload, 0, step)})
    monkeypatch.setattr(figures, "FOLDER", tmp_path)
    page = figures.page()
    assert "**Probing that is not refunded.**" in page
    assert "| what | of runs | figure | aim |" in page
    assert workload.name not in page


def test_the_page_of_benchmarks_shows_nothing_of_the_tuning_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was measured of it: it is no result."""
    kept = results(tmp_path / "results", monkeypatch)
    workload = next(w for w in design.WORKLOADS if not design.is_test(w.name))
    found = plan(workload.name, "in-memory", {"in-memory": forecast(40, GB)}, half="tuning")
    kept.put({**found, **measure.known(workload, 0, "plan")})
    monkeypatch.setattr(figures, "FOLDER", tmp_path)
    assert "*Not measured yet* is what is reported; of the rest 1 rows are" in figures.page()
    assert workload.name not in figures.page()


def test_the_rows_make_a_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run that ended well, once for each candidate, with what `plan` and `train` said of it; no run of any user's machine."""
    rows = three("a", chosen="in-memory", in_memory=50.0, quantised=60.0, out_of_core=70.0)
    rows += [run("a", "choose quantised", "quantised", 60.0, number=1, ended="time")]
    for each in rows:
        each["asked"] = {"estimator": "xgboost.XGBClassifier", "params": {}}
    found = list(seed.entries(rows))
    assert [(one.framework, one.strategy, one.form) for one in found] == [
        ("xgboost", "in-memory", "matrix"), ("xgboost", "quantised", "bins"), ("xgboost", "out-of-core", "cache"),
    ]  # fmt: skip
    assert {one.machine for one in found} == {seed.MACHINE}
    assert [(said.by, said.kind) for said in found[0].said] == [("plan", "parts"), ("train", "parts")]
    assert found[0].actual == {"time": 50.0, "cpu": 100.0, "memory": GB, "storage": 2_000_000}
    monkeypatch.setattr(seed, "FILE", tmp_path / "ledger.jsonl")
    monkeypatch.setattr(seed, "result_path", lambda name: tmp_path / "choice.json")
    (tmp_path / "choice.json").write_text(json.dumps({"rows": rows}))
    seed.main()
    assert ledger.read(tmp_path / "ledger.jsonl", seed.MACHINE) == ledger.Ledger(
        tuple(sorted(found, key=Entry.to_json))
    )


def test_without_results_no_ledger_ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is made up."""
    monkeypatch.setattr(seed, "FILE", tmp_path / "ledger.jsonl")
    monkeypatch.setattr(seed, "result_path", lambda name: tmp_path / "choice.json")
    with pytest.raises(SystemExit, match="nothing was measured yet"):
        seed.main()
    assert not (tmp_path / "ledger.jsonl").exists()


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("from priors", "priors"),
        ("from 5 iterations at full size and 2 probes up to 6 % of the rows", "beginning"),
        ("from 1 iteration at full size", "beginning"),
        ("from 3 probes up to 2 % of the rows", "parts"),
        ("from 4 chunks, 61,011 of 327,346 rows", "groups"),
        ("from 2 probes up to 6 % of the rows and the beginning of in-memory", "kin"),
    ],
)
def test_kinds_are_told_by_the_words_of_a_forecast(source: str, kind: str) -> None:
    """Results hold the words alone."""
    assert seed.kind_of(source) == kind


def test_what_is_measured_knows_no_past_run() -> None:
    """Whoever measures may have trained on this machine before."""
    assert os.environ["FITSCALE_LEDGER"] == os.devnull
