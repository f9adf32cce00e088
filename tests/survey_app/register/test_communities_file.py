import io
import re
import unicodedata
from dataclasses import replace
from datetime import date

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from analytics.files.written_text import comparison_key, is_blank
from survey_app.config import DATA
from survey_app.models import Community, District, PropertyCompany
from survey_app.register.communities_file import (
    CommunityRow,
    CommunityTable,
    PlacesError,
    read_communities,
    write_communities,
    write_communities_workbook,
)
from survey_app.register.community_imports import (
    import_communities,
    plan_import,
    record_import,
    sort_key,
    store_import,
    stored_communities,
)
from tests.factories import NOW

HEADER = "小区编号,小区名称,英文名称,区,区英文名,物业公司,公司英文名,交付户数,入住户数,业主户数"
ROWS = [
    "1503020001,滨河家园,Binhe Homes,海勃湾区,Haibowan,安居物业,Anju Property,1200,900,700",
    "1503020002,学府花园,,海勃湾区,Haibowan,,,300,,",
]

DAMAGED_BYTE = len(f"{HEADER}\r\n{ROWS[0]}".encode()) - len("1200,900,700") + 3


def csv_file(*rows, header=HEADER, encoding="utf-8"):
    return "\r\n".join([header, *rows, ""]).encode(encoding)


def xlsx_file(*rows, sheets=None):
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    for title, sheet_rows in (sheets or {}).items():
        sheet = workbook.create_sheet(title)
        for row in sheet_rows:
            sheet.append(row)
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def faults_of(content):
    with pytest.raises(PlacesError) as raised:
        read_communities(content, "小区.csv")
    return [(fault.line, fault.column, fault.key, fault.text()) for fault in raised.value.faults]


def row_with(**cells):
    values = {
        "number": "1503020009",
        "name": "金裕小区",
        "english": "Jinyu",
        "district": "海勃湾区",
        "district_english": "Haibowan",
        "company": "安居物业",
        "company_english": "Anju Property",
        "delivered": "500",
        "occupied": "400",
        "owners": "300",
    }
    return ",".join((values | cells).values())


def test_a_blank_cell_is_missing_and_not_zero():
    table = read_communities(csv_file(*ROWS), "小区.csv")

    assert table.rows[0].households_occupied == 900
    assert table.rows[1].households_occupied is None
    assert table.rows[1].company is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_every_encoding_of_a_chinese_office_gives_the_same_table(encoding):
    assert read_communities(csv_file(*ROWS, encoding=encoding), "小区.csv") == read_communities(csv_file(*ROWS), "甲")


def test_a_workbook_and_a_text_file_give_the_same_table():
    cells = [
        [int(cell) if cell.isdigit() and len(cell) < 6 else cell or None for cell in row.split(",")] for row in ROWS
    ]
    assert read_communities(xlsx_file(HEADER.split(","), *cells), "小区.xlsx") == read_communities(
        csv_file(*ROWS), "甲"
    )


def test_english_headers_in_another_order_are_understood():
    header = (
        "Name,Community Number,District,Property Company,Households Delivered,Households  Occupied,households owners"
    )
    table = read_communities(csv_file("Binhe,7,Haibowan,,10,9,8", header=header), "list.csv")

    assert table.rows == (CommunityRow("7", "Binhe", None, "Haibowan", None, None, None, 10, 9, 8),)


@pytest.mark.parametrize("written", ['"1,234"', "１２３４", '"１，２３４"', " 1234 "])
def test_numbers_are_understood_as_chinese_keyboards_write_them(written):
    table = read_communities(csv_file(row_with(delivered=written)), "小区.csv")

    assert table.rows[0].households_delivered == 1234


@pytest.mark.parametrize(
    ("cells", "column", "key", "text"),
    [
        ({"name": "　"}, 2, "小区名称", "this cell is empty"),
        ({"district": ""}, 4, "区", "this cell is empty"),
        ({"delivered": "many"}, 8, "交付户数", "this must be a whole number, it is “many”"),
        ({"delivered": "12.5"}, 8, "交付户数", "this must be a whole number, it is “12.5”"),
        ({"delivered": '"12,34"'}, 8, "交付户数", "this must be a whole number, it is “12,34”"),
        ({"delivered": "一百"}, 8, "交付户数", "this must be a whole number, it is “一百”"),
        ({"occupied": "-3"}, 9, "入住户数", "a number of households cannot be negative, it is -3"),
        ({"delivered": "13912345678"}, 8, "交付户数", "this must be at most 999999, it is 13912345678"),
        ({"occupied": "501"}, 9, "入住户数", "501 is more than the 500 households delivered"),
        ({"owners": "501"}, 10, "业主户数", "501 is more than the 500 households delivered"),
        ({"name": "=1+1"}, 2, "小区名称", "this text begins with =, which a spreadsheet runs as a formula"),
        ({"name": '"金\n裕"'}, 2, "小区名称", "this text holds a line break or a control character"),
        ({"name": "长" * 201}, 2, "小区名称", "this text has 201 characters, at most 200"),
        ({"number": "1503020001"}, 1, "小区编号", "this number stands already in row 2"),
        ({"name": "滨河家园"}, 2, "小区名称", "this name stands already in row 2"),
        ({"district_english": "Wuda"}, 5, "区英文名", "“Wuda” is “Haibowan” in row 2"),
        ({"company_english": "Other"}, 7, "公司英文名", "“Other” is “Anju Property” in row 2"),
        ({"company": ""}, 7, "公司英文名", "this is the English name of an empty cell"),
    ],
)
def test_a_faulty_cell_is_named_by_row_and_column(cells, column, key, text):
    assert faults_of(csv_file(*ROWS, row_with(**cells))) == [(4, column, key, text)]


def test_all_faulty_cells_are_reported_at_once():
    faults = faults_of(csv_file(row_with(name="", delivered="x"), row_with(number="1", district="", occupied="-1")))

    assert [(line, column) for line, column, _, _ in faults] == [(2, 2), (2, 8), (3, 4), (3, 9)]


def test_rows_are_counted_as_a_spreadsheet_counts_them():
    assert faults_of(csv_file(ROWS[0], ",,,,,,,,,", "", row_with(delivered="x")))[0][0] == 5


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (HEADER.replace("业主户数", "备注"), [(1, 10, "备注"), (1, None, "业主户数 (households owners)")]),
        (HEADER.replace("业主户数", "入住户数"), [(1, 10, "入住户数"), (1, None, "业主户数 (households owners)")]),
    ],
)
def test_unknown_missing_and_repeated_columns_are_reported(header, expected):
    faults = faults_of(csv_file(ROWS[0], header=header))

    assert sorted((line, column or 0, key) for line, column, key, _ in faults) == sorted(
        (line, column or 0, key) for line, column, key in expected
    )


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "the file is empty"),
        (b"\r\n , \r\n", "the file is empty"),
        (csv_file(), "the file lists no community"),
        (
            csv_file('1,"an open quote'),
            'a quotation mark (") that begins in this row is never closed: close it, or write it twice',
        ),
        (csv_file(ROWS[0], encoding="utf-16"), "this is UTF-16 text: save it as “CSV UTF-8” or .xlsx"),
        (csv_file(*ROWS).replace(b"1200", b"12\xff0"), f"the text is not UTF-8: byte {DAMAGED_BYTE} of the file"),
        (b"\x80\x80\xff\xff", "the text is not UTF-8 / GB18030: byte 1 of the file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "this is a workbook of the old .xls kind: save it as .xlsx or CSV"),
        (xlsx_file(HEADER.split(","))[:-300], "the workbook is cut off or damaged: send it again"),
        (xlsx_file(), "the file is empty"),
        (xlsx_file(["a"], sheets={"二": [["b"]]}), "the workbook has 2 sheets with content (Sheet、二): keep one"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content, text):
    assert [fault[3] for fault in faults_of(content)] == [text]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("=1+1", "this formula has no stored result: open the workbook, save it and send it again"),
        ("#REF!", "this cell shows an error: #REF!"),
        (
            date(2024, 5, 1),
            "the spreadsheet holds this as the date 2024-05-01: format the column as text and type it again",
        ),
        (True, "this must be text or a number, it is True"),
        (12.5, "this must be a whole number, it is “12.5”"),
    ],
)
def test_a_cell_of_a_workbook_that_holds_no_number_is_one_fault(cell, text):
    row = [*row_with().split(",")[:7], cell, 400, 300]

    assert faults_of(xlsx_file(HEADER.split(","), row)) == [(2, 8, "" if "whole" not in text else "交付户数", text)]


NAMES = st.text(st.characters(codec="gb18030", categories=("L", "N")), min_size=1, max_size=12).filter(
    lambda name: not is_blank(name)
)
HOUSEHOLDS = st.none() | st.integers(500, 999_999)


@st.composite
def community_tables(draw):
    english, spelling = {}, {}
    rows = []
    for number, name in enumerate(draw(st.lists(NAMES, min_size=1, max_size=8, unique_by=comparison_key))):
        district, company = (
            name and spelling.setdefault(comparison_key(name), name) for name in (draw(NAMES), draw(st.none() | NAMES))
        )
        delivered = draw(HOUSEHOLDS)
        part = st.none() | st.integers(0, 500)
        rows.append(
            CommunityRow(
                number=str(number),
                name=_nfc(name),
                english_name=draw(st.none() | st.sampled_from(["Binhe", "Court, East", 'The "Old" Town'])),
                district=_nfc(district),
                district_english_name=english.setdefault(("district", _nfc(district)), draw(st.none() | st.just("D"))),
                company=company and _nfc(company),
                company_english_name=company
                and english.setdefault(("company", _nfc(company)), draw(st.none() | st.just("C"))),
                households_delivered=delivered,
                households_occupied=draw(part),
                households_owners=draw(part),
                second_language_line=draw(st.none() | st.sampled_from(["Гэр", "ᠭᠡᠷ"])),
            )
        )
    return CommunityTable(tuple({(row.name, row.district): row for row in rows}.values()))


def _nfc(text):
    return unicodedata.normalize("NFC", text)


@given(community_tables())
def test_any_table_written_out_and_read_back_is_the_same(table):
    assert read_communities(write_communities(table), "小区.csv") == table


@given(community_tables())
@settings(deadline=None, max_examples=25)
def test_any_table_written_as_a_workbook_and_read_back_is_the_same(table):
    assert read_communities(write_communities_workbook(table, now=NOW), "小区.xlsx") == table


def test_import_stores_every_community_with_its_district_and_company(database):
    table = read_communities(csv_file(*ROWS), "小区.csv")

    with database.writing() as session:
        result = import_communities(session, table=table)

    assert (result.added, result.changed, result.unchanged, result.absent) == (2, 0, 0, 0)
    with database.reading() as session:
        stored = session.scalars(select(Community).order_by(Community.number)).all()
        assert [(row.name, row.district.name, row.company and row.company.name) for row in stored] == [
            ("滨河家园", "海勃湾区", "安居物业"),
            ("学府花园", "海勃湾区", None),
        ]
        assert [row.households_owners for row in stored] == [700, None]
        assert stored[0].sort_key == "bin he jia yuan"
        assert stored[0].district.english_name == "Haibowan"


@given(table=community_tables())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
def test_what_is_imported_is_what_is_stored(sqlite_database, table):
    # The database stands still between examples: each is imported in a transaction that is rolled back.
    with sqlite_database.engine.connect() as connection, Session(connection) as session:
        import_communities(session, table=table)
        session.expire_all()

        stored = stored_communities(session)
        session.rollback()

    assert sorted(stored.rows, key=lambda row: row.number) == sorted(completed(table).rows, key=lambda row: row.number)


def completed(table):
    """The table with the English name that some row states for its district or company in every row of it."""
    districts = {row.district: row.district_english_name for row in table.rows if row.district_english_name}
    companies = {row.company: row.company_english_name for row in table.rows if row.company_english_name}
    return CommunityTable(
        tuple(
            replace(
                row,
                district_english_name=districts.get(row.district),
                company_english_name=companies.get(row.company),
            )
            for row in table.rows
        )
    )


def test_the_sample_list_has_no_faults():
    assert len(read_communities(DATA / "samples" / "communities" / "simulated-24.csv").rows) == 24


def test_a_second_import_of_the_same_file_changes_nothing(database):
    table = read_communities(csv_file(*ROWS), "小区.csv")
    with database.writing() as session:
        import_communities(session, table=table)

    with database.writing() as session:
        result = import_communities(session, table=table)
        assert not session.dirty

    assert (result.added, result.changed, result.unchanged, result.absent) == (0, 0, 2, 0)


def test_a_community_that_the_file_leaves_out_stays_and_is_counted(sqlite_database):
    with sqlite_database.writing() as session:
        import_communities(session, table=read_communities(csv_file(*ROWS), "小区.csv"))

    with sqlite_database.writing() as session:
        changed = ROWS[0].replace("900", "950").replace("Binhe Homes", "")
        result = import_communities(session, table=read_communities(csv_file(changed), "小区.csv"))

    assert (result.added, result.changed, result.unchanged, result.absent) == (0, 1, 0, 1)
    with sqlite_database.reading() as session:
        rows = session.scalars(select(Community).order_by(Community.number)).all()
        assert [row.households_occupied for row in rows] == [950, None]
        assert rows[0].english_name == "Binhe Homes", "a blank English name leaves the stored one"


def test_an_import_writes_of_a_community_only_the_columns_that_are_other_values(database):
    with database.writing() as session:
        import_communities(session, table=read_communities(csv_file(*ROWS), "小区.csv"))
    updates = []
    event.listen(database.engine, "before_cursor_execute", lambda *call: updates.append(call[2]))

    with database.writing() as session:
        import_communities(
            session, table=read_communities(csv_file(ROWS[0].replace("900", "950"), ROWS[1]), "小区.csv")
        )

    [update] = [statement for statement in updates if statement.startswith("UPDATE")]
    assert re.findall(r"(\w+)\s*=", update.partition(" WHERE ")[0]) == ["households_occupied"]


def test_a_line_in_a_second_language_is_taken_as_it_is_written_and_kept_when_the_column_is_missing(sqlite_database):
    line = "ᠰᠡᠳᠬᠢᠯ\u180eᠠ ᠬᠠᠩᠭᠠᠯᠤᠨ"
    with_line = csv_file(f"{ROWS[0]},{line}", f"{ROWS[1]},", header=f"{HEADER},第二语言")
    for content in (with_line, csv_file(*ROWS)):
        with sqlite_database.writing() as session:
            import_communities(session, table=read_communities(content, "小区.csv"))

    with sqlite_database.reading() as session:
        lines = session.scalars(select(Community.second_language_line).order_by(Community.number)).all()
        assert lines == [line, None]
        assert [row.second_language_line for row in stored_communities(session).rows] == [line, None]


def test_a_failed_import_leaves_nothing_behind(sqlite_database):
    table = read_communities(csv_file(*ROWS), "小区.csv")

    def import_until_the_power_is_cut():
        with sqlite_database.writing() as session:
            import_communities(session, table=table)
            raise RuntimeError("cut")

    with pytest.raises(RuntimeError, match="cut"):
        import_until_the_power_is_cut()

    with sqlite_database.reading() as session:
        for model in (Community, District, PropertyCompany):
            assert session.scalars(select(model)).all() == []


def test_names_sort_by_their_pinyin():
    assert sorted(["学府花园", "滨河家园", "安居苑"], key=sort_key) == ["安居苑", "滨河家园", "学府花园"]


def test_of_two_lists_that_were_planned_together_the_second_finds_what_the_first_stored(database):
    table = read_communities(csv_file(*ROWS), "小区.csv")
    with database.reading() as session:
        plans = [plan_import(session, table=table) for _ in range(2)]
    results = []
    for plan in plans:
        with database.writing() as session:
            results.append(store_import(session, plan=plan))
            record_import(session, result=results[-1], by="operator", now=NOW)

    assert (results[0].added, results[1].added) == (len(table.rows), 0)
    assert results[1].unchanged == len(table.rows)
    with database.reading() as session:
        assert sorted(row.number for row in stored_communities(session).rows) == sorted(r.number for r in table.rows)
