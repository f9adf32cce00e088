"""Calendars that are published: sent as a file or a list, compared with others, corrected, and told when missing."""

from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from analytics.files.yaml_documents import DocumentError
from survey_app.complaints.calendar_comparison import Coverage, Difference, compare_with_libraries, differences_from
from survey_app.complaints.calendar_lists import read_year
from survey_app.complaints.calendars import calendar, is_missing, publish_year, published_years
from survey_app.complaints.cases import due_references, find_case, take_step
from survey_app.complaints.working_days import joined, parse_calendar_year
from survey_app.config import DATA
from survey_app.models import Account, AuditEvent, ComplaintEvent
from survey_app.models.vocabulary import CaseAction, CaseActor
from tests.accounts import csrf_token, make_account, signed_in_client
from tests.casework import CALENDAR
from tests.factories import NOW, make_community, make_complaint, make_round
from tests.factories import make_account as make_plain_account

BASIS = "通知"
UNREADABLE = "write a day as 2027-10-01, and a span with its first and its last day"
SHIPPED = {path.stem: path.read_bytes() for path in (DATA / "calendars").glob("*.yaml")}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def listed(*lines, basis=BASIS):
    return read_year("\n".join(lines).encode(), "2027.txt", basis=basis)


def faults_of(*lines, basis=BASIS):
    with pytest.raises(DocumentError) as caught:
        listed(*lines, basis=basis)
    return [(fault.line, fault.text()) for fault in caught.value.faults]


def test_a_list_says_the_same_as_a_file():
    year = listed(
        "# 国庆节",
        "2026年10月1日 至 2026年10月7日 国庆节",
        "２０２６-10-10 上班",
        "2026/9/20 (work)",
        "",
        "2026-06-19 端午节",
        "2026-06-20 端午节",
        "2026-06-21 端午节",
    )

    october = {date(2026, 10, day) for day in range(1, 8)}
    assert year.holidays == october | {date(2026, 6, day) for day in (19, 20, 21)}
    assert year.make_up_days == {date(2026, 9, 20), date(2026, 10, 10)}
    assert (year.year, year.basis) == (2026, BASIS)
    assert parse_calendar_year(year.canonical_text.encode(), "stored") == year


def test_a_file_is_read_as_it_is_and_states_its_own_basis():
    assert read_year(SHIPPED["2026"], "2026.yaml", basis="") == parse_calendar_year(SHIPPED["2026"], "2026.yaml")


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["2027-02-30 春节"], [(1, UNREADABLE)]),
        (["10月1日 国庆节"], [(1, UNREADABLE)]),
        (["2027-10-01", "2028-01-01 元旦"], [(2, "this must be a day of 2027")]),
        (["2027-10-07 至 2027-10-01"], [(1, "this day lies before the first one")]),
        (["2027-10-01 国庆节", "2027-10-01 上班"], [(None, "2027-10-01 is a day off, and cannot make up for one")]),
        (["# nothing"], [(None, "there is no day in it")]),
        (["2027-10-09 上班"], [(None, "this list needs at least 1, it has 0")]),
        (["soon", "2027-01-01 元旦", "later"], [(1, UNREADABLE), (3, UNREADABLE)]),
    ],
)
def test_every_fault_of_a_list_is_told_with_its_line(lines, found):
    assert faults_of(*lines) == found


def test_a_list_without_the_document_it_was_copied_from_is_refused():
    assert faults_of("2027-01-01 元旦", basis="") == [(None, "name the document that announced these days")]


pieces = st.sampled_from(
    ["2027-10-01", "2027-10-03", "2028-01-01", "2027-13-01", " ", "至", "上班", "国庆节", "\n", "9", "format:"]
)


@given(st.lists(pieces, max_size=12).map("".join) | st.text(max_size=50))
def test_whatever_is_sent_is_read_or_refused_and_never_read_as_a_year_without_a_day_off(text):
    with suppress(DocumentError):
        year = read_year(text.encode(), "x", basis=BASIS)
        assert year.holidays
        assert not year.holidays & year.make_up_days


@pytest.mark.parametrize("year", sorted(SHIPPED))
def test_what_comes_with_the_program_differs_from_no_library(year):
    compared = compare_with_libraries(parse_calendar_year(SHIPPED[year], year))

    assert [(each.library, each.coverage, each.differences) for each in compared] == [
        ("holidays", Coverage.ANNOUNCED, []),
        ("chinesecalendar", Coverage.ANNOUNCED, []),
    ]


def test_a_slip_is_found_by_both_libraries():
    text = SHIPPED["2026"].decode().replace("make_up: [2026-05-09]", "make_up: [2026-05-10]")
    slip = [Difference(date(2026, 5, 9), is_worked=False), Difference(date(2026, 5, 10), is_worked=True)]

    compared = compare_with_libraries(parse_calendar_year(text.encode(), "2026"))

    assert [each.differences for each in compared] == [slip, slip]
    assert differences_from(parse_calendar_year(text.encode(), "2026"), CALENDAR) == slip


def test_of_a_year_that_no_library_knows_the_statutory_days_are_compared():
    compared = compare_with_libraries(listed("2099-01-01 元旦"))

    assert [each.coverage for each in compared] == [Coverage.STATUTORY, Coverage.NOTHING]
    assert Difference(date(2099, 10, 1), is_worked=True) in compared[0].differences


@pytest.mark.parametrize(
    ("year", "today", "missing"),
    [
        (2027, date(2026, 8, 31), False),
        (2027, date(2026, 9, 1), True),
        (2028, date(2026, 12, 31), False),
        (2025, date(2026, 1, 1), True),
        (2026, date(2026, 1, 1), False),
    ],
)
def test_a_year_is_missing_from_september_before_it_on(year, today, missing):
    assert is_missing(year, {2026}, today=today) is missing


def publish(session, year):
    account = session.scalar(select(Account.id)) or make_plain_account(session, role="administrator").id
    return publish_year(session, year, by=f"account:{account}", account_id=account, now=NOW)


def test_a_year_is_published_once_and_corrected_by_a_later_version(database):
    first, second = listed("2027-01-01 元旦"), listed("2027-01-01 元旦", "2027-01-02 元旦")
    with database.writing() as session:
        assert [publish(session, each).version for each in (first, first, second, first)] == [1, 1, 2, 3]
    with database.reading() as session:
        assert [each.year for each in published_years(session)] == [2023, 2024, 2025, 2026, 2027]
        assert calendar(session) == joined([*map(_parsed, SHIPPED.values()), first])
        events = session.scalars(select(AuditEvent).filter_by(action="calendar_published")).all()
        assert {event.subject for event in events} == {"calendar:2027"}
        assert (len(events), first.sha256 in events[1].before, second.sha256 in events[1].after) == (3, True, True)


def _parsed(content):
    return parse_calendar_year(content, "shipped")


def test_a_corrected_year_moves_open_deadlines_and_judges_nothing_again(database):
    text = SHIPPED["2026"].decode().replace("{name: 中秋节, from: 2026-09-25", "{name: 中秋节, from: 2026-09-21")
    with database.writing() as session:
        make_round(session)
        community = make_community(session)
        answered, waiting = (make_complaint(session, community, category="CL01").reference for _each in range(2))
        for case in (answered, waiting):
            take(session, case, CaseAction.ACCEPT, NOW + HOUR)
        for action in (CaseAction.DISPATCH, CaseAction.START, CaseAction.RESPOND):
            take(session, answered, action, NOW + 2 * HOUR)
        before = find_case(session, reference=waiting, now=NOW + DAY).deadline
        judged = stored_deadlines(session)
    with database.writing() as session:
        publish(session, _parsed(text.encode()))

    with database.reading() as session:
        assert stored_deadlines(session) == judged
        # An answer waits for the resident's word whatever day it is, and is looked at once more for all that.
        assert waiting in due_references(session, now=NOW + DAY)
        assert find_case(session, reference=waiting, now=NOW + DAY).deadline > before


def take(session, case, action, at):
    take_step(session, reference=case, action=action, actor=CaseActor.BUREAU, by="account:1", now=at)


def stored_deadlines(session):
    return session.execute(select(ComplaintEvent.action, ComplaintEvent.due_at).order_by(ComplaintEvent.id)).all()


# ---- The page. ----


@pytest.fixture
def administrator(app):
    with app.extensions["jiayuan"].database.writing() as session:
        make_account(session, "administrator", now=NOW)
    return signed_in_client(app, "administrator")


def send(client, path, **fields):
    return client.post(path, data={"csrf_token": csrf_token(client.get("/staff/calendars?lang=en"))} | fields)


def test_an_administrator_sees_the_differences_before_a_year_is_published(app, administrator):
    slip = SHIPPED["2026"].decode().replace("make_up: [2026-05-09]", "make_up: [2026-05-10]")

    shown = send(administrator, "/staff/calendars/preview?lang=en", days=slip)

    assert shown.status_code == 200
    assert shown.text.count("2 days differ:") == 2
    assert "2 days of this year change:" in shown.text
    with app.extensions["jiayuan"].database.reading() as session:
        assert {each.version for each in published_years(session)} == {1}


def test_a_year_is_published_when_what_was_shown_is_confirmed(app, administrator):
    days = "2027-01-01 元旦\n2027-01-03 上班"
    shown = send(administrator, "/staff/calendars/preview", days=days, basis="国办发明电〔2026〕1号")
    text = listed("2027-01-01 元旦", "2027-01-03 上班", basis="国办发明电〔2026〕1号").canonical_text

    assert "国办发明电〔2026〕1号" in shown.text
    answer = send(administrator, "/staff/calendars", text=text)

    assert answer.status_code == 303
    page = administrator.get("/staff/calendars?lang=en").text
    assert "国办发明电〔2026〕1号" in page
    with app.extensions["jiayuan"].database.reading() as session:
        newest = published_years(session)[-1]
        assert (newest.year, newest.text, newest.account.username) == (2027, text, "administrator")


def test_a_faulty_list_is_told_and_kept_in_its_field(administrator):
    answer = send(administrator, "/staff/calendars/preview?lang=en", days="soon\n2027-01-01 元旦", basis="x")

    assert answer.status_code == 400
    assert "1: write a day as 2027-10-01" in answer.text
    assert "soon\n2027-01-01 元旦" in answer.text


def test_the_page_and_the_home_page_say_which_year_is_missing(app, administrator, monkeypatch):
    for module in ("survey_app.complaints.calendar_views", "survey_app.evaluations.round_views"):
        monkeypatch.setattr(f"{module}.current_time", lambda: NOW)

    said = "The working days of 2027 are not published yet."
    assert said in administrator.get("/staff/calendars?lang=en").text
    assert 'href="/staff/calendars' in administrator.get("/staff/?lang=en").text.partition("step-next_calendar")[2]
    with app.extensions["jiayuan"].database.writing() as session:
        publish(session, listed("2027-01-01 元旦"))
    assert said not in administrator.get("/staff/calendars?lang=en").text
