"""The error tree. Each error carries the exit code that the command line ends with.

    FitscaleError                 1  the run failed
    ├── NotExportable                … a format cannot hold a model, or its export predicts otherwise
    ├── UsageError                2  a workload, an input or a flag is wrong
    │   ├── WorkloadError            … at a place in the workload file
    │   ├── DataError                … in the data itself
    │   │   ├── OneClass                … a target that does not differ
    │   │   └── NoWeight                … weights that are all zero
    │   ├── NotOffered               … a known word whose ability is not there yet
    │   ├── MissingLibrary           … an extra is not installed
    │   ├── Untrusted                … code from elsewhere, and no --trust
    │   └── Locked                   … another command holds the run
    ├── NothingRuns               3  no candidate can run
    ├── NothingMeets              4  something can, but none meets a must or the budget
    ├── DriftFound                5
    └── Resumable                75  interrupted; the same command goes on
        ├── SourceChanged
        ├── LibraryChanged
        └── StorageFull

An error names the place, the value and the next step, in one or two lines.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class FitscaleError(Exception):
    """The run failed."""

    exit_code = 1


class NotExportable(FitscaleError):
    """A format cannot hold the model, or what was exported predicts otherwise; nothing was written."""


class UsageError(FitscaleError):
    """A workload, an input or a flag is wrong; nothing was written."""

    exit_code = 2


class WorkloadError(UsageError):
    """A key of the workload is wrong. `place` is the dotted path, such as ``data.target``."""

    def __init__(self, place: str, problem: str, *, file: str | None = None) -> None:
        self.place = place
        self.problem = problem
        self.file = file
        super().__init__(f"{file}: {place}: {problem}" if file else f"{place}: {problem}")

    def __reduce__(self) -> tuple[Any, ...]:
        """By its parts: processes send it to each other."""
        return type(self), (self.place, self.problem), {"file": self.file}


class DataError(UsageError):
    """The data cannot be trained on as it is."""


class OneClass(DataError):
    """A classifier's target has fewer than two classes. So may a small part of a target that has more."""


class NoWeight(DataError):
    """The training rows weigh nothing. So may a small part of rows that weigh more."""


class NotOffered(WorkloadError):
    """A key that fitscale knows, whose ability is not there yet."""


class MissingLibrary(UsageError):
    """A plug-in needs a library that is not installed."""

    def __init__(self, who: str, library: str, extra: str) -> None:
        super().__init__(f"{who} needs {library}: pip install 'fitscale[{extra}]'")


class Untrusted(UsageError):
    """Loading would run code that this user did not write here."""


class Locked(UsageError):
    """Another command is writing to the run."""


class NothingRuns(FitscaleError):
    """No candidate can run here. The refusals are part of the result."""

    exit_code = 3


class NothingMeets(FitscaleError):
    """Something can run, but none meets a must or the budget."""

    exit_code = 4


class DriftFound(FitscaleError):
    """Drift was looked for, and found."""

    exit_code = 5


class Resumable(FitscaleError):
    """The work was interrupted. What was committed is kept; the same command goes on."""

    exit_code = 75


class SourceChanged(Resumable):
    """The data is no longer what the unfinished version was begun on."""


class LibraryChanged(Resumable):
    """A library is no longer what the unfinished version was begun with."""


class StorageFull(Resumable):
    """The disk is full."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The clause that helps with a misspelling: ``; did you mean 'income'?`` or nothing."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""
