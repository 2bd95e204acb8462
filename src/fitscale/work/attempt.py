"""One attempt, as one process does it: read the order, do the work, say how it ended."""

from __future__ import annotations

import contextlib
import sys
import time
import traceback
from pathlib import Path

from fitscale.contracts import Stopped
from fitscale.errors import FitscaleError, StorageFull
from fitscale.records.run import Order
from fitscale.registry import plugin
from fitscale.store import files, folder
from fitscale.work.events import EventLog
from fitscale.work.failure import describe
from fitscale.work.hiding import hide
from fitscale.work.phases import Ledger

_imported_at = time.perf_counter()


def work(run: Path, name: str) -> int:
    """Do what attempts/ATTEMPT/order.json says. 0: done or stopped; else the exit code that the failure calls for.

    ``name`` is ATTEMPT, or ATTEMPT.RANK where several processes work on it.
    """
    attempt, _, rank = name.partition(".")
    order = folder.read_order(run, attempt)
    log = EventLog(run / "attempts" / attempt, int(rank or 0))
    ledger = Ledger()
    try:
        _dispatch(run, attempt, order, log, ledger)
    except Stopped:
        log.write("stopped", phases=ledger.so_far())
        return 0
    except Exception as error:  # whatever it is, it is this attempt's result
        with contextlib.suppress(OSError):
            traceback.print_exc(file=sys.stderr)
        traceback.clear_frames(error.__traceback__)  # what they hold open takes room on a disk that is full
        told = files.storage_full(run) if files.is_full(error) else error
        kind, _ = describe(told)
        code = told.exit_code if isinstance(told, FitscaleError) else 1
        try:
            log.write("failed", error=kind, message=str(told), code=code, phases=ledger.so_far())
        except OSError:
            return StorageFull.exit_code  # the last word that there is no room to write: the engine says it
        return code
    else:
        log.write("finished", phases=ledger.so_far())
        return 0
    finally:
        log.close()


def _dispatch(run: Path, attempt: str, order: Order, log: EventLog, ledger: Ledger) -> None:
    if order.kind in ("finish", "partition"):
        hide(["pandas"])
    if order.kind == "finish":
        from fitscale.work.finish import finish

        with ledger.phase("save"):
            finish(run, order)
        return
    if order.kind == "export":
        from fitscale.work.exporting import export

        with ledger.phase("export"):
            export(run, order, log)
        return
    if order.kind == "partition":
        from fitscale.work.partitioning import cut

        cut(run, order, ledger)
        return
    from fitscale.work.context import WorkContext

    task = folder.read_task(run, order.task)
    if task.folder not in sys.path:
        sys.path.append(task.folder)  # last: a user's random.py must not shadow a library
    hide(getattr(plugin("frameworks", task.recipe.framework), "hides", ()))
    log.write("started", cpu_s=time.process_time())
    context = WorkContext(run, attempt, order, task, log, ledger)
    if order.kind == "try":
        from fitscale.work.trials import fit_trials

        fit_trials(run, order, task, context, log)
    elif order.kind == "tune":
        from fitscale.work.tuning import tune

        tune(run, order, task, context, log)
    elif order.kind == "groups":
        from fitscale.work.groups import fit_groups

        fit_groups(run, order, task, context, log, ledger)
    else:
        from fitscale.work.fit import fit_one, fit_samples

        (fit_samples if order.samples else fit_one)(run, order, task, context)
