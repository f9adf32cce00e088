"""Adjustment of p values for the number of tests, so that few of the reported findings are chance."""

import numpy as np

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
        adjusted[known] = _adjusted(p[known])
    return adjusted


def _adjusted(p: FloatArray) -> FloatArray:
    # As `scipy.stats.false_discovery_control`, to the last digit: to load that package takes a second and 50 MB.
    order = np.argsort(p)
    adjusted = p[order] * (p.size / np.arange(1, p.size + 1))
    lowest_above = np.minimum.accumulate(adjusted[::-1])[::-1]
    in_place = np.empty(p.size)
    in_place[order] = np.minimum(lowest_above, 1.0)
    return in_place
