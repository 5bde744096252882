"""The frontier of two sums at once, bounded: weighted sums by prices, each begun from the prices of the one before.

A weight on the second sum makes one sum of both, whose relaxation bounds every point: at a limit on the second, the
first is at least the relaxation's value less the weight times the limit. Weights are chosen where two neighbouring
points leave the most between them (Cohon 1978, ch. 6: noninferior set estimation).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from planner.compiled import clock
from planner.optimise.dive import down
from planner.optimise.exact import aimed
from planner.optimise.frontier import NOISE, Point, undominated
from planner.optimise.lagrange import Ascent, Relaxation, at_prices, nearest, relax, seat_costs, second_costs, shrink
from planner.optimise.problem import LocationProblem, LocationSolution, Terms, at_pairs, pairs, total
from planner.optimise.round import made

ROUNDS, FIRST_ROUNDS = 60, 200
REACH = 0.02  # relative: the first steps at a weight
STAGES, LAST, FEW = 1, 60, 10  # on the way down from a weight: stages, rounds after, sites of a demand point
NEAR = 25  # sites of a demand point among which prices and solutions are looked for


def sketch(
    problem: LocationProblem, first: Terms, second: Terms, *, points: int = 20, time_limit_s: float = 60.0
) -> tuple[Point, ...]:
    """Solutions that cover the frontier, each with a bound on the first sum at its second; for problems of any size.

    Parameters
    ----------
    problem : its own objective is not looked at
    points : weights to try; fewer solutions are returned where some are beaten, or found twice

    Returns
    -------
    From the least of the second sum to the least of the first, as :func:`planner.optimise.frontier.frontier`; none
    where none was found, which proves nothing.

    Raises
    ------
    ValueError : a sum counts steps of seats for less than nothing, which prices do not see

    >>> problem = LocationProblem([[0.0, 8.0], [9.0, 0.0]])
    >>> [(p.first, p.second, p.proven) for p in sketch(problem, problem.objective, Terms(fixed=[1, 1]))]
    [(8.0, 1.0, True), (0.0, 2.0, True)]
    """
    if len(np.unique(pairs(problem.cost)[0])) < problem.cost.shape[0]:
        return ()
    search = _Sketch(aimed(problem, first), second, clock() + time_limit_s)
    search.at(0.0, FIRST_ROUNDS)
    search.at(search.steepest(), FIRST_ROUNDS)
    for _ in range(points - 2):
        weight = search.between()
        if weight is None or clock() > search.ends:
            break
        search.at(weight, ROUNDS)
    return tuple(undominated(search.points()))


class _Sketch:
    """A problem whose objective is the first sum, and what each weight on the second has found and proven."""

    def __init__(self, problem: LocationProblem, second: Terms, ends: float) -> None:
        self.problem, self.second, self.ends = problem, second, ends
        self.relaxed = relax(problem)
        self.seats = problem.whole and bool(np.isfinite(problem.capacity).any())
        self.near = shrink(self.relaxed, self.relaxed.state, nearest(self.relaxed, self.relaxed.cost, NEAR))
        for name, terms in (("first", problem.objective), ("second", second)):
            if terms.step is not None and (np.asarray(terms.step) < 0).any():
                raise ValueError(f"{name}: a step of seats counts for less than nothing")
        self.price = {0.0: second_costs(self.relaxed)}
        self.found: list[tuple[float, float, LocationSolution]] = []  # first, second
        self.proven: list[tuple[float, float]] = []  # weight, bound of the weighted sum

    def at(self, weight: float, rounds: int) -> None:
        """The relaxation at a weight, and a solution that it suggests."""
        weighted, near = (_weighted(at, weight, self.second) for at in (self.relaxed, self.near))
        nearest = min(self.price, key=lambda known: abs(known - weight))
        price = self.price[nearest]
        ascent = Ascent(near, price, REACH * float(np.abs(price).sum()))
        ascent.climb(rounds, np.inf, self.ends)
        self.price[weight] = ascent.best.price
        proving = [ascent.best.price]
        if self.seats:
            found = self._down(near, ascent)
        else:
            tried = made(self.problem, near, ascent, np.inf)
            found, point = tried.solution, tried.point
            if not self.problem.whole:
                proving.append(point.price)
        self.proven += [(weight, at_prices(weighted, price).bound) for price in proving]
        if found is not None:
            self.found.append((found.objective, total(self.problem, self.second, found), found))

    def _down(self, near: Relaxation, ascent: Ascent) -> LocationSolution | None:
        """A solution whose sites are decided before demand points are put."""
        kept = nearest(near, seat_costs(near, ascent.best), FEW)
        ascent.onto(shrink(near, near.state, kept), kept)
        return down(self.problem, near, ascent, np.flatnonzero(kept), self.ends, stages=STAGES, last=LAST)

    def steepest(self) -> float:
        """A weight at which little but the second sum counts."""
        low = np.full(len(self.relaxed.weight), np.inf)
        high = np.full(len(self.relaxed.weight), -np.inf)
        np.minimum.at(low, self.relaxed.demand, self.relaxed.cost)
        np.maximum.at(high, self.relaxed.demand, self.relaxed.cost)
        return float((high - low).sum()) / max(max((abs(second) for _, second, _ in self.found), default=0.0), 1e-9)

    def between(self) -> float | None:
        """The weight by which two neighbouring points are equally good: of those that leave the most between them."""
        known = {weight for weight, _ in self.proven}
        best, chosen = 0.0, None
        front = [(point.first, point.second) for point in undominated(self.points())]
        for (f1, s1), (f2, s2) in pairwise(front):
            weight = (f1 - f2) / (s2 - s1)
            left = (f1 - f2) * (s2 - s1)
            if left > best and min(abs(weight - other) for other in known) > 1e-6 * weight:
                best, chosen = left, weight
        return chosen

    def points(self) -> list[Point]:
        """Every solution, with the best bound on the first sum at its second."""
        found = []
        for first, second, solution in self.found:
            bound, strict = (
                max((bound - weight * second for weight, bound in self.proven if weight >= least), default=-np.inf)
                for least in (0.0, 1e-300)
            )  # where the second sum counts for nothing, a point with less of it may be as good
            proven = first - strict <= NOISE * max(1.0, abs(first))
            found.append(Point(first, second, min(first, bound), second, solution, proven))
        return found


def _weighted(relaxed: Relaxation, weight: float, second: Terms) -> Relaxation:
    """The relaxation of the first sum and ``weight`` times the second."""
    serving = None if second.cost is None else at_pairs(second.cost, relaxed.demand, relaxed.site)
    return replace(
        relaxed,
        cost=_more(relaxed.cost, weight, serving),
        fixed_cost=_more(relaxed.fixed_cost, weight, second.fixed),
        facility_cost=_more(relaxed.facility_cost, weight, second.facility),
        step_cost=_more(relaxed.step_cost, weight, second.step),
    )


def _more(cost: np.ndarray, weight: float, terms: np.ndarray | None) -> np.ndarray:
    return cost if terms is None else cost + weight * np.asarray(terms, dtype=np.float64)
