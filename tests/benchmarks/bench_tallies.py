"""10⁸ answers of a Parquet file counted, beside decoding them and doing nothing."""

import atexit
import resource
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from analytics.counting.answer_counts import count_parquet, divide_row_groups, parquet_batches
from tests.benchmarks.harness import Benchmark

ROWS = 7_000_000
GROUP_ROWS = 500_000
COMMUNITIES = range(20_000)
CODES = (1, 2, 3, 4, 5, 9)
SHARES = (0.05, 0.05, 0.15, 0.4, 0.3, 0.05)
UNANSWERED = 0.04
_TURNS = 5
QUESTIONS = {f"q{number:02d}": CODES for number in range(1, 16)}


@cache
def answers_file() -> Path:
    """Write responses of random communities, as they come in, and remove the file when the process ends."""
    directory = TemporaryDirectory(prefix="jiayuan-benchmark-")
    atexit.register(directory.cleanup)
    path = Path(directory.name) / "responses.parquet"
    random = np.random.default_rng(1)
    schema = pa.schema([("community", pa.int32()), *((question, pa.int8()) for question in QUESTIONS)])
    with parquet.ParquetWriter(path, schema) as writer:
        for start in range(0, ROWS, GROUP_ROWS):
            size = min(GROUP_ROWS, ROWS - start)
            columns = [pa.array(random.integers(0, len(COMMUNITIES), size, dtype=np.int32))]
            for _ in QUESTIONS:
                codes = random.choice(np.array(CODES, dtype=np.int8), size, p=SHARES)
                columns.append(pa.array(codes, mask=random.random(size) < UNANSWERED))
            writer.write_batch(pa.record_batch(columns, schema=schema))
    return path


def count(threads: int):
    """Count every answer."""
    return count_parquet(answers_file(), communities=COMMUNITIES, questions=QUESTIONS, threads=threads)


def decode(threads: int) -> int:
    """Decode the same batches with as many threads and look once at every byte."""

    def look(groups: Sequence[int]) -> int:
        found = 0
        for batch in parquet_batches(answers_file(), columns=["community", *QUESTIONS], row_groups=groups):
            for column in batch.columns:
                for buffer in column.buffers():
                    if buffer is not None:
                        numbers = np.frombuffer(buffer, dtype=np.uint8)[: buffer.size // 8 * 8].view(np.uint64)
                        found ^= int(np.bitwise_xor.reduce(numbers))
        return found

    with parquet.ParquetFile(answers_file()) as file:
        runs = divide_row_groups(range(file.num_row_groups), threads)
    with ThreadPoolExecutor(threads) as executor:
        return sum(executor.map(look, runs))


def cost(threads: int) -> str:
    """Return processor time against that of decoding, in turns and by medians, and the peak of the process."""
    turns = [
        (_processor_seconds(lambda: count(threads)), _processor_seconds(lambda: decode(threads))) for _ in range(_TURNS)
    ]
    counting, decoding = (statistics.median(seconds) for seconds in zip(*turns, strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    answers = sum(int(table.sum()) for table in count(threads).counts.values())
    return (
        f"{answers:,} answers and {ROWS * len(QUESTIONS) - answers:,} gaps; processor time ÷ decoding "
        f"{counting / decoding:.2f}; peak of the process, the writing of the file included, {peak:.0f} MB"
    )


def _processor_seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def benchmarks() -> Iterable[Benchmark]:
    """Return what `./run bench` measures here."""
    name = f"tallies: {ROWS * len(QUESTIONS):,} answers of {len(COMMUNITIES):,} communities counted by"
    return [
        Benchmark(
            name=f"{name} one thread, beside decoding by one",
            ours=lambda: count(1),
            baseline=lambda: decode(1),
            bar="≥ 0.67: counting takes at most 1.5 times the decoding; reach 0.83",
            note=lambda: cost(1),
        ),
        Benchmark(
            name=f"{name} two threads, beside decoding by one",
            ours=lambda: count(2),
            baseline=lambda: decode(1),
            bar="≥ 0.83: the second processor hides the counting",
            note=lambda: cost(2),
        ),
    ]
