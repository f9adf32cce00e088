"""What an evaluation costs as answers grow, beside reading and decoding them once, and how long phones wait meanwhile.

`JIAYUAN_BENCH_SIZES=100000,1000000,5000000 ./run bench growth` prints the curve of larger rounds; a million answers
take about five minutes on each database.
"""

import json
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from survey_app.config import REPOSITORY
from tests.benchmarks.bench_survey import City, folder, open_servers
from tests.benchmarks.harness import Benchmark, Seconds
from tests.benchmarks.phone_waits import send_until
from tests.benchmarks.stored_answers import store_closed_round
from tests.phones import Phone
from tests.postgresql import PostgreSQLServer
from tests.servers import Server

SIZES: Final = tuple(int(size) for size in os.environ.get("JIAYUAN_BENCH_SIZES", "100000").split(","))
ENGINES: Final = ("sqlite", "postgresql")

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
    found: dict[str, object] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)


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
    found = GrownCity(made, store_closed_round(made.database, size))
    made.database.dispose()
    return found


def evaluate(engine: str, size: int) -> Seconds:
    """Evaluate while a phone sends answers, and return the seconds of processors without the examination before it."""
    city = grown(engine, size)
    with Server("site", city.city.config) as server, Phone(server.address) as phone, _process(_EVALUATE, city) as run:
        city.waits = send_until(lambda: run.poll() is not None, phone, city.city)
        city.found = json.loads(run.communicate()[0])
    return Seconds(city.found["processor"])


def decode(engine: str, size: int) -> Seconds:
    """Read every answer's text once, decode it and do nothing else."""
    with _process(_DECODE, grown(engine, size)) as run:
        return Seconds(json.loads(run.communicate()[0])["processor"])


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
    return [
        Benchmark(
            name=f"growth: {size:,} answers evaluated on {engine}, beside reading and decoding them once",
            ours=partial(evaluate, engine, size),
            baseline=partial(decode, engine, size),
            bar="≥ 0.5; peak ≤ 600 MB, longest wait ≤ 0.25 s",
            rounds=1,
            note=partial(facts, engine, size),
        )
        for size in SIZES
        for engine in ENGINES
    ]
