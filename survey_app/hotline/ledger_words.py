"""Words of the hotline's files, read from a table in the data folder: kinds, categories and statuses."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

from analytics.files.yaml_documents import Document
from analytics.files.yaml_nodes import Node
from survey_app.complaints.categories import Category, categories
from survey_app.config import DATA
from survey_app.models.vocabulary import CaseKind

FORMAT: Final = "jiayuan-hotline-1"
_FOLDER: Final = DATA / "hotline"
# What stands between the parts of a 类型.
_BETWEEN: Final = re.compile(r"[-/\\>|,;:·、—–→_]+")

_Meaning = TypeVar("_Meaning")


class Reached(StrEnum):
    """How far a column 状态 says that a case is."""

    WAITING = "waiting"
    DISPATCHED = "dispatched"
    SIGNED = "signed"
    RETURNED = "returned"
    ANSWERED = "answered"
    ENDED = "ended"
    REDONE = "redone"


@dataclass(frozen=True)
class LedgerWords:
    """What each word of a hotline's file means, by the word as `plain` writes it."""

    kinds: Mapping[str, CaseKind]
    categories: Mapping[str, str]
    statuses: Mapping[str, Reached]

    def category_of(self, written: str) -> tuple[Category, CaseKind] | None:
        """Return the category and kind that a 类型 states, or None where no part of it is known.

        Of several known parts the last is the narrowest. A kind alone is a case of no category: where the table knows
        no more of it, somebody has to.
        """
        whole = plain(written)
        parts = [whole, *(part for part in _BETWEEN.split(whole) if part)]
        codes = [self.categories[part] for part in parts if part in self.categories]
        if not codes:
            return None
        # The whole, where it is known, is narrower than any part of it.
        category = categories().by_code[codes[0] if whole in self.categories else codes[-1]]
        kinds = [self.kinds[part] for part in parts if part in self.kinds]
        return category, kinds[0] if kinds else category.suggests


def plain(written: str) -> str:
    """Return a word as the table is looked up by: capital letters, widths of signs and blanks make no difference.

    >>> plain(" 投诉 － 电梯 ")
    '投诉-电梯'
    """
    return "".join(unicodedata.normalize("NFKC", written).split()).casefold()


@cache
def ledger_words() -> LedgerWords:
    """Return the words of the newest table."""
    newest = max(_FOLDER.glob("*.yaml"), key=lambda path: int(path.stem))
    return load_ledger_words(newest)


def load_ledger_words(path: Path) -> LedgerWords:
    """Return the words of a table, or raise `DocumentError` with every fault of the file."""
    document = Document(path.read_bytes(), str(path))
    root = Node.root(document)
    root.expect_keys(("format", "version", "kinds", "categories", "statuses"))
    root["format"].expect(FORMAT)
    root["version"].integer(1, 999)
    words = LedgerWords(
        kinds=_words(root["kinds"], {kind.value: kind for kind in CaseKind}),
        categories=_words(root["categories"], {code: code for code in categories().by_code}),
        statuses=_words(root["statuses"], {reached.value: reached for reached in Reached}),
    )
    document.raise_faults()
    return words


def _words(node: Node, meanings: Mapping[str, _Meaning]) -> Mapping[str, _Meaning]:
    node.expect_keys((), tuple(meanings))
    found: dict[str, _Meaning] = {}
    for name, listed in node.entries():
        for item in listed.items(least=1):
            word = plain(item.text())
            if word in found:
                item.fault("the word {word} stands here twice", word=word)
            elif name in meanings:
                found[word] = meanings[name]
    return MappingProxyType(found)
