"""Guessing and keeping others out: whoever holds the secret gets in, whatever strangers try before and meanwhile.

Each door is attacked from one line, from many and with forged headers. Then the owner comes: from elsewhere, from the
attackers' own network, with and without having proved before that it is theirs.
"""

import ast
import importlib
import io
import json
import pkgutil
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pyotp
import pytest
from sqlalchemy import event, func, select, update

import survey_app
from survey_app.accounts import accounts
from survey_app.accounts.attempt_budgets import EVERYWHERE, LINE, PREFIX, SUBJECT, Limit
from survey_app.accounts.attempt_limits import erase_expired_attempts
from survey_app.accounts.failed_sign_ins import MOST_NAMED_AN_HOUR, count_failed_sign_in, record_failed_sign_ins
from survey_app.accounts.notices import unread_notices
from survey_app.accounts.refused_tries import MOST_ACCOUNTS, RefusedTries
from survey_app.accounts.second_factor import renew_recovery_codes
from survey_app.accounts.sign_in import CODE_TRIES, PASSWORD_TRIES
from survey_app.app.home_views import NUMBER_TRIES
from survey_app.attachments.kinds import PHOTO
from survey_app.audit import verify_chain
from survey_app.codes.codes import issue_poster_code
from survey_app.complaints.case_secrets import SECRET_TRIES
from survey_app.config import REPOSITORY
from survey_app.models import (
    Account,
    Attachment,
    AttemptCount,
    AuditEvent,
    Code,
    Complaint,
    ComplaintEvent,
    ComplaintSupport,
    FailedSignIn,
    Round,
)
from survey_app.operations.scheduled_jobs import SCHEDULED_JOBS
from survey_app.responses.receipt_views import CHANGE_TRIES
from survey_app.responses.receipts import sign_change, sign_receipt
from survey_app.security.change_codes import change_code_of, digest_of_change_code
from survey_app.security.check_digits import SLIP_DIGITS, grouped, new_number
from survey_app.storage.database import Base
from tests.accounts import AUTHENTICATOR, PASSWORD, SECRET_KEY, csrf_token, make_account
from tests.attacks.guesses import GUESSES, table
from tests.attacks.guessing import lines_to_slow, most_tries
from tests.conftest import site_on
from tests.factories import SECRET, make_community, make_response, make_round, make_round_around, make_slip
from tests.pictures import picture, saved
from tests.survey_app.complaints.test_views import WORDS, key_of
from tests.survey_app.responses.test_survey_views import ANSWERS, Page
from tests.together import all_at_once

ZONE = ZoneInfo("Asia/Shanghai")
ELSEWHERE = "198.18.0.1"
BUSY = 429


class Clock:
    """Time that passes when a test says so."""

    def __init__(self):
        self.now = datetime.now(UTC)

    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock(app, monkeypatch):  # noqa: ARG001 (the app has loaded the modules)
    clock = Clock()
    for module in [module for name, module in sys.modules.items() if name.startswith("survey_app.")]:
        if hasattr(module, "current_time"):
            monkeypatch.setattr(module, "current_time", lambda: clock.now)
    return clock


def sent_from(address, **headers):
    return {"environ_overrides": {"REMOTE_ADDR": address}, "headers": headers}


class CaseSecret:
    """A complaint and its secret; the link that was kept is the proof."""

    def __init__(self, app, clock):
        self.app, self.clock = app, clock
        database = app.extensions["jiayuan"].database
        with database.writing() as session:
            token = issue_poster_code(session, community=make_community(session), now=clock.now).token
        client = app.test_client()
        filed = Page(client.post(f"/c/{token}", data=WORDS | {"key": key_of(client, token)}))
        link = next(link for link in filed.links if "#" in link and "/complaint/" in link)
        self.address, _mark, kept = link.partition("#")
        self.secret, _dot, self.proof = kept.partition(".")
        with database.reading() as session:
            self.number = session.scalars(select(Complaint.reference)).one()

    def guess(self, origin):
        return self._open(new_number(12), origin, self.number)

    def enter(self, origin):
        return self._open(self.secret, origin, self.number)

    def enter_with_proof(self, origin):
        return self._open(self.secret, origin, self.address.rpartition("/")[2], proof=self.proof)

    def _open(self, secret, origin, number, proof=""):
        form = {"secret": secret, "proof": proof}
        return self.app.test_client().post(f"/complaint/{number}/open", data=form, **origin)


class ChangeCode:
    """A receipt and its change code; the address that the phone was given after sending is the proof."""

    def __init__(self, app, clock):
        self.app, self.clock = app, clock
        with app.extensions["jiayuan"].database.writing() as session:
            survey_round = make_round(session, closes_at=clock.now + timedelta(days=9))
            response = make_response(session, survey_round, make_community(session))
            self.code = change_code_of(response.submission_key, secret_key=SECRET)
            digest = digest_of_change_code(self.code, receipt=response.receipt, secret_key=SECRET)
            response.change_digest = digest
            self.receipt = response.receipt
        self.sent_at = clock.now - timedelta(hours=9)

    def guess(self, origin):
        return self._open(new_number(12), origin, sign_receipt(self.receipt, secret_key=SECRET))

    def enter(self, origin):
        return self._open(self.code, origin, sign_receipt(self.receipt, secret_key=SECRET))

    def enter_with_proof(self, origin):
        return self._open(self.code, origin, sign_change(self.receipt, secret_key=SECRET, now=self.sent_at))

    def _open(self, code, origin, reference):
        return self.app.test_client().post(f"/r/{reference}/change", data={"code": code}, **origin)


class Password:
    """An account and its password; a browser that has signed in before is the proof."""

    def __init__(self, app, clock):
        self.app, self.clock = app, clock
        with app.extensions["jiayuan"].database.writing() as session:
            self.account_id = make_account(session, "city", now=clock.now).id
        self.known_browser = app.test_client()
        origin = sent_from("198.18.7.7")
        assert self._sign_in(self.known_browser, PASSWORD, origin).status_code == 303
        token = csrf_token(self.known_browser.get("/sign-in/code", **origin))
        code = pyotp.TOTP(AUTHENTICATOR).at(clock.now)
        form = {"csrf_token": token, "code": code}
        assert self.known_browser.post("/sign-in/code", data=form, **origin).status_code == 303

    def guess(self, origin):
        return self._sign_in(self.app.test_client(), "not the password", origin)

    def enter(self, origin):
        return self._sign_in(self.app.test_client(), PASSWORD, origin)

    def enter_with_proof(self, origin):
        return self._sign_in(self.known_browser, PASSWORD, origin)

    def _sign_in(self, client, password, origin, username="city"):
        token = csrf_token(client.get("/sign-in", **origin))
        form = {"csrf_token": token, "username": username, "password": password}
        return client.post("/sign-in", data=form, **origin)


class TypedNumber:
    """The digits of a slip; its QR code is the proof."""

    def __init__(self, app, clock):
        self.app, self.clock = app, clock
        with app.extensions["jiayuan"].database.writing() as session:
            survey_round = make_round(
                session,
                accepts_households=True,
                opens_at=clock.now - timedelta(days=1),
                closes_at=clock.now + timedelta(days=9),
            )
            self.slip = make_slip(session, survey_round, make_community(session))
            session.execute(update(Round).values(closes_at=clock.now + timedelta(days=9)))

    def guess(self, origin):
        return self._type(new_number(SLIP_DIGITS), origin)

    def enter(self, origin):
        return self._type(self.slip.digits, origin)

    def enter_with_proof(self, origin):
        return self.app.test_client().get(f"/h/{self.slip.token}", **origin)

    def _type(self, number, origin):
        return self.app.test_client().post("/", data={"number": number}, **origin)


DOORS = {"case": CaseSecret, "receipt": ChangeCode, "account": Password, "number": TypedNumber}


@pytest.fixture(params=DOORS)
def door(request, app, clock):
    return DOORS[request.param](app, clock)


def one_line():
    return (sent_from("203.0.113.7") for _ in count())


def addresses_of_one_ipv6_line():
    return (sent_from(f"2001:db8:1:2::{number:x}") for number in count(1))


def forged_headers():
    for number in count(1):
        forged = f"10.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}"
        headers = {"X-Forwarded-For": f"{forged}, {forged}", "Forwarded": f"for={forged}", "X-Real-IP": forged}
        yield sent_from("203.0.113.7", **headers)


def lines_of_one_prefix():
    return (sent_from(f"203.0.113.{number % 254 + 1}") for number in count())


def lines_of_one_ipv6_prefix():
    return (sent_from(f"2001:db8:1:{number:x}::1") for number in count(1))


def lines_of_everywhere():
    return (sent_from(f"{number // 250 % 90 + 100}.{number % 250}.1.1") for number in count())


ATTACKS = [
    one_line,
    addresses_of_one_ipv6_line,
    forged_headers,
    lines_of_one_prefix,
    lines_of_one_ipv6_prefix,
    lines_of_everywhere,
]


def is_in(answer):
    return answer.status_code in {200, 303}


def enter_as_told(enter, clock, meanwhile=lambda: None):
    """Come to the door, and once more after as long as the page says; return the seconds that it said."""
    answer = enter()
    if is_in(answer):
        return 0
    assert answer.status_code == BUSY
    seconds = int(answer.headers["Retry-After"])
    assert seconds <= PREFIX.longest.total_seconds()
    meanwhile()
    clock.wait(seconds)
    meanwhile()
    again = enter()
    assert is_in(again), (again.status_code, again.headers.get("Retry-After"))
    return seconds


@pytest.mark.parametrize("attack", ATTACKS)
def test_whoever_comes_from_elsewhere_gets_in_before_during_and_after_an_attack(door, clock, attack):
    origins = attack()

    def attack_on(tries=12):
        assert not {200, 303} & {door.guess(next(origins)).status_code for _ in range(tries)}

    assert is_in(door.enter(sent_from(ELSEWHERE)))
    attack_on(tries=110)
    for stage in range(1, 4):
        enter_as_told(lambda stage=stage: door.enter(sent_from(f"198.18.{stage}.1")), clock, attack_on)
    clock.wait(60 * 60)
    enter_as_told(lambda: door.enter(sent_from("198.18.200.1")), clock)


@pytest.mark.parametrize("attack", ATTACKS)
def test_whoever_has_proved_it_before_gets_in_at_once_even_over_the_attackers_own_line(door, clock, attack):
    origins, own_line = attack(), next(attack())

    for stage, tries in enumerate((60, 20)):
        for origin in islice(origins, tries):
            door.guess(origin)
        assert is_in(door.enter_with_proof(own_line)), stage
        clock.wait(1)


def test_on_the_attackers_own_line_the_owner_gets_in_when_the_wait_that_the_page_says_is_over(door, clock):
    line = sent_from("203.0.113.7")
    for _ in range(60):
        door.guess(line)
        clock.wait(20)

    assert enter_as_told(lambda: door.enter(line), clock) <= LIMITS[type(door)].line.longest.total_seconds()


@pytest.mark.parametrize("attack", [addresses_of_one_ipv6_line, forged_headers])
@pytest.mark.parametrize("pause", [1, 299])
def test_one_line_guesses_no_more_often_than_its_budget_says_however_it_calls_itself(door, clock, attack, pause):
    began_at = clock.now = noon(clock.now)
    origins, guessed = attack(), 0
    for _ in range(120):
        guessed += door.guess(next(origins)).status_code != BUSY
        clock.wait(pause)

    budget = LIMITS[type(door)].line
    assert budget.free < guessed <= most_tries(budget, clock.now - began_at)


def noon(now):
    """Return the next noon of the city: far from the midnight at which lines get other digests."""
    return now.astimezone(ZONE).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=1)


LIMITS = {CaseSecret: SECRET_TRIES, ChangeCode: CHANGE_TRIES, Password: PASSWORD_TRIES, TypedNumber: NUMBER_TRIES}


def test_past_midnight_everybody_is_counted_anew_and_whoever_was_told_to_wait_still_gets_in(door, clock):
    clock.now = noon(clock.now) + timedelta(hours=11, minutes=59, seconds=50)
    line = sent_from("203.0.113.7")
    for _ in range(60):
        door.guess(line)
    refused = door.enter(line)
    assert refused.status_code == BUSY

    clock.wait(int(refused.headers["Retry-After"]))
    assert is_in(door.enter(line))
    assert is_in(door.enter_with_proof(line))


@pytest.mark.parametrize("step", [timedelta(hours=-2), timedelta(hours=2), timedelta(days=-400), timedelta(days=400)])
def test_when_the_clock_is_set_nobody_waits_longer_than_the_page_says(door, clock, step):
    if isinstance(door, TypedNumber | ChangeCode) and step.days:
        pytest.skip("the round is over by then, or has not begun")
    line, prefix = sent_from("203.0.113.7"), lines_of_one_prefix()
    for _ in range(40):
        door.guess(next(prefix))
        door.guess(line)
    clock.now += step

    enter_as_told(lambda: door.enter(line), clock)
    enter_as_told(lambda: door.enter(sent_from(ELSEWHERE)), clock)


def test_tries_that_arrive_together_are_no_more_than_the_budget(door):
    line, free = sent_from("203.0.113.7"), LIMITS[type(door)].line.free

    answers = all_at_once(lambda _: door.guess(line).status_code, range(free + 10))

    assert sum(status != BUSY for status in answers) <= free
    assert is_in(door.enter(sent_from(ELSEWHERE)))


@pytest.fixture
def site_on_postgresql(config, postgresql_database):
    url = postgresql_database.url.render_as_string(hide_password=False)
    with site_on(replace(config, database_url=url)) as app:
        yield app


@pytest.mark.postgresql
@pytest.mark.parametrize("name", DOORS)
def test_on_postgresql_tries_that_meet_are_counted_and_the_owner_gets_in_too(site_on_postgresql, clock, name):
    door, line = DOORS[name](site_on_postgresql, clock), sent_from("203.0.113.7")
    budget = LIMITS[type(door)].line

    statuses = all_at_once(lambda _: door.guess(line).status_code, range(budget.free + 10))
    assert sum(status != BUSY for status in statuses) <= budget.free
    everywhere = all_at_once(door.guess, islice(lines_of_everywhere(), 24))
    assert not {200, 303} & {answer.status_code for answer in everywhere}

    enter_as_told(lambda: door.enter(sent_from(ELSEWHERE)), clock)
    assert is_in(door.enter_with_proof(line))
    assert enter_as_told(lambda: door.enter(line), clock) <= budget.longest.total_seconds()
    with site_on_postgresql.extensions["jiayuan"].database.writing() as session:
        erase_expired_attempts(session, now=clock.now + timedelta(days=1))
        assert session.scalar(select(func.count()).select_from(AttemptCount)) == 0


def test_one_success_does_not_forget_fifty_failures(app, clock):
    door, line = TypedNumber(app, clock), sent_from("203.0.113.7")
    guessed = 0
    for _ in range(400):
        guessed += door.guess(line).status_code != BUSY
        door.enter(line)  # their own slip, in between
        clock.wait(1)

    assert guessed <= most_tries(NUMBER_TRIES.line, timedelta(seconds=400))


def test_opening_ones_own_case_in_between_gives_no_tries_on_another(app, clock):
    own, other, line = CaseSecret(app, clock), CaseSecret.__new__(CaseSecret), sent_from("203.0.113.7")
    other.app, other.number = app, new_number(14)
    guessed = 0
    for _ in range(60):
        guessed += other.guess(line).status_code != BUSY
        own.enter(line)

    assert guessed <= LINE.free


def test_alternating_subjects_does_not_multiply_the_tries_of_a_line(app, clock):
    line = sent_from("203.0.113.7")
    door = Password(app, clock)
    statuses = [
        door._sign_in(app.test_client(), "Password-12345", line, username=f"clerk{number}").status_code
        for number in range(30)
    ]

    assert statuses == [401] * LINE.free + [BUSY] * (30 - LINE.free), "one password is sprayed over many names"
    assert is_in(door.enter_with_proof(line))


def test_addresses_are_believed_of_our_own_proxies_alone(config, clock, monkeypatch):
    line = "203.0.113.7"
    with site_on(replace(config, trusted_proxies=1)) as behind_proxy:
        monkeypatch.setattr("survey_app.app.home_views.current_time", lambda: clock.now)
        client, statuses = behind_proxy.test_client(), []
        for number in range(NUMBER_TRIES.line.free + 5):
            # The proxy appends the address that it sees; what stands before it was written by the sender.
            headers = {"X-Forwarded-For": f"198.18.{number}.1, {line}"}
            wrong = {"number": new_number(SLIP_DIGITS)}
            statuses.append(client.post("/", data=wrong, headers=headers).status_code)

        assert statuses[-5:] == [BUSY] * 5
        elsewhere = client.post("/", data={"number": new_number(SLIP_DIGITS)}, headers={"X-Forwarded-For": ELSEWHERE})
        assert elsewhere.status_code == 404


def sign_in_code(client, code, origin):
    token = csrf_token(client.get("/sign-in/code", **origin))
    return client.post("/sign-in/code", data={"csrf_token": token, "code": code}, **origin)


def test_who_knows_the_password_guesses_few_codes_and_keeps_the_owner_out_of_nothing(app, clock):
    door = Password(app, clock)
    with app.extensions["jiayuan"].database.writing() as session:
        codes = renew_recovery_codes(session, account=session.get(Account, door.account_id), secret_key=SECRET_KEY)
    thief, guessed, began_at = app.test_client(), 0, clock.now
    for number, origin in enumerate(islice(lines_of_everywhere(), 200)):
        if number % 10 == 0:
            assert door._sign_in(thief, PASSWORD, origin).status_code == 303
        guessed += sign_in_code(thief, "abcdef", origin).status_code != BUSY
        clock.wait(30)

    assert guessed <= most_tries(CODE_TRIES.ceiling, clock.now - began_at)
    home = sent_from(ELSEWHERE)
    assert is_in(door.enter_with_proof(home))
    assert is_in(sign_in_code(door.known_browser, pyotp.TOTP(AUTHENTICATOR).at(clock.now), home))
    new_browser = app.test_client()
    assert is_in(door._sign_in(new_browser, PASSWORD, home))
    assert sign_in_code(new_browser, pyotp.TOTP(AUTHENTICATOR).at(clock.now), home).status_code == BUSY
    assert is_in(sign_in_code(new_browser, codes[0], home)), "a recovery code needs no known browser"


def test_nobody_learns_from_waits_or_answers_which_account_or_case_exists(app, clock):
    account, case = Password(app, clock), CaseSecret(app, clock)
    unknown = new_number(14)
    for number in range(LINE.free + 2):
        origins = [sent_from(f"198.18.{place}.1") for place in range(4)]
        name = account._sign_in(app.test_client(), "wrong", origins[0])
        made_up = account._sign_in(app.test_client(), "wrong", origins[1], username="nobody")
        assert (name.status_code, name.headers.get("Retry-After")) == (
            made_up.status_code,
            made_up.headers.get("Retry-After"),
        ), number
        known = case._open(new_number(12), origins[2], case.number)
        guess = case._open(new_number(12), origins[3], unknown)
        assert known.status_code == guess.status_code
        assert anonymous(known.text, case.number) == anonymous(guess.text, unknown)


def anonymous(page, number):
    return page.replace(number, "").replace(grouped(number), "")


def test_an_address_with_a_number_in_it_tells_nothing_and_is_counted_nowhere(app, clock):
    case = CaseSecret(app, clock)
    client, unknown = app.test_client(), new_number(14)

    for _ in range(100):
        pages = {anonymous(client.get(f"/complaint/{number}").text, number) for number in (case.number, unknown)}
        assert len(pages) == 1
    assert "status-submitted" in client.get(case.address).text
    with app.extensions["jiayuan"].database.reading() as session:
        assert session.scalar(select(func.count()).select_from(AttemptCount)) == 0


def test_tries_that_were_refused_unheard_are_told_to_the_owner_and_write_next_to_nothing(app, clock):
    door, database, commits = Password(app, clock), app.extensions["jiayuan"].database, []
    event.listen(database.engine, "commit", lambda _connection: commits.append(1))
    client = app.test_client()
    for number in range(200):
        door._sign_in(app.test_client(), "not the password", sent_from("203.0.113.7"))
        door._sign_in(client, "secret", sent_from("203.0.113.8"), username=f"nobody {number}")
        if number % 50 == 49:
            clock.wait(61)
    # Those that were heard, each with a count and a refusal, and those of four minutes.
    assert len(commits) <= 2 * (2 * PASSWORD_TRIES.line.free + 2 * 8) + 8

    assert is_in(door.enter_with_proof(sent_from(ELSEWHERE)))
    code = pyotp.TOTP(AUTHENTICATOR).at(clock.now)
    assert is_in(sign_in_code(door.known_browser, code, sent_from(ELSEWHERE)))
    with database.reading() as session:
        told = unread_notices(session, account_id=door.account_id)
    assert told.failed_sign_ins == 200


def test_names_that_nobody_has_do_not_fill_the_memory_of_refused_tries(sqlite_database):
    refused, now = RefusedTries(), datetime.now(UTC)
    for number in range(5000):
        refused.add(sqlite_database, account=f"nobody {number}", now=now)
        refused.add(sqlite_database, account="n" * 250_000, now=now)
        assert len(refused._counts) < MOST_ACCOUNTS


def test_a_password_is_hashed_for_tries_that_are_let_in_alone(app, clock, monkeypatch):
    door, line = Password(app, clock), sent_from("203.0.113.7")
    hashed, real = [], accounts._hasher

    class CountingHasher:
        def verify(self, known_hash, password):
            hashed.append(password)
            return real.verify(known_hash, password)

    monkeypatch.setattr(accounts, "_hasher", CountingHasher())
    for _ in range(100):
        door.guess(line)

    assert len(hashed) == LINE.free


# ---- “Me too” and photos. ----


def test_one_phone_counts_as_few_neighbours_however_often_it_renames_itself(app, clock):
    case = CaseSecret(app, clock)
    client, token = app.test_client(), poster(app)
    offered = case.address.rpartition("/")[2]

    def support(origin, device=""):
        form = WORDS | {"key": key_of(client, token), "reference": offered, "device": device}
        return client.post(f"/c/{token}/support", data=form, **origin)

    answers = [support(sent_from("203.0.113.7"), f"phone {number}") for number in range(20)]
    answers += [support(origin) for origin in islice(addresses_of_one_ipv6_line(), 20)]
    assert {answer.status_code for answer in answers} == {200}
    assert "今天未计入" in answers[-1].text
    assert supporters(app) <= 2 * 4
    before = supporters(app)
    for number in range(3):
        assert "已计入" in support(sent_from(f"198.18.0.{number}")).text
    assert supporters(app) == before + 3, "neighbours on other lines count"
    for _ in range(5):
        support(sent_from("198.18.9.9"), "one phone")
    assert supporters(app) == before + 4, "twice from one phone counts once"
    for origin in islice(lines_of_one_ipv6_prefix(), 60):
        support(origin)
    assert supporters(app) <= before + 4 + 40
    clock.wait(24 * 60 * 60)
    support(sent_from("203.0.113.7"), "another phone")
    assert supporters(app) <= before + 4 + 40 + 1


def poster(app):
    with app.extensions["jiayuan"].database.reading() as session:
        return session.scalars(select(Code.token).where(Code.kind == "poster")).first()


def supporters(app):
    with app.extensions["jiayuan"].database.reading() as session:
        return session.scalar(select(func.count()).select_from(ComplaintSupport))


@pytest.mark.parametrize("attack", [one_line, lines_of_one_ipv6_prefix, forged_headers])
def test_who_fills_a_community_with_photos_keeps_no_resident_from_adding_theirs(app, clock, attack, monkeypatch):
    CaseSecret(app, clock)
    monkeypatch.setattr("survey_app.complaints.filing_views.PHOTO", replace(PHOTO, most_unsent=12))
    token, origins = poster(app), attack()

    def send(client, origin, *photos, **form):
        files = {f"photo{number}": (io.BytesIO(saved(picture(width))), "a.jpg") for number, width in enumerate(photos)}
        form = WORDS | {"key": form.get("key") or key_of(client, token)}
        return Page(client.post(f"/c/{token}/check", data=form | files, **origin))

    def attack_on():
        for number in range(4):
            send(app.test_client(), next(origins), *range(50 + number, 53 + number))

    resident = app.test_client()
    attack_on()
    attack_on()
    home = sent_from(ELSEWHERE)
    mine = send(resident, home, 100, 101)
    assert mine.text.count('<img src="data:image') == 2
    attack_on()
    again = send(resident, home, 102, key=mine.given["key"][0])
    assert again.text.count('<img src="data:image') == 3
    filed = resident.post(f"/c/{token}", data=again.given | {"kind": "complaint"}, **home)
    assert filed.status_code == 200
    with app.extensions["jiayuan"].database.reading() as session:
        waiting = select(func.count()).select_from(Attachment).where(Attachment.complaint_id.is_(None))
        assert session.scalar(waiting) <= 12
        assert session.scalar(select(func.count()).select_from(Attachment)) == session.scalar(waiting) + 3


# ---- What strangers can make grow. ----

# Each table, and what bounds the rows that somebody who has not signed in can add to it.
GROWTH = {
    "attempt_count": "rows of a line are no more than its tries, refused ones write nothing; forgiven within a day",
    "failed_sign_in": "a row for each account, step and hour, all unknown names together; recorded within two hours",
    "audit_event": "refused sign-ins: 20 accounts and two more subjects an hour, twice; else one for each own response",
    "network_key": "one a day",
    "attachment": "300 waiting in a community, 60 of one line; 1,000 and 720 a day of one line, sent or not",
    "attachment_thumbnail": "one for each attachment",
    "attachment_source": "one for each waiting attachment",
    "complaint_support": "of each case four a day of one line and forty of one prefix",
    "response": "one for each form that was opened and sent",
    "collection_change": "one for each response that comes or goes, until it is added up",
    "response_event": "a chain of corrections and a withdrawal of own responses",
    "complaint": "one for each form that was opened and sent",
    "complaint_event": "of an own case thirty a day",
    "complaint_note": "one for each event",
    "complaint_contact": "one for each complaint",
    "job": "one for each complaint about safety",
}
# Staff, commands and the hourly work alone write these.
STAFF_ONLY = {
    "account",
    "account_community",
    "account_session",
    "call_back",
    "call_back_result",
    "call_back_sample",
    "code",
    "casework_file",
    "column_header",
    "community",
    "community_alias",
    "community_list",
    "collection_tally",
    "community_profile",
    "complaint_appeal",
    "complaint_assignment",
    "complaint_release",
    "district",
    "evaluation",
    "evaluation_number",
    "hotline_case",
    "hotline_change",
    "hotline_import",
    "hotline_match",
    "installation",
    "integrity_examination",
    "key_check",
    "neighbourhood",
    "property_company",
    "property_contract",
    "publication",
    "questionnaire",
    "declared_help",
    "erasure_count",
    "recovery_code",
    "region_profile",
    "reset_request",
    "response_review",
    "round",
    "rule_file",
    "slip_batch",
    "standing",
    "standing_evidence",
    "subdistrict",
    "working_calendar",
}


def test_every_table_is_known_to_be_bounded_or_out_of_reach_of_strangers():
    assert GROWTH.keys() | STAFF_ONLY == Base.metadata.tables.keys()
    assert not GROWTH.keys() & STAFF_ONLY


def test_whatever_strangers_fail_adds_a_bounded_number_of_rows(app, clock):
    doors = [Door(app, clock) for Door in DOORS.values()]
    database = app.extensions["jiayuan"].database
    before = sizes(database)
    clock.now = noon(clock.now)
    client = app.test_client()
    for number in range(40):
        for door in doors:
            for origin in (sent_from("203.0.113.7"), sent_from(f"2001:db8:9::{number:x}")):
                door.guess(origin)
        client.post("/", data={"number": new_number(14)}, **sent_from("203.0.113.8"))
        doors[2]._sign_in(client, f"secret {number}", sent_from("203.0.113.9"), username=f"name {number}")

    grown = {table: size - before[table] for table, size in sizes(database).items() if size != before[table]}
    # Of four lines, each with a row of its own, of its prefix, its pairs and the subjects that it may try.
    assert grown.pop("attempt_count") <= 4 * (2 * PASSWORD_TRIES.line.most + NUMBER_TRIES.line.most) + 20
    assert grown.pop("failed_sign_in") <= 2
    assert grown.pop("network_key", 0) <= 1
    assert grown == {}

    clock.wait(25 * 60 * 60)
    for scheduled in SCHEDULED_JOBS:
        if scheduled.name == "retention":
            scheduled.kind.run(database, SimpleNamespace(report=lambda _done, _total: None), clock.now)
    after = sizes(database)
    assert (after["attempt_count"], after["failed_sign_in"]) == (0, 0)
    assert after["audit_event"] - before["audit_event"] <= 2


def sizes(database):
    with database.reading() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table))
            for name, table in Base.metadata.tables.items()
        }


def test_a_day_of_refused_sign_ins_is_a_bounded_number_of_audit_events(database):
    day = datetime(2026, 9, 15, tzinfo=UTC)
    with database.writing() as session:
        for hour in range(24):
            now = day + timedelta(hours=hour)
            for account_id in range(200):
                count_failed_sign_in(session, account_id=account_id, step="password", now=now)
            for _ in range(300):
                count_failed_sign_in(session, account_id=None, step="password", now=now)
            for _ in range(account_id % 7):
                count_failed_sign_in(session, account_id=7, step="code", now=now)
    with database.writing() as session:
        record_failed_sign_ins(session, now=day + timedelta(days=1))

    with database.reading() as session:
        events = session.scalars(select(AuditEvent)).all()
        assert len(events) <= 24 * 2 * (MOST_NAMED_AN_HOUR + 2)
        assert sum(json.loads(event.after)["count"] for event in events) == 24 * (200 + 300 + 199 % 7)
        assert session.scalar(select(func.count()).select_from(FailedSignIn)) == 0
        assert list(verify_chain(session)) == []


def test_who_files_a_case_adds_to_it_thirty_times_a_day_and_keeps_the_words(app, clock):
    case = CaseSecret(app, clock)
    own = Page(case.enter(sent_from(ELSEWHERE)))
    for number in range(35):
        form = {"pass": own.given["pass"], "step_key": f"key {number}", "step": "add", "text": f"又停了{number}"}
        answer = app.test_client().post(f"/complaint/{case.number}/step", data=form)

    assert answer.status_code == BUSY
    assert Page(answer).given["text"] == ["又停了34"]
    with app.extensions["jiayuan"].database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ComplaintEvent)) == 1 + 30


# ---- The odds, and that nothing is left out of them. ----


def test_the_odds_of_guessing_within_a_day_are_what_the_architecture_says():
    assert table() in (REPOSITORY / "ARCHITECTURE.md").read_text("utf-8")
    for guess in GUESSES:
        assert guess.odds(lines=1, prefixes=1) < 2e-4, guess.name


def test_no_number_of_lines_can_do_more_than_make_strangers_wait_and_the_cost_is_stated():
    text = (REPOSITORY / "ARCHITECTURE.md").read_text("utf-8")
    shared_budgets = [
        (SUBJECT, SECRET_TRIES),
        (PASSWORD_TRIES.subject, PASSWORD_TRIES),
        (EVERYWHERE, NUMBER_TRIES),
        (PREFIX, SECRET_TRIES),
    ]
    for shared, limit in shared_budgets:
        lines, longest = lines_to_slow(shared, limit, wait=shared.longest), shared.longest
        assert lines >= 20
        assert f"{lines} lines make strangers wait {longest // timedelta(minutes=1)} minutes" in text


def limits_of_the_site():
    found = {}
    for module in pkgutil.walk_packages(survey_app.__path__, "survey_app."):
        if not module.name.endswith("__main__"):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, Limit):
                    found[value.action] = value
    return found


def test_every_limit_of_the_site_stands_in_the_table():
    assert limits_of_the_site() == {guess.limit.action: guess.limit for guess in GUESSES}


# What compares something typed with a secret or looks it up, and the modules that call it: each counts the try, but
# for those with a reason.
CHECKS = {
    "password_is_right": {"accounts.sign_in"},
    "use_code": {"accounts.sign_in"},
    "use_recovery_code": {"accounts.sign_in"},
    # Of a secret that the browser which types the code was shown a moment ago.
    "matching_step": {"accounts.sign_in", "accounts.second_factor"},
    "check_change_code": {"responses.receipt_views", "responses.staff_receipt_views"},
    "is_change_code": {"responses.receipts"},
    "check_secret": {"complaints.case_views"},
    "find_slip": {"codes.codes", "codes.slip_views"},
    "find_valid_slip": {"codes.codes", "responses.staff_entry"},
    "with_slip": {"responses.staff_entry_views"},
    "replace_slip": {"codes.slip_views", "commands.codes"},
    "revoke_slips": {"codes.slip_views", "commands.codes"},
    # Typed at home; the token of a QR code has 128 bits.
    "address_of_slip": {"app.home_views", "responses.slip_link_views"},
    "scan_slip": {"responses.addresses"},
    # What is read here and looked up by nobody else.
    "read_number": {
        "app.home_views",
        # By an office, of the case that another one of the same community repeats.
        "casework.case_steps",
        "codes.codes",
        "complaints.case_addresses",
        "complaints.case_secrets",
        "complaints.secret_reissue_views",
        "responses.staff_receipt_views",
        "security.change_codes",
    },
}


def test_whatever_looks_up_or_compares_what_was_typed_is_known():
    called = {name: set() for name in CHECKS}
    for path in set((REPOSITORY / "survey_app").rglob("*.py")) - set((REPOSITORY / "survey_app/demo").rglob("*.py")):
        module = ".".join(path.relative_to(REPOSITORY / "survey_app").with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                if name in called:
                    called[name].add(module)
    assert called == CHECKS


def test_the_survey_by_poster_asks_for_no_limit(app, clock):
    database, statements, client = app.extensions["jiayuan"].database, [], app.test_client()
    with database.writing() as session:
        make_round_around(session, clock.now)
        token = issue_poster_code(session, community=make_community(session), now=clock.now).token
    client.get(f"/s/{token}", **sent_from("203.0.113.7"))
    for engine in (database.engine, database._readers, database._autocommit_readers):
        event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    page = Page(client.get(f"/s/{token}"))
    sent = client.post(f"/s/{token}", data=ANSWERS | {"key": page.given["key"][0]})

    assert sent.status_code == 303
    assert statements
    assert not [statement for statement in statements if "attempt" in statement]
