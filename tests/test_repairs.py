"""Repairs of a broken network, ranked by the pupils they would give a way; each case worked by hand."""

import dataclasses
from functools import cache

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from planner.area import check_area, find_repairs, write_area
from planner.roads import mode_parts, strong_parts
from planner.roads.parts import outside_largest
from planner.scenario import Travel
from planner.travel import travel_times
from tests import tiny as tiny_module
from tests.test_cases import case
from tests.test_travel import area_of, road


def with_pupils(area, counts):
    """So many in grade 1 of each village, none in another."""
    pupils = area.pupils * 0
    pupils["g1"] = counts
    return dataclasses.replace(area, pupils=pupils)


MAIN = road([(0, 0), (9000, 0)])


def test_a_gap_an_island_and_a_track_in_the_order_of_the_pupils_they_serve():
    lines = [
        MAIN,
        road([(0, 20), (0, 5000)]),  # ends 20 m short of the main road
        road([(4000, 3000), (4000, 6000)]),  # nearest approach 3,000 m
        road([(9000, 0), (9000, 3000)], highway="track"),
        road([(9000, 3000), (9000, 6000)]),  # a bus would come over the track alone
    ]
    area = with_pupils(area_of(lines, [(0, 4000), (4000, 5500), (9000, 5500), (500, 0)], [(5000, 0)]), [7, 5, 9, 100])
    found = find_repairs(area)
    assert found["kind"].tolist() == ["track", "gap", "island"]
    assert found["metres"].tolist() == [3000, 20, 3000]
    assert found[["pupils", "on_foot", "by_bus"]].to_numpy().tolist() == [[9, 0, 9], [7, 7, 7], [5, 5, 5]]
    roads = area.roads.edges
    track = int(np.flatnonzero(roads["road_class"] == "track")[0])
    assert found["edges"][0] == (track,)
    assert {roads["length_m"][row] for row in found["edges"][1]} == {4980, 9000}
    # Each closes the gap that a scenario would close, and then nothing is left to gain there.
    before = travel_times(area, Travel(modes=("walk",))).data["minutes"].sel(band="lower_primary", school="S1")
    assert np.isnan(before.to_numpy()).tolist() == [True, True, False, False]
    after = travel_times(area, Travel(modes=("walk",), close_gaps_m=20)).data["minutes"]
    assert np.isnan(after.sel(band="lower_primary", school="S1").to_numpy()).tolist() == [False, True, False, False]


def test_places_are_in_degrees_and_within_a_metre_of_the_drawing():
    area = with_pupils(area_of([MAIN, road([(0, 20), (0, 5000)])], [(0, 4000)], [(5000, 0)]), [1])
    back = to_metres(area.crs)
    row = find_repairs(area).iloc[0]
    ends = [back.transform(row["lon"], row["lat"]), back.transform(row["to_lon"], row["to_lat"])]
    drawn = np.add([(0, 0), (0, 20)], (tiny_module.X0, tiny_module.Y0))  # both are dead ends
    np.testing.assert_allclose(ends, drawn, atol=0.2)


def test_a_village_with_a_road_of_the_main_part_in_reach_gains_nothing():
    area = with_pupils(area_of([MAIN, road([(0, 20), (0, 5000)])], [(0, 1900)], [(5000, 0)]), [7])
    assert find_repairs(area)["pupils"].tolist() == [0]


def test_pupils_of_the_main_part_gain_a_school_on_an_island():
    area = with_pupils(area_of([MAIN, road([(4000, 3000), (4000, 6000)])], [(0, 0)], [(4000, 5500)]), [7])
    assert find_repairs(area)["pupils"].tolist() == [7]
    candidate = dataclasses.replace(area, schools=area.schools.assign(status="candidate"))
    assert find_repairs(candidate)["pupils"].tolist() == [0]


def test_a_way_over_two_tracks_and_a_road_between_joins_both():
    lines = [
        MAIN,
        road([(0, 0), (0, 3000)], highway="track"),
        road([(0, 3000), (0, 6000)]),
        road([(0, 6000), (0, 9000)], highway="path"),
        road([(0, 9000), (0, 12000)]),
    ]
    area = with_pupils(area_of(lines, [(0, 5500), (0, 11500)], [(5000, 0)]), [3, 4])
    found = find_repairs(area)
    assert found[["pupils", "metres"]].to_numpy().tolist() == [[7, 6000], [3, 3000]]
    assert [len(rows) for rows in found["edges"]] == [2, 1]


def test_steps_and_footways_are_not_made_roads():
    lines = [MAIN, road([(0, 0), (0, 3000)], highway="footway"), road([(0, 3000), (0, 6000)])]
    assert not len(find_repairs(with_pupils(area_of(lines, [(0, 5500)], [(5000, 0)]), [3])))


def test_a_one_way_street_that_leads_nowhere_is_a_doubt(tiny, tmp_path):
    lines = [MAIN, road([(9000, 0), (9000, 1000)], oneway="yes")]
    area = area_of(lines, [(0, 0)], [(5000, 0)])
    assert mode_parts(area.roads, "bus").tolist() == [0, 0, 0]
    assert sorted(strong_parts(area.roads, "bus").tolist()) == [0, 0, 1]
    assert outside_largest(area.roads, "bus") == pytest.approx(1 / 3)
    assert outside_largest(area.roads, "walk") == 0
    said = " ".join(map(str, check_area(write_area(area, tmp_path / "a")).doubts))
    assert "from 33.3% of the junctions of buses one-way streets let no bus come back, or none come there" in said


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_who_gains_on_foot_are_those_whom_the_repaired_network_gives_a_way(seed):
    """The repair made, and trips counted before and after; on an area with one school, on the main part."""
    rng = np.random.default_rng(seed)
    lines = [road([(0, 0), (15000, 0)])]
    for x in (0, 5000, 10000, 15000):
        low = float(rng.choice([0, 8, 20, 2500]))
        lines.append(road([(x, low), (x, 6000)], highway=str(rng.choice(["residential", "track"]))))
    villages = np.column_stack([rng.choice([0, 5000, 10000, 15000], 4), rng.integers(0, 6500, 4)]).astype(float)
    area = with_pupils(area_of(lines, villages, [(2500, 0)]), rng.integers(1, 50, 4))
    before = np.isnan(times(area))
    for row in find_repairs(area).itertuples():
        after = np.isnan(times(mended(area, row)))
        assert row.on_foot == area.pupils["g1"].to_numpy()[before & ~after].sum()


def times(area):
    found = travel_times(area, Travel(modes=("walk",))).data["minutes"]
    return found.sel(band="lower_primary", school="S1").to_numpy()


@cache
def to_metres(crs):
    """From degrees; kept, as finding it takes pyproj a tenth of a second."""
    return Transformer.from_crs("EPSG:4326", crs, always_xy=True)


def mended(area, row):
    """A straight road from one end of the repair to the other, or the tracks made roads."""
    import pandas as pd

    from planner.model import Roads
    from planner.roads import cut

    edges = area.roads.edges
    if row.kind == "track":
        return dataclasses.replace(
            area, roads=Roads(edges.assign(bus=edges["bus"] | edges.index.isin(row.edges)), area.roads.nodes)
        )
    there = to_metres(area.crs)
    ends = [shapely.Point(there.transform(*pair)) for pair in ((row.lon, row.lat), (row.to_lon, row.to_lat))]
    lines = edges.geometry.to_numpy()[list(row.edges)]
    share = [shapely.line_locate_point(line, end, normalized=True) for line, end in zip(lines, ends, strict=True)]
    made = cut(area.roads, np.array(row.edges), np.array(share))
    xy = made.roads.nodes[["x", "y"]].to_numpy()[made.node]
    new = edges.iloc[[row.edges[0]]].assign(from_node=made.node[0], to_node=made.node[1])
    new.geometry = [shapely.LineString(xy)]
    new["length_m"] = new.length
    return dataclasses.replace(
        area, roads=Roads(pd.concat([made.roads.edges, new], ignore_index=True), made.roads.nodes)
    )


def test_the_broken_network_of_coxs_bazar(tmp_path):
    import planner as pl
    from tests.test_cases import official_list

    osm = case("coxsbazar")
    schools, _ = official_list(tmp_path)
    area = pl.new_area(tmp_path / "cxb", osm=osm, schools=schools)
    found = find_repairs(area)
    assert (found["kind"] == "gap").sum() > 40
    assert (found.loc[found["kind"] == "gap", "metres"] <= 25).all()
    assert (np.diff(found["pupils"]) <= 0).all()
    assert found["pupils"].iloc[0] > 0
