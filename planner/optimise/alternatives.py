"""The best solutions that differ: each is the best of those far enough from all before it (no-good cuts)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from planner.compiled import clock
from planner.optimise.exact import solve_then
from planner.optimise.problem import Budget, LocationProblem, LocationSolution, Terms, value

SOLVED = ("optimal", "feasible")


@dataclasses.dataclass(frozen=True, eq=False)
class Alternatives:
    """Solutions that differ, the best first.

    Parameters
    ----------
    solutions : each with the objective, bound and gap of the first goal
    ended : why there are no more: ``enough`` (as many as were asked for), ``beyond`` (the next would be worse than was
        allowed), ``none`` (no other keeps every limit) or ``time``
    """

    solutions: tuple[LocationSolution, ...]
    ended: str


def alternatives(
    problem: LocationProblem,
    *then: Terms,
    most: int = 10,
    within: float = 0.02,
    apart: int = 2,
    gap: float = 0.0,
    time_limit_s: float = 60.0,
    seed: int = 0,
) -> Alternatives:
    """The ``most`` best solutions that differ from each other in ``apart`` buildings or more.

    Each is proven the best (to the gap) of all that differ from every one before it: a greedy order, as people who want
    another plan would ask for it.

    Parameters
    ----------
    then : further goals, among equals
    within : relative to the objective of the first; no worse ones are returned
    apart : buildings that are open in one of two solutions and closed in the other, at least

    Source: cuts of Balas and Jeroslow 1972, SIAM J. Appl. Math. 23:61 (canonical cuts).

    >>> problem = LocationProblem([[1.0, 2.0, 9.0]], open_max=1)
    >>> [s.open.tolist().index(True) for s in alternatives(problem, within=1.0).solutions]
    [0, 1]
    """
    ends = clock() + time_limit_s
    found: list[LocationSolution] = []
    posed = problem
    while len(found) < most:
        left = ends - clock()
        if left <= 0:
            return Alternatives(tuple(found), "time")
        proven = solve_then(posed, *then, gap=gap, time_limit_s=left, seed=seed)
        if proven[-1].status not in SOLVED:
            return Alternatives(tuple(found), "time" if proven[-1].status == "unknown" else "none")
        made = _with_first_goal(problem, proven)
        allowed = _allowed(found[0] if found else made, within)
        if made.objective > allowed:
            return Alternatives(tuple(found), "beyond" if made.bound > allowed or made.gap <= gap else "time")
        found.append(made)
        posed = dataclasses.replace(posed, budgets=(*posed.budgets, differ(problem, made.open, apart)))
    return Alternatives(tuple(found), "enough")


def differ(problem: LocationProblem, is_open: np.ndarray, apart: int) -> Budget:
    """The limit that ``apart`` buildings or more are open here and closed there, or the other way round.

    Parameters
    ----------
    is_open : (n_site,) bool
    """
    buildings = np.zeros(len(problem.facility_cost), dtype=bool)
    buildings[problem.facility[is_open]] = True
    used = np.isin(np.arange(len(buildings)), problem.facility)
    same = np.where(buildings, 1.0, -1.0) * used
    return Budget(Terms(facility=same), float(buildings.sum()) - apart, "apart")


def _allowed(best: LocationSolution, within: float) -> float:
    return best.objective + within * abs(best.objective) + 1e-9 * max(1.0, abs(best.objective))


def _with_first_goal(problem: LocationProblem, proven: Sequence[LocationSolution]) -> LocationSolution:
    """The last goal's solution with what was proven about the first goal."""
    first, last = proven[0], proven[-1]
    least = value(problem, last)
    gap = max(least - first.bound, 0.0) / max(abs(least), 1e-9)
    return dataclasses.replace(
        last, objective=least, bound=first.bound, gap=gap if gap > 1e-9 else 0.0, status=first.status
    )
