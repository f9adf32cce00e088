"""The server dies at the worst moments: nothing that was acknowledged is lost, nothing is stored twice."""

import csv
import io
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from sqlalchemy import select

from analytics.rules import parse_rules
from survey_app.accounts.scope import Scope
from survey_app.evaluations.collection_recount import find_differences
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.exports.answer_tables import export_answer_tables
from survey_app.models import Response, Round
from survey_app.models.vocabulary import Area
from tests.counting import recount
from tests.faults.campaign import Campaign, compare, open_round, receipt_in
from tests.phones import ANSWERS, NoReply, Phone
from tests.servers import ForkedServer, Server

PHONES = 8
# Each start of the server is answered at least so often before it is killed.
RECEIPTS_BETWEEN_KILLS = 12
MOST_KILLS_OF_A_CARELESS_SERVER = 20


def kill_again_and_again(server, campaign, kills):
    for _ in range(kills):
        campaign.wait_for_receipts(RECEIPTS_BETWEEN_KILLS)
        server.kill()
        server.start()
    campaign.wait_for_receipts(RECEIPTS_BETWEEN_KILLS)


def close_round(database):
    """Let the round be over, a day after the last answer; return its id and the time from which it can be exported."""
    now = datetime.now(UTC)
    with database.writing() as session:
        survey_round = session.scalars(select(Round)).one()
        survey_round.closes_at = now + timedelta(seconds=1)
        return survey_round.id, now + timedelta(days=1)


def count_exported(database):
    round_id, now = close_round(database)
    evaluation = evaluate_round(database, round_id=round_id, now=now)
    file = "".join(export_answer_tables(database, evaluation_id=evaluation.id, scope=Scope(Area.CITY), language="en"))
    rows = csv.DictReader(io.StringIO(file.removeprefix("\ufeff"), newline=""))
    return sum(int(row["Number (empty: withheld)"]) for row in rows if row["Answer code"] == "received")


def differences(database):
    with database.reading() as session:
        return find_differences(session, session.scalars(select(Round)).one())


def count_tallied(database):
    with database.reading() as session:
        survey_round = session.scalars(select(Round)).one()
        rules = parse_rules(survey_round.rule_file.content, survey_round.rule_file.name)
        counted = recount(session, survey_round, rules=rules, before=survey_round.closes_at)
    return int(counted["received"].sum())


def as_delivered(config):
    return Server("serve", config)


@pytest.mark.parametrize(
    ("kills", "server_on"),
    [
        (2, ForkedServer),
        pytest.param(2, as_delivered, marks=pytest.mark.long),
        pytest.param(200, ForkedServer, marks=pytest.mark.long),
    ],
)
def test_kills_under_load_lose_nothing_and_double_nothing(database, config_on, kills, server_on):
    token = open_round(database)

    with server_on(config_on(database)) as server, Campaign(server.address, token, phones=PHONES) as campaign:
        kill_again_and_again(server, campaign, kills)

    findings = compare(campaign.ledger, database)
    assert campaign.ledger.hung_up > 0
    assert set(campaign.ledger.statuses) <= {200, 303, 503}
    assert (findings.lost, findings.doubled) == ([], [])
    assert findings.stored >= len(campaign.ledger.receipts) >= RECEIPTS_BETWEEN_KILLS * (kills + 1)
    assert differences(database) == {}
    assert count_exported(database) == count_tallied(database) == findings.stored


def test_the_same_harness_convicts_a_server_that_thanks_before_it_commits(sqlite_database, config_on):
    token = open_round(sqlite_database)

    with (
        ForkedServer(config_on(sqlite_database), kind="careless") as server,
        Campaign(server.address, token, phones=PHONES) as campaign,
    ):
        for _ in range(MOST_KILLS_OF_A_CARELESS_SERVER):
            kill_again_and_again(server, campaign, kills=1)
            if compare(campaign.ledger, sqlite_database).lost:
                break

    assert compare(campaign.ledger, sqlite_database).lost


def test_a_kill_between_commit_and_reply_leads_the_next_try_to_the_first_receipt(database, config_on):
    token = open_round(database)
    silences = []

    def send(address, form):
        with Phone(address) as phone:
            try:
                phone.post(f"/s/{token}", form)
            except NoReply as silence:
                silences.append(silence)

    with ForkedServer(config_on(database), kind="mute") as server:
        with Phone(server.address) as phone:
            form = ANSWERS | {"key": phone.get(f"/s/{token}").key}
        thread = Thread(target=send, args=[server.address, form])
        thread.start()
        while not (stored := stored_receipts(database)):
            pass
        server.kill()
        thread.join()
        assert len(silences) == 1

    with ForkedServer(config_on(database)) as server, Phone(server.address) as phone:
        receipts = [receipt_in(phone.post(f"/s/{token}", form)) for _ in range(2)]

    assert receipts == stored * 2
    assert stored_receipts(database) == stored


def stored_receipts(database):
    with database.reading() as session:
        return list(session.scalars(select(Response.receipt)))


def test_a_server_that_is_told_to_stop_answers_what_has_arrived(sqlite_database, config_on):
    token = open_round(sqlite_database)

    with (
        ForkedServer(config_on(sqlite_database)) as server,
        Campaign(server.address, token, phones=PHONES) as campaign,
    ):
        campaign.wait_for_receipts(RECEIPTS_BETWEEN_KILLS)
        assert server.stop() == 0
        server.start()
        campaign.wait_for_receipts(RECEIPTS_BETWEEN_KILLS)

    findings = compare(campaign.ledger, sqlite_database)
    assert (findings.lost, findings.doubled) == ([], [])
    # Whoever was stored was thanked: nobody had to send a second time.
    assert findings.stored == len(campaign.ledger.receipts)
