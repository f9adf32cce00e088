"""Evidence on every standing of an evaluation: intervals, shrunk scores, possible ranks and evidence bands.

The decision follows from the rules alone. The evidence is computed for the same communities, ranked together in the
same regions with the same number of positions. On satisfaction one posterior is behind all of it: that of what all
households of a community would answer, with the uncertainty of those that did not.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.decision.evaluate import Evaluation
from analytics.decision.summary import COLUMN_PREFIXES, RouteName
from analytics.decision.table_columns import float_column
from analytics.evidence.bands import (
    Evidence,
    Reason,
    clipped_normal_quantile,
    complaint_evidence,
    criterion_evidence,
    satisfaction_evidence,
    score_interval,
)
from analytics.evidence.needed_responses import ThresholdPosterior, needed_responses
from analytics.evidence.observations import Ranking, observations_of, rankings
from analytics.evidence.satisfaction_posteriors import (
    nonresponse_spread_of,
    range_of_scores,
    responding_fraction,
    shrink_satisfaction,
    variance_is_known,
)
from analytics.rules import Rules
from analytics.statistics.complaint_rates import complaint_rates
from analytics.statistics.empirical_bayes import Shrinkage, shrink_complaint_rates
from analytics.statistics.intervals import Interval
from analytics.statistics.rank_confidence_sets import rank_confidence_set
from analytics.statistics.repeat_complaints import repeat_dispersion
from analytics.statistics.validation import IntegerArray

EVIDENCE_COLUMNS: Final[Mapping[str, str]] = {
    "community_id": "str",
    "satisfaction_lower": "float64",
    "satisfaction_upper": "float64",
    "satisfaction_shrunk": "float64",
    "satisfaction_shrunk_deviation": "float64",
    "satisfaction_rank_lower": "Int64",
    "satisfaction_rank_upper": "Int64",
    "satisfaction_top_probability": "float64",
    "satisfaction_evidence": "str",
    "satisfaction_evidence_reason": "str",
    "satisfaction_tipping_point": "float64",
    "satisfaction_needed_responses": "Int64",
    "satisfaction_needed_assurance": "float64",
    "complaint_rate_lower": "float64",
    "complaint_rate_upper": "float64",
    "complaint_top_probability": "float64",
    "complaint_evidence": "str",
    "complaint_evidence_reason": "str",
    "criterion_lower": "float64",
    "criterion_upper": "float64",
    "criterion_evidence": "str",
    "criterion_evidence_reason": "str",
}
"""Columns of the evidence with their types, in order."""

_SATISFACTION_COLUMNS: Final = [
    "satisfaction_top_probability",
    "satisfaction_evidence",
    "satisfaction_evidence_reason",
    "satisfaction_tipping_point",
]
_COMPLAINT_COLUMNS: Final = ["complaint_top_probability", "complaint_evidence", "complaint_evidence_reason"]


def weigh_evidence(evaluation: Evaluation) -> pd.DataFrame:
    """Compute the evidence on each standing of an evaluation.

    Parameters
    ----------
    evaluation : Evaluation

    Returns
    -------
    DataFrame
        One row per community in the order of the table; columns are `EVIDENCE_COLUMNS`.

        - ``satisfaction_shrunk``, ``satisfaction_shrunk_deviation``: posterior mean and standard deviation of the true
          score, that of all households.
        - ``satisfaction_lower``, ``satisfaction_upper``: credible interval of the true score at the level of the rules,
          in its unit and within its range. It holds ``satisfaction_shrunk``, and not always the observed score: that of
          an extreme community is partly luck.
        - ``satisfaction_rank_lower``, ``satisfaction_rank_upper``: marginal confidence set for the rank of the true
          score.
        - ``satisfaction_top_probability``, ``complaint_top_probability``: probability of being truly among the k best.
        - ``…_evidence``: "certain", "likely", "undecided", "unlikely" or "no"; missing where the community is not
          assessed or k = 0. ``…_evidence_reason``: an `analytics.evidence.bands.Reason`, missing where there is nothing
          to explain.
        - ``satisfaction_tipping_point``: the gap between respondents and non-respondents that would change the
          evidence, in the unit of the score; infinite if none would.
        - ``satisfaction_needed_responses``: further answers that are predicted to settle the evidence; 0 if it is
          settled, missing if the number is larger than households can be expected to give.
          ``satisfaction_needed_assurance``: the probability that the evidence is then settled, or with all answers
          that can be expected; missing if the households are unknown or fewer than the answers, or if nothing tells
          the communities apart.
        - ``complaint_rate_lower``, ``complaint_rate_upper``: exact interval per 1,000 household-years, negative
          binomial with the dispersion of repeated complaints, Poisson without any.
        - ``criterion_lower``, ``criterion_upper``: bounds of the probability that either route is truly met.

    Notes
    -----
    All about satisfaction comes from one posterior of each community, with v = D s²/n · (1 − f) + ω²(1 − f)², D the
    design effect of several answers of one household and ω the `nonresponse_spread` of the rules, or more where the
    table says that late answers suggest more (`analytics.evidence.nonresponse.nonresponse_spreads`): the probability
    and its word, the interval, the tipping point and the needed answers; the possible ranks from the scores with the
    same v.

    The eligible communities of the decision are ranked with its k; communities that are not ranked do not affect the
    prior. The evidence is only about whether the rule's own measure is truly among the k best.

    The variance of a rate comes from its counts, that of an index from `sd_index` and of a composite from
    `sd_composite`, pooled over the region. It is unknown for a given score, and for a mean in a region without any
    standard deviation: the evidence is then undecided with the reason "variance_unknown", and the probability is
    missing.

    Answers and complaints of one household are alike: `analytics.evidence.household_clustering` says how much, from the
    table where it tells, else by the rules. If the rules say that a household answers once, D = 1 and f = responses ÷
    households; only valid responses are counted, so f is at most the share that responded, and certainty is rather
    understated. Otherwise, and if the households are unknown or fewer than the responses, f = 0.

    The needed answers are those of `analytics.evidence.needed_responses.needed_responses` for each community
    separately, with the others unchanged, and with the threshold at which a normal posterior has the same probability,
    T = m − Φ⁻¹(P)√(V + U).

    Examples
    --------
    Twenty-one communities with one position; the second is tied with the first but has few answers:

    >>> from pathlib import Path
    >>> from analytics.decision.evaluate import evaluate
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> communities = pd.DataFrame({
    ...     "community_id": [f"{number:03}" for number in range(1, 21)], "region": "乌达区",
    ...     "responses": [400, 40, *[200] * 17, 5], "satisfied": [380, 38, *[160] * 17, 5],
    ... })
    >>> communities.loc[21] = ["021", "乌达区", 200, 150]
    >>> result = evaluate(communities, rules)
    >>> evidence = weigh_evidence(result)
    >>> result.standings["satisfaction_status"].iloc[[0, 1, 2, 19]].tolist()
    ['met', 'met', 'not_met', 'not_assessed']
    >>> evidence["satisfaction_evidence"].iloc[[0, 1, 2]].tolist()
    ['undecided', 'undecided', 'no']
    >>> evidence["satisfaction_evidence_reason"].iloc[[0, 19]].tolist()
    ['probability', 'not_assessed']

    If the households are known, the number of further answers that would settle the evidence is given, up to 600 in
    all:

    >>> known = weigh_evidence(evaluate(communities.assign(households=1000), rules))
    >>> known["satisfaction_needed_responses"].iloc[:3].tolist()
    [<NA>, 213, 0]
    >>> round(float(evidence["satisfaction_top_probability"].sum()), 6)
    1.0
    """
    order, standings, table = observations_of(evaluation)
    rules, regions = evaluation.rules, evaluation.summary["regions"]
    rates = _complaint_limits(table, rules)
    weighed = pd.concat(
        [
            _weigh_route("satisfaction", table, standings, rules, regions),
            _weigh_route("complaints", table, standings, rules, regions),
        ],
        axis=1,
    )
    frame = pd.DataFrame({"community_id": table["community_id"]}).assign(
        complaint_rate_lower=rates.lower,
        complaint_rate_upper=rates.upper,
        **weighed,
        **_weigh_criterion(weighed),
    )
    restored = np.argsort(order)
    columns = {name: _without_blanks(frame[name]).iloc[restored] for name in EVIDENCE_COLUMNS}
    return pd.DataFrame(columns).astype(dict(EVIDENCE_COLUMNS)).reset_index(drop=True)


def _without_blanks(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return a column with empty texts as missing values."""
    return values.mask(values == "") if pd.api.types.is_object_dtype(values) else values


def _weigh_route(
    route: RouteName, table: pd.DataFrame, standings: pd.DataFrame, rules: Rules, regions: Mapping[str, Any]
) -> pd.DataFrame:
    """Compute the evidence columns of one route, missing where a community is not assessed."""
    prefix = COLUMN_PREFIXES[route]
    # The interval of a complaint rate does not need a ranking.
    names = [name for name in EVIDENCE_COLUMNS if name.startswith(f"{prefix}_") and "_rate_" not in name]
    columns = {name: _missing(EVIDENCE_COLUMNS[name], len(standings)) for name in names}
    band, reason = columns[f"{prefix}_evidence"], columns[f"{prefix}_evidence_reason"]
    reason[:] = str(Reason.NOT_ASSESSED)
    weigh = _weigh_satisfaction if route == "satisfaction" else _weigh_complaints
    for ranking in rankings(route, standings, regions):
        shown = ranking.rows[ranking.shown]
        band[shown], reason[shown] = str(Evidence.UNDECIDED), str(Reason.VARIANCE_UNKNOWN)
        weighed = weigh(table, rules, ranking)
        weighed = weighed.loc[weighed.index.isin(shown)]
        for name, values in weighed.items():
            column = columns[str(name)]
            column[weighed.index] = values if column.dtype == object else float_column(weighed, str(name))
        nobody = ranking.rows[ranking.shown & (ranking.size == 0)]
        band[nobody], reason[nobody] = None, str(Reason.NOT_APPLICABLE)
        for name in names:
            if "_needed_" in name:
                columns[name][nobody] = np.nan
    return pd.DataFrame(columns, index=standings.index, copy=False)


def _missing(kind: str, count: int) -> npt.NDArray[Any]:
    """Return a column of evidence without values, of floats or of words."""
    return np.full(count, None, dtype=object) if kind == "str" else np.full(count, np.nan)


def _weigh_satisfaction(table: pd.DataFrame, rules: Rules, ranking: Ranking) -> pd.DataFrame:
    usable = ranking.only(variance_is_known(table, rules, ranking))
    rows, region, size = usable.rows, usable.region, usable.size
    ranked = table.iloc[rows]
    posteriors = shrink_satisfaction(ranked, region, rules, nonresponse_spread=nonresponse_spread_of(ranked, rules))
    lowest, highest = range_of_scores(rules)
    limits = score_interval(posteriors, level=float(rules.evidence.level), lowest=lowest, highest=highest)
    weighed = satisfaction_evidence(
        posteriors, region=region, size=size, sampling_fraction=responding_fraction(ranked, rules)
    )
    # The distributions are the largest thing in memory; nothing below needs them.
    posteriors = replace(posteriors, grids=())
    score, error = float_column(ranked, "satisfaction_score"), np.sqrt(posteriors.sampling_variance)
    ranks = rank_confidence_set(score, error, level=float(rules.evidence.level), regions=region)
    return (
        weighed[_SATISFACTION_COLUMNS]
        .assign(
            satisfaction_lower=limits.lower,
            satisfaction_upper=limits.upper,
            satisfaction_shrunk=posteriors.mean,
            satisfaction_shrunk_deviation=np.sqrt(posteriors.variance),
            satisfaction_rank_lower=ranks["lower"],
            satisfaction_rank_upper=ranks["upper"],
            **_needed_responses(ranked, rules, posteriors, weighed),
        )
        .set_index(rows)
    )


def _needed_responses(
    ranked: pd.DataFrame, rules: Rules, posteriors: Shrinkage, weighed: pd.DataFrame
) -> dict[str, "pd.Series[Any]"]:
    """Return the further answers that each ranked community needs, and the probability that they are enough."""
    settled = (weighed["satisfaction_evidence"] != Evidence.UNDECIDED).to_numpy()
    needed = pd.Series(0, index=weighed.index, dtype="Int64").mask(~settled)
    assurance = pd.Series(1.0, index=weighed.index).mask(~settled)
    responses, households = float_column(ranked, "responses"), float_column(ranked, "households")
    # Where nothing tells the communities apart, the answers of one alone are no forecast.
    apart = (weighed["satisfaction_evidence_reason"] != Reason.TOO_LITTLE_INFORMATION).to_numpy()
    rows = np.flatnonzero(~settled & apart & (households >= responses))
    if rows.size:
        fraction, spread = (found(ranked, rules)[rows] for found in (responding_fraction, nonresponse_spread_of))
        sampling = posteriors.sampling_variance[rows] - (spread * (1 - fraction)) ** 2
        # If all households have answered there is nobody left to ask, whatever the variance of single answers.
        single = np.maximum(sampling, 0) * responses[rows] / np.where(fraction < 1, 1 - fraction, 1)
        forecast = needed_responses(
            _place(posteriors, weighed, rows),
            answer_variance=single,
            n=responses[rows],
            households=households[rows],
            nonresponse_spread=spread,
            one_answer_per_household=rules.evidence.one_answer_per_household,
            settled=False,
        )
        needed.iloc[rows], assurance.iloc[rows] = forecast["needed_responses"], forecast["assurance"]
    return {"satisfaction_needed_responses": needed, "satisfaction_needed_assurance": assurance}


def _place(posteriors: Shrinkage, weighed: pd.DataFrame, rows: IntegerArray) -> ThresholdPosterior:
    """Return communities' posteriors with the threshold at which a normal posterior has the same probability."""
    mean, variance = posteriors.mean[rows], posteriors.variance[rows]
    uncertainty = float_column(weighed, "satisfaction_threshold_variance")[rows]
    place = clipped_normal_quantile(float_column(weighed, "satisfaction_top_probability")[rows])
    return ThresholdPosterior(mean, variance, mean - place * np.sqrt(variance + uncertainty), uncertainty)


def _weigh_complaints(table: pd.DataFrame, rules: Rules, ranking: Ranking) -> pd.DataFrame:
    cases = float_column(table, "complaints")[ranking.rows]
    exposure = float_column(table, "exposure_household_years")[ranking.rows]
    repeats = float(table["repeat_share"].iloc[0])
    weighed = complaint_evidence(
        shrink_complaint_rates(
            cases,
            exposure,
            region=ranking.region,
            prior=rules.evidence.prior,
            dispersion=repeat_dispersion(repeats),
        ),
        cases,
        exposure,
        region=ranking.region,
        size=ranking.size,
        share=float(rules.complaints.share),
        repeat_share=repeats,
    )
    return weighed[_COMPLAINT_COLUMNS].set_index(ranking.rows)


def _weigh_criterion(weighed: pd.DataFrame) -> pd.DataFrame:
    """Combine the evidence of both routes on the criterion, missing where neither route has any."""
    names = {prefix: (f"{prefix}_top_probability", f"{prefix}_evidence_reason") for prefix in COLUMN_PREFIXES.values()}
    reasons = weighed[[reason for _, reason in names.values()]].to_numpy(dtype=object)
    # A route with k = 0 cannot be met, so its probability is 0.
    impossible = reasons == Reason.NOT_APPLICABLE
    routes = [
        pd.DataFrame({chance: weighed[chance].mask(never, 0.0), reason: weighed[reason].mask(never, "")})
        for (chance, reason), never in zip(names.values(), impossible.T, strict=True)
    ]
    both = criterion_evidence(*routes).rename(columns=lambda name: name.removesuffix("_probability"))
    silent = weighed[[f"{prefix}_evidence" for prefix in names]].isna().all(axis=1)
    found = both.astype(object).mask(silent, None)
    nothing = np.where(impossible.all(axis=1), str(Reason.NOT_APPLICABLE), str(Reason.NOT_ASSESSED))
    return found.assign(criterion_evidence_reason=found["criterion_evidence_reason"].where(~silent, pd.Series(nothing)))


def _complaint_limits(table: pd.DataFrame, rules: Rules) -> Interval:
    complaints, exposure = float_column(table, "complaints"), float_column(table, "exposure_household_years")
    lower, upper = np.full((2, len(table)), np.nan)
    rows = np.flatnonzero(~np.isnan(complaints) & (exposure > 0))
    if rows.size:
        rates = complaint_rates(
            complaints[rows],
            exposure[rows],
            level=float(rules.evidence.level),
            method="exact",
            dispersion=repeat_dispersion(float(table["repeat_share"].iloc[0])),
        )
        lower[rows], upper[rows] = rates["lower"], rates["upper"]
    return Interval(lower, upper)
