"""One group has nine tenths of the rows: what the plan makes of it where memory is short."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import fitscale
from fitscale.records.plan import Plan


def test_a_group_too_large_for_one_of_two_workers_has_all_of_the_memory(tmp_path: Path) -> None:
    """One worker fits where two do not; the refusal of two names the group, and so does that of both."""
    n = 600_000
    group = np.where(np.arange(n) % 10, 7, np.arange(n) % 1_000)
    X = np.random.default_rng(0).standard_normal((n, 10), dtype=np.float32)
    table = pa.table({**{f"x{k}": X[:, k] for k in range(10)}, "shop": group, "y": X[:, 0]})
    pq.write_table(table, tmp_path / "rows.parquet")

    def planned(memory: str) -> Plan:
        document = {
            "name": "skewed",
            "data": {"uri": "rows.parquet", "target": "y", "groups": ["shop"]},
            "evaluate": {"refit": False},
            "model": {"estimator": "sklearn.linear_model.Ridge"},
            "where": [{"local": {"memory": memory, "cores": 2}}],
        }
        (tmp_path / "skewed.yaml").write_text(json.dumps(document))
        return fitscale.plan(tmp_path / "skewed.yaml")

    decision = planned("700 MB").decision
    assert decision.chosen is not None
    assert (decision.chosen.candidate.name, decision.chosen.candidate.workers) == ("many-models", 1)
    (refused,) = decision.refused
    assert refused.candidate.workers == 2
    assert "group shop=7 alone has 540,000 rows" in refused.sentence
    decision = planned("150 MB").decision
    assert decision.chosen is None
    assert "group shop=7 alone has 540,000 rows" in decision.refused[0].sentence
