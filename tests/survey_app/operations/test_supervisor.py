"""What is kept running is started again when it dies, and is gone when its keeper is, however that went."""

import os
import signal
import subprocess
import sys

import pytest

from survey_app.config import REPOSITORY
from survey_app.operations.supervisor import supervised_process

# Tells its number, then waits for its keeper to be gone.
CHILD = """
import os, sys
from survey_app.operations.supervisor import wait_while_supervised
with open(sys.argv[1], "w") as pipe:
    pipe.write(f"{os.getpid()}\\n")
while wait_while_supervised(60): pass
"""
KEEPER = """
import sys
from survey_app.operations.supervisor import supervised_process
with supervised_process([sys.executable, "-c", sys.argv[2], sys.argv[1]], {}):
    sys.stdin.read()
"""


@pytest.fixture
def pipe(tmp_path):
    """A named pipe, on which whoever opens it waits for the other."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def wait_until_gone(process_id):
    """Wait for a process that is nobody's child here."""
    try:
        descriptor = os.pidfd_open(process_id)
    except ProcessLookupError:
        return
    with open(descriptor, "rb") as handle:  # noqa: PTH123 (a descriptor, not a path)
        import select

        assert select.select([handle], [], [], 60)[0]


def test_a_child_that_dies_is_started_again_and_ends_with_the_block(pipe):
    with supervised_process([sys.executable, "-c", CHILD, str(pipe)], {}, seconds_before_restart=0):
        first = int(pipe.read_text())
        os.kill(first, signal.SIGKILL)
        second = int(pipe.read_text())

    assert second != first
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)


def test_a_child_ends_by_itself_when_its_keeper_was_killed(pipe):
    command = [sys.executable, "-c", KEEPER, str(pipe), CHILD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=REPOSITORY) as keeper:
        child = int(pipe.read_text())
        keeper.kill()

    wait_until_gone(child)
