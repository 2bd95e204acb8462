"""A run → one HTML file: verdict, decision, forecast against actual, memory, scores, models, recipe.

    actual    what a version really took: events → times, phases, peak
    reading   everything that the report shows, read from the run folder
    models    many models as figures: distributions, the worst groups, the failures by kind
    text      figures as a person reads them
    canvas    a matplotlib figure → a small inline SVG in the page's own colours
    charts    the charts
    sections  what was read → what the template shows
    page      template, style and charts → the file
"""

from fitscale.report.actual import Actual, actual_of
from fitscale.report.page import write

__all__ = ["Actual", "actual_of", "write"]
