"""Travel times: by hand on the tiny county, against networkx on drawn and real networks."""

import dataclasses
import math

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
import shapely.ops
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.model import MODES, ROAD_MODES, Roads
from planner.roads import from_lines, paces
from planner.scenario import Travel
from planner.travel import mode_times, travel_times
from planner.travel.doors import doors_in, doors_out
from planner.travel.hierarchy import hierarchy_of
from planner.travel.network import mode_network, off_road
from planner.travel.trips import trips
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
    # Off the road a metre counts 2; the best place to get on lies ahead of the nearest one (Snell's law).
    assert minutes(area)[0, 0] == pytest.approx(20 + (1 + 2) * math.sqrt(2**2 - 1))


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
    # A right angle on the way round: 15 m before it and after it at 20 km/h.
    assert bus[0, 1] == pytest.approx(2 + 1 / 25 * 60)
    assert bus[1, 0] == pytest.approx(2 + ((np.hypot(500, 500) * 2 - 30) / 25_000 + 30 / 20_000) * 60)


def test_crossing_lines_without_a_shared_vertex_do_not_meet_and_islands_are_named():
    lines = [road([(0, 0), (1000, 0)]), road([(500, -500), (500, 500)])]
    area = area_of(lines, demand=[(0, 0)], schools=[(500, 500)])
    times = travel_times(area, Travel(modes=("walk",), max_access_m=100))
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
    assert times["mode"].sel(band="junior").item() == MODES.index("bus")
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


def least(f, low, high):
    """Where convex functions are least, many at once, by golden section; and the values."""
    golden = (5**0.5 - 1) / 2
    for _ in range(100):
        a, b = high - golden * (high - low), low + golden * (high - low)
        left = f(a) <= f(b)
        low, high = np.where(left, low, a), np.where(left, b, high)
    x = np.where(f(low) <= f(high), low, high)
    return x, f(x)


def networkx_minutes(area, mode, travel):
    """Every straight piece of road searched for the best place to get on and off; the rest by networkx."""
    edges, off = area.roads.edges, 60 * travel.access_detour / (1000 * travel.access_kmh)
    pace, back = paces(edges, mode, travel)  # no slopes: the same either way, where there is one
    one = np.isfinite(pace).astype(int) - np.isfinite(back)
    pace = np.fmin(pace, back)
    xy, edge = shapely.get_coordinates(edges.geometry.to_numpy(), return_index=True)
    kept = edge[1:] == edge[:-1]
    begin, step, edge = xy[:-1][kept], np.diff(xy, axis=0)[kept], edge[:-1][kept]
    whole = np.hypot(*step.T)
    before = np.cumsum(whole) - whole
    before -= before[np.unique(edge, return_index=True)[1]][edge]

    def away(places, x):
        """From places (..., 2) to where each piece is x (..., pieces) metres from its beginning."""
        return off * np.linalg.norm(begin + step * (x / whole)[..., None] - places[..., None, :], axis=-1)

    def by_edge(value):
        """The best piece of each edge."""
        return np.array([value[edge == e].min() for e in range(len(edges))])

    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(len(area.roads.nodes)))
    a, b, length = (edges[c].to_numpy() for c in ("from_node", "to_node", "length_m"))
    for e in range(len(edges)):
        if one[e] >= 0:
            graph.add_edge(a[e], b[e], t=pace[e] * length[e])
        if one[e] <= 0:
            graph.add_edge(b[e], a[e], t=pace[e] * length[e])
    single = {}
    homes, schools = (shapely.get_coordinates(frame.geometry) for frame in (area.demand, area.schools))
    for name, places in (("home", homes), ("school", schools)):
        everywhere = np.broadcast_to(whole, (len(places), len(whole)))
        for to_end, sign in ((True, -1), (False, 1)):
            single[name, to_end] = x, values = least(
                lambda x, p=places, s=sign: away(p, x) + s * pace[edge] * (before + x), 0 * everywhere, everywhere
            )
            for i, value in enumerate(map(by_edge, values)):
                for e in np.flatnonzero(one >= 0 if to_end == (name == "home") else one <= 0):
                    junction = b[e] if to_end else a[e]
                    ends = ((name, i), junction) if name == "home" else (junction, (name, i))
                    graph.add_edge(*ends, t=value[e] + (pace[e] * length[e] if to_end else 0))
    k, m = np.nonzero(edge[:, None] == edge)  # pieces of one edge: on at the first, off at the second
    goes = {True: (m >= k) & (one[edge[k]] >= 0), False: (k >= m) & (one[edge[k]] <= 0)}
    pairs = {ahead: (k[may], m[may]) for ahead, may in goes.items()}
    out = np.full((len(homes), len(schools)), np.inf)
    everywhere = np.broadcast_to(whole, (*out.shape, len(whole)))
    over = least(lambda x: away(homes[:, None], x) + away(schools, x), 0 * everywhere, everywhere)[1]
    for i in range(len(homes)):
        reach = nx.single_source_dijkstra_path_length(graph, ("home", i), weight="t")
        for j in range(len(schools)):
            best = reach.get(("school", j), np.inf)
            for ahead in (True, False):
                (x, walk), (y, its_walk) = single["home", ahead], single["school", not ahead]
                k, m = pairs[ahead]
                passing = (k == m) & ((y[j, m] - x[i, k]) * (1 if ahead else -1) < 0)
                best = np.where(passing, over[i, j, k], walk[i, k] + its_walk[j, m]).min(initial=best)
            out[i, j] = best + (travel.bus_wait_minutes if mode == "bus" else 0)
    return np.where(np.isfinite(out), out, np.nan)


KINDS = ("residential", "tertiary", "primary")


@st.composite
def networks(draw, kinds=KINDS):
    """Roads between points of a grid, some one way, some double; doors anywhere."""
    return network(np.random.default_rng(draw(st.integers(0, 10**6))), draw(st.integers(4, 28)), kinds)


def network(rng, count, kinds=KINDS):
    grid = [(x * 400.0, y * 300.0) for x in range(4) for y in range(4)]
    lines = []
    for _ in range(count):
        a, b = rng.choice(16, 2, replace=False)
        middle = rng.uniform(0, 1200, 2).round(1)
        kind = rng.choice(kinds)
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
        swept = mode_times(area, Travel(), mode, hierarchy_of(area.roads))
        np.testing.assert_allclose(swept.minutes, small.minutes, atol=1e-9)
        np.testing.assert_allclose(swept.km, small.km, atol=1e-9)


def with_edges(area, extra):
    """The area with rows of edges more (from_node, to_node, line, oneway), and the lengths drawn."""
    roads = area.roads
    rows = roads.edges.iloc[[0] * len(extra)].copy()
    for column, values in zip(("from_node", "to_node", "geometry", "oneway"), zip(*extra, strict=True), strict=True):
        rows[column] = list(values)
    rows["length_m"] = rows.length
    return dataclasses.replace(area, roads=Roads(pd.concat([roads.edges, rows], ignore_index=True), roads.nodes))


@settings(max_examples=40, deadline=None)
@given(networks(), st.integers(0, 10**6), st.sampled_from(ROAD_MODES))
def test_adding_a_road_never_raises_a_time(area, seed, mode):
    """Wherever it lies: past the doors, between any junctions, crooked, one way."""
    rng = np.random.default_rng(seed)
    xy, extra = area.roads.nodes[["x", "y"]].to_numpy(), []
    for _ in range(3):
        a, b = rng.choice(len(xy), 2, replace=False)
        bend = xy[a] + rng.uniform(-900, 900, 2)
        extra.append((a, b, shapely.LineString([xy[a], bend, xy[b]]), rng.choice([-1, 0, 1])))
    before, after = minutes(area, Travel(modes=(mode,))), minutes(with_edges(area, extra), Travel(modes=(mode,)))
    assert not (np.isnan(after) & ~np.isnan(before)).any()
    assert not (after > before + 1e-9).any()


@settings(max_examples=40, deadline=None)
@given(networks(), st.integers(0, 10**6), st.sampled_from(ROAD_MODES))
def test_cutting_a_road_in_two_changes_no_time(area, seed, mode):
    rng = np.random.default_rng(seed)
    roads = area.roads
    e = int(rng.integers(len(roads.edges)))
    line, share = roads.edges.geometry.iloc[e], rng.uniform(0.05, 0.95)
    halves = [shapely.ops.substring(line, *part, normalized=True) for part in ((0, share), (share, 1))]
    edges = pd.concat([roads.edges.drop(index=e), roads.edges.iloc[[e, e]]], ignore_index=True)
    middle = len(roads.nodes)
    edges.loc[len(edges) - 2 :, "geometry"] = halves
    edges.loc[len(edges) - 2, "to_node"] = middle
    edges.loc[len(edges) - 1, "from_node"] = middle
    edges["length_m"] = edges.length
    nodes = pd.concat([roads.nodes, pd.DataFrame([halves[0].coords[-1]], columns=["x", "y"])], ignore_index=True)
    travel = Travel(modes=(mode,))
    split = minutes(dataclasses.replace(area, roads=Roads(edges, nodes)), travel)
    np.testing.assert_allclose(split, minutes(area, travel), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(networks(), st.integers(0, 10**6))
def test_names_and_order_of_junctions_and_roads_do_not_matter(area, seed):
    rng = np.random.default_rng(seed)
    roads = area.roads
    name = rng.permutation(len(roads.nodes))
    edges = roads.edges.assign(from_node=name[roads.edges["from_node"]], to_node=name[roads.edges["to_node"]])
    edges = edges.iloc[rng.permutation(len(edges))].reset_index(drop=True)
    nodes = roads.nodes.iloc[np.argsort(name)].reset_index(drop=True)
    moved = dataclasses.replace(area, roads=Roads(edges, nodes))
    for mode in ("walk", "bus"):
        travel = Travel(modes=(mode,))
        np.testing.assert_allclose(minutes(moved, travel), minutes(area, travel), atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(networks(), st.sampled_from(ROAD_MODES))
def test_turning_everything_round_turns_the_trips_round(area, mode):
    """Every one-way street reversed, homes and schools swapped."""
    roads = area.roads
    turned = Roads(roads.edges.assign(oneway=-roads.edges["oneway"]), roads.nodes)
    there = mode_times(area, Travel(), mode).minutes
    network, off = mode_network(turned, Travel(), mode), off_road(Travel())
    out = doors_out(area.schools.geometry.to_numpy(), network, off)
    into = doors_in(area.demand.geometry.to_numpy(), network, off)
    back = trips(network, out, into, off)[0] + (5.0 if mode == "bus" else 0.0)
    np.testing.assert_allclose(back.T, np.where(np.isnan(there), np.inf, there), atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(networks(), st.floats(1.0, 3.0), st.sampled_from(ROAD_MODES))
def test_a_higher_speed_never_raises_a_time(area, factor, mode):
    slow = Travel(modes=(mode,), speeds={mode: {"": 4.5, "tertiary": 15.0, "residential": 10.0}})
    fast = Travel(modes=(mode,), speeds={mode: {"": 4.5 * factor, "tertiary": 15.0 * factor, "residential": 10.0}})
    assert not (minutes(area, fast) > minutes(area, slow) + 1e-9).any()


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
