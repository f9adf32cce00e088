"""Headers of the lists of a source, such as a district: kept, so that its next list is read without asking again."""

from collections.abc import Mapping

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from analytics.files.written_text import is_blank
from analytics.files.yaml_documents import Fault
from analytics.languages import N_
from survey_app.models import ColumnHeader
from survey_app.register.communities_file import COLUMNS, LONGEST_TEXT, PlacesError, header_text


def sources(session: Session) -> list[str]:
    """Return the sources whose headers are kept, in order."""
    return list(session.scalars(select(ColumnHeader.source).distinct().order_by(ColumnHeader.source)))


def headers_of(session: Session, source: str) -> dict[str, str]:
    """Return by field what the lists of a source write above it; nothing of a source that is not known."""
    kept = select(ColumnHeader.field, ColumnHeader.written).filter_by(source=source)
    return dict(session.execute(kept).all())


def keep_headers(session: Session, *, source: str, headers: Mapping[str, str]) -> None:
    """Keep what the lists of a source write above the fields, instead of what was kept of it before."""
    session.execute(delete(ColumnHeader).filter_by(source=source))
    session.add_all(ColumnHeader(source=source, field=field, written=written) for field, written in headers.items())


def checked_headers(headers: Mapping[str, str], *, source: str) -> dict[str, str]:
    """Return headers by field as a list is read, without blank ones; `PlacesError` with all that is wrong with them."""
    shown = {column.field: column.header for column in COLUMNS}
    stated = {field: header_text(written) for field, written in headers.items() if not is_blank(written)}
    faults = []
    if len(source) > LONGEST_TEXT:
        faults.append(Fault(_TOO_LONG, {"length": len(source), "most": LONGEST_TEXT}))
    first: dict[str, str] = {}
    for field, written in stated.items():
        if field not in shown:
            faults.append(Fault(N_("there is no column {field}"), {"field": field}))
        elif len(written) > LONGEST_TEXT:
            faults.append(Fault(_TOO_LONG, {"length": len(written), "most": LONGEST_TEXT}, shown[field]))
        elif (other := first.setdefault(written.lower(), field)) != field:
            facts = {"written": written, "other": shown[other]}
            faults.append(Fault(N_("the header {written} is chosen for {other} already"), facts, shown[field]))
    if faults:
        raise PlacesError(source or "-", faults)
    return stated


_TOO_LONG = N_("this text has {length} characters, at most {most}")
