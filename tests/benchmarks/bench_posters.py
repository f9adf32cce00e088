"""Household slips to PDF, beside one document for each slip with the mask search of the QR library."""

import io
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import typst
from qrcode import QRCode, constants
from qrcode.image.svg import SvgPathImage

from analytics.languages import Wording
from survey_app.codes.slip_sheets import Slip, SlipSheetText, slip_volumes
from survey_app.printing.typefaces import installed_typefaces
from survey_app.security.check_digits import CODE_DIGITS, new_number
from tests.benchmarks.harness import Benchmark

SLIPS = 10_000
# Half a volume: the naive way takes seconds for it.
SAMPLE = 252
TOKEN_DIGITS = 39
NOW = datetime(2026, 9, 1, tzinfo=UTC)
WHOSE = SlipSheetText(
    community=Wording("学府花园", "Xuefu Garden"),
    building=None,
    district=Wording("海勃湾区", "Haibowan"),
    telephone="0473-2012345",
    last_day=date(2026, 9, 30),
)
NAIVE = """
#set page(width: 97mm, height: 46mm, margin: 2mm)
#set text(font: sys.inputs.typeface, size: 10pt)
#grid(columns: (37mm, 1fr), image(bytes(sys.inputs.code), format: "svg", width: 37mm),
  [学府花园 \\ 扫码填写满意度调查 \\ #sys.inputs.digits])
"""


@cache
def some_slips(count: int) -> list[Slip]:
    """Return slips as they are issued: a token of 128 bits and digits to type."""
    return [
        Slip(f"https://wj.example.gov.cn/s/{new_number(TOKEN_DIGITS)}", new_number(CODE_DIGITS)) for _ in range(count)
    ]


def print_slips(count: int) -> int:
    """Make the volumes, keeping none, and return how many bytes they have."""
    volumes = slip_volumes(some_slips(count), WHOSE, language="zh-Hans", typefaces=installed_typefaces(), now=NOW)
    return sum(map(len, volumes))


def print_naively(count: int) -> int:
    """Let the library choose the mask, and set each slip by itself."""
    return sum(len(_naive_slip(slip)) for slip in some_slips(count))


def _naive_slip(slip: Slip) -> bytes:
    code: QRCode = QRCode(error_correction=constants.ERROR_CORRECT_Q)
    code.add_data(slip.address, optimize=CODE_DIGITS)
    drawing = io.BytesIO()
    code.make_image(image_factory=SvgPathImage).save(drawing)
    typefaces = installed_typefaces()
    inputs = {"typeface": typefaces.chinese, "code": drawing.getvalue().decode(), "digits": slip.typed_code}
    return typst.compile(NAIVE.encode(), font_paths=typefaces.fonts, sys_inputs=inputs)


def cost() -> str:
    """Return processor time and peak memory of processes of their own, a short and a long list."""
    return "; ".join(_cost(count) for count in (SLIPS // 10, SLIPS))


def _cost(count: int) -> str:
    command = [sys.executable, "-m", "tests.benchmarks.bench_posters", str(count)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _measure_here(count: int) -> None:
    some_slips(count)
    start = time.process_time()
    size = print_slips(count)
    seconds = time.process_time() - start
    # Not what getrusage says: a new process begins with the peak of the one that started it.
    peak = int(re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text("ascii"))[1]) / 1024
    sys.stdout.write(f"{count:,} slips: {seconds:.1f} CPU-s, {size / 1e6:.1f} MB of PDF, peak memory {peak:.0f} MB\n")


def benchmarks() -> Iterable[Benchmark]:
    """Return what `./run bench` measures here."""
    return [
        Benchmark(
            name=f"posters: {SAMPLE} slips to PDF, beside the library's mask search and a document for each",
            ours=lambda: print_slips(SAMPLE),
            baseline=lambda: print_naively(SAMPLE),
            bar=f"≥ 8; {SLIPS:,} slips in at most 60 CPU-s, reach 20, with the same peak memory as a tenth of them",
            note=cost,
        )
    ]


if __name__ == "__main__":
    _measure_here(int(sys.argv[1]))
