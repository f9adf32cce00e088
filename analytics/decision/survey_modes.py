"""Survey modes (web, paper, telephone): answers and satisfaction rates of each community by mode.

Different people answer in different modes, and people answer an interviewer differently from a form, so a community is
compared most fairly with those of the same main mode.
"""

from collections.abc import Container
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.decision.ranks import ranks_within
from analytics.decision.table_columns import float_column
from analytics.statistics.validation import FloatArray, row_codes

MODES: Final = ("web", "paper", "telephone")
STAFF_ENTERED_MODES: Final = MODES[1:]
"""Modes of answers that staff type in: tables count these, all others are web answers."""

MIXED: Final = "mixed"
"""Main mode of a community in which no mode has more than half of the answers."""

Counted = Literal["responses", "satisfied"]


def mode_column(mode: str, counted: Counted) -> str:
    """Return the name of the column of a community table that counts answers of one mode."""
    return f"{mode}_{counted}"


MODE_COLUMNS: Final = tuple(
    mode_column(mode, counted) for mode in STAFF_ENTERED_MODES for counted in ("responses", "satisfied")
)
"""Columns with the valid answers by mode; all may be missing, and no decision uses them."""


def counted_modes(columns: Container[str], counted: Counted) -> list[str]:
    """Return the modes whose answers, or satisfied answers, a table counts.

    Examples
    --------
    >>> counted_modes(["responses", "paper_responses"], "responses"), counted_modes(["satisfied"], "satisfied")
    (['paper'], [])
    """
    return [mode for mode in STAFF_ENTERED_MODES if mode_column(mode, counted) in columns]


def answers_by_mode(communities: pd.DataFrame) -> pd.DataFrame | None:
    """Count the valid answers of each community by mode.

    Parameters
    ----------
    communities : DataFrame
        As `analytics.decision.community_table.check_communities` returns it. `paper_responses` and
        `telephone_responses` are parts of `responses`; a mode without a column has no answers.

    Returns
    -------
    DataFrame or None
        Columns `MODES`, float64, the index of the table; NaN in all of them where one of the counts is missing. None
        where the table has neither column.

    Notes
    -----
    web = responses − paper − telephone.

    Examples
    --------
    >>> table = pd.DataFrame({"responses": [50, 40, 30], "paper_responses": [10, 40, None]})
    >>> answers_by_mode(table).to_dict("list")
    {'web': [40.0, 0.0, nan], 'paper': [10.0, 40.0, nan], 'telephone': [0.0, 0.0, nan]}
    """
    modes = counted_modes(communities, "responses")
    return _by_mode(communities, "responses", modes) if modes else None


def rates_by_mode(communities: pd.DataFrame) -> pd.DataFrame | None:
    """Return the satisfaction rate of each community by mode.

    Parameters
    ----------
    communities : DataFrame
        As in `answers_by_mode`, with `satisfied`, and `paper_satisfied` and `telephone_satisfied` as parts of it.

    Returns
    -------
    DataFrame or None
        Columns `MODES`, 0 to 1; NaN without an answer in that mode and where a count is missing. None if the table does
        not count the satisfied for every mode whose answers it counts.

    Examples
    --------
    >>> table = pd.DataFrame({"responses": [50], "satisfied": [40], "paper_responses": [10], "paper_satisfied": [10]})
    >>> rates_by_mode(table).to_dict("list")
    {'web': [0.75], 'paper': [1.0], 'telephone': [nan]}
    """
    answers, modes = answers_by_mode(communities), counted_modes(communities, "satisfied")
    if answers is None or modes != counted_modes(communities, "responses"):
        return None
    return _by_mode(communities, "satisfied", modes) / answers.where(answers > 0)


def main_modes(answers: pd.DataFrame) -> "pd.Series[str]":
    """Return the main mode of each community: the mode of more than half of its answers.

    Parameters
    ----------
    answers : DataFrame
        Of `answers_by_mode`.

    Returns
    -------
    Series of str
        One of `MODES`, "mixed" if none has more than half, missing if nobody answered or the modes are unknown.

    Examples
    --------
    >>> answers = pd.DataFrame({"web": [40, 20, 0], "paper": [10, 20, 0], "telephone": [0, 0, 0]})
    >>> main_modes(answers).tolist()
    ['web', 'mixed', nan]
    """
    total = answers.sum(axis=1, skipna=False)
    chosen = [2 * answers[mode] > total for mode in MODES]
    found = pd.Series(np.select(chosen, MODES, default=MIXED), index=answers.index, dtype="str")
    return found.where(total > 0)


def ranks_within_modes(
    scores: npt.ArrayLike, modes: "pd.Series[str]", *, group: npt.ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Return the rank of each community among those of its group with the same main mode.

    Parameters
    ----------
    scores : array_like
        Higher is better; NaN is not ranked.
    modes : Series of str
        From `main_modes`; missing is not ranked.
    group : array_like
        Label of the communities that are ranked together.

    Returns
    -------
    rank, communities : ndarray of float
        Ties share the better rank; `communities` is the number ranked together. NaN where a community is not ranked.

    Examples
    --------
    The second and the third tie among those with the main mode paper:

    >>> modes = pd.Series(["web", "paper", "paper", "paper"])
    >>> rank, communities = ranks_within_modes([0.9, 0.8, 0.8, 0.6], modes, group=["wuda"] * 4)
    >>> rank.tolist(), communities.tolist()
    ([1.0, 1.0, 1.0, 3.0], [1.0, 3.0, 3.0, 3.0])
    """
    ranked = np.where(modes.notna(), np.asarray(scores, dtype=np.float64), np.nan)
    places, kinds = row_codes("group", group, rows=ranked.size)[1], pd.Categorical(modes, [*MODES, MIXED]).codes
    # A missing mode has the number −1, with which no score is ranked.
    cells = row_codes("cells", places * (len(MODES) + 2) + kinds + 1, rows=ranked.size)[1]
    rank, _ = ranks_within(ranked, cells, best="high")
    communities = np.bincount(cells, ~np.isnan(ranked))[cells]
    return rank, np.where(np.isnan(rank), np.nan, communities)


def _by_mode(communities: pd.DataFrame, counted: Counted, modes: list[str]) -> pd.DataFrame:
    entered = {mode: float_column(communities, mode_column(mode, counted)) for mode in modes}
    web = float_column(communities, counted) - sum(entered.values())
    table = pd.DataFrame({"web": web, **entered}, index=communities.index).reindex(columns=list(MODES), fill_value=0.0)
    return table.where(table.notna().all(axis=1))
