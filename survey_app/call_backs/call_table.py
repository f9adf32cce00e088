"""The sheet of a sample and the register of contradicted closures as tables for files, without contact details."""

from collections.abc import Iterator, Sequence

from survey_app.call_backs.call_sheets import Sheet
from survey_app.call_backs.closure_register import ClosureRegister
from survey_app.call_backs.labels import question_words, recorded_words, state_words
from survey_app.casework.labels import status_names
from survey_app.catalogue import translator


def call_headings(language: str) -> Sequence[str]:
    """Return what stands above the columns of a sheet."""
    _ = translator(language)
    questions = (_("Whether contacted"), _("Whether resolved"), _("Whether satisfied"))
    ends = (_("Closed on"), _("How it ended"), _("Call-back"), _("Calls"))
    return (_("No."), _("Reference number"), _("Community"), _("Category"), _("Property company"), *ends, *questions)


def call_rows(sheet: Sheet, language: str) -> Iterator[Sequence[object]]:
    """Yield a row of texts for each drawn case."""
    states, recorded, questions = state_words(language), recorded_words(language), question_words(language)
    for call in sheet.calls:
        said: list[str] = [getattr(call.last, name, None) or "" for name in questions]
        yield (
            str(call.number),
            call.reference,
            call.community.in_language(language),
            call.category.in_language(language),
            call.company.in_language(language) if call.company else "",
            f"{call.closed_at:%Y-%m-%d}",
            recorded[call.recorded],
            states[call.state],
            str(call.tries),
            *(answers.get(value, "") for value, (_words, answers) in zip(said, questions.values(), strict=True)),
        )


def register_headings(language: str) -> Sequence[str]:
    """Return what stands above the columns of the register by company."""
    _ = translator(language)
    limits = (_("Lower limit (95%)"), _("Upper limit (95%)"))
    return (_("Property company"), _("Verified"), _("Contradicted"), _("Share"), *limits, _("On the watch list"))


def register_rows(register: ClosureRegister, language: str) -> Iterator[Sequence[object]]:
    """Yield a row of texts for each company; what is not told is empty."""
    _ = translator(language)
    for company in register.companies:
        share = company.share
        told = ("", "", "") if share is None else (share.share, share.lower, share.upper)
        yield (
            company.name.in_language(language) if company.name else _("All others"),
            "" if company.verified is None else str(company.verified),
            "" if company.contradicted is None else str(company.contradicted),
            *(each if each == "" else f"{each:.1%}" for each in told),
            _("yes") if company.is_watched else _("no"),
        )


def case_headings(language: str) -> Sequence[str]:
    """Return what stands above the columns of the cases to be looked at again."""
    _ = translator(language)
    names = (_("Reference number"), _("Community"), _("Category"), _("Property company"))
    return (*names, _("Answered on"), _("Contradicted on"), _("By"), _("Status"))


def case_rows(register: ClosureRegister, language: str) -> Iterator[Sequence[object]]:
    """Yield a row of texts for each case to be looked at again."""
    _ = translator(language)
    statuses = status_names(language)
    for case in register.cases:
        yield (
            case.reference,
            case.community.in_language(language),
            case.category.in_language(language),
            case.company.in_language(language) if case.company else "",
            f"{case.answered_at:%Y-%m-%d}",
            f"{case.contradicted_at:%Y-%m-%d}",
            _("a call-back") if case.is_by_call_back else _("the resident"),
            statuses[case.status],
        )
