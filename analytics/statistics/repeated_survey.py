"""Simulation of the same survey taken once more: who would be listed, and how many of those listed now."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import special

from analytics.rules import Ties
from analytics.statistics.empirical_bayes import Shrinkage
from analytics.statistics.nonparametric_prior import GridPosterior
from analytics.statistics.validation import BooleanArray, FloatArray, IntegerArray, row_codes, whole_numbers

MOST_DRAWS: Final = 2_000
LEAST_DRAWS: Final = 200
_SEED: Final = 20_211_231
# Scores that are drawn for a region in all, and at once.
_DRAWN_SCORES: Final = 4_000_000
_AT_ONCE: Final = 1_000_000


@dataclass(frozen=True)
class RepeatedSurvey:
    """Lists that repeated surveys would have.

    Attributes
    ----------
    chance : ndarray of float
        Share of the drawn surveys, in [0, 1], in which each community is listed.
    relisted : dict
        By group, an ndarray of int with an element for each drawn survey: how many of those listed now it lists again.
    """

    chance: FloatArray
    relisted: dict[Any, IntegerArray]


def repeat_survey(
    posteriors: Shrinkage,
    *,
    listed: npt.ArrayLike,
    region: npt.ArrayLike,
    size: npt.ArrayLike,
    ties: Ties,
    answers: npt.ArrayLike | None = None,
    group: npt.ArrayLike | None = None,
) -> RepeatedSurvey:
    """Simulate that the same survey is taken again, with as many answers, and listed by the same rule.

    Parameters
    ----------
    posteriors : Shrinkage
        Of the true score of those who answer: *without* the nonresponse term, because who does not answer once would
        not answer again.
    listed : array_like of bool
        Communities that are listed now.
    region : array_like
        Label of each community's region.
    size : array_like
        k, the places of the region: one number, or one per community, equal within a region.
    ties : {"include", "exclude"}
        Whether communities tied across the k-th position are all listed, or none of them.
    answers : array_like of float, optional
        For rates: independent answers that are as informative as those of each community, n/(D(1 - f)), infinite where
        all households answered. Without it the drawn scores are normal with the sampling variances of the posteriors.
    group : array_like, optional
        Label of the group by which relisted communities are counted, within one region each; by default the region.

    Returns
    -------
    RepeatedSurvey
        Empty for empty columns. Where k = 0 nobody is listed.

    Raises
    ------
    ValueError
        If k is fractional or negative, or a column has another length.

    Notes
    -----
    A true score is drawn from each posterior, then a score given it: a rate as a binomial number of `answers`, so that
    repeated scores tie as often as observed ones do. Each drawn survey is ranked and cut off by the rule. There are
    2,000 surveys, fewer in regions of more than 2,000 communities, but at least 200; the standard error of a chance is
    at most .011 with 2,000. The seed is fixed and each region has its own stream: the result depends neither on other
    regions nor on chance, only on the order of the rows.

    Examples
    --------
    >>> from analytics.statistics.empirical_bayes import shrink_rates
    >>> satisfied, n = np.array([195, 190, 188, *[160] * 17]), 200
    >>> posteriors = shrink_rates(satisfied, [n] * 20, region=[1] * 20, prior="normal")
    >>> listed = np.arange(20) < 2
    >>> again = repeat_survey(posteriors, listed=listed, region=[1] * 20, size=2, ties="include", answers=[n] * 20)
    >>> again.chance[:4].round(1).tolist(), float(again.relisted[1].mean().round(1))
    ([0.9, 0.7, 0.5, 0.0], 1.6)
    """
    count = posteriors.mean.size
    member = np.asarray(listed, dtype=bool)
    codes = row_codes("region", region, rows=count)[1]
    groups = row_codes("group", region if group is None else group, rows=count)
    places = np.broadcast_to(whole_numbers("size", size), (count,)).astype(np.int64)
    informative = None if answers is None else np.asarray(answers, dtype=np.float64)
    if member.shape != (count,) or (informative is not None and informative.shape != (count,)):
        raise ValueError(f"listed and answers must be columns of {count} rows")
    chance = np.zeros(count)
    relisted: dict[Any, IntegerArray] = {}
    grids = {int(row): (grid, place) for grid in posteriors.grids for place, row in enumerate(grid.rows)}
    for rows in np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1]) if count else []:
        drawn = _Region(posteriors, rows, int(places[rows[0]]), ties, informative, grids)
        chance[rows], numbers = drawn.draw(member[rows], groups[1][rows])
        relisted |= {groups[0][code].item(): of_group for code, of_group in numbers.items()}
    return RepeatedSurvey(chance, relisted)


@dataclass(frozen=True)
class _Region:
    """Communities that are ranked together: their posteriors, and `answers` for rates."""

    posteriors: Shrinkage
    rows: IntegerArray
    places: int
    ties: Ties
    answers: FloatArray | None
    grids: dict[int, tuple[GridPosterior, int]]

    def draw(self, member: BooleanArray, group: IntegerArray) -> tuple[FloatArray, dict[int, IntegerArray]]:
        """Return the chance of each community, and how many members of each group each survey lists again."""
        members = {code: member & (group == code) for code in np.unique(group).tolist()}
        if self.places == 0:
            return np.zeros(self.rows.size), {code: np.zeros(MOST_DRAWS, dtype=np.int64) for code in members}
        draws = int(np.clip(_DRAWN_SCORES // self.rows.size, LEAST_DRAWS, MOST_DRAWS))
        random = np.random.Generator(np.random.PCG64(_SEED))
        listings, relisted = np.zeros(self.rows.size), {code: np.empty(draws, dtype=np.int64) for code in members}
        at_once = max(1, _AT_ONCE // self.rows.size)
        for start in range(0, draws, at_once):
            part = slice(start, min(draws, start + at_once))
            lists = _listed(self._scores(part.stop - start, random), self.places, self.ties)
            listings += lists.sum(axis=1)
            for code, numbers in relisted.items():
                numbers[part] = lists[members[code]].sum(axis=0)
        return listings / draws, relisted

    def _scores(self, draws: int, random: np.random.Generator) -> FloatArray:
        """Draw scores, shape (communities, draws)."""
        rows = self.rows
        normal = special.ndtri(random.random((rows.size, draws)))
        truth = self.posteriors.mean[rows, None] + np.sqrt(self.posteriors.variance[rows, None]) * normal
        for place, row in enumerate(rows.tolist()):
            if row in self.grids:
                grid, line = self.grids[row]
                truth[place] = np.interp(special.ndtr(normal[place]), grid.cumulative[line], grid.edges)
        if self.answers is None:
            noise = special.ndtri(random.random(truth.shape))
            return truth + np.sqrt(self.posteriors.sampling_variance[rows, None]) * noise
        answers = self.answers[rows, None]
        given = np.isfinite(answers)
        number = np.maximum(1, np.rint(np.where(given, answers, 1))).astype(np.int64)
        truth = np.clip(truth, 0, 1)
        return np.where(given, random.binomial(number, truth) / number, truth)


def _listed(scores: FloatArray, places: int, ties: Ties) -> BooleanArray:
    """Return who is listed in each column of scores."""
    count = len(scores)
    if places >= count:
        return np.ones(scores.shape, dtype=bool)
    if ties == "include":
        return np.asarray(scores >= -np.partition(-scores, places - 1, axis=0)[places - 1])
    return np.asarray(scores > -np.partition(-scores, places, axis=0)[places])
