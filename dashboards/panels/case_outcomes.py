"""What residents say of the answers, the three rates by their formulas, and cases that are none to be answered."""

from collections.abc import Mapping

import pandas as pd
from dash import html
from dash.development.base_component import Component

from analytics.casework.case_frame import VERDICTS
from analytics.casework.outcomes import confirmed_share, count_exclusions, count_verdicts, silent_share
from analytics.casework.rates import ResponseFormula
from analytics.casework.shares import Share, pool_small_groups, publish_counts, share_of
from analytics.disclosure.rules import DisclosureRules
from analytics.disclosure.suppression import can_be_shown, suppress_counts
from dashboards import theme
from dashboards.figures.chart_parts import count_bars, count_text
from dashboards.frames.casework import CaseworkData
from dashboards.labels import exclusion_words, verdict_words
from dashboards.languages import translator
from dashboards.widgets.components import Numbers, NumbersColumn, chart, empty, facts, panel
from dashboards.widgets.next_steps import as_cases_come


def verdicts_panel(shown: CaseworkData) -> Component:
    """Return what residents said of the answers in the period, and by company as far as it shows none of them."""
    _ = translator(shown.language)
    name, words = _("What residents say of the answers"), verdict_words(shown.language)
    [counts] = (row for _all, row in count_verdicts(shown.verdicts).iterrows())
    if not counts.sum():
        said = _("No resident has said anything of an answer in this time.")
        return panel(name, empty(said, as_cases_come(shown.language)), anchor="verdicts")
    drawn = told_verdicts(counts, words, shown.disclosure, shown.language)
    summary = _("Confirmed as fixed: {confirmed}. Closed without a word: {silent}.").format(
        confirmed=told_share(confirmed_share(shown.verdicts), shown.disclosure, shown.language),
        silent=told_share(silent_share(shown.verdicts), shown.disclosure, shown.language),
    )
    note = _(
        "The last word of each resident counts; opening a case again, and asking for a review of its answer, say that"
        " it is not fixed. Silence is no consent, though it closes a case. Numbers below {smallest} are not shown, nor"
        " are others that would give them away."
    ).format(smallest=shown.disclosure.minimum_cell)
    if drawn.empty:
        few = empty(_("Too few residents have said anything to tell it."), as_cases_come(shown.language))
        return panel(name, few, anchor="verdicts", note=note)
    part = chart(
        count_bars(drawn.index.tolist(), drawn.tolist(), title=_("Cases"), color=theme.MET),
        name="verdicts",
        summary=summary,
        language=shown.language,
        numbers=_verdict_numbers(shown, words),
    )
    return panel(name, part, anchor="verdicts", note=note)


def told_verdicts(
    counts: "pd.Series[int]", words: Mapping[str, str], rules: DisclosureRules, language: str
) -> "pd.Series[int]":
    """Return the counts of verdicts that can be told, by their words: partly and not fixed together where they are few.

    `counts` are by `analytics.casework.case_frame.VERDICTS`.
    """
    _ = translator(language)
    told = suppress_counts(counts, rules=rules)
    if told[["partly", "rejected"]].notna().all():
        return told.rename(words).dropna()
    unfixed = {"confirmed": words["confirmed"], "unfixed": _("Partly or not fixed"), "silent": words["silent"]}
    merged = pd.Series({**counts.to_dict(), "unfixed": int(counts[["partly", "rejected"]].sum())})[list(unfixed)]
    return suppress_counts(merged, rules=rules).rename(unfixed).dropna()


def rates_panel(shown: CaseworkData) -> Component:
    """Return the rates of response, resolution and satisfaction with what the casework file says of their formulas."""
    _ = translator(shown.language)
    name = _("Response, resolution, satisfaction")
    if shown.cases.empty:
        none = _("No case was filed, open or ended in this time.")
        return panel(name, empty(none, as_cases_come(shown.language)), anchor="three-rates")
    names = {
        "response": _("Response rate"),
        "resolution": _("Resolution rate"),
        "satisfaction": _("Satisfaction rate"),
    }
    pairs = [
        (
            names[key],
            [
                html.Div(_told_rate(key, rate, shown)),
                html.Small(shown.statements[key].in_language(shown.language)),
            ],
        )
        for key, rate in shown.rates.items()
    ]
    note = _(
        "The formulas are those of the casework file that is in force: cities publish rates of these names without"
        " saying how they are computed."
    )
    return panel(name, facts(pairs), anchor="three-rates", note=note)


def exclusions_panel(shown: CaseworkData) -> Component:
    """Return how many cases filed in the period are none to be answered, and why."""
    _ = translator(shown.language)
    name, words = _("Cases that are not to be answered"), exclusion_words(shown.language)
    if shown.filed.empty:
        none = _("No case was filed in this time.")
        return panel(name, empty(none, as_cases_come(shown.language)), anchor="exclusions")
    counts = count_exclusions(shown.filed["exclusion"])
    if counts.empty:
        every = _("Every case that was filed in this time is to be answered.")
        return panel(name, empty(every, None), anchor="exclusions")
    told = suppress_counts(counts, rules=shown.disclosure)
    share = share_of(shown.filed["exclusion"].notna())
    summary = _("Left out by the office, with a reason: {share} of the cases filed.").format(
        share=_of(share, shown.language)
    )
    columns = [NumbersColumn(_("Reason")), NumbersColumn(_("Cases"), numeric=True)]
    numbers = Numbers(
        _("Cases by reason"), columns, [[words.get(str(code), str(code)), count] for code, count in told.items()]
    )
    drawn = told.dropna()
    if drawn.empty:
        return panel(name, empty(summary, _("They are too few to be told by reason.")), anchor="exclusions")
    figure = count_bars(
        [words.get(str(code), str(code)) for code in drawn.index], drawn.tolist(), title=_("Cases"), color=theme.OTHER
    )
    part = chart(figure, name="exclusions", summary=summary, language=shown.language, numbers=numbers)
    return panel(name, part, anchor="exclusions")


def told_share(share: Share, rules: DisclosureRules, language: str) -> str:
    """Return a share of residents and what it is of, or as much of it as shows none of them."""
    _ = translator(language)
    if share.of < rules.minimum_base:
        return _("fewer than {fewest} residents").format(fewest=rules.minimum_base)
    if can_be_shown(share.some, share.of, rules=rules):
        return _of(share, language)
    words = _("fewer than {few} of {of}") if share.some < rules.minimum_cell else _("all but fewer than {few} of {of}")
    return words.format(few=rules.minimum_cell, of=f"{share.of:,}")


def _told_rate(key: str, rate: Share, shown: CaseworkData) -> str:
    _ = translator(shown.language)
    if not rate.of:
        return _("nothing is recorded yet")
    if key == "response" and shown.formulas.response is ResponseFormula.ACKNOWLEDGED_IN_TIME:
        # What an office did is told however little it is.
        return _of(rate, shown.language)
    return told_share(rate, shown.disclosure, shown.language)


def _of(share: Share, language: str) -> str:
    _ = translator(language)
    return _("{share} ({some} of {of})").format(share=f"{share.share:.1%}", some=f"{share.some:,}", of=f"{share.of:,}")


def _verdict_numbers(shown: CaseworkData, words: Mapping[str, str]) -> Numbers:
    """Return the verdicts by company; companies of which few residents said anything stand together."""
    _ = translator(shown.language)
    least = shown.disclosure.minimum_opinion_base
    groups = pool_small_groups(shown.cases["company"], shown.verdicts.notna(), least=least)
    told = publish_counts(count_verdicts(shown.verdicts, groups), rules=shown.disclosure)
    names = shown.names("company")
    columns = [
        NumbersColumn(_("Property company")),
        *(NumbersColumn(words[verdict], numeric=True, write=count_text) for verdict in VERDICTS),
        NumbersColumn(_("Together"), numeric=True, write=count_text),
    ]
    rows = [
        [_("All others") if pd.isna(company) else names[company], *row]
        for company, row in zip(told.index, told.astype("object").to_numpy().tolist(), strict=True)
    ]
    return Numbers(_("Verdicts by company"), columns, rows)
