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
from planner.optimise.lagrange import Ascent, Point, Relaxation, full_costs, nearest, seat_costs, shrink
from planner.optimise.problem import LocationProblem, LocationSolution
from planner.optimise.round import at_open

NEAR = 10  # sites that a demand point may go to while prices are looked for
REACH = 0.1  # relative: the first steps
FAR, SPLIT, WHOLE, EVERYWHERE = 40, 260, 150, 20  # rounds: of all pairs, of near ones split, then whole, of all again
UNTIL = 0.1, 0.3, 0.42, 0.5  # of the time, when each of these ends at the latest: none may take the time of the next
STAGES, ROUNDS, LAST = 6, 20, 400  # of the way down, of each, and after the last
DECIDING, AFTER = 0.35, 0.55  # of the time left, at most: for all stages, then for the rounds after; the rest places
RESTART = 1e-3  # relative: the first steps of each stage
SURE = 0.45  # from a half: how often a site opens, or does not, that is decided at once


def dive(problem: LocationProblem, relaxed: Relaxation, ends: float) -> tuple[Point, LocationSolution | None]:
    """The best prices found for whole demand points, and an answer; None where none fits."""
    began = clock()
    far, split, whole, everywhere = (began + share * (ends - began) for share in UNTIL)
    price = full_costs(relaxed)
    ascent = Ascent(replace(relaxed, whole=False), price, REACH * float(np.abs(price).sum()))
    ascent.climb(FAR, np.inf, far)
    kept = nearest(relaxed, seat_costs(relaxed, ascent.best), NEAR)
    few = shrink(relaxed, relaxed.state, kept)
    ascent.onto(replace(few, whole=False), kept)
    ascent.climb(SPLIT, np.inf, split)
    ascent.onto(few, slice(None))
    ascent.climb(WHOLE, np.inf, whole)
    known = Ascent(relaxed, ascent.best.price, RESTART * abs(ascent.best.bound))
    known.climb(EVERYWHERE, np.inf, everywhere)
    return known.best, down(problem, relaxed, ascent, np.flatnonzero(kept), ends)


def down(
    problem: LocationProblem,
    relaxed: Relaxation,
    ascent: Ascent,
    arcs: np.ndarray,
    ends: float,
    *,
    stages: int = STAGES,
    last: int = LAST,
) -> LocationSolution | None:
    """An answer from where prices stand: sites are decided stage by stage; None where demand points do not fit.

    Parameters
    ----------
    ascent : of some arcs of ``relaxed``; it goes on from here and is of no use afterwards
    arcs : (n_some,) which
    """
    reach = RESTART * abs(ascent.best.bound)
    until = _part_of(DECIDING, ends)
    for stage in range(stages):
        ascent.again(reach)
        ascent.climb(ROUNDS, np.inf, _part_of(1 / (stages - stage), until))
        state = decided(ascent, (stage + 1) / stages)
        kept = state[ascent.relaxed.site] != OUT
        ascent.onto(shrink(ascent.relaxed, state, kept), kept)
        arcs = arcs[kept]
    ascent.again(reach)
    ascent.climb(last, np.inf, _part_of(AFTER, ends))
    taken = np.zeros(len(relaxed.demand))
    taken[arcs] = ascent.taken
    below = replace(relaxed, state=ascent.relaxed.state)
    return at_open(problem, below, ascent.best, ascent.open, taken)


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


def _part_of(share: float, ends: float) -> float:
    """When a share of the time that is left will be over."""
    now = clock()
    return now + share * (ends - now)
