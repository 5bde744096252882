"""Ways on foot from doors to bus stops, step by step: what ``walk_bus`` walks before it rides, and after."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from planner.roads.access import Access
from planner.travel.bounded import Reach
from planner.travel.doors import Doors
from planner.travel.network import Network


@dataclass(frozen=True, eq=False)
class Walks:
    """Every way on foot within the limit.

    Parameters
    ----------
    network : as walkers see it; for ways from stops to doors reversed
    doors : ways from doors onto it
    reach : the junctions within the limit
    rows : (n_door,) the doors that count, as rows of these
    """

    network: Network
    doors: Doors
    reach: Reach
    rows: np.ndarray

    def take(self, doors: np.ndarray) -> Walks:
        """Of some doors (n,), counted in this order."""
        return replace(self, rows=self.rows[doors])

    def follow(self, door: np.ndarray, node: np.ndarray) -> tuple[Access, np.ndarray, np.ndarray]:
        """The ways from doors to junctions that they reach.

        Returns
        -------
        Where each gets on the road (n,); and step by step from the junction back to the first one, all ways together:
        which way steps, and over which arc
        """
        door, size, reach = self.rows[door], np.int64(self.network.size), self.reach
        count = np.diff(reach.first)
        key = np.repeat(np.arange(len(count)), count) * size + reach.node
        order = np.argsort(key)
        way, at = np.arange(len(door)), node
        root, ways, tails, heads = node.copy(), [way[:0]], [node[:0]], [node[:0]]
        while len(way):
            row = order[np.searchsorted(key, door[way] * size + at, sorter=order)]
            before = reach.before[row]
            root[way[before < 0]] = at[before < 0]
            more = before >= 0
            way, before, at = way[more], before[more], at[more]
            ways, tails, heads = [*ways, way], [*tails, before], [*heads, at]
            at = before
        arcs = quickest_arc(self.network, np.concatenate(tails), np.concatenate(heads))
        return self._gets_on(door, root), np.concatenate(ways), arcs

    def _gets_on(self, door: np.ndarray, node: np.ndarray) -> Access:
        doors, size = self.doors, np.int64(self.network.size)
        key = np.repeat(np.arange(len(doors.first) - 1), np.diff(doors.first)) * size + doors.node
        order = np.argsort(key)
        if doors.by is None:
            raise ValueError("these doors stand on junctions: they have no place on an edge")
        return doors.by.take(order[np.searchsorted(key, door * size + node, sorter=order)])


def quickest_arc(network: Network, tail: np.ndarray, head: np.ndarray) -> np.ndarray:
    """(n,) the quickest arc between two junctions, of equals the shortest; -1 where there is none.

    >>> from planner.travel.network import mode_network
    >>> walk = mode_network(tiny.area.roads, tiny.scenario.travel, "walk")
    >>> quickest_arc(walk, np.array([0, 1, 0]), np.array([1, 0, 2])).tolist()  # three edges: arc 3 is edge 0, back
    [0, 3, -1]
    """
    size, arcs = np.int64(network.size), network.quickest
    if not len(arcs):
        return np.full(len(tail), -1)
    keys, wanted = network.head[arcs] * size + network.tail[arcs], head * size + tail
    at = np.minimum(np.searchsorted(keys, wanted), len(arcs) - 1)
    return np.where(keys[at] == wanted, arcs[at], -1)
