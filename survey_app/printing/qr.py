"""QR code encoder whose codes still scan on a worn poster, one or thousands at a time."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from itertools import cycle, islice
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from qrcode import QRCode, constants
from qrcode.base import rs_blocks
from qrcode.util import BitBuffer, create_bytes, length_in_bits

from survey_app.errors import JiayuanError
from survey_app.printing.qr_masks import Modules, best_masks
from survey_app.security.check_digits import CODE_DIGITS

# The standard asks for a quiet zone of four light modules around a code; readers fail on less.
QUIET_ZONE_MODULES = 4

# Up to it a line of modules is one 64-bit number; a phone could hardly read a finer code from a wall anyway.
FINEST_VERSION = 10

_MASKS = 8
_PADDING = b"\xec\x11"


class Level(IntEnum):
    """Error correction level. H survives a tear, a stain or a blot over a tenth, where the lower ones end."""

    Q = constants.ERROR_CORRECT_Q
    H = constants.ERROR_CORRECT_H


class AddressTooLong(JiayuanError):
    """The address needs a code so fine that phones would not read it from paper."""

    def __init__(self, address: str) -> None:
        super().__init__(f"{address} is too long for a code that phones can read: use a shorter public address")
        self.address = address


def encode(addresses: Sequence[str], level: Level) -> Modules:
    """Return one QR code for each address, all of the size that the longest needs."""
    contents = [_contents(address, level) for address in addresses]
    version = max(content.version for content in contents)
    if version > FINEST_VERSION:
        raise AddressTooLong(max(addresses, key=len))
    kind = _kind(version, level)
    data = np.frombuffer(b"".join(_data_bytes(content, kind.capacity) for content in contents), dtype=np.uint8)
    flipped = np.unpackbits(data.reshape(len(contents), -1) ^ kind.padding, axis=1).astype(np.float32)
    # An odd number of flips turns a module. Sums of so few ones are exact in float32, for which matrices are fastest.
    odd = (flipped @ kind.effects).astype(np.int64).astype(np.uint8) & np.uint8(1)
    turned = odd.reshape(len(contents), kind.side, kind.side)
    return turned ^ kind.padded[best_masks(turned, kind.padded)]


def svg(code: Modules) -> str:
    """Return a code with its quiet zone as an SVG that prints sharply at any size: one path, a box for each run."""
    side = len(code) + 2 * QUIET_ZONE_MODULES
    edges = np.diff(np.pad(code.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, starts = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    boxes = "".join(
        f"M{start} {row}h{width}v1h-{width}z"
        for row, start, width in zip(
            (rows + QUIET_ZONE_MODULES).tolist(),
            (starts + QUIET_ZONE_MODULES).tolist(),
            (ends - starts).tolist(),
            strict=True,
        )
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}"><path d="{boxes}"/></svg>'


def qr_svg(url: str) -> bytes:
    """Return the QR code of a poster as an SVG."""
    return svg(encode([url], Level.H)[0]).encode("ascii")


def qr_png(url: str, *, module_pixels: int = 16) -> bytes:
    """Return the QR code of a poster as a PNG, for word processors."""
    code = np.pad(encode([url], Level.H)[0], QUIET_ZONE_MODULES)
    picture = Image.fromarray((1 - code) * 255).resize([len(code) * module_pixels] * 2, Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    picture.convert("1").save(buffer, "PNG")
    return buffer.getvalue()


@dataclass(frozen=True)
class _Kind:
    """Precomputed encoding of all codes of one version and level.

    Reed-Solomon remainders, interleaving, placement and masks are all exclusive-ors, so each data bit turns a fixed
    set of modules, whatever the other bits are. `effects` lists that set for every bit; `padded` holds a code that
    carries nothing but `padding`, under each mask.
    """

    side: int
    capacity: int
    padding: npt.NDArray[np.uint8]
    padded: Modules
    effects: npt.NDArray[np.float32]


@lru_cache(maxsize=16)
def _kind(version: int, level: Level) -> _Kind:
    """Precompute a version and level from the library, one bit after the other; encoding by it takes 8 ms a code."""
    code: QRCode[Any] = QRCode(version=version, error_correction=level)
    blocks = rs_blocks(version, level)

    def draw(data: int, mask: int) -> Modules:
        buffer = BitBuffer()
        buffer.buffer = list(data.to_bytes(capacity, "big"))
        code.data_cache = create_bytes(buffer, blocks)
        code.makeImpl(False, mask)
        return np.array(code.modules, dtype=np.uint8)

    capacity = sum(block.data_count for block in blocks)
    padding = bytes(islice(cycle(_PADDING), capacity))
    nothing = int.from_bytes(padding, "big")
    padded = np.stack([draw(nothing, mask) for mask in range(_MASKS)])
    effects = [draw(nothing ^ (1 << bit), 0) ^ padded[0] for bit in reversed(range(8 * capacity))]
    return _Kind(
        side=padded.shape[1],
        capacity=capacity,
        padding=np.frombuffer(padding, dtype=np.uint8),
        padded=padded,
        effects=np.stack(effects).reshape(8 * capacity, -1).astype(np.float32),
    )


def _contents(address: str, level: Level) -> QRCode[Any]:
    code: QRCode[Any] = QRCode(error_correction=level)
    # Written as a number, a token takes 67 bits instead of 160: fewer and larger modules.
    code.add_data(address, optimize=CODE_DIGITS)
    return code


def _data_bytes(code: QRCode[Any], capacity: int) -> bytes:
    buffer = BitBuffer()
    for part in code.data_list:
        buffer.put(part.mode, 4)
        buffer.put(len(part), length_in_bits(part.mode, code.version))
        part.write(buffer)
    # Four zero bits end the content; the bits left in its last byte are zero already.
    end = b"\0" if len(buffer) + 4 > 8 * len(buffer.buffer) else b""
    content = (bytes(buffer.buffer) + end)[:capacity]
    return content + bytes(islice(cycle(_PADDING), capacity - len(content)))
