"""Files of the hotline for tests: rows by the fields of a ledger, as CSV or as a workbook."""

import csv
import io
from datetime import UTC, datetime
from itertools import count
from zoneinfo import ZoneInfo

import openpyxl

from survey_app.accounts.credentials import credentials_of
from survey_app.hotline.findings import LedgerFindings
from survey_app.hotline.import_files import LEDGERS, keep_file
from survey_app.hotline.ledger_file import Reading, read_ledger
from survey_app.hotline.ledger_jobs import ledger_jobs
from survey_app.hotline.ledger_rows import COLUMNS
from survey_app.hotline.ledger_words import ledger_words
from survey_app.jobs.worker import Worker
from survey_app.models import Account, HotlineImport
from tests.factories import SECRET

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
OWN = tuple(column for column in COLUMNS if column.field not in {"status", "telephone"})
HEADER = [column.header for column in OWN]
_numbers = count(1)


def row(**values):
    """Return a row of the file by fields: a case of a lift that was dispatched in the morning."""
    given = {
        "number": f"WH2026{next(_numbers):08}",
        "submitted": "2026-11-10 09:00",
        "source": "电话",
        "category": "投诉-物业管理-电梯",
        "community": "阳光花园",
        "text": "电梯停了两天，没有人来修",
        "confidential": "否",
        "undertaker": "市住建局",
        "dispatched": "2026-11-10 10:00",
        "limit": "2026-11-24",
    }
    return given | values


def table(rows, columns=OWN):
    return [
        [column.header for column in columns],
        *[[each.get(column.field, "") for column in columns] for each in rows],
    ]


def csv_of(rows, *, columns=OWN, encoding="utf-8"):
    stream = io.StringIO()
    csv.writer(stream).writerows(table(rows, columns))
    return stream.getvalue().encode(encoding)


def workbook_of(rows, *, columns=OWN, merged=()):
    book = openpyxl.Workbook()
    for cells in table(rows, columns):
        book.active.append([None if cell == "" else cell for cell in cells])
    for place in merged:
        book.active.merge_cells(place)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def read(content, name="ledger.csv", *, now=NOW, **given):
    by = Reading(ledger_words(), ZONE, now, lambda digits: f"digest of {digits}")
    return read_ledger(content, name, by=by, **given)


def work(database, *, now=NOW):
    return Worker(database, ledger_jobs(SECRET), lambda: now).run_due_jobs()


def send(database, account_id, content, *, name="ledger.csv", now=NOW):
    """Send a file, have it read and compared, and return its number."""
    with database.writing() as session:
        import_id = keep_file(session, account_id=account_id, name=name, content=content, now=now)
    work(database, now=now)
    return import_id


def confirm(database, import_id, *, now=NOW):
    with database.writing() as session:
        kept = session.get(HotlineImport, import_id)
        LEDGERS.confirm(
            session,
            import_id,
            comparison_sha256=kept.comparison_sha256,
            credentials=credentials_of(session.get(Account, kept.account_id)),
            now=now,
        )
    work(database, now=now)


def bring_in(database, account_id, rows, *, now=NOW):
    """Import rows as they are shown, and return the number of the import."""
    import_id = send(database, account_id, csv_of(rows), now=now)
    confirm(database, import_id, now=now)
    assert kept(database, import_id).status == "imported", findings(database, import_id)
    return import_id


def kept(database, import_id):
    with database.reading() as session:
        return session.get(HotlineImport, import_id)


def findings(database, import_id):
    return LedgerFindings.parse(kept(database, import_id).findings)
