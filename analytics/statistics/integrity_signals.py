"""Integrity signals: signs of stuffed or duplicated responses, and which responses are held for review.

Eleven families of signals examine the responses that residents entered themselves. Each family gives one p value per
community, and the Benjamini–Hochberg procedure selects the communities that it flags. A flagged family points at some
of the community's responses. A response is **held for review**

* if families of two kinds point at it, where `duplicate`, `address`, `volume` and `poster` are one kind, many from one
  place, and every other family is one of its own,
* or if one sign of overwhelming weight does: if `opened_together` or `pace` flags the community, the response bears
  its trace in a window whose p, times the windows and tests of the community and times the number of communities, is
  at most 10⁻⁶, and so do at least 10 responses of the community. These two bound the chance among honest people; the
  others compare, and a community that differs from the others, such as one behind one address of its carrier, is none
  that was stuffed.

Nothing is deleted, and standings are computed with and without. In communities flagged by a burst, identical, variance,
haste and address are tested once more, by the procedure among these communities alone: two families must point at the
same responses, and the burst was found independently, from times that the others do not use.

No family uses what a sender is free to choose, such as the name of the browser. Responses that staff typed in are
exempt, but for one test: nobody types faster than people send (`sending_times.sent_together`). Responses with help that
was declared in advance (`helped`) are exempt from address, opened_together, pace, volume, poster and night.

=============== ================================================================= =============================
family          statistic of a community                                          p
=============== ================================================================= =============================
duplicate       responses that share a device or a household                      0 if any exist: it is a fact
burst           satisfied (or all-highest, or dissatisfied) in dense windows of   exact: scores permuted against
                10 or 60 minutes                                                  times
identical       most responses of one vector, or of one answer to everything      against the other communities
variance        variance between persons, when too low                            against the other communities
haste           responses given in a third of the city's usual time a question    against the other communities
address         responses that share a network address, or its prefix, beyond     against the other communities
                what the other communities' use of it lets expect
opened_together forms sent together, opened at once, or kept open                 bound: `sending_times`
pace            forms that took equally long, or were sent or opened at even      bound: `sending_times`
                intervals
volume          responses, by the households and the other communities' rates     rates differ as exponential variables
poster          responses at one poster on one day, beyond what it brings on      against the other communities
                other days, and other posters on that day
night           responses sent between midnight and five, by the other            rates differ as exponential variables
                communities' share
=============== ================================================================= =============================

Why “against the other communities”: the answers of one honest person are correlated. In the simulated honest cities
below, 149 of 150 communities have more answers of one code throughout than each of 99 permutations of their columns.
The count expected from the margins is therefore scaled to the city, and each community is compared with the excess of
the others. The comparison loses power if more than 5 % of the communities are stuffed.

Honest bursts and honest fives are common. Neither a message to the owners' group, which brings many answers at once,
nor a community satisfied with everything is a signal by itself: the first changes times, not scores, the second
changes scores, not times.

Calibration
-----------
In simulated honest cities of 500 communities with 30 to 250 answers each, the answers of a resident are correlated, one
in six gives one answer to everything, couples share telephones, lines and opinions, messages bring many answers at
once, and some communities answer on one tablet (`analytics.calibration.simulated_city`).

* Honest communities of which any response was held, as measured: 25 in 40,000 or 1 in 1,600, and 13 in 34,000 or 1 in
  2,620 but for the cities that are content with everything, where a fifth of all responses are fives throughout.
  Examined every night of a round, mostly the same responses, these shares add up over the nights at most.

  ============================================================================ =========== ====
  honest city                                                                  communities held
  ============================================================================ =========== ====
  ordinary                                                                     6,000       2
  content                                                                      6,000       12
  carrier: all over a carrier's 40 addresses, 1 community in 20 over its own   3,500       1
  helped: an undeclared volunteer's telephone sends up to 40 in 1 in 10        3,500       1
  announced: 1 in 3 answers within minutes of an announcement                  3,500       1
  meeting: in 1 in 10, 40 answer on the wireless of one meeting                3,500       1
  shifts: in 1 in 20 a third answers at night                                  3,500       1
  gate: in 1 in 5 nine in ten pass one poster                                  3,500       1
  building: in 1 in 3 one building answers within minutes of a message         3,500       1
  at_home: in 1 in 20 half of the forms are sent up to three hours later       3,500       4
  ============================================================================ =========== ====

* Stuffed with satisfied answers that differ, in 12 of 500 communities, two cities for each figure:

  ============================================================== ============ ============
  share of the stuffed responses held                            30 stuffed   200 stuffed
  ============================================================== ============ ============
  opened and sent at once over one line, after 150 s (hasty)     1            1
  opened over an hour, sent in an evening, over one line         1            1
  opened over an hour, sent in an evening, each over its line    .99          .98
  one after another over one line, at the pace of a person       .03          .37
  each over its own line, between midnight and five              .00          .84
  each over its own line, when residents answer (patient)        .00          .04
  ============================================================== ============ ============

* Stuffed: fives to everything within ten minutes, in 12 of 500 communities with 30 to 210 honest answers, two cities
  for each figure. Burst flagged all stuffed communities of an ordinary city and 11 or 12 of 12 of a content one. What
  is held depends on the second family:

  ======================================== ============ ============ ============
  share of the stuffed responses held      15 stuffed   25 stuffed   40 stuffed
  ======================================== ============ ============ ============
  ordinary city, 9 to 22 seconds a form    1            1            1
  content city, 9 to 22 seconds a form     1            1            1
  ordinary city, unhurried, one line       1            1            1
  content city, unhurried, one line        .92          1            1
  ordinary city, unhurried, own lines      .67          .96          1
  content city, unhurried, own lines       .58          .92          .92
  ======================================== ============ ============ ============

What cannot be told apart
-------------------------
Forms that are filled in one after another over one line, by day and with pauses, look like the telephone of a volunteer
who was not declared; each over its own line, like residents. They bear one sign or none: their line, or their number. A
few unhurried fives within minutes, each from a new telephone, look like honest residents who answered after a message.
To hold them would be to hold these. What excludes them is not a sign but a slip for each household.
`python -m analytics calibrate` repeats the figures.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from analytics.progress import ProgressCallback, ignore_progress, track_progress
from analytics.statistics.integrity_rows import (
    HIGHEST,
    LARGEST_HOUSEHOLD,
    UNKNOWN,
    AllRows,
    Block,
    Codes,
    canonical_rows,
    groups_of,
)
from analytics.statistics.multiple_testing import adjusted_p_values
from analytics.statistics.sending_times import (
    Habits,
    Sendings,
    Windows,
    alike_durations,
    even_gaps,
    kept_open,
    opened_at_once,
    sent_together,
)
from analytics.statistics.validation import BooleanArray, FloatArray, IntegerArray, refuse, row_codes

FALSE_DISCOVERY_RATE: Final = 0.01
KINDS_TO_HOLD: Final = 2
# From how many people a sign may come by itself: more than this, and this improbable in any community, it suffices.
OVERWHELMING: Final = 1e-6
LEAST_OVERWHELMING: Final = 10

# Smaller communities have too few responses to compare, and fewer communities give no reference distribution.
FEWEST_RESPONSES: Final = 10
FEWEST_COMMUNITIES: Final = 20
FEWEST_RATES: Final = 3
# Number of similar communities that a community is compared with.
NEIGHBOURS: Final = 51
# Quantiles at which the null distribution is fitted to the normal one; beyond them communities may be stuffed.
NULL_QUANTILES: Final = np.array([0.75, 0.90, 0.95])
LEAST_EXPECTED_COUNT: Final = 0.5

SATISFIED: Final = 4
DISSATISFIED: Final = 2
BURST_SECONDS: Final = (600, 3600)
DENSE_WINDOWS: Final = 5
HASTE: Final = 1 / 3
NEARLY_ALL: Final = 0.9
HOUR: Final = 3600
# Residents sleep from midnight to this hour.
DAWN: Final = 5

# As many answers as one number holds beside the number of a response, for millions of them.
QUESTIONS_PACKED: Final = 16


@dataclass(frozen=True)
class Integrity:
    """Results of the integrity signals, per community and family and per response.

    Attributes
    ----------
    families : DataFrame
        One row per community and family, in the order of communities and `FAMILIES`: community_id, family; examined
        (self-entered responses); statistic and what was expected of it; p and adjusted_p, in [0, 1], NaN where the
        family has no test; flagged (bool). Where a burst is flagged, adjusted_p is the smaller of those among all
        communities and among the flagged ones alone.
    responses : DataFrame
        One row per response, in the order and with the index given: response_id; held (bool); families, the names of
        the flagged families that point at it, as text with ", " between them, "" for none.
    """

    families: pd.DataFrame
    responses: pd.DataFrame


def find_signals(
    responses: pd.DataFrame,
    answers: pd.DataFrame,
    *,
    overall: str,
    staff_modes: Collection[str],
    time_zone: str,
    households: Mapping[Any, float] | None = None,
    tell: ProgressCallback = ignore_progress,
) -> Integrity:
    """Return integrity signals for each community, and the responses to hold for review.

    Parameters
    ----------
    responses : DataFrame
        One row per response that counts: response_id (unique), community_id, submitted_at (with time zone), mode
        (text), duration_seconds (≥ 0, may be missing). Optional: device, household, address, prefix, keyed digests that
        may be missing; poster, that of the community through which it came, if any; helped, 1 with help that was
        declared in advance. A household's superseded responses must be left out, otherwise they are duplicates. Rows
        that were coarsened have neither submitted_at nor duration_seconds: of them only duplicate, identical, variance
        and volume are judged.
    answers : DataFrame
        The same rows and index, one column per rated question: codes 1 (worst) to 5, missing where not answered or
        unknown.
    overall : str
        The column of `answers` that is the overall question.
    staff_modes : collection of str
        Modes of responses that staff entered: exempt, but for being sent faster than anybody types.
    time_zone : str
        IANA name of the zone in which residents sleep, such as ``Asia/Shanghai``.
    households : mapping, optional
        Households by community_id, for `volume`; unknown ones may be left out.
    tell : callable
        Called with the share of the families that is done.

    Returns
    -------
    Integrity
        The same whatever the order of rows. Empty for empty frames.

    Raises
    ------
    ValueError
        If a column is missing, a response occurs twice, a value is missing where it may not be, a code is not 1 to 5,
        a duration negative, times have no zone or the frames' indexes differ; the rows are named.

    Notes
    -----
    *duplicate*: sharing a device or household is known, not inferred: p is 0 or 1.

    *burst*: in each community and mode, the window of 10 minutes with the most responses is found from the times alone,
    then that with the most of the rest, up to the fifth, because an honest message may have brought more than the
    stuffing; likewise for 60 minutes. If scores do not depend on times, then of n responses, K of which count, the
    number that count among the window's m is hypergeometric. p = P(X ≥ x), the least of 10 windows × 3 ways to count
    (overall satisfied; everything the highest; overall dissatisfied), times 30, times the community's modes.

    *identical*: the code that most responses give to all questions, at least half of them answered; and the most
    frequent of the other vectors of answers, where unanswered is an answer. π = ∏ over the questions of the share of
    that code among the community's *other* responses is what permuting the columns would give. Since answers are
    correlated, nπ^λ are expected, λ the median of log(share of the vector) ÷ log π over the city. p is twice the
    smaller one.

    *variance*: of the persons' mean answers; expected from the communities with similar mean.

    *haste*: seconds per answered question below a third of the city's median.

    *address*: for each address, and for each prefix, the responses here less those expected if the community used it as
    often as the others do, so that a carrier's address counts only where it is used more than elsewhere. Compared are
    the largest of them, the largest within an hour, and the sum of what exceeds 1, so that rotating addresses helps
    nobody. p is the least, times the number of these tests. Pointed at are those of more than a household. Without
    those of a shared device: these are duplicates, and one machine must not count in two families.

    *opened_together*, *pace*: see `sending_times`; p is the least of the tests, times their number. Pointed at are the
    responses that bear the trace in the community's strongest window and in those with p ≤ 1 % ÷ communities. Where
    9 in 10 of them came over addresses, or else prefixes, of more than a household each, most of whose responses bear
    it, the others bear the trace by chance and are not pointed at.

    *volume*: of n responses in H households, μ = H × the rate of the m other communities are expected. Where rates
    differ between communities as exponential variables do, and their mean is known from m of them,
    P(X ≥ n) ≤ (1 + n ÷ (m(μ + 1)))⁻ᵐ; at least 3 communities. All are pointed at: other families say which.

    *night*: likewise, of the n responses that were sent, those between midnight and five in the zone of the rules; μ by
    the other communities' share of them. A community that works in shifts has more of them, which alone holds nobody.
    Without those of a shared device: a couple is awake together.

    *poster*: of the responses at one poster on one day, those beyond rd ÷ s, where r came through the poster on other
    days, d through other posters on the day, and s, at least 10, through these on those; r and d are raised by 1 and a
    standard error, s by 1, so that few say little. A poster at the gate brings most answers every day and
    does not stand out; one that brings them on one day does. The largest excess is compared with that of the other
    communities. Pointed at are those of posters and days with an excess of more than a household.

    Identical, haste, address and poster compare counts M with the expected μ by z = 2√(M + ⅜) − 2√(μ + ⅜), less its
    running midmean over the 51 communities with the nearest expectation, ÷ √(1 + φμ), φ the least number ≥ 0 with which
    the 75th, 90th and 95th percentile of z do not exceed the normal ones where μ ≥ ½ (or everywhere, if that holds in
    fewer than 20 communities). The midmean is the mean of the middle half. p is the normal upper tail, which is
    exponential in counts, like that of Poisson counts with gamma distributed means. Variances use the same method with
    standard deviations s and constant φμ; the standard error of s is s/√(2(n − 1)). Families with fewer than 20
    communities that have 10 responses give no p.

    Ties between vectors or windows are broken by the lowest code and the earliest time.

    References
    ----------
    Benjamini Y, Hochberg Y (1995), Controlling the false discovery rate, J. R. Stat. Soc. B 57, 289–300.
    Efron B (2004), Large-scale simultaneous hypothesis testing: the choice of a null hypothesis, JASA 99, 96–104.
    Kuriakose N, Robbins M (2016), Don't get duped: fraud through duplication in public opinion surveys,
    Stat. J. IAOS 32, 283–291.

    Examples
    --------
    Forty honest answers over days, half of them satisfied, and twelve fives within one minute from one telephone.

    >>> opened = pd.Timestamp("2021-09-01 08:00", tz="Asia/Shanghai")
    >>> hours = np.r_[np.random.default_rng(1).uniform(0, 72, 40), 80 + np.arange(12) ** 2 / 9000]
    >>> rows = pd.DataFrame({"response_id": range(52), "community_id": "Haibowan 1", "mode": "web"}).assign(
    ...     submitted_at=opened + pd.to_timedelta(hours, unit="h"), duration_seconds=60.0 + np.arange(52) * 37 % 101,
    ...     device=[*range(40), *[99] * 12])
    >>> codes = pd.DataFrame({"q01": [5, 4, 3, 3] * 10 + [5] * 12, "q02": [4, 4, 3, 5] * 10 + [5] * 12})
    >>> result = find_signals(
    ...     rows, codes, overall="q01", staff_modes={"paper"}, time_zone="Asia/Shanghai")
    >>> result.families[["family", "statistic", "expected", "flagged"]].head(2).round(1)
          family  statistic  expected  flagged
    0  duplicate       12.0       0.0     True
    1      burst       12.0       2.8     True
    >>> result.responses["held"].sum(), result.responses["families"].iloc[-1]
    (np.int64(12), 'duplicate, burst')
    """
    are_coarsened = "submitted_at" not in responses and "duration_seconds" not in responses
    if are_coarsened:
        responses = responses.assign(submitted_at=pd.Timestamp(0, tz="UTC"), duration_seconds=np.nan)
    _check_columns(responses, answers, overall)
    tests = {name: _FAMILY_TESTS[name] for name in FAMILIES if not are_coarsened or name in _WITHOUT_TIMES}
    communities, codes = row_codes("community_id", responses["community_id"].to_numpy(), rows=len(responses))
    is_staff = responses["mode"].isin(list(staff_modes)).to_numpy()
    rows, typed = (
        canonical_rows(
            responses,
            answers,
            codes,
            chosen=chosen,
            overall=overall,
            communities=communities,
            time_zone=time_zone,
            households={} if households is None else households,
        )
        for chosen in (~is_staff, is_staff)
    )
    del codes
    typed_together = _no_signal(typed) if are_coarsened else _of_times(typed, [sent_together])
    crowded = np.zeros(communities.size, dtype=bool)
    tables = []
    pointed, alone = np.zeros(len(responses), dtype=np.int16), np.zeros(len(responses), dtype=bool)
    for name in track_progress(FAMILIES, tell, total=len(FAMILIES)):
        signal = tests[name](rows) if name in tests and rows.order.size else _no_signal(rows)
        if name == "opened_together":
            signal = _with_typed(signal, typed_together)
        adjusted = adjusted_p_values(signal.p)
        if name == "burst":
            crowded = adjusted <= FALSE_DISCOVERY_RATE
        elif name in _TESTED_TWICE:
            adjusted[crowded] = np.fmin(adjusted[crowded], adjusted_p_values(signal.p[crowded]))
        flagged = adjusted <= FALSE_DISCOVERY_RATE
        pointing = [(rows, signal), (typed, typed_together)] if name == "opened_together" else [(rows, signal)]
        for part, found in pointing:
            of_flagged = flagged[part.community]
            pointed[part.order[found.inside & of_flagged]] |= _BITS[name]
            alone[part.order[found.alone & of_flagged]] = True
        facts: dict[str, object] = {"examined": rows.sizes, "statistic": signal.statistic, "expected": signal.expected}
        facts |= {"p": signal.p, "adjusted_p": adjusted, "flagged": flagged}
        tables.append(pd.DataFrame({"community_id": communities, "family": name} | facts))
    families = pd.concat(tables).sort_index(kind="stable").reset_index(drop=True)
    return Integrity(families, _held_responses(responses, pointed, alone))


def exclude_held(rows: pd.DataFrame, integrity: Integrity) -> pd.DataFrame:
    """Return the rows of responses that are not held for review.

    Parameters
    ----------
    rows : DataFrame
        Any frame with a column response_id.
    integrity : Integrity
        From `find_signals`; a response that is not in it is kept.

    Returns
    -------
    DataFrame
        A new frame in the given order. Standings without held responses are computed from the counts of these rows.

    Examples
    --------
    >>> seen = pd.DataFrame({"response_id": [1, 2], "held": [False, True], "families": ["", "duplicate, burst"]})
    >>> exclude_held(pd.DataFrame({"response_id": [2, 1, 3]}), Integrity(pd.DataFrame(), seen))
       response_id
    1            1
    2            3
    """
    held = integrity.responses.loc[integrity.responses["held"], "response_id"]
    return rows.loc[~rows["response_id"].isin(held)].copy()


def count_with_and_without_held(
    responses: pd.DataFrame, answers: pd.DataFrame, *, overall: str, integrity: Integrity
) -> pd.DataFrame:
    """Count each community's valid answers to the overall question, with and without the held responses.

    Parameters
    ----------
    responses, answers : DataFrame
        As in `find_signals`.
    overall : str
        The column of `answers` that is the overall question.
    integrity : Integrity
        From `find_signals` on the same rows.

    Returns
    -------
    DataFrame
        Index community_id, sorted; n and satisfied (codes 4 and 5), held (responses), n_without, satisfied_without; all
        int64. A community whose every answer is held keeps its row with n_without = 0.

    Raises
    ------
    ValueError
        If the frames' indexes differ.

    Examples
    --------
    >>> rows = pd.DataFrame({"response_id": [1, 2, 3], "community_id": ["a", "a", "b"]})
    >>> seen = pd.DataFrame({"response_id": [1, 2, 3], "held": [True, False, False], "families": ["", "", ""]})
    >>> codes = pd.DataFrame({"q01": [5, 3, 4]})
    >>> count_with_and_without_held(rows, codes, overall="q01", integrity=Integrity(pd.DataFrame(), seen)).loc["a"]
    n                    2
    satisfied            1
    held                 1
    n_without            1
    satisfied_without    0
    Name: a, dtype: int64
    """
    if not answers.index.equals(responses.index):
        raise ValueError("answers and responses must have the same index")
    code = answers[overall]
    held_ids = integrity.responses.loc[integrity.responses["held"], "response_id"]
    held = responses["response_id"].isin(held_ids)
    valid, satisfied = code.notna(), (code >= SATISFIED).fillna(value=False).astype(bool)
    counted = {
        "n": valid,
        "satisfied": satisfied,
        "held": held,
        "n_without": valid & ~held,
        "satisfied_without": satisfied & ~held,
    }
    place, communities = pd.factorize(responses["community_id"], sort=True)
    return pd.DataFrame(
        {name: np.bincount(place[chosen], minlength=len(communities)) for name, chosen in counted.items()},
        index=pd.Index(communities, name="community_id"),
    ).astype("int64")


@dataclass(frozen=True)
class _Signal:
    """Result of one family: three values per community, and the responses that it would point at."""

    statistic: FloatArray
    expected: FloatArray
    p: FloatArray
    inside: BooleanArray
    alone: BooleanArray  # whether the sign at the response is of overwhelming weight


def _check_columns(responses: pd.DataFrame, answers: pd.DataFrame, overall: str) -> None:
    needed = ["response_id", "community_id", "submitted_at", "mode", "duration_seconds"]
    absent = [name for name in needed if name not in responses] + [name for name in [overall] if name not in answers]
    if absent:
        raise ValueError(f"columns are missing: {', '.join(absent)}")
    if not answers.index.equals(responses.index):
        raise ValueError("answers and responses must have the same index")
    for name in needed[:-1]:
        refuse(responses[name].isna(), f"{name} is missing", response_id=responses["response_id"])
    # Whether ids that are in order differ is seen without a table of them all.
    ids = pd.Index(responses["response_id"])
    if not (ids.is_monotonic_increasing and ids.is_unique):
        refuse(ids.duplicated(), "response_id occurs twice", response_id=responses["response_id"])
    if not isinstance(responses["submitted_at"].dtype, pd.DatetimeTZDtype):
        # A column of another type is a wrong value of the frame, like any other fault of it.
        raise ValueError(f"submitted_at must be times with a time zone, got {responses['submitted_at'].dtype}")  # noqa: TRY004


def _no_signal(rows: AllRows) -> _Signal:
    nothing = np.full(rows.sizes.size, np.nan)
    return _pointing_signal(nothing, nothing, nothing, np.zeros(rows.community.size, dtype=bool))


def _pointing_signal(statistic: FloatArray, expected: FloatArray, p: FloatArray, inside: BooleanArray) -> _Signal:
    """Return the result of a family that holds nothing alone."""
    return _Signal(statistic, expected, p, inside, np.broadcast_to(np.False_, inside.shape))


def _held_responses(responses: pd.DataFrame, pointed: npt.NDArray[np.int16], alone: BooleanArray) -> pd.DataFrame:
    """Return which responses are held; `pointed` has the bits of the families that point at each."""
    kinds = np.zeros(pointed.size, dtype=np.int8)
    for kind in _KINDS:
        kinds += (pointed & sum(_BITS[name] for name in kind)) != 0
    sets = [[name for name, bit in _BITS.items() if bits & bit] for bits in range(2 ** len(FAMILIES))]
    names = pd.array([", ".join(found) for found in sets], dtype="str")
    columns = {
        "response_id": responses["response_id"].to_numpy(),
        "held": (kinds >= KINDS_TO_HOLD) | alone,
        "families": names.take(pointed),
    }
    return pd.DataFrame(columns, index=responses.index)


def _duplicate(rows: AllRows) -> _Signal:
    return _pointing_signal(*rows.in_blocks(_shared_by_several))


def _shared_by_several(rows: Block) -> tuple[FloatArray, FloatArray, FloatArray, BooleanArray]:
    names = ("device", "household")
    inside = np.any([_shares(rows, name) for name in names], axis=0)
    known = np.any([rows.keys[name] != UNKNOWN for name in names], axis=0)
    statistic = rows.count(inside)
    p = np.where(rows.count(known) > 0, np.where(statistic > 0, 0.0, 1.0), np.nan)
    return statistic, np.zeros_like(statistic), p, inside


def _shares(rows: Block, name: str) -> BooleanArray:
    group, sizes = rows.key_groups[name]
    return np.asarray((rows.keys[name] != UNKNOWN) & (sizes[group] > 1), dtype=bool)


def _burst(rows: AllRows) -> _Signal:
    return _pointing_signal(*rows.in_blocks(_strongest_burst))


def _strongest_burst(rows: Block) -> tuple[FloatArray, FloatArray, FloatArray, BooleanArray]:
    from scipy import stats  # noqa: PLC0415  it takes a second to load and 50 MB, which an evaluation can do without

    stratum, sizes = groups_of(rows.community, rows.mode)
    ways = (
        rows.overall >= SATISFIED,
        rows.answers.any(axis=1) & ((rows.answers == 0) | (rows.answers == HIGHEST)).all(axis=1),
        (rows.overall > 0) & (rows.overall <= DISSATISFIED),
    )
    windows = [window for width in BURST_SECONDS for window in _dense_windows(stratum, rows.second, width)]

    def count(chosen: npt.ArrayLike) -> IntegerArray:
        return np.bincount(stratum[np.asarray(chosen, dtype=bool)], minlength=sizes.size).astype(np.int64)

    tests = [(window, way) for window in windows for way in ways]
    seen = np.stack([count(window & way) for window, way in tests])
    counting = np.stack([count(way) for _, way in tests])
    within = np.stack([count(window) for window, _ in tests])
    p = np.asarray(stats.hypergeom.sf(seen - 1, sizes, counting, within), dtype=np.float64)
    best = p.argmin(axis=0)
    strata = np.arange(sizes.size)
    home = _community_of(rows, stratum, sizes)
    speaks = _first_of_each(home, p[best, strata])
    place, test = home[speaks], best[speaks]
    statistic, expected, value = np.full((3, rows.sizes.size), np.nan)
    statistic[place] = seen[test, speaks]
    expected[place] = counting[test, speaks] * within[test, speaks] / sizes[speaks]
    modes = np.bincount(home, minlength=rows.sizes.size)[place]
    value[place] = np.minimum(1.0, p[test, speaks] * len(tests) * modes)
    pointed = np.stack([window & way for window, way in tests])[best[stratum], np.arange(stratum.size)]
    return statistic, expected, value, pointed & np.isin(stratum, speaks)


def _identical(rows: AllRows) -> _Signal:
    of_code, code_share, same_code, of_vector, vector_share, same_vector = rows.in_blocks(_most_identical)
    one_code = _test_identical(rows, of_code, code_share, same_code)
    one_vector = _test_identical(rows, of_vector, vector_share, same_vector)
    stronger = one_code.p < one_vector.p
    return _pointing_signal(
        np.where(stronger, one_code.statistic, one_vector.statistic),
        np.where(stronger, one_code.expected, one_vector.expected),
        np.minimum(1.0, 2 * np.fmin(one_code.p, one_vector.p)),
        np.where(stronger[rows.community], same_code, same_vector),
    )


def _most_identical(rows: Block) -> tuple[FloatArray, FloatArray, BooleanArray, FloatArray, FloatArray, BooleanArray]:
    """Return how many answers have one code throughout, log π of it, and which do; likewise of one other vector."""
    questions = rows.answers.shape[1]
    unanswered = rows.answers == 0
    highest = rows.answers.max(axis=1, keepdims=True)
    straight = (unanswered | (rows.answers == highest)).all(axis=1) & (2 * (~unanswered).sum(axis=1) >= questions)
    same_line = straight & _in_largest_group(rows, highest.ravel().astype(np.int64), counted=straight)
    code = np.zeros(rows.sizes.size, dtype=np.int8)
    code[rows.community[same_line]] = highest[same_line, 0]
    agrees_in_code = unanswered | (rows.answers == code[rows.community, None])

    vectors = _number_vectors(rows.answers)
    same_vector = ~straight & _in_largest_group(rows, vectors, counted=~straight)
    vector = np.zeros((rows.sizes.size, questions), dtype=np.int8)
    vector[rows.community[same_vector]] = rows.answers[same_vector]
    agrees_in_vector = rows.answers == vector[rows.community]
    return (
        rows.count(same_line),
        _log_share_of_others(rows, same_line, agrees_in_code),
        same_line,
        rows.count(same_vector),
        _log_share_of_others(rows, same_vector, agrees_in_vector),
        same_vector,
    )


def _log_share_of_others(rows: Block, alike: BooleanArray, agrees: BooleanArray) -> FloatArray:
    """Return log π; `agrees` marks per question the community's answers that agree with those that are alike."""
    others = rows.count(~alike)
    log_share = np.zeros(rows.sizes.size)
    for column in agrees.T:
        log_share += np.log((rows.count(column & ~alike) + 0.5) / (others + 1))
    return log_share


def _number_vectors(answers: Codes) -> IntegerArray:
    """Return numbers of the vectors of answers, in the order of their codes."""
    vectors = np.zeros(len(answers), dtype=np.int64)
    for start in range(0, answers.shape[1], QUESTIONS_PACKED):
        part = answers[:, start : start + QUESTIONS_PACKED]
        packed = np.zeros(len(answers), dtype=np.int64)
        for codes in part.T:
            packed = packed * (HIGHEST + 1) + codes
        vectors, _ = groups_of(vectors, packed)
    return vectors


def _test_identical(rows: AllRows, count: FloatArray, log_share: FloatArray, alike: BooleanArray) -> _Signal:
    judged = rows.sizes >= FEWEST_RESPONSES
    observed = np.log((count[judged] + 0.5) / (rows.sizes[judged] + 1))
    of_one_mind = np.median(observed / log_share[judged]) if judged.any() else 1.0
    p, expected = _judge(count, rows.sizes, usual=np.exp(np.log(np.maximum(rows.sizes, 1)) + of_one_mind * log_share))
    return _pointing_signal(count, expected, p, alike)


def _variance(rows: AllRows) -> _Signal:
    n, mean, variance, inside = rows.in_blocks(_variance_of_means)
    p, expected = np.full((2, n.size), np.nan)
    judged = n >= FEWEST_RESPONSES
    if judged.sum() >= FEWEST_COMMUNITIES:
        deviation = np.sqrt(variance[judged])
        usual = _running_midmean(deviation, along=mean[judged])
        error = np.maximum(usual, np.finfo(np.float64).tiny) / np.sqrt(2 * (n[judged] - 1))
        p[judged] = _upper_tail((usual - deviation) / error, np.ones_like(usual))
        expected[judged] = usual**2
    return _pointing_signal(variance, expected, p, inside)


def _variance_of_means(rows: Block) -> tuple[FloatArray, FloatArray, FloatArray, BooleanArray]:
    """Return number, mean and variance of the persons' mean answers, and whose is the commonest."""
    answered = np.count_nonzero(rows.answers, axis=1)
    scored = answered > 0
    score = rows.answers.sum(axis=1) / np.maximum(answered, 1)
    n = rows.count(scored)
    mean = rows.add(score) / np.maximum(n, 1)
    squares = rows.add(np.where(scored, (score - mean[rows.community]) ** 2, 0.0))
    variance = np.where(n > 1, squares / np.maximum(n - 1, 1), np.nan)
    # Equal means of whole answers are equal floats: quotients of the same two integers.
    _, commonest = np.unique(score, return_inverse=True)
    return n, mean, variance, scored & _in_largest_group(rows, commonest, counted=scored)


def _haste(rows: AllRows) -> _Signal:
    # The median of a city is that of all its answers: 8 bytes of each, for as long as this takes.
    (pace,) = rows.in_blocks(_seconds_an_answer)
    timed = pace < np.inf
    hurried = pace < HASTE * np.median(pace[timed], overwrite_input=True) if timed.any() else timed
    count, n = rows.count(hurried), rows.count(timed)
    p, expected = _judge(count, n, usual=n * (hurried.sum() / max(timed.sum(), 1)))
    return _pointing_signal(count, expected, p, hurried)


def _seconds_an_answer(rows: Block) -> tuple[FloatArray]:
    answered = np.count_nonzero(rows.answers, axis=1)
    timed = ~np.isnan(rows.duration) & (answered > 0)
    return (np.where(timed, rows.duration / np.maximum(answered, 1), np.inf),)


def _address(rows: AllRows) -> _Signal:
    (own,) = rows.in_blocks(lambda block: (~block.is_helped & ~_shares(block, "device"),))
    over = [_over_shared(rows, name, own) for name in ("address", "prefix")]
    tests = [signal for signals in over for signal in signals]
    p = np.array([np.where(np.isnan(signal.p), np.inf, signal.p) for signal in tests])
    best, communities = p.argmin(axis=0), np.arange(rows.sizes.size)
    statistic, expected, least = (
        np.array([getattr(signal, name) for signal in tests])[best, communities]
        for name in ("statistic", "expected", "p")
    )
    by_address, by_prefix = (signals[0].inside for signals in over)
    inside = np.where((best < len(over[0]))[rows.community], by_address, by_prefix)
    made = np.count_nonzero(np.isfinite(p), axis=0)
    value = np.where(made > 0, np.minimum(1.0, made * least), np.nan)
    return _pointing_signal(statistic, expected, value, inside)


def _over_shared(rows: AllRows, name: str, own: BooleanArray) -> list[_Signal]:
    """Test how many answers share one label of a key, and any, beyond what its use elsewhere lets expect."""
    counted = own & (rows.keys[name] != UNKNOWN)
    everywhere = np.bincount(rows.keys[name][counted], minlength=int(rows.keys[name].max(initial=0)) + 1)
    n = rows.count(counted)
    weight = n / np.maximum(n.sum() - n, 1)

    def excess_in(block: Block) -> tuple[FloatArray, FloatArray, FloatArray, BooleanArray]:
        here_counted, elsewhere = counted[block.rows], everywhere[block.keys[name]]
        return _excess_over_shared(block, name, here_counted, elsewhere, weight[block.communities])

    largest, densest, shared, inside = rows.in_blocks(excess_in)
    found = []
    once = np.ones(n.size)
    for count, usual in ((largest, once), (densest, once), (shared, n * (shared.sum() / max(n.sum(), 1)))):
        p, expected = _judge(count, n, usual=usual)
        found.append(_pointing_signal(count, expected, p, inside))
    return found


def _excess_over_shared(
    rows: Block, name: str, counted: BooleanArray, everywhere: IntegerArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, BooleanArray]:
    """Return the largest excess of a community, that within an hour, all of them, and of which rows it is large."""
    group, sizes = rows.key_groups[name]
    here = np.bincount(group[counted], minlength=sizes.size)[group]
    beyond = np.where(counted, here - (everywhere - here) * weight[rows.community], 0.0)
    largest, densest = np.zeros((2, rows.sizes.size))
    np.maximum.at(largest, rows.community, beyond)
    within_hour = _densest_counts(group, rows.second, HOUR, counted)
    beyond_in_hour = beyond - here + within_hour
    np.maximum.at(densest, rows.community, np.where(counted, beyond_in_hour, 0.0))
    # Each row of a group has the same excess: divided by the group's size it adds up to it.
    shared = rows.add(np.maximum(beyond - 1, 0.0) / np.maximum(here, 1))
    return largest, densest, shared, beyond > LARGEST_HOUSEHOLD


def _opened_together(rows: AllRows) -> _Signal:
    return _of_times(rows, [sent_together, opened_at_once], [kept_open])


def _pace(rows: AllRows) -> _Signal:
    return _of_times(rows, [], [alike_durations, even_gaps])


def _of_times(
    rows: AllRows,
    tests: Sequence[Callable[[Sendings], list[Windows]]],
    with_city: Sequence[Callable[[Sendings, Habits], list[Windows]]] = (),
) -> _Signal:
    """Join tests of sending times: p of the strongest window, and the rows of all that are strong enough."""
    if not rows.habits.are_timed:
        return _no_signal(rows)
    # Whatever the order of the communities, all their windows together are one test of many.
    tested = max(int(np.count_nonzero(rows.count(~rows.is_helped))), 1)

    def strongest_in(block: Block) -> tuple[FloatArray, FloatArray, FloatArray, BooleanArray, BooleanArray]:
        found = [windows for test in tests for windows in test(block.sendings)]
        found += [windows for test in with_city for windows in test(block.sendings, rows.habits)]
        return _strongest_windows(block, found, tested)

    return _Signal(*rows.in_blocks(strongest_in))


def _strongest_windows(
    rows: Block, found: list[Windows], tested: int
) -> tuple[FloatArray, FloatArray, FloatArray, BooleanArray, BooleanArray]:
    """Return count, expected count and p of each community's strongest window, and the rows of strong windows."""
    own = ~rows.is_helped
    community = np.concatenate([windows.community for windows in found])
    p = np.minimum(1.0, len(found) * np.concatenate([windows.p for windows in found]))
    best = _first_of_each(community, p)
    statistic, expected, value = np.full((3, rows.sizes.size), np.nan)
    value[rows.count(own) > 0] = 1.0
    for column, of_windows in ((statistic, "count"), (expected, "expected")):
        column[community[best]] = np.concatenate([getattr(windows, of_windows) for windows in found])[best]
    value[community[best]] = p[best]
    everywhere = p * tested
    is_best = np.zeros(p.size, dtype=bool)
    is_best[best] = True
    inside = _pointed_rows(rows, own, found, is_best | (everywhere <= FALSE_DISCOVERY_RATE))
    alone = _pointed_rows(rows, own, found, everywhere <= OVERWHELMING)
    alone &= (rows.count(alone) >= LEAST_OVERWHELMING)[rows.community]
    return statistic, expected, value, inside, alone


def _pointed_rows(rows: Block, own: BooleanArray, found: list[Windows], chosen: BooleanArray) -> BooleanArray:
    """Return the rows that bear the trace of a chosen window; `chosen` is of the windows of all tests in turn."""
    parts = np.split(chosen, np.cumsum([windows.p.size for windows in found])[:-1])
    bearing = np.zeros(rows.community.size, dtype=bool)
    bearing[own] = np.any([windows.rows_in(part) for windows, part in zip(found, parts, strict=True)], axis=0)
    return _beside_nearly_all(rows, bearing)


def _beside_nearly_all(rows: Block, bearing: BooleanArray) -> BooleanArray:
    """Return the rows that bear a sign, without those that bear it by chance.

    Where nearly all came over shared lines, or failing that shared prefixes, most of whose answers bear the sign, those
    that came otherwise are left out.
    """
    kept, is_settled = bearing.copy(), np.zeros(rows.sizes.size, dtype=bool)
    if not bearing.any():
        return kept
    for name in ("address", "prefix"):
        group, sizes = rows.key_groups[name]
        of_group = np.bincount(group[bearing], minlength=sizes.size)
        crowded = (sizes > LARGEST_HOUSEHOLD) & (2 * of_group >= sizes)
        over_crowded = bearing & crowded[group] & (rows.keys[name] != UNKNOWN)
        is_nearly_all = ~is_settled & (rows.count(over_crowded) >= NEARLY_ALL * rows.count(bearing))
        kept &= over_crowded | ~is_nearly_all[rows.community]
        is_settled |= is_nearly_all
    return kept


def _with_typed(signal: _Signal, typed: _Signal) -> _Signal:
    """Join what residents sent and what staff typed in, two tests of each community."""
    of_typed = typed.p < np.where(np.isnan(signal.p), np.inf, signal.p)
    tests = np.count_nonzero(~np.isnan([signal.p, typed.p]), axis=0)
    return replace(
        signal,
        statistic=np.where(of_typed, typed.statistic, signal.statistic),
        expected=np.where(of_typed, typed.expected, signal.expected),
        p=np.minimum(1.0, tests * np.fmin(signal.p, typed.p)),
    )


def _volume(rows: AllRows) -> _Signal:
    own = ~rows.is_helped
    known = rows.households > 0
    count = rows.count(own)
    answers, households = (np.where(known, values, 0.0) for values in (count, rows.households))
    expected = households * (answers.sum() - answers) / np.maximum(households.sum() - households, 1)
    judged = known & (known.sum() >= FEWEST_RATES) & (rows.sizes > 0)
    p = np.where(judged, _chance_of_rate(count, expected, known.sum() - 1), np.nan)
    return _pointing_signal(count, np.where(known, expected, np.nan), p, own & judged[rows.community])


def _night(rows: AllRows) -> _Signal:
    n, count, nightly = rows.in_blocks(_sent_at_night)
    expected = n * (count.sum() - count) / np.maximum(n.sum() - n, 1)
    judged = (n > 0) & (np.count_nonzero(n) >= FEWEST_RATES)
    p = np.where(judged, _chance_of_rate(count, expected, np.count_nonzero(n) - 1), np.nan)
    return _pointing_signal(count, np.where(judged, expected, np.nan), p, nightly)


def _sent_at_night(rows: Block) -> tuple[FloatArray, FloatArray, BooleanArray]:
    # A couple that shares a telephone is awake together.
    own = ~rows.is_helped & ~_shares(rows, "device")
    nightly = own & (rows.hour % 24 < DAWN)
    return rows.count(own), rows.count(nightly), nightly


def _poster(rows: AllRows) -> _Signal:
    """Test how many answers one poster brings on one day beyond its other days and the other posters of the day."""
    largest, n, inside = rows.in_blocks(_excess_of_posters)
    p, expected = _judge(largest, n, usual=n * (largest.sum() / max(n.sum(), 1)))
    return _pointing_signal(largest, expected, p, inside)


def _excess_of_posters(rows: Block) -> tuple[FloatArray, FloatArray, BooleanArray]:
    own = ~rows.is_helped & (rows.keys["poster"] != UNKNOWN)
    poster = rows.key_groups["poster"][0]
    day, _ = groups_of(rows.community, rows.hour // 24)
    cell, _ = groups_of(day, rows.keys["poster"])
    here, at_poster, on_day, everywhere = (
        np.bincount(label[own], minlength=label.max(initial=0) + 1)[label]
        for label in (cell, poster, day, rows.community)
    )
    beside = everywhere - at_poster - on_day + here
    at_most, on_day_at_most = (count + 1 + np.sqrt(count + 1) for count in (at_poster - here, on_day - here))
    compared = own & (beside >= FEWEST_RESPONSES)
    beyond = np.where(compared, np.maximum(here - at_most * on_day_at_most / (beside + 1), 0.0), 0.0)
    largest = np.zeros(rows.sizes.size)
    np.maximum.at(largest, rows.community, beyond)
    return largest, rows.count(compared), beyond > LARGEST_HOUSEHOLD


def _chance_of_rate(count: FloatArray, expected: FloatArray, others: npt.ArrayLike) -> FloatArray:
    """Return the chance of so many answers where rates differ as exponential variables do.

    `expected` are those that the mean rate of so many others lets expect. The mean of m exponential variables is
    itself uncertain: the chance that another one exceeds r times it is (1 + r ÷ m)⁻ᵐ.
    """
    m = np.maximum(np.asarray(others, dtype=np.float64), 1.0)
    return np.asarray((1 + count / (m * (expected + 1))) ** -m, dtype=np.float64)


_FAMILY_TESTS: Final[Mapping[str, Callable[[AllRows], _Signal]]] = {
    "duplicate": _duplicate,
    "burst": _burst,
    "identical": _identical,
    "variance": _variance,
    "haste": _haste,
    "address": _address,
    "opened_together": _opened_together,
    "pace": _pace,
    "volume": _volume,
    "poster": _poster,
    "night": _night,
}
FAMILIES: Final = tuple(_FAMILY_TESTS)
_BITS: Final = {name: 1 << place for place, name in enumerate(FAMILIES)}
OF_ANSWERS: Final = frozenset({"burst", "identical", "variance"})
"""Families that rest on what was answered. Whoever tries all ways to answer finds from their numbers how few did so."""
_WITHOUT_TIMES: Final = frozenset({"duplicate", "identical", "variance", "volume"})
# Many neighbours behind one address of their carrier, or in front of one poster, are many and in one place, and so are
# couples with one telephone where many answer: that is one kind of sign.
_IN_ONE_PLACE: Final = frozenset({"duplicate", "address", "volume", "poster"})
_KINDS: Final = (*({name} for name in FAMILIES if name not in _IN_ONE_PLACE), _IN_ONE_PLACE)
# Among communities that a burst flags there are few tests to adjust for. The other families do not need it.
_TESTED_TWICE: Final = frozenset({"identical", "variance", "haste", "address"})


def _judge(count: FloatArray, n: npt.ArrayLike, *, usual: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return p and the expected count of each community, from a first estimate `usual` of the expected count."""
    p, expected = np.full((2, count.size), np.nan)
    judged = np.asarray(n) >= FEWEST_RESPONSES
    if judged.sum() < FEWEST_COMMUNITIES:
        return p, expected
    root, first = (2 * np.sqrt(counts[judged] + 0.375) for counts in (count, usual))
    centre = first + _running_midmean(root - first, along=first)
    expected[judged] = np.maximum((centre / 2) ** 2 - 0.375, 0)
    p[judged] = _upper_tail(root - centre, expected[judged])
    return p, expected


def _upper_tail(z: FloatArray, expected: FloatArray) -> FloatArray:
    """Return normal upper tails of z ÷ √(1 + φμ), φ fitted at upper quantiles that are nearly free of stuffing."""
    normal = special.ndtri(NULL_QUANTILES)
    # Where the expected count is close to 0, no φ corrects for counts being whole numbers.
    informative = expected >= LEAST_EXPECTED_COUNT
    if informative.sum() < FEWEST_COMMUNITIES:
        informative = np.ones(expected.size, dtype=bool)

    def is_enough(overdispersion: float) -> bool:
        scaled = z[informative] / np.sqrt(1 + overdispersion * expected[informative])
        return bool((np.quantile(scaled, NULL_QUANTILES) <= normal).all())

    low, high = 0.0, 0.0
    while not is_enough(high) and high < 1e6:
        low, high = high, max(2 * high, 1.0)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return np.asarray(special.ndtr(-z / np.sqrt(1 + high * expected)), dtype=np.float64)


def _running_midmean(values: FloatArray, *, along: FloatArray) -> FloatArray:
    """Return the running midmean: the mean of the middle half of the nearest values in the order of `along`.

    It is nearly as robust as the median and does not jump from count to count.
    """
    order = np.lexsort((values, along))
    width = min(values.size, NEIGHBOURS)
    nearest = np.sort(np.lib.stride_tricks.sliding_window_view(values[order], width), axis=1)
    midmeans = nearest[:, width // 4 : width - width // 4].mean(axis=1)
    start = np.clip(np.arange(values.size) - width // 2, 0, values.size - width)
    result = np.empty(values.size)
    result[order] = midmeans[start]
    return result


def _community_of(rows: Block, group: IntegerArray, sizes: IntegerArray) -> IntegerArray:
    home = np.zeros(sizes.size, dtype=np.int64)
    home[group] = rows.community
    return home


def _first_of_each(label: IntegerArray, value: npt.NDArray[np.generic]) -> IntegerArray:
    """Return the position of the smallest value of each label, the first among ties."""
    order = np.lexsort((value, label))
    return order[np.flatnonzero(np.diff(label[order], prepend=-1))]


def _in_largest_group(rows: Block, label: IntegerArray, *, counted: BooleanArray | None = None) -> BooleanArray:
    """Return which rows have their community's most frequent label, the lowest among ties; `counted` restricts rows."""
    group, sizes = groups_of(rows.community, label)
    frequency = sizes if counted is None else np.bincount(group[counted], minlength=sizes.size)
    is_largest = np.zeros(sizes.size, dtype=bool)
    is_largest[_first_of_each(_community_of(rows, group, sizes), -frequency)] = True
    return np.asarray(is_largest[group], dtype=bool)


def _densest_counts(group: IntegerArray, second: IntegerArray, width: int, counted: BooleanArray) -> IntegerArray:
    """Return for each row how many counted rows the densest window of its group holds."""
    most = np.zeros(group.max(initial=-1) + 1, dtype=np.int64)
    label, second = group[counted], second[counted]
    if label.size:
        own = label * (second.max() - second.min() + width + 1) + second - second.min()
        own.sort()
        in_order = np.sort(label)
        size = np.searchsorted(own, own + width, side="right") - np.arange(own.size)
        first_of_group = np.flatnonzero(np.diff(in_order, prepend=-1))
        most[in_order[first_of_group]] = np.maximum.reduceat(size, first_of_group)
    return most[group]


def _dense_windows(group: IntegerArray, second: IntegerArray, width: int) -> list[BooleanArray]:
    """Return which rows lie in their group's densest window of `width` seconds, in that of the remaining rows, etc.

    Among equally dense windows it is the earliest.
    """
    # Groups lie one after another on one line, so far apart that no window reaches into the next.
    own = group * (second.max() - second.min() + width + 1) + second - second.min()
    order = np.argsort(own, kind="stable")
    moment, label = own[order], group[order]
    begins = np.searchsorted(moment, moment)
    ends = np.searchsorted(moment, moment + width, side="right")
    first_of_group = np.flatnonzero(np.diff(label, prepend=-1))
    free = np.ones(group.size, dtype=bool)
    windows = []
    for _ in range(DENSE_WINDOWS):
        so_far = np.r_[0, np.cumsum(free)]
        size = np.where(free, so_far[ends] - so_far[begins], 0)
        most = np.zeros(group.max() + 1, dtype=np.int64)
        most[label[first_of_group]] = np.maximum.reduceat(size, first_of_group)
        # The first of the densest, as writing from the last to the first leaves it; nothing where no row is free.
        densest = np.flatnonzero(free & (size == most[label]))[::-1]
        start = np.full(most.size, -1 - width)
        start[label[densest]] = moment[densest]
        inside = free & (moment >= start[label]) & (moment <= start[label] + width)
        window = np.zeros(group.size, dtype=bool)
        window[order] = inside
        windows.append(window)
        free &= ~inside
    return windows
