"""The Lagrangian relaxation of "everyone is served": a bound from prices, without any solver.

Each demand point pays a price to be served, as often as sites wish; what is left falls apart into a knapsack a site and
a choice of sites under counts (planner/optimise/knapsack.py). For any prices the optimum is at least the prices' sum
plus what the choice adds (Geoffrion 1974). Rows that this does not see, budgets and rules that cross, only make the
optimum larger, so the bound holds all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from planner.compiled import clock
from planner.optimise.items import NOISE
from planner.optimise.knapsack import FREE, MUST, OUT, SAFE, Climb, Sites, choose_all, climb, gains, shared
from planner.optimise.mip import rules_of
from planner.optimise.problem import LocationProblem, pairs

NEAR, LEAST = (
    8,
    0.1,
)  # a point's cheapest arcs, that tell how far its costs are apart; of the mean, what that is at least
FIRST, LOOK_S, MORE = 10, 0.1, 4.0  # rounds of a climb, then about how long, between two looks at the clock


@dataclass(frozen=True, eq=False)
class Relaxation:
    """A problem by sites; its parts are those of :class:`planner.optimise.knapsack.Sites`.

    Parameters
    ----------
    fixed_cost : (n_site,)
    facility, facility_cost : (n_site,), (n_facility,) the building of each site, and what each costs
    counts : parts, and nested counts of open sites
    whole : demand points are taken whole
    tilt : (n_site,) how far each of several sites that open together counts above their mean: 0 in all of such sites.
        Whatever it is, bounds are bounds; where counts name some of them, prices alone may not reach the best one
    """

    first: np.ndarray
    demand: np.ndarray
    cost: np.ndarray
    weight: np.ndarray
    spread: np.ndarray
    seats: np.ndarray
    step_seats: np.ndarray
    max_steps: np.ndarray
    step_cost: np.ndarray
    fixed_cost: np.ndarray
    facility: np.ndarray
    facility_cost: np.ndarray
    twin: np.ndarray
    state: np.ndarray
    counts: Counts
    whole: bool
    tilt: np.ndarray | float = 0.0

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

    @cached_property
    def sites(self) -> Sites:
        """The arrays of the compiled loops."""
        return Sites(
            self.first,
            self.demand,
            self.site,
            self.cost,
            self.weight,
            self.spread,
            self.seats,
            self.step_seats,
            self.max_steps,
            self.step_cost,
            self.fixed,
            self.state,
            self.twin,
            np.bincount(self.twin)[self.twin],
            *self.counts,
        )

    def steps_for(self, site: np.ndarray, load: np.ndarray) -> np.ndarray:
        """(n,) steps of seats that each of these sites needs for a load; infinite where there are not as many."""
        short, step = np.maximum(load - self.seats[site], 0.0), np.maximum(self.step_seats[site], NOISE)
        count = np.where(short > NOISE, np.ceil(short / step - NOISE), 0.0)
        return np.where(count <= self.max_steps[site], count, np.inf)

    @property
    def seats_at_most(self) -> float:
        """More seats than any choice of sites offers that keeps the counts, with all steps; -infinite without one."""
        return -self.chosen(-(self.seats + self.max_steps * self.step_seats))[0]

    def chosen(self, value: np.ndarray, state: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        """The least sum of ``value`` over a choice of sites, and the choice; ``state`` in place of the sites' own."""
        sites = self.sites if state is None else self.sites._replace(state=state)
        value = value.copy()
        shared(value, sites)
        value += self.tilt
        found = np.empty(len(value), dtype=np.int64)
        total = choose_all(value, sites, found)
        return total, found == MUST


@dataclass(frozen=True, eq=False)
class Point:
    """What one set of prices proves.

    Parameters
    ----------
    bound : no solution is better
    price : (n_demand,)
    gain, loose, seat_price : (n_site,) what each site takes in (:func:`planner.optimise.knapsack.gains`)
    """

    bound: float
    price: np.ndarray
    gain: np.ndarray
    loose: np.ndarray
    seat_price: np.ndarray


def relax(problem: LocationProblem) -> Relaxation:
    """The problem by sites."""
    m = problem.cost.shape[1]
    demand, site, cost = pairs(problem.cost)
    order = np.argsort(site, kind="stable")
    first = np.searchsorted(site[order], np.arange(m + 1))
    load = np.bincount(site, weights=problem.weight[demand], minlength=m)
    zero = np.zeros(m)
    expansion = problem.expansion
    most = zero
    if expansion is not None:
        useful = np.ceil(load / np.where(expansion.step_seats > 0, expansion.step_seats, np.inf))
        most = np.where(np.isfinite(problem.capacity), np.minimum(np.floor(expansion.max_steps), useful), 0.0)
    twin = together(problem.linked, m)
    state = np.full(m, FREE)
    state[np.isin(twin, twin[list(problem.forced_open)])] = MUST
    state[np.isin(twin, twin[list(problem.forced_closed)])] = OUT
    return Relaxation(
        first=first,
        demand=demand[order],
        cost=cost[order],
        weight=problem.weight,
        spread=_spread(demand, cost, len(problem.weight)),
        seats=np.minimum(problem.capacity, load),
        step_seats=zero if expansion is None else expansion.step_seats,
        max_steps=most,
        step_cost=zero if expansion is None else expansion.cost_per_step,
        fixed_cost=problem.fixed_cost,
        facility=problem.facility,
        facility_cost=problem.facility_cost,
        twin=twin,
        state=state,
        counts=_counts(problem),
        whole=problem.whole,
    )


def _spread(demand: np.ndarray, cost: np.ndarray, n: int) -> np.ndarray:
    """(n_demand,) how far each point's few cheapest costs are above the cheapest, 1 in the mean and never near 0."""
    order = np.lexsort((cost, demand))
    demand, cost = demand[order], cost[order]
    first = np.searchsorted(demand, np.arange(n))
    near = np.arange(len(demand)) - first[demand] < NEAR
    count, total = (np.bincount(demand[near], weights=at, minlength=n) for at in (None, cost[near]))
    apart = np.maximum(total / np.maximum(count, 1) - cost[first], 0.0) if n else total
    if not apart.any():  # where serving costs nothing, or the same everywhere
        return np.ones(n)
    return np.asarray(np.maximum(apart / apart.mean(), LEAST))


def at_prices(relaxed: Relaxation, price: np.ndarray) -> Point:
    """The relaxation solved at these prices."""
    return answered(relaxed, price)[0]


def answered(relaxed: Relaxation, price: np.ndarray) -> tuple[Point, np.ndarray]:
    """The relaxation solved at these prices, and (n_arc,) what each site, were it open, would take."""
    gain, loose, seat_price, steps = np.empty((4, len(relaxed.seats)))
    taken = np.empty(len(relaxed.demand))
    gains(relaxed.sites, price, relaxed.whole, gain, loose, seat_price, steps, taken)
    added = relaxed.chosen(relaxed.fixed - gain)[0]
    bound = float(price.sum()) + added - SAFE * float(np.abs(price).sum())
    return Point(bound, price, gain, loose, seat_price), taken


def first_prices(relaxed: Relaxation) -> np.ndarray:
    """(n_demand,) where a climb may begin: what a second way, or a part of a full site, would cost.

    Where serving costs nothing the second way alone: prices in proportion to weights would make every knapsack one of
    sums of weights, which takes a thousand times as long.
    """
    if not relaxed.cost.any():
        return second_costs(relaxed)
    return np.asarray(np.maximum(second_costs(relaxed), full_costs(relaxed)))


def second_costs(relaxed: Relaxation) -> np.ndarray:
    """(n_demand,) each point's second cheapest cost."""
    order = np.lexsort((relaxed.cost, relaxed.demand))
    start = np.searchsorted(relaxed.demand[order], np.arange(len(relaxed.weight)))
    count = np.bincount(relaxed.demand, minlength=len(relaxed.weight))
    return relaxed.cost[order][start + np.minimum(count - 1, 1)]


def full_costs(relaxed: Relaxation) -> np.ndarray:
    """(n_demand,) each point's least cost, with its part of what a full site with all its steps costs."""
    seats = relaxed.seats + relaxed.max_steps * relaxed.step_seats
    paid = np.maximum(relaxed.fixed, 0.0) + relaxed.max_steps * relaxed.step_cost
    price = np.full(len(relaxed.weight), np.inf)
    share = (paid / np.maximum(seats, 1e-9))[relaxed.site] * relaxed.weight[relaxed.demand]
    np.minimum.at(price, relaxed.demand, relaxed.cost + share)
    return price


def seat_costs(relaxed: Relaxation, point: Point) -> np.ndarray:
    """(n_arc,) each arc's cost, with what the seats that it takes are worth at a point."""
    worth = relaxed.cost + point.seat_price[relaxed.site] * relaxed.weight[relaxed.demand]
    return np.asarray(worth)


def nearest(relaxed: Relaxation, cost: np.ndarray, count: int) -> np.ndarray:
    """(n_arc,) whether the arc is one of its demand point's ``count`` of least ``cost`` to sites that may open."""
    order = np.lexsort((cost, relaxed.state[relaxed.site] == OUT, relaxed.demand))
    first = np.searchsorted(relaxed.demand[order], np.arange(len(relaxed.weight)))
    found: np.ndarray = relaxed.state[relaxed.site] != OUT
    found[order[np.arange(len(order)) - first[relaxed.demand[order]] >= count]] = False
    return found


class Ascent:
    """A climb to better prices, some rounds at a time (:func:`planner.optimise.knapsack.climb`).

    Parameters
    ----------
    reach : how far above the best bound the first steps aim
    """

    def __init__(self, relaxed: Relaxation, price: np.ndarray, reach: float) -> None:
        n, m, arcs = len(relaxed.weight), len(relaxed.seats), len(relaxed.demand)
        self.relaxed, self._least, self.goes_on = relaxed, 1e-3 * reach, True
        tally = np.array([-np.inf, -np.inf, reach, 0.0])
        gain, loose, seat_price, is_open, steps = np.zeros((5, m))
        self._at = Climb(
            price.copy(), np.zeros(n), tally, price.copy(), gain, loose, seat_price, is_open, steps, np.zeros(arcs)
        )

    @property
    def best(self) -> Point:
        """The best prices so far."""
        at = self._at
        return Point(float(at.tally[1]), *(part.copy() for part in (at.best_price, at.gain, at.loose, at.seat_price)))

    @property
    def open(self) -> np.ndarray:
        """(n_site,) how often the relaxation opened each of late."""
        return self._at.open

    @property
    def steps(self) -> np.ndarray:
        """(n_site,) how many steps it took on average."""
        return self._at.steps

    @property
    def taken(self) -> np.ndarray:
        """(n_arc,) how often it took each."""
        return self._at.taken

    def climb(self, rounds: int, goal: float, ends: float = np.inf) -> None:
        """So many rounds, or until the goal is reached, nothing helps, or the time is up; at least one at first."""
        some = FIRST
        while rounds > 0 and self.goes_on and (self._at.tally[0] == -np.inf or clock() < ends):
            began = clock()
            self.goes_on = climb(self.relaxed.sites, self._at, self.relaxed.whole, goal, self._least, min(rounds, some))
            rounds -= some
            some = max(1, int(some * min(LOOK_S / max(clock() - began, 1e-9), MORE)))

    def onto(self, smaller: Relaxation, kept: np.ndarray | slice) -> None:
        """Go on with fewer arcs, those ``kept``, and more sites decided."""
        self.relaxed, self.goes_on = smaller, True
        self._at = self._at._replace(taken=self._at.taken[kept])

    def again(self, reach: float) -> None:
        """From here on only what is found from now on counts: bounds on what was decided since."""
        self._at.tally[:] = [-np.inf, -np.inf, reach, 0.0]
        self._least, self.goes_on = 1e-3 * reach, True


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


def stepped(relaxed: Relaxation, fewest: np.ndarray, most: np.ndarray) -> Relaxation:
    """The relaxation with at least and at most so many more steps of seats at each site that opens."""
    return replace(
        relaxed,
        max_steps=np.subtract(most, fewest, dtype=np.float64),  # as of every problem: loops are compiled for one type
        seats=relaxed.seats + fewest * relaxed.step_seats,
        fixed_cost=relaxed.fixed_cost + fewest * relaxed.step_cost,
    )


def together(groups: tuple[tuple[int, ...], ...], m: int) -> np.ndarray:
    """(n_site,) a number that sites share which groups join."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = [(a, b) for group in groups for a, b in pairwise(group)]
    a, b = np.array(ends, dtype=np.int64).reshape(-1, 2).T
    twin: np.ndarray = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(m, m)), directed=False)[1]
    return twin


class Counts(NamedTuple):
    """The parts and counts of :class:`planner.optimise.knapsack.Sites`."""

    part_first: np.ndarray
    part_site: np.ndarray
    part_count: np.ndarray
    count_first: np.ndarray
    member: np.ndarray
    least: np.ndarray
    most: np.ndarray


def _counts(problem: LocationProblem) -> Counts:
    """The rules as nested counts; one that crosses a smaller one is left out."""
    m = problem.cost.shape[1]
    kept: list[tuple[frozenset[int], int, int]] = []
    touching: dict[int, list[int]] = {}
    for rule in sorted(rules_of(problem), key=lambda rule: len(set(rule.sites))):
        sites = frozenset(rule.sites)
        if sites and all(kept[g][0] <= sites for g in {g for site in sites for g in touching.get(site, ())}):
            for site in sites:
                touching.setdefault(site, []).append(len(kept))
            kept.append((sites, rule.min, m if rule.max is None else rule.max))
    part = together(tuple(tuple(sites) for sites, _, _ in kept), m)
    kept.sort(key=lambda count: (part[min(count[0])], len(count[0])))
    of_count = np.array([part[min(sites)] for sites, _, _ in kept], dtype=np.int64)
    numbers = np.arange(part.max(initial=-1) + 2)
    part_site = np.argsort(part, kind="stable")
    least, most = (np.array([rule[k] for rule in kept], dtype=np.int64) for k in (1, 2))
    return Counts(
        np.searchsorted(part[part_site], numbers),
        part_site,
        np.searchsorted(of_count, numbers),
        np.cumsum([0, *(len(sites) for sites, _, _ in kept)]),
        np.array([site for sites, _, _ in kept for site in sorted(sites)], dtype=np.int64),
        least,
        most,
    )
