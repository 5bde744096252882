"""Roads: tags, speeds, junctions, parts; the simplified network keeps every travel time."""

from functools import cache

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from planner.errors import DataError
from planner.model import Roads
from planner.roads import components, from_lines, from_ways, snap, speeds_kmh
from planner.sources.osm import WAY_TAGS, Ways, read_osm
from planner.sources.words import Words

CRS = "EPSG:4545"


def ways(*rows):
    """Ways from (vertex ids, tags); vertex n lies n/1000 degrees east of 108, 35 north (about 91 m apart)."""
    tags = {key: Words.of([tags.get(key, "") for _, tags in rows]) for key in WAY_TAGS}
    vertex = np.concatenate([v for v, _ in rows])
    first = np.append(0, np.cumsum([len(v) for v, _ in rows]))
    lonlat = np.column_stack([108 + vertex % 100 / 1000, 35 + vertex // 100 / 1000])
    return Ways(tags, first, vertex, lonlat)


def edge_of(**tags):
    roads = from_ways(ways(([1, 2], {"highway": "residential"} | tags), ([5, 6], {"highway": "footway"})), CRS)
    return roads.edges[roads.edges["road_class"] != "footway"]


def test_ways_are_cut_at_junctions_and_joined_where_nothing_meets():
    street = {"highway": "residential"}
    roads = from_ways(ways(([1, 2, 3], street), ([3, 4, 5], street), ([102, 2, 202], street)), CRS)
    assert len(roads.edges) == 4  # 1-2, 2-3-4-5, and the two halves of the crossing
    assert sorted(shapely.get_num_coordinates(roads.edges.geometry)) == [2, 2, 2, 4]
    assert roads.edges["length_m"].sum() == pytest.approx(roads.edges.length.sum())


@pytest.mark.parametrize("count", [1, 2, 3])
def test_lines_that_are_drawn_some_at_a_time_are_the_same(monkeypatch, count):
    street, path = {"highway": "residential"}, {"highway": "path"}
    raw = ways(([1, 2, 3], street), ([5, 4, 3], street), ([102, 2, 202], path), ([7, 8, 108, 7], path))
    whole = from_ways(raw, CRS)
    assert len(whole.edges) == 5
    monkeypatch.setattr("planner.roads.build.LINES_AT_ONCE", count)
    parts = from_ways(raw, CRS)
    assert shapely.to_wkb(parts.edges.geometry).tolist() == shapely.to_wkb(whole.edges.geometry).tolist()
    assert parts.edges.drop(columns="geometry").equals(whole.edges.drop(columns="geometry"))
    assert parts.nodes.equals(whole.nodes)


def test_a_ring_and_a_way_that_meets_itself_are_kept():
    street = {"highway": "residential"}
    roads = from_ways(ways(([1, 2, 102, 1], street)), CRS)
    assert roads.edges["from_node"].tolist() == roads.edges["to_node"].tolist()
    lollipop = from_ways(ways(([1, 2, 102, 103, 2], street)), CRS)
    assert len(lollipop.edges) == 2


@pytest.mark.parametrize(
    ("tags", "oneway"),
    [
        ({"oneway": "yes"}, 1),
        ({"oneway": "-1"}, -1),
        ({"junction": "roundabout"}, 1),
        ({"highway": "motorway"}, 1),
        ({"highway": "motorway", "oneway": "no"}, 0),
        ({}, 0),
    ],
)
def test_one_way(tags, oneway):
    assert edge_of(**tags)["oneway"].tolist() == [oneway]


@pytest.mark.parametrize(
    ("tags", "modes"),
    [
        ({}, "walk bicycle bus"),
        ({"highway": "motorway"}, "bus"),
        ({"highway": "path"}, "walk bicycle"),
        ({"highway": "steps"}, "walk"),
        ({"access": "private"}, ""),
        ({"access": "no", "foot": "yes"}, "walk"),
        ({"access": "no", "bus": "yes"}, "bus"),
        ({"motor_vehicle": "no"}, "walk bicycle"),
        ({"vehicle": "no"}, "walk"),
        ({"foot": "no"}, "bicycle bus"),
        ({"highway": "construction"}, ""),
        ({"route": "ferry"}, ""),
    ],
)
def test_who_may_use_a_road(tags, modes):
    edge = edge_of(**tags)
    found = [mode for mode in ("walk", "bicycle", "bus") if edge[mode].any()]
    assert " ".join(found) == modes


@pytest.mark.parametrize(
    ("tags", "kmh"),
    [
        ({"highway": "primary"}, 50),
        ({"highway": "primary", "maxspeed": "30"}, 30),
        ({"highway": "primary", "maxspeed": "20 mph"}, 32.18688),
        ({"highway": "trunk", "maxspeed": "120"}, 60),
        ({"highway": "motorway", "maxspeed": "120"}, 80),
        ({"highway": "primary_link"}, 50),
        ({"surface": "dirt"}, 25 * 0.7),
    ],
)
def test_bus_speeds_keep_the_school_bus_rule(tags, kmh):
    assert speeds_kmh(edge_of(**tags), "bus").tolist() == pytest.approx([kmh])


def test_a_scenario_may_change_a_speed():
    assert speeds_kmh(edge_of(), "walk", {"residential": 3.0}).tolist() == [3.0]
    assert speeds_kmh(edge_of(), "bus", {"residential": 90.0}).tolist() == [60.0]


def test_components_are_numbered_by_length():
    street = {"highway": "residential"}
    roads = from_ways(ways(([1, 2], street), ([11, 12, 13, 14], street)), CRS)
    labels = components(roads)
    long = roads.edges["length_m"].idxmax()
    assert labels[roads.edges.loc[long, "from_node"]] == 0
    assert set(labels) == {0, 1}


def test_snapping_takes_the_nearest_edge_not_the_nearest_node():
    lines = gpd.GeoDataFrame(
        geometry=[shapely.LineString([(0, 0), (1000, 0)]), shapely.LineString([(400, 90), (400, 900)])]
    )
    roads = from_lines(lines.set_crs(CRS), CRS)
    edge, along, away = snap(np.array([shapely.Point(400, 30)]), roads, np.array([True, True]))
    assert (edge[0], along[0], away[0]) == (0, pytest.approx(400), pytest.approx(30))
    edge, _, away = snap(np.array([shapely.Point(400, 30)]), roads, np.array([False, True]))
    assert (edge[0], away[0]) == (1, pytest.approx(60))
    assert snap(np.array([shapely.Point(0, 0)]), roads, np.array([False, False]))[0].tolist() == [-1]


LINES = [shapely.LineString([(0, 0), (9, 0)]), shapely.LineString([(0, 5), (9, 5)])]


def test_lines_of_any_class_words_are_roads():
    lines = gpd.GeoDataFrame({"FCLASS": ["县道", None]}, geometry=LINES, crs=CRS)
    assert from_lines(lines, CRS).edges["road_class"].tolist() == ["unclassified"] * 2


@cache
def to_metres():
    """From degrees; kept, as finding it takes pyproj a tenth of a second."""
    return Transformer.from_crs("EPSG:4326", CRS, always_xy=True)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_simplifying_moves_no_travel_time(seed):
    """All vertices as nodes, every segment an arc, against the simplified network."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(12):
        start = int(rng.integers(0, 8)) * 100 + int(rng.integers(0, 8))
        step = [1, -1, 100, -100]
        path = [start]
        for _ in range(int(rng.integers(1, 7))):
            path.append(max(path[-1] + int(rng.choice(step)), 0))
        tags = {
            "highway": str(rng.choice(["residential", "primary"])),
            "oneway": str(rng.choice(["", "", "yes", "-1"])),
        }
        rows.append((path, tags))
    raw = ways(*rows)
    roads = from_ways(raw, CRS)
    kmh = speeds_kmh(roads.edges, "bus")
    e = roads.edges
    t = e["length_m"].to_numpy() / kmh
    ahead, back = (e["oneway"] >= 0).to_numpy(), (e["oneway"] <= 0).to_numpy()
    u, v = e["from_node"].to_numpy(), e["to_node"].to_numpy()

    def shortest(n, tail, head, cost):
        best = {}
        for a, b, c in zip(tail, head, cost, strict=True):
            if a != b:
                best[a, b] = min(best.get((a, b), np.inf), c)
        keys = np.array(list(best)).reshape(-1, 2)
        return dijkstra(coo_array((list(best.values()), (keys[:, 0], keys[:, 1])), shape=(n, n)).tocsr())

    simple = shortest(len(roads.nodes), np.r_[u[ahead], v[back]], np.r_[v[ahead], u[back]], np.r_[t[ahead], t[back]])
    xy = np.column_stack(to_metres().transform(*raw.lonlat.T))
    ids, number = np.unique(raw.vertex, return_inverse=True)
    tail, head, cost = [], [], []
    for w, (a, b) in enumerate(zip(raw.first[:-1], raw.first[1:], strict=True)):
        row = {key: raw.tags[key].plain()[w] for key in ("highway", "oneway")}
        speed = {"residential": 25, "primary": 50}[row["highway"]]
        for i in range(a, b - 1):
            c = np.hypot(*(xy[i + 1] - xy[i])) / speed
            if row["oneway"] != "-1":
                tail, head, cost = [*tail, number[i]], [*head, number[i + 1]], [*cost, c]
            if row["oneway"] != "yes":
                tail, head, cost = [*tail, number[i + 1]], [*head, number[i]], [*cost, c]
    full = shortest(len(ids), tail, head, cost)
    place = {tuple(p.round(3)): i for i, p in zip(number, xy, strict=True)}
    pick = [place[tuple(p)] for p in roads.nodes[["x", "y"]].to_numpy().round(3)]
    np.testing.assert_allclose(simple, full[np.ix_(pick, pick)], atol=1e-9)


def test_osm_files_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="there is no such file"):
        read_osm(tmp_path / "absent.osm.pbf")
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(DataError, match="no OSM extract by its name"):
        read_osm(tmp_path / "a.txt")
    for name, content in {
        "a.osm.pbf": b"rubbish" * 99,
        "b.osm": b"<osm",
        "c.osm.gz": b"no gzip",
        "d.osm.bz2": b"x",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match="cannot be read as OSM data"):
            read_osm(tmp_path / name)
    (tmp_path / "empty.osm").write_text('<osm version="0.6"/>')
    with pytest.raises(DataError, match="it holds no road"):
        read_osm(tmp_path / "empty.osm")


OSM = """<osm version="0.6">
<node id="1" lat="35.0" lon="108.0" timestamp="2020-01-01T00:00:00Z" version="1"/>
<node id="2" lat="35.0" lon="108.01" version="1"/>
<node id="3" lat="35.01" lon="108.01" version="1"/>
<node id="4" lat="35.02" lon="108.0" version="1"><tag k="place" v="village"/><tag k="name" v="王家塬"/>
 <tag k="population" v="1,200"/></node>
<node id="5" lat="35.001" lon="108.001" version="1"><tag k="amenity" v="school"/><tag k="name" v="王家塬小学"/></node>
<way id="10" version="1" timestamp="2021-05-06T00:00:00Z"><nd ref="1"/><nd ref="2"/><nd ref="99"/><nd ref="2"/>
 <nd ref="3"/><tag k="highway" v="tertiary"/></way>
<way id="11" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/><tag k="amenity" v="kindergarten"/></way>
<way id="12" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/><tag k="boundary" v="administrative"/>
 <tag k="admin_level" v="8"/><tag k="name" v="甲镇"/></way>
</osm>"""


def test_an_extract_is_read_whole(tmp_path):
    (tmp_path / "a.osm").write_text(OSM, "utf-8")
    found = read_osm(tmp_path / "a.osm")
    assert len(found.ways) == 2  # cut where node 99 is missing
    assert found.date == "2021-05-06"
    assert found.schools["osm_id"].tolist() == ["n5", "w11"]
    assert found.places[["name", "population"]].to_numpy().tolist() == [["王家塬", "1,200"]]
    assert found.boundaries["name"].tolist() == ["甲镇"]
    roads = from_ways(found.ways, CRS)
    assert isinstance(roads, Roads)
    assert len(roads.edges) == 1
