"""The workload file that goes along: as it was planned, with its data where the machine has it."""

from __future__ import annotations

from fitscale.deploying.moving import Moved
from fitscale.deploying.yamltext import to_yaml
from fitscale.records.workload import Place, Workload
from fitscale.workload.spec import to_document

FILE = "job.yaml"


def job_file(workload: Workload, moved: Moved, planned: int) -> str:
    """The file's text. What may be used is that machine: limits of this one, and catalogues, stay here."""
    there = workload.but(data=workload.data.but(uri=moved.uri), where=(Place(kind="local"),))
    return f"# As in plan {planned}; data.uri is where the machine has it.\n" + to_yaml(to_document(there))
