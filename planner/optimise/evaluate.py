"""Open sites that are given: who goes where and what it costs, without seats or within them."""

from __future__ import annotations

from typing import Any

import numpy as np

from planner.optimise.problem import LocationProblem, dense


def assign(problem: LocationProblem, is_open: np.ndarray) -> tuple[np.ndarray, float]:
    """Every demand point at its cheapest open site; seats, rules and budgets are not looked at.

    Parameters
    ----------
    is_open : (n_site,) bool

    Returns
    -------
    assignment : (n_demand,) site; -1 where no open site may serve it
    objective : NaN when a demand point is not served

    >>> problem = LocationProblem([[1.0, 3.0], [5.0, 2.0]], fixed_cost=[10, 20])
    >>> chosen, objective = assign(problem, np.array([True, False]))
    >>> chosen.tolist(), objective
    ([0, 0], 16.0)
    """
    from planner.optimise.median_kernels import nearest

    sets = _sets(problem, is_open, 1)
    chosen = np.empty(problem.cost.shape[0], dtype=np.int64)
    serving = nearest(dense(problem.cost), sets, chosen)
    return chosen, float(serving + _opening(problem, sets))


def objectives(problem: LocationProblem, sets: np.ndarray) -> np.ndarray:
    """Objectives of many open sets at once.

    Parameters
    ----------
    sets : (n_set, n_site) bool

    Returns
    -------
    (n_set,) as ``assign`` gives them

    >>> problem = LocationProblem([[1.0, 3.0], [5.0, 2.0]], fixed_cost=[10, 20])
    >>> objectives(problem, np.array([[True, False], [True, True], [False, False]])).tolist()
    [16.0, 33.0, nan]
    """
    from planner.optimise.median_kernels import serve_each

    sets = _sets(problem, sets, 2)
    costs = np.empty(len(sets))
    serve_each(*sorted_arcs(dense(problem.cost)), sets, costs)
    return np.asarray(costs + _opening(problem, sets))


def split_objective(problem: LocationProblem, is_open: np.ndarray) -> float:
    """The objective with these sites open, demand points split within the seats there are, without added steps.

    Rules and budgets are not looked at. Infinite when somebody has no open site or no seat.

    >>> problem = LocationProblem([[1.0, 4.0], [2.0, 3.0]], capacity=[1, 2], fixed_cost=[5, 5], whole=False)
    >>> [split_objective(problem, np.array(sites)) for sites in ([True, True], [False, True], [True, False])]
    [14.0, 12.0, inf]
    """
    from planner.optimise.flow import score

    return score(problem, _sets(problem, is_open, 1))


def sorted_arcs(cost: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Allowed pairs by demand point, the cheapest first: first arc (n_demand + 1,), site and cost (n_arc,)."""
    order = np.argsort(cost, axis=1, kind="stable")
    value = np.take_along_axis(cost, order, axis=1)
    allowed = ~np.isnan(value)
    return np.append(0, np.cumsum(allowed.sum(axis=1))), order[allowed], value[allowed]


def _opening(problem: LocationProblem, sets: np.ndarray) -> Any:
    """What open sites and their buildings cost, for one set (n_site,) or many (n_set, n_site)."""
    paid = sets @ problem.fixed_cost
    for building in np.flatnonzero(problem.facility_cost):
        paid = paid + problem.facility_cost[building] * sets[..., problem.facility == building].any(axis=-1)
    return paid


def _sets(problem: LocationProblem, given: np.ndarray, dimensions: int) -> np.ndarray:
    """Open sets as contiguous bool of the right shape."""
    sets = np.ascontiguousarray(given, dtype=np.bool_)
    m = problem.cost.shape[1]
    if sets.ndim != dimensions or sets.shape[-1] != m:
        needed = f"({m},)" if dimensions == 1 else f"(n_set, {m})"
        raise ValueError(f"open sites: have shape {sets.shape}, need {needed}")
    return sets
