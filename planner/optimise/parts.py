"""Parts of a problem that have nothing to do with one another."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from planner.optimise.problem import Expansion, LocationProblem


def part_of(problem: LocationProblem, sites: Sequence[int]) -> tuple[LocationProblem, np.ndarray, np.ndarray]:
    """What can have to do with some sites; the optimum of the rest is another problem.

    Sites belong together when a demand point may go to either, a rule or a link names both, or a building that costs
    something holds both. Budgets, side conditions, steps that are alike and a number of open sites in all tie
    everything together.

    Returns
    -------
    The problem of that part, its demand points and its sites, as rows of the whole problem

    >>> two = LocationProblem([[1.0, np.nan], [np.nan, 2.0]])
    >>> part, demand, site = part_of(two, [1])
    >>> part.cost.tolist(), demand.tolist(), site.tolist()
    ([[2.0]], [1], [1])
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n, m = problem.cost.shape
    alike = problem.expansion is not None and problem.expansion.alike
    beside = problem.budgets or problem.worst or problem.side is not None or alike
    if beside or problem.open_min > 0 or problem.open_max is not None:
        return problem, np.arange(n), np.arange(m)
    demand, site = np.nonzero(~np.isnan(problem.cost))
    ends = [np.column_stack([m + demand, site])]
    priced = np.flatnonzero(problem.facility_cost[problem.facility])
    ends.append(np.column_stack([priced, m + n + problem.facility[priced]]))
    groups = [group for group in (*(rule.sites for rule in problem.rules), *problem.linked) if group]
    ends += [np.column_stack([group[:1] * len(group), group]) for group in groups]
    edges = np.concatenate(ends).astype(np.int64)
    size = m + n + len(problem.facility_cost)
    label = connected_components(coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(size, size)))[1]
    chosen = np.isin(label, label[list(sites)])
    columns, rows = np.flatnonzero(chosen[:m]), np.flatnonzero(chosen[m : m + n])
    place = {int(j): k for k, j in enumerate(columns)}
    buildings, facility = np.unique(problem.facility[columns], return_inverse=True)

    def kept(group: Sequence[int]) -> tuple[int, ...]:
        return tuple(place[j] for j in group if j in place)

    expansion = problem.expansion and Expansion(
        *(getattr(problem.expansion, name)[columns] for name in ("step_seats", "max_steps", "cost_per_step"))
    )
    part = dataclasses.replace(
        problem,
        cost=problem.cost[np.ix_(rows, columns)],
        weight=problem.weight[rows],
        capacity=problem.capacity[columns],
        fixed_cost=problem.fixed_cost[columns],
        forced_open=kept(problem.forced_open),
        forced_closed=kept(problem.forced_closed),
        rules=tuple(
            dataclasses.replace(rule, sites=kept(rule.sites)) for rule in problem.rules if set(rule.sites) & set(place)
        ),
        expansion=expansion,
        facility=facility,
        facility_cost=problem.facility_cost[buildings],
        linked=tuple(kept(group) for group in problem.linked if set(group) & set(place)),
    )
    return part, rows, columns
