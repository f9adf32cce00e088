"""Disclosure rules: the dated minimums below which counts of people are not shown, read from a rule file."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from analytics.files.yaml_documents import Document
from analytics.files.yaml_nodes import Node

FORMAT: Final = "jiayuan-disclosure-3"
ISSUED: Final = Path(__file__).parent / "issued"
"""The rule files that come with the program: inside the package, so that every way of installing it brings them."""

# Of two people who are counted together each knows the other's answer: three are the fewest that hide anybody.
_LEAST: Final = 3
_GREATEST: Final = 1000
_KEYS: Final = (
    "format",
    "issuer",
    "basis",
    "effective_from",
    "minimum_base",
    "minimum_cell",
    "minimum_range",
    "minimum_opinion_base",
)


class NoDisclosureRules(LookupError):
    """No disclosure rules are in force on a day: it lies before the first of them.

    Attributes
    ----------
    day : date
    """

    def __init__(self, day: date) -> None:
        super().__init__(f"no disclosure rules are in force on {day}")
        self.day = day


@dataclass(frozen=True)
class DisclosureRules:
    """Which counts of people are too small to be shown.

    Attributes
    ----------
    issuer, basis : str
        Who set the rules, and on what ground.
    effective_from : date
        The local day from which evaluations are shown by them.
    minimum_base : int
        The fewest people whose answers are broken down, at least `minimum_cell`; also the fewest by which two counts of
        the same people may differ where both are shown, since who subtracts one from the other reads the difference.
    minimum_cell : int
        The smallest count other than zero that a breakdown shows, at least 3.
    minimum_range : int
        How far apart the least and the greatest number must be that a hidden one could be for a reader who knows all
        that is shown, at least 1 and at most `minimum_cell`. Where official results alone leave less, that is left.
    minimum_opinion_base : int
        The fewest people of a community whose opinions are told of it, at least `minimum_base`: whether they had
        trouble, complained, were told how to answer, what they wish for, and what they wrote.
    """

    issuer: str
    basis: str
    effective_from: date
    minimum_base: int
    minimum_cell: int
    minimum_range: int
    minimum_opinion_base: int


def rules_in_force(day: date) -> DisclosureRules:
    """Return the disclosure rules that come with the program and are in force on a day.

    Parameters
    ----------
    day : date
        The local day on which an evaluation was made, or on which other figures are handed out.

    Returns
    -------
    DisclosureRules
        Those with the latest effective day that is not after `day`.

    Raises
    ------
    NoDisclosureRules
        If `day` lies before all of them.
    DocumentError
        If an issued file cannot be used.

    Notes
    -----
    What is shown of an evaluation goes by the day on which it was made, not by the day on which it is looked at. One
    table suppressed by two rules hides different cells, and who holds both versions can subtract one from the other.

    Examples
    --------
    >>> rules = rules_in_force(date(2026, 9, 30))
    >>> rules.minimum_base, rules.minimum_cell, rules.minimum_range, rules.minimum_opinion_base
    (10, 5, 3, 30)
    """
    in_force = [rules for rules in _issued_rules() if rules.effective_from <= day]
    if not in_force:
        raise NoDisclosureRules(day)
    return max(in_force, key=lambda rules: rules.effective_from)


def load_disclosure_rules(paths: Iterable[Path]) -> tuple[DisclosureRules, ...]:
    """Return the disclosure rules of some files, in their order.

    Parameters
    ----------
    paths : iterable of Path
        Rule files, each named after the day from which it holds, ``<date>.yaml``.

    Returns
    -------
    tuple of DisclosureRules

    Raises
    ------
    DocumentError
        At the first file that cannot be used, with every fault found in it.

    Examples
    --------
    >>> [rules.effective_from.isoformat() for rules in load_disclosure_rules(sorted(ISSUED.glob("*.yaml")))]
    ['2021-08-23']
    """
    return tuple(parse_disclosure_rules(path.read_bytes(), path.name) for path in paths)


def parse_disclosure_rules(content: bytes, source: str) -> DisclosureRules:
    """Return the disclosure rules in the text of a YAML file.

    Parameters
    ----------
    content : bytes
        UTF-8; every key of an issued file is required.
    source : str
        The file's name, for messages.

    Returns
    -------
    DisclosureRules

    Raises
    ------
    DocumentError
        With every fault found in the file: a key that is missing or not known, text that is empty, a number out of
        its range, a minimum base below the minimum cell, a minimum range above it, a minimum base of opinions below the
        minimum base.

    Examples
    --------
    >>> text = '''
    ... format: jiayuan-disclosure-3
    ... issuer: The bureau
    ... basis: Decision 7
    ... effective_from: 2027-01-01
    ... minimum_base: 20
    ... minimum_cell: 2
    ... minimum_range: 2
    ... minimum_opinion_base: 30
    ... '''
    >>> parse_disclosure_rules(text.encode(), "r.yaml")
    Traceback (most recent call last):
    ...
    analytics.files.yaml_documents.DocumentError: r.yaml:7:15: minimum_cell: this must lie between 3 and 1000, it is 2
    """
    document = Document(content, source)
    root = Node.root(document)
    root.expect_keys(_KEYS)
    root["format"].expect(FORMAT)
    minimum_cell = root["minimum_cell"].integer(_LEAST, _GREATEST)
    minimum_base = root["minimum_base"].integer(minimum_cell, _GREATEST)
    rules = DisclosureRules(
        issuer=root["issuer"].text(),
        basis=root["basis"].text(),
        effective_from=root["effective_from"].day(),
        minimum_base=minimum_base,
        minimum_cell=minimum_cell,
        minimum_range=root["minimum_range"].integer(1, minimum_cell),
        minimum_opinion_base=root["minimum_opinion_base"].integer(minimum_base, _GREATEST),
    )
    document.raise_faults()
    return rules


@cache
def _issued_rules() -> tuple[DisclosureRules, ...]:
    return load_disclosure_rules(sorted(ISSUED.glob("*.yaml")))
