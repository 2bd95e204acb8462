"""Promises of units, moments and cron: what people write is read exactly, written back, and refused with a sentence."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fitscale.errors import UsageError
from fitscale.workload import units
from fitscale.workload.cron import frequency
from fitscale.workload.moments import moment, seconds_until

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**300, max_value=10**400),
    st.floats(),
    st.text(),
    st.from_regex(r"[0-9]{0,4}[.:]?[0-9]{0,3} ?(GB|GiB|h|m|%|x|USD|[$]|/month)?( [0-9]{1,3}(m|s))?"),
    st.lists(st.integers()),
)
READERS = (units.duration_s, units.size_bytes, units.share, units.usd, units.times, moment, frequency, seconds_until)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10m", 600),
        ("1h 30m", 5400),
        ("1h30m", 5400),
        ("4h", 14_400),
        ("2 days", 172_800),
        ("1 day, 2 hours", 93_600),
        ("1.5h", 5400),
        ("90", 90),
        (90, 90),
        (0.5, 0.5),
        ("0.1s", 0.1),
    ],
)
def test_durations_are_read(text: object, seconds: float) -> None:
    """Units in words or letters, several of them, or seconds as a number."""
    assert units.duration_s(text) == seconds


@pytest.mark.parametrize(
    "bad", ["", "soon", "-5m", "0", 0, -1, "1M", "30m 1h", "1h 1h", "1,5h", True, None, math.inf, math.nan]
)
def test_durations_that_are_none_are_refused(bad: object) -> None:
    """Nothing, negative, doubled, ambiguous: refused, with the value and an example of what parses."""
    with pytest.raises(UsageError, match="'1h 30m'") as caught:
        units.duration_s(bad)
    assert units.shown(bad) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "n_bytes"),
    [("2 GB", 2_000_000_000), ("2 GiB", 2**31), ("500MB", 500_000_000), ("1.5 tib", 3 * 2**39), ("10 B", 10), (7, 7)],
)
def test_sizes_are_read(text: object, n_bytes: int) -> None:
    """GB counts in thousands and GiB in 1024s, whatever the case of the letters."""
    assert units.size_bytes(text) == n_bytes


@pytest.mark.parametrize("bad", ["2 G", "2g", "GB", "-1 GB", "0 GB", 0, "0.4 B", "2 GBps", False, [1]])
def test_sizes_that_are_none_are_refused(bad: object) -> None:
    """A bare G means different things to different tools: refused like nothing and less than a byte."""
    with pytest.raises(UsageError, match="GiB"):
        units.size_bytes(bad)


def test_shares_money_and_multipliers_are_read() -> None:
    """Percent and fraction are the same number, to the last bit; money may carry its currency and period."""
    assert units.share("20%") == units.share(0.2) == units.share("0.2") == 0.2
    assert units.share("33.3 %") == 0.333
    assert units.usd("300 USD/month") == units.usd("$300") == units.usd(300) == units.usd("300 usd / month") == 300.0
    assert units.usd("0.12 USD/hour", per="hour") == 0.12
    assert units.times("10x") == units.times("10 ×") == units.times(10) == 10.0


@pytest.mark.parametrize("bad", ["300 EUR", "€300", "300 USD/year", "-3", math.nan, "free", "$300 USD"])
def test_other_money_is_refused(bad: object) -> None:
    """Prices are in USD a month: another currency or period is refused rather than taken for it."""
    with pytest.raises(UsageError, match="USD"):
        units.usd(bad)


@pytest.mark.parametrize("bad", ["120%", 1.5, -0.1, "half", math.nan, "%"])
def test_shares_beyond_the_whole_are_refused(bad: object) -> None:
    """A share is at most everything."""
    with pytest.raises(UsageError, match="share"):
        units.share(bad)


@given(ANYTHING)
def test_no_value_raises_anything_but_the_declared_error(value: object) -> None:
    """Whatever is given, a reader answers or raises UsageError, in one line of bearable length."""
    for read in READERS:
        said = ""
        try:
            read(value)
        except UsageError as error:
            said = str(error)
        assert len(said) < 400


@given(st.one_of(st.floats(min_value=1e-300, max_value=1e300), st.integers(1, 10**9).map(float)))
def test_durations_and_multipliers_round_trip(number: float) -> None:
    """What is written is read back to the same number, to the last bit."""
    assert units.duration_s(units.duration_text(number)) == number
    assert units.times(units.times_text(number)) == number


@given(st.one_of(st.integers(1, 2**62), st.builds(lambda n, p: n * 1024**p, st.integers(1, 999), st.integers(0, 4))))
@example(2**53 + 1)
def test_sizes_round_trip(n_bytes: int) -> None:
    """What is written is read back to the same number of bytes."""
    assert units.size_bytes(units.size_text(n_bytes)) == n_bytes


@given(st.one_of(st.floats(0, 1), st.integers(0, 1000).map(lambda n: n / 1000)))
def test_shares_round_trip(fraction: float) -> None:
    """What is written is read back to the same fraction."""
    assert units.share(units.share_text(fraction)) == fraction


@given(st.one_of(st.floats(0, 1e300), st.integers(0, 10**9).map(lambda cents: cents / 100)))
def test_money_round_trips(amount: float) -> None:
    """What is written is read back to the same amount."""
    assert units.usd(units.usd_text(amount)) == amount


def test_written_forms_are_the_ones_people_write() -> None:
    """Round figures come out as text with units, odd ones as the number."""
    assert units.duration_text(5400.0) == "1h 30m"
    assert units.duration_text(0.25) == 0.25
    assert units.size_text(2 * 10**9) == "2 GB"
    assert units.size_text(2**31) == "2 GiB"
    assert units.size_text(1001) == 1001
    assert units.share_text(0.2) == "20%"
    assert units.usd_text(300.0) == "300 USD/month"


def test_a_time_of_day_is_the_next_one() -> None:
    """06:00 seen at five is in an hour, seen at seven is tomorrow's."""
    assert seconds_until("06:00", datetime(2027, 1, 15, 5, 0)) == 3600
    assert seconds_until("6:00", datetime(2027, 1, 15, 7, 0)) == 23 * 3600
    assert seconds_until("06:00", datetime(2027, 1, 15, 6, 0)) == 24 * 3600


@given(st.times(), st.datetimes(datetime(1990, 1, 2), datetime(2090, 1, 1)))
def test_a_time_of_day_is_never_past(at: object, now: datetime) -> None:
    """Between nothing and 25 hours (the day on which clocks go back) lie before it."""
    assert 0 < seconds_until(str(at)[:8], now) <= 25 * 3600


def test_a_date_may_be_past() -> None:
    """A date with its time counts down, and is refused once it is over, with the clock and the next step."""
    now = datetime(2027, 1, 15, 5, 0)
    assert seconds_until("2027-01-15 06:00", now) == 3600
    aware = now.astimezone() + timedelta(hours=2)
    assert seconds_until(aware.isoformat(), now) == 7200
    with pytest.raises(UsageError, match=r"2027-01-15T04:00:00 is past \(it is 2027-01-15 05:00.*later time"):
        seconds_until("2027-01-15 04:00", now)


@pytest.mark.parametrize("bad", ["25:00", "06:60", "2027-01-32 06:00", "2027-01-15", "6", 6, "tomorrow"])
def test_times_that_are_none_are_refused(bad: object) -> None:
    """A time that no clock shows, or a date without a time."""
    with pytest.raises(UsageError, match="06:00"):
        moment(bad)


@pytest.mark.parametrize(
    "good", ["daily", "Weekly", "ad-hoc", "30 5 * * 1", "*/15 0-6 1,15 jan-mar mon-fri", "0 0 1-31/2 * 7"]
)
def test_frequencies_are_read(good: str) -> None:
    """Words and cron lines, in lower case."""
    assert frequency(good) == good.lower()


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("weekley", "did you mean 'weekly'"),
        ("* * * *", "five fields"),
        ("60 * * * *", "minute: '60' must be from 0 to 59"),
        ("0 24 * * *", "hour: '24'"),
        ("0 0 0 * *", "day of month: '0' must be from 1 to 31"),
        ("0 0 * 13 *", "month: '13'"),
        ("0 0 * * 8", "day of week: '8'"),
        ("0 22-5 * * *", "runs backwards"),
        ("*/0 * * * *", "step"),
        ("0 0 ? * L", "day of month: '?'"),
        ("1,,2 0 * * *", "minute: ''"),
        (5, "five fields"),
    ],
)
def test_cron_lines_are_checked_field_by_field(bad: object, says: str) -> None:
    """The field that is out of range is named, with its range."""
    with pytest.raises(UsageError) as caught:
        frequency(bad)
    assert says in str(caught.value)
