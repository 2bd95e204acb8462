"""Live objects of the Python API → a workload that can be written down: the frame as Parquet, the estimator as a pickle.

Both lie in ``live/`` of the run under the digest of their contents, so that the same call finds what it left. The pickle is
signed with the user's key; workers load it only with that signature (see `work.live`).
"""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import pickle
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitscale.errors import DataError, UsageError, WorkloadError
from fitscale.records.base import canonical_json
from fitscale.records.workload import ModelSpec, Workload
from fitscale.registry import framework_of
from fitscale.running.staging import Staging
from fitscale.store import files, folder, trust
from fitscale.work.live import signature_name
from fitscale.workload import parse

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP = 131_072
PLACEHOLDER = "live.estimator"


def staged(document: Mapping[str, Any], run: Path | None, runs: Path, base: Path) -> tuple[Workload, bool, Staging]:
    """(the workload of a mapping, its live objects kept in the run; whether only this process can fit it; what was kept).

    Nothing is written before everything else in the mapping was understood, and the run is not begun by it.

    Raises
    ------
    WorkloadError, DataError
        At data.uri or model.estimator: an object that cannot be taken.
    """
    data, model = (dict(document.get(key) or {}) for key in ("data", "model"))
    frame = data.get("uri") if not isinstance(data.get("uri"), str | Path | None) else None
    estimator = model.get("estimator") if not isinstance(model.get("estimator"), str | None) else None
    if frame is not None:
        data["uri"] = "live.parquet"
    elif isinstance(data.get("uri"), Path):
        data["uri"] = str(data["uri"])
    if estimator is not None:
        model["estimator"] = PLACEHOLDER
    name = document.get("name") or _name(data)
    workload = parse({**document, "name": name, "data": data, "model": model}, file=None, folder=base)
    place = run or runs / workload.name
    folder.is_begun(place)
    staging, inline = Staging(place), False
    with staging, folder.writing(place):
        if estimator is not None:
            described, payload = _described(estimator, workload.model)
            if payload is not None:
                described = described.but(live=_keep_pickle(place, payload))
                inline = b"__main__" in payload
            workload = workload.but(model=described)
        if frame is not None:
            kept = write_frame(frame, place / "live")
            workload = workload.but(data=workload.data.but(uri=str(kept.absolute())))
    return workload, inline, staging


def write_frame(frame: Any, to: Path) -> Path:
    """Write a pandas frame, Arrow table or mapping of columns as Parquet, named by its contents; the file.

    Raises
    ------
    DataError
        If it is none of these, or a column cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = _table(frame)
    to.mkdir(parents=True, exist_ok=True)
    temporary = to / f".frame.{os.getpid()}.tmp"
    with files.disk_errors(to):
        try:
            pq.write_table(table, temporary, row_group_size=ROW_GROUP, compression="zstd")
            with open(temporary, "rb+") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()[:32]
                os.fsync(file.fileno())
            os.replace(temporary, to / f"frame-{digest}.parquet")
        except pa.ArrowException as error:
            raise DataError(f"data.uri: the frame cannot be written as Parquet: {error}") from None
        finally:
            temporary.unlink(missing_ok=True)
        files.sync_folder(to)
    return to / f"frame-{digest}.parquet"


def _table(frame: Any) -> pa.Table:
    import pyarrow as pa

    is_pandas = hasattr(frame, "columns") and hasattr(frame, "iloc")
    if not (is_pandas or isinstance(frame, Mapping | pa.Table | pa.RecordBatch)):
        told = f"a {type(frame).__name__} is no data; give a path, a pandas frame or an Arrow table"
        raise WorkloadError("data.uri", told)
    try:
        if isinstance(frame, pa.RecordBatch):
            frame = pa.Table.from_batches([frame])
        elif isinstance(frame, Mapping):
            frame = pa.table(dict(frame))
        elif is_pandas and not isinstance(frame, pa.Table):
            frame = pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise DataError(f"data.uri: the frame cannot be taken as Arrow columns: {error}") from None
    # Without what pandas writes beside the columns: it names versions, and equal rows must have one digest.
    return frame.replace_schema_metadata(None)


def _described(estimator: Any, model: ModelSpec) -> tuple[ModelSpec, bytes | None]:
    """(the model of the workload, the pickle). A library with a framework of its own goes by class and parameters."""
    if isinstance(estimator, type):
        raise WorkloadError("model.estimator", f"{estimator.__name__} is a class; give an instance, or its import path")
    if not hasattr(estimator, "get_params") or not hasattr(estimator, "fit"):
        raise WorkloadError(
            "model.estimator", f"a {type(estimator).__name__} is no estimator: it has no get_params or fit"
        )
    cls = type(estimator)
    path = _path_of(cls)
    framework = framework_of(path)
    if model.framework is None and framework.name != "sklearn":
        params = _said(estimator) | model.params
        try:
            canonical_json({k: v for k, v in params.items() if v == v})
        except TypeError:
            raise WorkloadError(
                "model.estimator",
                f"a parameter of {cls.__name__} is not a plain value; framework {framework.name} needs those",
            ) from None
        # NaN stands for a default such as `missing`, and is no JSON.
        return model.but(estimator=path, params={k: v for k, v in params.items() if v == v}), None
    return model.but(estimator=path, framework=model.framework or "sklearn"), _pickled(estimator)


def _path_of(cls: type) -> str:
    """The import path by which it is known: the shortest, as a workload file has it."""
    modules = itertools.accumulate(cls.__module__.split("."), lambda first, more: f"{first}.{more}")
    known = (name for name in modules if getattr(sys.modules.get(name), cls.__qualname__, None) is cls)
    return f"{next(known, cls.__module__)}.{cls.__qualname__}"


def _said(estimator: Any) -> dict[str, Any]:
    """The parameters that are not as they would be if nothing were said: a workload file names no others."""
    try:
        defaults = type(estimator)().get_params(deep=False)
    except Exception:  # a class of the user's that takes something more
        defaults = {}
    given = estimator.get_params(deep=False).items()
    return {k: v for k, v in given if v is not None and not (k in defaults and _is_equal(v, defaults[k]))}


def _is_equal(value: Any, other: Any) -> bool:
    return isinstance(value, bool | int | float | str) and type(value) is type(other) and value == other


def _pickled(estimator: Any) -> bytes:
    buffer = io.BytesIO()
    try:
        pickle.Pickler(buffer, protocol=5).dump(estimator)
        return buffer.getvalue()
    except (pickle.PicklingError, AttributeError, TypeError) as plain:
        try:
            import cloudpickle
        except ImportError:
            raise UsageError(
                f"model.estimator: cannot be pickled ({plain}); define what it uses in a module, or "
                "pip install 'fitscale[sklearn]' for cloudpickle"
            ) from None
        try:
            return bytes(cloudpickle.dumps(estimator, protocol=5))
        except Exception as error:  # whatever an object raises while it is pickled
            raise UsageError(f"model.estimator: cannot be pickled: {type(error).__name__}: {error}") from None


def _keep_pickle(run: Path, payload: bytes) -> str:
    address = f"live/{hashlib.sha256(payload).hexdigest()[:32]}.pkl"
    if not (run / address).exists():
        files.create(run / address, payload)
    trust.sign(run, signature_name(address), payload)
    return address


def _name(data: Mapping[str, Any]) -> str:
    target = str(data.get("target") or "workload")
    return "".join(c if c.isalnum() and c.isascii() else "-" for c in target).strip("-") or "workload"
