"""Survey channels (posters, household slips, staff): through what the answers of each community came.

Whoever passes a poster may answer again and again; a slip takes one answer of its household. What a round of posters
alone cannot exclude is therefore said wherever its standings are.
"""

from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd

from analytics.decision.survey_modes import STAFF_ENTERED_MODES, mode_column
from analytics.decision.table_columns import float_column
from analytics.statistics.validation import FloatArray


class SurveyChannel(StrEnum):
    """Through what the answers of a community came."""

    POSTERS = "posters"
    SLIPS = "slips"
    BOTH = "posters_and_slips"
    STAFF = "staff"


SLIP_RESPONSES: Final = "slip_responses"
HELPED_RESPONSES: Final = "helped_responses"
CHANNEL_COLUMNS: Final = (SLIP_RESPONSES, HELPED_RESPONSES)
"""Columns of a community table with the valid answers through slips, and with help that was declared in advance.

Both are parts of the web answers, may be missing, and no decision uses them."""

HOUSEHOLD_PAIRS: Final = "household_pairs"
UNLIKE_HOUSEHOLD_PAIRS: Final = "unlike_household_pairs"
PAIR_COLUMNS: Final = (HOUSEHOLD_PAIRS, UNLIKE_HOUSEHOLD_PAIRS)
"""Columns of a community table with the pairs of valid answers of one household, and those of which only one is
satisfied. Both may be missing, and no decision uses them."""


def survey_channels(communities: pd.DataFrame) -> "pd.Series[str] | None":
    """Return the survey channel of each community, missing without answers.

    Parameters
    ----------
    communities : DataFrame
        As `analytics.decision.community_table.check_communities` returns it.

    Returns
    -------
    Series of str or None
        `SurveyChannel` values with the index of the table; None where it does not count answers through slips. Where
        their number is withheld it is posters and slips, even if all came through slips: what posters cannot exclude is
        rather said too often.

    Examples
    --------
    >>> table = pd.DataFrame({"responses": [9, 90, 90, 0, 9], "slip_responses": [0, 40, 90, 0, None]})
    >>> survey_channels(table).tolist()
    ['posters', 'posters_and_slips', 'slips', nan, 'posters_and_slips']
    """
    if SLIP_RESPONSES not in communities:
        return None
    answers, slips = float_column(communities, "responses"), float_column(communities, SLIP_RESPONSES)
    web = web_responses(communities)
    posters = web - slips
    is_withheld = np.isnan(slips) & (web > 0)
    channel = np.select(
        [
            (posters > 0) & (slips == 0),
            is_withheld | ((posters > 0) & (slips > 0)),
            (posters <= 0) & (slips > 0),
            answers > 0,
        ],
        [str(SurveyChannel.POSTERS), str(SurveyChannel.BOTH), str(SurveyChannel.SLIPS), str(SurveyChannel.STAFF)],
        default="",
    )
    found = pd.Series(channel, index=communities.index, dtype="str")
    return found.mask(found == "")


def web_responses(communities: pd.DataFrame) -> FloatArray:
    """Return how many of the valid answers of each community came through the web, by posters or slips.

    Parameters
    ----------
    communities : DataFrame
        As above.

    Returns
    -------
    ndarray of float64
        What `responses` leaves beside those that staff typed in; NaN without `responses`.

    Examples
    --------
    >>> web_responses(pd.DataFrame({"responses": [9, 9], "paper_responses": [2, None]})).tolist()
    [7.0, 9.0]
    """
    typed = [np.nan_to_num(float_column(communities, mode_column(mode, "responses"))) for mode in STAFF_ENTERED_MODES]
    web: FloatArray = float_column(communities, "responses") - np.sum(typed, axis=0)
    return web
