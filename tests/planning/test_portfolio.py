"""What a portfolio promises: environments by arithmetic, money with its source, one platform and why, nothing unsaid."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitscale.machines.prices import roles
from fitscale.planning.portfolio.placing import own, placed_on, platform_on, rented
from fitscale.planning.portfolio.portfolio import Asked, portfolio_of
from fitscale.records.machine import Machine
from fitscale.records.portfolio import Failed, Job, Portfolio, Way
from fitscale.records.workload import Person, Team

GB, HOUR, DAY = 1e9, 3600.0, 86_400.0
ROLES = roles()
HERE = Machine(name="here", cores=2, memory_bytes=int(8 * GB))


def machine(name: str, usd: float, cores: int = 2) -> Machine:
    return Machine(name=name, kind="catalogue", provider="aws", cores=cores, memory_bytes=int(8 * GB), usd_per_hour=usd)


def job(name: str, **more: Any) -> Job:
    """Every day, whenever it is done."""
    return Job(
        **{"name": name, "file": f"{name}.yaml", "framework": "xgboost"}
        | {"frequency": "daily", "period_s": DAY, "runs_a_month": 30.4, **more}
    )


def weighed(
    bench: Any,
    jobs: list[tuple[Job, float]],
    machines: tuple[Machine, ...] = (),
    team: Team = Team(),  # noqa: B008 (an immutable record)
    faster: float = 1.0,
    here: Machine = HERE,
    **more: Any,
) -> Portfolio:
    """A portfolio of jobs that take so many seconds here, and ``faster`` times less on every rented machine."""
    asked = [
        Asked(
            one,
            Way(assessed=bench.known("in-memory", seconds, 2 * GB, **more)),
            tuple(Way(assessed=bench.known("in-memory", seconds / faster, 2 * GB, machine=m.name)) for m in machines),
        )
        for one, seconds in jobs
    ]
    return portfolio_of(asked, here, machines, team, ROLES)


# Worked examples.


def test_three_nightly_jobs_share_this_machine(bench: Any) -> None:
    """An hour and two of half an hour: one environment, each waits for the longer ones, and the month is added up."""
    jobs = [(job("long"), HOUR), (job("a"), HOUR / 2), (job("b"), HOUR / 2)]
    found = weighed(bench, jobs, team=Team(machine_usd_hour=0.5))
    chosen = found.recommended
    assert chosen is not None
    assert found.meets
    assert (chosen.needed, chosen.at_once, chosen.environments, chosen.per_machine, chosen.machines) == (1, 3, 1, 1, 1)
    assert chosen.busy_hours == pytest.approx(30.4 * 2)
    assert chosen.used == pytest.approx(2 / 24)
    assert chosen.usd_month.value == pytest.approx(30.4 * 2 * 0.5)
    assert [round(one.wait_s / HOUR, 2) for one in chosen.jobs] == [0, 1.08, 1.62]  # at P90
    assert found.reasons[0] == "this machine for all 3 jobs: 30 USD (28–33) a month"
    assert found.reasons[1] == (
        "1 environment of 2 cores and 2.5 GB needed (a run waits 97 min at most); 3 if nothing ever waited; "
        "61 h of work a month, 8.3 % of their time"
    )
    assert found.reasons[2:] == (
        "nothing else keeps everything",
        "it is the best for each job, too",
        "no licence is paid for: xgboost",
    )


def test_a_deadline_asks_for_a_second_environment(bench: Any) -> None:
    """Which this machine does not have; two rented ones have it, and their start of five minutes is counted."""
    jobs = [(job("long"), 2 * HOUR), (job("soon", must_s=HOUR), HOUR / 2)]
    found = weighed(bench, jobs, (machine("large", 0.1), machine("xlarge", 0.2)))
    here, large, _ = found.platforms
    assert (here.needed, here.environments, here.per_machine) == (2, 1, 1)
    assert here.problems == ("soon: waits up to 2.2 h for an environment, 2.7 h in all at P90: over 60 min",)
    assert found.recommended == large
    assert (large.environments, large.machines, large.jobs[1].wait_s) == (2, 2, 0)
    assert large.busy_hours == pytest.approx(30.4 * (2.5 + 2 * 300 / HOUR))
    assert large.usd_month.origin == "modelled"
    assert f"not this machine: {here.problems[0]}" in found.reasons


def test_small_jobs_stand_side_by_side(bench: Any) -> None:
    """Where each is allowed one core of two, this machine holds two environments, and that is said as assumed."""
    jobs = [(job("long"), 2 * HOUR), (job("soon", must_s=HOUR), HOUR / 2)]
    found = weighed(bench, jobs, threads=1)
    chosen = found.recommended
    assert chosen is not None
    assert found.meets
    assert (chosen.cores, chosen.per_machine, chosen.environments, chosen.machines) == (1, 2, 2, 1)
    assert any("do not slow each other down" in said for said in found.assumptions)


def test_what_takes_longer_than_its_period_is_said(bench: Any) -> None:
    """Every day for 26 hours cannot be kept anywhere; the nearest platform is named with it."""
    found = weighed(bench, [(job("slow"), 26 * HOUR), (job("quick"), 60)])
    assert not found.meets
    assert found.reasons[0].startswith(
        "no platform keeps everything; the nearest is this machine: slow: a run takes 28 h at P90, "
        "and the next is due after 24 h (daily)"
    )


def test_a_faster_machine_keeps_what_this_one_does_not(bench: Any) -> None:
    """Four times as fast: the daily job ends in its day."""
    found = weighed(bench, [(job("slow"), 26 * HOUR)], (machine("big", 1.0, 16),), faster=4)
    assert found.recommended is not None
    assert found.recommended.name == "big"
    assert found.meets


def test_the_best_for_each_stands_beside_the_one_for_all(bench: Any) -> None:
    """Apart is cheaper by the machines; people who look after both kinds turn it."""
    cheap, big = machine("cheap", 0.01), machine("big", 1.0, 16)
    asked = [
        Asked(
            job(name, must_s=must),
            Way(sentence="needs more"),
            tuple(
                Way(assessed=bench.known("in-memory", s, GB, machine=m.name)) for m, s in ((cheap, slow), (big, fast))
            ),
        )
        for name, must, slow, fast in (("easy", None, 2 * HOUR, HOUR), ("hard", HOUR, 5 * HOUR, HOUR / 2))
    ]
    found = portfolio_of(asked, HERE, (cheap, big), Team(), ROLES)
    assert [(best.job, best.machine) for best in found.best] == [("easy", "cheap"), ("hard", "big")]
    assert found.recommended is not None
    assert found.recommended.name == "big"
    last = found.reasons[-2]
    assert "on 2 kinds of machine (cheap and big), one for all 51 USD; with people" in last
    assert last.endswith("and that turns it for one platform")
    assert found.people_apart_usd_month > found.people_usd_month > 0
    assert [one.sentence for one in found.refused] == ["needs more", "needs more"]


# What a team says.


def test_a_budget_of_nothing_takes_what_costs_nothing(bench: Any) -> None:
    """0 is an answer: this machine, as nobody said that an hour of it costs; with a price nothing is within it."""
    jobs, large = [(job("a"), HOUR)], (machine("large", 0.1),)
    found = weighed(bench, jobs, large, Team(platform_usd_month=0))
    assert found.recommended is not None
    assert found.recommended.is_here
    assert found.meets
    assert "within the 0 USD a month of platform_budget" in found.reasons
    assert any("'machine_hour' in the team file states it" in said for said in found.assumptions)
    dear = weighed(bench, jobs, large, Team(platform_usd_month=0, machine_usd_hour=0.12))
    assert not dear.meets
    assert "over the 0 USD of platform_budget" in dear.reasons[0]


def test_users_start_what_is_ad_hoc(bench: Any) -> None:
    """Each once a month, all at the same moment; none, and it never runs; unsaid, and it is one."""
    for users, hours, at_once, says in (
        (6, 3.0, 6, "by each of 6 users once a month, all at the same moment"),
        (0, 0.0, 0, "there are no users, so never"),
        (None, 0.5, 1, "by one user once a month; 'users' in the team file states more"),
    ):
        one = job("ask", frequency="ad-hoc", period_s=None, runs_a_month=1.0, at_once=1 if users is None else users)
        found = weighed(bench, [(one, HOUR / 2)], team=Team(users=users))
        assert found.recommended is not None
        assert found.meets
        assert found.recommended.busy_hours == pytest.approx(hours)
        assert found.recommended.at_once == at_once
        assert any(says in said for said in found.assumptions)


def test_environments_that_are_stated_are_held_against_what_is_needed(bench: Any) -> None:
    """Too few are reckoned with as they are, and what is late for it is named; none run nothing."""
    jobs = [(job(name, must_s=HOUR), HOUR / 2) for name in ("a", "b", "c", "d")]
    large = (machine("large", 0.1),)
    assert weighed(bench, jobs, large).platforms[-1].needed == 4
    enough = weighed(bench, jobs, large, Team(environments=4))
    assert enough.meets
    assert "environments: 4 stated, 4 needed: enough" in enough.reasons
    few = weighed(bench, jobs, large, Team(environments=2))
    assert not few.meets
    assert "environments: 2 stated, 4 needed: 2 too few" in few.reasons
    none = weighed(bench, jobs, large, Team(environments=0))
    assert not none.meets
    assert none.reasons[0].endswith("d: no environment is left for it")
    assert none.recommended is not None
    assert none.recommended.used == 0


def test_people_are_who_of_the_team_can_and_costs_least(bench: Any) -> None:
    """Stated hours are told as stated, the rest as assumed; whom the team lacks is reckoned from the table and named."""
    team = Team(
        people=(
            Person(role="data scientist", level="senior", skills=("xgboost", "data preparation")),
            Person(role="data scientist", level="junior"),
        ),
        hours={"modelling": 10.0},
    )
    found = weighed(bench, [(job("a", skills=("xgboost",)), 60), (job("b", skills=("lightgbm",)), 60)], team=team)
    told = [(e.activity, e.hours, e.origin, e.role, e.level, e.in_team) for e in found.efforts]
    assert told == [
        ("modelling", 20.0, "stated", "data scientist", "junior", True),
        ("data preparation", 8.0, "assumed", "data scientist", "senior", True),
        ("platform operation", 4.0, "assumed", "platform/DevOps engineer", "mid", False),
    ]
    assert found.efforts[0].usd_month == pytest.approx(20 * 85_660 / 2080)
    assert found.people_usd_month == pytest.approx(sum(effort.usd_month for effort in found.efforts))
    assert found.lacking == (
        "nobody of the team is for platform operation, so a platform/DevOps engineer is reckoned with; somebody who does it "
        "states it as a skill",
        "nobody states the skill 'lightgbm', which b asks for",
    )


def test_more_hours_than_the_team_works_are_said(bench: Any) -> None:
    """One person works 173 hours a month."""
    team = Team(people=(Person(role="data scientist"),), hours={"modelling": 100.0})
    found = weighed(bench, [(job("a"), 60), (job("b"), 60)], team=team)
    assert "200 h a month are asked of the team, which works 173" in found.lacking
    assert "skills are not checked: nobody's are stated" in found.assumptions


# What cannot be.


def test_a_job_that_runs_nowhere_leaves_no_platform(bench: Any) -> None:
    """It is named with the sentence of this machine, and the other job is shown where it would be best."""
    asked = [
        Asked(job("huge"), Way(sentence="in-memory needs 90 GB"), (Way(sentence="needs 90 GB there"),)),
        Asked(
            job("small"),
            Way(assessed=bench.known("in-memory", 60, GB)),
            (Way(assessed=bench.known("in-memory", 60, GB)),),
        ),
    ]
    found = portfolio_of(asked, HERE, (machine("large", 0.1),), Team(), ROLES)
    assert (found.recommended, found.meets, found.platforms) == (None, False, ())
    assert found.reasons == ("no machine of 2 runs all jobs: huge cannot run on each of them",)
    assert [best.job for best in found.best] == ["small"]
    assert [(r.job, r.example, r.machines) for r in found.refused] == [
        ("huge", "this machine", 1),
        ("huge", "large", 1),
    ]


def test_no_job_is_an_answer_too() -> None:
    """All files were wrong: they stand there with their sentences, and nothing is chosen."""
    found = portfolio_of((), HERE, (), Team(), ROLES, [Failed(file="a.yaml", sentence="a.yaml: is wrong")])
    assert found.reasons == ("no job is planned, so there is nothing to choose",)
    assert (found.recommended, found.efforts, found.assumptions) == (None, (), ())


def test_a_job_has_a_budget_of_its_own(bench: Any) -> None:
    """As its workload states it, whatever the platform's is."""
    found = weighed(bench, [(job("a", budget_usd_month=1.0), HOUR)], team=Team(machine_usd_hour=0.5))
    assert found.platforms[0].problems == ("a: 15 USD a month: over the 1 USD that its workload allows",)


def test_it_is_a_record(bench: Any) -> None:
    """JSON both ways."""
    found = weighed(bench, [(job("a"), HOUR)], (machine("large", 0.1),), Team(users=3))
    assert Portfolio.from_json(found.to_json()) == found


TIMES = st.integers(30, 20 * 3600)


@settings(max_examples=60)
@given(st.lists(st.tuples(TIMES, st.none() | TIMES), min_size=2, max_size=5), st.sampled_from([0.05, 0.5]))
def test_another_job_never_makes_less_of_anything(bench: Any, jobs: list[tuple[int, int | None]], usd: float) -> None:
    """Environments, hours and money of a platform only grow, however it is paid for, and all jobs are on it."""
    named = [(job(f"j{at}", must_s=must), float(seconds)) for at, (seconds, must) in enumerate(jobs)]
    for kind in (own(HERE, usd), *rented(machine("large", usd))):
        whole = [(one, placed_on(one, bench.known("in-memory", seconds, GB), kind)) for one, seconds in named]
        more, less = (
            platform_on([one for one, _ in part], [placed for _, placed in part], kind, Team())
            for part in (whole, whole[:-1])
        )
        assert more.needed >= less.needed
        assert more.machines >= less.machines
        assert more.busy_hours > less.busy_hours
        assert more.usd_month.value >= less.usd_month.value
        assert len(more.problems) >= len(less.problems)
        assert [one.job for one in more.jobs] == [one.name for one, _ in named]
        assert sum(one.usd_month.value for one in more.jobs) == pytest.approx(more.usd_month.value)


def test_a_rented_run_pays_its_start(bench: Any) -> None:
    """Five minutes more than here, in time and money; what is kept on starts at once, and every hour is paid."""
    one = bench.known("in-memory", 3300, GB)
    by_the_run, kept_on = rented(machine("large", 1.0))
    here, run, on = (placed_on(job("a"), one, kind) for kind in (own(HERE, 1.0), by_the_run, kept_on))
    assert (run.time_s.value - here.time_s.value, on.time_s.value) == pytest.approx((300, 3300))
    assert (run.usd_month.value, on.usd_month.value) == pytest.approx((30.4, 30.4 * 24))
    assert (here.usd_month.origin, run.usd_month.origin, on.usd_month.origin) == ("forecast", "modelled", "looked up")
    assert own(HERE, None).priced == "assumed"


def test_what_runs_all_the_time_is_kept_on(bench: Any) -> None:
    """Two jobs of two minutes, every ten: starting machines for each run costs more than one that is never switched off."""
    often = {"frequency": "*/10 * * * *", "period_s": 600.0, "runs_a_month": 4377.6}
    jobs = [(job(name, **often), 120.0) for name in ("a", "b")]
    found = weighed(bench, jobs, (machine("large", 0.1),), Team(machine_usd_hour=9))
    chosen = found.recommended
    assert chosen is not None
    assert (chosen.name, chosen.pay, chosen.machines, chosen.needed) == ("large kept on", "kept on", 1, 1)
    assert chosen.usd_month.value == pytest.approx(30.4 * 24 * 0.1)
    assert sum(one.usd_month.value for one in chosen.jobs) == pytest.approx(chosen.usd_month.value)
    assert [best.pay for best in found.best] == ["by the run", "by the run"]  # alone each leaves it idle for long


def test_a_deadline_under_the_start_of_a_machine_needs_one_that_is_on(bench: Any) -> None:
    """Two minutes of work within four: by the run it is late, whatever machine."""
    found = weighed(bench, [(job("soon", must_s=240), 120)], (machine("large", 0.1),), Team(machine_usd_hour=9))
    rented_one = found.platforms[-1]
    assert (rented_one.name, rented_one.keeps) == ("large kept on", True)
