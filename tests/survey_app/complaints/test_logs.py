"""A name, a telephone number and a secret go through every flow of a complaint, and no log holds them."""

import io
import logging
import re
import secrets
from datetime import UTC, datetime

import pytest

from survey_app.codes.codes import issue_poster_code
from survey_app.complaints.case_addresses import read_case
from survey_app.models.vocabulary import CaseAction
from survey_app.web.logs import Lines
from tests.factories import SECRET, make_community
from tests.survey_app.complaints.test_views import WORDS, Page, answer, key_of, move, picture

NAME = "欧阳金丝雀"
TELEPHONE = "13877665544"
PLATE = "蒙C77665"


@pytest.fixture
def token(sqlite_database):
    with sqlite_database.writing() as session:
        return issue_poster_code(session, community=make_community(session), now=datetime.now(UTC)).token


def break_down(*_arguments, **_values):
    raise RuntimeError(NAME, TELEPHONE)


@pytest.fixture
def logged(caplog, capfd):
    """Return all that has been logged, as the site writes it and with all it holds besides, or printed so far."""
    caplog.set_level(logging.DEBUG)

    def logged():
        lines = [f"{Lines().format(record)} {vars(record)}" for record in caplog.records]
        return "\n".join([*lines, *capfd.readouterr()])

    return logged


def test_no_log_holds_what_was_typed(client, token, sqlite_database, logged, monkeypatch):
    personal = WORDS | {
        "text": f"我叫{NAME}，电话{TELEPHONE}，车牌{PLATE}",
        "place": f"{NAME}家门口",
        "contact": f"{NAME} {TELEPHONE}",
        "consent": "yes",
        "key": key_of(client, token),
    }
    form = f"/c/{token}"
    client.post(f"{form}/check", data=personal | {"photo": (io.BytesIO(picture()), f"{NAME}.jpg")})
    client.post(
        f"{form}/check", data=personal | {"photo": (io.BytesIO(NAME.encode()), f"{NAME}.jpg"), "key": TELEPHONE}
    )
    client.post(f"{form}/edit", data=personal)
    client.post(form, data=personal | {"category": NAME, "occurred": TELEPHONE})
    with monkeypatch.context() as broken:
        broken.setattr("survey_app.complaints.filing_views.file_complaint", break_down)
        assert client.post(form, data=personal).status_code == 500
    filed = Page(client.post(form, data=personal))
    client.post(form, data=personal | {"text": f"{NAME}又来了"})
    address, secret = re.search(r"/complaint/([\w.-]+)#(\d{12})", " ".join(filed.links)).groups()
    reference = read_case(address, secret_key=SECRET).reference
    client.post(f"{form}/support", data=personal | {"reference": address, "device": TELEPHONE})
    client.post(f"{form}/support", data=personal | {"reference": TELEPHONE})
    answer(sqlite_database, reference, text=f"已联系{NAME}")
    own = Page(client.post(f"/complaint/{reference}/open", data={"secret": secret}))
    client.post(f"/complaint/{reference}/open", data={"secret": f"{NAME}{TELEPHONE}"})
    client.post(f"/complaint/{reference}/open?secret={secret}", data={"secret": secret})
    step = {"pass": own.given["pass"], "step_key": secrets.token_urlsafe(), "text": f"{NAME} {TELEPHONE}"}
    for action in ("rejected", "fly", "confirmed_fixed"):
        client.post(f"/complaint/{reference}/step", data=step | {"step": action})
    client.post(f"/complaint/{reference}/step", data=step | {"pass": TELEPHONE, "step": "add"})
    move(sqlite_database, reference, CaseAction.DISPATCH)

    text = logged()
    assert "complaints.file" in text, "something was logged at all"
    for canary in (NAME, TELEPHONE, PLATE, secret, "金丝雀"):
        assert canary not in text
