"""Rows for tests; a test sets only what it is about."""

import io
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count

from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from analytics.canonical import canonical_json, sha256_hex
from survey_app.attachments.photos import thumbnail
from survey_app.casework.releases import Release, store_release
from survey_app.codes.codes import Slip, issue_slips, new_slips
from survey_app.collection.changes import prepare_arrivals
from survey_app.complaints.cases import record_history, take_step
from survey_app.complaints.casework_files import casework_file_at
from survey_app.complaints.contacts import store_contact
from survey_app.complaints.state_machine import Event
from survey_app.config import DATA
from survey_app.models import (
    Account,
    Attachment,
    AttachmentThumbnail,
    CallBack,
    CallBackResult,
    CallBackSample,
    Code,
    Community,
    Complaint,
    ComplaintAppeal,
    ComplaintEvent,
    District,
    Evaluation,
    EvaluationNumber,
    Job,
    Neighbourhood,
    Questionnaire,
    Response,
    Round,
    RuleFile,
    Subdistrict,
)
from survey_app.models.vocabulary import CaseAction, CaseActor
from survey_app.rounds.questionnaires import parse_questionnaire
from survey_app.rounds.rounds import GRACE_PERIOD
from survey_app.security.check_digits import RECEIPT_DIGITS, new_number

NOW = datetime(2026, 9, 15, 4, 0, tzinfo=UTC)
CLOSED = NOW + timedelta(days=10)
SETTLED = CLOSED + GRACE_PERIOD
SECRET = "only for tests: 7f3c9a1e5b8d2046"
_numbers = count(1)


def make_district(session: Session, **values: object) -> District:
    number = next(_numbers)
    return _add(
        session, District, values, name=f"第{number}区", english_name=f"District {number}", sort_key=f"{number:06}"
    )


def make_subdistrict(session: Session, **values: object) -> Subdistrict:
    number = next(_numbers)
    if "district" not in values:
        values["district"] = make_district(session)
    return _add(
        session,
        Subdistrict,
        values,
        name=f"第{number}街道",
        english_name=f"Subdistrict {number}",
        sort_key=f"{number:06}",
    )


def make_neighbourhood(session: Session, **values: object) -> Neighbourhood:
    number = next(_numbers)
    if "subdistrict" not in values:
        values["subdistrict"] = make_subdistrict(session)
    return _add(
        session,
        Neighbourhood,
        values,
        name=f"第{number}社区",
        english_name=f"Neighbourhood {number}",
        sort_key=f"{number:06}",
    )


def make_community(session: Session, **values: object) -> Community:
    number = next(_numbers)
    if "district" not in values and "district_id" not in values:
        values["district"] = make_district(session)
    return _add(
        session,
        Community,
        values,
        number=f"{number:06}",
        name=f"第{number}小区",
        english_name=f"Community {number}",
        households_delivered=500,
        households_occupied=400,
        households_owners=300,
        sort_key=f"{number:06}",
    )


def make_round(session: Session, **values: object) -> Round:
    """Add a round that is open at `NOW` and until `CLOSED`, with the shipped questionnaire and rules."""
    if "questionnaire" not in values:
        definition = _shipped_questionnaire()
        existing = session.query(Questionnaire).filter_by(sha256=definition.sha256).one_or_none()
        values["questionnaire"] = existing or _add(
            session,
            Questionnaire,
            {},
            key=definition.key,
            version=definition.version,
            text=definition.canonical_text,
            sha256=definition.sha256,
            published_at=NOW - timedelta(days=30),
        )
    if "rule_file" not in values:
        content = (DATA / "rules" / "wuhai" / "2021-08-23.yaml").read_bytes()
        existing = session.query(RuleFile).filter_by(sha256=sha256_hex(content)).one_or_none()
        values["rule_file"] = existing or _add(
            session,
            RuleFile,
            {},
            name="wuhai-2021-08-23",
            content=content,
            sha256=sha256_hex(content),
            added_at=NOW - timedelta(days=30),
        )
    number = next(_numbers)
    kept_until = (values.get("closes_at", CLOSED) + timedelta(days=365)).date()
    return _add(
        session,
        Round,
        values,
        responses_kept_until=kept_until,
        name=f"第{number}轮",
        english_name=f"Round {number}",
        opens_at=NOW - timedelta(days=10),
        closes_at=CLOSED,
        accepts_posters=True,
        accepts_households=False,
    )


@cache
def _shipped_questionnaire():
    path = DATA / "questionnaires" / "resident-satisfaction-1.yaml"
    return parse_questionnaire(path.read_bytes(), path.name)


def make_round_around(session: Session, now: datetime, **values: object) -> Round:
    """Add a round that opened three days before a time and closes three days after it."""
    return make_round(session, **{"opens_at": now - timedelta(days=3), "closes_at": now + timedelta(days=3)} | values)


def move_rounds_aside(session: Session) -> None:
    """Give each stored round two days long ago, so that another one can be open at `NOW`."""
    for survey_round in session.query(Round):
        survey_round.opens_at = NOW - timedelta(days=1_000 + 3 * survey_round.id)
        survey_round.closes_at = survey_round.opens_at + timedelta(days=2)
    session.flush()


def make_poster_code(session: Session, community: Community | None = None, **values: object) -> Code:
    return _add(
        session,
        Code,
        values,
        kind="poster",
        token=f"token{next(_numbers):06}",
        community=community or make_community(session),
        issued_at=NOW - timedelta(days=20),
        revoked_at=None,
    )


def make_slip(session: Session, survey_round: Round, community: Community) -> Slip:
    """Print one household slip."""
    return issue_slips(
        session, survey_round=survey_round, community=community, new=new_slips(1, secret_key=SECRET), now=NOW
    ).slips[0]


def make_response(session: Session, survey_round: Round, community: Community, **values: object) -> Response:
    """Add an owner's response; the answer to the tenure question follows `tenure`."""
    number = next(_numbers)
    tenure = values.get("tenure", 1)
    answers = values.pop("answers", {"q01": 5}) | {"q16": tenure}
    if "code_id" not in values:
        values["code_id"] = make_poster_code(session, community).id
    record_arrivals = prepare_arrivals(session, [{"household_key": values.get("household_key")}])
    response = _add(
        session,
        Response,
        values,
        submission_key=f"key{number}",
        receipt=f"{number:012}",
        round_id=survey_round.id,
        community_id=community.id,
        questionnaire_id=survey_round.questionnaire_id,
        language="zh-Hans",
        mode="web",
        tenure=tenure,
        started_at=NOW - timedelta(minutes=3),
        submitted_at=NOW,
        answers=canonical_json(answers),
        nonce=b"sixteen bytes at",
        commitment=f"{number:064}",
    )
    record_arrivals([{column.name: getattr(response, column.name) for column in Response.__table__.columns}])
    return response


def make_photo(session: Session, owner: Response | Complaint, **values: object) -> Attachment:
    """Add a photo of one colour that came with a response or a complaint."""
    stream = io.BytesIO()
    Image.new("RGB", (64, 48), "green").save(stream, "JPEG")
    content = stream.getvalue()
    of_form = {"submission_key": owner.submission_key, "question": "q24" if isinstance(owner, Response) else ""}
    photo = _add_attachment(session, values, owner, content, kind="photo", media_type="image/jpeg", **of_form)
    _add(session, AttachmentThumbnail, {}, attachment_id=photo.id, content=thumbnail(content))
    return photo


def make_document(session: Session, complaint: Complaint, **values: object) -> Attachment:
    """Add a PDF document that an office sent with a note to a case."""
    of_note = {"submission_key": f"note{next(_numbers)}", "question": ""}
    content, media_type = b"%PDF-1.7 %%EOF", "application/pdf"
    return _add_attachment(session, values, complaint, content, kind="document", media_type=media_type, **of_note)


def _add_attachment(session, values, owner, content, *, kind, **defaults):
    is_response, number = isinstance(owner, Response), next(_numbers)
    return _add(
        session,
        Attachment,
        values,
        kind=kind,
        name=f"{kind}{number}",
        community_id=owner.community_id,
        response_id=owner.id if is_response else None,
        complaint_id=None if is_response else owner.id,
        size=len(content),
        sha256=sha256_hex(content),
        upload_sha256=f"{number:064}",
        content=content,
        added_at=owner.submitted_at,
        **defaults,
    )


def make_account(session: Session, **values: object) -> Account:
    number = next(_numbers)
    return _add(
        session,
        Account,
        values,
        username=f"account{number}",
        password_hash="",
        role="city",
        created_at=NOW,
    )


def make_complaint(session: Session, community: Community, **values: object) -> Complaint:
    """Add a submitted case with its first event; a test that sets another status says nothing of how it came to it."""
    number = next(_numbers)
    if "code_id" not in values:
        values["code_id"] = make_poster_code(session, community).id
    submitted_at = values.get("submitted_at", NOW)
    if "casework_file_id" not in values:
        values["casework_file_id"] = casework_file_at(session, submitted_at).id
    if values.get("status", "submitted") == "submitted":
        # Computed by no calendar yet, as of a case from before it was noted.
        values.setdefault("next_step_at", submitted_at)
        values.setdefault("next_step_basis", "")
    complaint = _add(
        session,
        Complaint,
        values,
        submission_key=f"key{number}",
        reference=new_number(RECEIPT_DIGITS),
        secret_hash=None,
        community=community,
        category="EQ01",
        kind="complaint",
        text="电梯停在五楼",
        place="",
        occurred_on=None,
        language="zh-Hans",
        status="submitted",
        status_since=submitted_at,
        submitted_at=NOW,
    )
    _add(
        session,
        ComplaintEvent,
        {},
        complaint_id=complaint.id,
        number=1,
        action="submit",
        actor="resident",
        at=submitted_at,
    )
    return complaint


def give_to_company(session: Session, complaint: Complaint, *, now: datetime, photos=(), text="楼道灯坏了") -> None:
    """Accept a case and dispatch it to the company of its community, with released words."""
    asked = {"reference": complaint.reference, "actor": CaseActor.BUREAU, "by": "account:1", "now": now}
    take_step(session, action=CaseAction.ACCEPT, **asked)
    take_step(session, action=CaseAction.DISPATCH, company_id=complaint.community.company_id, **asked)
    store_release(session, complaint, Release(text, "3号楼", photos))


def make_closed_case(session: Session, community: Community, *, secret_key: str, **values: object) -> Complaint:
    """Add a case that the office answered and the resident confirmed on the same day, with a telephone number."""
    complaint = make_complaint(session, community, **values)
    steps = (
        (CaseAction.ACCEPT, CaseActor.BUREAU),
        (CaseAction.DISPATCH, CaseActor.BUREAU),
        (CaseAction.START, CaseActor.BUREAU),
        (CaseAction.RESPOND, CaseActor.BUREAU),
        (CaseAction.CONFIRM, CaseActor.RESIDENT),
    )
    filed = complaint.submitted_at
    events = [Event(action, actor, filed + timedelta(hours=hour)) for hour, (action, actor) in enumerate(steps)]
    record_history(session, reference=complaint.reference, events=events)
    store_contact(session, complaint=complaint, contact="13800138000", secret_key=secret_key, now=filed)
    return complaint


def make_call_back(
    session: Session, complaint: Complaint, *, sample: CallBackSample | None = None, at: datetime, **said: object
) -> CallBack:
    """Add a drawn case whose resident was called and said what a test says, or else that all is well."""
    if sample is None:
        sample = _add(
            session,
            CallBackSample,
            {},
            month="2026-08",
            district_id=None,
            casework_file_id=complaint.casework_file_id,
            seed="seed",
            listed="[]",
            size=1,
            without_telephone=0,
            account_id=make_account(session).id,
            drawn_at=at,
        )
    drawn = select(func.count()).select_from(CallBack).where(CallBack.sample_id == sample.id)
    number = 1 + (session.scalar(drawn) or 0)
    call_back = _add(session, CallBack, {}, sample=sample, number=number, complaint_id=complaint.id, recorded="silent")
    answers = {} if said.get("outcome") else {"contacted": "yes", "resolved": "yes", "satisfied": "yes"}
    _add(
        session,
        CallBackResult,
        answers | said,
        call_back_id=call_back.id,
        number=1,
        outcome="reached",
        account_id=sample.account_id,
        at=at,
    )
    return call_back


def make_appeal(session: Session, complaint: Complaint, *, now: datetime, text="不属于物业职责") -> ComplaintAppeal:
    """Add the appeal of the company in charge against counting a case."""
    return _add(
        session,
        ComplaintAppeal,
        {},
        complaint_id=complaint.id,
        company_id=complaint.community.company_id,
        account_id=make_account(session).id,
        reason="other_authority",
        text=text,
        filed_at=now,
    )


def make_evaluation(session: Session, survey_round: Round, **values: object) -> Evaluation:
    """Add an official evaluation without standings."""
    return _add(
        session,
        Evaluation,
        values,
        id=_add(session, EvaluationNumber, {}, taken_at=NOW).id,
        round_id=survey_round.id,
        rule_file_id=survey_round.rule_file_id,
        provisional=False,
        cut_off=survey_round.closes_at,
        inputs="{}",
        inputs_sha256="0" * 64,
        standings_sha256="0" * 64,
        summary="{}",
        responses=0,
        code_version="0",
        evaluated_at=CLOSED,
    )


def make_job(session: Session, **values: object) -> Job:
    """Add a job that is due at `NOW`, or one that a test says more about."""
    return _add(
        session, Job, values, kind="export", arguments="{}", enqueued_by="account:1", enqueued_at=NOW, due_at=NOW
    )


def _add(session, table, values, **defaults):
    row = table(**(defaults | values))
    session.add(row)
    session.flush()
    return row
