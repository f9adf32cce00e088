"""Network digests of the request that is being answered, and the source that its tries are counted by."""

from flask import Flask, current_app, request

from survey_app.accounts.attempt_limits import Source
from survey_app.accounts.network_digests import NetworkDigests, NetworkKeys
from survey_app.clock import current_time
from survey_app.web.context import site

_EXTENSION = "jiayuan.network_keys"


def init_app(app: Flask) -> None:
    """Keep the network keys of the installation at hand."""
    with app.app_context():
        app.extensions[_EXTENSION] = NetworkKeys(site().database)


def network_digests_of_request(purpose: str) -> NetworkDigests | None:
    """Return the digests of the address that asks, comparable with those made for the same purpose on the same day.

    Asked for outside of transactions, since the first request of a day stores its key.
    """
    keys: NetworkKeys = current_app.extensions[_EXTENSION]
    return keys.digests_of(request.remote_addr, purpose=purpose, now=current_time())


def source_of_request() -> Source:
    """Return the source that tries of this request are counted by; asked for outside of transactions too."""
    return Source.of(network_digests_of_request("attempt"))
