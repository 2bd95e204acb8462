"""The package's plug-ins pass the suites of their families, which fitscale publishes."""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from fitscale_example.centroids import Centroids
from fitscale_example.jsonlines import JsonLines
from fitscale_example.lift import TopDecileLift
from fitscale_example.sheet import Sheet

from fitscale.contracts import Exporter, Metric
from fitscale.data.reader import open_reader
from fitscale.errors import DataError, SourceChanged, WorkloadError
from fitscale.records.run import Estimator, Recipe
from fitscale.records.workload import DataSpec
from fitscale.testing.exporters import ExporterSuite
from fitscale.testing.frameworks import FrameworkSuite
from fitscale.testing.metrics import MetricSuite
from fitscale.testing.sources import SourceSuite
from fitscale.testing.trying import Case

write = runpy.run_path(str(Path(__file__).parents[1] / "rows.py"))["write"]


class TestJsonLines(SourceSuite):
    def make(self, folder: Path) -> DataSpec:
        write(folder / "a.jsonl", 30_000)
        write(folder / "b.jsonl", 9_000, seed=1)
        (folder / "empty.jsonl").touch()
        return DataSpec(uri=f"jsonl://{folder}", target="bought")

    def test_a_file_that_changed_is_refused(self, tmp_path: Path) -> None:
        """One byte is enough, and the error says what to do."""
        data = self.make(tmp_path)
        snapshot = open_reader(data).snapshot
        raw = (tmp_path / "a.jsonl").read_bytes()
        (tmp_path / "a.jsonl").write_bytes(raw.replace(b"town 3", b"town 4", 1))
        with pytest.raises(SourceChanged, match=r"a\.jsonl.*--fresh"):
            list(open_reader(data, snapshot).batches(["town"]))

    def test_what_cannot_be_read_is_named(self, tmp_path: Path) -> None:
        """No file, lines that are no objects, keys of two types, and a filter that it does not take."""
        with pytest.raises(DataError, match="no such file"):
            JsonLines.open(DataSpec(uri=f"jsonl://{tmp_path}/none.jsonl", target="y"))
        (tmp_path / "bad.jsonl").write_text('{"y": 1}\n{"y": \n')
        with pytest.raises(DataError, match=r"bad\.jsonl: .*one JSON object"):
            JsonLines.open(DataSpec(uri=f"jsonl://{tmp_path}/bad.jsonl", target="y")).snapshot()
        (tmp_path / "bad.jsonl").write_text('{"y": 1}\n')
        (tmp_path / "other.jsonl").write_text('{"y": "one"}\n')
        with pytest.raises(DataError, match="differ in the type"):
            JsonLines.open(DataSpec(uri=f"jsonl://{tmp_path}", target="y")).snapshot()
        with pytest.raises(WorkloadError, match=r"data\.where"):
            JsonLines.open(DataSpec(uri=f"jsonl://{tmp_path}", target="y", where="y > 0"))


class TestCentroids(FrameworkSuite):
    framework = Centroids
    cases: ClassVar[Mapping[str, Case]] = {
        "binary": Case(Estimator(path="fitscale_example.Centroids")),
        "multiclass": Case(Estimator(path="fitscale_example.Centroids"), "multiclass"),
        "equal": Case(Estimator(path="fitscale_example.Centroids", params={"prior": "equal"})),
    }
    tolerance = 1e-9


class TestSheet(ExporterSuite):
    estimators: ClassVar[Mapping[str, Estimator]] = {"classifier": Estimator(path="fitscale_example.Centroids")}
    opens = """
import csv, io, zipfile
for path in sys.argv[1:]:
    if path.endswith('.zip'):
        with zipfile.ZipFile(path) as archive:
            texts = [archive.read(name).decode() for name in archive.namelist()]
    else:
        texts = [open(path).read()]
    assert texts
    for text in texts:
        head, *lines = csv.reader(io.StringIO(text))
        assert head[:2] == ['class', 'prior'] and len(lines) >= 2
        assert abs(sum(float(line[1]) for line in lines) - 1) < 1e-9
"""

    @pytest.fixture
    def exporter(self) -> Exporter:
        return Sheet()

    def test_other_models_are_refused(self, exporter: Exporter) -> None:
        """With the reason, before anything is trained."""
        other = Estimator(path="baseline.Classifier")
        assert exporter.reason_not(Recipe.model_construct(framework="baseline", estimator=other)) is not None


class TestTopDecileLift(MetricSuite):
    @pytest.fixture
    def metric(self) -> Metric:
        return TopDecileLift()

    def test_the_value_by_hand(self) -> None:
        """20 rows with 4 positives: of the best two one is positive, half against a fifth; a tie at the border counts half."""
        y, score = np.zeros(20), np.linspace(1, 0, 20)
        y[[0, 5, 6, 7]] = 1
        assert TopDecileLift().one(y, score, None) == pytest.approx(2.5)
        score[1] = score[2] = 0.9
        y[2] = 1
        assert TopDecileLift().one(y, score, None) == pytest.approx((1.5 / 2) / (5 / 20))
