"""Intervals of scores that were picked because they are high, corrected for having been picked."""

import numpy as np
import numpy.typing as npt
from scipy import special

from analytics.statistics.intervals import Interval, tail_probability
from analytics.statistics.validation import FloatArray, finite_numbers, refuse, whole_numbers


def picked_scores(
    score: npt.ArrayLike, variance: npt.ArrayLike, *, picked: npt.ArrayLike, ranked: npt.ArrayLike, level: float
) -> Interval:
    """Return intervals of the true scores of those that were picked as the highest of a ranking.

    Parameters
    ----------
    score, variance : array_like
        Scores of the picked ones and their variances ≥ 0, estimates independent of each other.
    picked, ranked : array_like
        R ≥ 1 of N ≥ R: how many were picked of how many, for each of them. Of a list with ties at its end R is at most
        the number of positions.
    level : float
        In (0, 1): share of the picked ones whose true score the intervals are to hold, on average over surveys.

    Returns
    -------
    Interval
        Around the score, wider below than above unless all were picked; the score itself where the variance is 0.

    Raises
    ------
    ValueError
        If a value is missing or out of range.

    Notes
    -----
    x − z(αR/2N)√v and x + z(α/2)√v, with the upper normal quantiles z and α = 1 − level.

    Below, this is a limit adjusted for the false coverage rate (Benjamini and Yekutieli 2005): of N limits at the level
    αR/2N at most αR/2 miss on average, whoever is picked, so that at most α/2 of the R do. Above, nothing has to be
    corrected: given the others, x is picked if it exceeds a threshold, and a score so truncated lies less often
    far below the truth, not more often. Together at most α of the picked ones are missed.

    Intervals conditional on having been picked (truncated normal) and their hybrids (Andrews, Kitagawa and McCloskey
    2024; for several winners Petrou-Zeniou and Shaikh, arXiv 2410.19212) are shorter far above the threshold. They were
    not taken: scores are shares of a few answers, so that many lie at the threshold or are tied with it, and there
    such an interval breaks down to far below the score that it is of. The limits here stay valid under ties and for
    limits of any distribution.

    References
    ----------
    Benjamini Y, Yekutieli D (2005), False discovery rate-adjusted multiple confidence intervals for selected
    parameters, J. Am. Stat. Assoc. 100, 71–81.
    Benjamini Y, Hechtlinger Y, Stark PB (2019), Confidence intervals for selected parameters, arXiv 1906.00505.

    Examples
    --------
    The best 5 of 100, with a standard error of .02:

    >>> limits = picked_scores([0.96], [0.0004], picked=5, ranked=100, level=0.95)
    >>> limits.lower.round(3), limits.upper.round(3)
    (array([0.9]), array([0.999]))
    """
    centre, spread = np.broadcast_arrays(
        finite_numbers("score", score), np.sqrt(finite_numbers("variance", variance, lowest=0))
    )
    below, above = _tails(picked, ranked, level)
    return Interval(centre + special.ndtri(below) * spread, centre - special.ndtri(above) * spread)


def picked_shares(
    satisfied: npt.ArrayLike,
    n: npt.ArrayLike,
    *,
    picked: npt.ArrayLike,
    ranked: npt.ArrayLike,
    level: float,
    sampling_fraction: npt.ArrayLike = 0.0,
    nonresponse_spread: npt.ArrayLike = 0.0,
    design_effect: npt.ArrayLike = 1.0,
) -> Interval:
    """Return intervals of the true shares of those that were picked for the highest shares of satisfied answers.

    Parameters
    ----------
    satisfied, n : array_like
        Satisfied among `n` ≥ 1 valid answers of the picked ones.
    picked, ranked, level
        As in `picked_scores`.
    sampling_fraction : array_like
        f in [0, 1]: responding households ÷ households; 0 if households can answer more than once.
    nonresponse_spread : array_like
        ω ≥ 0: standard deviation of the difference between respondents and non-respondents.
    design_effect : array_like
        D ≥ 1 of several answers of one household.

    Returns
    -------
    Interval
        Within the possible range [pf, 1 − (1 − p)f], around the share p.

    Raises
    ------
    ValueError
        If a value is missing or out of range, or satisfied > n.

    Notes
    -----
    The tails of `picked_scores`, αR/2N below and α/2 above, since a normal limit so far out misses too often for shares
    near 1. Limits l, u of the answers are Clopper and Pearson's for n* = n/(D(1 − f)) answers with pn* satisfied,
    quantiles of the beta distribution; those that did not answer are added to them by the squares (MOVER; Zou and
    Donner 2008): p − √((p − l)² + (zω(1 − f))²), and likewise above. If everybody answered the interval is p.

    References
    ----------
    Zou GY, Donner A (2008), Construction of confidence limits about effect measures, Stat. Med. 27, 1693–1702.

    Examples
    --------
    >>> limits = picked_shares([96], [100], picked=5, ranked=100, level=0.95)
    >>> limits.lower.round(3), limits.upper.round(3)
    (array([0.862]), array([0.989]))
    """
    positive, answers, fraction, omega, effect = np.broadcast_arrays(
        finite_numbers("satisfied", satisfied, lowest=0),
        whole_numbers("n", n, lowest=1),
        finite_numbers("sampling_fraction", sampling_fraction, lowest=0, highest=1),
        finite_numbers("nonresponse_spread", nonresponse_spread, lowest=0),
        finite_numbers("design_effect", design_effect, lowest=1),
    )
    refuse(positive > answers, "satisfied exceeds n", satisfied=positive, n=answers)
    below, above = _tails(picked, ranked, level)
    share, missing = positive / answers, 1 - fraction
    worth = answers / (effect * np.where(missing > 0, missing, 1))
    reached, failed = share * worth, (1 - share) * worth
    lower = np.where(reached > 0, special.betaincinv(np.where(reached > 0, reached, 1), failed + 1, below), 0.0)
    upper = np.where(failed > 0, special.betainccinv(reached + 1, np.where(failed > 0, failed, 1), above), 1.0)
    down, up = (
        np.where(missing > 0, np.hypot(apart, special.ndtri(tail) * omega * missing), 0.0)
        for apart, tail in ((share - lower, below), (upper - share, above))
    )
    return Interval(np.maximum(share - down, share * fraction), np.minimum(share + up, 1 - (1 - share) * fraction))


def _tails(picked: npt.ArrayLike, ranked: npt.ArrayLike, level: float) -> tuple[FloatArray, float]:
    """Return how often a limit below and above may miss."""
    chosen, number = np.broadcast_arrays(
        whole_numbers("picked", picked, lowest=1), whole_numbers("ranked", ranked, lowest=1)
    )
    refuse(chosen > number, "more were picked than ranked", picked=chosen, ranked=number)
    tail = tail_probability(level)
    return np.asarray(tail * chosen / number), tail
