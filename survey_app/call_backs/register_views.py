"""Views of the register of contradicted closures: by company, the cases to be looked at again, and both as files."""

from collections.abc import Iterable, Sequence
from io import BytesIO

from flask import Response, render_template

from analytics.files.csv_files import csv_file
from analytics.files.spreadsheets import SheetColumn, write_workbook
from analytics.rules import share_words
from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import CALLING_BACK, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.audit import record_export
from survey_app.call_backs.call_table import case_headings, case_rows, register_headings, register_rows
from survey_app.call_backs.closure_register import ClosureRegister, read_register
from survey_app.casework.labels import status_names
from survey_app.clock import current_time
from survey_app.web.context import site
from survey_app.web.downloads import file_response
from survey_app.web.languages import current_language

_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# What a page has room for; the files hold all.
MOST_SHOWN = 100


@blueprint.get("/staff/closures")
@policy(CALLING_BACK)
def closures() -> str:
    """Show the register of the last twelve months."""
    register = _register()
    return render_template(
        "call_backs/register.html",
        register=register,
        shown=register.cases[:MOST_SHOWN],
        watch_share=share_words(register.casework.watch_list.contradicted_share),
        status_names=status_names(current_language()),
        language=current_language(),
    )


@blueprint.get("/staff/closures.csv")
@policy(CALLING_BACK)
def closures_csv() -> Response:
    """Download the register by company as CSV."""
    language = current_language()
    return _csv(register_headings(language), register_rows(_exported(), language), "closures.csv")


@blueprint.get("/staff/closures.xlsx")
@policy(CALLING_BACK)
def closures_xlsx() -> Response:
    """Download the register by company as a workbook."""
    language = current_language()
    return _workbook(register_headings(language), register_rows(_exported(), language), "closures.xlsx")


@blueprint.get("/staff/closures/cases.csv")
@policy(CALLING_BACK)
def contradicted_cases_csv() -> Response:
    """Download the cases to be looked at again as CSV."""
    language = current_language()
    return _csv(case_headings(language), case_rows(_exported(), language), "contradicted-cases.csv")


@blueprint.get("/staff/closures/cases.xlsx")
@policy(CALLING_BACK)
def contradicted_cases_xlsx() -> Response:
    """Download the cases to be looked at again as a workbook."""
    language = current_language()
    return _workbook(case_headings(language), case_rows(_exported(), language), "contradicted-cases.xlsx")


def _register() -> ClosureRegister:
    with site().database.reading() as session:
        return read_register(session, scope=signed_in().scope, now=current_time())


def _exported() -> ClosureRegister:
    """Return the register, once the export is in the audit chain."""
    account, register = signed_in(), _register()
    with site().database.writing() as session:
        record_export(
            session,
            by=account.actor,
            area=account.scope.area,
            places=account.scope.ids,
            kind="closures",
            subject="closures",
            now=current_time(),
        )
    return register


def _csv(heading: Sequence[str], rows: Iterable[Sequence[object]], filename: str) -> Response:
    return file_response(csv_file(heading, [rows]), filename, mimetype="text/csv")


def _workbook(heading: Sequence[str], rows: Iterable[Sequence[object]], filename: str) -> Response:
    stream = BytesIO()
    # References are longer than the whole numbers that a spreadsheet keeps.
    columns = [SheetColumn(name, is_text=True, width=18) for name in heading]
    write_workbook(stream, title="closures", columns=columns, rows=rows, now=current_time())
    return file_response(stream.getvalue(), filename, mimetype=_WORKBOOK)
