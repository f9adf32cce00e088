"""`python -m survey_app.attachments.decoder_process`: decodes photos for `decoder_pool`, one after another.

Photos come over standard input and go over standard output, each as its length and its bytes. It ends with its input,
imports nothing but Pillow, and bounds its own memory and processor time: what exceeds the bounds ends this process and
nothing else.
"""

import os
import resource
import signal
import struct
import sys
from collections.abc import Iterator
from math import ceil
from typing import BinaryIO, Final

from survey_app.attachments.photos import remake_photo
from survey_app.attachments.scanning import AttachmentRefused

# A picture of fifty megapixels takes some 200 MB while it is decoded, a progressive one 300 MB more.
MOST_MEMORY: Final = 1024 * 2**20
# For one photo; one of fifty megapixels takes two or three.
MOST_PROCESSOR_SECONDS: Final = 6

LENGTH: Final = struct.Struct(">I")
TAKEN: Final = b"+"
REFUSED: Final = b"-"


def main() -> None:
    """Answer each photo until there are no more."""
    # Ctrl-C on a terminal is for the server, which ends this process then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(10)  # pages go first
    for limit, most in ((resource.RLIMIT_AS, MOST_MEMORY), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (most, most))
    answers = sys.stdout.buffer
    for photo in _photos(sys.stdin.buffer):
        _allow_processor_seconds(MOST_PROCESSOR_SECONDS)
        try:
            answer = TAKEN + remake_photo(photo)
        except AttachmentRefused as refusal:
            answer = REFUSED + refusal.fault.encode("ascii")
        answers.write(LENGTH.pack(len(answer)) + answer)
        answers.flush()


def _photos(stream: BinaryIO) -> Iterator[bytes]:
    while header := stream.read(LENGTH.size):
        (length,) = LENGTH.unpack(header)
        yield stream.read(length)


def _allow_processor_seconds(seconds: int) -> None:
    """Let the kernel end this process when it takes so much more processor time; no decoder looks at a clock."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (ceil(used.ru_utime + used.ru_stime) + seconds, hard))


if __name__ == "__main__":
    main()
