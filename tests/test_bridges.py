"""Bridges: equal to networkx's and to what closing each road leaves."""

import networkx as nx
import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.model import Roads
from planner.roads import bridges


def graph(ends, nodes):
    edges = pd.DataFrame(np.array(ends, dtype=np.int64).reshape(-1, 2), columns=["from_node", "to_node"])
    return Roads(edges, pd.DataFrame({"x": np.zeros(nodes), "y": np.zeros(nodes)}))


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 12), st.integers(0, 18), st.integers(0, 10**6))
def test_what_each_road_cuts_off(nodes, edges, seed):
    """Loops, double roads and several parts included."""
    rng = np.random.default_rng(seed)
    ends, usable = rng.integers(0, nodes, (edges, 2)), rng.random(edges) < 0.9
    found = bridges(graph(ends, nodes), usable)
    whole = nx.MultiGraph()
    whole.add_nodes_from(range(nodes))
    whole.add_edges_from((a, b, e) for e, (a, b) in enumerate(ends) if usable[e])
    parts = list(nx.connected_components(whole))
    assert len({int(found.part[v]) for v in range(nodes)}) == len(parts)
    assert all(len(set(found.part[list(part)])) == 1 for part in parts)
    assert sorted(found.place) == list(range(nodes))
    for e, (a, b) in enumerate(ends):
        if not usable[e]:
            assert not found.is_bridge[e]
            continue
        rest = whole.copy()
        rest.remove_edge(a, b, key=e)
        assert found.is_bridge[e] == (not nx.has_path(rest, a, b))
        if found.is_bridge[e]:
            below = {v for v in range(nodes) if found.first[e] <= found.place[v] <= found.last[e]}
            assert below in [set(part) for part in nx.connected_components(rest)]
            assert len(below & {a, b}) == 1


def test_the_bridges_above_a_node_lead_to_the_root():
    found = bridges(graph([(0, 1), (1, 2), (2, 3), (3, 1), (3, 4)], 5), np.ones(5, dtype=bool))
    assert found.is_bridge.tolist() == [True, False, False, False, True]
    assert found.above.tolist() == [-1, 0, 0, 0, 4]
    assert found.beyond.tolist() == [-1, -1, -1, -1, 0]


def test_a_long_chain_needs_no_deep_recursion():
    n = 20_000
    found = bridges(graph(np.column_stack([np.arange(n - 1), np.arange(1, n)]), n), np.ones(n - 1, dtype=bool))
    assert found.is_bridge.all()
