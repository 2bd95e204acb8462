"""Plain values → YAML that a person reads: several lines as a block, no anchors, and text that looks like a number quoted."""

from __future__ import annotations

from typing import Any

import yaml

LIKE_NUMBERS = "-+.0123456789"  # what a workload file's numbers begin with; 1e-3 is one, which PyYAML takes for text


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else '"' if text[:1] in LIKE_NUMBERS and text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def to_yaml(value: Any) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=120)
