"""Run a command as a user would, in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from typer.testing import CliRunner

from fitscale.cli.main import app


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def record(self) -> Any:
        """The one line of JSON on stdout."""
        return json.loads(self.out)


def fitscale(*argv: object) -> Said:
    done = CliRunner().invoke(app, [str(word) for word in argv], prog_name="fitscale", env={"COLUMNS": "100"})
    return Said(done.exit_code, done.stdout, done.stderr)


def write_job(folder: Path, name: str, **sections: Any) -> Path:
    """A workload file: a small baseline job, with sections of it replaced."""
    document: dict[str, Any] = {
        "name": name,
        "data": {"uri": "synthetic://?rows=6000&columns=4", "target": "y"},
        "model": {"estimator": "baseline.Classifier", "params": {"passes": 3}},
        **sections,
    }
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps(document))  # JSON is YAML
    return path


MANY = {"data": {"uri": "synthetic://?rows=6000&columns=4&groups=30", "target": "y", "groups": ["group"]}}
