"""An empty installation is led step by step to its first answer."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from analytics.disclosure import rules as disclosure
from survey_app.accounts.accounts import disable_account
from survey_app.accounts.scope import EVERYWHERE, Scope
from survey_app.codes.codes import issue_poster_code, issue_slips, new_slips, without_code
from survey_app.codes.poster_prints import posters_printed, record_posters
from survey_app.complaints import categories
from survey_app.complaints.calendar_lists import read_year
from survey_app.complaints.calendars import publish_year
from survey_app.config import DATA
from survey_app.models import Account, Community, District, Round
from survey_app.models.vocabulary import Area, CodeKind, Role
from survey_app.preparation import facts as preparation_facts
from survey_app.preparation.checklist import STEPS_OF_ROLE, State, StepKey, is_ready, list_steps
from survey_app.preparation.facts import read_facts
from survey_app.preparation.wording import words_of
from survey_app.printing.typefaces import ChineseTypefaceMissing
from survey_app.rounds.questionnaires import load_questionnaire
from survey_app.rounds.rounds import add_rule_file, create_round, publish_questionnaire
from tests.accounts import make_account
from tests.factories import (
    CLOSED,
    NOW,
    SECRET,
    make_community,
    make_district,
    make_neighbourhood,
    make_poster_code,
    make_round,
    make_subdistrict,
)

ADDRESS = "https://wj.example.cn"
# These come with the program.
SHIPPED = {
    StepKey.DISCLOSURE_RULES,
    StepKey.PRIVACY_NOTICE,
    StepKey.COMPLAINT_CATEGORIES,
    StepKey.CALENDAR,
}
QUESTIONNAIRE = DATA / "questionnaires" / "resident-satisfaction-1.yaml"
RULES = DATA / "rules" / "wuhai" / "2021-08-23.yaml"


@pytest.fixture(autouse=True)
def _typeface(monkeypatch):
    """A server with a typeface, whatever this machine has."""
    monkeypatch.setattr(preparation_facts, "installed_typefaces", lambda: None)


def facts_of(database, *, scope=EVERYWHERE, public_url=ADDRESS, now=NOW):
    with database.reading() as session:
        return read_facts(session, scope=scope, public_url=public_url, now=now)


def done(facts):
    return {step.key for step in list_steps(facts) if step.state is State.DONE}


def states(facts):
    return {step.key: step.state for step in list_steps(facts)}


def add_city_accounts(session):
    make_account(session, "city", now=NOW)
    make_account(session, "administrator", now=NOW)


def freeze_questionnaire(session):
    publish_questionnaire(session, definition=load_questionnaire(QUESTIONNAIRE), now=NOW)


def freeze_rules(session):
    add_rule_file(session, content=RULES.read_bytes(), source=RULES.name, now=NOW)


def import_communities(session):
    district = make_district(session, name="海勃湾区")
    make_community(session, district=district)
    make_community(session, district=district, households_occupied=None, households_delivered=None)


def count_households(session):
    session.execute(update(Community).values(households_delivered=3))


def set_telephones(session):
    session.execute(update(District).values(telephone="0473-2058000"))


def add_district_account(session):
    make_account(session, "district", district=session.scalars(select(District)).one(), now=NOW)


def add_clerk(session):
    make_account(session, "clerk", communities=[session.scalars(select(Community)).first()], now=NOW)


def issue_codes(session):
    for community in session.scalars(without_code(EVERYWHERE)).all():
        issue_poster_code(session, community=community, now=NOW)


def plan_round(session):
    create_round(
        session,
        name="2027年调查",
        english_name=None,
        opens_on=date(2027, 3, 1),
        closes_on=date(2027, 4, 1),
        responses_kept_until=date(2028, 3, 31),
        questionnaire=publish_questionnaire(session, definition=load_questionnaire(QUESTIONNAIRE), now=NOW),
        rule_file=add_rule_file(session, content=RULES.read_bytes(), source=RULES.name, now=NOW),
        accepts=tuple(CodeKind),
        now=NOW,
    )


def print_posters(session):
    record_posters(session, scope=EVERYWHERE, count=2, public_url=ADDRESS, now=NOW)


def print_slips(session):
    survey_round = session.scalars(select(Round)).one()
    for community in session.scalars(select(Community)):
        issue_slips(
            session, survey_round=survey_round, community=community, new=new_slips(3, secret_key=SECRET), now=NOW
        )


def publish_next_year(session):
    announced = read_year("2027-01-01 元旦".encode(), "2027", basis="通知")
    account = session.scalars(select(Account.id)).first()
    publish_year(session, announced, by=f"account:{account}", account_id=account, now=NOW)


WALK = (
    (StepKey.CITY_ACCOUNTS, add_city_accounts),
    (StepKey.QUESTIONNAIRE, freeze_questionnaire),
    (StepKey.RULES, freeze_rules),
    (StepKey.COMMUNITIES, import_communities),
    (StepKey.HOUSEHOLDS, count_households),
    (StepKey.TELEPHONES, set_telephones),
    (StepKey.DISTRICT_ACCOUNTS, add_district_account),
    (StepKey.CLERK_ACCOUNTS, add_clerk),
    (StepKey.POSTER_CODES, issue_codes),
    (StepKey.ROUND, plan_round),
    (StepKey.POSTERS, print_posters),
    (StepKey.SLIPS, print_slips),
    (StepKey.NEXT_CALENDAR, publish_next_year),
)


def test_an_empty_installation_walks_to_launch_and_each_step_ticks_its_own_line_alone(database):
    before = done(facts_of(database))
    assert before == SHIPPED | {StepKey.PUBLIC_ADDRESS, StepKey.TYPEFACE}

    for key, take_step in WALK:
        assert states(facts_of(database))[key] is State.TO_DO, key
        with database.writing() as session:
            take_step(session)
        after = done(facts_of(database))
        assert after - before == {key}
        assert before <= after, key
        before = after

    assert set(states(facts_of(database)).values()) == {State.DONE}
    assert is_ready(list_steps(facts_of(database)))


def test_the_address_the_typeface_and_files_that_cannot_be_read_are_to_do(database, monkeypatch, tmp_path):
    def no_typeface():
        raise ChineseTypefaceMissing

    assert states(facts_of(database, public_url="http://127.0.0.1:8000"))[StepKey.PUBLIC_ADDRESS] is State.TO_DO
    monkeypatch.setattr(preparation_facts, "installed_typefaces", no_typeface)
    monkeypatch.setattr(preparation_facts, "promises", (tmp_path / "no file").read_bytes)
    monkeypatch.setattr(preparation_facts, "categories", lambda: categories.parse_categories(b"format: none", "x"))
    monkeypatch.setattr(preparation_facts, "rules_in_force", lambda _day: disclosure.rules_in_force(date(1999, 1, 1)))

    to_do = {key for key, state in states(facts_of(database)).items() if state is State.TO_DO}

    broken = {StepKey.TYPEFACE, StepKey.PRIVACY_NOTICE, StepKey.COMPLAINT_CATEGORIES, StepKey.DISCLOSURE_RULES}
    assert broken <= to_do


@pytest.mark.parametrize(
    ("today", "years", "state"),
    [
        (date(2026, 8, 31), {2026}, State.NOT_YET),
        (date(2026, 9, 1), {2026}, State.TO_DO),
        (date(2026, 11, 15), {2026}, State.TO_DO),
        (date(2026, 11, 15), {2026, 2027}, State.DONE),
    ],
)
def test_a_missing_next_year_is_told_from_september_on(sqlite_database, today, years, state):
    facts = replace(facts_of(sqlite_database), today=today, calendar_years=frozenset(years))

    assert states(facts)[StepKey.NEXT_CALENDAR] is state
    assert states(replace(facts, calendar_years=frozenset()))[StepKey.CALENDAR] is State.TO_DO


def test_an_account_counts_once_it_can_be_signed_in_to(database):
    with database.writing() as session:
        import_communities(session)
        add_city_accounts(session)
        add_district_account(session)
    assert states(facts_of(database))[StepKey.DISTRICT_ACCOUNTS] is State.DONE

    with database.writing() as session:
        accounts = session.scalars(select(Account).order_by(Account.username)).all()
        for account in accounts[1:]:
            disable_account(session, account=account, by="account:0", now=NOW)

    found = states(facts_of(database))
    assert found[StepKey.DISTRICT_ACCOUNTS] is State.TO_DO
    assert found[StepKey.CITY_ACCOUNTS] is State.TO_DO


def test_a_district_has_a_clerk_in_whatever_part_the_clerk_looks_after(database):
    with database.writing() as session:
        whole, by_part, by_neighbourhood, by_list = (make_district(session) for _ in range(4))
        part = make_subdistrict(session, district=by_part)
        neighbourhood = make_neighbourhood(session, subdistrict=make_subdistrict(session, district=by_neighbourhood))
        listed = [
            make_community(session, district=district) for district in (whole, by_part, by_neighbourhood, by_list)
        ]
        bound = (
            {"district": whole},
            {"subdistrict": part},
            {"neighbourhood": neighbourhood},
            {"communities": listed[3:]},
        )
        for number, places in enumerate(bound):
            assert len(read_facts(session, scope=EVERYWHERE, public_url=ADDRESS, now=NOW).districts.without_clerk) == (
                4 - number
            )
            make_account(session, f"clerk.{number}", role="clerk", now=NOW, **places)

    assert facts_of(database).districts.without_clerk == ()


def test_posters_are_printed_again_for_a_new_code_and_for_another_address(database):
    with database.writing() as session:
        make_round(session)
        here, there = make_district(session), make_district(session)
        part = make_subdistrict(session, district=there)
        first, second = make_community(session, district=here), make_community(session, district=there)
        third = make_community(session, district=there, subdistrict=part)
        for community in (first, second, third):
            make_poster_code(session, community, issued_at=NOW)

    def lacking(*scopes, now=NOW, public_url=ADDRESS):
        with database.writing() as session:
            for scope in scopes:
                record_posters(session, scope=scope, count=1, public_url=public_url, now=now)
        return facts_of(database).communities.without_poster

    assert lacking() == 3
    assert lacking(EVERYWHERE, now=NOW - timedelta(hours=1)) == 3
    assert lacking(EVERYWHERE, public_url="http://127.0.0.1:8000") == 3
    assert lacking(Scope(Area.DISTRICT, (here.id,))) == 2
    assert lacking(Scope(Area.SUBDISTRICT, (part.id,))) == 1
    assert lacking(Scope(Area.COMMUNITY, (second.id,))) == 0
    assert states(facts_of(database, public_url="https://another.example.cn"))[StepKey.POSTERS] is State.TO_DO


def test_no_print_before_the_last_of_the_whole_city_is_needed(database):
    with database.writing() as session:
        for day, scope in enumerate((Scope(Area.DISTRICT, (1,)), EVERYWHERE, Scope(Area.COMMUNITY, (2, 3)))):
            record_posters(session, scope=scope, count=1, public_url=ADDRESS, now=NOW + timedelta(days=day))
    with database.reading() as session:
        printed = posters_printed(session, public_url=ADDRESS)

    assert printed == {
        (Area.CITY, None): NOW + timedelta(days=1),
        (Area.COMMUNITY, 2): NOW + timedelta(days=2),
        (Area.COMMUNITY, 3): NOW + timedelta(days=2),
    }


def test_no_print_is_read_where_no_round_is_to_come(database, monkeypatch):
    with database.writing() as session:
        make_poster_code(session, make_community(session), issued_at=NOW)
        make_round(session)
    with monkeypatch.context() as patch:
        patch.delattr(preparation_facts, "posters_printed")
        after = facts_of(database, now=CLOSED)

    assert after.communities.without_poster is None
    assert states(after)[StepKey.POSTERS] is State.NOT_YET
    assert states(facts_of(database))[StepKey.POSTERS] is State.TO_DO


def test_a_district_is_told_of_its_own_communities_alone(database):
    with database.writing() as session:
        here, there = (
            make_district(session, name="乌达区", english_name="Wuda", telephone="0473-1"),
            make_district(session, name="海南区"),
        )
        make_community(session, district=here)
        make_community(session, district=there, households_delivered=None, households_occupied=None)

    facts = facts_of(database, scope=Scope(Area.DISTRICT, (here.id,)))

    assert (facts.communities.total, facts.communities.without_households) == (1, 0)
    assert [name.zh_hans for name in facts.districts.without_clerk] == ["乌达区"]
    assert facts.districts.without_telephone == ()
    [step] = list_steps(facts, [StepKey.CLERK_ACCOUNTS])
    assert words_of(step, facts, "zh-Hans").missing == "还缺：乌达区。"
    assert words_of(step, facts, "en").missing == "Districts still missing: Wuda."


def test_after_the_first_round_the_next_one_is_planned_when_its_year_comes(database):
    with database.writing() as session:
        make_round(session, opens_at=NOW - timedelta(days=40), closes_at=NOW - timedelta(days=10))
        make_community(session)

    found = states(facts_of(database))

    assert {found[key] for key in (StepKey.ROUND, StepKey.POSTERS, StepKey.SLIPS)} == {State.NOT_YET}


def test_every_step_has_words_and_one_way_to_do_it_in_both_languages(sqlite_database):
    facts = facts_of(sqlite_database)

    for step in list_steps(facts):
        chinese, english = (words_of(step, facts, language) for language in ("zh-Hans", "en"))
        assert (chinese.title != english.title, chinese.reason != english.reason) == (True, True)
        assert step.key in SHIPPED or english.page or english.command
    assert set(STEPS_OF_ROLE) == {Role.CITY, Role.ADMINISTRATOR, Role.DISTRICT, Role.CLERK}
