"""Capacitated problems by prices: a Lagrangian bound, a guess at the optimum, and a proof about what the guess leaves.

Prices give a bound within a few parts in a thousand in a second. Whatever then beats a ceiling a little above the bound
uses few sites and arcs; those are searched exactly. Either the best solution is found and proven, or none is below the
ceiling, which is a bound itself, and the ceiling rises.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from planner.optimise import knapsack, settle
from planner.optimise.branch import answer, branch
from planner.optimise.lagrange import Point, Relaxation, ascend, first_prices, relax, shrink
from planner.optimise.problem import LocationProblem, LocationSolution
from planner.optimise.restrict import left, restricted

ROOT_ROUNDS = 60  # between two tries at a solution
ROOT_TRIES = 8
CEILING = 5e-4  # relative, above the bound: the first guess
RAISE = 4.0
ROWS_UP_TO = 4000  # arcs: as many or fewer are left to the linear program's search

Rows = Callable[..., LocationSolution]


def solve_by_prices(
    problem: LocationProblem, rows: Rows, *, gap: float, time_limit_s: float, seed: int
) -> LocationSolution:
    """The best solution and its bound.

    Parameters
    ----------
    rows : solves what is left exactly, as :func:`planner.optimise.exact.by_rows`
    """
    began = time.perf_counter()
    ends = began + time_limit_s
    relaxed = relax(problem)
    point, best = root(problem, relaxed, gap, began + 0.5 * time_limit_s)
    bound, upper, above = point.bound, np.inf if best is None else best.objective, CEILING
    while bound < upper - gap * abs(upper) and time.perf_counter() < ends:
        ceiling = min(upper, bound + above * max(abs(bound), 1e-9)) if above < 1 else upper
        kept = left(relaxed, point, ceiling)
        least = min(ceiling, upper)
        if (np.bincount(relaxed.demand[kept.arcs], minlength=len(problem.weight)) > 0).all():
            ask: dict[str, Any] = {"gap": gap, "time_limit_s": ends - time.perf_counter(), "seed": seed}
            if problem.whole and int(kept.arcs.sum()) > ROWS_UP_TO:
                found = branch(problem, shrink(relaxed, kept.state, kept.arcs), point.price, None, ceiling, gap=gap, ends=ends)
                tried, proven = found.best, found.bound
            else:
                tried = rows(restricted(problem, relaxed, kept), **ask)
                proven = {"infeasible": np.inf, "unknown": -np.inf}.get(tried.status, tried.bound)
            if tried is not None and tried.status in ("optimal", "feasible") and tried.objective < upper:
                best, upper = tried, tried.objective
            least = min(least, proven)
        if ceiling == np.inf and best is None:
            break
        bound = max(bound, least)
        above *= RAISE
    return _finished(problem, best, bound, gap, began, time.perf_counter() < ends)


def root(
    problem: LocationProblem, relaxed: Relaxation, gap: float, ends: float
) -> tuple[Point, LocationSolution | None]:
    """The best prices found, and the best solution seen on the way."""
    price = first_prices(relaxed)
    best: LocationSolution | None = None
    upper = np.inf
    for _ in range(ROOT_TRIES):
        point = ascend(relaxed, price, upper, ROOT_ROUNDS, until=upper * (1 - gap), ends=ends).best
        tried = answer(problem, relaxed, point)
        if tried is not None and tried.objective < upper:
            best, upper = tried, tried.objective
        if point.bound >= upper - gap * abs(upper) or time.perf_counter() > ends:
            break
        price = point.price
    return point, best


def _finished(
    problem: LocationProblem, best: LocationSolution | None, bound: float, gap: float, began: float, in_time: bool
) -> LocationSolution:
    """The solution with what was proven."""
    from scipy.sparse import csr_array

    seconds = time.perf_counter() - began
    if best is None:
        n, m = problem.cost.shape
        nan, nothing = float("nan"), csr_array((n, m), dtype=np.float64)
        status = "infeasible" if in_time else "unknown"
        return LocationSolution(np.zeros(m, bool), np.full(n, -1), nothing, np.zeros(m), nan, nan, nan, status, seconds)
    bound = min(bound, best.objective)
    apart = (best.objective - bound) / max(abs(best.objective), 1e-9)
    if apart <= 1e-7:
        bound, apart = best.objective, 0.0
    status = "optimal" if apart <= gap + 1e-9 else "feasible"
    return replace(best, bound=bound, gap=apart, status=status, seconds=seconds)


KERNELS = (*knapsack.KERNELS, *settle.KERNELS)
