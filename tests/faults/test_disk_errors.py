"""The disk fails now and then: each row is stored and said to be, or neither, and afterwards all is well again."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from sqlalchemy import select

from survey_app.config import REPOSITORY
from survey_app.models import District

# What SQLite asks of the system for a commit.
CALLS = ("posix/io/rw/pwrite", "posix/io/sync/fdatasync")
SHARE = 0.2
ROWS = 40


def order(process, words):
    """Tell libfiu inside the process which calls fail from now on."""
    subprocess.run(["fiu-ctrl", "-c", words, str(process.pid)], check=True, capture_output=True, timeout=60)


def read_until(process, told, word, number):
    """Note what the process says until it has said a word so many more times."""
    while number:
        said, name = process.stdout.readline().split()
        told[said].add(name)
        number -= said == word


@pytest.mark.skipif(not shutil.which("fiu-run"), reason="libfiu is not installed (Debian: apt install fiu-utils)")
def test_what_is_said_to_be_stored_is_and_what_failed_is_not_while_writes_and_syncs_fail(sqlite_database):
    told = {"stored": set(), "failed": set()}
    url = sqlite_database.url.render_as_string(hide_password=False)
    command = ["fiu-run", "-x", sys.executable, "-m", "tests.faults.writing", url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}

    with subprocess.Popen(command, cwd=REPOSITORY, **pipes) as process:
        for call in CALLS:
            read_until(process, told, "stored", ROWS)
            order(process, f"enable_random name={call},probability={SHARE}")
            read_until(process, told, "failed", 3)
            order(process, f"disable name={call}")
        read_until(process, told, "stored", ROWS)
        process.stdin.close()
        for line in process.stdout:
            said, name = line.split()
            told[said].add(name)
    assert process.returncode == 0

    with sqlite_database.reading() as session:
        stored = set(session.scalars(select(District.name)))
    assert stored == told["stored"]
    assert not stored & told["failed"]
    with closing(sqlite3.connect(sqlite_database.url.database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
