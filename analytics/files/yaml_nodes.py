"""Typed reading of YAML definition files; every fault is recorded with its place and reading goes on.

Rule files, questionnaires and lists of categories are all read through `Node`.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, TypeVar

from analytics.files.written_text import DIRECTION_MARKS, is_blank
from analytics.files.yaml_documents import Document
from analytics.languages import LANGUAGES, Wording

_Choice = TypeVar("_Choice", bound=str)

_MISSING: Final = object()
_UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})


@dataclass(frozen=True)
class Node:
    """One value of a YAML document and its path, with typed readers.

    If a value has another form, its reader records the fault and returns a harmless value; the caller raises once,
    at the end. A missing key reads as empty, and if it is required only `expect_keys` reports it, so that nothing is
    reported twice.
    """

    document: Document
    path: tuple[str | int, ...]
    value: object

    @classmethod
    def root(cls, document: Document) -> "Node":
        return cls(document, (), document.root)

    def __getitem__(self, key: str) -> "Node":
        value = self.value.get(key, _MISSING) if isinstance(self.value, dict) else _MISSING
        return Node(self.document, (*self.path, key), value)

    @property
    def exists(self) -> bool:
        return self.value is not _MISSING

    def fault(self, message: str, **facts: object) -> None:
        self.document.fault(message, self.path, **facts)

    def expect_keys(self, required: Collection[str], optional: Collection[str] = ()) -> None:
        """Record a fault for every missing key and every unknown key."""
        if not self.exists:
            return
        if not isinstance(self.value, dict):
            self.fault("this must hold keys with values")
            return
        for key in required:
            if key not in self.value:
                self[key].fault("this key is missing")
        for key in self.value:
            if key not in required and key not in optional:
                Node(self.document, (*self.path, key), None).fault("this key is not known here")

    def entries(self) -> Iterator[tuple[str, "Node"]]:
        """Yield the keys of a mapping, as text, with their values."""
        if isinstance(self.value, dict):
            for key, value in self.value.items():
                yield str(key), Node(self.document, (*self.path, key), value)
        elif self.exists:
            self.fault("this must hold keys with values")

    def items(self, least: int = 0) -> list["Node"]:
        """Return the items of a list, which must have at least `least` of them."""
        if not self.exists:
            return []
        if not isinstance(self.value, list):
            self.fault("this must be a list")
            return []
        if len(self.value) < least:
            self.fault("this list needs at least {least}, it has {count}", least=least, count=len(self.value))
        return [Node(self.document, (*self.path, index), value) for index, value in enumerate(self.value)]

    def text(self) -> str:
        if not self.exists:
            return ""
        if not isinstance(self.value, str):
            # YAML reads a bare Yes, No, On or 12 as something else.
            self.fault("this must be text: put it in quotes")
            return ""
        strict = self.document.strict
        if is_blank(self.value) if strict else not self.value.strip():
            self.fault("this text is empty")
        turning = next((sign for sign in self.value if sign in DIRECTION_MARKS), None)
        if strict and turning is not None:
            self.fault("this text holds {sign}, which turns the text after it: remove it", sign=f"U+{ord(turning):04X}")
        if any(character != "\n" and unicodedata.category(character) in _UNSEEN for character in self.value):
            # YAML and JSON read them differently, which would give two hashes of one text.
            self.fault("this text holds a control character")
        return self.value.strip()

    def name(self, pattern: str) -> str:
        """Return the text, which must fully match the regular expression `pattern`."""
        text = self.text()
        if text and not re.fullmatch(pattern, text):
            self.fault("{text!r} does not have the form {pattern}", text=text, pattern=pattern)
        return text

    def choice(self, choices: Sequence[_Choice]) -> _Choice:
        """Return the text, which must be one of `choices`."""
        for choice in choices:
            if self.value == choice:
                return choice
        if self.exists:
            known = ", ".join(choices)
            self.fault("this must be one of {choices}, it is {value!r}", choices=known, value=self.value)
        return choices[0]

    def integer(self, least: int, greatest: int) -> int:
        if not self.exists:
            return least
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            self.fault("this must be a whole number, it is {value!r}", value=self.value)
            return least
        return self.value if self._lies_between(self.value, least, greatest) else least

    def number(self, least: float, greatest: float) -> float:
        if not self.exists:
            return least
        if not isinstance(self.value, int | float) or isinstance(self.value, bool):
            self.fault("this must be a number, it is {value!r}", value=self.value)
            return least
        return float(self.value) if self._lies_between(self.value, least, greatest) else least

    def _lies_between(self, number: float, least: float, greatest: float) -> bool:
        """Return whether a number is in range, and record a fault if it is not; NaN is never in range."""
        between = least <= number <= greatest
        if not between:
            self.fault(
                "this must lie between {least} and {greatest}, it is {value}",
                least=least,
                greatest=greatest,
                value=number,
            )
        return between

    def day(self) -> date:
        """Return the calendar day."""
        if isinstance(self.value, date) and not isinstance(self.value, datetime):
            return self.value
        if self.exists:
            self.fault("this must be a date, such as 2021-08-23")
        return date.min

    def flag(self, *, default: bool = False) -> bool:
        if not self.exists:
            return default
        if not isinstance(self.value, bool):
            self.fault("this must be true or false")
        return self.value is True

    def wording(self) -> Wording:
        """Return the text in each language of the site; other keys are left to `expect_keys`."""
        if isinstance(self.value, dict):
            for language in LANGUAGES:
                if not self[language].exists:
                    self[language].fault("the text in {language} is missing", language=language)
        return Wording(zh_hans=self["zh-Hans"].text(), en=self["en"].text())

    def only_wording(self) -> Wording:
        """Return the text in each language of the site; no other keys are allowed."""
        if isinstance(self.value, dict):
            self.expect_keys((), LANGUAGES)
        elif self.exists:
            self.fault("this must hold the text in each of {languages}", languages=", ".join(LANGUAGES))
        return self.wording()

    def expect(self, expected: str) -> None:
        """Record a fault unless the text is `expected`."""
        if self.text() not in {"", expected}:
            self.fault("this must be {expected}", expected=expected)


def note_repeats(nodes: Iterable[Node], message: str) -> None:
    """Record a fault at each node that repeats the text or number of an earlier one."""
    seen: set[str | int] = set()
    for node in nodes:
        if isinstance(node.value, str | int):
            if node.value in seen:
                node.fault(message, value=node.value)
            seen.add(node.value)
