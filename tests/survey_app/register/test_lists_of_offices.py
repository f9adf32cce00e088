"""Lists as offices send them: what is read, what is left out and said, and what is refused with its cause."""

import io
import zipfile
from datetime import date

import openpyxl
import pytest
from sqlalchemy import select

from survey_app.models import Community, District, PropertyCompany
from survey_app.register.column_headers import checked_headers, headers_of, keep_headers, sources
from survey_app.register.communities_file import (
    PlacesError,
    UnknownColumns,
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

HEADER = ["小区编号", "小区名称", "区", "物业公司", "交付户数", "入住户数", "业主户数"]


def row(number="T1", name="甲", district="海勃湾区", company="甲物业", households=(100, 90, 80)):
    return [number, name, district, company, *households]


def csv_file(*rows, mark=",", header=HEADER, above=""):
    return above.encode() + "\r\n".join(mark.join(map(str, cells)) for cells in [header, *rows]).encode()


def workbook(*rows, merge=(), hidden=(), formats=None):
    book = openpyxl.Workbook()
    for cells in rows:
        book.active.append(cells)
    for cell, number_format in (formats or {}).items():
        book.active[cell].number_format = number_format
    for cells in merge:
        book.active.merge_cells(cells)
    for title in hidden:
        sheet = book.create_sheet(title)
        sheet.append(["old"])
        sheet.sheet_state = "hidden"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def rewritten(content, **replacements):
    """The workbook with bytes of all its parts replaced."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(stream, "w") as written:
        for name in archive.namelist():
            part = archive.read(name)
            for old, new in replacements.values():
                part = part.replace(old, new)
            written.writestr(name, part)
    return stream.getvalue()


def faults_of(content):
    with pytest.raises(PlacesError) as raised:
        read_communities(content, "list")
    return [(fault.line, fault.column, fault.text()) for fault in raised.value.faults]


def first_row(content):
    return read_communities(content, "list").rows[0]


def notes_of(content):
    return [(note.line, note.text()) for note in read_communities(content, "list").notes]


@pytest.mark.parametrize(
    ("number", "number_format", "shown"),
    [
        (15030001, "0000000000", "0015030001"),
        (15030001, "[$-804]0000000000;-0", "0015030001"),
        (7, '"WH"000', "WH007"),
        (1503, "000\\-000", "001-503"),
        (15030001, "General", "15030001"),
        (15030001, "#,##0", "15030001"),
        (123456789012345, "General", "123456789012345"),
    ],
)
def test_a_number_is_read_as_the_spreadsheet_shows_it(number, number_format, shown):
    content = workbook(HEADER, row(number), formats={"A2": number_format})

    assert first_row(content).number == shown


def test_households_are_whole_numbers_whatever_their_format():
    formats = {"E2": "#,##0.00", "F2": '0"户"', "G2": '_ * #,##0_ ;_ * \\-#,##0_ ;_ * "-"??_ ;_ @_ '}
    content = workbook(HEADER, row(households=(1200, 1000, 900)), formats=formats)

    stored = first_row(content)
    assert (stored.households_delivered, stored.households_occupied, stored.households_owners) == (1200, 1000, 900)


def test_a_percentage_is_no_number_of_households():
    content = workbook(HEADER, row(households=(100, 0.9, 80)), formats={"F2": "0%"})

    assert faults_of(content) == [(2, 6, "this must be a whole number, it is “90%”")]


def test_what_a_format_rounds_away_is_not_taken_for_a_whole_number():
    content = workbook(HEADER, row(households=(100, 90.4, 80)), formats={"F2": "0"})

    assert faults_of(content) == [(2, 6, "this must be a whole number, it is “90.4”")]


def test_what_a_spreadsheet_has_turned_into_a_date_is_refused():
    assert [text[:45] for *_, text in faults_of(workbook(HEADER, row(date(2026, 5, 1))))] == [
        "the spreadsheet holds this as the date 2026-0"
    ]


@pytest.mark.parametrize("number", [1503020100010001, 1.50302e18])
def test_more_digits_than_a_spreadsheet_keeps_are_refused(number):
    ((line, column, text),) = faults_of(workbook(HEADER, row(number)))

    assert (line, column) == (2, 1)
    assert text.startswith("a spreadsheet keeps 15 digits of a number")


@pytest.mark.parametrize(
    ("cell", "beginning"),
    [
        ("1.50302E+18", "only the first digits of a long number are left (1.50302E+18)"),
        ("１.5E+5", "only the first digits of a long number are left"),
        ("15030001.0", "this number (15030001.0) was saved as a fraction"),
        ("A\ufffd1", "this text is damaged, it holds the sign U+FFFD"),
        ("A\ue8631", "this text is damaged, it holds the sign U+E863"),
        ("A\u202e1", "this text holds U+202E, which makes it look like another"),
    ],
)
def test_a_number_that_lost_something_on_its_way_is_refused(cell, beginning):
    ((line, column, text),) = faults_of(csv_file(row(), row(cell, "乙")))

    assert (line, column) == (3, 1)
    assert text.startswith(beginning)


@pytest.mark.parametrize("number", ["12E3", "E18", "1E", "3.5-7"])
def test_numbers_with_letters_are_not_taken_for_shortened_ones(number):
    assert first_row(csv_file(row(number))).number == number


def test_escapes_of_a_workbook_are_decoded_and_line_breaks_refused():
    at_the_end = rewritten(workbook(HEADER, row(name="阳光XX")), name=("阳光XX".encode(), "阳光_x000D_".encode()))
    inside = rewritten(workbook(HEADER, row(name="阳XX光")), name=("阳XX光".encode(), "阳_x000D_光".encode()))

    assert first_row(at_the_end).name == "阳光"
    assert faults_of(inside) == [(2, 2, "this text holds a line break or a control character")]


def test_a_strict_workbook_is_read_as_another():
    content = workbook(HEADER, row())
    strict = rewritten(
        content,
        sheets=(
            b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
            b"http://purl.oclc.org/ooxml/spreadsheetml/main",
        ),
        relations=(
            b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
            b"http://purl.oclc.org/ooxml/officeDocument/relationships",
        ),
    )

    assert strict != content
    assert read_communities(strict, "list") == read_communities(content, "list")


@pytest.mark.parametrize(("part", "kind"), [("content.xml", ".ods"), ("xl/workbook.bin", ".xlsb")])
def test_a_table_of_another_kind_is_named(part, kind):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(part, b"<x/>")

    assert [text for *_, text in faults_of(stream.getvalue())] == [
        f"this is a file of the kind {kind}: save it as .xlsx"
    ]


def test_a_web_page_is_no_table_whatever_its_name():
    assert [text for *_, text in faults_of(b"\xef\xbb\xbf\r\n<html><table>")] == [
        "this is a web page or XML, whatever its name: open it and save it as .xlsx"
    ]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("stated", [False, True])
def test_cells_stand_apart_by_commas_semicolons_or_tabs(mark, stated):
    content = csv_file(row(), mark=mark, above=f"sep={mark}\r\n" if stated else "")

    assert read_communities(content, "list") == read_communities(csv_file(row()), "list")


def test_rows_below_a_line_that_states_the_mark_have_the_numbers_that_a_spreadsheet_shows():
    assert faults_of(csv_file(row(households=("x", 1, 1)), mark=";", above="sep=;\r\n"))[0][:2] == (2, 5)


@pytest.mark.parametrize("make", [workbook, csv_file])
def test_a_title_above_the_headers_is_skipped_and_said(make):
    title = ["海勃湾区住宅小区一览表"]
    content = (
        workbook(title, HEADER, row(), merge=["A1:G1"]) if make is workbook else csv_file(HEADER, row(), header=title)
    )

    assert first_row(content).number == "T1"
    assert notes_of(content) == [(1, "this row above the headers was not read: 海勃湾区住宅小区一览表")]


@pytest.mark.parametrize(
    "total",
    [
        ["合计", "", "", "", 100, 90, 80],
        ["", "总 计", "", "", 100, 90, 80],
        ["", "", "合计：", "", 100, 90, 80],
        ["", "小计", "海勃湾区", "", 100, 90, 80],
        ["Total", "", "", "", 100, 90, 80],
    ],
)
def test_a_row_of_totals_is_skipped_and_said(total):
    content = csv_file(row(), total)

    assert len(read_communities(content, "list").rows) == 1
    ((line, text),) = notes_of(content)
    assert (line, text[:34]) == (3, "this row was not read: it holds a ")


def test_a_community_may_be_called_like_a_total():
    assert [found.name for found in read_communities(csv_file(row(name="合计")), "list").rows] == ["合计"]


def test_a_merged_district_holds_for_every_row_that_it_spans():
    content = workbook(
        HEADER,
        row("1", "甲"),
        row("2", "乙", None, None),
        row("3", "丙", None),
        row("4", "丁", "乌达区"),
        merge=["C2:C4", "D2:D3"],
    )

    found = [(stored.district, stored.company) for stored in read_communities(content, "list").rows]
    assert found == [("海勃湾区", "甲物业")] * 3 + [("乌达区", "甲物业")]


def test_merged_households_would_count_twice_and_are_refused():
    content = workbook(HEADER, row("1", "甲"), row("2", "乙", households=(None, 1, 1)), merge=["E2:E3"])

    ((line, column, text),) = faults_of(content)
    assert (line, column) == (2, 5)
    assert text.startswith("this cell is merged with those below it down to row 3: undo the merge")


def test_a_district_that_was_merged_before_it_was_saved_as_csv_is_one_fault():
    faults = faults_of(csv_file(row("1", "甲"), *(row(str(number), f"{number}号院", "") for number in range(2, 9))))

    assert [(line, column) for line, column, _ in faults] == [(3, 3)]
    assert "down to row 9 are empty" in faults[0][2]


def test_columns_of_other_names_are_ignored_and_said_whatever_they_hold():
    content = workbook([*HEADER, "登记日期", "备注", None], [*row(), date(2026, 5, 1), "=1+1", "x"])

    assert first_row(content).number == "T1"
    assert [text for _, text in notes_of(content)] == [
        "this column has no header and was not read",
        "this column is not known and was not read",
        "this column is not known and was not read",
    ]


def test_hidden_sheets_are_not_read_and_said():
    content = workbook(HEADER, row(), hidden=["旧表"])

    assert first_row(content).number == "T1"
    assert notes_of(content) == [(None, "the hidden sheet “旧表” was not read")]


def test_a_workbook_of_nothing_but_a_hidden_table_says_so():
    assert [text for *_, text in faults_of(workbook(hidden=["旧表"]))] == [
        "the sheet with content (旧表) is hidden: show it, or delete it"
    ]


def test_invisible_signs_are_taken_out_of_names_and_said():
    content = csv_file(row(name="盛世\u200b花园"), row("T2", "乙\ufeff"))

    assert [found.name for found in read_communities(content, "list").rows] == ["盛世花园", "乙"]
    assert notes_of(content) == [(None, "invisible signs were taken out of 2 cells, such as “盛世花园”")]


@pytest.mark.parametrize(
    ("other", "column"),
    [
        ({"number": "0T1"}, 1),
        ({"number": "Ｔ1"}, None),
        ({"number": "t1"}, 1),
        ({"name": "ａ区"}, 2),
        ({"name": "a　区"}, 2),
        ({"district": "海勃湾 区", "name": "乙"}, 3),
        ({"company": "ＡＢ物业", "name": "乙"}, 4),
    ],
)
def test_twins_within_a_list_name_both_rows(other, column):
    base = {"number": "T1", "name": "A区", "company": "ab物业"}
    found = faults_of(csv_file(row(**base), row(**{**base, "number": "T2", **other})))

    assert found[0][:2] == (3, column or 1)
    assert "row 2" in found[0][2]


def imported(database, *rows, confirmed=False, header=HEADER):
    table = read_communities(csv_file(*rows, header=header), "list.csv")
    with database.reading() as session:
        plan = plan_import(session, table=table, are_new_places_confirmed=confirmed)
    with database.writing() as session:
        return store_import(session, plan=plan)


def refused(error, database, *rows):
    with pytest.raises(error) as raised:
        imported(database, *rows)
    return [(fault.line, fault.text()) for fault in raised.value.faults]


def test_a_number_that_lost_its_zeros_is_no_second_community(sqlite_database):
    imported(sqlite_database, row("0015030001"))

    assert refused(PlacesError, sqlite_database, row("T9", "乙"), row("15030001")) == [
        (3, "the number “15030001” looks like “0015030001”, under which 甲 is stored: write the stored number")
    ]


def test_a_community_is_not_stored_again_under_another_number(sqlite_database):
    imported(sqlite_database, row("T1", "阳光家园"))

    ((line, text),) = refused(PlacesError, sqlite_database, row("T2", "阳光 家园"))
    assert (line, "under the number T1, here it has T2" in text) == (2, True)


def test_communities_may_exchange_their_names_in_one_list(sqlite_database):
    imported(sqlite_database, row("T1", "甲"), row("T2", "乙"))

    assert imported(sqlite_database, row("T1", "乙"), row("T2", "甲")).changed == 2


@pytest.mark.parametrize("other", [{"district": "海勃湾 区"}, {"company": "甲 物业"}])
def test_a_twin_of_a_stored_name_is_a_fault_that_cannot_be_confirmed(sqlite_database, other):
    imported(sqlite_database, row())

    with pytest.raises(PlacesError, match="looks like") as raised:
        imported(sqlite_database, row("T2", "乙", **other), confirmed=True)
    assert not isinstance(raised.value, UnconfirmedPlaces)


def test_districts_that_resemble_each_other_are_asked_about_before_any_is_made(sqlite_database):
    rows = [row("T1"), row("T2", "乙", "海渤湾区"), row("T3", "丙", "海勃湾"), row("T4", "丁", "乌达区")]

    assert refused(UnconfirmedPlaces, sqlite_database, *rows) == [
        (3, "the district 海渤湾区 would be new and resembles 海勃湾区"),
        (4, "the district 海勃湾 would be new and resembles 海勃湾区"),
    ]
    with sqlite_database.reading() as session:
        assert session.scalars(select(Community)).all() == []

    assert imported(sqlite_database, *rows, confirmed=True).added == 4


@pytest.mark.parametrize(
    "districts",
    [["东城区", "西城区"], ["甲区", "乙区"], ["海勃湾区", "海南区", "乌达区"], ["第一管理区", "第二管理区"]],
)
def test_districts_that_differ_are_not_asked_about_in_an_empty_register(sqlite_database, districts):
    rows = [row(str(place), "甲", district) for place, district in enumerate(districts)]

    assert imported(sqlite_database, *rows).added == len(districts)


def test_new_districts_and_companies_are_named_before_they_are_made(sqlite_database):
    imported(sqlite_database, row())
    rows = [row("T2", "乙", "乌达区", "乙物业"), row("T3", "丙", "乌达区", "乙物业")]

    assert refused(UnconfirmedPlaces, sqlite_database, *rows) == [
        (2, "the district 乌达区 would be new"),
        (2, "the property company 乙物业 would be new"),
    ]
    imported(sqlite_database, *rows, confirmed=True)
    with sqlite_database.reading() as session:
        assert set(session.scalars(select(District.name))) == {"海勃湾区", "乌达区"}
        assert set(session.scalars(select(PropertyCompany.name))) == {"甲物业", "乙物业"}


@pytest.mark.parametrize("write", [write_communities, lambda table: write_communities_workbook(table, now=NOW)])
def test_our_own_export_is_imported_again_and_changes_nothing(sqlite_database, write):
    rows = [
        row("0015", "甲"),
        row("007", "Ab（东）", company=""),
        row("12E3", "合计", "乌达区"),
        row("T'4", "ᠰᠡᠳᠬᠢᠯ\u180eᠠ"),
    ]
    with sqlite_database.writing() as session:
        import_communities(session, table=read_communities(csv_file(*rows), "list"))
    with sqlite_database.reading() as session:
        exported = write(stored_communities(session))

    table = read_communities(exported, "export")
    with sqlite_database.reading() as session:
        plan = plan_import(session, table=table)

    assert (plan.added, plan.changed, plan.absent, table.notes) == ([], [], 0, ())


WITHOUT_NUMBERS = HEADER[1:]


def test_communities_without_numbers_get_one_and_keep_it(sqlite_database):
    first = imported(sqlite_database, row(name="甲")[1:], row(name="乙")[1:], header=WITHOUT_NUMBERS)
    again = imported(
        sqlite_database, row(name="乙")[1:], row(name="甲", households=(100, 90, 70))[1:], header=WITHOUT_NUMBERS
    )

    assert (first.added, first.numbered) == (2, 2)
    assert (again.added, again.numbered, again.changed, again.unchanged, again.absent) == (0, 0, 1, 1, 0)
    with sqlite_database.reading() as session:
        assert dict(session.execute(select(Community.name, Community.number)).all()) == {
            "甲": "JY000001",
            "乙": "JY000002",
        }


@pytest.mark.parametrize("blank", ["", "\u3000", "\u200b\u3164"])
def test_a_blank_number_beside_others_is_asked_about(sqlite_database, blank):
    imported(sqlite_database, row("T1", "甲"))
    rows = row("T1", "甲"), row(blank, "乙")

    assert refused(UnconfirmedPlaces, sqlite_database, *rows) == [(3, "乙 has no number and would get JY000001")]
    assert imported(sqlite_database, *rows, confirmed=True).numbered == 1


def test_numbers_that_were_given_out_are_never_given_again(sqlite_database):
    imported(sqlite_database, row("JY000041", "甲"))

    imported(sqlite_database, row("", "乙"), row("JY000042", "丙"), row("", "丁"), confirmed=True)

    with sqlite_database.reading() as session:
        numbers = dict(session.execute(select(Community.name, Community.number)).all())
    assert numbers == {"甲": "JY000041", "丙": "JY000042", "乙": "JY000043", "丁": "JY000044"}


@pytest.mark.parametrize(
    ("stored", "listed"),
    [
        ("盛世花园", "盛世花园小区"),
        ("盛世花园小区", "盛世花园（住宅小区）"),
        ("凯旋家园二期", "凯旋家园2期"),
        ("盛世花园", "盛世·花园"),
        ("滨河家园", "滨和家园"),
    ],
)
def test_what_is_likely_a_stored_community_is_proposed_with_its_number(sqlite_database, stored, listed):
    imported(sqlite_database, row("T1", stored))

    ((line, text),) = refused(UnconfirmedPlaces, sqlite_database, row("T1", stored), row("T2", listed))

    assert (line, text) == (
        3,
        f"{listed} would be new and resembles {stored} of this district: if it is the same, give it the number T1",
    )


@pytest.mark.parametrize(
    ("stored", "listed"), [("凯旋家园一期", "凯旋家园二期"), ("盛世花园", "盛世家园"), ("新华一街", "新华二街")]
)
def test_names_that_are_different_on_purpose_are_not_asked_about(sqlite_database, stored, listed):
    imported(sqlite_database, row("T1", stored))

    assert imported(sqlite_database, row("T2", listed)).added == 1


def test_the_same_name_in_another_district_is_not_asked_about(sqlite_database):
    imported(sqlite_database, row("T1", "甲", "海勃湾区"), row("T2", "乙", "乌达区"))

    assert imported(sqlite_database, row("T3", "甲小区", "乌达区")).added == 1


THEIR_HEADERS = {"name": "项目名称", "district": "行政 区划"}


@pytest.mark.parametrize("make", [csv_file, workbook])
def test_a_list_with_other_headers_is_read_by_what_they_are_said_to_mean(make):
    header = ["序号", "项目名称", "行政　区划", "物业公司", "交付户数", "入住户数", "业主户数", "备注"]
    title = ["2026年住宅项目情况一览表", *[""] * 7]
    rows = [title, header, [1, "甲", "海勃湾区", "甲物业", 100, 90, 80, "好"]]
    content = workbook(*rows) if make is workbook else csv_file(*rows[1:], header=title)

    with pytest.raises(UnknownColumns) as asked:
        read_communities(content, "list")
    table = read_communities(content, "list", headers=THEIR_HEADERS)

    assert [(header.written, header.example, header.field) for header in asked.value.headers] == [
        ("序号", "1", None),
        ("项目名称", "甲", None),
        ("行政 区划", "海勃湾区", None),
        ("物业公司", "甲物业", "company"),
        ("交付户数", "100", "households_delivered"),
        ("入住户数", "90", "households_occupied"),
        ("业主户数", "80", "households_owners"),
        ("备注", "好", None),
    ]
    assert [(found.number, found.name, found.district, found.households_owners) for found in table.rows] == [
        (None, "甲", "海勃湾区", 80)
    ]


def test_a_list_of_which_no_header_is_known_is_asked_about_at_its_header_row():
    content = csv_file(["项目", "区划", "企业"], ["甲", "海勃湾区", "甲物业"], header=["一览表", "", ""])

    with pytest.raises(UnknownColumns) as asked:
        read_communities(content, "list")

    assert [header.written for header in asked.value.headers] == ["项目", "区划", "企业"]


def test_headers_that_are_chosen_are_checked_all_at_once():
    chosen = {"name": "项目", "district": "项目", "floor": "层", "company": "长" * 201, "number": " "}

    with pytest.raises(PlacesError) as refused_headers:
        checked_headers(chosen, source="源" * 201)

    assert [fault.text() for fault in refused_headers.value.faults] == [
        "this text has 201 characters, at most 200",
        "the header 项目 is chosen for 小区名称 already",
        "there is no column floor",
        "this text has 201 characters, at most 200",
    ]


def test_the_headers_of_a_source_are_kept_until_others_are_chosen(database):
    with database.writing() as session:
        keep_headers(session, source="海勃湾区", headers={"name": "项目", "district": "区划"})
        keep_headers(session, source="乌达区", headers={"name": "名称"})
    with database.writing() as session:
        keep_headers(session, source="海勃湾区", headers={"district": "项目", "name": "小区"})

    with database.reading() as session:
        assert sources(session) == sorted(["乌达区", "海勃湾区"])
        assert headers_of(session, "海勃湾区") == {"district": "项目", "name": "小区"}
        assert headers_of(session, "海南区") == {}
