"""A hotline's file is read as the hotline exports it, and every fault of it is named at once."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_app.hotline.ledger_file import LedgerError, UnknownLedgerColumns, read_time, telephone_in
from survey_app.hotline.ledger_rows import COLUMNS, parse_rows, written_rows
from tests.survey_app.hotline.ledgers import NOW, OWN, ZONE, csv_of, read, row, workbook_of

# What a spreadsheet holds has no zone.
unzoned = partial(datetime, tzinfo=None)


def faults(content, name="ledger.csv"):
    with pytest.raises(LedgerError) as caught:
        read(content, name)
    return [(fault.line, fault.key, fault.text()) for fault in caught.value.faults]


def test_a_row_is_read_with_its_times_in_the_citys_zone_and_its_limit_at_the_end_of_the_day():
    (found,) = read(csv_of([row(number="WH1", signed="2026/11/10 11:30", confidential="是")])).rows

    assert (found.number, found.category, found.kind) == ("WH1", "EQ01", "complaint")
    assert found.submitted.at == datetime(2026, 11, 10, 1, 0, tzinfo=UTC)
    assert found.signed.at == datetime(2026, 11, 10, 3, 30, tzinfo=UTC)
    assert found.due_at == datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
    assert found.is_confidential


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_file_in_the_encoding_of_a_chinese_spreadsheet_reads_the_same(encoding):
    rows = [row(number="WH1", text="㐂电梯𠮷")]

    assert read(csv_of(rows, encoding=encoding)).rows == read(csv_of(rows)).rows


@pytest.mark.parametrize(
    "written", [unzoned(2026, 11, 10, 9, 0), 46336.375, "46336.375", "2026年11月10日9时0分", "20261110 09:00"]
)
def test_real_dates_serial_numbers_and_texts_of_a_workbook_are_one_time(written):
    (found,) = read(workbook_of([row(submitted=written)]), "ledger.xlsx").rows

    assert found.submitted.at == datetime(2026, 11, 10, 1, 0, tzinfo=UTC)


def test_a_date_is_no_number_of_a_case():
    named = faults(workbook_of([row(number=unzoned(2026, 11, 10))]), "ledger.xlsx")

    assert [(line, key) for line, key, _text in named] == [(2, "工单号")]


def test_every_fault_of_a_file_is_named_at_once_with_row_and_column():
    rows = [
        row(number="WH1"),
        row(number="WH2", category="天文-月亮"),
        row(number="", submitted="昨天"),
        row(number="WH4", text="", confidential="也许", ended="2026-11-09"),
        row(number="WH1", text="别的内容"),
        row(number="WH6", submitted="2027-01-01", limit="很快"),
    ]

    assert [(line, key) for line, key, _text in faults(csv_of(rows))] == [
        *[(3, "类型")],
        *[(4, "工单号"), (4, "时间")],
        *[(5, "内容"), (5, "保密"), (5, "办结")],
        *[(6, "工单号")],
        *[(7, "时间"), (7, "时限")],
    ]


def test_a_row_that_stands_there_twice_and_says_the_same_is_read_once():
    ledger = read(csv_of([same := row(), same, row()]))

    assert (len(ledger.rows), ledger.lines) == (2, (2, 4))
    assert "rows that say once more" in ledger.notes[0].text()


def test_a_status_that_nobody_knows_and_one_without_its_time_are_faults():
    columns = [*OWN, next(column for column in COLUMNS if column.field == "status")]

    named = faults(csv_of([row(status="飞了"), row(status="已办结"), row(status="已派单")], columns=columns))

    assert [(line, key) for line, key, _text in named] == [(2, "状态"), (3, "办结")]


@pytest.mark.parametrize(
    ("steps", "key"),
    [
        ({"signed": "2026-11-10 09:30"}, "签收"),
        ({"signed": "2026-11-12", "ended": "2026-11-11"}, "办结"),
        ({"dispatched": "2026-11-09"}, "派单"),
    ],
)
def test_a_status_that_goes_backwards_within_a_row_is_a_fault(steps, key):
    assert [(line, name) for line, name, _text in faults(csv_of([row(**steps)]))] == [(2, key)]


def test_a_day_is_not_before_an_hour_of_it():
    assert read(csv_of([row(signed="2026-11-10", ended="2026-11-10")])).rows


def test_a_number_merged_over_rows_is_a_fault_and_a_merged_community_holds_for_each():
    named = faults(workbook_of([row(number="WH1"), row(number="")], merged=["A2:A3"]), "ledger.xlsx")
    merged = read(workbook_of([row(), row(community="")], merged=["E2:E3"]), "ledger.xlsx")

    assert (2, "工单号") in [(line, key) for line, key, _text in named]
    assert [each.community for each in merged.rows] == ["阳光花园", "阳光花园"]


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff\xfe", workbook_of([row()])[:700], csv_of([row()])[:-4] + b"\xff\xff"]
)
def test_a_file_that_is_empty_cut_off_or_of_no_encoding_is_refused_with_a_sentence(content):
    assert faults(content, "ledger.xlsx")


def test_other_headers_are_read_once_they_are_explained():
    content = csv_of([row(number="WH1")]).replace("工单号".encode(), "流水".encode())

    with pytest.raises(UnknownLedgerColumns) as caught:
        read(content)

    assert [column.field for column in caught.value.missing] == ["number"]
    assert next(header for header in caught.value.headers if header.written == "内容").example == ""
    assert read(content, headers={"number": "流水"}).rows[0].number == "WH1"


def test_a_telephone_is_nowhere_in_what_is_kept_of_a_file():
    columns = [*OWN, next(column for column in COLUMNS if column.field == "telephone")]
    rows = [
        row(telephone="138 0013 8000"),
        row(text="电梯坏了，请打１３８00138001。"),
        row(answer="已电13900139000告知"),
        row(text="李女士座机（0473）201 2345转8，物业打2012346没人接，2026-11-20交了2012347元。"),
        row(answer="已回电２０１２３４８，请拨12345"),
    ]

    ledger = read(csv_of(rows, columns=columns))

    digests = [each.telephone_digest for each in ledger.rows]
    assert digests == ["digest of 13800138000", "digest of 13800138001", None, None, None]
    assert ledger.rows[1].text == "电梯坏了，请打＊＊＊。"
    assert ledger.rows[2].answer == "已电＊＊＊告知"
    assert ledger.rows[3].text == "李女士座机＊＊＊，物业打＊＊＊没人接，2026-11-20交了2012347元。"
    assert ledger.rows[4].answer == "已回电＊＊＊，请拨12345"
    kept = re.sub("digest of [0-9]+", "", written_rows(ledger))
    assert not any(digits in kept for digits in ("13800138000", "138 0013 8000", "38001", "13900139000"))


def test_a_call_back_is_kept_without_what_can_be_recognised_as_personal():
    (found,) = read(csv_of([row(call_back="满意，13800138000")])).rows

    assert "13800138000" not in found.call_back


def test_rows_that_were_written_as_text_are_read_as_the_same():
    ledger = read(csv_of([row(signed="2026-11-10"), row(answer="已修好", ended="2026-11-12 10:00")]))

    assert parse_rows(written_rows(ledger), source=ledger.source) == ledger


@given(st.datetimes(unzoned(1991, 1, 1), unzoned(2090, 1, 1)))
def test_every_minute_reads_as_itself_however_it_is_written(moment):
    moment = moment.replace(second=0, microsecond=0)
    expected = moment.replace(tzinfo=ZONE).astimezone(UTC)
    serial = (moment - unzoned(1899, 12, 30)) / timedelta(days=1)

    assert read_time(f"{moment:%Y-%m-%d %H:%M}", ZONE) == expected
    assert read_time(f"{moment:%Y年%m月%d日 %H时%M分}", ZONE) == expected
    assert read_time(f"{serial:.10f}", ZONE) == expected


@given(st.text(max_size=30))
def test_no_text_makes_reading_a_time_or_a_telephone_fail(text):
    found = read_time(text, ZONE)
    assert found is None or isinstance(found, date)
    assert telephone_in(text) is None or len(telephone_in(text)) == 11


def test_what_lies_in_the_future_is_a_fault_but_for_limits():
    later = f"{NOW + timedelta(days=2):%Y-%m-%d}"

    assert [key for _line, key, _text in faults(csv_of([row(signed=later, limit=later, extended=later)]))] == ["签收"]
