"""Open sites improved by closing, opening and exchanging them, each choice judged by its cheapest flow.

Where opening costs much, the sites that the relaxation opens most often are not the best to open together. What is
found is a valid answer, never a proof (local search for facility location: Kuehn and Hamburger 1963, Management Science
9:643; begun again from a shaken answer: Lourenço, Martin and Stützle 2003).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.compiled import clock
from planner.optimise.knapsack import FREE, MUST, OUT
from planner.optimise.lagrange import Point, Relaxation
from planner.optimise.problem import LocationProblem, LocationSolution
from planner.optimise.round import put
from planner.optimise.split import flow_at, share_out

MOST = 12  # sites to close, and as many to open, that are tried in each other's place
SHAKES = 6  # in a row that found nothing better
SHAKEN = 3  # sites closed, and as many opened, by one


def exchanged(
    problem: LocationProblem,
    node: Relaxation,
    point: Point,
    best: LocationSolution | None,
    *,
    ends: float,
    seed: int,
) -> LocationSolution | None:
    """The best solution met from one on, until neither a move nor shaking helps or the time is up.

    Parameters
    ----------
    node : what is left of the problem's relaxation
    point : prices by which moves are put in order
    best : where to begin; without one, with every site that may be open
    """
    rng = np.random.default_rng(seed)
    here = node.state != OUT if best is None else best.open
    best = _descended(problem, node, point, here, best or around(problem, node, point, here, None), ends)
    idle = 0
    while best is not None and idle < SHAKES and clock() < ends:
        found = _descended(problem, node, point, _shaken(node, best.open, rng), best, ends)
        idle = idle + 1 if found is best else 0
        best = found
    return best


def around(
    problem: LocationProblem, node: Relaxation, point: Point, is_open: np.ndarray, best: LocationSolution | None
) -> LocationSolution | None:
    """The solution with these open sites, as far as the node leaves them open, where it is better than the best."""
    is_open = (is_open & (node.state != OUT)) | (node.state == MUST)
    upper = np.inf if best is None else best.objective
    if node.whole:
        flow = flow_at(node, is_open)
        if flow is None:
            return best
        taken = np.zeros(len(node.demand))
        taken[flow.arcs] = flow.share
        found = put(problem, node, point, is_open, (taken,))
    else:
        shared = share_out(problem, node, is_open, upper)
        found = None if shared is None else shared.solution
    return best if found is None or found.objective >= upper else found


def _descended(
    problem: LocationProblem,
    node: Relaxation,
    point: Point,
    here: np.ndarray,
    best: LocationSolution | None,
    ends: float,
) -> LocationSolution | None:
    """The best solution met on the way from these open sites by moves that make flows cheaper."""
    value = _value(node, here, np.inf)
    helped = True
    while helped:
        helped = False
        for flip in _moves(node, point, here):
            if clock() > ends:
                return best
            there = here ^ flip
            # Whole demand points may fit into a choice whose flow costs a little more.
            upper = np.inf if best is None else max(value, best.objective)
            worth = _value(node, there, upper)
            if _is_less(worth, upper):
                best = around(problem, node, point, there, best)
            if _is_less(worth, value):
                here, value, helped = there, worth, True
    return best


def _is_less(one: float, other: float) -> bool:
    """Whether by more than the noise of adding."""
    return one < other - 1e-9 * abs(other) if np.isfinite(other) else one < other


def _moves(node: Relaxation, point: Point, is_open: np.ndarray) -> Iterator[np.ndarray]:
    """(n_site,) sites that change: each alone, then pairs; those first that the prices speak for."""
    worth = node.fixed - point.gain
    opened, closed = _undecided(node, is_open)
    opened = opened[np.argsort(-worth[opened], kind="stable")]
    closed = closed[np.argsort(worth[closed], kind="stable")]
    groups = {j: node.twin == node.twin[j] for j in (*opened.tolist(), *closed.tolist())}
    yield from groups.values()
    yield from (groups[j] | groups[k] for j in opened[:MOST].tolist() for k in closed[:MOST].tolist())


def _undecided(node: Relaxation, is_open: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Open sites, and closed ones, that may be either: one of each group that opens together."""
    first = np.unique(node.twin, return_index=True)[1]
    free = first[node.state[first] == FREE]
    return free[is_open[free]], free[~is_open[free]]


def _shaken(node: Relaxation, is_open: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """These open sites with a few closed and a few opened at random."""
    some = [rng.permutation(side)[:SHAKEN] for side in _undecided(node, is_open)]
    return np.asarray(is_open ^ np.isin(node.twin, node.twin[np.concatenate(some)]))


def _value(node: Relaxation, is_open: np.ndarray, below: float) -> float:
    """Opening and the cheapest flow, seats added in parts of steps; infinite where that keeps no count or no seats.

    It is infinite, too, where opening alone is not below what is asked for.
    """
    state = np.where(is_open, MUST, OUT)
    opening = float(node.fixed_cost[is_open].sum() + node.facility_cost[np.unique(node.facility[is_open])].sum())
    if opening >= below or not np.isfinite(node.chosen(np.zeros(len(state)), state)[0]):
        return np.inf
    flow = flow_at(node, is_open)
    return np.inf if flow is None else opening + flow.cost
