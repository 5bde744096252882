"""Given open sites scored: the split assignment that is cheapest within their seats, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from planner.compiled import compiled
from planner.optimise.problem import LocationProblem, pairs

EMPTY = 1e-9


@compiled
def cheapest(cost: np.ndarray, weight: np.ndarray, seats: np.ndarray, flow: np.ndarray) -> float:
    """A transportation problem by successive shortest paths from where everybody goes to the cheapest site.

    Sites are the nodes: from s to t goes whoever of s minds it least. Every path leads from a site with too many to the
    nearest with room, so that flows stay the cheapest for what each site holds (Ahuja, Magnanti and Orlin 1993, 9.7).

    Parameters
    ----------
    cost : (n_demand, n_site) of a whole demand point; infinite where not allowed
    flow : (n_site, n_demand) zeros; set to the weight that goes

    Returns
    -------
    The cost of serving; infinite when seats are short.
    """
    n, m = cost.shape
    load = np.zeros(m)
    for i in range(n):
        j = int(np.argmin(cost[i]))
        if cost[i, j] == np.inf:
            return np.inf
        flow[j, i] = weight[i]
        load[j] += weight[i]
    move, who = np.full((m, m), np.inf), np.full((m, m), -1)
    stale = load > 0
    far, before = np.empty(m), np.empty(m, np.int64)
    for source in range(m):
        while load[source] > seats[source] + EMPTY:
            for s in range(m):
                if not stale[s]:
                    continue
                stale[s] = False
                move[s], who[s] = np.inf, -1
                for i in range(n):
                    if flow[s, i] > EMPTY:
                        for t in range(m):
                            more = (cost[i, t] - cost[i, s]) / weight[i]
                            if more < move[s, t]:
                                move[s, t], who[s, t] = more, i
            far[:], before[:] = np.inf, -1
            far[source] = 0.0
            changed = True
            rounds = 0
            while changed and rounds < m:
                changed = False
                rounds += 1
                for s in range(m):
                    if far[s] < np.inf:
                        for t in range(m):
                            if t != s and far[s] + move[s, t] < far[t] - 1e-12:
                                far[t], before[t] = far[s] + move[s, t], s
                                changed = True
            end = -1
            for t in range(m):
                if load[t] < seats[t] - EMPTY and far[t] < np.inf and (end < 0 or far[t] < far[end]):
                    end = t
            if end < 0:
                return np.inf
            amount = min(load[source] - seats[source], seats[end] - load[end])
            t = end
            while t != source:
                amount = min(amount, flow[before[t], who[before[t], t]])
                t = before[t]
            t = end
            while t != source:
                mover = who[before[t], t]
                flow[before[t], mover] -= amount
                flow[t, mover] += amount
                stale[before[t]] = stale[t] = True
                t = before[t]
            load[source] -= amount
            load[end] += amount
    total = 0.0
    for i in range(n):
        for j in range(m):
            if flow[j, i] > 0.0:
                total += cost[i, j] * flow[j, i] / weight[i]
            elif weight[i] == 0.0 and j == np.argmin(cost[i]):
                total += cost[i, j]
    return total


def score(problem: LocationProblem, is_open: Any) -> float:
    """As :func:`planner.optimise.evaluate.split_objective`."""
    chosen = np.flatnonzero(is_open)
    n, m = problem.cost.shape
    if n and len(chosen) == 0:
        return float("inf")
    if isinstance(problem.cost, np.ndarray):
        cost = problem.cost[:, chosen]
        cost = np.where(np.isnan(cost), np.inf, cost)
    else:
        place = np.full(m, -1)
        place[chosen] = np.arange(len(chosen))
        demand, site, value = pairs(problem.cost)
        kept = place[site] >= 0
        cost = np.full((n, len(chosen)), np.inf)
        cost[demand[kept], place[site[kept]]] = value[kept]
    serving = cheapest(cost, problem.weight, problem.capacity[chosen], np.zeros(cost.shape[::-1])) if n else 0.0
    facilities = np.unique(problem.facility[chosen])
    return float(serving + problem.fixed_cost[chosen].sum() + problem.facility_cost[facilities].sum())
