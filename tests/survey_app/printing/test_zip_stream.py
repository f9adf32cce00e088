import io
import zipfile
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_app.printing.zip_stream import file_name, zip_files

NOW = datetime(2026, 9, 1, 8, 30, tzinfo=UTC)


def test_files_are_asked_for_one_by_one_and_all_are_in_the_archive():
    asked = []

    def make_files():
        for name in ("海勃湾区/一.pdf", "海勃湾区/二.pdf"):
            asked.append(name)
            yield name, name.encode() * 1000

    pieces = zip_files(make_files(), now=NOW)

    first = next(pieces)
    assert asked == ["海勃湾区/一.pdf"]
    archive = zipfile.ZipFile(io.BytesIO(first + b"".join(pieces)))
    assert archive.testzip() is None
    assert {name: archive.read(name) for name in archive.namelist()} == {name: name.encode() * 1000 for name in asked}


def test_an_archive_of_nothing_is_an_archive():
    assert zipfile.ZipFile(io.BytesIO(b"".join(zip_files([], now=NOW)))).namelist() == []


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("学府花园", "1503020002"), "学府花园 1503020002"),
        (('A/B: "C"', None), "A_B_ _C_"),
        (("..",), ""),
        (("家园.",), "家园"),
    ],
)
def test_names_of_files_are_taken_by_every_file_system(parts, name):
    assert file_name(*parts) == name


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=400), min_size=1, max_size=3))
def test_a_file_name_is_never_longer_than_a_file_system_takes(parts):
    assert len(file_name(*parts).encode("utf-8")) <= 200


def test_long_names_that_differ_at_their_end_stay_different():
    assert file_name("很" * 200, "1") != file_name("很" * 200, "2")
