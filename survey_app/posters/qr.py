"""QR codes that still scan on a worn poster."""

import io

from qrcode import QRCode
from qrcode.constants import ERROR_CORRECT_H
from qrcode.image.base import BaseImage
from qrcode.image.pil import PilImage
from qrcode.image.svg import SvgPathImage

from survey_app.numbers import CODE_DIGITS

# The standard asks for four modules of silence around a code; readers fail on less.
QUIET_ZONE_MODULES = 4


def qr_svg(url: str) -> bytes:
    """Return the code as an SVG that prints sharply at any size."""
    return _drawn(url, SvgPathImage, module_pixels=10)


def qr_png(url: str, *, module_pixels: int = 16) -> bytes:
    """Return the code as a PNG, for word processors."""
    return _drawn(url, PilImage, module_pixels=module_pixels)


def _drawn(url: str, image_factory: type[BaseImage], module_pixels: int) -> bytes:
    # Level H survives a tear, a stain or a blot over a tenth of the code, where lower levels are already lost.
    code = QRCode(error_correction=ERROR_CORRECT_H, box_size=module_pixels, border=QUIET_ZONE_MODULES)
    # Written as a number, a token takes 67 bits instead of 160: fewer and larger modules.
    code.add_data(url, optimize=CODE_DIGITS)
    buffer = io.BytesIO()
    code.make_image(image_factory=image_factory).save(buffer)
    return buffer.getvalue()
