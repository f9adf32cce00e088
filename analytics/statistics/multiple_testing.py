"""Adjustment of p values for the number of tests, so that few of the reported findings are chance."""

import numpy as np
from scipy import stats

from analytics.statistics.validation import FloatArray


def adjusted_p_values(p: FloatArray) -> FloatArray:
    """Return Benjamini–Hochberg adjusted p values.

    Parameters
    ----------
    p : ndarray of float
        In [0, 1]; NaN where nothing was tested.

    Returns
    -------
    ndarray of float
        In [0, 1]; NaN where nothing was tested, and such rows are not counted among the tests.

    References
    ----------
    Benjamini Y, Hochberg Y (1995), Controlling the false discovery rate, J. R. Stat. Soc. B 57, 289–300.

    Examples
    --------
    >>> adjusted_p_values(np.array([0.01, 0.03, np.nan, 0.03]))
    array([0.03, 0.03,  nan, 0.03])
    """
    adjusted, known = np.full(p.size, np.nan), ~np.isnan(p)
    if known.any():
        adjusted[known] = stats.false_discovery_control(p[known])
    return adjusted
