"""The README of the folder: five lines, of which the first says which figures are modelled."""

from __future__ import annotations

import shlex

from fitscale.deploying.container import RUN
from fitscale.deploying.limits import Limits
from fitscale.deploying.moving import Moved
from fitscale.deploying.skypilot import IDLE_MIN, OUT, cluster_of, launch
from fitscale.deploying.target import Target
from fitscale.planning import wording
from fitscale.planning.costs.storing import SYSTEM_GB
from fitscale.records.plan import Plan


def readme(plan: Plan, target: Target, moved: Moved, limits: Limits, *, spot: bool, rented: bool) -> str:
    """The text."""
    name, machine = plan.workload.name, target.machine
    where = "/".join(part for part in (machine.provider, machine.region) if part) or "your own table"
    size = f"{machine.cores} cores, {wording.size(float(machine.memory_bytes))}"
    lines = (
        _modelled(plan, target, spot),
        _moved(moved),
        _started(name, moved, spot)
        if rented
        else "**Start**: SkyPilot has no such machine; line 5 says how without it.",
        _limits(limits, moved, spot) if rented else _needed(limits),
        _container(plan, target, moved),
    )
    numbered = "\n".join(f"{n}. {line}" for n, line in enumerate(lines, start=1))
    return f"# {name} on {machine.name} ({where}: {size})\n\n{numbered}\n"


def _modelled(plan: Plan, target: Target, spot: bool) -> str:
    forecast = target.assessed.forecast
    figures = [
        wording.duration(forecast.time_s),
        f"{wording.size(forecast.memory_bytes)} of memory",
        f"{wording.size(forecast.storage_bytes)} of storage",
    ]
    if forecast.cost_usd is not None:
        price = f"at {target.machine.usd_per_hour:g} USD an hour, looked up on {target.machine.as_of}"
        figures.append(f"{wording.dollars(forecast.cost_usd)} a run on demand ({price})")
    source = forecast.source.partition(", ")[2] or forecast.source
    return (
        f"**Modelled**, never measured on such a machine: {target.assessed.candidate.name}, {', '.join(figures)}; {source} "
        f"(plan {plan.number}). Starting the machine, installing and moving the data are not in it"
        f"{', nor is the price of a spot machine' if spot else ''}."
    )


def _moved(moved: Moved) -> str:
    if moved.mounts:
        paths = ", ".join(f"{here} → {there}" for there, here in moved.mounts.items())
        size = wording.size(float(moved.bytes))
        return (
            f"**Data**: {size} are copied from where this was written when a machine is launched, and mounted: {paths}."
        )
    asked = f", with {', '.join(moved.secrets)} from the environment" if moved.secrets else ""
    return f"**Data**: nothing is moved; {moved.uri} is read from there{asked}."


def _started(name: str, moved: Moved, spot: bool) -> str:
    cluster = cluster_of(name)
    lost = " A spot machine that is taken away takes its disk along, and the same command begins anew." if spot else ""
    return (
        f"**Start** in this folder: `{launch(name, moved)}`. When it is done: `rsync -az {cluster}:{OUT}/ {OUT}/`, then "
        f"`sky down {cluster}`; `fitscale predict {OUT} --data NEW --out P.parquet` works on what was fetched.{lost}"
    )


def _limits(limits: Limits, moved: Moved, spot: bool) -> str:
    then = "ends, with its disk," if spot else "stops, with its disk kept,"
    kept = "what the run keeps (modelled), the data" if moved.mounts else "what the run keeps (modelled)"
    return (
        f"**Limits**: the run is ended after {limits.ended}, with a checkpoint; "
        f"{limits.disk_gb} GB of disk: {kept}, and {SYSTEM_GB} GB for system and libraries (assumed). "
        f"The machine {then} {IDLE_MIN} minutes after its last job."
    )


def _needed(limits: Limits) -> str:
    return f"**Needs**: {limits.memory_gib} GiB of memory (P99, modelled) and {limits.disk_gb} GB of disk."


def _container(plan: Plan, target: Target, moved: Moved) -> str:
    name = cluster_of(plan.workload.name)
    mounts = "".join(f" -v {shlex.quote(f'{here}:{there}:ro')}" for there, here in moved.mounts.items())
    secrets = "".join(f" -e {secret}" for secret in moved.secrets)
    here, there = plan.machine.arch, target.machine.arch
    unsure = f" Libraries were pinned on {here}; whether each has a build for {there} was not looked at."
    other = unsure if there not in ("", here) else ""
    return (
        f'**Without SkyPilot**: `docker build -t {name} .` and `docker run --rm{mounts}{secrets} -v "$PWD/{OUT}:{RUN}" {name}`. '
        f"Nothing of this folder was started where it was written.{other}"
    )
