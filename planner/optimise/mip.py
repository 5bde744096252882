"""A location problem as a mixed-integer program, in arrays.

Variables: an arc for every allowed pair (share of the demand point served there), then open sites, open buildings
(only those with a cost of their own), steps of seats, full sites and loads (``side``), then slacks of the elastic
model. The rows ``arc <= open`` (Balinski 1965), which make the relaxation tight, are left out and added when a solution
breaks them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from planner.optimise.closest import Late, closest
from planner.optimise.pieces import Separator
from planner.optimise.problem import LocationProblem, OpenRule, Terms, at_pairs, pairs
from planner.optimise.side import add_rows, loaded

INF = float("inf")


@dataclass(frozen=True, eq=False)
class Layout:
    """Where each kind of variable stands.

    Parameters
    ----------
    demand, site : (n_arc,) the pair of each arc; arc k is variable k
    open0, facility0, step0, size : first variable of each kind; ``size`` in all
    facilities : (n,) buildings that have a variable
    stepped : (n,) sites that have a variable for steps
    loaded : (n,) sites that have a variable for their load, and one for being full where demand points may be split
    """

    demand: np.ndarray
    site: np.ndarray
    open0: int
    facility0: int
    step0: int
    full0: int
    load0: int
    size: int
    facilities: np.ndarray
    stepped: np.ndarray
    loaded: np.ndarray


@dataclass
class Rows:
    """Rows ``lower <= coefficients . x <= upper`` being gathered."""

    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    column: list[np.ndarray] = field(default_factory=list)
    value: list[np.ndarray] = field(default_factory=list)

    def add(self, lower: float, upper: float, column: Any, value: Any) -> int:
        """One row; returns its number."""
        self.lower.append(lower)
        self.upper.append(upper)
        self.column.append(np.asarray(column, dtype=np.int32))
        self.value.append(np.asarray(value, dtype=np.float64))
        return len(self.lower) - 1

    def take(self, other: Rows) -> None:
        """The rows of another, too."""
        self.lower += other.lower
        self.upper += other.upper
        self.column += other.column
        self.value += other.value

    def extend(self, row: int, column: int, value: float) -> None:
        """One more variable in a row."""
        self.column[row] = np.append(self.column[row], np.int32(column))
        self.value[row] = np.append(self.value[row], value)

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Lower, upper, starts, columns, values."""
        starts = np.append(0, np.cumsum([len(column) for column in self.column])[:-1]) if self.column else np.zeros(0)
        none = [np.zeros(0)]
        return (
            np.array(self.lower, dtype=np.float64),
            np.array(self.upper, dtype=np.float64),
            starts.astype(np.int32),
            np.concatenate(self.column or none).astype(np.int32),
            np.concatenate(self.value or none),
        )


@dataclass(frozen=True, eq=False)
class Mip:
    """The program: costs, bounds, which variables are whole numbers, rows, and what the variables mean.

    Parameters
    ----------
    serve : row of ``rows`` that serves each demand point
    seats : site -> row of its seats
    counts : row of each of ``rules_of(problem)``
    budgets : row of each budget, and what its row was divided by
    late : rows that are added when a solution breaks them
    """

    layout: Layout
    cost: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    whole: np.ndarray
    rows: Rows
    serve: list[int]
    seats: dict[int, int]
    counts: list[int]
    budgets: list[tuple[int, float]]
    late: Late | None = None

    def late_rows(self, values: np.ndarray | None, tolerance: float) -> Rows:
        """Late rows that a solution breaks; none without a solution."""
        made = Rows()
        if self.late is not None and values is not None:
            which = self.late.broken(values, tolerance)
            part = self.late.matrix[which]
            for k, most in enumerate(self.late.upper[which].tolist()):
                some = slice(part.indptr[k], part.indptr[k + 1])
                made.add(-INF, most, part.indices[some], part.data[some])
        return made


def make_layout(problem: LocationProblem) -> Layout:
    """Number the variables."""
    shut = np.zeros(problem.cost.shape[1], dtype=bool)
    shut[list(problem.forced_closed)] = True
    demand, site, _ = pairs(problem.cost)
    demand, site = demand[~shut[site]], site[~shut[site]]
    priced = problem.facility_cost != 0
    for terms in (*(budget.terms for budget in problem.budgets), *problem.worst):
        if terms.facility is not None:
            priced = priced | (np.asarray(terms.facility) != 0)
    stepped = np.zeros(0, dtype=np.int64)
    if problem.expansion is not None:
        counted = np.isfinite(problem.capacity)  # without seats to count, steps matter only to sites that get as many
        counted[[site for group in problem.expansion.alike for site in group]] = True
        stepped = np.flatnonzero((problem.expansion.max_steps > 0) & counted & ~shut)
    facilities = np.flatnonzero(priced)
    open0 = len(demand)
    facility0 = open0 + problem.cost.shape[1]
    step0 = facility0 + len(facilities)
    full0, load = step0 + len(stepped), loaded(problem)
    load0 = full0 + (0 if problem.whole else len(load))
    size = load0 + len(load) + bool(problem.worst)
    return Layout(demand, site, open0, facility0, step0, full0, load0, size, facilities, stepped, load)


def coefficients(layout: Layout, terms: Terms) -> np.ndarray:
    """What each variable counts for in a sum."""
    row = np.zeros(layout.size)
    if terms.cost is not None:
        row[: layout.open0] = at_pairs(terms.cost, layout.demand, layout.site)
    if terms.fixed is not None:
        row[layout.open0 : layout.facility0] = terms.fixed
    if terms.facility is not None:
        row[layout.facility0 : layout.step0] = np.asarray(terms.facility)[layout.facilities]
    if terms.step is not None:
        row[layout.step0 : layout.full0] = np.asarray(terms.step)[layout.stepped]
    return row


def rules_of(problem: LocationProblem) -> list[OpenRule]:
    """The rules, and the number of open sites as one more."""
    if problem.open_min == 0 and problem.open_max is None:
        return list(problem.rules)
    sites = tuple(range(problem.cost.shape[1]))
    return [*problem.rules, OpenRule(sites, problem.open_min, problem.open_max, "open sites")]


def arcs_must_be_whole(problem: LocationProblem) -> bool:
    """Whether whole demand points need whole-number arcs.

    Without seats, side conditions and budgets on serving, a demand point's cheapest open site is as good as any split.
    """
    seats = problem.side is not None or bool(np.isfinite(problem.capacity).any())
    sums = (*(budget.terms for budget in problem.budgets), *problem.worst)
    return problem.whole and (seats or any(terms.cost is not None for terms in sums))


def build(problem: LocationProblem) -> Mip:
    """The program without its ``arc <= open`` rows; an aggregate row a site keeps it right all the same."""
    at = make_layout(problem)
    n, m = problem.cost.shape
    is_open = at.open0 + np.arange(m)
    lower, upper = np.zeros(at.size), np.ones(at.size)
    lower[is_open[list(problem.forced_open)]] = 1
    upper[is_open[list(problem.forced_closed)]] = 0
    rows = Rows()
    serve = [rows.add(1, 1, arcs, np.ones(len(arcs))) for arcs in _groups(at.demand, n)]
    seats: dict[int, int] = {}
    step_of = {int(site): at.step0 + k for k, site in enumerate(at.stepped)}
    arcs_at = _groups(at.site, m)
    for site, arcs in enumerate(arcs_at):
        if len(arcs) == 0:
            continue
        if np.isfinite(problem.capacity[site]):
            value = np.append(problem.weight[at.demand[arcs]], -problem.capacity[site])
            seats[site] = rows.add(-INF, 0, np.append(arcs, is_open[site]), value)
            if site in step_of:
                rows.extend(seats[site], step_of[site], -problem.expansion.step_seats[site])  # type: ignore[union-attr]
        rows.add(-INF, 0, np.append(arcs, is_open[site]), np.append(np.ones(len(arcs)), -len(arcs)))
    for place, variable in step_of.items():
        most = problem.expansion.max_steps[place]  # type: ignore[union-attr]
        upper[variable] = most
        rows.add(-INF, 0, [variable, is_open[place]], [1, -most])
    for group in problem.expansion.alike if problem.expansion is not None else ():
        variables = [step_of[site] for site in group if site in step_of]
        if len(variables) < len(group):  # one of them has none
            upper[variables] = 0
        for one, other in pairwise(dict.fromkeys(variables)):
            rows.add(0, 0, [one, other], [1, -1])
    counts = []
    for rule in rules_of(problem):
        members = np.unique(np.array(rule.sites, dtype=np.int64))
        most = INF if rule.max is None else rule.max
        counts.append(rows.add(rule.min, most, is_open[members], np.ones(len(members))))
    for group in problem.linked:
        for one, other in pairwise(group):
            rows.add(0, 0, is_open[[one, other]], [1, -1] if one != other else [0, 0])
    for k, facility in enumerate(at.facilities):
        for member in np.flatnonzero(problem.facility == facility):
            rows.add(-INF, 0, [is_open[member], at.facility0 + k], [1, -1])
        # A building counts as open only when one of its sites is: matters where an open building is worth something.
        members = is_open[np.flatnonzero(problem.facility == facility)]
        rows.add(-INF, 0, [at.facility0 + k, *members], [1, *-np.ones(len(members))])
    budgets = []
    for budget in problem.budgets:
        row = coefficients(at, budget.terms)
        some = np.flatnonzero(row)
        scale = max(1.0, float(np.abs(row).max(initial=0)))
        budgets.append((rows.add(-INF, budget.max / scale, some, row[some] / scale), scale))
    late = None
    if problem.side is not None:
        upper[at.load0 :] = INF
        add_rows(problem, problem.side, at, rows)
        late = None if problem.side.distance is None else closest(problem, problem.side.distance, at)
    whole = np.ones(at.size, dtype=bool)
    whole[: at.open0] = arcs_must_be_whole(problem)
    whole[at.facility0 : at.step0] = False  # follows the sites
    whole[at.load0 :] = False
    cost = coefficients(at, problem.objective)
    if problem.worst:  # the last variable is at least each of these sums
        cost[-1], lower[-1], upper[-1], whole[-1] = 1.0, -INF, INF, False
    for terms in problem.worst:
        row = coefficients(at, terms)
        some = np.flatnonzero(row)
        scale = max(1.0, float(np.abs(row).max(initial=0)))
        rows.add(-INF, 0, np.append(some, at.size - 1), np.append(row[some], -1.0) / scale)
    return Mip(at, cost, lower, upper, whole, rows, serve, seats, counts, budgets, late)


def separating(at: Layout, found: list[Separator]) -> Rows:
    """Rows against catchments in several pieces."""
    arc_of, made = _arc_of(at), Rows()
    for one in found:
        arcs = [arc_of[i, one.site] for i in (*one.two, *one.between)]
        made.add(-INF, 1, arcs, [1.0, 1.0, *[-1.0] * len(one.between)])
    return made


def growing(at: Layout, before: dict[int, list[list[int]]]) -> Rows:
    """Rows under which catchments grow from a root: who is served at a site has one of ``before`` served there.

    Parameters
    ----------
    before : site -> for each demand point those of whom one must be served there, too; a root names itself
    """
    arc_of, made = _arc_of(at), Rows()
    for (i, site), arc in arc_of.items():
        some = [arc_of[k, site] for k in before[site][i] if (k, site) in arc_of] if site in before else []
        if arc not in some:
            made.add(-INF, 0, [arc, *some], [1.0, *[-1.0] * len(some)])
    return made


def _arc_of(at: Layout) -> dict[tuple[int, int], int]:
    return {(i, j): k for k, (i, j) in enumerate(zip(at.demand.tolist(), at.site.tolist(), strict=True))}


def _groups(label: np.ndarray, count: int) -> list[np.ndarray]:
    """Positions of every label 0..count-1."""
    order = np.argsort(label, kind="stable")
    return np.split(order, np.searchsorted(label[order], np.arange(1, count))) if count else []
