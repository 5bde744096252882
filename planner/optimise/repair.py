"""What is short when nothing is feasible: the elastic model, every limit with a priced slack (Chinneck 2008, ch. 6)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from planner.optimise.exact import Highs
from planner.optimise.mip import INF, Mip, Rows, build, coefficients, rules_of
from planner.optimise.problem import LocationProblem


@dataclass(frozen=True, eq=False)
class Repair:
    """The smallest change that makes a problem feasible.

    Parameters
    ----------
    unserved : (n_demand,) share that no site can serve
    seats : (n_site,) seats missing
    rules : row of ``rules`` -> open sites missing (positive) or too many (negative); row ``len(rules)`` is the number
        of open sites in all
    budgets : row of ``budgets`` -> how much is missing
    """

    unserved: np.ndarray
    seats: np.ndarray
    rules: dict[int, int]
    budgets: dict[int, float]


def repair(problem: LocationProblem, *, time_limit_s: float = 20.0, seed: int = 0) -> Repair | None:
    """The least unserved demand, then the fewest broken rules, then the fewest missing seats; None if out of time.

    Prices: a unit of weight unserved 1000 (with at least one unit a point), a rule 100 a site, a seat 1, a budget 1
    per thousandth of it. Costs of serving are left out.

    >>> found = repair(LocationProblem([[1.0], [1.0]], weight=[3, 4], capacity=[5]))
    >>> found.seats.tolist(), found.unserved.tolist()
    ([2.0], [0.0, 0.0])
    """
    mip = build(dataclasses.replace(problem, budgets=()))
    n, m = problem.cost.shape
    size = mip.layout.size
    rows = Rows()
    cost: list[float] = []
    upper: list[float] = []

    def slack(price: float, most: float = INF) -> int:
        cost.append(price)
        upper.append(most)
        return size + len(cost) - 1

    is_open = mip.layout.open0
    arcs: list[list[int]] = [[] for _ in range(n)]
    for k, i in enumerate(mip.layout.demand):
        arcs[i].append(k)
    unserved = [slack(1000 * max(float(w), 1.0), 1.0) for w in problem.weight]
    for i in range(n):
        rows.add(1, 1, [*arcs[i], unserved[i]], np.ones(len(arcs[i]) + 1))
    sites: list[list[int]] = [[] for _ in range(m)]
    for k, j in enumerate(mip.layout.site):
        sites[j].append(k)
    step_of = {int(site): mip.layout.step0 + k for k, site in enumerate(mip.layout.stepped)}
    seats: dict[int, int] = {}
    for j in range(m):
        if not sites[j]:
            continue
        rows.add(-INF, 0, [*sites[j], is_open + j], [*np.ones(len(sites[j])), -len(sites[j])])
        if np.isfinite(problem.capacity[j]):
            seats[j] = slack(1.0)
            column = [*sites[j], is_open + j, seats[j]]
            value = [*problem.weight[mip.layout.demand[sites[j]]], -problem.capacity[j], -1.0]
            if j in step_of:
                column, value = [*column, step_of[j]], [*value, -problem.expansion.step_seats[j]]  # type: ignore[union-attr]
            rows.add(-INF, 0, column, value)
    high = mip.upper.copy()
    for j, variable in step_of.items():
        rows.add(-INF, 0, [variable, is_open + j], [1, -high[variable]])
    short: list[tuple[int, int]] = []
    for rule in rules_of(problem):
        members = np.unique(np.array(rule.sites, dtype=np.int64))
        short.append((slack(100.0), slack(100.0)))
        column = [*(is_open + members), *short[-1]]
        most = INF if rule.max is None else rule.max
        rows.add(rule.min, most, column, [*np.ones(len(members)), 1.0, -1.0])
    over: list[int] = []
    for budget in problem.budgets:
        row = coefficients(mip.layout, budget.terms)
        some = np.flatnonzero(row)
        over.append(slack(1000.0 / max(abs(budget.max), 1.0)))
        rows.add(-INF, budget.max, [*some, over[-1]], [*row[some], -1.0])
    elastic = Mip(
        dataclasses.replace(mip.layout, size=size + len(cost)),
        np.concatenate([np.zeros(size), cost]),
        np.concatenate([mip.lower, np.zeros(len(cost))]),
        np.concatenate([high, upper]),
        np.concatenate([mip.whole, np.zeros(len(cost), dtype=bool)]),
        rows,
    )
    if problem.whole:
        elastic.whole[np.array(unserved, dtype=np.int64)] = True
    solver = Highs(elastic, seed, gap=0.01)
    solver.run(time_limit_s)
    if solver.values is None:
        return None
    x = solver.values
    missing = np.zeros(m)
    for j, variable in seats.items():
        missing[j] = round(float(x[variable]), 6)
    return Repair(
        unserved=np.round(x[unserved], 6) if n else np.zeros(0),
        seats=missing,
        rules={k: v for k, (a, b) in enumerate(short) if (v := round(float(x[a] - x[b]))) != 0},
        budgets={k: float(x[v]) for k, v in enumerate(over) if x[v] > 1e-6},
    )
