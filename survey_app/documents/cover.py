"""Cover and frame of a document: of which result it is, what stands on every page, what an office signs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from dashboards.frames.page_data import PageData
from dashboards.labels import state_words
from dashboards.languages import day, end
from dashboards.panels.rules import check_codes
from dashboards.widgets.evaluation_notices import provisional_words
from survey_app.catalogue import translator
from survey_app.documents.blocks import Block, facts, heading, paragraph


@dataclass(frozen=True)
class Contents:
    """Contents of a document: its title, the place that it is about if not the whole scope, and its blocks."""

    title: str
    place: str | None
    blocks: Sequence[Block]


def document_words(contents: Contents, shown: PageData, *, now: datetime) -> dict[str, object]:
    """Return all words of a document, with the frame that its template sets around the contents."""
    language, header = shown.language, shown.header
    _ = translator(language)
    city, state = header.rules.city.in_language(language), state_words(header, language)
    survey_round = header.round_label(language)
    about = [city, *([contents.place] if contents.place else [])]
    source = header.rules.source
    return {
        "language": language.partition("-")[0],
        "document_title": " · ".join([*about, contents.title, survey_round]),
        "author": source.issuer,
        "above_title": " · ".join(about),
        "title": contents.title,
        "running": " · ".join([*about, contents.title, survey_round]),
        "state": state,
        "notices": [_("{title}: {words}").format(title=title, words=words) for title, words in _notices(shown)],
        "cover": [
            [_("City"), city],
            *([[_("Area or community"), contents.place]] if contents.place else []),
            [_("Round"), survey_round],
            [_("State of this result"), state],
            [_("Answers counted until"), end(header.cut_off, language, header.rules.time_zone)],
            [_("Document made on"), _day_of_making(shown, now)],
            [_("Rules"), header.rules.title.in_language(language)],
            [_("Rules issued by"), source.issuer],
            [_("Document number of the rules"), source.document_number],
        ],
        "number_label": _("Number of this document:"),
        "blocks": [*contents.blocks, *_data_check(shown)],
        "signatures": [_("Prepared by"), _("Checked by"), _("Approved by")],
        "date_label": _("Date"),
        "made": _("Made on {day}").format(day=_day_of_making(shown, now)),
        "page": _("Page {page} of {pages}"),
    }


def made_at(shown: PageData, *, now: datetime) -> datetime:
    """Return the moment that a document states in its file: the beginning of the day, so that equal days are equal."""
    return _local(shown, now).replace(hour=0, minute=0, second=0, microsecond=0)


def _local(shown: PageData, now: datetime) -> datetime:
    return now.astimezone(ZoneInfo(shown.header.rules.time_zone))


def _day_of_making(shown: PageData, now: datetime) -> str:
    return day(_local(shown, now), shown.language)


def _notices(shown: PageData) -> list[tuple[str, str]]:
    return [provisional_words(shown.language)] if shown.header.provisional else []


def _data_check(shown: PageData) -> list[Block]:
    """Return the hashes by which the data behind a document can be checked, and what they are not."""
    _ = translator(shown.language)
    said = _(
        "These check codes are a data check: whoever computes them from the files again sees that nothing was changed. "
        "They are no seal and no signature."
    )
    return [heading(_("Data check")), paragraph(said), facts(check_codes(shown.header, shown.language))]
