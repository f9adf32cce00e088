"""Photos that are small to send and costly to decode: refused by their bytes, or ended when they have cost enough."""

import io
import os
import select
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from survey_app.attachments.attachments import scan_uploads
from survey_app.attachments.decoder_pool import COMMAND, DecoderPool, PoolLimits, scan_photo
from survey_app.attachments.kinds import PHOTO
from survey_app.attachments.scanning import AttachmentFault, AttachmentRefused, Upload
from survey_app.config import REPOSITORY
from tests.attacks.costly_photos import ODD_BUT_BOUNDED, TOO_COSTLY, exif, of_many_scans
from tests.attacks.processor_time import within
from tests.pictures import opened, picture, saved

COSTLY = {AttachmentFault.TOO_MANY_PIXELS, AttachmentFault.TOO_COMPLEX}
# Reads photos and never answers.
MUTE = (sys.executable, "-c", "import sys\nwhile sys.stdin.buffer.read(1): pass")
# Ends as if it could not run at all.
BROKEN = (sys.executable, "-c", "raise SystemExit(3)")


@pytest.fixture
def pool():
    """Return a function that makes a pool of decoders, which is closed when the test ends."""
    pools = []

    def make(command=COMMAND, **limits):
        pools.append(DecoderPool(PoolLimits(**limits), command=command))
        return pools[-1]

    yield make
    for made in pools:
        made.close()


def fault_of(decode, content):
    with pytest.raises(AttachmentRefused) as caught:
        decode(content)
    return caught.value.fault


def processes_of(pool):
    return [decoder._process.pid for decoder in pool._idle]


@pytest.mark.parametrize("name", TOO_COSTLY)
def test_a_photo_that_would_cost_too_much_is_refused_by_its_bytes(name, monkeypatch):
    monkeypatch.setattr(DecoderPool, "decode", None)
    content = TOO_COSTLY[name]()

    assert within(20, lambda: fault_of(scan_photo, content)) in COSTLY
    assert len(content) <= PHOTO.largest_bytes


@pytest.mark.parametrize("name", ODD_BUT_BOUNDED)
def test_an_odd_photo_is_taken_or_refused_within_a_moment(name):
    content = ODD_BUT_BOUNDED[name]()

    _photos, faults = scan_uploads([Upload(io.BytesIO(content))], kind=PHOTO)

    # As it would be when a decoder had to be ended for taking too long.
    assert AttachmentFault.BUSY not in faults


@pytest.mark.parametrize("content", [b"", b"XX*\0\x08\0\0\0", b"II*\0\x08\0\0\0\xff\xff", b"\0" * 60_000])
def test_notes_on_the_camera_that_nobody_can_read_cost_nobody_the_photo(content):
    assert opened(scan_photo(exif(content)).content).size == (400, 300)


def test_usual_photos_of_many_megapixels_are_taken():
    for photo in (
        saved(picture(8000, 6000)),
        saved(picture(4000, 3000), progressive=True),
        saved(picture(6000, 4000), "PNG"),
    ):
        assert max(opened(scan_photo(photo).content).size) == 1280


def test_what_no_look_at_the_bytes_foresees_ends_when_it_has_cost_enough(pool):
    decoders = pool(seconds_to_decode=300)
    decoders.decode(saved(picture()))
    [first] = processes_of(decoders)

    assert fault_of(decoders.decode, of_many_scans(400)) is AttachmentFault.TOO_COMPLEX
    assert opened(decoders.decode(saved(picture()))).size == (400, 300)
    assert processes_of(decoders) != [first]


def test_a_decoder_that_hangs_is_killed_and_the_next_photo_has_another(pool):
    decoders = pool(MUTE, seconds_to_decode=0.2)

    assert fault_of(decoders.decode, saved(picture())) is AttachmentFault.BUSY
    assert fault_of(decoders.decode, b"a" * 12_000_000) is AttachmentFault.BUSY
    assert processes_of(decoders) == []


def test_a_decoder_that_cannot_run_turns_photos_away_and_blames_nobody(pool):
    assert fault_of(pool(BROKEN).decode, saved(picture())) is AttachmentFault.BUSY


def test_a_decoder_that_was_killed_between_two_photos_is_replaced(pool):
    decoders = pool()
    decoders.decode(saved(picture()))
    [first] = processes_of(decoders)
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)

    assert opened(decoders.decode(saved(picture()))).size == (400, 300)


def test_nobody_waits_for_a_decoder_beyond_their_patience(pool):
    patience = 1.5
    decoders = pool(MUTE, processes=1, waiting=2, seconds_to_wait=patience, seconds_to_decode=4)
    waits = []

    def wait():
        began_at = time.monotonic()
        assert fault_of(decoders.decode, saved(picture())) is AttachmentFault.BUSY
        waits.append(time.monotonic() - began_at)

    with ThreadPoolExecutor(20) as crowd:
        for sent in [crowd.submit(wait) for _ in range(20)]:
            sent.result()

    # One decodes, two wait for it and give up before it ends, and all others are told at once.
    *told_at_once, first, second, decoded = sorted(waits)
    assert max(told_at_once) < patience <= first
    assert second < decoded


def test_a_form_whose_photo_found_no_place_does_not_wait_for_its_others():
    asked = []

    def scan(content):
        asked.append(content)
        raise AttachmentRefused(AttachmentFault.BUSY)

    uploads = [Upload(io.BytesIO(saved(picture(100 + number)))) for number in range(6)]
    files, faults = scan_uploads(uploads, kind=replace(PHOTO, scan=scan))

    assert (files, faults, len(asked)) == ({}, [AttachmentFault.BUSY] * 6, 1)


def test_the_same_photo_in_one_form_is_decoded_once():
    asked = []

    def scan(content):
        asked.append(content)
        return PHOTO.scan(content)

    files, faults = scan_uploads([Upload(io.BytesIO(saved(picture())))] * 6, kind=replace(PHOTO, scan=scan))

    assert (len(files), faults, len(asked)) == (1, [], 1)


def test_decoders_end_with_the_process_that_started_them_however_it_ends():
    program = (
        "import sys; from survey_app.attachments.decoder_pool import *; from tests.pictures import *\n"
        "scan_photo(saved(picture())); print(PHOTO_DECODERS._idle[0]._process.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY, text=True
    ) as parent:
        decoder = int(parent.stdout.readline())
        handle = os.pidfd_open(decoder)
        parent.kill()
    try:
        assert select.select([handle], [], [], 60)[0]
    finally:
        os.close(handle)


def test_a_decoder_imports_next_to_nothing():
    program = "import sys, survey_app.attachments.decoder_process; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=REPOSITORY)

    assert "PIL" in loaded.stdout
    assert not {"flask", "sqlalchemy", "pandas", "numpy", "dash"} & set(loaded.stdout.split())
