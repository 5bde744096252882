"""What the optimum becomes when some sites are forced open or closed: many such questions for little more than one.

The relaxation is solved once and kept. Forcing a site changes two bounds of it, and the dual simplex method mends the
last answer in a few steps: a lower bound. Where what it finds is whole it is the optimum itself. Elsewhere a solution
is made by keeping what is whole (relaxation-enforced neighbourhood search, Berthold 2014), and the program that is left
once reduced costs have ruled out what no better solution uses (Crowder, Johnson and Padberg 1983) proves it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.compiled import clock
from planner.optimise.around import Known, around
from planner.optimise.exact import solve
from planner.optimise.highs import Highs, Start
from planner.optimise.mip import INF, build, rules_of
from planner.optimise.problem import LocationProblem, LocationSolution, value, violations

WHOLE = 1e-6
NOISE = 1e-7  # relative: below it, two objectives are equal
MOST_ROUNDS = 40
AROUND_S = 0.5
MAY_DIFFER = {"cost", "weight", "rules", "forced_open", "forced_closed"}


@dataclass(frozen=True, eq=False)
class Forced:
    """The best objective with some sites forced lies between ``lower`` and ``upper``.

    Parameters
    ----------
    lower : no solution is better; infinite when there is none at all
    upper : the objective of ``solution``; infinite where none was found
    solution : a solution that keeps every limit, or None
    """

    lower: float
    upper: float
    solution: LocationSolution | None = None

    @property
    def exact(self) -> bool:
        """Nothing is left between the two, or there is proven to be no solution."""
        return self.lower == INF or self.upper - self.lower <= noise(self.upper)

    @property
    def impossible(self) -> bool:
        """No solution has these sites so."""
        return self.lower == INF


NEVER = Forced(INF, INF)


def noise(value: float) -> float:
    """Differences of an objective of this size that mean nothing."""
    return NOISE * max(1.0, abs(value)) if np.isfinite(value) else 0.0


def forced(
    problem: LocationProblem,
    choices: Iterable[tuple[Sequence[int], Sequence[int]]],
    *,
    known: Known | None = None,
    prove_s: float = 0.5,
    time_limit_s: float = 60.0,
    seed: int = 0,
) -> list[Forced]:
    """The optimum with some sites forced, for many choices of them.

    Parameters
    ----------
    choices : sites forced open, sites forced closed; they overrule what the problem itself forces
    known : a solution of the problem, near which others are looked for
    prove_s : seconds for each where the relaxation leaves a bracket; 0 leaves it
    time_limit_s : seconds in all; what is left then is a bracket of (-inf, inf)

    >>> problem = LocationProblem([[1.0, 9.0], [9.0, 2.0], [3.0, 4.0]], open_max=1)
    >>> [(f.lower, f.upper) for f in forced(problem, [((0,), ()), ((1,), ()), ((), (0, 1))])]
    [(13.0, 13.0), (15.0, 15.0), (inf, inf)]
    """
    relaxed = Relaxation(problem, known=known, seed=seed, time_limit_s=time_limit_s)
    return [relaxed.forced(opened, closed, prove_s=prove_s) for opened, closed in choices]


class Relaxation:
    """A problem's relaxation, kept between questions.

    Every question starts from where the problem's own relaxation ended: no answer depends on what was asked before.
    """

    def __init__(
        self,
        problem: LocationProblem,
        *,
        known: Known | None = None,
        seed: int = 0,
        time_limit_s: float = 60.0,
    ) -> None:
        self.problem, self._known = problem, known
        self._seed, self._end = seed, clock() + time_limit_s
        self._mip = build(dataclasses.replace(problem, forced_open=(), forced_closed=()))
        self._lp = Highs(self._mip, seed)
        self._held = problem
        self._start: Start | None = None

    def renew(self, seconds: float) -> None:
        """So many seconds from now on, for what is asked next."""
        self._end = clock() + seconds

    def answers(self, problem: LocationProblem) -> bool:
        """Whether questions about another problem may be put to it: one with no pair that this one lacks.

        Which pairs are allowed, costs, weights and counts of open sites may differ, and nothing else.
        """
        ours = self.problem
        if problem.cost.shape != ours.cost.shape or (np.isnan(ours.cost) & ~np.isnan(problem.cost)).any():
            return False
        if [rule.sites for rule in problem.rules] != [rule.sites for rule in ours.rules]:
            return False
        if problem.side is not None and not np.array_equal(problem.weight, ours.weight):
            return False
        names = {part.name for part in dataclasses.fields(problem)} - MAY_DIFFER
        return all(_equal(getattr(problem, name), getattr(ours, name)) for name in sorted(names))

    def forced(
        self,
        opened: Sequence[int] = (),
        closed: Sequence[int] = (),
        *,
        of: LocationProblem | None = None,
        prove_s: float = 0.5,
    ) -> Forced:
        """The optimum with these sites forced, whatever the problem itself says of them.

        Parameters
        ----------
        of : another problem that this relaxation ``answers``
        """
        problem = force(of or self.problem, opened, closed)
        if problem is None or not _served(problem):
            return NEVER
        self._begin()
        self._hold(problem)
        lower, values = self._relax()
        if lower == INF:
            return NEVER
        if values is None:
            return Forced(-INF, INF)
        reduced = self._reduced_costs()
        best = self._rounded(problem, values)
        if not _closed(lower, best) and self._known is not None:
            best = _kept_best(best, self._around(problem, self._known))
        if not _closed(lower, best) and prove_s > 0:
            if best is None:
                best = self._near(problem, values, self._seconds(prove_s))
            lower, best = self._proven(problem, values, reduced, lower, best, self._seconds(prove_s))
        if best is None:
            return Forced(lower, INF)
        if _closed(lower, best):
            lower = best.objective
        return Forced(min(lower, best.objective), best.objective, best)

    def _seconds(self, wanted: float) -> float:
        return max(min(wanted, self._end - clock()), 0.01)

    def _begin(self) -> None:
        """Back to where the problem's own relaxation ended; the first time, solve it."""
        if self._start is not None:
            self._lp.restart(self._start)
            return
        self._hold(self.problem)
        self._relax()
        self._start = self._lp.start()

    def _hold(self, problem: LocationProblem) -> None:
        """Change what the program says of pairs, weights, counts and forced sites to what the problem says of them."""
        at, held, lp = self._mip.layout, self._held, self._lp
        m = problem.cost.shape[1]
        lower, upper = np.zeros(m), np.ones(m)
        lower[list(problem.forced_open)], upper[list(problem.forced_closed)] = 1.0, 0.0
        lp.bound_columns(at.open0 + np.arange(m), lower, upper)
        if problem.cost is not held.cost:
            now, new = held.cost[at.demand, at.site], problem.cost[at.demand, at.site]
            turned = np.flatnonzero(np.isnan(now) != np.isnan(new))
            lp.bound_columns(
                turned, np.zeros(len(turned)), np.where(np.isnan(new[turned]), 0.0, self._mip.upper[turned])
            )
            priced = np.flatnonzero(~np.isnan(new) & (now != new))
            lp.price_columns(priced, new[priced])
        if problem.weight is not held.weight:
            for arc in np.flatnonzero((problem.weight != held.weight)[at.demand]).tolist():
                if (row := self._mip.seats.get(int(at.site[arc]))) is not None:
                    lp.weigh(row, arc, float(problem.weight[at.demand[arc]]))
        for row, rule, before in zip(self._mip.counts, rules_of(problem), rules_of(held), strict=True):
            if (rule.min, rule.max) != (before.min, before.max):
                lp.bound_row(row, rule.min, INF if rule.max is None else rule.max)
        self._held = problem

    def _relax(self) -> tuple[float, np.ndarray | None]:
        """The bound, and the relaxed solution; infinite when there is none, values None when time was out."""
        proven, values = -INF, None
        for _ in range(MOST_ROUNDS):
            state = self._lp.run(self._end - clock())
            if state == "infeasible":
                return INF, None
            if state != "optimal":
                break
            proven, values = self._lp.objective, self._lp.values
            broken = self._lp.broken_arcs()
            if len(broken) == 0:
                break
            self._lp.tighten(broken)
        return proven, values

    def _reduced_costs(self) -> np.ndarray:
        return self._lp.reduced_costs()

    def _rounded(self, problem: LocationProblem, values: np.ndarray) -> LocationSolution | None:
        """The relaxed solution as one, where its sites are whole."""
        at = self._mip.layout
        n, m = problem.cost.shape
        is_open = values[at.open0 : at.open0 + m]
        if (np.minimum(is_open, 1 - is_open) > WHOLE).any():
            return None
        share = np.where(values[: at.open0] > 1e-9, values[: at.open0], 0.0)
        if problem.whole:
            largest = np.zeros((n, m))
            largest[at.demand, at.site] = share
            site = largest.argmax(axis=1)
            if not (np.isfinite(problem.capacity).any() or problem.budgets or problem.worst):
                site = np.where(is_open > 0.5, np.nan_to_num(problem.cost, nan=INF), INF).argmin(axis=1)
            row, share = np.arange(n), np.ones(n)
        else:
            some = share > 0
            row, site, share = at.demand[some], at.site[some], share[some]
            share = share / np.bincount(row, weights=share, minlength=n)[row]
        return _made(problem, is_open > 0.5, row, site, share)

    def _around(self, problem: LocationProblem, known: Known) -> LocationSolution | None:
        """The best solution that changes little of the known one."""
        found = around(problem, known, seconds=self._seconds(AROUND_S), seed=self._seed)
        if found is None:
            return None
        n = len(problem.cost)
        return _made(problem, found[0], np.arange(n), found[1], np.ones(n))

    def _near(self, problem: LocationProblem, values: np.ndarray, seconds: float) -> LocationSolution | None:
        """The best solution that keeps what is whole in the relaxed one."""
        at = self._mip.layout
        m = problem.cost.shape[1]
        is_open = values[at.open0 : at.open0 + m]
        share = values[: at.open0]
        cost = problem.cost.copy()
        settled = np.zeros(len(cost), dtype=bool)
        settled[at.demand[share > 1 - WHOLE]] = True
        other = settled[at.demand] & (share <= 1 - WHOLE) & (problem.side is None)
        cost[at.demand[other], at.site[other]] = np.nan
        near = force(problem, np.flatnonzero(is_open > 1 - WHOLE), np.flatnonzero(is_open < WHOLE))
        if near is None:
            return None
        found = solve(dataclasses.replace(near, cost=cost), time_limit_s=seconds, seed=self._seed)
        return found if found.status in ("optimal", "feasible") else None

    def _proven(
        self,
        problem: LocationProblem,
        values: np.ndarray,
        reduced: np.ndarray,
        lower: float,
        best: LocationSolution | None,
        seconds: float,
    ) -> tuple[float, LocationSolution | None]:
        """A better bound and solution, from the program with what a better solution may still use."""
        left: LocationProblem | None = problem
        if best is not None:
            if _closed(lower, best):
                return lower, best
            at, m = self._mip.layout, problem.cost.shape[1]
            slack = best.objective - lower + noise(best.objective)
            out = reduced > slack
            # Side conditions speak of pairs that nobody uses too (a nearer site with room): there the pairs all stay.
            # So they do where a demand point may be split: a little of it costs but a little of the reduced cost.
            arc_out = out[: at.open0] & (values[: at.open0] < WHOLE) & (problem.side is None) & problem.whole
            cost = problem.cost.copy()
            cost[at.demand[arc_out], at.site[arc_out]] = np.nan
            state = slice(at.open0, at.open0 + m)
            must = np.flatnonzero((-reduced[state] > slack) & (values[state] > 1 - WHOLE))
            shut = np.flatnonzero(out[state] & (values[state] < WHOLE))
            left = force(dataclasses.replace(problem, cost=cost), must, shut)
        if left is None:  # nothing better is left
            return (INF if best is None else best.objective), best
        found = solve(left, time_limit_s=seconds, seed=self._seed)
        if found.status == "infeasible":
            return (INF if best is None else best.objective), best
        if found.status == "unknown":
            return lower, best
        best = _kept_best(best, found)
        assert best is not None  # noqa: S101 - for the type checker: found is one
        return max(lower, min(found.bound, best.objective)), best


def force(problem: LocationProblem, opened: Iterable[int], closed: Iterable[int]) -> LocationProblem | None:
    """The problem with these sites forced, over what it forces itself; None where that contradicts itself.

    >>> force(LocationProblem([[1.0, 2.0]], forced_open=(0,)), (), (0,)).forced_closed
    (0,)
    """
    yes, no = {int(j) for j in opened}, {int(j) for j in closed}
    if yes & no:
        return None
    must = (set(problem.forced_open) - no) | yes
    shut = (set(problem.forced_closed) - yes) | no
    if any(set(group) & must and set(group) & shut for group in problem.linked):
        return None
    return dataclasses.replace(problem, forced_open=tuple(sorted(must)), forced_closed=tuple(sorted(shut)))


def _served(problem: LocationProblem) -> bool:
    """Whether everybody may go to some site that is not forced closed."""
    free = np.ones(problem.cost.shape[1], dtype=bool)
    free[list(problem.forced_closed)] = False
    return bool((~np.isnan(problem.cost[:, free])).any(axis=1).all())


def _equal(one: Any, other: Any) -> bool:
    """Whether two parts of problems say the same."""
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=True)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    if dataclasses.is_dataclass(one) and type(one) is type(other):
        return all(_equal(getattr(one, part.name), getattr(other, part.name)) for part in dataclasses.fields(one))
    if hasattr(one, "tocsr") and hasattr(other, "tocsr"):
        return one.shape == other.shape and bool((one != other).nnz == 0)
    return one is other or (np.isscalar(one) and one == other)


def _closed(lower: float, best: LocationSolution | None) -> bool:
    return best is not None and best.objective - lower <= noise(best.objective)


def _kept_best(one: LocationSolution | None, other: LocationSolution | None) -> LocationSolution | None:
    if one is None or other is None:
        return one or other
    return other if other.objective < one.objective else one


def _made(
    problem: LocationProblem, is_open: np.ndarray, row: np.ndarray, site: np.ndarray, share: np.ndarray
) -> LocationSolution | None:
    """Open sites and who goes where as a solution with the seats it needs; None where it breaks a limit."""
    from scipy.sparse import csr_array

    n, m = problem.cost.shape
    shares = csr_array((share, (row, site)), shape=(n, m))
    load = np.bincount(site, weights=share * problem.weight[row], minlength=m)
    steps = np.zeros(m)
    if problem.expansion is not None:
        over = np.where(np.isfinite(problem.capacity), load - problem.capacity, 0.0)
        size = np.where(problem.expansion.step_seats > 0, problem.expansion.step_seats, 1.0)
        steps = np.ceil(np.maximum(over, 0.0) / size - 1e-9)
        for group in problem.expansion.alike:
            steps[list(group)] = steps[list(group)].max()
    largest = np.full(n, -1)
    order = np.lexsort((share, row))
    largest[row[order]] = site[order]
    made = LocationSolution(is_open, largest, shares, steps, 0.0, -INF, INF, "feasible", 0.0)
    if np.isnan(problem.cost[row, site]).any() or violations(problem, made):
        return None
    return dataclasses.replace(made, objective=value(problem, made))
