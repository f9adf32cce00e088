"""The evaluate and what-if commands: standings from a table and a rule file, and under other rules."""

from pathlib import Path
from typing import Final, get_args

import click
import pandas as pd
from rich.table import Table

from analytics.commands.shared import (
    directory_option,
    exit_on_faults,
    language_option,
    missing_option,
    progress_bar,
    read_whole,
    refuse,
    result_console,
    rules_option,
)
from analytics.counting.arrow_memory import share_memory
from analytics.decision.community_table import check_communities, read_table
from analytics.decision.evaluate import Evaluation, evaluate_checked
from analytics.decision.recount import (
    differing_communities,
    measure_questions,
    recount_released,
    select_counted_responses,
)
from analytics.decision.what_if import Choice, OtherPopulationNotCounted, WhatIf, compare, with_choices
from analytics.evidence.sensitivity import analyse_sensitivity
from analytics.evidence.weigh_evidence import weigh_evidence
from analytics.files.response_tables import read_responses
from analytics.languages import translator
from analytics.reports.evaluation_files import EVALUATION_FILE, STANDINGS_FILE, write_outputs
from analytics.reports.evaluation_report import REPORT_FILES
from analytics.reports.labels import route_words, status_words
from analytics.reports.warnings import list_warnings, warning_sentence
from analytics.rules import Measure, Population, Region, Rounding, Rules, Ties, ZeroTies, load_rules

_MOST_LINES: Final = 30


@click.command("evaluate")
@click.argument("table", type=click.Path(path_type=Path))
@rules_option
@click.option(
    "--responses",
    "responses_path",
    type=click.Path(path_type=Path),
    help="Released answers, to count again what TABLE says of them.",
)
@missing_option
@directory_option
@language_option
def evaluate_command(
    *,
    table: Path,
    rules_path: Path,
    responses_path: Path | None,
    missing_codes: tuple[int, ...],
    directory: Path,
    language: str,
) -> None:
    """Decide the standing of every community in TABLE, a CSV or Parquet file.

    With --responses the answers are counted again from a row for each: community_id, tenure if owners are ranked, and
    the questions of the measure. If a community with rows has other counts in TABLE, it is named and nothing is
    written. A community without rows keeps the counts of TABLE: too few answered there for rows to be released.

    Writes standings.csv, evaluation.json and the report to read and print, report.html in Chinese and report.en.html in
    English. If a file has faults, each is named with its line and column, nothing is written and the exit status is 2.
    """
    _ = translator(language)
    share_memory()
    with exit_on_faults(_), progress_bar(4) as begin:
        begin(_("Reading"))
        rules = load_rules(rules_path)
        communities = read_table(table, rules)
        if responses_path is not None:
            counted = _counted_again(communities, responses_path, rules, missing_codes, language)
            communities = check_communities(counted, rules)
        begin(_("Evaluating"))
        evaluation = evaluate_checked(communities, rules)
        begin(_("Weighing the evidence"))
        evidence, sensitivity = weigh_evidence(evaluation), analyse_sensitivity(evaluation)
        write_outputs(evaluation, evidence, sensitivity, directory, language, tell=begin(_("Writing")))
    _print_summary(evaluation, directory, language)


def _counted_again(
    communities: pd.DataFrame, path: Path, rules: Rules, missing_codes: tuple[int, ...], language: str
) -> pd.DataFrame:
    """Return the table with its answers counted from released rows; exit where they differ."""
    _ = translator(language)
    rows = read_responses(
        path,
        questions=measure_questions(rules),
        valid_codes=rules.satisfaction.valid_codes,
        missing_codes=missing_codes,
        needed=["tenure"] if rules.satisfaction.population == "owners" else [],
    )
    counted = recount_released(communities, select_counted_responses(rows, rules), rules)
    if differing := differing_communities(communities, counted):
        said = _("{path}: these communities are counted differently in the table: {ids}")
        refuse([said.format(path=path, ids=", ".join(differing[:_MOST_LINES]))])
    number = rows.responses["community_id"].nunique()
    said = _("The answers of {count} communities were counted again and agree with the table.")
    result_console().print(said.format(count=number), markup=False)
    return counted


@click.command("what-if")
@click.argument("table", type=click.Path(path_type=Path))
@rules_option
@click.option("--other", "other_path", type=click.Path(path_type=Path), help="Another rule file.")
@click.option("--measure", type=click.Choice(get_args(Measure)))
@click.option("--population", type=click.Choice(get_args(Population)), help="Needs --other-table.")
@click.option("--region", type=click.Choice(get_args(Region)))
@click.option("--rounding", type=click.Choice(get_args(Rounding)))
@click.option("--ties", type=click.Choice(get_args(Ties)))
@click.option("--zero-ties", type=click.Choice(get_args(ZeroTies)))
@click.option(
    "--minimum-responses", help="A number of responses that suffices for every community, or none for no minimum."
)
@click.option(
    "--other-table",
    "other_table",
    type=click.Path(path_type=Path),
    help="The same communities counted for the other rules, if these rank another population.",
)
@language_option
def what_if_command(
    *, table: Path, rules_path: Path, other_path: Path | None, other_table: Path | None, language: str, **chosen: str
) -> None:
    """Report which communities of TABLE would enter and leave the list under other rules. Nothing is written.

    The other rules are a second rule file, or the same rules with the choices given here, or both.
    """
    _ = translator(language)
    choices = {name: value for name, value in chosen.items() if value is not None}
    if other_path is None and not choices:
        raise click.UsageError(_("give another rule file or another choice"))
    with exit_on_faults(_), progress_bar(3) as begin:
        begin(_("Reading"))
        rules = load_rules(rules_path)
        other = rules if other_path is None else load_rules(other_path)
        if choices:
            other = with_choices(other, {_choice(name): _as_written(value) for name, value in choices.items()})
        communities = None if other_table is None else read_table(other_table, other)
        counted = read_table(table, rules)
        begin(_("Evaluating"))
        evaluation = evaluate_checked(counted, rules)
        begin(_("Comparing"))
        try:
            result = compare(evaluation, other, communities=communities)
        except OtherPopulationNotCounted as error:
            names = {"owners": _("owners"), "residents": _("all residents")}
            said = _("the table counts {counted}, the other rules rank {ranked}: give their table with --other-table")
            refuse([said.format(counted=names[error.counted], ranked=names[error.ranked])])
    _print_what_if(result, language)


def _choice(name: str) -> Choice:
    return next(choice for choice in get_args(Choice) if choice == name)


def _as_written(value: str) -> str | int:
    number = read_whole(value)
    return value if number is None else number


def _print_summary(evaluation: Evaluation, directory: Path, language: str) -> None:
    _ = translator(language)
    console = result_console()
    console.print(_summary_table(evaluation, language), markup=False)
    regions = len(evaluation.summary["regions"])
    if regions > _MOST_LINES:
        console.print(_("further regions: {count}").format(count=regions - _MOST_LINES))
    warnings = list(list_warnings(evaluation))
    for region, warning in warnings[:_MOST_LINES]:
        place = f"{region}: " if region is not None else ""
        console.print(f"! {place}{warning_sentence(warning, language)}", markup=False)
    if len(warnings) > _MOST_LINES:
        console.print(_("further warnings: {count}").format(count=len(warnings) - _MOST_LINES))
    for file in (STANDINGS_FILE, EVALUATION_FILE, *REPORT_FILES.values()):
        console.print(click.format_filename(directory / file), markup=False, soft_wrap=True)


def _print_what_if(result: WhatIf, language: str) -> None:
    _ = translator(language)
    table = Table(title=f"{result.before.rules.name} → {result.after.rules.name}")
    table.add_column(_("region"))
    for heading in (_("met before"), _("met after"), _("enter"), _("leave")):
        table.add_column(heading, justify="right")
    for region, *counts in result.regions.itertuples(name=None):
        table.add_row(str(region), *(str(count) for count in counts))
    console = result_console()
    console.print(table, markup=False)
    words = {"enters": _("enters"), "leaves": _("leaves")}
    named = result.communities.assign(name=result.before.communities.get("name", ""))
    for change in named.dropna(subset="change").sort_values(["region", "community_id"]).to_dict("records"):
        line = " ".join(filter(None, (change["region"], change["community_id"], change["name"])))
        console.print(f"{words[change['change']]}: {line}", markup=False, soft_wrap=True)


def _summary_table(evaluation: Evaluation, language: str) -> Table:
    _ = translator(language)
    table = Table(title=evaluation.rules.title.in_language(language))
    table.add_column(_("region"))
    table.add_column(_("route"))
    statuses = status_words(language)
    for heading in ("N", "k", *statuses.values()):
        table.add_column(heading, justify="right")
    routes = {**route_words(language), "criterion": _("Criterion")}
    for region, facts in list(evaluation.summary["regions"].items())[:_MOST_LINES]:
        for name, label in routes.items():
            counts = facts[name]
            ranked = [str(counts.get("N", "")), str(counts.get("k", ""))]
            table.add_row(region, label, *ranked, *(str(counts[status]) for status in statuses))
    return table
