"""CHECK constraints that are built from the closed vocabularies."""

from collections.abc import Iterable
from enum import IntEnum, StrEnum

from sqlalchemy import CheckConstraint


def one_of(
    column: str, vocabulary: Iterable[StrEnum] | Iterable[IntEnum], *, name: str | None = None
) -> CheckConstraint:
    """Return the constraint that a column holds a value of the vocabulary, named after the column."""
    values = ", ".join(repr(member.value) for member in vocabulary)
    return CheckConstraint(f"{column} IN ({values})", name=name or column)


def only_where(column: str, value: StrEnum, condition: str, *, name: str) -> CheckConstraint:
    """Return the constraint that a condition holds where the column has this value, and nowhere else."""
    return CheckConstraint(f"({column} = '{value}') = ({condition})", name=name)
