"""What-if panel: how another choice in the rules would change the result, clearly marked as not official."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from analytics.decision.evaluate import evaluate
from analytics.decision.survey_channels import CHANNEL_COLUMNS
from analytics.decision.survey_modes import MODE_COLUMNS
from analytics.decision.what_if import Choice, with_choices
from analytics.disclosure.hypothetical_tables import hypothetical_table
from analytics.evidence.lower_bound_list import list_by_lower_bound
from analytics.files.table_cells import TableError
from analytics.reports.labels import rounding_words, valid_answers_words
from analytics.rules import OTHER_POPULATION, Rules
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import met, sees_everything, sees_whole_regions
from dashboards.frames.underreported_complaints import disclosure_of
from dashboards.labels import population_words, ties_words, zero_ties_words
from dashboards.languages import translator
from dashboards.panels.entering_and_leaving import WHAT_IF_COLUMNS, changes
from dashboards.routes import ROUTES
from dashboards.source import EvaluationSource, header_of
from dashboards.widgets.components import empty, notice, panel
from dashboards.widgets.next_steps import sees_a_part

CHOICE: Final = "what-if"
MINIMA: Final = (10, 20, 30, 50, 100)
BY_LOWER_BOUND: Final = "order:lower_bound"
"""Choice that no rule file can make: communities are ordered by the lower ends of their intervals."""

_SATISFACTION: Final = ROUTES["satisfaction"]


def choices(
    rules: Rules, language: str, *, whole_city: bool, both_populations: bool, has_districts: bool
) -> dict[str, str]:
    """Return the label of every other choice that can be asked about, by its address parameter.

    `whole_city`: whether the account may see the communities that a ranking of the whole city would compare.
    `both_populations`: whether the answers of those who are not ranked were counted too. `has_districts`: whether the
    table that was evaluated tells the districts of a city apart that is ranked as one.
    """
    _ = translator(language)
    offered = list(_alternatives(rules, language, whole_city=whole_city, has_districts=has_districts))
    if both_populations:
        population = OTHER_POPULATION[rules.satisfaction.population]
        offered.insert(0, ("population", population, population_words(language)[population]))
    cautious = {BY_LOWER_BOUND: _("communities are ordered by the lower bound of their interval")}
    return {f"{choice}:{value}": words for choice, value, words in offered} | cautious


def what_if_panel(shown: PageData, source: EvaluationSource) -> Component:
    """Return the communities that would enter or leave under the rule that the address asks about."""
    _ = translator(shown.language)
    name, inputs = _("Under other rules"), source.inputs(shown.header.id)
    rules, complete = shown.header.rules, sees_everything(shown.header, inputs)
    if not sees_whole_regions(shown.header, inputs):
        return panel(name, sees_a_part(shown.language), anchor="what-if")
    offered = choices(
        rules,
        shown.language,
        whole_city=complete,
        both_populations=not shown.header.provisional,
        has_districts=len(inputs["region"].unique()) > 1,
    )
    asked = shown.view.own.get("what_if", "")
    select = dmc.Select(
        id=CHOICE,
        label=_("If the rules had said"),
        data=[{"value": key, "label": words} for key, words in offered.items()],
        value=asked if asked in offered else None,
        placeholder=_("Choose one"),
        clearable=True,
        className="filter wide",
    )
    result = _asked_result(shown, asked, offered) if asked in offered else []
    return panel(
        name,
        html.Div(select, className="filters"),
        *result,
        anchor="what-if",
        note=_("The same answers, another rule. Nothing here is decided."),
    )


def _alternatives(
    rules: Rules, language: str, *, whole_city: bool, has_districts: bool
) -> Iterator[tuple[Choice, str, str]]:
    _ = translator(language)
    if rules.region == "district" and whole_city:
        yield "region", "city", _("all communities of the city are ranked together")
    if rules.region == "city" and has_districts:
        yield "region", "district", _("each district is ranked by itself")
    satisfaction, complaints = rules.satisfaction, rules.complaints
    yield from (("rounding", *pair) for pair in rounding_words(language).items() if pair[0] != satisfaction.rounding)
    yield from (("ties", *pair) for pair in ties_words(language).items() if pair[0] != satisfaction.ties)
    yield from (("zero_ties", *pair) for pair in zero_ties_words(language).items() if pair[0] != complaints.zero_ties)
    counted = valid_answers_words(language)[satisfaction.population]
    # A lower minimum would rank those whose scores are withheld, and nothing could be told of it.
    enough = satisfaction.minimum_responses.enough if satisfaction.minimum_responses else 0
    for least in (each for each in MINIMA if each >= enough):
        yield (
            "minimum_responses",
            str(least),
            _("{counted}: at least {least} are needed").format(counted=counted, least=least),
        )


def evaluate_otherwise(source: EvaluationSource, evaluation_id: int, choice: Choice, value: str) -> pd.DataFrame:
    """Return `WHAT_IF_COLUMNS` of the standings that would be if the rules had made another choice."""
    header, official = header_of(source, evaluation_id), source.inputs(evaluation_id)
    counted = source.inputs_of_other_population(evaluation_id) if choice == "population" else official
    other = with_choices(header.rules, {choice: int(value) if value.isdigit() else value})
    table = hypothetical_table(
        # By what they came through nothing is decided, and these parts would have no whole where that is withheld.
        counted.drop(columns=[*MODE_COLUMNS, *CHANNEL_COLUMNS], errors="ignore"),
        official,
        withheld=without_score(source.standings(evaluation_id)),
        disclosure=disclosure_of(header),
    )
    return evaluate(table, other, look_alikes=False).standings[list(WHAT_IF_COLUMNS)]


def order_by_lower_bound(source: EvaluationSource, evaluation_id: int) -> pd.DataFrame:
    """Return `WHAT_IF_COLUMNS`, reasons left out, of the standings that would be if lower ends were ranked."""
    header, standings = header_of(source, evaluation_id), source.standings(evaluation_id)
    found = list_by_lower_bound(
        standings,
        standings[_SATISFACTION.lower].to_numpy("float64"),
        header.summary["regions"],
        ties=header.rules.satisfaction.ties,
    )
    status = standings[_SATISFACTION.status].astype("str")
    status = status.mask(status == "met", "not_met").mask(found["listed"], "met")
    either = standings["criterion_status"].astype("str")
    is_met = found["listed"] | met(standings, ROUTES["complaints"].status)
    changed: dict[str, Any] = {
        _SATISFACTION.rank: found["rank"].astype("Int64"),
        _SATISFACTION.status: status,
        "criterion_status": either.mask(either == "met", "not_met").mask(is_met, "met"),
    }
    reasons = [route.reason for route in ROUTES.values()]
    return standings[[name for name in WHAT_IF_COLUMNS if name not in reasons]].assign(**changed)


def without_score(standings: pd.DataFrame) -> frozenset[str]:
    """Return the ids of the communities whose scores are withheld."""
    return frozenset(standings.loc[standings["satisfaction_score"].isna(), "community_id"])


def _asked_result(shown: PageData, asked: str, offered: Mapping[str, str]) -> list[Component]:
    _ = translator(shown.language)
    choice, _colon, value = asked.partition(":")
    try:
        after = (
            shown.source.compute_once(shown.header.id, order_by_lower_bound)
            if asked == BY_LOWER_BOUND
            else shown.source.compute_once(shown.header.id, evaluate_otherwise, cast(Choice, choice), value)
        )
    except TableError:
        short = _("The counts of this evaluation are not enough to compute this.")
        return [empty(short, _("Choose another assumption."))]
    # Beside the score of one population the other's would tell what the few answered who are in one of them alone.
    withheld = without_score(shown.everywhere)
    untold = frozenset(after["community_id"]) if choice == "population" else withheld
    return [
        notice(_("Not an official result"), _("Assumption: {rule}.").format(rule=offered[asked])),
        *changes(shown, after, name="what-if", only_verdicts=untold),
        html.P(
            _(
                "Communities whose scores are withheld are left out, and where only few answers would come or go, the "
                "official ones are kept: whether they would be listed would tell what those few answered."
            ),
            className="apart",
        ),
    ]
