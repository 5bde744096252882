"""What each site would take at given prices, and which sites then open: the two halves of the relaxation, compiled.

A price is what a demand point pays to be served. At given prices sites do not know of each other: each is a knapsack of
demand points, with seats that may be added in whole steps. Rules on how many are open then choose among the sites.
Sources: Geoffrion 1974 (the relaxation); Martello and Toth 1990, ch. 2 (knapsacks); Edmonds 1970 (greedy choice under
nested counts).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from planner.compiled import compiled
from planner.optimise.items import fill, search


class Sites(NamedTuple):
    """A problem by sites, in the arrays of the compiled loops.

    Parameters
    ----------
    first, demand, site, cost : arcs by site: those of site j are ``first[j]:first[j + 1]``
    weight : (n_demand,)
    spread : (n_demand,) how far apart a point's costs are, 1 in the mean: prices move in proportion
    seats, step_seats, max_steps, step_cost, fixed : (n_site,)
    state : (n_site,) ``MUST`` for sites that are open, ``OUT`` for those that are closed, else ``FREE``
    twin, twins : (n_site,) sites of one number open and close together; how many each has, with itself
    part_first, part_site : sites that counts join: ``part_site[part_first[q]:part_first[q + 1]]``
    part_count : (n_part + 1,) the counts of part q are ``part_count[q]`` to ``part_count[q + 1]``
    count_first, member, least, most : counts, inner ones first: between ``least[g]`` and ``most[g]`` of the sites
        ``member[count_first[g]:count_first[g + 1]]``; two counts share no site, or one holds all of the other's
    """

    first: np.ndarray
    demand: np.ndarray
    site: np.ndarray
    cost: np.ndarray
    weight: np.ndarray
    spread: np.ndarray
    seats: np.ndarray
    step_seats: np.ndarray
    max_steps: np.ndarray
    step_cost: np.ndarray
    fixed: np.ndarray
    state: np.ndarray
    twin: np.ndarray
    twins: np.ndarray
    part_first: np.ndarray
    part_site: np.ndarray
    part_count: np.ndarray
    count_first: np.ndarray
    member: np.ndarray
    least: np.ndarray
    most: np.ndarray


FREE, MUST, OUT = 0, 1, 2


@compiled
def gains(
    sites: Sites,
    price: np.ndarray,
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
    whole : demand points are taken whole
    gain : (n_site,) set to the most that prices exceed costs by, or to a bound on it where the search ends early
    loose, seat_price : (n_site,) set to the bound by one price for a seat, and to that price
    steps_taken, taken : (n_site,), (n_arc,) set to the steps and the shares that are taken
    """
    first, demand, cost, weight = sites.first, sites.demand, sites.cost, sites.weight
    seats, step_seats, max_steps, step_cost = sites.seats, sites.step_seats, sites.max_steps, sites.step_cost
    longest = 0
    for j in range(len(first) - 1):
        longest = max(longest, first[j + 1] - first[j])
    arc = np.empty(longest, np.int64)
    rank, size, profit = np.empty(longest), np.empty(longest), np.empty(longest)
    best, trial = np.zeros(longest, np.bool_), np.zeros(longest, np.bool_)
    for j in range(len(first) - 1):
        count, everything, asked = np.int64(0), 0.0, 0.0  # a plain 0 has what takes it compiled once more
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
def choose(part: int, value: np.ndarray, fixed: np.ndarray, sites: Sites, state: np.ndarray) -> float:
    """The sites of one part to open that sum to the least, under nested counts.

    Parameters
    ----------
    value : (n_site,) what opening each adds
    fixed : (n_site,) in place of ``sites.state``
    state : (n_site,) set, for the part's sites, to ``MUST`` for those to open, to ``OUT`` or ``FREE`` for others

    Returns
    -------
    The sum over open sites; infinite when no choice keeps the counts.
    """
    inner = sites.part_site[sites.part_first[part] : sites.part_first[part + 1]]
    for j in inner:
        state[j] = fixed[j]
    for g in range(sites.part_count[part], sites.part_count[part + 1]):
        inside = sites.member[sites.count_first[g] : sites.count_first[g + 1]]
        must, free = 0, 0
        for j in inside:
            must += state[j] == MUST
            free += state[j] == FREE
        if must > sites.most[g] or must + free < sites.least[g]:
            return np.inf
        if must >= sites.least[g] and must + free <= sites.most[g]:
            continue
        order = inside[np.argsort(value[inside])]
        need, room = sites.least[g] - must, sites.most[g] - must
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
    for j in inner:
        if state[j] == FREE and value[j] < 0.0:
            state[j] = MUST
        if state[j] == MUST:
            total += value[j]
    return total


@compiled
def choose_all(value: np.ndarray, sites: Sites, state: np.ndarray) -> float:
    """:func:`choose` part by part."""
    total = 0.0
    for part in range(len(sites.part_first) - 1):
        total += choose(part, value, sites.state, sites, state)
    return total


@compiled
def force_each(value: np.ndarray, sites: Sites, opened: np.ndarray, closed: np.ndarray) -> None:
    """What the choice would sum to, were each site (n_site,) ``opened`` and were it ``closed``; both are set."""
    state, trial = np.empty(len(value), np.int64), sites.state.copy()
    count = len(sites.part_first) - 1
    sums = np.empty(count)
    for part in range(count):
        sums[part] = choose(part, value, sites.state, sites, state)
    everything = sums.sum()
    for part in range(count):
        for j in sites.part_site[sites.part_first[part] : sites.part_first[part + 1]]:
            for way, found in ((MUST, opened), (OUT, closed)):
                found[j] = np.inf
                if sites.state[j] == FREE or sites.state[j] == way:
                    trial[j] = way
                    found[j] = everything - sums[part] + choose(part, value, trial, sites, state)
                    trial[j] = sites.state[j]


@compiled
def shared(value: np.ndarray, sites: Sites) -> None:
    """Twins have the mean of their values each."""
    m = len(value)
    sums = np.zeros(m)
    for j in range(m):
        sums[sites.twin[j]] += value[j]
    for j in range(m):
        value[j] = sums[sites.twin[j]] / sites.twins[j]


class Climb(NamedTuple):
    """Where a climb to better prices stands; all of it is changed in place.

    Parameters
    ----------
    price, direction : (n_demand,) where it is, and where it last went
    tally : (4,) the bound here, the best bound, how far above that steps aim, steps in a row that did not help
    best_price, gain, loose, seat_price : what :func:`gains` found at the best bound
    open, steps, taken : (n_site,), (n_site,), (n_arc,) running means of what the relaxation opens and takes
    """

    price: np.ndarray
    direction: np.ndarray
    tally: np.ndarray
    best_price: np.ndarray
    gain: np.ndarray
    loose: np.ndarray
    seat_price: np.ndarray
    open: np.ndarray
    steps: np.ndarray
    taken: np.ndarray


MEAN = 0.1  # of a running mean, the part of the last
TURN = 0.6  # of the last direction, the part that goes on
PATIENCE = 12
SAFE = 1e-9  # relative: what a bound gives up for the noise of its sums


@compiled
def climb(sites: Sites, at: Climb, whole: bool, goal: float, least: float, rounds: int) -> bool:
    """Better prices by subgradients, each with 0.6 of the one before (Camerini, Fratta and Maffioli 1975).

    Steps aim at a level above the best bound, a lower one each time that they stop helping (Polyak 1969, with a level
    in place of the unknown optimum). Where a demand point's costs are far apart, as those of many pupils are, its price
    takes larger steps: with equal ones a bound stayed 2 % lower where seats were tight and points unlike.

    Parameters
    ----------
    goal, least : the bound, and the height of the level, at which to stop
    rounds : of steps, at most

    Returns
    -------
    Whether more rounds may help.
    """
    n, m = len(sites.weight), len(sites.seats)
    gain, loose, seat_price, steps = np.empty(m), np.empty(m), np.empty(m), np.empty(m)
    taken, state, served = np.empty(len(sites.demand)), np.empty(m, np.int64), np.empty(n)
    for _ in range(rounds):
        gains(sites, at.price, whole, gain, loose, seat_price, steps, taken)
        value = sites.fixed - gain
        shared(value, sites)
        chosen = choose_all(value, sites, state)
        bound = chosen
        size = 0.0
        for i in range(n):
            bound += at.price[i]
            size += abs(at.price[i])
        bound -= SAFE * size
        first = at.tally[0] == -np.inf
        at.tally[3] = 0 if first or bound > at.tally[1] + 1e-6 * abs(at.tally[1]) else at.tally[3] + 1
        at.tally[0] = bound
        if bound > at.tally[1] or first:
            at.tally[1] = bound
            at.best_price[:] = at.price
            at.gain[:] = gain
            at.loose[:] = loose
            at.seat_price[:] = seat_price
        if chosen == np.inf:
            return False
        part = 1.0 if first else MEAN
        served[:] = 0.0
        for j in range(m):
            is_open = 1.0 if state[j] == MUST else 0.0
            at.open[j] += part * (is_open - at.open[j])
            at.steps[j] += part * (is_open * steps[j] - at.steps[j])
            for a in range(sites.first[j], sites.first[j + 1]):
                at.taken[a] += part * (is_open * taken[a] - at.taken[a])
                if is_open > 0.0:
                    served[sites.demand[a]] += taken[a]
        if at.tally[3] >= PATIENCE:
            at.tally[2] /= 1.6
            at.tally[3] = 0
            at.direction[:] = 0.0
            at.price[:] = at.best_price
            at.tally[0] = at.tally[1]
            if at.tally[2] < least:
                return False
            continue
        square = 0.0
        for i in range(n):
            at.direction[i] = 1.0 - served[i] + TURN * at.direction[i]
            square += sites.spread[i] * at.direction[i] ** 2
        if at.tally[1] >= goal or square < 1e-12 or at.tally[2] < least:
            return False
        step = (at.tally[1] + at.tally[2] - bound) / square
        for i in range(n):
            at.price[i] += step * sites.spread[i] * at.direction[i]
    return True
