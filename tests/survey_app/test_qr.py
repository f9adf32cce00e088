import io
import re
from xml.etree import ElementTree as ET

import pytest
from PIL import Image, ImageDraw, ImageFilter

from survey_app.numbers import CODE_DIGITS, new_number
from survey_app.posters.qr import QUIET_ZONE_MODULES, qr_png, qr_svg

zxingcpp = pytest.importorskip("zxingcpp")

URL = f"https://jiayuan.example.gov.cn/s/{new_number(CODE_DIGITS)}"


def scan(image):
    found = zxingcpp.read_barcode(image.convert("L"))
    return found.text if found else None


def picture():
    return Image.open(io.BytesIO(qr_png(URL)))


def draw_svg(svg, pixels=8):
    """Paint the modules of the path, each “Mx,yHaVbHxz” a square, as a printer would."""
    path = ET.fromstring(svg).find(".//{*}path").get("d")
    squares = [tuple(map(int, found)) for found in re.findall(r"M(\d+),(\d+)H(\d+)V(\d+)H\d+z", path)]
    side = max(max(square) for square in squares) + QUIET_ZONE_MODULES
    image = Image.new("L", (side * pixels, side * pixels), 255)
    for left, top, right, bottom in squares:
        ImageDraw.Draw(image).rectangle((left * pixels, top * pixels, right * pixels - 1, bottom * pixels - 1), fill=0)
    return image


def test_the_png_says_the_address():
    assert scan(picture()) == URL


def test_the_svg_says_the_address():
    assert scan(draw_svg(qr_svg(URL))) == URL


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/s/abc", "https://x.cn/s/", "https://家园.cn/s/12345"])
def test_an_address_without_a_long_number_is_said_too(url):
    assert scan(Image.open(io.BytesIO(qr_png(url)))) == url


def test_four_modules_around_the_code_stay_white():
    image = picture().convert("L")
    module = image.width // round(image.width / 16)
    border = QUIET_ZONE_MODULES * module

    assert image.crop((0, 0, image.width, border)).getextrema() == (255, 255)
    assert image.crop((0, 0, border, image.height)).getextrema() == (255, 255)


def test_a_blurred_rotated_code_with_a_blot_still_scans():
    image = picture().convert("L")
    side = image.width
    blot = side * 0.1
    ImageDraw.Draw(image).ellipse((side * 0.55, side * 0.6, side * 0.55 + blot * 2, side * 0.6 + blot * 2), fill=90)

    assert scan(image.rotate(7, expand=True, fillcolor=255).filter(ImageFilter.GaussianBlur(4))) == URL


def test_a_numeric_token_needs_a_smaller_code_than_as_many_letters():
    letters = Image.open(io.BytesIO(qr_png(URL[:-CODE_DIGITS] + "abcdefghijklmnopqrst")))

    assert picture().width < letters.width
