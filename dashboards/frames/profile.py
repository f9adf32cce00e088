"""What lies behind a standing: shares by question without small numbers, complaints by month and category."""

import numpy as np
import pandas as pd

from analytics.disclosure.rules import DisclosureRules
from analytics.disclosure.suppression import can_be_shown, rounded_share
from analytics.evidence.share_intervals import share_interval
from analytics.rules import Rules
from dashboards.source import Profile


def satisfied_shares(profile: Profile, rules: Rules, *, disclosure: DisclosureRules) -> pd.DataFrame:
    """Return the share of satisfied answers to each question that is rated on the scale of the ranked question.

    Columns: question, label, english_label, here (valid answers), rate, lower, upper, region_rate; a community's own
    share is missing where few answered, few were satisfied or few were not, and that of the region, in whole percents,
    where the region is too small.
    """
    answers = profile.answers
    overall = answers.loc[answers["question"] == rules.satisfaction.question, "code"].tolist()
    scaled = answers.groupby("question", sort=False)["code"].transform(lambda codes: codes.tolist() == overall)
    counted = answers[(answers["domain"] | (answers["question"] == rules.satisfaction.question)) & scaled]
    valid = counted[~counted["missing"]]
    satisfied = valid[valid["code"].isin(rules.satisfaction.satisfied_codes)]
    keys = ["question", "label", "english_label"]
    sums = valid.groupby(keys, sort=False)[["here", "region"]].sum()
    good = satisfied.groupby(keys, sort=False)[["here", "region"]].sum().reindex(sums.index, fill_value=0)
    counted_here = zip(good["here"].tolist(), sums["here"].tolist(), strict=True)
    enough = np.array([can_be_shown(some, whole, rules=disclosure) for some, whole in counted_here], dtype=bool)
    limits = share_interval(good["here"], sums["here"], rules)
    of_region = zip(good["region"].tolist(), sums["region"].tolist(), strict=True)
    table = sums.reset_index()[[*keys, "here"]]
    return table.assign(
        rate=np.where(enough, good["here"] / np.maximum(sums["here"], 1), np.nan),
        lower=np.where(enough, limits.lower, np.nan),
        upper=np.where(enough, limits.upper, np.nan),
        region_rate=[rounded_share(some, whole, rules=disclosure) for some, whole in of_region],
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
