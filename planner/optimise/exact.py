"""Exact solving with HiGHS: the relaxation is tightened in rounds, then branch and bound proves the optimum.

Large problems without seats go to ``median`` instead (docs/decisions/0007).

Sources: the p-median program of ReVelle and Swain 1970; strong rows of Balinski 1965, added when violated.
"""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np

from planner.optimise import median
from planner.optimise.mip import INF, Mip, build
from planner.optimise.problem import Budget, LocationProblem, LocationSolution, Status, Terms, total, violations

VIOLATION = 1e-6
NOISE = 1e-7  # relative: below it, objective and bound are equal
MOST_ROUNDS = 60
ROUNDS_SHARE = 0.6  # of the time, at most: branch and bound needs some to find a solution


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
    if n and (m == 0 or np.isnan(problem.cost).all(axis=1).any()):
        return _unsolved(problem, "infeasible", time.perf_counter() - began)
    if problem.cost.size >= median.WORTH_COMPILING and median.carries(problem):
        sites = median.best_sites(problem, gap=gap, time_limit_s=time_limit_s, seed=seed)
        if sites is not None:
            return _checked(problem, _at_nearest(problem, sites), gap, began)
        time_limit_s = max(time_limit_s - (time.perf_counter() - began), 0.5)
    mip = build(problem)
    relaxed = Highs(mip, seed)
    strong = np.zeros(0, dtype=np.int64)
    rounds, proven = 0, -INF
    rounds_end = began + ROUNDS_SHARE * time_limit_s
    while rounds < MOST_ROUNDS and relaxed.run(rounds_end - time.perf_counter()) == "optimal":
        proven = relaxed.objective  # every round's relaxation bounds the problem from below
        broken = relaxed.broken_arcs()
        if len(broken) == 0:
            break
        relaxed.tighten(broken)
        strong = np.append(strong, broken)
        rounds += 1
    # A model of its own, without a start: from one that is optimal, HiGHS 1.16 reports an objective without the offset
    # that its presolve took out (docs/decisions/0004).
    solver = Highs(mip, seed, gap=gap)
    solver.tighten(strong)
    state = solver.run(max(time_limit_s - (time.perf_counter() - began), 0.5))
    if solver.values is None:
        return _unsolved(problem, "infeasible" if state == "infeasible" else "unknown", time.perf_counter() - began)
    found = _read(problem, mip, solver.values, max(solver.bound, proven))
    if not np.isclose(float(mip.cost @ solver.values), solver.objective, rtol=1e-6, atol=1e-4):
        raise RuntimeError("the solver's objective is not the sum of its own solution")
    return _checked(problem, dataclasses.replace(found, rounds=rounds), gap, began)


def _checked(problem: LocationProblem, found: LocationSolution, gap: float, began: float) -> LocationSolution:
    """The solution with its status and seconds, once it keeps every limit."""
    solution = dataclasses.replace(found, seconds=time.perf_counter() - began)
    if faults := violations(problem, solution):
        raise RuntimeError(f"the solver's answer breaks the problem: {'; '.join(faults)}")
    status: Status = "optimal" if solution.gap <= gap + 1e-9 else "feasible"
    return dataclasses.replace(solution, status=status)


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
    zero = np.where(np.isnan(problem.cost), np.nan, 0.0)
    serving = zero if then.cost is None else np.where(np.isnan(problem.cost), np.nan, np.asarray(then.cost))
    spend = problem.objective
    if not np.nan_to_num(problem.cost).any():
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
        second = dataclasses.replace(second, **_serve_nearest(problem, second.open))
    return first, second


def _serve_nearest(problem: LocationProblem, is_open: np.ndarray) -> dict[str, Any]:
    """Every demand point at its cheapest open site."""
    from scipy.sparse import csr_array

    n, m = problem.cost.shape
    best = np.nanargmin(np.where(is_open[None, :], problem.cost, np.nan), axis=1) if n else np.zeros(0, dtype=np.int64)
    return {"assignment": best, "shares": csr_array((np.ones(n), (np.arange(n), best)), shape=(n, m))}


def _at_nearest(problem: LocationProblem, sites: median.Found) -> LocationSolution:
    """Open sites as a solution, everybody at the cheapest of them, the objective summed again in numpy."""
    m = problem.cost.shape[1]
    is_open = np.zeros(m, dtype=bool)
    is_open[sites.open] = True
    served = _serve_nearest(problem, is_open)
    made = LocationSolution(
        is_open, **served, steps=np.zeros(m), objective=0.0, bound=sites.bound, gap=0.0, status="feasible", seconds=0.0
    )
    return _valued(problem, made)


def _valued(problem: LocationProblem, made: LocationSolution) -> LocationSolution:
    """The solution with its objective, and its gap to the bound it has."""
    objective = total(problem, problem.objective, made)
    bound = min(made.bound, objective)
    gap = (objective - bound) / max(abs(objective), 1e-9)
    if gap <= NOISE:
        bound, gap = objective, 0.0
    return dataclasses.replace(made, objective=objective, bound=bound, gap=gap)


class Highs:
    """One HiGHS model: the relaxation without ``gap``, the mixed-integer program with one."""

    def __init__(self, mip: Mip, seed: int, *, gap: float | None = None) -> None:
        import highspy
        from highspy._core import _Highs

        self.values: np.ndarray | None = None
        self.objective = self.bound = float("nan")
        self._at = mip.layout
        self._mip = gap is not None
        self._h: Any = _Highs()  # highspy.Highs() prints a banner to stdout, where results go
        for option, value in {
            "output_flag": False,
            "random_seed": seed,
            "threads": 1,
            "mip_rel_gap": gap or 0.0,
            "mip_abs_gap": 1e-6 if gap else 1e-9,
            "mip_feasibility_tolerance": 1e-7,
            "primal_feasibility_tolerance": 1e-8,
        }.items():
            self._h.setOptionValue(option, value)
        empty = np.zeros(0, dtype=np.int32)
        self._h.addCols(self._at.size, mip.cost, mip.lower, mip.upper, 0, empty, empty, np.zeros(0))
        lower, upper, starts, column, values = mip.rows.arrays()
        self._h.addRows(len(lower), lower, upper, len(column), starts, column, values)
        if self._mip:
            whole = np.flatnonzero(mip.whole).astype(np.int32)
            integer = np.full(len(whole), int(highspy.HighsVarType.kInteger), dtype=np.uint8)
            self._h.changeColsIntegrality(len(whole), whole, integer)

    def run(self, time_limit_s: float) -> str:
        """Solve: ``optimal``, ``infeasible`` or ``unknown``; ``values`` is None without a solution."""
        import highspy

        self.values = None
        if time_limit_s <= 0:
            return "unknown"
        self._h.setOptionValue("time_limit", self._h.getRunTime() + time_limit_s)
        self._h.run()
        state, info = self._h.getModelStatus(), self._h.getInfo()
        if state == highspy.HighsModelStatus.kModelEmpty:
            self.values, self.objective, self.bound = np.zeros(self._at.size), 0.0, 0.0
            return "optimal"
        if state == highspy.HighsModelStatus.kInfeasible:
            return "infeasible"
        if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
            self.values = np.array(self._h.getSolution().col_value)
            self.objective = info.objective_function_value
            self.bound = info.mip_dual_bound if self._mip else self.objective
        return "optimal" if state == highspy.HighsModelStatus.kOptimal else "unknown"

    def bound_column(self, column: int, lower: float, upper: float) -> None:
        """New limits of one variable; the last answer is where the next run starts."""
        self._h.changeColBounds(column, lower, upper)

    def reduced_costs(self) -> np.ndarray:
        """What one more of each variable would add to the last relaxation's objective."""
        return np.array(self._h.getSolution().col_dual)

    def broken_arcs(self) -> np.ndarray:
        """Arcs above their site's opening in the last solution."""
        if self.values is None:
            return np.zeros(0, dtype=np.int64)
        arcs = self.values[: self._at.open0]
        return np.flatnonzero(arcs > self.values[self._at.open0 + self._at.site] + VIOLATION)

    def tighten(self, arcs: np.ndarray) -> None:
        """Add the rows ``arc <= open`` of these arcs."""
        count = len(arcs)
        column = np.column_stack([arcs, self._at.open0 + self._at.site[arcs]]).ravel().astype(np.int32)
        starts = np.arange(0, 2 * count, 2, dtype=np.int32)
        values = np.tile([1.0, -1.0], count)
        self._h.addRows(count, np.full(count, -INF), np.zeros(count), 2 * count, starts, column, values)


def _read(problem: LocationProblem, mip: Mip, values: np.ndarray, bound: float) -> LocationSolution:
    """The solver's numbers as a solution, its objective summed again in numpy."""
    from scipy.sparse import csr_array

    at = mip.layout
    n, m = problem.cost.shape
    is_open = values[at.open0 : at.open0 + m] > 0.5
    share = values[: at.open0]
    if problem.whole and mip.whole[: at.open0].all():
        kept = share > 0.5
        share = np.ones_like(share)
    elif problem.whole:
        found = _serve_nearest(problem, is_open)
        kept = np.zeros(at.open0, dtype=bool)
        kept[found["assignment"][at.demand] == at.site] = True
        share = np.ones_like(share)
    else:
        kept = (share > 1e-9) & is_open[at.site]
        sums = np.bincount(at.demand[kept], weights=share[kept], minlength=n)
        share = share / np.maximum(sums, 1e-12)[at.demand]
    shares = csr_array((share[kept], (at.demand[kept], at.site[kept])), shape=(n, m))
    assignment = np.full(n, -1)
    order = np.lexsort((at.site[kept], -share[kept], at.demand[kept]))
    row, first = np.unique(at.demand[kept][order], return_index=True)
    assignment[row] = at.site[kept][order][first]
    steps = np.zeros(m)
    steps[at.stepped] = np.round(values[at.step0 :])
    return _valued(problem, LocationSolution(is_open, assignment, shares, steps, 0.0, bound, 0.0, "feasible", 0.0))


def _unsolved(problem: LocationProblem, status: Status, seconds: float) -> LocationSolution:
    from scipy.sparse import csr_array

    n, m = problem.cost.shape
    nan = float("nan")
    nothing = csr_array((n, m), dtype=np.float64)
    return LocationSolution(
        np.zeros(m, dtype=bool), np.full(n, -1), nothing, np.zeros(m), nan, nan, nan, status, seconds
    )
