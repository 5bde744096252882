"""What is short when nothing is feasible: the elastic model, every limit with a priced slack (Chinneck 2008, ch. 6)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from planner.optimise.highs import Highs
from planner.optimise.mip import INF, build
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
    mip = build(problem)
    n, m = problem.cost.shape
    price: list[float] = []
    most: list[float] = []

    def slack(row: int, value: float, cost: float, limit: float = INF) -> int:
        """A new variable that eases one row at a price; returns its number."""
        variable = mip.layout.size + len(price)
        mip.rows.extend(row, variable, value)
        price.append(cost)
        most.append(limit)
        return variable

    unserved = [
        slack(row, 1.0, 1000 * max(float(weight), 1.0), 1.0)
        for row, weight in zip(mip.serve, problem.weight, strict=True)
    ]
    seats = {site: slack(row, -1.0, 1.0) for site, row in mip.seats.items()}
    short = [(slack(row, 1.0, 100.0), slack(row, -1.0, 100.0)) for row in mip.counts]
    over = [
        slack(row, -1.0 / scale, 1000.0 / max(abs(budget.max), 1.0))
        for (row, scale), budget in zip(mip.budgets, problem.budgets, strict=True)
    ]
    none = np.zeros(len(price))
    elastic = dataclasses.replace(
        mip,
        layout=dataclasses.replace(mip.layout, size=mip.layout.size + len(price)),
        cost=np.concatenate([np.zeros(mip.layout.size), price]),
        lower=np.concatenate([mip.lower, none]),
        upper=np.concatenate([mip.upper, most]),
        whole=np.concatenate([mip.whole, none > 0]),
    )
    elastic.whole[np.array(unserved, dtype=np.int64)] = problem.whole
    solver = Highs(elastic, seed, gap=0.0)
    solver.run(time_limit_s)
    if solver.values is None:
        return None
    x = np.round(solver.values, 6) + 0.0  # no minus zero
    missing = np.zeros(m)
    missing[list(seats)] = x[list(seats.values())]
    return Repair(
        unserved=x[np.array(unserved, dtype=np.int64)] if n else np.zeros(0),
        seats=missing,
        rules={k: v for k, (a, b) in enumerate(short) if (v := round(float(x[a] - x[b]))) != 0},
        budgets={k: float(x[v]) for k, v in enumerate(over) if x[v] > 0},
    )
