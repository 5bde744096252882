"""What is short when nothing is feasible: the elastic model, every limit with a priced slack (Chinneck 2008, ch. 6)."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from planner.optimise.highs import Highs
from planner.optimise.mip import INF, build
from planner.optimise.problem import LocationProblem

LIMITS = ("unserved", "seats", "rules", "budgets")
"""What may give way unless something else is asked for."""
EVERYTHING = (*LIMITS, "forced")


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
    opened, closed : sites that must be open (closed) although they were forced the other way
    load : (n_site,) what each site then serves
    pairs : (n, 2) demand point and site of the pairs ``beyond`` that are used
    price : of it all
    """

    unserved: np.ndarray
    seats: np.ndarray
    rules: dict[int, int]
    budgets: dict[int, float]
    opened: tuple[int, ...] = ()
    closed: tuple[int, ...] = ()
    load: np.ndarray = field(default_factory=lambda: np.zeros(0))
    pairs: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))
    price: float = 0.0


def repair(
    problem: LocationProblem,
    *,
    easing: Collection[str] = LIMITS,
    beyond: Any = None,
    seats_at: Any = None,
    time_limit_s: float = 20.0,
    seed: int = 0,
) -> Repair | None:
    """The least unserved demand, then the fewest broken rules, then the fewest missing seats.

    Prices: a unit of weight unserved 1000 (with at least one unit a point), a rule 100 a site, a site forced the other
    way 100, a seat 1, a budget 1 per thousandth of it, a pair as ``beyond`` says. Costs of serving are left out.

    Parameters
    ----------
    easing : which limits may give way: ``unserved``, ``seats``, ``rules``, ``budgets``, ``forced``
    beyond : (n_demand, n_site) price of further pairs, where they are not allowed; NaN where there is none

    seats_at : (n_site,) bool, where seats may be missing; None: anywhere

    Returns
    -------
    None if these limits alone make nothing feasible, or out of time

    >>> found = repair(LocationProblem([[1.0], [1.0]], weight=[3, 4], capacity=[5]))
    >>> found.seats.tolist(), found.unserved.tolist()
    ([2.0], [0.0, 0.0])
    """
    further = np.full(problem.cost.shape, np.nan) if beyond is None else np.array(beyond, dtype=np.float64)
    further[~np.isnan(problem.cost)] = np.nan
    forced = {} if "forced" in easing else {"forced_open": problem.forced_open, "forced_closed": problem.forced_closed}
    base = dataclasses.replace(
        problem,
        cost=np.where(np.isnan(problem.cost), further, 0.0),
        **({"forced_open": (), "forced_closed": ()} | forced),  # type: ignore[arg-type]
    )
    mip = build(base)
    at = mip.layout
    n, m = problem.cost.shape
    price: list[float] = []
    most: list[float] = []

    def slack(row: int, value: float, cost: float, limit: float = INF) -> int:
        """A new variable that eases one row at a price; returns its number."""
        variable = at.size + len(price)
        mip.rows.extend(row, variable, value)
        price.append(cost)
        most.append(limit)
        return variable

    def if_eased(limit: str) -> float:
        return INF if limit in easing else 0.0

    unserved = [
        slack(row, 1.0, 1000 * max(float(weight), 1.0), min(if_eased("unserved"), 1.0))
        for row, weight in zip(mip.serve, problem.weight, strict=True)
    ]
    here = np.ones(m, dtype=bool) if seats_at is None else np.asarray(seats_at)
    seats = {site: slack(row, -1.0, 1.0, if_eased("seats") if here[site] else 0.0) for site, row in mip.seats.items()}
    free = if_eased("rules")
    short = [(slack(row, 1.0, 100.0, free), slack(row, -1.0, 100.0, free)) for row in mip.counts]
    over = [
        slack(row, -1.0 / scale, 1000.0 / max(abs(budget.max), 1.0), if_eased("budgets"))
        for (row, scale), budget in zip(mip.budgets, problem.budgets, strict=True)
    ]
    turned = {}
    if "forced" in easing:
        for sites, lower, upper, sign in (
            (problem.forced_open, 1.0, INF, 1.0),
            (problem.forced_closed, -INF, 0.0, -1.0),
        ):
            for site in sites:
                row = mip.rows.add(lower, upper, [at.open0 + site], [1.0])
                turned[site] = (slack(row, sign, 100.0, 1.0), sign)
    arcs = np.nan_to_num(further[at.demand, at.site])
    elastic = dataclasses.replace(
        mip,
        layout=dataclasses.replace(at, size=at.size + len(price)),
        cost=np.concatenate([arcs, np.zeros(at.size - len(arcs)), price]),
        lower=np.concatenate([mip.lower, np.zeros(len(price))]),
        upper=np.concatenate([mip.upper, most]),
        whole=np.concatenate([mip.whole, np.zeros(len(price), dtype=bool)]),
    )
    elastic.whole[np.array(unserved, dtype=np.int64)] = problem.whole
    solver = Highs(elastic, seed, gap=0.0)
    solver.run(time_limit_s)
    if solver.values is None:
        return None
    x = np.round(solver.values, 6) + 0.0  # no minus zero
    missing = np.zeros(m)
    missing[list(seats)] = x[list(seats.values())]
    used = (x[: at.open0] > 1e-6) & ~np.isnan(further[at.demand, at.site])
    return Repair(
        unserved=x[np.array(unserved, dtype=np.int64)] if n else np.zeros(0),
        seats=missing,
        rules={k: v for k, (a, b) in enumerate(short) if (v := round(float(x[a] - x[b]))) != 0},
        budgets={k: float(x[v]) for k, v in enumerate(over) if x[v] > 0},
        opened=tuple(site for site, (variable, sign) in turned.items() if sign < 0 and x[variable] > 0.5),
        closed=tuple(site for site, (variable, sign) in turned.items() if sign > 0 and x[variable] > 0.5),
        load=np.bincount(at.site, weights=x[: at.open0] * problem.weight[at.demand], minlength=m),
        pairs=np.column_stack([at.demand[used], at.site[used]]),
        price=float(elastic.cost @ x),
    )
