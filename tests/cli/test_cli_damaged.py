"""A store that was cut off, edited, or made by another version: told with the file, by what meets it and by `doctor`."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from commands import fitscale

from fitscale.errors import FitscaleError
from fitscale.models.opened import Run


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stores")
    document = {
        "name": "shops",
        "data": {"uri": "synthetic://?rows=2000&columns=2&groups=20&classes=0", "target": "y", "groups": ["group"]},
        "model": {"estimator": "batched.Ridge"},
    }
    (folder / "shops.yaml").write_text(json.dumps(document))
    assert fitscale("train", folder / "shops.yaml", "--no-report").code == 0
    return folder


@pytest.fixture
def job(trained: Path, tmp_path: Path) -> Path:
    shutil.copytree(trained, tmp_path / "there")
    return tmp_path / "there" / "shops.yaml"


def payload_of(job: Path) -> Path:
    run = job.parent / "runs" / "shops"
    manifest = json.loads((run / "versions" / "1" / "manifest.json").read_text())
    return run / "models" / manifest["payloads"][0]


def test_a_whole_store_is_said_to_be(job: Path) -> None:
    said = fitscale("doctor", job)
    assert said.code == 0, said.err
    assert "each as it was written" in " ".join(said.out.split())


def test_a_file_that_was_cut_off(job: Path) -> None:
    path = payload_of(job)
    path.write_bytes(path.read_bytes()[:40])
    run = Run(job.parent / "runs" / "shops")
    key = run.models().column("group")[19].as_py()
    with pytest.raises(FitscaleError, match="was cut off"):
        run.model(key)
    with pytest.raises(FitscaleError, match="was cut off"):
        run.payloads()
    said = fitscale("doctor", job)
    assert (said.code, "damaged, edited or gone" in " ".join(said.out.split())) == (2, True)


def test_a_file_that_was_edited_or_is_gone(job: Path) -> None:
    path = payload_of(job)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert fitscale("doctor", job).code == 2
    path.unlink()
    said = fitscale(
        "predict",
        job,
        "--data",
        "synthetic://?rows=50&columns=2&groups=20&classes=0",
        "--out",
        job.parent / "p.parquet",
    )
    assert said.code in (1, 2)
    assert "is gone" in said.err


@pytest.mark.parametrize("what", ["index.parquet", "manifest.json"])
def test_an_index_or_a_manifest_that_cannot_be_read(job: Path, what: str) -> None:
    path = job.parent / "runs" / "shops" / "versions" / "1" / what
    if what == "manifest.json":
        path.write_text(json.dumps({**json.loads(path.read_text()), "of_the_future": 1}))
    else:
        path.write_bytes(path.read_bytes()[:200])
    said = fitscale("models", "list", job)
    assert said.code == 2
    assert "made by a newer one" in said.err if what == "manifest.json" else "index.parquet: cannot be read" in said.err
