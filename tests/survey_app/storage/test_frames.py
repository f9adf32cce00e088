import pandas as pd
import pytest
from sqlalchemy import select

from survey_app.models import Community, Round
from survey_app.storage.frames import read_frame
from tests.factories import make_community, make_district, make_round

COLUMNS = (Community.number, Community.name, Community.households_delivered, Community.households_owners)
TYPES = {"number": "str", "name": "category", "households_delivered": "Int64", "households_owners": "float64"}
# Beyond 2**53, where a float holds no neighbouring whole numbers apart.
LARGE = 2**53 + 1
LINE = "second_language_line"


@pytest.fixture
def stored(sqlite_database):
    """Communities with known and unknown numbers, more than are read at once."""
    with sqlite_database.writing() as session:
        district = make_district(session)
        for place in range(5):
            households = None if place == 2 else LARGE + place
            make_community(
                session,
                district=district,
                name=f"小区{place % 2}",
                households_delivered=households,
                households_owners=households,
            )
    return sqlite_database


def test_a_frame_holds_the_rows_with_the_types_asked_for(stored, monkeypatch):
    monkeypatch.setattr("survey_app.storage.frames._ROWS_AT_ONCE", 2)
    statement = select(*COLUMNS).order_by(Community.id)
    with stored.reading() as session:
        rows = session.execute(statement).all()
        frame = read_frame(session, statement, TYPES)

    assert frame.dtypes.astype(str).to_dict() == TYPES
    assert frame["households_delivered"].tolist() == [LARGE, LARGE + 1, pd.NA, LARGE + 3, LARGE + 4]
    others = ["number", "name", "households_owners"]
    pd.testing.assert_frame_equal(frame[others], pd.DataFrame(rows, columns=list(TYPES)).astype(TYPES)[others])


def test_a_frame_without_rows_has_its_columns_and_types(sqlite_database):
    with sqlite_database.reading() as session:
        frame = read_frame(session, select(*COLUMNS), TYPES)

    assert frame.empty
    assert frame.dtypes.astype(str).to_dict() == TYPES


def test_texts_become_categories_in_their_order_as_pandas_makes_them(stored):
    statement = select(Community.name, Community.second_language_line)
    with stored.reading() as session:
        rows = session.execute(statement.order_by(Community.id.desc())).all()
        frame = read_frame(session, statement.order_by(Community.id.desc()), dict.fromkeys(("name", LINE), "category"))

    pd.testing.assert_series_equal(frame["name"], pd.Series(pd.Categorical([row[0] for row in rows]), name="name"))
    assert frame[LINE].isna().all()


def test_values_are_read_as_the_columns_of_the_table_have_them(database):
    with database.writing() as session:
        survey_round = make_round(session, accepts_posters=True, accepts_households=False)
        opens_at = survey_round.opens_at
    with database.reading() as session:
        frame = read_frame(session, select(Round.opens_at, Round.accepts_posters, Round.accepts_households))

    [(read_at, *accepts)] = frame.itertuples(index=False)
    assert read_at == opens_at
    assert read_at.tzinfo is not None
    assert accepts == [True, False]
    assert frame["accepts_posters"].dtype == bool
