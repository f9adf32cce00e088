import random
import struct
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from survey_app.attachments.decoder_pool import scan_photo
from survey_app.attachments.photos import LONGEST_SIDE, data_address, thumbnail
from survey_app.attachments.scanning import (
    JPEG,
    PNG,
    WEBP,
    AttachmentFault,
    AttachmentRefused,
    recognise_type,
)
from tests.pictures import opened, picture, saved

CANARY = b"39.6553 N 106.7942 E"


def scanned(content):
    return scan_photo(content).content


def refusal(content):
    with pytest.raises(AttachmentRefused) as caught:
        scan_photo(content)
    return caught.value.fault


def bomb():
    """A PNG of a few kilobytes that says it holds 400 megapixels."""
    header = (20_000).to_bytes(4) * 2 + bytes([8, 0, 0, 0, 0])
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 20_001 * 100)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4) for kind, data in chunks
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_becomes_a_jpeg_of_moderate_size(kind):
    encoded = opened(scanned(saved(picture(3000, 2000), kind)))

    assert (encoded.format, encoded.mode) == ("JPEG", "RGB")
    assert max(encoded.size) == LONGEST_SIDE
    assert abs(encoded.width / encoded.height - 1.5) < 0.01


def test_a_small_photo_is_not_enlarged():
    assert opened(scanned(saved(picture(40, 30)))).size == (40, 30)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_as_the_phone_was_held(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    lying = picture() if orientation == 1 else picture().transpose(Image.Transpose(undo[orientation]))

    upright = opened(scanned(saved(lying, exif=exif, quality=95)))

    assert upright.size == (400, 300)
    red, _green, blue = upright.getpixel((30, 30))
    assert red > 200
    assert blue < 100


def test_nothing_but_pixels_is_kept():
    exif = Image.Exif()
    exif.get_ifd(0x8825)[2] = (39.0, 39.0, 19.0)
    exif[0x010E] = CANARY.decode()
    text = PngImagePlugin.PngInfo()
    text.add_text("place", CANARY.decode())
    sources = [
        saved(picture(), exif=exif, comment=CANARY, icc_profile=CANARY * 9, xmp=CANARY) + CANARY,
        saved(picture(), "PNG", pnginfo=text, exif=exif),
        saved(picture(), "WEBP", exif=exif, xmp=CANARY),
    ]

    for source in sources:
        assert CANARY in source
        encoded = scanned(source)
        assert CANARY not in encoded
        assert not opened(encoded).getexif()
        assert set(opened(encoded).info) <= {
            "jfif",
            "jfif_version",
            "jfif_unit",
            "jfif_density",
            "progressive",
            "progression",
        }


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "CMYK"])
def test_pictures_of_other_kinds_are_taken_transparent_ones_on_white(mode):
    image = picture(mode="RGBA") if mode in {"RGBA", "LA"} else picture()
    if mode in {"RGBA", "LA"}:
        image.putalpha(0)
    kind = "JPEG" if mode == "CMYK" else "PNG"

    encoded = opened(scanned(saved(image.convert(mode), kind)))

    assert encoded.mode == "RGB"
    assert min(encoded.getpixel((350, 250))) > 240


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        saved(picture(), "GIF"),
        saved(picture(), "BMP"),
        saved(picture(), "TIFF"),
        saved(picture(900, 900), "PNG")[:300],
    ],
)
def test_what_is_no_photo_is_refused(content):
    assert refusal(content) in {AttachmentFault.UNREADABLE, AttachmentFault.CUT_OFF}


def test_a_bomb_is_refused_before_it_is_decoded():
    content = bomb()

    assert len(content) < 10_000
    assert refusal(content) is AttachmentFault.TOO_MANY_PIXELS


def test_more_pixels_than_any_warning_names_are_refused_too():
    with_warning = bomb().replace((20_000).to_bytes(4) * 2, (10_000).to_bytes(4) * 2)
    header = b"IHDR" + (10_000).to_bytes(4) * 2 + bytes([8, 0, 0, 0, 0])
    start = with_warning.index(b"IHDR")
    fixed = with_warning[: start + 17] + zlib.crc32(header).to_bytes(4) + with_warning[start + 21 :]

    assert refusal(fixed) is AttachmentFault.TOO_MANY_PIXELS


@settings(max_examples=150)
@given(st.sampled_from(["JPEG", "PNG", "WEBP"]), st.randoms(use_true_random=False))
def test_a_damaged_file_is_taken_or_refused_and_nothing_else(kind, chance: random.Random):
    content = bytearray(saved(picture(64, 48), kind))
    for _damage in range(chance.randint(1, 8)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    content = content[: chance.randint(1, len(content))]

    with suppress(AttachmentRefused):
        assert opened(scan_photo(bytes(content)).content).format == "JPEG"


def test_a_thumbnail_is_a_small_data_address():
    address = data_address(thumbnail(scanned(saved(picture(3000, 2000)))))

    assert address.startswith("data:image/jpeg;base64,")
    assert len(address) < 12_000


@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", JPEG), ("PNG", PNG), ("WEBP", WEBP)])
def test_a_type_is_recognised_by_its_bytes(kind, media_type):
    assert recognise_type(saved(picture(), kind), among=(JPEG, PNG, WEBP)) is media_type


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", saved(picture(), "GIF"), b" " + saved(picture())])
def test_a_type_that_is_not_asked_for_is_refused(content):
    with pytest.raises(AttachmentRefused, match="unreadable"):
        recognise_type(content, among=(JPEG, PNG, WEBP))


def test_a_grey_picture_of_16_bits_keeps_its_shades():
    shades = Image.new("I;16", (256, 8))
    for shade in range(256):
        shades.paste(shade * 257, (shade, 0, shade + 1, 8))

    kept = opened(scanned(saved(shades, "PNG"))).convert("L")

    assert all(abs(kept.getpixel((shade, 4)) - shade) < 12 for shade in range(256))


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif"])
def test_the_format_of_iphones_is_named(brand):
    with pytest.raises(AttachmentRefused) as refused:
        recognise_type(b"\0\0\0\x18ftyp" + brand + b"\0" * 40, among=(JPEG, PNG, WEBP))

    assert refused.value.fault is AttachmentFault.HEIC


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9])
def test_a_photo_that_arrived_in_part_is_told_apart_from_a_damaged_one(kind, share):
    whole = saved(Image.effect_noise((300, 200), 90).convert("RGB"), kind)
    part = whole[: max(16, int(len(whole) * share))]

    assert refusal(part) is AttachmentFault.CUT_OFF


@pytest.mark.parametrize("value", [b"text", b"\0", b"\xff" * 8, b"9" * 40])
def test_notes_of_the_camera_that_are_of_another_type_cost_nobody_the_photo(value):
    notes = Image.Exif()
    notes[0x0112] = 6
    content = saved(picture(), exif=notes)
    # XResolution, YResolution and ResolutionUnit as text, which Pillow takes for numbers.
    for tag in (0x011A, 0x011B, 0x0128):
        entry = struct.pack(">HHI4s", tag, 2, len(value), value[:4].ljust(4, b"\0"))
        exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + entry + b"\0" * 44
        segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
        odd = content[:2] + segment + content[2:]

        assert opened(scanned(odd)).format == "JPEG"
