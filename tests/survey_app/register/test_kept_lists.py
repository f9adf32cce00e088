"""A list that takes longer than a page may is read, compared and imported by jobs, as it was shown and confirmed."""

import io
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from survey_app.accounts.accounts import disable_account
from survey_app.accounts.credentials import credentials_of
from survey_app.audit import OPERATOR
from survey_app.config import REPOSITORY
from survey_app.jobs.worker import Worker
from survey_app.kept_files import KEPT_FOR, FileInWork, NoSuchFile
from survey_app.models import Account, AuditEvent, Community, CommunityList, Job
from survey_app.models.vocabulary import AuditAction, JobStatus, ListStatus
from survey_app.register.communities_file import read_communities
from survey_app.register.community_imports import import_communities, plan_import, record_import, store_import
from survey_app.register.kept_lists import (
    LISTS,
    choose_headers,
    erase_expired_lists,
    give_up_list,
    keep_list,
)
from survey_app.register.list_findings import ListFindings
from survey_app.register.list_jobs import LIST_JOBS
from tests.accounts import csrf_token, make_account, signed_in_client
from tests.factories import NOW, make_community, make_district
from tests.survey_app.register.test_lists_of_offices import HEADER, csv_file, row, workbook

# Stores what was confirmed, says so before the commit, and waits to be killed.
DIES_BEFORE_COMMIT = """
import signal, sys
from datetime import datetime
from survey_app.register import community_imports
from survey_app.register.list_jobs import LIST_JOBS
from survey_app.jobs.worker import Worker
from survey_app.storage.database import Database
def hang(*_given, **_named):
    print("stored", flush=True)
    signal.pause()
community_imports.record_import = hang
now = datetime.fromisoformat(sys.argv[2])
with Database(sys.argv[1]) as database:
    Worker(database, LIST_JOBS, lambda: now).run_due_jobs()
"""


@pytest.fixture
def city(database):
    with database.writing() as session:
        return make_account(session, "city", now=NOW).id


def send(database, city, content, **values):
    given = {"name": "list.csv", "source": "", "headers": {}, "now": NOW} | values
    with database.writing() as session:
        keep_list(session, account_id=city, content=content, **given)


def work(database, now=NOW):
    return Worker(database, LIST_JOBS, lambda: now).run_due_jobs()


def kept(database, city):
    with database.reading() as session:
        return session.get(CommunityList, city)


def findings(database, city):
    return ListFindings.parse(kept(database, city).findings)


def confirm(database, city, now=NOW):
    with database.writing() as session:
        shown = session.get(CommunityList, city).comparison_sha256
        credentials = credentials_of(session.get(Account, city))
        LISTS.confirm(session, city, comparison_sha256=shown, credentials=credentials, now=now)


def names(database):
    with database.reading() as session:
        return set(session.scalars(select(Community.name)))


def held(database):
    """What is kept of files and of what was read from them."""
    with database.reading() as session:
        return session.execute(select(CommunityList.content, CommunityList.rows)).one()


def imported_beside(database, *rows):
    """Import another list, as somebody else may at any time."""
    with database.writing() as session:
        plan = plan_import(session, table=read_communities(csv_file(*rows), "other.csv"), are_new_places_confirmed=True)
        record_import(session, result=store_import(session, plan=plan), by=OPERATOR, now=NOW)


@pytest.mark.parametrize("make", [csv_file, lambda *rows: workbook(HEADER, *rows)])
def test_a_list_is_stored_when_what_it_changes_was_shown_and_confirmed(database, city, make):
    send(database, city, make(row(), row("T2", "乙")))

    assert work(database) == ["list_check"]
    shown = kept(database, city)
    assert (shown.status, names(database)) == (ListStatus.COMPARED, set())
    assert (findings(database, city).result.added, held(database).content) == (2, None)

    confirm(database, city)
    assert work(database) == ["list_import"]
    assert (kept(database, city).status, names(database)) == (ListStatus.IMPORTED, {"甲", "乙"})
    assert held(database) == (None, None)
    with database.reading() as session:
        event = session.scalars(select(AuditEvent).filter_by(action=AuditAction.COMMUNITIES_IMPORTED)).one()
    assert event.actor == f"account:{city}"


def test_the_faults_of_a_list_are_kept_with_their_places_and_the_file_is_not(database, city):
    send(database, city, csv_file(row(households=("many", 90, 80))))
    work(database)

    found = findings(database, city)
    assert [(fault.line, fault.column, fault.text()) for fault in found.faults] == [
        (2, 5, "this must be a whole number, it is “many”")
    ]
    assert (kept(database, city).status, held(database)) == (ListStatus.REFUSED, (None, None))


def test_headers_are_asked_about_without_the_file_being_sent_again(database, city):
    header = ["编号", "项目", *HEADER[2:]]
    send(database, city, csv_file(row(), header=header))
    work(database)
    asked = findings(database, city)
    assert (kept(database, city).status, asked.missing) == (ListStatus.ASKED, ("name",))
    assert [(each.written, each.example) for each in asked.headers][:2] == [("编号", "T1"), ("项目", "甲")]

    with database.writing() as session:
        choose_headers(session, account_id=city, source="某局", headers={"number": "编号", "name": "项目"}, now=NOW)
    work(database)
    confirm(database, city)
    work(database)

    assert names(database) == {"甲"}
    send(database, city, csv_file(row("T2", "乙"), header=header), source="某局")
    work(database)
    assert kept(database, city).status == ListStatus.COMPARED


def test_names_that_would_be_new_are_shown_with_the_comparison(database, city):
    imported_beside(database, row())
    send(database, city, csv_file(row("T2", "乙", "海渤湾区")))
    work(database)

    assert [fault.text() for fault in findings(database, city).new_places] == [
        "the district 海渤湾区 would be new and resembles 海勃湾区"
    ]


def test_a_twin_of_a_stored_community_is_a_fault(database, city):
    imported_beside(database, row("015030001"))
    send(database, city, csv_file(row("15030001")))
    work(database)

    assert kept(database, city).status == ListStatus.REFUSED


@pytest.mark.parametrize("other", [row("T1", "甲", households=(50, 40, 30)), row("T9", "丙", "乌达区")])
def test_nothing_is_stored_but_what_was_shown(database, city, other):
    send(database, city, csv_file(row(), row("T2", "乙")))
    work(database)
    first = kept(database, city).comparison_sha256
    confirm(database, city)
    imported_beside(database, other)

    work(database)

    again = kept(database, city)
    assert again.status == ListStatus.COMPARED
    assert again.comparison_sha256 != first
    assert names(database) == {other[1]}
    confirm(database, city)
    work(database)
    assert names(database) == {"甲", "乙", other[1]}


def test_a_page_that_shows_an_earlier_comparison_confirms_nothing(database, city):
    send(database, city, csv_file(row()))
    work(database)

    with database.writing() as session, pytest.raises(NoSuchFile):
        LISTS.confirm(session, city, comparison_sha256="0" * 64, credentials="", now=NOW)


def test_an_import_between_the_comparison_and_the_lock_is_noticed(database, city, monkeypatch):
    from survey_app.register import list_jobs

    send(database, city, csv_file(row()))
    work(database)
    confirm(database, city)
    compare, beside = list_jobs._compare, [row("T1", "甲", households=(50, 40, 30))]

    def compare_then_import(*given):
        plan = compare(*given)
        if beside:
            imported_beside(database, beside.pop())
        return plan

    monkeypatch.setattr(list_jobs, "_compare", compare_then_import)
    work(database)

    assert kept(database, city).status == ListStatus.COMPARED
    with database.reading() as session:
        assert session.scalars(select(Community.households_delivered)).all() == [50]


def test_what_an_account_confirmed_is_not_done_once_it_is_disabled(database, city):
    send(database, city, csv_file(row()))
    work(database)
    confirm(database, city)
    with database.writing() as session:
        disable_account(session, account=session.get(Account, city), by=OPERATOR, now=NOW)

    work(database)

    assert (kept(database, city).status, names(database)) == (ListStatus.REFUSED, set())


def test_a_worker_that_is_killed_while_it_stores_leaves_nothing_and_loses_nothing(database, city):
    send(database, city, csv_file(row(), row("T2", "乙")))
    work(database)
    confirm(database, city)
    command = [sys.executable, "-c", DIES_BEFORE_COMMIT, database.url.render_as_string(hide_password=False)]
    worker = subprocess.Popen([*command, NOW.isoformat()], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    try:
        assert worker.stdout.readline() == "stored\n"
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.communicate()

    assert names(database) == set()
    assert work(database, NOW + timedelta(minutes=1)) == []
    assert work(database, NOW + timedelta(minutes=3)) == ["list_import"]
    assert names(database) == {"甲", "乙"}
    with database.reading() as session:
        events = select(func.count()).select_from(AuditEvent).filter_by(action=AuditAction.COMMUNITIES_IMPORTED)
        assert session.scalar(events) == 1


def test_a_list_that_is_given_up_is_erased_and_what_comes_too_late_stores_nothing(database, city):
    send(database, city, csv_file(row()))
    work(database)
    confirm(database, city)
    with database.writing() as session:
        give_up_list(session, account_id=city, now=NOW)

    assert work(database) == []
    assert (kept(database, city), names(database)) == (None, set())
    with database.reading() as session:
        assert session.scalars(select(Job.status).filter_by(kind="list_import")).one() == JobStatus.CANCELLED


def test_an_account_has_one_list_in_work(database, city):
    send(database, city, csv_file(row()))
    with pytest.raises(FileInWork):
        send(database, city, csv_file(row("T2", "乙")))

    work(database)
    send(database, city, csv_file(row("T2", "乙")))
    work(database)
    confirm(database, city)
    work(database)

    assert names(database) == {"乙"}


def test_a_step_that_failed_is_done_again_when_it_is_asked_for(database, city, monkeypatch):
    send(database, city, csv_file(row()))
    with monkeypatch.context() as patch:
        patch.setattr("survey_app.register.communities_file.read_communities", lambda *_given, **_named: 1 / 0)
        for minutes in range(0, 60, 10):
            work(database, NOW + timedelta(minutes=minutes))
    assert kept(database, city).status == ListStatus.SENT
    with database.reading() as session:
        assert session.scalars(select(Job.status)).one() == JobStatus.FAILED

    with database.writing() as session:
        LISTS.try_again(session, city, now=NOW)
    work(database)

    assert kept(database, city).status == ListStatus.COMPARED


def test_lists_with_which_nothing_happens_are_erased_after_a_day(database, city):
    send(database, city, csv_file(row()))
    for now, left in ((NOW + KEPT_FOR - timedelta(seconds=1), 1), (NOW + KEPT_FOR, 0)):
        with database.writing() as session:
            erase_expired_lists(session, now=now)
            assert session.scalar(select(func.count()).select_from(CommunityList)) == left


def test_reading_tells_how_far_it_is():
    shares = []

    read_communities(workbook(HEADER, *(row(f"T{n}", f"甲{n}") for n in range(1000))), "list", tell=shares.append)

    assert len(shares) >= 4
    assert shares == sorted(shares)
    assert 0 < shares[0] < 0.5 < shares[-1] <= 1


# The pages.


@pytest.fixture
def client(app, sqlite_database):
    with sqlite_database.writing() as session:
        make_account(session, "city", now=datetime.now(UTC))
        make_community(session, number="99", name="旧苑", district=make_district(session, name="海勃湾区"))
    client = signed_in_client(app, "city")
    client.get("/staff/?lang=en")
    return client


LONG_LIST = csv_file(*(row(f"N{number:05}", f"幸福家园{number}", "乌达区") for number in range(4000)))
LIST_PAGE = "/staff/communities/import/list"


def post(client, path, *, page="/staff/communities/import", **fields):
    return client.post(path, data={"csrf_token": csrf_token(client.get(page)), **fields})


def upload(client, content=LONG_LIST, **fields):
    return post(client, "/staff/communities/import", file=(io.BytesIO(content), "名单.csv"), **fields)


def work_of(app):
    return work(app.extensions["jiayuan"].database, datetime.now(UTC))


def comparison(client):
    return client.get(LIST_PAGE).text.split('name="comparison" value="')[1].split('"')[0]


def test_a_long_list_is_followed_confirmed_and_imported_on_its_page(app, client, sqlite_database):
    sent = upload(client)
    assert (sent.status_code, sent.location) == (303, LIST_PAGE)
    waiting = client.get(LIST_PAGE).text
    assert "Waiting for its turn" in waiting
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in waiting
    assert "Show how it stands" in client.get("/staff/communities/import").text

    work_of(app)
    compared = client.get(LIST_PAGE).text
    assert "4000" in compared
    assert "the district 乌达区 would be new" in compared
    assert "refresh" not in compared
    shown = comparison(client)
    assert post(client, f"{LIST_PAGE}/confirm", comparison=shown).status_code == 303
    assert work_of(app) == [], "new names are confirmed first"
    post(client, f"{LIST_PAGE}/confirm", comparison=shown, new_places="1")
    assert work_of(app) == ["list_import"]

    assert "The list is imported." in client.get(LIST_PAGE).text
    assert len(names(sqlite_database)) == 4001
    assert "Show how it stands" not in client.get("/staff/communities/import").text


def test_the_page_is_the_accounts_own(app, client, sqlite_database):
    with sqlite_database.writing() as session:
        make_account(session, "other", role="city", now=datetime.now(UTC))
        make_account(session, "district", district=make_district(session), now=datetime.now(UTC))
    upload(client)

    other = signed_in_client(app, "other")
    assert other.get(LIST_PAGE).location == "/staff/communities/import"
    post(other, f"{LIST_PAGE}/give-up")
    assert signed_in_client(app, "district").get(LIST_PAGE).status_code in {403, 404}
    assert "Waiting for its turn" in client.get(LIST_PAGE).text


def test_what_is_left_open_on_another_page_says_how_the_list_stands(app, client):
    upload(client)
    work_of(app)
    post(client, f"{LIST_PAGE}/give-up")

    for step in ("confirm", "headers", "again"):
        answer = post(client, f"{LIST_PAGE}/{step}", comparison="0")
        assert (answer.status_code, answer.location) == (303, LIST_PAGE)
    assert "The list stands otherwise by now" in client.get("/staff/communities/import").text


def test_a_second_list_is_not_taken_while_the_first_is_in_work(client):
    upload(client)

    assert upload(client).location == LIST_PAGE
    assert "One list at a time" in client.get(LIST_PAGE).text


def test_faults_of_a_long_list_are_said_in_the_language_of_the_page(app, client):
    upload(client, LONG_LIST.replace(b",100,90,80", b",many,90,80"))
    work_of(app)

    page = client.get(f"{LIST_PAGE}?lang=zh-Hans").text
    assert "名单.csv:2:5" in page
    assert "须为整数，现为“many”" in page
    assert "4,000" in page or "4000处错误" in page


def test_headers_of_a_long_list_are_chosen_on_its_page(app, client, sqlite_database):
    upload(client, LONG_LIST.replace("小区名称".encode(), "项目".encode()), source="乌达区住建局")
    work_of(app)
    asked = client.get(LIST_PAGE).text
    assert 'value="乌达区住建局"' in asked
    assert "such as 幸福家园0" in asked

    faulty = post(client, f"{LIST_PAGE}/headers", **{"header-name": "项目", "header-district": "项目"})
    assert faulty.status_code == 400
    chosen = {"header-name": "项目", "source": "乌达区住建局"}
    chosen |= {f"header-{field}": text for field, text in zip(FIELDS, HEADER, strict=True) if field != "name"}
    post(client, f"{LIST_PAGE}/headers", **chosen)
    work_of(app)
    post(client, f"{LIST_PAGE}/confirm", comparison=comparison(client), new_places="1")
    work_of(app)

    assert len(names(sqlite_database)) == 4001


FIELDS = (
    "number",
    "name",
    "district",
    "company",
    "households_delivered",
    "households_occupied",
    "households_owners",
)


def test_a_list_that_is_imported_by_hand_beside_it_changes_what_is_shown(app, client, sqlite_database):
    upload(client)
    work_of(app)
    shown = comparison(client)
    with sqlite_database.writing() as session:
        import_communities(session, table=read_communities(csv_file(row("N00000", "幸福家园0", "乌达区")), "a.csv"))
    post(client, f"{LIST_PAGE}/confirm", comparison=shown, new_places="1")
    work_of(app)

    assert comparison(client) != shown
    assert len(names(sqlite_database)) == 2
