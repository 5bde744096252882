"""A solution near a known one in which some sites are forced the other way: only what that touches is decided anew."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from planner.optimise.exact import solve
from planner.optimise.problem import Expansion, LocationProblem


class Known(Protocol):
    """What is known of a solution: open sites, and the site of every demand point."""

    @property
    def open(self) -> np.ndarray:
        """(n_site,) bool."""

    @property
    def assignment(self) -> np.ndarray:
        """(n_demand,) site."""


def around(
    problem: LocationProblem, known: Known, *, seconds: float = 1.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray] | None:
    """Open sites and who goes where, near a known solution, for a problem that forces other sites.

    Rules that the forced sites break are kept by the member that serves least (to close) or would serve cheapest (to
    open). Demand points of closed sites, and those to whom a new site is cheaper, choose again among the open sites;
    all others stay, with their seats.

    Returns
    -------
    (n_site,) open, (n_demand,) site; None where nothing was found this way. Only for whole demand points' largest
    shares; whoever asks checks it against every limit.

    >>> import dataclasses
    >>> problem = LocationProblem([[1.0, 9.0], [9.0, 2.0], [3.0, 4.0]])
    >>> opened, site = around(dataclasses.replace(problem, forced_closed=(0,)), solve(problem))
    >>> opened.tolist(), site.tolist()
    ([False, True], [1, 1, 1])
    """
    is_open = _opened(problem, known)
    if is_open is None:
        return None
    now = known.assignment
    current = problem.cost[np.arange(len(now)), now]
    fresh = is_open & ~known.open
    cheaper = np.where(np.isnan(problem.cost), np.inf, problem.cost)[:, fresh].min(axis=1, initial=np.inf)
    free = np.flatnonzero(~is_open[now] | np.isnan(current) | (cheaper < current))
    site = now.copy()
    if len(free) == 0:
        return is_open, site
    stay = np.ones(len(now), dtype=bool)
    stay[free] = False
    load = np.bincount(now[stay], weights=problem.weight[stay], minlength=len(is_open))
    room, expansion = problem.capacity - load, problem.expansion
    if expansion is not None:  # steps that those who stay need are taken already
        size = np.where(expansion.step_seats > 0, expansion.step_seats, 1.0)
        taken = np.where(room < 0, np.ceil(-room / size - 1e-9), 0.0)
        room = np.where(taken > 0, room + taken * size, room)
        left = np.maximum(expansion.max_steps - taken, 0.0)
        expansion = Expansion(expansion.step_seats, left, expansion.cost_per_step)
    local = LocationProblem(
        problem.cost[free],
        weight=problem.weight[free],
        capacity=np.maximum(room, 0.0),
        forced_open=tuple(np.flatnonzero(is_open).tolist()),
        forced_closed=tuple(np.flatnonzero(~is_open).tolist()),
        expansion=expansion,
        whole=True,
    )
    found = solve(local, time_limit_s=seconds, seed=seed)
    if found.status not in ("optimal", "feasible"):
        return None
    site[free] = found.assignment
    return is_open, site


def _opened(problem: LocationProblem, known: Known) -> np.ndarray | None:
    """The known open sites with the forced ones, and as many changes as the rules need; None where that fails."""
    is_open = known.open.copy()
    is_open[list(problem.forced_open)], is_open[list(problem.forced_closed)] = True, False
    load = np.bincount(known.assignment, weights=problem.weight, minlength=len(is_open))
    lost = np.flatnonzero(~is_open[known.assignment])
    reach = np.where(np.isnan(problem.cost), 1e12, problem.cost)[lost].sum(axis=0)
    fixed = np.zeros(len(is_open), dtype=bool)
    fixed[[*problem.forced_open, *problem.forced_closed]] = True
    for rule in problem.rules:
        members = np.unique(np.array(rule.sites, dtype=np.int64))
        for _ in range(len(members)):
            count = int(is_open[members].sum())
            if rule.max is not None and count > rule.max:
                turn = members[is_open[members] & ~fixed[members]]
                score = load
            elif count < rule.min:
                turn = members[~is_open[members] & ~fixed[members]]
                score = reach
            else:
                break
            if len(turn) == 0:
                return None
            chosen = turn[score[turn].argmin()]
            is_open[chosen], fixed[chosen] = ~is_open[chosen], True
    return is_open
