"""Memory that goes back to the system between the stages of a long computation."""

import json
import subprocess
import sys

# One piece of a hundred stays in use, so that the allocator gives nothing back by itself.
FREED = """
import json
from pathlib import Path
import pyarrow as pa
from analytics.counting.arrow_memory import return_memory, share_memory

def resident():
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) // 1000

share_memory()
pieces = [pa.array([0], pa.int64()).take(pa.array([0] * 5_000)) for _ in range(5_000)]
pieces = pieces[::100]
kept = resident()
return_memory()
print(json.dumps([pa.default_memory_pool().backend_name, kept, resident()]))
"""


def test_what_was_freed_between_pieces_still_in_use_goes_back_to_the_system():
    run = subprocess.run([sys.executable, "-c", FREED], capture_output=True, text=True, check=True)

    allocator, kept, returned = json.loads(run.stdout)
    assert allocator == "system"
    assert returned < kept - 100
