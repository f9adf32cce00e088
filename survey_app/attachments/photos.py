"""Photos made anew from their pixels: of moderate size, the right way up, and without what a camera notes beside them.

What strangers send is made anew in processes that can be killed, after `photo_costs.check_cost` (`decoder_pool`).
"""

import io
from base64 import b64encode
from typing import Final

from PIL import Image

from survey_app.attachments.scanning import AttachmentFault, AttachmentRefused, fault_of_unreadable

LONGEST_SIDE: Final = 1280
THUMBNAIL_SIDE: Final = 240
JPEG_QUALITY: Final = 78

_FORMATS: Final = ("JPEG", "PNG", "WEBP")
_ORIENTATION: Final = 0x0112
# What undoes each way in which a camera may have been held.
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def remake_photo(content: bytes) -> bytes:
    """Return the picture as a JPEG of moderate size without any metadata, the right way up, or raise a refusal.

    What a camera notes beside the pixels, such as where it was, does not survive: only pixels are written.
    """
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            # A JPEG is decoded at an eighth to a half of its size, which takes a fraction of the time.
            image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            image.load()
            turn, picture = _UPRIGHT.get(_orientation(image)), _of_eight_bits(image)
            picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            return _jpeg(_on_white(picture if turn is None else picture.transpose(turn)))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise AttachmentRefused(AttachmentFault.TOO_MANY_PIXELS) from error
    except MemoryError as error:
        raise AttachmentRefused(AttachmentFault.TOO_COMPLEX) from error
    except Exception as error:
        # What Pillow raises on a damaged file depends on the byte that is wrong.
        raise AttachmentRefused(fault_of_unreadable(content)) from error


def thumbnail(photo: bytes) -> bytes:
    """Return a small copy of a photo that was made anew."""
    with Image.open(io.BytesIO(photo), formats=_FORMATS) as image:
        image.draft("RGB", (THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        return _jpeg(image.convert("RGB"))


def data_address(jpeg: bytes) -> str:
    """Return a picture as an address that a page shows at once."""
    return f"data:image/jpeg;base64,{b64encode(jpeg).decode('ascii')}"


def _orientation(image: Image.Image) -> int:
    """Return how the camera was held; a note of it that cannot be read costs nobody the photo."""
    try:
        held = image.getexif().get(_ORIENTATION)
    except Exception:  # noqa: BLE001 (what Pillow raises depends on the byte that is wrong)
        return 1
    return held if isinstance(held, int) else 1


def _of_eight_bits(image: Image.Image) -> Image.Image:
    """Return a grey picture of 16 bits with 8, which Pillow would cut off at 255 and so make white."""
    if not image.mode.startswith("I"):
        return image
    return image.convert("I").point(lambda value: value / 256).convert("L")


def _on_white(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        background = Image.new("RGB", image.size, "white")
        layer = image.convert("RGBA")
        background.paste(layer, mask=layer.getchannel("A"))
        return background
    return image.convert("RGB")


def _jpeg(image: Image.Image) -> bytes:
    bare = Image.new("RGB", image.size)
    bare.paste(image)
    stream = io.BytesIO()
    bare.save(stream, "JPEG", quality=JPEG_QUALITY, optimize=True, progressive=True)
    return stream.getvalue()
