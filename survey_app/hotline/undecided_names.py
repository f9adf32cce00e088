"""Names in the hotline's files that mean no one community, until a person has decided which is meant."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.languages import Wording
from survey_app.hotline.community_names import alias_key, read_community_names
from survey_app.hotline.findings import LedgerFindings
from survey_app.hotline.import_files import list_files
from survey_app.models import Community, CommunityAlias, District

_FILES_LOOKED_AT: Final = 50
_MOST_OFFERED: Final = 3
_LEAST_LIKENESS: Final = 0.5


@dataclass(frozen=True)
class OfferedCommunity:
    """A community that a name may mean."""

    number: str
    name: Wording
    district: Wording


@dataclass(frozen=True)
class UndecidedName:
    """A name with how many rows of which file had it, and the communities that are called like it."""

    name: str
    rows: int
    file: str
    offered: Sequence[OfferedCommunity]


@dataclass(frozen=True)
class DecidedAlias:
    """A name that a person has decided on; where another community has it too, it decides nothing."""

    id: int
    alias: str
    community: Wording
    is_of_several: bool


def list_undecided(session: Session) -> Sequence[UndecidedName]:
    """Return the names that are still undecided, of the newest file that has each, the most frequent first."""
    names = read_community_names(session)
    found: dict[str, tuple[int, str]] = {}
    for kept in list_files(session, limit=_FILES_LOOKED_AT):
        if kept.findings is None or kept.taken_back_at is not None:
            continue
        for name, rows in LedgerFindings.parse(kept.findings).undecided.items():
            if names.find(name) is None:
                found.setdefault(name, (rows, kept.name))
    offered = _communities_by_key(session) if found else {}
    return [
        UndecidedName(name, rows, file, _offered(name, offered))
        for name, (rows, file) in sorted(found.items(), key=lambda each: (-each[1][0], each[0]))
    ]


def list_aliases(session: Session) -> Sequence[DecidedAlias]:
    """Return the names that were decided, in their order."""
    rows = session.execute(
        select(CommunityAlias, Community)
        .join(Community, Community.id == CommunityAlias.community_id)
        .order_by(CommunityAlias.alias, CommunityAlias.id)
    ).all()
    keys = [alias_key(alias.alias) for alias, _community in rows]
    return [
        DecidedAlias(alias.id, alias.alias, Wording.of(community.name, community.english_name), keys.count(key) > 1)
        for (alias, community), key in zip(rows, keys, strict=True)
    ]


def _communities_by_key(session: Session) -> dict[str, list[OfferedCommunity]]:
    rows = session.execute(
        select(Community, District).join(District, District.id == Community.district_id).order_by(Community.sort_key)
    )
    found: dict[str, list[OfferedCommunity]] = {}
    for community, district in rows:
        offered = OfferedCommunity(
            community.number,
            Wording.of(community.name, community.english_name),
            Wording.of(district.name, district.english_name),
        )
        found.setdefault(alias_key(community.name), []).append(offered)
    return found


def _offered(name: str, by_key: dict[str, list[OfferedCommunity]]) -> list[OfferedCommunity]:
    key = alias_key(name)
    containing = [each for each in by_key if key in each or each in key]
    alike = get_close_matches(key, by_key, n=_MOST_OFFERED, cutoff=_LEAST_LIKENESS)
    keys = dict.fromkeys([*sorted(containing, key=lambda each: abs(len(each) - len(key))), *alike])
    return [community for each in keys for community in by_key[each]][:_MOST_OFFERED]
