"""What a workload asks for: estimators and their parameters, read and completed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from fitscale.errors import WorkloadError, nearest
from fitscale.frameworks.series import ar, arima, level, smoothing
from fitscale.frameworks.series.calendar import LEVELS
from fitscale.records.run import Estimator

PLACE = "model.params"
LONGEST_LAG = 100_000


class Settings(Protocol):
    """Of a kernel."""

    @property
    def least(self) -> int:
        """Values that a series needs."""

    @property
    def cells(self) -> float:
        """Numbers that are held for each value while a block is fitted."""

    @property
    def width(self) -> int:
        """Numbers of a model."""


class Asked(NamedTuple):
    kind: str
    settings: Any
    params: dict[str, Any]  # as resolved


class _Kind(NamedTuple):
    kind: str
    defaults: dict[str, Any]
    read: Callable[[Mapping[str, Any]], Any]


def asked(estimator: Estimator) -> Asked:
    """The kernel of an estimator and its settings.

    Raises
    ------
    WorkloadError
        At ``model.estimator`` or ``model.params``.
    """
    name = estimator.path.partition(".")[2]
    if name not in KINDS:
        known = [f"series.{each}" for each in KINDS]
        told = f"no '{estimator.path}'{nearest(estimator.path, known)}; there are: {', '.join(known)}"
        raise WorkloadError("model.estimator", told)
    kind, defaults, read = KINDS[name]
    for param in estimator.params:
        if param not in defaults:
            takes = f"; {estimator.path} takes: {', '.join(defaults)}" if defaults else f"; {estimator.path} takes none"
            raise WorkloadError(PLACE, f"no '{param}'{nearest(param, [*defaults])}{takes}")
    params = {**defaults, **estimator.params}
    return Asked(kind, read(params), params)


def _ar(params: Mapping[str, Any]) -> ar.Settings:
    lags = params["lags"]
    own = list(range(1, lags + 1)) if _is_whole(lags) and lags >= 0 else _lags("lags", lags)
    seasonal = params["seasonal"]
    own += _lags("seasonal", [seasonal] if _is_whole(seasonal) else seasonal)
    calendar = params["calendar"]
    calendar = [calendar] if isinstance(calendar, str) else calendar
    if not isinstance(calendar, (list, tuple)) or not set(calendar) <= set(LEVELS):
        raise WorkloadError(PLACE, f"calendar: {calendar!r} is none of {', '.join(LEVELS)}, or a list of them")
    if not own and not calendar:
        raise WorkloadError(PLACE, "lags: without lags and calendar it is series.Mean: name that, or give one")
    _within("lags", max(own, default=0))
    return ar.Settings(tuple(sorted(set(own))), tuple(part for part in LEVELS if part in calendar))


def _arima(params: Mapping[str, Any]) -> arima.Settings:
    order = params["order"]
    whole = isinstance(order, (list, tuple)) and len(order) == 3 and all(_is_whole(n) and n >= 0 for n in order)
    if not whole or max(order[0], order[2]) > arima.MOST_ORDER or order[1] > 2:
        told = f"order: {order!r} is not [p, d, q] with p and q up to {arima.MOST_ORDER} and d up to 2"
        raise WorkloadError(PLACE, told)
    return arima.Settings(*order)


def _smoothing(params: Mapping[str, Any]) -> smoothing.Settings:
    if not isinstance(params["trend"], bool):
        raise WorkloadError(PLACE, f"trend: {params['trend']!r} is neither true nor false")
    return smoothing.Settings(_season(params, 0), params["trend"])


def _quantile(params: Mapping[str, Any]) -> level.Settings:
    q = params["quantile"]
    if isinstance(q, bool) or not isinstance(q, (int, float)) or not 0 <= q <= 1:
        raise WorkloadError(PLACE, f"quantile: {q!r} is not between 0 and 1")
    return level.Settings(quantile=float(q))


def _season(params: Mapping[str, Any], least: int) -> int:
    season = params["season"]
    if not _is_whole(season) or season < least or season == 1:
        raise WorkloadError(PLACE, f"season: {season!r} is no number of steps: such as 24, of hours with a day")
    _within("season", season)
    return int(season)


def _lags(name: str, value: Any) -> list[int]:
    if not isinstance(value, (list, tuple)) or not all(_is_whole(lag) and lag >= 1 for lag in value):
        raise WorkloadError(PLACE, f"{name}: {value!r} is no whole number, or list of whole numbers from 1 on")
    return [int(lag) for lag in value]


def _within(name: str, value: int) -> None:
    if value > LONGEST_LAG:
        raise WorkloadError(PLACE, f"{name}: {value:,} steps are more than {LONGEST_LAG:,}")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


KINDS: dict[str, _Kind] = {
    "AR": _Kind("ar", {"lags": 2, "seasonal": [], "calendar": []}, _ar),
    "ARIMA": _Kind("arima", {"order": [2, 0, 1]}, _arima),
    "Smoothing": _Kind("smoothing", {"season": 0, "trend": False}, _smoothing),
    "Mean": _Kind("level", {}, lambda params: level.Settings()),
    "Quantile": _Kind("level", {"quantile": 0.5}, _quantile),
    "Seasonal": _Kind("level", {"season": 24}, lambda params: level.Settings(season=_season(params, 2))),
}
