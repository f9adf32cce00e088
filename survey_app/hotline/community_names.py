"""Which community a name of the hotline means: by number, by name, or by an alias that a person has decided on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from analytics.files.written_text import comparison_key, number_key
from survey_app import audit
from survey_app.errors import UnknownNumber
from survey_app.models import Community, CommunityAlias, District
from survey_app.models.vocabulary import AuditAction
from survey_app.security.text import one_line

_GENERIC = "小区"


@dataclass(frozen=True)
class CommunityNames:
    """Communities by what they may be called; a key of several communities decides nothing."""

    by_number: Mapping[str, frozenset[int]]
    by_alias: Mapping[str, frozenset[int]]
    by_name: Mapping[str, frozenset[int]]

    def find(self, written: str) -> int | None:
        """Return the community that is meant, or None where none or more than one is.

        What a person has decided goes before what a name looks like.
        """
        for meant in (
            self.by_number.get(number_key(written)),
            self.by_alias.get(alias_key(written)),
            self.by_name.get(alias_key(written)),
        ):
            if meant is not None:
                return min(meant) if len(meant) == 1 else None
        return None


def alias_key(written: str) -> str:
    """Return what is compared of a name: widths, blanks, capital letters and a 小区 at its end make no difference.

    >>> alias_key("阳光花园小区") == alias_key(" 阳光 花园 ")
    True
    """
    key = "".join(comparison_key(written).split())
    return key.removesuffix(_GENERIC) or key


def read_community_names(session: Session) -> CommunityNames:
    """Return what the communities of the register may be called; with the district before it, too."""
    rows = session.execute(
        select(Community.id, Community.number, Community.name, Community.english_name, District.name.label("district"))
        .join(District, District.id == Community.district_id)
        .order_by(Community.id)
    ).all()
    names = (
        (row.id, name) for row in rows for name in (row.name, row.english_name, f"{row.district}{row.name}") if name
    )
    aliases = session.execute(select(CommunityAlias.community_id, CommunityAlias.alias)).all()
    return CommunityNames(
        by_number=_gathered((row.id, number_key(row.number)) for row in rows),
        by_alias=_gathered((row.community_id, alias_key(row.alias)) for row in aliases),
        by_name=_gathered((community_id, alias_key(name)) for community_id, name in names),
    )


def add_alias(session: Session, *, alias: str, called: str, account_id: int, by: str, now: datetime) -> None:
    """Note that the hotline means a community by a name; `UnknownNumber` unless one community is called as typed."""
    community = session.get(Community, read_community_names(session).find(called) or 0)
    if community is None:
        raise UnknownNumber
    written = one_line(alias)
    known = session.scalars(select(CommunityAlias).filter_by(alias=written, community_id=community.id)).first()
    if known is not None:
        return
    session.add(CommunityAlias(alias=written, community_id=community.id, account_id=account_id, added_at=now))
    session.flush()
    _record(session, community.id, {"alias": written}, by=by, now=now)


def remove_alias(session: Session, *, alias_id: int, by: str, now: datetime) -> None:
    """Forget that the hotline means a community by a name; cases that came in by it stay where they are."""
    known = session.get(CommunityAlias, alias_id)
    if known is None:
        return
    session.execute(delete(CommunityAlias).filter_by(id=alias_id))
    _record(session, known.community_id, {"alias": known.alias, "is_removed": True}, by=by, now=now)


def _record(session: Session, community_id: int, facts: Mapping[str, str | bool], *, by: str, now: datetime) -> None:
    subject = f"community:{community_id}"
    audit.record(session, by=by, action=AuditAction.COMMUNITY_ALIAS_SET, subject=subject, after=dict(facts), now=now)


def _gathered(pairs: Iterable[tuple[int, str]]) -> Mapping[str, frozenset[int]]:
    found: defaultdict[str, set[int]] = defaultdict(set)
    for community_id, key in pairs:
        found[key].add(community_id)
    return {key: frozenset(ids) for key, ids in found.items()}
