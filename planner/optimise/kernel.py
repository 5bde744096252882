"""The few sites that are ever worth opening, as a problem of their own.

Where seats are tight, rounding prices finds poor solutions, if any, and little is ruled out by what is far from the
bound. Yet most sites never open while prices move about the best ones (Angelelli, Mansini and Speranza 2010 call the
others a kernel, and search it first).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from planner.optimise.knapsack import MUST, OUT
from planner.optimise.lagrange import Ascent, Point, Relaxation, nearest, seat_costs, shrink
from planner.optimise.problem import LocationProblem, LocationSolution, some_pairs

ROUNDS = 150  # of the climb that tells which
REACH = 1e-3  # relative: its first steps
SELDOM = 0.02  # of the rounds: what opens less often is not worth opening
NEAR = 12  # sites that a demand point may go to
MOST = 0.6  # of the sites: more are not few


def kernel(
    problem: LocationProblem, relaxed: Relaxation, point: Point, best: LocationSolution | None, ends: float
) -> LocationProblem | None:
    """The problem with the sites that open near the best prices, and those of a solution; None where they are not few.

    Parameters
    ----------
    point : the best prices
    best : a solution; it is one of the kernel, too
    """
    ascent = Ascent(relaxed, point.price, REACH * abs(point.bound))
    ascent.climb(ROUNDS, np.inf, ends)
    some = (ascent.open > SELDOM) | (relaxed.state == MUST)
    if best is not None:
        some |= best.open
    if some.sum() > MOST * (relaxed.state != OUT).sum():
        return None
    few = shrink(relaxed, np.where(some, relaxed.state, OUT), np.ones(len(relaxed.demand), dtype=bool))
    kept = nearest(few, seat_costs(few, point), NEAR)
    if best is not None:
        used = best.shares.tocoo()
        pair = used.row * len(few.seats) + used.col
        kept |= np.isin(few.demand * len(few.seats) + few.site, pair)
    if (np.bincount(few.demand[kept], minlength=len(few.weight)) == 0).any():
        return None
    cost = some_pairs(problem.cost, few.demand[kept], few.site[kept])
    return replace(problem, cost=cost, forced_closed=tuple(np.flatnonzero(few.state == OUT).tolist()))
