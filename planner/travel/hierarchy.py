"""A network's nodes in an order, and the shortcuts that taking them out in it needs: a contraction hierarchy.

Order and shortcuts depend on the network alone, so that all modes share them; speeds are laid on by ``metric``, and
``sweep`` asks for trips. Dibbelt, Strasser and Wagner 2016, doi 10.1145/2886843.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.compiled import compiled
from planner.model import Roads
from planner.travel.order import minimum_degree


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """A network's nodes by rank, with every shortcut an elimination in that order needs.

    Parameters
    ----------
    rank : (n_node,) the node's place in the order; all below a node in the elimination tree come just before it
    first, head : (n_node + 1,) and (n_edge,) by rank, the higher ends of each node's edges, ascending
    tail : (n_edge,) their lower ends
    below_first, below : (n_node + 1,) and (n_edge,) by rank, the edges that lead up to each node, by lower ends
    arc_edge : (n_arc,) the edge each given arc lies on, -1 for loops
    arc_up : (n_arc,) it leads from the lower end to the higher
    """

    rank: np.ndarray
    first: np.ndarray
    head: np.ndarray
    tail: np.ndarray
    below_first: np.ndarray
    below: np.ndarray
    arc_edge: np.ndarray
    arc_up: np.ndarray

    @property
    def parent(self) -> np.ndarray:
        """(n_node,) by rank, the lowest node each has an edge up to, -1 at a root."""
        some = np.diff(self.first) > 0
        parent = np.full(len(some), -1, dtype=np.int32)
        parent[some] = self.head[self.first[:-1][some]]
        return parent


def contract(n: int, tail: np.ndarray, head: np.ndarray, rank: np.ndarray | None = None) -> Hierarchy:
    """The hierarchy of a directed graph.

    Parameters
    ----------
    tail, head : (n_arc,) nodes; loops and parallel arcs are welcome
    rank : (n,) any order of its nodes, by default one of minimum degree; it is kept up to the order of nodes that do
        not matter to each other

    >>> contract(3, np.array([0, 1]), np.array([1, 2])).head.size
    2
    """
    rank = minimum_degree(n, tail, head) if rank is None else np.asarray(rank, dtype=np.int64)
    first, upper, parent = _eliminate(*_upward(n, rank[tail], rank[head]))
    place = _postorder(parent)
    first, upper, lower, below_first, below = _relabel(first, upper, place)
    rank = place[rank]
    edge, up = _edges_of(first, upper, rank[tail], rank[head])
    return Hierarchy(rank, first, upper, lower, below_first, below, edge, up)


def hierarchy_of(roads: Roads) -> Hierarchy:
    """The hierarchy of all edges both ways, for every mode's network of these roads."""
    ends = roads.ends
    return contract(len(roads.nodes), np.append(ends[:, 0], ends[:, 1]), np.append(ends[:, 1], ends[:, 0]))


@compiled
def _upward(n: int, a: Any, b: Any) -> Any:
    """Arcs as edges from their lower end: where each node's begin, and the higher ends."""
    first, count = np.zeros(n + 1, np.int64), 0
    for i in range(len(a)):
        if a[i] != b[i]:
            first[min(a[i], b[i]) + 1] += 1
            count += 1
    for x in range(n):
        first[x + 1] += first[x]
    head, at = np.empty(count, np.int32), first.copy()
    for i in range(len(a)):
        if a[i] != b[i]:
            low = min(a[i], b[i])
            head[at[low]] = max(a[i], b[i])
            at[low] += 1
    return first, head


@compiled
def _eliminate(first: Any, head: Any) -> Any:
    """Edges that eliminating the nodes in order needs: a node hands its higher neighbours to the lowest of them."""
    n = len(first) - 1
    out_first = np.zeros(n + 1, np.int64)
    out = np.empty(max(4 * len(head), 16), np.int32)
    parent = np.full(n, -1, np.int32)
    child, sibling = np.full(n, -1, np.int32), np.full(n, -1, np.int32)
    seen = np.full(n, -1, np.int32)
    size = 0
    for v in range(n):
        begin, lowest = size, n
        seen[v] = v
        needed = first[v + 1] - first[v]
        c = child[v]
        while c >= 0:
            needed += out_first[c + 1] - out_first[c]
            c = sibling[c]
        if size + needed > len(out):
            wider = np.empty(2 * (size + needed), np.int32)
            for i in range(size):
                wider[i] = out[i]
            out = wider
        for i in range(first[v], first[v + 1]):
            if seen[head[i]] != v:
                seen[head[i]] = v
                out[size] = head[i]
                lowest = min(lowest, head[i])
                size += 1
        c = child[v]
        while c >= 0:
            for i in range(out_first[c], out_first[c + 1]):
                if seen[out[i]] != v:
                    seen[out[i]] = v
                    out[size] = out[i]
                    lowest = min(lowest, out[i])
                    size += 1
            c = sibling[c]
        out_first[v + 1] = size
        if size > begin:
            parent[v] = lowest
            sibling[v] = child[lowest]
            child[lowest] = v
    return out_first, out, parent


@compiled
def _postorder(parent: Any) -> Any:
    """Places (n,) in which every subtree is an interval that its top ends: what is swept together lies together."""
    n = len(parent)
    size = np.ones(n, np.int64)
    for x in range(n):
        if parent[x] >= 0:
            size[parent[x]] += size[x]
    place, free, end = np.empty(n, np.int64), np.empty(n, np.int64), n
    for x in range(n - 1, -1, -1):
        p = parent[x]
        if p < 0:
            place[x] = end - 1
            end -= size[x]
        else:
            place[x] = free[p]
            free[p] -= size[x]
        free[x] = place[x] - 1
    return place


@compiled
def _relabel(first: Any, head: Any, place: Any) -> Any:
    """The edges with nodes renamed to places: first, head, tail, and first and edges from below.

    Sorted by their higher ends and then, in that order, by their lower ones.
    """
    n, edges = len(place), first[-1]
    out_first, below_first = np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64)
    for x in range(n):
        out_first[place[x] + 1] = first[x + 1] - first[x]
        for i in range(first[x], first[x + 1]):
            below_first[place[head[i]] + 1] += 1
    for v in range(n):
        out_first[v + 1] += out_first[v]
        below_first[v + 1] += below_first[v]
    node = np.empty(n, np.int32)
    for x in range(n):
        node[place[x]] = x
    at, lower = below_first.copy(), np.empty(edges, np.int32)
    for v in range(n):
        for i in range(first[node[v]], first[node[v] + 1]):
            w = place[head[i]]
            lower[at[w]] = v
            at[w] += 1
    at, below = out_first.copy(), np.empty(edges, np.int32)
    out_head, out_tail = np.empty(edges, np.int32), np.empty(edges, np.int32)
    for w in range(n):
        for b in range(below_first[w], below_first[w + 1]):
            v = lower[b]
            below[b], out_head[at[v]], out_tail[at[v]] = at[v], w, v
            at[v] += 1
    return out_first, out_head, out_tail, below_first, below


@compiled
def _edges_of(first: Any, head: Any, a: Any, b: Any) -> Any:
    """The edge between two nodes each, -1 for loops; and whether it is gone upward."""
    edge, up = np.empty(len(a), np.int64), np.empty(len(a), np.bool_)
    for i in range(len(a)):
        low, high = min(a[i], b[i]), max(a[i], b[i])
        e = -1
        if low < high:
            e = first[low]
            while head[e] != high:
                e += 1
        edge[i], up[i] = e, a[i] < b[i]
    return edge, up


KERNELS = (_upward, _eliminate, _postorder, _relabel, _edges_of)
