"""What runs were given and what they cost beside themselves: memory, probes, and others on the machine. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from choice.known import Known, Row, percent, quantile, rounded

SHORT_S, SHORT_LOST_S = 100.0, 5.0


def memory(some: Sequence[Known]) -> list[Row]:
    """What was admitted, and what was refused."""
    began = [row for one in some for row in one.rows if row["step"].partition(" ")[0] in ("train", "choose")]
    if not began:
        return []
    admitted = [row for row in began if row["choice"] is not None]
    ended = sum(bool(row["machine_ended"]) for row in admitted)
    children = [row for row in admitted if row["children_ended"]]
    whole = [row for row in admitted if row.get("actual_s") and row["peak_bytes"]]
    over = quantile((row["forecast"]["admitted_bytes"] / row["peak_bytes"] - 1 for row in whole), 0.5)
    forced = [row for one in some for row in one.forced.values() if row["fits"] is not None]
    return [
        _count("admitted runs", len(admitted), "200 to 300"),
        _count("refused when they were to run, which an earlier plan had not", len(began) - len(admitted), None),
        _count("command or machine ended for memory", ended, "0"),
        _count("runs with a child ended at its limit", len(children), "at most 2"),
        _count("of those, recovered by themselves", sum(row["ended"] == "done" for row in children), "all"),
        _count("admitted above what was held, median %", percent(over), "at most 20"),
        _count("refused for memory, and forced", len(forced), "30"),
        _count("of those, would have fitted", sum(row["fits"] for row in forced), "at most 3"),
    ]


def probing(some: Sequence[Known]) -> list[Row]:
    """What `train` measured and did not go on from, and how long `plan` took."""
    rows = [row for one in some for row in one.trains if row.get("actual_s")]
    if not rows:
        return []
    shares = [row["probing_s"] / row["actual_s"] for row in rows]
    short = [row["probing_s"] for row in rows if row["actual_s"] < SHORT_S]
    waited = [one.plan["wall_s"] for one in some if one.plan]
    return [
        _figure("of the run, median %", len(rows), percent(quantile(shares, 0.5)), "at most 2"),
        _figure("of the run, p95 %", len(rows), percent(quantile(shares, 0.95)), "at most 5"),
        _figure("runs under 100 s, p95 s", len(short), rounded(quantile(short, 0.95)), "or at most 5"),
        _figure("runs beyond both", len(rows), sum(map(_is_beyond, rows)), "1 in 20"),
        _figure("plan answers, most s", len(waited), rounded(max(waited, default=None)), "within 60"),
    ]


def crowding(some: Sequence[Known]) -> list[Row]:
    """How much of the machine others used beside the runs."""
    shares = [row["contention"] for one in some for row in one.rows if "contention" in row]
    if not shares:
        return []
    return [{"of_runs": len(shares), "median_%": percent(quantile(shares, 0.5)), "most_%": percent(max(shares))}]


def _is_beyond(row: Row) -> bool:
    """Whether more than a twentieth of a run was lost, and of a short one more than five seconds."""
    lost = row["probing_s"]
    return bool(lost > 0.05 * row["actual_s"] and (row["actual_s"] >= SHORT_S or lost > SHORT_LOST_S))


def _count(what: str, count: float | None, aim: str | None) -> Row:
    return {"what": what, "count": count, "aim": aim}


def _figure(what: str, runs: int, figure: float | None, aim: str) -> Row:
    return {"what": what, "of_runs": runs, "figure": figure, "aim": aim}
