"""Answer tables: how one community answered each question, without small numbers and what would give them away."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from analytics.disclosure.linked_numbers import Number, Sum, hidden_numbers
from analytics.disclosure.rules import DisclosureRules
from analytics.disclosure.suppression import can_be_shown, hidden_in_breakdowns
from analytics.rules import Rules
from analytics.statistics.validation import BooleanArray, IntegerArray

Counts = Mapping[int, int | None]
"""Numbers of people by the code of their answer; None where the number is withheld."""


class Official(StrEnum):
    """Measure whose score of a ranked community is public, as rule files name it.

    With the rate the numbers of valid and of satisfied answers are public, with the others the number of valid ones.
    """

    RATE = "satisfaction_rate"
    INDEX = "satisfaction_index"
    COMPOSITE = "composite"

    @classmethod
    def of(cls, rules: Rules, *, is_ranked: bool) -> "Official | None":
        """Return the measure by which the rules rank a community, None where they do not rank it."""
        return cls(rules.satisfaction.measure) if is_ranked else None


def are_all_shown(ratings: Collection[int], *, rules: DisclosureRules) -> bool:
    """Return whether how many gave each rating may be shown, and so whatever is computed from them, such as a mean.

    Parameters
    ----------
    ratings : collection of int
        How many gave each valid answer.
    rules : DisclosureRules

    Returns
    -------
    bool
        Whether each was given by nobody or by `minimum_cell` or more, and by `minimum_base` together.

    Examples
    --------
    >>> from datetime import date
    >>> from analytics.disclosure.rules import rules_in_force
    >>> rules = rules_in_force(date(2026, 9, 30))
    >>> are_all_shown([30, 8, 0], rules=rules), are_all_shown([30, 8, 1], rules=rules), are_all_shown([9], rules=rules)
    (True, False, False)
    """
    is_any_few = any(0 < number < rules.minimum_cell for number in ratings)
    return not is_any_few and sum(ratings) >= rules.minimum_base


def are_told_through(steps: Iterable[tuple[IntegerArray, Sequence[int]]], *, rules: DisclosureRules) -> BooleanArray:
    """Return in which communities an opinion is shown to which a row of questions leads.

    Parameters
    ----------
    steps : iterable of tuple
        For each question in order, how many of each community gave each code, shape (communities, codes), and the
        columns of the codes that lead on; of the last one the opinion itself.
    rules : DisclosureRules

    Returns
    -------
    array of bool, shape (communities,)
        Whether `AnswerTable.opinion` shows all of these codes.

    Examples
    --------
    >>> from datetime import date
    >>> from analytics.disclosure.rules import rules_in_force
    >>> trouble, complained = np.array([[40, 12, 9], [40, 12, 9]]), np.array([[30, 10], [37, 3]])
    >>> are_told_through([(trouble, [0]), (complained, [0])], rules=rules_in_force(date(2026, 9, 30))).tolist()
    [True, False]
    """
    told: BooleanArray | None = None
    for counts, columns in steps:
        hidden = hidden_in_breakdowns(counts, rules=rules)[:, list(columns)].any(axis=1)
        here = ~hidden & (counts.sum(axis=1) >= rules.minimum_opinion_base)
        told = here if told is None else told & here
    if told is None:
        raise ValueError("an opinion is given to one question at least")
    return told


def are_shares_told(satisfied: IntegerArray, valid: IntegerArray, *, rules: DisclosureRules) -> BooleanArray:
    """Return of which communities the share of satisfied answers is shown, to a question that ranks nobody in public.

    Parameters
    ----------
    satisfied, valid : array of int, shape (communities, ...)
        How many are satisfied, of how many valid answers.
    rules : DisclosureRules

    Returns
    -------
    array of bool, same shape
        Whether `AnswerTable.rated` shows both numbers, however the answers are divided among the codes.

    Examples
    --------
    >>> from datetime import date
    >>> from analytics.disclosure.rules import rules_in_force
    >>> rules = rules_in_force(date(2026, 9, 30))
    >>> are_shares_told(np.array([38, 43, 45, 8]), np.array([45, 45, 45, 8]), rules=rules).tolist()
    [True, False, True, False]
    """
    parts = np.column_stack([satisfied.ravel(), (valid - satisfied).ravel()])
    hidden = hidden_in_breakdowns(parts, rules=rules).any(axis=1)
    told: BooleanArray = np.logical_not(hidden).reshape(satisfied.shape)
    return told


@dataclass(frozen=True)
class Rated:
    """Answers on the scale of satisfaction: all codes or none but those that follow, and how many are satisfied.

    `valid` of them gave a rating, `satisfied` a satisfied one; each is None where it is withheld. `is_whole`: whether
    every code is shown because none was given by few, so that whatever is computed from the codes may be shown too.
    """

    counts: Counts
    valid: int | None
    satisfied: int | None
    is_whole: bool


@dataclass
class AnswerTable:
    """The answers of one community, question by question in the order of the questionnaire.

    The order matters: what nobody but those with one answer was asked is shown only where that answer is. Every page
    and file that shows any of a community's answers shows those of this table.
    """

    rules: DisclosureRules
    _shown: dict[str, Counts] = field(default_factory=dict)

    def rated(
        self,
        question: str,
        counts: Mapping[int, int],
        satisfied: Collection[int],
        valid: Collection[int],
        *,
        official: Official | None = None,
    ) -> Rated:
        """Return what is shown of a question on the scale of satisfaction.

        Parameters
        ----------
        question : str
        counts : mapping of int to int
            How many gave each code, every code of the question.
        satisfied, valid : collection of int
            The codes of satisfied and of valid answers.
        official : Official, optional
            The measure by which the answers to this question rank the community in public.

        Returns
        -------
        Rated
            Below `minimum_base` valid answers nothing is shown. Else how many are satisfied is shown where that is
            official, or neither they nor the others are few; the single codes only where each valid one was given by
            nobody or by `minimum_cell` or more, or where it follows from what is shown. A code that is no valid answer
            says nothing of the service: it is shown wherever the number of valid answers is.

        Notes
        -----
        `linked_numbers.hidden_numbers` decides, by these sums: valid answers are satisfied ones and others, each of
        which are those of their codes. By the index the satisfied ones are shown only with the codes: together with the
        score they would bound them.

        Examples
        --------
        >>> from datetime import date
        >>> from analytics.disclosure.rules import rules_in_force
        >>> table = AnswerTable(rules_in_force(date(2026, 9, 30)))
        >>> scale = {5, 4}, {5, 4, 3, 2, 1}
        >>> table.rated("q02", {5: 30, 4: 8, 3: 6, 2: 1, 1: 0, 9: 0}, *scale)
        Rated(counts={5: None, 4: None, 3: None, 2: None, 1: None, 9: 0}, valid=45, satisfied=38, is_whole=False)
        >>> table.rated("q01", {5: 44, 4: 3, 3: 0, 2: 0, 1: 0, 9: 2}, *scale, official=Official.RATE)
        Rated(counts={5: None, 4: None, 3: 0, 2: 0, 1: 0, 9: 2}, valid=47, satisfied=47, is_whole=False)
        """
        given = sum(counts[code] for code in valid)
        good = sum(counts[code] for code in satisfied)
        if given < self.rules.minimum_base:
            self._shown[question] = dict.fromkeys(counts)
            return Rated(self._shown[question], None, None, is_whole=False)
        codes = {f"{code}": code for code in counts if code in valid}
        numbers = {
            "valid": Number(given, is_public=official is not None),
            "satisfied": Number(
                good,
                block="codes" if official is Official.INDEX else "",
                is_public=official is Official.RATE,
            ),
            "others": Number(given - good, is_offered=False),
            **{name: Number(counts[code], block="codes") for name, code in codes.items()},
        }
        sums = [
            Sum("valid", ("satisfied", "others")),
            Sum("satisfied", [name for name, code in codes.items() if code in satisfied]),
            Sum("others", [name for name, code in codes.items() if code not in satisfied]),
        ]
        hidden = hidden_numbers(numbers, sums, rules=self.rules)
        offered = [name for name, number in numbers.items() if number.is_offered]
        shown = {name: numbers[name].value for name in offered if name not in hidden}
        self._shown[question] = {
            code: shown.get(f"{code}") if code in valid else number if "valid" in shown else None
            for code, number in counts.items()
        }
        is_whole = are_all_shown([counts[code] for code in valid], rules=self.rules)
        return Rated(self._shown[question], shown.get("valid"), shown.get("satisfied"), is_whole)

    def opinion(self, question: str, counts: Mapping[int, int], asked_after: Mapping[str, Collection[int]]) -> Counts:
        """Return what is shown of a question with one answer each.

        Parameters
        ----------
        question : str
        counts : mapping of int to int
            As above.
        asked_after : mapping of str to collection of int
            Earlier questions with the codes that lead to this one.

        Returns
        -------
        Counts
            Nothing below `minimum_opinion_base` answers, or where an answer that led to the question is withheld: who
            was asked would tell it. Else all but small numbers, and with them the next lowest.

        Examples
        --------
        >>> from datetime import date
        >>> from analytics.disclosure.rules import rules_in_force
        >>> table = AnswerTable(rules_in_force(date(2026, 9, 30)))
        >>> table.opinion("q17", {1: 40, 2: 12, 9: 3}, {})
        {1: 40, 2: None, 9: None}
        >>> table.opinion("q18", {1: 31, 2: 9}, {"q17": [1]})
        {1: 31, 2: 9}
        >>> table.opinion("q22", {1: 7, 2: 0}, {})
        {1: None, 2: None}
        """
        self._shown[question] = dict.fromkeys(counts)
        if self._may_be_told(sum(counts.values()), asked_after):
            [hidden] = hidden_in_breakdowns(np.array([list(counts.values())]), rules=self.rules).tolist()
            self._shown[question] = {
                code: None if is_hidden else number
                for (code, number), is_hidden in zip(counts.items(), hidden, strict=True)
            }
        return self._shown[question]

    def choices(
        self, question: str, counts: Mapping[int, int], answered: int, asked_after: Mapping[str, Collection[int]]
    ) -> Counts:
        """Return what is shown of a question with several answers each.

        Parameters
        ----------
        question, counts, asked_after
            As above.
        answered : int
            How many people answered it.

        Returns
        -------
        Counts
            As `opinion`, but that each code is withheld by itself, where few gave it or few did not.

        Examples
        --------
        >>> from datetime import date
        >>> from analytics.disclosure.rules import rules_in_force
        >>> table = AnswerTable(rules_in_force(date(2026, 9, 30)))
        >>> table.choices("q19", {1: 33, 2: 20, 3: 2}, 35, {})
        {1: None, 2: 20, 3: None}
        """
        told = self._may_be_told(answered, asked_after)
        self._shown[question] = {
            code: number if told and can_be_shown(number, answered, rules=self.rules) else None
            for code, number in counts.items()
        }
        return self._shown[question]

    def _may_be_told(self, answered: int, asked_after: Mapping[str, Collection[int]]) -> bool:
        led = all(
            self._shown.get(earlier, {}).get(code) is not None
            for earlier, codes in asked_after.items()
            for code in codes
        )
        return led and answered >= self.rules.minimum_opinion_base
