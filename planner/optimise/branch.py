"""Branch and bound on the relaxation by prices: whole demand points, proven without a linear program.

The bound by whole knapsacks is that of the column-generation program (Geoffrion 1974; Pirkul 1987), much tighter than
the linear relaxation's. Every node moves its parent's prices a little, drops what cannot beat the best solution known
(planner/optimise/restrict.py), and branches first on an opening, then on steps of seats, then on who serves whom.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from planner.optimise.knapsack import FREE, MUST, OUT
from planner.optimise.lagrange import Ascent, Point, Relaxation, ascend, at_prices, shrink
from planner.optimise.problem import LocationProblem, LocationSolution, total, violations
from planner.optimise.restrict import Left, left
from planner.optimise.settle import place, settle

NODE_ROUNDS = 40
REACHING = 12  # rounds of opening sites for demand points without one
NEAR = 16  # open sites that a demand point may go to in a heuristic answer


@dataclass(frozen=True, eq=False)
class Found:
    """What a search ends with: the best solution (None: none), and a bound on all."""

    best: LocationSolution | None
    bound: float
    nodes: int


def branch(
    problem: LocationProblem,
    relaxed: Relaxation,
    price: np.ndarray,
    best: LocationSolution | None,
    upper: float,
    *,
    gap: float,
    ends: float,
) -> Found:
    """Solutions better than ``upper``, from the prices given, until the gap is proven or time is up.

    Parameters
    ----------
    best : a solution, if one is known
    upper : its objective, or a guess: solutions above it are not looked for
    """
    floor = upper  # the least bound among nodes that were let go for the gap
    heap: list[tuple[float, int, Relaxation, np.ndarray]] = [(at_prices(relaxed, price).bound, 0, relaxed, price)]
    count = nodes = 0
    while heap:
        known, _, node, price = heap[0]
        if time.perf_counter() > ends:
            break
        heapq.heappop(heap)
        goal = upper - gap * abs(upper)
        if known >= goal:
            floor = min(floor, known)
            continue
        nodes += 1
        reach = 0.5 * max(upper - known, 1e-4 * abs(upper))
        ascent = ascend(node, price, reach, NODE_ROUNDS, until=_always(upper), ends=ends)
        point = ascent.best
        bound = max(known, point.bound)
        if (tried := answer(problem, node, point)) is not None and tried.objective < upper:
            best, upper = tried, tried.objective
        if bound >= upper:
            continue
        if bound >= upper - gap * abs(upper):
            floor = min(floor, bound)
            continue
        kept = left(node, point, upper)
        if (np.bincount(node.demand[kept.arcs], minlength=len(node.weight)) == 0).any():
            continue
        smaller = shrink(node, kept.state, kept.arcs)
        means = replace(ascent, taken=ascent.taken[_still(node, kept)])
        for child in children(smaller, means):
            if (np.bincount(child.demand, minlength=len(child.weight)) > 0).all():
                count += 1
                heapq.heappush(heap, (bound, count, child, point.price))
    bound = min([floor, upper, *(item[0] for item in heap)])
    return Found(best, bound, nodes)


def _always(bound: float) -> Callable[[Point], float]:
    """A bound to stop at, whatever the point."""
    return lambda _: bound


def _still(node: Relaxation, kept: Left) -> np.ndarray:
    return np.flatnonzero(kept.arcs & (kept.state[node.site] != OUT))


def children(node: Relaxation, means: Ascent) -> list[Relaxation]:
    """The node in two parts; none when nothing is left to decide."""
    every = np.ones(len(node.demand), dtype=bool)
    free = np.flatnonzero(node.state == FREE)
    if len(free):
        doubt = np.abs(means.open[free] - 0.5)
        j = int(free[np.argmin(doubt)])
        if doubt.min() < 0.45 or len(np.unique(node.demand)) == len(node.demand):
            return [shrink(node, _with(node.state, j, side), every) for side in (MUST, OUT)]
    part = means.steps - np.floor(means.steps)
    doubt = np.where((node.max_steps > 0) & (node.state == MUST), np.abs(part - 0.5), 1.0)
    j = int(np.argmin(doubt))
    if doubt[j] < 0.4:
        fewer, more = node.max_steps.copy(), node.max_steps.copy()
        low = np.floor(means.steps[j])
        fewer[j], more[j] = low, more[j] - low - 1
        seats, fixed = node.seats.copy(), node.fixed_cost.copy()
        seats[j] += (low + 1) * node.step_seats[j]
        fixed[j] += (low + 1) * node.step_cost[j]
        return [replace(node, max_steps=fewer), replace(node, max_steps=more, seats=seats, fixed_cost=fixed)]
    several = np.bincount(node.demand, minlength=len(node.weight))[node.demand] > 1
    if several.any():
        doubt = np.where(several, np.abs(means.taken - 0.5) - 1e-3 * node.weight[node.demand] / node.weight.max(), 2.0)
        k = int(np.argmin(doubt))
        same = node.demand == node.demand[k]
        this = np.arange(len(same)) == k
        return [shrink(node, node.state, ~same | this), shrink(node, node.state, ~this)]
    if len(free):
        return [shrink(node, _with(node.state, int(free[0]), side), every) for side in (MUST, OUT)]
    return []


def _with(state: np.ndarray, site: int, side: int) -> np.ndarray:
    changed = state.copy()
    changed[site] = side
    return changed


def answer(problem: LocationProblem, node: Relaxation, point: Point) -> LocationSolution | None:
    """A solution from a point's open sites: demand points by regret, then moved and exchanged; None if none fits."""
    from scipy.sparse import csr_array

    n, m = problem.cost.shape
    is_open = _reaching_all(node, point)
    if is_open is None:
        return None
    some = np.flatnonzero(is_open[node.site])
    reduced = node.cost[some] + point.seat_price[node.site[some]] * node.weight[node.demand[some]]
    order = np.lexsort((reduced, node.demand[some]))
    some, reduced = some[order], reduced[order]
    first = np.searchsorted(node.demand[some], np.arange(n + 1))
    second = np.append(reduced, np.inf)[np.where(np.diff(first) > 1, first[:-1] + 1, len(reduced))]
    regret = second - reduced[first[:-1]]
    near = np.arange(len(some)) - first[node.demand[some]] < NEAR
    some = some[near][np.lexsort((node.site[some[near]], node.demand[some[near]]))]
    demand, site, cost = node.demand[some], node.site[some], node.cost[some]
    first = np.searchsorted(demand, np.arange(n + 1))
    at = np.full(n, -1)
    over = 10.0 * float(np.abs(cost).max(initial=1.0)) + float(node.step_cost.max(initial=0.0))
    arrays = (first, site, cost, node.weight, node.seats, node.step_seats, node.max_steps, node.step_cost, is_open)
    place(np.argsort(-regret, kind="stable"), *arrays, over, at)
    settle(*arrays, over, at)
    pick = site[at]
    load = np.bincount(pick, weights=problem.weight, minlength=m)
    steps = np.zeros(m)
    if problem.expansion is not None:
        short = np.maximum(load - problem.capacity, 0.0)
        some = (short > 1e-9) & (problem.expansion.step_seats > 0)
        steps[some] = np.ceil(short[some] / problem.expansion.step_seats[some] - 1e-9)
    shares = csr_array((np.ones(n), (np.arange(n), pick)), shape=(n, m))
    found = LocationSolution(is_open, pick, shares, steps, 0.0, -np.inf, np.inf, "feasible", 0.0)
    if violations(problem, found):
        return None
    return replace(found, objective=total(problem, problem.objective, found))


def _reaching_all(node: Relaxation, point: Point) -> np.ndarray | None:
    """(n_site,) the point's open sites, and others so that each demand point may go to one; None where none fit."""
    is_open: np.ndarray = point.open | (node.state == MUST)
    state = node.state
    for _ in range(REACHING):
        lost = np.bincount(node.demand, weights=is_open[node.site], minlength=len(node.weight)) == 0
        if not lost.any():
            return is_open
        arcs = np.flatnonzero(lost[node.demand] & (state[node.site] == FREE))
        arcs = arcs[np.lexsort((node.cost[arcs], node.demand[arcs]))]
        nearest = arcs[np.unique(node.demand[arcs], return_index=True)[1]]
        # One site for each neighbourhood: the one that most of those without a site have nearest.
        wanted = np.bincount(node.site[nearest], minlength=len(state))
        new = np.flatnonzero(wanted >= max(1, wanted.max(initial=0) // 2))
        if len(new) == 0 or wanted.max() == 0:
            return None
        state = state.copy()
        state[new] = MUST
        added, is_open = node.chosen(node.fixed - point.gain, state)
        if not np.isfinite(added):
            return None
    return None
