"""How much of the data is enough: what trials on parts of the rows showed, the curve through it, and what was taken."""

from __future__ import annotations

from fitscale.records.base import Figure, Record
from fitscale.records.trials import Tried


class Level(Record):
    """What a share of the training rows would do."""

    share: float
    rows: int  # that train
    loss: Figure  # of the metric, against all rows: in its own units, never below 0
    time: float | None = None  # the share of the time that all rows would take, as forecast


class Curve(Record):
    """A learning curve and what `data.use: enough` makes of it. Kept in the run under the digest of all that it hangs on."""

    format: int = 1
    metric: str
    rows: int  # that train where all are taken
    tolerance: float  # the loss that may be, in the metric's own units
    stated: bool  # by the workload; else it is what fitscale takes for nothing
    use: float = 1.0  # the share that is taken
    why: str = ""  # all rows are taken, where they are
    settled: bool = True  # no more trials could have paid for themselves
    cut_short: bool = False  # by less time than `train` takes
    tried: tuple[Tried, ...] = ()
    seconds: float = 0.0  # wall, of all of it
    weights: dict[str, float] = {}  # of the families of curves
    levels: tuple[Level, ...] = ()
    score: Figure | None = None  # with all rows
    line: tuple[tuple[int, Figure], ...] = ()  # rows and the score, to be drawn

    @property
    def level(self) -> Level | None:
        """What is lost by what is taken; None where that is all rows."""
        return next((level for level in self.levels if level.share == self.use), None)


class Fewer(Record):
    """Fewer rows with which a deadline would still be met."""

    use: float  # of all rows: `data.use` as it would be written
    time_s: Figure
    loss: Figure | None = None  # of the metric, against the rows that are taken now; None where no trial says it
    curve: Curve  # what the trials showed; it takes nothing by itself
