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
from tests.test_travel import area_of, networks, road

WALK = Travel(modes=("walk",))


def every_pair(area, *modes):
    pairs = pd.MultiIndex.from_product(
        [area.demand.index, area.schools.index, modes], names=["demand_id", "school_id", "mode"]
    )
    return pairs.to_frame(index=False)


@settings(max_examples=12, deadline=None)
@given(networks(), st.sampled_from(["walk", "bicycle", "bus"]))
def test_minutes_and_km_are_the_matrix_s(area, mode):
    travel = Travel(modes=(mode,), walk_max_minutes=40)
    found, times = paths(area, travel, every_pair(area, mode)), mode_times(area, travel, mode)
    np.testing.assert_allclose(found["minutes"], times.minutes.ravel(), atol=1e-6)
    np.testing.assert_allclose(found["km"], times.km.ravel(), atol=1e-6)


@settings(max_examples=12, deadline=None)
@given(networks(), st.sampled_from(["walk", "bicycle", "bus"]))
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
    inner = shapely.points(np.concatenate([shapely.get_coordinates(line)[1:-1] for line in found.geometry[known]]))
    assert shapely.distance(inner, shapely.union_all(area.roads.edges.geometry.to_numpy())).max(initial=0) < 1e-6


@settings(max_examples=6, deadline=None)
@given(networks(), st.sampled_from(["walk", "bus"]))
def test_edge_by_edge_the_rides_join_and_obey_one_way_streets(area, mode):
    travel, edges = Travel(modes=(mode,)), area.roads.edges
    pace, one = paces(edges, mode, travel), edges["oneway"].to_numpy() * (mode != "walk")
    for demand, school in every_pair(area, mode)[["demand_id", "school_id"]].itertuples(index=False):
        found = path(area, travel, demand, school, mode=mode)
        rides = found.edges
        minutes = found.off_road_m * 60 * 2 / 4500 + (5 if mode == "bus" else 0)
        each = zip(rides["edge"], rides["ahead"], rides["km"], strict=True)
        minutes += sum(1000 * km * pace[0 if ahead else 1][edge] for edge, ahead, km in each)
        assert found.minutes == pytest.approx(minutes, nan_ok=True)
        assert (one[rides["edge"]] * np.where(rides["ahead"], 1, -1) >= 0).all()
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
        path(tiny.area, tiny.scenario.travel, "V9", "S8", band="juniors", mode="fly")
    said = str(caught.value)
    assert "there is no demand point 'V9'. Did you mean V" in said
    assert "there is no school 'S8'" in said
    assert "there is no band 'juniors'. Did you mean junior?" in said
    assert "there is no mode 'fly'. Use one of walk, bicycle, ebike, bus, car." in said


def test_a_road_longer_than_drawn_counts_its_own_length():
    area = area_of([road([(0, 0), (1000, 0)])], demand=[(250, 0)], schools=[(1000, 0)])
    edges = area.roads.edges.assign(length_m=2000.0)
    found = path(dataclasses.replace(area, roads=Roads(edges, area.roads.nodes)), WALK, "V1", "S1")
    assert found.km == pytest.approx(1.5)
    assert found.geometry.length == pytest.approx(750)
