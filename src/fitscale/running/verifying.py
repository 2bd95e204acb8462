"""What ``plan --verify`` tries with the user's own estimator on a part of the user's rows: train, export, compare, open elsewhere.

A small version is trained for it in a folder that is removed again. What fails is a result with its reason, not an error.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from fitscale.data.reader import reader_of_run
from fitscale.errors import FitscaleError
from fitscale.models.exporting import exporter_of
from fitscale.planning.scoring.card import scorecard_of
from fitscale.records.data import Snapshot
from fitscale.records.plan import Plan
from fitscale.records.run import Recipe
from fitscale.records.scorecard import Proof
from fitscale.records.workload import DataSpec, Needs, Place, Workload
from fitscale.running.training import train
from fitscale.store import folder, versions
from fitscale.store.journal import Journal
from fitscale.store.lock import RunLock

ROWS = 20_000
UNITS = 20  # rounds, passes or trees of each fit
OPEN_S = 120.0
NATIVE = "native"
# Opens the exported files (their paths are in sys.argv[1:]) where fitscale cannot be imported. By the last of a file's name.
_OPENING = """
import json, pickle, sys
sys.modules['fitscale'] = None
def ubj(path): import xgboost; xgboost.Booster(model_file=path)
def txt(path): import lightgbm; lightgbm.Booster(model_file=path)
def pkl(path): pickle.load(open(path, 'rb'))
def js(path): json.load(open(path))
def onnx(path): import onnxruntime; onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
known = {'ubj': ubj, 'txt': txt, 'pkl': pkl, 'json': js, 'onnx': onnx}
models = [p for p in sys.argv[1:] if p.rpartition('/')[2].startswith('model')]
if not models: sys.exit('no file of a model among what was exported')
for path in models:
    suffix = path.rpartition('.')[2]
    if suffix not in known: sys.exit(f'no library but fitscale reads .{suffix}')
    known[suffix](path)
"""


def verified(plan: Plan, snapshot: Snapshot, *, trust: bool = False) -> Iterator[Proof]:
    """What was tried, one after the other."""
    chosen = plan.decision.chosen
    vectors = any("list" in kind for _, kind in snapshot.columns)  # which no other file than their own holds
    if chosen is None or plan.workload.model.live or plan.workload.data.is_series or vectors:
        return  # a live object is not here, and a part of a series is no series
    framework = chosen.candidate.framework
    with TemporaryDirectory(prefix="fitscale-verify-") as scratch:
        place = Path(scratch)
        try:
            job = _small(plan, snapshot, place)
            train(job, place / "run", trust=trust)
        except FitscaleError as error:
            yield _told("frameworks", framework, "fitting", str(error))
            return
        recipe = next(iter(versions.manifest(place / "run", 1).recipes.values()))
        framework = recipe.framework  # of many models that are fitted together it is another one
        rows = f"{min(ROWS, snapshot.rows):,} of your rows"
        yield _told("frameworks", framework, "fitting", "", f"a model of {rows} was trained to its end")
        for name in dict.fromkeys((*plan.workload.needs.export, NATIVE)):
            yield from _exported(name, recipe, place, trust)
        if _has_ranks(plan):
            yield from _ranks(job, framework, place, rows, trust)


def kept(run: Path, plan: Plan, tried: Sequence[Proof]) -> Plan:
    """The plan with what was tried, as the run's next: one that is written is never changed."""
    again = {(proof.family, proof.plugin, proof.ability) for proof in tried}
    before = [proof for proof in plan.facts.tried if (proof.family, proof.plugin, proof.ability) not in again]
    with RunLock(run) as lock:
        plan = plan.but(number=folder.next_plan(run), facts=plan.facts.but(tried=(*tried, *before)))
        plan = plan.but(scorecard=scorecard_of(plan))
        folder.write_plan(run, plan)
        Journal(run, lock.epoch).append("plan", number=plan.number)
    return plan


def _small(plan: Plan, snapshot: Snapshot, place: Path) -> Workload:
    """The same job on a part of the rows, which lies in a file of its own, as one model of few rounds."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    workload = plan.workload
    reader = reader_of_run(workload.data, snapshot).sample(ROWS, workload.seed)
    table = pa.Table.from_batches([batch for _, batch in reader.batches([name for name, _ in snapshot.columns])])
    pq.write_table(table, place / "rows.parquet")
    features = workload.data.features
    data = DataSpec(
        uri=str(place / "rows.parquet"), target=workload.data.target, time=workload.data.time, weight=workload.data.weight,
        features=features.but(drop=tuple(dict.fromkeys((*features.drop, *workload.data.groups)))),
    )  # fmt: skip
    params = dict(workload.model.params)
    if plan.traits.units_param:
        params[plan.traits.units_param] = min(UNITS, plan.traits.units)
    model = workload.model.but(params=params, fallback=None)
    places = tuple(place for place in workload.where if place.kind == "local") or (Place(kind="local"),)
    return workload.but(data=data, model=model, needs=Needs(), where=places)


def _exported(name: str, recipe: Recipe, place: Path, trust: bool) -> Iterator[Proof]:
    """To one format: what the exporter compared, and whether its files open without fitscale."""
    try:
        exporter = exporter_of(name)
        if why := exporter.reason_not(recipe):
            yield _told("exporters", name, "export", why)
            return
        made = exporter.export(place / "run", 1, place / name, trust=trust)
    except (FitscaleError, ValueError, RuntimeError) as error:
        yield _told("exporters", name, "export", str(error))
        return
    seen = f", compared on {made.compared.rows:,} held-out rows" if made.compared is not None else ""
    yield _told("exporters", name, "export", "", f"exported{seen}")
    argv = [sys.executable, "-P", "-c", _OPENING, *map(str, made.files)]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=OPEN_S)
        why = "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
    except subprocess.TimeoutExpired:
        why = f"not opened within {OPEN_S:.0f} s"
    yield _told("exporters", name, f"without fitscale: {recipe.framework}", why, "opened in a process without fitscale")


def _has_ranks(plan: Plan) -> bool:
    decision = plan.decision
    return any(one is not None and one.candidate.ranks > 1 for one in (decision.chosen, *decision.alternatives))


def _ranks(job: Workload, framework: str, place: Path, rows: str, trust: bool) -> Iterator[Proof]:
    """A fit that two processes share."""
    why = ""
    try:
        train(job, place / "ranks", choose="data-parallel", trust=trust)
    except FitscaleError as error:
        why = str(error)
    for family, name in (("frameworks", framework), ("engines", "process")):
        yield _told(family, name, "ranks", why, f"two ranks trained one model of {rows}")


def _told(family: str, plugin: str, ability: str, why: str, how: str = "") -> Proof:
    """``why`` it failed; empty where it worked."""
    told = f"tried here: {why or how}"
    return Proof(family=family, plugin=plugin, ability=ability, passed=not why, how=told, on=date.today().isoformat())
