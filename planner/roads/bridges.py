"""Roads that a network hangs together by: closing one cuts part of it off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.model import Roads


@dataclass(frozen=True, eq=False)
class Bridges:
    """What falls off when a road closes, one-way streets aside.

    Parameters
    ----------
    place : (n_node,) places in an order in which what a road cuts off stands together
    part : (n_node,) the connected part of every node, by one of its nodes
    first, last : (n_edge,) places ``first <= place <= last`` of the nodes that closing the edge cuts off; ``first`` is
        -1 where it cuts off none
    above : (n_node,) the nearest such edge between the node and the root of its part, -1 where there is none
    beyond : (n_edge,) the next one above it, -1
    """

    place: np.ndarray
    part: np.ndarray
    first: np.ndarray
    last: np.ndarray
    above: np.ndarray
    beyond: np.ndarray

    @property
    def is_bridge(self) -> np.ndarray:
        """(n_edge,) bool."""
        return self.first >= 0


def bridges(roads: Roads, usable: np.ndarray) -> Bridges:
    """The bridges of the network of usable edges, by one depth-first search.

    An edge is a bridge when nothing below it in the search leads back above it (Tarjan 1974, doi
    10.1016/0020-0190(74)90003-9).

    Parameters
    ----------
    usable : (n_edge,) bool

    >>> bridges(tiny.area.roads, np.ones(3, dtype=bool)).is_bridge.tolist()
    [True, True, True]
    """
    nodes, rows = len(roads.nodes), np.flatnonzero(usable)
    ends = roads.ends[rows]
    order = np.argsort(ends.T.ravel(), kind="stable")
    begins = np.searchsorted(ends.T.ravel()[order], np.arange(nodes + 1)).tolist()
    others, by = ends[:, ::-1].T.ravel()[order].tolist(), np.tile(rows, 2)[order].tolist()

    place, low, part, above = [-1] * nodes, [0] * nodes, [0] * nodes, [-1] * nodes
    came_from, came_by, at = [-1] * nodes, [-1] * nodes, begins[:-1]
    first, last, beyond = ([-1] * len(roads.edges) for _ in range(3))
    entered: list[int] = []
    for root in range(nodes):
        way = [root] if place[root] < 0 else []
        while way:
            node = way[-1]
            if place[node] < 0:
                place[node] = low[node] = len(entered)
                part[node] = root
                entered.append(node)
            if at[node] < begins[node + 1]:
                other, edge = others[at[node]], by[at[node]]
                at[node] += 1
                if place[other] < 0:
                    came_from[other], came_by[other] = node, edge
                    way.append(other)
                elif edge != came_by[node]:
                    low[node] = min(low[node], place[other])
                continue
            way.pop()
            if way:
                low[way[-1]] = min(low[way[-1]], low[node])
                if low[node] == place[node]:
                    first[came_by[node]], last[came_by[node]] = place[node], len(entered) - 1
    for node in entered:
        if (edge := came_by[node]) >= 0:
            below = first[edge] >= 0
            above[node] = edge if below else above[came_from[node]]
            if below:
                beyond[edge] = above[came_from[node]]
    return Bridges(*(np.array(column, dtype=np.int64) for column in (place, part, first, last, above, beyond)))
