"""Put the folder together: all of it or nothing."""

from __future__ import annotations

from pathlib import Path

from fitscale.deploying.code import imports_of, own_code
from fitscale.deploying.container import dockerfile
from fitscale.deploying.job import FILE, job_file
from fitscale.deploying.libraries import pinned
from fitscale.deploying.limits import Limits, limits_of
from fitscale.deploying.moving import Moved, moved
from fitscale.deploying.readme import readme
from fitscale.deploying.skypilot import CLOUDS, TASK, launch, task_file
from fitscale.deploying.target import Target
from fitscale.deploying.wheel import write_wheel
from fitscale.errors import UsageError
from fitscale.records.base import Record
from fitscale.records.machine import Machine
from fitscale.records.plan import Candidate, Forecast, Plan
from fitscale.store.files import disk_errors, folder_whole


class Deployment(Record):
    """What was written, and what it is for."""

    format: int = 1
    name: str
    plan: int
    machine: Machine
    candidate: Candidate
    forecast: Forecast  # modelled
    moved: Moved
    limits: Limits
    spot: bool
    libraries: tuple[str, ...]
    code: tuple[str, ...] = ()  # of the user's own
    to: str
    files: tuple[str, ...]
    launch: str = ""  # the command that starts it; empty where no cloud that SkyPilot knows has the machine


def deploy(plan: Plan, target: Target, to: Path, *, spot: bool = False) -> Deployment:
    """Write what the target needs to do the plan's run into a folder that is not there yet, or is empty.

    Raises
    ------
    UsageError
        If the folder has something in it or cannot be written, or a spot machine is asked for where none can be had.
    WorkloadError, DataError
        What another machine could not reach or import.
    """
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise UsageError(f"--to {to}: is there already, and not empty; name another folder")
    workload, machine = plan.workload, target.machine
    rented = machine.provider in CLOUDS
    if spot and not rented:
        raise UsageError(f"--spot: {machine.name} is not of {', '.join(CLOUDS)}, and has no spot price; leave it out")
    data = moved(workload.data)
    limits = limits_of(target.assessed.forecast, data.bytes)
    code = own_code(workload, plan.traits.source)
    libraries = pinned(workload, target.assessed.candidate.framework, imports_of(code))

    def fill(draft: Path) -> None:
        wheel = write_wheel(draft)
        texts = {
            "requirements.txt": "\n".join([f"./{wheel}", *libraries]) + "\n",
            "Dockerfile": dockerfile(wheel, code),
            FILE: job_file(workload, data, plan.number),
            "README.md": readme(plan, target, data, limits, spot=spot, rented=rented),
        }
        if rented:
            texts[TASK] = task_file(workload.name, target, data, limits, spot=spot)
        for name, text in texts.items():
            (draft / name).write_text(text, encoding="utf-8")
        for name, path in code.items():
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            (draft / name).write_bytes(path.read_bytes())

    try:
        with disk_errors(to):
            if to.exists():
                to.rmdir()
            folder_whole(to, fill)
    except OSError as error:
        raise UsageError(f"--to {to}: cannot be written ({error.strerror}); name another folder") from error
    return Deployment(
        name=workload.name,
        plan=plan.number,
        machine=machine,
        candidate=target.assessed.candidate,
        forecast=target.assessed.forecast,
        moved=data,
        limits=limits,
        spot=spot,
        libraries=libraries,
        code=tuple(code),
        to=str(to),
        files=tuple(sorted(path.relative_to(to).as_posix() for path in to.rglob("*") if path.is_file())),
        launch=launch(workload.name, data) if rented else "",
    )
