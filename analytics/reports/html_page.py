"""Self-contained HTML pages of findings: sentences, charts and tables to read and print."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from analytics.decision.evaluate import versions
from analytics.languages import LANGUAGES, translator
from analytics.rules import Rules


@dataclass(frozen=True)
class Chart:
    """An SVG drawing with its caption."""

    drawing: Markup
    caption: str


@dataclass(frozen=True)
class PageTable:
    """A table of texts on a page; the columns from `numbers_from` on hold numbers."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers_from: int


@dataclass(frozen=True)
class Section:
    """A section of a page: heading, sentences, warnings, charts, a table and notes below it."""

    heading: str
    sentences: Sequence[str] = ()
    warnings: Sequence[str] = ()
    charts: Sequence[Chart] = ()
    grid: PageTable | None = None
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Page:
    """Content of a page; `facts` are the terms and values for checking it."""

    title: str
    lead: str
    sections: Sequence[Section]
    facts: Mapping[str, str]


def render_page(page: Page, *, language: str, files: Mapping[str, str]) -> str:
    """Render a page as HTML without external scripts, style sheets or pictures.

    Parameters
    ----------
    page : Page
    language : str
        One of `analytics.languages.LANGUAGES`.
    files : mapping of str to str
        The page's file in each language, because each links to the other.

    Returns
    -------
    str
    """
    other = next(tag for tag in LANGUAGES if tag != language)
    template = environment().get_template("findings.html")
    return template.render(
        _=translator(language), page=page, language=language, other_language=other, other_file=files[other]
    )


def provenance_facts(rules: Rules, language: str) -> dict[str, str]:
    """Return the facts for checking a finding: the rules and the software versions."""
    _ = translator(language)
    return {
        _("Rule file"): rules.name,
        f"{_('Rule file')} (SHA-256)": rules.sha256,
        _("Computed with"): ", ".join(f"{package} {number}" for package, number in versions().items()),
    }


def page_files(name: str) -> dict[str, str]:
    """Return the file name of a page in each language.

    Examples
    --------
    >>> page_files("trends")
    {'zh-Hans': 'trends.html', 'en': 'trends.en.html'}
    """
    return {"zh-Hans": f"{name}.html", "en": f"{name}.en.html"}


@cache
def environment() -> jinja2.Environment:
    """Return the Jinja environment with the templates of this package."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def percent(share: float, decimals: int | None = None) -> str:
    r"""Format a share as a percentage, by default with all its decimals.

    Examples
    --------
    >>> percent(0.998), percent(0.95, 1)
    ('99.8%', '95.0%')
    """
    shown = f"{share * 100:.10g}" if decimals is None else f"{share * 100:.{decimals}f}"
    return f"{shown}%"


def between(lower: float | None, upper: float | None, *, decimals: int, unit: str = "", scale: float = 1) -> str:
    """Format an interval for people, empty if a limit is missing.

    Examples
    --------
    >>> between(0.5, 0.625, decimals=1, unit="%", scale=100), between(float("nan"), 1.0, decimals=1)
    ('50.0 – 62.5%', '')
    """
    if lower is None or upper is None or lower != lower or upper != upper:  # noqa: PLR0124  only NaN differs from itself
        return ""
    return f"{lower * scale:.{decimals}f} – {upper * scale:.{decimals}f}{unit}"
