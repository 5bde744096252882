"""Whole demand points, better placed: an open site is closed and one near to it opened, and those round both move.

A heuristic of location with seats, every move judged among the few open sites near it (swaps: Teitz and Bart 1968,
Operations Research 16:955; begun again from a shaken answer: Lourenço, Martin and Stützle 2003; with seats: Stefanello,
de Araújo and Müller 2015, International Transactions in Operational Research 22:149); what it finds is a valid answer,
never a proof.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from planner.compiled import announce, clock, compiled
from planner.optimise.knapsack import FREE
from planner.optimise.lagrange import Relaxation
from planner.optimise.problem import LocationProblem, LocationSolution, at_pairs
from planner.optimise.round import SHORT, WIDEST, at_sites
from planner.optimise.settle import Packing, filling, place, settle

PAIRS = 4_000_000  # of demand points and sites: more are not looked at
ROUND = 8  # demand points from which a site's neighbours are seen
AROUND = 4  # open sites near each of two that are swapped, whose demand points may move
OTHERS = 20  # closed sites that are tried for an open one
TRIES = 4  # times that each demand point may move while a swap is judged
SHAKEN = 3  # swaps at a time, whatever they cost, when none helps
AT_ONCE = 2  # ways, each with shakes of its own
EVALUATIONS = 20  # between two looks at the clock
IDLE = 100  # shakes in a row that found nothing better


class Places(NamedTuple):
    """Demand points, and the sites that may serve them, in the arrays of the compiled loops.

    Parameters
    ----------
    cost : (n_demand, n_site) of serving, infinite where that is not allowed
    weight : (n_demand,)
    seats, step_seats, max_steps, step_cost, fixed : (n_site,)
    near : (n_site, n_site) all sites, those near to each first
    alike : (n_site,) sites of one number may be opened in each other's place; -1 for those that stay as they are
    over : what a seat too many costs
    """

    cost: np.ndarray
    weight: np.ndarray
    seats: np.ndarray
    step_seats: np.ndarray
    max_steps: np.ndarray
    step_cost: np.ndarray
    fixed: np.ndarray
    near: np.ndarray
    alike: np.ndarray
    over: float


def swapped(
    problem: LocationProblem, relaxed: Relaxation, best: LocationSolution, *, ends: float, seed: int
) -> LocationSolution:
    """A solution at least as good as ``best``, when shaking no longer helps, or time is up."""
    if len(relaxed.weight) * len(relaxed.seats) > PAIRS:
        return best
    announce((descend, shake), "the search for better sites")
    places, least = _places(problem, relaxed, best), 1e-9 * abs(best.objective)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ways = list(pool.map(lambda k: _way(places, best, least, ends, seed + k), range(AT_ONCE)))
    for _, is_open, at in sorted(ways, key=lambda way: way[0]):
        found = at_sites(problem, is_open, at)
        if found is not None and found.objective < best.objective:
            return found
    return best


def _way(
    places: Places, best: LocationSolution, least: float, ends: float, seed: int
) -> tuple[float, np.ndarray, np.ndarray]:
    """What the best solution on the way adds to the cost, its open sites, and where each demand point goes."""
    rng = np.random.default_rng(seed)
    kept, cost = (best.open, best.assignment), 0.0
    is_open, at, more = best.open.copy(), best.assignment.copy(), 0.0
    dirty, idle = np.ones(len(is_open), dtype=bool), 0
    while clock() < ends and idle < IDLE:
        more += descend(places, is_open, at, dirty, EVALUATIONS)
        if dirty.any():
            continue
        if more < cost - least:
            kept, cost, idle = (is_open.copy(), at.copy()), more, 0
        else:
            is_open[:], at[:], more, idle = *kept, cost, idle + 1
        more += shake(places, is_open, at, dirty, rng.random(2 * SHAKEN))
    return cost, *kept


def _places(problem: LocationProblem, relaxed: Relaxation, best: LocationSolution) -> Places:
    """What is left of the relaxation, and what the best solution uses, which may have been ruled out of better ones.

    Near are sites that are cheap for the demand points that one is cheapest for; alike, those of the same counts.
    """
    n, m = len(relaxed.weight), len(relaxed.seats)
    cost = np.full((n, m), np.inf)
    cost[relaxed.demand, relaxed.site] = relaxed.cost
    cost[np.arange(n), best.assignment] = at_pairs(problem.cost, np.arange(n), best.assignment)
    each = cost / np.maximum(relaxed.weight, 1e-9)[:, None]
    cheapest = np.argsort(each, axis=0, kind="stable")[:ROUND]
    known = np.where(np.isfinite(each), each, np.nanmax(np.where(np.isfinite(each), each, np.nan)))
    near = np.array([np.argsort(known[cheapest[:, j]].mean(axis=0), kind="stable") for j in range(m)])
    counts = relaxed.counts
    named = np.zeros((m, len(counts.least)), dtype=bool)
    named[counts.member, np.repeat(np.arange(len(counts.least)), np.diff(counts.count_first))] = True
    alike = np.unique(named, axis=0, return_inverse=True)[1].ravel()
    own = (np.bincount(problem.facility)[problem.facility] == 1) | (problem.facility_cost[problem.facility] == 0)
    return Places(
        cost,
        relaxed.weight,
        relaxed.seats,
        relaxed.step_seats,
        relaxed.max_steps,
        relaxed.step_cost,
        relaxed.fixed,
        near,
        np.where((relaxed.sites.twins == 1) & own & (relaxed.state == FREE), alike, -1),
        10.0 * float(np.abs(relaxed.cost).max(initial=1.0)) + float(relaxed.step_cost.max(initial=0.0)),
    )


@compiled
def descend(places: Places, is_open: np.ndarray, at: np.ndarray, dirty: np.ndarray, evaluations: int) -> float:
    """Swaps that pay, until none does or so many were judged; what they add to the cost.

    Parameters
    ----------
    is_open, at : (n_site,), (n_demand,) the open sites, and where each demand point goes; changed in place
    dirty : (n_site,) sites whose swaps are to be judged; set to false for those that are done
    """
    total = 0.0
    for k in range(len(dirty)):
        tried = 0
        for j in places.near[k]:
            if not dirty[k] or not is_open[k] or places.alike[k] < 0 or tried == OTHERS:
                break
            if is_open[j] or places.alike[j] != places.alike[k]:
                continue
            total += swap(places, is_open, at, dirty, k, j, -1e-7)
            tried += 1
        dirty[k] = False
        evaluations -= tried
        if evaluations <= 0:
            break
    return total


@compiled
def shake(places: Places, is_open: np.ndarray, at: np.ndarray, dirty: np.ndarray, random: np.ndarray) -> float:
    """A few swaps near one another, whatever they cost; what they add to it.

    Parameters
    ----------
    random : (n,) numbers from 0 to 1: two for each swap
    """
    m, total = len(dirty), 0.0
    middle = int(random[0] * m)
    closed = np.empty(OTHERS, np.int64)
    for s in range(len(random) // 2):
        skip = int(random[2 * s] * AROUND)
        for k in places.near[middle]:
            if is_open[k] and places.alike[k] >= 0:
                skip -= 1
                if skip < 0:
                    break
        if skip >= 0:
            continue
        count = 0
        for j in places.near[k]:
            if not is_open[j] and places.alike[j] == places.alike[k]:
                closed[count] = j
                count += 1
                if count == OTHERS:
                    break
        if count > 0:
            total += swap(places, is_open, at, dirty, k, closed[int(random[2 * s + 1] * count)], places.over)
    return total


@compiled
def swap(
    places: Places, is_open: np.ndarray, at: np.ndarray, dirty: np.ndarray, old: int, new: int, below: float
) -> float:
    """Close one site and open another, where that adds less than ``below`` to the cost; what it adds, 0 if not done."""
    m, n = len(is_open), len(at)
    local, inside, count = np.full(m, -1), np.empty(2 * AROUND + 1, np.int64), 1
    local[new], inside[0] = 0, new
    for middle in (old, new):
        most = count + AROUND
        for j in places.near[middle]:
            if is_open[j] and j != old and local[j] < 0:
                local[j], inside[count] = count, j
                count += 1
                if count == most:
                    break
    some, who, size = inside[:count], np.empty(n, np.int64), 0
    for i in range(n):
        if at[i] == old or local[at[i]] >= 0:
            who[size] = i
            size += 1
    who = who[:size]
    weight = places.weight[who]
    first, where = np.zeros(size + 1, np.int64), np.full(size, -1)
    site, cost = np.empty(size * count, np.int64), np.empty(size * count)
    load, left, before, end = np.zeros(count), 0.0, places.fixed[old], 0
    for q in range(size):
        i = who[q]
        for j in range(count):
            each = places.cost[i, some[j]]
            if each < np.inf:
                if some[j] == at[i]:
                    where[q] = end
                    load[j] += weight[q]
                site[end], cost[end] = j, each
                end += 1
        first[q + 1] = end
        before += places.cost[i, at[i]]
        if where[q] < 0:
            left += weight[q]
        if end == first[q]:
            return 0.0
    small = Packing(
        first,
        site[:end],
        cost[:end],
        weight,
        places.seats[some],
        places.step_seats[some],
        places.max_steps[some],
        places.step_cost[some],
        np.ones(count, np.bool_),
        places.over,
    )
    for j in range(count):
        before += filling(small, j, load[j])
    short = left - places.seats[old]
    if short > 1e-9 and places.step_seats[old] > 0.0:
        before += places.step_cost[old] * np.ceil(short / places.step_seats[old] - 1e-9)
    order = np.argsort(-weight)
    place(small, order[where[order] < 0], where)
    change = settle(small, TRIES, SHORT, WIDEST, where) + places.fixed[new] - before
    if change >= below:
        return 0.0
    for q in range(size):
        at[who[q]] = some[site[where[q]]]
    is_open[old], is_open[new], dirty[old] = False, True, False
    for j in some:
        dirty[j] = True
    return float(change)
