"""The bounded search against networkx, and its compiled and its scipy way against each other."""

import dataclasses

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.model import Roads
from planner.scenario import Travel
from planner.travel import bounded, mode_times
from planner.travel import trips as trips_module
from planner.travel.bounded import Reach, within
from planner.travel.doors import at_nodes
from planner.travel.network import Network
from planner.travel.search import arcs_by_tail, search
from tests.test_travel import networks


def drawn(rng, n=25, edges=45):
    """One-way, parallel and closed edges, loops, edges of no length, and parts that do not meet."""
    ends = rng.integers(0, n, (edges, 2))
    ends = ends[(ends[:, 0] < n // 3) == (ends[:, 1] < n // 3)]
    length = rng.integers(0, 9, len(ends)) * rng.choice([64.0, 37.0], len(ends))  # exact sums: ties are ties
    frame = pd.DataFrame({"from_node": ends[:, 0], "to_node": ends[:, 1], "length_m": length})
    ahead, back = np.where(rng.random((2, len(ends))) < 0.8, rng.choice([1 / 64, 1 / 128], len(ends)), np.inf)
    return Network(Roads(frame, pd.DataFrame(index=range(n))), ahead, back, np.ones(len(ends), bool))


def doors(rng, n=25, count=6):
    """Doors with several junctions, some far, one with none."""
    size = rng.integers(0, 4, count)
    size[0] = 0
    minutes = rng.integers(0, 48, size.sum()) / 8
    plain = at_nodes(rng.integers(0, n, size.sum()))
    first = np.append(0, np.cumsum(size))
    return dataclasses.replace(plain, xy=np.zeros((count, 2)), first=first, minutes=minutes, metres=minutes * 10)


def truth(network, out, limit):
    """By networkx, of equal ways the shortest: minutes and metres by door and junction."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(network.size))

    def add(a, b, t, m):
        if np.isfinite(t) and (t, m) < (graph.edges[a, b]["w"] if graph.has_edge(a, b) else (np.inf, np.inf)):
            graph.add_edge(a, b, w=(t, m))

    for arc in zip(*(c.tolist() for c in (network.tail, network.head, network.minutes, network.metres)), strict=True):
        add(*arc)
    for door in range(len(out.first) - 1):
        graph.add_node(("door", door))
        for i in range(out.first[door], out.first[door + 1]):
            add(("door", door), int(out.node[i]), float(out.minutes[i]), float(out.metres[i]))
    found = {}
    for door in range(len(out.first) - 1):
        best = {("door", door): (0.0, 0.0)}
        for _ in range(network.size):
            for a, b, w in graph.edges(data="w"):
                if a in best:
                    best[b] = min(best.get(b, (np.inf, np.inf)), (best[a][0] + w[0], best[a][1] + w[1]))
        found |= {(door, x): way for x, way in best.items() if isinstance(x, int) and way[0] <= limit}
    return found


def ways():
    return (lambda net, *ask: Reach(*search(arcs_by_tail(net), *ask)), bounded._by_scipy)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 3.0, 8.5, np.inf]))
def test_equal_to_bellman_and_ford(seed, limit):
    rng = np.random.default_rng(seed)
    network, out = drawn(rng), doors(rng)
    wanted = truth(network, out, limit)
    for way, exact_metres in zip(ways(), (True, False), strict=True):
        reach = way(network, out, limit)
        door = np.repeat(np.arange(len(out.first) - 1), np.diff(reach.first))
        keys = list(zip(door.tolist(), reach.node.tolist(), strict=True))
        assert sorted(keys) == sorted(wanted)
        np.testing.assert_allclose(reach.minutes, [wanted[key][0] for key in keys], atol=1e-9)
        far = np.array([wanted[key][1] for key in keys])
        if exact_metres:
            np.testing.assert_allclose(reach.metres, far, atol=1e-6)
        assert (reach.metres >= far - 1e-6).all()
        for begin, end in zip(reach.first[:-1], reach.first[1:], strict=True):
            assert (np.diff(reach.minutes[begin:end]) >= 0).all()
            minutes = dict(zip(reach.node[begin:end].tolist(), reach.minutes[begin:end].tolist(), strict=True))
            for x, before in zip(reach.node[begin:end].tolist(), reach.before[begin:end].tolist(), strict=True):
                assert before == -1 or minutes[before] <= minutes[x]


def test_the_limit_is_inclusive_and_no_door_and_no_road_are_no_error():
    frame = pd.DataFrame({"from_node": [0, 1], "to_node": [1, 2], "length_m": [1000.0, 1000.0]})
    pace = np.full(2, 0.01)
    network = Network(Roads(frame, pd.DataFrame(index=range(3))), pace, np.full(2, np.inf), np.ones(2, bool))
    for limit, reached in ((20.0, 3), (19.9, 2), (9.9, 1)):
        for way in ways():
            assert len(way(network, at_nodes(np.array([0])), limit).node) == reached
    none = within(network, at_nodes(np.zeros(0, dtype=np.int64)), 10)
    assert none.first.tolist() == [0]
    for way in ways():
        assert way(network, doors(np.random.default_rng(0), 3, 1), 5).first.tolist() == [0, 0]


@pytest.mark.parametrize("from_work", [0, np.inf])
def test_the_choice_is_only_one_of_speed(from_work, monkeypatch):
    rng = np.random.default_rng(7)
    network, out = drawn(rng), doors(rng)
    monkeypatch.setattr(bounded, "COMPILING_FROM", from_work)
    found = within(network, out, 6.0)
    assert len(found.node) == len(truth(network, out, 6.0))


@settings(max_examples=15, deadline=None)
@given(networks(), st.sampled_from([0.5, 2.3, 6.0]))
def test_walks_with_a_limit_are_the_walks_up_to_it(area, limit):
    """The first two limits take the bounded search by themselves, the third is told to."""
    whole = mode_times(area, Travel(walk_max_minutes=1000), "walk")
    with pytest.MonkeyPatch.context() as patch:
        if limit > 5:
            patch.setattr(trips_module, "_covers_little", lambda *_: True)
        found = mode_times(area, Travel(walk_max_minutes=limit), "walk")
    np.testing.assert_allclose(found.minutes, np.where(whole.minutes <= limit + 1e-9, whole.minutes, np.nan), atol=1e-9)
    np.testing.assert_allclose(found.km[~np.isnan(found.km)], whole.km[~np.isnan(found.km)], atol=1e-9)
