"""Pool of processes in which the photos of strangers are decoded: bounded in number, in time and in those who wait.

A decoder of pictures cannot be interrupted, and holds memory and a processor as long as the picture wants. So it runs
in processes of its own, which live on from photo to photo and are replaced when one had to be killed. They end with
the process that started them, however that ends, since their standard input closes then.
"""

import atexit
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Condition, Timer
from typing import BinaryIO, Final, cast

from survey_app.attachments.decoder_process import LENGTH, TAKEN
from survey_app.attachments.photo_costs import check_cost
from survey_app.attachments.scanning import JPEG, AttachmentFault, AttachmentRefused, ScannedFile
from survey_app.log_events import LogEvent, log_event

COMMAND: Final = (sys.executable, "-m", "survey_app.attachments.decoder_process")


@dataclass(frozen=True)
class PoolLimits:
    """Limits of a pool: how many decode and how many wait, and how long each of that may take."""

    # Each may hold a gigabyte.
    processes: int = 2
    # Each holds a thread of the server: most of them stay free for pages.
    waiting: int = 6
    seconds_to_wait: float = 4.0
    # By the clock; a busy machine may need longer than the processor time that a photo is allowed.
    seconds_to_decode: float = 10.0


class DecoderPool:
    """Decodes photos in other processes, which are started when they are first needed."""

    def __init__(self, limits: PoolLimits | None = None, *, command: Sequence[str] = COMMAND) -> None:
        self._limits = limits or PoolLimits()
        self._command = command
        self._room = Condition()
        self._idle: list[_Decoder] = []
        self._decoding: set[_Decoder] = set()
        self._busy = self._waiting = 0

    def decode(self, photo: bytes) -> bytes:
        """Return the photo made anew, or raise `AttachmentRefused`: `BUSY` when too many others wait already."""
        self._enter()
        try:
            decoder = self._take()
            try:
                return decoder.decode(photo, seconds=self._limits.seconds_to_decode)
            finally:
                self._give_back(decoder)
        finally:
            with self._room:
                self._busy -= 1
                self._room.notify()

    def close(self) -> None:
        """End the processes; those that decode are killed."""
        with self._room:
            decoders = [*self._idle, *self._decoding]
            self._idle.clear()
        for decoder in decoders:
            decoder.end()

    def forget(self) -> None:
        """Begin anew in a process that was forked: the other processes belong to the one it was forked from."""
        self._room = Condition()
        self._idle, self._decoding = [], set()
        self._busy = self._waiting = 0

    def _enter(self) -> None:
        limits = self._limits
        with self._room:
            if self._busy >= limits.processes:
                if self._waiting >= limits.waiting:
                    raise AttachmentRefused(AttachmentFault.BUSY)
                self._waiting += 1
                try:
                    has_place = self._room.wait_for(lambda: self._busy < limits.processes, limits.seconds_to_wait)
                finally:
                    self._waiting -= 1
                if not has_place:
                    raise AttachmentRefused(AttachmentFault.BUSY)
            self._busy += 1

    def _take(self) -> "_Decoder":
        with self._room:
            decoder = self._idle.pop() if self._idle else None
        if decoder is not None and not decoder.is_alive:
            decoder.end()
            decoder = None
        decoder = decoder or _Decoder(self._command)
        with self._room:
            self._decoding.add(decoder)
        return decoder

    def _give_back(self, decoder: "_Decoder") -> None:
        if not decoder.is_alive:
            decoder.end()
        with self._room:
            self._decoding.discard(decoder)
            if decoder.is_alive:
                self._idle.append(decoder)


class _Decoder:
    """One process that decodes, from its start to its end."""

    def __init__(self, command: Sequence[str]) -> None:
        # Ours, and no other process inherits its pipes: it ends as soon as this process is gone.
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        self._is_killed = False

    @property
    def is_alive(self) -> bool:
        return not self._is_killed and self._process.poll() is None

    def decode(self, photo: bytes, *, seconds: float) -> bytes:
        """Return what the process makes of a photo; one that takes longer costs the process its life."""
        began_at = time.monotonic()
        alarm = Timer(seconds, self._kill)
        alarm.daemon = True
        alarm.start()
        try:
            answer = self._exchange(photo)
        except (OSError, EOFError) as error:
            self.end()
            raise AttachmentRefused(self._why_it_ended(is_late=time.monotonic() - began_at >= seconds)) from error
        finally:
            alarm.cancel()
        if answer[:1] == TAKEN:
            return answer[1:]
        raise AttachmentRefused(AttachmentFault(answer[1:].decode("ascii")))

    def end(self) -> None:
        """End the process and wait until it has ended."""
        self._kill()
        self._process.wait()
        for stream in (self._input, self._output):
            try:
                stream.close()
            except OSError:
                # What was not sent yet is for nobody.
                continue

    @property
    def _input(self) -> BinaryIO:
        return cast(BinaryIO, self._process.stdin)

    @property
    def _output(self) -> BinaryIO:
        return cast(BinaryIO, self._process.stdout)

    def _kill(self) -> None:
        self._is_killed = True
        self._process.kill()

    def _exchange(self, photo: bytes) -> bytes:
        self._input.write(LENGTH.pack(len(photo)) + photo)
        self._input.flush()
        (length,) = LENGTH.unpack(self._read(LENGTH.size))
        return self._read(length)

    def _read(self, length: int) -> bytes:
        content = self._output.read(length)
        if len(content) < length:
            raise EOFError
        return content

    def _why_it_ended(self, *, is_late: bool) -> AttachmentFault:
        status = self._process.returncode
        if is_late or status >= 0:
            # It had processor time left, so the machine is busy with others; or it could not run at all.
            log_event(LogEvent.DECODER_ENDED, status=status)
            return AttachmentFault.BUSY
        if status in {-signal.SIGXCPU, -signal.SIGKILL}:
            return AttachmentFault.TOO_COMPLEX
        return AttachmentFault.UNREADABLE


PHOTO_DECODERS: Final = DecoderPool()
atexit.register(PHOTO_DECODERS.close)
os.register_at_fork(after_in_child=PHOTO_DECODERS.forget)


def scan_photo(content: bytes) -> ScannedFile:
    """Return the picture made anew as `photos.remake_photo` makes it, or raise a refusal; at a bounded cost."""
    check_cost(content)
    return ScannedFile(JPEG.name, PHOTO_DECODERS.decode(content))
