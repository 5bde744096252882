"""The parts a network falls into."""

from __future__ import annotations

import numpy as np

from planner.model import Roads
from planner.roads.speeds import may_use


def components(roads: Roads) -> np.ndarray:
    """Which connected part every node belongs to, numbered from 0 by falling length of road.

    Returns
    -------
    (n_node,) int

    >>> components(tiny.area.roads).tolist()
    [0, 0, 0, 0]
    """
    return _parts(roads, np.ones(len(roads.edges), dtype=bool))


def mode_parts(roads: Roads, mode: str) -> np.ndarray:
    """The same along the edges that a mode may use, one-way streets taken either way.

    Returns
    -------
    (n_node,) int; a node without such an edge is a part of its own, without length
    """
    return _parts(roads, may_use(roads.edges, mode))


def strong_parts(roads: Roads, mode: str) -> np.ndarray:
    """Parts within which a mode comes from any node to any other, one-way streets obeyed (walkers ignore them).

    A door beside another part than the largest may be entered and not left, or left and not entered.

    Returns
    -------
    (n_node,) int, numbered from 0 by falling length of road

    >>> strong_parts(tiny.area.roads, "bus").tolist()
    [0, 0, 0, 0]
    """
    return _parts(roads, may_use(roads.edges, mode), directed=mode != "walk")


def outside_largest(roads: Roads, mode: str) -> float:
    """The share of the mode's nodes that lie outside its largest strongly connected part; NaN without any node."""
    edges = roads.edges[may_use(roads.edges, mode)]
    nodes = np.unique(edges[["from_node", "to_node"]].to_numpy())
    return float((strong_parts(roads, mode)[nodes] > 0).mean()) if len(nodes) else float("nan")


def _parts(roads: Roads, usable: np.ndarray, *, directed: bool = False) -> np.ndarray:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges, n = roads.edges[usable], len(roads.nodes)
    a, b = edges["from_node"].to_numpy(), edges["to_node"].to_numpy()
    one = edges["oneway"].to_numpy()
    tail, head = np.append(a[one >= 0], b[one <= 0]), np.append(b[one >= 0], a[one <= 0])
    graph = coo_array((np.ones(len(tail)), (tail, head)), shape=(n, n))
    count, label = connected_components(graph, directed=directed, connection="strong")
    within = label[a] == label[b]
    metres = np.bincount(label[a[within]], weights=edges["length_m"].to_numpy()[within], minlength=count)
    rank = np.empty(count, dtype=np.int64)
    rank[np.argsort(-metres, kind="stable")] = np.arange(count)
    return np.asarray(rank[label])
