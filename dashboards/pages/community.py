"""Community page, made to be printed: standing and reasons, domains beside the region's, rounds, complaints."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache, partial
from typing import Any, Final

import dash_mantine_components as dmc
import pandas as pd
from dash import Dash, Input, Output, State, html, set_props
from dash.development.base_component import Component

from analytics.decision.percentiles import percentile_in
from analytics.decision.survey_channels import SurveyChannel
from analytics.disclosure.answer_tables import Rated
from analytics.reports.channel_sentences import poster_limits
from analytics.reports.labels import evidence_words, needed_words, route_words, sentence_case, survey_channel_words
from analytics.reports.percentile_words import percentile_interval_words, percentile_text, percentile_words
from analytics.reports.standing_words import criterion_status_words
from dashboards.address import View
from dashboards.frames.page_data import PageData
from dashboards.frames.profile import rated_questions
from dashboards.frames.standings import interval_estimates, scale_of, share_to_meet
from dashboards.frames.survey_channels import channels_by_number
from dashboards.languages import pick, translator
from dashboards.pages.page import Drawn, Page, Part, Parts, Section
from dashboards.panels.aspect_percentiles import aspect_percentiles_panel
from dashboards.panels.community_profile import answers_panel, complaints_panel, domains_panel, drivers_panel
from dashboards.panels.integrity_notes import integrity_panel
from dashboards.panels.owners_and_tenants import tenures_panel
from dashboards.panels.round_trend import trend_panel
from dashboards.panels.survey_reported_complaints import reported_panel
from dashboards.routes import ROUTES, Route
from dashboards.source import EvaluationSource, Profile
from dashboards.widgets.components import empty, facts, key_figure, panel, records
from dashboards.widgets.evaluation_notices import no_evaluation, provisional_notice
from dashboards.widgets.links import COMMUNITY_PATH, paper_links

MOST_MATCHES: Final = 20


def draw(source: EvaluationSource, view: View, _now: datetime) -> Parts:
    """Return the parts of the page for one view."""
    shown = PageData.of(source, view.with_changes(region=None))
    if shown is None:
        return no_evaluation(view)
    number = view.own.get("community", "")
    found = source.standings_of(shown.header.id, [number])
    chooser = _chooser(shown, found)
    if found.empty:
        _ = translator(view.language)
        then = _("Choose a community by its name or number.")
        return [chooser, panel(_("One community"), empty(_("No community is chosen."), then), anchor="standing")]
    [row] = records(found)

    @cache
    def profile() -> Profile | None:
        return source.profile(shown.header.id, number)

    @cache
    def rated() -> Mapping[str, Rated]:
        kept = profile()
        return {} if kept is None else rated_of(shown, row, kept)

    def explained(draw_panel: Callable[[Profile, Rated], Drawn]) -> Drawn:
        kept = profile()
        return [] if kept is None else draw_panel(kept, rated()[shown.header.rules.satisfaction.question])

    return [
        chooser,
        *provisional_notice(shown),
        Part(lambda: _head(shown, row)),
        Part(lambda: _key_figures(shown, row)),
        Part(lambda: domains_panel(shown, profile(), rated()), "domains"),
        Part(lambda: aspect_percentiles_panel(shown, row), "percentiles"),
        Part(lambda: trend_panel(shown, row, source.history(number)), "trend"),
        Part(lambda: explained(partial(answers_panel, shown))),
        Part(lambda: explained(partial(tenures_panel, shown))),
        Part(lambda: drivers_panel(shown, profile()), "drivers"),
        Part(lambda: complaints_panel(shown, row, profile()), "cases"),
        Part(lambda: reported_panel(shown, row, profile()), "reported"),
        Part(lambda: integrity_panel(shown, row), "integrity"),
    ]


def rated_of(shown: PageData, row: Mapping[str, Any], profile: Profile) -> Mapping[str, Rated]:
    """Return what is shown of the answers to each question of a community, as `rated_questions` says."""
    is_ranked = not pd.isna(row[ROUTES["satisfaction"].rank])
    return rated_questions(profile, shown.header.rules, is_ranked=is_ranked, disclosure=shown.disclosure)


def register(app: Dash, source: EvaluationSource, language: Callable[[], str]) -> None:
    """Add the callbacks of this page: the search for a community, and the choice of one."""

    @app.callback(
        Output("community", "data"),
        Input("community", "searchValue"),
        State("address", "search"),
        State("community", "data"),
        prevent_initial_call=True,
    )
    def search(typed: str | None, address: str | None, data: list[dict[str, str]]) -> list[dict[str, str]]:
        shown = PageData.of(source, View.of(address, language).with_changes(region=None))
        return matches(shown, typed) if shown and typed else data

    @app.callback(Input("community", "value"), State("address", "search"), prevent_initial_call=True)
    def choose(number: str | None, address: str | None) -> None:
        view = View.of(address, language)
        if number and number != view.own.get("community"):
            set_props("address", {"search": view.with_own(community=number).search})


def matches(shown: PageData, typed: str) -> list[dict[str, str]]:
    """Return the first communities whose name in either language or number contains what was typed."""
    wanted = typed.partition(" · ")[0].strip().casefold()
    places = shown.everywhere
    found = places["number"].str.contains(wanted, regex=False)
    for column in ("name", "english_name"):
        names = places[column].cat
        found |= places[column].isin([name for name in names.categories if wanted in name.casefold()])
    return [_option(shown, row) for row in records(places[found].head(MOST_MATCHES))]


def sections(language: str) -> list[Section]:
    """Return the sections of this page for the navigation."""
    _ = translator(language)
    return [
        Section("domains", _("Aspects of service")),
        Section("percentiles", _("Percentile by aspect of service")),
        Section("trend", _("Round by round")),
        Section("drivers", _("What matters")),
        Section("cases", _("Complaints")),
        Section("reported", _("Reported and on record")),
        Section("integrity", _("Signs of false answers")),
    ]


def title(language: str) -> str:
    """Return the title of this page in the navigation."""
    _ = translator(language)
    return _("One community")


PAGE: Final = Page(
    path=COMMUNITY_PATH, title=title, sections=sections, draw=draw, filters=("evaluation",), register=register
)


def _chooser(shown: PageData, own: pd.DataFrame) -> Component:
    _ = translator(shown.language)
    select = dmc.Select(
        id="community",
        label=_("Community"),
        description=_("Name or number"),
        data=[_option(shown, row) for row in records(own if len(own) else shown.everywhere.head(MOST_MATCHES))],
        value=own["number"].iloc[0] if len(own) else None,
        searchable=True,
        clearable=False,
        nothingFoundMessage=_("No community has that name."),
        className="filter wide",
    )
    links = [] if own.empty else paper_links(shown.view, "community")
    return html.Div([select, *links], className="filters unprinted")


def _option(shown: PageData, row: Mapping[str, Any]) -> dict[str, str]:
    name = pick(shown.language, row["name"], row["english_name"])
    region = pick(shown.language, row["region"], row["region_english"])
    return {"value": row["number"], "label": f"{name} · {region} · {row['number']}"}


def _head(shown: PageData, row: Mapping[str, Any]) -> Component:
    channel = channels_by_number(shown.source, shown.header.id).get(row["number"])
    note = poster_limits(shown.language) if channel in {SurveyChannel.POSTERS, SurveyChannel.BOTH} else None
    name = pick(shown.language, row["name"], row["english_name"])
    return panel(name, facts(standing_facts(shown, row)), anchor="standing", note=note)


def standing_facts(shown: PageData, row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return where a community lies, whether it meets the criterion and why: names and values."""
    _ = translator(shown.language)
    company = pick(shown.language, row["company"], row["company_english"])
    parts = [("subdistrict", _("Subdistrict")), ("neighbourhood", _("Neighbourhood"))]
    said = [
        (_("District"), pick(shown.language, row["region"], row["region_english"])),
        *((name, words) for part, name in parts if (words := pick(shown.language, row[part], row[f"{part}_english"]))),
        (_("Property company"), company or "—"),
        (_("Number"), row["number"]),
        (_("Criterion"), sentence_case(criterion_status_words(row, shown.language))),
        *((name, shown.reason(row, ROUTES[key])) for key, name in route_words(shown.language).items()),
        (_("Answers still needed, by satisfaction"), needed_words(row, shown.language) or "—"),
    ]
    channel = channels_by_number(shown.source, shown.header.id).get(row["number"])
    if channel is not None:
        said.append((_("Answers came through"), survey_channel_words(shown.language)[channel]))
    return said


def _key_figures(shown: PageData, row: Mapping[str, Any]) -> Component:
    figures = [part for route in ROUTES.values() for part in route_figures(shown, row, route)]
    return html.Dl([key_figure(name, value, note=note) for name, value, note in figures], className="key-figures three")


def route_figures(shown: PageData, row: Mapping[str, Any], route: Route) -> list[tuple[str, str, str]]:
    """Return score, rank and percentile of a community on a route: the name of each, its value, what it means."""
    _ = translator(shown.language)
    scale = scale_of(shown.header, route, shown.language)
    ranked = not pd.isna(row[route.rank])
    between = _interval_words(shown, row, route) if ranked and not pd.isna(row[route.lower]) else "—"
    region = shown.header.summary["regions"][row["region"]][route.key]
    place = _("of {count}").format(count=f"{region['N']:,}") if ranked else _("not ranked")
    evidence = evidence_words(shown.language).get(row[route.evidence], "—")
    rank = f"{int(row[route.rank]):,}" if ranked else "—"
    note = _("{place} · truly among the first {share}: {evidence}").format(
        place=place, share=share_to_meet(shown.header, route), evidence=evidence
    )
    return [
        (scale.title, scale.write(row[route.score]) if ranked else "—", between),
        (_("Rank"), rank, note),
        _percentile_figure(shown, row, route),
    ]


def _percentile_figure(shown: PageData, row: Mapping[str, Any], route: Route) -> tuple[str, str, str]:
    _ = translator(shown.language)
    place = percentile_in(row, shown.header.summary["regions"], route.key)
    if place is None:
        return _("Percentile"), "—", _("not ranked")
    truly = percentile_interval_words(row, place, shown.language) if route.key == "satisfaction" else ""
    note = _("; ").join(filter(None, (percentile_words(place, shown.language), truly)))
    return _("Percentile"), percentile_text(place.percentile), note


def _interval_words(shown: PageData, row: Mapping[str, Any], route: Route) -> str:
    _ = translator(shown.language)
    scale = scale_of(shown.header, route, shown.language)
    estimate = interval_estimates(pd.DataFrame([row]), route, shown.header.evidence_method).iloc[0]
    said = (
        _("between {lower} and {upper}")
        if estimate == row[route.score]
        else _("all households: about {estimate}, between {lower} and {upper}")
    )
    return said.format(
        estimate=scale.write(estimate), lower=scale.write(row[route.lower]), upper=scale.write(row[route.upper])
    )
