"""What staff look at: pages drawn from an `EvaluationSource`, on the site's own Flask server."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Flask

from dashboards.source import EvaluationSource

if TYPE_CHECKING:
    from dash import Dash


def mount(server: Flask, source: EvaluationSource, *, language: Callable[[], str]) -> "Dash":
    """Serve the dashboards under `/dashboards/` and return their Dash app.

    Who may come there is for the server to guard, and what they may see for the source. `language` says which of
    `analytics.languages.LANGUAGES` the current request speaks, for addresses that do not say it themselves.
    """
    # Dash takes a second to import, and who only needs `dashboards.source` need not wait for it.
    from dashboards.mounting import mount_pages  # noqa: PLC0415

    return mount_pages(server, source, language)
