"""The SkyPilot task: a machine of a cloud, what is put on it, and the run, which a time limit ends.

By the format of SkyPilot 0.14, which has no limit for a job's time: `timeout` is it.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from fitscale.deploying.job import FILE
from fitscale.deploying.limits import Limits
from fitscale.deploying.moving import Moved
from fitscale.deploying.target import Target
from fitscale.deploying.yamltext import to_yaml

TASK = "skypilot.yaml"
CLOUDS = ("aws", "azure", "gcp")  # the names in the catalogue are SkyPilot's
IDLE_MIN = 30  # to fetch what was made
GRACE_S = 60  # to write a checkpoint
OUT = "out"  # the run folder, in the home of whoever is logged in
GIB = 2**30
SETUP = """\
set -e
ldconfig -p | grep -q libgomp.so.1 || (sudo apt-get update -qq && sudo apt-get install -yqq libgomp1)
~/.local/bin/uv venv --quiet --allow-existing --python {python} ~/fitscale
~/.local/bin/uv pip install --quiet --python ~/fitscale --requirement requirements.txt
"""
RUN = "timeout --signal=INT --kill-after={grace} {limit} ~/fitscale/bin/fitscale train {file} --run ~/{out}\n"


def cluster_of(name: str) -> str:
    """A cluster's name, as every cloud takes it, from a workload's."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return (plain if plain[:1].isalpha() else f"run-{plain}")[:30].strip("-")


def task_file(name: str, target: Target, moved: Moved, limits: Limits, *, spot: bool) -> str:
    """The task's YAML; paths of this machine stand in ``file_mounts``, and names alone in ``secrets``."""
    machine = target.machine
    resources: dict[str, Any] = {
        "infra": f"{machine.provider}/{machine.region}" if machine.region else machine.provider,
        "instance_type": machine.name,
        "cpus": f"{machine.cores}+",
        "memory": f"{limits.memory_gib}+",
        "disk_size": limits.disk_gb,
        "use_spot": spot,
        # A spot machine cannot be stopped: it ends with its disk
        "autostop": {"idle_minutes": IDLE_MIN, "down": spot},
    }
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    task: dict[str, Any] = {"name": cluster_of(name), "workdir": ".", "resources": resources}
    if moved.secrets:
        task["secrets"] = dict.fromkeys(moved.secrets)
    if moved.mounts:
        task["file_mounts"] = moved.mounts
    task["setup"] = SETUP.format(python=python)
    task["run"] = RUN.format(grace=GRACE_S, limit=limits.time_s, file=FILE, out=OUT)
    return (
        f"# Limits are taken from modelled figures: see README.md. In this folder: {launch(name, moved)}\n"
        + to_yaml(task)
    )


def launch(name: str, moved: Moved) -> str:
    """The command that starts it."""
    secrets = "".join(f" --secret {secret}" for secret in moved.secrets)
    return f"sky launch -c {cluster_of(name)}{secrets} {TASK}"
