"""Rooms are as they say: docstrings name what exists, the domain loads no web framework, the picture is current."""

import ast
import pkgutil
import re
import subprocess
import sys

import pytest

from tests import rooms

# These are entered through their package: the tables register themselves, the commands are one group.
WITH_CODE = {"survey_app/models", "survey_app/commands"}
# What serves requests beside the pages, and the rooms that are made for it.
KNOWS_THE_WEB = re.compile(
    r"survey_app\.(web\..*|app\..*|.*_views|accounts\.(device_cookies|guard|paging)"
    r"|accounts\.(policies|request_limits|request_sources|staff_attempts|staff_pages)"
    r"|attachments\.uploads|casework\.step_files|complaints\.blueprint|evaluations\.dashboard_source|operations\.server"
    # They say what the panels of the dashboards say.
    r"|documents\.(community|complaints|cover|criterion|kinds|overview|tables)"
    r"|responses\.(addresses|form_cache|photo_uploads|questionnaire_preview|staff_entry_pages))"
)
ROOMS = sorted(
    str(path.parent.relative_to(rooms.REPOSITORY))
    for package in rooms.PACKAGES
    for path in (rooms.REPOSITORY / package).rglob("__init__.py")
)
DOMAIN = sorted(
    name
    for path in (rooms.REPOSITORY / "survey_app").rglob("*.py")
    if path.name not in ("__init__.py", "__main__.py")
    and not KNOWS_THE_WEB.fullmatch(name := ".".join(path.relative_to(rooms.REPOSITORY).with_suffix("").parts))
)


def tree_of(room):
    return ast.parse((rooms.REPOSITORY / room / "__init__.py").read_text("utf-8"))


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_is_for(room):
    assert ast.get_docstring(tree_of(room)).splitlines()[0].endswith(".")


@pytest.mark.parametrize("room", sorted(set(ROOMS) - WITH_CODE))
def test_entering_a_room_imports_nothing(room):
    assert len(tree_of(room).body) == 1


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_room_offers_exists(room):
    for name in re.findall(r"`([a-z_]+(?:\.[A-Za-z_]+)*)`", ast.get_docstring(tree_of(room))):
        assert exists(f"{room.replace('/', '.')}.{name}") or exists(name), f"{room}: there is no {name}"


def test_tests_lie_in_the_rooms_that_they_test():
    strangers = [
        str(path.relative_to(rooms.REPOSITORY))
        for package in rooms.PACKAGES
        for path in (rooms.REPOSITORY / "tests" / package).rglob("test_*.py")
        if not (rooms.REPOSITORY / path.parent.relative_to(rooms.REPOSITORY / "tests")).is_dir()
    ]

    assert strangers == []


def test_the_domain_of_the_site_loads_no_web_framework():
    program = f"import sys, {', '.join(DOMAIN)}; print(*{{'flask', 'werkzeug', 'dash'}} & sys.modules.keys())"

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == ""


def test_the_picture_of_the_rooms_is_what_the_contracts_say():
    assert rooms.PICTURE.read_text("utf-8") == rooms.draw(rooms.contracts())


def exists(name):
    """Return whether a dotted name is a module, or something in one."""
    try:
        pkgutil.resolve_name(name)
    except (AttributeError, ImportError):
        return False
    return True
