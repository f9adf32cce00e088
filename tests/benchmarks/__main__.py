"""`python -m tests.benchmarks [NAME]`: run the benchmarks whose module or name contains NAME."""

import argparse
import importlib
import pkgutil
import sys

from rich.console import Console

import tests.benchmarks
from tests.benchmarks.harness import machine, measure, report


def main(wanted: str = "") -> int:
    """Run every `benchmarks()` of the modules here and print ratios."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(machine())
    found = 0
    for module in pkgutil.iter_modules(tests.benchmarks.__path__):
        if not module.name.startswith("bench_"):
            continue
        suite = importlib.import_module(f"tests.benchmarks.{module.name}")
        for benchmark in suite.benchmarks():
            if wanted in module.name or wanted in benchmark.name:
                found += 1
                report(benchmark, measure(benchmark), console)
    if not found:
        console.print(f"no benchmark is called {wanted!r}")
    return 0 if found else 2


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Print benchmark ratios.")
    parser.add_argument(
        "wanted", metavar="NAME", nargs="?", default="", help="part of the name of a module or benchmark"
    )
    sys.exit(main(parser.parse_args().wanted))
