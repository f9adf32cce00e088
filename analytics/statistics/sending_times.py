"""Sending times: whether so many people can have opened and sent these forms at these times.

Five tests look at when forms were opened and sent, which the server notes and no sender chooses without waiting as a
person waits. Each counts, in windows of one community, the answers that bear a trace, and bounds the chance that
independent people leave so many: no distribution is fitted to the answers that are judged. Where a trace is more
frequent in the *other* communities than the bound supposes, the bound is raised to twice their share, to ½ at most.
Whether forms are rarely kept open in a city is asked of 19 in 20 of its communities, so that those which are stuffed,
if they are no more, cannot answer.

============== ============================================================ ========================================
test           trace, and the answers that it is counted among              bound of the chance that one honest
                                                                            answer bears it
============== ============================================================ ========================================
sent together  sent within 10 seconds, of the forms open in them            .30: whoever answers sends at most every
                                                                            30 seconds on average
opened at once opened within 10 seconds, of those opened within a minute    .50; only more than 60 at once count, so
               before or after                                              that a meeting may scan one code
kept open      sent more than 20 minutes after opening, of those sent       .50; .30 where it is at most .15 in 19 of 20
               within an hour, within six or within a day                   communities, and over lines that more than a
                                                                            household shares; .25 of an hour, .50 of 8
                                                                            minutes over shared lines
alike          duration within 6 % of each other, of those sent within      .20; whatever takes less than 16 seconds
               an hour or within a day                                      is alike
even gaps      two gaps before an opening or a sending equal within 5 %, of .10; exponential gaps give at most .04
               those within an hour, six or a day; also over one line alone
============== ============================================================ ========================================

The number that bears a trace is then at most binomial: answers bear it independently with unequal chances below the
bound (Hoeffding 1956), and of two gaps each is compared with the one before, whose length is known. p is the binomial
tail times the number of windows of the community, over all widths. Times that are whole minutes say nothing of seconds;
then no test is made.

References
----------
Hoeffding W (1956), On the distribution of the number of successes in independent trials, Ann. Math. Statist. 27,
713–721.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from analytics.statistics.validation import BooleanArray, FloatArray, IntegerArray

LEAST_COUNT: Final = 5

SENDING_SECONDS: Final = 10
SENDING_CHANCE: Final = 0.30

OPENING_SECONDS: Final = 10
OPENING_SURROUNDINGS: Final = 60
OPENING_CHANCE: Final = 0.50
LARGEST_MEETING: Final = 60

KEPT_SECONDS: Final = 20 * 60
LONG_SECONDS: Final = 8 * 60
KEPT_WINDOWS: Final = (3600, 6 * 3600, 24 * 3600)
VERY_LONG_SECONDS: Final = 60 * 60
KEPT_CHANCE: Final = 0.50
# Where people do otherwise than where a poster hangs at the gate and is answered at home, or less than half as long.
RARE_CHANCE: Final = 0.30
VERY_LONG_CHANCE: Final = 0.25
# Where 19 in 20 of so many communities, with so many answers each, are known, forms kept open are as rare as they say.
COMMUNITIES_TO_KNOW: Final = 20
ANSWERS_TO_KNOW: Final = 10
NEARLY_ALL_COMMUNITIES: Final = 0.95

ALIKE_RATIO: Final = 1.06
ALIKE_SECONDS: Final = 16
ALIKE_OFFSETS: Final = (0.0, 0.5)
ALIKE_WINDOWS: Final = (3600, 24 * 3600)
ALIKE_CHANCE: Final = 0.20

EVEN_RATIO: Final = 1.05
EVEN_WINDOWS: Final = (3600, 6 * 3600, 24 * 3600)
EVEN_CHANCE: Final = 0.10
# A gap that the clock measures by fewer ticks may be equal to another because it is rounded.
EVEN_TICKS: Final = 20
CLOCK_TICKS: Final = (60.0, 1.0)
FINEST_TICK: Final = 0.1

MOST_CHANCE: Final = 0.50
FEWEST_ELSEWHERE: Final = 100
LONGEST_WINDOW: Final = 24 * 3600

_Moments = Literal["sent", "opened"]


@dataclass(frozen=True)
class Windows:
    """Windows of one test in which more answers bear its trace than the bound lets expect.

    Attributes
    ----------
    community : ndarray of int
        Of each window.
    count, expected : ndarray of float
        Answers that bear the trace, and the most that are expected of honest people.
    p : ndarray of float
        Times the number of windows of the community; at most 1.
    start, stop : ndarray of int
        The window holds the places from start to before stop of `order`.
    order : ndarray of int
        Rows in the order of the test.
    bears : ndarray of bool
        Of each row: whether it bears the trace.
    """

    community: IntegerArray
    count: FloatArray
    expected: FloatArray
    p: FloatArray
    start: IntegerArray
    stop: IntegerArray
    order: IntegerArray
    bears: BooleanArray

    def rows_in(self, chosen: BooleanArray) -> BooleanArray:
        """Return which rows bear the trace in any of the chosen windows."""
        steps = np.zeros(self.order.size + 1, dtype=np.int64)
        np.add.at(steps, self.start[chosen], 1)
        np.add.at(steps, self.stop[chosen], -1)
        rows = np.zeros(self.bears.size, dtype=bool)
        rows[self.order[np.cumsum(steps[:-1]) > 0]] = True
        return rows & self.bears


@dataclass(frozen=True)
class Sendings:
    """When forms were opened and sent, and from where: one row each.

    Attributes
    ----------
    community, line : ndarray of int
        Labels from 0; line may be −1, unknown.
    opened, sent : ndarray of float
        Seconds; opened may be NaN.
    shares_line : ndarray of bool
        Whether more answers of the community came over the line, or over its neighbours, than a household has people.
    """

    community: IntegerArray
    line: IntegerArray
    opened: FloatArray
    sent: FloatArray
    shares_line: BooleanArray

    def chosen(self, rows: BooleanArray) -> "Sendings":
        """Return some of the rows."""
        return Sendings(*(getattr(self, field.name)[rows] for field in fields(self)))

    @cached_property
    def by_sent(self) -> IntegerArray:
        """Rows in the order of communities, and of sending within them."""
        return np.lexsort((self.sent, self.community))

    @cached_property
    def by_opened(self) -> IntegerArray:
        """Rows in the order of communities, and of opening within them; unknown times last."""
        return np.lexsort((self.opened, self.community))

    @cached_property
    def first_and_last(self) -> tuple[float, float]:
        """The first and the last time that is known."""
        known = np.r_[self.sent, self.opened[~np.isnan(self.opened)]]
        return float(known.min(initial=np.inf)), float(known.max(initial=-np.inf))


@dataclass(frozen=True)
class Habits:
    """What all communities of a city have in common, with which each of them is compared.

    Attributes
    ----------
    timed : int
        Forms of which it is known when they were opened.
    keeps_open_rarely : bool
        Whether in 19 of 20 communities at most half as many forms are kept open as `RARE_CHANCE`.
    kept : sequence of int
        For each test of forms kept open: how many were kept open so long.
    alike : sequence of ndarray of int
        For both divisions of durations into kinds: how many answers are of each kind.
    ticks : sequence of float
        For each test of even gaps: the step of the clock that tells its times.
    """

    timed: int
    keeps_open_rarely: bool
    kept: Sequence[int]
    alike: Sequence[IntegerArray]
    ticks: Sequence[float]

    @property
    def are_timed(self) -> bool:
        """Whether any form was sent at no whole minute: otherwise nothing is known of seconds."""
        return self.ticks[0] != CLOCK_TICKS[0]


def habits_of(parts: Iterable[Sendings]) -> Habits:
    """Return the habits of a city from its communities in parts, which are looked at one after the other.

    Parameters
    ----------
    parts : iterable of Sendings
        All communities, each in one part and with a label of its own in it; may be empty.

    Returns
    -------
    Habits
        The same however the communities are divided.

    Examples
    --------
    >>> zeros = np.zeros(12, dtype=np.int64)
    >>> rows = Sendings(zeros, zeros - 1, np.arange(12) * 20.0, 400.5 + np.arange(12) / 6, zeros > 0)
    >>> habits = habits_of([rows])
    >>> habits.timed, habits.kept, habits.are_timed
    (12, [0, 0, 0, 0], True)
    """
    nobody = np.zeros(0, dtype=np.int64)
    bearing, answers = [nobody], [nobody]
    kept = np.zeros(4, dtype=np.int64)
    alike = [nobody] * len(ALIKE_OFFSETS)
    told = np.ones((4, len(CLOCK_TICKS)), dtype=bool)
    for rows in parts:
        timed = ~np.isnan(rows.opened)
        traces = [trace for trace, _ in _kept_traces(rows)]
        kept += [np.count_nonzero(trace) for trace in traces]
        for counts, chosen in ((bearing, traces[0]), (answers, timed)):
            counts.append(_by_community(rows, chosen))
        for place, kind in enumerate(_kinds(rows)):
            alike[place] = np.add(*_as_long(alike[place], np.bincount(kind[timed])))
        for place, (moments, _, among) in enumerate(_even_traces(rows)):
            told[place] &= [not (getattr(rows, moments)[among] % tick).any() for tick in CLOCK_TICKS]
    return Habits(
        timed=int(sum(counts.sum() for counts in answers)),
        keeps_open_rarely=_is_rare(np.concatenate(bearing), np.concatenate(answers)),
        kept=kept.tolist(),
        alike=alike,
        ticks=[next((CLOCK_TICKS[step] for step in np.flatnonzero(steps)), FINEST_TICK) for steps in told],
    )


def _as_long(*counts: IntegerArray) -> list[IntegerArray]:
    """Return counts by label with zeros for the labels that only another of them has."""
    longest = max(each.size for each in counts)
    return [np.pad(each, (0, longest - each.size)) for each in counts]


def sent_together(rows: Sendings) -> list[Windows]:
    """Return windows in which too many of the open forms were sent at once.

    Examples
    --------
    Twelve forms that were opened within four minutes are sent within two seconds.

    >>> zeros = np.zeros(12, dtype=np.int64)
    >>> rows = Sendings(zeros, zeros - 1, np.arange(12) * 20.0, 400.5 + np.arange(12) / 6, zeros > 0)
    >>> [windows] = sent_together(rows)
    >>> bool(windows.p.min() < 1e-4), int(windows.rows_in(windows.p < 1e-4).sum())
    (True, 12)
    """
    timed = ~np.isnan(rows.opened)
    sent, opened = _Axis.of(rows, "sent", timed), _Axis.of(rows, "opened", timed)
    start = sent.starts(np.arange(sent.order.size), SENDING_SECONDS, LEAST_COUNT)
    group, moment = sent.group[start], sent.moment[start]
    stop = sent.places(group, moment + SENDING_SECONDS, "right")
    open_in_it = opened.places(group, moment + SENDING_SECONDS, "right") - sent.places(group, moment, "left")
    return [
        _windows(
            rows,
            sent,
            (start, stop),
            count=stop - start,
            answers=open_in_it,
            chance=SENDING_CHANCE,
            bears=timed,
        )
    ]


def opened_at_once(rows: Sendings) -> list[Windows]:
    """Return windows in which more forms were opened at once than people at a meeting can scan one code."""
    timed = ~np.isnan(rows.opened)
    opened = _Axis.of(rows, "opened", timed)
    start = opened.starts(np.arange(opened.order.size), OPENING_SECONDS, LARGEST_MEETING + 1)
    group, moment = opened.group[start], opened.moment[start]
    stop = opened.places(group, moment + OPENING_SECONDS, "right")
    first = opened.places(group, moment - OPENING_SURROUNDINGS, "left")
    last = opened.places(group, moment + OPENING_SURROUNDINGS, "right")
    return [
        _windows(
            rows,
            opened,
            (start, stop),
            count=stop - start,
            answers=last - first,
            chance=OPENING_CHANCE,
            bears=timed,
        )
    ]


def kept_open(rows: Sendings, habits: Habits) -> list[Windows]:
    """Return windows in which too many forms were kept open for long: of all rows, and of those that share a line."""
    bounds = (
        RARE_CHANCE if habits.keeps_open_rarely else KEPT_CHANCE,
        VERY_LONG_CHANCE,
        RARE_CHANCE,
        KEPT_CHANCE,
    )
    elsewhere = habits.timed - _by_community(rows, ~np.isnan(rows.opened))
    found = []
    for (kept, among), bound, everywhere in zip(_kept_traces(rows), bounds, habits.kept, strict=True):
        # Those over shared lines too are compared with all lines elsewhere.
        chance = _raised(bound, _share(everywhere - _by_community(rows, kept), elsewhere))[rows.community]
        found.append(_scan(rows, _Axis.of(rows, "sent", among), kept & among, KEPT_WINDOWS, chance))
    return found


def _kept_traces(rows: Sendings) -> Sequence[tuple[BooleanArray, BooleanArray]]:
    """Return for each test of forms kept open which rows were, and among which rows they are counted."""
    timed = ~np.isnan(rows.opened)
    shared = timed & rows.shares_line
    duration = np.nan_to_num(rows.sent - rows.opened)
    return [
        (duration > seconds, among)
        for seconds, among in (
            (KEPT_SECONDS, timed),
            (VERY_LONG_SECONDS, timed),
            (KEPT_SECONDS, shared),
            (LONG_SECONDS, shared),
        )
    ]


def alike_durations(rows: Sendings, habits: Habits) -> list[Windows]:
    """Return windows in which too many forms took equally long: of classes of durations, and of classes between them.

    Examples
    --------
    Forty forms, each sent 90 to 92 seconds after it was opened, nine minutes after the one before.

    >>> zeros, opened = np.zeros(40, dtype=np.int64), np.arange(40) * 540.0
    >>> rows = Sendings(zeros, zeros - 1, opened, opened + 90.5 + np.arange(40) % 2, zeros > 0)
    >>> found = alike_durations(rows, habits_of([rows]))
    >>> bool(min(windows.p.min() for windows in found) < 1e-20)
    True
    """
    timed = ~np.isnan(rows.opened)
    everybody, found = _Axis.of(rows, "sent", timed), []
    for kind, of_kind in zip(_kinds(rows), habits.alike, strict=True):
        kinds = _Axis.of(rows, "sent", timed, within=kind)
        chance = _raised(ALIKE_CHANCE, _share_of_kind_elsewhere(rows, kind, timed, of_kind))
        found.append(_scan(rows, kinds, timed, ALIKE_WINDOWS, chance, among=everybody))
    return found


def _kinds(rows: Sendings) -> Sequence[IntegerArray]:
    """Return the kinds of durations, from 0: classes of equal ratio, and classes between them."""
    duration = np.maximum(np.nan_to_num(rows.sent - rows.opened), ALIKE_SECONDS)
    position = np.log(duration) / np.log(ALIKE_RATIO)
    return [np.floor(position + offset).astype(np.int64) for offset in ALIKE_OFFSETS]


def even_gaps(rows: Sendings, habits: Habits) -> list[Windows]:
    """Return windows in which too many forms were sent, or opened, at even intervals: of communities, and of lines."""
    return [
        _even_windows(rows, moments, line, among, tick)
        for (moments, line, among), tick in zip(_even_traces(rows), habits.ticks, strict=True)
    ]


def _even_traces(rows: Sendings) -> Sequence[tuple[_Moments, IntegerArray | None, BooleanArray]]:
    """Return for each test of even gaps the times that it looks at, the labels within which, and of which rows."""
    timed = ~np.isnan(rows.opened)
    everybody = np.ones(timed.size, dtype=bool)
    times: tuple[tuple[_Moments, BooleanArray], ...] = (("sent", everybody), ("opened", timed))
    return [
        (moments, line, among & known)
        for moments, known in times
        for line, among in ((None, everybody), (rows.line, rows.line >= 0))
    ]


def _even_windows(
    rows: Sendings, moments: _Moments, line: IntegerArray | None, among: BooleanArray, tick: float
) -> Windows:
    axis = _Axis.of(rows, moments, among, within=line)
    gap = np.where(np.diff(axis.group, prepend=-1) == 0, np.diff(axis.moment, prepend=0.0), np.nan)
    before = np.r_[np.nan, gap[:-1]][: gap.size]
    with np.errstate(divide="ignore", invalid="ignore"):
        is_even = np.abs(np.log(gap / before)) < np.log(EVEN_RATIO)
    is_even &= np.fmin(gap, before) >= EVEN_TICKS * tick
    even, bounds = np.zeros((2, among.size), dtype=bool)
    even[axis.order[is_even]] = True
    found = _scan(rows, axis, even, EVEN_WINDOWS, np.full(among.size, EVEN_CHANCE))
    # Both gaps have an answer at each of their ends.
    for earlier in range(3):
        bounds[axis.order[np.flatnonzero(is_even) - earlier]] = True
    return replace(found, start=found.start - 2, bears=bounds)


@dataclass(frozen=True)
class _Axis:
    """Chosen rows in the order of communities, of a label within them, and of a time within that."""

    order: IntegerArray
    group: IntegerArray
    moment: FloatArray
    span: float

    @classmethod
    def of(
        cls, rows: Sendings, moments: _Moments, chosen: BooleanArray, *, within: IntegerArray | None = None
    ) -> "_Axis":
        ordered = rows.by_sent if moments == "sent" else rows.by_opened
        order = ordered[chosen[ordered]]
        group = rows.community[order]
        if within is not None:
            inner = within[order] - within.min(initial=0)
            label = group * (inner.max(initial=0) + 1) + inner
            by_label = np.argsort(label, kind="stable")
            order = order[by_label]
            group = np.cumsum(np.diff(label[by_label], prepend=label.min(initial=0)) != 0)
        first, last = rows.first_and_last
        # Groups lie one after another on one line, so far apart that no window reaches into the next.
        span = last - first + 2 * LONGEST_WINDOW if rows.sent.size else 1.0
        return cls(order, group, getattr(rows, moments)[order] - first, span)

    @cached_property
    def position(self) -> FloatArray:
        """Where each row lies on the line of all groups."""
        return np.asarray(self.group * self.span + self.moment, dtype=np.float64)

    def positions(self, group: IntegerArray, moment: FloatArray) -> FloatArray:
        """Return where moments of groups lie on the line of all groups."""
        reached = np.clip(moment, -LONGEST_WINDOW, self.span - LONGEST_WINDOW)
        return np.asarray(group * self.span + reached, dtype=np.float64)

    def places(self, group: IntegerArray, moment: FloatArray, side: Literal["left", "right"]) -> IntegerArray:
        """Return before which place of this axis moments of groups lie."""
        return np.searchsorted(self.position, self.positions(group, moment), side=side).astype(np.int64)

    def starts(self, places: IntegerArray, width: float, least: int) -> IntegerArray:
        """Return those of the places from which a window of this width holds at least so many of them.

        Hardly any does among honest people, and only these need be searched for.
        """
        first, last = places[: max(places.size - least + 1, 0)], places[least - 1 :]
        return first[self.position[last] <= self.positions(self.group[first], self.moment[first] + width)]


def _scan(
    rows: Sendings,
    axis: _Axis,
    bears: BooleanArray,
    widths: Sequence[float],
    chance: FloatArray,
    *,
    among: _Axis | None = None,
) -> Windows:
    """Scan windows that begin with an answer that bears the trace; `among` counts all answers, not those of a label."""
    bearing = np.flatnonzero(bears[axis.order])
    so_far = np.r_[0, np.cumsum(bears[axis.order])]
    parts = []
    for width in widths:
        start = axis.starts(bearing, width, LEAST_COUNT)
        moment = axis.moment[start]
        stop = axis.places(axis.group[start], moment + width, "right")
        if among is None:
            answers = stop - start
        else:
            home = rows.community[axis.order[start]]
            answers = among.places(home, moment + width, "right") - among.places(home, moment, "left")
        parts.append((start, stop, so_far[stop] - so_far[start], answers))
    start, stop, count, answers = (np.concatenate(column) for column in zip(*parts, strict=True))
    of_window = chance[axis.order[start]]
    return _windows(
        rows,
        axis,
        (start, stop),
        count=count,
        answers=answers,
        chance=of_window,
        bears=bears,
        widths=len(widths),
    )


def _windows(
    rows: Sendings,
    axis: _Axis,
    span: tuple[IntegerArray, IntegerArray],
    *,
    count: IntegerArray,
    answers: IntegerArray,
    chance: npt.ArrayLike,
    bears: BooleanArray,
    widths: int = 1,
) -> Windows:
    expected = answers * np.asarray(chance)
    kept = (count >= LEAST_COUNT) & (count > expected)
    start, stop, count, answers, expected = (values[kept] for values in (*span, count, answers, expected))
    community = rows.community[axis.order[start]]
    tested = widths * np.bincount(rows.community[axis.order], minlength=1)
    tail = special.betainc(count, answers - count + 1.0, expected / np.maximum(answers, 1))
    p = np.minimum(1.0, tail * tested[community])
    return Windows(community, count.astype(np.float64), expected, p, start, stop, axis.order, bears)


def _by_community(rows: Sendings, chosen: BooleanArray) -> IntegerArray:
    size = int(rows.community.max(initial=-1)) + 1
    return np.bincount(rows.community[chosen], minlength=size).astype(np.int64)


def _is_rare(bearing: IntegerArray, answers: IntegerArray) -> bool:
    """Return whether a trace is known to be rare: in 19 of 20 communities at most half as frequent as `RARE_CHANCE`."""
    known = answers >= ANSWERS_TO_KNOW
    if np.count_nonzero(known) < COMMUNITIES_TO_KNOW:
        return False
    share = bearing[known] / answers[known]
    return bool(np.quantile(share, NEARLY_ALL_COMMUNITIES) <= RARE_CHANCE / 2)


def _share_of_kind_elsewhere(
    rows: Sendings, kind: IntegerArray, among: BooleanArray, of_kind: IntegerArray
) -> FloatArray:
    """Return for each row the share of the other communities' answers that are of its kind; 0 if they are few."""
    label = np.where(among, kind, 0)
    own = rows.community * of_kind.size + label
    of_own = np.bincount(own[among], minlength=int(own.max(initial=0)) + 1)[own]
    everywhere = np.append(of_kind, 0)[label]
    return _share(everywhere - of_own, of_kind.sum() - _by_community(rows, among)[rows.community])


def _share(part: IntegerArray, whole: IntegerArray) -> FloatArray:
    return np.where(whole >= FEWEST_ELSEWHERE, part / np.maximum(whole, 1), 0.0)


def _raised(bound: float, elsewhere: FloatArray) -> FloatArray:
    return np.clip(2 * elsewhere, bound, MOST_CHANCE)
