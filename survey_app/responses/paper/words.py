"""Words of a paper questionnaire in one language: instructions, privacy notice, questions with their codes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import groupby

from babel.dates import format_date

from analytics.languages import Translate, Wording
from survey_app.catalogue import translator
from survey_app.codes.posters import address_to_type, contact
from survey_app.codes.slip_sheets import SlipSheetText
from survey_app.models.vocabulary import SupersededWithin
from survey_app.register.names import bureau_name
from survey_app.responses.paper.skips import Skip, skips_by_number
from survey_app.responses.typed_questions import NumberedCondition, TypedQuestion, typed_sections
from survey_app.rounds.privacy_notice import fill_notice_text
from survey_app.rounds.questionnaires import Option, Questionnaire, QuestionType
from survey_app.security.check_digits import SLIP_DIGITS

MOST_COLUMNS = 7
"""Largest scale whose boxes stand in columns beside the questions."""

_CHARACTERS_PER_LINE = 120
_MOST_LINES = 4

Words = dict[str, object]


@dataclass(frozen=True)
class PaperSurvey:
    """Facts of a round that its paper questionnaires state."""

    round: Wording
    questionnaire: Questionnaire
    takes_slips: bool
    needs_slip: bool
    replaced_within: SupersededWithin
    evaluator: Wording | None
    kept_until: date
    public_url: str


def paper_words(survey: PaperSurvey, whose: SlipSheetText, *, language: str, is_large: bool) -> Words:
    """Return all that is printed on a questionnaire except the code of a household."""
    _ = translator(language)
    site = address_to_type(survey.public_url)
    return {
        "title": survey.round.in_language(language),
        "community": f"{whose.district.in_language(language)} · {whose.community.in_language(language)}",
        "bureau": bureau_name(whose.district, language),
        "assurance": _("The property company cannot see your answers"),
        "instructions": list(_instructions(survey, whose, language)),
        "notice": _notice(survey, whose, language),
        "takes_slips": survey.takes_slips,
        "code_label": _("Digits of the slip"),
        "code_hint": _code_hint(survey, _),
        "scan": _("Or scan and answer by phone"),
        "digits": SLIP_DIGITS,
        "blocks": _blocks(survey.questionnaire, language, is_large=is_large),
        "required": _("required"),
        "cut": _("Cut off here. You keep this part."),
        "keep": _keep(survey, whose, language),
        "receipt": _("Receipt number"),
        "change_code": _("Change code"),
        "contact": contact(whose.district, whose.telephone, language),
        "site": site,
        "page": _("Page {page} of {pages}"),
    }


def _instructions(survey: PaperSurvey, whose: SlipSheetText, language: str) -> Iterator[str]:
    _ = translator(language)
    yield _(
        "Please tick the box before your answer: one in each question, more only where it says “any number of "
        "answers”. You may leave out questions that are not marked “required”."
    )
    number_by_key, photos = survey.questionnaire.number_by_key, survey.questionnaire.photo_questions
    if photos:
        numbers = ", ".join(str(number_by_key[question.key]) for question in photos)
        yield _("Question %(numbers)s asks for photos, which can be sent by phone only.") % {"numbers": numbers}
    yield _(
        "Put the form into the envelope, seal it, and hand it to the neighbourhood office by %(day)s. Please do "
        "not give it to the property company."
    ) % {"day": _long_date(whose.last_day, language)}


def _code_hint(survey: PaperSurvey, _: Translate) -> str:
    hint = _("Copy the %(digits)s digits from the slip of your household.") % {"digits": SLIP_DIGITS}
    return hint if survey.needs_slip else " ".join((hint, _("Leave it empty if you have none.")))


def _notice(survey: PaperSurvey, whose: SlipSheetText, language: str) -> str:
    """Return the privacy notice for paper: nothing is sent over a network, and somebody types the answers in."""
    _ = translator(language)
    of_households = _(
        "{bureau}[, tel. {telephone},] runs this survey to assess and improve property services. We collect your "
        "answers, comments, owner/tenant status, the community, an encrypted household code, that you answered on "
        "paper, and when and by whom of the staff it was typed in. We do not ask your name or telephone. [{evaluator} "
        "processes the data for us. ]The property company cannot see individual answers. When the result is official, "
        "comments and the household link are erased and this paper is destroyed, and the rest is erased after {date}; "
        "only totals stay. Participation is voluntary. If you hand the form in yourself, the staff can type it in at "
        "once and write the receipt number and change code on the part that you keep: with them you can see your "
        "answers, correct or withdraw them until the survey closes, and erase them after that. Full notice: {site}, "
        "where you type the digits of your slip, or at the bureau."
    )
    of_posters = _(
        "{bureau}[, tel. {telephone},] runs this survey to assess and improve property services. We collect your "
        "answers, comments, owner/tenant status, the community, that you answered on paper, and when and by whom of "
        "the staff it was typed in. We do not ask your name or telephone. [{evaluator} processes the data for us. ]The "
        "property company cannot see individual answers. When the result is official, comments are erased and this "
        "paper is destroyed, and the rest is erased after {date}; only totals stay. Participation is voluntary. If you "
        "hand the form in yourself, the staff can type it in at once and write the receipt number and change code on "
        "the part that you keep: with them you can see your answers, correct or withdraw them until the survey closes, "
        "and erase them after that. Full notice: {site}, where you type the number on the poster, or at the bureau."
    )
    return fill_notice_text(
        of_households if survey.takes_slips else of_posters,
        {
            "bureau": bureau_name(whose.district, language),
            "telephone": whose.telephone,
            "evaluator": survey.evaluator.in_language(language) if survey.evaluator else None,
            "date": _long_date(survey.kept_until, language),
            "site": address_to_type(survey.public_url),
        },
    )


def _keep(survey: PaperSurvey, whose: SlipSheetText, language: str) -> str:
    """Return what a household does who wants to answer otherwise, or nothing where no slip tells it from others."""
    if not survey.takes_slips:
        return ""
    _ = translator(language)
    again = _("One slip is for one household. You can use it again until %(day)s.") % {
        "day": _long_date(whose.last_day, language)
    }
    if survey.replaced_within is SupersededWithin.TENURE:
        newest = _("Of the answers with one slip, the newest of an owner count, and the newest of a tenant.")
    else:
        newest = _("Of the answers with one slip, the newest count.")
    return f"{again} {newest}"


@lru_cache(maxsize=8)
def _blocks(questionnaire: Questionnaire, language: str, *, is_large: bool) -> list[Words]:
    """Return headings, questions and tables of questions that share a scale, in the order in which they are typed in.

    They are the same for every community.
    """
    sections = typed_sections(questionnaire)
    skips = skips_by_number([question for section in sections for question in section.questions])
    placed = [(section.heading, question) for section in sections for question in section.questions]
    blocks: list[Words] = []
    heading: Wording | None = None
    for scale, group in groupby(placed, lambda each: None if is_large else _columns_of(each[1])):
        rows: list[Words] = []
        for section_heading, question in group:
            if section_heading is not heading:
                heading = section_heading
                rows.append({"kind": "heading", "text": heading.in_language(language)})
            rows.append(_question(question, skips[question.number], language))
        if scale is None:
            blocks += rows
        else:
            blocks.append({"kind": "table", "options": _options(question.question.options, language), "rows": rows})
    return blocks


def _columns_of(question: TypedQuestion) -> str | None:
    """Return the scale whose options become columns, if they are few enough."""
    return question.question.scale if len(question.question.options) <= MOST_COLUMNS else None


def _question(typed: TypedQuestion, skips: Sequence[Skip], language: str) -> Words:
    _, question = translator(language), typed.question
    return {
        "kind": "question",
        "number": str(typed.number),
        "label": question.label.in_language(language),
        "is_required": question.required,
        "hint": _("any number of answers") if question.type is QuestionType.MULTI else "",
        "conditions": [_condition(condition, language) for condition in typed.conditions],
        "ends": [f"0 {question.ends.zero.in_language(language)}", f"10 {question.ends.ten.in_language(language)}"]
        if question.ends
        else [],
        "options": _options(question.options, language),
        "lines": min(_MOST_LINES, -(-question.max_length // _CHARACTERS_PER_LINE)) if question.max_length else 0,
        "skips": [_skip(skip, language) for skip in skips],
    }


def _options(options: Sequence[Option], language: str) -> list[Words]:
    # A number on a scale is its own code, which is not printed twice.
    return [
        {"code": str(option.code), "label": "" if label == str(option.code) else label}
        for option in options
        for label in [option.label.in_language(language)]
    ]


def _condition(condition: NumberedCondition, language: str) -> str:
    _ = translator(language)
    return _("Only if you answered “%(answer)s” to question %(number)s.") % {
        "answer": _chosen(condition.options, language),
        "number": condition.number,
    }


def _skip(skip: Skip, language: str) -> str:
    _ = translator(language)
    facts = {"answer": _chosen(skip.options, language), "number": skip.to}
    if skip.options and skip.to is not None:
        return _("If you chose “%(answer)s”, go on with question %(number)s.") % facts
    if skip.options:
        return _("If you chose “%(answer)s”, you have finished.") % facts
    return _("Then go on with question %(number)s.") % facts if skip.to is not None else _("Then you have finished.")


def _chosen(options: Sequence[Option], language: str) -> str:
    return " / ".join(f"{each['code']} {each['label']}".strip() for each in _options(options, language))


def _long_date(day: date, language: str) -> str:
    return format_date(day, "long", locale=language.replace("-", "_"))
