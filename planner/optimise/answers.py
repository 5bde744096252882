"""Solutions made and checked: whoever found one, its objective is summed again in numpy and every limit is checked."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from planner.compiled import clock
from planner.optimise.problem import LocationProblem, LocationSolution, Status, pairs, value, violations

NOISE = 1e-7  # relative, of an objective of at least 1: below it, objective and bound are equal


def checked(problem: LocationProblem, found: LocationSolution, gap: float, began: float) -> LocationSolution:
    """The solution with its status and seconds, once it keeps every limit."""
    solution = dataclasses.replace(found, seconds=clock() - began)
    if faults := violations(problem, solution):
        raise RuntimeError(f"the solver's answer breaks the problem: {'; '.join(faults)}")
    status: Status = "optimal" if solution.gap <= gap + 1e-9 else "feasible"
    return dataclasses.replace(solution, status=status)


def serve_nearest(problem: LocationProblem, is_open: np.ndarray) -> dict[str, Any]:
    """Every demand point at its cheapest open site."""
    from scipy.sparse import csr_array

    n, m = problem.cost.shape
    demand, site, cost = pairs(problem.cost)
    some = is_open[site]
    order = np.lexsort((cost[some], demand[some]))
    row, first = np.unique(demand[some][order], return_index=True)
    best = np.full(n, -1)
    best[row] = site[some][order][first]
    return {"assignment": best, "shares": csr_array((np.ones(n), (np.arange(n), best)), shape=(n, m))}


def valued(problem: LocationProblem, made: LocationSolution) -> LocationSolution:
    """The solution with its objective, and its gap to the bound it has."""
    objective = value(problem, made)
    bound = min(made.bound, objective)
    gap = (objective - bound) / max(abs(objective), 1e-9)
    if objective - bound <= NOISE * max(abs(objective), 1.0):
        bound, gap = objective, 0.0
    return dataclasses.replace(made, objective=objective, bound=bound, gap=gap)


def unsolved(problem: LocationProblem, status: Status, seconds: float) -> LocationSolution:
    """Nobody served, with why."""
    from scipy.sparse import csr_array

    n, m = problem.cost.shape
    nan = float("nan")
    nothing = csr_array((n, m), dtype=np.float64)
    return LocationSolution(
        np.zeros(m, dtype=bool), np.full(n, -1), nothing, np.zeros(m), nan, nan, nan, status, seconds
    )
