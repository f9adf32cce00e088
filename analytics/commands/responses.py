"""Commands on response rows: integrity signals, drivers of satisfaction, raking."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import numpy as np
import pandas as pd

from analytics.commands.shared import (
    FiniteRange,
    directory_option,
    exit_on_faults,
    language_option,
    missing_option,
    progress_bar,
    refuse,
    rules_option,
    write_page,
)
from analytics.decision.community_table import read_table
from analytics.decision.recount import columns_for_selection, measure_questions, select_counted_responses
from analytics.files.question_names import read_question_names
from analytics.files.response_tables import ResponseTable, list_questions, read_responses
from analytics.files.table_cells import TableError
from analytics.files.yaml_documents import Fault
from analytics.languages import translator
from analytics.reports.drivers_page import compute_drivers, drivers_csv, drivers_page
from analytics.reports.integrity_page import (
    comparison_csv,
    evaluate_without_held,
    held_csv,
    integrity_page,
    signals_csv,
)
from analytics.reports.labels import signal_words
from analytics.reports.raking_page import (
    CannotRake,
    rake_responses,
    raked_csv,
    raking_page,
    read_margins,
    reason_sentences,
    weights_csv,
)
from analytics.rules import Rules, load_rules
from analytics.statistics.integrity_rows import HIGHEST
from analytics.statistics.integrity_signals import find_signals

_ID: Final = ("response_id",)
_SIGNAL_COLUMNS: Final = (*_ID, "mode")


def _read_list(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    try:
        return list_questions(value)
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from error


_responses_argument = click.argument("responses", type=click.Path(path_type=Path))
_community_option = click.option(
    "--community-column", default="community_id", show_default=True, help="The column that holds community_id."
)


@click.command("integrity")
@_responses_argument
@rules_option
@click.option("--rated", required=True, callback=_read_list, help="The rated questions, such as q01-q15.")
@click.option(
    "--communities",
    type=click.Path(path_type=Path),
    help="Table of communities, to rank them with and without held answers.",
)
@click.option("--staff-modes", default="paper,phone", show_default=True, help="Modes of answers that staff entered.")
@missing_option
@_community_option
@directory_option
@language_option
def integrity_command(
    *,
    responses: Path,
    rules_path: Path,
    rated: tuple[str, ...],
    communities: Path | None,
    staff_modes: str,
    missing_codes: tuple[int, ...],
    community_column: str,
    directory: Path,
    language: str,
) -> None:
    """Check RESPONSES for signs of stuffed or duplicated answers.

    RESPONSES is a CSV or Parquet file with a row for each response: response_id, community_id, mode, the rated
    questions, tenure if the rules rank owners, submitted_at (with its time zone) and duration_seconds; device,
    household, address, prefix, poster and helped are used if present. Rows that were released to an evaluator have
    neither submitted_at nor duration_seconds: the signs that need them are named and not looked for. Writes
    signals.csv, held.csv and integrity.html; with --communities also with_and_without_held.csv.
    """
    _ = translator(language)
    with exit_on_faults(_), progress_bar(4) as begin:
        begin(_("Reading"))
        rules = load_rules(rules_path)
        if max(rules.satisfaction.valid_codes) > HIGHEST or min(rules.satisfaction.valid_codes) < 1:
            refuse([_("signs are looked for among codes from 1 to {highest} alone").format(highest=HIGHEST)])
        questions = tuple(dict.fromkeys([*rated, *measure_questions(rules)]))
        table = _read(responses, rules, questions, missing_codes, community_column, needed=_SIGNAL_COLUMNS)
        _expect_both_times(responses, table)
        places = None if communities is None else read_table(communities, rules)
        if places is not None:
            _check_known_communities(responses, table, places)
        looking = begin(_("Looking for signs"))
        overall = rules.satisfaction.question
        rated_answers = table.answers[list(dict.fromkeys([overall, *rated]))]
        found = find_signals(
            table.responses,
            rated_answers,
            overall=overall,
            staff_modes=[mode.strip() for mode in staff_modes.split(",")],
            time_zone=rules.time_zone,
            households=_households(places),
            tell=looking,
        )
        contents = {"signals.csv": signals_csv(found), "held.csv": held_csv(table, found)}
        silent = found.families["p"].isna().groupby(found.families["family"], sort=False).all()
        begin(_("Evaluating"))
        both = None
        if places is not None:
            both = evaluate_without_held(places, table, found, rules)
            contents["with_and_without_held.csv"] = comparison_csv(both, table, found)
        begin(_("Writing"))
        written = write_page(
            "integrity", lambda spoken: integrity_page(table, found, both, rules, spoken), contents, directory
        )
    if silent.any():
        words = signal_words(language)
        said = _("Not checked, because the file lacks the data or has too few communities: {families}.")
        click.echo(said.format(families=_("; ").join(words[str(name)] for name in silent.index[silent])), err=True)
    _echo(written)


@click.command("drivers")
@_responses_argument
@rules_option
@click.option("--domains", required=True, callback=_read_list, help="The rated domains, such as q02-q13.")
@click.option("--questionnaire", type=click.Path(path_type=Path), help="A questionnaire, for the names of the domains.")
@missing_option
@_community_option
@directory_option
@language_option
def drivers_command(
    *,
    responses: Path,
    rules_path: Path,
    domains: tuple[str, ...],
    questionnaire: Path | None,
    missing_codes: tuple[int, ...],
    community_column: str,
    directory: Path,
    language: str,
) -> None:
    """Find the domains that the overall satisfaction in RESPONSES is associated with.

    RESPONSES has a row for each response: community_id, the overall question of the rules, the domains, and tenure if
    the rules rank owners. Writes drivers.csv and drivers.html.
    """
    _ = translator(language)
    with exit_on_faults(_), progress_bar(3) as begin:
        begin(_("Reading"))
        rules = load_rules(rules_path)
        overall = rules.satisfaction.question
        if overall in domains:
            refuse([_("{question} is the overall question and no domain").format(question=overall)])
        names = {} if questionnaire is None else read_question_names(questionnaire)
        table = _read(responses, rules, (overall, *domains), missing_codes, community_column)
        begin(_("Looking for what goes together"))
        drivers = compute_drivers(table, domains, rules)
        begin(_("Writing"))
        written = write_page(
            "drivers",
            lambda spoken: drivers_page(drivers, rules, names, spoken),
            {"drivers.csv": drivers_csv(drivers)},
            directory,
        )
    _echo(written)


@click.command("rake")
@_responses_argument
@rules_option
@click.option(
    "--margins", "margins_path", required=True, type=click.Path(path_type=Path), help="File of the known figures."
)
@click.option("--trim", type=FiniteRange(min=1, min_open=True), help="Largest weight, as a multiple of the mean.")
@missing_option
@_community_option
@directory_option
@language_option
def rake_command(
    *,
    responses: Path,
    rules_path: Path,
    margins_path: Path,
    trim: float | None,
    missing_codes: tuple[int, ...],
    community_column: str,
    directory: Path,
    language: str,
) -> None:
    """Weight RESPONSES to known figures of the population, and report what that changes.

    RESPONSES has a row for each response: community_id, the question of the rules, a column for each margin, and tenure
    if the rules rank owners. The file of margins has the columns margin, category, total, and community_id if each
    community has its own. Writes weights.csv, raked.csv and raking.html.
    """
    _ = translator(language)
    with exit_on_faults(_), progress_bar(3) as begin:
        begin(_("Reading"))
        rules, margins = load_rules(rules_path), read_margins(margins_path)
        texts = margins["margin"].unique().tolist()
        question = (rules.satisfaction.question,)
        table = _read(responses, rules, question, missing_codes, community_column, texts=texts)
        weighting = begin(_("Weighting"))
        try:
            raked = rake_responses(table, margins, rules, largest_ratio=trim, tell=weighting)
        except CannotRake as error:
            said = reason_sentences(language)[error.reason].format(cells=", ".join(error.cells))
            refuse([f"{margins_path}: {said}" if error.cells else said])
        begin(_("Writing"))
        contents = {"weights.csv": weights_csv(raked), "raked.csv": raked_csv(raked)}
        written = write_page("raking", lambda spoken: raking_page(raked, rules, spoken), contents, directory)
    _echo(written)


def _read(
    path: Path,
    rules: Rules,
    questions: Sequence[str],
    missing_codes: tuple[int, ...],
    community_column: str,
    *,
    needed: Sequence[str] = (),
    texts: Sequence[str] = (),
) -> ResponseTable:
    """Read responses, check the whole file and return those that count by the rules."""
    table = read_responses(
        path,
        questions=questions,
        valid_codes=rules.satisfaction.valid_codes,
        missing_codes=missing_codes,
        needed=[*needed, *columns_for_selection(rules)],
        texts=texts,
        community_column=community_column,
    )
    return select_counted_responses(table, rules)


def _expect_both_times(path: Path, table: ResponseTable) -> None:
    """Refuse rows with one of two columns: coarsened ones have neither, and in others it is misspelt."""
    times = [name for name in ("submitted_at", "duration_seconds") if name not in table.responses]
    if len(times) == 1:
        raise TableError(str(path), [Fault("this column is missing", {}, times[0], 1)])
    if not times:
        empty = np.flatnonzero(table.responses["submitted_at"].isna().to_numpy(dtype=bool))
        faults = [Fault("this cell is empty", {}, "submitted_at", table.lines[int(row)]) for row in empty]
        if faults:
            raise TableError(str(path), faults)


def _households(places: pd.DataFrame | None) -> dict[str, float]:
    if places is None or "households" not in places:
        return {}
    known = places["households"].notna()
    numbers = places.loc[known, "households"].astype("float64").tolist()
    return dict(zip(places.loc[known, "community_id"], numbers, strict=True))


def _check_known_communities(path: Path, table: ResponseTable, places: pd.DataFrame) -> None:
    strange = ~table.responses["community_id"].isin(places["community_id"]).to_numpy(dtype=bool)
    faults = [
        Fault(
            "community {id} is not in the table of communities",
            {"id": table.responses["community_id"].iloc[row]},
            "community_id",
            table.lines[int(row)],
        )
        for row in np.flatnonzero(strange)
    ]
    if faults:
        raise TableError(str(path), faults)


def _echo(written: Sequence[Path]) -> None:
    for path in written:
        click.echo(click.format_filename(path))
