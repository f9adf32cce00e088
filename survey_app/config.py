"""Settings of one installation, read from the environment in this one place."""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Self
from urllib.parse import SplitResult, urlsplit

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from survey_app.alert_channels import AlertChannel, read_channel
from survey_app.errors import JiayuanError
from survey_app.private_files import make_private_folder
from survey_app.secret_keys import FILE as KEY_FILE
from survey_app.secret_keys import VARIABLE as SECRET_KEY_VARIABLE
from survey_app.secret_keys import key_from

REPOSITORY = Path(__file__).resolve().parent.parent
DATA = REPOSITORY / "data"
MIGRATIONS = REPOSITORY / "migrations"

# Most of them wait for the disk together with others, which costs nothing.
DEFAULT_THREADS = 32

DEFAULT_PUBLIC_URL: Final = "http://127.0.0.1:8000"
MOST_PROXIES: Final = 16

_INSTANCE: Final = "JIAYUAN_INSTANCE"
_DATABASE_URL: Final = "JIAYUAN_DATABASE_URL"
_PUBLIC_URL: Final = "JIAYUAN_PUBLIC_URL"
_TRUSTED_PROXIES: Final = "JIAYUAN_TRUSTED_PROXIES"
_FOR_THIS_MACHINE: Final = "JIAYUAN_FOR_THIS_MACHINE"
_ALERTS: Final = "JIAYUAN_ALERTS"

_LONGEST_HOST: Final = 253
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# Names that no public server of names ever answers (RFC 6761, RFC 6762).
_UNANSWERED_NAMES: Final = frozenset({"localhost", "local", "invalid", "test", "example"})


class InvalidSetting(JiayuanError):
    """A setting is nothing that the program can work with; its value may hold a password and is not repeated."""

    status = 503

    def __init__(self, variable: str, fault: str) -> None:
        super().__init__(f"{variable} {fault}")
        self.variable, self.fault = variable, fault


class NoPhoneCanOpen(JiayuanError):
    """Codes were to be printed for an address that no phone can open: who scans them reaches nothing."""

    status = 409
    page = "errors/no_phone_can_open.html"

    def __init__(self, public_url: str) -> None:
        super().__init__(
            f"no phone can open {public_url}, so nothing was printed: set {_PUBLIC_URL} to the address that residents "
            "reach, such as https://wj.example.cn; to try codes on this machine alone, add --for-this-machine"
        )
        self.public_url = public_url


@dataclass(frozen=True)
class Config:
    """Settings of an installation: where its data are and how the world reaches it."""

    instance: Path
    database_url: str
    secret_key: str
    public_url: str
    # Number of its own proxies before the site: the client address that the last of them states is believed.
    trusted_proxies: int = 0
    # Whether codes are printed although only this machine opens their address, to try them or for a demonstration.
    for_this_machine: bool = False
    # Address that is told of matters of safety; it may hold a password. Empty where nobody is told outside of the site.
    alerts: str = field(default="", repr=False)
    # Where this start has found no file of the key and made one.
    new_key_file: Path | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the variables whose names begin with JIAYUAN_; all of them may be left out.

        Raises `InvalidSetting` for one that is set to nothing useful, an empty one too: to take it as left out would
        begin another database, or print another address, without a word.
        """
        instance = _instance_from(environ.get(_INSTANCE, "instance"))
        key_file = instance / KEY_FILE
        had_key = key_file.exists()
        # What may be wrong is read before a key is made.
        database_url = environ.get(_DATABASE_URL, sqlite_url(instance / "jiayuan.sqlite3"))
        _check_database_url(database_url)
        public_url = checked_public_url(environ.get(_PUBLIC_URL, DEFAULT_PUBLIC_URL))
        trusted_proxies = _number_from(environ, _TRUSTED_PROXIES, most=MOST_PROXIES)
        for_this_machine = bool(_number_from(environ, _FOR_THIS_MACHINE, most=1))
        alerts = _alerts_from(environ)
        secret_key = key_from(environ, instance)
        return cls(
            instance=instance,
            database_url=database_url,
            secret_key=secret_key,
            public_url=public_url,
            trusted_proxies=trusted_proxies,
            for_this_machine=for_this_machine,
            alerts=alerts,
            new_key_file=key_file if not had_key and key_file.exists() else None,
        )

    def to_env(self) -> dict[str, str]:
        """Return the variables from which `from_env` reads these settings."""
        alerts = {_ALERTS: self.alerts} if self.alerts else {}
        return alerts | {
            _INSTANCE: str(self.instance),
            _DATABASE_URL: self.database_url,
            SECRET_KEY_VARIABLE: self.secret_key,
            _PUBLIC_URL: self.public_url,
            _TRUSTED_PROXIES: str(self.trusted_proxies),
            _FOR_THIS_MACHINE: str(int(self.for_this_machine)),
        }

    def with_public_url(self, public_url: str) -> Self:
        """Return the same settings under another public address; `InvalidSetting` if it is none."""
        return replace(self, public_url=checked_public_url(public_url))

    @property
    def alert_channel(self) -> AlertChannel | None:
        """The channel by which an office is told of matters of safety, if one is set."""
        return read_channel(self.alerts)

    @property
    def url_to_print(self) -> str:
        """The public address as it is printed in codes; `NoPhoneCanOpen` if only this machine opens it."""
        if is_local_only(self.public_url) and not self.for_this_machine:
            raise NoPhoneCanOpen(self.public_url)
        return self.public_url


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file, whatever characters its path holds.

    >>> sqlite_url(Path("/srv/a#b?c"))
    'sqlite:////srv/a%23b%3Fc'
    """
    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


def checked_public_url(typed: str) -> str:
    """Return an address of the site without the slash at its end; `InvalidSetting` where it is none of a whole site.

    >>> checked_public_url("https://wj.example.cn/")
    'https://wj.example.cn'
    """
    address = typed.strip()
    try:
        parts = urlsplit(address)
        is_whole = is_host(parts.hostname or "") and parts.port != 0 and address.isprintable() and " " not in address
    except ValueError:  # such as a port or an IPv6 address that is none
        is_whole = False
    else:
        is_whole = is_whole and parts.scheme in {"http", "https"} and _has_nothing_beside_its_host(parts, address)
    if not is_whole:
        raise InvalidSetting(
            _PUBLIC_URL,
            f"{typed!r} is no address of a site: write https:// (or http://) and the name of the server, with its port "
            "if it has one, and nothing behind, such as https://wj.example.cn",
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


def url_of_host(host: str, port: int) -> str:
    """Return the address under which a server that listens on a host and a port is reached."""
    return f"http://{host_and_port(host, port)}"


def host_and_port(host: str, port: int) -> str:
    """Return a host and a port as they stand together; an IPv6 address stands in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_local_only(public_url: str) -> bool:
    """Return whether no phone can open this address: it means the machine itself, or a name that only it knows."""
    host = urlsplit(public_url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        labels = host.rstrip(".").split(".")
        return len(labels) == 1 or labels[-1] in _UNANSWERED_NAMES
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified or address.is_link_local or address.is_multicast


def _has_nothing_beside_its_host(parts: SplitResult, address: str) -> bool:
    return parts.path in {"", "/"} and not {"?", "#", "@", "\\"} & set(address) and not parts.netloc.endswith(":")


def is_host(host: str) -> bool:
    """Return whether this can be the name or the IP address of a machine."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        try:
            labels = host.lower().encode("idna").decode("ascii").split(".")
        except UnicodeError:
            return False
        # Browsers take a name that ends in a number for an IPv4 address.
        is_name = all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdecimal()
        return is_name and len(host) <= _LONGEST_HOST
    return "%" not in host


def _instance_from(typed: str) -> Path:
    if not typed.strip():
        raise InvalidSetting(_INSTANCE, "is empty: name a folder, or remove the variable")
    try:
        instance = Path(typed).resolve()
        make_private_folder(instance)
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it cannot be one"
        raise InvalidSetting(
            _INSTANCE,
            f"{typed!r} cannot be used as a folder ({reason}): name one that the user of the site may write to",
        ) from error
    return instance


def _check_database_url(typed: str) -> None:
    try:
        url = make_url(typed)
        is_known = url.get_backend_name() in {"sqlite", "postgresql"} and bool(url.database)
    except (ArgumentError, ValueError):
        is_known = False
    if not is_known:
        raise InvalidSetting(
            _DATABASE_URL,
            "is no address of a database: write postgresql://USER:PASSWORD@HOST/NAME or sqlite:////PATH/TO/FILE, or "
            "remove the variable, and the database is the file jiayuan.sqlite3 in the instance folder",
        )


def _alerts_from(environ: Mapping[str, str]) -> str:
    if _ALERTS not in environ:
        return ""
    address = environ[_ALERTS].strip()
    if read_channel(address) is None:
        raise InvalidSetting(
            _ALERTS,
            "is no address that can be told: write https://HOST/PATH, or for mails "
            "smtps://USER:PASSWORD@HOST/?from=ADDRESS&to=ADDRESS (smtp:// for port 25), or remove the variable",
        )
    return address


def _number_from(environ: Mapping[str, str], variable: str, *, most: int) -> int:
    typed = environ.get(variable, "0").strip()
    if not (typed.isascii() and typed.isdecimal() and len(typed) <= len(str(most)) and int(typed) <= most):
        raise InvalidSetting(variable, f"{typed!r} is no number from 0 to {most}")
    return int(typed)
