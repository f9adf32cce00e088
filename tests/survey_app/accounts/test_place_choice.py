"""Choice of a place on staff pages: what is offered to whom, and what a form may name."""

import pytest

from survey_app.accounts.place_choice import UnknownPlace, chosen_scope, find_place, offered_places, option_value
from survey_app.accounts.scope import EVERYWHERE, Scope
from survey_app.models.vocabulary import Area
from tests.factories import make_community, make_district, make_neighbourhood, make_subdistrict


@pytest.fixture
def places(sqlite_database):
    """Two districts, the first with two subdistricts, of which the first has a neighbourhood with a community."""
    with sqlite_database.writing() as session:
        here, there = make_district(session), make_district(session)
        first, second = (make_subdistrict(session, district=here) for _each in range(2))
        neighbourhood = make_neighbourhood(session, subdistrict=first)
        community = make_community(session, district=here, subdistrict=first, neighbourhood=neighbourhood)
        return {
            "here": here,
            "there": there,
            "first": first,
            "second": second,
            "neighbourhood": neighbourhood,
            "community": community,
        }


SCOPES = {
    "city": (EVERYWHERE, ["here", "first", "neighbourhood", "second", "there"]),
    "district": ("here", ["first", "neighbourhood", "second"]),
    "other district": ("there", []),
    "subdistrict": ("first", ["neighbourhood"]),
    "neighbourhood": ("neighbourhood", []),
    "company": (Scope(Area.COMPANY, (1,)), []),
    "communities": (Scope(Area.COMMUNITY, (1,)), []),
    "nowhere": (Scope(Area.NOWHERE), []),
}


def scope_of(places, of):
    kind = {"here": Area.DISTRICT, "there": Area.DISTRICT, "first": Area.SUBDISTRICT}
    return of if isinstance(of, Scope) else Scope(kind.get(of, Area.NEIGHBOURHOOD), (places[of].id,))


@pytest.mark.parametrize(("of", "expected"), SCOPES.values(), ids=SCOPES)
def test_the_parts_of_a_scope_are_offered_and_nothing_else_is_taken(sqlite_database, places, of, expected):
    scope = scope_of(places, of)
    named = {name: option_value(place) for name, place in places.items() if name != "community"}
    with sqlite_database.reading() as session:
        offered = [place.value for district in offered_places(session, scope) for place in district.places]

        assert offered == [named[name] for name in expected]
        assert chosen_scope(session, "", scope) == scope
        for name, value in named.items():
            if name in expected:
                kind, _colon, number = value.partition(":")
                assert chosen_scope(session, value, scope) == Scope(Area(kind), (int(number),))
            else:
                with pytest.raises(UnknownPlace):
                    chosen_scope(session, value, scope)


@pytest.mark.parametrize(
    "chosen", ["x", ":", "district:", "district:99", "district:1x", "district:١", "account:1", "district:" + "9" * 30]
)
def test_what_names_no_place_is_refused(sqlite_database, chosen):
    with sqlite_database.reading() as session, pytest.raises(UnknownPlace):
        find_place(session, chosen)
