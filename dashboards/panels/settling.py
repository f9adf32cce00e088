"""What would settle the list by satisfaction: further answers, or the choice of a rule."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboards.frames.page_data import PageData
from dashboards.frames.standings import among, in_region, met
from dashboards.languages import translator
from dashboards.panels.what_if import BY_LOWER_BOUND, order_by_lower_bound
from dashboards.routes import ROUTES
from dashboards.widgets.components import empty, panel, titled_sentences
from dashboards.widgets.next_steps import choose_another

_ROUTE = ROUTES["satisfaction"]


def settling_panel(shown: PageData) -> list[Component]:
    """Return what would settle the list of each region, or why that is not known; nothing on the other route."""
    if shown.view.route != _ROUTE:
        return []
    _ = translator(shown.language)
    name, said = _("What would settle the list"), settling_by_region(shown)
    if not said:
        none = _("Nobody is listed by satisfaction here, or the evaluation is older than the evidence.")
        return [panel(name, empty(none, choose_another(shown.language)), anchor="settling")]
    asked = shown.view.with_own(what_if=BY_LOWER_BOUND).search
    link = html.A(_("Who would enter and leave by lower bounds"), href=f"{asked}#what-if", className="quiet-link")
    return [
        panel(
            name,
            titled_sentences((shown.region_label(region), about) for region, about in said.items()),
            *([link] if shown.sees_whole_regions else []),
            anchor="settling",
            note=_("Foreseen from the answers so far; nothing here is decided."),
        )
    ]


def settling_by_region(shown: PageData) -> dict[str, list[str]]:
    """Return for each region with a list by satisfaction what would settle it."""
    cautious = _by_lower_bound(shown)
    return {
        region: list(settling_sentences(shown, region, facts, cautious))
        for region, facts in shown.list_facts(_ROUTE).items()
        if facts["listed"]
    }


def settling_sentences(
    shown: PageData, region: str, facts: Mapping[str, Any], cautious: "pd.DataFrame | None"
) -> Iterator[str]:
    """Yield what would settle the list of a region.

    `facts` as `analytics.evidence.list_reliability.summarise_evidence` has them of the route, `cautious` as
    `order_by_lower_bound` returns it, None where the account cannot see it.
    """
    _ = translator(shown.language)
    needed = facts["needed"]
    yield _("The data settle {settled} of {count} communities as they are.").format(
        settled=f"{needed['settled']:,}", count=f"{sum(needed.values()):,}"
    )
    if needed["reachable"]:
        yield _(
            "As many further answers as can be expected would settle {count} more; the table of communities around the "
            "cut-off says how many each needs."
        ).format(count=f"{needed['reachable']:,}")
    if needed["not_reachable"]:
        yield _(
            "As many answers as can be expected would not settle {count}: too close to the cut-off. Whether they "
            "are listed is settled by a rule, not by more answers."
        ).format(count=f"{needed['not_reachable']:,}")
    if needed["unknown"]:
        yield _("It cannot be foreseen for {count}, since the number of households is unknown.").format(
            count=f"{needed['unknown']:,}"
        )
    if cautious is not None:
        own = in_region(shown.everywhere, region)
        listed = own.loc[met(own, _ROUTE.status), "community_id"]
        stays = among(listed, cautious.loc[met(cautious, _ROUTE.status), "community_id"])
        yield _(
            "If communities were ordered by the lower bound of their interval, the least that their answers support, "
            "{stay} of the {listed} listed would stay."
        ).format(stay=f"{int(stays.sum()):,}", listed=f"{len(listed):,}")


def _by_lower_bound(shown: PageData) -> "pd.DataFrame | None":
    if not shown.sees_whole_regions:
        return None
    return shown.source.compute_once(shown.header.id, order_by_lower_bound)
