"""The listed cases as a table for a file, without a word of what residents wrote."""

from collections.abc import Iterable, Iterator, Sequence

from survey_app.casework.inbox import ListedCase
from survey_app.casework.labels import channel_words, status_names
from survey_app.catalogue import translator
from survey_app.complaints.labels import case_kind_words
from survey_app.models.vocabulary import CaseKind, Channel


def case_headings(language: str) -> Sequence[str]:
    """Return what stands above the columns."""
    _ = translator(language)
    return (
        _("Reference number"),
        _("District"),
        _("Community"),
        _("Category"),
        _("Kind"),
        _("Channel"),
        _("Filed at"),
        _("Status"),
        _("Stage"),
        _("Deadline"),
        _("Overdue"),
        _("Property company"),
        _("Handler"),
        _("Neighbours who join"),
    )


def case_rows(cases: Iterable[ListedCase], language: str) -> Iterator[Sequence[object]]:
    """Yield a row of texts for each case."""
    _ = translator(language)
    kinds, statuses, channels = case_kind_words(language), status_names(language), channel_words(language)
    for case in cases:
        is_overdue = case.remaining is not None and case.remaining.is_overdue
        yield (
            case.reference,
            case.district.in_language(language),
            case.community.in_language(language),
            case.category.in_language(language),
            kinds[CaseKind(case.kind)],
            channels[Channel(case.channel)],
            f"{case.submitted_at:%Y-%m-%d %H:%M}",
            statuses[case.status],
            str(case.stage),
            f"{case.deadline:%Y-%m-%d %H:%M}" if case.deadline else "",
            _("yes") if is_overdue else _("no"),
            case.company.in_language(language) if case.company else "",
            case.handler or "",
            str(case.supporters),
        )
