"""All junctions within some minutes of each door: Dijkstra's algorithm, stopped at the limit (Dijkstra 1959)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.compiled import worth_it
from planner.travel.doors import Doors
from planner.travel.network import Network
from planner.travel.trips import arc_metres, lengths, reversed_graph

COMPILED_FROM, COMPILING_FROM = 2e6, 4e8
"""Doors times junctions from which the compiled search is quicker than scipy: when it is compiled, and when not yet."""
DOORS_AT_A_TIME = 64


@dataclass(frozen=True, eq=False)
class Reach:
    """Junctions within reach of doors.

    Parameters
    ----------
    first : (n_door + 1,) where each door's junctions begin
    node : (n,) junctions, of each door the nearest first
    minutes, metres : (n,) the quickest way from the door, of equals the shortest
    before : (n,) the junction before on that way; -1 straight from the door
    """

    first: np.ndarray
    node: np.ndarray
    minutes: np.ndarray
    metres: np.ndarray
    before: np.ndarray


def within(network: Network, out: Doors, limit: float) -> Reach:
    """The junctions that doors reach in ``limit`` minutes or less.

    From schools: their doors and the network reversed.

    Parameters
    ----------
    out : ways from the doors to junctions, their minutes part of the limit

    >>> from planner.travel.network import mode_network
    >>> from planner.travel.doors import at_nodes
    >>> walk = mode_network(tiny.area.roads, tiny.scenario.travel, "walk")
    >>> reach = within(walk, at_nodes(np.array([0])), 20)
    >>> reach.node.tolist(), reach.minutes.tolist(), reach.before.tolist()
    ([0, 1], [0.0, 20.0], [-1, 0])
    """
    if worth_it((len(out.first) - 1) * network.size, COMPILED_FROM, COMPILING_FROM, "planner.travel.search"):
        from planner.travel.search import arcs_by_tail, search

        return Reach(*search(arcs_by_tail(network), out, limit))
    return _by_scipy(network, out, limit)


def _by_scipy(network: Network, out: Doors, limit: float) -> Reach:
    """The same, each door a node of its own beyond the junctions; of equal ways any."""
    from scipy.sparse.csgraph import dijkstra

    graph, to, leaving, arc = reversed_graph(network.reversed(), out)
    metres = arc_metres(network, out)[arc]
    size, count = network.size, len(out.first) - 1
    found = []
    for begin in range(0, count, DOORS_AT_A_TIME):
        some = np.arange(begin, min(begin + DOORS_AT_A_TIME, count))
        minutes, before = dijkstra(graph, indices=size + some, limit=limit, return_predecessors=True)
        far = np.vstack([lengths(row, leaving, to, metres) for row in before])
        door, node = np.nonzero(np.isfinite(minutes[:, :size]))
        time = minutes[door, node]
        order = np.lexsort((time, door))
        door, node = door[order], node[order]
        link = before[door, node].astype(np.int64)
        link[link >= size] = -1
        found.append((begin + door, node, time[order], far[door, node], link))
    if not found:
        none = np.zeros(0)
        return Reach(np.zeros(1, dtype=np.int64), none.astype(np.int64), none, none, none.astype(np.int64))
    door, node, time, far, link = (np.concatenate(part) for part in zip(*found, strict=True))
    return Reach(np.searchsorted(door, np.arange(count + 1)), node, time, far, link)
