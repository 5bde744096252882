"""What a bound and a known solution rule out: openings, steps of seats, and arcs that no better solution uses."""

from __future__ import annotations

import dataclasses

import numpy as np

from planner.compiled import compiled
from planner.optimise.items import fill
from planner.optimise.knapsack import MUST, OUT, SAFE, Sites, force_each, shared
from planner.optimise.lagrange import Point, Relaxation
from planner.optimise.problem import LocationProblem


@dataclasses.dataclass(frozen=True, eq=False)
class Left:
    """What a better solution may still use.

    Parameters
    ----------
    state : (n_site,) sites that every better solution opens (``MUST``) or closes (``OUT``)
    arcs : (n_arc,) whether a better solution may use the arc, in the order of the relaxation
    fewest, most : (n_site,) steps of seats that every better solution adds at least, and at most, where the site opens
    """

    state: np.ndarray
    arcs: np.ndarray
    fewest: np.ndarray
    most: np.ndarray


def left(relaxed: Relaxation, point: Point, upper: float) -> Left:
    """What may be part of a solution better than ``upper``.

    A site: the relaxation with the site forced the other way is a bound on every solution that has it so. An arc from
    i to j: such a solution opens j, and j's knapsack holds i. With one price r for a seat, j gains at most ``loose``
    with i free, and at most ``loose - max(0, cost + r * weight - price)`` with i inside, since then i's own term,
    max(0, price - cost - r * weight), is price - cost - r * weight, whatever its sign. That speaks of whole demand
    points: of a split one, a small share over a dear arc may be part of the optimum, and only arcs of closed sites go.
    Steps: with another number of them than the best a site gains less, and the bound rises by the difference.
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
    fewest, most = _steps(relaxed, point, opened, upper)
    if not relaxed.whole:
        return Left(state, state[site] != OUT, fewest, most)
    reduced = relaxed.cost + point.seat_price[site] * relaxed.weight[relaxed.demand] - point.price[relaxed.demand]
    at_least = opened[site] - (point.loose - point.gain)[site] + np.maximum(reduced, 0.0)
    return Left(state, (at_least <= upper) & (state[site] != OUT), fewest, most)


def _steps(relaxed: Relaxation, point: Point, opened: np.ndarray, upper: float) -> tuple[np.ndarray, np.ndarray]:
    """(n_site,) the fewest and the most steps with which a better solution may open each site."""
    count = int(relaxed.max_steps.max(initial=0)) + 1
    gain = np.full((len(opened), count), -np.inf)
    gains_by_steps(relaxed.sites, point.price, gain)
    may = np.arange(count) <= relaxed.max_steps[:, None]
    better = may & (opened[:, None] + point.gain[:, None] - gain <= upper)
    better = np.where(better.any(axis=1, keepdims=True), better, may)
    return np.argmax(better, axis=1), count - 1 - np.argmax(better[:, ::-1], axis=1)


@compiled
def gains_by_steps(sites: Sites, price: np.ndarray, gain: np.ndarray) -> None:
    """What each site takes in at these prices with every number of steps, parts of demand points allowed.

    Parameters
    ----------
    gain : (n_site, steps + 1) set up to the site's ``max_steps``
    """
    longest = 0
    for j in range(len(sites.first) - 1):
        longest = max(longest, sites.first[j + 1] - sites.first[j])
    rank, size, profit = np.empty(longest), np.empty(longest), np.empty(longest)
    for j in range(len(sites.first) - 1):
        count = 0
        for a in range(sites.first[j], sites.first[j + 1]):
            i = sites.demand[a]
            more = price[i] - sites.cost[a]
            if more > 0.0:
                profit[count], size[count] = more, sites.weight[i]
                rank[count] = -more / sites.weight[i] if sites.weight[i] > 0.0 else -np.inf
                count += 1
        order = np.argsort(rank[:count])
        p, w = profit[:count][order], size[:count][order]
        for s in range(int(sites.max_steps[j]) + 1):
            value, _ = fill(w, p, len(order), sites.seats[j] + s * sites.step_seats[j])
            gain[j, s] = value - s * sites.step_cost[j]


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
