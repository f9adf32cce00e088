"""Declared help: visits and telephones that staff announced beforehand, whose answers may come over one line.

A volunteer who goes from door to door, or a counter where residents use the office's computer, leaves the same traces
as somebody who fills in forms for others. Each declared help has a code of its own, which marks the forms that are
opened through it. As many of them as were expected, opened while the help lasts, are exempt from the signs of lines and
times; from those of answers they are not, and every page that shows the result counts them.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import pandas as pd
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from analytics.files.yaml_documents import Fault
from analytics.languages import N_
from survey_app.accounts.scope import Scope
from survey_app.audit import account_actor, record
from survey_app.collection.tallies import count_through_codes
from survey_app.errors import JiayuanError
from survey_app.models import Code, Community, DeclaredHelp, Round
from survey_app.models.vocabulary import AuditAction, CodeKind
from survey_app.security.text import clean_text

LONGEST_TEXT: Final = 200
# A team of two reaches hardly more homes on one day. More days are more declarations.
MOST_EXPECTED: Final = 200
LONGEST_HELP: Final = timedelta(hours=24)
_TOKEN_BYTES: Final = 16


class HelpRefused(JiayuanError):
    """The help cannot be declared as asked; the faults say why, all of them."""

    status = 409

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


@dataclass(frozen=True)
class ListedHelp:
    """Declared help with its place, and how many answers came through its code."""

    help: DeclaredHelp
    token: str | None
    is_revoked: bool
    number: str
    name: str
    english_name: str | None
    received: int


def declare_help(
    session: Session,
    *,
    survey_round: Round,
    community: Community,
    begins_at: datetime,
    ends_at: datetime,
    helper: str,
    reason: str,
    expected: int,
    account_id: int,
    now: datetime,
) -> DeclaredHelp:
    """Declare help in advance and issue its code, or raise `HelpRefused` with every fault."""
    said = {"helper": clean_text(helper), "reason": clean_text(reason)}
    if faults := list(_faults(survey_round, begins_at, ends_at, expected, said, now=now)):
        raise HelpRefused(faults)
    # Longer than a poster's, which people type: nobody finds it by trial.
    token = secrets.token_hex(_TOKEN_BYTES)
    code = Code(kind=CodeKind.POSTER, token=token, community=community, issued_at=now)
    declared = DeclaredHelp(
        round_id=survey_round.id,
        code=code,
        begins_at=begins_at,
        ends_at=ends_at,
        expected=expected,
        declared_at=now,
        declared_by_id=account_id,
        **said,
    )
    session.add(declared)
    session.flush()
    record(
        session,
        by=account_actor(account_id),
        action=AuditAction.HELP_DECLARED,
        subject=f"code:{code.id}",
        after={
            "round": survey_round.id,
            "community": community.id,
            "begins_at": begins_at.isoformat(),
            "ends_at": ends_at.isoformat(),
            "expected": expected,
        },
        now=now,
    )
    return declared


def list_help(session: Session, *, round_id: int, scope: Scope) -> list[ListedHelp]:
    """Return the declared help of a round in scope, the latest first."""
    received = count_through_codes(session, round_id=round_id, scope=scope)
    statement: Select[DeclaredHelp, Code, Community] = (
        select(DeclaredHelp, Code, Community)
        .join(Code, Code.id == DeclaredHelp.code_id)
        .join(Community, Community.id == Code.community_id)
        .where(DeclaredHelp.round_id == round_id)
        .order_by(DeclaredHelp.begins_at.desc(), DeclaredHelp.id.desc())
    )
    return [
        ListedHelp(
            help=declared,
            token=code.token,
            is_revoked=code.revoked_at is not None,
            number=community.number,
            name=community.name,
            english_name=community.english_name,
            received=received.get(code.id, 0),
        )
        for declared, code, community in session.execute(scope.communities(statement))
    ]


def help_code_ids(session: Session, round_id: int) -> Sequence[int]:
    """Return the ids of the codes of a round's declared help."""
    return session.scalars(select(DeclaredHelp.code_id).filter_by(round_id=round_id)).all()


def are_helped(session: Session, responses: pd.DataFrame, *, round_id: int) -> "pd.Series[bool]":
    """Return which responses came with declared help: in its time, through its code, no more than were expected.

    `responses` has response_id, code_id, started_at and submitted_at, in UTC.
    """
    helped = pd.Series(data=False, index=responses.index)
    for declared in session.scalars(select(DeclaredHelp).filter_by(round_id=round_id)):
        started = pd.to_datetime(responses["started_at"], utc=True)
        inside = (responses["code_id"] == declared.code_id) & started.between(
            declared.begins_at, declared.ends_at, inclusive="left"
        )
        first = responses[inside].sort_values(["submitted_at", "response_id"]).head(declared.expected)
        helped[first.index] = True
    return helped


def _faults(
    survey_round: Round,
    begins_at: datetime,
    ends_at: datetime,
    expected: int,
    said: dict[str, str],
    *,
    now: datetime,
) -> Iterator[Fault]:
    if not survey_round.accepts_posters:
        yield Fault(N_("this round takes answers through household slips alone: each household uses its own slip"))
    if begins_at < now:
        yield Fault(N_("help is declared before it begins"))
    if not begins_at < ends_at <= begins_at + LONGEST_HELP:
        yield Fault(N_("help ends after it begins and lasts 24 hours at most: declare each day by itself"))
    if begins_at < survey_round.opens_at or ends_at > survey_round.closes_at:
        yield Fault(N_("help lies within the days of the round"))
    if not 0 < expected <= MOST_EXPECTED:
        yield Fault(N_("between 1 and {most} answers can be expected"), {"most": MOST_EXPECTED})
    if not all(0 < len(text) <= LONGEST_TEXT for text in said.values()):
        yield Fault(N_("who helps and why are needed, each in at most {most} characters"), {"most": LONGEST_TEXT})
