"""Companies compared by a share of theirs: their order, the funnel around all of them together, its words and table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from dash import html
from dash.development.base_component import Component

from analytics.statistics.funnel import Funnel, proportion_funnel
from dashboards.figures.chart_parts import Figure
from dashboards.labels import satisfaction_positions
from dashboards.languages import pick, translator
from dashboards.widgets.components import Numbers, NumbersColumn, chart, empty, panel, records
from dashboards.widgets.links import Linked

_FEWEST_COMPARED: Final = 2


@dataclass(frozen=True)
class CompanyShare:
    """Share of companies: of the column `of` those in the column `some`, with its words in one language.

    `sentence` has places for the number of companies and for the share of all of them, `counts` are the columns of the
    table before the share, by the columns of the companies, and `figure` draws companies around a target. `address`
    returns where the rows behind a company of a given Chinese name are listed, None where no page lists them.
    """

    of: str
    some: str
    heading: str
    sentence: str
    counts: Mapping[str, NumbersColumn]
    figure: Callable[[pd.DataFrame, float], Figure]
    address: Callable[[str], str] | None = None

    def funnel(self, compared: pd.DataFrame) -> Funnel:
        """Return the funnel limits of the companies around the share of all of them; at least one company."""
        return proportion_funnel(
            compared[self.some].to_numpy("float64"),
            compared[self.of].to_numpy("float64"),
            rule="exact_tail",
            transformation="arcsine",
        )


def in_order_of_names(companies: pd.DataFrame, language: str) -> pd.DataFrame:
    """Return companies in the order of their names in `language`, which stand in that of their Chinese names."""
    if language == "en":
        names = companies["company_english"].fillna(companies["company"]).astype("str").str.casefold()
        companies = companies.loc[names.sort_values(kind="stable").index]
    return companies.reset_index(drop=True)


def company_shares_panel(
    title: str,
    share: CompanyShare,
    compared: pd.DataFrame,
    *,
    about: Sequence[str],
    then: str,
    anchor: str,
    language: str,
) -> Component:
    """Return the funnel of companies with all of them by name, or why fewer than two cannot be compared.

    `about` says who is compared and who is not, and `then` what to do where nobody is.
    """
    _ = translator(language)
    who = html.Ul([html.Li(said) for said in about])
    if len(compared) < _FEWEST_COMPARED:
        said = _("Fewer than two companies here can be compared: no other tells what is usual.")
        return panel(title, empty(said, then), who, anchor=anchor)
    funnel = share.funnel(compared)
    measured = compared.join(funnel.table.drop(columns=["events", "n"]).set_axis(compared.index))
    drawn = chart(
        share.figure(measured, funnel.target),
        name=anchor,
        summary=_summary(funnel, share, language),
        language=language,
        numbers=_numbers(measured, share, language),
        is_unfolded=True,
    )
    note = _("A difference beyond chance is a reason to look closer. It says nothing of its cause, and ranks nobody.")
    return panel(title, drawn, who, anchor=anchor, note=note)


def _summary(funnel: Funnel, share: CompanyShare, language: str) -> str:
    _ = translator(language)
    position = funnel.table["adjusted_position"]
    above, below = (int(position.isin([f"{side}_95", f"{side}_99_8"]).sum()) for side in ("above", "below"))
    said = share.sentence.format(count=len(position), share=f"{funnel.target:.1%}")
    beyond = _(" Above the 95 percent lines: {above}; below them: {below}; the others lie within what chance allows.")
    said += beyond.format(above=above, below=below)
    if funnel.dispersion.phi > 1:
        said += _(" The lines allow for companies differing {factor} times as much as by chance.").format(
            factor=f"{funnel.dispersion.phi:.1f}"
        )
    return said


def _numbers(measured: pd.DataFrame, share: CompanyShare, language: str) -> Numbers:
    _ = translator(language)
    words = satisfaction_positions(language)
    columns = [
        NumbersColumn(_("Property company")),
        *share.counts.values(),
        *(
            NumbersColumn(said, numeric=True, write="{:.1%}".format)
            for said in (share.heading, _("Chance allows from"), _("Chance allows up to"))
        ),
        NumbersColumn(_("Place")),
    ]
    rows = [
        [
            _name(row, share, language),
            *(int(row[name]) for name in share.counts),
            *(row[name] for name in ("proportion", "adjusted_lower_95", "adjusted_upper_95")),
            words[row["adjusted_position"]],
        ]
        for row in records(measured)
    ]
    return Numbers(_("Companies by name, with the 95 percent lines"), columns, rows)


def _name(row: Mapping[str, Any], share: CompanyShare, language: str) -> str | Linked:
    name = pick(language, row["company"], row["company_english"])
    return name if share.address is None else Linked(name, share.address(row["company"]))
