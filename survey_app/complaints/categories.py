"""Complaint categories, read from a definition file."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType

from analytics.files.yaml_documents import Document
from analytics.files.yaml_nodes import Node, note_repeats
from analytics.languages import LANGUAGES, Wording
from survey_app.config import DATA
from survey_app.models.vocabulary import CaseKind

FORMAT = "jiayuan-complaint-categories-1"

_FOLDER = DATA / "complaint-categories"


@dataclass(frozen=True)
class Category:
    """Category of a case: what it is about.

    `safety` gives it the short deadlines, `attributable` counts it in the property company's rate, and
    `bypasses_company` keeps it from the company. `search` holds words for it beyond its name, in every language, and
    `suggests` the kind that a case of it is taken for when its words say nothing else.
    """

    code: str
    name: Wording
    safety: bool
    attributable: bool
    bypasses_company: bool
    suggests: CaseKind
    search: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """Group of categories that residents look for together."""

    code: str
    name: Wording
    categories: tuple[Category, ...]


@dataclass(frozen=True)
class Categories:
    """All categories of one version; iterating yields them group by group."""

    version: int
    groups: tuple[Group, ...]
    words_of_kinds: Mapping[CaseKind, tuple[str, ...]]

    def __iter__(self) -> Iterator[Category]:
        return (category for group in self.groups for category in group.categories)

    @cached_property
    def by_code(self) -> Mapping[str, Category]:
        return MappingProxyType({category.code: category for category in self})

    def suggest_kind(self, category: str, text: str) -> CaseKind:
        """Return the kind that the words of a case suggest, or the usual one of its category; the resident decides."""
        plain = unicodedata.normalize("NFKC", text).casefold()
        # In this order: whoever says that nobody came complains, whatever is broken, and whoever asks says “how”.
        for kind in (CaseKind.COMPLAINT, CaseKind.ENQUIRY, CaseKind.REPAIR):
            if any(word in plain for word in self.words_of_kinds[kind]):
                return kind
        known = self.by_code.get(category)
        return known.suggests if known else CaseKind.COMPLAINT


@cache
def categories() -> Categories:
    """Return the categories that this version files complaints under."""
    return _version(_numbers()[-1])


@cache
def recorded_categories() -> Mapping[str, Category]:
    """Return by code every category that a case on record may have: those of earlier versions too, as last defined."""
    return MappingProxyType({category.code: category for number in _numbers() for category in _version(number)})


def category_of(code: str) -> Category:
    """Return the category that a case on record has; one that no version defines is named by its code."""
    # Most cases have one that is offered: the earlier versions are read when one has none of these.
    known = categories().by_code.get(code) or recorded_categories().get(code)
    return known or Category(
        code=code,
        name=Wording(**dict.fromkeys(("zh_hans", "en"), code)),
        safety=False,
        attributable=False,
        bypasses_company=False,
        suggests=CaseKind.COMPLAINT,
        search=(),
    )


def _numbers() -> Sequence[int]:
    return sorted(int(path.stem) for path in _FOLDER.glob("*.yaml"))


@cache
def _version(number: int) -> Categories:
    return load_categories(_FOLDER / f"{number}.yaml")


def load_categories(path: Path) -> Categories:
    """Return the categories in the file at `path`."""
    return parse_categories(path.read_bytes(), str(path))


def parse_categories(content: bytes, source: str) -> Categories:
    """Return the categories in a YAML file, or raise `DocumentError` with every fault of the file."""
    document = Document(content, source)
    root = Node.root(document)
    root.expect_keys(("format", "version", "kinds", "groups"))
    root["format"].expect(FORMAT)
    groups = root["groups"].items(least=1)
    note_repeats((group["code"] for group in groups), "group {value} stands here twice")
    categories = Categories(
        version=root["version"].integer(1, 999),
        groups=tuple(_read_group(group) for group in groups),
        words_of_kinds=_read_kinds(root["kinds"]),
    )
    document.raise_faults()
    return categories


def _read_kinds(node: Node) -> Mapping[CaseKind, tuple[str, ...]]:
    node.expect_keys(tuple(CaseKind))
    return MappingProxyType({kind: _read_words(node[kind]) for kind in CaseKind})


def _read_group(node: Node) -> Group:
    node.expect_keys(("code", "name", "categories"))
    code = node["code"].name("[A-Z]{2}")
    nodes = node["categories"].items(least=1)
    # A category's code begins with its group's, so codes that differ within a group differ everywhere.
    note_repeats((category["code"] for category in nodes), "category {value} stands here twice")
    categories = tuple(_read_category(category, group_code=code) for category in nodes)
    return Group(code=code, name=node["name"].only_wording(), categories=categories)


def _read_category(node: Node, *, group_code: str) -> Category:
    node.expect_keys(("code", "name", "search"), ("safety", "attributable", "bypasses_company", "suggests"))
    code = node["code"].name("[A-Z]{2}[0-9]{2}")
    if not code.startswith(group_code):
        node["code"].fault("{code} does not begin with the code of its group, {group}", code=code, group=group_code)
    return Category(
        code=code,
        name=node["name"].only_wording(),
        safety=node["safety"].flag(),
        attributable=node["attributable"].flag(default=True),
        bypasses_company=node["bypasses_company"].flag(),
        suggests=node["suggests"].choice(tuple(CaseKind)),
        search=_read_words(node["search"]),
    )


def _read_words(node: Node) -> tuple[str, ...]:
    node.expect_keys(LANGUAGES)
    return tuple(word.text() for language in LANGUAGES for word in node[language].items(least=1))
