"""Print runs of paper questionnaires: blank ones by community, or one with a new slip's code for each household."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from analytics.languages import Wording
from survey_app.accounts.scope import Scope
from survey_app.codes.codes import SlipSheet
from survey_app.codes.print_runs import (
    FilesOfSheet,
    MissingCharacters,
    NothingToPrint,
    SlipOrder,
    communities_in_order,
    missing_characters,
    path_of_files,
    printed_slips,
    sheet_text,
)
from survey_app.codes.slip_sheets import SlipSheetText
from survey_app.models import Round
from survey_app.printing.typefaces import Typefaces
from survey_app.responses.counting_status import replacement_within
from survey_app.responses.paper.sheets import FORMS_PER_VOLUME, paper_pdf
from survey_app.responses.paper.words import PaperSurvey, paper_words
from survey_app.rounds.questionnaires import questionnaire_from_canonical
from survey_app.stored_rules import rules_of


@dataclass(frozen=True)
class BlankForm:
    """Blank questionnaire of one community, and the name of its file."""

    path: str
    whose: SlipSheetText


def survey_on_paper(survey_round: Round, *, public_url: str) -> PaperSurvey:
    """Return what the paper questionnaires of a round state."""
    return PaperSurvey(
        round=Wording.of(survey_round.name, survey_round.english_name),
        questionnaire=questionnaire_from_canonical(survey_round.questionnaire.text),
        takes_slips=survey_round.accepts_households,
        needs_slip=not survey_round.accepts_posters,
        replaced_within=replacement_within(rules_of(survey_round.rule_file.content).satisfaction.population),
        evaluator=Wording.of(survey_round.evaluator, survey_round.evaluator_english_name)
        if survey_round.evaluator
        else None,
        kept_until=survey_round.responses_kept_until,
        public_url=public_url,
    )


def blank_forms_to_print(session: Session, *, survey_round: Round, scope: Scope, now: datetime) -> list[BlankForm]:
    """Return a blank questionnaire for each community in scope; `NothingToPrint` for a round that is over."""
    if survey_round.closes_at <= now:
        raise NothingToPrint(f"the round {survey_round.name} is over: nobody can answer it any more")
    forms = [
        BlankForm(f"{path_of_files(community)}.pdf", sheet_text(community, survey_round))
        for community in communities_in_order(session, scope=scope)
    ]
    if not forms:
        raise NothingToPrint("there is no community here yet: import the list of communities")
    return forms


def print_blank_forms(
    forms: Iterable[BlankForm],
    survey: PaperSurvey,
    *,
    is_large: bool,
    language: str,
    typefaces: Typefaces,
    now: datetime,
) -> Iterator[tuple[str, bytes]]:
    """Yield each blank questionnaire as it is made."""
    for form in forms:
        yield (
            form.path,
            paper_pdf(survey, form.whose, is_large=is_large, language=language, typefaces=typefaces, now=now),
        )


def files_of_forms(
    survey: PaperSurvey, *, is_large: bool, language: str, typefaces: Typefaces, now: datetime
) -> FilesOfSheet:
    """Return what prints each slip on a questionnaire of its own."""
    return partial(_form_files, survey=survey, is_large=is_large, language=language, typefaces=typefaces, now=now)


def count_files(orders: Iterable[SlipOrder]) -> int:
    """Return in how many files the slips of orders come on questionnaires."""
    return sum(-(-order.count // FORMS_PER_VOLUME) for order in orders)


def missing_on_forms(
    places: Iterable[SlipSheetText], survey: PaperSurvey, *, language: str, typefaces: Typefaces
) -> list[MissingCharacters]:
    """Return what will be substituted on the questionnaires of which communities."""
    words = ((whose.community, paper_words(survey, whose, language=language, is_large=False)) for whose in places)
    return missing_characters(words, typefaces)


def _form_files(
    sheet: SlipSheet,
    order: SlipOrder,
    *,
    survey: PaperSurvey,
    is_large: bool,
    language: str,
    typefaces: Typefaces,
    now: datetime,
) -> Iterator[tuple[str, bytes]]:
    slips = printed_slips(sheet, public_url=survey.public_url)
    volumes = [slips[start : start + FORMS_PER_VOLUME] for start in range(0, len(slips), FORMS_PER_VOLUME)]
    for number, volume in enumerate(volumes, 1):
        pdf = paper_pdf(
            survey, order.whose, slips=volume, is_large=is_large, language=language, typefaces=typefaces, now=now
        )
        yield f"{order.path}-{sheet.batch_id}-{number}.pdf", pdf
