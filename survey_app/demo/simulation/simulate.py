"""Simulation run: the simulated city goes through the same checks and statements as a resident's phone."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey_app.accounts.accounts import BoundTo, add_account, find_account
from survey_app.accounts.credentials import credentials_of
from survey_app.accounts.installation import use_as_demo
from survey_app.audit import OPERATOR, account_actor
from survey_app.casework.releases import Release, store_release
from survey_app.codes.codes import (
    ScannedCode,
    Slip,
    find_code,
    issue_poster_code,
    issue_slips,
    new_slips,
    revoke_slips,
    scan_slip,
)
from survey_app.complaints.calendars import calendar
from survey_app.complaints.cases import find_complaint, record_history
from survey_app.complaints.casework_files import rules_at
from survey_app.complaints.categories import categories, category_of
from survey_app.complaints.deadlines import Clock
from survey_app.complaints.filing import check_complaint, file_complaint
from survey_app.complaints.redaction import redact
from survey_app.complaints.state_machine import ENDED, Event
from survey_app.config import DATA
from survey_app.demo.simulation.calendar import RoundDates, plan_rounds
from survey_app.demo.simulation.call_results import call_residents
from survey_app.demo.simulation.case_histories import MERGED_AFTER, draw_case_history, merged_history
from survey_app.demo.simulation.city import COMMUNITIES, SimulatedCommunity, build_city, community_table
from survey_app.demo.simulation.complaint_texts import DISTRICTS, EVALUATOR, TELEPHONE
from survey_app.demo.simulation.complaints import DAYS_BEFORE_FIRST_CUT_OFF
from survey_app.demo.simulation.hotline_rows import doubles_of, ledger_of
from survey_app.demo.simulation.plan import PlannedCase, PlannedResponse, Way, plan_cases, plan_responses
from survey_app.errors import JiayuanError
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.evaluations.publications import publish_evaluation
from survey_app.hotline.import_files import LEDGERS, find_file, keep_file
from survey_app.hotline.ledger_jobs import ledger_jobs
from survey_app.hotline.matches import decide_match, list_matches
from survey_app.jobs.worker import Worker
from survey_app.models import Account, Community, Complaint, District, HotlineCase, Round
from survey_app.models.vocabulary import CaseStatus, Channel, CodeKind, Mode, ResponseChangeReason, Revocation, Role
from survey_app.register.boundaries import boundary_text, parse_boundaries
from survey_app.register.community_imports import import_communities
from survey_app.responses.integrity_reviews import examine_round
from survey_app.responses.receipts import RESIDENT, withdraw_response
from survey_app.responses.staff_entry import enter_response, open_desk
from survey_app.responses.submission import Visit, open_visit, record_response
from survey_app.rounds.questionnaires import load_questionnaire
from survey_app.rounds.rounds import add_rule_file, create_round, publish_questionnaire
from survey_app.security.submission_keys import Form, SubmissionKey
from survey_app.storage.database import Database
from survey_app.stored_rules import rules_of

QUESTIONNAIRE = DATA / "questionnaires" / "resident-satisfaction-2.yaml"
# Invented shapes, as the city is.
BOUNDARIES = DATA / "samples" / "boundaries" / "schematic.geojson"
RULES = DATA / "rules" / "wuhai" / "2026-11-30.yaml"

# Each chunk is one transaction: long enough for speed, short enough to leave room for a real visitor's.
CHUNK = 1000
# The answers of every simulated round are there to be exported and counted again: about as long as they may be.
KEPT_AFTER_CLOSING = timedelta(days=3 * 365 - 7)

_Item = TypeVar("_Item")
# Of a city of any size some wait to be decided.
_MOST_MATCHES = 1000


class CityExists(JiayuanError):
    """A city was to be simulated in a database that has one already."""

    def __init__(self) -> None:
        super().__init__("this database already holds a city")


class ProgressDisplay(Protocol):
    """Progress display while a sequence is worked through."""

    def __call__(self, sequence: Sequence[_Item], /, description: str) -> Iterable[_Item]:
        """Yield the items of `sequence`."""


@dataclass(frozen=True)
class SimulatedCity:
    """Numbers of what was sent, all of which is stored."""

    communities: int
    responses: int
    complaints: int


def simulate(
    database: Database,
    *,
    secret_key: str,
    seed: int,
    communities: int = COMMUNITIES,
    now: datetime,
    track: ProgressDisplay,
) -> SimulatedCity:
    """Fill an empty database with the city of this seed: three rounds, the last of them open at `now`."""
    city = build_city(seed, communities)
    time_zone = rules_of(RULES.read_bytes()).time_zone
    rounds = plan_rounds(now, time_zone)
    with database.writing() as session:
        round_ids, tokens = _found_city(session, city=city, rounds=rounds, now=now)
    responses = 0
    for round_id, dates in zip(round_ids, rounds, strict=True):
        planned = plan_responses(city, dates, now=now)
        responses += len(planned)
        with database.writing() as session:
            desk = _ResponseDesk(tokens, _hand_out_slips(session, round_id, city, planned, secret_key), secret_key)
        _send(database, planned, desk, track=track, description=f"responses {dates.opens_on.year}")
    cases, zone = plan_cases(city, rounds, list(categories()), now=now), ZoneInfo(time_zone)
    filed = [case for case in cases if case.complaint.channel is not Channel.HOTLINE]
    office = _ComplaintDesk(tokens, secret_key, seed=seed, zone=zone, now=now)
    _send(database, filed, office, track=track, description="complaints")
    random = np.random.default_rng([seed, 5])
    told = [case for case in cases if case.complaint.channel is Channel.HOTLINE]
    told = sorted((*told, *doubles_of(random, filed, now=now)), key=lambda case: case.complaint.submitted_at)
    ledger = ledger_of(random, city, told, zone=zone, now=now)
    imported = _import_ledger(database, ledger, secret_key=secret_key, now=now)
    with database.writing() as session:
        callers = _office_account(session, "callers", now=rounds[0].opens_at).id
    call_residents(database, account_id=callers, random=random, secret_key=secret_key, now=now)
    closed = [round_id for round_id, dates in zip(round_ids, rounds, strict=True) if dates.closes_at <= now]
    for round_id in track(closed, description="evaluations"):
        examine_round(database, round_id=round_id, now=now)
        evaluation = evaluate_round(database, round_id=round_id, now=now)
        with database.writing() as session:
            publish_evaluation(session, evaluation_id=evaluation.id, reason=None, now=now)
    return SimulatedCity(len(city), responses, len(filed) + imported)


def _found_city(
    session: Session, *, city: Sequence[SimulatedCommunity], rounds: Sequence[RoundDates], now: datetime
) -> tuple[list[int], list[str]]:
    """Store places, codes and rounds; return the rounds' ids and each community's token."""
    use_as_demo(session, now=now)
    if session.scalar(select(Community.id).limit(1)) is not None:
        raise CityExists
    founded = rounds[0].closes_at - timedelta(days=DAYS_BEFORE_FIRST_CUT_OFF)
    import_communities(session, table=community_table(city))
    districts = {district.name: district for district in session.scalars(select(District))}
    outlines = parse_boundaries(
        BOUNDARIES.read_bytes(), BOUNDARIES.name, districts=[district.name for district in DISTRICTS]
    )
    for name, district in districts.items():
        district.telephone = TELEPHONE
        district.boundary = boundary_text(outlines[name])
    stored: dict[str | None, Community] = {each.number: each for each in session.scalars(select(Community))}
    codes = [issue_poster_code(session, community=stored[each.row.number], now=founded) for each in city]
    questionnaire = publish_questionnaire(session, definition=load_questionnaire(QUESTIONNAIRE), now=founded)
    rule_file = add_rule_file(session, content=RULES.read_bytes(), source=RULES.name, now=founded)
    created = [
        create_round(
            session,
            name=dates.name,
            english_name=dates.english_name,
            opens_on=dates.opens_on,
            closes_on=dates.closes_on,
            questionnaire=questionnaire,
            rule_file=rule_file,
            now=dates.opens_at,
            accepts=(CodeKind.POSTER, CodeKind.HOUSEHOLD),
            evaluator=EVALUATOR.name,
            evaluator_english_name=EVALUATOR.english,
            responses_kept_until=dates.closes_on + KEPT_AFTER_CLOSING,
        )
        for dates in rounds
    ]
    return [row.id for row in created], [code.token for code in codes if code.token]


def _send(
    database: Database,
    planned: Sequence[_Item],
    desk: Callable[[Session, _Item], None],
    *,
    track: ProgressDisplay,
    description: str,
) -> None:
    chunks = [planned[start : start + CHUNK] for start in range(0, len(planned), CHUNK)]
    for chunk in track(chunks, description=description):
        with database.writing() as session:
            for item in chunk:
                desk(session, item)


def _hand_out_slips(
    session: Session,
    round_id: int,
    city: Sequence[SimulatedCommunity],
    planned: Sequence[PlannedResponse],
    secret_key: str,
) -> dict[int, Sequence[Slip]]:
    """Issue slips where some will answer with one, and return those of each community: its position in the city."""
    survey_round = session.get_one(Round, round_id)
    now = survey_round.opens_at
    stored: dict[str | None, Community] = {each.number: each for each in session.scalars(select(Community))}
    handed_out: dict[int, Sequence[Slip]] = {}
    for position in sorted({response.community for response in planned if response.way is Way.SLIP}):
        community = stored[city[position].row.number]
        highest = max(each.household or 0 for each in planned if each.community == position)
        issue = partial(issue_slips, session, survey_round=survey_round, community=community, now=now)
        *good, spoiled, returned = issue(new=new_slips(highest + 3, secret_key=secret_key)).slips
        issue(new=new_slips(1, secret_key=secret_key), is_reprint=True)
        for slip, because in ((spoiled, Revocation.SPOILED), (returned, Revocation.RETURNED)):
            typed = [slip.digits]
            revoke_slips(session, community=community, typed=typed, because=because, secret_key=secret_key, now=now)
        handed_out[position] = good
    return handed_out


def _import_ledger(database: Database, ledger: bytes, *, secret_key: str, now: datetime) -> int:
    """Import a file of the hotline as its desk does, decide every second suggested match, and return the new cases."""
    worker = Worker(database, ledger_jobs(secret_key), lambda: now)
    with database.writing() as session:
        desk = _office_account(session, "hotline-desk", now=now)
        import_id = keep_file(session, account_id=desk.id, name="12345台账.csv", content=ledger, now=now)
    worker.run_due_jobs()
    with database.writing() as session:
        compared = find_file(session, import_id=import_id)
        credentials = credentials_of(session.get_one(Account, compared.account_id))
        comparison = compared.comparison_sha256 or ""
        LEDGERS.confirm(session, import_id, comparison_sha256=comparison, credentials=credentials, now=now)
    worker.run_due_jobs()
    with database.writing() as session:
        desk = _office_account(session, "hotline-desk", now=now)
        for match in list_matches(session, limit=_MOST_MATCHES)[::2]:
            decide_match(
                session, match_id=match.id, is_same=True, account_id=desk.id, by=account_actor(desk.id), now=now
            )
        return session.scalar(select(func.count()).select_from(HotlineCase)) or 0


def _office_account(session: Session, username: str, *, now: datetime) -> Account:
    """Return an account of the city's bureau that nobody can sign in to."""
    return find_account(session, username=username) or add_account(
        session, username=username, password=None, role=Role.CITY, by=OPERATOR, now=now, bound_to=BoundTo()
    )


class _ResponseDesk:
    """Sends responses the way each comes, scanning each community's poster once a round."""

    def __init__(self, tokens: Sequence[str], slips: Mapping[int, Sequence[Slip]], secret_key: str) -> None:
        self._tokens = tokens
        self._slips = slips
        self._secret_key = secret_key
        self._visits: dict[int, Visit] = {}
        self._typists: dict[int, int] = {}

    def __call__(self, session: Session, planned: PlannedResponse) -> None:
        number = self._type_in(session, planned) if planned.way is Way.PAPER else self._send(session, planned)
        if planned.is_withdrawn:
            withdraw_response(
                session,
                number=number,
                reason=ResponseChangeReason.WRONG_COMMUNITY,
                by=RESIDENT,
                now=planned.submitted_at,
            )

    def _send(self, session: Session, planned: PlannedResponse) -> str:
        visit = self._visit(session, planned)
        key = SubmissionKey.new(
            form=Form.RESPONSE, code_id=visit.code_id, round_id=visit.round_id, now=planned.opened_at
        )
        answers = visit.questionnaire.check_answers(planned.form)
        return record_response(
            session,
            visit=visit,
            key=key,
            answers=answers,
            language=planned.language,
            secret_key=self._secret_key,
            now=planned.submitted_at,
        )

    def _visit(self, session: Session, planned: PlannedResponse) -> Visit:
        if planned.household is not None:
            slip = self._slips[planned.community][planned.household]
            token = scan_slip(session, typed=slip.token, secret_key=self._secret_key, now=planned.opened_at)
            return open_visit(session, token=token, secret_key=self._secret_key, now=planned.opened_at)
        visit = self._visits.get(planned.community)
        if visit is None:
            token = self._tokens[planned.community]
            visit = open_visit(session, token=token, secret_key=self._secret_key, now=planned.opened_at)
            self._visits[planned.community] = visit
        return visit

    def _type_in(self, session: Session, planned: PlannedResponse) -> str:
        community = session.get_one(Community, self._visit(session, planned).community_id)
        desk = open_desk(session, community=community, now=planned.submitted_at)
        key = SubmissionKey.new(form=Form.ENTRY, code_id=None, round_id=desk.round_id, now=planned.opened_at)
        return enter_response(
            session,
            desk=desk,
            key=key,
            answers=desk.questionnaire.check_answers(planned.form),
            mode=Mode.PAPER,
            by=self._typist(session, community, now=planned.submitted_at),
            secret_key=self._secret_key,
            now=planned.submitted_at,
        )

    def _typist(self, session: Session, community: Community, *, now: datetime) -> int:
        """Return the account that types in the paper of a district; it has no password."""
        known = self._typists.get(community.district_id)
        if known is None:
            username = f"typist-{community.number[:6]}"
            account = find_account(session, username=username) or add_account(
                session,
                username=username,
                password=None,
                role=Role.CLERK,
                by=OPERATOR,
                now=now,
                bound_to=BoundTo(community.district),
            )
            known = self._typists[community.district_id] = account.id
        return known


class _ComplaintDesk:
    """Files complaints, scanning each community's poster once, and stores the history of each until now."""

    def __init__(self, tokens: Sequence[str], secret_key: str, *, seed: int, zone: tzinfo, now: datetime) -> None:
        self._tokens = tokens
        self._secret_key = secret_key
        self._random = np.random.default_rng([seed, 4])
        self._zone, self._now = zone, now
        self._codes: dict[int, ScannedCode] = {}
        self._companies: dict[int, int | None] = {}
        # The last case of each community, category and kind that repeats no other, and when it had ended.
        self._last: dict[tuple[int, str, str], tuple[int, datetime | None]] = {}

    def __call__(self, session: Session, planned: PlannedCase) -> None:
        code = self._codes.get(planned.community)
        if code is None:
            code = find_code(session, token=self._tokens[planned.community], secret_key=self._secret_key)
            self._codes[planned.community] = code
        case = planned.complaint
        key = SubmissionKey.new(form=Form.COMPLAINT, code_id=code.id, round_id=None, now=case.submitted_at)
        form = {"category": case.category, "kind": case.kind, "text": case.text, "place": case.place}
        contact = {"contact": case.telephone, "consent": "1"} if case.telephone else {}
        filed = file_complaint(
            session,
            code=code,
            key=key,
            complaint=check_complaint(form | contact, today=case.submitted_at.date()),
            channel=case.channel,
            language="zh-Hans",
            secret_key=self._secret_key,
            now=case.submitted_at,
        )
        complaint = find_complaint(session, reference=filed.reference)
        life = self._repeat(complaint) or self._draw_life(session, complaint)
        record_history(session, reference=filed.reference, events=life)
        if complaint.status != CaseStatus.DUPLICATE:
            ended_at = complaint.status_since if complaint.status in ENDED else None
            self._last[_subject(complaint)] = complaint.id, ended_at
        if any(event.company_id is not None for event in life):
            store_release(session, complaint, Release(redact(complaint.text), redact(complaint.place), ()))

    def _repeat(self, complaint: Complaint) -> Sequence[Event]:
        """Return how a case is merged into one of the same subject that is open; nothing where there is none."""
        original, ended_at = self._last.get(_subject(complaint), (None, None))
        merged_at = complaint.submitted_at + MERGED_AFTER
        if original is None or merged_at >= self._now or (ended_at is not None and ended_at <= merged_at):
            return ()
        return merged_history(original, submitted_at=complaint.submitted_at)

    def _draw_life(self, session: Session, complaint: Complaint) -> Sequence[Event]:
        category, rules = category_of(complaint.category), rules_at(session, complaint.submitted_at)
        return draw_case_history(
            self._random,
            submitted_at=complaint.submitted_at,
            category=category,
            company_id=self._company_of(session, complaint.community_id),
            clock=Clock(category.safety, rules, calendar(session), self._zone),
            now=self._now,
        )

    def _company_of(self, session: Session, community_id: int) -> int | None:
        if community_id not in self._companies:
            self._companies[community_id] = session.get_one(Community, community_id).company_id
        return self._companies[community_id]


def _subject(complaint: Complaint) -> tuple[int, str, str]:
    return complaint.community_id, complaint.category, complaint.kind
