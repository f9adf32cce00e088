"""Command line of the analytics, without server or database: `python -m analytics --help`."""

import click

from analytics.commands.calibrate import calibrate_command
from analytics.commands.evaluate import evaluate_command, what_if_command
from analytics.commands.plan import plan_command
from analytics.commands.responses import drivers_command, integrity_command, rake_command
from analytics.commands.trends import trends_command


@click.group()
def main() -> None:
    """Recompute standings of residential communities from a table and a rule file."""


for _command in (
    evaluate_command,
    what_if_command,
    plan_command,
    trends_command,
    drivers_command,
    integrity_command,
    rake_command,
    calibrate_command,
):
    main.add_command(_command)


if __name__ == "__main__":
    main(prog_name="python -m analytics")
