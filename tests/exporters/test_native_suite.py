"""The native exporter passes the published suite, for each framework that is built in."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from fitscale.contracts import Exporter
from fitscale.exporters.native import Native
from fitscale.records.run import Estimator
from fitscale.store import lookup
from fitscale.testing.exporters import ExporterSuite
from fitscale.testing.runs import finished

# The paths of the models; those of an archive are taken out of it.
MODELS = """
import tempfile, zipfile
models = [path for path in sys.argv[1:] if '/model' in path]
if models[0].endswith('.zip'):
    folder = tempfile.mkdtemp()
    zipfile.ZipFile(models[0]).extractall(folder)
    models = [f'{folder}/{name}' for name in zipfile.ZipFile(models[0]).namelist() if name.startswith('model')]
assert models
"""


class TestBaseline(ExporterSuite):
    opens = MODELS + "import json\nfor path in models: assert json.load(open(path))['value']\n"

    @pytest.fixture
    def exporter(self) -> Exporter:
        return Native()


class TestXGBoost(ExporterSuite):
    estimators: ClassVar[Mapping[str, Estimator]] = {
        "classifier": Estimator(path="xgboost.XGBClassifier", params={"n_estimators": 3}),
        "regressor": Estimator(path="xgboost.XGBRegressor", params={"n_estimators": 3}),
    }
    opens = (
        MODELS
        + "import xgboost\nfor path in models: assert xgboost.Booster(model_file=path).num_boosted_rounds() == 3\n"
    )

    @pytest.fixture
    def exporter(self) -> Exporter:
        return Native()


class TestLightGBM(ExporterSuite):
    estimators: ClassVar[Mapping[str, Estimator]] = {
        "classifier": Estimator(path="lightgbm.LGBMClassifier", params={"n_estimators": 3}),
        "regressor": Estimator(path="lightgbm.LGBMRegressor", params={"n_estimators": 3}),
    }
    opens = MODELS + "import lightgbm\nfor path in models: assert lightgbm.Booster(model_file=path).num_trees() > 0\n"

    @pytest.fixture
    def exporter(self) -> Exporter:
        pytest.importorskip("lightgbm", reason="lightgbm is not installed")
        return Native()


class TestSklearn(ExporterSuite):
    estimators: ClassVar[Mapping[str, Estimator]] = {
        "classifier": Estimator(path="sklearn.linear_model.LogisticRegression"),
        "regressor": Estimator(path="sklearn.linear_model.Ridge"),
    }
    opens = MODELS + "import pickle\nfor path in models: assert hasattr(pickle.load(open(path, 'rb')), 'predict')\n"

    @pytest.fixture
    def exporter(self) -> Exporter:
        return Native()


def test_the_index_leads_from_key_to_file(tmp_path: Path) -> None:
    """Each group that was fitted has its own model's bytes under the file that index.json names."""
    finished(tmp_path / "run", Estimator(path="baseline.Classifier"), groups=9)
    out = tmp_path / "out"
    Native().export(tmp_path / "run", 1, out)
    archive = zipfile.ZipFile(out / "models.zip")
    named = json.loads(archive.read("index.json"))
    index = lookup.Index(tmp_path / "run", 1)
    fitted = [entry for entry in map(index.entry, range(len(index))) if entry.status == "fitted"]
    assert [tuple(each["key"]) for each in named] == [entry.key for entry in fitted]
    for each, entry in zip(named, fitted, strict=True):
        assert archive.read(each["file"]) == index.payload(entry, pickles=False, trusted=False)


def test_an_exported_pickle_predicts_alone(tmp_path: Path) -> None:
    """The library's own object takes the encoded columns, in the order that encoding.json gives."""
    finished(tmp_path / "run", Estimator(path="sklearn.linear_model.Ridge"))
    out = tmp_path / "out"
    Native().export(tmp_path / "run", 1, out)
    native = pickle.loads((out / "model.pkl").read_bytes())
    assert np.isfinite(native.predict(np.zeros((2, native.n_features_in_)))).all()
