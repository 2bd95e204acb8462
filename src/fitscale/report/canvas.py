"""A matplotlib figure → a small inline SVG: the page's own font and colours, the same bytes for the same figure."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 560  # units of the picture, which are CSS pixels where the page has room
FONT = 12.0

# Colours that stand for a variable of the style sheet, which knows of light and dark.
INK, MUTED, GRID, ACTUAL, FORECAST, LIMIT, OTHER = (f"#0{k}0{k}0{k}" for k in range(1, 8))
_VARIABLES = {
    INK: "ink", MUTED: "muted", GRID: "grid", ACTUAL: "actual", FORECAST: "forecast", LIMIT: "limit", OTHER: "other"
}  # fmt: skip

_STYLE: Any = {  # matplotlib types its names as a Literal
    "axes.edgecolor": GRID,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelcolor": MUTED,
    "axes.labelsize": FONT,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": FONT,
    "axes.titlecolor": INK,
    "figure.facecolor": "none",
    "font.size": FONT,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "legend.fontsize": FONT,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.6,
    "path.simplify": True,
    "path.simplify_threshold": 0.5,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "fitscale",
    "text.color": INK,
    "text.parse_math": False,  # a name may hold a dollar sign
    "xtick.color": MUTED,
    "xtick.labelsize": FONT - 1,
    "xtick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.color": MUTED,
    "ytick.labelsize": FONT - 1,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
}


class Drawing:
    """One chart being drawn; `svg` holds the picture once the `drawing` is over."""

    def __init__(self, figure: Figure, title: str) -> None:
        self.figure = figure
        self.title = title
        self.svg: Markup | None = None

    def axes(self, rows: int = 1, columns: int = 1, **kwargs: object) -> list[Axes]:
        found = self.figure.subplots(rows, columns, squeeze=False, **kwargs)  # type: ignore[call-overload]
        return [axes for row in found for axes in row]


@contextmanager
def drawing(title: str, height: float, width: float = WIDTH) -> Iterator[Drawing]:
    """Draw within; sizes are CSS pixels. ``title`` is what a screen reader says."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # whatever the user's own matplotlibrc says
        matplotlib.rcParams.update(_STYLE)
        figure = Figure(figsize=(width / 72, height / 72), layout="constrained")
        FigureCanvasSVG(figure)
        drawn = Drawing(figure, title)
        yield drawn
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
        drawn.svg = inline(text.getvalue(), title, width, height)


def inline(svg: str, title: str, width: float, height: float) -> Markup:
    """Cut what a page does not need: head, metadata, names of groups, fonts; colours become variables."""
    from markupsafe import Markup, escape

    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.DOTALL)
    body = re.sub(r"<defs>\s*<style[^>]*>.*?</style>\s*</defs>\s*", "", body, flags=re.DOTALL)
    body = re.sub(r"<!--.*?-->\s*", "", body, flags=re.DOTALL)
    body = re.sub(r'<g id="[^"]*">', "<g>", body)
    body = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", body)
    body = re.sub(r"(\d+\.\d\d)\d+", r"\1", body)
    body = re.sub(r"\s*\n\s*", "\n", body)
    for colour, name in _VARIABLES.items():
        body = body.replace(colour, f"var(--{name})")
    head = (
        f'<svg viewBox="0 0 {width:g} {height:g}" style="max-width:{width:g}px" role="img" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink"><title>{escape(title)}</title>'
    )
    return Markup(re.sub(r"^<svg[^>]*>", lambda _: head, body, count=1).strip())
