from collections import Counter
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from survey_app.accounts.scope import EVERYWHERE, Scope
from survey_app.codes import codes, print_runs
from survey_app.codes.codes import find_slip
from survey_app.codes.print_runs import (
    NothingToPrint,
    files_of_sheets,
    posters_to_print,
    print_posters,
    print_slips,
    slips_to_issue,
)
from survey_app.models import Code, SlipBatch
from survey_app.models.vocabulary import Area
from survey_app.printing.typefaces import ChineseTypefaceMissing, installed_typefaces
from survey_app.storage.database import Database
from tests.factories import NOW, make_community, make_district, make_poster_code, make_round

pdfium = pytest.importorskip("pypdfium2")
pytest.importorskip("zxingcpp")
from tests.survey_app.printing.scanning import scan_all  # noqa: E402 (needs zxingcpp)

SECRET = "only for tests: 7f3c9a1e5b8d2046"
SITE = "https://wj.example.cn"


@pytest.fixture
def typefaces():
    try:
        return installed_typefaces()
    except ChineseTypefaceMissing as error:
        pytest.skip(str(error))


@pytest.fixture
def places(database):
    """Two districts, three communities of which two have poster codes, and an open round for posters and slips."""
    with database.writing() as session:
        here = make_district(session, name="海勃湾区", sort_key="hai", second_language_line="Сэтгэл ханамж")
        there = make_district(session, name="乌达区", sort_key="wu", telephone="0473-1")
        garden = make_community(session, name="学府花园", number="1", district=here, households_delivered=3)
        home = make_community(
            session, name="滨河家园", number="2", district=there, households_delivered=2, second_language_line="Гэр"
        )
        uncounted = make_community(session, name="旧院", number="3", district=there, households_delivered=None)
        codes = [make_poster_code(session, garden, token="11112222333344445555", building="3号楼")]
        codes.append(make_poster_code(session, home, token="55554444333322221111"))
        make_poster_code(session, home, revoked_at=NOW)
        opened = make_round(session, name="本轮", english_name="This round", accepts_households=True)
        return {"here": here, "garden": garden, "home": home, "uncounted": uncounted, "round": opened}


def posters_in(database, *, scope=EVERYWHERE, now=NOW):
    with database.reading() as session:
        return posters_to_print(session, scope=scope, public_url=SITE, now=now)


def orders_in(database, places, *, scope=EVERYWHERE, counts=None):
    with database.reading() as session:
        survey_round = session.get_one(type(places["round"]), places["round"].id)
        return slips_to_issue(session, survey_round=survey_round, scope=scope, counts=counts)


def printing_of(database, places, orders, typefaces):
    return print_slips(
        database,
        orders,
        files_of=files_of_sheets(public_url=SITE, language="zh-Hans", typefaces=typefaces, now=NOW),
        round_id=places["round"].id,
        secret_key=SECRET,
        now=NOW,
    )


def addresses(pdf):
    with pdfium.PdfDocument(pdf) as document:
        return [text for page in document for text in scan_all(page.render(scale=2).to_pil())]


@pytest.mark.usefixtures("places")
def test_every_usable_poster_code_gets_a_poster_of_the_open_round(database):
    first, second = posters_in(database)

    assert first.path == "海勃湾区/学府花园 1 3号楼 11112222333344445555.pdf"
    assert (first.poster.building, first.poster.second_language_line) == ("3号楼", "Сэтгэл ханамж")
    assert first.poster.address == f"{SITE}/s/11112222333344445555"
    assert first.poster.round.en == "This round"
    assert (first.poster.first_day, first.poster.last_day) == (date(2026, 9, 5), date(2026, 9, 25))
    assert (second.poster.telephone, second.poster.second_language_line) == ("0473-1", "Гэр")


def test_posters_are_those_of_the_scope(database, places):
    (only,) = posters_in(database, scope=Scope(Area.DISTRICT, (places["here"].id,)))

    assert only.poster.community.zh_hans == "学府花园"
    with pytest.raises(NothingToPrint):
        posters_in(database, scope=Scope(Area.COMMUNITY, (places["uncounted"].id,)))


@pytest.mark.usefixtures("places")
def test_without_a_round_a_poster_names_none(database):
    first, _ = posters_in(database, now=NOW + timedelta(days=400))

    assert (first.poster.round, first.poster.first_day, first.poster.last_day) == (None, None, None)


def test_a_round_for_slips_only_is_not_on_posters(database, places):
    with database.writing() as session:
        session.get_one(type(places["round"]), places["round"].id).accepts_posters = False

    assert {named.poster.round for named in posters_in(database)} == {None}


@pytest.mark.usefixtures("places")
def test_each_poster_of_a_district_is_read(database, typefaces):
    posters = posters_in(database)

    files = dict(print_posters(posters, language="zh-Hans", typefaces=typefaces, now=NOW))

    assert [addresses(files[named.path]) for named in posters] == [[named.poster.address] for named in posters]


def test_slips_are_ordered_for_every_household_that_is_known(database, places):
    orders = orders_in(database, places)

    assert [(order.whose.community.zh_hans, order.count) for order in orders] == [("学府花园", 3), ("滨河家园", 2)]
    assert orders[0].whose.last_day == date(2026, 9, 25)


def test_slips_of_one_community_are_as_many_as_asked_for(database, places):
    (order,) = orders_in(database, places, counts={places["uncounted"].id: 7})

    assert (order.whose.community.zh_hans, order.count) == ("旧院", 7)
    with pytest.raises(NothingToPrint):
        orders_in(database, places, scope=Scope(Area.COMMUNITY, (places["uncounted"].id,)))


def test_printed_slips_are_stored_and_lead_to_their_community(database, places, typefaces):
    files = dict(printing_of(database, places, orders_in(database, places), typefaces))

    assert [name.rpartition("-")[2] for name in files] == ["1.pdf", "1.pdf"]
    printed = [address for pdf in files.values() for address in addresses(pdf)]
    with database.reading() as session:
        found = [find_slip(session, typed=address, secret_key=SECRET) for address in printed]
        assert Counter(code.community.name for code in found) == {"学府花园": 3, "滨河家园": 2}
        assert all(code.revoked_at is None for code in found)
    assert all(address.startswith(f"{SITE}/h/") for address in printed)


def test_the_digests_of_slips_are_computed_before_others_wait_for_their_transaction(
    database, places, typefaces, monkeypatch
):
    steps, writing, digest = [], Database.writing, codes._digest

    @contextmanager
    def noted(database):
        steps.append("transaction")
        with writing(database) as session:
            yield session

    def noted_digest(*arguments):
        steps.append("digest")
        return digest(*arguments)

    orders = orders_in(database, places)
    monkeypatch.setattr(Database, "writing", noted)
    monkeypatch.setattr(codes, "_digest", noted_digest)

    next(printing_of(database, places, orders, typefaces))

    assert steps[: steps.index("transaction")] == ["digest"] * 6
    assert "digest" not in steps[steps.index("transaction") :]


def test_slips_whose_files_nobody_took_are_spoiled(database, places, typefaces):
    files = printing_of(database, places, orders_in(database, places), typefaces)
    next(files)
    files.close()

    with database.reading() as session:
        codes = session.scalars(select(Code).where(Code.batch_id.is_not(None))).all()
        assert [(code.community.name, code.revoked_because) for code in codes] == [("学府花园", "spoiled")] * 3


def test_slips_whose_printing_fails_are_spoiled(database, places, typefaces, monkeypatch):
    def fail(*_arguments, **_options):
        raise RuntimeError("no paper")

    monkeypatch.setattr(print_runs, "slip_volumes", fail)

    with pytest.raises(RuntimeError, match="no paper"):
        list(printing_of(database, places, orders_in(database, places), typefaces))

    with database.reading() as session:
        assert set(session.scalars(select(Code.revoked_because).where(Code.batch_id.is_not(None)))) == {"spoiled"}
        assert len(session.scalars(select(SlipBatch)).all()) == 1
