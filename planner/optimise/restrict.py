"""What a bound and a known solution rule out: sites that stay as they are, and arcs that no better solution uses."""

from __future__ import annotations

import dataclasses

import numpy as np

from planner.optimise.knapsack import MUST, OUT, SAFE, force_each, shared
from planner.optimise.lagrange import Point, Relaxation
from planner.optimise.problem import LocationProblem


@dataclasses.dataclass(frozen=True, eq=False)
class Left:
    """What a better solution may still use.

    Parameters
    ----------
    state : (n_site,) sites that every better solution opens (``MUST``) or closes (``OUT``)
    arcs : (n_arc,) whether a better solution may use the arc, in the order of the relaxation
    """

    state: np.ndarray
    arcs: np.ndarray


def left(relaxed: Relaxation, point: Point, upper: float) -> Left:
    """What may be part of a solution better than ``upper``.

    A site: the relaxation with the site forced the other way is a bound on every solution that has it so. An arc from
    i to j: such a solution opens j, and j's knapsack holds i. With one price r for a seat, j gains at most ``loose``
    with i free, and at most ``loose - max(0, cost + r * weight - price)`` with i inside, since then i's own term,
    max(0, price - cost - r * weight), is price - cost - r * weight, whatever its sign. That speaks of whole demand
    points: of a split one, a small share over a dear arc may be part of the optimum, and only sites are ruled out.
    """
    base = float(point.price.sum()) - SAFE * float(np.abs(point.price).sum())
    opened, closed = np.empty((2, len(relaxed.seats)))
    value = relaxed.fixed - point.gain
    shared(value, relaxed.sites)
    force_each(value, relaxed.sites, opened, closed)
    opened, closed, state = opened + base, closed + base, relaxed.state.copy()
    state[closed > upper] = MUST
    state[opened > upper] = OUT
    site = relaxed.site
    if not relaxed.whole:
        return Left(state, state[site] != OUT)
    reduced = relaxed.cost + point.seat_price[site] * relaxed.weight[relaxed.demand] - point.price[relaxed.demand]
    at_least = opened[site] - (point.loose - point.gain)[site] + np.maximum(reduced, 0.0)
    return Left(state, (at_least <= upper) & (state[site] != OUT))


def restricted(problem: LocationProblem, relaxed: Relaxation, kept: Left) -> LocationProblem:
    """The problem with what is left."""
    from scipy.sparse import csr_array

    arcs = kept.arcs
    cost = csr_array((relaxed.cost[arcs], (relaxed.demand[arcs], relaxed.site[arcs])), shape=problem.cost.shape)
    return dataclasses.replace(
        problem,
        cost=cost,
        forced_open=tuple(np.flatnonzero(kept.state == MUST).tolist()),
        forced_closed=tuple(np.flatnonzero(kept.state == OUT).tolist()),
    )
