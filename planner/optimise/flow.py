"""Given open sites: the split assignment that is cheapest within seats, and the prices that prove it; compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from planner.compiled import compiled
from planner.optimise.problem import LocationProblem, pairs

EMPTY = 1e-9


@compiled
def cheapest(
    first: np.ndarray,
    site: np.ndarray,
    cost: np.ndarray,
    weight: np.ndarray,
    seats: np.ndarray,
    more: np.ndarray,
    each: np.ndarray,
    share: np.ndarray,
    seat_price: np.ndarray,
) -> float:
    """A transportation problem by successive shortest paths from where everybody goes to the cheapest site.

    Sites are the nodes: from s to t goes whoever of s minds it least. Every path leads from a site with too many to the
    nearest with room, so that flows stay the cheapest for what each site holds (Ahuja, Magnanti and Orlin 1993, 9.7).

    Parameters
    ----------
    first, site, cost : arcs by demand point, to open sites only: those of i are ``first[i]:first[i + 1]``; the cost of
        the whole demand point
    seats, more, each : (n_site,) seats, seats that may be added, and what one of those costs
    share : (n_arc,) set to the part of the demand point that goes
    seat_price : (n_site,) set to what a seat is worth: with them, no other assignment is cheaper

    Returns
    -------
    The cost of serving and of seats added; infinite when seats are short.
    """
    n, m = len(weight), len(seats)
    load, used = np.zeros(m), np.zeros(m)
    # Who is at each site, as chains of arcs.
    head, after, before = np.full(m, -1), np.full(len(site), -1), np.full(len(site), -1)
    share[:] = 0.0
    for i in range(n):
        if first[i] == first[i + 1]:
            return np.inf
        a = first[i] + int(np.argmin(cost[first[i] : first[i + 1]]))
        share[a] = weight[i]  # weights as long as they flow
        if weight[i] > EMPTY:
            j = site[a]
            load[j] += weight[i]
            after[a] = head[j]
            if head[j] >= 0:
                before[head[j]] = a
            head[j] = a
    demand = np.repeat(np.arange(n), first[1:] - first[:-1])
    move = np.full((m, m), np.inf)
    out, into = np.full((m, m), -1), np.full((m, m), -1)  # the arcs of whoever would move
    for s in range(m):
        a = head[s]
        while a >= 0:
            i = demand[a]
            for b in range(first[i], first[i + 1]):
                t, extra = site[b], (cost[b] - cost[a]) / weight[i]
                if t != s and extra < move[s, t]:
                    move[s, t], out[s, t], into[s, t] = extra, a, b
            a = after[a]
    far, done, via, lost = np.empty(m), np.empty(m, np.bool_), np.empty(m, np.int64), np.empty(m, np.bool_)
    seat_price[:] = 0.0
    for source in range(m):
        while load[source] > seats[source] + used[source] + EMPTY:
            far[:], done[:], via[:] = np.inf, False, -1
            far[source] = 0.0
            end, nearest = -1, np.inf
            while True:
                u = -1
                for j in range(m):
                    if not done[j] and far[j] < nearest and (u < 0 or far[j] < far[u]):
                        u = j
                if u < 0:
                    break
                done[u] = True
                if load[u] < seats[u] - EMPTY:
                    at_end = far[u] + max(-seat_price[u], 0.0)
                elif used[u] < more[u] - EMPTY:
                    at_end = far[u] + max(each[u] - seat_price[u], 0.0)
                else:
                    at_end = np.inf
                if at_end < nearest:
                    nearest, end = at_end, u
                for t in range(m):
                    if not done[t]:
                        reach = far[u] + max(move[u, t] - seat_price[u] + seat_price[t], 0.0)
                        if reach < far[t]:
                            far[t], via[t] = reach, u
            if end < 0:
                return np.inf
            for j in range(m):
                if done[j] and far[j] < nearest:
                    seat_price[j] += nearest - far[j]
            amount = load[source] - seats[source] - used[source]
            is_bought = load[end] >= seats[end] - EMPTY
            amount = min(amount, more[end] - used[end] if is_bought else seats[end] - load[end])
            t = end
            while t != source:
                amount = min(amount, share[out[via[t], t]])
                t = via[t]
            if is_bought:
                used[end] += amount
            load[source] -= amount
            load[end] += amount
            t = end
            while t != source:
                s = via[t]
                a, b = out[s, t], into[s, t]
                i = demand[a]
                if share[b] == 0.0:  # new at t
                    after[b], before[b] = head[t], -1
                    if head[t] >= 0:
                        before[head[t]] = b
                    head[t] = b
                    for c in range(first[i], first[i + 1]):
                        k, extra = site[c], (cost[c] - cost[b]) / weight[i]
                        if k != t and extra < move[t, k]:
                            move[t, k], out[t, k], into[t, k] = extra, b, c
                share[a] -= amount
                share[b] += amount
                if share[a] <= EMPTY:  # gone from s
                    share[b] += share[a]
                    share[a] = 0.0
                    if before[a] >= 0:
                        after[before[a]] = after[a]
                    else:
                        head[s] = after[a]
                    if after[a] >= 0:
                        before[after[a]] = before[a]
                    for k in range(m):
                        lost[k] = out[s, k] == a
                        if lost[k]:
                            move[s, k] = np.inf
                    a = head[s]
                    while a >= 0:
                        i = demand[a]
                        for c in range(first[i], first[i + 1]):
                            k = site[c]
                            if lost[k]:
                                extra = (cost[c] - cost[a]) / weight[i]
                                if extra < move[s, k]:
                                    move[s, k], out[s, k], into[s, k] = extra, a, c
                        a = after[a]
                t = s
    total = 0.0
    for i in range(n):
        for a in range(first[i], first[i + 1]):
            share[a] = share[a] / weight[i] if weight[i] > EMPTY else 0.0
        if weight[i] <= EMPTY:
            share[first[i] + int(np.argmin(cost[first[i] : first[i + 1]]))] = 1.0
        for a in range(first[i], first[i + 1]):
            total += cost[a] * share[a]
    for j in range(m):
        if used[j] > 0.0:
            total += used[j] * each[j]
    return total


def score(problem: LocationProblem, is_open: Any) -> float:
    """As :func:`planner.optimise.evaluate.split_objective`."""
    chosen = np.flatnonzero(is_open)
    n, m = problem.cost.shape
    place = np.full(m, -1)
    place[chosen] = np.arange(len(chosen))
    demand, site, cost = pairs(problem.cost)
    kept = place[site] >= 0
    first = np.append(0, np.cumsum(np.bincount(demand[kept], minlength=n)))
    none = np.zeros(len(chosen))
    serving = cheapest(
        first,
        place[site[kept]],
        cost[kept],
        problem.weight,
        problem.capacity[chosen],
        none,
        none,
        np.empty(int(first[-1])),
        np.empty(len(chosen)),
    )
    facilities = np.unique(problem.facility[chosen])
    return float(serving + problem.fixed_cost[chosen].sum() + problem.facility_cost[facilities].sum())
