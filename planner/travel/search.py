"""Dijkstra's algorithm with a heap from many doors, stopped at a limit, compiled (Dijkstra 1959)."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np

from planner.compiled import compiled
from planner.travel.doors import Doors
from planner.travel.network import Network


def arcs_by_tail(network: Network) -> Any:
    """A network's arcs as ``search`` takes them: where each junction's begin, and their heads, minutes and metres."""
    return _by_tail(network.size, network.tail, network.head, network.minutes, network.metres)


def search(arcs: Any, out: Doors, limit: float) -> tuple[np.ndarray, ...]:
    """``Reach`` as columns; see ``bounded.within``."""
    size = len(arcs[0]) - 1
    count = len(out.first) - 1
    cuts = np.linspace(0, count, max(1, min(count, 4 * (os.cpu_count() or 1))) + 1).astype(np.int64)

    def block(ends: tuple[int, int]) -> Any:
        # Pages that no door comes near are never touched.
        seen, before = np.zeros((2, size), dtype=np.int32)
        time, far = np.empty((2, size))
        return _search(
            *arcs, *ends, out.first, out.node, out.minutes, out.metres, float(limit), seen, before, time, far
        )

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(block, pairwise(cuts.tolist())))
    reached, node, minutes, metres, before = (np.concatenate(part) for part in zip(*found, strict=True))
    return np.append(0, np.cumsum(reached)), node, minutes, metres, before


@compiled
def _by_tail(n: int, tail: Any, head: Any, minutes: Any, metres: Any) -> Any:
    """Arcs that have minutes, sorted by the junction they leave."""
    first = np.zeros(n + 1, np.int64)
    for i in range(len(tail)):
        if np.isfinite(minutes[i]):
            first[tail[i] + 1] += 1
    first = np.cumsum(first)
    to, t, m = np.empty(first[n], np.int32), np.empty(first[n]), np.empty(first[n])
    at = first[:-1].copy()
    for i in range(len(tail)):
        if np.isfinite(minutes[i]):
            k = at[tail[i]]
            to[k], t[k], m[k] = head[i], minutes[i], metres[i]
            at[tail[i]] += 1
    return first, to, t, m


@compiled
def _longer(room: Any) -> Any:
    """Twice the room, the first half as it was."""
    wider = np.empty(2 * len(room), room.dtype)
    wider[: len(room)] = room
    return wider


@compiled
def _push(heap_t: Any, heap_m: Any, heap: Any, size: int, t: float, m: float, x: int) -> None:
    """Onto a binary heap of ``size`` entries by minutes, then metres."""
    i = size
    while i > 0:
        up = (i - 1) >> 1
        if heap_t[up] < t or (heap_t[up] == t and heap_m[up] <= m):
            break
        heap_t[i], heap_m[i], heap[i] = heap_t[up], heap_m[up], heap[up]
        i = up
    heap_t[i], heap_m[i], heap[i] = t, m, x


@compiled
def _pop(heap_t: Any, heap_m: Any, heap: Any, size: int) -> None:
    """Take the least off: ``size - 1`` entries remain."""
    last = size - 1
    t, m, x = heap_t[last], heap_m[last], heap[last]
    i = 0
    while True:
        down = 2 * i + 1
        if down >= last:
            break
        right = down + 1
        if right < last and (
            heap_t[right] < heap_t[down] or (heap_t[right] == heap_t[down] and heap_m[right] < heap_m[down])
        ):
            down = right
        if t < heap_t[down] or (t == heap_t[down] and m <= heap_m[down]):
            break
        heap_t[i], heap_m[i], heap[i] = heap_t[down], heap_m[down], heap[down]
        i = down
    heap_t[i], heap_m[i], heap[i] = t, m, x


@compiled
def _search(
    first: Any,
    head: Any,
    arc_t: Any,
    arc_m: Any,
    begin: int,
    end: int,
    door_first: Any,
    door_node: Any,
    door_t: Any,
    door_m: Any,
    limit: float,
    seen: Any,
    before: Any,
    time: Any,
    far: Any,
) -> Any:
    """From doors ``begin`` to ``end``: how many junctions each reaches, and these as ``Reach`` has them.

    ``seen`` (n_node,) begins as zeros: 2 k - 1 marks a junction that the k-th door may reach, 2 k one it has reached.
    """
    size = np.zeros(end - begin, np.int64)
    node, node_before, t_of, m_of = np.empty(256, np.int64), np.empty(256, np.int64), np.empty(256), np.empty(256)
    heap, heap_t, heap_m = np.empty(256, np.int32), np.empty(256), np.empty(256)
    count = 0
    for door in range(begin, end):
        mark, held = 2 * (door - begin) + 1, np.int64(0)  # a plain 0 has what takes it compiled once more
        for i in range(door_first[door], door_first[door + 1]):
            x, t, m = door_node[i], door_t[i], door_m[i]
            if t <= limit and (seen[x] != mark or t < time[x] or (t == time[x] and m < far[x])):
                seen[x], before[x], time[x], far[x] = mark, -1, t, m
                if held == len(heap):
                    heap, heap_t, heap_m = _longer(heap), _longer(heap_t), _longer(heap_m)
                _push(heap_t, heap_m, heap, held, t, m, x)
                held += 1
        while held > 0:
            x = heap[0]
            _pop(heap_t, heap_m, heap, held)
            held -= 1
            if seen[x] == mark + 1:  # an entry that a better one came before
                continue
            seen[x] = mark + 1
            if count == len(node):
                node, node_before, t_of, m_of = _longer(node), _longer(node_before), _longer(t_of), _longer(m_of)
            node[count], node_before[count], t_of[count], m_of[count] = x, before[x], time[x], far[x]
            count += 1
            for i in range(first[x], first[x + 1]):
                y, t, m = np.int64(head[i]), time[x] + arc_t[i], far[x] + arc_m[i]
                if t > limit or seen[y] == mark + 1:
                    continue
                if seen[y] != mark or t < time[y] or (t == time[y] and m < far[y]):
                    seen[y], before[y], time[y], far[y] = mark, x, t, m
                    if held == len(heap):
                        heap, heap_t, heap_m = _longer(heap), _longer(heap_t), _longer(heap_m)
                    _push(heap_t, heap_m, heap, held, t, m, y)
                    held += 1
        size[door - begin] = count
    size[1:] -= size[:-1].copy()
    return size, node[:count], t_of[:count], m_of[:count], node_before[:count]


KERNELS = (_by_tail, _search)
