"""Figures as a ratio inside one run: timings of shared machines drift, what two things cost side by side does not."""

import gc
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console


class Figure(float):
    """What one run says itself that counts, where that is not how long it took."""


class Seconds(Figure):
    """A time that one run says itself: a wait, a processor time."""


@dataclass(frozen=True)
class Benchmark:
    """One comparison: our way beside another way to the same result; either may return a `Figure` that counts.

    `bar` says in words what is wanted, `unit` what is measured; `note` returns facts to print beside the figure, such
    as peak memory.
    """

    name: str
    ours: Callable[[], object]
    baseline: Callable[[], object]
    bar: str
    rounds: int = 5
    unit: str = "s"
    note: Callable[[], str] | None = None


@dataclass(frozen=True)
class Timing:
    """What one benchmark measured: medians of both, and their ratio (above 1: ours takes less)."""

    ours: float
    baseline: float

    @property
    def ratio(self) -> float:
        return self.baseline / self.ours if self.ours else float("inf")


def measure(benchmark: Benchmark) -> Timing:
    """Run both ways in turns, so that whatever else the machine does hits both; the medians count."""
    benchmark.ours()  # once unmeasured: imports, caches, compiled kernels
    ours, baseline = [], []
    for _ in range(benchmark.rounds):
        ours.append(_measured(benchmark.ours))
        baseline.append(_measured(benchmark.baseline))
    return Timing(statistics.median(ours), statistics.median(baseline))


def report(benchmark: Benchmark, timing: Timing, console: Console) -> None:
    """Print one benchmark's figures with its bar."""
    console.print(f"[bold]{benchmark.name}[/bold]")
    console.print(
        f"  ours {timing.ours:.4g} {benchmark.unit}, baseline {timing.baseline:.4g} {benchmark.unit}, "
        f"[bold]ratio {timing.ratio:.3g}[/bold]; bar: {benchmark.bar}"
    )
    if benchmark.note:
        console.print(f"  {benchmark.note()}")


def _measured(run: Callable[[], object]) -> float:
    gc.collect()
    start = time.perf_counter()
    result = run()
    return result if isinstance(result, Figure) else time.perf_counter() - start


def peak_memory(statement: str) -> str:
    """Return the peak memory of a process that runs `statement` and nothing else.

    It is read from the kernel's high-water mark: `resource.getrusage` would count the memory of the process that
    started this one, too.
    """
    script = (
        f"{statement}\n"
        "from pathlib import Path\n"
        "print(int(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0]) // 1000)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return f"{run.stdout.split()[-1]} MB"


def machine() -> str:
    """Say on what the figures were measured."""

    return f"{platform.machine()}, {os.cpu_count()} cores, Python {sys.version.split()[0]}"
