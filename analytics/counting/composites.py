"""Composite scores: exact sums of residents' weighted mean scores per community, in one pass.

All sums are whole numbers until they are read: the order of responses and the split into batches change nothing, and
sums from different places can be added.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final, Self

import numpy as np
import pandas as pd
import pyarrow as pa

from analytics.counting.response_batches import CommunityIndex, Labels, code_lookup_table, named, read_answers
from analytics.statistics.validation import IntegerArray

_COMPOSITE_DECIMALS: Final = 6
_UNKNOWN: Final = -(2**62)  # far beyond any weight and any sum of products


@dataclass(frozen=True, eq=False)
class CompositeSums:
    """Sums of composite scores per community, separately for each total weight of a resident's answered questions.

    A composite is a ÷ (g · parts): a whole number a of weighted points over the total weight g of the answered
    questions. Composites with equal g have whole sums, and only those are added; row i holds community `rows[i]` and
    weight `weights[i]`, in ascending order, without repeats.

    Attributes
    ----------
    communities : tuple of int or str
        In the requested order.
    scheme : tuple
        Weights, points and missing codes: only sums of the same scheme can be added.
    parts : int
        Points are whole multiples of 1 ÷ parts.
    rows, weights : ndarray of int64
        Position of the community, and g.
    responses, totals, squares : ndarray of int64
        n, Σa and Σa² of these responses.
    """

    communities: tuple[int | str, ...]
    scheme: tuple[object, ...]
    parts: int
    rows: IntegerArray
    weights: IntegerArray
    responses: IntegerArray
    totals: IntegerArray
    squares: IntegerArray

    def __add__(self, other: Self) -> "CompositeSums":
        """Add two sums of the same communities, weights and points."""
        if self.communities != other.communities or self.scheme != other.scheme:
            raise ValueError("parts add up only if they have the same communities, weights, points and missing codes")
        joined = (np.concatenate([getattr(self, name), getattr(other, name)]) for name in _SUMMED)
        return CompositeSums(self.communities, self.scheme, self.parts, *_add_up(*joined))

    def exact(self) -> list[tuple[int, Fraction, Fraction]]:
        """Return n, Σs and Σs² of each community as exact fractions, in points."""
        ends = np.searchsorted(self.rows, np.arange(len(self.communities) + 1))
        return [self._exact(slice(first, last)) for first, last in pairwise(ends)]

    def _exact(self, own: slice) -> tuple[int, Fraction, Fraction]:
        weights = self.weights[own].tolist()
        common = math.lcm(*weights)
        shares = [common // weight for weight in weights]
        total = sum(share * a for share, a in zip(shares, self.totals[own].tolist(), strict=True))
        square = sum(share**2 * a for share, a in zip(shares, self.squares[own].tolist(), strict=True))
        scale = common * self.parts
        return int(self.responses[own].sum()), Fraction(total, scale), Fraction(square, scale**2)

    def table(self) -> pd.DataFrame:
        """Return a frame with one row per community: `responses`, `mean_composite` and `sd_composite`, in points.

        The mean is rounded half to even at six decimals from its exact value: equal means are equal floats. It is NaN
        without a response, and the standard deviation (n − 1 in the denominator) without two.
        """
        exact = self.exact()
        return pd.DataFrame(
            {
                "responses": np.array([n for n, _, _ in exact], dtype=np.int64),
                "mean_composite": [
                    float(round(total / n, _COMPOSITE_DECIMALS)) if n else math.nan for n, total, _ in exact
                ],
                "sd_composite": [
                    math.sqrt((n * square - total**2) / (n * (n - 1))) if n > 1 else math.nan
                    for n, total, square in exact
                ],
            },
            index=pd.Index(list(self.communities), name="community_id"),
        )


def composite_sums(
    batches: Iterable[pa.RecordBatch],
    *,
    communities: Labels,
    weights: Mapping[str, Fraction],
    points: Mapping[int, Fraction],
    missing_codes: Collection[int],
    community_column: str = "community",
) -> CompositeSums:
    """Add up the composite scores of the residents of each community, in one pass.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        As in `count_answers`.
    communities : sequence of int or of str
        All communities, each once.
    weights : mapping of str to Fraction
        The weight of each question, above 0, in any unit.
    points : mapping of int to Fraction
        The points of each valid code, at least 0.
    missing_codes : collection of int
        Codes that are no valid answer, such as “don't know”: treated as if the question had been skipped.
    community_column : str
        The column with the community of each response.

    Returns
    -------
    CompositeSums

    Raises
    ------
    ValueError
        If a column is missing, a community or a code is not listed, or a weight or points are out of their range.
    OverflowError
        If the denominators of weights and points are so large that the sums do not fit into 64 bits.

    Notes
    -----
    A resident who answered the questions A has the composite Σ_A w·p ÷ Σ_A w if Σ_A w is at least half of all weights,
    and no composite otherwise. Nothing is rounded before `CompositeSums.table`.

    Examples
    --------
    The second resident skipped a quarter of the weight, the third more than half: 75, 100 and no composite.

    >>> batch = pa.RecordBatch.from_pydict({"community": [7, 7, 7], "q02": [4, 5, 9], "q03": [4, None, 3]})
    >>> sums = composite_sums(
    ...     [batch],
    ...     communities=[7, 8],
    ...     weights={"q02": Fraction(3, 4), "q03": Fraction(1, 4)},
    ...     points={5: Fraction(100), 4: Fraction(75), 3: Fraction(50)},
    ...     missing_codes=[9],
    ... )
    >>> sums.exact()[0]
    (2, Fraction(175, 1), Fraction(15625, 1))
    >>> sums.table().round(4).to_dict("index")[7]
    {'responses': 2, 'mean_composite': 87.5, 'sd_composite': 17.6777}
    """
    adder = CompositeAdder(
        communities=communities,
        weights=weights,
        points=points,
        missing_codes=missing_codes,
        community_column=community_column,
    )
    for batch in batches:
        adder.add(batch)
    return adder.sums


class CompositeAdder:
    """Adds up composites batch by batch, where one pass over responses feeds several counts.

    Parameters and errors are those of `composite_sums`; `sums` are those of all batches so far.

    Examples
    --------
    >>> weights, points = {"q02": Fraction(1)}, {5: Fraction(100), 4: Fraction(75)}
    >>> adder = CompositeAdder(communities=[7], weights=weights, points=points, missing_codes=[])
    >>> for answer in (5, 4):
    ...     adder.add(pa.RecordBatch.from_pydict({"community": [7], "q02": [answer]}))
    >>> adder.sums.exact()
    [(2, Fraction(175, 1), Fraction(15625, 1))]
    """

    def __init__(
        self,
        *,
        communities: Labels,
        weights: Mapping[str, Fraction],
        points: Mapping[int, Fraction],
        missing_codes: Collection[int],
        community_column: str = "community",
    ) -> None:
        self._index = CommunityIndex(communities, community_column)
        self._scale = _Scale(weights, points, missing_codes)
        self._scheme = (dict(weights), dict(points), frozenset(missing_codes))
        nothing = np.empty(0, dtype=np.int64)
        self.sums = self._sums_of([nothing] * len(_SUMMED))

    def add(self, batch: pa.RecordBatch) -> None:
        """Add the composites of the responses of a batch, too."""
        rows = self._index.rows(batch).astype(np.int64)
        totals, answered = self._scale.weigh(batch)
        counts = 2 * answered >= self._scale.all_weights
        rows, totals, answered = rows[counts], totals[counts], answered[counts]
        self.sums += self._sums_of(_add_up(rows, answered, np.ones_like(rows), totals, totals**2))
        self._scale.check_sums(self.sums.responses)

    def _sums_of(self, columns: Sequence[IntegerArray]) -> CompositeSums:
        return CompositeSums(self._index.labels, self._scheme, self._scale.parts, *columns)


_SUMMED = ("rows", "weights", "responses", "totals", "squares")


def common_unit(points: Iterable[Fraction]) -> Fraction:
    """Return the largest number that all points are whole multiples of.

    Examples
    --------
    >>> common_unit([Fraction(100), Fraction(200, 3), Fraction(0)])
    Fraction(100, 3)
    """
    points = tuple(points)
    bottom = math.lcm(*(point.denominator for point in points))
    return Fraction(math.gcd(*(int(point * bottom) for point in points)), bottom)


def _add_up(rows: IntegerArray, weights: IntegerArray, *values: IntegerArray) -> tuple[IntegerArray, ...]:
    """Add the values of equal pairs of row and weight; the pairs are returned in ascending order."""
    if not rows.size:
        return (rows, weights, *values)
    order = np.lexsort((weights, rows))
    rows, weights = rows[order], weights[order]
    starts = np.flatnonzero(np.concatenate([[True], (np.diff(rows) != 0) | (np.diff(weights) != 0)]))
    return (rows[starts], weights[starts], *(np.add.reduceat(value[order], starts) for value in values))


class _Scale:
    """Weights and points as whole numbers."""

    def __init__(
        self, weights: Mapping[str, Fraction], points: Mapping[int, Fraction], missing_codes: Collection[int]
    ) -> None:
        if not weights or min(weights.values()) <= 0:
            raise ValueError("there must be weights, all above 0")
        if not points or min(points.values()) < 0:
            raise ValueError("there must be points, none below 0")
        if set(points) & set(missing_codes):
            raise ValueError(f"code {named(sorted(set(points) & set(missing_codes)))} is missing and has points")
        unit = common_unit(weights.values())
        self._weights = {question: int(weight / unit) for question, weight in weights.items()}
        self.all_weights = sum(self._weights.values())
        self.parts = math.lcm(*(value.denominator for value in points.values()))
        self._points = {code: int(value * self.parts) for code, value in points.items()}
        self._missing = tuple(missing_codes)
        self._largest = self.all_weights * max(self._points.values())
        if max(self.all_weights, self._largest**2) >= -_UNKNOWN:
            raise OverflowError("the weights and points have too large denominators")

    def weigh(self, batch: pa.RecordBatch) -> tuple[IntegerArray, IntegerArray]:
        """Return weighted points a and total weight g of each response."""
        totals, answered = np.zeros(batch.num_rows, dtype=np.int64), np.zeros(batch.num_rows, dtype=np.int64)
        for question, weight in self._weights.items():
            answers = read_answers(batch, question)
            width, given = answers.codes.itemsize, answers.given()
            counts = dict.fromkeys(self._points, 1) | dict.fromkeys(self._missing, 0)
            own = np.where(given, code_lookup_table(width, counts, _UNKNOWN)[answers.codes], 0)
            if (own == _UNKNOWN).any():
                raise answers.unknown(own == _UNKNOWN)
            totals += weight * np.where(given, code_lookup_table(width, self._points, 0)[answers.codes], 0)
            answered += weight * own
        return totals, answered

    def check_sums(self, responses: IntegerArray) -> None:
        """Raise OverflowError if sums may exceed 64 bits."""
        if self._largest**2 * int(responses.max(initial=0)) >= 2**63:
            raise OverflowError("the weights and points have too large denominators for so many responses")
