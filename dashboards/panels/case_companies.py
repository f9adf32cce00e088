"""Funnel plot of companies: answers in time beside what chance allows, in place of a league table."""

from typing import Final

import pandas as pd
from dash import html
from dash.development.base_component import Component

from analytics.casework.shares import FEWEST_JUDGED, shares_by
from analytics.statistics.funnel import Funnel, proportion_funnel
from dashboards.figures.companies import casework_funnel_figure
from dashboards.frames.casework import CaseworkData
from dashboards.labels import satisfaction_positions
from dashboards.languages import pick, translator
from dashboards.widgets.components import Numbers, NumbersColumn, chart, empty, panel, records
from dashboards.widgets.next_steps import as_cases_come

_FEWEST_COMPARED: Final = 2


def companies_panel(shown: CaseworkData) -> Component:
    """Return the funnel of the companies of the cases shown, with all of them by name."""
    _ = translator(shown.language)
    name = _("Answers in time, company by company")
    compared = compared_companies(shown)
    left_out = html.Ul(
        html.Li(
            _(
                "Only answers count that the company had to give: not those of cases that it never got, nor of"
                " reviews. Not compared are companies of which fewer than {fewest} answers came due."
            ).format(fewest=FEWEST_JUDGED)
        )
    )
    if len(compared) < _FEWEST_COMPARED:
        said = _("Fewer than two companies here can be compared: no other tells what is usual.")
        return panel(name, empty(said, as_cases_come(shown.language)), left_out, anchor="case-companies")
    funnel = proportion_funnel(
        compared["some"].to_numpy("float64"),
        compared["of"].to_numpy("float64"),
        rule="exact_tail",
        transformation="arcsine",
    )
    measured = compared.join(funnel.table.drop(columns=["events", "n"]).set_axis(compared.index))
    drawn = chart(
        casework_funnel_figure(measured, funnel.target, shown.language),
        name="case-companies",
        summary=_sentence(funnel, shown.language),
        language=shown.language,
        numbers=_numbers(measured, shown.language),
    )
    note = _("A difference beyond chance is a reason to look closer. It says nothing of its cause, and ranks nobody.")
    return panel(name, drawn, left_out, anchor="case-companies", note=note)


def compared_companies(shown: CaseworkData) -> pd.DataFrame:
    """Return the companies that are compared, in the order of their names: company, company_english, some and of."""
    own = shown.cases["is_companys"] & shown.cases["company"].notna()
    judged = shares_by(shown.answered[own], shown.cases.loc[own, "company"])[["some", "of"]]
    judged = judged[judged["of"] >= FEWEST_JUDGED].rename_axis("company").reset_index()
    english = shown.cases.astype({"company": "object", "company_english": "object"}).drop_duplicates("company")
    judged["company_english"] = judged["company"].map(english.set_index("company")["company_english"])
    if shown.language == "en":
        names = judged["company_english"].fillna(judged["company"]).astype("str").str.casefold()
        judged = judged.loc[names.sort_values(kind="stable").index]
    return judged.reset_index(drop=True)


def _sentence(funnel: Funnel, language: str) -> str:
    _ = translator(language)
    position = funnel.table["adjusted_position"]
    above, below = (int(position.isin([f"{side}_95", f"{side}_99_8"]).sum()) for side in ("above", "below"))
    said = _(
        "Of all answers of the {count} companies compared {share} came in time. Above the 95 percent lines: {above};"
        " below them: {below}; the others lie within what chance allows."
    ).format(count=len(position), share=f"{funnel.target:.1%}", above=above, below=below)
    if funnel.dispersion.phi > 1:
        said += _(" The lines allow for companies differing {factor} times as much as by chance.").format(
            factor=f"{funnel.dispersion.phi:.1f}"
        )
    return said


def _numbers(measured: pd.DataFrame, language: str) -> Numbers:
    _ = translator(language)
    words = satisfaction_positions(language)
    columns = [
        NumbersColumn(_("Property company")),
        NumbersColumn(_("Answers due"), numeric=True, write="{:,}".format),
        NumbersColumn(_("In time"), numeric=True, write="{:,}".format),
        *(
            NumbersColumn(said, numeric=True, write="{:.1%}".format)
            for said in (_("Share"), _("Chance allows from"), _("Chance allows up to"))
        ),
        NumbersColumn(_("Place")),
    ]
    rows = [
        [
            pick(language, row["company"], row["company_english"]),
            *(int(row[name]) for name in ("of", "some")),
            *(row[name] for name in ("proportion", "adjusted_lower_95", "adjusted_upper_95")),
            words[row["adjusted_position"]],
        ]
        for row in records(measured)
    ]
    return Numbers(_("Companies by name, with the 95 percent lines"), columns, rows)
