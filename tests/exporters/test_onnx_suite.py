"""The ONNX exporter passes the published suite, for each framework that it has a converter for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from fitscale.contracts import Exporter
from fitscale.exporters.onnx import Onnx
from fitscale.records.run import Estimator
from fitscale.testing.exporters import ExporterSuite

OPENS = """
import io, zipfile, onnxruntime
for path in sys.argv[1:]:
    models = [open(path, 'rb').read()]
    if path.endswith('.zip'):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            models = [archive.read(name) for name in archive.namelist() if name.endswith('.onnx')]
    assert models
    for model in models:
        session = onnxruntime.InferenceSession(model, providers=['CPUExecutionProvider'])
        assert session.get_outputs()[0].name == 'prediction'
"""


class TestBaseline(ExporterSuite):
    opens = OPENS

    @pytest.fixture
    def exporter(self) -> Exporter:
        return Onnx()


class TestXGBoost(ExporterSuite):
    estimators: ClassVar[Mapping[str, Estimator]] = {
        "classifier": Estimator(path="xgboost.XGBClassifier", params={"n_estimators": 3}),
        "regressor": Estimator(path="xgboost.XGBRegressor", params={"n_estimators": 3}),
    }
    opens = OPENS

    @pytest.fixture
    def exporter(self) -> Exporter:
        return Onnx()


class TestLightGBM(ExporterSuite):
    estimators: ClassVar[Mapping[str, Estimator]] = {
        "classifier": Estimator(path="lightgbm.LGBMClassifier", params={"n_estimators": 3}),
        "regressor": Estimator(path="lightgbm.LGBMRegressor", params={"n_estimators": 3}),
    }
    opens = OPENS

    @pytest.fixture
    def exporter(self) -> Exporter:
        pytest.importorskip("lightgbm", reason="lightgbm is not installed")
        return Onnx()


class TestSklearn(ExporterSuite):
    estimators: ClassVar[Mapping[str, Estimator]] = {
        "classifier": Estimator(path="sklearn.linear_model.LogisticRegression"),
        "regressor": Estimator(path="sklearn.tree.DecisionTreeRegressor", params={"max_depth": 3}),
    }
    opens = OPENS

    @pytest.fixture
    def exporter(self) -> Exporter:
        return Onnx()
