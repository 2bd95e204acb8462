"""Where the data lies, and what it costs to have it, and what comes of it, at another place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from fitscale.data.choosing import PATHS, scheme_of
from fitscale.machines.prices import Transfer
from fitscale.planning import wording
from fitscale.records.base import Figure
from fitscale.records.costs import Cost
from fitscale.records.machine import Machine
from fitscale.records.plan import Plan

UPLINK = Figure(value=12.5e6, low=2.5e6, high=125e6, origin="assumed")  # bytes a second: 100 Mbit/s, of 20 to 1,000
STORES = {"s3": "aws", "gs": "gcp", "gcs": "gcp", "az": "azure", "abfs": "azure", "abfss": "azure"}
SERVERS = ("postgres", "postgresql")
GIB = 2**30


class Home(NamedTuple):
    """Where the data is. ``kind``: here, made (wherever the run is), cloud, or unknown."""

    kind: str
    bytes: float
    provider: str = ""
    region: str = ""  # '': not known


def home_of(plan: Plan) -> Home:
    """By the scheme of the data's address; a managed database names its cloud, and often its region."""
    uri = plan.workload.data.uri
    scheme, about = scheme_of(uri), plan.staging
    size = float(about.origin.bytes if about is not None and about.origin.bytes else plan.profile.bytes)
    if scheme in PATHS:
        return Home("here", size)
    if scheme == "synthetic":
        return Home("made", 0.0)
    if plan.stage is not None:  # of a table: its rows as they are staged
        size = plan.stage.bytes.value
    if scheme in STORES:
        return Home("cloud", size, STORES[scheme])
    host = (urlsplit(uri).hostname or "") if scheme in SERVERS and "${" not in uri else ""
    if host.endswith(".rds.amazonaws.com"):
        return Home("cloud", size, "aws", host.removesuffix(".rds.amazonaws.com").rpartition(".")[2])
    if host.endswith(".postgres.database.azure.com"):
        return Home("cloud", size, "azure")
    return Home("unknown", size)


def sent_s(home: Home, machine: Machine) -> Figure | None:
    """Seconds to send files from here, by the slower of this place's uplink and the machine's network; None: nothing is sent."""
    if home.kind != "here" or not home.bytes:
        return None
    stated = machine.uplink_bytes_per_s
    link = UPLINK if stated is None else Figure.exact(stated, "stated")
    most = machine.network_bytes_per_s or float("inf")
    value, low, high = (home.bytes / min(rate, most) for rate in (link.value, link.high, link.low))
    return Figure(value=value, low=low, high=high, origin=link.origin)


def transfers(home: Home, machine: Machine, out: Figure, runs: float, table: Sequence[Transfer]) -> Iterator[Cost]:
    """The way there of the data, and the way back of what a run keeps (``out``, bytes)."""
    yield from _there(home, machine, runs, table)
    own = [row for row in table if row.provider == machine.provider]
    if not machine.provider:
        yield Cost(part="transfer", what=f"results, {wording.size(out.value)}", origin="assumed", usd_run=_usd(0.0),
                   usd_month=_usd(0.0), source="no cloud rents this machine out")  # fmt: skip
        return
    back = _egress(own, machine.region)
    what = f"results back, {wording.size(out.value)}"
    if back is None:
        yield Cost(part="transfer", what=what, origin="assumed", source=f"no price of {machine.provider} in the table")
        return
    usd = Figure(
        **{end: getattr(out, end) / GIB * back.usd_per_gib for end in ("value", "low", "high")}, origin="forecast"
    )
    yield _priced(what, usd, runs, back)


def _there(home: Home, machine: Machine, runs: float, table: Sequence[Transfer]) -> Iterator[Cost]:
    amount = wording.size(home.bytes)
    if home.kind == "made":
        yield Cost(part="transfer", what="data: made where the run is", origin="stated", usd_run=_usd(0.0),
                   usd_month=_usd(0.0), source="nothing is moved")  # fmt: skip
    elif home.kind == "here":
        row = next((r for r in table if r.provider == machine.provider and r.origin == "internet"), None)
        what, time_s = f"data, {amount} sent from here each run", sent_s(home, machine)
        if row is not None:
            usd = Figure.exact(home.bytes / GIB * row.usd_per_gib, "looked up")
            yield _priced(what, usd, runs, row).but(time_s=time_s)
        else:
            why = "no cloud of the table charges for the way in"
            yield Cost(part="transfer", what=what, usd_run=_usd(0.0), usd_month=_usd(0.0), time_s=time_s,
                       origin="assumed", source=why)  # fmt: skip
    elif home.kind == "unknown":
        what = f"data, {amount} from its server"
        yield Cost(part="transfer", what=what, origin="assumed", source="its address does not say where it stands")
    else:
        yield _from_cloud(home, machine, runs, table)


def _from_cloud(home: Home, machine: Machine, runs: float, table: Sequence[Transfer]) -> Cost:
    what = f"data, {wording.size(home.bytes)} from {'/'.join(filter(None, (home.provider, home.region)))}"
    if (home.provider, home.region) == (machine.provider, machine.region):
        return Cost(part="transfer", what=what, usd_run=_usd(0.0), usd_month=_usd(0.0), origin="looked up",
                    source="the same cloud and region")  # fmt: skip
    own = [row for row in table if row.provider == home.provider]
    row = _other_region(own, home.region) if home.provider == machine.provider else _egress(own, home.region)
    if row is None:
        return Cost(part="transfer", what=what, origin="assumed", source=f"no price of {home.provider} in the table")
    usd = home.bytes / GIB * row.usd_per_gib
    if home.provider == machine.provider and not home.region:  # it may be there, where it costs nothing
        return _priced(what, Figure(value=usd, low=0.0, high=usd, origin="assumed"), runs, row)
    return _priced(what, Figure.exact(usd, "looked up"), runs, row)


def _egress(rows: Sequence[Transfer], region: str) -> Transfer | None:
    """Out of a cloud: the dearest of its tiers, since nobody knows what else goes out in the month."""
    return _of_region([row for row in rows if row.target.startswith("internet")], region)


def _other_region(rows: Sequence[Transfer], region: str) -> Transfer | None:
    found = [row for row in rows if row.target.startswith("other ") and "region" in row.target]
    return _of_region(found, region)


def _of_region(rows: Sequence[Transfer], region: str) -> Transfer | None:
    """Of that region where the table has it, else of the cloud's other one."""
    same = [row for row in rows if row.origin == region] or list(rows)
    return max(same, key=lambda row: row.usd_per_gib, default=None)


def _priced(what: str, usd: Figure, runs: float, row: Transfer) -> Cost:
    month = usd.but(value=usd.value * runs, low=usd.low * runs, high=usd.high * runs)
    told = f"{row.usd_per_gib:g} USD a GiB, {row.origin} to {row.target}: {row.source}"
    return Cost(
        part="transfer", what=what, usd_run=usd, usd_month=month, origin=usd.origin, as_of=row.as_of, source=told
    )


def _usd(value: float) -> Figure:
    return Figure.exact(value, "assumed")
