"""plan, train, predict, open_run: what the command line does, for Python.

A workload is a path, a mapping with the keys of the workload file, or what `fitscale.workload.build` returns. In a mapping
``data.uri`` may be a pandas frame or an Arrow table, and ``model.estimator`` a scikit-learn estimator or Pipeline:

    run = fitscale.train(
        {"data": {"uri": frame, "target": "late"}, "model": {"estimator": make_pipeline(StandardScaler(), SVC())}},
        run="runs/late",
    )
    run.model().predict(frame)

The frame is kept in the run as Parquet and the estimator as a signed pickle, both under the digest of their contents: the
same call goes on after an interruption, as ``fitscale train`` does.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitscale.errors import UsageError
from fitscale.machines.here import require_linux
from fitscale.records.workload import Workload

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.models.opened import Run
    from fitscale.models.predict import Predicted
    from fitscale.records.plan import Plan
    from fitscale.running.command import Told

WorkloadLike = str | Path | Mapping[str, Any] | Workload


def plan(
    workload: WorkloadLike,
    run: str | Path | None = None,
    *,
    choose: str | None = None,
    probe: str | float | None = None,
    trust: bool = False,
    told: Told | None = None,
) -> Plan:
    """What would run, how long, in how much memory, and why. Where nothing can, ``plan.decision.chosen`` is None.

    Parameters
    ----------
    run
        The run folder; default: ``runs/NAME`` beside the workload file, or in the current folder.
    choose
        A candidate's name: plan that one alone.
    probe
        How long to probe: ``"10m"``, or seconds.
    trust
        Load pickles from elsewhere.
    told
        What to call while it works (`fitscale.running.training.Told`); default: in IPython, what shows its progress.

    Raises
    ------
    UsageError
        What is wrong in the workload or the data.
    """
    require_linux()
    from fitscale.notebook.progress import Showing
    from fitscale.running.planning import plan_only

    resolved = _resolved(workload, run, probe, trust)
    with resolved.staging, Showing(resolved.run, resolved.workload) as showing:
        return plan_only(
            resolved.workload, resolved.run, choose=resolved.choose(choose), probe_s=resolved.probe_s,
            trust=resolved.trust, ledger=resolved.ledger, told=told or showing.told,
        )  # fmt: skip


def train(
    workload: WorkloadLike,
    run: str | Path | None = None,
    *,
    fresh: bool = False,
    choose: str | None = None,
    probe: str | float | None = None,
    trust: bool = False,
    told: Told | None = None,
) -> Run:
    """Train the workload's models, from wherever an earlier call left them; the finished version, opened.

    Parameters are those of `plan`; ``fresh`` trains a version anew, on the data as it is now.

    Raises
    ------
    UsageError, NothingRuns, NothingMeets, Resumable
        As the command's exit codes 2, 3, 4 and 75; after the last the same call goes on.
    FitscaleError
        If a fit failed, or more groups than ``needs.max_failed`` allows (the others are in the version: `open_run`).
    """
    require_linux()
    from fitscale.models.opened import Run
    from fitscale.notebook.progress import Showing
    from fitscale.running.training import train as train_

    resolved = _resolved(workload, run, probe, trust)
    with resolved.staging, Showing(resolved.run, resolved.workload) as showing:
        trained = train_(
            resolved.workload, resolved.run, fresh=fresh, choose=resolved.choose(choose), probe_s=resolved.probe_s,
            trust=resolved.trust, ledger=resolved.ledger, told=told or showing.told,
        )  # fmt: skip
    trained.check(resolved.workload.needs.max_failed)
    return Run(resolved.run, trained.manifest.version, trust=resolved.trust)


def predict(
    run: str | Path | Run, data: Any, out: str | Path | None = None, *, proba: bool = False, trust: bool = False
) -> pa.Table | Predicted:
    """One row for each row of ``data``, in its order: the key, the prediction, and ``why`` where there is none.

    Parameters
    ----------
    run
        A run folder, or what `train` or `open_run` returned.
    data
        A path or address as in ``data.uri``, or a pandas frame or Arrow table.
    out
        A Parquet file to write. The counts are returned then, else the predictions as an Arrow table.
    proba
        Add the probability of each class.

    Raises
    ------
    UsageError, DataError
        If the data or its columns cannot be used.
    """
    require_linux()
    import pyarrow.parquet as pq

    from fitscale.models.asked import Asked
    from fitscale.models.opened import Run
    from fitscale.models.predict import predict as predict_

    opened = run if isinstance(run, Run) else Run(run, trust=trust)
    with tempfile.TemporaryDirectory(prefix="fitscale-") as folder:
        uri, named = str(data), str(data)
        if not isinstance(data, str | Path):
            from fitscale.running.live import write_frame

            uri, named = str(write_frame(data, Path(folder))), "the data"
        if out is not None:
            return predict_(opened, Asked(uri), Path(out), proba=proba, named=named)
        written = Path(folder) / "predictions.parquet"
        predict_(opened, Asked(uri), written, proba=proba, named=named)
        return pq.read_table(written, memory_map=False)


def open_run(path: str | Path, version: int | None = None, trust: bool = False) -> Run:
    """A run with a finished version: the served one, or ``version``.

    ``trust`` loads models that could run code and that somebody else made.

    Raises
    ------
    UsageError
        If it is no run, or has no such version.
    """
    require_linux()
    from fitscale.models.opened import Run

    return Run(path, version, trust=trust)


class _Resolved:
    """A workload with its run folder, and what must hold for live objects."""

    def __init__(
        self,
        workload: Workload,
        run: Path,
        probe_s: float | None,
        trust: bool,
        ledger: Path,
        inline: bool,
        staging: AbstractContextManager[object],
    ) -> None:
        self.workload = workload
        self.run = run
        self.probe_s = probe_s
        self.trust = trust
        self.ledger = ledger
        self.staging = staging  # entered while the call goes on: takes live objects back where it is refused
        self._inline = inline

    def choose(self, asked: str | None) -> str | None:
        """Only this process knows classes that were defined in it: they are fitted here, whatever else could."""
        if not self._inline:
            return asked
        if asked is None:
            return ("many-models" if self.workload.data.groups else "in-memory") + "@inline"
        return asked if asked.endswith("@inline") else f"{asked}@inline"


def _resolved(workload: WorkloadLike, run: str | Path | None, probe: str | float | None, trust: bool) -> _Resolved:
    from fitscale.workload import load, settings

    inline = False
    staging: AbstractContextManager[object] = nullcontext()
    folder = Path.cwd()
    if isinstance(workload, str | Path):
        folder = Path(workload).parent
    elif isinstance(workload, Workload):
        folder = Path(workload.folder)
    chosen = settings({"trust": trust or None, "probe_s": probe}, os.environ, folder)
    if isinstance(workload, str | Path):
        found = load(Path(workload))
    elif isinstance(workload, Workload):
        found = workload
    elif isinstance(workload, Mapping):
        from fitscale.running.live import staged

        found, inline, staging = staged(workload, Path(run) if run is not None else None, Path(chosen.runs), folder)
    else:
        raise UsageError(
            f"a workload is a path, a mapping, or what fitscale.workload.build returns, not a {type(workload).__name__}"
        )
    path = Path(run) if run is not None else Path(chosen.runs) / found.name
    return _Resolved(found, path, chosen.probe_s, chosen.trust, Path(chosen.ledger), inline, staging)
