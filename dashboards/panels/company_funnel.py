"""Funnel plot of property companies: the satisfied of all their ranked communities beside what chance allows."""

from collections.abc import Iterator
from typing import Final

import pandas as pd
from dash.development.base_component import Component

from analytics.disclosure.rules import DisclosureRules
from dashboards.figures.companies import company_funnel_figure
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import counted_words
from dashboards.languages import translator
from dashboards.panels.company_shares import CompanyShare, company_shares_panel, in_order_of_names
from dashboards.routes import ROUTES
from dashboards.widgets.components import NumbersColumn, empty, panel
from dashboards.widgets.links import communities_address
from dashboards.widgets.next_steps import choose_another

FEWEST_COMMUNITIES: Final = 2
"""Fewest ranked communities of a company that is compared: the numbers of one alone are those of a community."""

_ROUTE: Final = ROUTES["satisfaction"]


def company_panels(shown: PageData) -> list[Component]:
    """Return the funnel of the companies of the regions shown, with all of them by name."""
    _ = translator(shown.language)
    name = _("More or less satisfaction than chance allows")
    if shown.header.rules.satisfaction.measure != "satisfaction_rate":
        said = _("The rules of this evaluation rank by another measure than the share of satisfied answers.")
        return [panel(name, empty(said, choose_another(shown.language)), anchor="companies")]
    counts = shown.source.company_counts(shown.header.id, shown.view.region)
    compared = compared_companies(counts, shown.disclosure, shown.language)
    return [
        company_shares_panel(
            name,
            satisfied_share(shown),
            compared,
            about=list(_about_the_rest(counts, compared, shown)),
            then=choose_another(shown.language),
            anchor="companies",
            language=shown.language,
        )
    ]


def satisfied_share(shown: PageData) -> CompanyShare:
    """Return the share of satisfied answers by which companies are compared."""
    _ = translator(shown.language)
    return CompanyShare(
        "responses",
        "satisfied",
        heading=_("Satisfaction rate"),
        sentence=_("Of all answers of the {count} companies compared {share} are satisfied."),
        counts={
            "communities": NumbersColumn(_("Ranked communities"), numeric=True),
            "responses": NumbersColumn(counted_words(shown.header, shown.language), numeric=True, write="{:,}".format),
            "satisfied": NumbersColumn(_("Satisfied"), numeric=True, write="{:,}".format),
        },
        figure=lambda measured, target: company_funnel_figure(measured, target, shown.drawing(_ROUTE)),
        address=lambda company: communities_address(shown.view, company=company, group="ranked_by_satisfaction"),
    )


def compared_companies(counts: pd.DataFrame, disclosure: DisclosureRules, language: str) -> pd.DataFrame:
    """Return the companies that are compared, in the order of their names in `language`.

    `counts` are those of `EvaluationSource.company_counts`, whose order is that of the Chinese names. Left out are
    companies of one ranked community, whose numbers would be those of that community, or of fewer answers than are
    broken down.
    """
    is_named, is_shared = counts["company"].notna(), counts["communities"] >= FEWEST_COMMUNITIES
    return in_order_of_names(counts[is_named & is_shared & (counts["responses"] >= disclosure.minimum_base)], language)


def _about_the_rest(counts: pd.DataFrame, compared: pd.DataFrame, shown: PageData) -> Iterator[str]:
    """Yield whose company is meant, and which are not compared."""
    _ = translator(shown.language)
    yield _(
        "The company of a community is the one in charge on the last day of the round; where no change of company is"
        " recorded with its day, the one that the register names today."
    )
    others = int(counts["company"].notna().sum()) - len(compared)
    if others:
        yield _(
            "Not compared are companies of a single ranked community, or of fewer than {fewest} answers: {count}."
        ).format(fewest=shown.disclosure.minimum_base, count=f"{others:,}")
    unknown = int(counts.loc[counts["company"].isna(), "communities"].sum())
    if unknown:
        yield _("Ranked communities of which no company is known: {count}.").format(count=f"{unknown:,}")
