"""Whole demand points put into given open sites: one by one, then moved and exchanged while that pays; compiled.

A heuristic of generalised assignment (Martello and Toth 1990, ch. 7): what it finds is a valid answer, never a proof.
"""

from __future__ import annotations

import numpy as np

from planner.compiled import compiled

GAIN = 1e-7


@compiled
def filling(load: float, seats: float, step_seats: float, max_steps: float, step_cost: float, over: float) -> float:
    """What the seats for this load cost: whole steps, then ``over`` for every seat that is missing."""
    short = load - seats
    if short <= 1e-9:
        return 0.0
    if max_steps > 0.0 and step_seats > 0.0:
        steps = float(np.ceil(short / step_seats - 1e-9))
        if steps <= max_steps:
            return steps * step_cost
        return max_steps * step_cost + over * (short - max_steps * step_seats)
    return over * short


@compiled
def place(
    order: np.ndarray,
    first: np.ndarray,
    site: np.ndarray,
    cost: np.ndarray,
    weight: np.ndarray,
    seats: np.ndarray,
    step_seats: np.ndarray,
    max_steps: np.ndarray,
    step_cost: np.ndarray,
    is_open: np.ndarray,
    over: float,
    at: np.ndarray,
) -> None:
    """Every demand point of ``order`` at the arc that adds least now; ``at`` (n_demand,) is its arc or -1, and is set.

    Parameters
    ----------
    first, site, cost : arcs by demand point, by site within each
    over : what a seat too many costs
    """
    load = np.zeros(len(seats))
    for i in range(len(at)):
        if at[i] >= 0:
            load[site[at[i]]] += weight[i]
    for i in order:
        best = np.inf
        for a in range(first[i], first[i + 1]):
            j = site[a]
            if not is_open[j]:
                continue
            more = cost[a]
            more += filling(load[j] + weight[i], seats[j], step_seats[j], max_steps[j], step_cost[j], over)
            more -= filling(load[j], seats[j], step_seats[j], max_steps[j], step_cost[j], over)
            if more < best:
                best = more
                at[i] = a
        if at[i] >= 0:
            load[site[at[i]]] += weight[i]


@compiled
def settle(
    first: np.ndarray,
    site: np.ndarray,
    cost: np.ndarray,
    weight: np.ndarray,
    seats: np.ndarray,
    step_seats: np.ndarray,
    max_steps: np.ndarray,
    step_cost: np.ndarray,
    is_open: np.ndarray,
    over: float,
    tries: int,
    at: np.ndarray,
) -> float:
    """Move and exchange demand points until nothing pays or all had ``tries``; the cost of serving and of seats."""
    m, n = len(seats), len(at)
    load, spent = np.zeros(m), np.zeros(m)
    for i in range(n):
        load[site[at[i]]] += weight[i]
    for j in range(m):
        spent[j] = filling(load[j], seats[j], step_seats[j], max_steps[j], step_cost[j], over)
    # Members of each site as chains.
    head, after, before = np.full(m, -1), np.full(n, -1), np.full(n, -1)
    for i in range(n):
        s = site[at[i]]
        after[i] = head[s]
        if head[s] >= 0:
            before[head[s]] = i
        head[s] = i
    idle = 0
    for _ in range(tries):
        for i in range(n):
            s = site[at[i]]
            less = filling(load[s] - weight[i], seats[s], step_seats[s], max_steps[s], step_cost[s], over) - spent[s]
            best, best_arc, best_other, best_back = -GAIN, -1, -1, -1
            for a in range(first[i], first[i + 1]):
                t = site[a]
                if t == s or not is_open[t]:
                    continue
                serve = cost[a] - cost[at[i]]
                more = filling(load[t] + weight[i], seats[t], step_seats[t], max_steps[t], step_cost[t], over)
                change = serve + less + more - spent[t]
                if change < best:
                    best, best_arc, best_other = change, a, -1
                if more == spent[t] and less >= 0.0:
                    continue  # nothing that an exchange would ease
                k = head[t]
                while k >= 0:
                    # The arc of k to s, by bisection.
                    low, high = first[k], first[k + 1]
                    while low < high:
                        mid = (low + high) // 2
                        if site[mid] < s:
                            low = mid + 1
                        else:
                            high = mid
                    if low < first[k + 1] and site[low] == s:
                        back = serve + cost[low] - cost[at[k]]
                        shift = weight[i] - weight[k]
                        if back + less - spent[t] < best:  # seats can ease no more than this
                            back += (
                                filling(load[s] - shift, seats[s], step_seats[s], max_steps[s], step_cost[s], over)
                                - spent[s]
                            )
                            back += (
                                filling(load[t] + shift, seats[t], step_seats[t], max_steps[t], step_cost[t], over)
                                - spent[t]
                            )
                            if back < best:
                                best, best_arc, best_other, best_back = back, a, k, low
                    k = after[k]
            idle += 1
            if best_arc >= 0:
                idle = 0
                t = site[best_arc]
                for who, here, there in ((i, s, t), (best_other, t, s)):
                    if who < 0:
                        continue
                    if before[who] >= 0:
                        after[before[who]] = after[who]
                    else:
                        head[here] = after[who]
                    if after[who] >= 0:
                        before[after[who]] = before[who]
                    before[who], after[who] = -1, head[there]
                    if head[there] >= 0:
                        before[head[there]] = who
                    head[there] = who
                    load[here] -= weight[who]
                    load[there] += weight[who]
                at[i] = best_arc
                if best_other >= 0:
                    at[best_other] = best_back
                for j in (s, t):
                    spent[j] = filling(load[j], seats[j], step_seats[j], max_steps[j], step_cost[j], over)
            if idle >= n:
                break
        if idle >= n:
            break
    total = 0.0
    for i in range(n):
        total += cost[at[i]]
    for j in range(m):
        total += spent[j]
    return total
