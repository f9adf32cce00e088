"""A PostgreSQL server of the tests' own, started from the installed binaries and thrown away."""

import os
import shutil
import subprocess
from itertools import count
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

UNPRIVILEGED_USER = "postgres"


def find_binaries():
    """Return the folder of the newest installed server, or None."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return installed[-1].parent if installed else None


class PostgreSQLServer:
    """Listens on a socket in its own folder only; unless it is to be durable, fast and forgetful."""

    def __init__(self, folder, *, durable=False):
        self._durability = "" if durable else "-c fsync=off -c full_page_writes=off"
        self._folder = folder / "server"
        self._binaries = find_binaries()
        self._numbers = count(1)

    def __enter__(self):
        self._folder.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self._folder, UNPRIVILEGED_USER)
            self._folder.parent.chmod(0o711)
        self._run("initdb", "-D", self._data, "-U", "jiayuan", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        self.start()
        return self

    def __exit__(self, *_exception):
        self.stop("immediate")

    def start(self):
        """Start it on what its folder holds."""
        settings = f"-k {self._folder} -c listen_addresses= -c max_connections=200 {self._durability}"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", self._folder / "log", "-o", settings, "start")

    def stop(self, mode):
        """Stop it: `fast` ends every session in order, `immediate` is a crash."""
        self._run("pg_ctl", "-D", self._data, "-m", mode, "-w", "stop")

    @property
    def _data(self):
        return self._folder / "data"

    def create_database(self, name=None, *, template="template1"):
        """Create a database and return its address."""
        name = name or f"test_{next(self._numbers)}"
        # Twice as fast as through the log, which is the default.
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return f"postgresql+psycopg://jiayuan@/{name}?host={self._folder}"

    def drop_database(self, url):
        """Drop the database at an address, whoever is still connected."""
        self._execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def _execute(self, statement):
        with psycopg.connect(host=str(self._folder), user="jiayuan", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)

    def _run(self, program, *arguments):
        command = [str(self._binaries / program), *map(str, arguments)]
        if os.geteuid() == 0:
            command = ["runuser", "-u", UNPRIVILEGED_USER, "--", *command]
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr}")
