"""Open sites improved by closing, opening and exchanging them, each choice judged by its cheapest flow.

Where opening costs much, the sites that the relaxation opens most often are not the best to open together. What is found
is a valid answer, never a proof (local search for facility location: Kuehn and Hamburger 1963, Management Science 9:643).
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from planner.optimise.knapsack import FREE, MUST, OUT
from planner.optimise.lagrange import Point, Relaxation
from planner.optimise.problem import LocationProblem, LocationSolution
from planner.optimise.round import put
from planner.optimise.split import flow_at, share_out

MOST = 12  # sites to close, and as many to open, that are tried in each other's place


def exchanged(
    problem: LocationProblem, node: Relaxation, point: Point, best: LocationSolution | None, ends: float
) -> LocationSolution | None:
    """The best solution met on the way from one, until no move helps or the time is up.

    Parameters
    ----------
    node : what is left of the problem's relaxation
    point : prices by which moves are put in order
    best : where to begin; without one, with every site that may be open
    """
    here = node.state != OUT if best is None else best.open
    value = _value(node, here)
    helped = True
    while helped:
        helped = False
        for flip in _moves(node, point, here):
            if time.perf_counter() > ends:
                return best
            there = here ^ flip
            # Whole demand points may fit into a choice whose flow costs a little more.
            upper = value if best is None or not node.whole else max(value, best.objective)
            worth = _value(node, there, upper)
            if worth < upper - 1e-9 * abs(upper):
                best = around(problem, node, point, there, best)
            if worth < value - 1e-9 * abs(value):
                here, value, helped = there, worth, True
    return best


def _moves(node: Relaxation, point: Point, is_open: np.ndarray) -> Iterator[np.ndarray]:
    """(n_site,) sites that change: each alone, then pairs; those first that the prices speak for."""
    worth = node.fixed - point.gain
    first = np.unique(node.twin, return_index=True)[1]  # one for each group of sites that open together
    free = first[node.state[first] == FREE]
    free = free[np.argsort(worth[free], kind="stable")]
    opened, closed = free[is_open[free]][::-1], free[~is_open[free]]
    groups = {j: node.twin == node.twin[j] for j in free.tolist()}
    yield from (groups[j] for j in (*opened.tolist(), *closed.tolist()))
    yield from (groups[j] | groups[k] for j in opened[:MOST].tolist() for k in closed[:MOST].tolist())


def _value(node: Relaxation, is_open: np.ndarray, below: float = np.inf) -> float:
    """Opening and the cheapest flow, seats added in parts of steps; infinite where a count is broken or seats are short."""
    state = np.where(is_open, MUST, OUT)
    opening = float(node.fixed_cost[is_open].sum() + node.facility_cost[np.unique(node.facility[is_open])].sum())
    if opening >= below or not np.isfinite(node.chosen(np.zeros(len(state)), state)[0]):
        return np.inf
    flow = flow_at(node, is_open)
    return np.inf if flow is None else opening + flow.cost


def around(
    problem: LocationProblem, node: Relaxation, point: Point, is_open: np.ndarray, best: LocationSolution | None
) -> LocationSolution | None:
    """The solution with these open sites, where it is better than the best."""
    upper = np.inf if best is None else best.objective
    if node.whole:
        flow = flow_at(node, is_open)
        taken = np.zeros(len(node.demand))
        taken[flow.arcs] = flow.share
        found = put(problem, node, point, is_open, taken)
    else:
        shared = share_out(problem, node, is_open, upper)
        found = None if shared is None else shared.solution
    return best if found is None or found.objective >= upper else found
