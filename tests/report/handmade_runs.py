"""Run folders written by hand, record by record: what the report reads, without the hours that it reports on."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from fitscale.records.base import Figure, canonical_json
from fitscale.records.data import ColumnProfile, Folds, GroupSizes, Piece, Profile, Shape, Snapshot
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Candidate, Decision, Forecast, Phase, Plan, Refusal, Step
from fitscale.records.run import Chunk, ChunkResult, Estimator, Event, Manifest, Order, Recipe, Sample, Task, Traits
from fitscale.records.workload import DataSpec, Deadline, Evaluation, ModelSpec, Needs, Workload
from fitscale.running.state import Basis, Begun
from fitscale.store import chunks, files, folder

T0 = 1_790_000_000.0  # 2026-09-21, 14:13:20 UTC
GB = 10**9
EVIL = "<script>alert('x')</script>"


def candidate(name: str, strategy: str = "in-memory", **changes: Any) -> Candidate:
    fields = {"name": name, "framework": "xgboost", "strategy": strategy, "engine": "process", "machine": "here",
              "threads": 2, "form": "matrix"}  # fmt: skip
    return Candidate.model_validate(fields | changes)


def forecast(time_s: float, memory: float, spread: float = 0.15, **changes: Any) -> Forecast:
    fields: dict[str, Any] = {
        "time_s": Figure.around(time_s, spread, "forecast"),
        "memory_bytes": Figure.around(memory, spread / 3, "forecast"),
        "storage_bytes": Figure.around(memory / 8, spread, "forecast"),
        "source": "from 3 rounds at full size",
        "phases": {"start": 2.0, "read": 0.02 * time_s, "encode": 0.04 * time_s, "bin": 0.08 * time_s,
                   "iterations": 0.82 * time_s, "score": 0.03 * time_s, "save": 0.5},
    }  # fmt: skip
    return Forecast.model_validate(fields | changes)


def decision(many: bool) -> Decision:
    if many:
        chosen = Assessed(
            candidate=candidate("many-models", "many-models", workers=2, threads=1), forecast=forecast(260, 1.1e9)
        )
        return Decision(chosen=chosen, reasons=("many-models: 4.3 min (3.8–5), from 4 chunks",), alternatives=(chosen,))
    chosen = Assessed(candidate=candidate("quantised", "quantised", form="bins"), forecast=forecast(230, 1.31e9))
    slow = Assessed(
        candidate=candidate("out-of-core", "out-of-core", form="cache"), forecast=forecast(610, 0.74e9, 0.4)
    )
    elsewhere = forecast(95, 3.6e9, 0.5, cost_usd=Figure.around(0.021, 0.5, "modelled"))
    modelled = elsewhere.but(time_s=elsewhere.time_s.but(origin="modelled"), source="modelled from this machine")
    return Decision(
        chosen=chosen,
        reasons=("quantised: 3.8 min (3.3–4.4), from 3 rounds at full size",
                 "not in-memory: it needs 3.6 GB (3.4–3.8)"),
        better=Assessed(candidate=candidate("in-memory", machine="c7i.2xlarge", threads=8), forecast=modelled),
        alternatives=(chosen, slow),
        refused=(
            Refusal(candidate=candidate("in-memory"), sentence="needs 3.6 GB (3.4–3.8), 1.94 GB usable", gate="memory",
                    forecast=forecast(170, 3.6e9)),
            Refusal(candidate=candidate("data-parallel", "data-parallel", ranks=2), gate="ability",
                    sentence="early stopping cannot be judged over several ranks"),
        ),
        path=(
            Step(question="one model for each group?", value="no groups", threshold="data.groups", taken=False,
                 leads_to="one model"),
            Step(question="does in-memory fit in memory?", value="3.6 GB (3.4–3.8), P99 3.9 GB", threshold="1.9 GB usable",
                 taken=False, leads_to="quantised"),
            Step(question="does quantised fit in memory?", value="1.3 GB (1.2–1.4), P99 1.4 GB", threshold="1.9 GB usable",
                 taken=True, leads_to="quantised"),
            Step(question="is it done in time?", value="3.8 min (3.3–4.4)", threshold="10 min", taken=True,
                 leads_to="quantised here"),
        ),
        flips=("in-memory fits in memory here below 2.6M rows, or with 4 GB",),
    )  # fmt: skip


def traits() -> Traits:
    return Traits(target="classifier", can={"whole": "same", "bins": "same"}, input="codes", missing="ok", progress="rounds",
                  units=200, segment=10, versions={"xgboost": "3.2.0"}, params={"n_estimators": 200, "max_depth": 8})  # fmt: skip


def workload(groups: tuple[str, ...] = ()) -> Workload:
    return Workload(
        name="late arrivals",
        data=DataSpec(uri="postgresql://reader:secret@db/flights", target="late", groups=groups),
        evaluate=Evaluation(holdout=0.2, metric="roc_auc"),
        model=ModelSpec(estimator="xgboost.XGBClassifier", params={"n_estimators": 200, "max_depth": 8}),
        needs=Needs(deadline=Deadline(want_s=300, must_s=600)),
    )


def recipe(groups: tuple[str, ...] = (), part: int | None = None) -> Recipe:
    return Recipe(
        framework="xgboost", estimator=Estimator(path="xgboost.XGBClassifier", params={"n_estimators": 200, "max_depth": 8}),
        encoding="0123456789abcdef", data="feedfacefeedface", target="late", groups=groups,
        folds=Folds(seed=0, holdout=0.2, validation=0.1, part=(part, 3) if part is not None else None), segment=10, threads=2,
        early_stopping=20, metric="roc_auc", versions={"xgboost": "3.2.0"},
    )  # fmt: skip


def plan(run: Path, groups: tuple[str, ...] = (), **changes: Any) -> Plan:
    """Write snapshot and plan 1 of a run."""
    folder.create(run, "late arrivals")
    snapshot = Snapshot(source="files", root=".", columns=(("late", "int8"), ("hour", "int8")),
                        pieces=(Piece(path="a.parquet", bytes=10**8, pin="x", parts=((5_000_000, 10**8),)),))  # fmt: skip
    folder.write_snapshot(run, snapshot)
    columns = (
        ColumnProfile(name="hour", kind="number", type="int8", missing=Figure.exact(0.0), distinct=Figure.exact(24)),
        ColumnProfile(name="carrier", kind="category", type="string", missing=Figure.exact(0.013),
                      distinct=Figure.around(16, 0.1, "estimated"), note="looks like a key"),
    )  # fmt: skip
    profile = Profile(
        rows=Figure.exact(5_000_000), bytes=10**8, columns=columns, read_rows=200_000, read_bytes=4 * 10**6, read_s=0.8,
        groups=GroupSizes(n=1141, rows_min=1, rows_median=169, rows_max=1950, exact=True) if groups else None,
        warnings=("column closed_at looks like a leak (AUC 0.99 alone)",),
    )  # fmt: skip
    fields = {
        "number": 1, "workload": workload(groups), "snapshot": snapshot.content, "profile": profile, "traits": traits(),
        "machine": Machine(name="here", cores=2, memory_bytes=2 * GB), "shape": Shape(rows=3_600_000, features=29),
        "decision": decision(bool(groups)), "probing_s": 7.5,
    }  # fmt: skip
    made = Plan.model_validate(fields | changes)
    folder.write_plan(run, made)
    return made


def write_journal(run: Path, epoch: int, *events: dict[str, Any]) -> None:
    path = run / "journal" / f"{epoch:06d}.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(event) + "\n" for event in events))


def write_attempt(
    run: Path,
    name: str,
    order: Order,
    events: list[tuple[float, str, dict[str, Any]]],
    peak: int = 0,
    ends: bool = True,
) -> None:
    """``events``: (at, kind, data) of rank 0. Where it ``ends``, its engine could still write down the memory."""
    where = folder.write_order(run, name, order)
    (where / "events.0.jsonl").write_text("".join(Event(kind=k, at=at, data=d).to_json() + "\n" for at, k, d in events))
    if ends:
        first, last = events[0][0], events[-1][0]
        steps = [first + (last - first) * i / 80 for i in range(81)]
        held = [int(peak * min(1.0, 0.15 + i / 25) * (0.97 if i % 7 else 1)) for i in range(81)]
        lines = [Event(kind="memory", at=at, data={"bytes": b, "peak": max(held[: i + 1])}).to_json()
                 for i, (at, b) in enumerate(zip(steps, held, strict=True))]  # fmt: skip
        (where / "memory.jsonl").write_text("\n".join(lines) + "\n")


LEDGER = {"read": (4.0, 5.0), "encode": (9.0, 15.0), "bin": (20.0, 38.0), "iterations": (110.0, 212.0)}


def begun(groups: tuple[str, ...] = ()) -> dict[str, Any]:
    made = Begun(version=1, basis=Basis(job="j", data="d", versions={"xgboost": "3.2.0"}), plan=1,
                 candidate=candidate("many-models" if groups else "quantised"), tasks={"fit": recipe(groups).digest})  # fmt: skip
    return {"kind": "version-begun", "begun": made.model_dump(mode="json")}


def killed_and_went_on(run: Path, finished: bool = True) -> None:
    """One model: a probe, then a command that was killed after 60 s, an hour's rest, and a command that went on."""
    digest = recipe().digest
    fit = Order(kind="fit", task=digest, epoch=1, memory_bytes=2 * GB)
    probe = fit.but(samples=(Sample(rows=5000),))
    tried = [(T0 + 2, "started", {"cpu_s": 1}), (T0 + 7, "finished", {"phases": {"read": [1, 1]}})]
    write_attempt(run, "1-1", probe, tried, 4 * 10**8)
    units = [(T0 + 20 + i, "units", {"units": i, "cpu_s": 2.0 * i}) for i in range(1, 41)]
    write_attempt(run, "1-2", fit, [(T0 + 10, "started", {"cpu_s": 1.5}), *units], ends=False)
    write_journal(
        run, 1,
        {"kind": "command", "at": T0, "command": "train"},
        {"kind": "attempt-started", "at": T0 + 1, "attempt": "1-1", "candidate": "quantised", "order": "fit"},
        {"kind": "attempt-ended", "at": T0 + 7.5, "attempt": "1-1", "cause": "done", "peak": 4 * 10**8},
        {"at": T0 + 7.6, **begun()},
        {"kind": "attempt-started", "at": T0 + 8, "attempt": "1-2", "candidate": "quantised", "order": "fit"},
    )  # fmt: skip
    if not finished:
        return
    t = T0 + 3660
    done = [(t + 4, "started", {"cpu_s": 1.5}), (t + 5, "resumed", {"units": 40}), (t + 60, "units", {"units": 60, "cpu_s": 9.0}),
            (t + 150, "finished", {"phases": LEDGER | {"score": (5.0, 9.0), "save": (0.2, 0.1)}})]  # fmt: skip
    write_attempt(run, "2-1", fit.but(epoch=2), done, int(1.28e9))
    end = Order(kind="finish", task=digest, epoch=2, version=1, tasks=(digest,), memory_bytes=2 * GB)
    write_attempt(run, "2-2", end, [(t + 152, "finished", {"phases": {"save": (0.4, 0.3)}})], 2 * 10**8)
    write_journal(
        run, 2,
        {"kind": "command", "at": t, "command": "train"},
        {"kind": "attempt-started", "at": t + 2, "attempt": "2-1", "candidate": "quantised", "order": "fit"},
        {"kind": "attempt-ended", "at": t + 150.2, "attempt": "2-1", "cause": "done", "peak": int(1.28e9)},
        {"kind": "attempt-started", "at": t + 151, "attempt": "2-2", "candidate": "quantised", "order": "finish"},
        {"kind": "attempt-ended", "at": t + 152.1, "attempt": "2-2", "cause": "done", "peak": 2 * 10**8},
        {"kind": "version-finished", "at": t + 152.5, "version": 1},
    )  # fmt: skip


def write_task(run: Path, made: Recipe, name: str = "fit") -> None:
    folder.write_task(run, Task(recipe=made, name=name, data=workload(made.groups).data, traits=traits(), snapshot="x"))


def write_version(run: Path, index: Any, recipes: dict[str, Recipe], scores: dict[str, float | None]) -> None:
    """versions/1 with an index (a table with the columns of the key first)."""
    status = index.column("status").to_pylist()
    groups = next(iter(recipes.values())).groups
    counts = {name: status.count(name) for name in ("fitted", "failed", "unfit")}
    manifest = Manifest(
        version=1, name="late arrivals", recipes=recipes, encoding="0123456789abcdef", groups=groups, models=counts["fitted"],
        failed=counts["failed"], unfit=counts["unfit"], payloads=("p",), metric="roc_auc", scores=scores,
    )  # fmt: skip
    where = run / "versions" / "1"
    where.mkdir(parents=True)
    (where / "index.parquet").write_bytes(chunks.parquet_bytes(index))
    (where / "failures.jsonl").write_text("")
    (where / "metrics.json").write_text(canonical_json({"metric": "roc_auc", "scores": scores}))
    (where / "manifest.json").write_text(manifest.to_json())
    files.replace(run / "CURRENT", "1\n")
    for name, made in recipes.items():
        write_task(run, made, name)


def one_index() -> Any:
    import pyarrow as pa

    return pa.table({
        "status": ["fitted"], "kind": [""], "why": [""], "offset": [0], "length": [1000], "n_train": [3_600_000],
        "n_holdout": [1_000_000], "units": [143], "file": [0], "score": [0.7561],
    })  # fmt: skip


def one_model(run: Path) -> Path:
    """A finished run of one model with early stopping, which was killed once."""
    plan(run)
    killed_and_went_on(run)
    made = recipe()
    write_version(run, one_index(), {"fit": made}, {"roc_auc": 0.7561})
    curve = tuple(0.756 - 0.12 / (1 + i / 9) - 0.00002 * max(0, i - 143) for i in range(163))
    result = ChunkResult(chunk=Chunk(start=0, stop=1), table="t", models="p", scores={"roc_auc": curve}, units=143)
    files.create(run / "tasks" / made.digest / "chunks" / "000000", result.to_json())
    return run


def many_models(run: Path, n: int = 1141, evil: bool = True) -> Path:
    """A finished run of many models: most fitted, some unfit, a few failed in two ways, one with a stranger's name."""
    import pyarrow as pa

    groups = ("dest", "hour")
    plan(run, groups)
    made = recipe(groups)
    digest = made.digest
    draw = random.Random(7)
    rows = [max(1, int(draw.lognormvariate(5, 1))) for _ in range(n)]
    status = ["failed" if i % 397 == 5 else "unfit" if rows[i] < 12 else "fitted" for i in range(n)]
    status = ["fitted" if evil and i == 3 else s for i, s in enumerate(status)]
    kinds = {"failed": "XGBoostError", "unfit": "unfit", "fitted": ""}
    index = pa.table({
        "dest": [EVIL if evil and i == 3 else f"D{i // 24:04d}" for i in range(n)],
        "hour": [i % 24 for i in range(n)],
        "status": status,
        "kind": ["killed" if s == "failed" and i % 2 else kinds[s] for i, s in enumerate(status)],
        "why": ["" if s == "fitted" else f"one class in {rows[i]} training rows" if s == "unfit"
                else "Check failed: valid: Input data contains `inf`" for i, s in enumerate(status)],
        "offset": [0] * n, "length": [100] * n, "n_train": rows, "n_holdout": [r // 4 for r in rows], "units": [100] * n,
        "file": [0] * n,
        "score": pa.array([None if s != "fitted" else 0.01 if evil and i == 3 else min(1.0, max(0.2, draw.gauss(0.68, 0.08)))
                           for i, s in enumerate(status)], pa.float64()),
    })  # fmt: skip
    write_version(run, index, {"fit": made}, {"roc_auc": 0.7012})
    cut = Order(kind="partition", epoch=1, memory_bytes=2 * GB)
    write_attempt(run, "1-1", cut, [(T0 + 2, "finished", {"phases": {"read": (1.5, 2.0)}})], 5 * 10**8)
    order = Order(kind="groups", task=digest, epoch=1, workers=2, memory_bytes=GB)
    told = [(T0 + 10 + 2.1 * k, "chunk", {"k": k, "groups": 11, "rows": 2000 + 10 * k, "wall_s": 1.6 * 1.01**k, "cpu_s": 1.5})
            for k in range(100)]  # fmt: skip
    ledger = {"start": (2.0, 1.8), "encode": (1.0, 1.0), "iterations": (203.0, 190.0), "save": (3.1, 2.0)}
    course = [(T0 + 6, "started", {"cpu_s": 0.4}), *told, (T0 + 225, "finished", {"phases": ledger})]
    write_attempt(run, "1-2", order, course, 9 * 10**8)
    write_journal(
        run, 1,
        {"kind": "command", "at": T0, "command": "train"},
        {"kind": "attempt-started", "at": T0 + 1, "attempt": "1-1", "candidate": "partition", "order": "partition"},
        {"kind": "attempt-ended", "at": T0 + 2.1, "attempt": "1-1", "cause": "done", "peak": 5 * 10**8},
        {"kind": "attempt-started", "at": T0 + 5, "attempt": "1-2", "candidate": "many-models", "order": "groups"},
        {"at": T0 + 20, **begun(groups)},
        {"kind": "attempt-ended", "at": T0 + 225.1, "attempt": "1-2", "cause": "done", "peak": 9 * 10**8},
        {"kind": "version-finished", "at": T0 + 227, "version": 1},
    )  # fmt: skip
    return run


__all__ = ["EVIL", "GB", "LEDGER", "T0", "Phase", "killed_and_went_on", "many_models", "one_model", "plan", "recipe",
           "write_attempt", "write_journal", "write_task", "write_version"]  # fmt: skip
