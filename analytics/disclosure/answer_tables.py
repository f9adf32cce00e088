"""Answer tables: how one community answered each question, without small numbers and what would give them away."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pandas as pd

from analytics.disclosure.rules import DisclosureRules
from analytics.disclosure.suppression import can_be_shown, suppress_counts

Counts = Mapping[int, int | None]
"""Numbers of people by the code of their answer; None where the number is withheld."""


@dataclass(frozen=True)
class Rated:
    """Answers on the scale of satisfaction: all codes or none, and with none how many are satisfied.

    `valid` of them gave a rating, `satisfied` a satisfied one; both are None where that is withheld.
    """

    counts: Counts
    valid: int | None
    satisfied: int | None


@dataclass
class AnswerTable:
    """The answers of one community, question by question in the order of the questionnaire.

    The order matters: what nobody but those with one answer was asked is shown only where that answer is.
    """

    rules: DisclosureRules
    _shown: dict[str, Counts] = field(default_factory=dict)

    def rated(
        self, question: str, counts: Mapping[int, int], satisfied: Collection[int], valid: Collection[int]
    ) -> Rated:
        """Return what is shown of a question on the scale of satisfaction.

        Parameters
        ----------
        question : str
        counts : mapping of int to int
            How many gave each code, every code of the question.
        satisfied, valid : collection of int
            The codes of satisfied and of valid answers.

        Returns
        -------
        Rated
            Below `minimum_base` valid answers nothing is shown. How many are satisfied is shown where neither they nor
            the others are few; the single codes only where each was given by nobody or by `minimum_cell` or more. To
            hide just some of them would not do: ranks are published with the number of those satisfied.

        Examples
        --------
        >>> from datetime import date
        >>> from analytics.disclosure.rules import rules_in_force
        >>> table = AnswerTable(rules_in_force(date(2026, 9, 30)))
        >>> table.rated("q02", {5: 30, 4: 8, 3: 6, 2: 1, 1: 0, 9: 0}, {5, 4}, {5, 4, 3, 2, 1})
        Rated(counts={5: None, 4: None, 3: None, 2: None, 1: None, 9: None}, valid=45, satisfied=38)
        """
        given = sum(counts[code] for code in valid)
        good = sum(counts[code] for code in satisfied)
        is_base = given >= self.rules.minimum_base
        whole = is_base and not any(self._is_few(number) for number in counts.values())
        self._shown[question] = {code: number if whole else None for code, number in counts.items()}
        tells_satisfied = is_base and can_be_shown(good, given, rules=self.rules)
        return Rated(self._shown[question], given if is_base else None, good if tells_satisfied else None)

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
            shown = suppress_counts(pd.Series(dict(counts)), rules=self.rules)
            self._shown[question] = {
                code: None if pd.isna(number) else int(number) for code, number in zip(counts, shown, strict=True)
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

    def _is_few(self, number: int) -> bool:
        return 0 < number < self.rules.minimum_cell
