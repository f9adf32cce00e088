"""Recount the answers of a community table by the rules, from counts of codes or from response rows."""

from dataclasses import replace
from math import lcm
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from analytics.counting.answer_counts import AnswerCounts, count_answers
from analytics.counting.composites import composite_sums
from analytics.decision.survey_channels import HOUSEHOLD_PAIRS, PAIR_COLUMNS, UNLIKE_HOUSEHOLD_PAIRS
from analytics.decision.survey_modes import MODE_COLUMNS
from analytics.decision.table_columns import MEASURE_COLUMNS
from analytics.files.response_tables import ResponseTable
from analytics.rules import Rules

OWNER: Final = 1
"""The code of an owner in `tenure`."""

_COUNTED: Final = {
    *MODE_COLUMNS,
    *PAIR_COLUMNS,
    *(
        name
        for measured in MEASURE_COLUMNS.values()
        for name in (*measured.columns, measured.deviation)
        if name is not None
    ),
}


def count_measures(counted: AnswerCounts, rules: Rules) -> pd.DataFrame:
    """Compute the measures of the rules from counts of the overall question.

    Parameters
    ----------
    counted : AnswerCounts
        Counts of the rules' question, possibly with others.
    rules : Rules

    Returns
    -------
    DataFrame
        Indexed by community_id in the order of the counts: `responses` (valid answers), `satisfied`, `mean_index` and
        `sd_index` in points. A mean without answers is missing, and a deviation with fewer than two.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> batch = pa.RecordBatch.from_pydict({"community": ["A"] * 4, "q01": [5, 4, 1, 9]})
    >>> counted = count_answers([batch], communities=["A", "B"], questions={"q01": [5, 4, 3, 2, 1, 9]})
    >>> count_measures(counted, load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))).round(2).to_dict("index")["A"]
    {'responses': 3, 'satisfied': 2, 'mean_index': 58.33, 'sd_index': 52.04}
    """
    rule = rules.satisfaction
    by_code = counted.table(rule.question)
    valid = [code for code in by_code if code in rule.valid_codes]
    # Points as whole multiples of their common unit, so that equal scores are exactly equal floats.
    points = [rule.index_points[code] for code in valid]
    parts = lcm(*(point.denominator for point in points))
    weights = np.array([int(point * parts) for point in points], dtype=np.int64)
    answers = by_code[valid].to_numpy()
    responses, total, squares = answers.sum(axis=1), answers @ weights, answers @ weights**2
    some = np.where(responses > 0, responses, np.nan)
    several = np.where(responses > 1, responses, np.nan)
    return pd.DataFrame(
        {
            "responses": responses,
            "satisfied": answers[:, np.isin(valid, rule.satisfied_codes)].sum(axis=1),
            "mean_index": total / (some * parts),
            "sd_index": np.sqrt((several * squares - total**2) / (several * (several - 1))) / parts,
        },
        index=by_code.index,
    )


def select_counted_responses(table: ResponseTable, rules: Rules) -> ResponseTable:
    """Keep the responses that count: those of the ranked population, and the newest of each household.

    Parameters
    ----------
    table : ResponseTable
        With `tenure` if the rules rank owners, and with `household` and `submitted_at` if they allow one answer per
        household.
    rules : Rules

    Returns
    -------
    ResponseTable

    Notes
    -----
    Owners are selected first: a tenant's later answer never replaces the owner's. A response of an unknown household is
    kept. Of two responses at the same moment the later row is the newest.
    """
    counts = np.ones(len(table.responses), dtype=bool)
    if rules.satisfaction.population == "owners":
        counts &= (table.responses["tenure"] == OWNER).fillna(value=False).to_numpy(dtype=bool)
    if rules.evidence.one_answer_per_household and "household" in table.responses:
        chosen = table.responses[counts].sort_values("submitted_at", kind="stable")
        older = chosen.duplicated(["community_id", "household"], keep="last") & chosen["household"].notna()
        counts[chosen.index[older]] = False
    rows = np.flatnonzero(counts)
    return replace(
        table,
        responses=table.responses.iloc[rows].reset_index(drop=True),
        answers=table.answers.iloc[rows].reset_index(drop=True),
        lines=[table.lines[int(row)] for row in rows],
    )


def columns_for_selection(rules: Rules) -> list[str]:
    """Return the columns of responses that `select_counted_responses` requires.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> columns_for_selection(load_rules(Path("data/rules/wuhai/2021-08-23.yaml")))
    ['tenure']
    """
    names = ["tenure"] if rules.satisfaction.population == "owners" else []
    return [*names, "household", "submitted_at"] if rules.evidence.one_answer_per_household else names


def measure_questions(rules: Rules) -> tuple[str, ...]:
    """Return the questions of the rules' measure.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> measure_questions(load_rules(Path("data/rules/wuhai/2021-08-23.yaml")))
    ('q01',)
    """
    return tuple(dict.fromkeys([rules.satisfaction.question, *rules.satisfaction.domains]))


def recount(communities: pd.DataFrame, table: ResponseTable, rules: Rules) -> pd.DataFrame:
    """Return a community table with its answers recounted from response rows.

    Parameters
    ----------
    communities : DataFrame
        As `analytics.decision.community_table.check_communities` returns it, or only ids and regions.
    table : ResponseTable
        Responses of these communities that count; with the questions of `measure_questions`.
    rules : Rules

    Returns
    -------
    DataFrame
        The table with its answer columns replaced by the recounted ones. A community without responses has 0. Where
        rows know their `household` and the rules let it answer several times, also the pairs of such answers.

    Raises
    ------
    ValueError
        If a response belongs to a community that is not in the table.
    """
    rule = rules.satisfaction
    ids = communities["community_id"].tolist()
    codes = {question: pa.array(table.answers[question], pa.int16()) for question in measure_questions(rules)}
    batch = pa.RecordBatch.from_pydict({"community": pa.array(table.responses["community_id"], pa.string()), **codes})
    counted = count_answers([batch], communities=ids, questions={rule.question: rule.valid_codes})
    measures = count_measures(counted, rules)
    if rule.domains:
        sums = composite_sums(
            [batch], communities=ids, weights=rule.domains, points=rule.index_points, missing_codes=()
        )
        measures = measures.join(sums.table().rename(columns={"responses": "composite_responses"}))
    if "household" in table.responses and not rules.evidence.one_answer_per_household:
        measures = measures.join(_household_pairs(table, rules).reindex(measures.index, fill_value=0))
    rest = communities.drop(columns=[name for name in communities if name in {*_COUNTED, "score", "score_precision"}])
    return rest.join(measures.set_axis(rest.index))


def _household_pairs(table: ResponseTable, rules: Rules) -> pd.DataFrame:
    """Return the pairs of valid answers of one household in each community, and those of which one is satisfied."""
    rule = rules.satisfaction
    codes = table.answers[rule.question]
    rows = table.responses[["community_id", "household"]].assign(satisfied=codes.isin(rule.satisfied_codes))
    valid = rows[codes.isin(rule.valid_codes).fillna(value=False).astype(bool) & rows["household"].notna()]
    answers = valid.groupby(["community_id", "household"])["satisfied"].agg(["size", "sum"])
    pairs = pd.DataFrame(
        {
            HOUSEHOLD_PAIRS: answers["size"] * (answers["size"] - 1) // 2,
            UNLIKE_HOUSEHOLD_PAIRS: answers["sum"] * (answers["size"] - answers["sum"]),
        }
    )
    return pairs.groupby("community_id").sum().astype("int64")


def recount_released(communities: pd.DataFrame, table: ResponseTable, rules: Rules) -> pd.DataFrame:
    """Return a community table with the answers recounted of those communities whose responses were released.

    Parameters
    ----------
    communities, table, rules
        As in `recount`; the table may lack communities of which too few answered.

    Returns
    -------
    DataFrame
        The same rows and columns. Measures come from the responses where there are any and the table has the measure;
        elsewhere they stay, as what was withheld from the table stays missing.
    """
    counted = recount(communities, table, rules)
    released = communities["community_id"].isin(table.responses["community_id"])
    names = [name for name in counted if name in _COUNTED and name in communities]
    known = {name: released & communities[name].notna() for name in names}
    return communities.assign(**{name: communities[name].where(~known[name], counted[name]) for name in names})


def differing_communities(one: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    """Return the ids of the communities in which two tables with the same rows and columns do not count the same."""
    differs = (one.ne(other) & ~(one.isna() & other.isna())).any(axis="columns").fillna(value=True)
    return one.loc[differs.to_numpy(dtype=bool), "community_id"].tolist()
