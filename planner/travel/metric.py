"""Minutes (and metres) laid on a hierarchy: its customization, in milliseconds whenever speeds change."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.compiled import compiled
from planner.travel.hierarchy import Hierarchy

ROW = 12
"""Edges side by side from which going through them as a row is quicker than one by one."""
TASKS = 4
"""A thread's share in parts: subtrees are of unequal work."""


@dataclass(frozen=True, eq=False)
class Metric:
    """Minutes (and metres) of a hierarchy's edges: (n_edge,) upward and downward, infinite where there is no way."""

    hierarchy: Hierarchy
    up_minutes: np.ndarray
    down_minutes: np.ndarray
    up_metres: np.ndarray | None = None
    down_metres: np.ndarray | None = None


def customize(hierarchy: Hierarchy, minutes: np.ndarray, metres: np.ndarray | None = None) -> Metric:
    """Lay minutes (and metres) (n_arc,) on the hierarchy: every shortcut is the quickest way through lower nodes."""
    edges = len(hierarchy.head)
    up_t, down_t = np.full((2, edges), np.inf)
    up_m, down_m = (None, None) if metres is None else np.full((2, edges), np.inf)
    _lay(hierarchy.arc_edge, hierarchy.arc_up, minutes, metres, up_t, up_m, down_t, down_m)
    shape = (hierarchy.first, hierarchy.head, hierarchy.tail, hierarchy.below_first, hierarchy.below)
    workers = os.cpu_count() or 1
    begin, end, top = _subtrees(hierarchy.parent, 1 + len(hierarchy.rank) // (TASKS * workers))

    above = np.zeros(len(hierarchy.rank), dtype=np.bool_)
    above[top] = True

    def lay(nodes: np.ndarray, over: bool = False) -> None:
        scratch = np.empty(len(above), np.int32)
        _lower_triangles(*shape, above, over, nodes, scratch, up_t, up_m, down_t, down_m)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda ends: lay(np.arange(*ends)), zip(begin.tolist(), end.tolist(), strict=True)))
        list(pool.map(lay, np.array_split(top, TASKS * workers)))  # what leads over the subtrees is known by now
    lay(top, over=True)
    return Metric(hierarchy, up_t, down_t, up_m, down_m)


@compiled
def _lay(arc_edge: Any, arc_up: Any, minutes: Any, metres: Any, up_t: Any, up_m: Any, down_t: Any, down_m: Any) -> None:
    """Of parallel arcs the quickest counts, of equals the shortest."""
    for i in range(len(arc_edge)):
        e, t = arc_edge[i], minutes[i]
        if e >= 0 and arc_up[i]:
            if metres is not None and (t < up_t[e] or (t == up_t[e] and metres[i] < up_m[e])):
                up_m[e] = metres[i]
            up_t[e] = min(up_t[e], t)
        elif e >= 0:
            if metres is not None and (t < down_t[e] or (t == down_t[e] and metres[i] < down_m[e])):
                down_m[e] = metres[i]
            down_t[e] = min(down_t[e], t)


@compiled
def _subtrees(parent: Any, most: int) -> Any:
    """Intervals of nodes without ways between them, about ``most`` nodes each; and the nodes above them all."""
    n = len(parent)
    size = np.ones(n, np.int64)
    for x in range(n):
        if parent[x] >= 0:
            size[parent[x]] += size[x]
    begin, end, top = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    parts, tops, x = 0, 0, 0
    for x in range(n):
        if size[x] > most:
            top[tops] = x
            tops += 1
        elif parent[x] < 0 or size[parent[x]] > most:
            if parts and end[parts - 1] == x - size[x] + 1 and x + 1 - begin[parts - 1] <= most:
                end[parts - 1] = x + 1  # small neighbours together
            else:
                begin[parts], end[parts] = x - size[x] + 1, x + 1
                parts += 1
    return begin[:parts], end[:parts], top[:tops]


@compiled
def _shorten(row: Any, first: float, then: Any) -> None:
    """The lesser of a row and the way over another one, several numbers at once in the processor's wide registers."""
    for j in range(len(row)):
        over = first + then[j]
        row[j] = over if over < row[j] else row[j]


@compiled
def _lower_triangles(
    first: Any,
    head: Any,
    tail: Any,
    below_first: Any,
    below: Any,
    above: Any,
    over: bool,
    nodes: Any,
    edge_to: Any,
    up_t: Any,
    up_m: Any,
    down_t: Any,
    down_m: Any,
) -> None:
    """From below: u being lower than v and w, the way v, u, w may beat the edge between v and w.

    Only the u that are, or are not, ``above`` the subtrees, as ``over`` says.
    """
    for v in nodes:
        for k in range(first[v], first[v + 1]):
            edge_to[head[k]] = k
        for b in range(below_first[v], below_first[v + 1]):
            i = below[b]
            if above[tail[i]] != over:
                continue
            end = first[tail[i] + 1]
            k = edge_to[head[i + 1]] if end - i > ROW and up_m is None else -1
            if k >= 0 and edge_to[head[end - 1]] - k == end - i - 2:  # side by side, as in separators
                _shorten(up_t[k : k + end - i - 1], down_t[i], up_t[i + 1 : end])
                _shorten(down_t[k : k + end - i - 1], up_t[i], down_t[i + 1 : end])
                continue
            for j in range(i + 1, end):
                k = edge_to[head[j]]
                up, down = down_t[i] + up_t[j], down_t[j] + up_t[i]
                if up_m is not None:
                    m = down_m[i] + up_m[j]
                    if up < up_t[k] or (up == up_t[k] and m < up_m[k]):
                        up_m[k] = m
                    m = down_m[j] + up_m[i]
                    if down < down_t[k] or (down == down_t[k] and m < down_m[k]):
                        down_m[k] = m
                up_t[k], down_t[k] = min(up_t[k], up), min(down_t[k], down)


KERNELS = (_lay, _subtrees, _lower_triangles)
