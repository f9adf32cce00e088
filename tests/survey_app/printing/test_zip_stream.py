import io
import zipfile
from datetime import UTC, datetime

import pytest

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
