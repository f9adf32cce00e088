"""What a phone sees of a printed code, and what it reads from it."""

import math

import zxingcpp
from PIL import Image, ImageDraw, ImageFilter, ImageOps


def scan(picture):
    """Return what the code in a picture says, or None if it cannot be read."""
    found = zxingcpp.read_barcode(picture.convert("L"), formats=zxingcpp.BarcodeFormat.QRCode)
    return found.text if found else None


def scan_all(picture):
    """Return what every code in a picture says."""
    return [found.text for found in zxingcpp.read_barcodes(picture.convert("L"), formats=zxingcpp.BarcodeFormat.QRCode)]


def paint(code, *, module_pixels=8, quiet_modules=4):
    """Return a code as it is printed."""
    side = len(code) + 2 * quiet_modules
    picture = Image.new("L", (side, side), 255)
    picture.paste(Image.fromarray((1 - code) * 255), (quiet_modules, quiet_modules))
    return picture.resize((side * module_pixels, side * module_pixels), Image.Resampling.NEAREST)


def worn(picture, *, blot, degrees, blur_radius=2):
    """Return the picture of a code with an ink blot over a share of the code, turned, and out of focus."""
    picture = picture.convert("L")
    left, top, right, bottom = ImageOps.invert(picture).getbbox()  # the code without its quiet zone
    across = (right - left) * (4 * blot / math.pi) ** 0.5
    centre = left + (right - left) * 0.58, top + (bottom - top) * 0.58
    corners = [part + sign * across / 2 for sign in (-1, 1) for part in centre]
    ImageDraw.Draw(picture).ellipse(corners, fill=0)
    turned = picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    return turned.filter(ImageFilter.GaussianBlur(blur_radius))
