"""Paths: the travel times' own minutes and kilometres, and lines that are as long as they say."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import DataError
from planner.model import Roads
from planner.roads import paces
from planner.scenario import Travel
from planner.travel import mode_times, path, paths, travel_times
from planner.travel.routes import DIRECTIONS
from tests.test_travel import area_of, networks, road
from tests.test_ways import ALL_SORTS

WALK = Travel(modes=("walk",))


def every_pair(area, *modes):
    pairs = pd.MultiIndex.from_product(
        [area.demand.index, area.schools.index, modes], names=["demand_id", "school_id", "mode"]
    )
    return pairs.to_frame(index=False)


@settings(max_examples=20, deadline=None)
@given(networks(ALL_SORTS), st.sampled_from(["walk", "bicycle", "bus", "walk_bus"]), st.sampled_from([2.0, 6.0, 15.0]))
def test_minutes_and_km_are_the_matrix_s(area, mode, limit):
    travel = Travel(modes=(mode,), walk_max_minutes=40, walk_to_stop_max_minutes=limit, max_access_m=300)
    found, times = paths(area, travel, every_pair(area, mode)), mode_times(area, travel, mode)
    np.testing.assert_allclose(found["minutes"], times.minutes.ravel(), atol=1e-6)
    np.testing.assert_allclose(found["km"], times.km.ravel(), atol=1e-6)
    both = mode_times(area, travel.model_copy(update={"trip": "both"}), mode)
    home = paths(area, travel, every_pair(area, mode), "from_school")
    np.testing.assert_allclose((found["minutes"] + home["minutes"]) / 2, both.minutes.ravel(), atol=1e-6)
    np.testing.assert_allclose((found["km"] + home["km"]) / 2, both.km.ravel(), atol=1e-6)


def test_the_way_home_round_a_one_way_street():
    lines = [road([(0, 0), (1000, 0)], oneway="yes"), road([(1000, 0), (1000, 1000), (0, 1000), (0, 0)], oneway="yes")]
    area = area_of(lines, demand=[(0, 0)], schools=[(1000, 0)])
    travel = Travel(modes=("bicycle",), max_access_m=1)
    there, home = (path(area, travel, "V1", "S1", direction=way) for way in DIRECTIONS)
    assert (there.minutes, home.minutes) == pytest.approx((60 / 13, 3 * 60 / 13))
    assert (there.km, home.km) == pytest.approx((1, 3))
    assert there.edges["edge"].tolist() != home.edges["edge"].tolist()
    assert home.geometry.coords[0] == there.geometry.coords[-1]
    assert home.geometry.coords[-1] == there.geometry.coords[0]


def test_on_foot_to_the_stop_by_bus_and_on_foot():
    lines = [
        road([(0, 600), (0, 0)], highway="footway"),
        road([(0, 0), (3000, 0)]),
        road([(3000, 0), (3000, 300)], highway="footway"),
    ]
    area = area_of(lines, demand=[(0, 640)], schools=[(3000, 340)])
    found = path(area, Travel(max_access_m=200, bus_wait_minutes=3), "V1", "S1", mode="walk_bus")
    assert found.minutes == pytest.approx((600 + 300 + 2 * 80) / 75 + 3 + 7.2)
    assert found.edges["on_foot"].tolist() == [True, False, True]
    assert found.parts["on_foot"].tolist() == [True, False, True]
    assert found.parts.length.tolist() == pytest.approx([640, 3000, 340])
    assert found.off_road_m == pytest.approx(80)
    assert shapely.union_all(found.parts.geometry).length == pytest.approx(found.geometry.length)
    home = path(area, Travel(max_access_m=200), "V1", "S1", mode="walk_bus", direction="from_school")
    assert home.parts.length.tolist() == pytest.approx([340, 3000, 640])


@settings(max_examples=12, deadline=None)
@given(networks(ALL_SORTS), st.sampled_from(["walk", "bicycle", "bus", "walk_bus"]))
def test_the_line_is_as_long_as_the_way_and_goes_along_the_roads(area, mode):
    travel = Travel(modes=(mode,))
    found = paths(area, travel, every_pair(area, mode))
    length, off = found.length.to_numpy(), found["off_road_m"].to_numpy()
    known = ~np.isnan(off)
    assert (found.geometry.is_empty == ~known).all()
    np.testing.assert_allclose(
        (length + (travel.access_detour - 1) * off)[known], 1000 * found["km"].to_numpy()[known], atol=1e-6
    )
    homes, schools = area.demand.geometry, area.schools.geometry
    for row in found[known].itertuples():
        ends = shapely.points([row.geometry.coords[0], row.geometry.coords[-1]])
        assert shapely.distance(ends[0], homes[row.demand_id]) < 1e-6
        assert shapely.distance(ends[1], schools[row.school_id]) < 1e-6
    # Of the places drawn between the doors and the road's two ends, every one is on a road.
    inner = [shapely.get_coordinates(line)[1:-1] for line in found.geometry[known]]
    inner = shapely.points(np.concatenate([np.zeros((0, 2)), *inner]))
    assert shapely.distance(inner, shapely.union_all(area.roads.edges.geometry.to_numpy())).max(initial=0) < 1e-6


@settings(max_examples=6, deadline=None)
@given(networks(ALL_SORTS), st.sampled_from(["walk", "bus", "walk_bus"]), st.sampled_from(DIRECTIONS))
def test_edge_by_edge_the_rides_join_and_obey_one_way_streets(area, mode, direction):
    travel, edges = Travel(modes=(mode,), max_access_m=300), area.roads.edges
    pace = {on_foot: paces(edges, "walk" if on_foot else "bus", travel) for on_foot in (True, False)}
    for demand, school in every_pair(area, mode)[["demand_id", "school_id"]].itertuples(index=False):
        found = path(area, travel, demand, school, mode=mode, direction=direction)
        rides = found.edges
        minutes = found.off_road_m * 60 * 2 / 4500 + (0 if mode == "walk" else 5)
        each = zip(rides["edge"], rides["ahead"], rides["km"], rides["on_foot"], strict=True)
        minutes += sum(1000 * km * pace[on_foot][0 if ahead else 1][edge] for edge, ahead, km, on_foot in each)
        assert found.minutes == pytest.approx(minutes, nan_ok=True)
        one = edges["oneway"].to_numpy()[rides["edge"]] * ~rides["on_foot"]
        assert (one * np.where(rides["ahead"], 1, -1) >= 0).all()
        changes = np.flatnonzero(np.diff(rides["on_foot"]))
        assert len(changes) <= 2 * (mode == "walk_bus")
        walked = [rides.loc[rides["on_foot"] & (rides.index <= at), "km"].sum() for at in changes[:1]]
        assert all(km * 1000 / 75 <= travel.walk_to_stop_max_minutes + 1e-9 for km in walked)
        ends = edges[["from_node", "to_node"]].to_numpy()[rides["edge"]]
        ends = np.where(rides["ahead"].to_numpy()[:, None], ends, ends[:, ::-1])
        assert (ends[1:, 0] == ends[:-1, 1]).all()
        assert (rides["start"].iloc[1:].isin([0, 1])).all()
        assert (rides["end"].iloc[:-1].isin([0, 1])).all()


def test_along_one_edge_and_straight_across_it():
    area = area_of([road([(0, 0), (3000, 0)])], demand=[(500, 0), (1000, 50)], schools=[(2000, 0), (1000, -50)])
    along = path(area, WALK, "V1", "S1")
    assert along.edges[["edge", "ahead"]].values.tolist() == [[0, True]]
    assert along.edges[["start", "end"]].values.ravel() == pytest.approx([1 / 6, 2 / 3])
    assert (along.km, along.minutes, along.off_road_m) == pytest.approx((1.5, 20, 0))
    back = path(area, WALK, "V2", "S2")
    assert back.edges.empty
    assert (back.km, back.minutes, back.off_road_m) == pytest.approx((0.2, 200 / 75, 100))
    assert back.geometry.length == pytest.approx(100)


def test_a_band_goes_by_its_own_modes():
    area = area_of([road([(0, 0), (9000, 0)])], demand=[(0, 0)], schools=[(9000, 0)])
    travel = Travel(modes=("walk", "bus"), modes_by_band={"lower_primary": ("walk",)})
    assert path(area, travel, "V1", "S1").mode == "bus"
    assert path(area, travel, "V1", "S1", band="lower_primary").mode == "walk"
    assert path(area, travel, "V1", "S1", mode="bicycle").minutes == pytest.approx(9 / 13 * 60)
    times = travel_times(area, travel).data
    for band in ("lower_primary", "junior"):
        assert path(area, travel, "V1", "S1", band=band).minutes == pytest.approx(
            times["minutes"].sel(band=band).item()
        )


def test_no_way_is_unknown_and_empty():
    area = area_of([road([(0, 0), (900, 0)])], demand=[(0, 0)], schools=[(90_000, 0)])
    found = path(area, WALK, "V1", "S1")
    assert found.mode == ""
    assert np.isnan([found.minutes, found.km, found.off_road_m]).all()
    assert found.edges.empty
    assert found.geometry.is_empty
    assert found.parts.empty
    limited = WALK.model_copy(update={"walk_max_minutes": 5.0})
    near = area_of([road([(0, 0), (900, 0)])], demand=[(0, 0)], schools=[(900, 0)])
    assert path(near, limited, "V1", "S1").geometry.is_empty


def test_rows_without_a_school_are_left_out_and_pairs_stand_once(tiny):
    rows = tiny.plan.assignment.copy()
    rows.loc[rows["demand_id"] == "V2", ["school_id", "mode"]] = ""
    found = paths(tiny.area, tiny.scenario.travel, rows)
    assert found["demand_id"].tolist() == ["V1", "V3", "V4"]
    assert found.crs == tiny.area.crs
    nobody = paths(tiny.area, tiny.scenario.travel, rows.iloc[:0])
    assert nobody.columns.tolist() == found.columns.tolist()
    assert len(nobody) == 0


def test_what_is_not_there_is_said(tiny):
    with pytest.raises(DataError) as caught:
        path(tiny.area, tiny.scenario.travel, "V9", "S8", band="juniors", mode="fly", direction="home")
    said = str(caught.value)
    assert "there is no demand point 'V9'. Did you mean V" in said
    assert "there is no school 'S8'" in said
    assert "there is no band 'juniors'. Did you mean junior?" in said
    assert "there is no direction 'home'. Use to_school or from_school." in said
    assert "there is no mode 'fly'. Use one of walk, bicycle, ebike, bus, walk_bus, car." in said


def test_a_road_longer_than_drawn_counts_its_own_length():
    area = area_of([road([(0, 0), (1000, 0)])], demand=[(250, 0)], schools=[(1000, 0)])
    edges = area.roads.edges.assign(length_m=2000.0)
    found = path(dataclasses.replace(area, roads=Roads(edges, area.roads.nodes)), WALK, "V1", "S1")
    assert found.km == pytest.approx(1.5)
    assert found.geometry.length == pytest.approx(750)
