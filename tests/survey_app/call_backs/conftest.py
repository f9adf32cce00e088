"""A month of closed cases of two companies, most with a telephone number."""

from datetime import UTC, datetime, timedelta

import pytest

from survey_app.city_time import Month
from survey_app.complaints.cases import record_history
from survey_app.complaints.contacts import store_contact
from survey_app.complaints.state_machine import Event
from survey_app.models import Community, PropertyCompany
from survey_app.models.vocabulary import CaseAction, CaseActor
from tests.accounts import SECRET_KEY, make_account
from tests.factories import make_community, make_complaint, make_district, make_round

SEPTEMBER = Month(2026, 9)
FILED = datetime(2026, 9, 1, 1, 0, tzinfo=UTC)
LATER = datetime(2026, 10, 5, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
BUREAU, COMPANY, RESIDENT, SYSTEM = CaseActor.BUREAU, CaseActor.COMPANY, CaseActor.RESIDENT, CaseActor.SYSTEM


class City:
    """A city of two districts, each with a community and a company, and accounts of its offices."""

    def __init__(self, database):
        self.database = database
        with database.writing() as session:
            make_round(session)
            self.places, self.companies = [], []
            for number, name in enumerate(("安居物业", "滨河物业")):
                company = PropertyCompany(name=name, english_name=f"Company {number}", sort_key=str(number))
                session.add(company)
                district = make_district(session)
                self.places.append(make_community(session, district=district, company=company).id)
                self.companies.append(company.id)
                make_account(session, f"district{number}", role="district", district=district, now=FILED)
            for name in ("city", "colleague"):
                make_account(session, name, role="city", now=FILED)
            self.districts = [session.get_one(Community, place).district_id for place in self.places]

    def close(self, *, place=0, end="silent", contact="13800138000", count=1, filed=FILED, company=True):
        """File cases that are answered and closed; return their references."""
        references = []
        with self.database.writing() as session:
            for _case in range(count):
                complaint = make_complaint(
                    session, session.get_one(Community, self.places[place]), category="CL01", submitted_at=filed
                )
                record_history(
                    session, reference=complaint.reference, events=self._events(end, filed, place, is_companys=company)
                )
                if contact:
                    store_contact(session, complaint=complaint, contact=contact, secret_key=SECRET_KEY, now=filed)
                references.append(complaint.reference)
        return references

    def _events(self, end, filed, place, *, is_companys):
        company = self.companies[place] if is_companys else None
        yield Event(CaseAction.ACCEPT, BUREAU, filed + HOUR)
        yield Event(CaseAction.DISPATCH, BUREAU, filed + 2 * HOUR, company_id=company)
        yield Event(CaseAction.START, COMPANY if is_companys else BUREAU, filed + 3 * HOUR)
        yield Event(CaseAction.RESPOND, COMPANY if is_companys else BUREAU, filed + 9 * HOUR)
        if end == "silent":
            yield Event(CaseAction.AUTO_CLOSE, SYSTEM, filed + 9 * HOUR + timedelta(days=7))
        else:
            yield Event(CaseAction(end), RESIDENT, filed + 12 * HOUR)


@pytest.fixture
def city(database):
    return City(database)


@pytest.fixture
def site(app, sqlite_database):
    """The site with such a city."""
    made = City(sqlite_database)
    made.app = app
    return made
