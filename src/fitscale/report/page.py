"""Template, style and charts → the file."""

from __future__ import annotations

from importlib.resources import files as packaged
from pathlib import Path

from fitscale.report.reading import Material, read
from fitscale.store import files


def write(run: Path, version: int | None = None, to: Path | None = None) -> Path:
    """Write the report of a version (default: the one that is served) into one HTML file; where it lies.

    Parameters
    ----------
    run
        The run folder. One that is only planned, or unfinished, gets the sections for which there is data.
    version
        Which version; None: the served one, else the unfinished one, else the last plan.
    to
        The file; None: report.html in the run folder.

    Raises
    ------
    UsageError
        If the folder is no run, has no such version, or nothing was planned in it yet.
    """
    path = to or run / "report.html"
    files.replace(path, render(read(run, version)))
    return path


def render(material: Material) -> str:
    """The page. The same run gives the same text."""
    import jinja2
    from markupsafe import Markup

    from fitscale.report.sections import sections

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fitscale.report", "templates"),
        autoescape=True,  # names of groups and columns come from strangers
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (packaged("fitscale.report") / "templates" / "page.css").read_text()
    return environment.get_template("page.html.j2").render(style=Markup(style), **sections(material))
