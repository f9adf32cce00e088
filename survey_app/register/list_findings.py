"""What a job found in a kept list of communities, as text that a page reads again in any language."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from analytics.canonical import canonical_json
from analytics.files.yaml_documents import Fault
from survey_app.register.communities_file import Header
from survey_app.register.community_imports import ImportResult

MOST_SENTENCES: Final = 200
"""Faults, or new names, that are kept and shown of one list."""

MOST_NOTES: Final = 5
"""Notes on what was left out of a list that are kept and shown."""


@dataclass(frozen=True)
class ListFindings:
    """Faults of a list, its headers that are asked about, or what an import of it changes and has to be confirmed.

    `more` is how many faults or new names are not kept.
    """

    faults: tuple[Fault, ...] = ()
    new_places: tuple[Fault, ...] = ()
    more: int = 0
    notes: tuple[Fault, ...] = ()
    headers: tuple[Header, ...] = ()
    missing: tuple[str, ...] = ()
    result: ImportResult | None = None

    @classmethod
    def of_faults(cls, faults: Sequence[Fault]) -> Self:
        """Return the first faults of a list that cannot be imported."""
        return cls(faults=tuple(faults[:MOST_SENTENCES]), more=max(0, len(faults) - MOST_SENTENCES))

    @classmethod
    def of_comparison(cls, result: ImportResult, *, new_places: Sequence[Fault], notes: Sequence[Fault]) -> Self:
        """Return what an import would change, and the first names that would be new."""
        return cls(
            new_places=tuple(new_places[:MOST_SENTENCES]),
            more=max(0, len(new_places) - MOST_SENTENCES),
            notes=tuple(notes[:MOST_NOTES]),
            result=result,
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the findings that were written as text."""
        stored: Mapping[str, Any] = json.loads(text)
        return cls(
            faults=parse_faults(stored["faults"]),
            new_places=parse_faults(stored["new_places"]),
            more=stored["more"],
            notes=parse_faults(stored["notes"]),
            headers=tuple(Header(*header) for header in stored["headers"]),
            missing=tuple(stored["missing"]),
            result=ImportResult(**stored["result"]) if stored["result"] else None,
        )

    def text(self) -> str:
        """Return the findings as canonical JSON."""
        return canonical_json(
            {
                "faults": written_faults(self.faults),
                "new_places": written_faults(self.new_places),
                "more": self.more,
                "notes": written_faults(self.notes),
                "headers": self.headers,
                "missing": self.missing,
                "result": self.result and asdict(self.result),
            }
        )


def written_faults(faults: Iterable[Fault]) -> list[list[object]]:
    """Return faults as values that have a JSON form."""
    return [[fault.message, _plain(fault.facts), fault.key, fault.line, fault.column] for fault in faults]


def parse_faults(stored: Iterable[Sequence[Any]]) -> tuple[Fault, ...]:
    """Return the faults that were written as values."""
    return tuple(Fault(*parts) for parts in stored)


def _plain(facts: Mapping[str, object]) -> dict[str, object]:
    """Return facts that have a JSON form: numbers of tables and what a file holds need not."""
    return {name: fact if isinstance(fact, str | int | None) else str(fact) for name, fact in facts.items()}
