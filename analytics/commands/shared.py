"""Shared parts of the commands: options, error output, progress bars, result consoles and pages."""

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final, NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from analytics.files.atomic_files import write_files
from analytics.files.yaml_documents import DocumentError
from analytics.languages import DEFAULT_LANGUAGE, LANGUAGES, Translate
from analytics.progress import ProgressCallback, progress_part
from analytics.reports.html_page import Page, page_files, render_page

rules_option = click.option(
    "--rules", "rules_path", required=True, type=click.Path(path_type=Path), help="The rule file."
)
directory_option = click.option(
    "--out", "directory", required=True, type=click.Path(path_type=Path), help="Directory for the files."
)
language_option = click.option("--language", type=click.Choice(LANGUAGES), default=DEFAULT_LANGUAGE, show_default=True)

_REFUSED: Final = 2


# More digits than any number that is typed here has.
_MOST_DIGITS: Final = 9


def read_whole(typed: str) -> int | None:
    """Return the whole number that was typed, or None if it is none or longer than any that is meant."""
    return int(typed) if typed.isdecimal() and len(typed) <= _MOST_DIGITS else None


def _read_codes(context: click.Context, parameter: click.Parameter, value: str) -> tuple[int, ...]:
    parts = [part.strip() for part in value.split(",") if part.strip()]
    codes = [read_whole(part) for part in parts]
    if any(code is None for code in codes):
        raise click.BadParameter(value, context, parameter)
    return tuple(code for code in codes if code is not None)


missing_option = click.option(
    "--missing-codes",
    default="9",
    show_default=True,
    callback=_read_codes,
    help="Codes that are not valid answers, such as “don't know”.",
)


class FiniteRange(click.FloatRange):
    """Click type for a range of finite numbers."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


@contextmanager
def exit_on_faults(translate: Translate) -> Iterator[None]:
    """Print the faults of a file and exit with status 2."""
    try:
        yield
    except DocumentError as error:
        refuse(error.lines(translate))
    except OSError as error:
        refuse([f"{error.filename}: {error.strerror}"])


def refuse(lines: Iterable[str]) -> NoReturn:
    """Print reasons to standard error, one per line, and exit with status 2."""
    for line in lines:
        click.echo(line, err=True)
    sys.exit(_REFUSED)


@contextmanager
def progress_bar(number: int) -> Iterator[Callable[[str], ProgressCallback]]:
    """Show a progress bar on standard error if it is a terminal.

    Yields a function that begins the next of `number` steps: it takes the step's words and returns a progress callback.
    """
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.fields[step]}/{task.fields[steps]} {task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    task = bar.add_task("", total=number, step=0, steps=number)
    begun = count()

    def begin(words: str) -> ProgressCallback:
        step = next(begun)
        bar.update(task, completed=step, description=words, step=step + 1)
        return progress_part(lambda share: bar.update(task, completed=share * number), part=step, parts=number)

    with bar:
        yield begin


def result_console() -> Console:
    """Return the console for results; piped into a file, nothing is cut off at the width of a terminal."""
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def write_page(name: str, make: Callable[[str], Page], contents: Mapping[str, bytes], directory: Path) -> list[Path]:
    """Write a page in every language and other files to a directory, and return all paths."""
    files = page_files(name)
    pages = {
        file: render_page(make(language), language=language, files=files).encode() for language, file in files.items()
    }
    write_files({**contents, **pages}, directory)
    return [directory / file for file in (*contents, *pages)]
