import io
import random
import zlib
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, PngImagePlugin
from sqlalchemy import func, select
from werkzeug.test import EnvironBuilder

from survey_app.codes.codes import find_code
from survey_app.models import Code, Photo
from survey_app.photos import photos
from survey_app.photos.photos import (
    LONGEST_SIDE,
    PhotoFault,
    PhotoRefused,
    PhotoRequest,
    Upload,
    attach_photos,
    drop_photos,
    encode_photo,
    encode_uploads,
    forget_unsent_photos,
    keep_photos,
    kept_photos,
    photos_of,
    thumbnail,
    uploads_in,
)
from survey_app.security.submission_keys import Form, SubmissionKey
from tests.factories import NOW, SECRET, make_complaint, make_poster_code

CANARY = b"39.6553 N 106.7942 E"


def picture(width=400, height=300, mode="RGB"):
    """A picture whose left upper corner is red."""
    image = Image.new(mode, (width, height), "white")
    ImageDraw.Draw(image).rectangle((0, 0, width // 4, height // 4), fill="red")
    return image


def saved(image, kind="JPEG", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def opened(content):
    return Image.open(io.BytesIO(content))


def refusal(content):
    with pytest.raises(PhotoRefused) as caught:
        encode_photo(content)
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
    encoded = opened(encode_photo(saved(picture(3000, 2000), kind)))

    assert (encoded.format, encoded.mode) == ("JPEG", "RGB")
    assert max(encoded.size) == LONGEST_SIDE
    assert abs(encoded.width / encoded.height - 1.5) < 0.01


def test_a_small_photo_is_not_enlarged():
    assert opened(encode_photo(saved(picture(40, 30)))).size == (40, 30)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_as_the_phone_was_held(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    lying = picture() if orientation == 1 else picture().transpose(Image.Transpose(undo[orientation]))

    upright = opened(encode_photo(saved(lying, exif=exif, quality=95)))

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
        encoded = encode_photo(source)
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

    encoded = opened(encode_photo(saved(image.convert(mode), kind)))

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
    assert refusal(content) is PhotoFault.UNREADABLE


def test_a_bomb_is_refused_before_it_is_decoded():
    content = bomb()

    assert len(content) < 10_000
    assert refusal(content) is PhotoFault.TOO_MANY_PIXELS


def test_more_pixels_than_any_warning_names_are_refused_too():
    with_warning = bomb().replace((20_000).to_bytes(4) * 2, (10_000).to_bytes(4) * 2)
    header = b"IHDR" + (10_000).to_bytes(4) * 2 + bytes([8, 0, 0, 0, 0])
    start = with_warning.index(b"IHDR")
    fixed = with_warning[: start + 17] + zlib.crc32(header).to_bytes(4) + with_warning[start + 21 :]

    assert refusal(fixed) is PhotoFault.TOO_MANY_PIXELS


@settings(max_examples=150)
@given(st.sampled_from(["JPEG", "PNG", "WEBP"]), st.randoms(use_true_random=False))
def test_a_damaged_file_is_taken_or_refused_and_nothing_else(kind, chance: random.Random):
    content = bytearray(saved(picture(64, 48), kind))
    for _damage in range(chance.randint(1, 8)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    content = content[: chance.randint(1, len(content))]

    with suppress(PhotoRefused):
        assert opened(encode_photo(bytes(content))).format == "JPEG"


def test_a_thumbnail_is_a_small_data_address():
    address = thumbnail(encode_photo(saved(picture(3000, 2000))))

    assert address.startswith("data:image/jpeg;base64,")
    assert len(address) < 12_000


def form_with(*files, **fields):
    builder = EnvironBuilder(method="POST", data=fields | {f"photo{number}": file for number, file in enumerate(files)})
    return PhotoRequest(builder.get_environ())


def test_fields_come_whole_whatever_the_size_of_the_files(monkeypatch):
    monkeypatch.setattr(photos, "LARGEST_UPLOAD_BYTES", 1000)
    files = [(io.BytesIO(b"a" * 5000), "a.jpg"), (io.BytesIO(b"b" * 1000), "b.jpg"), (io.BytesIO(b""), "")]

    request = form_with(*files, text="电梯停了三天", category="EQ01")
    uploads = uploads_in(request)

    assert request.form.to_dict() == {"text": "电梯停了三天", "category": "EQ01"}
    assert [(len(upload.content), upload.fault) for upload in uploads] == [(1000, PhotoFault.TOO_LARGE), (1000, None)]


def test_many_files_are_not_kept_in_memory(monkeypatch):
    monkeypatch.setattr(photos, "LARGEST_UPLOAD_BYTES", 1000)
    files = [(io.BytesIO(b"a" * 900), "a.jpg") for _ in range(20)]

    uploads = uploads_in(form_with(*files))

    assert sum(len(upload.content) for upload in uploads) == 6 * 900
    assert [upload.fault for upload in uploads[6:]] == [PhotoFault.TOO_LARGE] * 14


def test_one_bad_photo_does_not_keep_the_others_out():
    good = saved(picture())

    taken, faults = encode_uploads([Upload(good), Upload(b"no"), Upload(good), Upload(b"", PhotoFault.TOO_LARGE)])

    assert len(taken) == 1
    assert faults == [PhotoFault.UNREADABLE, PhotoFault.TOO_LARGE]


@pytest.fixture
def key(database):
    with database.writing() as session:
        code = find_code(session, token=make_poster_code(session).token, secret_key=SECRET)
    return SubmissionKey.new(form=Form.COMPLAINT, code_id=code.id, round_id=None, now=NOW)


def keep(database, key, *contents, now=NOW):
    taken, _faults = encode_uploads([Upload(content) for content in contents])
    with database.writing() as session:
        code = session.get(Code, key.code_id)
        return keep_photos(session, key=key, community_id=code.community_id, photos=taken, now=now)


def names(database, key):
    with database.reading() as session:
        return [photo.name for photo in kept_photos(session, key=key)]


def test_the_same_photo_sent_again_is_kept_once_and_a_fourth_is_not_taken(database, key):
    four = [saved(picture(100 + number)) for number in range(4)]

    assert keep(database, key, four[0]) == []
    assert keep(database, key, four[0], four[1], four[2]) == []
    assert keep(database, key, four[3]) == [PhotoFault.TOO_MANY]
    assert len(set(names(database, key))) == 3


def test_a_photo_can_be_taken_back_by_its_own_form_alone(database, key):
    keep(database, key, saved(picture()))
    (name,) = names(database, key)
    other = SubmissionKey.new(form=Form.COMPLAINT, code_id=key.code_id, round_id=None, now=NOW)

    for asking, left in ((other, 1), (key, 0)):
        with database.writing() as session:
            drop_photos(session, key=asking, names=[name])
        assert len(names(database, key)) == left


def test_a_case_gets_the_photos_of_its_form_and_unsent_ones_are_deleted_after_a_day(database, key):
    unsent = SubmissionKey.new(form=Form.COMPLAINT, code_id=key.code_id, round_id=None, now=NOW)
    for asking in (key, unsent):
        keep(database, asking, saved(picture()))
    with database.writing() as session:
        complaint = make_complaint(session, session.get(Code, key.code_id).community, submission_key=key.value)
        attach_photos(session, key=key, complaint_id=complaint.id)
        drop_photos(session, key=key, names=[kept_photos(session, key=key)[0].name])
        assert forget_unsent_photos(session, now=NOW + timedelta(hours=23)) == 0
        assert forget_unsent_photos(session, now=NOW + timedelta(hours=24)) == 1
        assert len(photos_of(session, complaint_id=complaint.id)) == 1, "what is sent cannot be taken back"


def test_one_poster_cannot_fill_the_disk_with_photos_that_are_never_sent(database, key, monkeypatch):
    monkeypatch.setattr(photos, "MOST_UNSENT", 1)
    keep(database, key, saved(picture(100)))

    assert keep(database, key, saved(picture(200))) == [PhotoFault.NO_ROOM]
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Photo)) == 1
