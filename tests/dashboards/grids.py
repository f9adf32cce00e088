"""A table of communities worked out in pandas from the whole frame: what the database's answer is compared with."""

from dashboards.frames.standings import is_left_open, met
from dashboards.routes import ROUTES
from dashboards.source import GridPage

_RANK_OF_SCORE = {route.score: route.rank for route in ROUTES.values()}


def grid_page(standings, query, sort_keys=None):
    """Return what `EvaluationSource.grid` returns, from standings in the order of the sort keys.

    Numbers count up as communities are registered, so they decide between those that are otherwise equal: in
    `sort_keys`, by number, several may have one.
    """
    places = range(len(standings)) if sort_keys is None else standings["number"].map(sort_keys)
    listed = wanted(standings.assign(place=places), query).sort_values("number", kind="stable")
    for order in reversed(query.order):
        listed = sort(listed, order)
    if not query.order:
        listed = listed.sort_values("place", kind="stable")
    end = None if query.limit is None else query.offset + query.limit
    return GridPage(
        rows=listed.drop(columns="place").iloc[query.offset : end].reset_index(drop=True), total=len(listed)
    )


def wanted(listed, query):
    if query.company:
        listed = of_company(listed, query.company)
    if query.text:
        named = listed[["name", "english_name", "number"]].fillna("")
        listed = listed[named.apply(lambda names: any(query.text.lower() in name.lower() for name in names), axis=1)]
    if query.region is not None:
        listed = listed[listed["region"] == query.region]
    if query.subdistrict is not None:
        listed = listed[listed["subdistrict"] == query.subdistrict]
    if query.status is not None:
        listed = listed[listed["criterion_status"] == query.status]
    if query.evidence is not None:
        listed = listed[listed["criterion_evidence"] == query.evidence]
    if query.minimum_responses is not None:
        listed = listed[(listed["responses"] >= query.minimum_responses).fillna(False)]
    return listed[of_group(listed, query)] if query.group else listed


def of_company(listed, name):
    """Return those whose company is called so or, where none is, whose company's name contains it."""
    names = listed[["company", "company_english"]].astype("object").fillna("")
    exactly = (names == name).any(axis=1)
    return listed[exactly if exactly.any() else names.map(lambda each: name.lower() in each.lower()).any(axis=1)]


def of_group(listed, query):
    """Return which communities are of the group that is asked for, held answers aside."""
    ranked = {key: listed[route.rank].notna() for key, route in ROUTES.items()}
    meets = {key: met(listed, route.status) for key, route in ROUTES.items()}
    has_rate = listed["complaints"].notna() & (listed["exposure_household_years"] > 0)
    groups = {
        **{f"ranked_by_{key}": is_ranked for key, is_ranked in ranked.items()},
        "ranked_by_neither": ~ranked["satisfaction"] & ~ranked["complaints"],
        **{f"met_by_{key}": is_met for key, is_met in meets.items()},
        "met_by_both": meets["satisfaction"] & meets["complaints"],
        "left_open": is_left_open(listed),
        "few_answers": ranked["satisfaction"] & (listed["responses"] < (query.enough_responses or 0)).fillna(False),
        "with_complaints": has_rate & (listed["complaints"] > 0).fillna(False),
        "without_complaints": has_rate & (listed["complaints"] == 0).fillna(False),
        "without_rate": ~has_rate,
    }
    return groups[query.group]


def sort(listed, order):
    if order.column == "name":
        places = listed["place"].rank(method="dense")
        return listed.loc[(-places if order.descending else places).sort_values(kind="stable").index]
    values = listed[order.column]
    if order.column in _RANK_OF_SCORE:
        values = values.where(listed[_RANK_OF_SCORE[order.column]].notna())
    # `sort_values` keeps the order of equal rows only when it ascends.
    return listed.loc[(-values if order.descending else values).sort_values(kind="stable", na_position="last").index]
