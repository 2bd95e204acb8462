"""Frozen records: what flows between the stages, JSON both ways.

workload · data · machine · plan · run: one file for each station; `base` holds what they share.
"""

from fitscale.records.base import Figure, Origin, Record, canonical_json, digest_of

__all__ = ["Figure", "Origin", "Record", "canonical_json", "digest_of"]
