"""Delimited text: CSV and TSV, plain or compressed, typed over all of its rows."""

from __future__ import annotations

from fitscale.data.sources.text.source import Text

__all__ = ["Text"]
