"""What a job found in a hotline's file, as text that a page reads again in any language."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from analytics.canonical import canonical_json
from analytics.files.yaml_documents import Fault
from survey_app.hotline.ledger_plan import LedgerPlan
from survey_app.register.communities_file import Header
from survey_app.register.list_findings import parse_faults, written_faults

MOST_FAULTS: Final = 500
"""Faults that are kept and shown of one file."""


@dataclass(frozen=True)
class LedgerFindings:
    """Faults of a file, its headers that are asked about, or what an import of it changes.

    `more` is how many faults are not kept; `undecided` counts the rows of each name that means no one community.
    """

    faults: tuple[Fault, ...] = ()
    more: int = 0
    notes: tuple[Fault, ...] = ()
    headers: tuple[Header, ...] = ()
    missing: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    undecided: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of_faults(cls, faults: Sequence[Fault]) -> Self:
        """Return the first faults of a file that cannot be imported."""
        return cls(faults=tuple(faults[:MOST_FAULTS]), more=max(0, len(faults) - MOST_FAULTS))

    @classmethod
    def of_plan(cls, plan: LedgerPlan) -> Self:
        """Return what an import would change."""
        counts = {
            "new": len(plan.new),
            "changed": len(plan.changed),
            "unchanged": plan.unchanged,
            "ended": plan.ended,
            "undecided": sum(plan.undecided.values()),
        }
        return cls(notes=tuple(plan.notes), counts=counts, undecided=dict(plan.undecided))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the findings that were written as text."""
        stored: Mapping[str, Any] = json.loads(text)
        return cls(
            faults=parse_faults(stored["faults"]),
            more=stored["more"],
            notes=parse_faults(stored["notes"]),
            headers=tuple(Header(*header) for header in stored["headers"]),
            missing=tuple(stored["missing"]),
            counts=stored["counts"],
            undecided=dict(stored["undecided"]),
        )

    def text(self) -> str:
        """Return the findings as canonical JSON; the undecided names keep their order."""
        return canonical_json(
            {
                "faults": written_faults(self.faults),
                "more": self.more,
                "notes": written_faults(self.notes),
                "headers": self.headers,
                "missing": self.missing,
                "counts": dict(self.counts),
                "undecided": list(self.undecided.items()),
            }
        )
