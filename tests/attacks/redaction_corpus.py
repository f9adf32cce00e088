"""Corpus of made-up sentences, and the measure of how much of what is marked in them a redaction hides."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\(n)")


@dataclass(frozen=True)
class Mark:
    """Places in a sentence that must be hidden together."""

    kind: str
    places: frozenset[int]


@dataclass(frozen=True)
class Sentence:
    """Sentence with its marks; `neutral` places may be hidden or shown."""

    text: str
    marks: tuple[Mark, ...]
    neutral: frozenset[int]


@dataclass
class Score:
    """Counts of marks and characters; a mark is found when all of it is hidden."""

    marked: Counter = field(default_factory=Counter)
    found: Counter = field(default_factory=Counter)
    hidden: int = 0
    right: int = 0
    characters_marked: int = 0
    characters_found: int = 0
    characters_hidden: int = 0
    misses: list[str] = field(default_factory=list)

    def recall_of(self, kind: str) -> float:
        return self.found[kind] / self.marked[kind]

    @property
    def recall(self) -> float:
        return self.found.total() / self.marked.total()

    @property
    def precision(self) -> float:
        return self.right / self.hidden

    @property
    def recall_by_character(self) -> float:
        return self.characters_found / self.characters_marked

    @property
    def precision_by_character(self) -> float:
        return self.characters_found / self.characters_hidden

    def __str__(self) -> str:
        kinds = ", ".join(f"{kind} {self.recall_of(kind):.3f} of {self.marked[kind]}" for kind in sorted(self.marked))
        return (
            f"spans: precision {self.precision:.3f} of {self.hidden}, recall {self.recall:.3f} of"
            f" {self.marked.total()}; characters: precision {self.precision_by_character:.3f}, recall"
            f" {self.recall_by_character:.3f}; recall of {kinds}"
        )


def read_corpus(path: Path) -> list[Sentence]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [read_sentence(line) for line in lines if line and not line.startswith("#")]


def read_sentence(line: str) -> Sentence:
    """Read one line: ⟦kind|text⟧ must be hidden, {text} may be."""
    line = _ESCAPE.sub(lambda found: "\n" if found[2] else chr(int(found[1], 16)), line)
    text, marks, neutral, kind, places, is_neutral = [], [], set(), None, set(), False
    for token in re.findall(r"⟦[a-z]+\||.", line, re.DOTALL):
        if token.startswith("⟦"):
            kind, places = token[1:-1], set()
        elif token == "⟧":
            if places:
                marks.append(Mark(kind, frozenset(places)))
            kind = None
        elif token in "{}":
            is_neutral = token == "{"
        else:
            place = len(text)
            if is_neutral or is_unseen(token):
                neutral.add(place)
            elif kind is not None:
                places.add(place)
            text.append(token)
    return Sentence("".join(text), tuple(marks), frozenset(neutral))


def is_unseen(character: str) -> bool:
    return unicodedata.category(character) in {"Cf", "Me", "Mn", "Zs"} or character == "\n"


def hidden_runs(text: str, pieces: Iterator[tuple[str, bool]]) -> list[set[int]]:
    """Return the places that each hidden piece covers; characters that no piece holds are skipped."""
    runs, place = [], 0
    for shown, is_hidden in pieces:
        run = set()
        for character in shown:
            place = text.index(character, place)
            run.add(place)
            place += 1
        if is_hidden:
            runs.append(run)
    return runs


def measure(sentences: list[Sentence], split: Callable) -> Score:
    score = Score()
    for sentence in sentences:
        runs = hidden_runs(sentence.text, ((piece.text, piece.hidden is not None) for piece in split(sentence.text)))
        _count(score, sentence, runs)
    return score


def _count(score: Score, sentence: Sentence, runs: list[set[int]]) -> None:
    hidden = set().union(*runs)
    wanted = set().union(*(mark.places for mark in sentence.marks))
    for mark in sentence.marks:
        score.marked[mark.kind] += 1
        score.found[mark.kind] += mark.places <= hidden
    for run in runs:
        score.hidden += 1
        score.right += run <= wanted | sentence.neutral
    score.characters_marked += len(wanted)
    score.characters_found += len(wanted & hidden)
    score.characters_hidden += len(hidden - sentence.neutral)
    if wanted - hidden or hidden - wanted - sentence.neutral:
        score.misses.append(
            "".join(
                f"[{character}]" if place in hidden else f"<{character}>" if place in wanted else character
                for place, character in enumerate(sentence.text)
            )
            .replace("][", "")
            .replace("><", "")
        )
