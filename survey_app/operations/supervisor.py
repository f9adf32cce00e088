"""Supervisor of a program that runs beside the server and ends with it."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

from survey_app.log_events import LogEvent, log_event

# A program that ends at once must not keep the machine busy.
SECONDS_BEFORE_RESTART: Final = 10.0
_POLL_SECONDS: Final = 1.0


@contextmanager
def supervised_process(
    command: Sequence[str], environ: Mapping[str, str], *, seconds_before_restart: float = SECONDS_BEFORE_RESTART
) -> Iterator[None]:
    """Run a program until the block ends, and restart it whenever it ends before.

    `environ` is added to the environment of this process.
    """
    is_over = Event()
    watch = Thread(
        target=_restart_until_over,
        args=(command, os.environ | environ, is_over, seconds_before_restart),
        name="supervision",
        daemon=True,
    )
    watch.start()
    try:
        yield
    finally:
        is_over.set()
        watch.join()


def wait_while_supervised(seconds: float) -> bool:
    """Wait in a supervised program; return at once and with False when its supervisor is gone."""
    readable, _, _ = select.select([sys.stdin], [], [], seconds)
    return not readable


def wait_unsupervised(seconds: float) -> bool:
    """Wait in a program that something else supervises, and return True."""
    time.sleep(seconds)
    return True


def _restart_until_over(
    command: Sequence[str], environ: Mapping[str, str], is_over: Event, seconds_before_restart: float
) -> None:
    while not is_over.is_set():
        # Its standard input closes when this process is gone, even by SIGKILL. A session of its own: Ctrl-C is for the
        # server, which ends it then.
        with subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, start_new_session=True) as child:  # noqa: S603 (ours)
            while child.poll() is None and not is_over.wait(_POLL_SECONDS):
                pass
            child.terminate()
        if not is_over.is_set():
            log_event(LogEvent.ENDED_TOO_EARLY, status=child.returncode)
        is_over.wait(seconds_before_restart)
