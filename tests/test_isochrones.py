"""Isochrones and catchments: by hand on the tiny county, and the numbers of the travel times everywhere."""

import dataclasses
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import planner as pl
from planner.errors import DataError, ScenarioError
from planner.plan.catchments import school_of
from planner.scenario import Travel
from planner.travel import bodies, isochrones, mode_times, nearest_school_catchments, reachable_edges
from planner.travel.bodies import corners, round_any, round_two, spacing, united
from planner.travel.catchments import outline, partition
from planner.travel.reach import reach
from tests.test_cases import OSM, case
from tests.test_draw import unreachable
from tests.test_travel import area_of, network, networks, road
from tests.test_ways import ALL_SORTS
from tests.tiny import X0, Y0

ROOT = Path(__file__).parents[1]
CENTIMETRES = 0.02
"""Corners are rounded to one."""


def quickest(area, travel, mode):
    """(n_demand,) minutes to the nearest school, infinite where there is no way."""
    minutes = mode_times(area, travel, mode).minutes
    return np.where(np.isnan(minutes), np.inf, minutes).min(axis=1)


def assert_same_numbers(area, travel, mode, limits, tolerance_m):
    """Who is within the limit by the travel times lies in the polygon; who is not, outside it or near its edge."""
    points, best = area.demand.geometry.to_numpy(), quickest(area, travel, mode)
    found = isochrones(area, travel, minutes=limits, mode=mode, tolerance_m=tolerance_m)
    assert found["minutes"].tolist() == sorted(limits)
    assert found.crs == area.crs
    assert found.is_valid.all()
    assert set(found.geom_type) <= {"Polygon", "MultiPolygon"}
    for limit, land in zip(found["minutes"], found.geometry, strict=True):
        inside, away = shapely.distance(land, points), shapely.distance(shapely.boundary(land), points)
        within = best <= limit
        if not land.is_empty:
            assert (inside[within] <= CENTIMETRES).all()
            assert (away[~within & (inside == 0)] <= tolerance_m + CENTIMETRES).all()
        # Nearly on the limit, the least remaining way may be no land at all.
        assert not (within & (best < limit - 0.01)).any() or not land.is_empty
    for less, more in zip(found.geometry, found.geometry[1:], strict=False):
        assert shapely.difference(less, more).area <= 1e-3


@settings(max_examples=30, deadline=None)
@given(
    networks(ALL_SORTS),
    st.sampled_from(["walk", "bicycle", "bus", "walk_bus"]),
    st.sampled_from([150.0, 500.0, 2000.0]),
    st.sampled_from([3.0, 8.0, 15.0]),
)
def test_the_same_numbers_as_the_travel_times(area, mode, max_access_m, to_stop):
    """On drawn networks, from many places; one-way streets, crooked and parallel roads, a short way to the road."""
    rng = np.random.default_rng(1)
    xy = np.add(rng.uniform(-600, 1800, (300, 2)), (X0, Y0))
    names = pd.Index([f"P{i}" for i in range(len(xy))], name="demand_id")
    demand = gpd.GeoDataFrame(geometry=shapely.points(xy), index=names, crs=area.crs)
    many = dataclasses.replace(area, demand=demand)
    travel = Travel(max_access_m=max_access_m, walk_to_stop_max_minutes=to_stop)
    assert_same_numbers(many, travel, mode, [2, 4, 8, 12, 20, 61.5], 1.0)


@settings(max_examples=20, deadline=None)
@given(networks(ALL_SORTS), st.sampled_from(["walk", "bus", "walk_bus"]))
def test_minutes_of_places_on_the_roads_are_those_of_doors_there(area, mode):
    travel = Travel()
    found = reach(area, travel, np.arange(len(area.schools)), mode)
    assume(found.stops.any())
    rng = np.random.default_rng(2)
    edge, share = rng.choice(np.flatnonzero(found.stops), 40), rng.uniform(0, 1, 40)
    lines = area.roads.edges.geometry.to_numpy()[edge]
    here = shapely.line_interpolate_point(lines, share, normalized=True)
    rows = area.demand.iloc[[0] * 40].set_geometry(here).set_axis([f"P{i}" for i in range(40)])
    minutes, school = found.at(edge, share)
    times = mode_times(dataclasses.replace(area, demand=rows), travel, mode).minutes - found.wait_minutes
    # A door there may also walk across to another road.
    assert (np.where(np.isnan(times), np.inf, times).min(axis=1) <= minutes + 1e-6).all()
    served = np.flatnonzero(school >= 0)
    assert (times[served, school[served]] <= minutes[served] + 1e-6).all()


def test_on_foot_to_the_stop_the_limit_is_of_the_walk():
    """A footpath of 1,200 m to 3 km of road: 8 minutes of walking and 3 of waiting, ride and wait 10.2."""
    area = area_of([road([(0, 1200), (0, 0)], highway="footway"), road([(0, 0), (3000, 0)])], [(0, 0)], [(3000, 0)])
    travel = Travel(max_access_m=100, bus_wait_minutes=3, walk_to_stop_max_minutes=8)
    found = isochrones(area, travel, minutes=[10.2 + 4, 10.2 + 8, 60], mode="walk_bus", tolerance_m=0.1)
    assert found.bounds["maxy"].tolist() == pytest.approx([Y0 + 4 * 75, Y0 + 8 * 75, Y0 + 8 * 75], abs=0.2)
    edges = reachable_edges(area, travel, 60, mode="walk_bus")
    walked = edges[edges["on_foot"]]
    assert walked[["from_minutes", "to_minutes"]].values.tolist() == [[pytest.approx(18.2), pytest.approx(10.2)]]
    assert walked["from_share"].tolist() == pytest.approx([0.5])
    assert set(edges.loc[~edges["on_foot"], "edge"]) == {1}


def test_reachable_edges_by_hand(tiny):
    found = reachable_edges(tiny.area, tiny.scenario.travel, 30, ["S2"])
    # S2 stands at the second junction, 20 minutes from either neighbour; who sets out away from it turns there.
    assert found["on_foot"].all()
    assert found[["edge", "ahead"]].values.tolist() == [[0, True], [0, False], [1, True], [1, False], [2, False]]
    np.testing.assert_allclose(found[["from_share", "to_share"]], [[0, 1], [0, 0.5], [0.5, 1], [0, 1], [0, 0.5]])
    np.testing.assert_allclose(found[["from_minutes", "to_minutes"]], [[20, 0], [20, 30], [30, 20], [0, 20], [20, 30]])
    assert set(found["school_id"]) == {"S2"}


def test_a_school_beside_the_road_cuts_the_ride(tiny):
    area = area_of([road([(0, 0), (3000, 0)])], demand=[(0, 0)], schools=[(1000, 300)])
    found = reachable_edges(area, Travel(), 60)
    lead = 300 / np.sqrt(3)
    direct = found.groupby("ahead")["from_minutes"].idxmin()  # who passes it turns at the end of the road
    ahead, back = found.loc[direct[True]], found.loc[direct[False]]
    assert ahead["to_share"] == pytest.approx((1000 - lead) / 3000)
    assert back["from_share"] == pytest.approx((1000 + lead) / 3000)
    assert ahead["to_minutes"] == pytest.approx(np.hypot(300, lead) * 2 / 75)
    at_foot, school = reach(area, Travel(), np.array([0]), "walk").at(np.array([0]), np.array([1 / 3]))
    assert at_foot[0] == pytest.approx(300 * 2 / 75)
    assert school[0] == 0


def test_an_isochrone_by_hand(tiny):
    (land,) = isochrones(tiny.area, tiny.scenario.travel, ["S1"], [10], tolerance_m=0.1).geometry
    # 750 m along the road east of S1; 10 minutes of land at 37.5 m a minute at the school, nothing at the far end.
    cone = np.arcsin(375 / 750)
    area = 375**2 * (np.pi / 2 + cone) + 375 * np.sqrt(750**2 - 375**2)
    assert land.area == pytest.approx(area, rel=1e-3)
    assert land.area >= area


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([8, 12, 36]))
def test_the_hull_of_two_discs_is_the_hull_of_their_corners(seed, count):
    rng = np.random.default_rng(seed)
    centres, radii = rng.uniform(-50, 50, (20, 2, 2)), rng.uniform(1, 100, (20, 2))
    centres[:3, 1], radii[:2, 1] = centres[:3, 0], radii[:2, 0]  # one place, and one disc twice
    made, whole = (way(centres, radii, corners(count)) for way in (round_two, round_any))
    assert shapely.is_valid(made).all()
    assert shapely.area(shapely.symmetric_difference(made, whole)).max() <= CENTIMETRES * 100


def test_bodies_that_others_cover_are_spared_and_the_land_is_the_same(monkeypatch):
    rng = np.random.default_rng(0)
    places = np.cumsum(rng.uniform(-4, 10, (400, 2)), axis=0)  # a winding road, drawn finely
    radii = np.linspace(60, 0, 400)
    stretches = np.stack([places[:-1], places[1:]], axis=1), np.column_stack([radii[:-1], radii[1:]])
    across = places[:30].reshape(10, 3, 2), rng.uniform(0, 80, (10, 3))
    known = shapely.box(0, 0, 300, 300)
    assert spacing(*stretches) >= bodies.FEWEST
    spared = united(known, [stretches, across], 1.0)
    monkeypatch.setattr(bodies, "FEWEST", np.inf)
    assert shapely.symmetric_difference(spared, united(known, [stretches, across], 1.0)).area <= 0.1 * CENTIMETRES
    within = corners(100) * np.cos(np.pi / 100)  # on the discs, not round them
    drawn = shapely.union_all([known, *round_any(*stretches, within), *round_any(*across, within)])
    assert shapely.difference(drawn, shapely.buffer(spared, CENTIMETRES)).area == 0


def test_the_way_to_the_road_is_limited(tiny):
    (land,) = isochrones(tiny.area, Travel(max_access_m=100), ["S1"], [30], tolerance_m=0.1).geometry
    assert land.bounds == pytest.approx((X0 - 100, Y0 - 100, X0 + 2250, Y0 + 100), abs=0.2)


def test_a_bus_waits_and_takes_nobody_on_at_an_expressway():
    lines = [
        road([(0, 0), (1000, 0)]),
        road([(1000, 0), (9000, 0)], highway="motorway", oneway="no"),
        road([(9000, 0), (9900, 0)]),
    ]
    area = area_of(lines, demand=[(0, 0)], schools=[(0, 0)])
    travel = Travel(modes=("bus",), max_access_m=200, bus_wait_minutes=5)
    found = isochrones(area, travel, minutes=[5, 30], mode="bus")
    assert found.geometry[0].is_empty
    stretch = shapely.LineString([(X0 + 1300, Y0), (X0 + 8700, Y0)])
    assert not shapely.intersects(found.geometry[1], stretch)
    assert shapely.intersects(found.geometry[1], shapely.Point(X0 + 9500, Y0))
    assert set(reachable_edges(area, travel, 30, mode="bus")["edge"]) == {0, 2}


def test_nobody_walks_longer_than_they_may(tiny):
    found = isochrones(tiny.area, Travel(walk_max_minutes=10), minutes=[10, 30])
    assert shapely.equals(*found.geometry)


def test_each_school_has_its_own_polygons(tiny):
    found = isochrones(tiny.area, tiny.scenario.travel, ["S3", "S1"], [20, 10], each=True)
    assert found[["school_id", "minutes"]].values.tolist() == [["S3", 10], ["S3", 20], ["S1", 10], ["S1", 20]]
    both = isochrones(tiny.area, tiny.scenario.travel, ["S1", "S3"], [20]).geometry[0]
    together = shapely.union_all(found.geometry[found["minutes"] == 20].to_numpy())
    assert shapely.symmetric_difference(both, together).area == pytest.approx(0, abs=1)


def test_no_schools_no_land(tiny):
    found = isochrones(tiny.area, tiny.scenario.travel, [], [10])
    assert found.geometry[0].is_empty
    assert not len(reachable_edges(tiny.area, tiny.scenario.travel, 10, []))
    assert nearest_school_catchments(tiny.area, tiny.scenario.travel, [])["school_id"].tolist() == [""]


def test_unknown_schools_and_modes_are_named(tiny):
    with pytest.raises(DataError, match=r"'S9' is no school of tiny\. Choose from S1, S2, S3"):
        isochrones(tiny.area, tiny.scenario.travel, ["S1", "S9"])
    with pytest.raises(ScenarioError, match=r"there is no mode 'fly'\. Choose one of walk, bicycle"):
        isochrones(tiny.area, tiny.scenario.travel, mode="fly")


# ---------------------------------------------------------------- catchments


def assert_partition(shapes, whole):
    """Valid, no gap, no overlap."""
    shapes = np.asarray(shapes)
    assert shapely.is_valid(shapes).all()
    assert shapely.area(shapes).sum() == pytest.approx(whole.area, rel=1e-6)
    assert shapely.union_all(shapes).area == pytest.approx(whole.area, rel=1e-6)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    shared = shapely.area(shapely.intersection(shapes[one[one < other]], shapes[other[one < other]]))
    assert (shared <= 1e-6 * whole.area).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 60), st.integers(1, 5))
def test_a_partition_leaves_no_gap_and_no_overlap(seed, count, labels):
    rng = np.random.default_rng(seed)
    xy = rng.integers(0, 12, (count, 2)) * 100.0  # on a grid: many places equally near
    hole = shapely.box(400, 400, 600, 700)
    whole = shapely.union(shapely.difference(shapely.box(-50, 0, 1000, 900), hole), shapely.box(1100, 0, 1200, 300))
    label = rng.integers(0, labels, count).astype(str).astype(object)
    shapes = partition(whole, xy, label)
    assert_partition(shapes.to_numpy(), whole)
    first = {tuple(place): name for place, name in zip(xy[::-1].tolist(), label[::-1], strict=True)}
    for place, name in first.items():
        if shapely.intersects(whole, shapely.Point(place)):
            assert shapely.distance(shapes[name], shapely.Point(place)) <= 1e-6


@settings(max_examples=15, deadline=None)
@given(networks(), st.sampled_from(["walk", "bus", "walk_bus"]))
def test_catchments_by_road_share_out_the_county_as_the_travel_times_do(area, mode):
    travel = Travel()
    found = nearest_school_catchments(area, travel, mode=mode)
    assert_partition(found.geometry, outline(area))
    assert_own_school(area, travel, mode, found)
    reached = reach(area, travel, np.arange(len(area.schools)), mode)
    assume(reached.stops.any())
    rng = np.random.default_rng(3)
    edge, share = rng.choice(np.flatnonzero(reached.stops), 60), rng.uniform(0, 1, 60)
    lines = area.roads.edges.geometry.to_numpy()
    places = shapely.line_interpolate_point(lines[edge], share, normalized=True)
    corners = [shapely.get_coordinates(line) for line in lines]
    pieces = np.concatenate([shapely.linestrings(np.stack([xy[:-1], xy[1:]], axis=1)) for xy in corners])
    seeds = np.concatenate([pieces, area.demand.geometry.to_numpy()])
    land = found.set_index("school_id").geometry
    for place, own in zip(places, reached.at(edge, share)[1], strict=True):
        alone = np.sort(shapely.distance(seeds, place))[1] > 100  # nothing is as near as a seed of its piece
        if own >= 0 and alone and shapely.intersects(outline(area), place):
            assert shapely.distance(land[area.schools.index[own]], place) <= 1.0


def test_every_change_of_school_along_a_road_is_found():
    """Within one spacing: at its very end, and another school for a few metres between two changes."""
    for seed, edge, share in ((5, 7, 0.0215), (116, 5, 0.1232)):
        rng, travel = np.random.default_rng(seed), Travel()
        area = network(rng, rng.integers(4, 29))
        school = reach(area, travel, np.arange(3), "walk").at(np.array([edge]), np.array([share]))[1][0]
        place = shapely.line_interpolate_point(area.roads.edges.geometry[edge], share, normalized=True)
        land = nearest_school_catchments(area, travel).set_index("school_id").geometry
        assert shapely.distance(land[area.schools.index[school]], place) <= 1.0


def assert_own_school(area, travel, mode, found):
    minutes = mode_times(area, travel, mode).minutes
    best = np.where(np.isnan(minutes), np.inf, minutes).min(axis=1)
    land = found.set_index("school_id").geometry
    whole = outline(area)
    for i, point in enumerate(area.demand.geometry):
        if not shapely.intersects(whole, point):
            continue
        mine = [str(s) for s, t in zip(area.schools.index, minutes[i], strict=True) if t <= best[i] + 1e-9] or [""]
        assert any(school in land.index and shapely.distance(land[school], point) <= 1e-6 for school in mine)


def test_a_road_is_split_where_two_schools_are_equally_far(tiny):
    found = nearest_school_catchments(tiny.area, tiny.scenario.travel, ["S1", "S3"]).set_index("school_id").geometry
    west, east = found["S1"].bounds, found["S3"].bounds
    assert west[2] == pytest.approx(X0 + 2250, abs=0.1)
    assert east[0] == pytest.approx(X0 + 2250, abs=0.1)


def test_a_plans_catchments_share_out_the_county(tiny):
    for plan in (tiny.plan, tiny.today, unreachable(tiny.plan)):
        found = pl.catchments(plan)
        for stage, land in found.groupby("stage"):
            assert_partition(land.geometry, outline(tiny.area))
            shapes = land.set_index("school_id").geometry
            for village, school in school_of(plan, stage).items():
                assert shapely.intersects(shapes[school], tiny.area.demand.geometry[village])
    assert "" in set(found["school_id"])


# ---------------------------------------------------------------- counties


@pytest.fixture(scope="module")
def xunyi():
    return pl.read_area(ROOT / "data" / "xunyi")


@pytest.mark.parametrize("mode", ["walk", "bus", "walk_bus"])
def test_xunyi_has_the_same_numbers(xunyi, mode):
    assert_same_numbers(xunyi, Travel(), mode, [5, 10, 30], 5.0)
    found = nearest_school_catchments(xunyi, Travel(), mode=mode)
    assert_partition(found.geometry, outline(xunyi))
    assert_own_school(xunyi, Travel(), mode, found)


def test_the_plan_of_xunyi_shares_out_the_county(xunyi):
    scenario = pl.read_scenario(ROOT / "data" / "xunyi" / "scenarios" / "county-2023.toml")
    today = pl.current_plan(xunyi, pl.travel_times(xunyi, scenario.travel), scenario)
    found = pl.catchments(today)
    places = shapely.get_coordinates(xunyi.demand.geometry.to_numpy())
    single = xunyi.demand.index[~pd.DataFrame(places).duplicated(keep=False).to_numpy()]
    for stage, land in found.groupby("stage"):
        assert_partition(land.geometry, outline(xunyi))
        shapes = land.set_index("school_id").geometry
        school = school_of(today, stage)
        school = school[school.index.isin(single)]
        away = [shapely.distance(shapes[s], xunyi.demand.geometry[v]) for v, s in school.items()]
        assert max(away) <= 1e-6


@pytest.mark.parametrize("name", ["liechtenstein", "coxsbazar"])
def test_a_real_county_has_the_same_numbers(name, tmp_path):
    assert name in OSM
    area = pl.new_area(tmp_path / name, osm=case(name))
    assert_same_numbers(area, Travel(), "walk", [10], 5.0)
    assert_same_numbers(area, Travel(), "bus", [15], 5.0)
    assert_same_numbers(area, Travel(), "walk_bus", [15, 30], 5.0)
    found = nearest_school_catchments(area, Travel(), mode="bus")
    assert_partition(found.geometry, outline(area))
    assert_own_school(area, Travel(), "bus", found)
