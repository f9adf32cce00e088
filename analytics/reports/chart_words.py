"""Words of charts: drawings stand without them, and have them written into their places in each language."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from html import escape
from typing import Final

from markupsafe import Markup

from analytics.reports.html_page import Chart


@dataclass(frozen=True)
class Labels:
    """Texts of a chart: `description` as text alternative, the two axis labels and the cut-off."""

    description: str
    across: str
    upward: str
    cut_off: str


# Signs for private use: no name has them, since tables with such a sign are refused as damaged.
_WORDS: Final = Labels("\ue000", "\ue001", "\ue002", "\ue003")


@dataclass(frozen=True)
class Drawing:
    """A drawing without its words, and the function that returns them in a language."""

    drawn: str
    labels: Callable[[str], Labels]


@dataclass(frozen=True)
class RegionDrawings:
    """The drawings of one region, made once for all languages."""

    drawings: tuple[Drawing, ...]

    def in_language(self, language: str) -> Iterator[Chart]:
        """Yield the charts with their words; the caption is the text alternative, too."""
        for each in self.drawings:
            labels = each.labels(language)
            # `svg_charts` escapes every name.
            yield Chart(Markup(with_words(each.drawn, labels)), labels.description)  # noqa: S704


def wordless(*, has_cut_off: bool) -> Labels:
    """Return labels that stand for words until `with_words` writes these, so that one drawing serves all languages."""
    return _WORDS if has_cut_off else replace(_WORDS, cut_off="")


def with_words(drawing: str, labels: Labels) -> str:
    """Return a drawing that was made with the labels of `wordless` with words in their places.

    Examples
    --------
    >>> places = wordless(has_cut_off=False)
    >>> with_words(f"<text>{places.across}</text>", Labels("All.", "Score < 2", "Communities", ""))
    '<text>Score &lt; 2</text>'
    """
    for part, place in vars(_WORDS).items():
        text = escape(getattr(labels, part), quote=False)
        # The description stands in an attribute.
        drawing = drawing.replace(place, text.replace('"', "&quot;") if part == "description" else text)
    return drawing
