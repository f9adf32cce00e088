"""Who may deal with a case in stage 2: somebody who took no part in stage 1, and where nobody is left, the city."""

from collections.abc import Set as AbstractSet

from sqlalchemy.orm import Session

from survey_app.casework.office_accounts import BUREAU_ROLES, office_accounts
from survey_app.complaints.cases import read_history
from survey_app.complaints.state_machine import CaseState
from survey_app.models import Complaint
from survey_app.models.vocabulary import Role


def may_deal_with(session: Session, complaint: Complaint, state: CaseState, *, account_id: int, role: Role) -> bool:
    """Return whether an account of an office may take steps of a case where it stands."""
    if state.stage == 1:
        return True
    return is_somebody_else(session, complaint, _took_part(session, complaint), account_id=account_id, role=role)


def is_somebody_else(
    session: Session, complaint: Complaint, took_part: AbstractSet[int], *, account_id: int, role: Role
) -> bool:
    """Return whether an account is none of those that took part; where no bureau account is left, the city is."""
    if account_id not in took_part:
        return True
    reviewers = {
        account.id for account in office_accounts(session, complaint.community) if account.role in BUREAU_ROLES
    }
    return role is Role.CITY and reviewers <= took_part


def _took_part(session: Session, complaint: Complaint) -> set[int]:
    """Return the accounts that took a step before the case went to stage 2."""
    return {
        past.account_id
        for past in read_history(session, complaint)
        if past.account_id is not None and past.before is not None and past.before.stage == 1
    }
