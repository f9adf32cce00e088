"""Phones that answer a survey while the server suffers, and the ledger of what they were promised."""

import random
import re
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event, Lock, Thread

from sqlalchemy import select

from survey_app.codes.codes import issue_poster_code
from survey_app.models import Response
from survey_app.responses.receipts import read_reference
from tests.factories import make_community, make_round_around
from tests.phones import ANSWERS, Phone

SECRET_KEY = "only for tests: 7f3c9a1e5b8d2046"
WAIT_SECONDS = 0.05
QUEUE_TIMEOUT_SECONDS = 120


@dataclass
class Ledger:
    """What phones sent, by the text only they wrote, and the receipts they were shown for it."""

    receipts: dict[str, str] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    without_retry_after: int = 0
    hung_up: int = 0
    _lock: Lock = field(default_factory=Lock)

    def note_answer(self, answer):
        with self._lock:
            self.statuses.append(answer.status)
            if answer.status == 503 and answer.header("Retry-After") is None:
                self.without_retry_after += 1

    def note_silence(self):
        with self._lock:
            self.hung_up += 1

    def note_receipt(self, mark, receipt):
        with self._lock:
            self.receipts[mark] = receipt


def open_round(database):
    """Open a round, and return the token of a poster."""
    now = datetime.now(UTC)
    with database.writing() as session:
        make_round_around(session, now)
        return issue_poster_code(session, community=make_community(session), now=now).token


def receipt_in(answer):
    """Return the receipt number to which an answer leads."""
    reference = re.search(r"/r/([^/?]+)", answer.header("Location"))[1]
    return read_reference(reference, secret_key=SECRET_KEY).number


class Campaign:
    """A crowd of phones, each of which opens a form, sends it until it is thanked, and begins again."""

    def __init__(self, address, token, *, phones):
        self.ledger = Ledger()
        self._address, self._token = address, token
        self._is_over = Event()
        self._threads = [Thread(target=self._answer_again_and_again) for _ in range(phones)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error):
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def wait_for_receipts(self, number):
        """Wait until so many more receipts were shown."""
        wanted = len(self.ledger.receipts) + number
        deadline = time.monotonic() + QUEUE_TIMEOUT_SECONDS
        while len(self.ledger.receipts) < wanted:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{len(self.ledger.receipts)} receipts, {wanted} were waited for")
            time.sleep(0.002)

    def _answer_again_and_again(self):
        with Phone(self._address) as phone:
            while not self._is_over.is_set():
                self._answer(phone)

    def _answer(self, phone):
        """Answer once: like a phone that keeps its draft, send the same form until it is thanked."""
        mark = secrets.token_hex(8)
        form = self._persist(lambda: phone.get(f"/s/{self._token}"), 200)
        answers = ANSWERS | {"q24": mark, "key": form.key}
        thanks = self._persist(lambda: phone.post(f"/s/{self._token}", answers), 303)
        self.ledger.note_receipt(mark, receipt_in(thanks))

    def _persist(self, ask, wanted):
        deadline = time.monotonic() + QUEUE_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            try:
                answer = ask()
            except OSError:
                self.ledger.note_silence()
            else:
                self.ledger.note_answer(answer)
                if answer.status == wanted:
                    return answer
            time.sleep(WAIT_SECONDS * random.uniform(0.5, 1.5))
        raise RuntimeError(f"no answer {wanted} within {QUEUE_TIMEOUT_SECONDS} s")


@dataclass(frozen=True)
class Findings:
    """How the ledger compares with the database."""

    lost: list[str]
    doubled: list[str]
    stored: int


def compare(ledger, database):
    """Hold what phones were promised against what is stored."""
    with database.reading() as session:
        rows = session.execute(select(Response.receipt, Response.answers)).all()
    receipts_by_mark = {}
    for row in rows:
        mark = re.search(r'"q24":"([0-9a-f]+)"', row.answers)[1]
        receipts_by_mark.setdefault(mark, []).append(row.receipt)
    return Findings(
        lost=[mark for mark, receipt in ledger.receipts.items() if receipt not in receipts_by_mark.get(mark, [])],
        doubled=[mark for mark, receipts in receipts_by_mark.items() if len(receipts) > 1],
        stored=len(rows),
    )
