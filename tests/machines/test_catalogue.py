"""The tables: what is shipped holds together, what a user brings is checked."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitscale.errors import UsageError
from fitscale.machines.catalogue import catalogue
from fitscale.machines.prices import licences, roles, storage, transfer


def test_every_machine_of_the_shipped_table_is_one() -> None:
    """377 types, each with cores, memory, a price and its date, none twice."""
    machines = catalogue()
    assert len(machines) == 377
    assert len({(m.provider, m.region, m.name) for m in machines}) == 377
    for m in machines:
        assert min(m.cores, m.memory_bytes / 2**28) >= 1, m.name
        assert m.usd_per_hour, m.name
        assert m.as_of, m.name
        assert m.kind == "catalogue"
        assert m.origin == "looked up"
        assert (m.gpus > 0) == (m.gpu != ""), m.name
        assert m.clock_ghz is None or 1 < m.clock_ghz < 6, m.name


def test_a_part_of_the_catalogue() -> None:
    """By provider, region and machine."""
    assert {m.provider for m in catalogue("aws")} == {"aws"}
    assert catalogue("aws") == catalogue("aws/us-east-1/")
    (one,) = catalogue("aws/us-east-1/c6i.large")
    assert (one.cores, one.memory_bytes, one.usd_per_hour, one.clock_ghz) == (2, 4 * 2**30, 0.085, 3.5)


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("awz", "no provider 'awz' in the shipped table; did you mean 'aws'?"),
        ("aws/eu-west-1", "no region 'eu-west-1'"),
        ("aws/us-east-1/c6i.larg", "did you mean 'c6i.large'?"),
        ("aws/us-east-1/c6i.large/x", "no part 'x'"),
    ],
)
def test_an_unknown_part_names_the_nearest(spec: str, sentence: str) -> None:
    """What the table does not have is refused with its name."""
    with pytest.raises(UsageError) as caught:
        catalogue(spec)
    assert sentence in str(caught.value)


HEADER = "machine,vcpus,memory_gib,usd_per_hour,provider\n"


def test_a_users_own_table(tmp_path: Path) -> None:
    """Four columns are enough; what it says is stated, not looked up."""
    (tmp_path / "own.csv").write_text(HEADER + "rack-1,64,512,1.2,us\n\n")
    (machine,) = catalogue("own.csv", base=tmp_path)
    assert (machine.name, machine.cores, machine.memory_bytes, machine.origin) == ("rack-1", 64, 512 * 2**30, "stated")
    assert machine.clock_ghz is None
    assert machine.disk_free_bytes is None
    assert machine.usd_per_hour_spot is None


def test_what_of_a_machine_is_stated_in_place_of_assumed(tmp_path: Path) -> None:
    """Spot price, interruptions and the uplink to it; a column 'currency' may say USD."""
    header = HEADER.replace("provider", "usd_per_hour_spot,interruptions_per_hour,uplink_mbit,currency")
    (tmp_path / "own.csv").write_text(header + "rack-1,64,512,1.2,0.5,0.02,200,usd\n")
    (machine,) = catalogue("own.csv", base=tmp_path)
    stated = (machine.usd_per_hour_spot, machine.interruptions_per_hour, machine.uplink_bytes_per_s)
    assert stated == (0.5, 0.02, 25e6)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (HEADER + "a,8,16,0.4,\nb,eight,16,0.4,\n", "own.csv: line 3: vcpus: 'eight' is not a number"),
        (HEADER + "a,0,16,0.4,\n", "line 2: vcpus: '0' must be at least 1"),
        (HEADER + "a,8,16,,\n", "line 2: usd_per_hour: '' is needed"),
        (HEADER + "a,8,16,-0.4,\n", "line 2: usd_per_hour: '-0.4' must be at least"),
        (HEADER.replace("provider", "currency") + "a,8,16,1,USD\nb,8,16,1,EUR\n", "line 3: currency: 'EUR' is not USD"),
        (HEADER.replace("provider", "usd_per_hour_spot") + "a,8,16,1,-1\n", "line 2: usd_per_hour_spot: '-1' must be"),
        (HEADER.replace("provider", "interruptions_per_hour") + "a,8,16,1,often\n", "'often' is not a number"),
        (HEADER.replace("provider", "uplink_mbit") + "a,8,16,1,0\n", "line 2: uplink_mbit: '0' must be at least"),
        (HEADER + "a,8,nan,1,\n", "line 2: memory_gib: 'nan' must be at least"),
        (HEADER + "a,8,16\n", "line 2: 3 cells, the header has 5"),
        ("machine,vcpu,memory_gib,usd_per_hour\n", "no column 'vcpus'; did you mean 'vcpu'?"),
        ("", "no column 'machine'"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    """File, line, column and value."""
    (tmp_path / "own.csv").write_text(text)
    with pytest.raises(UsageError) as caught:
        catalogue(str(tmp_path / "own.csv"))
    assert sentence in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A path that leads nowhere is a usage error."""
    with pytest.raises(UsageError, match=r"none\.csv: cannot be read"):
        catalogue("none.csv", base=tmp_path)


@given(st.text())
def test_any_text_is_a_table_or_a_named_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Nothing but machines or a usage error comes out of any file."""
    file = tmp_path_factory.mktemp("any") / "own.csv"
    file.write_text(HEADER + text, encoding="utf-8")
    said = "own.csv"
    try:
        catalogue(str(file))
    except UsageError as error:
        said = str(error)
    assert "own.csv" in said


def test_the_other_tables_are_whole() -> None:
    """30 kinds of storage, 24 transfers, 33 licences, 27 roles; what has a price has its source."""
    assert (len(storage()), len(transfer()), len(licences()), len(roles())) == (30, 24, 33, 27)
    assert all(s.source and s.as_of for s in (*storage(), *transfer(), *roles()))
    assert all(one.source for one in licences() if one.usd_per_year_low or one.rate_usd_low)
    assert any(one.kind == "commercial" and one.usd_per_year_low is None for one in licences())
    assert all(one.usd_per_year_low == 0 for one in licences() if one.kind == "open")


def test_levels_of_a_role_rise() -> None:
    """Junior, mid and senior of each role cost more in turn."""
    by_role: dict[str, list[float]] = {}
    for role in roles():
        assert role.level == ("junior", "mid", "senior")[len(by_role.setdefault(role.role, []))]
        by_role[role.role].append(role.usd_per_hour)
    assert all(pay == sorted(pay) and len(pay) == 3 for pay in by_role.values())


def test_throughput_of_storage() -> None:
    """Flat whatever is held, with what is held, or unknown where only a maximum is stated."""
    by_name = {s.service: s for s in storage()}
    assert by_name["EBS gp3"].read_bytes_per_s(1e12) == 125 * 2**20
    per_gib = by_name["pd-ssd"]
    assert per_gib.read_bytes_per_s(100 * 2**30) == pytest.approx(48 * 2**20)
    assert by_name["EBS io2"].read_bytes_per_s(1e12) is None
