"""The table of all communities from SQL: the same as worked out in pandas, and nothing outside the scope."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from analytics.decision.summary import STATUSES
from dashboards.source import GRID_COLUMNS, CommunityGroup, GridOrder, GridQuery
from survey_app.accounts.scope import EVERYWHERE, Scope
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.evaluations.standings import read_standings, read_standings_of
from survey_app.evaluations.standings_table import find_communities
from survey_app.models import Community, PropertyCompany
from survey_app.models.vocabulary import Area
from tests.dashboards.grids import grid_page
from tests.factories import make_community, make_complaint, make_district, make_response, make_round, make_subdistrict

NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)
NAMES = ("阳光花园", "100%家园", "滨河_苑", "Ärzte里", "学府新城")
COLUMNS = [*GRID_COLUMNS, "number", "name", "region", "region_english"]

orders = st.lists(
    st.builds(
        GridOrder,
        st.sampled_from(
            [
                "name",
                "responses",
                "satisfaction_rank",
                "satisfaction_score",
                "complaint_rank",
                "complaints_per_1000_household_years",
            ]
        ),
        st.booleans(),
    ),
    max_size=3,
).map(tuple)
queries = st.builds(
    GridQuery,
    text=st.sampled_from(["", "阳光", "GARDEN", "garden 1", "%", "_", "\\", "000", "nobody"]),
    region=st.sampled_from([None, "海勃湾区", "乌达区", "海南区"]),
    subdistrict=st.sampled_from([None, None, "新华街道", "海北街道", "没有的街道"]),
    # One is called as the beginning of another.
    company=st.sampled_from(["", "", "万家物业", "家物业", "VANJIA", "Vanjia", "_", "没有的物业"]),
    status=st.sampled_from([None, *STATUSES]),
    evidence=st.sampled_from([None, "undecided", "no", "certain"]),
    minimum_responses=st.sampled_from([None, 0, 1, 31]),
    group=st.sampled_from([None, None, *sorted(set(get_args(CommunityGroup)) - {"held_answers"})]),
    enough_responses=st.sampled_from([None, 0, 32]),
    order=orders,
)


def cells(rows):
    return rows[COLUMNS].astype(object).where(rows[COLUMNS].notna(), None).to_numpy().tolist()


@pytest.fixture
def evaluated(database):
    """Ten communities of two districts, evaluated: tied ones, some with too few answers, one without households."""
    with database.writing() as session:
        districts = [make_district(session, name=name, english_name=None) for name in ("海勃湾区", "乌达区")]
        # Both districts have a subdistrict of one name; two communities are in none that is known.
        subdistricts = [
            make_subdistrict(session, district=districts[district], name=name)
            for name in ("新华街道", "海北街道")
            for district in (0, 1)
        ]
        companies = [
            PropertyCompany(name="万家物业", english_name="Vanjia", sort_key="1"),
            PropertyCompany(name="万家物业服务", english_name="Vanjia Services", sort_key="2"),
            None,
        ]
        survey_round = make_round(session, opens_at=NOW - timedelta(days=40), closes_at=NOW - timedelta(days=10))
        for place in range(10):
            community = make_community(
                session,
                district=districts[place % 2],
                subdistrict=subdistricts[place % 4] if place < 8 else None,
                company=companies[place % 3],
                name=f"{NAMES[place % 5]}{place}",
                english_name=None if place == 3 else f"Garden {place}",
                sort_key=f"{place % 4}",
                households_occupied=None if place == 5 else 400,
            )
            for answer in range((32, 31, 32, 30, 0, 3, 33, 32, 12, 31)[place]):
                make_response(
                    session,
                    survey_round,
                    community,
                    submitted_at=NOW - timedelta(days=20),
                    answers={"q01": 5 if answer % 8 < place else 2},
                )
            if place in (2, 5):
                make_complaint(session, community, submitted_at=NOW - timedelta(days=20))
        ids = [district.id for district in districts]
    return evaluate_round(database, round_id=survey_round.id, now=NOW).id, ids


def test_every_table_is_the_one_worked_out_in_pandas(database, evaluated):
    evaluation_id, (_, wuda) = evaluated

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @example(query=GridQuery(order=(GridOrder("name", descending=True),)), scope=EVERYWHERE)
    @given(query=queries, scope=st.sampled_from([EVERYWHERE, Scope(Area.DISTRICT, (wuda,))]))
    def agrees(query, scope):
        with database.reading() as session:
            standings = read_standings(session, evaluation_id=evaluation_id, scope=scope)
            sort_keys = dict(session.execute(select(Community.number, Community.sort_key)).all())
            expected = grid_page(standings, query, sort_keys)
            found = find_communities(session, evaluation_id, query, scope)
            rows = read_standings_of(session, evaluation_id, found, scope)
        assert rows["number"].tolist() == expected.rows["number"].tolist()
        assert cells(rows) == cells(expected.rows)

    agrees()


@pytest.mark.parametrize("scope", [Scope(Area.DISTRICT, (0,)), Scope(Area.COMPANY, (0,)), Scope(Area.NOWHERE)])
def test_an_account_of_another_place_finds_nothing(database, evaluated, scope):
    evaluation_id, _ = evaluated
    with database.reading() as session:
        assert len(find_communities(session, evaluation_id, GridQuery(), EVERYWHERE)) == 10
        assert len(find_communities(session, evaluation_id, GridQuery(), scope)) == 0


def test_communities_of_another_district_are_not_read_by_their_ids(database, evaluated):
    evaluation_id, (haibowan, wuda) = evaluated
    with database.reading() as session:
        theirs = find_communities(session, evaluation_id, GridQuery(), Scope(Area.DISTRICT, (haibowan,)))
        rows = read_standings_of(session, evaluation_id, theirs, Scope(Area.DISTRICT, (wuda,)))

    assert len(theirs) == 5
    assert rows.empty


def test_the_order_by_score_does_not_tell_the_scores_of_those_not_ranked(database, evaluated):
    evaluation_id, _ = evaluated
    query = GridQuery(order=(GridOrder("satisfaction_score", descending=True),))
    with database.reading() as session:
        found = find_communities(session, evaluation_id, query, EVERYWHERE)
        rows = read_standings_of(session, evaluation_id, found, EVERYWHERE)

    unranked = rows[rows["satisfaction_rank"].isna()]
    assert unranked["satisfaction_score"].notna().any()
    assert unranked.index.tolist() == list(range(len(rows) - len(unranked), len(rows)))
    assert unranked["number"].is_monotonic_increasing
