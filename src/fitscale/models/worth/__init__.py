"""What a version of one model is worth, found out after it is committed: nothing of it lies in the version.

judged      which fit held rows out, its model, and what it predicted of them
rows        a seeded part of the held-out rows, with their columns
classes     confusion and calibration, block by block
residuals   the distances of a regression, block by block
segments    where the loss lies
importance  what shuffling a column costs
looking     the five, for one version, in this process
asking      the same in a process of its own, under limits, kept beside the report
"""

from fitscale.models.worth.asking import LIMIT_S, kept, refresh

__all__ = ["LIMIT_S", "kept", "refresh"]
