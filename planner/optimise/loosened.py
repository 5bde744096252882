"""Sites that open together, as in all futures of a plan, each first for itself: a bound, and sites to open for all.

Without what ties copies of a site together a problem falls apart, and its parts bound it (wait and see, Madansky 1960).
What one of them opens, opened everywhere, leaves each part only who goes where.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from planner.compiled import clock
from planner.optimise.answers import checked, unsolved, valued
from planner.optimise.parts import apart, parts
from planner.optimise.problem import LocationProblem, LocationSolution, violations

Solve = Callable[[LocationProblem, float], LocationSolution]

BOUNDING = 0.4  # of the time, at most, for every part with sites of its own


def falls_apart(problem: LocationProblem) -> bool:
    """Whether sites that open together are all that ties the problem together."""
    alike = problem.expansion is not None and problem.expansion.alike
    return bool(problem.linked) and not alike and len(parts(_loosened(problem))) > 1


def loosened(problem: LocationProblem, solve: Solve, *, gap: float, time_limit_s: float) -> LocationSolution:
    """The best of the plans that open what one of the parts would open, and a bound by all of them.

    >>> two = LocationProblem([[1.0, 3.0, np.nan, np.nan], [np.nan, np.nan, 4.0, 1.0]], linked=((0, 2), (1, 3)))
    >>> from planner.optimise import solve
    >>> found = loosened(two, lambda part, s: solve(part, time_limit_s=s), gap=0.0, time_limit_s=9)
    >>> found.objective, found.bound
    (2.0, 2.0)
    """
    began = clock()
    loose = _loosened(problem)
    free = apart(loose, parts(loose), solve, gap=gap, time_limit_s=BOUNDING * time_limit_s)
    if free.status not in ("optimal", "feasible"):
        return unsolved(problem, free.status, clock() - began)
    best: LocationSolution | None = None
    sets = _opened(problem, free.open)
    for k, is_open in enumerate(sets):
        left = (time_limit_s - (clock() - began)) / (len(sets) - k)
        given = dataclasses.replace(
            loose,
            forced_open=tuple(np.flatnonzero(is_open).tolist()),
            forced_closed=tuple(np.flatnonzero(~is_open).tolist()),
        )
        found = apart(given, parts(given), solve, gap=gap, time_limit_s=left)
        if found.status in ("optimal", "feasible") and not violations(problem, found):
            best = found if best is None or found.objective < best.objective else best
    if best is None:
        return unsolved(problem, "unknown", clock() - began)
    return checked(problem, valued(problem, dataclasses.replace(best, bound=free.bound)), gap, began)


def _loosened(problem: LocationProblem) -> LocationProblem:
    """The problem with copies of a site open or not each for itself; what is asked of one is asked of its copies."""
    copies = {site: group for group in problem.linked for site in group}
    size = min((len(group) for group in problem.linked), default=0)
    rules = [
        dataclasses.replace(rule, sites=tuple(copies[site][k] for site in rule.sites))
        for rule in problem.rules
        for k in range(size)
        if all(site in copies and site == copies[site][0] for site in rule.sites)
    ]
    whole = tuple(rule for rule in problem.rules if not all(site in copies for site in rule.sites))

    def everywhere(sites: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted({copy for site in sites for copy in copies.get(site, (site,))}))

    opened, closed = everywhere(problem.forced_open), everywhere(problem.forced_closed)
    return dataclasses.replace(problem, linked=(), rules=(*rules, *whole), forced_open=opened, forced_closed=closed)


def _opened(problem: LocationProblem, is_open: np.ndarray) -> list[np.ndarray]:
    """What each copy opens, opened in all; and what any of them opens."""
    groups = [list(group) for group in problem.linked]
    votes = [[bool(is_open[group[k]]) for group in groups] for k in range(min(len(group) for group in groups))]
    votes.append([bool(is_open[group].any()) for group in groups])
    found: dict[bytes, np.ndarray] = {}
    for vote in votes:
        chosen = is_open.copy()
        for group, opened in zip(groups, vote, strict=True):
            chosen[group] = opened
        found[chosen.tobytes()] = chosen
    return list(found.values())
