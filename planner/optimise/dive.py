"""Prices and an answer where demand points are many: the surest is decided first, then prices are asked again.

At the best prices of a province a site in ten opens in some rounds and not in others, and what rounding makes of them
all at once is dear. So the surest are decided, prices move to what is left, and so on down (Joncour et al. 2010 call it
diving). The first rounds go far and need not be exact: they split demand points, and look at the nearest sites alone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from planner.compiled import clock
from planner.optimise.knapsack import FREE, MUST, OUT
from planner.optimise.lagrange import Ascent, Point, Relaxation, full_costs, shrink
from planner.optimise.problem import LocationProblem, LocationSolution
from planner.optimise.round import at_open

NEAR = 10  # sites that a demand point may go to while prices are looked for
REACH = 0.1  # relative: the first steps
FAR, SPLIT, WHOLE, EVERYWHERE = 40, 260, 150, 20  # rounds: of all pairs, of near ones split, then whole, of all again
STAGES, ROUNDS, LAST = 6, 20, 400  # of the way down, of each, and after the last
RESTART = 2e-3  # relative: the first steps of each stage
SURE = 0.45  # from a half: how often a site opens, or does not, that is decided at once


def dive(problem: LocationProblem, relaxed: Relaxation, ends: float) -> tuple[Point, LocationSolution | None]:
    """The best prices found for whole demand points, and an answer; None where none fits."""
    price, half = full_costs(relaxed), (clock() + ends) / 2
    ascent = Ascent(replace(relaxed, whole=False), price, REACH * float(np.abs(price).sum()), scaled=True)
    ascent.climb(FAR, np.inf, half)
    kept = nearest(relaxed, ascent.best, NEAR)
    near, few = np.flatnonzero(kept), shrink(relaxed, relaxed.state, kept)
    ascent.onto(replace(few, whole=False), near)
    ascent.climb(SPLIT, np.inf, half)
    ascent.onto(few, slice(None))
    ascent.climb(WHOLE, np.inf, half)
    known = Ascent(relaxed, ascent.best.price, RESTART * abs(ascent.best.bound), scaled=True)
    known.climb(EVERYWHERE, np.inf, half)
    for stage in range(STAGES):
        ascent.again(RESTART * abs(known.best.bound))
        ascent.climb(ROUNDS, np.inf, ends)
        state = decided(ascent, (stage + 1) / STAGES)
        kept = state[ascent.relaxed.site] != OUT
        ascent.onto(shrink(ascent.relaxed, state, kept), kept)
        near = near[kept]
    ascent.again(RESTART * abs(known.best.bound))
    ascent.climb(LAST, np.inf, ends)
    taken = np.zeros(len(relaxed.demand))
    taken[near] = ascent.taken
    below = replace(relaxed, state=ascent.relaxed.state)
    return known.best, at_open(problem, below, ascent.best, ascent.open, taken)


def nearest(relaxed: Relaxation, point: Point, count: int) -> np.ndarray:
    """(n_arc,) whether the arc is one of its demand point's cheapest, with what its site's seats are worth."""
    cost = relaxed.cost + point.seat_price[relaxed.site] * relaxed.weight[relaxed.demand]
    cost[relaxed.state[relaxed.site] == OUT] = np.inf
    order = np.lexsort((cost, relaxed.demand))
    first = np.searchsorted(relaxed.demand[order], np.arange(len(relaxed.weight)))
    found = np.zeros(len(order), dtype=bool)
    found[order] = np.arange(len(order)) - first[relaxed.demand[order]] < count
    found[cost == np.inf] = False
    return found


def decided(ascent: Ascent, part: float) -> np.ndarray:
    """(n_site,) the state of sites once the surest part of those that are free is decided.

    A site stays free where, without it, some demand point would be left without any.
    """
    node, often = ascent.relaxed, ascent.open
    state = node.state.copy()
    free = np.flatnonzero(state == FREE)
    sure = np.abs(often[free] - 0.5)
    surest = free[sure >= min(np.quantile(sure, 1.0 - part) if len(free) else 0.0, SURE)]
    _, is_open = node.chosen(0.5 - often)
    state[surest] = np.where(is_open[surest], MUST, OUT)
    lost = np.bincount(node.demand, weights=state[node.site] != OUT, minlength=len(node.weight)) == 0
    needed = np.unique(node.site[lost[node.demand]])
    state[needed] = node.state[needed]
    return state
