"""The hierarchy against scipy's Dijkstra, and what must not change its answers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from planner.travel.doors import at_nodes
from planner.travel.hierarchy import contract
from planner.travel.metric import ROW, customize
from planner.travel.sweep import many_to_many


def graph(rng, n=30, arcs=70):
    """Parallel arcs, loops, one-way arcs, arcs of no length and parts that do not meet."""
    tail, head = rng.integers(0, n, (2, arcs))
    apart = (tail < n // 3) == (head < n // 3)
    tail, head = tail[apart], head[apart]
    # Sums of these are exact, so that ties are ties.
    minutes = rng.integers(0, 9, len(tail)) * rng.choice([1.0, 0.375], len(tail))
    return n, tail, head, minutes, np.round(minutes * rng.uniform(10, 20, len(tail)), 3)


def answer(n, tail, head, minutes, metres, rank=None):
    metric = customize(contract(n, tail, head, rank), minutes, metres)
    return many_to_many(metric, at_nodes(np.arange(n)), at_nodes(np.arange(n)))


def by_scipy(n, tail, head, minutes):
    """Parallel arcs: the quickest; arcs of no length: nearly none, as scipy takes 0 for no arc."""
    best = {}
    for a, b, t in zip(tail.tolist(), head.tolist(), minutes.tolist(), strict=True):
        best[a, b] = min(t, best.get((a, b), np.inf))
    ends = np.array(list(best)).reshape(-1, 2)
    return dijkstra(csr_array((np.maximum(list(best.values()), 1e-12), tuple(ends.T)), shape=(n, n)))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_equal_to_dijkstra_in_any_order(seed):
    rng = np.random.default_rng(seed)
    drawn = graph(rng)
    n, tail, head, minutes, metres = drawn
    truth = by_scipy(n, tail, head, minutes)
    for rank in (None, np.arange(n), rng.permutation(n)):
        found = answer(*drawn, rank)
        np.testing.assert_allclose(found[0], truth, atol=1e-9)
        alone = many_to_many(customize(contract(n, tail, head, rank), minutes), *[at_nodes(np.arange(n))] * 2)
        assert np.array_equal(alone[0], found[0])
        assert alone[1] is None
    among = metres_of_quickest(n, tail, head, minutes, metres, truth)
    np.testing.assert_allclose(found[1], among, atol=1e-6)


def metres_of_quickest(n, tail, head, minutes, metres, truth):
    """Of all quickest ways the shortest, by Bellman and Ford over arcs that lie on a quickest way."""
    far = np.where(np.eye(n, dtype=bool), 0.0, np.inf)
    for _ in range(n):
        for a, b, t, m in zip(tail, head, minutes, metres, strict=True):
            with np.errstate(invalid="ignore"):
                on_way = np.abs(truth[:, a] + t - truth[:, b]) < 1e-9
            far[:, b] = np.where(on_way, np.minimum(far[:, b], far[:, a] + m), far[:, b])
    return far


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_what_changes_nothing_and_what_never_raises_a_time(seed):
    rng = np.random.default_rng(seed)
    n, tail, head, minutes, metres = graph(rng)
    before = answer(n, tail, head, minutes, metres)[0]
    np.testing.assert_allclose(answer(n, head, tail, minutes, metres)[0].T, before)
    name = rng.permutation(n)
    np.testing.assert_allclose(answer(n, name[tail], name[head], minutes, metres)[0][np.ix_(name, name)], before)
    split = (np.append(tail, n), np.append(head, head[0]), np.append(minutes, minutes[0] / 2))
    split[1][0], split[2][0] = n, minutes[0] / 2
    np.testing.assert_allclose(answer(n + 1, *split, np.append(metres, 0.0))[0][:n, :n], before)
    a, b = rng.integers(0, n, 2)
    more = answer(n, np.append(tail, a), np.append(head, b), np.append(minutes, 0.5), np.append(metres, 5.0))[0]
    assert (more <= before + 1e-9).all()
    quicker = answer(n, tail, head, minutes * rng.uniform(0.5, 1, len(minutes)), metres)[0]
    assert (quicker <= before + 1e-9).all()


def grid(side):
    """A square grid, both ways, seeded minutes."""
    node = np.arange(side * side).reshape(side, side)
    a = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    b = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    tail, head = np.append(a, b), np.append(b, a)
    return side * side, tail, head, np.random.default_rng(0).uniform(0.1, 3, len(tail))


def test_a_grid_of_ten_thousand_nodes_many_lanes():
    n, tail, head, minutes = grid(100)
    rng = np.random.default_rng(1)
    origins, targets = rng.choice(n, 300, replace=False), rng.choice(n, 37, replace=False)
    hierarchy, doors = contract(n, tail, head), (at_nodes(origins), at_nodes(targets))
    found = many_to_many(customize(hierarchy, minutes, minutes), *doors)
    assert np.diff(hierarchy.first).max() > 2 * ROW  # long enough to be gone through as rows where minutes are alone
    assert np.array_equal(many_to_many(customize(hierarchy, minutes), *doors)[0], found[0])
    reverse = csr_array((minutes, (head, tail)), shape=(n, n))
    np.testing.assert_allclose(found[0], dijkstra(reverse, indices=targets)[:, origins].T, atol=1e-9)
    np.testing.assert_allclose(found[0], found[1])


def test_the_order_keeps_the_shortcuts_few():
    n, tail, head, _ = grid(60)
    few = contract(n, tail, head).head.size
    assert few < 8 * len(tail)
    assert contract(n, tail, head, np.arange(n)).head.size > 3 * few


@pytest.mark.parametrize("n", [1, 2])
def test_no_roads_at_all(n):
    none = np.zeros(0, dtype=np.int64)
    found = answer(n, none, none, np.zeros(0), np.zeros(0))[0]
    assert (np.isinf(found) == ~np.eye(n, dtype=bool)).all()
