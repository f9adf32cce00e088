"""`python -m tests.faults.writing URL`: threads that write through one writer and say of each row how it went.

Without the rest of the site, whose libraries libfiu cannot be loaded beside.
"""

import os
import secrets
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from sqlalchemy import insert
from sqlalchemy.exc import OperationalError

from survey_app.models import District
from survey_app.storage.database import Database
from survey_app.storage.group_commit import Writer

THREADS = 8


def write_until(is_over, writer):
    while not is_over.is_set():
        name = secrets.token_hex(8)
        row = insert(District).values(name=name, sort_key="字" * 300)
        try:
            writer.run(lambda session, row=row: session.execute(row).rowcount)
        except OperationalError:
            say("failed", name)
        else:
            say("stored", name)


def say(word, name):
    os.write(sys.stdout.fileno(), f"{word} {name}\n".encode("ascii"))  # a line of one thread never parts another's


def main(url):
    with Database(url) as database, ThreadPoolExecutor(THREADS) as pool:
        writer, is_over = Writer(database), Event()
        writer.start(max_pending=THREADS)
        writers = [pool.submit(write_until, is_over, writer) for _ in range(THREADS)]
        sys.stdin.read()
        is_over.set()
        for each in writers:
            each.result()
        writer.close()


if __name__ == "__main__":
    main(sys.argv[1])
