"""A run → one HTML file: verdict, decision, forecast against actual, memory, what the model is worth, models, recipe.

events    what an attempt's workers said, and its ledger of phases
actual    what a version really took: its times, phases, peak, attempts
reading   everything that the report shows, read from the run folder
models    many models as figures: distributions, the worst groups, the failures by kind
text      figures as a person reads them
canvas    a matplotlib figure → a small inline SVG in the page's own colours
charts    the charts; those of many models are in distributions, those of what one is worth in worth_charts
sections  what was read → what the template shows, with headline, candidates, course, described and worth
page      template, style and charts → the file
"""

from fitscale.report.actual import Actual, actual_of
from fitscale.report.page import write

__all__ = ["Actual", "actual_of", "write"]
