"""Travel times: by hand on the tiny county, against networkx on drawn and real networks."""

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.model import Roads
from planner.roads import from_lines, speeds_kmh
from planner.scenario import Travel
from planner.travel import mode_times, travel_times
from tests import tiny as tiny_module

WALK = Travel(modes=("walk",))


def road(xy, **tags):
    return {"geometry": shapely.LineString(xy), "highway": "residential"} | tags


def area_of(lines, demand, schools, **changes):
    """A study area from lines (metres), demand and school points."""
    base = tiny_module.make_area()
    x0, y0 = tiny_module.X0, tiny_module.Y0
    frame = gpd.GeoDataFrame(pd.DataFrame(lines), geometry="geometry", crs=base.crs)
    frame.geometry = shapely.transform(frame.geometry.to_numpy(), lambda xy: np.add(xy, (x0, y0)))

    def at(frame, points, letter):
        made = frame.iloc[[0] * len(points)].copy()
        made.index = pd.Index([f"{letter}{i + 1}" for i in range(len(points))], name=frame.index.name)
        return made.set_geometry(
            gpd.GeoSeries(shapely.points(np.add(points, (x0, y0))), index=made.index, crs=base.crs)
        )

    villages = at(base.demand, demand, "V")
    pupils = pd.DataFrame(1, index=villages.index, columns=base.pupils.columns)
    parts = {"demand": villages, "pupils": pupils, "schools": at(base.schools, schools, "S")}
    return tiny_module.make_area(**parts, roads=from_lines(frame, base.crs), **changes)


def minutes(area, travel=WALK, band="junior"):
    return travel_times(area, travel).data["minutes"].sel(band=band).to_numpy()


def test_tiny_is_as_worked_by_hand(tiny):
    found = travel_times(tiny.area, tiny.scenario.travel).data
    for name in ("minutes", "km", "mode"):
        np.testing.assert_allclose(found[name], tiny.times.data[name], atol=1e-9)


def test_the_way_from_the_door_costs_time_over_its_real_length():
    area = area_of([road([(0, 0), (1500, 0)])], demand=[(0, 75)], schools=[(1500, -150)])
    assert minutes(area)[0, 0] == pytest.approx(1 + 20 + 2)


def test_two_doors_on_one_edge_do_not_go_round_by_its_ends():
    area = area_of([road([(0, 0), (3000, 0)])], demand=[(750, 0)], schools=[(1500, 0), (150, 0)])
    assert minutes(area)[0].tolist() == pytest.approx([10, 8])


def test_the_quickest_of_parallel_roads_counts_and_one_way_streets_bind_the_bus_only():
    lines = [
        road([(0, 0), (1000, 0)], oneway="yes"),
        road([(0, 0), (500, 500), (1000, 0)], oneway="-1"),
    ]
    area = area_of(lines, demand=[(0, 0), (1000, 0)], schools=[(0, 0), (1000, 0)])
    assert minutes(area)[0, 1] == pytest.approx(1000 / 75)
    assert minutes(area)[1, 0] == pytest.approx(1000 / 75)
    bus = minutes(area, Travel(modes=("bus",), bus_wait_minutes=2))
    assert bus[0, 1] == pytest.approx(2 + 1 / 25 * 60)
    assert bus[1, 0] == pytest.approx(2 + np.hypot(500, 500) * 2 / 25_000 * 60)


def test_crossing_lines_without_a_shared_vertex_do_not_meet_and_islands_are_named():
    lines = [road([(0, 0), (1000, 0)]), road([(500, -500), (500, 500)])]
    area = area_of(lines, demand=[(0, 0)], schools=[(500, 500)])
    times = travel_times(area, WALK)
    assert np.isnan(times.data["minutes"]).all()
    assert set(times.off_network) == {"V1", "S1"}
    assert "island" in times.off_network["V1"]


def test_too_far_from_any_road_is_no_way_and_says_how_far():
    area = area_of([road([(0, 0), (1000, 0)])], demand=[(0, 2500)], schools=[(1000, 0)])
    times = travel_times(area, WALK)
    assert np.isnan(times.data["minutes"]).all()
    assert times.off_network["V1"] == "the nearest usable road is 2,500 m away (limit 2,000 m)"


def test_the_walking_limit_is_inclusive_and_a_band_takes_its_quickest_mode():
    area = area_of([road([(0, 0), (1500, 0)])], demand=[(0, 0)], schools=[(1500, 0)])
    assert minutes(area, Travel(modes=("walk",), walk_max_minutes=20))[0, 0] == pytest.approx(20)
    assert np.isnan(minutes(area, Travel(modes=("walk",), walk_max_minutes=19.9))[0, 0])
    both = Travel(modes=("walk", "bus"), modes_by_band={"lower_primary": ("walk",)}, bus_wait_minutes=5)
    times = travel_times(area, both).data
    assert times["mode"].sel(band="junior").item() == 2
    assert times["minutes"].sel(band="junior").item() == pytest.approx(5 + 1.5 / 25 * 60)
    assert times["mode"].sel(band="lower_primary").item() == 0


def test_zero_length_roads_join():
    base = area_of([road([(0, 0), (1000, 0), (2000, 0)])], demand=[(0, 0)], schools=[(2000, 0)])
    x0, y0 = tiny_module.X0, tiny_module.Y0
    ends = [((0, 0), (1000, 0)), ((1000, 0), (1000, 0)), ((1000, 0), (2000, 0))]
    edges = base.roads.edges.iloc[[0, 0, 0]].reset_index(drop=True)
    edges["from_node"], edges["to_node"], edges["length_m"] = [0, 1, 2], [1, 2, 3], [1000.0, 0.0, 1000.0]
    edges.geometry = [shapely.LineString(np.add(pair, (x0, y0))) for pair in ends]
    nodes = pd.DataFrame({"x": np.array([0, 1000, 1000, 2000]) + x0, "y": y0})
    parts = {"demand": base.demand, "schools": base.schools, "pupils": base.pupils}
    assert minutes(tiny_module.make_area(roads=Roads(edges, nodes), **parts))[0, 0] == pytest.approx(2000 / 75)


def networkx_minutes(area, mode, travel):
    """Doors joined to the two ends of their edge by hand; same-edge trips besides."""
    edges = area.roads.edges
    kmh = speeds_kmh(edges, mode)
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(len(area.roads.nodes)))
    for e, row in enumerate(edges.itertuples()):
        t = row.length_m / (kmh[e] * 1000 / 60)
        way = 0 if mode == "walk" else row.oneway
        if way >= 0:
            graph.add_edge(row.from_node, row.to_node, t=t)
        if way <= 0:
            graph.add_edge(row.to_node, row.from_node, t=t)
    out = np.full((len(area.demand), len(area.schools)), np.inf)
    lines = edges.geometry.to_numpy()

    def door(point):
        far = shapely.distance(lines, point)
        e = int(np.flatnonzero(far <= far.min())[0])
        share = shapely.line_locate_point(lines[e], point, normalized=True)
        return e, share, far.min() / 75

    for i, home in enumerate(area.demand.geometry):
        e, s, walk_a = door(home)
        row = edges.iloc[e]
        whole = row.length_m / (kmh[e] * 1000 / 60)
        way = 0 if mode == "walk" else row.oneway
        graph.add_node("home")
        if s < 1e-9 or s > 1 - 1e-9:  # at a junction: any road that meets there
            graph.add_edge("home", row.from_node if s < 0.5 else row.to_node, t=0)
        if way >= 0:
            graph.add_edge("home", row.to_node, t=whole * (1 - s))
        if way <= 0:
            graph.add_edge("home", row.from_node, t=whole * s)
        reach = nx.single_source_dijkstra_path_length(graph, "home", weight="t")
        for j, school in enumerate(area.schools.geometry):
            f, r, walk_b = door(school)
            last = edges.iloc[f]
            full = last.length_m / (kmh[f] * 1000 / 60)
            there = 0 if mode == "walk" else last.oneway
            best = np.inf
            if r < 1e-9 or r > 1 - 1e-9:
                best = reach.get(last.from_node if r < 0.5 else last.to_node, np.inf)
            if there >= 0:
                best = min(best, reach.get(last.from_node, np.inf) + full * r)
            if there <= 0:
                best = min(best, reach.get(last.to_node, np.inf) + full * (1 - r))
            if e == f and ((r >= s - 1e-9 and there >= 0) or (r <= s + 1e-9 and there <= 0)):
                best = min(best, full * abs(r - s))
            out[i, j] = best + walk_a + walk_b + (travel.bus_wait_minutes if mode == "bus" else 0)
        graph.remove_node("home")
    return np.where(np.isfinite(out), out, np.nan)


@st.composite
def networks(draw):
    """Roads between points of a grid, some one way, some double; doors anywhere."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    grid = [(x * 400.0, y * 300.0) for x in range(4) for y in range(4)]
    lines = []
    for _ in range(draw(st.integers(4, 28))):
        a, b = rng.choice(16, 2, replace=False)
        middle = rng.uniform(0, 1200, 2).round(1)
        kind = rng.choice(["residential", "tertiary", "primary"])
        lines.append(road([grid[a], tuple(middle), grid[b]], highway=kind, oneway=rng.choice(["yes", "-1", "", ""])))
    return area_of(lines, rng.uniform(0, 1200, (4, 2)).round(1), rng.uniform(0, 1200, (3, 2)).round(1))


@settings(max_examples=25, deadline=None)
@given(networks())
def test_equal_to_networkx(area):
    for mode in ("walk", "bus"):
        travel = Travel(modes=(mode,))
        np.testing.assert_allclose(minutes(area, travel), networkx_minutes(area, mode, travel), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(networks())
def test_the_hierarchy_gives_the_same_trips(area):
    for mode in ("walk", "bus"):
        small = mode_times(area, Travel(), mode)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("planner.travel.times.SWEEP_FROM", 0)
            swept = mode_times(area, Travel(), mode)
        np.testing.assert_allclose(swept.minutes, small.minutes, atol=1e-9)
        np.testing.assert_allclose(swept.km, small.km, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(networks(), st.integers(0, 10**6))
def test_adding_a_road_away_from_the_doors_never_raises_a_time(area, seed):
    """A road between two nodes; doors keep the edge they had (a nearer edge may be a worse one)."""
    rng = np.random.default_rng(seed)
    roads = area.roads
    a, b = rng.choice(len(roads.nodes), 2, replace=False)
    extra = roads.edges.iloc[[0]].assign(from_node=a, to_node=b, length_m=float(rng.uniform(1, 900)), oneway=0)
    extra.geometry = [shapely.LineString([(0, 0), (1, 0)])]  # drawn far away: no door snaps to it
    more = Roads(pd.concat([roads.edges, extra], ignore_index=True), roads.nodes)
    wider = tiny_module.make_area(demand=area.demand, schools=area.schools, pupils=area.pupils, roads=more)
    for mode in ("walk", "bus"):
        before, after = minutes(area, Travel(modes=(mode,))), minutes(wider, Travel(modes=(mode,)))
        assert not (np.isnan(after) & ~np.isnan(before)).any()
        assert not (after > before + 1e-9).any()


def test_the_cache_is_keyed_by_content_and_survives_rubbish(tiny, tmp_path):
    area = tiny_module.make_area(folder=tmp_path, content_hash="abc")
    first = travel_times(area, WALK)
    again = travel_times(area, WALK)
    assert not first.from_cache
    assert again.from_cache
    assert again.data.identical(first.data)
    assert not travel_times(area, Travel(modes=("bus",))).from_cache
    for file in (tmp_path / ".cache").iterdir():
        file.write_bytes(b"rubbish")
    assert not travel_times(area, WALK).from_cache
