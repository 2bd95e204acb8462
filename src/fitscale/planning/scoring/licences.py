"""Under which licence a library is, and whether that is an open one: by its own metadata."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageMetadata

from fitscale.planning.scoring.installed import installed
from fitscale.records.scorecard import Library
from fitscale.records.workload import Workload

# Of the SPDX list, what the Open Source Initiative approved, and dedications to the public domain.
OPEN = {
    "mit", "mit-0", "mit-cmu", "0bsd", "bsd-2-clause", "bsd-3-clause", "bsl-1.0", "isc", "zlib", "ncsa", "hpnd", "upl-1.0",
    "apache-2.0", "mpl-2.0", "epl-2.0", "afl-3.0", "artistic-2.0", "psf-2.0", "python-2.0", "python-2.0.1", "postgresql",
    "gpl-2.0-only", "gpl-2.0-or-later", "gpl-3.0-only", "gpl-3.0-or-later", "lgpl-2.1-only", "lgpl-2.1-or-later",
    "lgpl-3.0-only", "lgpl-3.0-or-later", "unicode-3.0", "unlicense", "cc0-1.0",
}  # fmt: skip
_NAMED = (  # in the free text of the older field: the name → its SPDX identifier
    (re.compile(r"\bapache\b", re.I), "Apache-2.0"),
    (re.compile(r"\bmit\b", re.I), "MIT"),
    (
        re.compile(r"\b(?:new |modified |3-clause )?bsd\b|redistribution and use in source and binary forms", re.I),
        "BSD",
    ),
    (re.compile(r"\bmpl\b|mozilla public", re.I), "MPL-2.0"),
    (re.compile(r"\bl?gpl", re.I), "GPL family"),
    (re.compile(r"\bpsf\b|python software foundation", re.I), "PSF-2.0"),
)
_CLOSED = re.compile(r"proprietary|commercial licen[cs]e|end.user licen[cs]e", re.I)
_OSI = "License :: OSI Approved :: "


def libraries_of(workload: Workload, framework: str) -> tuple[Library, ...]:
    """Each with its licence, in the order of names."""
    found = installed(workload, framework)
    return tuple(_library(name, found[name]) for name in sorted(found))


def _library(name: str, one: Distribution) -> Library:
    about = one.metadata
    licence, is_open, source = licence_of(
        _field(about, "License-Expression"), about.get_all("Classifier") or [], _field(about, "License")
    )
    return Library(name=name, version=one.version, licence=licence, is_open=is_open, source=source)


def _field(about: PackageMetadata, name: str) -> str | None:
    return about[name] if name in about else None  # noqa: SIM401 (it promises no 'get', and is to raise for what is absent)


def licence_of(expression: str | None, classifiers: Iterable[str], text: str | None) -> tuple[str, bool | None, str]:
    """(licence, whether it is open, which field said it). The newest of the three fields counts, where it is there."""
    if expression:
        return expression, _is_open(expression), "License-Expression"
    approved = [line.removeprefix(_OSI) for line in classifiers if line.startswith(_OSI)]
    if approved:
        return " and ".join(approved), True, "classifiers"
    if any(line.startswith("License :: Other/Proprietary") for line in classifiers):
        return "proprietary", False, "classifiers"
    if not text or not text.strip() or text.strip().upper() == "UNKNOWN":
        return "", None, "no field of its metadata"
    first = text.strip().splitlines()[0][:60]
    if _CLOSED.search(text):
        return first, False, "License"
    named = next((spdx for pattern, spdx in _NAMED if pattern.search(text)), None)
    return named or first, True if named else None, "License"


def _is_open(expression: str) -> bool | None:
    """Of an SPDX expression: of those joined by OR one that is open is enough, of those joined by AND all must be."""
    tokens = re.findall(r"[()]|[^\s()]+", expression)

    def either() -> bool | None:
        found = [both()]
        while tokens and tokens[0].upper() == "OR":
            tokens.pop(0)
            found.append(both())
        return True if True in found else None if None in found else False

    def both() -> bool | None:
        found = [one()]
        while tokens and tokens[0].upper() in ("AND", "WITH"):
            if tokens.pop(0).upper() == "WITH":
                tokens[:1] = []  # an exception permits more, never less
            else:
                found.append(one())
        return False if False in found else None if None in found else True

    def one() -> bool | None:
        name = tokens.pop(0) if tokens else ""
        if name == "(":
            inner = either()
            tokens[:1] = []  # its end
            return inner
        return True if name.lower() in OPEN else False if "proprietary" in name.lower() else None

    return either()
