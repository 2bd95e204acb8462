"""A run → one HTML file: verdict, decision, forecast against actual, memory, what the model is worth, models, recipe.

reading   everything that the report shows, read from the run folder
models    many models as figures: distributions, the worst groups, the failures by kind
text      figures as a person reads them
canvas    a matplotlib figure → a small inline SVG in the page's own colours
charts    the charts; those of many models are in distributions, those of what one is worth in worth_charts
sections  what was read → what the template shows, with headline, candidates, chosen, course, described, worth
page      template, style and charts → the file
"""

from fitscale.report.page import write
from fitscale.running.actual import Actual, actual_of

__all__ = ["Actual", "actual_of", "write"]
