"""A city's list of communities read from a workbook, compared with the register and stored, beside its bare cells."""

import atexit
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from alembic import command
from openpyxl import load_workbook

from survey_app.register.communities_file import (
    CommunityRow,
    CommunityTable,
    read_communities,
    write_communities_workbook,
)
from survey_app.register.community_imports import plan_import, record_import, store_import
from survey_app.storage.database import Database
from tests.benchmarks.harness import Benchmark, Seconds

COMMUNITIES = 18_155
_WORDS = re.findall(
    "..",
    "万科保利龙湖绿城金地中海华润招商世茂远洋阳光滨河翠湖丽景锦绣盛世御景东方康乐幸福和平建设胜利团结光明文化学府"
    "紫荆桂花玉兰海棠银杏梧桐枫林翠竹天鹅凤凰长乐长安重阳朝阳行政银行音乐",
)
_KINDS = re.findall("..", "花园家园新城公馆华庭雅苑小区新村公寓山庄")
_DISTRICTS = re.findall("..", "江岸江汉硚口汉阳武昌青山洪山蔡甸江夏黄陂新洲西湖汉南")


@cache
def folder() -> Path:
    """Return a folder with the list and an empty, migrated database; both go when the process ends."""
    directory = TemporaryDirectory(prefix="jiayuan-benchmark-")
    atexit.register(directory.cleanup)
    path = Path(directory.name)
    table = CommunityTable(tuple(row for row, _ in zip(_rows(), range(COMMUNITIES), strict=False)))
    now = datetime(2026, 9, 1, tzinfo=UTC)
    (path / "list.xlsx").write_bytes(write_communities_workbook(table, now=now))
    with Database(f"sqlite:///{path / 'empty.sqlite3'}") as database:
        command.upgrade(database.alembic_config(), "head")
    return path


def _rows() -> Iterator[CommunityRow]:
    for count, (first, second, kind) in enumerate(product(_WORDS, _WORDS, _KINDS), start=1):
        district = _DISTRICTS[count % len(_DISTRICTS)]
        subdistrict = _WORDS[count % 13]
        yield CommunityRow(
            number=f"4201{count:06}",
            name=first + second + kind,
            english_name=None,
            district=f"{district}区",
            district_english_name=None,
            company=f"武汉{_WORDS[count % 40]}{_WORDS[count % 17]}物业服务有限公司",
            company_english_name=None,
            households_delivered=500 + count % 2000,
            households_occupied=400 + count % 2000,
            households_owners=300 + count % 2000,
            subdistrict=f"{subdistrict}街道",
            neighbourhood=f"{_WORDS[count % 11]}{subdistrict}社区",
        )


def import_list() -> Seconds:
    """Import the list into an empty register; what counts is processor time."""
    path = folder()
    empty, name = path / "empty.sqlite3", path / "imported.sqlite3"
    name.write_bytes(empty.read_bytes())
    start = process_time()
    with Database(f"sqlite:///{name}") as database:
        table = read_communities((path / "list.xlsx").read_bytes(), "list.xlsx")
        with database.reading() as session:
            plan = plan_import(session, table=table, are_new_places_confirmed=True)
        with database.writing() as session:
            result = store_import(session, plan=plan)
            record_import(session, result=result, by="operator", now=datetime.now(UTC))
    seconds = process_time() - start
    for left in path.glob("imported.*"):
        left.unlink()
    return Seconds(seconds)


def read_cells() -> Seconds:
    """Go through the values of the cells as openpyxl reads them, and keep none."""
    start = process_time()
    workbook = load_workbook(folder() / "list.xlsx", read_only=True, data_only=True)
    for _ in workbook.worksheets[0].iter_rows(values_only=True):
        pass
    workbook.close()
    return Seconds(process_time() - start)


def first_time() -> str:
    """Return the processor time of the same import in a process that has just been started, imports included."""
    program = (
        "from time import process_time\n"
        "from pathlib import Path\n"
        "from tests.benchmarks import bench_register\n"
        f"bench_register.folder = lambda: Path({str(folder())!r})\n"
        "bench_register.import_list()\n"
        "print(f'{process_time():.2f}')"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return f"processor time of a process that does it once, all that it loads included: {run.stdout.strip()} s"


def benchmarks() -> Iterable[Benchmark]:
    """Return what `./run bench` measures here."""
    return [
        Benchmark(
            name=f"register: a workbook of {COMMUNITIES:,} communities imported, beside openpyxl reading its cells",
            ours=import_list,
            baseline=read_cells,
            bar="≥ 0.33: reading, comparing and storing take three times what its cells take; ≤ 5 s",
            note=first_time,
        )
    ]
