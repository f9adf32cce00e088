"""Keep the translation files complete: `update` collects new sentences, `check` fails on what is missing.

One file per package and language; message ids are English, so English needs no file.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = ("analytics", "dashboards", "survey_app")
KEYWORDS = ("_", "gettext", "ngettext:1,2", "lazy_gettext", "N_", "Fault", "fault")


def main() -> int:
    """Run `check` or `update` over every package."""
    action = sys.argv[1]
    faults = [fault for package in PACKAGES for fault in (check if action == "check" else update)(package)]
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    return bool(faults)


def check(package: str) -> list[str]:
    """Return every sentence of `package` that has no translation, an unsure one, or lost a placeholder."""
    path = catalogue_path(package)
    catalogue = read_catalogue(path)
    faults = []
    for message in extract(package):
        if not message.id:
            continue
        found = catalogue.get(message.id, message.context)
        place = ", ".join(f"{file}:{line}" for file, line in message.locations[:2])
        if found is None or not found.string or (isinstance(found.string, tuple) and not all(found.string)):
            faults.append(f"{path.relative_to(REPOSITORY)}: no translation of {message.id!r} ({place})")
        elif found.fuzzy:
            faults.append(f"{path.relative_to(REPOSITORY)}:{found.lineno}: the translation is marked fuzzy")
        else:
            faults += [f"{path.relative_to(REPOSITORY)}:{found.lineno}: {error}" for error in found.check(catalogue)]
    used = {message.id for message in extract(package)}
    faults += [
        f"{path.relative_to(REPOSITORY)}:{message.lineno}: {message.id!r} is used nowhere"
        for message in catalogue
        if message.id and message.id not in used
    ]
    return faults


def update(package: str) -> list[str]:
    """Add the sentences that are new, drop those that are gone, and never guess a translation."""
    path = catalogue_path(package)
    catalogue = read_catalogue(path) if path.exists() else Catalog(locale="zh_Hans", project="Jiayuan")
    created = catalogue.creation_date
    catalogue.update(extract(package), no_fuzzy_matching=True)
    # A new date in all three files on every run would make branches conflict that share no sentence.
    catalogue.creation_date = created
    catalogue.obsolete.clear()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        # Without the places of sentences: moving a module leaves the translations as they are.
        write_po(file, catalogue, width=120, sort_output=True, omit_header=False, no_location=True)
    return []


def catalogue_path(package: str) -> Path:
    """Return where the Chinese sentences of `package` are kept."""
    return REPOSITORY / package / "translations" / "zh_Hans" / "LC_MESSAGES" / "messages.po"


def read_catalogue(path: Path) -> Catalog:
    """Read one translation file."""
    with path.open("rb") as file:
        return read_po(file, locale="zh_Hans", abort_invalid=True)


def extract(package: str) -> Catalog:
    """Collect the sentences that the package's modules and templates show."""
    with tempfile.NamedTemporaryFile(suffix=".pot") as file:
        keywords = [argument for keyword in KEYWORDS for argument in ("-k", keyword)]
        command = [sys.executable, "-m", "babel.messages.frontend", "-q", "extract", "-F", "babel.cfg", *keywords]
        done = subprocess.run(
            [*command, "-o", file.name, package], cwd=REPOSITORY, check=True, stderr=subprocess.PIPE, text=True
        )
        # Babel warns of every f-string among the facts of a sentence; one that is a sentence itself is found by ruff.
        said = [line for line in done.stderr.splitlines(keepends=True) if "Skipping f-string" not in line]
        sys.stderr.writelines(said)
        with Path(file.name).open("rb") as template:
            return read_po(template)


if __name__ == "__main__":
    sys.exit(main())
