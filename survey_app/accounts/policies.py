"""Access policies: every route declares who may open it, and one that declares nothing lets nobody in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from flask import Blueprint, Flask
from werkzeug.routing import Rule

from survey_app.models.vocabulary import Role

_View = TypeVar("_View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Policy:
    """Access policy: accounts of these roles, or with no roles everybody.

    A form that relies on the browser's cookie needs the token of its page, so that no other site can send it.
    `largest_body` is what it may send in bytes, where that is more than the site lets everybody send.
    """

    roles: frozenset[Role]
    relies_on_cookie: bool = True
    largest_body: int | None = None


PUBLIC = Policy(frozenset())
# Their forms carry a signed submission key and need no cookie.
RESIDENT = Policy(frozenset(), relies_on_cookie=False)


def staff(*roles: Role) -> Policy:
    """Return the policy of a page for accounts of these roles."""
    return Policy(frozenset(roles))


ALL_STAFF = staff(*Role)
# Those who see answers and standings, each within its scope.
READERS = staff(Role.CITY, Role.DISTRICT, Role.EVALUATOR)
# Each evaluation covers all districts, so the city makes them.
EVALUATING = staff(Role.CITY)

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
