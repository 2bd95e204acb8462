"""The forms: a feed → XGBoost's own matrix. Every one has the same bins, and so gives the same trees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitscale.contracts import Batch, Context, Feed, View
from fitscale.errors import DataError

if TYPE_CHECKING:
    import xgboost

# XGBoost refuses names with these.
_FORBIDDEN = ("[", "]", "<")


class Matrices:
    """The training matrix, and the validation matrix where early stopping looks at one."""

    def __init__(self, feed: Feed, context: Context, max_bin: int | None, validate: bool) -> None:
        if validate and feed.count("validation") == 0:
            raise DataError("early stopping has no validation rows: raise evaluate.early_stopping.validation")
        self._feed = feed
        self._context = context
        self._max_bin = max_bin
        self.train = self._build("train", None)
        self.validation = self._build("validation", self.train) if validate else None

    def _build(self, view: View, ref: Any) -> xgboost.DMatrix:
        import xgboost

        options: dict[str, Any] = {"nthread": self._context.threads, "max_bin": self._max_bin, "ref": ref}
        if self._feed.form in ("cache", "stream"):
            # XGBoost names its files by a pointer and leaves them behind when killed: they get a folder of the attempt.
            folder = self._context.scratch / "xgboost"
            folder.mkdir(parents=True, exist_ok=True)
            batches = _Batches(lambda: self._feed.batches(view), self._info, folder / view)
            return xgboost.ExtMemQuantileDMatrix(_iterator(batches), **options)
        if self._feed.form == "bins":
            batches = _Batches(lambda: self._feed.batches(view), self._info, None)
            return xgboost.QuantileDMatrix(_iterator(batches), **options)
        # One matrix, decoded once and read several times. A DMatrix would copy it at 8 bytes a cell and keep the copy
        # beside the bins; this holds nothing but bins when the batch is let go.
        batch = self._feed.matrix(view)
        if view == "train" and len(batch.y) == 0:
            raise DataError(
                f"rank {self._context.rank} of {self._context.world} has no training rows: take fewer ranks"
            )
        try:
            return xgboost.QuantileDMatrix(batch.X, **self._info(batch), **options)
        finally:
            del batch
            if release := getattr(self._feed, "release", None):
                release(view)

    def _info(self, batch: Batch) -> dict[str, Any]:
        return {
            "label": batch.y,
            "weight": batch.weight,
            "feature_names": feature_names(self._feed.names),
            "feature_types": list(self._feed.kinds),
        }


def feature_names(names: tuple[str, ...]) -> list[str] | None:
    """The names as XGBoost takes them; None, so that columns go by position, where it would refuse one."""
    if len(set(names)) < len(names) or any(mark in name for name in names for mark in _FORBIDDEN):
        return None
    return list(names)


class _Batches:
    """What XGBoost reads four or five times."""

    def __init__(
        self, read: Callable[[], Iterator[Batch]], info: Callable[[Batch], dict[str, Any]], cache: Path | None
    ) -> None:
        self.read = read
        self.info = info
        self.cache = cache
        self.now: Iterator[Batch] | None = None


def _iterator(batches: _Batches) -> Any:
    import xgboost

    class Iterator_(xgboost.DataIter):
        def __init__(self) -> None:
            super().__init__(cache_prefix=None if batches.cache is None else str(batches.cache))

        def reset(self) -> None:
            batches.now = batches.read()

        def next(self, input_data: Callable[..., Any]) -> bool:
            if batches.now is None:
                batches.now = batches.read()
            batch = next(batches.now, None)
            if batch is None:
                return False
            input_data(data=batch.X, **batches.info(batch))
            return True

    return Iterator_()
