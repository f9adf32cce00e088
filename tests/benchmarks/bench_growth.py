"""What work on a round costs as its answers grow, in 2,000 communities, and how long phones wait meanwhile.

An evaluation, the look for signs of stuffing and the file of counted answers stand beside one pass that reads and
decodes the answers; the jobs of an hour and the progress of an open round stand beside those of ten thousand.
`JIAYUAN_BENCH_SIZES=100000,1000000,5000000 ./run bench growth` prints the curve of larger rounds; a million answers
take about ten minutes on each database.
"""

import json
import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from survey_app.accounts.scope import EVERYWHERE
from survey_app.config import REPOSITORY
from survey_app.evaluations.collection_progress import count_progress, read_required_responses
from survey_app.evaluations.collection_recount import recount_open_round
from survey_app.models import Round
from survey_app.stored_rules import rules_of
from tests.benchmarks.bench_survey import City, folder, open_servers
from tests.benchmarks.harness import Benchmark, Seconds
from tests.benchmarks.phone_waits import send_until
from tests.benchmarks.stored_answers import store_closed_round
from tests.phones import Phone
from tests.postgresql import PostgreSQLServer
from tests.servers import Server

SIZES: Final = tuple(int(size) for size in os.environ.get("JIAYUAN_BENCH_SIZES", "100000").split(","))
ENGINES: Final = ("sqlite", "postgresql")
COMMUNITIES: Final = 2_000
FEW: Final = 10_000

# Each in a process of its own, whose processor time and peak memory are its own.
_BEGIN: Final = """
import json, sys, time
from datetime import UTC, datetime
from pathlib import Path
from survey_app.storage.database import Database

def told(**facts):
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1000
    print(json.dumps({**facts, "peak": peak}))

database, round_id = Database(sys.argv[1]), int(sys.argv[2])
"""
_EVALUATE: Final = f"""{_BEGIN}
from survey_app.evaluations.evaluate_round import evaluate_round
begun, stages = [time.process_time(), time.perf_counter()], {{}}
def report(stage, share):
    stages.setdefault(str(stage), time.process_time())
evaluate_round(database, round_id=round_id, now=datetime.now(UTC), report=report)
ends = [*list(stages.values())[1:], time.process_time()]
told(
    processor=time.process_time() - stages["counting"],
    wall=time.perf_counter() - begun[1],
    stages={{name: end - start for (name, start), end in zip(stages.items(), ends, strict=True)}},
)
"""
_EXAMINE: Final = f"""{_BEGIN}
from survey_app.responses.integrity_reviews import examine_round
start = time.process_time()
examine_round(database, round_id=round_id, now=datetime.now(UTC))
told(processor=time.process_time() - start)
"""
_EXPORT: Final = f"""{_BEGIN}
from survey_app.accounts.scope import EVERYWHERE
from survey_app.exports.responses import export_responses
from survey_app.models import Evaluation
from sqlalchemy import func, select
with database.reading() as session:
    evaluation_id = session.scalar(select(func.max(Evaluation.id)).filter_by(round_id=round_id))
start, signs = time.process_time(), 0
for piece in export_responses(database, evaluation_id=evaluation_id, scope=EVERYWHERE, now=datetime.now(UTC)):
    signs += len(piece)
told(processor=time.process_time() - start, signs=signs)
"""
_WORK: Final = f"""{_BEGIN}
from datetime import timedelta
from survey_app.operations.scheduled_jobs import worker
hour = [datetime.now(UTC)]
def work():
    hour[0] += timedelta(hours=1)
    worker(database, clock=lambda: hour[0], secret_key="key").run_due_jobs()
work()
start = time.process_time()
work()
told(processor=time.process_time() - start)
"""
_DECODE: Final = f"""{_BEGIN}
import pyarrow as pa
from pyarrow import json as arrow_json
from sqlalchemy import select
from survey_app.models import Response
start = time.process_time()
with database.reading() as session:
    texts = session.execute(select(Response.answers).where(Response.round_id == round_id))
    for rows in texts.yield_per(20_000).partitions():
        arrow_json.read_json(pa.BufferReader("\\n".join(text for (text,) in rows).encode()))
told(processor=time.process_time() - start)
"""


@dataclass
class GrownCity:
    """A city with an open round, and a closed one of many answers that is evaluated again and again."""

    city: City
    round_id: int
    found: dict[str, Any] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    examined: dict[str, float] = field(default_factory=dict)
    exported: dict[str, int] = field(default_factory=dict)


@cache
def grown(engine: str, size: int) -> GrownCity:
    """Return the city of an engine with a closed round of so many answers."""
    if engine == "sqlite":
        place = folder() / f"growth-{secrets.token_hex(4)}"
        place.mkdir()
        made = City(f"sqlite:///{place / 'jiayuan.sqlite3'}", place)
    else:
        place = Path(open_servers().enter_context(TemporaryDirectory(prefix="jiayuan-postgresql-")))
        made = City(open_servers().enter_context(PostgreSQLServer(place, durable=True)).create_database(), folder())
    found = GrownCity(made, store_closed_round(made.database, size, communities=COMMUNITIES))
    made.database.dispose()
    return found


def show_progress(engine: str, size: int) -> None:
    """Count what the page of collection shows of the city in the last minute of the round."""
    city = grown(engine, size)
    with city.city.database.reading() as session:
        survey_round = session.get_one(Round, city.round_id)
        rules = rules_of(survey_round.rule_file.content)
        asked = read_required_responses(session, rules=rules, scope=EVERYWHERE)
        now = _last_minute(survey_round)
        count_progress(session, survey_round=survey_round, scope=EVERYWHERE, asked=asked, now=now)


def recount_note(engine: str, size: int) -> str:
    """Say how long the full count takes that verifies the tallies, as every night."""
    city = grown(engine, size)
    with city.city.database.reading() as session:
        now = _last_minute(session.get_one(Round, city.round_id))
    start = time.perf_counter()
    if recount_open_round(city.city.database, now=now):
        raise RuntimeError("the tallies differ from a full count")
    return f"the full count of a night takes {time.perf_counter() - start:.1f} s"


def _last_minute(survey_round: Round) -> datetime:
    return survey_round.closes_at - timedelta(minutes=1)


def evaluate(engine: str, size: int) -> Seconds:
    """Evaluate while a phone sends answers, and return the seconds of processors without the examination before it."""
    city = grown(engine, size)
    with Server("site", city.city.config) as server, Phone(server.address) as phone, _process(_EVALUATE, city) as run:
        city.waits = send_until(lambda: run.poll() is not None, phone, city.city)
        city.found = json.loads(run.communicate()[0])
    return Seconds(city.found["processor"])


def examine(engine: str, size: int) -> Seconds:
    """Look for signs of stuffing, and return the seconds of processors."""
    city = grown(engine, size)
    city.examined = _told(_EXAMINE, city)
    return Seconds(city.examined["processor"])


def examined_facts(engine: str, size: int) -> str:
    """Say how much memory the last examination took, with the program itself, and of each answer."""
    peak = grown(engine, size).examined["peak"]
    return f"peak {peak} MB, {peak * 1e6 / size:,.0f} bytes for each answer"


def export(engine: str, size: int) -> Seconds:
    """Make the file of counted answers, once they are evaluated, and return the seconds of processors."""
    city = grown(engine, size)
    city.exported = _told(_EXPORT, city)
    return Seconds(city.exported["processor"])


def export_facts(engine: str, size: int) -> str:
    """Say what the last file needed."""
    found = grown(engine, size).exported
    return f"{found['signs'] // 10**6} MB of text, peak memory of the process {found['peak']} MB"


def work(engine: str, size: int) -> Seconds:
    """Run the jobs of an hour in which nothing is due any more, and return the seconds of processors."""
    return Seconds(_told(_WORK, grown(engine, size))["processor"])


def decode(engine: str, size: int) -> Seconds:
    """Read every answer's text once, decode it and do nothing else."""
    return Seconds(_told(_DECODE, grown(engine, size))["processor"])


def _told(script: str, city: GrownCity) -> dict[str, Any]:
    """Run a script in a process of its own, and return what it tells."""
    with _process(script, city) as run:
        found: dict[str, Any] = json.loads(run.communicate()[0])
    return found


def _process(script: str, city: GrownCity) -> subprocess.Popen[str]:
    url = city.city.database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", script, url, str(city.round_id)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)


def facts(engine: str, size: int) -> str:
    """Say what the last evaluation took, and what the phone waited meanwhile."""
    city = grown(engine, size)
    found, waits = city.found, city.waits
    stages = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in found["stages"].items())
    return (
        f"{found['wall']:.1f} s on the clock, peak {found['peak']} MB; of processors: {stages}; of {len(waits):,} "
        f"receipts meanwhile the longest took {waits[-1]:.3f} s, the slowest percent "
        f"{waits[len(waits) * 99 // 100]:.3f} s"
    )


def benchmarks() -> list[Benchmark]:
    """Return what `./run bench` measures here."""
    return [benchmark for size in SIZES for engine in ENGINES for benchmark in _of_size(engine, size)]


def _of_size(engine: str, size: int) -> list[Benchmark]:
    name = f"growth: {size:,} answers on {engine},"
    return [
        # Before anything is erased of the round, which is counted as long as it is open.
        Benchmark(
            name=f"{name} progress while they come in, beside that of {FEW:,}",
            ours=partial(show_progress, engine, size),
            baseline=partial(show_progress, engine, FEW),
            bar="≥ 0.5",
            note=partial(recount_note, engine, size),
        ),
        Benchmark(
            name=f"{name} evaluated, beside reading and decoding them once",
            ours=partial(evaluate, engine, size),
            baseline=partial(decode, engine, size),
            bar="≥ 0.5; peak ≤ 600 MB, longest wait ≤ 0.25 s",
            rounds=1,
            note=partial(facts, engine, size),
        ),
        Benchmark(
            name=f"{name} examined, beside reading and decoding them once",
            ours=partial(examine, engine, size),
            baseline=partial(decode, engine, size),
            bar="peak ≤ 300 MB at 100,000, ≤ 450 MB at a million",
            rounds=1,
            note=partial(examined_facts, engine, size),
        ),
        Benchmark(
            name=f"{name} in a file, beside reading and decoding them once",
            ours=partial(export, engine, size),
            baseline=partial(decode, engine, size),
            bar="≥ 0.5",
            rounds=1,
            note=partial(export_facts, engine, size),
        ),
        Benchmark(
            name=f"{name} an hour's jobs with nothing due, beside those of {FEW:,}",
            ours=partial(work, engine, size),
            baseline=partial(work, engine, FEW),
            bar="≥ 0.5",
            rounds=1,
        ),
    ]
