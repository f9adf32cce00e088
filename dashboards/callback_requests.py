"""Requests of the dashboards' own page, checked before Dash reads them: a page of another version gets a refusal."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from dash import Dash
from dash.exceptions import DependencyException, InvalidResourceError
from flask import Flask, abort, request

# JavaScript's whole numbers end here.
_LARGEST_NUMBER: Final = 2**53
_DEEPEST: Final = 12
# What the values of properties are; None says that one has no value yet.
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "pathname": (str,),
    "search": (str,),
    "searchValue": (str,),
    "value": (str,),
    "data": (str, list),
    "getRowsRequest": (dict,),
}


class MalformedRequest(ValueError):
    """The request is none that a page of the dashboards sends."""


def check_requests(server: Flask, app: Dash, *, prefix: str) -> None:
    """Refuse callbacks that no page of this version sends, and files that no component has."""
    callbacks, files = f"{prefix}_dash-update-component", f"{prefix}_dash-component-suites/"

    def check() -> None:
        if request.url_rule is not None and request.url_rule.rule == callbacks and request.method == "POST":
            _check_callback(app.callback_map)

    server.before_request(check)
    for rule in server.url_map.iter_rules():
        if rule.rule.startswith(files):
            server.view_functions[rule.endpoint] = _or_not_found(server.view_functions[rule.endpoint])


def _check_callback(known: Mapping[str, Mapping[str, Any]]) -> None:
    try:
        body = request.get_json()
        require_plain(body)
        # Of a page that was open while the site was brought up to date, or one that the browser answers by itself.
        if "callback" not in known.get(_output_of(body), {}):
            abort(HTTPStatus.CONFLICT)
        require_declared(body, known[body["output"]])
    except (MalformedRequest, RecursionError):
        abort(HTTPStatus.BAD_REQUEST)


def _output_of(body: object) -> str:
    output = body.get("output") if isinstance(body, dict) else None
    if not isinstance(output, str):
        raise MalformedRequest
    return output


def require_plain(value: object, depth: int = 0) -> None:
    """Raise `MalformedRequest` unless a value holds only what JavaScript and a database can hold as well."""
    if depth > _DEEPEST:
        raise MalformedRequest
    if isinstance(value, str):
        is_plain = "\0" not in value and value.encode("utf-8", "ignore").decode("utf-8") == value
    elif isinstance(value, int | float):
        is_plain = -_LARGEST_NUMBER <= value <= _LARGEST_NUMBER  # false of NaN too
    else:
        is_plain = value is None or isinstance(value, list | dict)
    if not is_plain:
        raise MalformedRequest
    if isinstance(value, dict):
        for name, each in value.items():
            require_plain(name, depth + 1)
            require_plain(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            require_plain(each, depth + 1)


def require_declared(body: Mapping[str, Any], declared: Mapping[str, Any]) -> None:
    """Raise `MalformedRequest` unless a request names the inputs, states and outputs of its callback."""
    inputs, states = body.get("inputs", []), body.get("state", [])
    if _names_of(inputs) + _names_of(states) != _names_of([*declared["inputs"], *declared["state"]]):
        raise MalformedRequest
    for each in [*inputs, *states]:
        value, types = each.get("value"), _TYPES.get(each["property"])
        if value is not None and types is not None and not isinstance(value, types):
            raise MalformedRequest
    if not declared.get("no_output"):
        _require_outputs(body.get("outputs"), body["output"])
    changed = body.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(isinstance(each, str) for each in changed):
        raise MalformedRequest


def _require_outputs(outputs: object, output: str) -> None:
    named = _names_of(outputs if isinstance(outputs, list) else [outputs])
    written = "..{}..".format("...".join(named)) if isinstance(outputs, list) else named[0]
    if written != output:
        raise MalformedRequest


def _names_of(parts: object) -> list[str]:
    if not isinstance(parts, list) or not all(isinstance(each, dict) for each in parts):
        raise MalformedRequest
    return [f"{each.get('id')}.{each.get('property')}" for each in parts]


def _or_not_found(view: Callable[..., Any]) -> Callable[..., Any]:
    def send(**place: str) -> Any:
        try:
            return view(**place)
        except (DependencyException, InvalidResourceError, KeyError, OSError):
            abort(HTTPStatus.NOT_FOUND)

    return send
