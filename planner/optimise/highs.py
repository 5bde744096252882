"""Exact solving with HiGHS: the relaxation is tightened in rounds, then branch and bound proves the optimum.

Sources: the p-median program of ReVelle and Swain 1970; strong rows of Balinski 1965, added when violated.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from planner.compiled import clock
from planner.optimise.answers import NOISE, checked, serve_nearest, unsolved, valued
from planner.optimise.mip import INF, Layout, Mip, Rows, build, growing, separating
from planner.optimise.pieces import grown, separators
from planner.optimise.problem import LocationProblem, LocationSolution, violations

VIOLATION = 1e-6
MOST_ROUNDS = 60
ROUNDS_SHARE = 0.6  # of the time, at most: branch and bound needs some to find a solution


@dataclasses.dataclass(frozen=True, eq=False)
class Tightened:
    """The program with the rows that its relaxation asked for.

    Parameters
    ----------
    strong : arcs whose row ``arc <= open`` was added, in ``rounds`` rounds
    bound : the relaxation's; infinite where even that has no solution, -infinite where none was found in time
    reduced : (n_variable,) its reduced costs
    opened : (n_site,) how much of each site it opens
    """

    mip: Mip
    strong: np.ndarray
    rounds: int
    bound: float
    reduced: np.ndarray
    opened: np.ndarray

    def held(self, ceiling: float) -> Tightened:
        """The program without what nothing at or below the ceiling uses: variables stand still, every row stays."""
        at = self.mip.layout
        slack = ceiling - self.bound + 1e-6 * max(1.0, abs(self.bound))
        lower, upper = self.mip.lower.copy(), self.mip.upper.copy()
        may = self.mip.whole & (np.arange(at.size) < at.facility0)  # a small share may be dear
        upper[may & (self.reduced > slack) & (lower == 0)] = 0
        lower[may & (self.reduced < -slack) & (upper == 1)] = 1
        return dataclasses.replace(self, mip=dataclasses.replace(self.mip, lower=lower, upper=upper))


def by_rows(problem: LocationProblem, *, gap: float, time_limit_s: float, seed: int) -> LocationSolution:
    """The best solution by HiGHS: rows in rounds, then branch and bound."""
    began = clock()
    tightened = tighten(problem, time_limit_s=ROUNDS_SHARE * time_limit_s, seed=seed)
    left_s = max(time_limit_s - (clock() - began), 0.5)
    found = branch_and_bound(problem, tightened, gap=gap, time_limit_s=left_s, seed=seed)
    return dataclasses.replace(found, seconds=clock() - began)


def tighten(problem: LocationProblem, *, time_limit_s: float, seed: int) -> Tightened:
    """The relaxation solved again and again, each time with the rows that the last solution broke."""
    ends = clock() + time_limit_s
    mip = build(problem)
    relaxed = Highs(mip, seed)
    strong = np.zeros(0, dtype=np.int64)
    at = mip.layout
    rounds, proven, reduced, opened = 0, -INF, np.zeros(at.size), np.ones(at.facility0 - at.open0)
    while rounds < MOST_ROUNDS and (state := relaxed.run(ends - clock())) != "unknown":
        if state == "infeasible":
            return Tightened(mip, strong, rounds, INF, reduced, opened)
        # Every round's relaxation bounds the problem from below.
        proven, reduced = relaxed.objective, relaxed.reduced_costs()
        if relaxed.values is not None:
            opened = relaxed.values[at.open0 : at.facility0]
        broken, late = relaxed.broken_arcs(), mip.late_rows(relaxed.values, VIOLATION)
        late.take(_in_pieces(problem, mip.layout, relaxed.values))
        if len(broken) == 0 and not late.lower:
            break
        relaxed.tighten(broken)
        relaxed.add(late)
        mip.rows.take(late)
        strong = np.append(strong, broken)
        rounds += 1
    return Tightened(mip, strong, rounds, proven, reduced, opened)


def branch_and_bound(
    problem: LocationProblem,
    tightened: Tightened,
    *,
    gap: float,
    time_limit_s: float,
    seed: int,
    ceiling: float = INF,
    known: LocationSolution | None = None,
    grow: bool = True,
) -> LocationSolution:
    """The program proven, or what is known of it when the time is up.

    Parameters
    ----------
    ceiling : nothing above it is looked for: infeasible where nothing is at or below it and nothing is known
    known : a solution; what is better and at or below the ceiling, if anything, has to be part of the program
    grow : where the first solution has catchments in several pieces, grow some in one, so that there is a plan
    """
    began = clock()
    if tightened.bound == INF:
        return unsolved(problem, "infeasible", clock() - began)
    mip, rounds, proven = tightened.mip, tightened.rounds, tightened.bound
    best, left = known, time_limit_s
    while left > 0:
        # A model of its own, without a start: from one that is optimal, HiGHS 1.16 reports an objective without the
        # offset that its presolve took out (docs/decisions/0004).
        solver = Highs(mip, seed, gap=gap)
        solver.tighten(tightened.strong)
        state = solver.run(max(left, 0.5))
        proven = INF if state == "infeasible" else max(proven, solver.bound)
        if proven > ceiling + NOISE * max(abs(ceiling), 1.0) or proven == INF:
            if known is None:
                return unsolved(problem, "infeasible", clock() - began)
            proven = min(ceiling, known.objective)
            break
        if solver.values is None:
            break
        found = _read(problem, mip, solver.values, proven)
        if not np.isclose(float(mip.cost @ solver.values), solver.objective, rtol=1e-6, atol=1e-4):
            raise RuntimeError("the solver's objective is not the sum of its own solution")
        more = mip.late_rows(np.where(mip.whole, np.round(solver.values), solver.values), 10 * VIOLATION)
        in_pieces = _in_pieces(problem, mip.layout, np.round(solver.values))
        if not more.lower and not in_pieces.lower:
            best = found if best is None or found.objective < best.objective else best
            break
        left = time_limit_s - (clock() - began)
        if grow and in_pieces.lower and best is None and not more.lower:
            best = _grown(problem, tightened, found, gap, 0.5 * left, seed)
        if best is not None and best.objective - proven <= gap * abs(best.objective):
            break
        more.take(in_pieces)
        mip.rows.take(more)
        rounds += 1
        left = time_limit_s - (clock() - began)
    if best is None:
        return unsolved(problem, "unknown", clock() - began)
    return checked(problem, valued(problem, dataclasses.replace(best, bound=proven, rounds=rounds)), gap, began)


def _in_pieces(problem: LocationProblem, at: Layout, values: np.ndarray | None) -> Rows:
    """Rows against what a solution, a relaxed one as well, breaks of catchments in one piece."""
    if values is None:
        return Rows()
    return separating(at, separators(problem, at.demand, at.site, values[: at.open0]))


def _grown(
    problem: LocationProblem, tightened: Tightened, found: LocationSolution, gap: float, time_limit_s: float, seed: int
) -> LocationSolution | None:
    """A solution whose catchments grow from pieces of one whose are in several; None where none is found."""
    mip, at = tightened.mip, tightened.mip.layout
    rows = dataclasses.replace(mip.rows, **{name: list(part) for name, part in vars(mip.rows).items()})
    rows.take(growing(at, grown(problem.side.touching, found.assignment)))  # type: ignore[union-attr]
    solver = Highs(dataclasses.replace(mip, rows=rows), seed, gap=gap)
    solver.tighten(tightened.strong)
    solver.run(time_limit_s)
    if solver.values is None:
        return None
    made = _read(problem, mip, solver.values, tightened.bound)
    return None if violations(problem, made) else made


def model(**options: Any) -> Any:
    """An empty HiGHS model that says nothing and runs in one thread."""
    from highspy._core import _Highs

    made = _Highs()  # highspy.Highs() prints a banner to stdout, where results go
    for option, value in {"output_flag": False, "threads": 1, **options}.items():
        made.setOptionValue(option, value)
    return made


@dataclasses.dataclass(frozen=True, eq=False)
class Start:
    """How many rows a model had, and its basis then."""

    rows: int
    basis: Any


class Highs:
    """One HiGHS model: the relaxation without ``gap``, the mixed-integer program with one."""

    def __init__(self, mip: Mip, seed: int, *, gap: float | None = None) -> None:
        import highspy

        self.values: np.ndarray | None = None
        self.objective = self.bound = float("nan")
        self._at = mip.layout
        self._mip = gap is not None
        self._h = model(
            random_seed=seed,
            mip_rel_gap=gap or 0.0,
            mip_abs_gap=1e-6 if gap else 1e-9,
            mip_feasibility_tolerance=1e-7,
            primal_feasibility_tolerance=1e-8,
        )
        empty = np.zeros(0, dtype=np.int32)
        self._h.addCols(self._at.size, mip.cost, mip.lower, mip.upper, 0, empty, empty, np.zeros(0))
        self.add(mip.rows)
        if self._mip:
            whole = np.flatnonzero(mip.whole).astype(np.int32)
            integer = np.full(len(whole), int(highspy.HighsVarType.kInteger), dtype=np.uint8)
            self._h.changeColsIntegrality(len(whole), whole, integer)

    def run(self, time_limit_s: float) -> str:
        """Solve: ``optimal``, ``infeasible`` or ``unknown``; ``values`` is None without a solution."""
        import highspy

        self.values, self.bound = None, -INF
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
        if self._mip and not np.isnan(info.mip_dual_bound):
            self.bound = info.mip_dual_bound
        if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
            self.values = np.array(self._h.getSolution().col_value)
            self.objective = info.objective_function_value
            self.bound = self.bound if self._mip else self.objective
        return "optimal" if state == highspy.HighsModelStatus.kOptimal else "unknown"

    def bound_columns(self, columns: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> None:
        """New limits of some variables; the last answer is where the next run starts."""
        self._h.changeColsBounds(len(columns), columns.astype(np.int32), lower, upper)

    def price_columns(self, columns: np.ndarray, cost: np.ndarray) -> None:
        """New costs of some variables."""
        self._h.changeColsCost(len(columns), columns.astype(np.int32), cost)

    def weigh(self, row: int, column: int, value: float) -> None:
        """What a variable counts for in a row."""
        self._h.changeCoeff(row, column, value)

    def bound_row(self, row: int, lower: float, upper: float) -> None:
        """New limits of a row."""
        self._h.changeRowBounds(row, lower, upper)

    def start(self) -> Start:
        """Where a later run may start again."""
        return Start(self._h.getNumRow(), self._h.getBasis())

    def restart(self, start: Start) -> None:
        """Start the next run there, without the rows that came since."""
        count = self._h.getNumRow()
        self._h.deleteRows(count - start.rows, np.arange(start.rows, count, dtype=np.int32))
        self._h.setBasis(start.basis)

    def reduced_costs(self) -> np.ndarray:
        """What one more of each variable would add to the last relaxation's objective."""
        return np.array(self._h.getSolution().col_dual)

    def row_duals(self) -> np.ndarray:
        """What one more on the right of each row would add to the last relaxation's objective."""
        return np.array(self._h.getSolution().row_dual)

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

    def add(self, rows: Rows) -> None:
        """Add rows."""
        lower, upper, starts, column, values = rows.arrays()
        self._h.addRows(len(lower), lower, upper, len(column), starts, column, values)


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
        found = serve_nearest(problem, is_open)
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
    steps[at.stepped] = np.round(values[at.step0 : at.full0])
    return valued(problem, LocationSolution(is_open, assignment, shares, steps, 0.0, bound, 0.0, "feasible", 0.0))
