"""Command line: each command opens one installation, does one thing, and says what it did.

What takes long to import (pandas, openpyxl with numpy and the pinyin dictionary, Typst, Flask with Dash) is imported
inside the commands that need it, so that the others answer at once.
"""

import click
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError

from analytics.files.yaml_documents import DocumentError
from survey_app.commands import (
    accounts,
    codes,
    complaints,
    installation,
    operations,
    preparation,
    questionnaires_and_rules,
    register,
    rounds,
)
from survey_app.errors import JiayuanError
from survey_app.log_events import exception_facts
from survey_app.private_files import private_umask

# Exit status, as click has for a wrong option: nothing was stored, and what was given must change.
REFUSED = 2
# Exit status of a fault of the program itself.
FAILED = 1


class _Commands(click.Group):
    """Command group that turns an expected failure into lines on stderr, one for each fault, and exit status 2.

    Of an unexpected one it prints the type and the places, since output of commands ends in mails of cron and in logs.
    """

    def invoke(self, context: click.Context) -> object:
        try:
            with private_umask():
                return super().invoke(context)
        except (DocumentError, JiayuanError) as error:
            message = str(error)
        except (OperationalError, InterfaceError) as error:
            message = f"the database cannot be used: {error.orig}"
        except OSError as error:
            message = f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)
        except UnicodeEncodeError:
            message = "what was typed is no text in UTF-8, the encoding that this program takes"
        except KeyboardInterrupt:
            click.echo("stopped before it was done", err=True)
            raise click.exceptions.Exit(FAILED) from None
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:  # noqa: BLE001 (whatever it is, its message may quote what is stored)
            # The class itself stands for what has no class of its own, such as a file that is no database.
            if type(error) is DatabaseError:
                click.echo(f"the database cannot be used: {error.orig}", err=True)
                raise click.exceptions.Exit(REFUSED) from None
            facts = exception_facts(error)
            click.echo(
                "\n".join([f"this failed and is a fault of the program: {facts['error']}", *facts["where"]]), err=True
            )
            raise click.exceptions.Exit(FAILED) from None
        click.echo(message, err=True)
        raise click.exceptions.Exit(REFUSED)


@click.group(cls=_Commands)
@click.version_option(package_name="jiayuan")
def main() -> None:
    """Run satisfaction surveys, handle complaints, and evaluate which communities meet the criterion."""


for command in (
    installation.migrate,
    installation.replace_key_command,
    installation.simulate,
    preparation.setup_checklist,
    operations.demo,
    operations.serve_command,
    operations.work,
    register.import_communities_command,
    register.export_communities_command,
    register.districts,
    questionnaires_and_rules.questionnaire,
    questionnaires_and_rules.rules,
    rounds.rounds,
    rounds.examine,
    rounds.retention,
    rounds.evaluate,
    rounds.verify,
    codes.codes,
    codes.posters,
    codes.slips,
    accounts.accounts,
    accounts.audit,
    complaints.complaints,
    complaints.casework,
):
    main.add_command(command)
