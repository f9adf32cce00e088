"""Panels that explain a community's standing: domains, answers, drivers of satisfaction, complaints."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from dash import html
from dash.development.base_component import Component

from analytics.disclosure.answer_tables import Rated
from analytics.disclosure.suppression import rounded_share
from dashboards.figures.community import categories_figure, domains_figure, drivers_figure, months_figure
from dashboards.frames.page_data import PageData
from dashboards.frames.profile import cases_by_category, cases_by_month, satisfied_shares
from dashboards.frames.standings import counted_words
from dashboards.languages import pick, translator
from dashboards.panels.complaint_categories import (
    MOST_CATEGORIES,
    categories_numbers,
    counted_numbers,
    uncounted_note,
)
from dashboards.source import Profile
from dashboards.widgets.components import Column, Numbers, NumbersColumn, chart, data_table, empty, panel, records
from dashboards.widgets.next_steps import answers_not_kept, compare_reports, once_decided, with_next_round


def domains_panel(shown: PageData, profile: Profile | None, rated: Mapping[str, Rated]) -> Component:
    """Return the share of satisfied answers to each question beside that of all that were ranked together.

    `rated` is what is shown of each question, as `rated_questions` says.
    """
    _ = translator(shown.language)
    name = _("Aspects of service")
    if profile is None:
        return panel(name, answers_not_kept(shown.language), anchor="domains")
    shares = satisfied_shares(profile, rated, shown.header.rules, disclosure=shown.disclosure)
    if shares[["rate", "region_rate"]].isna().all(axis=None):
        return panel(name, empty(domains_note(shown), with_next_round(shown.language)), anchor="domains")
    return panel(
        name,
        chart(
            domains_figure(shares, shown.language),
            name="aspects",
            summary=domains_sentence(shown, shares),
            language=shown.language,
            numbers=domains_numbers(shown, shares),
        ),
        anchor="domains",
        note=domains_note(shown),
    )


def domains_note(shown: PageData) -> str:
    """Return which shares of the aspects of service are not shown."""
    _ = translator(shown.language)
    return _(
        "A share is not shown where fewer than {count} answered, or fewer than {few} were satisfied or were not. "
        "Official results are always shown."
    ).format(count=shown.disclosure.minimum_base, few=shown.disclosure.minimum_cell)


def answers_panel(shown: PageData, profile: Profile, ranked: Rated) -> Component:
    """Return the distribution of answers to the ranked question, here and among all, with small numbers suppressed."""
    _ = translator(shown.language)
    rule = shown.header.rules.satisfaction
    answers = profile.answers[profile.answers["question"] == rule.question].set_index("code")
    here = ranked.counts
    everyone = int(answers["region"].sum())
    columns = [
        Column(_("Answer"), _("Answer")),
        Column(_("This community"), _("This community"), numeric=True),
        Column(_("All communities ranked with it"), _("All communities ranked with it"), numeric=True),
    ]
    regions = [rounded_share(count, everyone, rules=shown.disclosure) for count in answers["region"]]
    name = _("Answers to the ranked question")
    if all(here[code] is None for code in answers.index) and pd.isna(regions).all():
        return panel(name, empty(_answers_note(shown), with_next_round(shown.language)), anchor="answers")
    rows = [
        [
            pick(shown.language, answer["option"], answer["english_option"]),
            _("not shown") if here[answer["code"]] is None else f"{here[answer['code']]:,}",
            # From exact numbers the other communities could be taken away one by one.
            _share(share, _("not shown")),
        ]
        for answer, share in zip(records(answers.reset_index()), regions, strict=True)
    ]
    label = pick(shown.language, answers["label"].iloc[0], answers["english_label"].iloc[0])
    return panel(name, data_table(columns, rows, caption=label), anchor="answers", note=_answers_note(shown))


def _answers_note(shown: PageData) -> str:
    _ = translator(shown.language)
    return _(
        "Ratings are shown only where each was given by nobody or by {count} or more, or follows from the official "
        "result."
    ).format(count=shown.disclosure.minimum_cell)


def _share(share: float, hidden: str) -> str:
    return hidden if pd.isna(share) else f"{share:.0%}"


def drivers_panel(shown: PageData, profile: Profile | None) -> Component:
    """Return the domains associated with overall satisfaction in the region: an association, not a cause."""
    _ = translator(shown.language)
    name = _("What matters to residents here and around")
    if profile is None:
        return panel(name, answers_not_kept(shown.language), anchor="drivers")
    drivers = known_drivers(profile)
    summary = drivers_sentence(profile, drivers, shown.language)
    if drivers.empty:
        return panel(name, empty(summary, with_next_round(shown.language)), anchor="drivers")
    return panel(
        name,
        chart(
            drivers_figure(drivers, shown.language),
            name="drivers",
            summary=summary,
            language=shown.language,
            numbers=drivers_numbers(shown, drivers),
        ),
        anchor="drivers",
        note=_("The thin lines show where the association may lie by chance alone."),
    )


def known_drivers(profile: Profile) -> pd.DataFrame:
    """Return the domains whose association with overall satisfaction is known, the strongest first."""
    return profile.drivers[profile.drivers["share"].notna()].sort_values("share", ascending=False, kind="stable")


def drivers_sentence(profile: Profile, drivers: pd.DataFrame, language: str) -> str:
    """Return which of the known drivers is the strongest, and what that does not say."""
    _ = translator(language)
    if drivers.empty:
        return _("There are too few answers to tell what is associated with overall satisfaction.")
    strongest = drivers.iloc[0]
    return _(
        "“{aspect}” is most strongly associated with overall satisfaction, according to {count} answers in all "
        "communities that were ranked together. An association does not say what would change if it improved."
    ).format(aspect=pick(language, strongest["label"], strongest["english_label"]), count=f"{profile.respondents:,}")


def complaints_panel(shown: PageData, row: Mapping[str, Any], profile: Profile | None) -> Component:
    """Return the cases of the period by category and by month."""
    _ = translator(shown.language)
    name, summary = _("Complaints of the period"), cases_sentence(profile, shown.language)
    if profile is None or profile.complaints.empty:
        then = (once_decided if profile is None else compare_reports)(shown.language)
        return panel(name, empty(summary, then), anchor="cases")
    categories, months = cases_by_category(profile.complaints), cases_by_month(profile.complaints)
    drawn = [
        chart(
            categories_figure(categories.head(MOST_CATEGORIES), shown.language),
            name=f"categories-{row['number']}",
            summary=summary,
            language=shown.language,
            numbers=categories_numbers(categories, shown.language),
        ),
        chart(
            months_figure(months, shown.language),
            name=f"months-{row['number']}",
            summary=_("Month by month."),
            language=shown.language,
            numbers=months_numbers(months, shown.language),
        ),
    ]
    return panel(
        name,
        html.Div(drawn, className="side-by-side"),
        anchor="cases",
        note=uncounted_note(shown.language),
    )


def cases_sentence(profile: Profile | None, language: str) -> str:
    """Return how many cases of a community there were in the period, and how many of them count in the rate."""
    _ = translator(language)
    if profile is None:
        return _("Cases are kept with official results.")
    if profile.complaints.empty:
        return _("No case was filed in the period.")
    categories = cases_by_category(profile.complaints)
    counted, other = int(categories["counted"].sum()), int(categories["other"].sum())
    return _("Cases of all kinds: {filed}; counted in the rate: {counted}; not counted: {other}.").format(
        filed=counted + other, counted=counted, other=other
    )


def months_numbers(months: pd.DataFrame, language: str) -> Numbers:
    """Return the cases of each month, as `dashboards.frames.profile.cases_by_month` adds them up."""
    _ = translator(language)
    return counted_numbers(_("Cases by month"), _("Month"), months["month"].tolist(), months, language)


def domains_sentence(shown: PageData, shares: pd.DataFrame) -> str:
    """Return in how many of the `satisfied_shares` a community is clearly better or worse than its region."""
    _ = translator(shown.language)
    known = shares[shares["rate"].notna() & shares["region_rate"].notna()]
    better = int((known["lower"] > known["region_rate"]).sum())
    worse = int((known["upper"] < known["region_rate"]).sum())
    return _(
        "Questions: {count}. Clearly better than in all communities ranked with it: {better}; clearly worse: {worse}."
    ).format(count=len(known), better=better, worse=worse)


def domains_numbers(shown: PageData, shares: pd.DataFrame) -> Numbers:
    """Return `satisfied_shares` as a table."""
    _ = translator(shown.language)
    percent = "{:.1%}".format
    columns = [
        NumbersColumn(_("Question")),
        NumbersColumn(counted_words(shown.header, shown.language), numeric=True, write="{:,.0f}".format),
        *(
            NumbersColumn(heading, numeric=True, write=percent)
            for heading in (_("Satisfied"), _("Lower bound"), _("Upper bound"), _("All communities ranked with it"))
        ),
    ]
    rows = [
        [
            pick(shown.language, row["label"], row["english_label"]),
            None if pd.isna(row["here"]) else int(row["here"]),
            *(row[name] for name in ("rate", "lower", "upper", "region_rate")),
        ]
        for row in records(shares)
    ]
    return Numbers(_("Aspects of service"), columns, rows)


def drivers_numbers(shown: PageData, drivers: pd.DataFrame) -> Numbers:
    _ = translator(shown.language)
    columns = [
        NumbersColumn(_("Question")),
        NumbersColumn(_("Answers"), numeric=True),
        NumbersColumn(_("Associated differences"), numeric=True, write="{:.0%}".format),
        NumbersColumn(_("Lower bound"), numeric=True, write="{:.0%}".format),
        NumbersColumn(_("Upper bound"), numeric=True, write="{:.0%}".format),
        NumbersColumn(_("Share of the association"), numeric=True, write="{:.0%}".format),
        NumbersColumn(_("More than chance")),
    ]
    said = {True: _("yes"), False: _("no")}
    rows = [
        [
            pick(shown.language, row["label"], row["english_label"]),
            row["n"],
            row["weight"],
            row["lower"],
            row["upper"],
            row["share"],
            said[bool(row["above_noise"])],
        ]
        for row in records(drivers)
    ]
    return Numbers(_("Associations with overall satisfaction"), columns, rows)
