"""A location problem solved, by what suits it: HiGHS, a tree of our own without seats, or prices with them.

Why each: docs/decisions/0004, 0007 and 0008.
"""

from __future__ import annotations

import dataclasses
import time

import numpy as np

from planner.optimise import median
from planner.optimise.answers import checked, serve_nearest, unsolved, valued
from planner.optimise.highs import by_rows
from planner.optimise.mip import INF
from planner.optimise.problem import (
    Budget,
    LocationProblem,
    LocationSolution,
    Terms,
    at_pairs,
    pairs,
    same_pairs,
    total,
)

PRICES_FROM = 10_000  # allowed pairs: as many repay compiling


def solve(problem: LocationProblem, *, gap: float = 0.0, time_limit_s: float = 60.0, seed: int = 0) -> LocationSolution:
    """The best solution, with a bound that no solution beats.

    Parameters
    ----------
    gap : relative gap to stop at; 0 proves the optimum
    time_limit_s : seconds in all; what is found by then is returned with its bound

    Returns
    -------
    LocationSolution : checked against every limit of the problem in plain numpy before it is returned

    Raises
    ------
    RuntimeError : the solver's answer fails that check (a fault of this program, never of the data)

    >>> problem = LocationProblem([[1.0, 9.0], [9.0, 2.0], [3.0, 4.0]], open_max=1)
    >>> solution = solve(problem)
    >>> solution.open.tolist(), solution.objective, solution.gap, solution.status
    ([True, False], 13.0, 0.0, 'optimal')
    """
    began = time.perf_counter()
    n, m = problem.cost.shape
    demand = pairs(problem.cost)[0]
    if n and (m == 0 or len(np.unique(demand)) < n):
        return unsolved(problem, "infeasible", time.perf_counter() - began)
    if len(demand) >= median.WORTH_COMPILING and median.carries(problem):
        sites = median.best_sites(problem, gap=gap, time_limit_s=time_limit_s, seed=seed)
        if sites is not None:
            return checked(problem, _at_nearest(problem, sites), gap, began)
        time_limit_s = max(time_limit_s - (time.perf_counter() - began), 0.5)
    if len(demand) >= PRICES_FROM and _priced(problem):
        from planner.optimise.prices import solve_by_prices  # loads what is compiled

        return solve_by_prices(problem, gap=gap, time_limit_s=time_limit_s, seed=seed)
    return by_rows(problem, gap=gap, time_limit_s=time_limit_s, seed=seed)


def _priced(problem: LocationProblem) -> bool:
    """Whether prices see all of the problem that matters: seats for whole demand points, and no budgets."""
    paid = problem.expansion is None or not (problem.expansion.cost_per_step < 0).any()
    return problem.whole and bool(np.isfinite(problem.capacity).any()) and paid and not problem.budgets


def solve_then(
    problem: LocationProblem, then: Terms, *, gap: float = 0.0, time_limit_s: float = 60.0, seed: int = 0
) -> tuple[LocationSolution, LocationSolution]:
    """Lexicographic: among solutions whose first objective is within the gap of the best, the least of ``then``.

    Returns
    -------
    first, second : both keep every limit; ``second.objective`` and ``bound`` are those of ``then``. Where the second
        finds nothing in time, its plan is the first's.

    >>> problem = LocationProblem([[1.0, 1.0]], open_max=1)
    >>> solve_then(problem, Terms(fixed=[5.0, 2.0]))[1].open.tolist()
    [False, True]
    """
    first = solve(problem, gap=gap, time_limit_s=time_limit_s, seed=seed)
    if first.status not in ("optimal", "feasible"):
        return first, first
    # "Within the gap": what was proven about the first objective stays true of the second plan.
    allowed = max(first.objective, first.bound + gap * abs(first.objective)) + 1e-7 * max(1.0, abs(first.objective))
    step = None if problem.expansion is None else dataclasses.replace(
        problem.expansion, cost_per_step=np.zeros_like(problem.fixed_cost) if then.step is None else then.step
    )  # fmt: skip
    demand, site, cost = pairs(problem.cost)
    serving = same_pairs(problem.cost, 0.0 * cost if then.cost is None else at_pairs(then.cost, demand, site))
    spend = problem.objective
    if not cost.any():
        spend = dataclasses.replace(spend, cost=None)
    second_problem = dataclasses.replace(
        problem,
        cost=serving,
        fixed_cost=then.fixed,
        facility_cost=then.facility,
        expansion=step,
        budgets=(*problem.budgets, Budget(spend, allowed, "first objective")),
    )
    # Only opening counts now and seats do not bind: given the open sites, the first objective's cheapest serve.
    free = then.cost is None and not np.isfinite(problem.capacity).any() and not problem.budgets
    asked = dataclasses.replace(second_problem, whole=False) if free else second_problem
    left = max(time_limit_s - first.seconds, 1.0)
    second = solve(asked, gap=gap, time_limit_s=left, seed=seed)
    if second.status not in ("optimal", "feasible"):
        value = total(second_problem, second_problem.objective, first)
        return first, dataclasses.replace(first, objective=value, bound=-INF, gap=INF, status="feasible")
    if free:
        second = dataclasses.replace(second, **serve_nearest(problem, second.open))
    return first, second


def _at_nearest(problem: LocationProblem, sites: median.Found) -> LocationSolution:
    """Open sites as a solution, everybody at the cheapest of them, the objective summed again in numpy."""
    m = problem.cost.shape[1]
    is_open = np.zeros(m, dtype=bool)
    is_open[sites.open] = True
    served = serve_nearest(problem, is_open)
    made = LocationSolution(
        is_open, **served, steps=np.zeros(m), objective=0.0, bound=sites.bound, gap=0.0, status="feasible", seconds=0.0
    )
    return valued(problem, made)
