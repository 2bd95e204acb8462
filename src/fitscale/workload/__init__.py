"""From a workload file, a team file and settings to frozen records."""

from fitscale.workload.environment import expand
from fitscale.workload.schema import keys, schema, schema_text
from fitscale.workload.settings import Settings, settings
from fitscale.workload.spec import build, load, parse, read_value, to_document
from fitscale.workload.team import load_team

__all__ = [
    "Settings",
    "build",
    "expand",
    "keys",
    "load",
    "load_team",
    "parse",
    "read_value",
    "schema",
    "schema_text",
    "settings",
    "to_document",
]
