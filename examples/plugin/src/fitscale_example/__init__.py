"""A source, a framework and a metric for fitscale. Importing this loads nothing: each is loaded on first use."""

__version__ = "0.1.0"
