"""Privacy promises: what is kept of persons, what for and until when, read from the file that the notices come from."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from analytics.files.yaml_documents import Document
from analytics.files.yaml_nodes import Node, note_repeats
from analytics.languages import Wording
from survey_app.config import DATA

FORMAT = "jiayuan-privacy-1"

Columns = Mapping[str, tuple[str, ...]]


class Concerned(StrEnum):
    """Whom a promise is made to."""

    SURVEY = "survey"  # who answers the survey
    COMPLAINT = "complaint"  # who files a complaint
    EVERYBODY = "everybody"
    STAFF = "staff"


class End(StrEnum):
    """What begins the end of keeping; the file says what each means."""

    HOURS_48 = "hours_48"
    FREEZE = "freeze"
    RETENTION = "retention"
    CONTACT = "contact"
    WORDS = "words"
    UNSENT = "unsent"
    EXPIRY = "expiry"
    JOBS = "jobs"
    KEPT = "kept"


@dataclass(frozen=True)
class Promise:
    """Promise about one kind of personal data: what it is, what for, where it is stored, when it ends."""

    key: str
    of: Concerned
    ends: End
    data: Wording
    purpose: Wording
    kept: Wording
    columns: Columns


@dataclass(frozen=True)
class Promises:
    """All promises of one version, the columns that concern no person, and the fields that the log may hold."""

    version: int
    promises: tuple[Promise, ...]
    not_personal: tuple[Columns, ...]
    log_fields: tuple[str, ...]

    def made_to(self, concerned: Concerned) -> tuple[Promise, ...]:
        """Return the promises to residents who answer or complain, those that are made to everybody last."""
        own = tuple(promise for promise in self.promises if promise.of is concerned)
        return own + tuple(promise for promise in self.promises if promise.of is Concerned.EVERYBODY)


@dataclass(frozen=True)
class Statement:
    """Promise as a notice states it, in one language."""

    data: str
    purpose: str
    kept: str


def statements_to(
    concerned: Concerned, *, language: str, kept_until: str = "", left_out: Collection[str] = ()
) -> list[Statement]:
    """Return what a notice to residents states, in the order of the file; `kept_until` is a day in words."""
    return [
        Statement(
            data=promise.data.in_language(language),
            purpose=promise.purpose.in_language(language),
            kept=promise.kept.in_language(language).replace("{date}", kept_until),
        )
        for promise in promises().made_to(concerned)
        if promise.key not in left_out
    ]


@cache
def promises() -> Promises:
    """Return the promises that this version keeps."""
    return load_promises(DATA / "privacy" / "1.yaml")


def load_promises(path: Path) -> Promises:
    """Return the promises in the file at `path`, or raise `DocumentError` with every fault of it."""
    document = Document(path.read_bytes(), str(path))
    root = Node.root(document)
    root.expect_keys(("format", "version", "promises", "not_personal", "log_fields"))
    root["format"].expect(FORMAT)
    nodes = root["promises"].items(least=1)
    note_repeats((node["key"] for node in nodes), "promise {value} stands here twice")
    found = Promises(
        version=root["version"].integer(1, 999),
        promises=tuple(_read_promise(node) for node in nodes),
        not_personal=tuple(_read_reason(node) for node in root["not_personal"].items(least=1)),
        log_fields=tuple(node.text() for node in root["log_fields"].items(least=1)),
    )
    document.raise_faults()
    return found


def _read_promise(node: Node) -> Promise:
    node.expect_keys(("key", "of", "ends", "data", "purpose", "kept", "columns"))
    return Promise(
        key=node["key"].name("[a-z][a-z_]*"),
        of=node["of"].choice(tuple(Concerned)),
        ends=node["ends"].choice(tuple(End)),
        data=node["data"].only_wording(),
        purpose=node["purpose"].only_wording(),
        kept=node["kept"].only_wording(),
        columns=_read_columns(node["columns"]),
    )


def _read_reason(node: Node) -> Columns:
    node.expect_keys(("why", "columns"))
    node["why"].text()
    return _read_columns(node["columns"])


def _read_columns(node: Node) -> Columns:
    return {table: tuple(column.text() for column in columns.items(least=1)) for table, columns in node.entries()}
