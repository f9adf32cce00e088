"""A network address is recognised for a day, by digests that nobody can read once the day is over."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from survey_app.accounts.network_digests import NetworkKeys, destroy_old_network_keys, networks_of
from survey_app.models import NetworkKey
from tests.factories import NOW, make_round

ADDRESS = "203.0.113.7"


@pytest.fixture
def keys(sqlite_database):
    return NetworkKeys(sqlite_database)


def digests(keys, address=ADDRESS, *, purpose="response.1", now=NOW):
    return keys.digests_of(address, purpose=purpose, now=now)


def test_an_address_is_recognised_for_one_purpose_and_for_no_other(keys):
    assert digests(keys) == digests(keys)
    other = digests(keys, purpose="response.2")
    assert {other.address, other.prefix}.isdisjoint({digests(keys).address, digests(keys).prefix})
    assert ADDRESS not in digests(keys).address


def test_two_processes_make_the_same_digests(database):
    one, other = NetworkKeys(database), NetworkKeys(database)

    assert digests(one) == digests(other)
    later = NOW + timedelta(days=1)
    assert digests(one, now=later) == digests(other, now=later) != digests(one)


@pytest.mark.parametrize("address", [None, "", "unknown", "unix:", "203.0.113", "1.2.3.4.5", "fe80::1%eth0 x", "@"])
def test_nothing_is_made_up_where_no_address_is_known(keys, address):
    assert digests(keys, address) is None or address.startswith("fe80")


@pytest.mark.parametrize(
    ("one", "other", "same_line", "same_prefix"),
    [
        ("203.0.113.7", "203.0.113.8", False, True),
        ("203.0.113.7", "203.0.114.7", False, False),
        ("203.0.113.7", "::ffff:203.0.113.7", True, True),
        ("2001:db8:1:2::1", "2001:DB8:1:2:ffff::9", True, True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False, True),
        ("2001:db8:1:2::1", "2001:db8:2:2::1", False, False),
        ("fe80::1%eth0", "fe80::2%eth1", True, True),
    ],
)
def test_a_line_is_one_address_of_ipv4_and_64_bits_of_ipv6(keys, one, other, same_line, same_prefix):
    first, second = digests(keys, one), digests(keys, other)

    assert (first.address == second.address) is same_line
    assert (first.prefix == second.prefix) is same_prefix


@given(st.ip_addresses())
def test_the_digests_of_any_address_are_its_own(address):
    # The key does not matter here: it is made without a database.
    keys = NetworkKeys(None)
    keys._key, keys._span = b"key", (NOW, NOW + timedelta(days=1))
    found = digests(keys, str(address))

    assert len({found.address, found.prefix}) == 2
    assert found == digests(keys, address.exploded)


def test_the_day_is_the_citys_and_its_key_goes_with_it(database):
    with database.writing() as session:
        make_round(session)
    keys = NetworkKeys(database)
    midnight = datetime(2026, 9, 20, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)
    before, after = midnight - timedelta(seconds=1), midnight

    assert digests(keys, now=before) == digests(keys, now=before - timedelta(hours=23))
    assert digests(keys, now=before) != digests(keys, now=after)
    with database.writing() as session:
        destroy_old_network_keys(session, now=after)
    with database.reading() as session:
        assert [day.isoformat() for day in session.scalars(select(NetworkKey.day))] == ["2026-09-20"]
    # Whoever comes with the old time gets another key than the destroyed one.
    assert digests(NetworkKeys(database), now=before) != digests(keys, now=after)


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_the_line_and_the_prefix_are_networks_of_the_address(address):
    address = getattr(address, "ipv4_mapped", None) or address
    expected = [ip_network((address, bits), strict=False) for bits in ((32, 24) if address.version == 4 else (64, 48))]

    assert networks_of(str(address)) == tuple(map(str, expected))
