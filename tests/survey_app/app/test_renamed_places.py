"""A community that is renamed has its new name at once on every page, file and poster, in every process of the site."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from flask_login import login_user
from sqlalchemy import select

from dashboards.source import GridQuery
from survey_app.accounts.guard import SignedIn
from survey_app.accounts.scope import EVERYWHERE
from survey_app.codes.print_runs import posters_to_print
from survey_app.config import Config
from survey_app.evaluations.dashboard_source import StoredEvaluations
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.models import Account
from tests.accounts import SECRET_KEY, make_account, signed_in_client
from tests.conftest import site_on
from tests.factories import (
    make_community,
    make_poster_code,
    make_response,
    make_round,
    make_round_around,
    make_slip,
)
from tests.survey_app.evaluations.test_dashboard_source import renamed

OLD, NEW, NEWEST = "旧名小区", "新名小区", "更新名小区"


class Site:
    """One process of the site, with the caches of its own."""

    def __init__(self, app, city):
        self._app, self._city = app, city
        self._database = app.extensions["jiayuan"].database
        self._staff, self._resident = signed_in_client(app, "city"), app.test_client()
        self._resident.environ_base["HTTP_ACCEPT_LANGUAGE"] = "zh-CN"
        self._source = StoredEvaluations(self._database)

    def shown(self):
        """Return the text of all that names communities, by what it is."""
        staff, resident = (
            {path: client.get(path) for path in paths}
            for client, paths in ((self._staff, self._city.staff_paths), (self._resident, self._city.resident_paths))
        )
        answers = staff | resident
        assert {answer.status_code for answer in answers.values()} == {200}
        return {path: answer.get_data(as_text=True) for path, answer in answers.items()} | self._of_dashboards()

    def _of_dashboards(self):
        with self._database.reading() as session:
            account = SignedIn.of(session.scalars(select(Account).filter_by(username="city")).one())
            posters = posters_to_print(
                session, scope=EVERYWHERE, public_url="https://wj.example.cn", now=datetime.now(UTC)
            )
        with self._app.test_request_context("/dashboards/"):
            login_user(account)
            number = self._city.evaluation_id
            return {
                "standings": self._source.standings(number)["name"].to_string(),
                "table": self._source.grid(number, GridQuery()).rows["name"].to_string(),
                "table as a file": "".join(
                    piece["name"].to_string() for piece in self._source.export_rows(number, GridQuery())
                ),
                "posters": "".join(map(repr, posters)),
            }


class City:
    """A round with a result, another that is open, and a community with a poster and slips."""

    def __init__(self, database):
        now = datetime.now(UTC)
        with database.writing() as session:
            make_account(session, "city", now=now)
            community = make_community(session, name=OLD)
            self.number = community.number
            closed = make_round(session, opens_at=now - timedelta(days=60), closes_at=now - timedelta(days=30))
            opened = make_round_around(session, now, accepts_households=True)
            make_slip(session, opened, community)
            code = make_poster_code(session, community)
            for _ in range(30):
                sent = {"started_at": closed.opens_at, "submitted_at": closed.opens_at}
                make_response(session, closed, community, code_id=code.id, **sent)
        self.evaluation_id = evaluate_round(database, round_id=closed.id, now=now).id
        evaluation = f"/staff/evaluations/{self.evaluation_id}"
        self.resident_paths = (f"/s/{code.token}", f"/c/{code.token}")
        self.staff_paths = (
            "/staff/communities",
            f"/staff/rounds/{opened.id}/slips",
            f"{evaluation}/standings.csv",
            f"{evaluation}/tables.csv",
        )


@pytest.fixture
def sites(database, tmp_path):
    url = database.url.render_as_string(hide_password=False)
    config = Config(tmp_path, url, SECRET_KEY, "http://127.0.0.1:8000", for_this_machine=True)
    city = City(database)
    with ExitStack() as opened:
        yield city, [Site(opened.enter_context(site_on(config)), city) for _ in range(2)]


def test_a_renamed_community_has_its_new_name_at_once_everywhere_and_in_every_process(database, sites):
    city, processes = sites
    for before, name in ((OLD, NEW), (NEW, NEWEST)):
        for site in processes:
            assert {what for what, text in site.shown().items() if before not in text} == set()
        with database.writing() as session:
            renamed(session, city.number, name=name)

        for site in processes:
            shown = site.shown()
            assert {what for what, text in shown.items() if name not in text} == set()
            assert {what for what, text in shown.items() if before in text.replace(name, "")} == set()
