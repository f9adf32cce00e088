"""Scripts of the component libraries that the dashboards load, for the linters of `./run check`."""

import re
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Final

from dash.fingerprint import check_fingerprint

from dashboards.app import PAGES, PREFIX
from tests.dashboards.conftest import serve_dashboards
from tests.dashboards.made_up import MadeUpCity

SUITES: Final = f"{PREFIX}_dash-component-suites/"
LATER: Final = ("plotly/package_data/plotly.min.js", "dash/dcc/async-graph.js", "dash_ag_grid/async-community.js")
"""What pages fetch when they show a chart or the table; tests/dashboards/test_in_browser.py shows that it is all."""


@cache
def bundles() -> frozenset[str]:
    """Return the names of all scripts that a page of the dashboards loads from libraries."""
    client = serve_dashboards(MadeUpCity(rounds=())).test_client()
    pages = "".join(client.get(f"{PREFIX}{page.path}").text for page in PAGES)
    return frozenset([*map(bundle_at, re.findall(rf'src="({SUITES}[^"]+)', pages)), *LATER])


def bundle_at(address: str) -> str:
    """Return the name of the script that a page has from an address."""
    name, _is_versioned = check_fingerprint(address.partition(SUITES)[2].partition("?")[0])
    return str(name)


def file_of(bundle: str) -> Path:
    """Return the file of a script."""
    package, _, path = bundle.partition("/")
    return Path(import_module(package).__path__[0]) / path


if __name__ == "__main__":
    sys.stdout.writelines(f"{file_of(bundle)}\n" for bundle in sorted(bundles()))
