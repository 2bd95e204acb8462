"""The folder: parsed by what its files are for, and run as far as that goes without a container or a cloud."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import dockerfile
import jsonschema
import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent))
from planned import MACHINE, Planned, document, planned

from fitscale.deploying.limits import SYSTEM_GB
from fitscale.deploying.skypilot import cluster_of
from fitscale.deploying.target import Target, target_of
from fitscale.deploying.writing import Deployment, deploy
from fitscale.deploying.yamltext import to_yaml
from fitscale.errors import UsageError
from fitscale.planning.forecasts.spread import quantile
from fitscale.records.plan import Plan
from fitscale.workload import load

SCHEMA = json.loads((Path(__file__).parent / "skypilot-0.14.1.schema.json").read_text())
FILES = ["Dockerfile", "README.md", "job.yaml", "requirements.txt", "skypilot.yaml"]


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Planned:
    return planned(tmp_path_factory.mktemp("written"))


@pytest.fixture(scope="module")
def made(late: Planned) -> Deployment:
    """For the better place."""
    return deploy(late.plan, target_of(late.plan, late.snapshot, None), late.job.parent / "there")


def of_database(plan: Plan) -> Plan:
    uri = "postgresql://me:${DB_PASSWORD}@db.example/b"
    data = plan.workload.data.but(uri=uri, table="events")
    return plan.but(workload=plan.workload.but(data=data))


def commands(folder: Path) -> list[Any]:
    """By the parser that builds images."""
    return list(dockerfile.parse_file(str(folder / "Dockerfile")))


def task_of(folder: Path) -> Any:
    """The task, held to SkyPilot's own schemas."""
    task = yaml.safe_load((folder / "skypilot.yaml").read_text())
    jsonschema.validate(task, SCHEMA["task"])
    jsonschema.validate(task["resources"], SCHEMA["resources"])
    return task


def test_the_folder_has_all_of_it(made: Deployment) -> None:
    """Five files and a wheel, and the record names them."""
    wheels = [name for name in made.files if name.endswith(".whl")]
    assert len(wheels) == 1
    assert sorted(made.files) == sorted([*FILES, *wheels])
    assert all((Path(made.to) / name).stat().st_size for name in made.files)


def test_the_container_file_copies_what_is_there(made: Deployment) -> None:
    """Each source of a COPY lies in the context, and everything that the build needs is copied before it is used."""
    found = commands(Path(made.to))
    assert [one.cmd.lower() for one in found] == ["from", "run", "workdir", "copy", "run", "copy", "entrypoint", "cmd"]
    copied = [source for one in found if one.cmd.lower() == "copy" for source in one.value[:-1]]
    assert copied == ["requirements.txt", next(n for n in made.files if n.endswith(".whl")), "job.yaml"]
    assert all((Path(made.to) / name).exists() for name in copied)
    assert found[0].value == (f"python:{sys.version_info.major}.{sys.version_info.minor}-slim",)


def test_code_of_the_users_own_is_copied(late: Planned, tmp_path: Path) -> None:
    """Modules beside the workload in one line, packages each in their own."""
    for name in ("mine/__init__.py", "helper.py"):
        (tmp_path / "job" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "job" / name).write_text("import numpy\n")
    model = late.plan.workload.model.but(estimator="mine.Trees")
    workload = late.plan.workload.but(folder=str(tmp_path / "job"), model=model)
    plan = late.plan.but(workload=workload, traits=late.plan.traits.but(source="0123"))
    made = deploy(plan, target_of(plan, late.snapshot, None), tmp_path / "there")
    assert {"helper.py", "mine/__init__.py"} == set(made.code) < set(made.files)
    copied = [one.value for one in commands(tmp_path / "there") if one.cmd.lower() == "copy"]
    assert copied[2:] == [("helper.py", "./"), ("mine/", "./mine/")]


@pytest.mark.slow
def test_the_context_installs_and_trains(made: Deployment, tmp_path: Path) -> None:
    """What the container file runs, without the container: pip finds every pin satisfied, and the wheel trains the job."""
    context, found = Path(made.to), commands(Path(made.to))
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    python = tmp_path / "env/bin/python"
    # The libraries of this environment stand in for an index: each must be there in the version that is pinned.
    [site] = (tmp_path / "env/lib").glob("python*/site-packages")
    (site / "here.pth").write_text(sysconfig.get_path("purelib"))
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    [install] = [one.value[0] for one in found if one.cmd.lower() == "run" and "pip" in one.value[0]]
    pip, *rest = shlex.split(install)
    assert pip == "pip"
    argv = [python, "-m", "pip", *rest, "--no-index", "--quiet", "--ignore-installed", "--no-deps"]
    only = tmp_path / "wheel.txt"
    only.write_text(f"{context}/{next(name for name in made.files if name.endswith('.whl'))}\n")
    argv[argv.index("requirements.txt")] = only
    subprocess.run(argv, cwd=context, env=env, check=True)
    satisfied = [
        python,
        "-m",
        "pip",
        "install",
        "--no-index",
        "--quiet",
        "--dry-run",
        "--requirement",
        "requirements.txt",
    ]
    subprocess.run(satisfied, cwd=context, env=env, check=True)
    entry, command = (next(one.value for one in found if one.cmd.lower() == cmd) for cmd in ("entrypoint", "cmd"))
    argv = [tmp_path / "env/bin" / entry[0], *command]
    argv[argv.index("/out")] = tmp_path / "out"
    done = subprocess.run(
        argv, cwd=context, env=env | {"FITSCALE_REPORT": "0"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Version 1: 1 model" in done.stdout
    asked = [python, "-P", "-c", "import fitscale; print(fitscale.__file__)"]
    where = subprocess.run(asked, env=env, capture_output=True, text=True, check=True).stdout
    assert where.startswith(str(site))


def test_the_task_is_one_of_skypilots(made: Deployment) -> None:
    """The machine of the plan, at least as much as was admitted, the disk for what is stored, and a limit to its time."""
    task = task_of(Path(made.to))
    forecast = made.forecast
    assert task["resources"] == {
        "infra": "aws/us-east-1",
        "instance_type": MACHINE,
        "cpus": "8+",
        "memory": "1+",
        "disk_size": SYSTEM_GB + 1,
        "use_spot": False,
        "autostop": {"idle_minutes": 30, "down": False},
    }
    assert forecast.storage_bytes.high < 1e9
    assert "file_mounts" not in task
    assert "secrets" not in task
    assert task["run"].startswith("timeout --signal=INT --kill-after=60 600 ")
    assert made.limits.time_s == 600 > quantile(forecast.time_s, 0.99)
    assert made.limits.ended == "10 min (the least that is given)"


def test_limits_are_the_upper_ends(late: Planned, tmp_path: Path) -> None:
    """Time at P99 to the minute, memory as it was admitted, the disk with what is moved."""
    target = target_of(late.plan, late.snapshot, None)
    forecast = target.assessed.forecast
    long = forecast.but(
        time_s=forecast.time_s.but(value=3600.0, low=1800.0, high=7200.0),
        storage_bytes=forecast.storage_bytes.but(value=30e9, low=30e9, high=40e9),
        memory_p99_bytes=33.2 * 2**30,
    )
    made = deploy(late.plan, Target(target.machine, target.assessed.but(forecast=long)), tmp_path / "there")
    task = task_of(tmp_path / "there")
    p99 = quantile(long.time_s, 0.99)
    assert p99 <= made.limits.time_s < p99 + 60
    assert made.limits.ended.endswith(" h (P99 of the modelled time)")
    assert f" {made.limits.time_s} ~/fitscale/bin/fitscale train job.yaml" in task["run"]
    assert task["resources"]["memory"] == "34+"
    assert task["resources"]["disk_size"] == SYSTEM_GB + 40


def test_a_spot_machine_ends_with_its_disk(late: Planned, tmp_path: Path) -> None:
    """It cannot be stopped, and the README says what is lost when it is taken away."""
    deploy(late.plan, target_of(late.plan, late.snapshot, None), tmp_path / "there", spot=True)
    resources = task_of(tmp_path / "there")["resources"]
    assert resources["use_spot"] is True
    assert resources["autostop"]["down"] is True
    assert "takes its disk along" in (tmp_path / "there/README.md").read_text()


def test_secrets_are_names(late: Planned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No value of the environment is in any file, and the commands hand over the name."""
    monkeypatch.setenv("DB_PASSWORD", "hunter2")
    plan = of_database(late.plan)
    made = deploy(plan, target_of(plan, late.snapshot, None), tmp_path / "there")
    assert task_of(tmp_path / "there")["secrets"] == {"DB_PASSWORD": None}
    assert made.launch == "sky launch -c late --secret DB_PASSWORD skypilot.yaml"
    texts = [(tmp_path / "there" / name).read_text() for name in FILES]
    assert not any("hunter2" in text for text in texts)
    assert "${DB_PASSWORD}" in texts[FILES.index("job.yaml")]
    assert "-e DB_PASSWORD" in texts[FILES.index("README.md")]


def test_the_job_is_the_one_that_was_planned(late: Planned, made: Deployment) -> None:
    """But for where its data is and what may be used: limits of this machine are none of that one's."""
    there = load(Path(made.to) / "job.yaml")
    limited = late.plan.workload
    assert there.but(folder=limited.folder, data=there.data.but(base=limited.data.base), where=limited.where) == limited
    assert [place.kind for place in there.where] == ["local"]
    assert there.where[0].memory_bytes is None


@pytest.mark.parametrize(
    "value",
    [
        "1e-3",
        "18:00",
        "2026-01-01",
        "yes",
        "null",
        "-",
        "*.parquet",
        "day >= '2026-01-01'",
        "",
        "a\nb",
        "0x1f",
        ".5",
        "#",
        "=",
        "é",
    ],
)
def test_text_stays_text(value: str) -> None:
    """Read by the rules of workload files, as a value, in a list, and as a key."""
    told = {"a": value, "b": [value, value], **({value: 1} if value else {})}
    assert document(to_yaml(told)) == told


def test_shared_values_are_written_out() -> None:
    """A workload file has no anchors."""
    shared = [0.1, 1e-05, True, None]
    assert document(to_yaml({"a": shared, "b": shared})) == {"a": shared, "b": shared}


def test_the_readme_has_five_lines(made: Deployment) -> None:
    """The first says which figures are modelled."""
    lines = (Path(made.to) / "README.md").read_text().splitlines()
    assert lines[0] == f"# late on {MACHINE} (aws/us-east-1: 8 cores, 69 GB)"
    assert [line[:2] for line in lines[2:]] == ["1.", "2.", "3.", "4.", "5."]
    assert lines[2].startswith("1. **Modelled**, never measured on such a machine: in-memory, ")
    assert ") a run on demand (at 0.5292 USD an hour, looked up on 2026-" in lines[2]


def test_a_machine_that_no_cloud_has_gets_no_task(late: Planned, tmp_path: Path) -> None:
    """One of the user's own table has the container file alone."""
    target = target_of(late.plan, late.snapshot, None)
    own = Target(target.machine.but(provider="", region="", name="big-box"), target.assessed)
    made = deploy(late.plan, own, tmp_path / "there")
    assert made.launch == ""
    assert "skypilot.yaml" not in made.files
    assert "SkyPilot has no such machine" in (tmp_path / "there/README.md").read_text()
    with pytest.raises(UsageError, match="--spot: big-box is not of aws, azure, gcp"):
        deploy(late.plan, own, tmp_path / "spot", spot=True)


def test_a_folder_with_something_in_it_is_left_alone(late: Planned, tmp_path: Path) -> None:
    """An empty one is taken."""
    target = target_of(late.plan, late.snapshot, None)
    (tmp_path / "there").mkdir()
    deploy(late.plan, target, tmp_path / "there")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match="is there already, and not empty; name another folder"):
        deploy(late.plan, target, tmp_path / "there")
    assert sorted(tmp_path.rglob("*")) == before


def test_nothing_is_left_of_what_could_not_be_written(late: Planned, tmp_path: Path) -> None:
    """A folder that cannot be made is told with its reason."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        deploy(late.plan, target_of(late.plan, late.snapshot, None), tmp_path / "file" / "there")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("name", "cluster"), [("late", "late"), ("2013_Flights.x", "run-2013-flights-x"), ("a" * 99, "a" * 30)]
)
def test_a_cluster_has_a_name_that_clouds_take(name: str, cluster: str) -> None:
    """Lower case, digits and hyphens, beginning with a letter."""
    assert cluster_of(name) == cluster


@pytest.mark.skipif("SKYPILOT_PYTHON" not in os.environ, reason="a Python with skypilot (500 MB) is not named")
def test_skypilot_itself_takes_the_task(made: Deployment) -> None:
    """Its own reader of tasks, where SKYPILOT_PYTHON names a Python that has it."""
    code = (
        "import sys, sky; task = sky.Task.from_yaml(sys.argv[1]); [one] = task.resources; "
        "print(task.name, one.instance_type, one.region, one.disk_size, one.use_spot, one.autostop_config.idle_minutes)"
    )
    argv = [os.environ["SKYPILOT_PYTHON"], "-c", code, str(Path(made.to) / "skypilot.yaml")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=made.to)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["late", MACHINE, "us-east-1", str(SYSTEM_GB + 1), "False", "30"]
