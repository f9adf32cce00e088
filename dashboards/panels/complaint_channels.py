"""Complaint rates by channel: an office that only some channels lead to hears of only some problems."""

from dataclasses import dataclass

import pandas as pd
from dash.development.base_component import Component

from analytics.disclosure.rules import DisclosureRules
from analytics.disclosure.suppression import suppress_counts
from analytics.reports.labels import channel_words, sentence_case
from analytics.rules import Rules
from analytics.statistics.complaint_rates import CHANNELS, complaint_rates
from analytics.statistics.repeat_complaints import repeat_dispersion
from dashboards.figures.complaints import channels_figure
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import scale_of
from dashboards.languages import translator
from dashboards.routes import ROUTES
from dashboards.widgets.components import Numbers, NumbersColumn, chart, empty, panel, records
from dashboards.widgets.next_steps import choose_another, compare_reports

_ROUTE = ROUTES["complaints"]
_SPOKEN = ("telephone", "visit", "hotline", "letter")


def channels_panel(shown: PageData, channels: pd.DataFrame) -> Component:
    """Return the panel of complaint rates by channel, over all regions that are shown.

    Parameters
    ----------
    channels : DataFrame
        As `EvaluationSource.channels` returns it.
    """
    _ = translator(shown.language)
    name, told = _("How complaints arrived"), told_by_channel(shown, channels)
    if told.rates is None or told.numbers is None:
        then = (choose_another if channels.empty else compare_reports)(shown.language)
        return panel(name, empty(told.sentence, then), anchor="channels")
    return panel(
        name,
        chart(
            channels_figure(told.rates, shown.drawing(_ROUTE)),
            name="channels",
            summary=told.sentence,
            language=shown.language,
            numbers=told.numbers,
        ),
        anchor="channels",
        note=channels_note(shown) + _(" The thin lines show where a rate may lie by chance alone."),
    )


@dataclass(frozen=True)
class ToldByChannel:
    """What is told of complaints by channel: a sentence and, where there are any, rates and numbers of each region."""

    sentence: str
    rates: pd.DataFrame | None = None
    numbers: Numbers | None = None


def told_by_channel(shown: PageData, channels: pd.DataFrame) -> ToldByChannel:
    """Return what is told of complaints by channel, few withheld; `channels` as in `channels_panel`."""
    _ = translator(shown.language)
    if channels.empty:
        return ToldByChannel(_("Channels are kept with official results; the earliest results do not have them."))
    total = int(channels["complaints"].sum())
    if not total:
        return ToldByChannel(_("No case was filed in the period."))
    channels = without_few(channels, disclosure=shown.disclosure)
    rates = rates_by_channel(channels, shown.header.rules)
    return ToldByChannel(_sentence(shown, rates, total), rates, _numbers(shown, channels, rates))


def channels_note(shown: PageData) -> str:
    """Return how the rates by channel are read, and which of them are withheld."""
    _ = translator(shown.language)
    return _(
        "The rates of all channels add up to the complaint rate. A channel that nobody uses may be one that "
        "nobody knows. Numbers below {smallest} are not shown, nor are others that would give them away."
    ).format(smallest=shown.disclosure.minimum_cell)


def without_few(channels: pd.DataFrame, *, disclosure: DisclosureRules) -> pd.DataFrame:
    """Return channels with `complaints` as Int64, missing where they are few in a region or would give few away.

    How many complaints a region has is public, so each region is a breakdown of a known sum.
    """
    shown = channels.groupby("region", sort=False)["complaints"].transform(
        lambda counts: suppress_counts(counts, rules=disclosure).astype("float64")
    )
    return channels.assign(complaints=shown.astype("Int64"))


def rates_by_channel(channels: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """Return channel and the columns of `complaint_rates`, all regions together, in fixed order.

    A channel that no region counts has no row: how many came by it is unknown, not zero. One that some regions count is
    related to the household-years of those regions; one that is withheld in a region is withheld, since the others
    taken from the sum would tell it.
    """
    counted = channels.astype({"complaints": "float64"}).groupby("channel")[["complaints", "household_years"]]
    counts = counted.sum(skipna=False)
    counts = counts.reindex([channel for channel in CHANNELS if channel in counts.index])
    rates = complaint_rates(
        counts["complaints"].fillna(0).to_numpy(),
        counts["household_years"].to_numpy("float64"),
        level=float(rules.evidence.level),
        method="exact",
        dispersion=repeat_dispersion(float(rules.evidence.repeat_complaints)),
    )
    withheld = counts["complaints"].isna().to_numpy()
    told = [str(name) for name in rates if name != "household_years"]
    return rates.assign(**{name: rates[name].mask(withheld) for name in told}, channel=counts.index.tolist())


def _sentence(shown: PageData, rates: pd.DataFrame, total: int) -> str:
    _ = translator(shown.language)
    if rates["complaints"].isna().all():
        return _("Valid complaints: {count}, too few to tell by channel.").format(count=f"{total:,}")
    most = rates.sort_values("complaints", ascending=False, kind="stable").iloc[0]
    said = _("The most frequent channel of {count} valid complaints: {channel} ({share}).").format(
        count=f"{total:,}",
        channel=channel_words(shown.language)[most["channel"]],
        share=f"{most['complaints'] / total:.0%}",
    )
    spoken = rates.loc[rates["channel"].isin(_SPOKEN), "complaints"].sum(skipna=False)
    if pd.isna(spoken):
        return said
    return said + _(" Telephone, visits, hotline and letters together, without the web: {spoken}.").format(
        spoken=f"{spoken / total:.0%}"
    )


def _numbers(shown: PageData, channels: pd.DataFrame, rates: pd.DataFrame) -> Numbers:
    """Return the rates that are drawn, followed by those of each region where there are several."""
    _ = translator(shown.language)
    scale, words = scale_of(shown.header, _ROUTE, shown.language), channel_words(shown.language)
    columns = [
        NumbersColumn(_("District")),
        NumbersColumn(_("Channel")),
        NumbersColumn(_("Valid complaints"), numeric=True, write="{:,.0f}".format),
        NumbersColumn(_("Household-years"), numeric=True, write="{:,.0f}".format),
        NumbersColumn(scale.title, numeric=True, write=scale.write),
        NumbersColumn(_("Lower bound"), numeric=True, write=scale.write),
        NumbersColumn(_("Upper bound"), numeric=True, write=scale.write),
    ]
    rules = shown.header.rules
    regions = {shown.region_label(str(name)): own for name, own in channels.groupby("region", sort=False)}
    tables = [(label, rates_by_channel(own, rules)) for label, own in regions.items()]
    if len(tables) > 1:
        tables.insert(0, (_("All districts"), rates))
    values = ("complaints", "household_years", "rate_per_1000_households", "lower", "upper")
    rows = [
        [label, sentence_case(words[row["channel"]]), *(row[name] for name in values)]
        for label, table in tables
        for row in records(table)
    ]
    return Numbers(_("How complaints arrived"), columns, rows)
