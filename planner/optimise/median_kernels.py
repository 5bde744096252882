"""Compiled loops of the uncapacitated case: multipliers, the swap search, and scoring of open sites.

Arrays throughout. Rows of arcs: ``first`` (n + 1,), ``site`` and ``value`` (n_arc,), every demand point's arcs from the
cheapest on. ``fixed`` (m,) is paid for an open site, ``status`` (m,) is 1 forced open, -1 forced closed, 0 free.
Rules: ``group`` (m,) is each site's group, ``low`` and ``high`` (n_group,) how many of it are open, ``least`` and
``most`` how many in all.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from planner.compiled import compiled

PATIENCE = 8  # steps without a better bound before they shorten
OVERSHOOT = 3e-4


@compiled
def _sort(order: Any, worth: Any) -> None:
    """Rows from the least worth on, of equals the earlier row; quick where they nearly are so already (Shell 1959)."""
    gap = 1
    while gap < len(order):
        gap = 3 * gap + 1
    while gap > 1:
        gap //= 3
        for start in range(gap, len(order)):
            j, k = order[start], start
            while k >= gap:
                before = order[k - gap]
                if worth[before] < worth[j] or (worth[before] == worth[j] and before < j):
                    break
                order[k] = before
                k -= gap
            order[k] = j


@compiled
def select(
    worth: Any, order: Any, status: Any, group: Any, low: Any, high: Any, least: int, most: int, chosen: Any
) -> float:
    """The open sites of least total worth that keep the rules, into ``chosen`` (m,); infinite when none do.

    The sets that disjoint groups and a total allow are a generalised polymatroid, on which greed is optimal.

    Parameters
    ----------
    order : (m,) all sites, left sorted by worth
    """
    count = np.zeros(len(low), dtype=np.int64)
    total, value = 0, 0.0
    _sort(order, worth)
    for turn in range(3):  # those forced, those that groups need, those that are worth it or needed in all
        for j in order:
            if turn == 2 and (total >= most or (total >= least and worth[j] >= 0)):
                break
            g = group[j]
            if turn == 0:
                chosen[j] = status[j] == 1
                taken = chosen[j]
            else:
                taken = status[j] == 0 and not chosen[j] and count[g] < (low[g] if turn == 1 else high[g])
            if taken:
                chosen[j] = True
                count[g] += 1
                total += 1
                value += worth[j]
    for g in range(len(low)):
        if count[g] < low[g] or count[g] > high[g]:
            return np.inf
    return value if least <= total <= most else np.inf


@compiled
def fix(
    worth: Any,
    bound: float,
    cutoff: float,
    status: Any,
    group: Any,
    low: Any,
    high: Any,
    least: int,
    most: int,
    chosen: Any,
) -> None:
    """Force the free sites whose other choice alone lifts the bound to the cutoff.

    One exchange is enough to make the best set with a site forced the other way (Murota 2003, M-natural convexity).
    """
    m, groups = len(worth), len(low)
    count = np.zeros(groups, dtype=np.int64)
    worst = np.full(groups, -np.inf)  # of the free and chosen, the one that leaves at the largest gain
    best = np.full(groups, np.inf)  # of the free and not chosen, the one that comes at the least cost
    total = 0
    for j in range(m):
        if chosen[j]:
            count[group[j]] += 1
            total += 1
            if status[j] == 0:
                worst[group[j]] = max(worst[group[j]], worth[j])
        elif status[j] == 0:
            best[group[j]] = min(best[group[j]], worth[j])
    leaves = 0.0 if total < most else -np.inf  # in whatever group; 0: nothing has to leave
    comes = 0.0 if total > least else np.inf
    for g in range(groups):
        if count[g] > low[g]:
            leaves = max(leaves, worst[g])
        if count[g] < high[g]:
            comes = min(comes, best[g])
    for j in range(m):
        if status[j] != 0:
            continue
        g = group[j]
        if chosen[j]:
            change = best[g] if count[g] <= low[g] else min(best[g], comes)
            if bound + change - worth[j] >= cutoff:
                status[j] = 1
        else:
            change = worst[g] if count[g] >= high[g] else max(worst[g], leaves)
            if bound + worth[j] - change >= cutoff:
                status[j] = -1


@compiled
def serve(first: Any, site: Any, value: Any, missing: float, is_open: Any) -> float:
    """Cost of serving everybody at the cheapest open site; ``missing`` for each demand point that none may serve."""
    cost = 0.0
    for i in range(len(first) - 1):
        found = missing
        for k in range(first[i], first[i + 1]):
            if is_open[site[k]]:
                found = value[k]
                break
        cost += found
    return cost


@compiled
def ascend(
    first: Any,
    site: Any,
    value: Any,
    fixed: Any,
    missing: float,
    status: Any,
    group: Any,
    low: Any,
    high: Any,
    least: int,
    most: int,
    multiplier: Any,
    cutoff: float,
    rounds: int,
    stop: Any,
) -> tuple[float, float, Any, Any]:
    """Raise the Lagrangian bound by deflected subgradients, forcing sites on the way (Beasley 1993; Polyak 1969).

    Parameters
    ----------
    status, multiplier : (m,), (n,) changed in place: what is forced by the end, and the multipliers of the best bound
    cutoff : a solution at or above it is of no interest
    rounds : steps at most
    stop : (1,) ends it when set, by another thread

    Returns
    -------
    bound, objective, open sites of that objective (m,), share of late steps that had each site open (m,)
    """
    n, m = len(first) - 1, len(fixed)
    u, direction = multiplier.copy(), np.zeros(n)
    worth, order, chosen = np.zeros(m), np.arange(m), np.zeros(m, dtype=np.bool_)
    share, found = np.zeros(m), np.zeros(m, dtype=np.bool_)
    bound, objective = -np.inf, np.inf
    target = cutoff + OVERSHOOT * abs(cutoff)  # at the cutoff itself, the steps would die out just below it
    scale, waited = 1.5, 0
    for turn in range(rounds):
        level = _price(first, site, value, fixed, u, worth)
        level += select(worth, order, status, group, low, high, least, most, chosen)
        if level == np.inf:  # nothing keeps the rules with these sites forced
            return level, objective, found, share
        waited = 0 if level > bound + 1e-6 * abs(bound) or turn == 0 else waited + 1
        if level > bound:
            bound = level
            _copy(multiplier, u)
            if bound >= cutoff:
                break
            fix(worth, bound, cutoff, status, group, low, high, least, most, chosen)
            cost = serve(first, site, value, missing, chosen)
            for j in range(m):
                if chosen[j]:
                    cost += fixed[j]
            if cost < objective:
                objective = cost
                _copy(found, chosen)
        keep = max(0.05, 1 / (turn + 1))
        for j in range(m):
            share[j] += keep * (chosen[j] - share[j])
        if waited >= PATIENCE:
            scale *= 0.7
            waited = 0
        norm = _deflect(first, site, value, u, chosen, direction)
        if norm == 0 or scale < 0.01 or stop[0]:
            break
        step = scale * (target - level) / norm
        for i in range(n):
            u[i] += step * direction[i]
            if first[i] < first[i + 1]:
                u[i] = max(u[i], value[first[i]])
    return bound, objective, found, share


@compiled
def _price(first: Any, site: Any, value: Any, fixed: Any, u: Any, worth: Any) -> float:
    """Worth of every site (m,) at multipliers ``u`` (n,); returns the sum of the multipliers."""
    total = 0.0
    for j in range(len(worth)):
        worth[j] = fixed[j]
    for i in range(len(u)):
        total += u[i]
        for k in range(first[i], first[i + 1]):
            if value[k] >= u[i]:
                break
            worth[site[k]] -= u[i] - value[k]
    return total


@compiled
def _deflect(first: Any, site: Any, value: Any, u: Any, chosen: Any, direction: Any) -> float:
    """The next direction (n,): who is served too little or too much, and part of the last; returns its square."""
    norm = 0.0
    for i in range(len(u)):
        short = 1.0
        for k in range(first[i], first[i + 1]):
            if value[k] >= u[i]:
                break
            if chosen[site[k]]:
                short -= 1.0
        direction[i] = short + 0.7 * direction[i]
        norm += direction[i] ** 2
    return norm


@compiled
def _copy(into: Any, of: Any) -> None:
    """Without a copy of the array in between."""
    for i in range(len(of)):
        into[i] = of[i]


@compiled
def swap(
    cost: Any,
    fixed: Any,
    status: Any,
    group: Any,
    low: Any,
    high: Any,
    least: int,
    most: int,
    is_open: Any,
    stop: Any,
) -> float:
    """Improve open sites by dropping, adding and swapping one at a time until none helps (Whitaker 1983).

    Parameters
    ----------
    cost : (m, n) of serving, a large number where it is not allowed
    is_open : (m,) keeps the rules, at least one of them open; changed in place
    stop : (1,) ends it when set, by another thread

    Returns
    -------
    Objective.
    """
    m, n = cost.shape
    near = np.zeros(n, dtype=np.int64)
    d1, d2 = np.zeros(n), np.zeros(n)  # cost at the cheapest and the second cheapest open site
    loss = np.zeros(m)
    count, total = np.zeros(len(low), dtype=np.int64), 0
    for k in range(m):
        if is_open[k]:
            count[group[k]] += 1
            total += 1
    value, changed = 0.0, True
    j, tried = -1, 0
    while changed or (tried < m and not stop[0]):
        if changed:
            value = _two_nearest(cost, is_open, near, d1, d2)
            for k in range(m):
                loss[k] = -fixed[k]
                if is_open[k]:
                    value += fixed[k]
            for i in range(n):
                loss[near[i]] += d2[i] - d1[i]
            gain, come = 0.0, -1
            changed, tried = False, 0
        else:
            j = (j + 1) % m
            tried += 1
            if is_open[j] or status[j] < 0:
                continue
            gain, come = -fixed[j], j
            for k in range(m):
                loss[k] = -fixed[k]
            for i in range(n):
                c = cost[j, i]
                if c < d1[i]:
                    gain += d1[i] - c
                else:
                    loss[near[i]] += min(d2[i], c) - d1[i]
        if come < 0 and total <= max(least, 1):  # none may be dropped
            continue
        g = -1 if come < 0 else group[come]
        room = come < 0 or count[g] < high[g]
        out, least_loss = -1, 0.0 if come >= 0 and room and total < most else np.inf
        for k in range(m):
            if is_open[k] and status[k] == 0 and loss[k] < least_loss:
                h = group[k]
                if h == g or (room and count[h] > low[h]):
                    out, least_loss = k, loss[k]
        if least_loss - gain < -1e-9 * abs(value) - 1e-12:
            if come >= 0:
                is_open[come] = True
                count[g] += 1
                total += 1
            if out >= 0:
                is_open[out] = False
                count[group[out]] -= 1
                total -= 1
            changed = True
    return value


@compiled
def _two_nearest(cost: Any, is_open: Any, near: Any, d1: Any, d2: Any) -> float:
    """Cheapest open site (n,), its cost (n,) and that of the second cheapest (n,); returns the sum of the cheapest."""
    m, n = cost.shape
    for i in range(n):
        d1[i] = d2[i] = np.inf
    for k in range(m):
        if is_open[k]:
            for i in range(n):
                c = cost[k, i]
                if c < d1[i]:
                    d2[i] = d1[i]
                    d1[i] = c
                    near[i] = k
                elif c < d2[i]:
                    d2[i] = c
    value = 0.0
    for i in range(n):
        value += d1[i]
    return value


@compiled
def nearest(cost: Any, is_open: Any, chosen: Any) -> float:
    """The cheapest open site of every demand point into ``chosen`` (n,), -1 where none may serve it.

    Returns
    -------
    Sum of their costs; NaN when a demand point has none.
    """
    n, m = cost.shape
    sites = np.empty(m, dtype=np.int64)
    count = 0
    for j in range(m):
        if is_open[j]:
            sites[count] = j
            count += 1
    total = 0.0
    for i in range(n):
        best, at = np.inf, -1
        for k in range(count):
            c = cost[i, sites[k]]
            if c < best:
                best = c
                at = sites[k]
        chosen[i] = at
        total += best if at >= 0 else np.nan
    return total


@compiled
def serve_each(first: Any, site: Any, value: Any, sets: Any, costs: Any) -> None:
    """Cost of serving everybody for each row of ``sets`` (k, m) into ``costs`` (k,); NaN when somebody is not."""
    for k in range(len(sets)):
        costs[k] = serve(first, site, value, np.nan, sets[k])
