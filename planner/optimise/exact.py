"""A location problem solved, by what suits it: HiGHS, a tree of our own without seats, or prices with them.

Why each: docs/decisions/0004, 0007 and 0008.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from planner.compiled import clock
from planner.optimise import median
from planner.optimise.answers import checked, serve_nearest, unsolved, valued
from planner.optimise.loosened import falls_apart, loosened
from planner.optimise.mip import INF
from planner.optimise.narrow import Relaxed, by_ceilings, narrowed
from planner.optimise.parts import apart, parts
from planner.optimise.problem import (
    Budget,
    Goal,
    LocationProblem,
    LocationSolution,
    Terms,
    at_pairs,
    pairs,
    same_pairs,
    value,
)

PRICES_FROM = 10_000  # allowed pairs within seats: from so many on, prices are the quicker
GIVEN = 10  # times as many where opening is free: then only ways are to be chosen
PRICES_AFTER = 1_000  # and from so many on, what HiGHS does not prove in its first seconds repays compiling
FIRST_S, FIRST = 5.0, 0.3  # those seconds, and the share of the time limit that they are at most
SPLIT_FIRST = 0.5  # where demand points may be split, HiGHS proves most that are so small, and prices some never
LINKED = 0.5  # HiGHS's share where sites open together, in futures: a county's relaxation is nearly whole, prices stray
APART = 0.5  # of what is left after that, for each future with sites of its own, and for all with one's sites
LAST_S = 1.0  # left for a further objective: with less and side conditions it is not asked, as HiGHS would not end
NOISE = 1e-7  # relative: room for noise in an objective that is kept while another is minimised
EASE = 1e-6  # relative: the same beside an objective kept before, and where HiGHS says that nothing keeps them
ENOUGH_S = 10.0  # with a shorter time limit HiGHS has all of it


def solve(problem: LocationProblem, *, gap: float = 0.0, time_limit_s: float = 60.0, seed: int = 0) -> LocationSolution:
    """The best solution, with a bound that no solution beats.

    Parameters
    ----------
    gap : relative gap to stop at; 0 proves the optimum
    time_limit_s : seconds in all; what is found by then is returned with its bound

    Returns
    -------
    LocationSolution : checked against every limit of the problem in plain numpy before it is returned

    Raises
    ------
    RuntimeError : the solver's answer fails that check (a fault of this program, never of the data)

    >>> problem = LocationProblem([[1.0, 9.0], [9.0, 2.0], [3.0, 4.0]], open_max=1)
    >>> solution = solve(problem)
    >>> solution.open.tolist(), solution.objective, solution.gap, solution.status
    ([True, False], 13.0, 0.0, 'optimal')
    """
    return _solve(problem, gap, time_limit_s, seed)[0]


def _solve(
    problem: LocationProblem, gap: float, time_limit_s: float, seed: int
) -> tuple[LocationSolution, Relaxed | None]:
    """The best solution, and the linear relaxation where one was solved."""
    began = clock()
    n, m = problem.cost.shape
    demand = pairs(problem.cost)[0]
    if n and (m == 0 or len(np.unique(demand)) < n):
        return unsolved(problem, "infeasible", clock() - began), None

    def alone(part: LocationProblem, seconds: float) -> LocationSolution:
        return solve(part, gap=gap, time_limit_s=seconds, seed=seed)

    some = parts(problem)
    if len(some) > 1:
        return apart(problem, some, alone, gap=gap, time_limit_s=time_limit_s), None
    if len(demand) >= median.WORTH_COMPILING and median.carries(problem):
        sites = median.best_sites(problem, gap=gap, time_limit_s=time_limit_s, seed=seed)
        if sites is not None:
            return checked(problem, _at_nearest(problem, sites), gap, began), None
        time_limit_s = max(time_limit_s - (clock() - began), 0.5)
    alone_s = _highs_first_s(problem, time_limit_s)
    first, relaxed = None, None
    if alone_s > 0:
        first, relaxed = by_ceilings(problem, gap=gap, time_limit_s=alone_s, seed=seed)
        if alone_s == time_limit_s or first.status in ("optimal", "infeasible"):
            return first, relaxed
    if falls_apart(problem):
        part_s = APART * (time_limit_s - (clock() - began))
        first = _both(problem, first, loosened(problem, alone, gap=gap, time_limit_s=part_s), gap, began)
        if first.status in ("optimal", "infeasible"):
            return first, relaxed
    from planner.optimise.prices import solve_by_prices  # loads what is compiled

    rest = time_limit_s - (clock() - began)
    return solve_by_prices(problem, gap=gap, time_limit_s=rest, seed=seed, start=first), relaxed


def _both(
    problem: LocationProblem, one: LocationSolution | None, other: LocationSolution, gap: float, began: float
) -> LocationSolution:
    """The better of two answers, with the better of their bounds."""
    if one is None or "infeasible" in (one.status, other.status):
        return other if one is None or one.status != "infeasible" else one
    solved = [found for found in (one, other) if found.status in ("optimal", "feasible")]
    if not solved:
        return one
    best = min(solved, key=lambda found: found.objective)
    bound = max(found.bound for found in solved)
    return checked(problem, valued(problem, dataclasses.replace(best, bound=bound)), gap, began)


def _highs_first_s(problem: LocationProblem, time_limit_s: float) -> float:
    """How many seconds HiGHS has before prices: all where those do not see the problem or do not repay compiling."""
    count = len(pairs(problem.cost)[0])
    if not _priced(problem) or count < PRICES_AFTER:
        return time_limit_s
    if count >= PRICES_FROM * (GIVEN if _all_may_open(problem) else 1):
        return LINKED * time_limit_s if problem.linked else 0.0
    if time_limit_s < ENOUGH_S:
        return time_limit_s
    return min(FIRST_S, FIRST * time_limit_s) if problem.whole else SPLIT_FIRST * time_limit_s


def _all_may_open(problem: LocationProblem) -> bool:
    """Whether opening costs nothing and no rule forbids it, so that all that is asked is who goes where.

    That is what re-scoring a plan asks. The linear program then says nearly all of it, where prices leave a long tree.
    """
    paid = problem.fixed_cost.any() or problem.facility_cost.any() or problem.expansion is not None
    return not (paid or problem.rules or problem.open_max is not None)


def _priced(problem: LocationProblem) -> bool:
    """Whether prices see all of the problem that matters: seats, and no budgets."""
    more = problem.expansion
    paid = more is None or not ((more.cost_per_step < 0).any() or more.alike)
    return (
        bool(np.isfinite(problem.capacity).any())
        and paid
        and not problem.budgets
        and not problem.worst
        and problem.side is None
    )


def solve_then(
    problem: LocationProblem, *then: Goal, gap: float = 0.0, time_limit_s: float = 60.0, seed: int = 0
) -> tuple[LocationSolution, ...]:
    """Lexicographic: among solutions whose first objective is within the gap of the best, the least of the next.

    Parameters
    ----------
    then : the objectives that follow, each within what those before it leave; of several sums the largest counts

    Returns
    -------
    A solution an objective, each of which keeps every limit; ``objective`` and ``bound`` are those of its own. The
    last one's plan counts. Where one is not found in time, its plan is that of the one before.

    >>> problem = LocationProblem([[1.0, 1.0]], open_max=1)
    >>> solve_then(problem, Terms(fixed=[5.0, 2.0]))[1].open.tolist()
    [False, True]
    """
    first, relaxed = _solve(problem, gap, time_limit_s, seed)
    found, posed, left = [first], problem, time_limit_s - first.seconds
    for goal in then:
        before = found[-1]
        if before.status not in ("optimal", "feasible"):
            found.append(before)
            continue
        began = clock()
        within = _within(posed, goal, before, gap, len(found) > 1)
        if problem.side is not None and left < LAST_S:
            found.append(_not_asked(within, before))
            posed = within
            continue
        ceiling = within.budgets[-1].max
        within = narrowed(within, posed, ceiling, relaxed, time_limit_s=max(0.5 * left, 1.0), seed=seed)
        left -= clock() - began
        # Only opening counts now and seats do not bind: given the open sites, the objective before serves cheapest.
        sums = (*(goal if isinstance(goal, tuple) else (goal,)), *(budget.terms for budget in posed.budgets))
        serving = any(terms.cost is not None for terms in sums)
        free = not serving and not posed.worst and problem.side is None and not np.isfinite(problem.capacity).any()
        asked = dataclasses.replace(within, whole=False) if free else within
        made, relaxed = _solve(asked, gap, max(left, 1.0), seed)
        left -= made.seconds
        if made.status == "infeasible":  # noise, as the plan before keeps every limit
            made, relaxed = _solve(_eased(asked, len(problem.budgets)), gap, max(left, 1.0), seed)
            left -= made.seconds
        if made.status not in ("optimal", "feasible"):
            made = _not_asked(within, before)
        elif free:
            made = dataclasses.replace(made, **serve_nearest(posed, made.open))
        found.append(made)
        posed = within
    return tuple(found)


def _not_asked(within: LocationProblem, before: LocationSolution) -> LocationSolution:
    """The plan of the objective before as one of the next, of which nothing is proven."""
    return dataclasses.replace(before, objective=value(within, before), bound=-INF, gap=INF, status="feasible")


def _within(
    problem: LocationProblem, goal: Goal, proven: LocationSolution, gap: float, kept_before: bool
) -> LocationProblem:
    """The problem with another objective, its own kept within the gap of the best by the last of its budgets.

    Parameters
    ----------
    kept_before : other objectives are kept already, whose room for noise may have bettered this one
    """
    # "Within the gap": what was proven about the objective stays true of any solution.
    allowed = max(proven.objective, proven.bound + gap * abs(proven.objective))
    allowed += (EASE if kept_before else NOISE) * max(1.0, abs(proven.objective))
    spend = problem.objective
    if not pairs(problem.cost)[2].any():
        spend = dataclasses.replace(spend, cost=None)
    sums = [_plus(problem, spend, terms) for terms in problem.worst] or [spend]
    kept = [Budget(terms, allowed, f"objective {len(problem.budgets) + 1}") for terms in sums]
    return dataclasses.replace(aimed(problem, goal), budgets=(*problem.budgets, *kept))


def _eased(problem: LocationProblem, first: int) -> LocationProblem:
    """The problem with more room for noise in the budgets that keep objectives: those from the ``first`` on."""
    kept = (dataclasses.replace(b, max=b.max + EASE * max(1.0, abs(b.max))) for b in problem.budgets[first:])
    return dataclasses.replace(problem, budgets=(*problem.budgets[:first], *kept))


def _plus(problem: LocationProblem, one: Terms, other: Terms) -> Terms:
    """Two sums as one."""
    demand, site, _ = pairs(problem.cost)
    costs = [at_pairs(terms.cost, demand, site) for terms in (one, other) if terms.cost is not None]
    parts = {
        name: [getattr(terms, name) for terms in (one, other) if getattr(terms, name) is not None]
        for name in ("fixed", "facility", "step")
    }
    added = {name: np.sum(given, axis=0) if given else None for name, given in parts.items()}
    return Terms(cost=same_pairs(problem.cost, np.sum(costs, axis=0)) if costs else None, **added)


def aimed(problem: LocationProblem, goal: Goal) -> LocationProblem:
    """The problem with another objective, its limits as they are.

    >>> aimed(LocationProblem([[1.0, np.nan]]), Terms(fixed=[5.0, 2.0])).cost.tolist()
    [[0.0, nan]]
    """
    if isinstance(goal, tuple):
        return dataclasses.replace(aimed(problem, Terms()), worst=goal)
    step = None if problem.expansion is None else dataclasses.replace(
        problem.expansion, cost_per_step=np.zeros_like(problem.fixed_cost) if goal.step is None else goal.step
    )  # fmt: skip
    demand, site, cost = pairs(problem.cost)
    serving = same_pairs(problem.cost, 0.0 * cost if goal.cost is None else at_pairs(goal.cost, demand, site))
    return dataclasses.replace(
        problem, cost=serving, fixed_cost=goal.fixed, facility_cost=goal.facility, expansion=step, worst=()
    )


def _at_nearest(problem: LocationProblem, sites: median.Found) -> LocationSolution:
    """Open sites as a solution, everybody at the cheapest of them, the objective summed again in numpy."""
    m = problem.cost.shape[1]
    is_open = np.zeros(m, dtype=bool)
    is_open[sites.open] = True
    served = serve_nearest(problem, is_open)
    made = LocationSolution(
        is_open, **served, steps=np.zeros(m), objective=0.0, bound=sites.bound, gap=0.0, status="feasible", seconds=0.0
    )
    return valued(problem, made)
