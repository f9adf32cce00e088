"""From which line answers came is known for less than 48 hours, by keyed digests and by nothing else."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from analytics.rules import parse_rules
from survey_app.config import Config
from survey_app.models import AuditEvent, IntegrityExamination, Response, ResponseReview, Round
from survey_app.models.vocabulary import ResponseChangeReason
from survey_app.operations.scheduled_jobs import examine_and_erase
from survey_app.responses.erasure_counts import record_erasures
from survey_app.responses.integrity_reviews import examine_round, read_rows
from survey_app.responses.network_digests import RETENTION_TIME, erase_network_digests, rounds_with_unseen_digests
from survey_app.responses.receipts import RESIDENT, withdraw_response
from tests.conftest import site_on
from tests.factories import NOW, SECRET, make_community, make_poster_code, make_response, make_round, make_round_around
from tests.survey_app.responses.test_survey_views import ANSWERS, Page

ADDRESS = "203.0.113.7"
WECHAT = "Mozilla/5.0 (Linux; Android 8.1.0) MicroMessenger/8.0"


DIGESTS = {"address_digest": "1" * 64, "prefix_digest": "2" * 64}


def test_digests_go_in_time_for_an_hourly_job_to_keep_48_hours(database):
    with database.writing() as session:
        survey_round, community = make_round(session), make_community(session)
        for hours in (0, 45, 46, 200):
            sent = {"submitted_at": NOW - timedelta(hours=hours)}
            make_response(session, survey_round, community, **sent, **DIGESTS)

    assert erase_network_digests(database, by="site", now=NOW) == 2
    assert erase_network_digests(database, by="site", now=NOW) == 0
    record_erasures(database, now=NOW)
    with database.reading() as session:
        kept = session.scalars(select(Response.submitted_at).where(Response.address_digest.is_not(None))).all()
        assert min(kept) > NOW - RETENTION_TIME
        assert session.scalars(select(AuditEvent.action)).all() == ["terminals_erased"]


def test_an_examination_looks_at_lines_and_erases_those_that_were_kept_long_enough(database):
    with database.writing() as session:
        survey_round, community = make_round(session), make_community(session)
        long_ago = {"started_at": NOW - 2 * RETENTION_TIME, "submitted_at": NOW - RETENTION_TIME}
        old = make_response(session, survey_round, community, **DIGESTS, **long_ago)
        make_response(session, survey_round, community, **DIGESTS)
    now = NOW + timedelta(minutes=1)

    def seen():
        with database.reading() as session:
            known = session.get(Round, survey_round.id)
            rules = parse_rules(known.rule_file.content, known.rule_file.name)
            rows, _answers = read_rows(session, survey_round=known, rules=rules, before=now)
        return rows.set_index("response_id")[["address", "prefix"]]

    assert seen().notna().all(axis=None)
    examine_round(database, round_id=survey_round.id, now=now)
    assert seen().loc[old.id].isna().all()
    assert seen().drop(old.id).to_numpy().tolist() == [list(DIGESTS.values())]


@pytest.mark.parametrize("hour", range(0, 48, 5))
def test_whatever_is_erased_hourly_was_seen_by_the_nightly_examination(sqlite_database, hour):
    database = sqlite_database
    with database.writing() as session:
        survey_round, sent = make_round(session), {"submitted_at": NOW + timedelta(hours=hour)}
        make_response(session, survey_round, make_community(session), **DIGESTS, **sent)

    for passed in range(hour, hour + 50):
        now = NOW + timedelta(hours=passed, minutes=1)
        with database.reading() as session:
            assert rounds_with_unseen_digests(session, now=now) == []
        if now.hour == 19:
            with database.writing() as session:
                session.add(
                    IntegrityExamination(
                        round_id=survey_round.id, examined_at=now, responses=1, families="[]", counts="[]"
                    )
                )
    assert now >= sent["submitted_at"] + RETENTION_TIME


@pytest.mark.parametrize("days_away", [2, 3, 9])
def test_what_nobody_examined_while_the_server_was_away_is_examined_before_it_is_erased(database, days_away):
    with database.writing() as session:
        survey_round, community = make_round(session), make_community(session)
        for form in range(30):
            opened = NOW - timedelta(seconds=160 - form)
            moment = NOW + timedelta(milliseconds=50 * form)
            address = {"address_digest": "1" * 64, "prefix_digest": "2" * 64}
            make_response(session, survey_round, community, started_at=opened, submitted_at=moment, **address)

    now = NOW + timedelta(days=days_away)
    with database.reading() as session:
        assert rounds_with_unseen_digests(session, now=now) == [survey_round.id]
    examine_and_erase(database, now=now)

    with database.reading() as session:
        assert rounds_with_unseen_digests(session, now=now) == []
        assert session.scalars(select(Response.address_digest)).all() == [None] * 30
        assert session.scalars(select(ResponseReview.state)).all() == ["held"] * 30


def test_what_an_examination_saw_of_lines_stays_when_the_lines_are_gone(database):
    with database.writing() as session:
        survey_round, community = make_round(session), make_community(session)
        for form in range(30):
            opened, moment = NOW - timedelta(hours=2, seconds=-97 * form**1.2), NOW + timedelta(seconds=31 * form**1.5)
            make_response(session, survey_round, community, started_at=opened, submitted_at=moment, **DIGESTS)

    def examined(days):
        examine_round(database, round_id=survey_round.id, now=NOW + timedelta(days=days))
        with database.reading() as session:
            newest = session.scalars(select(IntegrityExamination).order_by(IntegrityExamination.id.desc())).first()
        flagged = {row["family"] for row in json.loads(newest.families) if row["flagged"]}
        [counts] = json.loads(newest.counts)
        return flagged, counts["held"], counts["n_without"]

    first = examined(1)
    assert "opened_together" in first[0]
    assert first[1:] == (30, 0)
    assert examined(3) == examined(5) == first


def test_what_is_withdrawn_loses_its_digests_as_well(database):
    with database.writing() as session:
        response = make_response(session, make_round(session), make_community(session), **DIGESTS)
        withdraw_response(session, number=response.receipt, reason=ResponseChangeReason.OTHER, by=RESIDENT, now=NOW)
        session.refresh(response)
        assert (response.address_digest, response.prefix_digest) == (None, None)


@pytest.fixture
def poster(sqlite_database):
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        make_round_around(session, now)
        return f"/s/{make_poster_code(session).token}"


def send(app, poster, *, forwarded_for=None, proxy="198.51.100.1", browser=WECHAT):
    client = app.test_client()
    headers = {"User-Agent": browser} | ({"X-Forwarded-For": forwarded_for} if forwarded_for else {})
    form = ANSWERS | {"key": Page(client.get(poster)).given["key"][0]}
    return client.post(poster, data=form, headers=headers, environ_overrides={"REMOTE_ADDR": proxy}).location


def lines(database):
    with database.reading() as session:
        return session.scalars(select(Response.address_digest).order_by(Response.id)).all()


def test_the_forms_of_one_phone_have_one_line_whatever_browser_it_names_also_when_it_corrects_them(
    app, poster, sqlite_database
):
    address = send(app, poster, proxy=ADDRESS)
    send(app, poster, proxy=ADDRESS, browser="curl/8")
    send(app, poster, proxy="203.0.113.8")
    client = app.test_client()
    form = ANSWERS | {"key": Page(client.get(f"{address}/correction")).given["key"][0]}
    phone = {"headers": {"User-Agent": WECHAT}, "environ_overrides": {"REMOTE_ADDR": ADDRESS}}
    client.post(f"{address}/correction", data=form, **phone)

    first, second, other, correction = lines(sqlite_database)
    assert first == second == correction != other
    assert None not in (first, other)


def test_nobody_can_claim_another_address_where_no_proxy_stands_before_the_site(app, poster, sqlite_database):
    for claimed in (None, "192.0.2.1", "192.0.2.2"):
        send(app, poster, forwarded_for=claimed)

    assert len(set(lines(sqlite_database))) == 1


def test_behind_a_proxy_of_ours_what_it_says_counts_and_not_what_the_phone_adds(config, poster, sqlite_database):
    with site_on(replace(config, trusted_proxies=1)) as app:
        for seen in (ADDRESS, f"192.0.2.1, {ADDRESS}", "203.0.113.8"):
            send(app, poster, forwarded_for=seen)

    first, claimed, other = lines(sqlite_database)
    assert first == claimed != other


def test_an_installation_says_how_many_proxies_it_trusts(tmp_path):
    environ = {"JIAYUAN_INSTANCE": str(tmp_path), "JIAYUAN_SECRET_KEY": SECRET}

    assert Config.from_env(environ).trusted_proxies == 0
    assert Config.from_env(environ | {"JIAYUAN_TRUSTED_PROXIES": "2"}).trusted_proxies == 2
