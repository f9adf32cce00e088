"""The calibrate command: simulation study of the evidence and of the integrity signals."""

from pathlib import Path

import click
import pandas as pd

from analytics.calibration.integrity import integrity_calibration_sentences, list_cities, run_cities
from analytics.calibration.study import list_settings, run_settings, write_study
from analytics.commands.shared import directory_option, exit_on_faults, language_option, progress_bar
from analytics.files.atomic_files import write_files
from analytics.files.csv_files import frame_csv
from analytics.languages import translator
from analytics.progress import track_progress


@click.command("calibrate")
@click.option("--quick", is_flag=True, help="A few settings, which take seconds instead of minutes.")
@directory_option
@language_option
def calibrate_command(*, quick: bool, directory: Path, language: str) -> None:
    """Simulate communities with known true rates and report how often the evidence on them is right.

    Writes coverage.csv, bands.csv, calibration.json and findings.txt, and draws coverage.svg and reliability.svg.
    Cities with and without stuffed answers are simulated too: integrity.csv and integrity.txt report what is held.
    """
    _ = translator(language)
    settings, cities = list_settings(quick=quick), list_cities(quick=quick)
    with exit_on_faults(_), progress_bar(2) as begin:
        directory.mkdir(parents=True, exist_ok=True)
        study = track_progress(run_settings(settings), begin(_("Simulating")), total=len(settings))
        write_study(list(study), directory, language)
        found = pd.DataFrame(track_progress(run_cities(cities), begin(_("Simulating cities")), total=len(cities)))
        said = "\n".join(integrity_calibration_sentences(found, language))
        write_files({"integrity.csv": frame_csv(found), "integrity.txt": f"{said}\n".encode()}, directory)
    click.echo(click.format_filename(directory))
