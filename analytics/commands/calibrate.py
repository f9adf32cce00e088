"""The calibrate command: simulation study of the evidence and of the integrity signals."""

from datetime import UTC, datetime
from pathlib import Path

import click
import pandas as pd

from analytics.calibration.integrity import integrity_calibration_sentences, list_cities, run_cities
from analytics.calibration.scenarios import list_cells, run_cells
from analytics.calibration.study import SEED, list_settings, run_settings, write_study
from analytics.commands.shared import directory_option, exit_on_faults, language_option, progress_bar
from analytics.evidence.calibration_record import RECORD_FILE, record_text
from analytics.evidence.method import EVIDENCE_METHOD
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
    Cities where the assumptions of the evidence do not hold are in calibration_record.json, which reports quote.
    Cities with and without stuffed answers are simulated too: integrity.csv and integrity.txt report what is held.
    """
    _ = translator(language)
    settings, cities = list_settings(quick=quick), list_cities(quick=quick)
    with exit_on_faults(_), progress_bar(3) as begin:
        directory.mkdir(parents=True, exist_ok=True)
        study = track_progress(run_settings(settings), begin(_("Simulating")), total=len(settings))
        write_study(list(study), directory, language)
        found = pd.DataFrame(track_progress(run_cities(cities), begin(_("Simulating cities")), total=len(cities)))
        cells = list_cells(quick=quick)
        tried = list(track_progress(run_cells(cells), begin(_("Simulating scenarios")), total=len(cells)))
        record = record_text(tried, made_on=datetime.now(UTC).date(), seed=SEED, evidence_method=EVIDENCE_METHOD)
        said = "\n".join(integrity_calibration_sentences(found, language))
        write_files(
            {
                "integrity.csv": frame_csv(found),
                "integrity.txt": f"{said}\n".encode(),
                RECORD_FILE.name: record.encode(),
            },
            directory,
        )
    click.echo(click.format_filename(directory))
