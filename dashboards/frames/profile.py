"""What lies behind a standing: shares by question without small numbers, complaints by month and category."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analytics.disclosure.answer_tables import AnswerTable, Official, Rated
from analytics.disclosure.rules import DisclosureRules
from analytics.disclosure.suppression import rounded_share
from analytics.evidence.share_intervals import share_interval
from analytics.rules import Rules
from dashboards.source import Profile


def rated_questions(
    profile: Profile, rules: Rules, *, is_ranked: bool, disclosure: DisclosureRules
) -> Mapping[str, Rated]:
    """Return what is shown of each question on the scale of the ranked one: that itself, and the aspects of service.

    `is_ranked`: whether the satisfaction of the community is official, so that its numbers are public.
    """
    rule, table = rules.satisfaction, AnswerTable(disclosure)
    codes: dict[str, dict[int, int]] = {}
    answers = profile.answers[profile.answers["domain"] | (profile.answers["question"] == rule.question)]
    for question, code, number in zip(answers["question"], answers["code"], answers["here"], strict=True):
        codes.setdefault(question, {})[code] = number
    official = Official.of(rules, is_ranked=is_ranked)
    return {
        question: table.rated(
            question,
            counts,
            rule.satisfied_codes,
            rule.valid_codes,
            official=official if question == rule.question else None,
        )
        for question, counts in codes.items()
        if list(counts) == list(codes[rule.question])
    }


def satisfied_shares(
    profile: Profile, rated: Mapping[str, Rated], rules: Rules, *, disclosure: DisclosureRules
) -> pd.DataFrame:
    """Return the share of satisfied answers to each question that is rated on the scale of the ranked question.

    Columns: question, label, english_label, here (valid answers), rate, lower, upper, region_rate; a community's own
    numbers are missing where `rated_questions` withholds them, and the share of the region, in whole percents, where
    the region is too small or the others in it would give theirs away.
    """
    answers = profile.answers[profile.answers["question"].isin(list(rated))]
    valid = answers[answers["code"].isin(rules.satisfaction.valid_codes)]
    satisfied = valid[valid["code"].isin(rules.satisfaction.satisfied_codes)]
    keys = ["question", "label", "english_label"]
    of_region = valid.groupby(keys, sort=False)["region"].sum()
    good_of_region = satisfied.groupby(keys, sort=False)["region"].sum().reindex(of_region.index, fill_value=0)
    table = of_region.reset_index()[keys]
    shown = [rated[question] for question in table["question"]]
    here, good = (np.array([getattr(each, name) for each in shown], "float64") for name in ("valid", "satisfied"))
    told = ~np.isnan(good)
    counts = np.where(told, good, 0), np.where(told, here, 1)
    limits = share_interval(*counts, rules)
    region_rates = zip(good_of_region.tolist(), of_region.tolist(), strict=True)
    return table.assign(
        here=here,
        rate=np.where(told, counts[0] / counts[1], np.nan),
        lower=np.where(told, limits.lower, np.nan),
        upper=np.where(told, limits.upper, np.nan),
        region_rate=[rounded_share(some, whole, rules=disclosure) for some, whole in region_rates],
    )


def cases_by_category(complaints: pd.DataFrame) -> pd.DataFrame:
    """Return label, english_label, counted, other of each category that has cases, the most frequent first."""
    keys = ["category", "label", "english_label"]
    frame = _split(complaints, keys).assign(total=lambda table: table["counted"] + table["other"])
    return frame.sort_values("total", ascending=False, kind="stable").drop(columns="total").reset_index(drop=True)


def cases_by_month(complaints: pd.DataFrame) -> pd.DataFrame:
    """Return month, counted, other for every month from the first to the last that has cases."""
    frame = _split(complaints, ["month"]).set_index("month")
    if frame.empty:
        return frame.reset_index()
    months = pd.period_range(frame.index.min(), frame.index.max(), freq="M").strftime("%Y-%m")
    return frame.reindex(pd.Index(months, name="month"), fill_value=0).reset_index()


def _split(complaints: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    counted = complaints["cases"].where(complaints["valid"], 0)
    frame = complaints.assign(counted=counted, other=complaints["cases"] - counted)
    return frame.groupby(keys, sort=True)[["counted", "other"]].sum().astype("int64").reset_index()
