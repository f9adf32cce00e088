"""Views of the inbox: the cases of an office by what has to be done next, and the same as a file."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from http import HTTPStatus
from io import BytesIO
from typing import TypeVar

from flask import Response, abort, jsonify, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.files.csv_files import csv_file
from analytics.files.spreadsheets import SheetColumn, write_workbook
from analytics.languages import Wording
from survey_app.accounts.guard import signed_in, wanted_scope
from survey_app.accounts.paging import Page, requested_page
from survey_app.accounts.place_choice import offered_places
from survey_app.accounts.policies import WORKING_CASES, policy
from survey_app.accounts.scope import Scope
from survey_app.accounts.staff_pages import blueprint
from survey_app.audit import record_export
from survey_app.casework.appeals import count_waiting
from survey_app.casework.bulk_steps import BULK_ACTIONS
from survey_app.casework.case_table import case_headings, case_rows
from survey_app.casework.inbox import (
    CaseFilter,
    Order,
    Queue,
    count_due,
    count_queues,
    count_unaccepted_safety,
    list_cases,
)
from survey_app.casework.labels import channel_words, office_words, order_words, queue_words, status_names, step_names
from survey_app.casework.remaining_time import office_time
from survey_app.clock import current_time
from survey_app.complaints.cases import cases_in
from survey_app.complaints.categories import categories
from survey_app.complaints.labels import case_kind_words
from survey_app.models import Complaint, PropertyCompany
from survey_app.models.vocabulary import CaseOffice, Channel
from survey_app.web.context import site
from survey_app.web.downloads import file_response
from survey_app.web.languages import current_language
from survey_app.web.typed_dates import read_date
from survey_app.web.typed_numbers import read_whole_number

CASES_PER_PAGE = 30
# A file for a spreadsheet: whoever needs more asks for a period.
MOST_IN_FILE = 50_000

_Member = TypeVar("_Member", bound=StrEnum)


@blueprint.get("/staff/cases")
@policy(WORKING_CASES)
def cases() -> str:
    """List the cases of the account by what has to be done next, a page at a time."""
    wanted, language = _wanted(), current_language()
    with site().database.reading() as session:
        scope = wanted_scope(session)
        at = office_time(session, current_time())
        counts = count_queues(session, scope, wanted, at)
        total = sum(counts.values()) if wanted.queue is None else counts[wanted.queue]
        page = Page(requested_page(), CASES_PER_PAGE, total)
        return render_template(
            "casework/inbox.html",
            cases=list_cases(session, scope, wanted, at, limit=page.size, offset=page.offset),
            counts=counts,
            wanted=wanted,
            page=page,
            # Whatever is looked for: of all that the account has, like the badge on the home page.
            due=count_due(session, signed_in().scope, at),
            unaccepted_safety=count_unaccepted_safety(session, signed_in().scope),
            appeals=count_waiting(session, signed_in().scope),
            places=offered_places(session, signed_in().scope),
            companies=_companies(session, scope),
            groups=categories().groups,
            chosen=request.args,
            asks_for_more=any(request.args.get(name) for name in _FOLDED),
            queue_words=queue_words(language),
            order_words=order_words(language),
            channel_words=channel_words(language),
            office_words=office_words(language),
            kind_words=case_kind_words(language),
            bulk_actions=BULK_ACTIONS,
            step_names=step_names(language),
            status_names=status_names(language),
            language=language,
        )


@blueprint.get("/staff/cases/urgent")
@policy(WORKING_CASES)
def urgent_cases() -> Response:
    """Say how many matters of safety nobody has accepted yet: an open desk asks every minute."""
    with site().database.reading() as session:
        waiting = count_unaccepted_safety(session, signed_in().scope)
    return jsonify(waiting=waiting, words=_("Matters of safety wait to be accepted: %(count)s", count=waiting))


@blueprint.get("/staff/cases.csv")
@policy(WORKING_CASES)
def cases_csv() -> Response:
    """Download the listed cases as CSV, without what residents wrote."""
    heading, rows = _table()
    return file_response(csv_file(heading, [rows]), "cases.csv", mimetype="text/csv")


@blueprint.get("/staff/cases.xlsx")
@policy(WORKING_CASES)
def cases_xlsx() -> Response:
    """Download the listed cases as a workbook, without what residents wrote."""
    heading, rows = _table()
    stream = BytesIO()
    # References are longer than the whole numbers that a spreadsheet keeps.
    columns = [SheetColumn(name, is_text=True, width=18) for name in heading]
    write_workbook(stream, title="cases", columns=columns, rows=rows, now=current_time())
    mimetype = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return file_response(stream.getvalue(), "cases.xlsx", mimetype=mimetype)


# Of the address, what stands in the folded part of the form.
_FOLDED = ("company", "category", "channel", "office", "since", "until", "order")


def _wanted() -> CaseFilter:
    """Return which cases the address asks for; what cannot be read asks for nothing."""
    asked = request.args
    return CaseFilter(
        queue=_member(Queue, asked.get("queue")),
        community=asked.get("community", "").strip(),
        company=read_whole_number(asked.get("company")),
        category=asked.get("category", ""),
        channel=_member(Channel, asked.get("channel")),
        office=_member(CaseOffice, asked.get("office")),
        handler_id=signed_in().account_id if asked.get("mine") else None,
        is_overdue=bool(asked.get("overdue")),
        first_day=read_date(asked.get("since", "")),
        last_day=read_date(asked.get("until", "")),
        words=asked.get("words", "").strip(),
        order=_member(Order, asked.get("order")) or Order.DEADLINE,
    )


def _member(vocabulary: type[_Member], typed: str | None) -> _Member | None:
    return vocabulary(typed) if typed in set(vocabulary) else None


def _companies(session: Session, scope: Scope) -> Sequence[tuple[int, Wording]]:
    """Return the companies that have or had a case in the scope."""
    given = cases_in(scope).with_only_columns(Complaint.company_id).where(Complaint.company_id.is_not(None))
    statement = select(PropertyCompany).where(PropertyCompany.id.in_(given)).order_by(PropertyCompany.sort_key)
    return [(found.id, Wording.of(found.name, found.english_name)) for found in session.scalars(statement)]


def _table() -> tuple[Sequence[str], Iterator[Sequence[object]]]:
    """Return the heading and the rows of the file, once the export is in the audit chain."""
    wanted, now, account, language = _wanted(), current_time(), signed_in(), current_language()
    with site().database.reading() as session:
        scope = wanted_scope(session)
        found = list_cases(session, scope, wanted, office_time(session, now), limit=MOST_IN_FILE + 1)
    if len(found) > MOST_IN_FILE:
        abort(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    with site().database.writing() as session:
        record_export(
            session, by=account.actor, area=scope.area, places=scope.ids, kind="cases", subject="cases", now=now
        )
    return case_headings(language), case_rows(found, language)
