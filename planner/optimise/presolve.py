"""What makes a problem infeasible at sight: demand points without a choice, and pupils against seats by a flow.

Milliseconds, and no solver. What is found is proven; what is not found may be infeasible all the same.
Sources: Hall 1935 (a set that needs more than all its neighbours have), by a minimum cut (Ford and Fulkerson 1956).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.optimise.problem import LocationProblem

MOST = 2**31 - 1
"""Flows are 32-bit."""


@dataclass(frozen=True, eq=False)
class Presolve:
    """Reasons why nothing can be feasible, all empty when none was found.

    Parameters
    ----------
    only : (n_demand,) the one site that may serve it and need not close; -1 where there are several or none
    unserved : demand points that no site may serve, or only such as must close
    too_big : demand points that must stay whole and that no site has seats for
    short_demand, short_sites : together these demand points need more seats than these sites, which are all that may
        serve them and be open, can have
    needed, offered : how many
    over : rows of ``rules`` with more sites that must be open (``only`` included) than may be
    under : rows of ``rules`` with fewer sites that may be open than must be
    """

    only: np.ndarray
    unserved: np.ndarray
    too_big: np.ndarray
    short_demand: np.ndarray
    short_sites: np.ndarray
    needed: float
    offered: float
    over: tuple[int, ...]
    under: tuple[int, ...]

    @property
    def infeasible(self) -> bool:
        """Whether a reason was found."""
        return bool(len(self.unserved) or len(self.too_big) or len(self.short_demand) or self.over or self.under)


def presolve(problem: LocationProblem) -> Presolve:
    """Look for reasons why a problem is infeasible.

    >>> found = presolve(LocationProblem([[1.0, np.nan], [2.0, np.nan], [1.0, 1.0]], weight=[3, 4, 1], capacity=[5, 9]))
    >>> found.infeasible, found.short_demand.tolist(), found.short_sites.tolist(), found.needed, found.offered
    (True, [0, 1], [0], 7.0, 5.0)
    """
    m = problem.cost.shape[1]
    may = np.ones(m, dtype=bool)
    may[list(problem.forced_closed)] = False
    allowed = ~np.isnan(problem.cost) & may[None, :]
    count = allowed.sum(axis=1)
    only = np.where(count == 1, allowed.argmax(axis=1) if m else 0, -1)
    seats = most_seats(problem)
    never = np.zeros(m, dtype=bool)
    for rule in problem.rules:
        never[list(rule.sites)] |= rule.max == 0
    biggest = np.where(allowed & ~never, seats[None, :], -1.0).max(axis=1, initial=-1.0)
    too_big = np.flatnonzero((biggest >= 0) & (problem.weight > biggest + 1e-9) & problem.whole)
    must = np.zeros(m, dtype=bool)
    must[list(problem.forced_open)] = True
    must[only[only >= 0]] = True
    over = tuple(
        k
        for k, rule in enumerate(problem.rules)
        if rule.max is not None and int(must[list(set(rule.sites))].sum()) > rule.max
    )
    under = tuple(k for k, rule in enumerate(problem.rules) if int(may[list(set(rule.sites))].sum()) < rule.min)
    short = _short(problem, allowed, seats)
    needed, offered = problem.weight[short[0]].sum(), short[2]
    return Presolve(only, np.flatnonzero(count == 0), too_big, short[0], short[1], float(needed), offered, over, under)


def most_seats(problem: LocationProblem) -> np.ndarray:
    """(n_site,) seats with every step added that may be."""
    if problem.expansion is None:
        return np.asarray(problem.capacity)
    return np.asarray(problem.capacity + problem.expansion.step_seats * problem.expansion.max_steps)


def _short(problem: LocationProblem, allowed: np.ndarray, seats: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Demand points that need more than the sites in their reach can have, those sites, and what they can have.

    Sites of which only some may be open share what the largest of them have.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import maximum_flow

    nothing = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), 0.0
    n, m = allowed.shape
    weight = np.floor(problem.weight + 1e-9)
    total = weight.sum()
    if total == 0 or total > MOST or not np.isfinite(seats[allowed.any(axis=0)]).any():
        return nothing
    seats = np.floor(np.minimum(seats, total) + 1e-9)
    # Nodes: demand points, sites, groups of sites under one rule, source, sink.
    group = np.full(m, -1)
    room: list[float] = []
    for rule in problem.rules:
        members = [j for j in dict.fromkeys(rule.sites) if group[j] < 0]
        if rule.max is None or len(members) <= rule.max:
            continue
        group[members] = len(room)
        room.append(float(np.sort(seats[members])[::-1][: rule.max].sum()))
    source, sink, first = n + m + len(room), n + m + len(room) + 1, n + m
    demand, site = np.nonzero(allowed)
    served = np.unique(demand)  # who can be served at all
    leave = np.where(group >= 0, first + group, sink)
    tail = np.concatenate([np.full(len(served), source), demand, n + np.arange(m), first + np.arange(len(room))])
    head = np.concatenate([served, n + site, leave, np.full(len(room), sink)])
    size = np.concatenate([weight[served], weight[demand], seats, room]).astype(np.int32)
    graph = coo_array((size, (tail, head)), shape=(sink + 1, sink + 1)).tocsr()
    flow = maximum_flow(graph, source, sink)
    if flow.flow_value >= weight[served].sum():
        return nothing
    return _cut(graph, flow.flow, n, m, source, group, seats, np.array(room))


def _cut(
    graph: object, flow: object, n: int, m: int, source: int, group: np.ndarray, seats: np.ndarray, room: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """What can still be reached from the source: pupils without a seat, and the sites that are full because of them."""
    from scipy.sparse.csgraph import breadth_first_order

    left = (graph - flow).tocsr()  # type: ignore[operator]
    left.data = np.where(left.data > 0, left.data, 0)
    left.eliminate_zeros()
    reached = np.zeros(left.shape[0], dtype=bool)
    reached[breadth_first_order(left, source, return_predecessors=False)] = True
    sites = np.flatnonzero(reached[n : n + m])
    groups = np.flatnonzero(reached[n + m : n + m + len(room)])
    offered = float(seats[[j for j in sites if group[j] < 0]].sum())
    for k in range(len(room)):  # a group is full itself, or its sites are
        mine = seats[[j for j in sites if group[j] == k]].sum()
        offered += float(room[k] if k in groups else mine)
    may_open = np.array([group[j] < 0 or room[group[j]] > 0 for j in sites], dtype=bool)
    return np.flatnonzero(reached[:n]), sites[may_open], offered
