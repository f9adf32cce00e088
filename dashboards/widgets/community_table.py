"""Table of all communities as people read it: its columns, the cells of a row, and its CSV file."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import pandas as pd

from analytics.files.csv_files import csv_file
from analytics.reports.labels import evidence_words, sentence_case, survey_channel_words
from analytics.reports.percentile_words import percentile_cell
from analytics.reports.standing_words import criterion_status_words
from dashboards.address import View
from dashboards.frames.standings import counted_words, scale_of
from dashboards.languages import pick, translator
from dashboards.routes import ROUTES
from dashboards.source import EvaluationHeader
from dashboards.widgets.components import records
from dashboards.widgets.links import address_of

# The marks of the charts: a result is not told by colour alone.
_MARKS: Final = {"met": "◆", "not_met": "•", "not_assessed": "○", "not_applicable": "–"}
_NO_VALUE: Final = "—"


def column_names(header: EvaluationHeader, language: str) -> dict[str, str]:
    """Return the heading of every column, in order; rate and index each have a name of their own."""
    _ = translator(language)
    return {
        "name": _("Community"),
        "satisfaction_rank": _("Satisfaction: rank"),
        "satisfaction_percentile": _("Satisfaction: percentile"),
        "satisfaction_score": scale_of(header, ROUTES["satisfaction"], language).title,
        "responses": counted_words(header, language),
        "complaint_rank": _("Complaints: rank"),
        "complaint_percentile": _("Complaints: percentile"),
        "complaints_per_1000_household_years": scale_of(header, ROUTES["complaints"], language).title,
        "status": _("Result (either route)"),
        "evidence": _("Evidence (either route)"),
        "place": _("District"),
        "channel": _("Answers came through"),
        "check": _("Please check"),
    }


def community_table_row(
    row: Mapping[str, Any], header: EvaluationHeader, view: View, *, channel: str | None = None, check: str = ""
) -> dict[str, str]:
    """Return the cells of one community as text, and the address of its page."""
    language = view.language
    scales = {key: scale_of(header, route, language) for key, route in ROUTES.items()}
    status = row["criterion_status"]
    return {
        "number": row["number"],
        "address": address_of(view, row["number"]),
        "name": pick(language, row["name"], row["english_name"]),
        "place": place_words(row, language),
        "satisfaction_rank": rank_words(row, "satisfaction", language),
        "satisfaction_percentile": _percentile(row, header, "satisfaction") or _NO_VALUE,
        "satisfaction_score": scales["satisfaction"].write(_if_ranked(row, "satisfaction")),
        "responses": _NO_VALUE if pd.isna(row["responses"]) else f"{int(row['responses']):,}",
        "complaint_rank": rank_words(row, "complaints", language),
        "complaint_percentile": _percentile(row, header, "complaints") or _NO_VALUE,
        "complaints_per_1000_household_years": scales["complaints"].write(_if_ranked(row, "complaints")),
        "status": f"{_MARKS[status]} {sentence_case(criterion_status_words(row, language))}",
        "evidence": evidence_words(language).get(row["criterion_evidence"], _NO_VALUE),
        "channel": survey_channel_words(language)[channel] if channel else _NO_VALUE,
        "check": check,
    }


def place_words(row: Mapping[str, Any], language: str) -> str:
    """Return the district of a community, with its subdistrict where that is known."""
    names = (pick(language, row[part], row[f"{part}_english"]) for part in ("region", "subdistrict"))
    return " · ".join(filter(None, names))


def rank_words(row: Mapping[str, Any], route_key: str, language: str) -> str:
    """Return the rank of a community on a route, and whether it is tied."""
    _ = translator(language)
    route = ROUTES[route_key]
    if pd.isna(row[route.rank]):
        return _NO_VALUE
    rank = int(row[route.rank])
    return _("{rank} (tied)").format(rank=rank) if row[route.last_rank] > rank else str(rank)


def community_table_csv(
    pieces: Iterable[pd.DataFrame],
    header: EvaluationHeader,
    language: str,
    *,
    channels: Mapping[str, str],
    checks: Mapping[str, str],
) -> Iterator[str]:
    """Return the table as a CSV file in pieces: numbers as stored, labels for codes, each row with its state."""
    _ = translator(language)
    standing = _("Preview, not an official result") if header.provisional else _("official")
    names = column_names(header, language)
    # Its parts have columns of their own here.
    del names["place"]
    headings = [
        _("Kind of result"),
        _("Number"),
        names.pop("name"),
        _("District"),
        _("Subdistrict"),
        _("Neighbourhood"),
        _("Property company"),
        *names.values(),
    ]
    return csv_file(
        headings,
        (
            [[standing, *_values(row, header, channels, language), checks.get(row["number"])] for row in records(piece)]
            for piece in pieces
        ),
    )


def _values(row: Mapping[str, Any], header: EvaluationHeader, channels: Mapping[str, str], language: str) -> list[Any]:
    return [
        row["number"],
        pick(language, row["name"], row["english_name"]),
        pick(language, row["region"], row["region_english"]),
        *(pick(language, row[named], row[f"{named}_english"]) for named in ("subdistrict", "neighbourhood", "company")),
        row["satisfaction_rank"],
        _percentile(row, header, "satisfaction"),
        _if_ranked(row, "satisfaction"),
        row["responses"],
        row["complaint_rank"],
        _percentile(row, header, "complaints"),
        _if_ranked(row, "complaints"),
        sentence_case(criterion_status_words(row, language)),
        evidence_words(language).get(row["criterion_evidence"]),
        survey_channel_words(language).get(channels.get(row["number"], "")),
    ]


def _percentile(row: Mapping[str, Any], header: EvaluationHeader, route_key: str) -> str | None:
    return percentile_cell(row, header.summary["regions"], ROUTES[route_key].key)


def _if_ranked(row: Mapping[str, Any], route_key: str) -> float | None:
    # The score of a handful of answers would be read as a rank, and could give single answers away.
    route = ROUTES[route_key]
    return None if pd.isna(row[route.rank]) else row[route.score]
