"""Plans made by hand: what the screens are shown."""

from __future__ import annotations

from typing import Any

from fitscale.records.base import Figure
from fitscale.records.data import ColumnProfile, GroupSizes, Profile, Shape
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Candidate, Decision, Forecast, Plan, Refusal
from fitscale.records.run import Traits
from fitscale.records.workload import Budget, DataSpec, Deadline, ModelSpec, Needs, Place, Workload

GIB = 2**30


def candidate(name: str = "in-memory", machine: str = "here", **changes: Any) -> Candidate:
    form = {"in-memory": "matrix", "quantised": "bins", "out-of-core": "cache", "many-models": "matrix"}[name]
    given = {
        "name": name,
        "framework": "xgboost",
        "strategy": name,
        "engine": "process",
        "machine": machine,
        "form": form,
    }
    return Candidate.model_validate({**given, "threads": 4, **changes})


def forecast(
    seconds: float, gib: float, relative: float = 0.3, usd: float | None = None, origin: Any = "forecast"
) -> Forecast:
    return Forecast(
        time_s=Figure.around(seconds, relative, origin),
        memory_bytes=Figure.around(gib * GIB, 0.05, origin),
        storage_bytes=Figure.exact(5e6),
        cost_usd=Figure.around(usd, relative, "modelled") if usd else None,
        phases={"start": 0.002 * seconds, "read": 0.14 * seconds, "bin": 0.06 * seconds, "iterations": 0.8 * seconds},
        source="from 3 probes up to 2 % of the rows",
    )


def machine(**changes: Any) -> Machine:
    given = {"name": "here", "cores": 4, "memory_bytes": 29 * GIB, "disk_read_bytes_per_s": 1.2e9}
    return Machine.model_validate({**given, **changes})


def workload(**changes: Any) -> Workload:
    given: dict[str, Any] = {
        "name": "late",
        "data": DataSpec(uri="postgresql://pg-replica/flights", target="late"),
        "model": ModelSpec(estimator="xgboost.XGBClassifier"),
        "needs": Needs(
            deadline=Deadline(want_s=3600, must_s=14_400), frequency="weekly", budget=Budget(hardware_usd_month=300)
        ),
        "where": (Place(kind="local", memory_bytes=29 * GIB), Place(kind="catalogue", address="aws/us-east-1")),
    }
    return Workload(**{**given, **changes})


def plan(**changes: Any) -> Plan:
    """The design's own example: 412 million rows, a job that does not fit here, and a rented machine that is better."""
    chosen = Assessed(candidate=candidate("out-of-core"), forecast=forecast(1_240, 7))
    better = Assessed(
        candidate=candidate("quantised", "r7i.2xlarge", threads=8), forecast=forecast(6_100, 31, 0.5, 0.89, "modelled")
    )
    given: dict[str, Any] = {
        "number": 1,
        "workload": workload(),
        "snapshot": "0" * 16,
        "profile": Profile(
            rows=Figure.exact(412_345_678, "estimated"),
            bytes=60_000_000_000,
            columns=(ColumnProfile(name="a", kind="number", type="float", missing=Figure.exact(0.1)),),
            read_rows=8_000_000,
            read_bytes=1_200_000_000,
            read_s=55.2,
            warnings=("column closed_at looks like a leak (AUC 0.99 alone)",),
        ),
        "machine": machine(),
        "traits": Traits(
            target="classifier", can={"whole": "same"}, input="codes", missing="ok", progress="rounds", units=300
        ),
        "shape": Shape(rows=330_000_000, features=22),
        "decision": Decision(
            chosen=chosen,
            better=better,
            reasons=("In memory would need 140 GiB: it would be killed", "Two good ways:"),
            refused=(
                Refusal(candidate=candidate(), sentence="needs 140 GiB (133–147), 29 usable", gate="memory"),
                Refusal(
                    candidate=candidate("quantised"),
                    sentence="needs 31 GiB (29–33), 29 usable; at a tenth of the rows it would fit with room to spare for the rest",
                    gate="memory",
                ),
            ),
            flips=("quantised fits here below 370M rows or with 36 GiB",),
        ),
        "probing_s": 12.4,
    }
    return Plan(**{**given, **changes})


def many() -> Plan:
    """Many models, chosen without a rival."""
    way = candidate("many-models", workers=2, threads=1)
    data = DataSpec(uri="data/flights-poisoned.parquet", target="late", groups=("dest", "hour"))
    base = plan()
    return base.but(
        workload=workload(data=data, needs=Needs(), where=(Place(kind="local"),)),
        profile=base.profile.but(
            groups=GroupSizes(n=1141, rows_min=1, rows_median=169, rows_max=1950, exact=True), warnings=()
        ),
        decision=Decision(chosen=Assessed(candidate=way, forecast=forecast(38, 0.6)), reasons=("the only way",)),
    )
