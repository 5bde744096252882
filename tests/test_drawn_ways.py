"""Ways on the page: put together from their runs of road they are the paths."""

import itertools

import numpy as np
import pandas as pd
import pytest
import shapely
import shapely.ops
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.draw.ways import legs_of, lines_of, numbers, runs, shared
from planner.scenario import Travel
from planner.travel import paths
from planner.travel.flows import followed
from tests.test_flows import somebody
from tests.test_travel import area_of, networks, road
from tests.test_ways import ALL_SORTS


def on_page(area, rows):
    """The runs' lines, and the ways by mode, village and school, as the page has them."""
    legs = legs_of([followed(area, Travel(), rows)] * 2)
    run = runs(legs)
    lines, edge, with_line = lines_of(legs, run, area.roads.edges.geometry.to_numpy())
    assert len(lines) == len(edge) == run.max(initial=-1) + 1
    ways = numbers(legs, run, with_line, area.roads.edges["length_m"].to_numpy())
    return lines, {mode: in_full(shared(some)) for mode, some in ways.items()}


def in_full(coded):
    """As ``ways.js`` does it."""
    ways, before = [], []
    for six, kept, fresh in zip(coded["ends"], coded["kept"], coded["runs"], strict=True):
        before = [*fresh, *before[len(before) - kept :]]
        ways.append([*six, *before])
    return ways


def put_together(lines, way):
    """As ``ways.js`` does it."""
    begin, end, runs_of, parts = *way[2:4], way[6:], []
    for i, run in enumerate(runs_of):
        line = lines[abs(run) - 1] if run > 0 else shapely.reverse(lines[abs(run) - 1])
        low, high = (0 if i else begin / 1000), (1 if i < len(runs_of) - 1 else end / 1000)
        parts.append(shapely.ops.substring(line, low, high, normalized=True))
    return parts


@settings(max_examples=8, deadline=None)
@given(networks(ALL_SORTS), st.integers(0, 10**6), st.sampled_from(["walk", "bus", "walk_bus"]))
def test_runs_put_together_are_the_paths(area, seed, mode):
    rows = somebody(area, seed, mode)
    lines, ways = on_page(area, rows)
    found = paths(area, Travel(), rows)
    seen = 0
    for row in found.itertuples():
        pair = [area.demand.index.get_loc(row.demand_id), area.schools.index.get_loc(row.school_id)]
        way = [way for way in ways.get(mode, []) if way[:2] == pair]
        seen += len(way)
        if not way:  # off the road from door to door
            assert row.geometry.length == pytest.approx(row.off_road_m, abs=1e-3)
            continue
        parts = put_together(lines, way[0])
        slack = 1e-3 * max(part.length for part in lines[[abs(run) - 1 for run in way[0][6:]]]) + 1e-6
        assert sum(part.length for part in parts) == pytest.approx(row.geometry.length - row.off_road_m, abs=2 * slack)
        for part in parts:
            assert shapely.hausdorff_distance(shapely.intersection(part, row.geometry.buffer(slack)), part) <= slack
        for one, other in itertools.pairwise(parts):
            assert shapely.distance(shapely.get_point(one, -1), shapely.get_point(other, 0)) <= slack
    assert seen == sum(len(some) for some in ways.values())


def test_walked_first_and_last_runs_are_counted():
    lines = [
        road([(0, 600), (0, 0)], highway="footway"),
        road([(0, 0), (3000, 0)]),
        road([(3000, 0), (3000, 300)], highway="footway"),
    ]
    area = area_of(lines, demand=[(0, 500)], schools=[(3000, 300)])
    rows = pd.DataFrame({"demand_id": ["V1"], "school_id": "S1", "mode": "walk_bus", "pupils": 7})
    _, ways = on_page(area, rows)
    ((village, school, begin, end, first, last, *run),) = ways["walk_bus"]
    assert (village, school, begin, end, first, last, len(run)) == (0, 0, 167, 1000, 1, 1, 3)
    nobody = on_page(area, rows.iloc[:0])
    assert (len(nobody[0]), nobody[1]) == (0, {})
    assert np.array(run).astype(bool).all()


def test_the_halves_of_a_loop_are_two_runs():
    """One goes round by the south, from half to half over node 0, the other by the north over node 1."""
    south, north = [0, 0], [1, 1]
    legs = pd.DataFrame({"way": [*south, *north], "edge": [4, 5, 4, 5], "on_foot": False})
    legs = legs.assign(start=[0.5, 0.0, 0.5, 1.0], end=[0.0, 0.5, 1.0, 0.5])
    assert len(set(runs(legs))) == 2
    assert len(set(runs(legs.assign(start=[0.5, 0.0, 0.2, 0.0], end=[0.0, 0.5, 0.0, 0.8])))) == 1


@given(st.lists(st.tuples(st.integers(0, 2), st.lists(st.sampled_from([-3, -2, -1, 1, 2, 3]), min_size=1))))
def test_ways_that_share_their_ends_are_all_there(some):
    ways = [[village, school, 1, 2, 3, 4, *run] for village, (school, run) in enumerate(some)]
    assert sorted(in_full(shared(ways))) == sorted(ways)


def test_a_way_is_written_but_once():
    """A thousand villages along one road of a thousand runs: a run a village, and none again."""
    ways = [[k, 0, 0, 1000, 0, 0, *range(k + 1, 1001)] for k in range(1000)]
    assert sum(map(len, shared(ways)["runs"])) == 1000
