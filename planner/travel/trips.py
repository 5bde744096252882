"""Trips between many doors: over the junctions, or along one edge, whichever is quicker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.model import Roads
from planner.roads.access import along_one
from planner.travel.doors import Doors
from planner.travel.network import Network, OffRoad, quickest

if TYPE_CHECKING:
    from planner.travel.hierarchy import Hierarchy

COMPILED_FROM, COMPILING_FROM = 5e6, 3e7
"""Schools times junctions times modes from which a hierarchy is quicker than scipy: compiled, and not compiled yet."""
SCHOOLS_AT_A_TIME = 64


def hierarchy_for(roads: Roads, schools: int, modes: int, tell: Callable[[str], object] = str) -> Hierarchy | None:
    """The one hierarchy for trips by several modes; none where scipy has them sooner, compilation included.

    Parameters
    ----------
    tell : is told what takes long
    """
    work = schools * len(roads.nodes) * modes
    if work < COMPILED_FROM:
        return None
    from planner.compiled import ready
    from planner.travel.sweep import KERNELS

    if not ready(KERNELS):
        if work < COMPILING_FROM:
            return None
        tell("compiling the search, once on this machine")
    from planner.travel.hierarchy import hierarchy_of

    return hierarchy_of(roads)


def trips(
    network: Network,
    out: Doors,
    into: Doors,
    off: OffRoad,
    hierarchy: Hierarchy | None = None,
    limit: float = np.inf,
) -> tuple[np.ndarray, np.ndarray]:
    """Minutes and metres (n_origin, n_target) of the quickest ways; infinite where there is none.

    Parameters
    ----------
    hierarchy : of the network's roads, to go through; without one by scipy
    limit : minutes; a longer way may be missing, or not be the quickest
    """
    near = _covers_little(network, limit)
    minutes, metres = _within(network, out, into, limit) if near else over_junctions(network, out, into, hierarchy)
    _along_one_edge(network, out, into, off, minutes, metres)
    return minutes, metres


def over_junctions(
    network: Network, out: Doors, into: Doors, hierarchy: Hierarchy | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The same for ways that pass a junction at least."""
    if hierarchy is None:
        return _by_dijkstra(network, out, into)
    from planner.travel.metric import customize
    from planner.travel.sweep import many_to_many

    minutes, metres = many_to_many(customize(hierarchy, network.minutes, network.metres), out, into)
    return minutes, np.asarray(metres)


def _covers_little(network: Network, limit: float) -> bool:
    """Whether the limit bounds a search to a small part of the network: a circle of a tenth of the junctions' box."""
    pace = min(np.min(network.ahead, initial=np.inf), np.min(network.back, initial=np.inf))
    if not (np.isfinite(limit) and 0 < pace < np.inf):
        return False
    wide, high = np.ptp(network.roads.nodes[["x", "y"]].to_numpy(), axis=0)
    return bool(np.pi * (limit / pace) ** 2 < wide * high / 10)


def _within(network: Network, out: Doors, into: Doors, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """By a bounded search from the schools, met by the villages' junctions."""
    from planner.travel.bounded import within

    shape = (len(out.first) - 1, len(into.first) - 1)
    minutes, metres = np.full(shape, np.inf), np.full(shape, np.inf)
    reach = within(network.reversed(), into, limit)
    order = np.argsort(out.node, kind="stable")
    low, high = (np.searchsorted(out.node[order], reach.node, side) for side in ("left", "right"))
    i, at = _pairs(low, high)
    j = order[at]
    origin, target = (np.repeat(np.arange(len(d.first) - 1), np.diff(d.first)) for d in (out, reach))
    time, far = reach.minutes[i] + out.minutes[j], reach.metres[i] + out.metres[j]
    _lay_best(origin[j], target[i], time, far, minutes, metres)
    return minutes, metres


def _pairs(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every row with every place from its low to before its high."""
    count = high - low
    row = np.repeat(np.arange(len(low)), count)
    return row, low[row] + np.arange(len(row)) - (np.cumsum(count) - count)[row]


def _by_dijkstra(network: Network, out: Doors, into: Doors) -> tuple[np.ndarray, np.ndarray]:
    """By scipy, from the schools on the reversed network, each school a node of its own beyond the junctions."""
    from scipy.sparse.csgraph import dijkstra

    count = len(into.first) - 1
    reverse, tail, head, arc = reversed_graph(network, into)
    metres = arc_metres(network, into)[arc]
    shape = (len(out.first) - 1, count)
    minutes_out, metres_out = np.full(shape, np.inf), np.full(shape, np.inf)
    having = np.flatnonzero(out.reach)
    if not len(having) or not into.reach.any():
        return minutes_out, metres_out
    for begin in range(0, count, SCHOOLS_AT_A_TIME):
        some = network.size + np.arange(begin, min(begin + SCHOOLS_AT_A_TIME, count))
        far, before = dijkstra(reverse, indices=some, return_predecessors=True)
        length = np.vstack([lengths(row, head, tail, metres) for row in before])
        ride = far[:, out.node] + out.minutes
        best = np.minimum.reduceat(ride, out.first[having], axis=1)
        walked = length[:, out.node] + out.metres
        walked[ride > np.repeat(best, np.diff(out.first)[having], axis=1)] = np.inf
        columns = slice(begin, begin + len(some))
        minutes_out[having, columns] = best.T
        metres_out[having, columns] = np.minimum.reduceat(walked, out.first[having], axis=1).T
    return minutes_out, metres_out


def reversed_graph(network: Network, into: Doors) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray]:
    """Arcs turned round, sorted by the head they lead to, and a node for every door beyond the junctions.

    Returns
    -------
    The minutes as a CSR matrix (row: head, column: tail); tails and heads of its entries, and which arc each is: first
    the network's, then the ways from it to doors.
    """
    from scipy.sparse import csr_array

    size, arcs = network.size + len(into.first) - 1, network.quickest
    door = network.size + np.repeat(np.arange(len(into.first) - 1), np.diff(into.first))
    # Of parallel arcs the quickest counts; scipy would add them up. Zero minutes stay an arc, not "no arc".
    ways = quickest(door, into.node, into.minutes, into.metres)
    tail, head = np.append(network.tail[arcs], into.node[ways]), np.append(network.head[arcs], door[ways])
    minutes = np.append(network.minutes[arcs], into.minutes[ways])
    indptr = np.searchsorted(head, np.arange(size + 1))
    order = np.append(arcs, len(network.minutes) + ways)
    return csr_array((minutes, tail, indptr), shape=(size, size)), tail, head, order


def arc_metres(network: Network, into: Doors) -> np.ndarray:
    """(n_arc + n,) metres of the network's arcs and of the ways from it to doors."""
    return np.append(network.metres, into.metres)


def lengths(before: np.ndarray, head: np.ndarray, tail: np.ndarray, metres: np.ndarray) -> np.ndarray:
    """Metres along a shortest-path tree, by pointer doubling; ``before`` is the next node towards school."""
    size = len(before)
    taken = before[tail] == head
    total, step = np.zeros(size), before.astype(np.int64)
    total[tail[taken]] = metres[taken]
    parent = np.where(step >= 0, step, np.arange(size))
    while True:
        further = parent[parent]
        if np.array_equal(further, parent):
            return total
        total = total + total[parent]
        parent = further


def _along_one_edge(
    network: Network, out: Doors, into: Doors, off: OffRoad, minutes: np.ndarray, metres: np.ndarray
) -> None:
    """Into the tables: trips that get on an edge and off it again, where they are quicker than what stands there."""
    found = same_edge(network, out, into, off)
    found = found.take(found.minutes < minutes[found.origin, found.target])
    plain = found.take(~found.passing)
    _lay_best(plain.origin, plain.target, plain.minutes, plain.metres, minutes, metres)
    passing = found.take(found.passing)
    passing = passing.take(passing.minutes < minutes[passing.origin, passing.target])
    met = settled(passing, network, out, into, off)
    _lay_best(met.origin, met.target, met.minutes, met.metres, minutes, metres)


@dataclass(frozen=True, eq=False)
class SameEdge:
    """Trips that get on an edge and off it again: one row an origin, a target, an edge and a direction.

    Parameters
    ----------
    origin, target, edge : (n,) rows
    ahead : (n,) bool, towards the edge's end
    start, end : (n,) places on the edge where the trip gets on and off, 0 to 1
    away_m : (n,) metres off the road, straight, both ends together
    minutes, metres : (n,) of the whole trip
    """

    origin: np.ndarray
    target: np.ndarray
    edge: np.ndarray
    ahead: np.ndarray
    start: np.ndarray
    end: np.ndarray
    away_m: np.ndarray
    minutes: np.ndarray
    metres: np.ndarray

    @property
    def passing(self) -> np.ndarray:
        """(n,) bool, the two places pass each other; no trip along this edge, this way, is quicker than ``minutes``."""
        return np.where(self.ahead, self.end < self.start, self.end > self.start)

    def take(self, rows: np.ndarray) -> SameEdge:
        """Some of the rows."""
        return SameEdge(*(getattr(self, field.name)[rows] for field in fields(self)))

    def plus(self, other: SameEdge) -> SameEdge:
        """These rows and then the other's."""
        return SameEdge(*(np.append(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)))


def same_edge(network: Network, out: Doors, into: Doors, off: OffRoad) -> SameEdge:
    """Trips along one edge from each end's own best place on it."""
    a, b = out.on, into.on
    # What leaves the network going back on the reversed one arrives going ahead.
    key_a, key_b = a.edge * 2 + a.ahead, b.edge * 2 + ~b.ahead
    order = np.argsort(key_b, kind="stable")
    low, high = np.searchsorted(key_b[order], key_a), np.searchsorted(key_b[order], key_a, side="right")
    i, at = _pairs(low, high)
    j = order[at]
    edge, ahead = a.edge[i], a.ahead[i]
    on = np.where(ahead, 1, -1) * (b.share[j] - a.share[i]) * network.roads.edges["length_m"].to_numpy()[edge]
    pace, away = np.where(ahead, network.ahead[edge], network.back[edge]), a.away_m[i] + b.away_m[j]
    time = out.on_minutes[i] + into.on_minutes[j] + pace * on
    return SameEdge(a.door[i], b.door[j], edge, ahead, a.share[i], b.share[j], away, time, off.detour * away + on)


def settled(found: SameEdge, network: Network, out: Doors, into: Doors, off: OffRoad) -> SameEdge:
    """Trips whose two places pass each other, by the best places that do not."""
    pace = np.where(found.ahead, network.ahead[found.edge], network.back[found.edge])
    road, ends = (network.roads, found.edge, found.ahead, pace), (out.xy[found.origin], into.xy[found.target])
    minutes, away, start, end = along_one(*road, *ends, off.pace, off.within_m)
    metres = off.detour * away + np.abs(end - start) * network.roads.edges["length_m"].to_numpy()[found.edge]
    return replace(found, start=start, end=end, away_m=away, minutes=minutes, metres=metres)


def _lay_best(
    row: np.ndarray, column: np.ndarray, time: np.ndarray, far: np.ndarray, minutes: np.ndarray, metres: np.ndarray
) -> None:
    """Into the tables what is quicker than what stands there; of several for one pair the quickest."""
    order = np.lexsort((-far, -time))  # the last one laid stays
    order = order[time[order] < minutes[row[order], column[order]]]
    minutes[row[order], column[order]] = time[order]
    metres[row[order], column[order]] = far[order]
