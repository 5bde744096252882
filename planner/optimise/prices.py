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

ROOT_ROUNDS = 400
REACH = 0.1  # relative: the first steps at the root
FIRST_TRY, TRY_EVERY = 100, 20  # rounds of the root at which a solution is made from the prices
CEILING = 5e-4  # relative, above the bound: the first guess
RAISE = 2.0
ROWS_UP_TO = 4000  # arcs: where seats may be added, as many or fewer are left to the linear program's search

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
            if problem.whole and (problem.expansion is None or int(kept.arcs.sum()) > ROWS_UP_TO):
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
        import sys; print(f"  loop bound {bound:.2f} ceil {ceiling:.2f} upper {upper:.2f} arcs {kept.arcs.sum()} least {least:.2f} t {time.perf_counter()-began:.2f} cpu {time.process_time():.2f}", file=sys.stderr)
        bound = max(bound, least)
        above *= RAISE
    return _finished(problem, best, bound, gap, began, time.perf_counter() < ends)


def root(
    problem: LocationProblem, relaxed: Relaxation, gap: float, ends: float
) -> tuple[Point, LocationSolution | None]:
    """The best prices found, and the best solution seen on the way."""
    best: LocationSolution | None = None
    upper, seen = np.inf, 0

    def until(point: Point) -> float:
        nonlocal best, upper, seen
        seen += 1
        if seen >= FIRST_TRY and seen % TRY_EVERY == 0:
            tried = answer(problem, relaxed, point)
            if tried is not None and tried.objective < upper:
                best, upper = tried, tried.objective
        return upper - gap * abs(upper)

    price = first_prices(relaxed)
    point = ascend(relaxed, price, REACH * float(np.abs(price).sum()), ROOT_ROUNDS, until=until, ends=ends).best
    until(point)
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
