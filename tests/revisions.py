"""`python -m tests.revisions`: fail when the numbered migrations are not one line, one after the other."""

import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def main() -> int:
    """Check the migrations of the repository."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    names = sorted(path.name for path in (MIGRATIONS / "versions").glob("*.py"))
    faults = doubled_numbers(names) or several_heads(ScriptDirectory.from_config(config).get_heads())
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    return bool(faults)


def doubled_numbers(names: Iterable[str]) -> list[str]:
    """Return a fault for each number that several files begin with; Alembic would only say that one hides another."""
    numbers = Counter(re.match(r"\d+", name)[0] for name in names)
    return [f"migrations: several files have the number {number}" for number, count in numbers.items() if count > 1]


def several_heads(heads: Sequence[str]) -> list[str]:
    """Return a fault if several revisions have none after them."""
    return [f"migrations: {len(heads)} heads, {', '.join(sorted(heads))}"] if len(heads) > 1 else []


if __name__ == "__main__":
    sys.exit(main())
