"""Capacitated problems by prices: a Lagrangian bound, a guess at the optimum, and a proof about what the guess leaves.

Prices give a bound within a few parts in a thousand in a second. Whatever then beats a ceiling a little above the bound
uses few sites and arcs; those are searched exactly. Either the best solution is found and proven, or none is below the
ceiling, which is a bound itself, and the ceiling rises.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from planner.compiled import announce, clock
from planner.optimise.answers import checked, unsolved, valued
from planner.optimise.branch import branch
from planner.optimise.columns import NONE, Columns, sharpened, suits
from planner.optimise.dive import dive, down
from planner.optimise.exchange import around, exchanged
from planner.optimise.flow import cheapest
from planner.optimise.highs import branch_and_bound, tighten
from planner.optimise.kernel import kernel
from planner.optimise.knapsack import MUST, OUT, climb, gains
from planner.optimise.lagrange import (
    Ascent,
    Point,
    Relaxation,
    at_prices,
    first_prices,
    full_costs,
    relax,
    shrink,
    stepped,
)
from planner.optimise.problem import LocationProblem, LocationSolution
from planner.optimise.province import improve
from planner.optimise.recentre import recentred
from planner.optimise.restrict import Left, left, restricted
from planner.optimise.round import MANY, made
from planner.optimise.settle import settle
from planner.optimise.split import flow_at
from planner.optimise.swaps import swapped

ROOT_ROUNDS = 400
ROOTED, DIVING = 0.5, 0.75  # of the time, at most, for prices and a first answer; the same of a province
REACH = 0.1  # relative: the first steps at the root
FIRST_TRY, TRY_EVERY = 100, 20  # rounds of the root at which a solution is made from the prices
SHARPENING = 0.1  # of the time, at most, for the linear program over columns before the tree
KERNEL = 0.5  # of the time left, for the few sites that are worth opening
AGAIN = 1e-3  # relative: the first steps among what is left
NARROWER = 0.8  # of the arcs: with fewer left, the climb goes on without the others
LINEAR_UP_TO = 100_000  # arcs: with more, the linear program is not asked
FEW = 10  # arcs left a demand point: with more, the linear program is slow, and prices are not done
LINEAR_S = 4.0  # for the linear program's search where its bound is the better one
WHOLE_UP_TO = 20_000  # arcs left: with more, parts are searched one by one
IMPROVING, NARROW = 0.05, 0.2  # of the time left, for parts: while the gap is wide, and once it is not
AT_FIRST, AT_FIRST_S = 0.1, 8.0  # of the time, at most so many seconds: the search before a wide gap counts as hard
WIDE = 3e-3  # relative: with a wider gap, wider than is asked for, open sites are exchanged
EXCHANGING, SPLITTING = 0.2, 0.4  # of the time left, for exchanging open sites, and for the split problem
PACKING = 0.2  # of the time left after that, for whole demand points at the split problem's sites
SWAPPING, SWAPPING_S = 0.1, 1.5  # of the time left, at most so many seconds: for swaps of open sites
SWAPPING_MANY = 0.5  # the same where arcs are too many for a quick tree
EXCHANGING_S = 5.0  # left: with less, open sites are not exchanged
EXCHANGED_UP_TO = 100_000  # arcs left: with more, a flow takes too long to judge many choices


def solve_by_prices(
    problem: LocationProblem, *, gap: float, time_limit_s: float, seed: int, start: LocationSolution | None = None
) -> LocationSolution:
    """The best solution and its bound; the bound is infinite, and nothing returned, only when nothing is feasible.

    Parameters
    ----------
    start : what another search of this problem ended with, which this one begins with
    """
    began = clock()
    ends = began + time_limit_s
    announce((gains, climb, settle if problem.whole else cheapest), "the search for plans within seats")
    relaxed = relax(problem)
    if relaxed.seats_at_most < problem.weight.sum() * (1 - 1e-9):
        return unsolved(problem, "infeasible", clock() - began)
    bound, best = -np.inf, None
    if start is not None and start.status in ("optimal", "feasible"):
        bound, best = start.bound, start
    relaxed, point, best = root(problem, relaxed, gap, began + _rooted(relaxed) * time_limit_s, best)
    best = _polished(problem, relaxed, point, best, gap=gap, ends=ends, seed=seed)
    if _worth_a_kernel(relaxed, point.bound, best, gap, ends):
        best = _by_kernel(problem, relaxed, point, best, gap=gap, ends=_part_of(KERNEL, ends), seed=seed)
    wide = not suits(relaxed, point) and _worth_exchanging(relaxed, point.bound, best, gap, ends)
    until = min(_part_of(AT_FIRST, ends), clock() + AT_FIRST_S) if wide else ends
    best, bound = _searched(problem, relaxed, point, best, max(bound, point.bound), gap=gap, ends=until, seed=seed)
    if wide and bound < _goal(_objective(best), gap):
        if _worth_exchanging(relaxed, bound, best, gap, ends):
            best, bound = _other_sites(problem, relaxed, point, best, bound, gap=gap, ends=ends, seed=seed)
        best = _polished(problem, relaxed, point, best, gap=gap, ends=ends, seed=seed)
        best, bound = _searched(problem, relaxed, point, best, bound, gap=gap, ends=ends, seed=seed)
    return _finished(problem, best, bound, gap, began)


def _searched(
    problem: LocationProblem,
    relaxed: Relaxation,
    point: Point,
    best: LocationSolution | None,
    bound: float,
    *,
    gap: float,
    ends: float,
    seed: int,
) -> tuple[LocationSolution | None, float]:
    """The best solution and bound after a search of what they leave: by HiGHS where that is better, by a tree."""
    if bound >= _goal(_objective(best), gap):
        return best, bound
    best, proven = _by_rows(problem, relaxed, point, best, gap=gap, ends=ends, seed=seed)
    bound = max(bound, proven)
    kept = left(relaxed, point, _objective(best))
    if best is not None and problem.whole and int(kept.arcs.sum()) > WHOLE_UP_TO:
        if _is_wide(point.bound, best, gap, ends):
            best = swapped(problem, relaxed, best, ends=_part_of(SWAPPING_MANY, ends), seed=seed + 2)
        best = improve(problem, relaxed, point, best, gap=gap, ends=ends, seed=seed + 1)
        kept = left(relaxed, point, best.objective)
    upper = _objective(best)
    if bound >= _goal(upper, gap) or clock() >= ends:
        return best, bound
    node, point, columns = _nearer(relaxed, kept, point, upper, _goal(upper, gap), ends)
    bound = max(bound, min(point.bound, upper))
    if bound >= _goal(upper, gap):
        return best, bound
    found = branch(
        problem, node, point.price, best, upper, gap=gap, ends=ends, known=point.bound, floor=bound, columns=columns
    )
    return found.best, found.bound


def _polished(
    problem: LocationProblem,
    relaxed: Relaxation,
    point: Point,
    best: LocationSolution | None,
    *,
    gap: float,
    ends: float,
    seed: int,
) -> LocationSolution | None:
    """The best solution once others near it were looked for, for shares of the time: what they leave is then less.

    Near the bound it is worth while to end with the optimum, whose proof takes less than half of the nodes that a
    solution 0.01 % above it takes.
    """
    if best is None or not problem.whole:
        return best
    best = recentred(problem, relaxed, point, best, ends)
    if _is_wide(point.bound, best, gap, ends):
        until = min(_part_of(SWAPPING, ends), clock() + SWAPPING_S)
        best = swapped(problem, relaxed, best, ends=until, seed=seed)
    share = NARROW if point.bound >= _goal(best.objective, WIDE) else IMPROVING
    return improve(problem, relaxed, point, best, gap=gap, ends=_part_of(share, ends), seed=seed)


def _nearer(
    relaxed: Relaxation, kept: Left, point: Point, upper: float, goal: float, ends: float
) -> tuple[Relaxation, Point, Columns | None]:
    """What is left, prices of better solutions than ``upper``, columns, after a climb without what was ruled out.

    What these prices rule out in turn is left out, unless some demand point were left with no site: the tree sees that.
    """
    node = stepped(shrink(relaxed, kept.state, kept.arcs), kept.fewest, kept.most)
    ascent = Ascent(node, point.price, AGAIN * abs(point.bound))
    ascent.climb(ROOT_ROUNDS, goal, ends)
    best, columns = ascent.best, None
    if best.bound < goal and suits(node, best):
        sharp = sharpened(node, best, NONE, goal, _part_of(SHARPENING, ends))
        best, columns = (best, None) if sharp is None else (sharp.best, sharp.columns)
    if best.bound < point.bound:
        return node, replace(at_prices(node, point.price), bound=point.bound), columns
    less = left(node, best, upper)
    if (np.bincount(node.demand[less.arcs], minlength=len(node.weight)) == 0).any():
        return node, best, columns
    return stepped(shrink(node, less.state, less.arcs), less.fewest, less.most), best, columns


def _by_kernel(
    problem: LocationProblem,
    relaxed: Relaxation,
    point: Point,
    best: LocationSolution | None,
    *,
    gap: float,
    ends: float,
    seed: int,
) -> LocationSolution | None:
    """The best solution, those of few sites looked for as well: what bounds them bounds nothing else."""
    few = kernel(problem, relaxed, point, best, ends)
    if few is None:
        return best
    start = None if best is None else replace(best, bound=-np.inf)
    found = solve_by_prices(few, gap=gap, time_limit_s=ends - clock(), seed=seed, start=start)
    return found if found.status in ("optimal", "feasible") and found.objective < _objective(best) else best


def _other_sites(
    problem: LocationProblem,
    relaxed: Relaxation,
    point: Point,
    best: LocationSolution | None,
    bound: float,
    *,
    gap: float,
    ends: float,
    seed: int,
) -> tuple[LocationSolution | None, float]:
    """The best solution and bound after exchanging open sites, and after solving the split problem.

    Whole demand points are seldom much dearer than split ones, whose tree is the quicker by far: its bound is a bound,
    and its open sites are where to look for those of the whole.
    """
    best = exchanged(problem, relaxed, point, best, ends=_part_of(EXCHANGING, ends), seed=seed)
    if not problem.whole or not _worth_exchanging(relaxed, bound, best, gap, ends):
        return best, bound
    part = _part_of(SPLITTING, ends) - clock()
    start = None if best is None else replace(best, bound=-np.inf)  # whose bound, if any, is not the split problem's
    split = replace(problem, whole=False)
    loose = solve_by_prices(split, gap=gap, time_limit_s=part, seed=seed, start=start)
    if loose.status == "infeasible":
        return None, np.inf
    if loose.status == "unknown":
        return best, bound
    bound = max(bound, loose.bound)
    best = around(problem, relaxed, point, loose.open, best)
    if bound < _goal(_objective(best), gap):
        best = packed(problem, relaxed, loose.open, best, gap=gap, ends=_part_of(PACKING, ends))
    return best, bound


def packed(
    problem: LocationProblem,
    relaxed: Relaxation,
    is_open: np.ndarray,
    best: LocationSolution | None,
    *,
    gap: float,
    ends: float,
) -> LocationSolution | None:
    """The best solution after a search among those with these open sites: it bounds nothing else."""
    is_open = (is_open & (relaxed.state != OUT)) | (relaxed.state == MUST)
    node = shrink(relaxed, np.where(is_open, MUST, OUT), np.ones(len(relaxed.demand), dtype=bool))
    flow = flow_at(node, is_open)
    if flow is None:
        return best
    upper, point = _objective(best), at_prices(node, flow.price)
    node, point, columns = _nearer(node, left(node, point, upper), point, upper, _goal(upper, gap), ends)
    found = branch(problem, node, point.price, best, upper, gap=gap, ends=ends, known=point.bound, columns=columns)
    return found.best


def _worth_exchanging(
    relaxed: Relaxation, bound: float, best: LocationSolution | None, gap: float, ends: float
) -> bool:
    """Whether the gap is wide, flows are quick, and time is left for many."""
    return _is_wide(bound, best, gap, ends) and len(relaxed.demand) <= EXCHANGED_UP_TO


def _worth_a_kernel(relaxed: Relaxation, bound: float, best: LocationSolution | None, gap: float, ends: float) -> bool:
    """Whether the gap is wide, arcs are too many for flows and for a quick tree, and demand points are not."""
    large = len(relaxed.demand) > EXCHANGED_UP_TO and len(relaxed.weight) < MANY
    return large and _is_wide(bound, best, gap, ends)


def _is_wide(bound: float, best: LocationSolution | None, gap: float, ends: float) -> bool:
    """Whether the gap is wide, and time is left for more than the tree."""
    return bound < _goal(_objective(best), max(WIDE, gap)) and ends - clock() >= EXCHANGING_S


def _rooted(relaxed: Relaxation) -> float:
    """The share of the time that the root may take: a dive makes the answer, too, and needs it where time is short."""
    return DIVING if relaxed.whole and len(relaxed.weight) >= MANY else ROOTED


def _objective(best: LocationSolution | None) -> float:
    """Infinite while no solution is known."""
    return np.inf if best is None else best.objective


def _part_of(share: float, ends: float) -> float:
    """When a share of the time that is left will be over."""
    now = clock()
    return now + share * (ends - now)


def _by_rows(
    problem: LocationProblem,
    relaxed: Relaxation,
    point: Point,
    best: LocationSolution | None,
    *,
    gap: float,
    ends: float,
    seed: int,
) -> tuple[LocationSolution | None, float]:
    """The best solution and bound, by HiGHS where that is better: without a solution, or where its bound is.

    Without a solution, seats are tight or fall short; the linear program sees the latter at once. Its bound is as good
    as that of prices where seats hardly bind, and its search is then much the quicker. With split demand points the
    bound of prices is never the lower one.
    """
    upper, bound = (np.inf, point.bound) if best is None else (best.objective, point.bound)
    kept = left(relaxed, point, upper)
    most = LINEAR_UP_TO if best is None else min(FEW * len(problem.weight), LINEAR_UP_TO)
    if bound >= _goal(upper, gap) or int(kept.arcs.sum()) > most or (best is not None and not problem.whole):
        return best, bound
    if (np.bincount(relaxed.demand[kept.arcs], minlength=len(problem.weight)) == 0).any():
        return best, upper
    rest = restricted(problem, relaxed, kept)
    remaining = ends - clock()
    tightened = tighten(rest, time_limit_s=0.2 * remaining, seed=seed)
    if best is not None and tightened.bound < bound:
        return best, bound
    remaining = 0.5 * (ends - clock()) if best is None else min(ends - clock(), LINEAR_S)
    found = branch_and_bound(rest, tightened, gap=gap, time_limit_s=remaining, seed=seed)
    if found.status == "infeasible":
        return best, upper
    if found.status == "unknown":
        return best, max(bound, min(tightened.bound, upper))
    if found.objective < upper:
        best = found
    return best, max(bound, min(found.bound, upper))


def _goal(upper: float, gap: float) -> float:
    """The bound that closes the gap; infinite while no solution is known."""
    return upper - gap * abs(upper) if np.isfinite(upper) else np.inf


def root(
    problem: LocationProblem, relaxed: Relaxation, gap: float, ends: float, best: LocationSolution | None = None
) -> tuple[Relaxation, Point, LocationSolution | None]:
    """What is left of the relaxation, the best prices found, and the best solution known or seen on the way."""
    large = len(relaxed.weight) >= MANY
    if large and problem.whole:
        point, found = dive(problem, relaxed, ends)
        if found is not None:
            return relaxed, point, found if found.objective < _objective(best) else best
    upper = _objective(best)
    price = full_costs(relaxed) if large else first_prices(relaxed)
    ascent = Ascent(relaxed, price, REACH * float(np.abs(price).sum()))
    ascent.climb(FIRST_TRY, np.inf, ends)
    every = FIRST_TRY if large else TRY_EVERY
    for _ in range(ROOT_ROUNDS // every):
        tried = made(problem, ascent.relaxed, ascent, upper).solution
        if tried is not None and tried.objective < upper:
            best = recentred(problem, ascent.relaxed, ascent.best, tried, ends) if problem.whole else tried
            upper = best.objective
            _narrow(ascent, upper)
        if ascent.best.bound >= _goal(upper, gap) or not ascent.goes_on or clock() > ends:
            break
        ascent.climb(every, _goal(upper, gap), ends)
    rest, point = ascent.relaxed, ascent.best
    if problem.whole and len(relaxed.demand) > LINEAR_UP_TO and point.bound < _goal(upper, gap):
        found = down(problem, rest, ascent, np.arange(len(rest.demand)), ends)
        best = found if found is not None and found.objective < upper else best
    return rest, point, best


def _narrow(ascent: Ascent, upper: float) -> None:
    """Go on without what no solution better than ``upper`` uses."""
    here = ascent.relaxed
    kept = left(here, ascent.best, upper)
    arcs = kept.arcs & (kept.state[here.site] != OUT)
    if arcs.sum() < NARROWER * len(arcs) and (np.bincount(here.demand[arcs], minlength=len(here.weight)) > 0).all():
        ascent.onto(shrink(here, kept.state, kept.arcs), arcs)


def _finished(
    problem: LocationProblem, best: LocationSolution | None, bound: float, gap: float, began: float
) -> LocationSolution:
    """The solution with what was proven."""
    if best is None:
        return unsolved(problem, "infeasible" if bound == np.inf else "unknown", clock() - began)
    return checked(problem, valued(problem, replace(best, bound=bound)), gap, began)
