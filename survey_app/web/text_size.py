"""Text size of a page: its address says so, since residents get no cookie; their phone may remember it."""

from flask import Flask, request

from survey_app.web.query_names import TEXT_SIZES

PARAMETER = "text"


def is_large_print() -> bool:
    """Return whether the address asks for large print."""
    return _asked_size() == "large"


def init_app(app: Flask) -> None:
    """Tell templates the text size, and let links keep it."""
    app.jinja_env.globals.update(is_large_print=is_large_print)
    app.url_defaults(_keep_size)


def _asked_size() -> str | None:
    asked = request.args.get(PARAMETER) if request.query_string else None
    return asked if asked in TEXT_SIZES else None


def _keep_size(endpoint: str, values: dict[str, object]) -> None:
    if request and endpoint != "static" and (asked := _asked_size()):
        values.setdefault(PARAMETER, asked)
