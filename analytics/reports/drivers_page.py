"""Drivers page: importance and performance of each domain for overall satisfaction, as CSV and HTML page."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from markupsafe import Markup

from analytics.files.csv_files import frame_csv
from analytics.files.response_tables import ResponseTable
from analytics.languages import Wording, translator
from analytics.reports import svg_charts
from analytics.reports.chart_words import Labels
from analytics.reports.html_page import Chart, Page, PageTable, Section, between, percent, provenance_facts
from analytics.reports.svg_charts import ScoreIntervals
from analytics.rules import Rules
from analytics.statistics.drivers import Drivers, find_drivers, importance_performance

HIGHEST: Final = 100
"""Points of the best answer; means of domains are shown as an index from 0 to 100."""


def compute_drivers(table: ResponseTable, domains: tuple[str, ...], rules: Rules) -> Drivers:
    """Compute the drivers of the rules' overall question from response rows.

    Parameters
    ----------
    table : ResponseTable
        Responses that count, with the domains and the overall question.
    domains : tuple of str
    rules : Rules
        Their points of the codes, overall question and level of the intervals are used.

    Returns
    -------
    Drivers
    """
    points = {code: float(value) for code, value in rules.satisfaction.index_points.items()}
    rated = table.answers.astype("Float64").replace(points)
    return find_drivers(
        rated[list(domains)],
        rated[rules.satisfaction.question].to_numpy(dtype=np.float64, na_value=np.nan),
        community=table.responses["community_id"].to_numpy(dtype=np.str_),
        level=float(rules.evidence.level),
    )


def drivers_csv(drivers: Drivers) -> bytes:
    """Return importance and performance of each domain as a CSV file, numbers with six decimals."""
    frame = _joined(drivers).round(6)
    return frame_csv(frame)


def drivers_page(drivers: Drivers, rules: Rules, names: Mapping[str, Wording], language: str) -> Page:
    """Build the drivers page: sentences, a chart and a table.

    Parameters
    ----------
    drivers : Drivers
    rules : Rules
    names : mapping of str to Wording
        Name of each domain; a domain without a name is shown by its key.
    language : str
        One of `analytics.languages.LANGUAGES`.

    Returns
    -------
    Page
    """
    _ = translator(language)
    frame = _joined(drivers).sort_values(["place", "domain"], kind="stable")
    frame["name"] = [names[key].in_language(language) if key in names else key for key in frame["domain"]]
    said = _association_sentences(drivers, language)
    sections = [
        Section(
            _("Where most is missing"),
            said,
            charts=[_chart(frame, language)] if frame["weight"].notna().any() else [],
            grid=_grid(frame, rules, language),
        ),
        Section(
            _("How to read this"),
            [
                _(
                    "Importance is the part of the differences in overall satisfaction that goes with the differences"
                    " in this domain, so divided that domains that go together share it. It is an association among"
                    " answers: it does not mean that improving the domain would make residents more satisfied."
                ),
                _(
                    "What is missing: importance times the distance of the domain's index from {highest}. A domain"
                    " that is no more important than a random number is marked.",
                    highest=HIGHEST,
                ),
            ],
        ),
    ]
    lead = _("What the satisfaction of residents goes with, and in which domain most could be gained.")
    return Page(_("What satisfaction goes with"), lead, sections, provenance_facts(rules, language))


def _joined(drivers: Drivers) -> pd.DataFrame:
    beside = importance_performance(drivers, highest=HIGHEST).drop(columns=["share", "mean"])
    return drivers.domains.merge(beside, on="domain")


def _association_sentences(drivers: Drivers, language: str) -> list[str]:
    _ = translator(language)
    counted = _(
        "Responses with the overall question and a domain or more: {respondents}; their communities: {communities}.",
        respondents=f"{drivers.respondents:,}",
        communities=f"{drivers.communities:,}",
    )
    if np.isnan(drivers.r_squared):
        return [counted, _("That is too little, or too uniform, to tell anything.")]
    said = [
        counted,
        _(
            "The domains together go with {share} of the differences in overall satisfaction.",
            share=percent(drivers.r_squared, 0),
        ),
    ]
    if drivers.communities < 2:
        said.append(_("With answers of one community alone there are no intervals."))
    if drivers.repaired:
        said.append(
            _("So few answered several domains that their correlations contradicted each other; they were repaired.")
        )
    return said


def _chart(frame: pd.DataFrame, language: str) -> Chart:
    _ = translator(language)
    known = frame[frame["weight"].notna()]
    caption = _("Importance of each domain. Green: beyond a random number. The line is the interval.")
    weight, lower, upper = (known[name].to_numpy(dtype=np.float64) * 100 for name in ("weight", "lower", "upper"))
    drawing = svg_charts.caterpillar_chart(
        known["name"].tolist(),
        ScoreIntervals(weight, weight, lower, upper, known["above_noise"].to_numpy(dtype=bool)),
        cut_off=None,
        labels=Labels(caption, _("Importance (share in %)"), _("Domain"), ""),
        name="drivers",
    )
    return Chart(Markup(drawing), caption)  # noqa: S704 - `svg_charts` escapes every name


def _grid(frame: pd.DataFrame, rules: Rules, language: str) -> PageTable:
    _ = translator(language)
    fields = {
        "mend_first": _("improve first"),
        "keep_up": _("keep up"),
        "watch": _("watch"),
        "leave": _("leave as it is"),
        "unknown": _("cannot be told"),
    }
    headings = [
        _("Domain"),
        _("Finding"),
        _("Answers"),
        _("Importance (%)"),
        _("Interval ({level})", level=percent(float(rules.evidence.level))),
        _("Index"),
        _("Missing"),
    ]
    rows = [
        [
            row["name"],
            _finding(fields[row["field"]], above=row["above_noise"], field=row["field"], language=language),
            f"{row['n']:,}",
            _number(row["weight"] * 100),
            between(row["lower"], row["upper"], decimals=1, scale=100),
            _number(row["mean"]),
            _number(row["room"]),
        ]
        for row in frame.to_dict("records")
    ]
    return PageTable(headings, rows, 2)


def _finding(words: str, *, above: bool, field: str, language: str) -> str:
    _ = translator(language)
    if above or field == "unknown":
        return words
    return _("{finding} (no more than a random number)", finding=words)


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.1f}"
