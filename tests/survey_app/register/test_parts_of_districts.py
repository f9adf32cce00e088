"""Subdistricts (街道) and neighbourhoods (社区) of the register: read, told apart, kept, moved, exported again."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from survey_app.models import Community, Neighbourhood, Subdistrict
from survey_app.register.communities_file import (
    CommunityRow,
    CommunityTable,
    PlacesError,
    read_communities,
    write_communities,
    write_communities_workbook,
)
from survey_app.register.community_imports import (
    UnconfirmedPlaces,
    import_communities,
    plan_import,
    store_import,
    stored_communities,
)
from tests.factories import NOW
from tests.survey_app.register.test_lists_of_offices import csv_file, workbook

HEADER = ["小区编号", "小区名称", "区", "街道", "社区", "物业公司", "交付户数", "入住户数", "业主户数"]
WITHOUT = [name for name in HEADER if name not in {"街道", "社区"}]


def row(number="T1", name="甲", district="海勃湾区", subdistrict="新华街道", neighbourhood="新华社区"):
    return [number, name, district, subdistrict, neighbourhood, "甲物业", 100, 90, 80]


def without(cells):
    return [*cells[:3], *cells[5:]]


def imported(database, *rows, header=HEADER, confirmed=True):
    table = read_communities(csv_file(*rows, header=header), "list")
    with database.writing() as session:
        plan = plan_import(session, table=table, are_new_places_confirmed=confirmed)
        return store_import(session, plan=plan)


def refused(database, *rows, error=UnconfirmedPlaces):
    with pytest.raises(PlacesError) as raised:
        imported(database, *rows, confirmed=False)
    assert type(raised.value) is error
    return [(fault.line, fault.text()) for fault in raised.value.faults]


def faults_of(*rows, header=HEADER):
    with pytest.raises(PlacesError) as raised:
        read_communities(csv_file(*rows, header=header), "list")
    return [(fault.line, fault.key, fault.text()) for fault in raised.value.faults]


def places(database):
    statement = (
        select(Community.number, Subdistrict.name, Neighbourhood.name)
        .outerjoin(Community.subdistrict)
        .outerjoin(Community.neighbourhood)
        .order_by(Community.number)
    )
    with database.reading() as session:
        return [tuple(found) for found in session.execute(statement)]


def count(database, table):
    with database.reading() as session:
        return len(session.scalars(select(table)).all())


def test_a_list_states_where_in_its_district_a_community_lies(database):
    imported(database, row("T1"), row("T2", "乙", neighbourhood=""), row("T3", "丙", subdistrict="", neighbourhood=""))

    assert places(database) == [("T1", "新华街道", "新华社区"), ("T2", "新华街道", None), ("T3", None, None)]


def test_two_districts_may_have_a_subdistrict_of_one_name(database):
    imported(database, row("T1"), row("T2", "乙"), row("T3", "丙", "乌达区"))

    assert count(database, Subdistrict) == 2
    assert count(database, Neighbourhood) == 2
    with database.reading() as session:
        lies = (
            select(Community.number).where(Community.district_id != Subdistrict.district_id).join(Community.subdistrict)
        )
        assert session.scalars(lies).all() == []


@pytest.mark.parametrize(
    ("subdistrict", "neighbourhood"),
    [
        ("街道办事处", "居委会"),
        ("所属街道", "所属社区"),
        ("街道（镇、苏木）", "社区（村）"),
        ("Subdistrict", "NEIGHBOURHOOD"),
    ],
)
def test_headers_that_other_offices_write_are_known(subdistrict, neighbourhood):
    header = [{"街道": subdistrict, "社区": neighbourhood}.get(name, name) for name in HEADER]

    read = read_communities(csv_file(row(), header=header), "list").rows[0]

    assert (read.subdistrict, read.neighbourhood) == ("新华街道", "新华社区")


def test_a_second_column_of_the_kind_is_left_out_and_noted():
    content = csv_file([*row(), "新华居委会"], header=[*HEADER, "居委会"])

    table = read_communities(content, "list")

    assert table.rows[0].neighbourhood == "新华社区"
    assert [(note.key, note.text()) for note in table.notes] == [
        ("居委会", "this column is not known and was not read")
    ]


def test_a_subdistrict_merged_over_its_communities_holds_for_each():
    rows = [row("T1"), row("T2", "乙", subdistrict=None, neighbourhood=None), row("T3", "丙")]
    content = workbook(HEADER, *rows, merge=["D2:D3", "E2:E3"])

    table = read_communities(content, "list")

    assert {(each.subdistrict, each.neighbourhood) for each in table.rows} == {("新华街道", "新华社区")}


def test_a_neighbourhood_without_its_subdistrict_is_a_fault():
    assert faults_of(row(), row("T2", "乙", subdistrict="")) == [
        (3, "街道", "fill in the subdistrict of the neighbourhood 新华社区")
    ]


def test_neighbourhoods_of_a_list_without_subdistricts_are_left_out_and_noted():
    header = [name for name in HEADER if name != "街道"]
    cells = row()

    table = read_communities(csv_file([*cells[:3], *cells[4:]], header=header), "list")

    assert table.rows[0].neighbourhood is None
    assert [note.text() for note in table.notes] == [
        "this column was not read: the list has no column 街道, which says what they are parts of"
    ]


@pytest.mark.parametrize("spelling", ["新华街道\u200b", " 新华街道\u3000"])
def test_what_is_not_seen_makes_no_other_subdistrict(spelling):
    table = read_communities(csv_file(row(), row("T2", "乙", subdistrict=spelling), header=HEADER), "list")

    assert {each.subdistrict for each in table.rows} == {"新华街道"}


def test_look_alikes_in_two_districts_are_no_twins():
    rows = row("T1", subdistrict="ＡＢ街道"), row("T2", "乙", "乌达区", "AB街道")

    assert [each.subdistrict for each in read_communities(csv_file(*rows, header=HEADER), "list").rows] == [
        "ＡＢ街道",
        "AB街道",
    ]
    assert [key for _line, key, _text in faults_of(rows[0], row("T2", "乙", subdistrict="AB街道"))] == ["街道"]


def test_a_twin_of_a_stored_name_is_a_fault_at_a_later_import(database):
    imported(database, row(subdistrict="AB街道", neighbourhood="CD社区"))

    assert refused(database, row(subdistrict="ＡＢ街道", neighbourhood="CD社区"), error=PlacesError) == [
        (2, "“ＡＢ街道” looks like “AB街道”, which is stored: write it as it is stored")
    ]
    assert refused(database, row(subdistrict="AB街道", neighbourhood="ＣＤ社区"), error=PlacesError) == [
        (2, "“ＣＤ社区” looks like “CD社区”, which is stored: write it as it is stored")
    ]


def test_new_names_are_told_before_they_are_made_where_there_are_some_already(database):
    imported(database, row())

    assert refused(
        database,
        row(),
        row("T2", "乙", subdistrict="新华街道办事处", neighbourhood="东风社区"),
        row("T3", "丙", neighbourhood="新桥社区"),
        row("T4", "丁", subdistrict="海北街道", neighbourhood="海北社区"),
    ) == [
        (3, "the subdistrict 新华街道办事处 of 海勃湾区 would be new and resembles 新华街道"),
        (4, "the neighbourhood 新桥社区 of 海勃湾区新华街道 would be new"),
        (5, "the subdistrict 海北街道 of 海勃湾区 would be new"),
    ]
    assert count(database, Subdistrict) == 1


def test_the_first_subdistricts_of_a_district_are_not_asked_about(database):
    imported(database, *map(without, [row("T1"), row("T2", "乙")]), header=WITHOUT)

    result = imported(database, row("T1"), row("T2", "乙", subdistrict="海北街道", neighbourhood=""), confirmed=False)

    assert (result.changed, places(database)) == (2, [("T1", "新华街道", "新华社区"), ("T2", "海北街道", None)])


def test_a_list_without_the_columns_leaves_what_is_stored(database):
    imported(database, row())

    result = imported(database, without(row()), header=WITHOUT)

    assert (result.unchanged, places(database)) == (1, [("T1", "新华街道", "新华社区")])


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        (row(subdistrict="海北街道", neighbourhood=""), ("T1", "海北街道", None)),
        (row(district="乌达区", subdistrict="", neighbourhood=""), ("T1", None, None)),
        (row(neighbourhood="东风社区"), ("T1", "新华街道", "东风社区")),
    ],
)
def test_a_community_that_moves_keeps_no_part_of_the_place_it_left(database, later, expected):
    imported(database, row())

    imported(database, later)

    assert places(database) == [expected]


def test_an_english_name_is_of_the_subdistrict_of_its_district(database):
    header = [*HEADER, "街道英文名", "社区英文名"]

    imported(
        database,
        [*row("T1"), "Xinhua", "Xinhua Neighbourhood"],
        [*row("T2", "乙", "乌达区"), "Xinhua of Wuda", ""],
        header=header,
    )

    with database.reading() as session:
        assert dict(session.execute(select(Subdistrict.english_name, Subdistrict.name)).all()) == {
            "Xinhua": "新华街道",
            "Xinhua of Wuda": "新华街道",
        }
    assert faults_of([*row("T1"), "Xinhua", ""], [*row("T2", "乙"), "Hsinhua", ""], header=header) == [
        (3, "街道英文名", "“Hsinhua” is “Xinhua” in row 2")
    ]


NAMES = st.sampled_from(["新华街道", "海北街道", "千里山镇", "巴音苏木"])
PARTS = st.none() | st.tuples(NAMES, st.none() | st.sampled_from(["第一社区", "第二社区"]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(PARTS, min_size=1, max_size=6), data=st.data())
def test_what_is_exported_is_imported_as_the_same(sqlite_database, parts, data):
    rows = [
        CommunityRow(
            number=f"T{number}",
            name=f"第{number}小区",
            english_name=None,
            district=data.draw(st.sampled_from(["海勃湾区", "乌达区"])),
            district_english_name=None,
            company=None,
            company_english_name=None,
            households_delivered=10,
            households_occupied=None,
            households_owners=None,
            subdistrict=part and part[0],
            neighbourhood=part and part[1],
        )
        for number, part in enumerate(parts)
    ]
    with sqlite_database.writing() as session:
        for table in (Community, Neighbourhood, Subdistrict):
            session.execute(delete(table))
        import_communities(session, table=CommunityTable(tuple(rows)))
        stored = stored_communities(session)
        again = [
            read_communities(content, "export")
            for content in (write_communities(stored), write_communities_workbook(stored, now=NOW))
        ]
        plans = [plan_import(session, table=table) for table in again]
    assert stored.rows == tuple(rows)
    assert [(plan.added, plan.changed, plan.absent) for plan in plans] == [([], [], 0)] * 2
    assert [table.notes for table in again] == [(), ()]
