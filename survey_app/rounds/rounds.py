"""Rounds, and the published questionnaires and rule files that they rest on, both frozen."""

from calendar import monthrange
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from analytics.canonical import sha256_hex
from analytics.files.yaml_documents import Fault
from analytics.rules import Rules, parse_rules
from survey_app.audit import OPERATOR, record
from survey_app.city_time import zone_of
from survey_app.errors import JiayuanError
from survey_app.models import Questionnaire, Round, RuleFile
from survey_app.models.rounds import ROUNDS_APART
from survey_app.models.vocabulary import AuditAction, CodeKind
from survey_app.rounds.questionnaire_versions import parse_successor, published_versions
from survey_app.rounds.questionnaires import Questionnaire as Definition
from survey_app.rounds.questionnaires import QuestionType, questionnaire_from_canonical
from survey_app.security.text import one_line
from survey_app.storage.advisory_locks import AdvisoryLock, lock_until_commit
from survey_app.stored_rules import rules_of

USUAL_RETENTION_MONTHS = 12
LONGEST_RETENTION_MONTHS = 36
"""How long after the last day of a round its single responses are kept, usually and at most: long enough for objections
and to be compared with the next round, and no longer (Personal Information Protection Law, article 19)."""

YEARS = range(2000, 2200)
"""Years in which a round may lie: others are slips of the finger, and some do not fit into a time zone."""

LONGEST_NAME = 100
"""Most characters of a name that residents read: more does not fit on a poster."""

GRACE_PERIOD = timedelta(minutes=1)
"""How long after the close an official evaluation waits: an answer that arrived in time may still be on its way to the
disk, and a result that is frozen must not miss it."""


class PublishedQuestionnaireDiffers(JiayuanError):
    """The version was published with other content, and answers may already refer to it."""

    def __init__(self, key: str, version: int) -> None:
        super().__init__(f"{key} version {version} is published with other content: give the new one the next version")
        self.key, self.version = key, version


class StoredRuleFileDiffers(JiayuanError):
    """A rule file of this name is stored with other content."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the rule file {name} is stored with other content: give the correction a new name")
        self.name = name


class RoundRefused(JiayuanError):
    """The round cannot be created or changed as asked; the faults say why, all of them."""

    status = 409

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


class RoundErased(JiayuanError):
    """The answers of the round are over their retention: what was evaluated before stands, and nothing is new."""

    status = 409
    page = "staff/round_erased.html"

    def __init__(self, round_id: int, kept_until: date) -> None:
        super().__init__(f"the answers of round {round_id} were kept until {kept_until}")
        self.round_id, self.kept_until = round_id, kept_until


class CommentsErased(JiayuanError):
    """The comments of the round were erased, as they are once its result is official."""

    status = 410
    page = "staff/comments_erased.html"

    def __init__(self, round_id: int, erased_at: datetime) -> None:
        super().__init__(f"the comments of round {round_id} were erased at {erased_at}")
        self.round_id, self.erased_at = round_id, erased_at


class RoundStillOpen(JiayuanError):
    """Something was asked for that is handed out after the round has closed."""

    status = 409
    page = "staff/round_still_open.html"

    def __init__(self, round_id: int, closes_at: datetime) -> None:
        super().__init__(f"round {round_id} takes answers until {closes_at}; ask again a minute after that")
        self.round_id, self.closes_at = round_id, closes_at


def find_round(session: Session, round_id: int, *, for_update: bool = False) -> Round:
    """Return a round, locked on request, or raise `LookupError` if there is no such one."""
    found = session.get(Round, round_id, with_for_update=for_update)
    if found is None:
        raise LookupError(f"there is no round {round_id}")
    return found


def find_open_round(session: Session, *, now: datetime) -> Round | None:
    """Return the round that takes answers now: there is never more than one."""
    return session.scalar(select(Round).where(Round.opens_at <= now, now < Round.closes_at))


def has_settled(survey_round: Round, *, now: datetime) -> bool:
    """Return whether the round is over and no answer is on its way any more: what is handed out waits for it."""
    return now >= survey_round.closes_at + GRACE_PERIOD


def is_kept(survey_round: Round, *, now: datetime) -> bool:
    """Return whether single responses of a round may still be looked at: its last day of keeping is not over."""
    zone = zone_of(survey_round.rule_file.content)
    return now.astimezone(zone).date() <= survey_round.responses_kept_until


def require_answers(survey_round: Round, *, now: datetime) -> None:
    """Raise `RoundErased` when the retention of a round's answers is over."""
    if not is_kept(survey_round, now=now):
        raise RoundErased(survey_round.id, survey_round.responses_kept_until)


def usual_last_day_of_keeping(last_day: date) -> date:
    """Return until when responses are kept where nobody says otherwise, for a round with this last day."""
    return _months_later(last_day, USUAL_RETENTION_MONTHS)


def publish_questionnaire(
    session: Session, *, definition: Definition, by: str = OPERATOR, now: datetime
) -> Questionnaire:
    """Publish a questionnaire, which freezes it, or return the stored one if this very content is published already.

    `DocumentError` with every code that had another meaning in an earlier version.
    """
    published = session.scalar(select(Questionnaire).filter_by(key=definition.key, version=definition.version))
    if published is None:
        content, source = definition.canonical_text.encode("utf-8"), f"{definition.key} version {definition.version}"
        parse_successor(content, source, published_versions(session, key=definition.key))
        published = Questionnaire(
            key=definition.key,
            version=definition.version,
            text=definition.canonical_text,
            sha256=definition.sha256,
            published_at=now,
        )
        session.add(published)
        session.flush()
        subject, facts = f"questionnaire:{published.id}", {"sha256": published.sha256}
        record(session, by=by, action=AuditAction.QUESTIONNAIRE_PUBLISHED, subject=subject, after=facts, now=now)
    elif published.sha256 != definition.sha256:
        raise PublishedQuestionnaireDiffers(definition.key, definition.version)
    return published


def add_rule_file(session: Session, *, content: bytes, source: str, by: str = OPERATOR, now: datetime) -> RuleFile:
    """Store a rule file byte for byte, or return the stored one; `DocumentError` with every fault if it has any."""
    rules = parse_rules(content, source)
    stored = session.scalar(select(RuleFile).filter_by(name=rules.name))
    if stored is None:
        stored = RuleFile(name=rules.name, content=content, sha256=sha256_hex(content), added_at=now)
        session.add(stored)
        session.flush()
        subject, facts = f"rules:{stored.id}", {"sha256": stored.sha256}
        record(session, by=by, action=AuditAction.RULES_ADDED, subject=subject, after=facts, now=now)
    elif stored.content != content:
        raise StoredRuleFileDiffers(rules.name)
    return stored


def create_round(
    session: Session,
    *,
    name: str,
    english_name: str | None,
    opens_on: date,
    closes_on: date,
    questionnaire: Questionnaire,
    rule_file: RuleFile,
    by: str = OPERATOR,
    now: datetime,
    accepts: Collection[CodeKind] = (CodeKind.POSTER,),
    evaluator: str | None = None,
    evaluator_english_name: str | None = None,
    responses_kept_until: date,
) -> Round:
    """Create a round that takes answers from the start of `opens_on` until the start of `closes_on`, local dates.

    `accepts` says through which codes. The last three are what its privacy notice says: who evaluates, if anybody does,
    and the last day on which single responses are kept.
    """
    rules = rules_of(rule_file.content)
    name, english_name = one_line(name), one_line(english_name or "") or None
    evaluator, evaluator_english_name = (one_line(each or "") or None for each in (evaluator, evaluator_english_name))
    faults = [
        *_faults_of_fit(questionnaire_from_canonical(questionnaire.text), rules),
        *_faults_of_codes(accepts, rules),
        *_faults_of_name(session, name),
        *_faults_of_length(name, english_name, evaluator, evaluator_english_name),
        *_faults_of_dates(session, opens_on, closes_on, responses_kept_until, rules.time_zone, now=now),
    ]
    if faults:
        raise RoundRefused(faults)
    opens_at, closes_at = (local_midnight(day, rules.time_zone) for day in (opens_on, closes_on))
    created = Round(
        name=name,
        english_name=english_name,
        opens_at=opens_at,
        closes_at=closes_at,
        questionnaire=questionnaire,
        rule_file=rule_file,
        accepts_posters=CodeKind.POSTER in accepts,
        accepts_households=CodeKind.HOUSEHOLD in accepts,
        evaluator=evaluator,
        evaluator_english_name=evaluator_english_name,
        responses_kept_until=responses_kept_until,
    )
    with _kept_apart(session, opens_at, closes_at):
        session.add(created)
    facts = {"opens_at": opens_at.isoformat(), "closes_at": closes_at.isoformat(), "rules": rule_file.sha256}
    record(session, by=by, action=AuditAction.ROUND_CREATED, subject=f"round:{created.id}", after=facts, now=now)
    return created


def move_dates(
    session: Session,
    survey_round: Round,
    *,
    opens_on: date,
    closes_on: date,
    responses_kept_until: date,
    now: datetime,
) -> None:
    """Change the dates of a round, or raise `RoundRefused` with every fault; `round_changes` says which may move."""
    time_zone = rules_of(survey_round.rule_file.content).time_zone
    days = (opens_on, closes_on, responses_kept_until)
    if faults := list(_faults_of_dates(session, *days, time_zone, now=now, moved=survey_round)):
        raise RoundRefused(faults)
    opens_at, closes_at = (local_midnight(day, time_zone) for day in (opens_on, closes_on))
    with _kept_apart(session, opens_at, closes_at, moved=survey_round):
        survey_round.opens_at, survey_round.closes_at = opens_at, closes_at
        survey_round.responses_kept_until = responses_kept_until


@contextmanager
def _kept_apart(
    session: Session, opens_at: datetime, closes_at: datetime, *, moved: Round | None = None
) -> Iterator[None]:
    """Store a round or its new dates, or raise `RoundRefused` where another one was stored in them meanwhile.

    That happens on PostgreSQL alone, whose constraint then refuses the later one: see `Round`. They come one after the
    other, since two that check the constraint at once may wait for each other.
    """
    lock_until_commit(session, AdvisoryLock.ROUND_DATES)
    try:
        with session.begin_nested():
            yield
            session.flush()
    except IntegrityError as error:
        if ROUNDS_APART not in str(error.orig):
            raise
        raise RoundRefused(list(_faults_of_overlap(session, opens_at, closes_at, moved=moved))) from error


def local_midnight(day: date, time_zone: str) -> datetime:
    """Return the start of a local day, in UTC."""
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)


def _months_later(day: date, months: int) -> date:
    """Return the same day so many months later, or the last day of that month.

    >>> _months_later(date(2024, 2, 29), 12)
    datetime.date(2025, 2, 28)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _faults_of_dates(
    session: Session,
    opens_on: date,
    closes_on: date,
    kept_until: date,
    time_zone: str,
    *,
    now: datetime,
    moved: Round | None = None,
) -> Iterator[Fault]:
    strange = sorted({day for day in (opens_on, closes_on) if day.year not in YEARS})
    if strange:
        yield Fault(
            "{day} is not in a year from {first} to {last}", {"day": strange[0], "first": YEARS[0], "last": YEARS[-1]}
        )
        return
    opens_at, closes_at = (local_midnight(day, time_zone) for day in (opens_on, closes_on))
    today = now.astimezone(ZoneInfo(time_zone)).date()
    # A round that stays open may have opened before: nobody moves its first day.
    if opens_on < today and (moved is None or opens_at != moved.opens_at):
        yield Fault("a round cannot open on {day}, which is over: today is {today}", {"day": opens_on, "today": today})
    if opens_at >= closes_at:
        yield Fault("a round that opens on {day} cannot close before the end of that day", {"day": opens_on})
    latest = _months_later(closes_on - timedelta(days=1), LONGEST_RETENTION_MONTHS)
    if kept_until <= closes_on:
        yield Fault("answers kept until {day} would be gone before they are evaluated", {"day": kept_until})
    elif kept_until > latest:
        yield Fault(
            "answers are kept for three years after the last day at most, until {latest}, and not until {day}",
            {"latest": latest, "day": kept_until},
        )
    if closes_at <= now:
        yield Fault("a round until {day} would be over already", {"day": closes_on})
    yield from _faults_of_overlap(session, opens_at, closes_at, moved=moved)


def _faults_of_overlap(
    session: Session, opens_at: datetime, closes_at: datetime, *, moved: Round | None
) -> Iterator[Fault]:
    # A poster leads to the open round: with two of them nobody could say which one an answer is for.
    overlapping = select(Round).where(Round.opens_at < closes_at, Round.closes_at > opens_at).order_by(Round.opens_at)
    for other in session.scalars(overlapping):
        if other is not moved:
            yield Fault("the dates overlap with the round {name}", {"name": other.name})


def _faults_of_length(*names: str | None) -> Iterator[Fault]:
    for name in names:
        if name is not None and len(name) > LONGEST_NAME:
            yield Fault(
                "a name has at most {most} characters, and “{start}…” has {length}",
                {"most": LONGEST_NAME, "start": name[:20], "length": len(name)},
            )


def _faults_of_name(session: Session, name: str) -> Iterator[Fault]:
    if not name:
        yield Fault("a round needs a name that residents can read")
    elif session.scalar(select(Round.id).filter_by(name=name)) is not None:
        yield Fault("there is already a round {name}", {"name": name})


def _faults_of_codes(accepts: Collection[CodeKind], rules: Rules) -> Iterator[Fault]:
    """Find rules that promise more than the codes can keep: whoever passes a poster may answer several times."""
    if not accepts:
        yield Fault("a round takes answers through posters, household slips or both")
    if CodeKind.POSTER in accepts and rules.evidence.one_answer_per_household:
        yield Fault(
            "the rules {rules} say that a household answers once, which posters cannot promise: accept household "
            "slips alone, or use rules that do not say so",
            {"rules": rules.name},
        )


def _faults_of_fit(definition: Definition, rules: Rules) -> Iterator[Fault]:
    """Find rules that judge what the questionnaire does not ask."""
    coded = {QuestionType.RATING, QuestionType.SINGLE}
    asked = {question.key: question for question in definition.questions if question.type in coded}
    judged = dict.fromkeys([rules.satisfaction.question, *rules.satisfaction.domains])
    absent = [key for key in judged if key not in asked]
    if absent:
        named = ", ".join(absent)
        yield Fault(
            "the rules {rules} judge question {key}, which the questionnaire does not ask",
            {"rules": rules.name, "key": named},
        )
    for key in (key for key in judged if key in asked):
        missing = sorted(set(rules.satisfaction.valid_codes) - set(asked[key].codes))
        if missing:
            yield Fault(
                "the rules {rules} count codes that question {key} does not have: {codes}",
                {"rules": rules.name, "key": key, "codes": missing},
            )
