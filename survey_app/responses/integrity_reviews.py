"""Integrity reviews: responses that two kinds of signals or an overwhelming one flag are held, then decided about.

Nothing is deleted, and a held response counts until somebody decides otherwise; an excluded one counts no more.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pandas.api.types import union_categoricals
from pyarrow import compute
from sqlalchemy import ColumnElement, Select, Table, and_, func, insert, select
from sqlalchemy.orm import Session, aliased

from analytics.canonical import canonical_json
from analytics.counting.arrow_memory import return_memory, share_memory
from analytics.disclosure.rules import rules_in_force
from analytics.rules import Rules
from analytics.statistics.integrity_signals import OF_ANSWERS, Integrity, count_with_and_without_held, find_signals
from survey_app.accounts.scope import Scope
from survey_app.audit import SITE, record
from survey_app.codes.codes import poster_ids
from survey_app.errors import JiayuanError
from survey_app.models import Community, Evaluation, IntegrityExamination, Response, ResponseReview, Round
from survey_app.models.vocabulary import STAFF_ENTERED_MODES, AuditAction, ResponseStatus, ReviewState, Tenure
from survey_app.register.households import read_places, surveyed_households
from survey_app.responses.answer_batches import SINGLE_CODE, TIME, all_responses, read_batches
from survey_app.responses.counting_status import status_of_response
from survey_app.responses.declared_help import are_helped, help_code_ids
from survey_app.responses.erasure_counts import record_erasures
from survey_app.responses.network_digests import erase_network_digests, last_examination
from survey_app.responses.responses_in_order import of_round
from survey_app.rounds.questionnaires import Question, driver_questions, questionnaire_from_canonical
from survey_app.rounds.rounds import GRACE_PERIOD, RoundStillOpen, find_round, has_settled
from survey_app.security.text import clean_text
from survey_app.storage.database import Database
from survey_app.storage.insert_once import insert_missing
from survey_app.storage.short_transactions import ShortTransactions
from survey_app.stored_rules import rules_of

_REVIEWS: Final = cast(Table, ResponseReview.__table__)
_COLUMNS_OF_FAMILIES: Final = [
    "community_id",
    "family",
    "examined",
    "statistic",
    "expected",
    "p",
    "adjusted_p",
    "flagged",
]

LONGEST_REASON: Final = 500
DECISIONS: Final = frozenset({ReviewState.RELEASED, ReviewState.EXCLUDED})

_EXAMINED: Final = (
    Response.id.label("response_id"),
    Response.community_id,
    Response.submitted_at,
    Response.started_at,
    Response.mode,
    Response.tenure,
    Response.address_digest.label("address"),
    Response.prefix_digest.label("prefix"),
    Response.code_id,
    Response.corrects_id,
)
_TYPES: Final = {
    "response_id": pa.int64(),
    "community_id": pa.int64(),
    "submitted_at": TIME,
    "started_at": TIME,
    "mode": pa.string(),
    "tenure": SINGLE_CODE,
    "address": pa.string(),
    "prefix": pa.string(),
    "code_id": pa.int64(),
    "corrects_id": pa.int64(),
}
# So few that reading them takes less memory than what is held of a small city.
_ROWS_AT_ONCE: Final = 5_000
_RATING: Final = pd.ArrowDtype(pa.int8())
# How numbers and times of all responses of a city are held.
_NUMBERS: Final = {
    "response_id": "int64",
    "community_id": "int32",
    "submitted_at": "datetime64[us]",
    "tenure": "int8",
    "duration_seconds": "float64",
}
_OF_HELP: Final = ["response_id", "code_id", "started_at", "submitted_at"]
# How a correction was sent the first time: who stuffs a form and corrects it later has stuffed it all the same.
_OF_FIRST_SENDING: Final = ("submitted_at", "started_at", "mode", "address", "prefix", "code_id")
# Lines are known for less than 48 hours: what an examination saw of them stays, though a later one cannot see it.
_SEEN_IN_TIME: Final = frozenset({"address", "opened_together", "pace"})


class NothingToReview(JiayuanError):
    """No response of this community is held, or the account may not decide about it."""

    status = 404


class ReasonMissing(JiayuanError):
    """A decision about answers needs a reason of 1 to 500 characters."""

    status = 422


class TooFewToExclude(JiayuanError):
    """The round was evaluated, and a result that differs by the answers of so few would tell what they said."""

    status = 409
    page = "staff/too_few_to_exclude.html"

    def __init__(self, responses: int, least: int) -> None:
        super().__init__(f"{responses} responses cannot be excluded after an evaluation, only {least} or more")
        self.responses, self.least = responses, least


@dataclass(frozen=True)
class Sign:
    """Kind of signs that points at held responses of a community: at how many, and what the last examination found.

    `found` and `usual` are what was measured and what was to be expected, `chance` how probable so much is by chance;
    None where the findings are erased, the kind is told by presence alone, or its numbers would tell what few answered.
    """

    family: str
    responses: int
    found: float | None
    usual: float | None
    chance: float | None


@dataclass(frozen=True)
class Held:
    """Held responses of one community: how many, and the signs that point at them, those at most responses first."""

    community_id: int
    number: str
    name: str
    english_name: str | None
    responses: int
    signs: tuple[Sign, ...]


def examine_round(database: Database, *, round_id: int, now: datetime) -> int:
    """Examine a round for signs of false responses, hold what they flag, and return how many are newly held.

    What was decided before stays decided, and a correction of a held response is held with it. Writers do not wait
    while it looks. Raises `LookupError` if there is no such round.
    """
    share_memory()
    found = _find(database, round_id=round_id, now=now)
    return_memory()
    examination = IntegrityExamination(
        round_id=round_id,
        examined_at=now,
        responses=found.responses,
        families=canonical_json(_rows(found.families)),
        counts=canonical_json(_rows(found.counted.reset_index())),
    )
    newly = _hold(database, found.held, now=now)
    with database.writing() as session:
        # Last: until it is there, the round counts as not examined, and what was not held is held by the next one.
        session.add(examination)
    # What came before this examination has been looked at with its lines.
    erase_network_digests(database, by=SITE, now=now)
    record_erasures(database, now=now)
    return newly


@dataclass(frozen=True)
class _Findings:
    """What an examination found: of how many responses, by family, of each community, and which are held."""

    responses: int
    families: pd.DataFrame
    counted: pd.DataFrame
    held: pd.DataFrame


def _find(database: Database, *, round_id: int, now: datetime) -> _Findings:
    with database.reading() as session:
        survey_round = find_round(session, round_id)
        rules = rules_of(survey_round.rule_file.content)
        responses, answers = read_rows(session, survey_round=survey_round, rules=rules, before=now)
        households = surveyed_households(read_places(session), rules).dropna().to_dict()
        reviewed = _newest_reviews(session, round_id)
        corrections = _corrections(session, round_id)
        earlier = _families_seen_in_time(session, round_id)
    return_memory()
    overall = rules.satisfaction.question
    found = find_signals(
        responses,
        answers,
        overall=overall,
        staff_modes=STAFF_ENTERED_MODES,
        time_zone=rules.time_zone,
        households=households,
    )
    held = _held(found, reviewed, corrections)
    ranked = answers[[overall]]
    if rules.satisfaction.population == "owners":
        ranked = ranked.where(responses["tenure"] == Tenure.OWNER)
    counted = count_with_and_without_held(responses, ranked, overall=overall, integrity=Integrity(found.families, held))
    return _Findings(len(responses), _with_earlier(found.families, earlier), counted, held[held["held"]])


def rounds_to_examine(session: Session, *, now: datetime) -> Sequence[int]:
    """Return the rounds that take answers, and those that closed since their last examination, official or not."""
    statement = select(Round.id, Round.closes_at, last_examination(Round.id)).where(Round.opens_at <= now)
    return [
        round_id
        for round_id, closes_at, examined_at in session.execute(statement.order_by(Round.id))
        if examined_at is None or examined_at < closes_at + GRACE_PERIOD
    ]


def examine_to_the_end(database: Database, *, round_id: int, now: datetime) -> None:
    """Examine a closed round unless that was done since its last answer came in: no evaluation precedes it."""
    with database.reading() as session:
        survey_round = session.get(Round, round_id)
        is_left = (
            survey_round is not None
            and has_settled(survey_round, now=now)
            and round_id in rounds_to_examine(session, now=now)
        )
    if is_left:
        examine_round(database, round_id=round_id, now=now)


def read_rows(
    session: Session, *, survey_round: Round, rules: Rules, before: datetime
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the responses that count and their ratings, as `analytics.statistics.integrity_signals` takes them."""
    questionnaire = questionnaire_from_canonical(survey_round.questionnaire.text)
    overall = rules.satisfaction.question
    questions = [overall, *driver_questions(questionnaire, overall)]
    portions = all_responses(session, survey_round, before=before, rows=_ROWS_AT_ONCE)
    selected = select(*_EXAMINED, Response.answers).where(
        portions.condition,
        Response.submitted_at < before,
        status_of_response(rules.satisfaction.population, before=before, replaced=portions.replaced)
        == ResponseStatus.COUNTED,
    )
    schema = pa.schema([*_TYPES.items(), *((question, SINGLE_CODE) for question in questions)])
    batches = read_batches(
        session, selected, portions.parameters, facts=_TYPES, questions=dict.fromkeys(questions, SINGLE_CODE)
    )
    corrected = _corrected(session, survey_round.id)
    posters = poster_ids(session)
    help_codes = help_code_ids(session, survey_round.id)
    numbers = {name: bytearray() for name in _NUMBERS}
    words: dict[str, list[pd.Series[Any]]] = {name: [] for name in ("mode", "address", "prefix", "poster")}
    through_help = []
    ratings: dict[str, list[pa.Array]] = {question: [] for question in questions}
    # Portions come in the order of ids, and each is made narrow before the next is read.
    with closing(batches):
        for batch in chain([pa.RecordBatch.from_pylist([], schema)], batches):
            ordered = batch.sort_by("response_id")
            frame = ordered.select(list(_TYPES)).to_pandas().astype({"code_id": "Int64", "corrects_id": "Int64"})
            frame = _as_first_sent(frame, corrected)
            for name, values in _numbers_of(frame).items():
                numbers[name] += values.astype(_NUMBERS[name]).tobytes()
            frame["poster"] = frame["code_id"].where(frame["code_id"].isin(posters))
            for name, column in words.items():
                column.append(frame[name].astype("category"))
            through_help.append(frame.loc[frame["code_id"].isin(help_codes), _OF_HELP])
            for question, chunks in ratings.items():
                chunks.append(_ratings(ordered.column(question), questionnaire.question(question)))
    columns = {name: np.frombuffer(joined, _NUMBERS[name]) for name, joined in numbers.items()}
    labels = {name: union_categoricals(column, sort_categories=True) for name, column in words.items()}
    responses = pd.DataFrame(columns | labels, copy=False)
    responses["submitted_at"] = responses["submitted_at"].dt.tz_localize("UTC")
    may_be_helped = pd.concat(through_help, ignore_index=True)
    helped = may_be_helped[are_helped(session, may_be_helped, round_id=survey_round.id)]
    given = {question: pd.array(pa.chunked_array(chunks), dtype=_RATING) for question, chunks in ratings.items()}
    return responses.assign(helped=responses["response_id"].isin(helped["response_id"])), pd.DataFrame(given)


def _corrected(session: Session, round_id: int) -> dict[int, Mapping[str, Any]]:
    """Return what is examined of the responses of a round that others correct, by their ids."""
    later = aliased(Response)
    firsts = select(later.corrects_id).where(_corrects(later))
    found = session.execute(select(*_EXAMINED).where(Response.id.in_(firsts), Response.round_id == round_id))
    return {row.response_id: row._asdict() for row in found}


def _corrections(session: Session, round_id: int) -> dict[int, int]:
    """Return the responses of a round that correct others, and which."""
    statement = select(Response.id, Response.corrects_id).where(_corrects(Response), of_round(round_id))
    found = session.execute(statement)
    return {row.id: row.corrects_id for row in found}


def _corrects(response: type[Response]) -> ColumnElement[bool]:
    """Return whether a response corrects another; SQLite finds these few by their index if they are compared."""
    return response.corrects_id > 0


def _as_first_sent(frame: pd.DataFrame, corrected: Mapping[int, Mapping[str, Any]]) -> pd.DataFrame:
    """Return responses with times and lines of the first of those that each corrects."""
    firsts = {}
    for place in np.flatnonzero(frame["corrects_id"].notna()).tolist():
        first = corrected[int(frame["corrects_id"].iloc[place])]
        while first["corrects_id"] is not None:
            first = corrected[first["corrects_id"]]
        firsts[place] = first
    if firsts:
        first_sent = pd.DataFrame(list(firsts.values()), columns=list(_OF_FIRST_SENDING), index=list(firsts))
        types = frame.dtypes[list(_OF_FIRST_SENDING)].to_dict()
        frame.loc[first_sent.index, list(_OF_FIRST_SENDING)] = first_sent.astype(types)
    return frame


def _numbers_of(frame: pd.DataFrame) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of responses that are numbers or times, in UTC; 0 for a tenure that is not known."""
    return {
        **{name: frame[name].to_numpy() for name in ("response_id", "community_id")},
        "submitted_at": frame["submitted_at"].dt.tz_localize(None).to_numpy(),
        "tenure": frame["tenure"].fillna(0).to_numpy(),
        # An evaluation waits for this: a row that began after its end must not stand in its way.
        "duration_seconds": (frame["submitted_at"] - frame["started_at"]).dt.total_seconds().clip(lower=0).to_numpy(),
    }


def held_by_community(session: Session, *, round_id: int, scope: Scope, now: datetime) -> list[Held]:
    """Return the communities in scope with held responses that wait for a decision, those with most first.

    Before the round has settled it returns none: whether an answer is held depends on what it says, so that accomplices
    who answer alike could tell it from the number.
    """
    if not has_settled(find_round(session, round_id), now=now):
        return []
    statement = scope.communities(_in_state(ReviewState.HELD).where(Response.round_id == round_id))
    places: dict[int, tuple[str, str, str | None]] = {}
    responses: Counter[int] = Counter()
    pointed_at: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for row in session.execute(statement):
        places[row.community_id] = row.number, row.name, row.english_name
        responses[row.community_id] += 1
        pointed_at[row.community_id].update(row.families.split(", "))
    newest = _newest_findings(session, round_id).to_dict("records")
    findings = {(finding["community_id"], finding["family"]): finding for finding in newest}
    held = [
        Held(
            community_id=community_id,
            number=number,
            name=name,
            english_name=english_name,
            responses=responses[community_id],
            signs=tuple(
                _sign(family, count, findings.get((community_id, family), {}))
                for family, count in sorted(pointed_at[community_id].items(), key=lambda each: (-each[1], each[0]))
            ),
        )
        for community_id, (number, name, english_name) in places.items()
    ]
    return sorted(held, key=lambda each: (-each.responses, each.number))


def _sign(family: str, responses: int, finding: Mapping[Hashable, Any]) -> Sign:
    if family in OF_ANSWERS:
        return Sign(family, responses, None, None, None)
    found, usual, chance = (
        None if pd.isna(finding.get(name)) else float(finding[name]) for name in ("statistic", "expected", "adjusted_p")
    )
    return Sign(family, responses, found, usual, chance)


def count_reviews(session: Session, *, round_id: int) -> pd.DataFrame:
    """Return by community id how many responses are `waiting` for a decision, `released` and `excluded`."""
    statement = (
        select(Response.community_id, ResponseReview.state, func.count())
        .join(ResponseReview, ResponseReview.response_id == Response.id)
        .where(Response.round_id == round_id, newest_review())
        .group_by(Response.community_id, ResponseReview.state)
    )
    found = pd.DataFrame(session.execute(statement).all(), columns=["community_id", "state", "count"])
    table = found.pivot_table(index="community_id", columns="state", values="count", aggfunc="sum", fill_value=0)
    named = table.reindex(columns=list(ReviewState), fill_value=0).rename(columns={ReviewState.HELD: "waiting"})
    return named.astype("int64").rename_axis(columns=None)


def decide_reviews(
    session: Session,
    *,
    round_id: int,
    number: str,
    decision: ReviewState,
    reason: str,
    scope: Scope,
    by: str,
    account_id: int,
    now: datetime,
) -> int:
    """Release or exclude all held responses of one community in scope, and return how many there were.

    Raises `RoundStillOpen` until the round has settled, `ReasonMissing`, `NothingToReview` where none is held or the
    community lies outside the scope, and `TooFewToExclude` where an evaluation has counted them and they are few.
    """
    if decision not in DECISIONS:
        raise ValueError(f"a review ends with one of {sorted(DECISIONS)}, got {decision}")
    said = clean_text(reason)
    if not 0 < len(said) <= LONGEST_REASON:
        raise ReasonMissing
    survey_round = find_round(session, round_id)
    if not has_settled(survey_round, now=now):
        raise RoundStillOpen(round_id, survey_round.closes_at)
    statement = _in_state(ReviewState.HELD).where(Response.round_id == round_id, Community.number == number)
    held = session.execute(scope.communities(statement)).all()
    if not held:
        raise NothingToReview
    if decision is ReviewState.EXCLUDED:
        _require_enough(session, survey_round, [row.tenure for row in held], now=now)
    session.execute(
        insert(ResponseReview),
        [
            {
                "response_id": row.id,
                "state": decision,
                "families": row.families,
                "reason": said,
                "account_id": account_id,
                "at": now,
            }
            for row in held
        ],
    )
    record(
        session,
        by=by,
        action=AuditAction.REVIEW_DECIDED,
        subject=f"community:{held[0].community_id}",
        before={"state": ReviewState.HELD, "responses": len(held)},
        after={"state": decision, "round": round_id},
        now=now,
    )
    return len(held)


def _require_enough(session: Session, survey_round: Round, tenures: Sequence[int | None], *, now: datetime) -> None:
    """Raise `TooFewToExclude` where two evaluations would differ by the answers of few owners, or of few tenants."""
    if session.scalar(select(Evaluation.id).filter_by(round_id=survey_round.id).limit(1)) is None:
        return
    least, fewest = fewest_to_exclude(survey_round, now=now), min(Counter(tenures).values())
    if fewest < least:
        raise TooFewToExclude(fewest, least)


def fewest_to_exclude(survey_round: Round, *, now: datetime) -> int:
    """Return how many responses of one tenure in a community it takes to exclude them after an evaluation."""
    zone = ZoneInfo(rules_of(survey_round.rule_file.content).time_zone)
    return rules_in_force(now.astimezone(zone).date()).minimum_base


def held_responses(round_id: int) -> Select[int]:
    """Return the select of the ids of a round's responses that wait for a decision."""
    waits = and_(ResponseReview.state == ReviewState.HELD, newest_review())
    return select(Response.id).join(ResponseReview).where(Response.round_id == round_id, waits)


def newest_review() -> ColumnElement[bool]:
    """Return the condition that a `ResponseReview` is the newest of its response."""
    later = ResponseReview.__table__.alias("later")
    return (
        ~select(later.c.id)
        .where(later.c.response_id == ResponseReview.response_id, later.c.id > ResponseReview.id)
        .exists()
    )


def _in_state(state: ReviewState) -> Select[int, int, int | None, str, str, str | None, str]:
    return (
        select(
            Response.id,
            Response.community_id,
            Response.tenure,
            Community.number,
            Community.name,
            Community.english_name,
            ResponseReview.families,
        )
        .join(ResponseReview, ResponseReview.response_id == Response.id)
        .join(Community, Response.community_id == Community.id)
        .where(and_(ResponseReview.state == state, newest_review()))
        .order_by(Response.id)
    )


def _newest_reviews(session: Session, round_id: int) -> dict[int, tuple[str, str]]:
    """Return state and families of the newest review of each response of a round that has any."""
    statement = (
        select(ResponseReview.response_id, ResponseReview.state, ResponseReview.families)
        .join(Response, Response.id == ResponseReview.response_id)
        .where(Response.round_id == round_id, newest_review())
    )
    return {row.response_id: (row.state, row.families) for row in session.execute(statement)}


def _held(found: Integrity, reviewed: Mapping[int, tuple[str, str]], corrections: Mapping[int, int]) -> pd.DataFrame:
    """Return response_id, held and families of each response, with what was decided about it or what it corrects."""
    numbers = found.responses["response_id"].to_numpy()
    held, families = found.responses["held"].to_numpy(copy=True), found.responses["families"].copy()
    decided: dict[int, str] = {}
    for place in np.flatnonzero(np.isin(numbers, [*reviewed, *corrections])).tolist():
        number = each = int(numbers[place])
        while each not in reviewed and each in corrections:
            each = corrections[each]
        if each in reviewed:
            state, decided[place] = reviewed[each]
            # What it corrects may have been excluded, which this one was not: somebody decides about it too.
            held[place] = state == ReviewState.HELD or (number != each and state == ReviewState.EXCLUDED)
    # At once: each assignment copies the texts of all responses.
    families.iloc[list(decided)] = list(decided.values())
    return found.responses.assign(held=held, families=families)


def _hold(database: Database, held: pd.DataFrame, *, now: datetime) -> int:
    """Hold responses that were never reviewed, in short transactions, and return how many those are."""
    rows = [
        {"response_id": int(number), "state": ReviewState.HELD, "families": families, "at": now}
        for number, families in zip(held["response_id"], held["families"], strict=True)
    ]
    newly = 0
    transactions = ShortTransactions(database)
    for part in transactions.parts(rows):
        ids = [row["response_id"] for row in part]
        with transactions.writing() as session:
            reviewed = _reviewed_among(session, ids)
            new = [row for row in part if row["response_id"] not in reviewed]
            if new:
                # Another examination may hold the same at the same moment.
                newly += insert_missing(session, _REVIEWS, new)
    return newly


def _reviewed_among(session: Session, ids: Sequence[int]) -> set[int]:
    return set(session.scalars(select(ResponseReview.response_id).where(ResponseReview.response_id.in_(ids))))


def _families_seen_in_time(session: Session, round_id: int) -> pd.DataFrame:
    """Return what the last examination noted about families that depend on lines."""
    noted = _newest_findings(session, round_id)
    return noted[noted["family"].isin(_SEEN_IN_TIME) & noted["flagged"].astype(bool)]


def _newest_findings(session: Session, round_id: int) -> pd.DataFrame:
    """Return what the last examination of a round found, by community id and family; no rows without one."""
    newest = select(IntegrityExamination.families).filter_by(round_id=round_id).order_by(IntegrityExamination.id.desc())
    text = session.scalar(newest.limit(1))
    return pd.DataFrame([] if text is None else json.loads(text), columns=_COLUMNS_OF_FAMILIES)


def _with_earlier(families: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """Return the findings of an examination, or the stronger one of an earlier examination in its place."""
    if earlier.empty:
        return families
    keys = ["community_id", "family"]
    place = families.reset_index().merge(earlier, on=keys, suffixes=("", "_earlier"))
    is_stronger = ~(place["adjusted_p"] <= place["adjusted_p_earlier"].astype("float64"))
    result = families.astype(object)
    for name in _COLUMNS_OF_FAMILIES[2:]:
        stronger = place.loc[is_stronger]
        result.loc[stronger["index"], name] = stronger[f"{name}_earlier"].to_numpy(dtype=object)
    return result


def _ratings(codes: pa.Array, question: Question) -> pa.Array:
    rated = pa.array([option.code for option in question.options if not option.missing], codes.type)
    given = compute.if_else(compute.is_in(codes, value_set=rated), codes, pa.scalar(None, codes.type))
    return given.cast(_RATING.pyarrow_dtype)


def _rows(frame: pd.DataFrame) -> list[dict[Hashable, Any]]:
    plain = frame.astype(object)
    return plain.where(frame.notna(), None).to_dict("records")
