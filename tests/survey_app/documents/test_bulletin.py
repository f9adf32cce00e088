"""The monthly bulletin: what it says of a month, to whom, on one page, in two languages."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from survey_app.accounts.scope import EVERYWHERE, Scope
from survey_app.city_time import Month
from survey_app.complaints.cases import record_history
from survey_app.complaints.casework_files import publish_casework_file
from survey_app.complaints.state_machine import Event
from survey_app.documents import bulletin_views
from survey_app.documents.bulletin import MOST_LAGGARDS, first_month, read_bulletin, write_bulletin
from survey_app.documents.sheets import bulletin_pdf
from survey_app.models import AuditEvent, Community, Complaint, PropertyCompany
from survey_app.models.vocabulary import Area, AuditAction, CaseAction, CaseActor, Role
from survey_app.printing.typefaces import installed_typefaces
from survey_app.web.context import SITE_EXTENSION
from tests.casework import CASEWORK_FILE, RULES
from tests.factories import make_call_back, make_community, make_complaint, make_poster_code, make_round
from tests.survey_app.app.test_policies import clients, site  # noqa: F401 (fixtures)
from tests.survey_app.documents.reading import about, compact, pages_of

ZONE = ZoneInfo("Asia/Shanghai")
SEPTEMBER = Month(2026, 9)
FILED = datetime(2026, 9, 1, 1, 0, tzinfo=UTC)
LATER = datetime(2026, 10, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
BUREAU, COMPANY, RESIDENT = CaseActor.BUREAU, CaseActor.COMPANY, CaseActor.RESIDENT
BEGUN = [
    (HOUR, CaseAction.ACCEPT, BUREAU),
    (2 * HOUR, CaseAction.DISPATCH, BUREAU),
    (3 * HOUR, CaseAction.START, COMPANY),
]
ANSWERED = [*BEGUN, (9 * HOUR, CaseAction.RESPOND, COMPANY)]
CONFIRMED = [*ANSWERED, (12 * HOUR, CaseAction.CONFIRM, RESIDENT)]
REJECTED = [*ANSWERED, (12 * HOUR, CaseAction.REJECT, RESIDENT)]


@pytest.fixture
def community(database):
    with database.writing() as session:
        make_round(session)
        company = PropertyCompany(name="滨河物业", english_name="Riverside Property", sort_key="b")
        return make_community(session, company=company).id


def file(database, community, steps, count=1, *, submitted_at=FILED, **values):
    """File cases that live alike."""
    with database.writing() as session:
        place = session.get_one(Community, community)
        code = make_poster_code(session, place)
        for _case in range(count):
            given_values = {"category": "CL01", "submitted_at": submitted_at, "code_id": code.id} | values
            complaint = make_complaint(session, place, **given_values)
            events = [Event(action, actor, submitted_at + after) for after, action, actor in steps]
            record_history(session, reference=complaint.reference, events=events)


def call_back(database, *, at=FILED + 20 * DAY, **unhappy):
    """Call the residents of all cases back: of four of them one says what is given, the others that all is well."""
    with database.writing() as session:
        for number, complaint in enumerate(session.scalars(select(Complaint).order_by(Complaint.id))):
            make_call_back(session, complaint, at=at, **({} if number % 4 else unhappy))


def facts_of(database, *, month=SEPTEMBER, scope=EVERYWHERE, now=LATER):
    with database.reading() as session:
        return read_bulletin(session, month=month, scope=scope, now=now)


def bulletin_of(database, *, language="en", **asked):
    return write_bulletin(facts_of(database, **asked), issuer="Wuhai Housing Bureau", language=language)


def lines_of(bulletin):
    return {line.name: (line.figure, line.note) for line in bulletin.lines}


def rates_of(bulletin):
    return {line.name: (line.figure, line.note) for line in bulletin.rates}


def test_a_month_in_figures(database, community):
    file(database, community, CONFIRMED, 30)
    file(database, community, REJECTED, 10)
    file(database, community, ANSWERED, 6, channel="hotline")
    file(database, community, [], 2, channel="letter")

    bulletin = bulletin_of(database)

    assert (bulletin.month, bulletin.cut_off) == ("September 2026", "Counted to the end of 30 September 2026")
    assert bulletin.summary.startswith("Open at the beginning: 0. Filed: 48. Opened again after their end: 0.")
    assert bulletin.channels == [
        ("Form behind a code", "40"),
        ("12345 hotline", "—"),
        ("Letter", "—"),
        ("Together", "48"),
    ]
    lines = lines_of(bulletin)
    assert lines["Acknowledged in time"] == ("95.8%", "46 of 48")
    assert lines["Answered in time"] == ("95.8%", "46 of 48"), "two were missed in the review too"
    assert lines["Confirmed as fixed"] == ("75.0%", "30 of 40")
    assert lines["Without a word, closed after the period of silence"] == ("13.0%", "6 of 46")
    assert rates_of(bulletin) == {
        "Response rate": ("95.8%", "46 of 48"),
        "Resolution rate": ("75.0%", "30 of 40"),
        "Satisfaction rate": ("—", "nobody has said anything"),
    }
    assert lines["Work begun anew"][0] == "10"
    assert lines["Put under review by somebody else"][0] == "12", "two acknowledgements and ten answers were missed"


def test_it_is_written_in_chinese_first(database, community):
    file(database, community, CONFIRMED, 12)

    bulletin = bulletin_of(database, language="zh-Hans")

    assert (bulletin.title, bulletin.month) == ("诉求办理月报", "2026年9月")
    assert lines_of(bulletin)["及时签收率"] == ("100.0%", "12件中12件")
    assert "统计截至2026年9月30日24时" in bulletin.cut_off


@pytest.mark.parametrize(
    ("confirmed", "rejected", "told"),
    [
        (3, 3, ("—", "of fewer than 10 residents")),
        (12, 3, ("above 66.7%", "all but fewer than 5 of 15")),
        (3, 12, ("below 33.3%", "fewer than 5 of 15")),
        (15, 0, ("100.0%", "15 of 15")),
        (10, 5, ("66.7%", "10 of 15")),
    ],
)
def test_what_few_residents_said_is_told_as_far_as_it_shows_none_of_them(
    database, community, confirmed, rejected, told
):
    file(database, community, CONFIRMED, confirmed)
    file(database, community, REJECTED, rejected)

    assert lines_of(bulletin_of(database))["Confirmed as fixed"] == told


def test_a_company_that_answers_late_is_named_with_its_figures(database, community):
    file(database, community, BEGUN, 8)
    file(database, community, ANSWERED, 12)

    [line] = bulletin_of(database).laggards
    [chinese] = bulletin_of(database, language="zh-Hans").laggards

    assert (line.name, line.figure, line.note) == ("Riverside Property", "60.0%", "12 of 20")
    assert chinese.name == "滨河物业"


def test_below_the_stated_minimum_nobody_is_named_and_the_page_says_by_what_rule(database, community):
    file(database, community, BEGUN, 19)

    bulletin = bulletin_of(database)

    assert bulletin.laggards == []
    assert "at least 20 answers" in bulletin.laggards_rule
    assert "fewer than 90%" in bulletin.laggards_rule


def test_rates_are_those_of_the_formulas_in_force_with_the_sentences_of_the_file(database, community):
    file(database, community, CONFIRMED, 40)
    call_back(database, satisfied="no")

    bulletin = bulletin_of(database)
    chinese = bulletin_of(database, language="zh-Hans")

    assert rates_of(bulletin)["Response rate"] == rates_of(bulletin)["Resolution rate"] == ("100.0%", "40 of 40")
    assert rates_of(bulletin)["Satisfaction rate"] == ("75.0%", "30 of 40")
    assert list(bulletin.statements) == [rate.statement.en for rate in RULES.rates.values()]
    assert chinese.statements[0].startswith("响应率（本系统口径）")


def test_what_an_office_did_is_told_however_little_and_what_few_residents_say_is_not(database, community):
    file(database, community, CONFIRMED, 4)
    call_back(database)

    assert rates_of(bulletin_of(database)) == {
        "Response rate": ("100.0%", "4 of 4"),
        "Resolution rate": ("—", "of fewer than 10 residents"),
        "Satisfaction rate": ("—", "of fewer than 10 residents"),
    }


def test_a_call_back_counts_in_the_month_in_which_the_resident_was_called(database, community):
    file(database, community, CONFIRMED, 12)
    call_back(database, at=FILED + 40 * DAY)

    assert rates_of(bulletin_of(database))["Satisfaction rate"] == ("—", "nobody has said anything")
    assert rates_of(bulletin_of(database, month=Month(2026, 10)))["Satisfaction rate"] == ("100.0%", "12 of 12")


def test_a_later_casework_file_decides_who_is_named_and_by_which_formulas(database, community):
    file(database, community, BEGUN, 5)
    file(database, community, ANSWERED, 20)
    written = CASEWORK_FILE.read_text("utf-8")
    for old, new in (
        ("in_force_from: 2021-08-23", "in_force_from: 2026-09-15"),
        ("share_in_time: 90 %", "share_in_time: 80.1 %"),
        ("least_cases: 20", "least_cases: 25"),
        ("formula: acknowledged_in_time_of_judged", "formula: contacted_of_reached"),
    ):
        assert old in written
        written = written.replace(old, new)
    with database.writing() as session:
        early = datetime(2026, 9, 1, tzinfo=UTC)
        publish_casework_file(session, content=written.encode(), source="later.yaml", now=early)

    call_back(database, contacted="no")

    bulletin = bulletin_of(database)

    assert [line.note for line in bulletin.laggards] == ["20 of 25"]
    assert "fewer than 80.1% of them" in bulletin.laggards_rule
    assert rates_of(bulletin)["Response rate"] == ("72.0%", "18 of 25")


@pytest.mark.usefixtures("community")
def test_before_the_first_casework_file_there_is_no_bulletin(database):
    with database.reading() as session:
        first = first_month(session)

    assert first == Month(2021, 8)
    assert facts_of(database, month=first) is not None
    assert facts_of(database, month=first.plus(-1)) is None


def test_a_month_that_is_not_over_says_until_when_it_counts_and_one_to_come_has_none(database, community):
    file(database, community, CONFIRMED)
    during = datetime(2026, 9, 20, 2, 30, tzinfo=UTC)

    running = bulletin_of(database, now=during)

    assert running.cut_off == "The month is not over: counted to 20 September 2026 10:30"
    assert facts_of(database, month=Month(2026, 10), now=during) is None
    with_the_month = datetime(2026, 8, 31, 16, 0, tzinfo=UTC)
    assert facts_of(database, now=with_the_month) is None, "nothing has happened in it yet"


def test_a_past_month_reads_the_same_whenever_it_is_asked_for(database, community):
    file(database, community, REJECTED, 12)
    before = bulletin_of(database, now=datetime(2026, 10, 1, 4, tzinfo=UTC))

    file(database, community, CONFIRMED, 5, submitted_at=datetime(2026, 10, 2, 1, tzinfo=UTC))

    assert bulletin_of(database, now=LATER) == before


@pytest.mark.usefixtures("community")
def test_a_month_without_cases_is_written_nevertheless(database):
    bulletin = bulletin_of(database)

    assert bulletin.channels == []
    assert lines_of(bulletin)["Answered in time"] == ("—", "no answer came due")
    assert lines_of(bulletin)["Confirmed as fixed"] == ("—", "nobody has said anything")


def test_an_account_of_a_district_counts_its_own_cases(database, community):
    file(database, community, CONFIRMED, 3)
    with database.writing() as session:
        other = make_community(session)
        district, neighbour = other.district_id, other.id
    file(database, neighbour, CONFIRMED, 4)

    assert facts_of(database).figures.received == 7
    assert facts_of(database, scope=Scope(Area.DISTRICT, (district,))).figures.received == 4


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
def test_with_all_that_it_may_say_it_fills_one_page(database, community, language):
    file(database, community, BEGUN, 20)
    call_back(database, satisfied="no")
    facts = facts_of(database)
    [name] = facts.figures.laggards.index
    many = facts.figures.laggards.loc[[name] * 40]
    facts = replace(facts, figures=replace(facts.figures, laggards=many))

    bulletin = write_bulletin(facts, issuer="乌海市住建局", language=language)
    pdf = bulletin_pdf(bulletin, typefaces=installed_typefaces(), made_at=LATER)

    [page] = pages_of(pdf)
    assert len(bulletin.laggards) == MOST_LAGGARDS + 1
    assert compact(bulletin.laggards[-1].note) in compact(page)
    for word in (bulletin.title, bulletin.summary, bulletin.laggards_rule, *bulletin.statements, *bulletin.notes):
        assert compact(word) in compact(page)
    title, spoken, is_tagged, tags = about(pdf)
    assert (spoken[:2], is_tagged) == (language[:2], True)
    assert bulletin.month in title
    assert {"Table", "H1"} <= tags


def test_the_page_and_the_file_say_the_same_and_the_file_is_in_the_audit_chain(site, clients):  # noqa: F811
    app, _city = site
    month = f"{datetime.now(ZONE):%Y-%m}"
    page = clients[Role.CITY].get(f"/staff/bulletins/{month}?lang=zh-Hans")
    file = clients[Role.CITY].get(f"/staff/bulletins/{month}.pdf?lang=zh-Hans")

    assert (page.status_code, file.status_code, file.mimetype) == (200, 200, "application/pdf")
    assert "乌海市住建局" in page.text
    assert "乌海市住建局" in compact("".join(pages_of(file.data)))
    with app.extensions[SITE_EXTENSION].database.reading() as session:
        events = session.scalars(select(AuditEvent).filter_by(action=AuditAction.EXPORTED)).all()
    assert events[-1].subject == f"bulletin:{month}"
    assert json.loads(events[-1].after)["kind"] == "bulletin"


def test_a_past_month_is_one_file_all_day(clients, monkeypatch):  # noqa: F811
    def file_at(hour):
        monkeypatch.setattr(bulletin_views, "current_time", lambda: datetime(2026, 10, 20, hour, tzinfo=UTC))
        return clients[Role.CITY].get("/staff/bulletins/2026-09.pdf?lang=en").data

    assert file_at(1) == file_at(9)


def test_a_district_puts_out_its_own(clients):  # noqa: F811
    page = clients[Role.DISTRICT].get("/staff/bulletins?lang=zh-Hans").text

    assert "own区住建局" in page
    assert "other" not in page


@pytest.mark.parametrize("month", ["2026-9", "2026-13", "september", "2999-01", "2099-01"])
def test_a_month_that_is_none_or_has_not_begun_is_not_found(clients, month):  # noqa: F811
    for ending in ("", ".pdf"):
        assert clients[Role.CITY].get(f"/staff/bulletins/{month}{ending}").status_code == 404


def test_the_newest_month_that_is_over_is_shown_first_with_the_way_to_others(clients):  # noqa: F811
    page = clients[Role.CITY].get("/staff/bulletins?lang=en").text
    now = Month.of(datetime.now(ZONE).date())

    assert f"/staff/bulletins/{now.plus(-2)}" in page
    assert f"/staff/bulletins/{now}?" in page
    running = clients[Role.CITY].get(f"/staff/bulletins/{now}?lang=en").text
    assert f"/staff/bulletins/{now.plus(1)}" not in running


@given(st.integers(2000, 2098), st.integers(1, 12), st.integers(-30, 30))
def test_months_follow_each_other_without_a_gap(year, number, count):
    month = Month(year, number)

    assert month.plus(count).plus(-count) == month
    assert Month.read(str(month)) == month
    assert month.start(ZONE) < month.plus(1).start(ZONE)
    assert (month.plus(1).start(ZONE) - timedelta(hours=1)).month == number
