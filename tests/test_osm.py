"""OSM extracts: every format, every character, areas of ways and relations, what is missing or broken."""

import dataclasses
import subprocess
import sys
from itertools import pairwise

import numpy as np
import osmium
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import DataError
from planner.roads import from_ways
from planner.sources.osm import FEATURE_TAGS, WAY_TAGS, Tagged, Ways, read_objects, read_osm, read_ways
from planner.sources.words import Words

ODD = "a b,c=d%e@f\t旬邑 😀 \"<&>'"


@pytest.fixture
def extract(tmp_path):
    """Writes an extract from (kind, fields, tags) and gives its path."""

    def write(*things, name="a.osm.pbf"):
        with osmium.SimpleWriter(str(tmp_path / name)) as writer:
            for kind, fields, tags in things:
                made = getattr(osmium.osm.mutable, kind.capitalize())(version=1, tags=tags, **fields)
                getattr(writer, f"add_{kind}")(made)
        return tmp_path / name

    return write


def node(number, x, y, **tags):
    return "node", {"id": number, "location": (108 + x / 1000, 35 + y / 1000)}, tags


def way(number, nodes, **tags):
    return "way", {"id": number, "nodes": nodes}, tags


def relation(number, ways, **tags):
    return "relation", {"id": number, "members": [("w", w, "outer") for w in ways]}, tags


# Two squares, 1-4 round 5-8, a road across, and two halves of the outer square as ways of their own.
SQUARES = [
    *(node(n, x, y) for n, (x, y) in enumerate([(0, 0), (9, 0), (9, 9), (0, 9), (1, 1), (8, 1), (8, 8), (1, 8)], 1)),
    way(1, [1, 3], highway="tertiary", name=ODD),
    way(2, [1, 2, 3]),
    way(3, [3, 4, 1], note="of no key that is asked for"),
    way(4, [5, 6, 7, 8, 5]),
]


def test_arrow_has_its_memory_pool_back(extract):
    before = pa.default_memory_pool().backend_name
    with pytest.raises(DataError):
        read_osm(extract(*SQUARES[:8], name="no-road.osm.pbf"))
    assert len(read_osm(extract(*SQUARES)).ways) == 1
    assert pa.default_memory_pool().backend_name == before


def test_every_character_of_a_name_survives(extract):
    found = read_osm(
        extract(*SQUARES, relation(9, [2, 3], type="boundary", boundary="administrative", admin_level="8", name=ODD))
    )
    assert found.ways.tags["name"].plain().tolist() == [ODD]
    assert found.boundaries["name"].tolist() == [ODD]
    assert list(found.ways.tags) == list(WAY_TAGS)
    assert list(found.places) == ["osm_id", *FEATURE_TAGS, "geometry"]


def said(ways):
    return {key: column.plain().tolist() for key, column in ways.tags.items()}


@pytest.mark.parametrize("name", ["a.osm", "a.osm.gz", "a.osm.bz2"])
def test_every_format_says_the_same(extract, name):
    things = [*SQUARES, node(10, 4, 4, place="village")]
    things = sorted(things, key=lambda thing: thing[0])  # nodes before ways
    one, other = (read_osm(extract(*things, name=n)) for n in ("a.osm.pbf", name))
    assert said(one.ways) == said(other.ways)
    assert np.array_equal(one.ways.lonlat, other.ways.lonlat)
    assert one.places.equals(other.places)


@pytest.mark.parametrize("few", [0, 5_000_000])
def test_an_area_of_several_ways_has_its_holes(extract, monkeypatch, few):
    """Of a large extract the ways are filtered, of a small one every way is looked at."""
    monkeypatch.setattr("planner.sources.outlines.FEW_WAYS_BYTES", few)
    found = read_osm(extract(*SQUARES, relation(9, [2, 3, 4], type="multipolygon", amenity="school")))
    (place,) = found.schools.geometry
    assert found.schools["osm_id"].tolist() == ["r9"]
    assert shapely.box(108, 35, 108.009, 35.009).contains(place)
    assert not shapely.box(108.001, 35.001, 108.008, 35.008).contains(place)
    assert found.doubts == ()


def test_areas_that_are_not_all_there_are_left_out_and_broken_ones_counted(extract):
    level = {"type": "boundary", "boundary": "administrative", "admin_level": "8"}
    found = read_osm(
        extract(
            *SQUARES,
            way(5, [1, 2, 3, 1], place="square", area="no"),
            way(6, [1, 2, 99, 1], place="square"),
            way(7, [1, 3, 2, 4, 1], place="square"),  # crosses itself
            relation(9, [2, 77], **level),  # beyond the extract
            relation(10, [2], **level),  # open
            relation(11, [2, 3], **level),
            relation(12, [2, 3], boundary="administrative", admin_level="8"),  # of no type
        )
    )
    assert found.boundaries["osm_id"].tolist() == ["r11"]
    assert found.places.empty
    assert [str(said) for said in found.doubts] == ["3 areas of the extract have no closed outline and were left out."]


def test_roads_alone(extract):
    file = extract(*SQUARES, relation(9, [2, 3], type="boundary", boundary="administrative", admin_level="8"))
    roads, everything, sent = read_ways(file), read_osm(file), Tagged.of_bytes(read_objects(file).to_bytes())
    assert len(everything.boundaries) == 1
    for ways in (everything.ways, sent.ways):
        assert np.array_equal(roads.vertex, ways.vertex)
        assert np.array_equal(roads.lonlat, ways.lonlat)
        assert np.array_equal(roads.first, ways.first)
        assert said(roads) == said(ways)


def test_roads_need_no_pandas(extract):
    """It takes more memory than a county's roads do: a process that wants no tables of them does without."""
    code = f"""if True:
        import sys
        from planner.roads import from_ways
        from planner.sources.osm import read_objects, read_ways
        roads = from_ways(read_ways({str(extract(*SQUARES))!r}), "EPSG:4545")
        assert read_objects({str(extract(*SQUARES, name="b.osm.pbf"))!r}).to_bytes()
        print([name for name in ("pandas", "geopandas", "pydantic", "numba") if name in sys.modules])
        print(len(roads.edges), len(roads.nodes), "pandas" in sys.modules)"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["[]", "1 2 True"]


def test_tables_that_are_made_late_are_replaced_like_others(extract):
    roads = from_ways(read_ways(extract(*SQUARES)), "EPSG:4545")
    closed = dataclasses.replace(roads, edges=roads.edges.assign(walk=False))
    assert (closed.edges["walk"].tolist(), roads.edges["walk"].tolist()) == ([False], [True])
    assert closed.nodes is roads.nodes


def test_roads_wholly_outside_the_box_are_left_out(extract):
    roads = [way(5, [5, 6], highway="path"), way(6, [2, 3], highway="path")]
    found = read_osm(extract(*SQUARES, *roads), box=(108.002, 34.9, 108.003, 35.0015))
    assert len(found.ways) == 2  # the diagonal passes through, 5-6 lies in it, 2-3 beside it
    assert found.ways.vertex.tolist() == [1, 3, 5, 6]
    assert np.diff(found.ways.first).tolist() == [2, 2]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 7), min_size=2, max_size=6),
            st.sampled_from("ab"),
            st.sampled_from(["", "yes", "-1"]),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_no_edge_goes_on_as_another_like_it(drawn):
    """Nothing that could be joined is left apart and no line is lost, rings and ways that meet themselves included."""
    told = [{"highway": "residential", "name": name, "oneway": one} for _, name, one in drawn]
    tags = {key: Words.of([way.get(key, "") for way in told]) for key in WAY_TAGS}
    vertex = np.concatenate([nodes for nodes, _, _ in drawn])
    lonlat = np.column_stack([108 + vertex % 3 / 1000, 35 + vertex // 3 / 1000])
    roads = from_ways(
        Ways(
            tags,
            np.append(0, np.cumsum([len(nodes) for nodes, _, _ in drawn])),
            vertex,
            lonlat,
        ),
        "EPSG:4545",
    )
    ends = [(e.from_node, (e.name, e.bend_share), e.oneway, i) for i, e in enumerate(roads.edges.itertuples())]
    ends += [(e.to_node, (e.name, e.bend_share), -e.oneway, i) for i, e in enumerate(roads.edges.itertuples())]
    for number in range(len(roads.nodes)):
        here = [end for end in ends if end[0] == number]
        if len(here) == 2 and here[0][3] != here[1][3]:
            (_, kind, flow, _), (_, other, back, _) = here
            assert (kind, flow) != (other, -back)
    steps = {frozenset(pair) for nodes, _, _ in drawn for pair in pairwise(nodes) if len(set(pair)) == 2}
    assert sum(shapely.get_num_coordinates(roads.edges.geometry) - 1) >= len(steps)
