"""Roads closed and gaps joined: by hand, by properties, and every fault of a file of closed areas."""

import dataclasses

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import planner as pl
from planner.area import write_area
from planner.errors import ScenarioError
from planner.roads import close_areas, cut, find_gaps, from_lines, join_gaps
from planner.scenario import Travel
from planner.travel import changed, roads_of, travel_times
from tests import tiny as tiny_module
from tests.test_travel import area_of, minutes, networks, road

X0, Y0 = tiny_module.X0, tiny_module.Y0
WALK = Travel(modes=("walk",))


def moved(shape):
    return shapely.transform(shape, lambda xy: np.add(xy, (X0, Y0)))


def roads_from(lines):
    frame = gpd.GeoDataFrame(lines, geometry="geometry", crs=tiny_module.CRS)
    return from_lines(frame, tiny_module.CRS)


def open_m(roads):
    return roads.edges["length_m"].to_numpy()[roads.edges["walk"].to_numpy()].sum()


# --- by hand


def test_a_cut_edge_keeps_its_row_and_its_length(tiny):
    made = cut(tiny.area.roads, np.array([1, 1, 1, 2]), np.array([0.75, 0.25, 0.75, 0.0]))
    assert made.row.tolist() == [0, 1, 2, 1, 1]
    assert made.roads.edges["length_m"].tolist() == [1500, 375, 1500, 750, 375]
    assert made.node.tolist() == [5, 4, 5, 2]
    assert made.roads.nodes["x"].tolist()[4:] == [X0 + 1875, X0 + 2625]
    assert made.roads.edges[["from_node", "to_node"]].to_numpy().tolist() == [[0, 1], [1, 4], [2, 3], [4, 5], [5, 2]]


def test_a_flood_closes_what_lies_in_it_and_leaves_the_rest(tiny):
    flood = shapely.box(X0 + 1800, Y0 - 10, X0 + 2100, Y0 + 10)
    roads, row = close_areas(tiny.area.roads, np.array([flood]))
    assert row.tolist() == [0, 1, 2, 1, 1]
    assert roads.edges["walk"].tolist() == [True, True, True, False, True]
    assert roads.edges["length_m"].tolist() == pytest.approx([1500, 300, 1500, 300, 900])


def test_overlapping_and_touching_shapes_close_once_and_a_border_closes_nothing(tiny):
    shapes = [shapely.box(X0 + a, Y0 - 10, X0 + b, Y0 + 10) for a, b in ((100, 300), (200, 500), (500, 600))]
    beside = shapely.box(X0, Y0 + 20, X0 + 9000, Y0 + 40)
    touching = shapely.Polygon([(X0 + 1600, Y0), (X0 + 1700, Y0 + 90), (X0 + 1650, Y0 + 90)])
    roads, _ = close_areas(tiny.area.roads, np.array([*shapes, beside, touching, shapely.Polygon()]))
    assert open_m(roads) == pytest.approx(4500 - 500)
    assert len(roads.edges) == 5


def test_points_and_lines_of_a_layer_close_what_lies_within_ten_metres(tiny):
    slide = shapely.LineString([(X0 + 700, Y0 + 500), (X0 + 700, Y0 + 5)])
    roads, _ = close_areas(tiny.area.roads, np.array([shapely.Point(X0 + 3000, Y0), slide]))
    assert open_m(roads) == pytest.approx(4500 - 20 - 2 * np.sqrt(100 - 25), abs=0.2)  # circles of 64 corners


def test_a_road_that_crosses_itself_and_one_without_length_are_closed_where_they_lie():
    lines = [{"geometry": shapely.LineString([(0, 0), (100, 0), (100, 100), (50, 100), (50, -100)])}]
    roads = roads_from(lines)
    assert open_m(close_areas(roads, np.array([shapely.box(40, -10, 60, 10)]))[0]) == pytest.approx(400 + 50 - 40)
    point = roads.edges.assign(geometry=[shapely.LineString([(50, 0), (50, 0)])], length_m=0.0)
    zero = dataclasses.replace(roads, edges=point)
    assert not close_areas(zero, np.array([shapely.box(40, -10, 60, 10)]))[0].edges["walk"].any()
    assert close_areas(zero, np.array([shapely.box(60, -10, 70, 10)]))[0].edges["walk"].all()


def gap_roads():
    """A main road; lanes that end 10 m and 30 m short of it, one that ends near its own start, a path; a motorway."""
    lines = [
        ("residential", [(0, 0), (1400, 0), (2000, 0)]),
        ("residential", [(500, 10), (500, 800)]),
        ("residential", [(900, 30), (900, 800)]),
        ("residential", [(1400, 0), (1450, 100), (1450, 15)]),
        ("path", [(2005, 3), (2600, 3)]),
        ("motorway", [(2590, 10), (2800, 10)]),
    ]
    return roads_from([{"geometry": shapely.LineString(xy), "highway": word} for word, xy in lines])


def test_gaps_are_listed_with_place_and_metres_and_false_alarms_are_not():
    roads = gap_roads()
    gaps = find_gaps(roads)
    assert gaps["metres"].tolist() == pytest.approx([np.hypot(5, 3), 10])
    assert gaps[["x", "y"]].to_numpy().tolist()[1] == [500, 10]
    assert gaps[["to_x", "to_y"]].to_numpy().tolist()[1] == [500, 0]
    assert np.isinf(gaps["way_m"]).all()
    joined, row = join_gaps(roads, gaps)
    assert (row[: len(roads.edges)] == np.arange(len(roads.edges))).all()
    assert (row == -1).sum() == 2
    new = joined.edges[row == -1]
    assert new["length_m"].tolist() == pytest.approx([np.hypot(5, 3), 10])
    assert new["bus"].tolist() == [False, True]  # the first ends a path
    assert not len(find_gaps(joined))


def test_a_dead_end_that_comes_back_far_away_along_the_network_is_a_gap():
    loop = shapely.LineString([(0, 0), (0, 600), (600, 600), (600, 12)])
    main = {"geometry": shapely.LineString([(0, 0), (1000, 0)]), "highway": "primary"}
    gaps = find_gaps(roads_from([main, {"geometry": loop, "highway": "tertiary"}]))
    assert gaps["metres"].tolist() == [12]
    assert np.isinf(gaps["way_m"]).all()  # 2,388 m
    short = shapely.LineString([(0, 0), (0, 300), (600, 300), (600, 12)])
    gaps = find_gaps(roads_from([main, {"geometry": short, "highway": "tertiary"}]))
    assert gaps["way_m"].tolist() == [300 + 600 + 288 + 600]


def test_gaps_are_joined_only_when_the_scenario_says_so():
    lines = [road([(0, 0), (1500, 0)]), road([(1500, 9), (3000, 9)])]
    area = area_of(lines, demand=[(0, 0)], schools=[(3000, 9)])
    near = {"modes": ("walk",), "max_access_m": 100}
    assert np.isnan(minutes(area, Travel(**near))).all()
    assert np.isnan(minutes(area, Travel(**near, close_gaps_m=8.9))).all()
    travel = Travel(**near, close_gaps_m=9)
    assert minutes(area, travel)[0, 0] == pytest.approx(3009 / 75)
    assert [str(said) for said in changed(area, travel).said] == ["joined: 1 gap of up to 9 m by close_gaps_m"]


def test_what_a_closure_cuts_is_not_joined_again_and_rows_hold_through_cuts():
    lines = [road([(0, 0), (2000, 0)]), road([(500, 9), (500, 1000)])]
    area = area_of(lines, demand=[(0, 0)], schools=[(500, 1000), (2000, 0)])
    both = Travel(modes=("walk",), max_access_m=10, close_gaps_m=25, closed_edges=(0,))
    assert np.isnan(minutes(area, both)).all()  # both halves of the road the gap is joined to are closed
    assert str(changed(area, both).said[1]) == "closed: 1 edge (2.0 km) by closed_edges"


# --- properties


@settings(max_examples=25, deadline=None)
@given(networks(), st.integers(0, 10**6), st.sampled_from(["walk", "bicycle", "bus"]))
def test_closing_never_shortens_and_joining_never_lengthens_a_time(area, seed, mode):
    rng = np.random.default_rng(seed)
    rows = tuple(rng.choice(len(area.roads.edges), 2).tolist())
    before = minutes(area, Travel(modes=(mode,)))
    shut = minutes(area, Travel(modes=(mode,), closed_edges=rows))
    assert not (np.isnan(before) & ~np.isnan(shut)).any()
    assert not (shut < before - 1e-9).any()
    box = moved(shapely.box(*np.sort(rng.uniform(0, 1200, (2, 2)), axis=0).ravel()))
    flooded = dataclasses.replace(area, roads=close_areas(area.roads, np.array([box]))[0])
    wet = minutes(flooded, Travel(modes=(mode,)))
    assert not (np.isnan(before) & ~np.isnan(wet)).any()
    assert not (wet < before - 1e-9).any()
    joined = minutes(area, Travel(modes=(mode,), close_gaps_m=25))
    assert not (np.isnan(joined) & ~np.isnan(before)).any()
    assert not (joined > before + 1e-9).any()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_what_is_closed_is_what_lies_in_the_shapes(seed):
    rng = np.random.default_rng(seed)
    lines = [{"geometry": shapely.LineString(rng.uniform(0, 100, (int(rng.integers(2, 7)), 2)))} for _ in range(6)]
    roads = roads_from(lines)
    shapes = shapely.buffer(shapely.points(rng.uniform(0, 100, (4, 2))), rng.uniform(1, 40, 4))
    closed, row = close_areas(roads, shapes)
    inside = shapely.intersection(roads.edges.geometry.to_numpy(), shapely.union_all(shapes))
    shut = ~closed.edges["walk"].to_numpy()
    by_row = np.bincount(row[shut], weights=closed.edges["length_m"][shut], minlength=len(roads.edges))
    assert by_row.tolist() == pytest.approx(shapely.length(inside).tolist(), abs=1e-3)
    assert closed.edges["length_m"].sum() == pytest.approx(roads.edges["length_m"].sum())
    ends = closed.nodes[["x", "y"]].to_numpy()
    for column, at in (("from_node", 0), ("to_node", -1)):
        tip = shapely.get_coordinates(shapely.get_point(closed.edges.geometry.to_numpy(), at))
        np.testing.assert_allclose(ends[closed.edges[column]], tip, atol=1e-9)


# --- as a scenario setting


@pytest.fixture
def folder(tiny, tmp_path):
    return write_area(tiny.area, tmp_path / "area")


def layer(folder, shapes, name="flood.geojson", crs=tiny_module.CRS):
    frame = gpd.GeoDataFrame(geometry=list(shapes), crs=crs)
    (frame.to_crs("EPSG:4326") if name.endswith("json") else frame).to_file(folder / name)


FLOOD = shapely.box(X0 + 1800, Y0 - 10, X0 + 2100, Y0 + 10)


def test_a_closed_area_is_planned_verified_and_said(folder, tiny, tmp_path):
    layer(folder, [FLOOD])
    text = tiny_module.SCENARIO.replace('modes = ["walk"]', 'modes = ["walk"]\nclosed_areas = "flood.geojson"')
    area, scenario = pl.read_area(folder), pl.parse_scenario(text.replace("max = 0", "max = 9"))
    times = travel_times(area, scenario.travel)
    found = times.data["minutes"].sel(band="junior", school="S3").to_numpy()
    assert found[2:].tolist() == pytest.approx([20, 0], abs=1e-4)
    assert found[:2].tolist() != pytest.approx([60, 40], abs=1e-4)
    plan = pl.optimise(area, times, scenario)
    assert "closed: 1 edge (0.3 km) by closed_areas flood.geojson" in map(str, plan.notes)
    saved = plan.save(tmp_path / "out")
    assert pl.verify(saved).passed
    layer(folder, [shapely.box(X0 - 10, Y0 - 10, X0 + 100, Y0 + 10)])
    again = pl.verify(saved)
    assert not again.passed
    assert "flood.geojson has changed since the plan was written" in str(again)


def test_closed_edges_are_planned_and_verified(folder, tmp_path):
    text = tiny_module.SCENARIO.replace('modes = ["walk"]', 'modes = ["walk"]\nclosed_edges = [1]\nmax_access_m = 50')
    area, scenario = pl.read_area(folder), pl.parse_scenario(text.replace("max = 0", "max = 9"))
    times = travel_times(area, scenario.travel)
    assert np.isnan(times.data["minutes"].sel(demand=["V1", "V2"], school="S3")).all()
    plan = pl.optimise(area, times, scenario)
    assert "closed: 1 edge (1.5 km) by closed_edges" in map(str, plan.notes)
    assert pl.verify(plan.save(tmp_path / "out")).passed


def test_an_area_under_water_leaves_nobody_a_way_and_no_traceback(folder, tmp_path):
    layer(folder, [shapely.box(X0 - 9000, Y0 - 9000, X0 + 9000, Y0 + 9000)], "flood.shp")
    text = tiny_module.SCENARIO.replace('["walk"]', '["walk", "bicycle", "bus"]\nclosed_areas = "flood.shp"')
    area, scenario = pl.read_area(folder), pl.parse_scenario(text)
    times = travel_times(area, scenario.travel)
    assert np.isnan(times.data["minutes"]).all()
    assert len(times.off_network) == 7
    plan = pl.current_plan(area, times, scenario)
    assert set(plan.assignment["reason"]) == {"unreachable"}


def test_the_cache_is_keyed_by_what_the_layer_holds(folder):
    layer(folder, [FLOOD])
    area, travel = pl.read_area(folder), Travel(modes=("walk",), closed_areas="flood.geojson", max_access_m=50)
    first = travel_times(area, travel)
    assert travel_times(area, travel).from_cache
    assert roads_of(area, travel) is roads_of(area, travel)
    layer(folder, [shapely.box(X0 + 100, Y0 - 10, X0 + 200, Y0 + 10)])
    second = travel_times(area, travel)
    assert not second.from_cache
    assert not first.data["minutes"].equals(second.data["minutes"])
    assert roads_of(area, WALK) is area.roads


def test_the_datum_of_a_layer_is_declared(folder):
    from planner.sources.datum import from_wgs84

    shifted = gpd.GeoSeries([FLOOD], crs=tiny_module.CRS).to_crs("EPSG:4326").iloc[0]
    shifted = shapely.transform(shifted, lambda xy: np.column_stack(from_wgs84(*xy.T, "gcj02")))
    gpd.GeoDataFrame(geometry=[shifted], crs="EPSG:4326").to_file(folder / "flood.geojson")
    area = pl.read_area(folder)
    assert str(changed(area, Travel(closed_areas="flood.geojson")).said[0]).startswith("closed: 0 edges")
    declared = Travel(closed_areas="flood.geojson", closed_areas_datum="gcj02")
    assert [*map(str, changed(area, declared).said)] == ["closed: 1 edge (0.3 km) by closed_areas flood.geojson"]


# --- faults


def said(folder, **travel):
    with pytest.raises(ScenarioError) as caught:
        travel_times(pl.read_area(folder), Travel(**travel))
    return str(caught.value)


def test_unknown_rows_are_refused_and_told_with_the_other_faults(folder):
    text = said(folder, closed_edges=(0, 3, 99), closed_areas="absent.geojson")
    assert "travel.closed_edges: there is no road 3, 99; this area's roads are rows 0 to 2" in text
    assert "travel.closed_areas: there is no file absent.geojson in" in text


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("../outside.geojson", "is outside the area's folder"),
        ("/outside.geojson", "is outside the area's folder"),
        ("link.geojson", "is outside the area's folder"),
        ("a\0b.geojson", "is no name of a file"),
        ("x" * 5000 + ".geojson", "is no name of a file"),
        ("area.toml", "area.toml is no file of shapes"),
        (".", "there is no file ."),
        ("rubbish.geojson", "not a .geojson file that can be read"),
        ("empty.geojson", "there are no shapes in it"),
        ("nowhere.shp", "the file says no coordinate system"),
        ("beyond.geojson", "the shape leaves what EPSG:4545 can show"),
    ],
)
def test_layers_that_cannot_be_used(folder, name, problem):
    outside = folder.parent / "outside.geojson"
    outside.write_text("{}")
    (folder / "link.geojson").symlink_to(outside)
    (folder / "rubbish.geojson").write_text("rubbish")
    (folder / "empty.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    gpd.GeoDataFrame(geometry=[FLOOD], crs=tiny_module.CRS).to_file(folder / "nowhere.shp")
    (folder / "nowhere.prj").unlink()
    beyond = gpd.GeoDataFrame(geometry=[shapely.box(-200, 89, 500, 9000)], crs="EPSG:4326")
    beyond.to_file(folder / "beyond.geojson")
    assert problem in said(folder, closed_areas=name)


def test_a_datum_that_is_none_and_gaps_beyond_25_m_are_refused(folder):
    layer(folder, [FLOOD])
    assert "travel.closed_areas_datum: gjc02 is no datum" in said(
        folder, closed_areas="flood.geojson", closed_areas_datum="gjc02"
    )
    with pytest.raises(ScenarioError, match=r"travel\.close_gaps_m: 26"):
        pl.parse_scenario('title = "a"\n[travel]\nclose_gaps_m = 26')
    for row in (-1, 10**30):
        with pytest.raises(ScenarioError, match=rf"travel\.closed_edges\.0: {row}"):
            pl.parse_scenario(f'title = "a"\n[travel]\nclosed_edges = [{row}]')
