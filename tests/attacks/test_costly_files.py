"""Files that say more than anybody can read: each is refused with its limit and the next step, within a moment."""

import resource
import subprocess
import sys
from contextlib import suppress

import pyarrow as pa
import pytest
from pyarrow import parquet

from analytics.disclosure.rules import parse_disclosure_rules
from analytics.files import spreadsheets, workbook_parts, yaml_documents
from analytics.files.spreadsheets import read_sheet
from analytics.files.table_cells import MOST_FAULTS, TableError, read_cells
from analytics.files.yaml_documents import Document, DocumentError
from analytics.rules import parse_rules
from survey_app.complaints.categories import parse_categories
from survey_app.config import DATA
from survey_app.register.boundaries import parse_boundaries
from survey_app.register.communities_file import CommunityRow, CommunityTable, read_communities, write_communities
from survey_app.rounds.questionnaires import parse_questionnaire
from tests.attacks.costly_files import DOCUMENTS, MAPS, NO_WORKBOOKS, TABLES, WORKBOOKS, cells, row, sheet, workbook
from tests.attacks.processor_time import within

# Of processor time; what is refused takes a fraction.
UNITS = 100
# By which the process may grow beyond what it took at any time before.
MOST_KILOBYTES = 300 * 1024
LONGEST_SENTENCES = 500_000


def refused(read, content):
    """Return what is said of a file, after holding its reader to a budget of time and memory."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def words_of_refusal():
        with pytest.raises(DocumentError) as caught:
            read(content, "a file")
        return "\n".join(caught.value.lines())

    said = within(UNITS, words_of_refusal)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    assert (grown < MOST_KILOBYTES, len(said) < LONGEST_SENTENCES) == (True, True)
    return said


@pytest.mark.parametrize("name", WORKBOOKS)
def test_a_workbook_that_holds_more_than_anybody_reads_is_refused(name):
    assert refused(read_communities, WORKBOOKS[name]())


@pytest.mark.parametrize("name", NO_WORKBOOKS)
def test_what_only_begins_like_a_workbook_is_refused(name):
    assert refused(read_communities, NO_WORKBOOKS[name]())


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_holds_more_than_anybody_reads_is_refused(name):
    assert refused(read_communities, TABLES[name]())


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("read", [parse_rules, parse_questionnaire, parse_disclosure_rules, parse_categories])
def test_a_document_that_expands_is_refused(read, name):
    assert refused(read, DOCUMENTS[name])


@pytest.mark.parametrize("name", MAPS)
def test_a_map_of_too_much_is_refused(name):
    def read(content, source):
        return parse_boundaries(content, source, districts=["乌达区"])

    assert refused(read, MAPS[name]())


def test_a_limit_is_named_with_the_next_step():
    many_rows = refused(read_communities, WORKBOOKS["of a million empty rows"]())
    many_cells = refused(read_communities, WORKBOOKS["of 200,000 rows"]())
    wide = refused(read_communities, WORKBOOKS["of a row of 16,384 cells"]())
    large = refused(parse_rules, b"#" * (yaml_documents.MOST_BYTES + 1))

    assert f"beyond row {spreadsheets.MOST_WORKBOOK_ROWS:,}: delete empty rows below it" in many_rows
    assert "save it as CSV" in many_cells
    assert f"beyond column {spreadsheets.MOST_COLUMNS}: delete" in wide
    assert f"at most {yaml_documents.MOST_BYTES:,} are read: send one that holds only what is asked for" in large


def test_numbers_and_fractions_of_a_rule_have_a_length():
    shipped = next((DATA / "rules").rglob("*.yaml")).read_text("utf-8")
    for share in ("9" * 100_000 + " %", "1/" + "0" * 100_000 + "1", "0." + "3" * 100_000 + " %", "９" * 50_000 + "％"):
        changed = shipped.replace("share: ", f"share: {share} # ", 1)
        assert "a share is written as" in refused(parse_rules, changed.encode())


def test_a_sentence_shows_the_beginning_of_a_long_value():
    said = refused(parse_questionnaire, b"format: [" + b"x, " * 9000 + b"]\nversion: '" + b"9" * 200_000 + b"'")

    assert len(said) < 20_000


def test_what_a_city_needs_is_read():
    rows = [
        CommunityRow(f"{n:06}", f"第{n}小区", None, f"第{n % 9}区", None, None, None, 900, 800, 700)
        for n in range(100_000)
    ]

    assert len(read_communities(write_communities(CommunityTable(tuple(rows))), "a.csv").rows) == 100_000


def test_a_workbook_of_twenty_thousand_rows_and_empty_formatted_rows_is_read():
    content = workbook(sheet=sheet(row(cells(11)) * 15_000 + '<row s="1" customFormat="1"/>' * 5_000))

    assert len(within(2 * UNITS, lambda: read_sheet(content, "a.xlsx")).rows) == 15_000


def test_formulas_are_looked_for_wherever_their_mark_is_cut(monkeypatch):
    content = workbook(sheet=sheet(row("<c><f>1+1</f></c>")))
    for size in (7, 64, 1000):
        monkeypatch.setattr(workbook_parts, "_BYTES_AT_ONCE", size)
        assert "formula has no stored result" in str(read_sheet(content, "a.xlsx").faults[0])


@pytest.mark.parametrize("name", TABLES)
def test_a_table_for_the_evaluator_is_read_or_refused_within_a_moment(name, tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(TABLES[name]())

    def read_or_refuse():
        with suppress(TableError):
            read_cells(path)

    within(3 * UNITS, read_or_refuse)


def test_a_command_names_the_limit_and_ends(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_bytes(DOCUMENTS["a number to the base of sixty"])
    command = [sys.executable, "-m", "analytics", "evaluate", "table.csv", "--rules", str(path), "--out", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def test_a_shipped_document_keeps_far_below_its_limits():
    for kind in ("rules", "questionnaires", "complaint-categories", "calendars", "casework"):
        for path in (DATA / kind).rglob("*.yaml"):
            assert len(Document(path.read_bytes(), path.name)._places) < yaml_documents.MOST_VALUES / 5


def test_a_table_of_too_many_columns_or_cells_is_refused_by_its_head(tmp_path):
    wide = tmp_path / "wide.csv"
    wide.write_text(",".join(f"a{number}" for number in range(20_000)) + "\n")
    packed = tmp_path / "packed.parquet"
    nothing = pa.nulls(2_000_000)
    parquet.write_table(pa.table({f"a{number}": nothing for number in range(600)}), packed)

    for path, said in ((wide, "20,000 columns, at most 16,384"), (packed, "2,000,000 rows and 600 columns")):
        with pytest.raises(TableError, match=said):
            within(UNITS / 5, lambda path=path: read_cells(path))


def test_a_table_with_a_fault_in_every_row_is_read_no_further(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"a,b\n" + b"1\n" * 2_000_000)

    with pytest.raises(TableError) as caught:
        read_cells(path)

    assert len(caught.value.faults) == MOST_FAULTS
