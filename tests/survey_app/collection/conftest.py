"""An open round of two communities, and residents who answer, answer again, correct and withdraw."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from survey_app.evaluations.collection_recount import find_differences
from survey_app.models import CollectionChange, CollectionTally, Community, Response, ResponseEvent, Round
from survey_app.models.vocabulary import Mode, ResponseChangeReason
from survey_app.responses.receipts import RESIDENT, correct_response, withdraw_response
from survey_app.rounds.questionnaires import questionnaire_from_canonical
from survey_app.security.submission_keys import Form, SubmissionKey
from tests.factories import NOW, SECRET, make_community, make_district, make_response, make_round

BEGAN = NOW - timedelta(days=2)


@pytest.fixture
def residents(database):
    return Residents(database)


class Residents:
    """What residents of an open round do, one transaction each."""

    def __init__(self, database):
        self.database = database
        with database.writing() as session:
            survey_round = make_round(session, opens_at=BEGAN - timedelta(days=1), accepts_households=True)
            self.round_id = survey_round.id
            self.questionnaire = questionnaire_from_canonical(survey_round.questionnaire.text)
            self.communities = [make_community(session, district=make_district(session)).id for _ in range(2)]

    def answer(self, household=None, *, place=0, after=0, tenure=1):
        """Answer through a poster or through the slip of a household, and return the receipt."""
        with self.database.writing() as session:
            return self.answer_in(session, household, place=place, after=after, tenure=tenure)

    def answer_in(self, session, household=None, *, place=0, after=0, tenure=1):
        values = {"household_key": household, "submitted_at": BEGAN + timedelta(minutes=after), "tenure": tenure}
        survey_round = session.get_one(Round, self.round_id)
        return make_response(
            session, survey_round, session.get_one(Community, self.communities[place]), **values
        ).receipt

    def correct(self, receipt, *, after=0):
        """Correct the newest answers behind a receipt."""
        with self.database.writing() as session:
            correct_response(
                session,
                number=receipt,
                key=SubmissionKey.new(form=Form.CORRECTION, code_id=None, round_id=None, now=NOW),
                answers=self.questionnaire.check_answers({"q01": ["2"], "q16": ["1"]}),
                mode=Mode.WEB,
                reason=ResponseChangeReason.TYPING_ERROR,
                by=RESIDENT,
                language="zh-Hans",
                secret_key=SECRET,
                now=BEGAN + timedelta(minutes=after),
            )

    def withdraw(self, receipt, *, after=0):
        """Withdraw the newest answers behind a receipt."""
        with self.database.writing() as session:
            withdraw_response(
                session,
                number=receipt,
                reason=ResponseChangeReason.OTHER,
                by=RESIDENT,
                now=BEGAN + timedelta(minutes=after),
            )

    def forget(self):
        """Begin anew, without any answers."""
        with self.database.writing() as session:
            for table in (CollectionTally, CollectionChange, ResponseEvent):
                session.execute(delete(table))
            session.execute(update(Response).values(corrects_id=None))
            session.execute(delete(Response))

    def receipts(self):
        with self.database.reading() as session:
            return session.scalars(select(Response.receipt).order_by(Response.id)).all()

    def differences(self):
        """Return by how much a full count differs from the tallies and what was not added to them yet."""
        with self.database.reading() as session:
            return find_differences(session, session.get_one(Round, self.round_id))
