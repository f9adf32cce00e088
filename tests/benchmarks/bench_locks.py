"""How long a phone waits for its receipt beside old answers and recurring work, on a real server on SQLite.

`JIAYUAN_BENCH_ANSWERS=3000000 ./run bench locks` measures a larger round.
"""

import os
import secrets
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Final

from sqlalchemy import update

from survey_app.config import REPOSITORY, Config
from survey_app.models import Job, Round
from survey_app.storage.database import Database
from tests.benchmarks.bench_survey import City, folder
from tests.benchmarks.harness import Benchmark, Seconds
from tests.benchmarks.phone_waits import send_until
from tests.benchmarks.stored_answers import store_closed_round, store_frozen_round
from tests.phones import Phone
from tests.servers import Server

ANSWERS: Final = int(os.environ.get("JIAYUAN_BENCH_ANSWERS", "100000"))
_LONGEST_WAIT: Final = Seconds(0.25)
_SECONDS_WITHOUT: Final = 5
_RECEIPTS: Final = 2_000
# As `jiayuan work` does it, but an hour's work so many seconds after the other: in an hour nobody would notice. At the
# second pace one receipt in twenty comes while a job runs.
_OFTEN: Final = {"360 times as often as they come": 10, "3,600 times as often": 1}
_HOURS_OF_WORK: Final = """
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from survey_app.operations.scheduled_jobs import worker
from survey_app.storage.database import Database
os.nice(10)
database, hour = Database(sys.argv[1]), [datetime.now(UTC)]
def work():
    worker(database, clock=lambda: hour[0], secret_key="key").run_due_jobs()
    hour[0] += timedelta(hours=1)
work()
print("The first hour, which looks at all that is new, is over.", flush=True)
while True:
    work()
    time.sleep(int(sys.argv[2]))
"""

Waits = dict[str, list[float]]
"""What each receipt was waited for, by what was done meanwhile, in order of their length."""

_measured: list[Waits] = []


@cache
def city() -> City:
    """Return a city with an open round, and a frozen one of which nothing is erased."""
    place = folder() / "locks"
    place.mkdir()
    made = City(f"sqlite:///{place / 'jiayuan.sqlite3'}", place)
    store_frozen_round(made.database, ANSWERS)
    made.database.dispose()
    return made


def longest_wait() -> Seconds:
    """Send answers without recurring work, during an erasure after the freeze, an hour later, and when all is over."""
    place = folder() / f"locks-{secrets.token_hex(4)}"
    shutil.copytree(city().config.instance, place)
    # Or receipts would wait until gigabytes of the copy are on the disk.
    os.sync()
    config = Config(place, f"sqlite:///{place / 'jiayuan.sqlite3'}", city().config.secret_key, "http://127.0.0.1")
    waits: Waits = {}
    with Server("site", config) as server, Phone(server.address) as phone, Database(config.database_url) as database:
        end = time.perf_counter() + _SECONDS_WITHOUT
        waits["nothing"] = send_until(lambda: time.perf_counter() > end, phone, city())
        waits["the erasure after the freeze"] = _send_during_work(phone, config)
        _let_an_hour_pass(database)
        waits["an hour's work after it"] = _send_during_work(phone, config)
        _let_an_hour_pass(database)
        _let_retention_be_over(database)
        waits["the erasure of all answers"] = _send_during_work(phone, config)
    shutil.rmtree(place)
    _measured.append(waits)
    return Seconds(max(wait for each in waits.values() for wait in each))


def _send_during_work(phone: Phone, config: Config) -> list[float]:
    command = [sys.executable, "-m", "survey_app", "work", "--once"]
    with subprocess.Popen(command, env=os.environ | config.to_env(), cwd=REPOSITORY, stdout=subprocess.DEVNULL) as work:
        waits = send_until(lambda: work.poll() is not None, phone, city())
    if work.returncode:
        raise RuntimeError(f"the work ended with status {work.returncode}")
    return waits


def _let_an_hour_pass(database: Database) -> None:
    with database.writing() as session:
        session.execute(update(Job).values(begun_at=datetime.now(UTC) - timedelta(hours=2)))


def _let_retention_be_over(database: Database) -> None:
    now = datetime.now(UTC)
    with database.writing() as session:
        closed = update(Round).where(Round.closes_at < now)
        session.execute(closed.values(responses_kept_until=(now - timedelta(days=3)).date()))


@cache
def old_city() -> City:
    """Return a city with an open round, and a closed one whose answers are all kept."""
    place = folder() / "old-answers"
    place.mkdir()
    made = City(f"sqlite:///{place / 'jiayuan.sqlite3'}", place)
    store_closed_round(made.database, ANSWERS)
    made.database.dispose()
    return made


@cache
def new_city() -> City:
    """Return a city with an open round and nothing else."""
    place = folder() / "no-old-answers"
    place.mkdir()
    made = City(f"sqlite:///{place / 'jiayuan.sqlite3'}", place)
    made.database.dispose()
    return made


def slowest_percent_beside_work(pause: int) -> Seconds:
    """Send answers where there are old ones and an hour's work follows the other after so many seconds."""
    command = [sys.executable, "-c", _HOURS_OF_WORK, old_city().config.database_url, str(pause)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as work:
        work.stdout.readline()  # type: ignore[union-attr]
        try:
            return _slowest_percent(old_city())
        finally:
            work.kill()


def slowest_percent_alone() -> Seconds:
    """Send answers where there are no others, and nothing else is done."""
    return _slowest_percent(new_city())


def _slowest_percent(city: City) -> Seconds:
    left = iter(range(_RECEIPTS))
    with Server("site", city.config) as server, Phone(server.address) as phone:
        waits = send_until(lambda: next(left, None) is None, phone, city)
    return Seconds(waits[len(waits) * 99 // 100])


def waits_note() -> str:
    """Say what was waited for during each piece of work, and how much longer than without any."""
    waits = _measured[-1]
    without = waits["nothing"][-1]
    return "; ".join(
        f"during {what} of {len(each):,} the longest waited {each[-1]:.3f} s (ratio without/with "
        f"{without / each[-1]:.2f}), the slowest percent {each[len(each) * 99 // 100]:.3f} s"
        for what, each in waits.items()
    )


def benchmarks() -> list[Benchmark]:
    """Return what `./run bench` measures here."""
    return [
        Benchmark(
            name=f"locks: the longest wait for a receipt while a round of {ANSWERS:,} answers is erased, beside 250 ms",
            ours=longest_wait,
            baseline=lambda: _LONGEST_WAIT,
            bar="≥ 1",
            rounds=1,
            note=waits_note,
        ),
        *(
            Benchmark(
                name=f"locks: the slowest percent of receipts beside {ANSWERS:,} old answers, jobs {often}, or none",
                ours=partial(slowest_percent_beside_work, pause),
                baseline=slowest_percent_alone,
                bar="≥ 0.83" if pause > 1 else "none: one receipt in twenty comes while a job runs",
                rounds=3,
            )
            for often, pause in _OFTEN.items()
        ),
    ]
