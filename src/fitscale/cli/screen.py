"""What ``fitscale plan`` prints: what was read, what there is, what is wanted, the verdict, and what was ruled out.

Each figure says where it is from; each time and memory has its 90 % interval; each refusal has its sentence.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from fitscale.cli.considered import considered_lines
from fitscale.cli.contested import contest_lines
from fitscale.cli.costing import better_costs
from fitscale.cli.path import path_lines
from fitscale.cli.scoring import score_lines
from fitscale.cli.searched import search_lines
from fitscale.cli.shown import (
    clipped,
    columns,
    count,
    dagger,
    data_size,
    duration,
    plural,
    size,
    tagged,
    tail,
    usd,
    wrapped,
)
from fitscale.planning.decision.sure_words import names_of, told
from fitscale.planning.forecasts.trust import track_told
from fitscale.planning.trials import curve_words
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Candidate, Chance, Plan, Refusal
from fitscale.records.workload import Deadline, Workload
from fitscale.workload.units import duration_text

SHOWN_ALTERNATIVES = 3
SHOWN_REFUSED = 6
SHOWN_WARNINGS = 6
LETTERS = "ABCDEFGH"


def plan_screen(plan: Plan, width: int, file: str = "FILE", *, supposed: bool = False) -> list[str]:
    """The lines of the screen, none longer than ``width``. ``supposed``: it is the answer to a what-if, which is kept nowhere."""
    ways = ways_of(plan)
    return [
        *_facts(plan, width),
        *contest_lines(plan.contest, width),
        *search_lines(plan, width),
        *considered_lines(plan.considerations, width),
        "",
        *_verdict(plan, ways, width, "" if supposed else _deployed(plan, file)),
        *_many("Sure", _sure(plan, ways), width),
        *_scored(plan, ways, width),
        *path_lines(plan.decision, width),
        *(wrapped("Enough", curve_words.told(plan.curve), width) if plan.curve is not None else ()),
        *(wrapped("Fewer rows", curve_words.fewer(plan.fewer), width) if plan.fewer is not None else ()),
        "",
        *_ruled_out(plan, width),
        *_many("Flips", plan.decision.flips, width),
        *_where_time_goes(plan, ways, width),
        *_many("Check", _few(plan.profile.warnings, SHOWN_WARNINGS), width),
        *_trust(plan, ways, width),
        *_next(plan, ways, width, file),
    ]


def ways_of(plan: Plan) -> list[tuple[str, Assessed]]:
    """The letters of the table: what was chosen, its alternatives, and what would be better elsewhere."""
    decision = plan.decision
    found = [decision.chosen] if decision.chosen else []
    others = [a for a in decision.alternatives if a not in (decision.chosen, decision.better)]
    found += others[:SHOWN_ALTERNATIVES]
    if decision.better and decision.better not in found:
        found.append(decision.better)
    return list(zip(LETTERS, found, strict=False))


def place(candidate: Candidate, here: str) -> str:
    """``in-memory here``, ``quantised on r7i.2xlarge``, ``many-models here, 2 workers``."""
    where = "here" if candidate.machine == here else f"on {candidate.machine}"
    workers = f", {candidate.workers} workers" if candidate.workers > 1 else ""
    ranks = f", {candidate.ranks} ranks" if candidate.ranks > 1 else ""
    return f"{candidate.name} {where}{workers}{ranks}"


# What is known.


def _facts(plan: Plan, width: int) -> list[str]:
    profile, shape, workload = plan.profile, plan.shape, plan.workload
    sampled = plan.stage.sampled if plan.stage is not None else 0
    source = "it" if plan.staging is not None else "the sample" if sampled else _from(workload.data.uri, width)
    seconds = "" if profile.read_s < 0.05 else f", {profile.read_s:.1f} s"
    if sampled:
        profile = profile.but(bytes=profile.read_bytes)
    read = f"Read {data_size(profile.read_bytes, max(profile.bytes, profile.read_bytes))} from {source}{seconds}"
    rows = profile.rows.value
    size_ = f"{count(rows)} rows × {plural(shape.features, 'feature')} = {count(rows * shape.features)} cells"
    if plan.traits.input == "series":
        size_ = f"{count(rows)} values of series"
    elif shape.density < 0.5:
        size_ += f", {count(rows * shape.features * shape.density)} of them not 0"
    lines = [*_staged(plan, width), *tagged(read, "measured", width), *tagged(size_, profile.rows.origin, width)]
    if profile.groups:
        groups = profile.groups
        span = f"{groups.rows_min:,} to {groups.rows_max:,} rows, half under {groups.rows_median:,}"
        alike = f"{plural(groups.rows_max, 'row')} each"
        told = f"{plural(groups.n, 'group')} of {alike if groups.rows_min == groups.rows_max else span}"
        lines += tagged(told, "measured" if groups.exact else "estimated", width)
    lines += tagged(f"Here: {machine_line(plan.machine, _allowed(plan))}", plan.machine.origin, width)
    if plan.considerations:
        return lines  # which say what is wanted, each in its line
    wanted = wants(workload)
    return [
        *lines,
        *tagged(wanted or "Want: nothing said, so the fastest that fits", "stated" if wanted else "assumed", width),
    ]


def _staged(plan: Plan, width: int) -> list[str]:
    """What was read once for all, what that took and takes, and what reading it rested on."""
    about, stage = plan.staging, plan.stage
    if about is None and stage is not None and stage.sampled:
        rows = f"{stage.sampled:,} of about {count(stage.rows.value)} rows of {_from(plan.workload.data.uri, width)}"
        told = f"'train' stages all of it once: {size(stage.bytes)} of Parquet, {duration(stage.seconds)}"
        return [
            *tagged(f"Sampled {rows}, {duration(stage.sample_s)}", "measured", width),
            *tagged(told, stage.seconds.origin, width),
        ]
    if about is None:
        return []
    whole = f"{size(about.origin.bytes)} of " if about.origin.bytes else ""
    kept = f"{size(about.bytes)} of Parquet in the run, {duration(about.seconds)}"
    lines = tagged(f"Staged {whole}{_from(plan.workload.data.uri, width - 12)} once as {kept}", "measured", width)
    if any(not piece.pin for piece in about.origin.pieces):  # nobody knows what became of it since
        lines += tagged(f"Data as of {as_of(about.at)}; --fresh reads it as it is now", "measured", width)
    for text in about.assumed[:SHOWN_WARNINGS]:
        lines += tagged(f"Read {text}" if text.startswith("column") else f"Read with {text}", "assumed", width)
    if len(about.assumed) > SHOWN_WARNINGS:
        lines += wrapped("", f"and {len(about.assumed) - SHOWN_WARNINGS} more assumptions: --json lists them", width, 0)
    return lines


def _from(uri: str, width: int) -> str:
    """The data's address, short enough for its line."""
    return tail(uri, max(20, min(50, width - 42)))


def as_of(at: float) -> str:
    """``2026-11-25 16:43 UTC, 3 h ago``."""
    ago = max(0.0, time.time() - at)
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))
    return f"{when}, {duration(ago)} ago" if ago >= 60 else when


def machine_line(machine: Machine, allowed: str = "") -> str:
    """``2 cores, 21 GB usable, disk 395 MB/s``."""
    parts = [plural(machine.cores, "core"), f"{size(machine.memory_bytes)} usable{allowed}"]
    if machine.disk_read_bytes_per_s:
        parts.append(f"disk {size(machine.disk_read_bytes_per_s)}/s")
    if machine.gpus:
        parts.append(f"{machine.gpus} × {machine.gpu}")
    return ", ".join(parts)


def wants(workload: Workload) -> str:
    """``Want 1 h, must 4 h · weekly · hardware 300 USD/month``; empty where nothing was said."""
    needs = workload.needs
    parts = [_deadline(needs.deadline)] if needs.deadline else []
    parts += [needs.frequency] if needs.frequency else []
    if needs.budget:
        for name, usd_ in (
            ("hardware", needs.budget.hardware_usd_month),
            ("software", needs.budget.software_usd_month),
        ):
            parts += [f"{name} {usd_:g} USD/month"] if usd_ is not None else []
    parts += [f"export {', '.join(needs.export)}"] if needs.export else []
    parts += [f"functions {', '.join(needs.functions)}"] if needs.functions else []
    if not parts:
        return ""
    head = "" if needs.deadline and (needs.deadline.want_s or needs.deadline.must_s or needs.deadline.at) else "Want "
    return head + " · ".join(parts)


def _deadline(deadline: Deadline) -> str:
    parts = [f"want {_stated(deadline.want_s)}"] if deadline.want_s else []
    parts += [f"must {_stated(deadline.must_s)}"] if deadline.must_s else []
    parts += [f"by {deadline.at}"] if deadline.at else []
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]


def _stated(seconds: float) -> str:
    text = duration_text(seconds)
    return text if isinstance(text, str) else duration(seconds)


def _allowed(plan: Plan) -> str:
    local = next((p for p in plan.workload.where if p.kind == "local"), None)
    binds = local is not None and plan.machine.memory_bytes == local.memory_bytes
    return " (as 'where' allows)" if binds else ""


# What was decided.


def _verdict(plan: Plan, ways: Sequence[tuple[str, Assessed]], width: int, deployed: str) -> list[str]:
    decision = plan.decision
    lines = wrapped("VERDICT", plain, width, 9) if (plain := _plain(plan)) else []
    for reason in decision.reasons or ("nothing was said of it",):
        lines += wrapped("" if lines else "VERDICT", reason, width, 9)
    if ways:
        here = plan.machine.name
        rows = [
            [
                letter,
                place(way.candidate, here),
                duration(way.forecast.time_s) + dagger(way.forecast.time_s),
                size(way.forecast.memory_bytes) + dagger(way.forecast.memory_bytes),
                usd(way.forecast.cost_usd),
            ]
            for letter, way in ways
        ]
        lines += _table(rows, width)
    letters = {id(way): letter for letter, way in ways}
    told = []
    if decision.chosen is not None:
        told.append(f"Run here: {letters[id(decision.chosen)]}.")
    if decision.better is not None and decision.better is not decision.chosen:
        letter = letters.get(id(decision.better), decision.better.candidate.name)
        told.append(f"Would be better: {letter}{deployed}.")
        priced = better_costs(decision.better, letter)
        told += [f"{priced}."] if priced else []
    return [*lines, *wrapped("", " ".join(told), width, 0)] if told else lines


def _deployed(plan: Plan, file: str) -> str:
    """The command that writes what the better place needs, where it would."""
    from fitscale.deploying.target import is_deployable

    return f" (fitscale deploy {file})" if is_deployable(plan) else ""


def _plain(plan: Plan) -> str:
    """What the plain script would come to, where it would not live here."""
    held, limit = plan.plain_bytes, plan.machine.memory_bytes
    if held is None or held.value <= limit:
        return ""
    how = "would be" if held.low > limit else "would probably be"
    return f"The plain script, with all rows in one matrix, would need {size(held)} of {size(limit)}: it {how} ended."


def _sure(plan: Plan, ways: Sequence[tuple[str, Assessed]]) -> tuple[str, ...]:
    """By the letters of the table; what has none there by its name."""
    here = plan.machine.name
    letters = {(w.candidate.name, w.candidate.workers): letter for letter, w in ways if w.candidate.machine == here}
    named = names_of(plan.decision.sureness.chances)

    def called(chance: Chance) -> str:
        return letters.get((chance.name, chance.workers)) or named(chance)

    return told(plan.decision.sureness, called)


def _scored(plan: Plan, ways: Sequence[tuple[str, Assessed]], width: int) -> list[str]:
    lines = score_lines(plan, ways, width)
    return ["", *lines] if lines else []


def _table(rows: list[list[str]], width: int) -> list[str]:
    header = ["", "", "time (90 %)", "memory", "USD/run"]
    lines = columns(rows, header, "4")
    if max(map(len, lines)) > width:  # the intervals of memory are the first to go
        rows = [[a, b, c, d.split(" (")[0] + ("†" if d.endswith("†") else ""), e] for a, b, c, d, e in rows]
        lines = columns(rows, header, "4")
    over = max(map(len, lines)) - width
    if over > 0:
        room = max(12, max(len(row[1]) for row in rows) - over)
        rows = [[a, b if len(b) <= room else b[: room - 1] + "…", *rest] for a, b, *rest in rows]
        lines = columns(rows, header, "4")
    return [line[:width] for line in lines]


def _ruled_out(plan: Plan, width: int) -> list[str]:
    refused: dict[str, Refusal] = {}
    for refusal in plan.decision.refused:
        refused.setdefault(place(refusal.candidate, plan.machine.name), refusal)
    if not refused:
        return []
    names = list(refused)[:SHOWN_REFUSED]
    longest = max(map(len, names))
    lines: list[str] = []
    for name in names:
        head = f"{'' if lines else 'Ruled out':<12}{name}"
        sentence = refused[name].sentence
        if longest > width // 3:  # where one name is too long, each has a line of its own
            lines += [clipped(head, width), *wrapped("", sentence, width, 16)]
        else:
            lines += wrapped(head, sentence, width, 12 + longest + 2)
    if len(refused) > SHOWN_REFUSED:
        lines += wrapped("", f"and {len(refused) - SHOWN_REFUSED} more: --json lists all of them", width)
    return lines


def _where_time_goes(plan: Plan, ways: Sequence[tuple[str, Assessed]], width: int) -> list[str]:
    if plan.decision.chosen is None or not plan.decision.chosen.forecast.phases:
        return []
    letter = ways[0][0]
    phases = {name: s for name, s in plan.decision.chosen.forecast.phases.items() if s > 0}
    if not phases:
        return []
    whole = sum(phases.values())
    divisor, unit = (1.0, "s") if whole < 120 else (60.0, "min") if whole < 36_000 else (3_600.0, "h")
    named = {"iterations": "train"}
    large = {name: s for name, s in phases.items() if s >= 0.01 * whole}
    parts = [f"{named.get(name, name)} {_rounded(s / divisor)}" for name, s in large.items()]
    floor = plan.decision.chosen.forecast.floor_s
    least = (
        f"; physics allows no less than {_rounded(floor / divisor)}"
        if floor >= max(0.01 * whole, 0.05 * divisor)
        else ""
    )
    return wrapped(f"Where the time of {letter} goes:", " · ".join(parts) + f" {unit}{least}", width, 12)


def _rounded(number: float) -> str:
    return f"{number:,.0f}" if number >= 9.95 else f"{number:.1f}"


def _trust(plan: Plan, ways: Sequence[tuple[str, Assessed]], width: int) -> list[str]:
    parts = []
    if ways and ways[0][1].forecast.source:
        parts.append(f"{ways[0][0]} is forecast {ways[0][1].forecast.source}")
    if ways and (track := track_told(plan.calibration, ways[0][1].forecast)):
        parts.append(track)
    if plan.probing_s >= 0.1:
        parts.append(f"{plan.probing_s:.1f} s of probing")
    busiest = max((m.contention for m in plan.measurements), default=0.0)
    if busiest > 0.15:
        parts.append(f"others used {busiest:.0%} of the machine meanwhile".replace("%", " %"))
    if any(dagger(way.forecast.time_s) for _, way in ways):
        parts.append("† modelled: never measured on such a machine")
    return wrapped("Trust", "; ".join(parts), width) if parts else []


def _next(plan: Plan, ways: Sequence[tuple[str, Assessed]], width: int, file: str) -> list[str]:
    if plan.decision.chosen is None or not plan.decision.meets:
        return []
    others = [way.candidate.name for _, way in ways[1:] if way.candidate.machine == plan.machine.name]
    other = f"; --choose {others[0]} overrides" if others else ""
    return wrapped("Next", f"fitscale train {file}{other}", width)


def _many(head: str, texts: Iterable[str], width: int) -> list[str]:
    lines: list[str] = []
    for text in texts:
        lines += wrapped("" if lines else head, text, width)
    return lines


def _few(texts: Sequence[str], most: int) -> list[str]:
    rest = len(texts) - most
    return [*texts[:most], *([f"and {rest} more: --json lists all of them"] if rest > 0 else [])]
