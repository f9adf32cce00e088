"""What the complaint rate leaves out is told however many cases that are."""

import sqlite3
from datetime import UTC, datetime, timedelta

from survey_app.accounts.scope import EVERYWHERE
from survey_app.casework.rate_exclusions import Exclusion, list_excluded
from survey_app.complaints.cases import take_step
from survey_app.models import PropertyCompany
from survey_app.models.vocabulary import AppealDecision, CaseAction, CaseActor, CaseEndReason
from tests.factories import make_account, make_appeal, make_community, make_complaint, make_poster_code, make_round

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def test_more_cases_are_told_than_a_statement_takes_values(sqlite_database):
    values = 100
    with sqlite_database.writing() as session:
        make_round(session)
        company = PropertyCompany(name="甲物业", sort_key="a")
        session.add(company)
        community = make_community(session, company=company)
        code, account = make_poster_code(session, community), make_account(session, username="district")
        for number in range(2 * values):
            filed_at = NOW - (3 * DAY if number % 2 else timedelta(minutes=5))
            case = make_complaint(session, community, category="CL01", code_id=code.id, submitted_at=filed_at)
            if number % 2:
                appeal = make_appeal(session, case, now=NOW - 2 * DAY)
                appeal.decision, appeal.decided_by_id, appeal.decided_at = AppealDecision.UPHELD, account.id, NOW - DAY
            else:
                take_step(
                    session,
                    reference=case.reference,
                    action=CaseAction.INVALIDATE,
                    actor=CaseActor.BUREAU,
                    by="account",
                    account_id=account.id,
                    reason=CaseEndReason.NOT_A_CASE,
                    now=NOW,
                )

    with sqlite_database.reading() as session:
        session.connection().connection.driver_connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, values)
        told = list_excluded(session, EVERYWHERE, since=NOW - 9 * DAY)

    said = [(each.exclusion, each.reason, each.account, each.at) for each in told]
    assert said[:values] == [(Exclusion.ENDED, CaseEndReason.NOT_A_CASE, "district", NOW)] * values
    assert said[values:] == [(Exclusion.APPEAL, CaseEndReason.OTHER_AUTHORITY, "district", NOW - DAY)] * values
    assert len({each.reference for each in told}) == 2 * values
