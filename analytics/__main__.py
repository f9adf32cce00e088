"""Evaluate and plan without server or database: `python -m analytics --help`."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from analytics.calibration_study import list_settings, run_settings, write_study
from analytics.documents import DocumentError
from analytics.evaluate import Evaluation, evaluate
from analytics.feasibility import Expectations, forecast_content, forecast_round, forecast_sentences
from analytics.languages import DEFAULT_LANGUAGE, LANGUAGES, load_catalogue
from analytics.outputs import EVALUATION_FILE, STANDINGS_FILE, list_warnings, write_outputs
from analytics.reasons import TRANSLATIONS, warning_sentence
from analytics.report import REPORT_FILES
from analytics.rules import load_rules
from analytics.tables import read_plan, read_table
from analytics.what_if import WhatIf, compare

PLAN_FILE = "plan.json"
PLAN_TEXT_FILE = "plan.txt"

_MOST_LINES = 30
_REFUSED = 2


@click.group()
def main() -> None:
    """Recompute standings of residential communities from a table and a rule file."""


@main.command("evaluate")
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--rules", "rules_path", required=True, type=click.Path(path_type=Path), help="The rule file.")
@click.option("--out", "directory", required=True, type=click.Path(path_type=Path), help="Where the files go.")
@click.option("--language", type=click.Choice(LANGUAGES), default=DEFAULT_LANGUAGE, show_default=True)
def evaluate_command(table: Path, rules_path: Path, directory: Path, language: str) -> None:
    """Decide the standing of every community in TABLE, a CSV or Parquet file.

    Writes standings.csv, evaluation.json and the report to read and print, report.html in Chinese and report.en.html in
    English. Every fault of a file is named with its line and column, and then nothing is written and the exit status is
    2.
    """
    _ = load_catalogue(TRANSLATIONS, language).gettext
    with _naming_faults(_), Console(stderr=True).status(_("Evaluating")):
        rules = load_rules(rules_path)
        evaluation = evaluate(read_table(table, rules), rules)
        write_outputs(evaluation, directory, language)
    _print_summary(evaluation, directory, language)


@main.command("what-if")
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--rules", "rules_path", required=True, type=click.Path(path_type=Path), help="The rule file.")
@click.option("--other", "other_path", required=True, type=click.Path(path_type=Path), help="The other rule file.")
@click.option("--language", type=click.Choice(LANGUAGES), default=DEFAULT_LANGUAGE, show_default=True)
def what_if_command(table: Path, rules_path: Path, other_path: Path, language: str) -> None:
    """Say which communities of TABLE would enter and leave under other rules. Nothing is written."""
    _ = load_catalogue(TRANSLATIONS, language).gettext
    with _naming_faults(_), Console(stderr=True).status(_("Evaluating")):
        rules, other = load_rules(rules_path), load_rules(other_path)
        result = compare(evaluate(read_table(table, rules), rules), other)
    _print_what_if(result, language)


def _read_quotas(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> Mapping[str | None, int]:
    """Return the quota of each region that has its own, and under None that of the others."""
    quotas: dict[str | None, int] = {}
    for value in values:
        region, _, number = value.rpartition("=")
        if not number.isdecimal() or int(number) < 1:
            raise click.BadParameter(value, context, parameter)
        quotas[region or None] = int(number)
    return quotas


@main.command("plan")
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--rules", "rules_path", required=True, type=click.Path(path_type=Path), help="The rule file.")
@click.option(
    "--quota",
    "quotas",
    required=True,
    multiple=True,
    callback=_read_quotas,
    help="Nominations of every region, 10, or of one, 乌达区=5; may be given several times.",
)
@click.option("--response-rate", type=click.FloatRange(0, 1), default=0.3, show_default=True)
@click.option("--expected-rate", type=click.FloatRange(0, 1, True, True), default=0.8, show_default=True)
@click.option("--expected-spread", type=click.FloatRange(0, 0.5), default=0.07, show_default=True)
@click.option("--out", "directory", required=True, type=click.Path(path_type=Path), help="Where the files go.")
@click.option("--language", type=click.Choice(LANGUAGES), default=DEFAULT_LANGUAGE, show_default=True)
def plan_command(
    *,
    table: Path,
    rules_path: Path,
    quotas: Mapping[str | None, int],
    response_rate: float,
    expected_rate: float,
    expected_spread: float,
    directory: Path,
    language: str,
) -> None:
    """Say before a round whether the communities in TABLE can fill the quota.

    TABLE needs the columns community_id, region and households. Writes plan.txt and plan.json. The expected rates are
    assumptions and are written down as such.
    """
    _ = load_catalogue(TRANSLATIONS, language).gettext
    expectations = Expectations(response_rate, expected_rate, expected_spread)
    with _naming_faults(_):
        rules, communities = load_rules(rules_path), read_plan(table)
        regions = {rules.city.zh_hans} if rules.region == "city" else set(communities["region"])
        quota = {region: quotas.get(region, quotas.get(None, 0)) for region in regions}
        without = sorted(region for region, number in quota.items() if number == 0)
        if without:
            _refuse([_("no quota for {regions}").format(regions=", ".join(without))])
        frame = forecast_round(communities, rules, quota=quota, expectations=expectations)
        supposed = _("Supposed: {response_rate:.0%} answer, {satisfaction_rate:.0%} ± {spread:.0%} are satisfied.")
        text = "\n".join([*forecast_sentences(frame, language), supposed.format(**vars(expectations))])
        content = forecast_content(frame, rules, expectations)
        directory.mkdir(parents=True, exist_ok=True)
        (directory / PLAN_TEXT_FILE).write_text(text + "\n", "utf-8")
        (directory / PLAN_FILE).write_text(
            json.dumps(content, ensure_ascii=False, allow_nan=False, sort_keys=True, indent=1) + "\n", "utf-8"
        )
    click.echo(text)


@main.command("calibrate")
@click.option("--quick", is_flag=True, help="A few settings, which take seconds instead of minutes.")
@click.option("--out", "directory", required=True, type=click.Path(path_type=Path), help="Where the files go.")
@click.option("--language", type=click.Choice(LANGUAGES), default=DEFAULT_LANGUAGE, show_default=True)
def calibrate_command(*, quick: bool, directory: Path, language: str) -> None:
    """Simulate communities with known satisfaction and say how often the evidence on them is right.

    Writes coverage.csv, bands.csv and calibration.json, and draws coverage.svg and reliability.svg.
    """
    _ = load_catalogue(TRANSLATIONS, language).gettext
    settings = list_settings(quick=quick)
    with _naming_faults(_):
        directory.mkdir(parents=True, exist_ok=True)
        progress = track(
            run_settings(settings), _("Simulating"), total=len(settings), console=Console(stderr=True), transient=True
        )
        write_study(list(progress), directory, language)
    click.echo(directory)


@contextmanager
def _naming_faults(translate: Callable[[str], str]) -> Iterator[None]:
    """Name what is wrong with a file and end with status 2."""
    try:
        yield
    except DocumentError as error:
        _refuse(error.lines(translate))
    except OSError as error:
        _refuse([f"{error.filename}: {error.strerror}"])


def _refuse(lines: list[str]) -> None:
    for line in lines:
        click.echo(line, err=True)
    sys.exit(_REFUSED)


def _console() -> Console:
    # Piped into a file nothing is cut off at the width of a terminal.
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def _print_summary(evaluation: Evaluation, directory: Path, language: str) -> None:
    _ = load_catalogue(TRANSLATIONS, language).gettext
    console = _console()
    console.print(_summary_table(evaluation, language), markup=False)
    regions = len(evaluation.summary["regions"])
    if regions > _MOST_LINES:
        console.print(_("… and {count} more regions").format(count=regions - _MOST_LINES))
    warnings = list(list_warnings(evaluation))
    for region, warning in warnings[:_MOST_LINES]:
        place = f"{region}: " if region is not None else ""
        console.print(f"! {place}{warning_sentence(warning, language)}", markup=False)
    if len(warnings) > _MOST_LINES:
        console.print(_("… and {count} more warnings").format(count=len(warnings) - _MOST_LINES))
    for file in (STANDINGS_FILE, EVALUATION_FILE, *REPORT_FILES.values()):
        console.print(str(directory / file), markup=False, soft_wrap=True)


def _print_what_if(result: WhatIf, language: str) -> None:
    _ = load_catalogue(TRANSLATIONS, language).gettext
    table = Table(title=f"{result.before.rules.name} → {result.after.rules.name}")
    table.add_column(_("region"))
    for heading in (_("met before"), _("met after"), _("enter"), _("leave")):
        table.add_column(heading, justify="right")
    for region, *counts in result.regions.itertuples(name=None):
        table.add_row(str(region), *(str(count) for count in counts))
    console = _console()
    console.print(table, markup=False)
    words = {"enters": _("enters"), "leaves": _("leaves")}
    named = result.communities.assign(name=result.before.communities.get("name", ""))
    for change in named.dropna(subset="change").sort_values(["region", "community_id"]).to_dict("records"):
        line = " ".join(filter(None, (change["region"], change["community_id"], change["name"])))
        console.print(f"{words[change['change']]}: {line}", markup=False, soft_wrap=True)


def _summary_table(evaluation: Evaluation, language: str) -> Table:
    _ = load_catalogue(TRANSLATIONS, language).gettext
    table = Table(title=evaluation.rules.title.in_language(language))
    table.add_column(_("region"))
    table.add_column(_("route"))
    statuses = {
        "met": _("met"),
        "not_met": _("not met"),
        "not_assessed": _("not assessed"),
        "not_applicable": _("not applicable"),
    }
    for heading in ("N", "k", *statuses.values()):
        table.add_column(heading, justify="right")
    routes = {"satisfaction": _("Satisfaction"), "complaints": _("Complaints"), "requirement": _("Requirement")}
    for region, facts in list(evaluation.summary["regions"].items())[:_MOST_LINES]:
        for name, label in routes.items():
            counts = facts[name]
            ranked = [str(counts.get("N", "")), str(counts.get("k", ""))]
            table.add_row(region, label, *ranked, *(str(counts[status]) for status in statuses))
    return table


if __name__ == "__main__":
    main(prog_name="python -m analytics")
