"""The plan command: forecast whether a survey can fill its quota."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from analytics.commands.shared import (
    FiniteRange,
    directory_option,
    exit_on_faults,
    language_option,
    progress_bar,
    read_whole,
    refuse,
    rules_option,
)
from analytics.decision.community_table import read_plan
from analytics.evidence.quota_feasibility import Expectations, forecast_content, forecast_round
from analytics.files.atomic_files import write_files
from analytics.languages import translator
from analytics.reports.forecast_sentences import forecast_sentences
from analytics.rules import load_rules

PLAN_FILE: Final = "plan.json"
PLAN_TEXT_FILE: Final = "plan.txt"


def _read_quotas(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> Mapping[str | None, int]:
    """Parse quotas: that of each named region, and under None that of all others."""
    quotas: dict[str | None, int] = {}
    for value in values:
        region, _, typed = value.rpartition("=")
        number = read_whole(typed)
        if not number:
            raise click.BadParameter(value, context, parameter)
        quotas[region or None] = number
    return quotas


@click.command("plan")
@click.argument("table", type=click.Path(path_type=Path))
@rules_option
@click.option(
    "--quota",
    "quotas",
    required=True,
    multiple=True,
    callback=_read_quotas,
    help="Nominations for every region (10) or for one region (乌达区=5); may be given several times.",
)
@click.option("--response-rate", type=FiniteRange(0, 1), default=0.3, show_default=True)
@click.option("--expected-rate", type=FiniteRange(0, 1, True, True), default=0.8, show_default=True)
@click.option("--expected-spread", type=FiniteRange(0, 0.5), default=0.07, show_default=True)
@directory_option
@language_option
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
    """Forecast before a round whether the communities in TABLE can fill the quota.

    TABLE needs the columns community_id, region and households. Writes plan.txt and plan.json. The expected rates are
    assumptions and are reported as such.
    """
    _ = translator(language)
    expectations = Expectations(response_rate, expected_rate, expected_spread)
    with exit_on_faults(_), progress_bar(2) as begin:
        begin(_("Reading"))
        rules, communities = load_rules(rules_path), read_plan(table)
        regions = {rules.city.zh_hans} if rules.region == "city" else set(communities["region"])
        unknown = sorted(region for region in quotas if region is not None and region not in regions)
        if unknown:
            refuse([_("{file}: there is no region {regions}").format(file=table, regions=", ".join(unknown))])
        quota = {region: quotas.get(region, quotas.get(None, 0)) for region in regions}
        without = sorted(region for region, number in quota.items() if number == 0)
        if without:
            refuse([_("no quota for {regions}").format(regions=", ".join(without))])
        begin(_("Simulating"))
        frame = forecast_round(communities, rules, quota=quota, expectations=expectations)
        assumed = _("Assumed: {response_rate:.0%} answer, {satisfaction_rate:.0%} ± {spread:.0%} are satisfied.")
        text = "\n".join([*forecast_sentences(frame, language), assumed.format(**vars(expectations))])
        content = forecast_content(frame, rules, expectations)
        plan = json.dumps(content, ensure_ascii=False, allow_nan=False, sort_keys=True, indent=1) + "\n"
        write_files({PLAN_TEXT_FILE: f"{text}\n".encode(), PLAN_FILE: plan.encode()}, directory)
    click.echo(text)
