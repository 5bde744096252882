"""Ways from doors onto the network, compiled: ``doors.doors_out`` door by door, with the same results."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np

from planner.compiled import compiled
from planner.roads.access import Lines

BLOCKS = 4
"""A thread's share in parts: doors in towns have more roads near them."""


def get_on(
    lines: Lines,
    edges: tuple[np.ndarray, ...],
    first: np.ndarray,
    near: np.ndarray,
    xy: np.ndarray,
    off_road: tuple[float, float, float],
    rounds: int,
    size: int,
) -> list[np.ndarray]:
    """Columns: junctions a door, node, minutes, metres, and where the way gets on: edge, ahead, share, metres away.

    Then the same for places where doors get on an edge: rows a door, edge, ahead, share, metres away, minutes.

    Parameters
    ----------
    edges : (n_edge,) from and to junctions, metres, minutes per metre ahead and back
    first, near : (n_door + 1,) and (n,) edges near each door, ascending
    off_road : minutes per metre, detour, metres within which a door gets on
    rounds : of relaxation over the roads near a door
    size : junctions
    """
    count = len(xy)
    workers = os.cpu_count() or 1
    cuts = np.linspace(0, count, max(1, min(count, BLOCKS * workers)) + 1).astype(np.int64)
    shape = (lines.first, lines.x, lines.y, lines.east, lines.north, lines.length, lines.start, lines.drawn)

    def block(ends: tuple[int, int]) -> Any:
        slot = np.zeros(size, dtype=np.int64)
        return _get_on(*shape, *edges, first, near, xy, *off_road, rounds, *ends, slot)

    with ThreadPoolExecutor(workers) as pool:
        found = list(pool.map(block, pairwise(cuts.tolist())))
    return [np.concatenate(part) for part in zip(*found, strict=True)]


@compiled
def _place(
    first: Any,
    x: Any,
    y: Any,
    east: Any,
    north: Any,
    length: Any,
    start: Any,
    e: int,
    sign: float,
    pace: float,
    px: float,
    py: float,
    off: float,
    within: float,
) -> Any:
    """The best place on an edge to go one way along it, by Snell's law: minutes to compare, metres away and along."""
    best, best_away, best_along = np.inf, np.inf, 0.0
    for i in range(first[e], first[e + 1]):
        dx, dy = px - x[i], py - y[i]
        foot = dx * east[i] + dy * north[i]
        height = abs(dx * north[i] - dy * east[i]) if length[i] > 0 else np.hypot(dx, dy)
        if height > within:
            continue
        half = np.sqrt(max(within**2 - height**2, 0.0))
        low, high = max(foot - half, 0.0), min(foot + half, length[i])
        if low > high:
            continue
        lead = height * pace / np.sqrt(max(off**2 - pace**2, 0.0)) if pace < off else np.inf
        at = min(max(foot + sign * lead, low), high)
        away, along = np.hypot(height, at - foot), start[i] + at
        cost = off * away - sign * pace * along
        if cost < best or (cost == best and away < best_away):
            best, best_away, best_along = cost, away, along
    return best, best_away, best_along


@compiled
def _get_on(
    first: Any,
    x: Any,
    y: Any,
    east: Any,
    north: Any,
    piece: Any,
    start: Any,
    drawn: Any,
    from_node: Any,
    to_node: Any,
    length: Any,
    ahead: Any,
    back: Any,
    door_first: Any,
    near: Any,
    xy: Any,
    off: float,
    detour: float,
    within: float,
    rounds: int,
    begin: int,
    end: int,
    slot: Any,
) -> Any:
    """Doors ``begin`` to ``end``; ``slot`` (n_node,) zeros, and left so: a junction's place among a door's, from 1."""
    most = 2 * (door_first[end] - door_first[begin])
    nodes, rows = np.zeros(end - begin, np.int64), np.zeros(end - begin, np.int64)
    out_node, out_t, out_m, out_row = np.empty(most, np.int64), np.empty(most), np.empty(most), np.empty(most, np.int64)
    by_edge, by_ahead = np.empty(most, np.int64), np.empty(most, np.bool_)
    by_share, by_away = np.empty(most), np.empty(most)
    on_edge, on_ahead = np.empty(most, np.int64), np.empty(most, np.bool_)
    on_share, on_away, on_t = np.empty(most), np.empty(most), np.empty(most)
    wide = 1
    for door in range(begin, end):
        wide = max(wide, 2 * (door_first[door + 1] - door_first[door]))
    label, by = np.empty(wide, np.int64), np.empty(wide, np.int64)
    t, m, soonest = np.empty(wide), np.empty(wide), np.empty(wide)
    row_edge, row_ahead = np.empty(wide, np.int64), np.empty(wide, np.bool_)
    row_share, row_away = np.empty(wide), np.empty(wide)
    n_out, n_on = 0, 0
    for door in range(begin, end):
        count, found = 0, 0
        for c in range(door_first[door], door_first[door + 1]):
            e = near[c]
            for way in range(2):
                pace, sign = (ahead[e], 1.0) if way == 0 else (back[e], -1.0)
                if not np.isfinite(pace):
                    continue
                g = pace * length[e] / drawn[e] if drawn[e] > 0 else 0.0
                cost, away, along = _place(
                    first, x, y, east, north, piece, start, e, sign, g, xy[door, 0], xy[door, 1], off, within
                )
                if cost == np.inf:
                    continue
                share = min(max(along / drawn[e], 0.0), 1.0) if drawn[e] > 0 else 0.0
                row_edge[found], row_ahead[found], row_share[found], row_away[found] = e, way == 0, share, away
                rest = ((1 - share) if way == 0 else share) * length[e]
                minutes, metres = off * away + rest * pace, detour * away + rest
                node = to_node[e] if way == 0 else from_node[e]
                s = slot[node] - 1
                if s < 0:
                    s = count
                    count += 1
                    slot[node] = count
                    label[s], t[s], m[s], by[s] = node, minutes, metres, found
                elif minutes < t[s] or (minutes == t[s] and metres < m[s]):
                    t[s], m[s], by[s] = minutes, metres, found
                found += 1
        for s in range(count):
            soonest[s] = t[s]
        # A junction that is reached sooner along the roads near the door needs no way of its own; nor does an edge.
        changed, turn = True, 0
        while changed and turn < rounds:
            changed = False
            turn += 1
            for r in range(found):
                e = row_edge[r]
                if r > 0 and row_edge[r - 1] == e:
                    continue
                a, b = slot[from_node[e]] - 1, slot[to_node[e]] - 1
                if a < 0 or b < 0:
                    continue
                if soonest[a] + ahead[e] * length[e] < soonest[b]:
                    soonest[b] = soonest[a] + ahead[e] * length[e]
                    changed = True
                if soonest[b] + back[e] * length[e] < soonest[a]:
                    soonest[a] = soonest[b] + back[e] * length[e]
                    changed = True
        for r in range(found):
            e, share, away = row_edge[r], row_share[r], row_away[r]
            pace = ahead[e] if row_ahead[r] else back[e]
            behind = slot[from_node[e] if row_ahead[r] else to_node[e]] - 1
            ridden = (share if row_ahead[r] else 1 - share) * length[e] * pace
            if behind < 0 or off * away <= soonest[behind] + ridden:
                on_edge[n_on], on_ahead[n_on], on_share[n_on] = e, row_ahead[r], share
                on_away[n_on], on_t[n_on] = away, off * away
                n_on += 1
                rows[door - begin] += 1
        own = n_out
        for s in range(count):
            slot[label[s]] = 0
            if soonest[s] < t[s]:
                continue
            i = n_out  # sorted by junction
            while i > own and out_node[i - 1] > label[s]:
                out_node[i], out_row[i] = out_node[i - 1], out_row[i - 1]
                out_t[i], out_m[i] = out_t[i - 1], out_m[i - 1]
                i -= 1
            out_node[i], out_t[i], out_m[i], out_row[i] = label[s], t[s], m[s], by[s]
            n_out += 1
        for i in range(own, n_out):
            r = out_row[i]
            by_edge[i], by_ahead[i], by_share[i], by_away[i] = row_edge[r], row_ahead[r], row_share[r], row_away[r]
        nodes[door - begin] = n_out - own
    junctions = (nodes, out_node[:n_out], out_t[:n_out], out_m[:n_out])
    got_on = (by_edge[:n_out], by_ahead[:n_out], by_share[:n_out], by_away[:n_out])
    return *junctions, *got_on, rows, on_edge[:n_on], on_ahead[:n_on], on_share[:n_on], on_away[:n_on], on_t[:n_on]


KERNELS = (_place, _get_on)
