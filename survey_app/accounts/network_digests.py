"""Network digests: what is kept of the address that a request came from, for one day comparable and never readable.

Each local day has a random key of its own, destroyed when the day is over: from then on nobody, with the whole database
and every secret of the installation, finds out which address a digest was made of. Digests of different days, or made
for different purposes, cannot be compared.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from ipaddress import IPv4Address, IPv6Address, ip_address
from threading import Lock
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from survey_app.city_time import city_zone, local_today
from survey_app.models import NetworkKey
from survey_app.storage.database import Database
from survey_app.storage.insert_once import insert_once

# Of IPv6 a line has the whole 64-bit network, and who rents a server often 48 bits.
_LINE_BITS: Final[Mapping[int, int]] = {4: 32, 6: 64}
_PREFIX_BITS: Final[Mapping[int, int]] = {4: 24, 6: 48}


@dataclass(frozen=True)
class NetworkDigests:
    """Digests of the line that a request came from, and of the neighbouring lines that share its prefix."""

    address: str
    prefix: str


class NetworkKeys:
    """Keys of the digests of one installation; the key of the day is read once in each process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        # The newest key that was read, and from when until when it is the key of the day.
        self._key = b""
        self._span = (datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC))

    def digests_of(self, address: str | None, *, purpose: str, now: datetime) -> NetworkDigests | None:
        """Return the digests of an address for one purpose; None where no address is known."""
        networks = networks_of(address)
        if networks is None:
            return None
        key = hmac.digest(self._key_of(now), purpose.encode(), hashlib.sha256)
        line, prefix = (hmac.digest(key, network.encode(), hashlib.sha256).hex() for network in networks)
        return NetworkDigests(line, prefix)

    def _key_of(self, now: datetime) -> bytes:
        with self._lock:
            begins, ends = self._span
            if not begins <= now < ends:
                self._key, self._span = _find_or_make_key(self._database, now)
            return self._key


def destroy_old_network_keys(session: Session, *, now: datetime) -> None:
    """Destroy the keys of the days that are over: what was digested stays comparable, and unreadable for ever."""
    today = local_today(session, now=now)
    session.execute(delete(NetworkKey).where(NetworkKey.day < today))


def networks_of(address: str | None) -> tuple[str, str] | None:
    """Return the line and the prefix of an address, written in one way however the address is.

    >>> networks_of("::ffff:203.0.113.7")
    ('203.0.113.7/32', '203.0.113.0/24')
    >>> networks_of("2001:DB8:1:2::9")
    ('2001:db8:1:2::/64', '2001:db8:1::/48')
    """
    try:
        parsed: IPv4Address | IPv6Address = ip_address((address or "").partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return _network_of(parsed, _LINE_BITS[parsed.version]), _network_of(parsed, _PREFIX_BITS[parsed.version])


def _network_of(address: IPv4Address | IPv6Address, bits: int) -> str:
    # As `ip_network` writes it, which takes ten times as long, for every connection and every answer.
    host_bits = address.max_prefixlen - bits
    return f"{type(address)(int(address) >> host_bits << host_bits)}/{bits}"


def _find_or_make_key(database: Database, now: datetime) -> tuple[bytes, tuple[datetime, datetime]]:
    with database.reading() as session:
        zone = city_zone(session)
        day = now.astimezone(zone).date()
        key = _find_key(session, day)
    if key is None:
        with database.writing() as session:
            # Another process may have been first: its key holds.
            values = {"day": day, "key": secrets.token_bytes(32)}
            insert_once(session, NetworkKey.__table__, values)  # type: ignore[arg-type]
            key = session.scalars(select(NetworkKey.key).filter_by(day=day)).one()
    return key, (_midnight(day, zone), _midnight(day + timedelta(days=1), zone))


def _find_key(session: Session, day: date) -> bytes | None:
    return session.scalar(select(NetworkKey.key).filter_by(day=day))


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)
