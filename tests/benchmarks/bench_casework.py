"""Desks with 10,000 cases in 2,000 communities beside an empty staff page, and as many rows of the 12345 hotline."""

import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import cycle, islice
from time import perf_counter

import openpyxl
from alembic import command
from flask.testing import FlaskClient
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from survey_app.complaints.cases import record_history, settle_case
from survey_app.complaints.casework_files import casework_file_at
from survey_app.complaints.state_machine import Event
from survey_app.models import (
    Community,
    Complaint,
    ComplaintEvent,
    District,
    HotlineCase,
    PropertyCompany,
)
from survey_app.models.vocabulary import CaseAction, CaseActor
from survey_app.storage.database import Database
from tests.accounts import make_account, signed_in_client
from tests.benchmarks.bench_survey import folder, new_url, open_servers
from tests.benchmarks.harness import Benchmark, Seconds
from tests.conftest import config_of, site_on
from tests.factories import make_round
from tests.survey_app.hotline.ledgers import confirm, row, send, workbook_of

CASES = 10_000
COMMUNITIES = 2_000
_CATEGORIES = ("CL01", "EQ01", "SE01", "PK01", "FE01")
# Each page is asked for so often in one run.
_TIMES = 10
_EMPTY = "/staff/account"
_PAGES = {
    "city": {
        "all that is open": "/staff/cases",
        "searched by words": "/staff/cases?words=楼道灯",
        "overdue of one community, the newest first": "/staff/cases?overdue=1&community=小区17&order=newest",
        "a page far down": "/staff/cases?page=150",
        "one case": f"/staff/cases/{CASES // 2:014}",
    },
    "company": {"its own list": "/staff/company-cases"},
}
_EXPENSIVE = {
    "city": {
        "the monthly bulletin": "/staff/bulletins",
        "the register of contradicted closures": "/staff/closures",
        "what the complaint rate counts": "/staff/complaint-rate",
    }
}
ENGINES = ("sqlite", "postgresql")


@cache
def desk(engine: str, username: str) -> FlaskClient:
    """Return a signed-in client of a site with all these cases."""
    return signed_in_client(_app(engine), username)


@cache
def _app(engine: str) -> object:
    url = new_url(engine)
    with Database(url) as database:
        command.upgrade(database.alembic_config(), "head")
        _fill(database, datetime.now(UTC).replace(microsecond=0))
    return open_servers().enter_context(site_on(config_of(folder(), url)))


def _make_places(session: Session) -> None:
    make_round(session)
    session.execute(insert(District), [{"id": n, "name": f"第{n}区", "sort_key": f"{n}"} for n in range(1, 6)])
    session.execute(insert(PropertyCompany), [{"id": n, "name": f"物业{n}", "sort_key": f"{n}"} for n in range(1, 101)])
    communities = [
        {
            "id": n,
            "number": f"{n:06}",
            "district_id": 1 + n % 5,
            "company_id": 1 + n % 100,
            "name": f"小区{n}",
            "sort_key": f"{n:06}",
        }
        for n in range(1, COMMUNITIES + 1)
    ]
    session.execute(insert(Community), communities)


def _fill(database: Database, now: datetime) -> None:
    with database.writing() as session:
        _make_places(session)
        make_account(session, "city", now=now)
        make_account(session, "company", company=session.get(PropertyCompany, 1), now=now)
        rules = casework_file_at(session, now).id
        cases, events = [], []
        for number, category in enumerate(islice(cycle(_CATEGORIES), CASES), 1):
            filed = now - timedelta(minutes=11 * number)
            cases.append(
                {
                    "id": number,
                    "submission_key": f"key{number}",
                    "reference": f"{number:014}",
                    "community_id": 1 + number % COMMUNITIES,
                    "casework_file_id": rules,
                    "category": category,
                    "kind": "complaint",
                    "text": f"{number}单元楼道灯坏了，一直没有人来修",
                    "place": "楼道",
                    "language": "zh-Hans",
                    "status": "submitted",
                    "status_since": filed,
                    "submitted_at": filed,
                }
            )
            events.append({"complaint_id": number, "number": 1, "action": "submit", "actor": "resident", "at": filed})
        session.execute(insert(Complaint), cases)
        session.execute(insert(ComplaintEvent), events)
    for start in range(1, CASES + 1, 500):
        with database.writing() as session:
            for number in range(start, start + 500):
                if number % COMMUNITIES % 100 == 0:
                    _give_to_company(session, number, filed=now - timedelta(minutes=11 * number), now=now)
                settle_case(session, reference=f"{number:014}", now=now)
    if database.is_postgresql:
        # As the server does by itself within a minute; it plans by what it knows of the tables.
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM (ANALYZE)"))


def _give_to_company(session: Session, number: int, *, filed: datetime, now: datetime) -> None:
    """Give a case of a community of the first company to that."""
    steps = (CaseAction.ACCEPT, None), (CaseAction.DISPATCH, 1)
    events = [
        Event(action, CaseActor.BUREAU, filed + timedelta(minutes=place), company_id=company_id)
        for place, (action, company_id) in enumerate(steps, start=1)
    ]
    record_history(session, reference=f"{number:014}", events=[event for event in events if event.at < now])


def ask(engine: str, username: str, path: str) -> None:
    """Ask for a page again and again."""
    for _time in range(_TIMES):
        answer = desk(engine, username).get(path)
        assert answer.status_code == 200, (path, answer.status_code)


@cache
def _ledger() -> bytes:
    """Return a workbook of the hotline with a row for each case."""
    return workbook_of([row(community=f"小区{1 + number % COMMUNITIES}") for number in range(CASES)])


def import_ledger(engine: str) -> Seconds:
    """Read, compare, confirm and import a file of the hotline into a city without any case."""
    with Database(new_url(engine)) as database:
        command.upgrade(database.alembic_config(), "head")
        with database.writing() as session:
            _make_places(session)
            account_id = make_account(session, "city", now=datetime.now(UTC)).id
        content, begun = _ledger(), perf_counter()
        confirm(database, send(database, account_id, content, name="ledger.xlsx"))
        taken = perf_counter() - begun
        with database.reading() as session:
            assert len(session.scalars(select(HotlineCase.complaint_id)).all()) == CASES
    return Seconds(taken)


def load_workbook() -> None:
    """Read the cells of the same file, and do nothing with them."""
    sheet = openpyxl.load_workbook(io.BytesIO(_ledger()), read_only=True).active
    assert sum(1 for _row in sheet.iter_rows(values_only=True)) == CASES + 1


def benchmarks() -> list[Benchmark]:
    """Compare each page with one that shows an account's own name, and an import with the reading of its cells."""
    return [
        *_pages(_PAGES, "≥ 0.33, which is three times an empty page"),
        *_pages(_EXPENSIVE, "none: it folds the events of every case of its time"),
        *(
            Benchmark(
                f"casework: import of {CASES:,} rows of the hotline, {engine}",
                partial(import_ledger, engine),
                load_workbook,
                "≤ 20 s",
                rounds=2,
            )
            for engine in ENGINES
        ),
    ]


def _pages(pages: dict[str, dict[str, str]], bar: str) -> Sequence[Benchmark]:
    empty: Callable[..., None] = partial(ask, path=_EMPTY)
    return [
        Benchmark(
            f"casework: {name}, of {CASES:,} cases, {engine}",
            partial(ask, engine, username, path),
            partial(empty, engine, username),
            bar,
        )
        for engine in ENGINES
        for username, paths in pages.items()
        for name, path in paths.items()
    ]
