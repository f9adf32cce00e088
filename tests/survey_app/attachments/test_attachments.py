import io
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select

from analytics.canonical import sha256_hex
from survey_app.accounts.attempt_budgets import Budget
from survey_app.accounts.network_digests import NetworkDigests
from survey_app.attachments import photos
from survey_app.attachments.attachments import (
    StoredSize,
    attach_to_complaint,
    attachments_of_complaint,
    attachments_of_form,
    draw_missing_thumbnails,
    drop_attachments,
    erase_attachments,
    forget_unsent_attachments,
    keep_attachments,
    scan_uploads,
    sizes_by_kind,
)
from survey_app.attachments.kinds import KINDS, PHOTO, AttachmentKind
from survey_app.attachments.scanning import AttachmentFault, AttachmentRefused, MediaType, ScannedFile, Upload
from survey_app.codes.codes import find_code
from survey_app.models import Attachment, AttachmentSource, AttachmentThumbnail, Code
from survey_app.security.submission_keys import Form, SubmissionKey
from tests.factories import (
    NOW,
    SECRET,
    make_community,
    make_complaint,
    make_photo,
    make_poster_code,
    make_response,
    make_round,
)
from tests.pictures import picture, saved

DAY = timedelta(days=1)


def scan_letter(content):
    """Keep the letter without what it says after its signature, and refuse an empty one."""
    body = content.removeprefix(b"LETTER ").split(b"--")[0]
    if not body:
        raise AttachmentRefused(AttachmentFault.UNREADABLE)
    return ScannedFile("text/x-letter", body)


FEW = Budget(free=5, step=DAY, longest=DAY, forgiven_each=DAY)
LETTER = AttachmentKind(
    name="letter",
    media_types=(MediaType("text/x-letter", re.compile(rb"LETTER ")),),
    largest_bytes=30,
    largest_form_bytes=1000,
    most_per_question=1,
    most_per_form=2,
    unsent_kept=timedelta(hours=2),
    most_unsent=2,
    most_unsent_of_line=9,
    most_unsent_of_prefix=9,
    budget_of_line=FEW,
    budget_of_prefix=FEW,
    scan=scan_letter,
)


@pytest.fixture
def key(database):
    with database.writing() as session:
        code = find_code(session, token=make_poster_code(session).token, secret_key=SECRET)
    return SubmissionKey.new(form=Form.COMPLAINT, code_id=code.id, round_id=None, now=NOW)


def another_form(key):
    return SubmissionKey.new(form=Form.COMPLAINT, code_id=key.code_id, round_id=None, now=NOW)


def keep(database, key, *contents, kind=PHOTO, line="a line", prefix="its prefix", now=NOW):
    files, _faults = scan_uploads([Upload(io.BytesIO(content)) for content in contents], kind=kind)
    with database.writing() as session:
        code = session.get(Code, key.code_id)
        return keep_attachments(
            session,
            kind=kind,
            key=key,
            community_id=code.community_id,
            network=NetworkDigests(line, prefix) if line else None,
            files=files,
            secret_key=SECRET,
            now=now,
        )


def names(database, key, kind=PHOTO):
    with database.reading() as session:
        return [attachment.name for attachment in attachments_of_form(session, kind=kind, key=key)]


def count(database):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Attachment))


def test_one_bad_photo_does_not_keep_the_others_out():
    good = saved(picture())
    sent = [
        Upload(io.BytesIO(good)),
        Upload(io.BytesIO(b"no")),
        Upload(io.BytesIO(good)),
        Upload(io.BytesIO(), AttachmentFault.TOO_LARGE),
    ]

    taken, faults = scan_uploads(sent, kind=PHOTO)

    assert len(taken) == 1
    assert faults == [AttachmentFault.UNREADABLE, AttachmentFault.TOO_LARGE]


def test_what_is_kept_is_described_and_not_what_was_sent(database, key):
    sent = saved(picture(), "PNG")
    keep(database, key, sent)

    with database.reading() as session:
        stored = session.scalars(select(Attachment)).one()
    assert (stored.kind, stored.media_type) == ("photo", "image/jpeg")
    assert (stored.size, stored.sha256) == (len(stored.content), sha256_hex(stored.content))
    assert stored.upload_sha256 == sha256_hex(sent)


def test_the_same_photo_sent_again_is_kept_once_and_a_fourth_is_not_taken(database, key):
    four = [saved(picture(100 + number)) for number in range(4)]

    assert keep(database, key, four[0]) == []
    assert keep(database, key, four[0], four[1], four[2]) == []
    assert keep(database, key, four[3]) == [AttachmentFault.TOO_MANY]
    assert len(set(names(database, key))) == 3


def test_a_photo_can_be_taken_back_by_its_own_form_alone(database, key):
    keep(database, key, saved(picture()))
    (name,) = names(database, key)

    for asking, left in ((another_form(key), 1), (key, 0)):
        with database.writing() as session:
            drop_attachments(session, key=asking, names=[name])
        assert len(names(database, key)) == left


def test_a_case_gets_the_photos_of_its_form_and_unsent_ones_are_deleted_after_a_day(database, key):
    for asking in (key, another_form(key)):
        keep(database, asking, saved(picture()))
    with database.writing() as session:
        complaint = make_complaint(session, session.get(Code, key.code_id).community, submission_key=key.value)
        attach_to_complaint(session, key=key, complaint_id=complaint.id)
        drop_attachments(session, key=key, names=[attachments_of_form(session, kind=PHOTO, key=key)[0].name])
    assert forget_unsent_attachments(database, now=NOW + timedelta(hours=23)) == 0
    assert forget_unsent_attachments(database, now=NOW + timedelta(hours=24)) == 1
    with database.reading() as session:
        of_case = attachments_of_complaint(session, kind=PHOTO, complaint_id=complaint.id)
        assert len(of_case) == 1, "what is sent cannot be taken back"


def test_in_a_full_community_whoever_has_most_files_waiting_makes_room(database, key):
    few = replace(PHOTO, most_unsent=4)
    greedy = [another_form(key) for _ in range(3)]
    for form in greedy:
        keep(database, form, saved(picture()), kind=few)

    for line in ("one", "other", None):
        mine = another_form(key)
        assert keep(database, mine, saved(picture()), kind=few, line=line, prefix=f"prefix of {line}") == []
        assert len(names(database, mine)) == 1
        assert count(database) == 4
    assert [len(names(database, form)) for form in greedy] == [0, 0, 1]


@pytest.mark.parametrize("of", ["line", "prefix"])
def test_one_line_and_one_prefix_have_so_many_files_waiting_in_the_whole_city_and_no_more(database, of):
    few = replace(PHOTO, **{f"most_unsent_of_{of}": 2})
    forms = []
    for number in range(5):
        with database.writing() as session:
            code = find_code(session, token=make_poster_code(session).token, secret_key=SECRET)
        forms.append(SubmissionKey.new(form=Form.COMPLAINT, code_id=code.id, round_id=None, now=NOW))
        where = {"line": "a line" if of == "line" else f"line {number}"}
        assert keep(database, forms[-1], saved(picture()), kind=few, **where) == []

    assert [len(names(database, form)) for form in forms] == [0, 0, 0, 1, 1]


def test_a_line_brings_so_many_files_in_a_day_sent_or_not(database, key):
    few = replace(PHOTO, budget_of_line=FEW)
    for _ in range(FEW.free):
        form = another_form(key)
        assert keep(database, form, saved(picture()), kind=few) == []
        with database.writing() as session:
            complaint = make_complaint(session, make_community(session), submission_key=form.value)
            attach_to_complaint(session, key=form, complaint_id=complaint.id)

    assert keep(database, key, saved(picture()), kind=few) == [AttachmentFault.NO_ROOM]
    assert keep(database, key, saved(picture()), kind=few, line="another line") == []
    assert keep(database, another_form(key), saved(picture()), kind=few, now=NOW + DAY) == []


def test_where_a_file_came_from_is_not_kept_once_its_form_is_sent_or_forgotten(database, key):
    for form in (key, another_form(key)):
        keep(database, form, saved(picture()))
    with database.writing() as session:
        complaint = make_complaint(session, make_community(session), submission_key=key.value)
        attach_to_complaint(session, key=key, complaint_id=complaint.id)
        assert session.scalar(select(func.count()).select_from(AttachmentSource)) == 1
    forget_unsent_attachments(database, now=NOW + DAY)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(AttachmentSource)) == 0


def test_a_response_loses_its_files_of_every_kind_with_its_answers(database):
    with database.writing() as session:
        community, survey_round = make_community(session), make_round(session)
        erased, kept = (make_response(session, survey_round, community) for _ in range(2))
        for values in ({}, {"kind": "letter"}):
            make_photo(session, erased, **values)
        make_photo(session, kept)

        erase_attachments(session, response_ids=[erased.id])

        assert session.scalars(select(Attachment.response_id)).all() == [kept.id]


def test_kinds_have_names_of_their_own():
    assert len({kind.name for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        (b"LETTER dear neighbours -- signed", AttachmentFault.TOO_LARGE),
        (b"LETTER dear -- signed", ScannedFile("text/x-letter", b"dear ")),
        (b"LETTER ", AttachmentFault.UNREADABLE),
        (saved(picture(8, 8), "PNG")[:30], AttachmentFault.UNREADABLE),
    ],
)
def test_another_kind_has_types_a_size_and_a_scan_of_its_own(content, outcome):
    files, faults = scan_uploads([Upload(io.BytesIO(content))], kind=LETTER)

    assert [*files.values(), *faults] == [outcome]


def test_another_kind_is_listed_beside_photos_and_without_a_thumbnail(database, key):
    keep(database, key, saved(picture()))
    keep(database, key, b"LETTER one", kind=LETTER)

    with database.reading() as session:
        (photo,) = attachments_of_form(session, kind=PHOTO, key=key)
        (letter,) = attachments_of_form(session, kind=LETTER, key=key)
    assert photo.thumbnail.startswith("data:image/jpeg;base64,")
    assert letter.thumbnail is None


def test_a_photo_is_drawn_small_when_it_is_kept_and_not_when_it_is_listed(database, key, monkeypatch):
    keep(database, key, saved(picture()))
    with database.reading() as session:
        (before,) = attachments_of_form(session, kind=PHOTO, key=key)

    def refuse(*_arguments, **_named):
        raise AssertionError("a photo is decoded")

    monkeypatch.setattr(photos.Image, "open", refuse)
    with database.reading() as session:
        assert attachments_of_form(session, kind=PHOTO, key=key) == [before]


def test_a_photo_takes_its_small_copy_with_it_whichever_way_it_goes(database, key):
    def small_copies():
        with database.reading() as session:
            return session.scalar(select(func.count()).select_from(AttachmentThumbnail))

    keep(database, key, saved(picture()), saved(picture(90, 70)))
    assert small_copies() == 2
    with database.writing() as session:
        drop_attachments(session, key=key, names=[names(database, key)[0]])
    assert small_copies() == 1
    forget_unsent_attachments(database, now=NOW + DAY)
    assert small_copies() == 0


def test_photos_from_before_there_were_small_copies_get_theirs_with_an_upgrade(database, key):
    keep(database, key, saved(picture()))
    keep(database, key, b"LETTER one", kind=LETTER)
    with database.reading() as session:
        drawn = attachments_of_form(session, kind=PHOTO, key=key)
    with database.writing() as session:
        session.execute(delete(AttachmentThumbnail))

    for _ in range(2):
        draw_missing_thumbnails(database)
        with database.reading() as session:
            assert attachments_of_form(session, kind=PHOTO, key=key) == drawn
            assert session.scalar(select(func.count()).select_from(AttachmentThumbnail)) == 1


def test_the_limits_of_one_kind_leave_no_less_room_for_another(database, key):
    assert keep(database, key, b"LETTER one", b"LETTER two", kind=LETTER) == [AttachmentFault.TOO_MANY]
    assert keep(database, another_form(key), b"LETTER one", kind=LETTER) == []
    assert keep(database, another_form(key), b"LETTER one", kind=LETTER) == []
    assert count(database) == LETTER.most_unsent

    assert keep(database, key, *(saved(picture(100 + number)) for number in range(3))) == []


def test_unsent_files_are_deleted_after_the_time_of_their_kind(database, key):
    keep(database, key, saved(picture()))
    keep(database, key, b"LETTER one", kind=LETTER)

    deleted = [
        forget_unsent_attachments(database, kinds=(PHOTO, LETTER), now=NOW + timedelta(hours=hours))
        for hours in (1, 2, 23, 24)
    ]
    assert deleted == [0, 1, 0, 1]


def test_sizes_are_added_up_by_kind(database, key):
    keep(database, key, saved(picture(100)), saved(picture(200)))
    keep(database, key, b"LETTER one", kind=LETTER)

    with database.reading() as session:
        sizes = sizes_by_kind(session)
        bytes_of_photos = sum(len(content) for content in session.scalars(select(Attachment.content))) - len(b"one")
    assert sizes == {"letter": StoredSize(1, 3), "photo": StoredSize(2, bytes_of_photos)}


def test_an_empty_store_has_no_sizes(database):
    with database.reading() as session:
        assert sizes_by_kind(session) == {}
