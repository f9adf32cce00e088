"""The disk fills up, the database restarts: phones are told to come back, and everything is well again by itself."""

import os
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from alembic import command

from survey_app.storage.database import Database
from tests.faults.campaign import Campaign, compare, open_round
from tests.phones import Phone
from tests.postgresql import PostgreSQLServer, find_binaries
from tests.servers import ForkedServer

PHONES = 8
SMALL_DISK = "8m"
SECONDS_TO_COME_BACK = 5


@pytest.fixture
def small_disk():
    """A disk of a few megabytes."""
    with TemporaryDirectory(prefix="jiayuan-disk-") as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", folder]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("a small disk can be mounted by root only, and not in every container")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def cramped_database(small_disk, _sqlite_template):
    """A migrated database on the small disk."""
    path = small_disk / "jiayuan.sqlite3"
    path.write_bytes(_sqlite_template.read_bytes())
    with Database(f"sqlite:///{path}") as database:
        yield database


def fill(path):
    """Write until nothing more fits."""
    with path.open("wb", buffering=0) as file:
        for size in (65536, 512, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


def wait_for_status(ledger, status):
    seen = len(ledger.statuses)
    while status not in ledger.statuses[seen:]:
        time.sleep(0.002)


def test_while_the_disk_is_full_phones_keep_their_answers_and_later_all_is_stored(
    cramped_database, small_disk, config_on
):
    token = open_round(cramped_database)

    with (
        ForkedServer(config_on(cramped_database)) as server,
        Campaign(server.address, token, phones=PHONES) as campaign,
    ):
        campaign.wait_for_receipts(20)
        fill(small_disk / "ballast")
        wait_for_status(campaign.ledger, 503)
        (small_disk / "ballast").unlink()
        campaign.wait_for_receipts(20)

    findings = compare(campaign.ledger, cramped_database)
    assert set(campaign.ledger.statuses) == {200, 303, 503}
    assert campaign.ledger.without_retry_after == 0
    assert campaign.ledger.hung_up == 0
    assert (findings.lost, findings.doubled) == ([], [])
    assert findings.stored == len(campaign.ledger.receipts)
    with closing(sqlite3.connect(cramped_database.url.database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.fixture
def own_postgresql():
    """A PostgreSQL server that this test may restart, with a migrated database."""
    if find_binaries() is None:
        pytest.skip("the PostgreSQL server is not installed (Debian: apt install postgresql)")
    with (
        TemporaryDirectory(prefix="jiayuan-postgresql-") as folder,
        PostgreSQLServer(Path(folder)) as server,
        Database(server.create_database()) as database,
    ):
        command.upgrade(database.alembic_config(), "head")
        yield server, database


@pytest.mark.postgresql
@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_when_postgresql_restarts_phones_are_told_to_come_back_and_are_served_again_at_once(
    own_postgresql, config_on, mode
):
    postgresql, database = own_postgresql
    token = open_round(database)

    with (
        ForkedServer(config_on(database)) as server,
        Campaign(server.address, token, phones=PHONES) as campaign,
    ):
        campaign.wait_for_receipts(20)
        postgresql.stop(mode)
        wait_for_status(campaign.ledger, 503)
        postgresql.start()
        deadline = time.monotonic() + SECONDS_TO_COME_BACK
        with Phone(server.address) as phone:
            while phone.get(f"/s/{token}").status != 200:
                assert time.monotonic() < deadline
        campaign.wait_for_receipts(20)

    database.dispose()
    findings = compare(campaign.ledger, database)
    assert set(campaign.ledger.statuses) == {200, 303, 503}
    assert campaign.ledger.without_retry_after == 0
    assert campaign.ledger.hung_up == 0
    assert (findings.lost, findings.doubled) == ([], [])
