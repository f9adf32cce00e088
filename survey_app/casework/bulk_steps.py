"""One step for several cases at once: accept them, dispatch them to the companies in charge, or assign them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import reduce
from typing import Final

from sqlalchemy.orm import Session

from survey_app.accounts.scope import Scope
from survey_app.casework.case_file import CaseFile, read_case_file
from survey_app.casework.releases import Release, store_release
from survey_app.complaints.cases import find_in_scope, take_step
from survey_app.models.vocabulary import CaseAction, CaseActor, Role

BULK_ACTIONS: Final = (CaseAction.ACCEPT, CaseAction.DISPATCH, CaseAction.ASSIGN)
"""Steps that several cases can take at once: they need no words of their own to the resident."""


class Obstacle(StrEnum):
    """Why a case does not take the step that others take."""

    NOT_POSSIBLE = "not_possible"
    NO_COMPANY = "no_company"
    BARRED = "barred"


@dataclass(frozen=True)
class PlannedStep:
    """A case with the step that it would take, or what stands in its way."""

    file: CaseFile
    obstacle: Obstacle | None


@dataclass(frozen=True)
class AskedBulkStep:
    """What the page asks for one case: how many events it showed, and what the company may read."""

    seen: int | None
    text: str
    place: str


def plan_steps(
    session: Session,
    references: Sequence[str],
    action: CaseAction,
    *,
    scope: Scope,
    account_id: int,
    role: Role,
    now: datetime,
) -> Sequence[PlannedStep]:
    """Return each case with what stands in the way of the step; `UnknownNumber` where one is not of the scope."""
    files = [
        read_case_file(session, reference, scope=scope, account_id=account_id, role=role, now=now)
        for reference in references
    ]
    return [PlannedStep(file, _obstacle(file, action)) for file in files]


def offered_handlers(planned: Sequence[PlannedStep]) -> Mapping[int, str]:
    """Return the people to whom every one of the cases that can be assigned may go."""
    offers = [step.file.offered_handlers for step in planned if step.obstacle is None]
    if not offers:
        return {}
    in_all = reduce(set.intersection, ({*offered} for offered in offers))
    return {number: name for number, name in offers[0].items() if number in in_all}


def take_planned(
    session: Session,
    step: PlannedStep,
    action: CaseAction,
    asked: AskedBulkStep,
    *,
    scope: Scope,
    handler_id: int | None,
    by: str,
    account_id: int,
    action_key: str,
    now: datetime,
) -> None:
    """Take the step of one case; raises what `take_step` raises."""
    company = step.file.offered_company
    company_id = company[0] if action is CaseAction.DISPATCH and company is not None else None
    complaint = find_in_scope(session, reference=step.file.reference, scope=scope)
    take_step(
        session,
        reference=step.file.reference,
        action=action,
        actor=CaseActor.BUREAU,
        by=by,
        account_id=account_id,
        company_id=company_id,
        handler_id=handler_id if action is CaseAction.ASSIGN else None,
        action_key=action_key,
        seen=asked.seen,
        now=now,
    )
    if company_id is not None:
        store_release(session, complaint, Release(asked.text, asked.place, step.file.suggestion.photos))


def _obstacle(file: CaseFile, action: CaseAction) -> Obstacle | None:
    if file.is_barred:
        return Obstacle.BARRED
    if action not in file.possible:
        return Obstacle.NOT_POSSIBLE
    return Obstacle.NO_COMPANY if action is CaseAction.DISPATCH and file.offered_company is None else None
