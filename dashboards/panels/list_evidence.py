"""Evidence for the list: the decision beside what the data support, as two things that never mix."""

from collections.abc import Iterator
from math import sqrt
from typing import Final

import pandas as pd
from dash import html
from dash.development.base_component import Component

from analytics.evidence.bands import Evidence
from analytics.evidence.list_reliability import LIST_FALSE_DISCOVERY_RATE
from analytics.reports.html_page import percent
from analytics.reports.labels import evidence_words, route_words
from dashboards.figures.evidence import list_evidence_figure
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import met, share_to_meet
from dashboards.languages import translator
from dashboards.routes import Route
from dashboards.widgets.components import Numbers, NumbersColumn, chart, empty, panel
from dashboards.widgets.next_steps import choose_another

BANDS: Final = tuple(str(band) for band in Evidence)


def list_evidence_panel(shown: PageData) -> Component:
    """Return how well the data support the list of the route that is shown."""
    _ = translator(shown.language)
    route = shown.view.route
    name = _("How reliable the list is: {route}").format(route=route_words(shown.language)[route.key])
    crossed = decision_by_evidence(shown.standings, route)
    if not crossed.to_numpy().sum():
        said = _("No evidence was weighed here: nobody is ranked, or the evaluation is older than the evidence.")
        return panel(name, empty(said, choose_another(shown.language)), anchor="support")
    return panel(
        name,
        chart(
            list_evidence_figure(crossed, shown.language),
            name=f"evidence-{route.key}",
            summary=list_evidence_sentence(shown, route),
            language=shown.language,
            numbers=list_evidence_numbers(crossed, route, shown.language),
        ),
        html.Ul([html.Li(said) for said in few_false_sentences(shown, route)]),
        anchor="support",
        note=_("The decision follows the rules; the evidence never changes it."),
    )


def decision_by_evidence(standings: pd.DataFrame, route: Route) -> pd.DataFrame:
    """Return how many listed and how many other ranked communities are in each evidence band.

    Index: True (listed), False; columns: the bands, the strongest first. Communities without evidence are not counted.
    """
    ranked = standings[[route.status, route.evidence]][standings[route.rank].notna()]
    is_listed = met(ranked, route.status)
    counted = {
        listed: ranked.loc[is_listed == listed, route.evidence].value_counts().reindex(list(BANDS), fill_value=0)
        for listed in (True, False)
    }
    return pd.DataFrame(counted).T


def list_evidence_sentence(shown: PageData, route: Route) -> str:
    """Return how many of those listed are expected to be truly among the best."""
    _ = translator(shown.language)
    facts = shown.list_facts(route).values()
    listed = sum(fact["listed"] for fact in facts)
    share = share_to_meet(shown.header, route)
    known = [fact for fact in facts if fact["expected_rightful"] is not None]
    if not listed:
        return _("Nobody is listed on this route.")
    if not known:
        return _(
            "Communities listed: {listed}; the data do not say how many of them are truly among the first {share}."
        ).format(listed=listed, share=share)
    expected = sum(fact["expected_rightful"] for fact in known)
    deviation = sqrt(sum(fact["standard_deviation"] ** 2 for fact in known))
    return _(
        "Communities listed: {listed}; about {expected} of them (give or take {deviation}) are expected to be truly "
        "among the first {share}."
    ).format(listed=listed, expected=f"{expected:.1f}", deviation=f"{deviation:.1f}", share=share)


def few_false_sentences(shown: PageData, route: Route) -> Iterator[str]:
    """Yield for each region whom a list with few false members would name; nobody out of scope is named."""
    _ = translator(shown.language)
    for region, facts in shown.list_facts(route).items():
        if facts["few_false"] is None or not (facts["listed"] or facts["few_false"]):
            continue
        said = {
            "region": shown.region_label(region),
            "share": percent(LIST_FALSE_DISCOVERY_RATE),
            "listed": f"{facts['listed']:,}",
            "count": f"{facts['few_false']:,}",
        }
        # Evaluations of earlier versions name nobody.
        named = [shown.names[number] for number in facts.get("few_false_named", []) if number in shown.names]
        if not facts["few_false"]:
            sentence = _(
                "{region}: communities listed: {listed}. There is no list of which at most {share} are expected to be "
                "wrong."
            )
        elif not named:
            sentence = _(
                "{region}: communities listed: {listed}. A list of which at most {share} are expected to be wrong "
                "would name {count}."
            )
        elif len(named) < facts["few_false"]:
            sentence = _(
                "{region}: communities listed: {listed}. A list of which at most {share} are expected to be wrong "
                "would name {count}, among them {names}."
            )
        else:
            sentence = _(
                "{region}: communities listed: {listed}. A list of which at most {share} are expected to be wrong "
                "would name {count}: {names}."
            )
        yield sentence.format(names=_(", ").join(named), **said)


def list_evidence_numbers(crossed: pd.DataFrame, route: Route, language: str) -> Numbers:
    """Return the numbers of `decision_by_evidence` as a table."""
    _ = translator(language)
    caption = _("Ranked communities by decision and evidence: {route}").format(route=route_words(language)[route.key])
    words = evidence_words(language)
    names = {True: _("Listed"), False: _("Not listed")}
    columns = [NumbersColumn(_("Decision")), *(NumbersColumn(words[band], numeric=True) for band in BANDS)]
    rows = [[names[bool(listed)], *counts.tolist()] for listed, counts in crossed.iterrows()]
    return Numbers(caption, columns, rows)
