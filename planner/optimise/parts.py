"""Parts of a problem that have nothing to do with one another, each solved for itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.compiled import clock
from planner.optimise.answers import checked, unsolved, valued
from planner.optimise.problem import Expansion, LocationProblem, LocationSolution, pairs
from planner.optimise.side import Only, Side


@dataclass(frozen=True, eq=False)
class Part:
    """Some demand points and sites of a whole problem, as rows of it, and the problem that they are."""

    demand: np.ndarray
    site: np.ndarray
    problem: LocationProblem


def parts(problem: LocationProblem) -> list[Part]:
    """The problem as parts whose optima sum to its own; one alone where everything has to do with everything.

    Sites belong together when a demand point may go to either, or a rule, a link, steps that are alike or a condition
    on where demand goes names both, or a building that costs something or has a size holds both. Budgets, a largest sum
    and a number of open sites in all tie everything together; so does what brings money, as the gap that is asked for
    is of the sum.

    >>> two = LocationProblem([[1.0, np.nan], [np.nan, 2.0]])
    >>> [(part.demand.tolist(), part.problem.cost.tolist()) for part in parts(two)]
    [([0], [[1.0]]), ([1], [[2.0]])]
    """
    n, m = problem.cost.shape
    demand, site, _ = pairs(problem.cost)
    whole = [Part(np.arange(n), np.arange(m), problem)]
    tied = problem.budgets or problem.worst or problem.open_min > 0 or problem.open_max is not None
    nobodys = any(not rule.sites and rule.min > 0 for rule in problem.rules)
    if tied or nobodys or _least(problem) < 0 or len(np.unique(demand)) < n:
        return whole
    label = _labels(problem, demand, site)
    if label.max(initial=0) == 0:
        return whole
    return [_part(problem, label[:m] == k, label[m : m + n] == k) for k in range(int(label.max()) + 1)]


def apart(
    problem: LocationProblem,
    some: Sequence[Part],
    solve: Callable[[LocationProblem, float], LocationSolution],
    *,
    gap: float,
    time_limit_s: float,
) -> LocationSolution:
    """The solution put together from those of its parts, the smaller first, each with its share of the time left.

    Parameters
    ----------
    solve : a part within so many seconds
    """
    began = clock()
    size = [len(pairs(part.problem.cost)[0]) + 1 for part in some]
    found: list[LocationSolution | None] = [None] * len(some)
    left = sum(size)
    for k in np.argsort(size, kind="stable").tolist():
        part_s = max(time_limit_s - (clock() - began), 0.5) * size[k] / left
        left -= size[k]
        found[k] = made = solve(some[k].problem, part_s)
        if made.status in ("infeasible", "unknown"):
            return unsolved(problem, made.status, clock() - began)
    together = _together(problem, some, [one for one in found if one is not None])
    return checked(problem, valued(problem, together), gap, began)


def _least(problem: LocationProblem) -> float:
    """The least of all costs."""
    goal = problem.objective
    sums = (pairs(problem.cost)[2], goal.fixed, goal.facility, np.zeros(0) if goal.step is None else goal.step)
    return min(float(part.min(initial=0.0)) for part in sums)


def _labels(problem: LocationProblem, demand: np.ndarray, site: np.ndarray) -> np.ndarray:
    """The part of each site, then of each demand point, then of each building, from 0 on."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n, m = problem.cost.shape
    side = problem.side or Side()
    counts = problem.facility_cost != 0
    for limit, free in ((side.least, 0.0), (side.most, np.inf)):
        counts = counts if limit is None else counts | (np.asarray(limit) != free)
    held = np.flatnonzero(counts[problem.facility])
    alike = problem.expansion.alike if problem.expansion is not None else ()
    groups = [list(group) for group in (*(rule.sites for rule in problem.rules), *problem.linked, *alike)]
    groups += [[only.unless, *only.sites, *(m + i for i in only.demand)] for only in side.only]
    ends = [np.column_stack([m + demand, site]), np.column_stack([held, m + n + problem.facility[held]])]
    ends += [np.column_stack([group[:1] * len(group), group]) for group in groups if group]
    edges = np.concatenate(ends).astype(np.int64)
    size = m + n + len(problem.facility_cost)
    label = connected_components(coo_array((np.ones(len(edges)), edges.T), shape=(size, size)))[1]
    return np.unique(label[: m + n], return_inverse=True)[1]


def _part(problem: LocationProblem, sites: np.ndarray, demands: np.ndarray) -> Part:
    """The part with some of the sites and demand points."""
    rows, columns = np.flatnonzero(demands), np.flatnonzero(sites)
    buildings, facility = np.unique(problem.facility[columns], return_inverse=True)
    site_of, demand_of = _places(sites), _places(demands)

    def kept(group: Sequence[int]) -> tuple[int, ...]:
        return tuple(int(site_of[j]) for j in group if sites[j])

    def groups(given: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
        return tuple(some for group in given if (some := kept(group)))

    more, side = problem.expansion, problem.side
    expansion = more and Expansion(
        more.step_seats[columns], more.max_steps[columns], more.cost_per_step[columns], groups(more.alike)
    )
    if side is not None:
        both = None if side.touching is None else np.asarray(side.touching, dtype=np.int64).reshape(-1, 2)
        side = Side(
            least=None if side.least is None else np.asarray(side.least)[buildings],
            most=None if side.most is None else np.asarray(side.most)[buildings],
            distance=None if side.distance is None else _table(side.distance, rows, columns),
            only=tuple(
                Only(tuple(int(demand_of[i]) for i in only.demand), kept(only.sites), int(site_of[only.unless]))
                for only in side.only
                if sites[only.unless]
            ),
            touching=None if both is None else demand_of[both[demands[both].all(axis=1)]],
        )
    own = dataclasses.replace(
        problem,
        cost=_table(problem.cost, rows, columns),
        weight=problem.weight[rows],
        capacity=problem.capacity[columns],
        fixed_cost=problem.fixed_cost[columns],
        forced_open=kept(problem.forced_open),
        forced_closed=kept(problem.forced_closed),
        rules=tuple(dataclasses.replace(rule, sites=some) for rule in problem.rules if (some := kept(rule.sites))),
        expansion=expansion,
        facility=facility,
        facility_cost=problem.facility_cost[buildings],
        linked=groups(problem.linked),
        side=side,
    )
    return Part(rows, columns, own)


def _places(some: np.ndarray) -> np.ndarray:
    """The place of each row among some of them."""
    return np.cumsum(some) - 1


def _table(values: Any, rows: np.ndarray, columns: np.ndarray) -> Any:
    """Some rows and columns of a dense or sparse table."""
    return values.tocsr()[rows][:, columns] if hasattr(values, "tocsr") else np.asarray(values)[np.ix_(rows, columns)]


def _together(problem: LocationProblem, some: Sequence[Part], found: Sequence[LocationSolution]) -> LocationSolution:
    """Solutions of all parts as one."""
    from scipy.sparse import csr_array

    n, m = problem.cost.shape
    is_open, steps, assignment = np.zeros(m, dtype=bool), np.zeros(m), np.full(n, -1)
    entries = []
    for part, one in zip(some, found, strict=True):
        is_open[part.site], steps[part.site] = one.open, one.steps
        assignment[part.demand] = part.site[one.assignment] if len(part.demand) else 0
        shares = one.shares.tocoo()
        entries.append((part.demand[shares.row], part.site[shares.col], shares.data))
    demand, site, share = (np.concatenate(values) for values in zip(*entries, strict=True))
    return LocationSolution(
        is_open,
        assignment,
        csr_array((share, (demand, site)), shape=(n, m)),
        steps,
        objective=0.0,
        bound=sum(one.bound for one in found),
        gap=0.0,
        status="feasible",
        seconds=0.0,
        rounds=max(one.rounds for one in found),
    )
