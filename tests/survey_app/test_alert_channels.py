import json
import smtplib
import ssl
from base64 import b64decode
from contextlib import contextmanager
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import StreamRequestHandler, TCPServer
from threading import Thread

import pytest
import trustme

from survey_app.alert_channels import MailChannel, WebChannel, read_channel

MESSAGE = {"reference": "12345678901234", "subject": "安全 / Safety:", "text": "有投诉\nA complaint"}


@contextmanager
def served(server):
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def tls(monkeypatch, tmp_path):
    """Return the context of a server whose certificate this process trusts as it trusts those of the web."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return tls_of(authority)


def tls_of(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


class QuietServer(TCPServer):
    """A server that keeps to itself what goes wrong with a client, such as one that trusts it not."""

    def handle_error(self, _request, _client_address):
        pass


@contextmanager
def web_server(status, tls=None):
    """Serve answers of one status on loopback; yields the port and what was received."""
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, self.headers["Content-Type"], json.loads(body)))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_words):
            pass

    class Server(QuietServer, HTTPServer):
        def get_request(self):
            connection, address = super().get_request()
            # Greeted when it is first read, so that a client without trust is met as any other that goes away.
            given = tls.wrap_socket(connection, True, do_handshake_on_connect=False) if tls else connection
            return given, address

    with served(Server(("127.0.0.1", 0), Handler)) as port:
        yield port, received


class MailHandler(StreamRequestHandler):
    """Speaks as a mail server does that takes whatever is sent, and offers encryption or begins with it."""

    def handle(self):
        if self.server.is_encrypted:
            self.encrypt()
        self.say("220 ready")
        while (command := self.hear().partition(" ")[0]) and command.upper() != "QUIT":
            self.say({"data": "354 go on", "STARTTLS": "220 go on", "AUTH": "235 welcome"}.get(command, self.offer()))
            if command == "STARTTLS":
                self.encrypt()
            elif command == "data":
                while self.hear() != ".":
                    pass
                self.say("250 taken")
        self.say("221 bye")

    def offer(self):
        return "250 fine" if self.server.tls is None else "250 AUTH PLAIN" if self.is_private() else "250 STARTTLS"

    def hear(self):
        line = self.rfile.readline().rstrip(b"\r\n").decode()
        self.server.received.append(("🔒" if self.is_private() else "") + line)
        return line

    def say(self, words):
        self.wfile.write(f"250-here\r\n{words}\r\n".encode() if words.startswith("250 ") else f"{words}\r\n".encode())

    def is_private(self):
        return isinstance(self.connection, ssl.SSLSocket)

    def encrypt(self):
        self.connection = self.server.tls.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)

    def finish(self):
        super().finish()
        self.connection.close()


@contextmanager
def mail_server(tls=None, *, is_encrypted=False):
    """Serve a mail server on loopback; yields the port and what it was sent, what came encrypted behind a lock."""
    server = QuietServer(("127.0.0.1", 0), MailHandler)
    server.tls, server.is_encrypted, server.received = tls, is_encrypted, []
    with served(server) as port:
        yield port, server.received


def test_a_web_address_is_sent_the_reference_and_nothing_else():
    with web_server(204) as (port, received):
        read_channel(f"http://127.0.0.1:{port}/desk?key=abc").send(**MESSAGE)

    assert received == [("/desk?key=abc", "application/json", {"reference": "12345678901234"})]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_answer_that_is_no_success_is_a_failure_and_a_redirect_is_not_followed(status):
    with web_server(status) as (port, received), pytest.raises(HTTPException, match=str(status)):
        read_channel(f"http://127.0.0.1:{port}").send(**MESSAGE)

    assert [path for path, _type, _body in received] == ["/"]


def test_a_mailbox_is_sent_the_reference_in_the_subject():
    with mail_server() as (port, received):
        read_channel(f"smtp://127.0.0.1:{port}/?from=site@example.cn&to=desk@example.cn").send(**MESSAGE)

    assert "mail FROM:<site@example.cn>" in [line.partition(" size")[0] for line in received]
    assert "rcpt TO:<desk@example.cn>" in received
    [subject] = [line for line in received if line.startswith("Subject:")]
    assert "12345678901234" in subject


def test_a_password_is_never_sent_without_encryption():
    with mail_server() as (port, received):
        channel = read_channel(f"smtp://me:secret@127.0.0.1:{port}/?from=site@example.cn&to=desk@example.cn")
        with pytest.raises(smtplib.SMTPNotSupportedError):
            channel.send(**MESSAGE)

    assert not [line for line in received if "auth" in line.lower() or "mail" in line.lower()]


def test_a_web_address_is_sent_the_reference_encrypted(tls):
    with web_server(204, tls) as (port, received):
        read_channel(f"https://127.0.0.1:{port}/desk").send(**MESSAGE)

    assert received == [("/desk", "application/json", {"reference": "12345678901234"})]


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_mailbox_is_sent_password_and_reference_encrypted_alone(tls, scheme):
    with mail_server(tls, is_encrypted=scheme == "smtps") as (port, received):
        read_channel(f"{scheme}://me:secret@127.0.0.1:{port}/?from=site@example.cn&to=desk@example.cn").send(**MESSAGE)

    open_words = [line for line in received if not line.startswith("🔒")]
    assert [line.split()[0] for line in open_words] == ([] if scheme == "smtps" else ["ehlo", "STARTTLS"])
    [password] = [line.split()[-1] for line in received if line.startswith("🔒AUTH PLAIN")]
    assert b64decode(password) == b"\0me\0secret"
    assert [line for line in received if line.startswith("🔒Subject:") and "12345678901234" in line]


@pytest.mark.parametrize("scheme", ["https", "smtp", "smtps"])
def test_a_server_for_whose_certificate_nobody_vouches_is_sent_nothing(tls, scheme):
    assert tls
    stranger = tls_of(trustme.CA())
    serving = web_server(204, stranger) if scheme == "https" else mail_server(stranger, is_encrypted=scheme == "smtps")
    query = "" if scheme == "https" else "?from=site@example.cn&to=desk@example.cn"
    with serving as (port, received), pytest.raises(ssl.SSLCertVerificationError):
        read_channel(f"{scheme}://127.0.0.1:{port}/{query}").send(**MESSAGE)

    assert [line.split()[0] for line in received] == (["ehlo", "STARTTLS"] if scheme == "smtp" else [])


def test_a_server_that_is_away_is_a_failure():
    with web_server(204) as (port, _received):
        pass

    with pytest.raises(OSError, match="refused"):
        read_channel(f"http://127.0.0.1:{port}").send(**MESSAGE)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("https://desk.example.cn/alerts", WebChannel("https://desk.example.cn/alerts")),
        (
            "smtps://a%40b:p%2Fw@mail.example.cn/?from=a@b.cn&to=c@d.cn",
            MailChannel("mail.example.cn", 465, True, "a@b.cn", "c@d.cn", "a@b", "p/w"),
        ),
        (
            "smtp://mail.example.cn:587/?to=c@d.cn&from=a@b.cn",
            MailChannel("mail.example.cn", 587, False, "a@b.cn", "c@d.cn"),
        ),
    ],
)
def test_addresses_name_channels(written, expected):
    assert read_channel(written) == expected
    assert "p/w" not in repr(read_channel(written))


@pytest.mark.parametrize(
    "written",
    [
        "",
        "desk.example.cn",
        "ftp://desk.example.cn",
        "https:///alerts",
        "https://desk.example.cn:0",
        "https://desk.example.cn:99999",
        "https://me:word@desk.example.cn",
        "https://desk.example.cn/a b",
        "https://desk.example.cn/\n",
        "smtp://mail.example.cn",
        "smtp://mail.example.cn/?from=a@b.cn",
        "smtp://mail.example.cn/?from=a@b.cn&to=c@d.cn&to=e@f.cn",
        "smtp://mail.example.cn/?from=a@b.cn&to=c@d.cn,e@f.cn",
        "smtp://mail.example.cn/?from=a@b.cn&to=c@d.cn%0ABcc:x@y.cn",
        "smtp://mail.example.cn/?from=a&to=c@d.cn",
    ],
)
def test_what_names_no_channel_is_refused(written):
    assert read_channel(written) is None
