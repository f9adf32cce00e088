import io
import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from survey_app.models import AuditEvent, Code
from survey_app.printing.typefaces import ChineseTypefaceMissing, installed_typefaces
from tests.accounts import PASSWORD, csrf_token, current_code, make_account, signed_in_client
from tests.factories import make_community, make_district, make_poster_code, make_round, make_subdistrict

# The views look at the clock, so the round lies around the present.
NOW = datetime.now(UTC).replace(microsecond=0)
PRINTING = "/staff/printing"


@pytest.fixture
def city(sqlite_database):
    try:
        installed_typefaces()
    except ChineseTypefaceMissing as error:
        pytest.skip(str(error))
    with sqlite_database.writing() as session:
        here = make_district(session, name="海勃湾区", sort_key="a")
        there = make_district(session, name="乌达区", sort_key="b")
        garden = make_community(session, name="学府花园", number="1", district=here, households_delivered=3)
        part = make_subdistrict(session, district=there)
        home = make_community(
            session, name="滨河家园", number="2", district=there, subdistrict=part, households_delivered=2
        )
        codes = [make_poster_code(session, community, token=f"2{community.id:019}") for community in (garden, home)]
        make_round(
            session,
            opens_at=NOW - timedelta(days=5),
            closes_at=NOW + timedelta(days=5),
            accepts_households=True,
        )
        make_account(session, "city", now=NOW)
        make_account(session, "district", district=here, now=NOW)
        make_account(session, "evaluator", now=NOW)
        return {"here": here, "there": there, "part": part, "codes": codes}


def files_in(answer):
    assert answer.status_code == 200
    assert answer.mimetype == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    assert answer.headers["X-Files"] == str(len(archive.namelist()))
    assert all(archive.read(name).startswith(b"%PDF-") for name in archive.namelist())
    return [name.partition("/")[0] for name in archive.namelist()]


def issue(client, **fields):
    return client.post(f"{PRINTING}/slips.zip", data={"csrf_token": csrf_token(client.get(PRINTING)), **fields})


def count_slips(database):
    with database.reading() as session:
        return session.scalar(select(func.count()).where(Code.kind == "household"))


def test_the_city_prints_the_posters_of_all_districts_or_of_one(app, city):
    client = signed_in_client(app, "city")

    assert files_in(client.get(f"{PRINTING}/posters.zip")) == ["海勃湾区", "乌达区"]
    assert files_in(client.get(f"{PRINTING}/posters.zip?place=district:{city['there'].id}")) == ["乌达区"]
    assert files_in(client.get(f"{PRINTING}/posters.zip?place=subdistrict:{city['part'].id}")) == ["乌达区"]


def test_a_district_prints_its_own_and_no_other(app, city):
    client = signed_in_client(app, "district")

    assert files_in(client.get(f"{PRINTING}/posters.zip")) == ["海勃湾区"]
    for place in (f"district:{city['there'].id}", f"subdistrict:{city['part'].id}", "district:99", "city:1"):
        assert client.get(f"{PRINTING}/posters.zip?place={place}").status_code == 404
        assert issue(client, place=place).status_code == 404
    assert issue(client, community="2").status_code == 404


def test_print_runs_of_posters_are_on_record_with_their_area(app, city, sqlite_database):
    signed_in_client(app, "city").get(f"{PRINTING}/posters.zip?place=district:{city['there'].id}")
    district = signed_in_client(app, "district")
    district.get(f"{PRINTING}/posters.zip")
    district.get(f"/staff/posters/{city['codes'][0].token}.pdf")

    with sqlite_database.reading() as session:
        events = session.scalars(
            select(AuditEvent.after).filter_by(action="posters_printed").order_by(AuditEvent.position)
        )
        areas = [(facts["area"], facts["place"], facts["count"]) for facts in map(json.loads, events)]
    assert areas == [
        ("district", city["there"].id, 1),
        ("district", city["here"].id, 1),
        ("community", city["codes"][0].community_id, 1),
    ]


def test_one_poster_is_shown_within_the_scope(app, city):
    here, there = (f"/staff/posters/{code.token}.pdf" for code in city["codes"])
    client = signed_in_client(app, "district")

    assert client.get(here).data.startswith(b"%PDF-")
    assert client.get(there).status_code == 404


@pytest.mark.usefixtures("city")
def test_issued_slips_are_as_many_as_the_files_hold(app, sqlite_database):
    client = signed_in_client(app, "city")

    assert files_in(issue(client)) == ["海勃湾区", "乌达区"]
    assert count_slips(sqlite_database) == 5
    assert files_in(issue(client, community="2", count="4", reprint="1")) == ["乌达区"]
    assert count_slips(sqlite_database) == 9


@pytest.mark.usefixtures("city")
def test_a_download_that_is_given_up_leaves_no_usable_slip(app, sqlite_database):
    answer = issue(signed_in_client(app, "city"))
    answer.close()

    with sqlite_database.reading() as session:
        usable = select(func.count()).where(Code.kind == "household", Code.revoked_at.is_(None))
        assert session.scalar(usable) == 0


@pytest.mark.usefixtures("city")
def test_slips_are_refused_in_a_round_for_posters_only(app, sqlite_database):
    with sqlite_database.writing() as session:
        make_round(
            session, opens_at=NOW - timedelta(days=9), closes_at=NOW + timedelta(days=1), accepts_households=False
        )
    client = signed_in_client(app, "city")
    page = client.get(PRINTING)

    assert "只通过海报收集答卷" in page.text
    assert issue(client).status_code == 409
    assert count_slips(sqlite_database) == 0


@pytest.mark.usefixtures("city")
@pytest.mark.parametrize("address", [PRINTING, f"{PRINTING}/posters.zip"])
def test_who_only_counts_does_not_print(app, address):
    assert signed_in_client(app, "evaluator").get(address).status_code == 403


@pytest.mark.usefixtures("city")
def test_slips_need_the_token_of_the_page(app):
    assert signed_in_client(app, "city").post(f"{PRINTING}/slips.zip").status_code == 400


@pytest.mark.usefixtures("city")
def test_what_cannot_be_printed_is_explained(app, sqlite_database):
    with sqlite_database.writing() as session:
        make_community(session, name="\U000f0000园", number="3", households_delivered=2)
        make_account(session, "clerk", district=make_district(session), now=NOW)

    assert "没有可打印的内容" in signed_in_client(app, "clerk").get(f"{PRINTING}/posters.zip").text
    with zipfile.ZipFile(io.BytesIO(issue(signed_in_client(app, "city")).data)) as archive:
        (note,) = (name for name in archive.namelist() if name.endswith(".txt"))
        assert "\U000f0000园: \U000f0000 (U+F0000)" in archive.read(note).decode("utf-8-sig")
    assert count_slips(sqlite_database) > 0


@pytest.mark.browser
@pytest.mark.usefixtures("city")
@pytest.mark.parametrize("has_javascript", [True, False])
def test_posters_are_downloaded_by_a_click_with_and_without_javascript(
    live_server, open_page, has_javascript, tmp_path
):
    page = open_page(java_script_enabled=has_javascript)
    page.goto(f"{live_server}/sign-in?next={PRINTING}")
    page.fill("[name=username]", "city")
    page.fill("[name=password]", PASSWORD)
    page.click("main button.primary")
    page.fill("[name=code]", current_code())
    page.click("main button.primary")

    with page.expect_download() as download:
        page.click("form.printing button >> nth=0")

    download.value.save_as(tmp_path / "posters.zip")
    assert len(zipfile.ZipFile(tmp_path / "posters.zip").namelist()) == 2
    if has_javascript:
        page.wait_for_selector("text=已保存2个文件。")
