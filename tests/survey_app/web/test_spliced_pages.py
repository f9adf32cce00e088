import gzip
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_app.web.spliced_pages import SplicedPage, accepts_gzip

MARK = "\0key\0"
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(before=TEXT, own=st.binary(max_size=2000), after=TEXT)
def test_a_spliced_page_is_the_same_compressed_and_plain(before, own, after):
    page = SplicedPage.around(MARK, f"{before}{MARK}{after}")

    assert page.plain(own) == before.encode() + own + after.encode()
    assert gzip.decompress(page.gzipped(own)) == page.plain(own)


def test_what_is_a_visitors_own_changes_no_other_byte_and_not_the_length():
    page = SplicedPage.around(MARK, f"{'题' * 3000}{MARK}{'尾' * 100}")

    first, second = page.gzipped(b"x" * 60), page.gzipped(b"y" * 60)

    assert len(first) == len(second) < 400
    assert re.sub(b"x{60}", b"", first)[:-8] == re.sub(b"y{60}", b"", second)[:-8]


def test_a_page_without_its_mark_is_refused():
    with pytest.raises(ValueError, match="unpack"):
        SplicedPage.around(MARK, "no mark")


def test_an_own_part_too_long_for_one_block_is_refused():
    with pytest.raises(ValueError, match="65535"):
        SplicedPage.around(MARK, MARK).gzipped(b"x" * 65536)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("gzip, deflate, br", True),
        ("gzip;q=0.5", True),
        ("*", True),
        ("", False),
        ("identity", False),
        ("br, gzip;q=0", False),
    ],
)
def test_gzip_is_sent_to_those_who_accept_it(header, expected):
    assert accepts_gzip(header) is expected
