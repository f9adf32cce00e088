import io
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image
from qrcode import QRCode
from qrcode.util import lost_point

from survey_app.printing.qr import QUIET_ZONE_MODULES, AddressTooLong, Level, encode, qr_png, qr_svg
from survey_app.printing.qr_masks import lines_of, penalties
from survey_app.security.check_digits import CODE_DIGITS, new_number

pytest.importorskip("zxingcpp")
from tests.survey_app.printing.scanning import paint, scan, worn

URL = f"https://jiayuan.example.gov.cn/s/{new_number(CODE_DIGITS)}"
ADDRESSES = st.builds(
    "{}{}".format,
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40),
    st.integers(0, 10**39).map(str) | st.just(""),
)


def picture():
    return Image.open(io.BytesIO(qr_png(URL)))


def draw_svg(svg, pixels=8):
    """Paint the boxes of the path, each “Mx yhWv1h-Wz”, as a printer would."""
    root = ET.fromstring(svg)
    side = int(root.get("viewBox").split()[2])
    image = Image.new("L", (side, side), 255)
    for left, top, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", root.find("{*}path").get("d")):
        image.paste(0, (int(left), int(top), int(left) + int(width), int(top) + 1))
    return image.resize((side * pixels, side * pixels), Image.Resampling.NEAREST)


def drawn_by_the_library(address, level, mask):
    code = QRCode(error_correction=level, mask_pattern=mask)
    code.add_data(address, optimize=CODE_DIGITS)
    code.make()
    return code.modules


def test_the_png_says_the_address():
    assert scan(picture()) == URL


def test_the_svg_says_the_address():
    assert scan(draw_svg(qr_svg(URL))) == URL


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/s/abc", "https://x.cn/s/", "https://家园.cn/s/12345"])
def test_an_address_without_a_long_number_is_said_too(url):
    assert scan(Image.open(io.BytesIO(qr_png(url)))) == url


def test_four_modules_around_the_code_stay_white():
    side = len(encode([URL], Level.H)[0]) + 2 * QUIET_ZONE_MODULES
    for image in (picture().convert("L"), draw_svg(qr_svg(URL))):
        border = QUIET_ZONE_MODULES * image.width // side
        assert image.crop((0, 0, image.width, border)).getextrema() == (255, 255)
        assert image.crop((0, 0, border, image.height)).getextrema() == (255, 255)


@settings(max_examples=60)
@given(st.sampled_from(Level), ADDRESSES)
def test_a_code_is_one_of_the_eight_that_the_library_draws_and_has_the_least_penalty(level, address):
    # The library cannot divide a block of nothing but zeros.
    assume("0" * 12 not in address)
    try:
        (code,) = encode([address], level)
    except AddressTooLong:
        assume(False)
    drawn = [drawn_by_the_library(address, level, mask) for mask in range(8)]

    same = [modules for modules in drawn if np.array_equal(modules, code)]
    assert len(same) == 1
    assert lost_point(same[0]) == min(map(lost_point, drawn))


@given(st.integers(21, 57), st.integers(0, 2**32 - 1), st.floats(0.05, 0.95))
def test_penalties_are_those_of_the_standard_however_dark_a_code_is(side, seed, darkness):
    code = (np.random.default_rng(seed).random((1, side, side)) < darkness).astype(np.uint8)

    assert penalties(lines_of(code), lines_of(code.swapaxes(1, 2))).tolist() == [lost_point(code[0].tolist())]


def test_a_code_that_looks_like_a_finder_pattern_or_is_of_one_colour_is_penalised():
    for modules in (
        np.ones((21, 21), np.uint8),
        np.tile(np.array([1, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0] * 2)[:21], (21, 1)),
    ):
        code = modules.astype(np.uint8)[None]
        assert penalties(lines_of(code), lines_of(code.swapaxes(1, 2))).tolist() == [lost_point(modules.tolist())]


def test_codes_made_together_say_each_its_own_address_and_are_of_one_size():
    addresses = [f"https://x.cn/s/{new_number(CODE_DIGITS)}" for _ in range(40)] + ["https://x.cn/s/1"]

    codes = encode(addresses, Level.Q)

    assert [scan(paint(code)) for code in codes] == addresses


@settings(max_examples=30)
@given(st.sampled_from(Level), st.integers(10**19, 10**39 - 1), st.sampled_from([-40, -7, 3, 12, 75, 180]))
def test_a_code_is_read_with_a_blot_over_a_tenth_turned_and_out_of_focus(level, number, degrees):
    address = f"https://wj.example.cn/s/{number}"
    (code,) = encode([address], level)

    assert scan(worn(paint(code), blot=0.1, degrees=degrees)) == address


def test_a_numeric_token_needs_a_smaller_code_than_as_many_letters():
    letters = URL[:-CODE_DIGITS] + "abcdefghijklmnopqrst"

    assert len(encode([URL], Level.H)[0]) < len(encode([letters], Level.H)[0])


def test_an_address_too_long_for_a_readable_code_is_refused():
    with pytest.raises(AddressTooLong, match="use a shorter public address"):
        encode(["https://x.cn/s/1", "https://" + "very-long." * 20 + "cn/s/1"], Level.H)
