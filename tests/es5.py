"""Check that scripts for residents' phones are ECMAScript 5: whatever is newer stops an old phone at its first line."""

import sys
from pathlib import Path

from calmjs.parse import es5
from calmjs.parse.exceptions import ECMASyntaxError


def main() -> int:
    """Name each file of the command line that is not ECMAScript 5, and where."""
    faults = [fault for path in map(Path, sys.argv[1:]) if (fault := check(path))]
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    return bool(faults)


def check(path: Path) -> str | None:
    """Return what is wrong with one script."""
    try:
        es5(path.read_text("utf-8"))
    except ECMASyntaxError as error:
        return f"{path}: not ECMAScript 5: {error}"
    return None


if __name__ == "__main__":
    sys.exit(main())
