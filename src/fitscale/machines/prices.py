"""What storage, moving data, licences and people cost: tables shipped with their dates and sources, each replaceable.

A cell that is empty in a table is None here: no public figure was found, and none is made up.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from fitscale.machines.table import Row, rows
from fitscale.records.base import Record

# Frameworks that fitscale drives by itself, under licences that cost nothing.
FREE = ("baseline", "batched", "sklearn", "xgboost", "lightgbm", "series", "statsforecast")


class Storage(Record):
    """A kind of storage. `throughput` is MiB a second: flat, for each GiB held, or a maximum only."""

    provider: str
    region: str
    service: str
    kind: str  # local_ssd | block | object | file | archive
    usd_per_gib_month: float
    usd_per_gib_egress: float | None
    throughput: float | None
    throughput_kind: Literal["flat", "per_gib", "max", ""]
    usd_per_million_reads: float | None
    usd_per_million_writes: float | None
    as_of: str
    source: str
    note: str

    def read_bytes_per_s(self, held_bytes: float) -> float | None:
        """How fast it reads when it holds so much; None where only a maximum, or nothing, is known."""
        if self.throughput is None or self.throughput_kind == "max":
            return None
        return self.throughput * 2**20 * (held_bytes / 2**30 if self.throughput_kind == "per_gib" else 1)


class Transfer(Record):
    """What moving a GiB costs."""

    provider: str
    origin: str
    target: str
    usd_per_gib: float
    as_of: str
    source: str
    note: str


class Licence(Record):
    """A product's licence; `low` and `high` in USD a year for `unit`, `rate_*` in USD for `rate_unit`."""

    product: str
    kind: str  # open | commercial
    licence: str
    usd_per_year_low: float | None
    usd_per_year_high: float | None
    unit: str
    rate_usd_low: float | None
    rate_usd_high: float | None
    rate_unit: str
    as_of: str
    source: str
    note: str


class Role(Record):
    """What a person costs."""

    role: str
    level: str  # junior | mid | senior
    usd_per_year: float
    hours_per_year: float
    what_for: tuple[str, ...]
    as_of: str
    source: str
    note: str

    @property
    def usd_per_hour(self) -> float:
        return self.usd_per_year / self.hours_per_year


def storage(file: Path | None = None) -> tuple[Storage, ...]:
    """The shipped table, or the user's `file` of the same columns. Raises UsageError with the line of a wrong row."""
    found = []
    for row in rows("storage", file, ("provider", "service", "kind", "usd_per_gib_month")):
        kind, _, value = row.text("read_mib_s_per_gib_or_flat").partition(":")
        if kind not in ("", "flat", "per_gib", "max") or (kind and not value.replace(".", "", 1).isdigit()):
            raise row.wrong("read_mib_s_per_gib_or_flat", "is not flat:, per_gib: or max: with a number")
        found.append(
            Storage(
                provider=row.named("provider"),
                region=row.text("region"),
                service=row.named("service"),
                kind=row.named("kind"),
                usd_per_gib_month=row.needed("usd_per_gib_month"),
                usd_per_gib_egress=row.number("usd_per_gib_egress_internet"),
                throughput=float(value) if kind else None,
                throughput_kind=kind,  # type: ignore[arg-type]  # one of four, checked above
                usd_per_million_reads=row.number("requests_usd_per_million"),
                usd_per_million_writes=row.number("write_requests_usd_per_million"),
                **_source(row),
            )
        )
    return tuple(found)


def transfer(file: Path | None = None) -> tuple[Transfer, ...]:
    """As `storage`."""
    return tuple(
        Transfer(
            provider=row.named("provider"),
            origin=row.named("from"),
            target=row.named("to"),
            usd_per_gib=row.needed("usd_per_gib"),
            **_source(row),
        )
        for row in rows("transfer", file, ("provider", "from", "to", "usd_per_gib"))
    )


def licences(file: Path | None = None) -> tuple[Licence, ...]:
    """As `storage`."""
    return tuple(
        Licence(
            product=row.named("product"),
            kind=row.named("kind"),
            licence=row.text("licence"),
            usd_per_year_low=row.number("usd_per_year_low"),
            usd_per_year_high=row.number("usd_per_year_high"),
            unit=row.text("unit"),
            rate_usd_low=row.number("rate_usd_low"),
            rate_usd_high=row.number("rate_usd_high"),
            rate_unit=row.text("rate_unit"),
            **_source(row),
        )
        for row in rows("licences", file, ("product", "kind", "licence"))
    )


def roles(file: Path | None = None) -> tuple[Role, ...]:
    """As `storage`."""
    return tuple(
        Role(
            role=row.named("role"),
            level=row.named("level"),
            usd_per_year=row.needed("usd_per_year"),
            hours_per_year=row.needed("hours_per_year", least=1),
            what_for=tuple(part for part in row.text("what_for").split(";") if part),
            **_source(row),
        )
        for row in rows("roles", file, ("role", "level", "usd_per_year", "hours_per_year"))
    )


def _source(row: Row) -> dict[str, str]:
    return {column: row.text(column) for column in ("as_of", "source", "note")}
