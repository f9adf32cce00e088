"""Funnel plot of property companies: the satisfied of all their ranked communities beside what chance allows."""

from collections.abc import Iterator
from typing import Final

import pandas as pd
from dash import html
from dash.development.base_component import Component

from analytics.disclosure.rules import DisclosureRules
from analytics.statistics.funnel import Funnel, proportion_funnel
from dashboards.figures.companies import company_funnel_figure
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import counted_words
from dashboards.labels import satisfaction_positions
from dashboards.languages import pick, translator
from dashboards.routes import ROUTES
from dashboards.widgets.components import Numbers, NumbersColumn, chart, empty, panel, records
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
    left_out = html.Ul([html.Li(said) for said in _about_the_rest(counts, compared, shown)])
    if len(compared) < 2:
        said = _("Fewer than two companies here can be compared: no other tells what is usual.")
        return [panel(name, empty(said, choose_another(shown.language)), left_out, anchor="companies")]
    funnel = funnel_of_companies(compared)
    measured = compared.join(funnel.table.drop(columns=["events", "n"]).set_axis(compared.index))
    drawn = chart(
        company_funnel_figure(measured, funnel.target, shown.drawing(_ROUTE)),
        name="companies",
        summary=company_sentence(funnel, shown.language),
        language=shown.language,
        numbers=_numbers(measured, shown),
        is_unfolded=True,
    )
    note = _("A difference beyond chance is a reason to look closer. It says nothing of its cause, and ranks nobody.")
    return [panel(name, drawn, left_out, anchor="companies", note=note)]


def compared_companies(counts: pd.DataFrame, disclosure: DisclosureRules, language: str) -> pd.DataFrame:
    """Return the companies that are compared, in the order of their names in `language`.

    `counts` are those of `EvaluationSource.company_counts`, whose order is that of the Chinese names. Left out are
    companies of one ranked community, whose numbers would be those of that community, or of fewer answers than are
    broken down.
    """
    is_named, is_shared = counts["company"].notna(), counts["communities"] >= FEWEST_COMMUNITIES
    compared = counts[is_named & is_shared & (counts["responses"] >= disclosure.minimum_base)]
    if language == "en":
        names = compared["company_english"].fillna(compared["company"]).str.casefold()
        compared = compared.loc[names.sort_values(kind="stable").index]
    return compared.reset_index(drop=True)


def funnel_of_companies(compared: pd.DataFrame) -> Funnel:
    """Return the funnel limits of the companies around the share of all of them together; at least one company."""
    return proportion_funnel(
        compared["satisfied"].to_numpy("float64"),
        compared["responses"].to_numpy("float64"),
        rule="exact_tail",
        transformation="arcsine",
    )


def company_sentence(funnel: Funnel, language: str) -> str:
    """Return how many companies of a funnel lie beyond its lines, and by how much those were widened."""
    _ = translator(language)
    position = funnel.table["adjusted_position"]
    above, below = (int(position.isin([f"{side}_95", f"{side}_99_8"]).sum()) for side in ("above", "below"))
    said = _(
        "Of all answers of the {count} companies compared {share} are satisfied. Above the 95 percent lines: {above}; "
        "below them: {below}; the others lie within what chance allows."
    ).format(count=len(position), share=f"{funnel.target:.1%}", above=above, below=below)
    if funnel.dispersion.phi > 1:
        said += _(" The lines allow for companies differing {factor} times as much as by chance.").format(
            factor=f"{funnel.dispersion.phi:.1f}"
        )
    return said


def _about_the_rest(counts: pd.DataFrame, compared: pd.DataFrame, shown: PageData) -> Iterator[str]:
    """Yield whose company is meant, and which are not compared."""
    _ = translator(shown.language)
    yield _(
        "The company of a community is the one that the register names today; the register keeps no earlier companies."
    )
    others = int(counts["company"].notna().sum()) - len(compared)
    if others:
        yield _(
            "Not compared are companies of a single ranked community, or of fewer than {fewest} answers: {count}."
        ).format(fewest=shown.disclosure.minimum_base, count=f"{others:,}")
    unknown = int(counts.loc[counts["company"].isna(), "communities"].sum())
    if unknown:
        yield _("Ranked communities of which no company is known: {count}.").format(count=f"{unknown:,}")


def _columns(shown: PageData) -> list[NumbersColumn]:
    _ = translator(shown.language)

    def percent(share: float) -> str:
        return f"{share:.1%}"

    return [
        NumbersColumn(_("Property company")),
        NumbersColumn(_("Ranked communities"), numeric=True),
        NumbersColumn(counted_words(shown.header, shown.language), numeric=True, write="{:,}".format),
        NumbersColumn(_("Satisfied"), numeric=True, write="{:,}".format),
        NumbersColumn(_("Satisfaction rate"), numeric=True, write=percent),
        NumbersColumn(_("Chance allows from"), numeric=True, write=percent),
        NumbersColumn(_("Chance allows up to"), numeric=True, write=percent),
        NumbersColumn(_("Place")),
    ]


def _numbers(measured: pd.DataFrame, shown: PageData) -> Numbers:
    _ = translator(shown.language)
    words = satisfaction_positions(shown.language)
    rows = [
        [
            pick(shown.language, row["company"], row["company_english"]),
            *(int(row[name]) for name in ("communities", "responses", "satisfied")),
            *(row[name] for name in ("proportion", "adjusted_lower_95", "adjusted_upper_95")),
            words[row["adjusted_position"]],
        ]
        for row in records(measured)
    ]
    return Numbers(_("Companies by name, with the 95 percent lines"), _columns(shown), rows)
