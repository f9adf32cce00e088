"""Draw the picture of the rooms in ARCHITECTURE.md from the import contracts: `python -m tests.rooms`.

Each package is a column, each layer of its contract a row: a room imports from rows below its own and from packages to
its right, never upwards. What a room is for is the first sentence of its docstring.
"""

import ast
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PICTURE = REPOSITORY / "docs" / "pictures" / "rooms.svg"
PACKAGES = ("survey_app", "dashboards", "analytics")

COLUMN, GAP, MARGIN = 400, 24, 16
ROW, ROW_GAP, HEAD = 56, 8, 56
LINES, CHARACTER = 2, 5.7  # lines of small type in a box, and the mean width of a character in it
COLOURS = {"survey_app": "#dbeafe", "dashboards": "#dcfce7", "analytics": "#fef3c7"}


@dataclass(frozen=True)
class Room:
    """A module or folder of a package, with what its docstring says it is for."""

    name: str
    purpose: str


def contracts() -> dict[str, list[list[Room]]]:
    """Return the layers of each package, the highest first, as pyproject.toml states them."""
    stated = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    by_package = {contract["containers"][0]: contract["layers"] for contract in stated if "containers" in contract}
    return {
        package: [[room(package, name.strip(" ()")) for name in layer.split("|")] for layer in by_package[package]]
        for package in PACKAGES
    }


def room(package: str, name: str) -> Room:
    folder = REPOSITORY / package / name
    path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return Room(name, docstring.partition("\n")[0].rstrip(".").replace("`", ""))


def draw(layers: dict[str, list[list[Room]]]) -> str:
    """Return the picture as SVG."""
    rows = max(len(package) for package in layers.values())
    width = MARGIN * 2 + COLUMN * len(layers) + GAP * (len(layers) - 1)
    height = HEAD + rows * (ROW + ROW_GAP) + MARGIN
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            'font-family="system-ui, sans-serif" role="img">'
        ),
        "<title>The rooms of the three packages: each imports from those below it and to its right</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for position, (package, its_layers) in enumerate(layers.items()):
        left = MARGIN + position * (COLUMN + GAP)
        lines.append(f'<text x="{left}" y="36" font-size="22" font-weight="600" fill="#111827">{package}/</text>')
        if position + 1 < len(layers):
            lines.append(f'<text x="{left + COLUMN + 3}" y="36" font-size="22" fill="#6b7280">→</text>')
        for row, siblings in enumerate(its_layers):
            lines += boxes(siblings, left=left, top=HEAD + row * (ROW + ROW_GAP), colour=COLOURS[package])
    return "\n".join([*lines, "</svg>"]) + "\n"


def boxes(siblings: list[Room], *, left: int, top: int, colour: str) -> Iterator[str]:
    """Yield the boxes of one layer; where there is room, each has its purpose below its name."""
    width = (COLUMN - ROW_GAP * (len(siblings) - 1)) // len(siblings)
    inset = 12 if len(siblings) < 4 else 6
    for position, sibling in enumerate(siblings):
        x = left + position * (width + ROW_GAP)
        purpose = lines_of(sibling.purpose, width - 2 * inset) if len(siblings) < 3 else []
        yield (
            f'<rect x="{x}" y="{top}" width="{width}" height="{ROW}" rx="6" fill="{colour}" stroke="#9ca3af">'
            f"<title>{escape(sibling.purpose)}</title></rect>"
        )
        baseline = top + (19 if purpose else 33)
        yield (
            f'<text x="{x + inset}" y="{baseline}" font-size="{15 if inset == 12 else 13}" font-weight="600" '
            f'fill="#111827">{escape(sibling.name)}</text>'
        )
        for number, line in enumerate(purpose, start=1):
            yield (
                f'<text x="{x + inset}" y="{baseline + 3 + 13 * number}" font-size="11" fill="#374151">'
                f"{escape(line)}</text>"
            )


def lines_of(purpose: str, width: int) -> list[str]:
    """Return as much of a purpose as a box holds, cut after a word."""
    fitting = int(width / CHARACTER)
    return textwrap.wrap(purpose, fitting, max_lines=LINES, placeholder=" …")


if __name__ == "__main__":
    PICTURE.write_text(draw(contracts()), "utf-8")
