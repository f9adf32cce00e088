"""Channels by which an office is told outside of the site: a web address that takes a message, or a mailbox."""

import json
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final, Protocol
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit, urlunsplit

# The process that sends has other work to do.
_SECONDS: Final = 10.0
_PORTS: Final = {"smtp": 25, "smtps": 465}


class AlertChannel(Protocol):
    """Where alerts go. What it raises when it cannot be reached says that the message is to be sent again."""

    def send(self, *, reference: str, subject: str, text: str) -> None:
        """Send one message about a case."""


@dataclass(frozen=True)
class WebChannel:
    """A web address to which the reference is posted as JSON; any answer but a success is a failure, a redirect too."""

    address: str = field(repr=False)

    def send(self, *, reference: str, subject: str, text: str) -> None:  # noqa: ARG002 (a program reads it)
        """Post the reference."""
        parts = urlsplit(self.address)
        connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = connect(parts.hostname or "", parts.port, timeout=_SECONDS)
        try:
            target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
            body = json.dumps({"reference": reference})
            connection.request("POST", target, body, {"Content-Type": "application/json"})
            status = connection.getresponse().status
        finally:
            connection.close()
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise HTTPException(f"the address for alerts answered {status}")


@dataclass(frozen=True)
class MailChannel:
    """A mailbox, by a mail server; a password is sent over an encrypted connection alone."""

    host: str
    port: int
    is_encrypted: bool
    sender: str
    recipient: str
    username: str = ""
    password: str = field(default="", repr=False)

    def send(self, *, reference: str, subject: str, text: str) -> None:
        """Send a mail with the reference in its subject."""
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = f"{subject} {reference}", self.sender, self.recipient
        message.set_content(text)
        context = ssl.create_default_context()
        with self._connect(context) as server:
            is_private = self.is_encrypted
            if not is_private and server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
                is_private = True
            if self.username:
                if not is_private:
                    raise smtplib.SMTPNotSupportedError("the mail server offers no encryption for the password")
                server.login(self.username, self.password)
            server.send_message(message)

    def _connect(self, context: ssl.SSLContext) -> smtplib.SMTP:
        if self.is_encrypted:
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=_SECONDS, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=_SECONDS)
        server.ehlo()
        return server


def read_channel(written: str) -> AlertChannel | None:
    """Return the channel that an address names, or None where it names none.

    A mailbox is written as its server with sender and recipient behind it.

    >>> read_channel("smtps://user:word@mail.example.cn/?from=jiayuan@example.cn&to=office@example.cn").port
    465
    >>> read_channel("https://desk.example.cn/alerts")
    WebChannel()
    >>> read_channel("ftp://desk.example.cn") is None
    True
    """
    try:
        parts = urlsplit(written)
        has_host = bool(parts.hostname) and parts.port != 0 and written.isprintable() and " " not in written
    except ValueError:  # such as a port that is none
        return None
    if not has_host:
        return None
    if parts.scheme in {"http", "https"}:
        return WebChannel(written) if "@" not in parts.netloc and not parts.fragment else None
    return _mail_channel(parts) if parts.scheme in _PORTS else None


def _mail_channel(parts: SplitResult) -> MailChannel | None:
    asked = parse_qs(parts.query)
    if asked.keys() != {"from", "to"} or any(len(given) > 1 for given in asked.values()):
        return None
    sender, recipient = asked["from"][0], asked["to"][0]
    if not _is_mailbox(sender) or not _is_mailbox(recipient):
        return None
    return MailChannel(
        host=parts.hostname or "",
        port=parts.port or _PORTS[parts.scheme],
        is_encrypted=parts.scheme == "smtps",
        sender=sender,
        recipient=recipient,
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _is_mailbox(written: str) -> bool:
    name, _at, host = written.partition("@")
    return bool(name and host) and "@" not in host and written.isprintable() and not set(written) & set(" ,;<>\"'")
