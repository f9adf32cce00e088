"""The trends command: changes of the same communities between rounds."""

from datetime import date
from pathlib import Path

import click

from analytics.commands.shared import (
    directory_option,
    exit_on_faults,
    language_option,
    progress_bar,
    refuse,
    rules_option,
    write_page,
)
from analytics.decision.community_table import read_table
from analytics.decision.evaluate import evaluate
from analytics.files.table_cells import TableError
from analytics.languages import translator
from analytics.progress import track_progress
from analytics.reports.trends_page import EvaluatedRound, compute_trends, trends_csv, trends_page
from analytics.rules import load_rules

_TRENDS = "trends"


def _read_rounds(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[date, Path], ...]:
    """Parse day and table of each round; at least two, on different days."""
    rounds = []
    for value in values:
        day, _, path = value.partition("=")
        try:
            rounds.append((date.fromisoformat(day), Path(path)))
        except ValueError as error:
            raise click.BadParameter(value, context, parameter) from error
        if not path:
            raise click.BadParameter(value, context, parameter)
    if len({day for day, _ in rounds}) < max(2, len(rounds)):
        raise click.BadParameter(" ".join(values), context, parameter)
    return tuple(rounds)


@click.command("trends")
@click.argument("rounds", nargs=-1, callback=_read_rounds, metavar="DAY=TABLE DAY=TABLE …")
@rules_option
@directory_option
@language_option
def trends_command(rounds: tuple[tuple[date, Path], ...], rules_path: Path, directory: Path, language: str) -> None:
    """Report changes between rounds, and how far chance and regression to the mean alone explain them.

    Each round is a day and its table of communities, as evaluate takes it: 2021-09-30=first.csv 2022-09-30=second.csv.
    Writes trends.csv, trends.html in Chinese and trends.en.html in English.
    """
    _ = translator(language)
    with exit_on_faults(_), progress_bar(4) as begin:
        reading = begin(_("Reading"))
        rules = load_rules(rules_path)
        tables, faults = [], []
        for day, path in track_progress(rounds, reading, total=len(rounds)):
            try:
                tables.append((day, read_table(path, rules)))
            except TableError as error:
                faults += error.lines(_)
        if faults:
            refuse(faults)
        evaluated = track_progress(tables, begin(_("Evaluating")), total=len(tables))
        past = [EvaluatedRound(day, evaluate(table, rules)) for day, table in evaluated]
        begin(_("Comparing"))
        trends = compute_trends(past)
        begin(_("Writing"))
        written = write_page(
            _TRENDS, lambda spoken: trends_page(trends, spoken), {"trends.csv": trends_csv(trends)}, directory
        )
    for path in written:
        click.echo(click.format_filename(path))
