"""Solutions of split problems from what the relaxation by prices opens: given sites, flows are exact.

Seats are first added in parts of steps, which a flow can do; then in whole steps, each of which is tried without.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from planner.optimise.flow import cheapest
from planner.optimise.lagrange import Relaxation
from planner.optimise.problem import LocationProblem, LocationSolution, total, violations

LITTLE = 0.5  # of a last step, used: with more, it is not tried without


@dataclass(frozen=True, eq=False)
class Shared:
    """A way to share demand points out among open sites.

    Parameters
    ----------
    solution : None where a limit is broken that the flow does not see
    prices : some sets of prices (n_demand,) that prove flows the cheapest
    """

    solution: LocationSolution | None
    prices: tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class Flow:
    """The cheapest flow: arcs of the relaxation, what it costs with the seats added, loads, and its prices."""

    arcs: np.ndarray
    demand: np.ndarray
    site: np.ndarray
    share: np.ndarray
    cost: float
    load: np.ndarray
    price: np.ndarray


def share_out(problem: LocationProblem, node: Relaxation, is_open: np.ndarray, upper: float) -> Shared | None:
    """The best that was found with these open sites; None where their seats, with all steps, are short.

    Where the node leaves no steps to decide, nothing with these sites is better. What cannot be better than ``upper``
    is not looked at.
    """
    loose = flow_at(node, is_open)
    if loose is None:
        return None
    arcs = loose.arcs
    opening = float(node.fixed[is_open].sum())
    if opening + loose.cost >= upper:
        return Shared(None, (loose.price,))
    short = np.maximum(loose.load - node.seats, 0.0)
    steps = np.where(short > 1e-9, np.ceil(short / np.maximum(node.step_seats, 1e-12) - 1e-9), 0.0)
    best = _with_steps(node, arcs, steps) if steps.any() else loose
    if best is None:
        return None
    cost = best.cost + node.step_cost @ steps
    used = np.where(steps > 0, short / np.maximum(node.step_seats, 1e-12) - steps + 1, 1.0)
    for j in np.flatnonzero(used < LITTLE):
        fewer = steps.copy()
        fewer[j] -= 1
        tried = _with_steps(node, arcs, fewer)
        if tried is not None and tried.cost + node.step_cost @ fewer < cost:
            best, steps, cost = tried, fewer, tried.cost + node.step_cost @ fewer
    return Shared(at_shares(problem, is_open, best), (loose.price, best.price))


def flow_at(node: Relaxation, is_open: np.ndarray) -> Flow | None:
    """The cheapest flow with these open sites and parts of steps; None where their seats, with all steps, are short."""
    each = np.where(node.max_steps > 0, node.step_cost / np.maximum(node.step_seats, 1e-12), 0.0)
    return _flow(node, _arcs(node, is_open), node.seats, node.max_steps * node.step_seats, each)


def at_shares(problem: LocationProblem, is_open: np.ndarray, flow: Flow) -> LocationSolution | None:
    """The flow as a solution, with the steps of seats that it asks for; None where a limit is broken."""
    from scipy.sparse import csr_array

    n, m = problem.cost.shape
    kept = flow.share > 1e-9
    demand, site, share = flow.demand[kept], flow.site[kept], flow.share[kept]
    share = share / np.bincount(demand, weights=share, minlength=n)[demand]
    shares = csr_array((share, (demand, site)), shape=(n, m))
    load = np.bincount(site, weights=share * problem.weight[demand], minlength=m)
    steps = np.zeros(m)
    if problem.expansion is not None:
        short = np.maximum(load - problem.capacity, 0.0)
        some = (short > 1e-7) & (problem.expansion.step_seats > 0)
        steps[some] = np.ceil(short[some] / problem.expansion.step_seats[some] - 1e-7)
    order = np.lexsort((site, -share, demand))
    largest = site[order][np.unique(demand[order], return_index=True)[1]]
    found = LocationSolution(is_open, largest, shares, steps, 0.0, -np.inf, np.inf, "feasible", 0.0)
    if violations(problem, found):
        return None
    return replace(found, objective=total(problem, problem.objective, found))


def _arcs(node: Relaxation, is_open: np.ndarray) -> np.ndarray:
    """Arcs to open sites, by demand point."""
    some = np.flatnonzero(is_open[node.site])
    return some[np.argsort(node.demand[some], kind="stable")]


def _with_steps(node: Relaxation, arcs: np.ndarray, steps: np.ndarray) -> Flow | None:
    """The cheapest flow with whole steps of seats; their cost is not in it."""
    none = np.zeros(len(steps))
    return _flow(node, arcs, node.seats + steps * node.step_seats, none, none)


def _flow(node: Relaxation, arcs: np.ndarray, seats: np.ndarray, more: np.ndarray, each: np.ndarray) -> Flow | None:
    demand, site, cost = node.demand[arcs], node.site[arcs], node.cost[arcs]
    n, m = len(node.weight), len(node.seats)
    first = np.searchsorted(demand, np.arange(n + 1))
    share, seat_price = np.empty(len(arcs)), np.empty(m)
    spent = cheapest(first, site, cost, node.weight, seats, more, each, share, seat_price)
    if spent == np.inf:
        return None
    load = np.bincount(site, weights=share * node.weight[demand], minlength=m)
    price = np.full(n, np.inf)
    np.minimum.at(price, demand, cost + seat_price[site] * node.weight[demand])
    return Flow(arcs, demand, site, share, float(spent), load, price)
