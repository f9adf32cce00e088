"""The files of `python -m analytics evaluate` for 300,000 communities, and credible rank sets, beside simpler ways."""

import os
import subprocess
import sys
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd

from analytics.statistics.rank_confidence_sets import rank_confidence_set
from tests.benchmarks import bench_rank_sets
from tests.benchmarks.bench_evaluate import ALL, RULES, communities
from tests.benchmarks.harness import Benchmark, peak_memory

FEW = 60


@cache
def table(count, regions):
    path = Path(mkdtemp(prefix="jiayuan-offline-")) / f"{count}-{regions}.csv"
    communities(count, regions).to_csv(path, index=False)
    return path


def command(count, regions):
    out = table(count, regions).with_suffix("")
    return ["evaluate", str(table(count, regions)), "--rules", str(RULES), "--out", str(out)]


def evaluate_offline(count, regions):
    subprocess.run([sys.executable, "-m", "analytics", *command(count, regions)], check=True, stdout=subprocess.DEVNULL)


def read_and_write(count, regions):
    """Read the same table and write as many columns as standings.csv has, as pandas does."""
    read = pd.read_csv(table(count, regions))
    pd.concat([read] * 7, axis=1).to_csv(os.devnull, index=False)


def used(count, regions):
    statement = (
        "import sys, os; sys.stdout = open(os.devnull, 'w')\n"
        "from analytics.__main__ import main\n"
        f"main({command(count, regions)!r}, standalone_mode=False)\n"
        "sys.stdout = sys.__stdout__"
    )
    return f"peak memory {peak_memory(statement)}, {table(count, regions).stat().st_size:,} bytes of table"


def rank_sets(method):
    return rank_confidence_set(*bench_rank_sets.communities(ALL), method=method)


def benchmarks() -> Iterable[Benchmark]:
    """Return what `./run bench` measures here."""
    for regions, label in ((1, "one region"), (3, "three regions")):
        yield Benchmark(
            f"offline evaluation of {ALL:,} communities in {label}, beside reading and writing as many columns",
            partial(evaluate_offline, ALL, regions),
            partial(read_and_write, ALL, regions),
            "ours 20 s, peak memory 700 MB, on a machine to itself",
            rounds=1,
            note=partial(used, ALL, regions),
        )
    yield Benchmark(
        f"offline evaluation of {FEW} regions of one community, beside one region of {FEW}",
        partial(evaluate_offline, FEW, FEW),
        partial(evaluate_offline, FEW, 1),
        "ours 3 s",
        rounds=2,
    )
    for method in ("kww", "mrsw"):
        yield Benchmark(
            f"credible rank sets (eb) of {ALL:,} communities, beside those of {method}",
            partial(rank_sets, "eb"),
            partial(rank_sets, method),
            "ours 2 s, peak memory 500 MB, on a machine to itself",
            rounds=3,
            note=lambda: "peak memory " + peak_memory("from tests.benchmarks.bench_offline import *; rank_sets('eb')"),
        )
