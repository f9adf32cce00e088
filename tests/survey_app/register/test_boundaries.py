import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.files.yaml_documents import DocumentError
from survey_app.config import DATA
from survey_app.register.boundaries import boundary_text, parse_boundaries, read_boundary

SQUARE = [[106.0, 39.0], [107.0, 39.0], [107.0, 40.0], [106.0, 39.0]]


def collection(*features):
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def feature(name, coordinates, kind="Polygon"):
    return {"type": "Feature", "properties": {"name": name}, "geometry": {"type": kind, "coordinates": coordinates}}


def faults_of(content, districts=("乌达区",)):
    with pytest.raises(DocumentError) as raised:
        parse_boundaries(content, "city.geojson", districts=districts)
    return raised.value.lines()


def test_polygons_and_several_of_them_are_read_with_their_holes():
    hole = [[106.1, 39.1], [106.2, 39.1], [106.2, 39.2], [106.1, 39.1]]
    content = collection(feature("乌达区", [SQUARE, hole]), feature("海南区", [[SQUARE], [SQUARE]], "MultiPolygon"))

    found = parse_boundaries(content, "city.geojson", districts=("乌达区", "海南区"))

    assert [[len(ring) for ring in polygon] for polygon in found["乌达区"]] == [[4, 4]]
    assert len(found["海南区"]) == 2


def test_every_fault_is_named_at_once():
    open_ring = [[106, 39], [107, 39], [107, 40], [106, 41]]
    content = collection(
        feature("蓬莱区", [SQUARE]),
        feature("乌达区", [open_ring]),
        feature("乌达区", [[[200, 39], ["x", 1], [1], [200, 39]]]),
        feature("乌达区", SQUARE, "Point"),
    )

    said = "\n".join(faults_of(content))

    for words in (
        "there is no district 蓬莱区",
        "does not end where it begins",
        "stands here twice",
        "must lie between -180.0 and 180.0",
        "must be a number, it is 'x'",
        "needs at least 2",
        "must be one of Polygon, MultiPolygon",
    ):
        assert words in said
    assert all(line.startswith("city.geojson:1:") for line in said.splitlines())


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"type": "FeatureCollection"}', b'{"features": [{}]}'])
def test_what_is_no_geojson_is_a_fault_and_never_a_crash(content):
    assert faults_of(content)


@given(
    st.lists(
        st.tuples(st.floats(-180, 180), st.floats(-90, 90)).map(lambda point: tuple(round(part, 5) for part in point)),
        min_size=3,
    )
)
def test_what_is_stored_is_read_again(points):
    polygons = [[[*points, points[0]]]]

    stored = read_boundary(boundary_text(polygons))

    assert [[[tuple(point) for point in ring] for ring in polygon] for polygon in stored] == polygons


def test_the_schematic_city_names_the_districts_of_the_demonstration():
    path = DATA / "samples" / "boundaries" / "schematic.geojson"

    assert set(parse_boundaries(path.read_bytes(), path.name, districts=("海勃湾区", "乌达区", "海南区"))) == {
        "海勃湾区",
        "乌达区",
        "海南区",
    }


def test_json_may_be_indented_with_tabs():
    content = json.dumps(json.loads(collection(feature("乌达区", [SQUARE]))), indent="\t").encode()

    assert list(parse_boundaries(content, "city.geojson", districts=("乌达区",))) == ["乌达区"]
