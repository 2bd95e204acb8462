"""svmlight (libsvm) files: a label and pairs of index and value in each line, kept sparse all the way to the framework."""

from __future__ import annotations

from fitscale.data.sources.svmlight.source import SvmLight

__all__ = ["SvmLight"]
