"""Boundaries of districts, read from the city's own GeoJSON."""

import json
from collections.abc import Collection
from typing import Final

from analytics.canonical import canonical_json
from analytics.files.json_documents import JsonDocument
from analytics.files.yaml_nodes import Node, note_repeats

Ring = list[tuple[float, float]]
Polygon = list[Ring]
"""An outer ring of longitudes and latitudes, and the rings of its holes."""

DECIMALS: Final = 5
"""Decimals of a degree that are kept: about a metre."""

_FEWEST_POINTS: Final = 4
_LIMITS: Final = (180.0, 90.0)


def parse_boundaries(content: bytes, source: str, *, districts: Collection[str]) -> dict[str, list[Polygon]]:
    """Return the polygons of each district named in a GeoJSON file, or raise `DocumentError` with every fault.

    Each feature's property `name` is the Chinese name of one of `districts`; a district that the file does not name
    keeps what it has.
    """
    document = JsonDocument(content, source)
    root = Node.root(document)
    _required(root["type"]).expect("FeatureCollection")
    features = _required(root["features"]).items(least=1)
    names = [feature["properties"]["name"] for feature in features]
    note_repeats(names, "district {value} stands here twice")
    found = {}
    for feature, name in zip(features, names, strict=True):
        district = _required(name).text()
        if district and district not in districts:
            name.fault("there is no district {name}", name=district)
        found[district] = _read_geometry(_required(feature["geometry"]))
    document.raise_faults()
    return found


def boundary_text(polygons: list[Polygon]) -> str:
    """Return polygons as the text that is stored."""
    return canonical_json(polygons)


def read_boundary(text: str) -> list[Polygon]:
    """Return polygons from the text that was stored."""
    polygons: list[Polygon] = json.loads(text)
    return polygons


def _required(node: Node) -> Node:
    # GeoJSON may hold foreign members: `expect_keys` would refuse them.
    if not node.exists:
        node.fault("this key is missing")
    return node


def _read_geometry(node: Node) -> list[Polygon]:
    kind = node["type"].choice(("Polygon", "MultiPolygon"))
    polygons = [node["coordinates"]] if kind == "Polygon" else node["coordinates"].items(least=1)
    return [[_read_ring(ring) for ring in polygon.items(least=1)] for polygon in polygons]


def _read_ring(node: Node) -> Ring:
    points = [_read_point(point) for point in node.items(least=_FEWEST_POINTS)]
    if points and points[0] != points[-1]:
        node.fault("this ring does not end where it begins")
    return points


def _read_point(node: Node) -> tuple[float, float]:
    # A height may follow; it is left out.
    numbers = node.items(least=2)[:2]
    if len(numbers) < len(_LIMITS):
        return 0.0, 0.0
    longitude, latitude = (number.number(-limit, limit) for number, limit in zip(numbers, _LIMITS, strict=True))
    return round(longitude, DECIMALS), round(latitude, DECIMALS)
