"""How often the evidence is right where the truth is known."""

from pathlib import Path

import click
from rich.progress import track

from analytics.calibration_study import list_settings, run_settings, write_study
from analytics.commands.parts import directory_option, language_option, naming_faults, translator, working


@click.command("calibrate")
@click.option("--quick", is_flag=True, help="A few settings, which take seconds instead of minutes.")
@directory_option
@language_option
def calibrate_command(*, quick: bool, directory: Path, language: str) -> None:
    """Simulate communities with known satisfaction and say how often the evidence on them is right.

    Writes coverage.csv, bands.csv, calibration.json and findings.txt, and draws coverage.svg and reliability.svg.
    """
    _ = translator(language)
    settings = list_settings(quick=quick)
    with naming_faults(_):
        directory.mkdir(parents=True, exist_ok=True)
        progress = track(
            run_settings(settings), _("Simulating"), total=len(settings), console=working(), transient=True
        )
        write_study(list(progress), directory, language)
    click.echo(directory)
