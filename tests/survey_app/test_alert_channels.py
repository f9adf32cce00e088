import json
import smtplib
from contextlib import contextmanager
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import StreamRequestHandler, TCPServer
from threading import Thread

import pytest

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


@contextmanager
def web_server(status):
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

    with served(HTTPServer(("127.0.0.1", 0), Handler)) as port:
        yield port, received


@contextmanager
def mail_server():
    """Serve a mail server without encryption on loopback; yields the port and what it was sent, line by line."""
    received = []

    class Handler(StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"220 ready\r\n")
            in_message = False
            for line in self.rfile:
                words = line.rstrip(b"\r\n")
                received.append(words.decode())
                if in_message:
                    in_message = words != b"."
                    if not in_message:
                        self.wfile.write(b"250 taken\r\n")
                elif words == b"data":
                    in_message = True
                    self.wfile.write(b"354 go on\r\n")
                elif words.lower().startswith(b"quit"):
                    self.wfile.write(b"221 bye\r\n")
                    return
                else:
                    self.wfile.write(b"250 fine\r\n")

    with served(TCPServer(("127.0.0.1", 0), Handler)) as port:
        yield port, received


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
