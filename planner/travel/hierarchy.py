"""Many trips at once over a large network: a customizable contraction hierarchy, swept for many schools together.

The order and the shortcuts depend on the network alone; a change of speeds is a customization. Dibbelt, Strasser and
Wagner 2016, doi 10.1145/2886843; the restricted sweep after Delling, Goldberg and Werneck 2011 (RPHAST).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.compiled import compiled
from planner.model import Roads
from planner.travel.doors import Doors
from planner.travel.order import minimum_degree

LANES = 16
"""Schools swept together: one cache line's worth of registers, and a block that stays in the cache."""


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """A network's nodes by rank, with every shortcut an elimination in that order needs.

    Parameters
    ----------
    rank : (n_node,) the node's place in the order
    first, head : (n_node + 1,) and (n_edge,) by rank, the higher ends of each node's edges, ascending
    parent : (n_node,) by rank, the lowest of them, -1 at a root
    arc_edge : (n_arc,) the edge each given arc lies on, -1 for loops
    arc_up : (n_arc,) it leads from the lower end to the higher
    """

    rank: np.ndarray
    first: np.ndarray
    head: np.ndarray
    parent: np.ndarray
    arc_edge: np.ndarray
    arc_up: np.ndarray


@dataclass(frozen=True, eq=False)
class Metric:
    """Minutes (and metres) of a hierarchy's edges: (n_edge,) upward and downward, infinite where there is no way."""

    hierarchy: Hierarchy
    up_minutes: np.ndarray
    down_minutes: np.ndarray
    up_metres: np.ndarray | None = None
    down_metres: np.ndarray | None = None


def contract(n: int, tail: np.ndarray, head: np.ndarray, rank: np.ndarray | None = None) -> Hierarchy:
    """The hierarchy of a directed graph; ``rank`` (n,) is any order of its nodes, by default one of minimum degree.

    >>> contract(3, np.array([0, 1]), np.array([1, 2])).head.size
    2
    """
    rank = minimum_degree(n, tail, head) if rank is None else rank
    a, b = rank[tail], rank[head]
    low, high = np.minimum(a, b), np.maximum(a, b)
    keys = np.unique((low * np.int64(n) + high)[low < high])
    first = np.searchsorted(keys, np.arange(n + 1) * np.int64(n))
    first, upper, parent = _eliminate(n, first.astype(np.int64), (keys % n).astype(np.int32))
    edge = np.searchsorted(np.repeat(np.arange(n), np.diff(first)) * np.int64(n) + upper, low * np.int64(n) + high)
    return Hierarchy(rank, first, upper, parent, np.where(low < high, edge, -1), a < b)


def customize(hierarchy: Hierarchy, minutes: np.ndarray, metres: np.ndarray | None = None) -> Metric:
    """Lay minutes (and metres) (n_arc,) on the hierarchy: every shortcut is the quickest way through lower nodes."""
    edges = len(hierarchy.head)
    up_t, down_t = np.full((2, edges), np.inf)
    if metres is None:
        _lay_minutes(hierarchy.arc_edge, hierarchy.arc_up, minutes, up_t, down_t)
        _customize_minutes(hierarchy.first, hierarchy.head, up_t, down_t)
        return Metric(hierarchy, up_t, down_t)
    up_m, down_m = np.full((2, edges), np.inf)
    _lay(hierarchy.arc_edge, hierarchy.arc_up, minutes, metres, up_t, up_m, down_t, down_m)
    _customize(hierarchy.first, hierarchy.head, up_t, up_m, down_t, down_m)
    return Metric(hierarchy, up_t, down_t, up_m, down_m)


def hierarchy_of(roads: Roads) -> Hierarchy:
    """The hierarchy of all edges both ways, for every mode's network of these roads."""
    ends = roads.edges[["from_node", "to_node"]].to_numpy(dtype=np.int64)
    return contract(len(roads.nodes), np.append(ends[:, 0], ends[:, 1]), np.append(ends[:, 1], ends[:, 0]))


def many_to_many(metric: Metric, out: Doors, into: Doors) -> tuple[np.ndarray, np.ndarray | None]:
    """Minutes and metres (n_origin, n_target) of the quickest ways, of equals the shortest; infinite without one.

    Metres are None where the metric has none.

    >>> graph = contract(3, np.array([0, 1]), np.array([1, 2]))
    >>> from planner.travel.doors import at_nodes
    >>> metric = customize(graph, np.array([2.0, 3.0]), np.array([20.0, 30.0]))
    >>> many_to_many(metric, at_nodes(np.array([0, 2])), at_nodes(np.array([2])))[0].ravel().tolist()
    [5.0, 0.0]
    """
    graph = metric.hierarchy
    start, stop = graph.rank[out.node].astype(np.int64), graph.rank[into.node].astype(np.int64)
    place, count = _ancestors(graph.parent, start)
    first, head, edge = _restrict(graph.first, graph.head, place, count)
    origins, targets = len(out.first) - 1, len(into.first) - 1
    minutes = np.empty((origins, targets))
    metres = None if metric.up_metres is None else np.empty((origins, targets))
    up_t = metric.up_minutes[edge]
    up_m = None if metric.up_metres is None else metric.up_metres[edge]
    label = place[start]

    def block(begin: int) -> None:
        end = min(begin + LANES, targets)
        time = np.full((count, LANES), np.inf)
        at = into.first[begin : end + 1]
        tree = (graph.first, graph.head, graph.parent, place, stop, at)
        if metres is None:
            _climb_minutes(*tree, into.minutes, metric.down_minutes, time)
            _sweep_minutes(first, head, up_t, time)
            _arrive_minutes(out.first, label, out.minutes, time, minutes[:, begin:end])
            return
        far = np.full((count, LANES), np.inf)
        _climb(*tree, into.minutes, into.metres, metric.down_minutes, metric.down_metres, time, far)
        _sweep(first, head, up_t, up_m, time, far)
        _arrive(out.first, label, out.minutes, out.metres, time, far, minutes[:, begin:end], metres[:, begin:end])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(block, range(0, targets, LANES)))
    return minutes, metres


@compiled
def _eliminate(n: int, first: Any, head: Any) -> Any:
    """Edges that eliminating the nodes in order needs: a node hands its higher neighbours to the lowest of them."""
    out_first = np.zeros(n + 1, np.int64)
    out = np.empty(max(4 * len(head), 16), np.int32)
    parent = np.full(n, -1, np.int32)
    child, sibling = np.full(n, -1, np.int32), np.full(n, -1, np.int32)
    seen = np.full(n, -1, np.int32)
    size = 0
    for v in range(n):
        begin = size
        seen[v] = v
        needed = first[v + 1] - first[v]
        c = child[v]
        while c >= 0:
            needed += out_first[c + 1] - out_first[c]
            c = sibling[c]
        if size + needed > len(out):
            wider = np.empty(2 * (size + needed), np.int32)
            wider[:size] = out[:size]
            out = wider
        for i in range(first[v], first[v + 1]):
            seen[head[i]] = v
            out[size] = head[i]
            size += 1
        c = child[v]
        while c >= 0:
            for i in range(out_first[c], out_first[c + 1]):
                if seen[out[i]] != v:
                    seen[out[i]] = v
                    out[size] = out[i]
                    size += 1
            c = sibling[c]
        out[begin:size].sort()
        out_first[v + 1] = size
        if size > begin:
            p = out[begin]
            parent[v] = p
            sibling[v] = child[p]
            child[p] = v
    return out_first, out[:size].copy(), parent


@compiled
def _lay(arc_edge: Any, arc_up: Any, minutes: Any, metres: Any, up_t: Any, up_m: Any, down_t: Any, down_m: Any) -> None:
    """Of parallel arcs the quickest counts, of equals the shortest."""
    for i in range(len(arc_edge)):
        e, t, m = arc_edge[i], minutes[i], metres[i]
        if e >= 0 and arc_up[i]:
            if t < up_t[e] or (t == up_t[e] and m < up_m[e]):
                up_t[e], up_m[e] = t, m
        elif e >= 0 and (t < down_t[e] or (t == down_t[e] and m < down_m[e])):
            down_t[e], down_m[e] = t, m


@compiled
def _customize(first: Any, head: Any, up_t: Any, up_m: Any, down_t: Any, down_m: Any) -> None:
    """Bottom up over lower triangles: v -> u -> w may beat the edge between v and w."""
    for u in range(len(first) - 1):
        for i in range(first[u], first[u + 1]):
            k = first[head[i]]
            for j in range(i + 1, first[u + 1]):
                while head[k] < head[j]:
                    k += 1
                t, m = down_t[i] + up_t[j], down_m[i] + up_m[j]
                if t < up_t[k] or (t == up_t[k] and m < up_m[k]):
                    up_t[k], up_m[k] = t, m
                t, m = down_t[j] + up_t[i], down_m[j] + up_m[i]
                if t < down_t[k] or (t == down_t[k] and m < down_m[k]):
                    down_t[k], down_m[k] = t, m


@compiled
def _ancestors(parent: Any, start: Any) -> Any:
    """Places (n_node,) of the starts and all above them, counted from the highest; -1 elsewhere. And how many."""
    place = np.full(len(parent), -1, np.int32)
    for i in range(len(start)):
        x = start[i]
        while x >= 0 and place[x] < 0:
            place[x] = 0
            x = parent[x]
    count = 0
    for x in range(len(parent) - 1, -1, -1):
        if place[x] == 0:
            place[x] = count
            count += 1
    return place, count


@compiled
def _restrict(first: Any, head: Any, place: Any, count: int) -> Any:
    """The edges of the places alone, in their order."""
    out_first = np.zeros(count + 1, np.int64)
    for x in range(len(place)):
        if place[x] >= 0:
            out_first[place[x] + 1] = first[x + 1] - first[x]
    out_first = np.cumsum(out_first)
    out_head, edge = np.empty(out_first[-1], np.int32), np.empty(out_first[-1], np.int64)
    for x in range(len(place)):
        if place[x] >= 0:
            at = out_first[place[x]]
            for i in range(first[x], first[x + 1]):
                out_head[at], edge[at] = place[head[i]], i
                at += 1
    return out_first, out_head, edge


@compiled
def _above(parent: Any, stop: Any, seen: Any) -> Any:
    """The nodes and all above them, ascending; ``seen`` is left as it was."""
    found = np.empty(64, np.int32)
    size = 0
    for i in range(len(stop)):
        x = stop[i]
        while x >= 0 and not seen[x]:
            if size == len(found):
                wider = np.empty(2 * size, np.int32)
                wider[:size] = found
                found = wider
            found[size] = x
            size += 1
            seen[x] = True
            x = parent[x]
    found = found[:size]
    found.sort()
    for i in range(size):
        seen[found[i]] = False
    return found


@compiled
def _climb(
    first: Any,
    head: Any,
    parent: Any,
    place: Any,
    stop: Any,
    at: Any,
    stop_t: Any,
    stop_m: Any,
    down_t: Any,
    down_m: Any,
    time: Any,
    far: Any,
) -> None:
    """Ways to each school from the nodes above its junctions that lead down only."""
    n = len(parent)
    t, m, seen = np.full(n, np.inf), np.full(n, np.inf), np.zeros(n, np.bool_)
    for lane in range(len(at) - 1):
        for i in range(at[lane], at[lane + 1]):
            x = stop[i]
            if stop_t[i] < t[x] or (stop_t[i] == t[x] and stop_m[i] < m[x]):
                t[x], m[x] = stop_t[i], stop_m[i]
        for x in _above(parent, stop[at[lane] : at[lane + 1]], seen):
            for i in range(first[x], first[x + 1]):
                y = head[i]
                t_y, m_y = t[x] + down_t[i], m[x] + down_m[i]
                if t_y < t[y] or (t_y == t[y] and m_y < m[y]):
                    t[y], m[y] = t_y, m_y
            if place[x] >= 0:
                time[place[x], lane], far[place[x], lane] = t[x], m[x]
            t[x], m[x] = np.inf, np.inf  # nothing lower is looked at again


@compiled
def _sweep(first: Any, head: Any, up_t: Any, up_m: Any, time: Any, far: Any) -> None:
    """From the highest place down: first up to a higher node, then on as that node goes; all lanes at once."""
    lanes = time.shape[1]
    t, m = np.empty(lanes), np.empty(lanes)
    for x in range(len(first) - 1):
        t[:], m[:] = time[x], far[x]
        for i in range(first[x], first[x + 1]):
            y, t_i, m_i = head[i], up_t[i], up_m[i]
            for lane in range(lanes):
                t_y, m_y = time[y, lane] + t_i, far[y, lane] + m_i
                better = (t_y < t[lane]) | ((t_y == t[lane]) & (m_y < m[lane]))
                t[lane] = t_y if better else t[lane]
                m[lane] = m_y if better else m[lane]
        time[x], far[x] = t, m


@compiled
def _arrive(first: Any, label: Any, label_t: Any, label_m: Any, time: Any, far: Any, minutes: Any, metres: Any) -> None:
    """Each door by the best of its junctions."""
    for door in range(len(first) - 1):
        for lane in range(minutes.shape[1]):
            best_t, best_m = np.inf, np.inf
            for i in range(first[door], first[door + 1]):
                t, m = time[label[i], lane] + label_t[i], far[label[i], lane] + label_m[i]
                if t < best_t or (t == best_t and m < best_m):
                    best_t, best_m = t, m
            minutes[door, lane], metres[door, lane] = best_t, best_m


# ---------------------------------------------------------------- the same with minutes alone


@compiled
def _lay_minutes(arc_edge: Any, arc_up: Any, minutes: Any, up_t: Any, down_t: Any) -> None:
    for i in range(len(arc_edge)):
        e = arc_edge[i]
        if e >= 0 and arc_up[i]:
            up_t[e] = min(up_t[e], minutes[i])
        elif e >= 0:
            down_t[e] = min(down_t[e], minutes[i])


@compiled
def _customize_minutes(first: Any, head: Any, up_t: Any, down_t: Any) -> None:
    for u in range(len(first) - 1):
        for i in range(first[u], first[u + 1]):
            k = first[head[i]]
            for j in range(i + 1, first[u + 1]):
                while head[k] < head[j]:
                    k += 1
                up_t[k] = min(up_t[k], down_t[i] + up_t[j])
                down_t[k] = min(down_t[k], down_t[j] + up_t[i])


@compiled
def _climb_minutes(
    first: Any, head: Any, parent: Any, place: Any, stop: Any, at: Any, stop_t: Any, down_t: Any, time: Any
) -> None:
    n = len(parent)
    t, seen = np.full(n, np.inf), np.zeros(n, np.bool_)
    for lane in range(len(at) - 1):
        for i in range(at[lane], at[lane + 1]):
            t[stop[i]] = min(t[stop[i]], stop_t[i])
        for x in _above(parent, stop[at[lane] : at[lane + 1]], seen):
            for i in range(first[x], first[x + 1]):
                t[head[i]] = min(t[head[i]], t[x] + down_t[i])
            if place[x] >= 0:
                time[place[x], lane] = t[x]
            t[x] = np.inf


@compiled
def _sweep_minutes(first: Any, head: Any, up_t: Any, time: Any) -> None:
    lanes = time.shape[1]
    t = np.empty(lanes)
    for x in range(len(first) - 1):
        t[:] = time[x]
        for i in range(first[x], first[x + 1]):
            y, t_i = head[i], up_t[i]
            for lane in range(lanes):
                t[lane] = min(t[lane], time[y, lane] + t_i)
        time[x] = t


@compiled
def _arrive_minutes(first: Any, label: Any, label_t: Any, time: Any, minutes: Any) -> None:
    for door in range(len(first) - 1):
        for lane in range(minutes.shape[1]):
            best = np.inf
            for i in range(first[door], first[door + 1]):
                best = min(best, time[label[i], lane] + label_t[i])
            minutes[door, lane] = best
