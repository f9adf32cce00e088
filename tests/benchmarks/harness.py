"""Speed as a ratio inside one run: timings of shared machines drift, what two things cost side by side does not."""

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


class Seconds(float):
    """What one run says itself that counts, where that is not how long it took: a wait, a processor time."""


@dataclass(frozen=True)
class Benchmark:
    """One comparison: our way beside another way to the same result; either may return `Seconds` that count.

    `bar` says in words what ratio is wanted; `note` returns facts to print beside the figure, such as peak memory.
    """

    name: str
    ours: Callable[[], object]
    baseline: Callable[[], object]
    bar: str
    rounds: int = 5
    note: Callable[[], str] | None = None


@dataclass(frozen=True)
class Timing:
    """What one benchmark measured: median seconds of both, and their ratio (above 1: ours is faster)."""

    ours_seconds: float
    baseline_seconds: float

    @property
    def ratio(self) -> float:
        return self.baseline_seconds / self.ours_seconds


def measure(benchmark: Benchmark) -> Timing:
    """Run both ways in turns, so that whatever else the machine does hits both; the medians count."""
    benchmark.ours()  # once unmeasured: imports, caches, compiled kernels
    ours, baseline = [], []
    for _ in range(benchmark.rounds):
        ours.append(_seconds(benchmark.ours))
        baseline.append(_seconds(benchmark.baseline))
    return Timing(statistics.median(ours), statistics.median(baseline))


def report(benchmark: Benchmark, timing: Timing, console: Console) -> None:
    """Print one benchmark's figures with its bar."""
    console.print(f"[bold]{benchmark.name}[/bold]")
    console.print(
        f"  ours {timing.ours_seconds:.4g} s, baseline {timing.baseline_seconds:.4g} s, "
        f"[bold]ratio {timing.ratio:.3g}[/bold]; bar: {benchmark.bar}"
    )
    if benchmark.note:
        console.print(f"  {benchmark.note()}")


def _seconds(run: Callable[[], object]) -> float:
    gc.collect()
    start = time.perf_counter()
    result = run()
    return result if isinstance(result, Seconds) else time.perf_counter() - start


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
