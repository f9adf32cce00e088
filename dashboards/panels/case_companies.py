"""Funnel plot of companies: answers in time beside what chance allows, in place of a league table."""

from functools import partial

import pandas as pd
from dash.development.base_component import Component

from analytics.casework.shares import FEWEST_JUDGED, shares_by
from dashboards.figures.companies import casework_funnel_figure
from dashboards.frames.casework import CaseworkData
from dashboards.languages import translator
from dashboards.panels.company_shares import CompanyShare, company_shares_panel, in_order_of_names
from dashboards.widgets.components import NumbersColumn
from dashboards.widgets.next_steps import as_cases_come


def companies_panel(shown: CaseworkData) -> Component:
    """Return the funnel of the companies of the cases shown, with all of them by name."""
    _ = translator(shown.language)
    share = CompanyShare(
        "of",
        "some",
        heading=_("Share"),
        sentence=_("Of all answers of the {count} companies compared {share} came in time."),
        counts={
            "of": NumbersColumn(_("Answers due"), numeric=True, write="{:,}".format),
            "some": NumbersColumn(_("In time"), numeric=True, write="{:,}".format),
        },
        figure=partial(casework_funnel_figure, language=shown.language),
    )
    about = _(
        "Only answers count that the company had to give: not those of cases that it never got, nor of reviews. Not"
        " compared are companies of which fewer than {fewest} answers came due."
    ).format(fewest=FEWEST_JUDGED)
    return company_shares_panel(
        _("Answers in time, company by company"),
        share,
        compared_companies(shown),
        about=[about],
        then=as_cases_come(shown.language),
        anchor="case-companies",
        language=shown.language,
    )


def compared_companies(shown: CaseworkData) -> pd.DataFrame:
    """Return the companies that are compared, in the order of their names: company, company_english, some and of."""
    own = shown.cases["is_companys"] & shown.cases["company"].notna()
    judged = shares_by(shown.answered[own], shown.cases.loc[own, "company"])[["some", "of"]]
    judged = judged[judged["of"] >= FEWEST_JUDGED].rename_axis("company").reset_index()
    english = shown.cases.astype({"company": "object", "company_english": "object"}).drop_duplicates("company")
    judged["company_english"] = judged["company"].map(english.set_index("company")["company_english"])
    return in_order_of_names(judged, shown.language)
