"""Mode adjustment: scores shrunk towards a regression on the mix of survey modes instead of the region's mean."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.decision.survey_modes import MODES
from analytics.statistics.empirical_bayes import reliability
from analytics.statistics.validation import BooleanArray, FloatArray, finite_numbers, row_codes

LEAST_COMMUNITIES: Final = 10
"""Least number of communities of a region in which a mode must occur for its effect to be estimated."""

_NORMAL_95: Final = 1.959963984540054
_NEWTON_STEPS: Final = 200
_LEAST_VARIANCE: Final = 1e-24


@dataclass(frozen=True)
class ModeAdjustment:
    """Mode effects, and scores shrunk towards the regression on the mix of modes.

    Attributes
    ----------
    mean, variance : ndarray of float
        Posterior of each community's true score; NaN in regions without a regression.
    effects : DataFrame
        One row per region and compared mode, with columns `region`, `mode`, `baseline` (the mode of most answers),
        `difference` (of the score, if all answers were in this mode instead of the baseline), its 95 % limits `lower`
        and `upper`, and τ², the residual `between_variance` of true scores.
    """

    mean: FloatArray
    variance: FloatArray
    effects: pd.DataFrame


def shrink_to_mode_regression(
    estimates: npt.ArrayLike, variances: npt.ArrayLike, answers: pd.DataFrame, *, region: npt.ArrayLike
) -> ModeAdjustment:
    """Shrink scores towards a regression on the mix of modes, in each region where two modes are common.

    Parameters
    ----------
    estimates : array_like
        Scores x, one for each community.
    variances : array_like
        Sampling variances v ≥ 0, pooled within the region.
    answers : DataFrame
        From `analytics.decision.survey_modes.answers_by_mode`, at least one answer per community, none missing.
    region : array_like
        Label of each community's region.

    Returns
    -------
    ModeAdjustment
        Empty for empty columns. Without effects if no region has two modes that each occur in `LEAST_COMMUNITIES`
        communities, or if all communities of a region have the same mix.

    Raises
    ------
    ValueError
        If a value is missing, a variance negative, or a column has another length.

    Notes
    -----
    x_i ~ N(m_i, v_i) and m_i ~ N(β₀ + Σ β_k p_ik, τ²), p_ik the share of answers by mode k. Modes that are too rare and
    the most common one have no β of their own. τ² solves Σ(x_i − ẑ_i)²/(v_i + τ²) = N − number of β, like Paule and
    Mandel without regression, ẑ the weighted least squares fit; it is 0 if there is no positive solution. With
    B = τ²/(τ² + v) the mean is Bx + (1 − B)ẑ and the variance Bv + (1 − B)² var(ẑ); τ² is treated as known.

    An effect is an association: old people answer on paper more often, and differ from the young in what satisfies
    them.

    References
    ----------
    Paule RC, Mandel J (1982), Consensus values and weighting factors, J. Res. Natl. Bur. Stand. 87, 377–385.
    Berkey CS, Hoaglin DC, Mosteller F, Colditz GA (1995), A random-effects regression model for meta-analysis,
    Stat. Med. 14, 395–411.

    Examples
    --------
    Ten communities answered on the web and ten on paper, where scores are ten points higher:

    >>> answers = pd.DataFrame({"web": [50] * 10 + [10] * 10, "paper": [10] * 10 + [50] * 10, "telephone": 0})
    >>> scores = [0.7, 0.8] * 5 + [0.8, 0.9] * 5
    >>> found = shrink_to_mode_regression(scores, [0.002] * 20, answers, region=["wuda"] * 20)
    >>> found.effects[["mode", "baseline", "difference"]].round(3).to_dict("records")
    [{'mode': 'paper', 'baseline': 'web', 'difference': 0.15}]
    >>> found.mean[[0, 10]].round(3).tolist()
    [0.736, 0.836]
    """
    scores = finite_numbers("estimates", estimates)
    sampling = finite_numbers("variances", variances, lowest=0)
    counts = finite_numbers("answers", answers[list(MODES)].to_numpy(dtype=np.float64), lowest=0)
    if not scores.shape == sampling.shape == (len(counts),):
        raise ValueError(f"columns must have one length, got {scores.shape}, {sampling.shape}, {len(counts)}")
    labels, codes = row_codes("region", region, rows=scores.size)
    order = np.argsort(codes, kind="stable")
    mean, variance = np.full((2, scores.size), np.nan)
    effects = []
    # Splitting nothing would give one region without a label.
    members = np.split(order, np.cumsum(np.bincount(codes))[:-1]) if order.size else []
    for label, rows in zip(labels, members, strict=True):
        baseline, compared = _choose_modes(counts[rows])
        shares = counts[rows][:, compared] / counts[rows].sum(axis=1, keepdims=True)
        design = np.column_stack([np.ones(rows.size), shares])
        if not compared or np.linalg.matrix_rank(design) < design.shape[1]:
            continue
        fit = _fit(scores[rows], sampling[rows], design)
        mean[rows], variance[rows] = fit.mean, fit.variance
        effects += [
            {
                "region": str(label),
                "mode": MODES[mode],
                "baseline": MODES[baseline],
                "difference": fit.coefficients[place],
                "lower": fit.coefficients[place] - _NORMAL_95 * np.sqrt(fit.covariance[place, place]),
                "upper": fit.coefficients[place] + _NORMAL_95 * np.sqrt(fit.covariance[place, place]),
                "between_variance": fit.between,
            }
            for place, mode in enumerate(compared, start=1)
        ]
    names = ["region", "mode", "baseline", "difference", "lower", "upper", "between_variance"]
    return ModeAdjustment(mean, variance, pd.DataFrame(effects, columns=names))


@dataclass(frozen=True)
class _Fit:
    mean: FloatArray
    variance: FloatArray
    coefficients: FloatArray
    covariance: FloatArray
    between: float


def _choose_modes(counts: FloatArray) -> tuple[int, list[int]]:
    """Return the position of the baseline mode, and those of the modes common enough to be compared with it."""
    common: BooleanArray = (counts > 0).sum(axis=0) >= LEAST_COMMUNITIES
    baseline = int(counts.sum(axis=0).argmax())
    compared = [mode for mode in range(len(MODES)) if common[mode] and mode != baseline]
    return baseline, compared if common[baseline] else []


def _fit(scores: FloatArray, sampling: FloatArray, design: FloatArray) -> _Fit:
    freedom = scores.size - design.shape[1]
    # Above 0, so that scores without sampling variance have a finite weight; far below the variance of scores.
    least = max(1e-12 * float(np.var(scores)), _LEAST_VARIANCE)
    between = least
    for _ in range(_NEWTON_STEPS):
        coefficients, _covariance = _weighted_fit(scores, sampling + between, design)
        squares = (scores - design @ coefficients) ** 2 / (sampling + between)
        excess = float(squares.sum()) - freedom
        if excess <= 0:
            break
        step = excess / float((squares / (sampling + between)).sum())
        between += step
        if step <= 1e-14 * between:
            break
    coefficients, covariance = _weighted_fit(scores, sampling + between, design)
    between = between if between > least else 0.0
    own = reliability(sampling, prior_variance=between)
    fitted = design @ coefficients
    uncertain = np.einsum("ij,jk,ik->i", design, covariance, design)
    return _Fit(
        own * scores + (1 - own) * fitted,
        own * sampling + (1 - own) ** 2 * uncertain,
        coefficients,
        covariance,
        between,
    )


def _weighted_fit(scores: FloatArray, variance: FloatArray, design: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Fit weighted least squares: return the coefficients and their covariance."""
    weighted = design / variance[:, np.newaxis]
    covariance = np.asarray(np.linalg.inv(design.T @ weighted), dtype=np.float64)
    return covariance @ (weighted.T @ scores), covariance
