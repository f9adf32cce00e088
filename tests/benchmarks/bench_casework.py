"""The desk of an office with 10,000 cases in 2,000 communities: lists and one case, beside an empty staff page."""

import atexit
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from flask.testing import FlaskClient
from sqlalchemy import insert

from survey_app.complaints.cases import settle_case
from survey_app.config import Config
from survey_app.models import Community, Complaint, ComplaintEvent, District, PropertyCompany
from survey_app.storage.database import Database
from tests.accounts import SECRET_KEY, make_account, signed_in_client
from tests.benchmarks.harness import Benchmark
from tests.conftest import site_on
from tests.factories import make_round

CASES = 10_000
COMMUNITIES = 2_000
_CATEGORIES = ("CL01", "EQ01", "SE01", "PK01", "FE01")
# Each page is asked for so often in one run.
_TIMES = 10
_EMPTY = "/staff/account"
_PAGES = {
    "all that is open": "/staff/cases",
    "searched by words": "/staff/cases?words=楼道灯",
    "overdue of one community, the newest first": "/staff/cases?overdue=1&community=小区17&order=newest",
    "a page far down": "/staff/cases?page=150",
}


@cache
def desk() -> FlaskClient:
    """Return a signed-in client of a site with all these cases; its files go when the process ends."""
    directory = TemporaryDirectory(prefix="jiayuan-benchmark-")
    atexit.register(directory.cleanup)
    instance = Path(directory.name)
    url = f"sqlite:///{instance / 'jiayuan.sqlite3'}"
    now = datetime.now(UTC).replace(microsecond=0)
    with Database(url) as database:
        command.upgrade(database.alembic_config(), "head")
        _fill(database, now)
    config = Config(
        database_url=url,
        secret_key=SECRET_KEY,
        instance=instance,
        public_url="http://127.0.0.1:8000",
        for_this_machine=True,
    )
    context = site_on(config)
    app = context.__enter__()
    atexit.register(context.__exit__, None, None, None)
    return signed_in_client(app, "city")


def _fill(database: Database, now: datetime) -> None:
    with database.writing() as session:
        make_round(session)
        make_account(session, "city", now=now)
        session.execute(insert(District), [{"id": n, "name": f"第{n}区", "sort_key": f"{n}"} for n in range(1, 6)])
        session.execute(
            insert(PropertyCompany), [{"id": n, "name": f"物业{n}", "sort_key": f"{n}"} for n in range(1, 101)]
        )
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
        cases, events = [], []
        for number, category in enumerate(islice(cycle(_CATEGORIES), CASES), 1):
            filed = now - timedelta(minutes=11 * number)
            cases.append(
                {
                    "id": number,
                    "submission_key": f"key{number}",
                    "reference": f"{number:014}",
                    "community_id": 1 + number % COMMUNITIES,
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
                settle_case(session, reference=f"{number:014}", now=now)


def ask(path: str) -> None:
    """Ask for a page again and again."""
    for _time in range(_TIMES):
        answer = desk().get(path)
        assert answer.status_code == 200, (path, answer.status_code)


def benchmarks() -> list[Benchmark]:
    """Compare each page with one that shows an account's own name."""
    empty: Callable[[], None] = partial(ask, _EMPTY)
    pages = _PAGES | {"one case": f"/staff/cases/{CASES // 2:014}"}
    bar = "≥ 0.33, which is three times an empty page"
    return [
        Benchmark(f"casework: {name}, of {CASES:,} cases", partial(ask, path), empty, bar)
        for name, path in pages.items()
    ]
