"""Clerk effects: whether the answers that different people typed in differ by more than chance."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from analytics.statistics.validation import FloatArray, IntegerArray, refuse, row_codes, whole_numbers

LEAST_CLERKS: Final = 2
LEAST_ANSWERS: Final = 20
"""Fewest answers of a clerk whose answers are compared."""


_ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class ClerkComparison:
    """Comparison of the answers that clerks typed in, within communities.

    Attributes
    ----------
    clerks, communities, answers : int
        Those that are compared: each of the communities has answers of at least two of the clerks.
    p_value : float
        Of the test that who typed answers in has nothing to do with what they say, in [0, 1].
    deviation : float
        Standard deviation over clerks of the true share of satisfied answers in one community, in [0, 1].
    """

    clerks: int
    communities: int
    answers: int
    p_value: float
    deviation: float


def compare_clerks(
    satisfied: npt.ArrayLike, n: npt.ArrayLike, *, community: npt.ArrayLike, clerk: npt.ArrayLike
) -> ClerkComparison | None:
    """Compare the answers that clerks typed in with those that others typed in for the same communities.

    Parameters
    ----------
    satisfied, n : array_like
        Satisfied among `n` answers of each pair of a community and a clerk, each pair once.
    community, clerk : array_like
        Labels of the pairs.

    Returns
    -------
    ClerkComparison or None
        None unless at least two clerks with `LEAST_ANSWERS` answers each can be compared.

    Raises
    ------
    ValueError
        If a value is missing, negative or fractional, satisfied > n, or columns have different lengths.

    Notes
    -----
    A clerk with fewer answers takes no part, nor does a community with answers of one clerk; both are left out in turn
    until nothing changes, since what is left out makes others too few.

    Given how many of a community's N answers are satisfied (T), chance deals them out among its clerks: clerk k with
    n_k of them has E = n_kT/N on average and the covariances T(N − T)n_k(δ_klN − n_l)/(N²(N − 1)). Sums d of observed
    minus expected over communities and their covariance V give d′V⁺d, the generalised statistic of Cochran, Mantel and
    Haenszel, against χ² with rank(V) degrees of freedom (Landis, Heyman and Koch 1978). By moments τ² =
    (Σn_k(p_k − p)² − Σ(K − 1)p(1 − p)N/(N − 1)) ÷ Σ(N − Σn_k²/N), at least 0, K the clerks of a community. Where all
    answers are alike p = 1 and τ = 0.

    A difference proves no fault: clerks meet other residents, at other hours.

    References
    ----------
    Landis JR, Heyman ER, Koch GG (1978), Average partial association in three-way contingency tables, Int. Stat. Rev.
    46, 237–254.

    Examples
    --------
    Two clerks typed in answers of one community, 38 of 40 and 26 of 40 satisfied:

    >>> found = compare_clerks([38, 26], [40, 40], community=["a", "a"], clerk=["Li", "Wu"])
    >>> found.clerks, round(found.p_value, 4), round(found.deviation, 2)
    (2, 0.0009, 0.2)
    """
    positive, answers = whole_numbers("satisfied", satisfied), whole_numbers("n", n)
    if positive.shape != answers.shape or positive.ndim != 1:
        raise ValueError(f"satisfied and n must be columns of one length, got {positive.shape}, {answers.shape}")
    refuse(positive > answers, "satisfied exceeds n", satisfied=positive, n=answers)
    places, people = (
        row_codes(name, labels, rows=answers.size)[1] for name, labels in (("community", community), ("clerk", clerk))
    )
    kept = _comparable(answers, places, people)
    if not kept.any():
        return None
    positive, answers = positive[kept], answers[kept]
    place, person = (np.unique(codes[kept], return_inverse=True)[1] for codes in (places, people))
    total, reached, sharing = (np.bincount(place, column) for column in (answers, positive, np.ones(place.size)))
    share = reached / total
    single = share * (1 - share) * total / np.maximum(total - 1, 1)
    residual = positive - answers * share[place]
    apart = np.bincount(person, residual)
    covariance = np.zeros((apart.size, apart.size))
    np.add.at(covariance, (person, person), single[place] * answers)
    for own in np.split(np.argsort(place, kind="stable"), np.cumsum(sharing.astype(int))[:-1]):
        covariance[np.ix_(person[own], person[own])] -= (
            single[place[own[0]]] * np.outer(answers[own], answers[own]) / total[place[own[0]]]
        )
    # Sums over clerks who share communities are 0, so that some eigenvalues are nothing but rounding.
    values, vectors = np.linalg.eigh(covariance)
    counts = values > _ROUNDING * max(values.max(), 1)
    rank = int(counts.sum())
    statistic = float(((apart @ vectors)[counts] ** 2 / values[counts]).sum())
    excess = float((residual**2 / answers).sum() - ((sharing - 1) * single).sum())
    lever = float((total - np.bincount(place, answers**2) / total).sum())
    return ClerkComparison(
        clerks=apart.size,
        communities=total.size,
        answers=int(answers.sum()),
        p_value=float(special.chdtrc(rank, statistic)) if rank else 1.0,
        deviation=float(np.sqrt(max(0.0, excess / lever))),
    )


def _comparable(answers: FloatArray, place: IntegerArray, person: IntegerArray) -> npt.NDArray[np.bool_]:
    """Return which pairs take part: of clerks with enough answers, in communities with two of them."""
    kept = answers > 0
    while True:
        enough = np.bincount(person, np.where(kept, answers, 0))[person] >= LEAST_ANSWERS
        shared = np.bincount(place, kept & enough)[place] >= LEAST_CLERKS
        fewer = kept & enough & shared
        if np.array_equal(fewer, kept):
            return kept
        kept = fewer
