"""The Lagrangian relaxation of "everyone is served": a bound from prices, without any solver.

Each demand point pays a price to be served, as often as sites wish; what is left falls apart into a knapsack a site and
a choice of sites under counts (planner/optimise/knapsack.py). For any prices the optimum is at least the prices' sum
plus what the choice adds (Geoffrion 1974). Rows that this does not see, budgets and rules that cross, only make the
optimum larger, so the bound holds all the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from planner.optimise.knapsack import FREE, MUST, OUT, choose, gains
from planner.optimise.mip import rules_of
from planner.optimise.problem import LocationProblem, pairs

MEAN = 0.1  # of a running mean, the part of the last
TURN = 0.6
PATIENCE = 12
SAFE = 1e-9  # relative: what a bound gives up for the noise of its sums


@dataclass(frozen=True, eq=False)
class Relaxation:
    """A problem by sites.

    Parameters
    ----------
    first, demand, cost : (n_arc,) arcs by site: those of site j are ``first[j]:first[j + 1]``
    weight : (n_demand,)
    seats, step_seats, max_steps, step_cost, fixed_cost : (n_site,)
    facility, facility_cost : (n_site,), (n_facility,) the building of each site, and what each costs
    twin : (n_site,) sites of one number open and close together
    state : (n_site,) which must be open or closed
    count_first, member, least, most : nested counts of open sites, inner ones first
    """

    first: np.ndarray
    demand: np.ndarray
    cost: np.ndarray
    weight: np.ndarray
    seats: np.ndarray
    step_seats: np.ndarray
    max_steps: np.ndarray
    step_cost: np.ndarray
    fixed_cost: np.ndarray
    facility: np.ndarray
    facility_cost: np.ndarray
    twin: np.ndarray
    state: np.ndarray
    count_first: np.ndarray
    member: np.ndarray
    least: np.ndarray
    most: np.ndarray
    whole: bool

    @cached_property
    def fixed(self) -> np.ndarray:
        """(n_site,) the cost of opening, with the site's part of its building's cost.

        Parts that sum to the whole are a bound, however many of the building's sites open; where one is open for
        certain the building is its own. A building that brings money brings at most that for each site.
        """
        size = len(self.facility_cost)
        sure, maybe = (
            np.bincount(self.facility, weights=at, minlength=size) for at in (self.state == MUST, self.state != OUT)
        )
        one = np.unique(
            np.where(self.state == MUST, self.facility, -1 - np.arange(len(self.state))), return_index=True
        )[1]
        first = np.isin(np.arange(len(self.state)), one) & (self.state == MUST)
        shared = self.facility_cost / np.maximum(maybe, 1)
        part = np.where(self.facility_cost > 0, shared, self.facility_cost)[self.facility]
        part = np.where(sure[self.facility] > 0, np.where(first, self.facility_cost[self.facility], 0.0), part)
        return self.fixed_cost + part

    @cached_property
    def site(self) -> np.ndarray:
        """(n_arc,) the site of each arc."""
        return np.repeat(np.arange(len(self.seats)), np.diff(self.first))

    def chosen(self, value: np.ndarray, state: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        """The least sum of ``value`` over a choice of sites, and the choice."""
        if (np.diff(np.sort(self.twin)) == 0).any():
            size = np.bincount(self.twin)
            value = (np.bincount(self.twin, weights=value) / np.maximum(size, 1))[self.twin]
        found = np.empty(len(value), dtype=np.int64)
        fixed = self.state if state is None else state
        total = choose(value, fixed, self.count_first, self.member, self.least, self.most, found)
        return total, found == MUST


@dataclass(frozen=True, eq=False)
class Point:
    """What one set of prices proves.

    Parameters
    ----------
    bound : no solution is better
    price : (n_demand,)
    gain, loose, seat_price : (n_site,) what each site takes in (:func:`planner.optimise.knapsack.gains`)
    open, steps : (n_site,) the sites that the relaxation opens, and the steps that each would take
    taken : (n_arc,) what each site takes
    """

    bound: float
    price: np.ndarray
    gain: np.ndarray
    loose: np.ndarray
    seat_price: np.ndarray
    open: np.ndarray
    steps: np.ndarray
    taken: np.ndarray


def relax(problem: LocationProblem) -> Relaxation:
    """The problem by sites."""
    m = problem.cost.shape[1]
    demand, site, cost = pairs(problem.cost)
    order = np.argsort(site, kind="stable")
    first = np.searchsorted(site[order], np.arange(m + 1))
    load = np.bincount(site, weights=problem.weight[demand], minlength=m)
    zero = np.zeros(m)
    expansion = problem.expansion
    stepped = np.isfinite(problem.capacity) if expansion is not None else zero > 0
    twin = _together(problem.linked, m)
    state = np.full(m, FREE)
    state[np.isin(twin, twin[list(problem.forced_open)])] = MUST
    state[np.isin(twin, twin[list(problem.forced_closed)])] = OUT
    count_first, member, least, most = _nested(problem)
    return Relaxation(
        first=first,
        demand=demand[order],
        cost=cost[order],
        weight=problem.weight,
        seats=np.minimum(problem.capacity, load),
        step_seats=zero if expansion is None else expansion.step_seats,
        max_steps=zero if expansion is None else np.where(stepped, np.floor(expansion.max_steps), 0.0),
        step_cost=zero if expansion is None else expansion.cost_per_step,
        fixed_cost=problem.fixed_cost,
        facility=problem.facility,
        facility_cost=problem.facility_cost,
        twin=twin,
        state=state,
        count_first=count_first,
        member=member,
        least=least,
        most=most,
        whole=problem.whole,
    )


def at_prices(relaxed: Relaxation, price: np.ndarray) -> Point:
    """The relaxation solved at these prices."""
    m = len(relaxed.seats)
    gain, loose, seat_price, steps = np.empty((4, m))
    taken = np.empty(len(relaxed.demand))
    gains(
        relaxed.first,
        relaxed.demand,
        relaxed.cost,
        relaxed.weight,
        price,
        relaxed.seats,
        relaxed.step_seats,
        relaxed.max_steps,
        relaxed.step_cost,
        relaxed.whole,
        gain,
        loose,
        seat_price,
        steps,
        taken,
    )
    added, is_open = relaxed.chosen(relaxed.fixed - gain)
    bound = float(price.sum()) + added
    return Point(bound - SAFE * float(np.abs(price).sum()), price, gain, loose, seat_price, is_open, steps, taken)


@dataclass(frozen=True, eq=False)
class Ascent:
    """The best prices found, and what the relaxation does on average near them.

    Parameters
    ----------
    open, steps, taken : running means of those of :class:`Point`, ``steps`` and ``taken`` of open sites
    """

    best: Point
    open: np.ndarray
    steps: np.ndarray
    taken: np.ndarray


def first_prices(relaxed: Relaxation) -> np.ndarray:
    """(n_demand,) each point's second cheapest cost."""
    order = np.lexsort((relaxed.cost, relaxed.demand))
    start = np.searchsorted(relaxed.demand[order], np.arange(len(relaxed.weight)))
    count = np.bincount(relaxed.demand, minlength=len(relaxed.weight))
    return relaxed.cost[order][start + np.minimum(count - 1, 1)]


def ascend(
    relaxed: Relaxation,
    price: np.ndarray,
    reach: float,
    rounds: int,
    *,
    until: Callable[[Point], float],
    ends: float = np.inf,
) -> Ascent:
    """Better prices by subgradients, each with 0.6 of the one before (Camerini, Fratta and Maffioli 1975).

    Parameters
    ----------
    reach : how far above the best bound the first steps aim; less each time that steps stop helping (Polyak 1969, with
        a level in place of the unknown optimum)
    until : is shown every point, and says at which bound to stop
    ends : when to stop, on the clock of ``time.perf_counter``
    """
    n = len(relaxed.weight)
    best = now = at_prices(relaxed, price)
    least, idle, direction = 1e-3 * reach, 0, np.zeros(n)
    is_open, steps, taken = now.open.astype(float), now.steps * now.open, now.taken * now.open[relaxed.site]
    for _ in range(rounds):
        use = now.taken * now.open[relaxed.site]
        is_open, steps = is_open + MEAN * (now.open - is_open), steps + MEAN * (now.steps * now.open - steps)
        taken += MEAN * (use - taken)
        direction = 1 - np.bincount(relaxed.demand, weights=use, minlength=n) + TURN * direction
        square = float(direction @ direction)
        if best.bound >= until(now) or square < 1e-12 or reach < least or time.perf_counter() > ends:
            break
        now = at_prices(relaxed, now.price + (best.bound + reach - now.bound) / square * direction)
        idle = 0 if now.bound > best.bound + 1e-6 * abs(best.bound) else idle + 1
        if now.bound > best.bound:
            best = now
        if idle >= PATIENCE:
            reach, idle, direction, now = reach / 1.6, 0, np.zeros(n), best
    return Ascent(best, is_open, steps, taken)


def shrink(relaxed: Relaxation, state: np.ndarray, arcs: np.ndarray) -> Relaxation:
    """The relaxation with some arcs, and with sites forced: those of a single arc, and their twins, are open."""
    arcs = arcs & (state[relaxed.site] != OUT)
    demand, site = relaxed.demand[arcs], relaxed.site[arcs]
    alone = np.bincount(demand, minlength=len(relaxed.weight))[demand] == 1
    forced = state.copy()
    forced[site[alone]] = MUST
    for side in (MUST, OUT):
        forced[np.isin(relaxed.twin, relaxed.twin[forced == side])] = side
    first = np.append(0, np.cumsum(arcs))[relaxed.first]
    return replace(relaxed, first=first, demand=demand, cost=relaxed.cost[arcs], state=forced)


def _together(groups: tuple[tuple[int, ...], ...], m: int) -> np.ndarray:
    """(n_site,) a number that linked sites share."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = [(a, b) for group in groups for a, b in pairwise(group)]
    a, b = np.array(ends, dtype=np.int64).reshape(-1, 2).T
    twin: np.ndarray = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(m, m)), directed=False)[1]
    return twin


def _nested(problem: LocationProblem) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The rules as nested counts, inner ones first; one that crosses a smaller one is left out."""
    m = problem.cost.shape[1]
    kept: list[tuple[frozenset[int], int, int]] = []
    touching: dict[int, list[int]] = {}
    for rule in sorted(rules_of(problem), key=lambda rule: len(set(rule.sites))):
        sites = frozenset(rule.sites)
        if all(kept[g][0] <= sites for g in {g for site in sites for g in touching.get(site, ())}):
            for site in sites:
                touching.setdefault(site, []).append(len(kept))
            kept.append((sites, rule.min, m if rule.max is None else rule.max))
    first = np.cumsum([0, *(len(sites) for sites, _, _ in kept)])
    member = np.array([site for sites, _, _ in kept for site in sorted(sites)], dtype=np.int64)
    least, most = (np.array([rule[k] for rule in kept], dtype=np.int64) for k in (1, 2))
    return first, member, least, most
