"""Evaluate a community table under a rule file: the standing of every community."""

import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from analytics.canonical import canonical_json, sha256_of_parts
from analytics.decision.community_table import check_communities
from analytics.decision.criterion import combine_routes
from analytics.decision.routes import Route, evaluate_complaints, evaluate_satisfaction, rows_by_region
from analytics.decision.summary import summarise
from analytics.decision.table_columns import MEASURE_COLUMNS, float_column, plain_values
from analytics.files.column_texts import (
    filled,
    float_texts,
    hold_any,
    literal,
    replaced,
    run_together,
    side_by_side,
    whole_texts,
    word_texts,
)
from analytics.rules import Rules

STANDING_COLUMNS: Final[Mapping[str, str]] = {
    "community_id": "str",
    "region": "str",
    "responses": "Int64",
    "satisfied": "Int64",
    "households": "Int64",
    "satisfaction_rate": "float64",
    "satisfaction_index": "float64",
    "satisfaction_score": "float64",
    "satisfaction_rank": "Int64",
    "satisfaction_last_rank": "Int64",
    "satisfaction_percentile": "float64",
    "satisfaction_status": "str",
    "satisfaction_reason": "str",
    "complaints": "Int64",
    "exposure_household_years": "float64",
    "complaints_per_1000_household_years": "float64",
    "complaint_rank": "Int64",
    "complaint_last_rank": "Int64",
    "complaint_percentile": "float64",
    "complaint_status": "str",
    "complaint_reason": "str",
    "criterion_status": "str",
    "criterion_route": "str",
}
"""Columns of the standings with their types, in order."""

STANDINGS_FORMAT: Final = 1
"""Format of the text whose hash stands for the standings of an evaluation."""

# Written out, so that neither a new name nor a further column changes the hash of what was evaluated before.
_HASHED_COLUMNS: Final = (
    "community_id",
    "region",
    "responses",
    "satisfied",
    "households",
    "satisfaction_rate",
    "satisfaction_index",
    "satisfaction_score",
    "satisfaction_rank",
    "satisfaction_last_rank",
    "satisfaction_percentile",
    "satisfaction_status",
    "satisfaction_reason",
    "complaints",
    "exposure_household_years",
    "complaints_per_1000_household_years",
    "complaint_rank",
    "complaint_last_rank",
    "complaint_percentile",
    "complaint_status",
    "complaint_reason",
)
# What JSON writes with a backslash.
_ESCAPED: Final = bytes(range(32)) + b'"\\'
_HASHED_AS: Final[Mapping[str, str]] = {
    "criterion_status": "requirement_status",
    "criterion_route": "requirement_route",
}


@dataclass(frozen=True)
class Evaluation:
    """Result of an evaluation, with its inputs.

    Attributes
    ----------
    communities : DataFrame
        The checked community table.
    rules : Rules
    standings : DataFrame
        One row per community in the order of the table; columns are `STANDING_COLUMNS`. A rate from counts lies
        between 0 and 1, an index or composite between 0 and 100, a given score is unchanged. `responses` are those of
        the rules' measure; `satisfied` is missing with a composite, which is based on other responses than the overall
        question. Ranks are missing where a community does not take part, the route where the criterion is not met.
    summary : dict
        JSON values. ``regions``: for each region ``communities``, ``satisfaction``, ``complaints``, ``criterion``
        and ``warnings``; ``total``: the same counts over all regions; ``warnings`` about the whole table. A route has

        - ``ranked_with``: "district" or "city", "wider_region" where a small district is ranked with the whole city;
        - ``N``, ``k``: number of communities ranked together, number of qualifying positions;
        - ``share``, ``rounding``, ``ties`` and others: the rules as the file states them;
        - ``cut_off_score``, ``above_cut_off``, ``tied_at_cut_off``: the score at the k-th position, how many
          communities rank above it and how many have it, None where k = 0;
        - ``met``, ``not_met``, ``not_assessed``, ``not_applicable``: numbers of communities of this region;
        - ``until_next_position``: how many more eligible communities would increase k.

        A warning has a ``code``, a ``route`` and ``facts``; `analytics.reports.warnings.warning_sentence` says it.
    """

    communities: pd.DataFrame
    rules: Rules
    standings: pd.DataFrame
    summary: dict[str, Any]

    @cached_property
    def inputs_sha256(self) -> str:
        """SHA-256 of the checked table as canonical text, whatever the order of its rows."""
        return sha256_of_parts(_canonical_columns(self.communities))

    @cached_property
    def standings_sha256(self) -> str:
        """SHA-256 of the standings as canonical text of `STANDINGS_FORMAT`, whatever the order of their rows."""
        hashed = self.standings[[*_HASHED_COLUMNS, *_HASHED_AS]].rename(columns=_HASHED_AS)
        return sha256_of_parts(_canonical_columns(hashed))


def evaluate(communities: pd.DataFrame, rules: Rules, *, look_alikes: bool = True) -> Evaluation:
    """Evaluate a community table: return the standing of every community under the rules.

    Parameters
    ----------
    communities : DataFrame
        One row per community, as `analytics.decision.community_table.check_communities` describes it.
    rules : Rules
    look_alikes : bool
        Whether ids and regions that only look different are faults; False saves seeking them where the ids and regions
        are those of a table that was checked.

    Returns
    -------
    Evaluation

    Raises
    ------
    TableError
        If the table has faults, with all of them.

    Notes
    -----
    Eligibility is decided first, for each route separately; N is the number of eligible communities of a region, k the
    share of N; the first k positions qualify; either route meets the criterion. Scores and rates are
    compared as exact ratios, so neither the order of rows nor rounding can change a standing.

    Examples
    --------
    Twenty communities, so that 5 % is one position, and two communities tied for it:

    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> communities = pd.DataFrame({
    ...     "community_id": [f"{number:03}" for number in range(1, 21)], "region": "乌达区",
    ...     "responses": [40, 60, *[50] * 18], "satisfied": [38, 57, *[40] * 18],
    ... })
    >>> result = evaluate(communities, rules)
    >>> result.standings.loc[:2, ["community_id", "satisfaction_rate", "satisfaction_rank", "satisfaction_status"]]
      community_id  satisfaction_rate  satisfaction_rank satisfaction_status
    0          001               0.95                  1                 met
    1          002               0.95                  1                 met
    2          003               0.80                  3             not_met
    >>> route = result.summary["regions"]["乌达区"]["satisfaction"]
    >>> route["N"], route["k"], route["tied_at_cut_off"], route["met"]
    (20, 1, 2, 2)
    """
    return evaluate_checked(check_communities(communities, rules, look_alikes=look_alikes), rules)


def evaluate_checked(table: pd.DataFrame, rules: Rules) -> Evaluation:
    """Evaluate a community table that has been checked, as `evaluate` does any table.

    Parameters
    ----------
    table : DataFrame
        As `analytics.decision.community_table.read_table` or `check_communities` returns it for the same rules.
    rules : Rules

    Returns
    -------
    Evaluation

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> rules = load_rules(Path("data/rules/wuhai/2021-08-23.yaml"))
    >>> tied = {"community_id": ["1", "2", "3"], "region": "乌达区", "responses": 50, "satisfied": [38, 45, 45]}
    >>> table = check_communities(pd.DataFrame(tied), rules)
    >>> evaluate_checked(table, rules).standings["satisfaction_rank"].tolist()
    [3, 1, 1]
    """
    regions = rows_by_region(table)
    satisfaction = evaluate_satisfaction(table, rules, regions)
    complaints = evaluate_complaints(table, rules, regions)
    standings = _standings(table, rules, satisfaction, complaints)
    return Evaluation(table, rules, standings, summarise(standings, table, rules, satisfaction, complaints))


def canonical_frame_json(frame: pd.DataFrame) -> str:
    """Return a frame with a `community_id` as canonical JSON, independent of the order of its rows.

    Parameters
    ----------
    frame : DataFrame
        Text, whole numbers and finite numbers; missing values become null.

    Returns
    -------
    str
        An object with one list per column, ordered by `community_id`.

    Examples
    --------
    >>> canonical_frame_json(pd.DataFrame({"community_id": ["2", "1"], "score": [None, 83.5]}))
    '{"community_id":["1","2"],"score":[83.5,null]}'
    """
    return "".join(_canonical_columns(frame))


def _canonical_columns(frame: pd.DataFrame) -> Iterator[str]:
    """Yield a frame as canonical JSON column by column: all values as Python objects would be the most in memory."""
    by_id = np.asarray(frame["community_id"].argsort(kind="stable"))
    before = "{"
    for name in sorted(map(str, frame)):
        yield f"{before}{canonical_json(name)}:{_canonical_list(frame[name].iloc[by_id])}"
        before = ","
    yield "}"


def _canonical_list(values: "pd.Series[Any]") -> str:
    """Return what `canonical_json` makes of a column's values, text and finite numbers as a whole."""
    if pd.api.types.is_integer_dtype(values):
        texts = whole_texts(values)
    elif values.dtype == np.float64 and not np.isinf(values).any():
        texts = float_texts(values.to_numpy())
    elif isinstance(values.dtype, pd.StringDtype):
        words = word_texts(values)
        special = hold_any(words, _ESCAPED)
        escaped = [canonical_json(word) for word in words.filter(pa.array(special)).to_pylist()]
        texts = replaced(side_by_side(literal('"'), words, literal('"')), special, pa.array(escaped, pa.large_string()))
    else:
        return canonical_json(plain_values(values))
    return f"[{run_together(side_by_side(filled(texts, 'null'), literal(',')))[:-1]}]"


def versions() -> dict[str, str]:
    """Return the versions of this package, Python and the numerical libraries.

    Examples
    --------
    >>> sorted(versions())
    ['analytics', 'numpy', 'pandas', 'python', 'scipy']
    """
    packages = {package: version(package) for package in ("numpy", "pandas", "scipy")}
    return {"analytics": version("jiayuan"), "python": platform.python_version(), **packages}


def _standings(table: pd.DataFrame, rules: Rules, satisfaction: Route, complaints: Route) -> pd.DataFrame:
    status, route = combine_routes(satisfaction.status, complaints.status)
    responses, satisfied = float_column(table, "responses"), float_column(table, "satisfied")
    ranked = MEASURE_COLUMNS[rules.satisfaction.measure].responses
    rate = np.full(len(table), np.nan)
    np.divide(satisfied, responses, out=rate, where=responses > 0)
    values = {
        "community_id": table["community_id"],
        "region": table["region"],
        "responses": float_column(table, ranked),
        "satisfied": np.where(ranked == "responses", satisfied, np.nan),
        "households": float_column(table, "households"),
        "satisfaction_rate": rate,
        "satisfaction_index": float_column(table, "mean_index"),
        "satisfaction_score": satisfaction.scores,
        "satisfaction_rank": satisfaction.rank,
        "satisfaction_last_rank": satisfaction.last_rank,
        "satisfaction_percentile": satisfaction.percentile,
        "satisfaction_status": satisfaction.status,
        "satisfaction_reason": satisfaction.reason,
        "complaints": float_column(table, "complaints"),
        "exposure_household_years": float_column(table, "exposure_household_years"),
        "complaints_per_1000_household_years": complaints.scores,
        "complaint_rank": complaints.rank,
        "complaint_last_rank": complaints.last_rank,
        "complaint_percentile": complaints.percentile,
        "complaint_status": complaints.status,
        "complaint_reason": complaints.reason,
        "criterion_status": status,
        "criterion_route": pd.Series(route, dtype="str").mask(route == ""),
    }
    return pd.DataFrame(values).astype(dict(STANDING_COLUMNS))
