"""The files of `python -m analytics evaluate` for 300,000 communities, beside reading and writing as many columns."""

import os
import subprocess
import sys
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd

from tests.benchmarks.bench_evaluate import ALL, RULES, communities
from tests.benchmarks.harness import Benchmark, peak_memory

FEW = 60


@cache
def table(count, regions):
    """Write a table of communities once and return its path."""
    path = Path(mkdtemp(prefix="jiayuan-offline-")) / f"{count}-{regions}.csv"
    communities(count, regions).to_csv(path, index=False)
    return path


def command(count, regions):
    """Return the words of the command that evaluates the table into a folder beside it."""
    out = table(count, regions).with_suffix("")
    return ["evaluate", str(table(count, regions)), "--rules", str(RULES), "--out", str(out)]


def evaluate_offline(count, regions):
    """Run the command as an evaluator does, with what it takes to start."""
    subprocess.run([sys.executable, "-m", "analytics", *command(count, regions)], check=True, stdout=subprocess.DEVNULL)


def read_and_write(count, regions):
    """Read the same table and write as many columns as standings.csv has, as pandas does."""
    read = pd.read_csv(table(count, regions))
    pd.concat([read] * 7, axis=1).to_csv(os.devnull, index=False)


def used(count, regions):
    """Say how much memory the command takes at most, and how large its table is."""
    statement = (
        "import sys, os; sys.stdout = open(os.devnull, 'w')\n"
        "from analytics.__main__ import main\n"
        f"main({command(count, regions)!r}, standalone_mode=False)\n"
        "sys.stdout = sys.__stdout__"
    )
    return f"peak memory {peak_memory(statement)}, {table(count, regions).stat().st_size:,} bytes of table"


def benchmarks() -> Iterable[Benchmark]:
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
