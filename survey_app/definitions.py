"""The reader of definition files, as analytics reads its rules with it."""

from analytics.definitions import Node, Wording, note_repeats

__all__ = ["Node", "Wording", "note_repeats"]
