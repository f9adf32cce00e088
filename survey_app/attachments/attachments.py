"""Store of attachments: scan, keep, list, drop, give to an owner, erase, and add up by kind.

They are kept in the database: a file is stored or lost together with its case or its response, one backup holds both,
and several servers need no common disk. They come with the first sight of a form, and wait under its key until all of
it is stored: a page without JavaScript cannot hand a chosen file on to the next page.
"""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, cast

from sqlalchemy import Select, Table, and_, delete, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from analytics.canonical import sha256_hex
from survey_app.accounts.attempt_limits import Source, take_turn
from survey_app.accounts.network_digests import NetworkDigests
from survey_app.attachments.kinds import KINDS, AttachmentKind
from survey_app.attachments.photos import data_address
from survey_app.attachments.scanning import (
    AttachmentFault,
    AttachmentRefused,
    ScannedFile,
    Upload,
    recognise_type,
)
from survey_app.models import Attachment, AttachmentSource, AttachmentThumbnail, Response
from survey_app.security.submission_keys import SubmissionKey
from survey_app.storage.database import Database
from survey_app.storage.insert_once import insert_once
from survey_app.storage.short_transactions import ShortTransactions, read_ids

# Each is some hundred kilobytes.
_MOST_AT_ONCE: Final = 20

_UNSENT = and_(Attachment.complaint_id.is_(None), Attachment.response_id.is_(None))


@dataclass(frozen=True)
class KeptAttachment:
    """An attachment as a form or a case lists it; without a thumbnail where its kind has none."""

    name: str
    thumbnail: str | None


@dataclass(frozen=True)
class StoredSize:
    """How much the database holds of one kind."""

    files: int
    content_bytes: int


def scan_uploads(
    uploads: Iterable[Upload], *, kind: AttachmentKind
) -> tuple[dict[str, ScannedFile], list[AttachmentFault]]:
    """Return the files by the digest of their upload, and why others were not taken; it needs no database.

    Where one found no place to be scanned, those after it do not wait for one.
    """
    files: dict[str, ScannedFile] = {}
    faults: list[AttachmentFault] = []
    for upload in uploads:
        if AttachmentFault.BUSY in faults:
            faults.append(AttachmentFault.BUSY)
            continue
        try:
            content = _checked_content(upload, kind)
            upload_sha256 = sha256_hex(content)
            if upload_sha256 not in files:
                files[upload_sha256] = _scan(content, kind)
        except AttachmentRefused as refusal:
            faults.append(refusal.fault)
    return files, faults


def change_attachments(
    session: Session,
    *,
    kind: AttachmentKind,
    key: SubmissionKey,
    community_id: int,
    network: NetworkDigests | None,
    dropped: Sequence[str],
    files: Mapping[str, ScannedFile],
    question: str = "",
    most: int | None = None,
    secret_key: str,
    now: datetime,
) -> list[AttachmentFault]:
    """Take back files that wait, keep others in their place, and return why some were not kept."""
    drop_attachments(session, key=key, names=dropped)
    return keep_attachments(
        session,
        kind=kind,
        key=key,
        community_id=community_id,
        network=network,
        files=files,
        question=question,
        most=most,
        secret_key=secret_key,
        now=now,
    )


def keep_attachments(
    session: Session,
    *,
    kind: AttachmentKind,
    key: SubmissionKey,
    community_id: int,
    network: NetworkDigests | None,
    files: Mapping[str, ScannedFile],
    question: str = "",
    most: int | None = None,
    secret_key: str,
    now: datetime,
) -> list[AttachmentFault]:
    """Keep files until their form is sent; the same file sent again is kept once.

    At most `most` wait for one `question` of a form, as many as the kind allows where it is None; a complaint has no
    questions and asks once. Where no more may wait, a file of whoever has most of them makes room.
    """
    most = kind.most_per_question if most is None else most
    of_question = select(Attachment.upload_sha256).filter_by(
        submission_key=key.value, kind=kind.name, question=question
    )
    faults = []
    for upload_sha256, file in files.items():
        kept = set(session.scalars(of_question))
        if upload_sha256 in kept:
            continue
        if len(kept) >= most:
            faults.append(AttachmentFault.TOO_MANY)
        elif not _take_turn(session, kind, network, secret_key=secret_key, now=now):
            faults.append(AttachmentFault.NO_ROOM)
        else:
            _make_room(session, kind, community_id, network)
            values = {
                "kind": kind.name,
                "submission_key": key.value,
                "question": question,
                "community_id": community_id,
                "upload_sha256": upload_sha256,
                "added_at": now,
            }
            _store_once(session, values, file, network)
    return faults


def attachments_of_form(
    session: Session, *, kind: AttachmentKind, key: SubmissionKey, question: str = ""
) -> list[KeptAttachment]:
    """Return the files that came with this form for one of its questions."""
    return _list_attachments(session, kind, submission_key=key.value, question=question)


def attachments_of_complaint(session: Session, *, kind: AttachmentKind, complaint_id: int) -> list[KeptAttachment]:
    """Return the files of a case."""
    return _list_attachments(session, kind, complaint_id=complaint_id)


def attachments_by_step(
    session: Session, *, kind: AttachmentKind, complaint_id: int
) -> defaultdict[str | None, list[KeptAttachment]]:
    """Return the files that came with the steps of a case, by the keys of the forms that asked for them."""
    by_step: defaultdict[str | None, list[KeptAttachment]] = defaultdict(list)
    for step_key, kept in _read_attachments(session, kind, complaint_id=complaint_id):
        by_step[step_key].append(kept)
    return by_step


def keep_for_step(
    session: Session,
    *,
    kind: AttachmentKind,
    step_key: str,
    complaint_id: int,
    community_id: int,
    files: Mapping[str, ScannedFile],
    now: datetime,
) -> None:
    """Keep the files of a step of a case; the same form sent again keeps none twice."""
    for upload_sha256, file in files.items():
        values = {
            "kind": kind.name,
            "submission_key": step_key,
            "question": "",
            "community_id": community_id,
            "complaint_id": complaint_id,
            "upload_sha256": upload_sha256,
            "added_at": now,
        }
        _store_once(session, values, file, network=None)


def find_attachment(session: Session, *, complaint_id: int, name: str, kinds: Iterable[AttachmentKind]) -> Attachment:
    """Return a file of a case with its content, or raise `LookupError` where it has none of this name and kind."""
    of_kinds = Attachment.kind.in_([kind.name for kind in kinds])
    found = session.scalar(select(Attachment).filter_by(complaint_id=complaint_id, name=name).where(of_kinds))
    if found is None:
        raise LookupError(name)
    return found


def attachments_of_response(
    session: Session, *, kind: AttachmentKind, response_id: int, question: str
) -> list[KeptAttachment]:
    """Return the files that came with a response for one of its questions."""
    return _list_attachments(session, kind, response_id=response_id, question=question)


def drop_attachments(session: Session, *, key: SubmissionKey, names: Sequence[str]) -> None:
    """Take back files that wait until their form is sent."""
    session.execute(
        delete(Attachment).where(Attachment.submission_key == key.value, Attachment.name.in_(names), _UNSENT)
    )


def attach_to_complaint(session: Session, *, key: SubmissionKey, complaint_id: int) -> None:
    """Give the case the files that waited for it."""
    session.execute(update(Attachment).filter_by(submission_key=key.value).values(complaint_id=complaint_id))
    _forget_sources(session, key)


def attach_to_response(session: Session, *, key: SubmissionKey, questions: Sequence[str]) -> None:
    """Give the response of this form the files that waited for it; those of questions that do not concern it stay."""
    waiting = update(Attachment).where(
        Attachment.submission_key == key.value, Attachment.question.in_(questions), _UNSENT
    )
    session.execute(waiting.values(response_id=_response_of(key).scalar_subquery()))
    _forget_sources(session, key)


def pass_on_attachments(session: Session, *, response_id: int, key: SubmissionKey) -> None:
    """Give the files of a response to the one that stands for it, which this form brought."""
    of_response = update(Attachment).filter_by(response_id=response_id)
    session.execute(of_response.values(response_id=_response_of(key).scalar_subquery()))


def erase_attachments(session: Session, *, response_ids: Sequence[int] | Select[int]) -> None:
    """Delete the files of responses whose answers go, whatever their kind."""
    session.execute(delete(Attachment).where(Attachment.response_id.in_(response_ids)))


def forget_unsent_attachments(database: Database, *, kinds: Iterable[AttachmentKind] = KINDS, now: datetime) -> int:
    """Delete the files whose form was not sent within the time of their kind, and return how many."""
    is_old = or_(*(and_(Attachment.kind == kind.name, Attachment.added_at <= now - kind.unsent_kept) for kind in kinds))
    transactions = ShortTransactions(database, most=_MOST_AT_ONCE)
    deleted = 0
    for part in transactions.parts(read_ids(database, select(Attachment.id).where(_UNSENT, is_old))):
        with transactions.writing() as session:
            # One whose form was sent meanwhile belongs to somebody.
            forgetting = delete(Attachment).where(Attachment.id.in_(part), _UNSENT)
            deleted += session.connection().execute(forgetting).rowcount
    return deleted


def sizes_by_kind(session: Session) -> dict[str, StoredSize]:
    """Return how many files of each kind a backup holds, and their bytes; kinds without files are left out."""
    statement = (
        select(Attachment.kind, func.count(), func.sum(Attachment.size))
        .group_by(Attachment.kind)
        .order_by(Attachment.kind)
    )
    return {kind: StoredSize(files, int(size)) for kind, files, size in session.execute(statement)}


def draw_missing_thumbnails(database: Database) -> None:
    """Draw the small copies of the files that were kept before there were any; a second call finds the rest."""
    for kind in KINDS:
        if kind.thumbnail is None:
            continue
        missing = (
            select(Attachment.id).outerjoin(AttachmentThumbnail).where(AttachmentThumbnail.attachment_id.is_(None))
        )
        found = read_ids(database, missing.where(Attachment.kind == kind.name).order_by(Attachment.id))
        transactions = ShortTransactions(database, most=_MOST_AT_ONCE)
        for part in transactions.parts(found):
            of_part = Attachment.id.in_(part)
            with database.reading() as session:
                kept = session.execute(select(Attachment.id, Attachment.content).where(of_part)).all()
            small = {number: kind.thumbnail(content) for number, content in kept}
            with transactions.writing() as session:
                # One that was erased meanwhile needs none.
                for number in session.scalars(missing.where(of_part)).all():
                    session.add(AttachmentThumbnail(attachment_id=number, content=small[number]))


def _scan(content: bytes, kind: AttachmentKind) -> ScannedFile:
    file = kind.scan(content)
    return file if kind.thumbnail is None else replace(file, thumbnail=kind.thumbnail(file.content))


def _checked_content(upload: Upload, kind: AttachmentKind) -> bytes:
    if upload.fault:
        raise AttachmentRefused(upload.fault)
    content = upload.content
    # Whatever way it came: a form whose fields were read before its kind was known is bounded by another kind.
    if len(content) > kind.largest_bytes:
        raise AttachmentRefused(AttachmentFault.TOO_LARGE)
    recognise_type(content, among=kind.media_types)
    return content


def _store_once(
    session: Session, values: Mapping[str, object], file: ScannedFile, network: NetworkDigests | None
) -> None:
    stored = _stored_file(file)
    insert_once(session, cast(Table, Attachment.__table__), {**values, **stored})
    # None where the same file of this form had come before, or at the same moment.
    attachment_id = session.scalar(select(Attachment.id).filter_by(name=stored["name"]))
    if attachment_id is not None:
        _keep_beside(session, attachment_id, file, network)


def _stored_file(file: ScannedFile) -> dict[str, object]:
    return {
        "name": secrets.token_urlsafe(16),
        "media_type": file.media_type,
        "size": len(file.content),
        "sha256": sha256_hex(file.content),
        "content": file.content,
    }


def _list_attachments(session: Session, kind: AttachmentKind, **owner: object) -> list[KeptAttachment]:
    return [kept for _key, kept in _read_attachments(session, kind, **owner)]


def _read_attachments(session: Session, kind: AttachmentKind, **owner: object) -> Iterator[tuple[str, KeptAttachment]]:
    """Yield the files of an owner in their order, each with the key of the form that it came with."""
    columns = (Attachment.submission_key, Attachment.name, AttachmentThumbnail.content)
    statement = select(*columns).select_from(Attachment).outerjoin(AttachmentThumbnail)
    for key, name, small in session.execute(statement.filter_by(kind=kind.name, **owner).order_by(Attachment.id)):
        yield key, KeptAttachment(name, None if small is None else data_address(small))


def _response_of(key: SubmissionKey) -> Select[int]:
    return select(Response.id).filter_by(submission_key=key.value)


def _take_turn(
    session: Session, kind: AttachmentKind, network: NetworkDigests | None, *, secret_key: str, now: datetime
) -> bool:
    source = Source.of(network)
    budgets = {f"line {source.line}": kind.budget_of_line}
    if source.prefix is not None:
        budgets[f"prefix {source.prefix}"] = kind.budget_of_prefix
    return take_turn(session, action=f"attachment {kind.name}", budgets=budgets, secret_key=secret_key, now=now)


def _make_room(session: Session, kind: AttachmentKind, community_id: int, network: NetworkDigests | None) -> None:
    """Delete the oldest waiting file of a source that fills its own room, or of the greediest one in a full community.

    Not the newest is refused: whoever fills the room would keep everybody else out of it.
    """
    unsent = select(Attachment.id).outerjoin(AttachmentSource).where(_UNSENT, Attachment.kind == kind.name)
    if network is not None:
        for column, digest, most in (
            (AttachmentSource.address_digest, network.address, kind.most_unsent_of_line),
            (AttachmentSource.prefix_digest, network.prefix, kind.most_unsent_of_prefix),
        ):
            of_source = unsent.where(column == digest)
            _drop_oldest(session, of_source, _count(session, of_source) + 1 - most)
    of_community = unsent.where(Attachment.community_id == community_id)
    if _count(session, of_community) >= kind.most_unsent:
        for column in (AttachmentSource.prefix_digest, AttachmentSource.address_digest):
            of_community = of_community.where(column.is_not_distinct_from(_greediest(session, of_community, column)))
        _drop_oldest(session, of_community, 1)


def _greediest(session: Session, unsent: Select[int], column: InstrumentedAttribute[str]) -> str | None:
    """Return the digest with most of these files, of several the one that came first."""
    by_source = unsent.with_only_columns(column).group_by(column)
    return session.scalar(by_source.order_by(func.count().desc(), func.min(Attachment.id)).limit(1))


def _drop_oldest(session: Session, unsent: Select[int], count: int) -> None:
    if count > 0:
        oldest = session.scalars(unsent.order_by(Attachment.id).limit(count)).all()
        session.execute(delete(Attachment).where(Attachment.id.in_(oldest)))


def _count(session: Session, unsent: Select[int]) -> int:
    return session.scalar(select(func.count()).select_from(unsent.subquery())) or 0


def _keep_beside(session: Session, attachment_id: int, file: ScannedFile, network: NetworkDigests | None) -> None:
    """Keep the small copy of a file, and from where it came until its form is sent."""
    if file.thumbnail is not None:
        session.add(AttachmentThumbnail(attachment_id=attachment_id, content=file.thumbnail))
    if network is not None:
        session.add(
            AttachmentSource(attachment_id=attachment_id, address_digest=network.address, prefix_digest=network.prefix)
        )
    session.flush()


def _forget_sources(session: Session, key: SubmissionKey) -> None:
    """Delete where the files of a form came from: it has been sent."""
    of_form = select(Attachment.id).filter_by(submission_key=key.value).where(~_UNSENT)
    session.execute(delete(AttachmentSource).where(AttachmentSource.attachment_id.in_(of_form)))
