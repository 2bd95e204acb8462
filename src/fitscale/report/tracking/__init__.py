"""A finished version → one run in an MLflow store, whatever the number of its models.

check    what is wrong with an address, before anything is trained
track    log a version once, in a process of its own: what goes wrong there costs the log alone
logged   what is logged: params, metrics, tags
client   the same through MLflow's client
masking  addresses and errors without their secrets
"""

from fitscale.report.tracking.asking import Tracked, check, track

__all__ = ["Tracked", "check", "track"]
