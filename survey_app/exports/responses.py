"""Export of a round's responses as CSV: what was answered, and nothing that says by whom."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, ScalarSelect, Select, and_, case, func, select

from analytics.files.csv_files import csv_file
from analytics.languages import Wording
from analytics.rules import Rules
from survey_app.accounts.scope import Scope
from survey_app.catalogue import translator
from survey_app.city_time import zone_of
from survey_app.models import Attachment, Code, Community, District, Response, ResponseEvent, Round
from survey_app.models.vocabulary import CodeKind, Mode, ResponseEventKind
from survey_app.responses.counting_status import status_of_response
from survey_app.responses.labels import response_status_words
from survey_app.rounds.questionnaires import Question, Questionnaire, QuestionType, questionnaire_from_canonical
from survey_app.rounds.rounds import RoundStillOpen, find_round, has_settled
from survey_app.storage.database import Database
from survey_app.stored_rules import rules_of

BATCH_ROWS = 2_000
# Separator between the codes of one answer: a comma would meet the file's own.
BETWEEN_CODES = "|"

# A response through the web came through a code: one without has lost its link to a slip.
_KIND_OF_CODE = case(
    (and_(Code.id.is_(None), Response.answers.is_not(None), Response.mode == Mode.WEB), CodeKind.HOUSEHOLD),
    else_=Code.kind,
)

_ReadCells = Callable[[Any], tuple[str, ...]]


def export_responses(database: Database, *, round_id: int, scope: Scope, now: datetime, language: str) -> Iterator[str]:
    """Yield a CSV file of a closed round's responses in scope, piece by piece from one snapshot.

    Every response that came in has a row, and its status says whether it counts: withdrawn ones have no answers left.

    While the round is open nothing is exported: whoever compares the file before and after a neighbour answers knows
    that answer.

    No column identifies a resident: receipts, submission keys and the hour of the day stay here, and responses are
    numbered anew in each file.

    Raises `LookupError` if there is no such round and `RoundStillOpen` until it has closed.
    """
    with database.reading() as session:
        survey_round = find_round(session, round_id)
        if not has_settled(survey_round, now=now):
            raise RoundStillOpen(round_id, survey_round.closes_at)
        questionnaire = questionnaire_from_canonical(survey_round.questionnaire.text)
        zone = zone_of(survey_round.rule_file.content)
        round_name = Wording.of(survey_round.name, survey_round.english_name).in_language(language)
        rules = rules_of(survey_round.rule_file.content)
        statement = scope.communities(_select_responses(survey_round, rules, questionnaire))
    read_row = _row_reader(questionnaire, round_name, zone, language)
    return csv_file(_headings(questionnaire, language), _read_parts(database, statement, read_row))


def _select_responses(survey_round: Round, rules: Rules, questionnaire: Questionnaire) -> Select[*tuple[Any, ...]]:
    withdrawal = and_(ResponseEvent.response_id == Response.id, ResponseEvent.kind == ResponseEventKind.WITHDRAWN)
    return (
        select(
            Community.number,
            Community.name,
            Community.english_name,
            District.name,
            District.english_name,
            Response.submitted_at,
            Response.language,
            Response.mode,
            _KIND_OF_CODE,
            status_of_response(rules.satisfaction.population, before=survey_round.closes_at),
            Response.corrects_id,
            ResponseEvent.actor,
            ResponseEvent.reason,
            Response.tenure,
            Response.answers,
            *(_count_photos(question) for question in questionnaire.photo_questions),
        )
        .select_from(Response)
        .join(Community, Response.community_id == Community.id)
        .join(District, Community.district_id == District.id)
        .outerjoin(Code, Response.code_id == Code.id)
        .outerjoin(ResponseEvent, withdrawal)
        .where(Response.round_id == survey_round.id, Response.submitted_at < survey_round.closes_at)
        .order_by(Response.id)
    )


def _count_photos(question: Question) -> ScalarSelect[int]:
    of_response = (Attachment.response_id == Response.id) & (Attachment.question == question.key)
    return select(func.count()).select_from(Attachment).where(of_response).correlate(Response).scalar_subquery()


def _headings(questionnaire: Questionnaire, language: str) -> list[str]:
    _ = translator(language)
    headings = [
        _("Response number"),
        _("Community number"),
        _("Community"),
        _("District"),
        _("Round"),
        _("Submitted on"),
        _("Language"),
        _("Mode"),
        _("Code"),
        _("Status code"),
        _("Status"),
        _("Correction"),
        _("Withdrawn by"),
        _("Reason of withdrawal"),
        _("Tenure code"),
        _("Tenure"),
    ]
    for question in questionnaire.questions:
        in_words = f"{question.key} {question.short.in_language(language)}"
        if question.type is QuestionType.TEXT:
            headings.append(in_words)
        elif question.type is QuestionType.PHOTO:
            headings.append(_("{question}: number of photos").format(question=in_words))
        else:
            headings += [question.key, in_words]
    return headings


def _row_reader(
    questionnaire: Questionnaire, round_name: str, time_zone: ZoneInfo, language: str
) -> Callable[[int, Row[*tuple[Any, ...]]], list[str | int]]:
    tenure_cells = _cell_reader(questionnaire.question(questionnaire.tenure), language)
    answer_cells = [(question.key, _cell_reader(question, language)) for question in questionnaire.questions]
    status_words = response_status_words(language)
    photo_keys = [question.key for question in questionnaire.photo_questions]

    def read_row(number: int, row: Row[*tuple[Any, ...]]) -> list[str | int]:
        place, name, english_name, district, english_district, submitted_at, spoken, mode, *facts = row
        kind, status, corrects_id, withdrawn_by, reason, tenure, text, *photos = facts
        answers = json.loads(text) | dict(zip(photo_keys, photos, strict=True)) if text is not None else {}
        cells = [
            number,
            place,
            Wording.of(name, english_name).in_language(language),
            Wording.of(district, english_district).in_language(language),
            round_name,
            submitted_at.astimezone(time_zone).date().isoformat(),
            spoken,
            mode,
            kind or "",
            status,
            status_words[status],
            int(corrects_id is not None),
            withdrawn_by or "",
            reason or "",
            *tenure_cells(tenure),
        ]
        for key, read_cells in answer_cells:
            cells += read_cells(answers.get(key))
        return cells

    return read_row


def _cell_reader(question: Question, language: str) -> _ReadCells:
    """Return the function that turns the answer to one question into cells: code and label, text, or photo count."""
    if question.type is QuestionType.TEXT:
        return lambda answer: (answer or "",)
    if question.type is QuestionType.PHOTO:
        return lambda number: ("" if number is None else str(number),)
    labels = {option.code: option.label.in_language(language) for option in question.options}
    if question.type is QuestionType.MULTI:
        return lambda answer: (
            BETWEEN_CODES.join(map(str, answer or ())),
            BETWEEN_CODES.join(labels[code] for code in answer or ()),
        )
    cells = {code: (str(code), label) for code, label in labels.items()} | {None: ("", "")}
    return cells.__getitem__


def _read_parts(
    database: Database,
    statement: Select[*tuple[Any, ...]],
    read_row: Callable[[int, Row[*tuple[Any, ...]]], list[str | int]],
) -> Iterator[list[list[str | int]]]:
    number = 0
    with database.reading() as session:
        for rows in session.execute(statement, execution_options={"yield_per": BATCH_ROWS}).partitions():
            yield [read_row(position, row) for position, row in enumerate(rows, number + 1)]
            number += len(rows)
