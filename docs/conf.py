"""The site: Markdown pages by MyST, built by `make docs`, where a warning is an error."""

from __future__ import annotations

from importlib.metadata import version as installed

project = "fitscale"
version = release = installed("fitscale")
html_title = f"fitscale {release}"
html_theme = "furo"
html_theme_options = {"light_css_variables": {"code-font-size": "75%"}}  # a screen of 100 columns fits
html_show_copyright = False

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nitpicky = True
smartquotes = False  # "--fresh" and quotes are meant as they stand
exclude_patterns = ["_*"]
