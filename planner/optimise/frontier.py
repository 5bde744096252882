"""The frontier of two sums: solutions that no other beats on both, by limits on the second (epsilon constraints).

At every limit the least first sum, and among its solutions the least second, so that no point is weakly dominated
(Haimes, Lasdon and Wismer 1971; Mavrotas 2009 for the second step).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.compiled import clock
from planner.optimise.exact import aimed, solve, solve_then
from planner.optimise.median import carries
from planner.optimise.narrow import narrowed, relax
from planner.optimise.problem import (
    Budget,
    LocationProblem,
    LocationSolution,
    OpenRule,
    Terms,
    at_pairs,
    pairs,
    same_pairs,
    some_pairs,
    total,
)

NOISE = 1e-7  # relative: a limit is kept to it
APART = 2e-6  # relative: second sums that are closer are one point
AT_ONCE_FROM = 200_000  # allowed pairs: with as many, points are bounded at once, not proven one by one
FIRST_SHARE = 0.4  # of the time, for the end that every other point is found from
SOLVED = ("optimal", "feasible")


class OutOfTimeError(RuntimeError):
    """No solution was found in time, and none was ruled out."""


@dataclass(frozen=True, eq=False)
class Longest:
    """The longest way of any demand point to a site that serves it.

    Parameters
    ----------
    minutes : (n_demand, n_site)
    """

    minutes: Any


@dataclass(frozen=True, eq=False)
class Point:
    """A solution on the frontier.

    Parameters
    ----------
    first, second : what the two measures come to
    bound : no solution with a second measure up to ``level`` has a lower first one
    level : the limit it was asked with
    solution : every limit kept
    proven : nothing beats it on both (to the gap that was asked for)
    """

    first: float
    second: float
    bound: float
    level: float
    solution: LocationSolution
    proven: bool

    @property
    def gap(self) -> float:
        """(first - bound) / |first|."""
        return max(self.first - self.bound, 0.0) / max(abs(self.first), 1e-9)


def frontier(
    problem: LocationProblem,
    first: Terms,
    second: Terms | Longest,
    *,
    points: int | None = 9,
    levels: Sequence[float] | None = None,
    gap: float = 0.0,
    time_limit_s: float = 60.0,
    seed: int = 0,
) -> tuple[Point, ...]:
    """The solutions that no other beats on both measures, from the least of the second to the least of the first.

    Parameters
    ----------
    problem : its own objective is not looked at
    points : limits on the second measure, evenly from its least to where the first is least, or where there are 200,000
        allowed pairs or more so many weights, bounded at once (:mod:`planner.optimise.sketch`); None for every point
        there is (second measures within 2e-6 of each other count as one)
    levels : the limits themselves, instead
    gap : relative, of the first measure

    Returns
    -------
    Fewer than asked where limits share a point; none where nothing is feasible. Where time runs out, points that were
    found are kept with their bounds.

    Raises
    ------
    OutOfTimeError : not even one solution was found in time, nor shown that there is none

    >>> problem = LocationProblem([[0.0, 8.0], [9.0, 0.0]])
    >>> [(p.first, p.second) for p in frontier(problem, problem.objective, Terms(fixed=[1, 1]))]
    [(8.0, 1.0), (0.0, 2.0)]
    """
    if levels is None and points is not None and isinstance(second, Terms) and _is_large(problem, first, second):
        from planner.optimise.sketch import sketch  # loads what is compiled

        covered = sketch(problem, first, second, points=points, time_limit_s=time_limit_s)
        if covered:
            return covered
    search = _Search(aimed(problem, first), second, gap, clock() + time_limit_s, seed)
    if levels is not None:
        found = search.at_each(sorted(levels, reverse=True))
    else:
        found = search.every() if points is None else search.spread(points)
    if not found and search.unknown:
        raise OutOfTimeError
    return tuple(undominated(found))


def _is_large(problem: LocationProblem, first: Terms, second: Terms) -> bool:
    """Whether points are to be bounded at once, and can be: prices see no side conditions and no steps that pay."""
    return (
        problem.side is None
        and all(terms.step is None or (np.asarray(terms.step) >= 0).all() for terms in (first, second))
        and len(pairs(problem.cost)[0]) >= AT_ONCE_FROM
    )


def undominated(found: Sequence[Point]) -> Iterator[Point]:
    """Each point once, from the least second on; what was proven at a looser limit holds at a tighter one.

    A solution found at a tighter limit keeps a looser one too, and replaces what is worse there.
    """
    known, bound = [], -np.inf
    for point in sorted(found, key=lambda p: -p.level):
        bound = max(bound, point.bound)
        known.append(dataclasses.replace(point, bound=bound))
    best = np.inf
    for point in sorted(known, key=lambda p: (p.second, p.first, -p.bound)):
        if point.first < best - NOISE * max(1.0, abs(point.first)):
            best = point.first
            yield point


class _Search:
    """A problem whose objective is the first measure, and the limits it has been asked with."""

    def __init__(self, problem: LocationProblem, second: Terms | Longest, gap: float, ends: float, seed: int) -> None:
        self.problem, self.second, self.gap, self.ends, self.seed = problem, second, gap, ends, seed
        self.unknown = False  # whether some limit had no solution in time
        self.steps = np.zeros(0)
        if isinstance(second, Longest):
            demand, site, _ = pairs(problem.cost)
            self.steps = steps_of(at_pairs(second.minutes, demand, site))

    def every(self) -> list[Point]:
        """Every point there is time for, from the least of the first measure on: of split demand there is no end."""
        found: list[Point] = []
        level = np.inf
        while (point := self.at(level, 1.0)) is not None:
            found.append(point)
            level = self.next_below(point.second)
            if not point.proven or clock() > self.ends:
                break
        return found

    def spread(self, points: int) -> list[Point]:
        """Points at limits that lie evenly between the ends."""
        loose = self.at(np.inf, max(1 / points, FIRST_SHARE))
        if loose is None:
            return []
        least = self.least(loose)
        if least >= loose.second:
            return [loose]
        return [loose, *self.at_each(np.linspace(loose.second, least, points)[1:].tolist(), loose)]

    def at_each(self, levels: Sequence[float], before: Point | None = None) -> list[Point]:
        """Points at limits that fall; a limit that the last point keeps already is not asked again."""
        found: list[Point] = []
        for k, level in enumerate(levels):
            if before is not None and before.proven and before.second <= level:
                continue
            if before is not None and clock() > self.ends:
                break
            point = self.at(level, min(1.0, 2 / (len(levels) - k)))  # most need less than their share
            if point is not None:
                found.append(point)
                before = point
        return found

    def at(self, level: float, share: float) -> Point | None:
        """The least first measure at a limit, then the least second, in a share of the time that is left."""
        seconds = max(share * (self.ends - clock()), 0.5)
        limited = limit(self.problem, self.second, level)
        ends = clock() + seconds
        if isinstance(self.second, Terms) and _counted(self.problem, self.second) is None:
            first, found = solve_then(limited, self.second, gap=self.gap, time_limit_s=seconds, seed=self.seed)
            proven = found.gap <= self.gap + NOISE
        else:
            first = solve(limited, gap=self.gap, time_limit_s=0.6 * seconds, seed=self.seed)
            found, proven = first, False
            if first.status in SOLVED:
                if isinstance(self.second, Longest):
                    found, proven = self.shortened(limited, first, ends)
                else:
                    found, proven = self.fewer(first, ends)
        if found.status not in SOLVED:
            self.unknown |= found.status == "unknown"
            return None
        value = total(self.problem, self.problem.objective, found)
        return Point(
            value,
            measure(self.problem, self.second, found),
            min(first.bound, value),
            level,
            found,
            proven and first.status == "optimal",
        )

    def allowed(self, first: LocationSolution) -> float:
        """What a solution as good as ``first`` may cost."""
        most = max(first.objective, first.bound + self.gap * abs(first.objective))
        return most + NOISE * max(1.0, abs(first.objective))

    def fewer(self, first: LocationSolution, ends: float) -> tuple[LocationSolution, bool]:
        """The fewest sites among the solutions as good as ``first``, and whether that is proven.

        With one fewer the linear relaxation alone is mostly worse already.
        """
        known, allowed = first, self.allowed(first)
        while (seconds := ends - clock()) > 0:
            at = limit(self.problem, self.second, self.next_below(measure(self.problem, self.second, known)))
            relaxed = None if carries(at) else relax(at, time_limit_s=seconds, seed=self.seed)
            if relaxed is not None and relaxed.bound > allowed:
                return known, True
            tried = solve(at, gap=self.gap, time_limit_s=max(ends - clock(), 0.5), seed=self.seed)
            if tried.status not in SOLVED or tried.objective > allowed:
                return known, tried.status == "infeasible" or tried.bound > allowed
            known = tried
        return known, False

    def shortened(
        self, limited: LocationProblem, first: LocationSolution, ends: float
    ) -> tuple[LocationSolution, bool]:
        """The least longest way among the solutions as good as ``first``, and whether that is proven."""
        allowed = self.allowed(first)
        seconds = 0.5 * (ends - clock())
        small = narrowed(limited, limited, allowed, time_limit_s=seconds, seed=self.seed)
        return self.bisect(small, first, allowed, ends)

    def bisect(
        self, problem: LocationProblem, known: LocationSolution, allowed: float, ends: float
    ) -> tuple[LocationSolution, bool]:
        """The least longest way with an objective of at most ``allowed``, from a solution that is known."""
        steps = self.steps
        high = int(np.searchsorted(steps, measure(problem, self.second, known)))
        low, trial = self.floor(problem), high - 1  # the next shorter way first: mostly there is none
        while low < high:
            if (seconds := ends - clock()) <= 0:
                return known, False
            at = limit(problem, self.second, steps[trial])
            tried = solve(at, gap=self.gap, time_limit_s=seconds, seed=self.seed)
            if tried.status in SOLVED and tried.objective <= allowed:
                known = tried
                high = int(np.searchsorted(steps, measure(problem, self.second, tried)))
            elif tried.status == "infeasible" or tried.bound > allowed:
                low = trial + 1
            else:
                return known, False
            trial = (low + high) // 2
        return known, True

    def floor(self, problem: LocationProblem) -> int:
        """Row of the steps that every solution's longest way reaches: somebody's shortest."""
        demand, site, _ = pairs(problem.cost)
        nearest = np.full(problem.cost.shape[0], np.inf)
        np.minimum.at(nearest, demand, at_pairs(self.second.minutes, demand, site))  # type: ignore[union-attr]
        return int(np.searchsorted(self.steps, nearest.max(initial=-np.inf)))

    def least(self, known: Point) -> float:
        """The least second measure of all, or the least that was found in time."""
        seconds = max(0.2 * (self.ends - clock()), 0.5)
        if isinstance(self.second, Terms):
            found = solve(aimed(self.problem, self.second), gap=0.0, time_limit_s=seconds, seed=self.seed)
            return found.objective if found.status in SOLVED else known.second
        found, _ = self.bisect(aimed(self.problem, Terms()), known.solution, np.inf, clock() + seconds)
        return measure(self.problem, self.second, found)

    def next_below(self, value: float) -> float:
        """The loosest limit that a point with this second measure does not keep."""
        if isinstance(self.second, Longest):
            place = int(np.searchsorted(self.steps, value)) - 1
            return float(self.steps[place]) if place >= 0 else -np.inf
        return value - (0.5 if _whole_numbers(self.second) else APART * max(1.0, abs(value)))


def steps_of(minutes: np.ndarray) -> np.ndarray:
    """The longest ways there can be, ascending; of those that ``limit`` would not tell apart the longest.

    >>> steps_of(np.array([20.0, 5.0, 20.0 + 1e-9])).tolist() == [5.0, 20.0 + 1e-9]
    True
    """
    found = np.unique(minutes)
    apart = np.diff(found) > 2 * NOISE * np.maximum(1.0, np.abs(found[1:]))
    steps: np.ndarray = found[np.append(apart, True)[: len(found)]]
    return steps


def limit(problem: LocationProblem, second: Terms | Longest, level: float) -> LocationProblem:
    """The problem with the second measure at most ``level``, inclusive."""
    if level == np.inf:
        return problem
    if isinstance(second, Longest):
        demand, site, cost = pairs(problem.cost)
        near = at_pairs(second.minutes, demand, site) <= level + NOISE * max(1.0, abs(level))
        if isinstance(problem.cost, np.ndarray):  # stays what it is: dense problems may have a lane of their own
            return dataclasses.replace(problem, cost=same_pairs(problem.cost, np.where(near, cost, np.nan)))
        return dataclasses.replace(problem, cost=some_pairs(problem.cost, demand[near], site[near]))
    most = level + NOISE * max(1.0, abs(level))
    counted = _counted(problem, second)
    if counted is not None and level >= 0:  # a rule leaves the problem to whatever solves it quickest
        rule = OpenRule(counted, 0, int(np.floor(most)), "second measure")
        return dataclasses.replace(problem, rules=(*problem.rules, rule))
    return dataclasses.replace(problem, budgets=(*problem.budgets, Budget(second, most, "second measure")))


def _counted(problem: LocationProblem, terms: Terms) -> tuple[int, ...] | None:
    """The sites that a sum merely counts; None where it does anything else."""
    if terms.cost is not None or terms.step is not None:
        return None
    worth = np.zeros(problem.cost.shape[1]) if terms.fixed is None else np.asarray(terms.fixed, dtype=float)
    if terms.facility is not None:
        facility = np.asarray(terms.facility, dtype=float)
        if (np.bincount(problem.facility)[facility != 0] > 1).any():
            return None
        worth = worth + facility[problem.facility]
    return tuple(np.flatnonzero(worth).tolist()) if np.isin(worth, (0.0, 1.0)).all() else None


def _whole_numbers(terms: Terms) -> bool:
    """Whether the sum is a whole number whatever is open."""
    parts = [part for part in (terms.fixed, terms.facility, terms.step) if part is not None]
    return terms.cost is None and all((np.asarray(part) == np.round(np.asarray(part))).all() for part in parts)


def measure(problem: LocationProblem, second: Terms | Longest, solution: LocationSolution) -> float:
    """What a measure comes to in a solution; of nobody the longest way is 0."""
    if isinstance(second, Terms):
        return total(problem, second, solution)
    shares = solution.shares.tocoo()
    used = shares.data > 1e-9
    return float(at_pairs(second.minutes, shares.row[used], shares.col[used]).max(initial=0.0))
