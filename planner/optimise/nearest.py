"""Plans in which everybody goes to the nearest open site, looked for by opening and closing sites.

Where nobody may be sent past an open site with room and catchments are to be in one piece, the open sites nearly say
who goes where, and few sets of them leave whole catchments. A program finds none for long, as it learns of pieces one
by one; to count the pieces of a set takes a fraction of a millisecond.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from planner.compiled import clock
from planner.optimise.answers import valued
from planner.optimise.mip import rules_of
from planner.optimise.problem import LocationProblem, LocationSolution, at_pairs, pairs, violations


class Nearest:
    """A problem in which everybody goes to the nearest open site of those allowed."""

    def __init__(self, problem: LocationProblem) -> None:
        n, m = problem.cost.shape
        self.problem = problem
        demand, site, cost = pairs(problem.cost)
        self._away, self._cost = np.full((n, m), np.inf), np.zeros((n, m))
        self._away[demand, site] = at_pairs(problem.side.distance, demand, site)  # type: ignore[union-attr]
        self._cost[demand, site] = cost
        self._touching = np.asarray(problem.side.touching, dtype=np.int64).reshape(-1, 2)  # type: ignore[union-attr]
        fixed = np.zeros(m, dtype=bool)
        fixed[[*problem.forced_open, *problem.forced_closed]] = True
        self.free = np.flatnonzero(~fixed)
        more = problem.expansion
        self._size = np.zeros(m) if more is None else more.step_seats
        self._most = np.zeros(m) if more is None else more.max_steps
        self._paid = np.zeros(m) if more is None else more.cost_per_step

    def solution(self, is_open: np.ndarray) -> LocationSolution | None:
        """The sites as a solution; None where it breaks a limit."""
        from scipy.sparse import csr_array

        site, _, steps = self._served(is_open)
        n, m = self._away.shape
        if (site < 0).any():
            return None
        shares = csr_array((np.ones(n), (np.arange(n), site)), shape=(n, m))
        made = LocationSolution(is_open, site, shares, steps, 0.0, -np.inf, np.inf, "feasible", 0.0)
        return None if violations(self.problem, made) else valued(self.problem, made)

    def worth(self, is_open: np.ndarray) -> tuple[float, float]:
        """How much is broken, in pieces too many, seats and sites; and the cost."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        problem, n = self.problem, len(self._away)
        site, load, steps = self._served(is_open)
        short = np.maximum(load - problem.capacity - self._size * steps, 0.0)
        broken = float((site < 0).sum() + short.sum())
        for rule in rules_of(problem):
            count = int(is_open[list(rule.sites)].sum())
            broken += max(rule.min - count, 0) + max(count - (count if rule.max is None else rule.max), 0)
        one, other = self._touching[site[self._touching[:, 0]] == site[self._touching[:, 1]]].T
        joined = coo_array((np.ones(len(one), dtype=bool), (one, other)), shape=(n, n))
        broken += connected_components(joined, directed=False, return_labels=False) - len(np.unique(site))
        opening = problem.fixed_cost[is_open].sum() + problem.facility_cost[np.unique(problem.facility[is_open])].sum()
        return broken, float(self._cost[np.arange(n), site].sum() + opening + self._paid @ steps)

    def _served(self, is_open: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where everybody goes (-1: nowhere), how many that is, and the steps of seats that they need."""
        away = self._away[:, is_open]
        nearest = away.argmin(axis=1)
        site = np.flatnonzero(is_open)[nearest]
        site = np.where(np.isfinite(away[np.arange(len(away)), nearest]), site, -1)
        load = np.bincount(site[site >= 0], weights=self.problem.weight[site >= 0], minlength=len(is_open))
        short = np.maximum(load - self.problem.capacity, 0.0)
        steps = np.ceil(np.divide(short, self._size, out=np.zeros(len(short)), where=self._size > 0) - 1e-9)
        return site, load, np.minimum(steps, self._most)


def looked_for(problem: LocationProblem, opened: np.ndarray, *, time_limit_s: float) -> LocationSolution | None:
    """The best plan found by opening, closing and exchanging sites; None where none keeps every limit.

    Parameters
    ----------
    opened : (n_site,) how much of each site a relaxation opens

    >>> from planner.optimise import Side
    >>> line = Side(distance=[[1.0, 3.0], [2.0, 1.0], [1.0, 3.0]], touching=[[0, 1], [1, 2]])
    >>> problem = LocationProblem([[1.0, 3.0], [2.0, 1.0], [1.0, 3.0]], side=line)
    >>> looked_for(problem, np.ones(2), time_limit_s=9).open.tolist()
    [True, False]
    """
    ends = clock() + time_limit_s
    everybody = Nearest(problem)
    least = np.zeros(len(opened), dtype=bool)
    least[list(problem.forced_open)] = True
    most = (opened > 0.5) | least
    most[list(problem.forced_closed)] = False
    found = [everybody.solution(_down(everybody, begun, ends)) for begun in (most, least) if begun.any()]
    return min((one for one in found if one is not None), key=lambda one: one.objective, default=None)


def _down(everybody: Nearest, is_open: np.ndarray, ends: float) -> np.ndarray:
    """Sites from which opening, closing or exchanging one betters nothing."""
    worth = everybody.worth(is_open)
    alone = [(int(j),) for j in everybody.free]
    exchanges = list(combinations(everybody.free.tolist(), 2))
    while clock() < ends:
        better = _best(everybody, is_open, alone, worth, ends) or _best(everybody, is_open, exchanges, worth, ends)
        if better is None:
            break
        is_open, worth = better
    return is_open


def _best(
    everybody: Nearest, is_open: np.ndarray, moves: Sequence[tuple[int, ...]], worth: tuple[float, float], ends: float
) -> tuple[np.ndarray, tuple[float, float]] | None:
    """The move that is best of all, with what it is worth; None where none betters anything."""
    found = None
    for move in moves:
        if clock() > ends:
            break
        turned = is_open.copy()
        turned[list(move)] = ~turned[list(move)]
        if not turned.any():
            continue
        now = everybody.worth(turned)
        if now < worth:
            found, worth = (turned, now), now
    return found
