"""What each site would take at given prices, and which sites then open: the two halves of the relaxation, compiled.

A price is what a demand point pays to be served. At given prices sites do not know of each other: each is a knapsack of
demand points, with seats that may be added in whole steps. Rules on how many are open then choose among the sites.
Sources: Geoffrion 1974 (the relaxation); Martello and Toth 1990, ch. 2 (knapsacks); Edmonds 1970 (greedy choice under
nested counts).
"""

from __future__ import annotations

import numpy as np

from planner.compiled import compiled

NODES = 3000  # of one knapsack's search; beyond them its relaxation bounds it

FREE, MUST, OUT = 0, 1, 2


@compiled
def fill(size: np.ndarray, profit: np.ndarray, count: int, room: float) -> tuple[float, float]:
    """The most profit from parts of items in the order given, and what one more unit of room would bring."""
    value = 0.0
    for k in range(count):
        if size[k] > room:
            each = profit[k] / size[k]
            return value + each * room, each
        room -= size[k]
        value += profit[k]
    return value, 0.0


@compiled
def search(
    size: np.ndarray, profit: np.ndarray, count: int, room: float, above: float, best: np.ndarray, trial: np.ndarray
) -> float:
    """The most profit from whole items, sorted by profit a unit: depth first (Horowitz and Sahni 1974).

    Returns
    -------
    The optimum, with its items in ``best``; ``above`` and ``best`` untouched when it is not above that. When the nodes
    run out, the relaxation's value, and in ``best`` the best items found.
    """
    trial[:count] = False
    limit = fill(size, profit, count, room)[0]
    top, value, k, nodes = above, 0.0, 0, 0
    while True:
        rest, _ = fill(size[k:], profit[k:], count - k, room)
        if value + rest > top + 1e-9:
            while k < count:
                if size[k] <= room:
                    trial[k] = True
                    room -= size[k]
                    value += profit[k]
                    k += 1
                    continue
                k += 1
                rest, _ = fill(size[k:], profit[k:], count - k, room)
                if value + rest <= top + 1e-9:
                    break
            if k == count and value > top + 1e-9:
                top = value
                best[:count] = trial[:count]
        last = min(k, count) - 1
        while last >= 0 and not trial[last]:
            last -= 1
        if last < 0:
            return float(top)
        nodes += 1
        if nodes > NODES:
            return float(limit)
        trial[last] = False
        room += size[last]
        value -= profit[last]
        k = last + 1


@compiled
def gains(
    first: np.ndarray,
    demand: np.ndarray,
    cost: np.ndarray,
    weight: np.ndarray,
    price: np.ndarray,
    seats: np.ndarray,
    step_seats: np.ndarray,
    max_steps: np.ndarray,
    step_cost: np.ndarray,
    whole: bool,
    gain: np.ndarray,
    loose: np.ndarray,
    seat_price: np.ndarray,
    steps_taken: np.ndarray,
    taken: np.ndarray,
) -> None:
    """Each site's best knapsack at these prices.

    Parameters
    ----------
    first, demand, cost : arcs by site: those of site j are ``first[j]:first[j + 1]``
    whole : demand points are taken whole
    gain : (n_site,) set to the most that prices exceed costs by, or to a bound on it where the search ends early
    loose, seat_price : (n_site,) set to the bound by one price for a seat, and to that price
    steps_taken, taken : (n_site,), (n_arc,) set to the steps and the shares that are taken
    """
    longest = 0
    for j in range(len(first) - 1):
        longest = max(longest, first[j + 1] - first[j])
    arc = np.empty(longest, np.int64)
    rank, size, profit = np.empty(longest), np.empty(longest), np.empty(longest)
    best, trial = np.zeros(longest, np.bool_), np.zeros(longest, np.bool_)
    for j in range(len(first) - 1):
        count, everything, asked = 0, 0.0, 0.0
        for k in range(first[j], first[j + 1]):
            taken[k] = 0.0
            more = price[demand[k]] - cost[k]
            if more > 0.0:
                need = weight[demand[k]]
                arc[count], profit[count], size[count] = k, more, need
                rank[count] = -more / need if need > 0.0 else -np.inf
                asked += need
                everything += more
                count += 1
        if asked <= seats[j]:
            for k in range(count):
                taken[arc[k]] = 1.0
            gain[j], loose[j], seat_price[j], steps_taken[j] = everything, everything, 0.0, 0.0
            continue
        order = np.argsort(rank[:count])
        p, w, at = profit[:count][order], size[:count][order], arc[:count][order]
        steps = int(max_steps[j])
        a_seat = step_cost[j] / step_seats[j] if steps > 0 and step_seats[j] > 0 else np.inf
        # The relaxation with parts of steps has one price for a seat: what the last one is worth, or what it costs.
        _, dear = fill(w, p, count, seats[j])
        r = dear
        if a_seat < dear:
            _, cheap = fill(w, p, count, seats[j] + steps * step_seats[j])
            r = max(a_seat, cheap)
        bound = r * seats[j]
        if a_seat < np.inf:
            bound += steps * max(0.0, r * step_seats[j] - step_cost[j])
        else:
            steps = 0
        for k in range(count):
            bound += max(0.0, p[k] - r * w[k])
        loose[j], seat_price[j] = bound, r
        top, with_steps = -np.inf, 0
        for s in range(steps + 1):
            value, _ = fill(w, p, count, seats[j] + s * step_seats[j])
            value -= s * step_cost[j]
            if value <= top:
                continue
            if whole:
                above = max(top, -s * step_cost[j]) + s * step_cost[j]
                exact = search(w, p, count, seats[j] + s * step_seats[j], above - 1e-6, best, trial)
                value = exact - s * step_cost[j]
                if exact < above and s > 0:
                    continue
            if value > top:
                top, with_steps = value, s
        gain[j], steps_taken[j] = min(top, bound), with_steps
        if whole:
            for k in range(count):
                if best[k]:
                    taken[at[k]] = 1.0
            best[:count] = False
        else:
            left = seats[j] + with_steps * step_seats[j]
            for k in range(count):
                if w[k] > left:
                    taken[at[k]] = left / w[k]
                    break
                taken[at[k]] = 1.0
                left -= w[k]


@compiled
def choose(
    value: np.ndarray,
    fixed: np.ndarray,
    first: np.ndarray,
    member: np.ndarray,
    least: np.ndarray,
    most: np.ndarray,
    state: np.ndarray,
) -> float:
    """The sites to open that sum to the least, under nested counts.

    Parameters
    ----------
    value : (n_site,) what opening each adds
    fixed : (n_site,) ``MUST`` for sites that are open, ``OUT`` for those that are closed, else ``FREE``
    first, member, least, most : counts, inner ones first: between ``least[g]`` and ``most[g]`` of the sites
        ``member[first[g]:first[g + 1]]``; two counts share no site, or one holds all of the other's
    state : (n_site,) set to ``MUST`` for the sites to open, to ``OUT`` or ``FREE`` for others

    Returns
    -------
    The sum over open sites; infinite when no choice keeps the counts.
    """
    state[:] = fixed
    for g in range(len(least)):
        inside = member[first[g] : first[g + 1]]
        must, free = 0, 0
        for j in inside:
            must += state[j] == MUST
            free += state[j] == FREE
        if must > most[g] or must + free < least[g]:
            return np.inf
        if must >= least[g] and must + free <= most[g]:
            continue
        order = inside[np.argsort(value[inside])]
        need, room = least[g] - must, most[g] - must
        for j in order:
            if state[j] != FREE:
                continue
            if need > 0:
                state[j] = MUST
            elif room <= 0:
                state[j] = OUT
            need -= 1
            room -= 1
    total = 0.0
    for j in range(len(value)):
        if state[j] == FREE and value[j] < 0.0:
            state[j] = MUST
        if state[j] == MUST:
            total += value[j]
    return total
