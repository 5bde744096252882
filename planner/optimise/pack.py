"""Whole demand points packed into the open sites of a split answer, by HiGHS among the few sites that are near to each.

Where seats are tight, moving and exchanging demand points (``settle``) ends farther from the best than that.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from planner.optimise.highs import by_rows
from planner.optimise.problem import LocationProblem, LocationSolution, pairs, some_pairs

NEAREST = 10  # open sites, beside those that share it, that a demand point may go to
GAP = 5e-4


def packed(
    problem: LocationProblem, split: LocationSolution, *, time_limit_s: float, seed: int
) -> LocationSolution | None:
    """The best whole answer that was found with the open sites of a split one; it bounds nothing else.

    >>> problem = LocationProblem([[1.0, 4.0], [1.0, 2.0]], capacity=[1.5, 1.5])
    >>> from planner.optimise import solve
    >>> split = solve(dataclasses.replace(problem, whole=False))
    >>> packed(problem, split, time_limit_s=9, seed=0).assignment.tolist()
    [0, 1]
    """
    demand, site, cost = pairs(problem.cost)
    some = np.flatnonzero(split.open[site])
    order = some[np.lexsort((cost[some], demand[some]))]
    first = np.searchsorted(demand[order], np.arange(len(problem.weight)))
    near = order[np.arange(len(order)) - first[demand[order]] < NEAREST]
    shares = split.shares.tocoo()
    m = len(split.open)
    kept = np.unique(np.concatenate([demand[near] * m + site[near], shares.row.astype(np.int64) * m + shares.col]))
    rest = dataclasses.replace(
        problem,
        cost=some_pairs(problem.cost, *np.divmod(kept, m)),
        forced_open=tuple(np.flatnonzero(split.open).tolist()),
        forced_closed=tuple(np.flatnonzero(~split.open).tolist()),
    )
    found = by_rows(rest, gap=GAP, time_limit_s=time_limit_s, seed=seed)
    return dataclasses.replace(found, bound=-np.inf) if found.status in ("optimal", "feasible") else None
