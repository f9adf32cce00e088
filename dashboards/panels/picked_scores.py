"""Scores of the communities listed by satisfaction, corrected for having been picked because they are high."""

from typing import Final

from dash.development.base_component import Component

from analytics.reports.html_page import between
from analytics.rules import share_words
from dashboards.frames.list_analysis import analyse_list
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import met, scale_of
from dashboards.languages import translator
from dashboards.panels.sensitivity import MOST_LISTED
from dashboards.routes import ROUTES
from dashboards.widgets.components import Column, data_table, empty, panel, records, scrolled
from dashboards.widgets.links import named_link
from dashboards.widgets.next_steps import choose_another, sees_a_part

_ROUTE: Final = ROUTES["satisfaction"]


def picked_scores_panel(shown: PageData) -> list[Component]:
    """Return the scores of the listed with corrected intervals, or why there are none; nothing on the other route."""
    if shown.view.route != _ROUTE:
        return []
    _ = translator(shown.language)
    name = _("What the scores of the listed are worth")
    if not shown.sees_whole_regions:
        return [panel(name, sees_a_part(shown.language), anchor="picked")]
    corrected = shown.source.compute_once(shown.header.id, analyse_list).corrected
    listed = shown.standings[met(shown.standings, _ROUTE.status)].sort_values(_ROUTE.rank, kind="stable")
    listed = listed[listed["number"].isin(corrected.index)]
    if listed.empty:
        none = empty(_("No score of a listed community can be corrected here."), choose_another(shown.language))
        return [panel(name, none, anchor="picked")]
    scale = scale_of(shown.header, _ROUTE, shown.language)
    headings = (_("Community"), _("Score"), _("Corrected for having been picked"))
    columns = [Column(heading, heading, numeric=place > 0) for place, heading in enumerate(headings)]
    rows: list[list[str | Component]] = [
        [
            named_link(shown.view, row["number"], row["name"], row["english_name"]),
            scale.write(row[_ROUTE.score]),
            between(*limits, scale=scale.factor, decimals=1, unit=scale.unit),
        ]
        for row in records(listed.head(MOST_LISTED))
        for limits in [corrected.loc[row["number"], ["lower", "upper"]].tolist()]
    ]
    caption = _("{shown} of {count}").format(shown=len(rows), count=len(listed))
    note = _(
        "Whoever is listed for a high score was often lucky, too. The corrected intervals contain the true score of at "
        "least {level} of the listed, on average over surveys."
    ).format(level=share_words(shown.header.rules.evidence.level))
    return [panel(name, scrolled(data_table(columns, rows, caption=caption), name), anchor="picked", note=note)]
