"""Access policies: every route declares who may open it, and one that declares nothing lets nobody in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, TypeVar

from flask import Blueprint, Flask
from werkzeug.routing import Rule

from survey_app.models.vocabulary import SECOND_PERSON_ROLES, Role

_View = TypeVar("_View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Policy:
    """Access policy: accounts of these roles, or with no roles everybody.

    A form that relies on the browser's cookie needs the token of its page, so that no other site can send it.
    `largest_body` is what it may send in bytes together with files, where that is more than the site lets everybody
    send.
    """

    roles: frozenset[Role]
    relies_on_cookie: bool = True
    largest_body: int | None = None


PUBLIC = Policy(frozenset())
# Their forms carry a signed submission key and need no cookie.
RESIDENT = Policy(frozenset(), relies_on_cookie=False)
# Forms that may come with photos: all of a form, as large as six photos of a phone that cannot make them smaller.
SENDING_PHOTOS = replace(RESIDENT, largest_body=100 * 2**20)


def _staff(*roles: Role) -> Policy:
    return Policy(frozenset(roles))


# Who may do what: each page takes one of these, so that a new role has one list to be put into.
ALL_STAFF = _staff(*Role)
ADMINISTRATING = _staff(Role.ADMINISTRATOR)
CONFIRMING_RESETS = _staff(*SECOND_PERSON_ROLES)
AUDITING = _staff(Role.CITY, Role.ADMINISTRATOR)
PLANNING = _staff(Role.CITY)
# A list of 100,000 communities as CSV; no more than a file of any form has room for, so that none is cut off.
IMPORTING = replace(_staff(Role.CITY), largest_body=12 * 2**20)
# A file of the hotline covers the whole city; one of 10,000 cases has as many bytes as a list of communities.
HANDLING_HOTLINE = replace(_staff(Role.CITY), largest_body=12 * 2**20)
# Each evaluation covers all districts, so the city makes them.
EVALUATING = _staff(Role.CITY)
# Those who count single answers again: nobody who decides about a community reads what one resident said of it.
RECOUNTING = _staff(Role.EVALUATOR)
# Those who see standings, tables and what is held, each within its scope.
READERS = _staff(Role.CITY, Role.DISTRICT, Role.EVALUATOR)
# A property company is not told how the survey of its communities goes, and an administrator sees none.
COLLECTING = _staff(Role.CITY, Role.DISTRICT, Role.EVALUATOR, Role.CLERK)
# The bulletin of an office goes to those who answer for it.
REPORTING_CASEWORK = _staff(Role.CITY, Role.DISTRICT)
# A sample is drawn once for all who call; the calls are made by the offices, never by a company.
DRAWING_CALL_BACKS = _staff(Role.CITY, Role.DISTRICT)
CALLING_BACK = _staff(Role.CITY, Role.DISTRICT, Role.CLERK)
ISSUING = _staff(Role.CITY, Role.DISTRICT)
# Not property companies: posters and slips do not pass through them.
REGISTER_READERS = _staff(Role.CITY, Role.DISTRICT, Role.EVALUATOR, Role.CLERK)
HANDING_OUT = _staff(Role.CITY, Role.DISTRICT, Role.EVALUATOR, Role.CLERK)
PRINTING = _staff(Role.CITY, Role.DISTRICT, Role.CLERK)
ENTERING = _staff(Role.CITY, Role.DISTRICT, Role.CLERK)
# The offices, each with the cases of its communities; and a company with those that were given to it.
WORKING_CASES = _staff(Role.CITY, Role.DISTRICT, Role.CLERK)
# A step may come with photos and documents.
TAKING_STEPS = replace(WORKING_CASES, largest_body=SENDING_PHOTOS.largest_body)
COMPANY_CASES = replace(_staff(Role.COMPANY), largest_body=SENDING_PHOTOS.largest_body)
# Never the company, and not the evaluator, who meets no resident.
REISSUING_SECRETS = _staff(Role.CITY, Role.DISTRICT, Role.CLERK)

# Routes that libraries add, which cannot be decorated.
_BY_PREFIX: Mapping[str, Policy] = MappingProxyType({"/static/": PUBLIC, "/dashboards/": READERS})
_by_blueprint: dict[str, Policy] = {}


def policy(declared: Policy) -> Callable[[_View], _View]:
    """Declare the policy of a view."""

    def declare(view: _View) -> _View:
        view.policy = declared  # type: ignore[attr-defined]  # functions take attributes
        return view

    return declare


def declare_policy(blueprint: Blueprint, declared: Policy) -> None:
    """Declare the policy of those views of a blueprint that declare none themselves."""
    _by_blueprint[blueprint.name] = declared


def policy_of(app: Flask, rule: Rule) -> Policy | None:
    """Return the policy of a route: declared by its view, its blueprint or the beginning of its address."""
    declared: Policy | None = getattr(app.view_functions[rule.endpoint], "policy", None)
    if declared is not None:
        return declared
    for prefix, of_prefix in _BY_PREFIX.items():
        if rule.rule.startswith(prefix):
            return of_prefix
    return _by_blueprint.get(rule.endpoint.rpartition(".")[0])
