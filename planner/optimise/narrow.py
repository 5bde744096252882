"""What reduced costs rule out: below a ceiling a little above the linear relaxation few arcs and sites are left.

Whatever uses a variable costs at least the relaxation's bound and the variable's reduced cost (Dantzig, Fulkerson and
Johnson 1954). Of arcs that speaks for whole demand points only: of a split one, a small share over a dear arc may be
part of the optimum, and only sites are ruled out. The prices of the relaxation rule out more sites (``duals``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from planner.compiled import clock
from planner.optimise.answers import checked, unsolved, valued
from planner.optimise.highs import MOST_ROUNDS, Highs, branch_and_bound, by_rows, tighten
from planner.optimise.mip import INF, Layout, build
from planner.optimise.nearest import looked_for
from planner.optimise.problem import LocationProblem, LocationSolution, pairs, some_pairs

if TYPE_CHECKING:
    from planner.optimise.duals import Priced

WORTH_FROM = 5000  # allowed pairs; with fewer, branch and bound sees all of them
PRICED_FROM = 10_000  # allowed pairs: as many repay compiling
CEILING, RAISE = 1e-4, 5.0  # relative, above the bound: the first guess, and how it rises
SLOWLY = 2.0  # how it rises where each ceiling that leaves nothing is what is proven in the end
NEARLY = 3.0  # a known solution that is no farther above the next ceiling is the next ceiling itself: the last one
MOST_LEFT = 0.5  # of the pairs: with more left, a ceiling is no help
RELAXING_SHARE = 0.4  # of the time, at most
LOOKING_SHARE = 0.15  # of the time that is left, at most, for a plan in which everybody goes to the nearest open site
RISING_SHARE = 0.5  # of the time that is left: what a ceiling may take beside side conditions


@dataclass(frozen=True, eq=False)
class Relaxed:
    """The tightened linear relaxation.

    Parameters
    ----------
    bound : of the objective; infinite where nothing keeps even the relaxed limits
    cost : (n_variable,) reduced costs
    priced : what its prices rule out besides
    """

    layout: Layout
    bound: float
    cost: np.ndarray
    priced: Priced | None = None


def relax(problem: LocationProblem, *, time_limit_s: float, seed: int = 0) -> Relaxed | None:
    """The relaxation with its broken rows added in rounds; None where not even the first is solved in time."""
    ends = clock() + time_limit_s
    mip, found, dual = build(problem), None, np.zeros(0)
    solver = Highs(mip, seed)
    for _ in range(MOST_ROUNDS):
        state = solver.run(ends - clock())
        if state == "infeasible":
            return Relaxed(mip.layout, INF, np.zeros(mip.layout.size))
        if state != "optimal":
            break
        found, dual = Relaxed(mip.layout, solver.objective, solver.reduced_costs()), solver.row_duals()
        broken = solver.broken_arcs()  # every round's is a bound
        if len(broken) == 0:
            break
        solver.tighten(broken)
    if found is None or mip.layout.open0 < PRICED_FROM:
        return found
    from planner.optimise.duals import priced  # loads what is compiled

    return dataclasses.replace(found, priced=priced(problem, mip, dual))


def below(problem: LocationProblem, relaxed: Relaxed, ceiling: float) -> LocationProblem:
    """The problem without what nothing at or below the ceiling uses.

    Parameters
    ----------
    problem : the one that was relaxed, or another of the same sites and allowed pairs
    ceiling : of the objective that was relaxed

    >>> problem = LocationProblem([[1.0, 5.0], [2.0, 9.0]])
    >>> pairs(below(problem, relax(problem, time_limit_s=9), 4.0).cost)[1].tolist()
    [0, 0]
    """
    at = relaxed.layout
    slack = ceiling - relaxed.bound + 1e-6 * max(1.0, abs(relaxed.bound))
    site = relaxed.cost[at.open0 : at.facility0]
    closed, opened = np.zeros(len(site), dtype=bool), np.zeros(len(site), dtype=bool)
    closed[list(problem.forced_closed)] = opened[list(problem.forced_open)] = True
    closed, opened = closed | ((site > slack) & ~opened), opened | ((site < -slack) & ~closed)
    if relaxed.priced is not None:
        from planner.optimise.knapsack import MUST, OUT

        state = relaxed.priced.left(relaxed.bound + slack).state
        closed, opened = closed | ((state == OUT) & ~opened), opened | ((state == MUST) & ~closed)
    for group in problem.linked:  # where one is ruled out and one must be, nothing is below the ceiling
        opened[list(group)] &= not closed[list(group)].any()
    kept = ~closed[at.site] & ((relaxed.cost[: at.open0] <= slack) if problem.whole else True)
    return dataclasses.replace(
        problem,
        cost=some_pairs(problem.cost, at.demand[kept], at.site[kept]),
        forced_open=tuple(np.flatnonzero(opened).tolist()),
        forced_closed=tuple(np.flatnonzero(closed).tolist()),
    )


def is_worth_it(problem: LocationProblem) -> bool:
    """Whether there are enough pairs, or where they may be split enough sites, to be worth ruling out.

    Side conditions are about pairs that are allowed whether they are used or not, so with them none is taken away; what
    is ruled out then stands still instead (``by_ceilings``).
    """
    return problem.side is None and len(pairs(problem.cost)[0]) >= (WORTH_FROM if problem.whole else PRICED_FROM)


def narrowed(
    goal: LocationProblem,
    problem: LocationProblem,
    ceiling: float,
    relaxed: Relaxed | None = None,
    *,
    time_limit_s: float,
    seed: int = 0,
) -> LocationProblem:
    """``goal`` without what no solution of ``problem`` at or below the ceiling uses, where that is worth it.

    Parameters
    ----------
    goal : of the same sites and allowed pairs as ``problem``, whatever its objective
    relaxed : of ``problem``, where it is known
    """
    if not is_worth_it(problem):
        return goal
    relaxed = relaxed or relax(problem, time_limit_s=time_limit_s, seed=seed)
    return goal if relaxed is None else below(goal, relaxed, ceiling)


def by_ceilings(
    problem: LocationProblem, *, gap: float, time_limit_s: float, seed: int
) -> tuple[LocationSolution, Relaxed | None]:
    """The best solution by HiGHS, looked for below ceilings that rise where that is worth it; its relaxation."""
    began = clock()
    ends = began + time_limit_s
    if problem.side is not None:
        return _beside(problem, gap, ends, seed), None
    relaxed = None
    if is_worth_it(problem):
        relaxed = relax(problem, time_limit_s=RELAXING_SHARE * time_limit_s, seed=seed)
    if relaxed is not None and relaxed.bound == INF:
        return unsolved(problem, "infeasible", clock() - began), relaxed
    if relaxed is not None:
        found = _rising(relaxed.bound, partial(_below, problem, relaxed, gap, ends, seed))
        if found is not None:
            return checked(problem, found, gap, began), relaxed
    left = max(ends - clock(), 0.5)
    return by_rows(problem, gap=gap, time_limit_s=left, seed=seed), relaxed


def _rising(
    bound: float, below: Callable[[float], LocationSolution | None], times: float = RAISE
) -> LocationSolution | None:
    """What is best of all solutions, found below ceilings that rise above the bound; None where none of them is.

    Parameters
    ----------
    below : the best solution of what a ceiling leaves, which may lie above it; None where too much is left
    times : how many times as far above the bound the next ceiling is
    """
    above, scale = CEILING, max(abs(bound), 1.0)
    while above < INF and (found := below(bound + above * scale)) is not None:
        if found.status == "optimal" and found.bound <= bound + above * scale:
            return found
        if found.status != "infeasible" and not found.bound >= bound + above * scale:
            break
        # Where a solution above the ceiling was found, nothing better than it needs a higher one.
        known = INF if found.status == "infeasible" else (found.objective - bound) / scale
        above = known if known <= NEARLY * times * above else times * above
    return None


def _below(
    problem: LocationProblem, relaxed: Relaxed, gap: float, ends: float, seed: int, ceiling: float
) -> LocationSolution | None:
    small = below(problem, relaxed, ceiling)
    if len(pairs(small.cost)[0]) > MOST_LEFT * relaxed.layout.open0:
        return None
    return by_rows(small, gap=gap, time_limit_s=ends - clock(), seed=seed)


def _beside(problem: LocationProblem, gap: float, ends: float, seed: int) -> LocationSolution:
    """The best solution beside side conditions: their rows stay, and what is ruled out stands still."""
    began = clock()
    tightened = tighten(problem, time_limit_s=RELAXING_SHARE * (ends - began), seed=seed)
    arcs = tightened.mip.layout.open0
    kept: LocationSolution | None = None  # a valid solution, not proven
    floor = tightened.bound  # nothing is better
    looked = not _open_sites_decide(problem)

    def searched(ceiling: float) -> LocationSolution | None:
        """Whatever was found is kept; where the first ceiling leaves nothing, one is looked for before the next."""
        nonlocal kept, looked, floor
        if not looked and ceiling > tightened.bound + 1.5 * CEILING * max(abs(tightened.bound), 1.0):
            looked = True
            kept = looked_for(problem, tightened.opened, time_limit_s=LOOKING_SHARE * (ends - clock()))
        ceiling = ceiling if kept is None else min(ceiling, kept.objective)
        held = tightened.held(ceiling)
        if kept is None and (held.mip.upper[:arcs] > 0).sum() > MOST_LEFT * arcs:
            return None
        some = (RISING_SHARE if kept is None else 1.0) * (ends - clock())
        found = branch_and_bound(
            problem, held, gap=gap, time_limit_s=some, seed=seed, ceiling=ceiling, known=kept, grow=False
        )
        kept = found if found.status in ("optimal", "feasible") else kept
        if found.status != "unknown":  # nothing at or below the ceiling is better than this
            floor = max(floor, ceiling if found.status == "infeasible" else min(found.bound, ceiling))
        return found

    if arcs >= WORTH_FROM and np.isfinite(tightened.bound):
        found = _rising(tightened.bound, searched, SLOWLY if not looked else RAISE)
        if found is not None:
            return checked(problem, found, gap, began)
    left = max(ends - clock(), 0.5)
    if kept is None:
        found = branch_and_bound(problem, tightened, gap=gap, time_limit_s=left, seed=seed)
        if found.status in ("infeasible", "unknown"):
            return found
    else:
        held, most = tightened.held(kept.objective), kept.objective
        found = branch_and_bound(problem, held, gap=gap, time_limit_s=left, seed=seed, ceiling=most, known=kept)
    return checked(problem, valued(problem, dataclasses.replace(found, bound=max(found.bound, floor))), gap, began)


def _open_sites_decide(problem: LocationProblem) -> bool:
    """Whether catchments in one piece are asked of closest sites: which open then nearly says who goes where."""
    side = problem.side
    return problem.whole and side is not None and side.distance is not None and side.touching is not None
