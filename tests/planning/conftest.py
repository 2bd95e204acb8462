"""A bench for planning: candidates, laws and machines of a boosted-trees job, and measurements from a known truth."""

from __future__ import annotations

import pytest

from fitscale.planning.forecasts import forecasting
from fitscale.planning.forecasts.rates import Rates
from fitscale.planning.forecasts.spread import quantile
from fitscale.records.base import Figure
from fitscale.records.data import Shape
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Candidate, Forecast, Law, Measurement, Phase, Term
from fitscale.records.workload import Budget, DataSpec, Deadline, ModelSpec, Needs, Workload

FORMS = {"in-memory": "matrix", "quantised": "bins", "out-of-core": "cache", "data-parallel": "shard"}
BYTES = {"in-memory": 36.0, "quantised": 8.0, "out-of-core": 0.5}  # a cell


class Bench:
    """Everything has defaults; each test says only what it is about."""

    rates = Rates(
        columns=20,
        start_s=Figure.around(2.0, 0.5, "assumed"),
        read_s_per_cell=Figure.around(1e-8, 0.6, "measured"),
        encode_s_per_cell=Figure.around(1e-8, 1.5, "assumed"),
    )

    def machine(self, memory: float = 24e9, **more: object) -> Machine:
        return Machine.model_validate({"name": "here", "cores": 2, "memory_bytes": int(memory), **more})

    def candidate(self, strategy: str = "in-memory", **more: object) -> Candidate:
        base = {"name": strategy, "framework": "xgboost", "strategy": strategy, "engine": "process", "machine": "here"}
        return Candidate.model_validate(base | {"threads": 2, "form": FORMS.get(strategy, "matrix")} | more)

    def shape(self, rows: int = 3_000_000, **more: object) -> Shape:
        return Shape.model_validate({"rows": rows, "features": 29, "threads": 2, **more})

    def law(self, shape: Shape, strategy: str = "in-memory", **more: object) -> Law:
        """100 rounds: a cost for each leaf that does not grow with the rows, and one for each cell."""
        law = Law(
            units=100,
            time={
                "bin": (Term(name="cells", amount=shape.cells, prior=1e-7, floor=1e-9),),
                "iterations": (
                    Term(name="leaves", amount=100.0 * 256 * shape.features, prior=2e-6, floor=1e-8),
                    Term(name="cells", amount=100.0 * shape.cells, prior=5e-9, floor=5e-10),
                ),
                "score": (Term(name="rows", amount=shape.holdout_rows, prior=1e-6),),
            },
            memory=(
                Term(name="base", amount=1, prior=1.5e8, floor=9e7),
                Term(name="cells", amount=shape.cells, prior=BYTES.get(strategy, 36.0), floor=0.4),
            ),
            storage=(Term(name="model", amount=1e6, prior=1.0),),
            parallel={"bin": 0.8, "iterations": 0.9},
        )
        return law.but(**more)

    def sample(
        self, candidate: Candidate, shape: Shape, *, faster: float = 1.0, leaves: float = 1.0, contention: float = 0.0
    ) -> tuple[Measurement, Law]:
        """What a machine shows that does cells ``faster`` than the priors say, and leaves so many times as slowly."""
        law = self.law(shape, candidate.strategy)
        bins, (leaf, cell) = law.time["bin"][0], law.time["iterations"]
        cpu = leaf.amount * leaf.prior * leaves + cell.amount * cell.prior / faster
        wall = cpu * (0.1 + 0.9 / candidate.threads) * (1 + 10 * contention)
        binned = bins.amount * bins.prior / faster
        memory = sum(term.amount * term.prior for term in law.memory)
        found = Measurement(
            path=candidate.path,
            shape=shape,
            full_size=False,
            phases={
                "bin": Phase(wall_s=binned * 0.6, cpu_s=binned),
                "iterations": Phase(wall_s=wall, cpu_s=cpu),
            },
            units=100,
            unit_s=wall / 100,
            unit_cpu_s=cpu / 100,
            peak_bytes=round(memory),
            contention=contention,
        )
        return found, law

    def forecast(
        self,
        candidate: Candidate,
        shape: Shape,
        measured: tuple[tuple[Measurement, Law], ...] = (),
        machine: Machine | None = None,
        law: Law | None = None,
    ) -> Forecast:
        law = law or self.law(shape, candidate.strategy)
        machine = machine or self.machine()
        return forecasting.forecast(candidate, law, shape, machine, measured=measured, rates=self.rates)

    def known(
        self,
        strategy: str,
        seconds: float,
        memory: float,
        *,
        error: float = 0.1,
        usd: float | None = None,
        **more: object,
    ) -> Assessed:
        """A candidate whose forecast is given."""
        held = Figure.around(memory, 0.15, "forecast")
        cost = Figure.around(usd, error, "forecast") if usd is not None else None
        forecast = Forecast(
            time_s=Figure.around(seconds, error, "forecast"), memory_bytes=held, storage_bytes=Figure.exact(1e6),
            cost_usd=cost, phases={"start": 2.0, "iterations": seconds - 2.0}, source="from 3 probes up to 6 % of the rows",
            time_p50_s=seconds, memory_p99_bytes=quantile(held, 0.99), rows=3_000_000, memory_fixed_bytes=min(1.5e8, memory),
        )  # fmt: skip
        return Assessed(candidate=self.candidate(strategy, **more), forecast=forecast)

    def workload(
        self, *, must: float | None = None, at: str | None = None, want: float | None = None,
        usd_month: float | None = None, software: float | None = None, estimator: str = "xgboost.XGBClassifier",
        frequency: str | None = None, functions: tuple[str, ...] = (),
        groups: tuple[str, ...] = (),
    ) -> Workload:  # fmt: skip
        deadline = Deadline(must_s=must, at=at, want_s=want) if must or at or want else None
        stated = usd_month is not None or software is not None
        budget = Budget(hardware_usd_month=usd_month, software_usd_month=software) if stated else None
        return Workload(
            name="late",
            data=DataSpec(uri="flights.parquet", target="late", groups=groups),
            model=ModelSpec(estimator=estimator),
            needs=Needs(deadline=deadline, budget=budget, frequency=frequency, functions=functions),
        )


@pytest.fixture(scope="session")
def bench() -> Bench:
    return Bench()
