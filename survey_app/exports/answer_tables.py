"""Export of tables as CSV: how each community answered each question, small numbers withheld."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Row, Select, and_, select

from analytics.disclosure.answer_tables import AnswerTable, Counts, Official
from analytics.disclosure.rules import DisclosureRules
from analytics.files.csv_files import csv_file, in_parts
from analytics.languages import Wording
from analytics.reports.labels import valid_answers_words
from analytics.rules import Rules
from survey_app.accounts.scope import Scope
from survey_app.catalogue import translator
from survey_app.evaluations.counts import count_statuses
from survey_app.evaluations.round_counts import ANSWERED
from survey_app.evaluations.standings import disclosure_of, require_evaluation
from survey_app.models import Community, CommunityProfile, District, Evaluation, Round, Standing
from survey_app.register.names import PLACE_COLUMNS
from survey_app.responses.labels import response_status_words
from survey_app.rounds.questionnaires import Question, Questionnaire, QuestionType, questionnaire_from_canonical
from survey_app.storage.database import Database
from survey_app.stored_rules import rules_of

_Cells = list[str | int | float | None]
_Answer = tuple[str | int, str, int | None, int | None]


def export_answer_tables(database: Database, *, evaluation_id: int, scope: Scope, language: str) -> Iterator[str]:
    """Yield a CSV file with a row for each community in scope, question and answer: how many gave it, and which share.

    Numbers are those that an official evaluation counted, of the population that it ranks; a number that is withheld is
    empty. What became of the responses of each community comes first: received = the sum of what stands below.

    Raises `LookupError` if there is no such official evaluation.
    """
    with database.reading() as session:
        require_evaluation(session, evaluation_id, official=True)
        evaluation = session.get_one(Evaluation, evaluation_id)
        survey_round = session.get_one(Round, evaluation.round_id)
        rules = rules_of(evaluation.rule_file.content)
        tables = _Tables(
            questionnaire=questionnaire_from_canonical(survey_round.questionnaire.text),
            rules=rules,
            disclosure=disclosure_of(evaluation.evaluated_at, rules),
            statuses=count_statuses(session, survey_round=survey_round, rules=rules, before=evaluation.cut_off),
            language=language,
        )
        profiles = session.execute(scope.communities(_select_profiles(evaluation_id))).all()
    rows = (cells for profile in profiles for cells in tables.rows(profile))
    return csv_file(_headings(language), in_parts(rows))


def _select_profiles(evaluation_id: int) -> Select[*tuple[Any, ...]]:
    return (
        select(*PLACE_COLUMNS, CommunityProfile.answers, Standing.satisfaction_rank)
        .select_from(CommunityProfile)
        .join(
            Standing,
            and_(
                Standing.evaluation_id == CommunityProfile.evaluation_id,
                Standing.community_id == CommunityProfile.community_id,
            ),
        )
        .join(Community, CommunityProfile.community_id == Community.id)
        .join(District, Community.district_id == District.id)
        .where(CommunityProfile.evaluation_id == evaluation_id)
        .order_by(Community.sort_key, Community.number)
    )


def _headings(language: str) -> list[str]:
    _ = translator(language)
    return [
        _("Community number"),
        _("Community"),
        _("District"),
        _("Question number"),
        _("Survey question"),
        _("Answer code"),
        _("Answer"),
        _("Number (empty: withheld)"),
        _("Share"),
    ]


@dataclass(frozen=True)
class _Tables:
    """What the rows of a community are written from."""

    questionnaire: Questionnaire
    rules: Rules
    disclosure: DisclosureRules
    statuses: pd.DataFrame
    language: str

    def rows(self, profile: Row[*tuple[Any, ...]]) -> Iterator[_Cells]:
        """Yield the rows of one community."""
        place: _Cells = [
            profile.number,
            Wording.of(profile.name, profile.english_name).in_language(self.language),
            Wording.of(profile.region, profile.region_english).in_language(self.language),
        ]
        yield from (place + cells for cells in self._responses(profile.id))
        answers, table = json.loads(profile.answers), AnswerTable(self.disclosure)
        official = Official.of(self.rules, is_ranked=profile.satisfaction_rank is not None)
        for question in self.questionnaire.questions:
            if question.codes and question.key != self.questionnaire.tenure:
                given = answers.get(question.key, {})
                for code, label, number, base in self._answers(table, question, given, official):
                    share = None if number is None or not base else round(number / base, 4)
                    yield [*place, question.key, question.short.in_language(self.language), code, label, number, share]

    def _responses(self, community: int) -> Iterator[_Cells]:
        _ = translator(self.language)
        words = response_status_words(self.language)
        labels = [("received", _("received")), *((str(status), label) for status, label in words.items())]
        sent = self.statuses.reindex([community], fill_value=0).iloc[0].to_dict()
        for key, label in labels:
            yield ["", _("Responses of owners and tenants"), key, label, int(sent[key]), None]

    def _answers(
        self, table: AnswerTable, question: Question, given: Mapping[str, int], official: Official | None
    ) -> Iterator[_Answer]:
        counts = {code: given.get(str(code), 0) for code in question.codes}
        if question.scale is not None and question.scale == self._ranked.scale:
            yield from self._rated(table, question, counts, official if question == self._ranked else None)
        elif question.type is QuestionType.MULTI:
            answered = given.get(ANSWERED, 0)
            shown = table.choices(question.key, counts, answered, question.condition_data)
            yield from self._of_codes(question, shown, answered)
        else:
            shown = table.opinion(question.key, counts, question.condition_data)
            yield from self._of_codes(question, shown, sum(counts.values()))

    def _rated(
        self, table: AnswerTable, question: Question, counts: Mapping[int, int], official: Official | None
    ) -> Iterator[_Answer]:
        _, rule = translator(self.language), self.rules.satisfaction
        shown = table.rated(question.key, counts, rule.satisfied_codes, rule.valid_codes, official=official)
        yield "valid", valid_answers_words(self.language)[rule.population], shown.valid, None
        yield "satisfied", _("satisfied"), shown.satisfied, shown.valid
        yield from self._of_codes(question, shown.counts, sum(counts.values()))

    def _of_codes(self, question: Question, shown: Counts, base: int) -> Iterator[_Answer]:
        for option in question.options:
            yield option.code, option.label.in_language(self.language), shown[option.code], base

    @property
    def _ranked(self) -> Question:
        return self.questionnaire.question(self.rules.satisfaction.question)
