from datetime import timedelta

import pytest
from sqlalchemy import String, cast, inspect, select

from survey_app.codes.codes import (
    VISIT_LIFETIME,
    SlipCounts,
    SlipsRefused,
    count_slips,
    find_code,
    issue_slips,
    new_slips,
    read_reference,
    replace_slip,
    revoke_slips,
    scan_slip,
    spoil_batch,
)
from survey_app.errors import ExpiredCode, NoOpenRound, OtherCodeNeeded, RevokedCode, UnknownCode, VisitExpired
from survey_app.models import Code, Response, SlipBatch
from survey_app.models.vocabulary import Revocation
from survey_app.responses.submission import open_visit, record_response
from survey_app.security.check_digits import SLIP_DIGITS, grouped
from survey_app.security.submission_keys import Form, SubmissionKey
from survey_app.storage.database import Base
from tests.factories import NOW, SECRET, make_community, make_poster_code, make_round, make_slip

ANSWERS = {"q01": ["4"], "q16": ["1"]}


@pytest.fixture
def survey(database):
    """A round that asks through slips alone, and one community."""
    with database.writing() as session:
        return make_round(session, accepts_posters=False, accepts_households=True), make_community(session)


def issue(database, survey, count=1, *, secret_key=SECRET, **values):
    survey_round, community = survey
    with database.writing() as session:
        return issue_slips(
            session,
            survey_round=session.merge(survey_round),
            community=session.merge(community),
            new=new_slips(count, secret_key=secret_key),
            **{"now": NOW} | values,
        )


def revoke(session, survey, typed, because):
    community = session.merge(survey[1])
    return revoke_slips(session, community=community, typed=typed, because=because, secret_key=SECRET, now=NOW)


def scan(database, typed, now=NOW):
    with database.reading() as session:
        return scan_slip(session, typed=typed, secret_key=SECRET, now=now)


def visit_of(database, reference, now=NOW):
    with database.reading() as session:
        return open_visit(session, token=reference, secret_key=SECRET, now=now)


def answer(database, slip, now=NOW, answers=ANSWERS):
    visit = visit_of(database, scan(database, slip.token, now), now)
    key = SubmissionKey.new(form=Form.RESPONSE, code_id=visit.code_id, round_id=visit.round_id, now=now)
    with database.writing() as session:
        return record_response(
            session,
            visit=visit,
            key=key,
            answers=visit.questionnaire.check_answers(answers),
            language="zh-Hans",
            secret_key=SECRET,
            now=now,
        )


def test_a_slip_opens_the_form_by_its_token_its_address_or_its_digits(database, survey):
    [slip] = issue(database, survey).slips

    for typed in (slip.token, f"https://example.cn/h/{slip.token}", slip.digits, grouped(slip.digits)):
        visit = visit_of(database, scan(database, typed))
        assert (visit.community_id, visit.round_id, visit.kind) == (survey[1].id, survey[0].id, "household")
        assert not visit.has_earlier
    assert (len(slip.token), len(slip.digits)) == (39, SLIP_DIGITS)


def test_what_is_printed_on_slips_is_stored_nowhere(database, survey):
    slips = issue(database, survey, count=5).slips

    with database.reading() as session:
        stored = [
            text
            for table in Base.metadata.sorted_tables
            for column in table.columns
            for text in session.scalars(select(cast(column, String)).select_from(table))
            if text is not None
        ]
    assert len({slip.token for slip in slips} | {slip.digits for slip in slips}) == 10
    for secret in (secret for slip in slips for secret in (slip.token, slip.digits)):
        assert not any(secret in text for text in stored)


def test_no_column_can_hold_a_flat(database):
    columns = {column["name"] for column in inspect(database.engine).get_columns("code")}

    assert not columns & {"flat", "room", "address", "unit"}


def test_the_address_after_the_scan_says_neither_token_nor_digits_and_cannot_be_forged(database, survey):
    [slip] = issue(database, survey).slips
    reference = scan(database, slip.token)

    assert slip.token not in reference
    assert slip.digits not in reference
    for forged in (reference[:-1], "x" + reference, reference.replace(".", "..")):
        with pytest.raises(UnknownCode):
            visit_of(database, forged)
    with pytest.raises(UnknownCode):
        read_reference(reference, secret_key="another installation's")


def test_a_slip_of_another_installation_is_unknown(database, survey):
    [slip] = issue(database, survey, secret_key="another installation's").slips

    for typed in (slip.token, slip.digits):
        with pytest.raises(UnknownCode):
            scan(database, typed)


def test_the_address_goes_stale_and_the_slip_does_not(database, survey):
    [slip] = issue(database, survey).slips
    reference = scan(database, slip.token)

    assert visit_of(database, reference, NOW + VISIT_LIFETIME)
    late = NOW + VISIT_LIFETIME + timedelta(seconds=1)
    with pytest.raises(VisitExpired):
        visit_of(database, reference, late)
    assert visit_of(database, scan(database, slip.token, late), late)


def test_the_next_form_of_a_household_says_that_it_replaces(database, survey):
    first, second = issue(database, survey, count=2).slips
    answer(database, first)

    assert visit_of(database, scan(database, first.digits)).has_earlier
    assert not visit_of(database, scan(database, second.digits)).has_earlier


def test_a_round_says_which_code_it_needs(database):
    with database.writing() as session:
        closed = make_round(
            session,
            accepts_households=True,
            opens_at=NOW - timedelta(days=90),
            closes_at=NOW - timedelta(days=60),
        )
        community = make_community(session)
        poster = make_poster_code(session, community).token
        slip = issue_slips(
            session,
            survey_round=closed,
            community=community,
            new=new_slips(1, secret_key=SECRET),
            now=NOW - timedelta(days=80),
        ).slips[0]
    with pytest.raises(NoOpenRound):
        visit_of(database, scan(database, slip.token))

    with database.writing() as session:
        make_round(session, accepts_posters=False, accepts_households=True)

    for token in (poster, scan(database, slip.token)):
        with pytest.raises(OtherCodeNeeded) as caught:
            visit_of(database, token)
        assert (caught.value.accepts_posters, caught.value.accepts_households) == (False, True)


def test_a_poster_round_issues_no_slips(database):
    with database.writing() as session:
        survey = make_round(session), make_community(session)

    with pytest.raises(SlipsRefused):
        issue(database, survey)


def test_no_slips_are_issued_for_a_round_that_is_over(database, survey):
    with pytest.raises(SlipsRefused):
        issue(database, survey, now=survey[0].closes_at)


def test_an_expired_slip_opens_no_form(database, survey):
    [slip] = issue(database, survey, expires_at=NOW + timedelta(days=1)).slips

    assert scan(database, slip.digits)
    with pytest.raises(ExpiredCode):
        scan(database, slip.digits, NOW + timedelta(days=1))


def test_slips_on_the_desk_are_revoked_by_their_digits_and_what_is_none_is_named(database, survey):
    spoiled, returned, good = issue(database, survey, count=3).slips
    with database.writing() as session:
        for typed, because in (
            ([spoiled.digits, "1234"], Revocation.SPOILED),
            ([returned.token, spoiled.digits], Revocation.RETURNED),
        ):
            refused = revoke(session, survey, typed, because)
            assert refused == typed[1:]

    for slip in (spoiled, returned):
        with pytest.raises(RevokedCode):
            scan(database, slip.token)
    assert scan(database, good.token)


def test_a_slip_of_another_community_is_left_alone(database, survey):
    [slip] = issue(database, survey).slips
    with database.writing() as session:
        elsewhere = make_community(session)

        assert revoke(session, (survey[0], elsewhere), [slip.digits], Revocation.RETURNED) == [slip.digits]
    assert scan(database, slip.digits)


def test_a_reference_dies_with_its_slip(database, survey):
    [slip] = issue(database, survey).slips
    reference = scan(database, slip.token)
    with database.writing() as session:
        revoke(session, survey, [slip.token], Revocation.LOST)

        with pytest.raises(RevokedCode):
            open_visit(session, token=reference, secret_key=SECRET, now=NOW)
        with pytest.raises(RevokedCode):
            find_code(session, token=reference, secret_key=SECRET)


def test_the_slip_that_replaces_a_known_one_stands_for_the_same_household(database, survey):
    [lost] = issue(database, survey).slips
    answer(database, lost)

    with database.writing() as session:
        [slip] = replace_slip(session, typed=lost.digits, secret_key=SECRET, now=NOW).slips
        with pytest.raises(RevokedCode):
            replace_slip(session, typed=lost.digits, secret_key=SECRET, now=NOW)

    assert visit_of(database, scan(database, slip.token)).has_earlier
    with pytest.raises(RevokedCode):
        scan(database, lost.token)
    answer(database, slip, NOW + timedelta(hours=1))
    with database.reading() as session:
        assert len(set(session.scalars(select(Response.household_key)))) == 1


def test_a_slip_for_an_unknown_lost_one_is_another_household_and_is_counted_as_a_reprint(database, survey):
    issue(database, survey, count=2)
    issue(database, survey, is_reprint=True)

    with database.reading() as session:
        counts = count_slips(session, survey_round=survey[0])
        assert len(set(session.scalars(select(Code.household_key)))) == 3
    assert counts == {survey[1].id: SlipCounts(issued=3, reprints=1)}


def test_issued_spoiled_returned_and_lost_slips_add_up(database, survey):
    slips = issue(database, survey, count=10).slips
    unprinted = issue(database, survey, count=4)
    with database.writing() as session:
        for typed, because in (
            (slips[:1], Revocation.SPOILED),
            (slips[1:3], Revocation.RETURNED),
            (slips[3:6], Revocation.LOST),
        ):
            revoke(session, survey, [slip.digits for slip in typed], because)
        assert spoil_batch(session, batch=session.get_one(SlipBatch, unprinted.batch_id), now=NOW) == 4

        counts = count_slips(session, survey_round=survey[0])[survey[1].id]

    assert counts == SlipCounts(issued=14, reprints=0, spoiled=5, returned=2, lost=3)
    assert counts.outstanding == 4


def test_a_complaint_can_be_filed_through_a_slip(database, survey):
    with database.writing() as session:
        slip = make_slip(session, session.merge(survey[0]), session.merge(survey[1]))
        reference = scan_slip(session, typed=slip.token, secret_key=SECRET, now=NOW)

        assert find_code(session, token=reference, secret_key=SECRET).community_id == survey[1].id
