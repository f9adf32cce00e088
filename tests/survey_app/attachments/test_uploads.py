import io
from contextlib import ExitStack
from dataclasses import replace

import pytest
from werkzeug.test import EnvironBuilder

from survey_app.attachments.kinds import PHOTO
from survey_app.attachments.scanning import AttachmentFault
from survey_app.attachments.uploads import BoundedRequest, uploads_in

SMALL_PHOTO = replace(PHOTO, largest_bytes=1000)


@pytest.fixture
def form_with():
    """Return a function that sends a form; its files are let go of when the test ends."""
    with ExitStack() as opened:

        def form_with(*files, **fields):
            data = fields | {f"photo{number}": file for number, file in enumerate(files)}
            builder = EnvironBuilder(method="POST", data=data)
            return opened.enter_context(BoundedRequest(builder.get_environ()))

        yield form_with


def test_fields_come_whole_whatever_the_size_of_the_files(form_with):
    files = [(io.BytesIO(b"a" * 5000), "a.jpg"), (io.BytesIO(b"b" * 1000), "b.jpg"), (io.BytesIO(b""), "")]

    request = form_with(*files, text="电梯停了三天", category="EQ01")
    uploads = uploads_in(request, kind=SMALL_PHOTO)

    assert request.form.to_dict() == {"text": "电梯停了三天", "category": "EQ01"}
    assert [(len(upload.content), upload.fault) for upload in uploads] == [
        (1000, AttachmentFault.TOO_LARGE),
        (1000, None),
    ]


def test_many_files_are_not_kept_in_memory(form_with):
    files = [(io.BytesIO(b"a" * 900), "a.jpg") for _ in range(20)]

    uploads = uploads_in(form_with(*files), kind=SMALL_PHOTO)

    assert sum(len(upload.content) for upload in uploads) == 6 * 900
    assert [upload.fault for upload in uploads[6:]] == [AttachmentFault.TOO_LARGE] * 14


def test_each_kind_has_limits_of_its_own(form_with):
    kind = replace(PHOTO, largest_bytes=100, most_per_form=1, largest_form_bytes=5000)

    request = form_with((io.BytesIO(b"a" * 200), "a.jpg"), (io.BytesIO(b"b" * 50), "b.jpg"))
    uploads = uploads_in(request, kind=kind)

    assert [len(upload.content) for upload in uploads] == [100, 0]
    assert request.max_content_length == 5000


def test_the_file_of_a_form_without_attachments_is_read_whole(form_with):
    content = b"a" * 100_000

    assert form_with((io.BytesIO(content), "a.xlsx")).files["photo0"].read() == content
