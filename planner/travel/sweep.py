"""Many trips at once: up a hierarchy from each school, then down to all villages for 16 schools together.

Both ways only through nodes above a school or a village. The restricted sweep is that of Delling, Goldberg and Werneck
2011 (RPHAST), doi 10.4230/OASIcs.ATMOS.2011.52.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.compiled import compiled
from planner.travel.doors import Doors
from planner.travel.hierarchy import KERNELS as CONTRACTING
from planner.travel.lanes import LANES, least, load, of_least, plus, store
from planner.travel.metric import KERNELS as CUSTOMIZING
from planner.travel.metric import Metric


@dataclass(frozen=True, eq=False)
class _Part:
    """The nodes above some doors' junctions, from the highest, and their edges up.

    Parameters
    ----------
    node : (n_part,) by rank
    door_first, door : where each door's junctions begin, and these as rows of ``node``
    first, head : where each node's edges begin, and their higher ends as rows of ``node``
    minutes, metres : of the edges
    """

    node: np.ndarray
    door_first: np.ndarray
    door: np.ndarray
    first: np.ndarray
    head: np.ndarray
    minutes: np.ndarray
    metres: np.ndarray | None


def many_to_many(metric: Metric, out: Doors, into: Doors) -> tuple[np.ndarray, np.ndarray | None]:
    """Minutes and metres (n_origin, n_target) of the quickest ways, of equals the shortest; infinite without one.

    Metres are None where the metric has none.

    >>> from planner.travel.doors import at_nodes
    >>> from planner.travel.hierarchy import contract
    >>> from planner.travel.metric import customize
    >>> graph = contract(3, np.array([0, 1]), np.array([1, 2]))
    >>> metric = customize(graph, np.array([2.0, 3.0]), np.array([20.0, 30.0]))
    >>> many_to_many(metric, at_nodes(np.array([0, 2])), at_nodes(np.array([2])))[0].ravel().tolist()
    [5.0, 0.0]
    """
    home = _part(metric, out, metric.up_minutes, metric.up_metres)
    school = _part(metric, into, metric.down_minutes, metric.down_metres)
    shared = np.full(len(metric.hierarchy.rank), -1, dtype=np.int64)
    shared[home.node] = np.arange(len(home.node))
    shared = shared[school.node]
    origins, targets = len(out.first) - 1, len(into.first) - 1
    minutes = np.empty((origins, targets))
    metres = None if metric.up_metres is None else np.empty((origins, targets))
    workers = min(os.cpu_count() or 1, -(-targets // LANES))

    def some(worker: int) -> None:
        def tables(rows: int) -> tuple[np.ndarray, np.ndarray | None]:
            return np.full((rows, LANES), np.inf), None if metres is None else np.full((rows, LANES), np.inf)

        up, down, last = tables(len(school.node)), tables(len(home.node)), tables(origins)
        rise = (school.door_first, school.door, into.minutes, into.metres)
        fall = (home.first, home.head, home.minutes, home.metres)
        get_off = (home.door_first, home.door, out.minutes, out.metres)
        for begin in range(worker * LANES, targets, workers * LANES):
            end = min(begin + LANES, targets)
            down[0][:] = np.inf
            _climb(*rise, begin, end, school.first, school.head, school.minutes, school.metres, shared, *up, *down)
            _sweep(*fall, *down)
            if end - begin == LANES:
                _arrive(*get_off, *down, minutes, metres, begin)
                continue
            _arrive(*get_off, *down, *last, 0)
            minutes[:, begin:end] = last[0][:, : end - begin]
            if metres is not None and last[1] is not None:
                metres[:, begin:end] = last[1][:, : end - begin]

    if workers:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(some, range(workers)))
    return minutes, metres


def _part(metric: Metric, doors: Doors, minutes: np.ndarray, metres: np.ndarray | None) -> _Part:
    graph = metric.hierarchy
    node, door, first, head, edge = _above(graph.first, graph.head, graph.rank[doors.node])
    return _Part(node, doors.first, door, first, head, minutes[edge], None if metres is None else metres[edge])


@compiled
def _above(first: Any, head: Any, start: Any) -> Any:
    """The starts and all above them from the highest, the starts as rows of these, and the edges up from each."""
    n = len(first) - 1
    place = np.full(n, -1, np.int32)
    count, edges = 0, 0
    for i in range(len(start)):
        x = start[i]
        while place[x] < 0:
            place[x] = 0
            count += 1
            edges += first[x + 1] - first[x]
            if first[x] < first[x + 1]:
                x = head[first[x]]
    node, out_first = np.empty(count, np.int64), np.zeros(count + 1, np.int64)
    out_head, edge = np.empty(edges, np.int32), np.empty(edges, np.int64)
    count, edges = 0, 0
    for x in range(n - 1, -1, -1):
        if place[x] == 0:
            place[x], node[count] = count, x
            for i in range(first[x], first[x + 1]):
                out_head[edges], edge[edges] = place[head[i]], i
                edges += 1
            count += 1
            out_first[count] = edges
    door = np.empty(len(start), np.int64)
    for i in range(len(start)):
        door[i] = place[start[i]]
    return node, door, out_first, out_head, edge


@compiled
def _climb(
    door_first: Any,
    door: Any,
    door_t: Any,
    door_m: Any,
    begin: int,
    end: int,
    first: Any,
    head: Any,
    edge_t: Any,
    edge_m: Any,
    shared: Any,
    up_t: Any,
    up_m: Any,
    time: Any,
    far: Any,
) -> None:
    """Ways to schools ``begin`` to ``end`` that lead down only, from the nodes they share with the villages.

    ``up_t`` and ``up_m`` are infinite, before and after.
    """
    queued = np.zeros(len(first), np.bool_)
    for lane in range(end - begin):
        for i in range(door_first[begin + lane], door_first[begin + lane + 1]):
            x, t_x = door[i], door_t[i]
            if up_m is not None and (t_x < up_t[x, lane] or (t_x == up_t[x, lane] and door_m[i] < up_m[x, lane])):
                up_m[x, lane] = door_m[i]
            up_t[x, lane] = min(up_t[x, lane], t_x)
            while not queued[x]:
                queued[x] = True
                if first[x] < first[x + 1]:
                    x = head[first[x]]
    for x in range(len(first) - 2, -1, -1):
        if not queued[x]:
            continue
        t = load(up_t, x, 0)
        if up_m is None:
            for i in range(first[x], first[x + 1]):
                y = head[i]
                store(up_t, y, 0, least(plus(t, edge_t[i]), load(up_t, y, 0)))
        else:
            m = load(up_m, x, 0)
            for i in range(first[x], first[x + 1]):
                y = head[i]
                t_y, m_y, was = plus(t, edge_t[i]), plus(m, edge_m[i]), load(up_t, y, 0)
                store(up_m, y, 0, of_least(t_y, m_y, was, load(up_m, y, 0)))
                store(up_t, y, 0, least(t_y, was))
        z = shared[x]
        for lane in range(LANES):
            if z >= 0:
                time[z, lane] = up_t[x, lane]
                if up_m is not None:
                    far[z, lane] = up_m[x, lane]
            up_t[x, lane] = np.inf
            if up_m is not None:
                up_m[x, lane] = np.inf


@compiled
def _sweep(first: Any, head: Any, edge_t: Any, edge_m: Any, time: Any, far: Any) -> None:
    """From the highest node down: first up to a higher one, then on as that one goes; all lanes at once."""
    for x in range(len(first) - 1):
        t = load(time, x, 0)
        if far is None:
            for i in range(first[x], first[x + 1]):
                t = least(plus(load(time, head[i], 0), edge_t[i]), t)
        else:
            m = load(far, x, 0)
            for i in range(first[x], first[x + 1]):
                t_y, m_y = plus(load(time, head[i], 0), edge_t[i]), plus(load(far, head[i], 0), edge_m[i])
                m = of_least(t_y, m_y, t, m)
                t = least(t_y, t)
            store(far, x, 0, m)
        store(time, x, 0, t)


@compiled
def _arrive(
    door_first: Any, door: Any, door_t: Any, door_m: Any, time: Any, far: Any, minutes: Any, metres: Any, column: int
) -> None:
    """Each village by the best of its junctions."""
    for row in range(len(door_first) - 1):
        begin, end = door_first[row], door_first[row + 1]
        if begin == end:
            for lane in range(LANES):
                minutes[row, column + lane] = np.inf
                if metres is not None:
                    metres[row, column + lane] = np.inf
            continue
        t = plus(load(time, door[begin], 0), door_t[begin])
        if metres is None:
            for i in range(begin + 1, end):
                t = least(plus(load(time, door[i], 0), door_t[i]), t)
        else:
            m = plus(load(far, door[begin], 0), door_m[begin])
            for i in range(begin + 1, end):
                t_i, m_i = plus(load(time, door[i], 0), door_t[i]), plus(load(far, door[i], 0), door_m[i])
                m = of_least(t_i, m_i, t, m)
                t = least(t_i, t)
            store(metres, row, column, m)
        store(minutes, row, column, t)


KERNELS = (*CONTRACTING, *CUSTOMIZING, _above, _climb, _sweep, _arrive)
