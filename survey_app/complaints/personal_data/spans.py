"""Span of a text in which personal data stands."""

from dataclasses import dataclass
from enum import StrEnum


class Personal(StrEnum):
    """Kind of personal data that is hidden."""

    IDENTITY = "identity"
    BIRTH = "birth"
    TELEPHONE = "telephone"
    NUMBER = "number"
    PLATE = "plate"
    ACCOUNT = "account"
    NAME = "name"
    FLAT = "flat"


@dataclass(frozen=True)
class Span:
    """Places in the shown text, `end` excluded, and what kind of personal data they hold."""

    start: int
    end: int
    kind: Personal
