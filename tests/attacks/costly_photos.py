"""Photos that are small to send and cost much to decode, or that lie about themselves."""

import io
import random
import struct
import zlib

from PIL import Image

from tests.pictures import picture, saved

JPEG_END = b"\xff\xd9"


def segment(marker, content):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks, size=(64, 64), header=None):
    """A PNG of the chunks between its head and its end."""
    head = header or struct.pack(">IIBBBBB", *size, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(chunks) + chunk(b"IEND", b"")


def pixels(size=(64, 64)):
    return chunk(b"IDAT", zlib.compress(b"\0" * (size[0] + 1) * size[1]))


def of_many_scans(scans, *, side=7000, before=b"", inside=b""):
    """A progressive JPEG of one colour with scans that add nothing, each of which goes over all of its pixels."""
    whole = saved(Image.new("L", (side, side), "white"), progressive=True, quality=40)
    scan = whole[whole.rindex(b"\xff\xda") : -len(JPEG_END)]
    return whole[:2] + before + whole[2 : -len(JPEG_END)] + (inside + scan) * scans + JPEG_END


def webp_that_says(width, height):
    """A WebP whose head says how large its canvas is."""
    head = b"\x10\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", len(head)) + head + saved(picture(), "WEBP")[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def exif(content):
    """A small JPEG with something in the place of its notes on the camera."""
    plain = saved(picture())
    return plain[:2] + segment(0xE1, b"Exif\0\0" + content) + plain[2:]


def animated(kind, frames=60, side=600):
    stream = io.BytesIO()
    images = [Image.new("RGB", (side, side), (number, 0, 0)) for number in range(frames)]
    images[0].save(stream, kind, save_all=True, append_images=images[1:])
    return stream.getvalue()


def grown_in_a_header(picture_bytes, width, height):
    """The same JPEG, whose frame says that it is larger than what follows."""
    place = next(at for marker in (b"\xff\xc0", b"\xff\xc2") if (at := picture_bytes.find(marker)) >= 0)
    return picture_bytes[: place + 5] + struct.pack(">HH", height, width) + picture_bytes[place + 9 :]


def multipart(fields, files):
    """Return the body of a form with files."""
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    body = "".join(parts).encode()
    for name, content in files:
        body += (
            f'--edge\r\nContent-Disposition: form-data; name="{name}"; filename="a.jpg"\r\n\r\n'.encode()
            + content
            + b"\r\n"
        )
    return body + b"--edge--\r\n"


BROKEN_EXIF = {
    "of noise": random.Random(1).randbytes(4000),
    "cut off": b"II*\0\x08\0\0\0\xff\xff",
    "of endless entries": b"II*\0\x08\0\0\0\xff\xff" + b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0" * 4000,
    "that points to itself": b"II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0",
    "with an orientation of text": b"II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x04\0\0\0six\0\0\0\0\0",
    "with an orientation of ninety": b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x5a\0\0\0\0\0\0\0",
    "with an orientation of nothing": b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x05\0\0\0\0\0\0\0\0\0\0\0\0",
    "with values of four gigabytes": b"II*\0\x08\0\0\0\x01\0\x12\x01\x05\0\xff\xff\xff\xff\x08\0\0\0\0\0\0\0",
    "of a wrong order": b"XX*\0\x08\0\0\0",
    "of nothing": b"",
}

TOO_COSTLY = {
    "two hundred empty scans": lambda: of_many_scans(200),
    "scans behind notes that look like an end": lambda: of_many_scans(200, before=segment(0xE5, b"\xff\xd9" * 50)),
    "scans apart by fill bytes": lambda: of_many_scans(200, inside=b"\xff" * 30),
    "scans apart by notes": lambda: of_many_scans(200, inside=segment(0xFE, b"\xff\xd9")),
    "scans apart by restarts": lambda: of_many_scans(120, side=4000, inside=b"\xff\xd0\xff\xd1"),
    "thousands of scans of few pixels": lambda: of_many_scans(3000, side=400),
    "fewer scans of more pixels": lambda: of_many_scans(40, side=7000),
    "more pixels than any camera": lambda: grown_in_a_header(saved(picture()), 60_000, 60_000),
    "a strip": lambda: grown_in_a_header(saved(picture()), 65_000, 700),
    "PNG of gigabytes": lambda: png(pixels(), size=(50_000, 50_000)),
    "PNG strip": lambda: png(pixels(), size=(2_000_000, 20)),
    "WebP canvas": lambda: webp_that_says(16_000, 16_000),
    "PNG of a million chunks": lambda: png(chunk(b"tEXt", b"a\0b") * 500_000, pixels()),
    "JPEG of a million notes": lambda: saved(picture())[:2] + segment(0xFE, b"") * 1_000_000 + saved(picture())[2:],
}

ODD_BUT_BOUNDED = {
    **{f"notes {name}": (lambda content=content: exif(content)) for name, content in BROKEN_EXIF.items()},
    "animated PNG": lambda: animated("PNG"),
    "animated WebP": lambda: animated("WEBP"),
    "PNG with a hundred megabytes of colour profile": lambda: png(
        chunk(b"iCCP", b"a\0\0" + zlib.compress(b"\0" * 100_000_000)), pixels()
    ),
    "PNG with a hundred megabytes of text": lambda: png(
        chunk(b"zTXt", b"a\0\0" + zlib.compress(b"a" * 100_000_000)), pixels()
    ),
    "PNG with a thousand packed texts": lambda: png(
        chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(b"a" * 1_000_000)) * 1000, pixels()
    ),
    "PNG with pixels that never end": lambda: png(
        chunk(b"IDAT", zlib.compress(b"\0" * 200_000_000)), size=(6000, 6000)
    ),
    "PNG of zero pixels": lambda: png(size=(0, 0)),
    "JPEG cut off in a segment": lambda: saved(picture())[:21],
    "JPEG of a segment without length": lambda: b"\xff\xd8\xff\xe0\0\0" * 1000,
    "JPEG larger than its data": lambda: grown_in_a_header(saved(picture()), 7000, 7000),
    "progressive JPEG larger than its data": lambda: grown_in_a_header(saved(picture(), progressive=True), 7000, 7000),
    "several pictures in one": lambda: saved(picture()) * 3,
    "WebP whose length lies": lambda: b"RIFF\xff\xff\xff\xffWEBPVP8 \xff\xff\xff\xff" + b"\0" * 100,
    "WebP of an unknown kind": lambda: b"RIFF\x10\0\0\0WEBPVP9 " + b"\0" * 100,
    "WebP of a head alone": lambda: webp_that_says(6000, 6000)[:40],
}
