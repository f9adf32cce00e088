"""Pictures for tests of photos."""

import io

from PIL import Image, ImageDraw


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
