"""Up and down on a database that holds something, on both engines."""

from datetime import timedelta

import pytest
from alembic import command
from sqlalchemy import String, bindparam, column, delete, func, insert, select, text
from sqlalchemy import table as sql_table
from sqlalchemy.exc import DBAPIError, IntegrityError

from analytics.canonical import canonical_json, sha256_hex
from survey_app.jobs.history import LastRun, last_runs
from survey_app.models import (
    Attachment,
    Code,
    Complaint,
    EvaluationNumber,
    Job,
    RegionProfile,
    ResponseReview,
    Round,
    StandingEvidence,
)
from survey_app.models.rounds import ROUNDS_APART
from survey_app.models.vocabulary import ResponseChangeReason
from survey_app.responses.receipts import RESIDENT, withdraw_response
from survey_app.storage.database import UTCDateTime
from tests.factories import (
    NOW,
    make_account,
    make_community,
    make_complaint,
    make_job,
    make_response,
    make_round,
    make_slip,
)

BEFORE_HOUSEHOLD_CODES = "0011"
BEFORE_NEEDED_RESPONSES = "0022"
BEFORE_CHANNELS = "0029"
BEFORE_JOBS = "0030"
BEFORE_PHOTOS_OF_RESPONSES = "0025"
BEFORE_ATTACHMENTS = "0031"
BEFORE_ONE_HOLD = "0053"
BEFORE_ROUNDS_APART = "0055"


def contents(database):
    with database.reading() as session:
        return {
            table: [tuple(row) for row in session.execute(text(f"SELECT * FROM {table} ORDER BY id"))]
            for table in ("round", "code", "response", "complaint", "community")
        }


def go_down_and_up(database, earlier=BEFORE_HOUSEHOLD_CODES):
    command.downgrade(database.alembic_config(), earlier)
    command.upgrade(database.alembic_config(), "head")


def test_answers_through_posters_survive_the_way_down_and_up_again(database):
    with database.writing() as session:
        survey_round, community = make_round(session), make_community(session)
        for _ in range(5):
            make_response(session, survey_round, community)
        session.scalars(select(Code)).first().revoked_at = NOW
    before = contents(database)

    go_down_and_up(database)

    assert contents(database) == before


def test_rounds_of_before_take_posters_and_no_slips(database):
    with database.writing() as session:
        make_round(session)

    go_down_and_up(database)

    with database.reading() as session:
        survey_round = session.scalars(select(Round)).one()
        assert (survey_round.accepts_posters, survey_round.accepts_households) == (True, False)


def add_evaluation_of_before(database):
    """Store an evaluation with one standing, as the earlier schema has them, and return its id."""
    with database.writing() as session:
        community, survey_round = make_community(session), make_round(session)
        session.add(EvaluationNumber(id=1, taken_at=NOW))
        session.flush()
        session.execute(
            text(
                "INSERT INTO evaluation (id, round_id, rule_file_id, provisional, cut_off, inputs, inputs_sha256, "
                "standings_sha256, summary, responses, code_version, evaluated_at) "
                "VALUES (1, :round, :rules, FALSE, :now, :inputs, '', '', '', 0, '', :now)"
            ).bindparams(bindparam("now", type_=UTCDateTime)),
            {
                "round": survey_round.id,
                "rules": survey_round.rule_file_id,
                "inputs": canonical_json({"community_id": [], "region": []}),
                "now": NOW,
            },
        )
    return 1, community.id


def test_evidence_of_before_has_no_forecast_and_stays_frozen(database):
    evaluation, community = add_evaluation_of_before(database)
    with database.writing() as session:
        session.execute(
            text(
                "INSERT INTO standing (evaluation_id, community_id, region, satisfaction_status, satisfaction_reason, "
                "complaint_status, complaint_reason, criterion_status) "
                "VALUES (:evaluation, :community, '', 'met', '', 'met', '', 'met')"
            ),
            {"evaluation": evaluation, "community": community},
        )
        session.add(StandingEvidence(evaluation_id=evaluation, community_id=community, satisfaction_upper=0.9))
    go_down_and_up(database, BEFORE_NEEDED_RESPONSES)

    with database.reading() as session:
        evidence = session.scalars(select(StandingEvidence)).one()
        assert evidence.satisfaction_upper == 0.9
        assert evidence.satisfaction_needed_assurance is None
    with pytest.raises(DBAPIError, match="frozen"), database.writing() as session:
        session.execute(text("UPDATE standing_evidence SET satisfaction_evidence = 'certain'"))


def test_what_two_examinations_held_again_after_a_decision_stays_decided(database):
    with database.writing() as session:
        survey_round, community = make_round(session), make_community(session)
        response = make_response(session, survey_round, community).id
    command.downgrade(database.alembic_config(), BEFORE_ONE_HOLD)
    with database.writing() as session:
        for state, reason, account in (
            ("held", None, None),
            ("held", None, None),
            ("released", "核实", make_account(session).id),
            ("held", None, None),
        ):
            review = {"response_id": response, "state": state, "families": "burst", "reason": reason}
            session.execute(insert(ResponseReview), {**review, "account_id": account, "at": NOW})

    command.upgrade(database.alembic_config(), "head")

    with database.reading() as session:
        states = session.scalars(select(ResponseReview.state).order_by(ResponseReview.id)).all()
    assert states == ["held", "released"]


@pytest.mark.postgresql
def test_rounds_that_overlap_are_named_and_not_kept_apart_before_somebody_decides(postgresql_database):
    command.downgrade(postgresql_database.alembic_config(), BEFORE_ROUNDS_APART)
    with postgresql_database.writing() as session:
        for name, days in (("春季", 0), ("夏季", 5), ("秋季", 10)):
            opens_at = NOW + timedelta(days=days)
            make_round(session, name=name, opens_at=opens_at, closes_at=opens_at + timedelta(days=7 if days else 5))

    with pytest.raises(RuntimeError, match="some overlap: 夏季 and 秋季; nothing was changed"):
        command.upgrade(postgresql_database.alembic_config(), "head")

    with postgresql_database.writing() as session:
        session.execute(delete(Round).filter_by(name="夏季"))
    command.upgrade(postgresql_database.alembic_config(), "head")
    with postgresql_database.writing() as session, pytest.raises(IntegrityError, match=ROUNDS_APART):
        make_round(session, opens_at=NOW + timedelta(days=16), closes_at=NOW + timedelta(days=20))


@pytest.mark.parametrize("beyond", ["slips", "withdrawals"])
def test_what_the_earlier_schema_would_count_wrongly_is_never_dropped(database, beyond):
    with database.writing() as session:
        survey_round, community = make_round(session, accepts_households=True), make_community(session)
        number = make_response(session, survey_round, community).receipt
        if beyond == "slips":
            make_slip(session, survey_round, community)
        else:
            withdraw_response(session, number=number, reason=ResponseChangeReason.OTHER, by=RESIDENT, now=NOW)
    before = contents(database)

    with pytest.raises(RuntimeError, match="nothing was changed"):
        go_down_and_up(database)

    database.require_current()
    assert contents(database) == before


def test_complaints_of_before_came_by_a_code_and_results_of_before_stay_frozen(database):
    evaluation, _community = add_evaluation_of_before(database)
    with database.writing() as session:
        make_complaint(session, make_community(session))
        session.add(
            RegionProfile(
                evaluation_id=evaluation, region="", answers="{}", complaints="{}", channels="{}", drivers="{}"
            )
        )

    go_down_and_up(database, BEFORE_CHANNELS)

    with database.reading() as session:
        assert session.scalars(select(Complaint.channel)).all() == ["code"]
        assert session.scalars(select(RegionProfile.channels)).all() == ["{}"]
    with pytest.raises(DBAPIError, match="frozen"), database.writing() as session:
        session.execute(text("UPDATE region_profile SET channels = ''"))


def chore_runs(database):
    columns = {"begun_at": UTCDateTime, "done_at": UTCDateTime, "failure": String}
    table = sql_table("chore_run", column("chore", String), *(column(name, kind) for name, kind in columns.items()))
    with database.reading() as session:
        return sorted(tuple(row) for row in session.execute(select(table)))


def test_times_of_recurring_work_are_kept_on_the_way_up_and_down(database):
    hour = timedelta(hours=1)
    runs = [
        ("complaints", NOW, NOW, None),
        ("examination", NOW, NOW - hour, None),  # its process died
        ("retention", NOW, NOW - hour, "OperationalError"),
    ]
    command.downgrade(database.alembic_config(), BEFORE_JOBS)
    with database.writing() as session:
        times = bindparam("begun", type_=UTCDateTime), bindparam("done", type_=UTCDateTime)
        statement = text("INSERT INTO chore_run VALUES (:chore, :begun, :done, :failure)").bindparams(*times)
        for chore, begun_at, done_at, failure in runs:
            session.execute(statement, {"chore": chore, "begun": begun_at, "done": done_at, "failure": failure})

    command.upgrade(database.alembic_config(), "head")

    with database.reading() as session:
        found = last_runs(session, kinds=[name for name, *_times in runs])
        assert found["complaints"] == LastRun(is_open=False, begun_at=NOW, done_at=NOW, failed_at=None)
        assert found["examination"] == LastRun(is_open=True, begun_at=NOW, done_at=NOW - hour, failed_at=None)
        assert found["retention"] == LastRun(is_open=False, begun_at=NOW, done_at=NOW - hour, failed_at=NOW)

    command.downgrade(database.alembic_config(), BEFORE_JOBS)

    assert chore_runs(database) == runs


def test_jobs_that_wait_are_never_dropped_on_the_way_down(database):
    with database.writing() as session:
        make_job(session)

    with pytest.raises(RuntimeError, match="nothing was changed"):
        command.downgrade(database.alembic_config(), BEFORE_JOBS)

    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 1


def photo_of(community, number, **values):
    content = bytes([number])
    defaults = {
        "kind": "photo",
        "name": f"photo{number}",
        "media_type": "image/jpeg",
        "size": len(content),
        "sha256": sha256_hex(content),
        "upload_sha256": f"{number}",
        "submission_key": f"key{number}",
        "question": "q25" if "response_id" in values else "",
        "community_id": community.id,
        "content": content,
        "added_at": NOW,
    }
    return Attachment(**defaults | values)


def photos_in(database):
    with database.reading() as session:
        return [tuple(row) for row in session.execute(select(Attachment.__table__.c).order_by(Attachment.name))]


def test_photos_of_complaints_survive_the_way_down_and_up_again(database):
    with database.writing() as session:
        complaint = make_complaint(session, make_community(session))
        session.add(photo_of(complaint.community, 1, complaint_id=complaint.id))
        session.add(photo_of(complaint.community, 2))
    before = photos_in(database)

    go_down_and_up(database, BEFORE_PHOTOS_OF_RESPONSES)

    assert photos_in(database) == before


def test_photos_of_responses_are_never_dropped_on_the_way_down(database):
    with database.writing() as session:
        community = make_community(session)
        response = make_response(session, make_round(session), community)
        session.add(photo_of(community, 1, response_id=response.id))
    before = photos_in(database)

    with pytest.raises(RuntimeError, match="nothing was changed"):
        go_down_and_up(database, BEFORE_PHOTOS_OF_RESPONSES)

    assert photos_in(database) == before


def test_photos_become_attachments_with_their_size_and_hash_and_photos_again(database):
    with database.writing() as session:
        community = make_community(session)
        complaint = make_complaint(session, community)
        response = make_response(session, make_round(session), community)
        owners = [{"complaint_id": complaint.id}, {"response_id": response.id}, {}]
        # More than are read at once.
        session.add_all(photo_of(community, number, **owners[number % 3]) for number in range(123))
    before = photos_in(database)

    command.downgrade(database.alembic_config(), BEFORE_ATTACHMENTS)
    with database.reading() as session:
        contents_below = dict(session.execute(text("SELECT name, content FROM photo")).all())
    command.upgrade(database.alembic_config(), "head")

    assert {name: bytes(content) for name, content in contents_below.items()} == {
        f"photo{number}": bytes([number]) for number in range(123)
    }
    assert photos_in(database) == before


def test_files_that_are_no_photos_are_never_dropped_on_the_way_down(database):
    with database.writing() as session:
        session.add(photo_of(make_community(session), 1, kind="deed", media_type="application/pdf"))
    before = photos_in(database)

    with pytest.raises(RuntimeError, match="nothing was changed"):
        go_down_and_up(database, BEFORE_ATTACHMENTS)

    assert photos_in(database) == before


def test_an_attachment_still_has_one_owner_after_the_way_down_and_up(database):
    with database.writing() as session:
        community = make_community(session)
        complaint = make_complaint(session, community)
        response = make_response(session, make_round(session), community)

    go_down_and_up(database, BEFORE_ATTACHMENTS)

    with pytest.raises(IntegrityError, match="owner"), database.writing() as session:
        session.add(photo_of(community, 1, complaint_id=complaint.id, response_id=response.id))
