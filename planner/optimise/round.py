"""Solutions from what the relaxation by prices does on average: a heuristic, its answers checked before they count."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from planner.optimise.columns import Sharpened
from planner.optimise.knapsack import FREE, MUST, OUT
from planner.optimise.lagrange import Ascent, Point, Relaxation, at_prices
from planner.optimise.problem import LocationProblem, LocationSolution, total, violations
from planner.optimise.settle import Packing, place, settle
from planner.optimise.split import flow_at, share_out

REACHING = 12  # rounds of opening sites for demand points without one
TRIES, MANY = 60, 10_000  # times that each may move; of so many demand points, two times
SHORT, LONG, WIDEST = 2, 6, 40  # moves of chains by which demand points are moved, and beginnings that are kept
NEARLY = 3.0  # times as far above the bound as the best answer: long chains may make better ones of those
MUCH = 0.3  # of what is left between bound and best answer
ROOMY = 1.02  # times the seats that are needed: with no more, whole demand points do not fit
NEAR = 16  # open sites that a demand point may go to in a heuristic answer


@dataclass(frozen=True, eq=False)
class Tried:
    """What was made of a relaxation.

    Parameters
    ----------
    solution : None where it does not fit, or is not better than what was known
    point : the best prices by then
    opening : what the bound lacks is a choice of sites: those that mostly open have too few seats, or sharing demand
        points out among them costs much more than it
    """

    solution: LocationSolution | None
    point: Point
    opening: bool = False


def made(problem: LocationProblem, node: Relaxation, mean: Ascent | Sharpened, upper: float) -> Tried:
    """A solution from what the relaxation does on average, where it fits and is better than ``upper``.

    Split demand points flow among the sites that are mostly open; the flow's own prices may be better. Whole ones are
    put where the flow sends most of them, and where the relaxation does.
    """
    point = mean.best
    reaching = _mostly_open(node, point, mean.open)
    if reaching is None:
        return Tried(None, point)
    if not node.whole:
        return _shared(problem, node, point, reaching, upper)
    if len(node.weight) >= MANY or not np.isfinite(problem.capacity).any():
        return Tried(put(problem, node, point, reaching, (mean.taken,), upper), point)
    return _sent(problem, node, mean, reaching, upper)


def _shared(problem: LocationProblem, node: Relaxation, point: Point, is_open: np.ndarray, upper: float) -> Tried:
    """Split demand points at these open sites."""
    shared = share_out(problem, node, is_open, upper)
    if shared is None:
        return Tried(None, point)
    points = [at_prices(node, price) for price in shared.prices]
    return Tried(shared.solution, max([point, *points], key=lambda point: point.bound))


def _sent(
    problem: LocationProblem, node: Relaxation, mean: Ascent | Sharpened, is_open: np.ndarray, upper: float
) -> Tried:
    """Whole demand points at these open sites, within seats."""
    point, taken = mean.best, mean.taken
    flow = flow_at(node, is_open)
    if flow is None:
        short = _missing(node, is_open) > 0
        roomy = _roomy(node, mean.open, is_open) if short else is_open
        return Tried(put(problem, node, point, roomy, (taken,), upper), point, short)
    point = max(point, at_prices(node, flow.price), key=lambda point: point.bound)
    spent = flow.cost + float(node.fixed[is_open].sum())
    opening = spent - point.bound > MUCH * (upper - point.bound)
    if spent >= upper:
        return Tried(None, point, opening)
    sent = np.zeros(len(node.demand))
    sent[flow.arcs] = flow.share
    return Tried(put(problem, node, point, is_open, (sent, taken), upper), point, opening)


def at_open(
    problem: LocationProblem,
    node: Relaxation,
    point: Point,
    often: np.ndarray,
    taken: np.ndarray,
    upper: float = np.inf,
) -> LocationSolution | None:
    """Whole demand points at the sites that are open more than half of the time; None if they do not fit.

    Most are taken by one site nearly always. The rest are put where they add least, the largest first, then moved and
    exchanged.

    Parameters
    ----------
    often, taken : (n_site,), (n_arc,) how often each opens, and is taken
    upper : what seems not to be better is not looked at
    """
    reaching = _mostly_open(node, point, often)
    return None if reaching is None else put(problem, node, point, reaching, (taken,), upper)


def put(
    problem: LocationProblem,
    node: Relaxation,
    point: Point,
    is_open: np.ndarray,
    ways: tuple[np.ndarray, ...],
    upper: float = np.inf,
) -> LocationSolution | None:
    """Whole demand points at these open sites: first those that an arc takes for more than half, then the largest.

    Parameters
    ----------
    ways : each (n_arc,) how much each takes; the one counts that comes out best
    """
    n = len(problem.weight)
    some = np.flatnonzero(is_open[node.site])
    reduced = (node.cost + point.seat_price[node.site] * node.weight[node.demand])[some]
    order = np.lexsort((reduced, node.demand[some]))
    first = np.searchsorted(node.demand[some][order], np.arange(n + 1))
    near = np.arange(len(some)) - first[node.demand[some][order]] < NEAR
    some = some[order[near]]
    some = some[np.lexsort((node.site[some], node.demand[some]))]
    demand, site, cost = node.demand[some], node.site[some], node.cost[some]
    first = np.searchsorted(demand, np.arange(n + 1))
    over = 10.0 * float(np.abs(cost).max(initial=1.0)) + float(node.step_cost.max(initial=0.0))
    packing = Packing(
        first, site, cost, node.weight, node.seats, node.step_seats, node.max_steps, node.step_cost, is_open, over
    )
    settled = []
    for taken in ways:
        at = np.full(n, -1)
        sure = np.flatnonzero(taken[some] > 0.5)
        at[demand[sure]] = sure
        rest = np.flatnonzero(at < 0)
        place(packing, rest[np.argsort(-node.weight[rest], kind="stable")], at)
        settled.append((settle(packing, TRIES if n < MANY else 2, SHORT, WIDEST, at), at))
    spent, at = min(settled, key=lambda one: one[0])
    opening = float(node.fixed[is_open].sum())
    if n < MANY and opening + spent - point.bound < NEARLY * (upper - point.bound):
        spent = settle(packing, TRIES, LONG, WIDEST, at)
    if opening + spent >= upper:
        return None
    return at_sites(problem, is_open, site[at])


def at_sites(problem: LocationProblem, is_open: np.ndarray, pick: np.ndarray) -> LocationSolution | None:
    """Demand points at the sites picked, with the steps of seats that asks for; None where a limit is broken."""
    from scipy.sparse import csr_array

    n, m = problem.cost.shape
    load = np.bincount(pick, weights=problem.weight, minlength=m)
    steps = np.zeros(m)
    if problem.expansion is not None:
        short = np.maximum(load - problem.capacity, 0.0)
        some = (short > 1e-9) & (problem.expansion.step_seats > 0)
        steps[some] = np.ceil(short[some] / problem.expansion.step_seats[some] - 1e-9)
    shares = csr_array((np.ones(n), (np.arange(n), pick)), shape=(n, m))
    found = LocationSolution(is_open, pick, shares, steps, 0.0, -np.inf, np.inf, "feasible", 0.0)
    if violations(problem, found):
        return None
    return replace(found, objective=total(problem, problem.objective, found))


def _mostly_open(node: Relaxation, point: Point, often: np.ndarray) -> np.ndarray | None:
    """(n_site,) sites open more than half of the time, and others so that each demand point may go to one; or None."""
    added, is_open = node.chosen(0.5 - often)
    return _reaching_all(node, point, is_open) if np.isfinite(added) else None


def _missing(node: Relaxation, is_open: np.ndarray, times: float = 1.0) -> float:
    """Seats that so many times all the demand would need and these sites, with all steps, do not have."""
    seats = node.seats + node.max_steps * node.step_seats
    return float(times * node.weight.sum() - seats[is_open].sum())


def _roomy(node: Relaxation, often: np.ndarray, is_open: np.ndarray) -> np.ndarray:
    """(n_site,) these open sites, and of others those most often open until there is room, where counts allow."""
    seats = node.seats + node.max_steps * node.step_seats
    free = np.flatnonzero(~is_open & (node.state == FREE))
    free = free[np.argsort(-often[free], kind="stable")]
    more = free[: 1 + np.searchsorted(np.cumsum(seats[free]), _missing(node, is_open, ROOMY))]
    roomy = is_open | np.isin(node.twin, node.twin[more])
    return roomy if np.isfinite(node.chosen(np.zeros(len(seats)), np.where(roomy, MUST, OUT))[0]) else is_open


def _reaching_all(node: Relaxation, point: Point, is_open: np.ndarray) -> np.ndarray | None:
    """(n_site,) these open sites, and others so that each demand point may go to one; None where none fit."""
    state = node.state
    for _ in range(REACHING):
        lost = np.bincount(node.demand, weights=is_open[node.site], minlength=len(node.weight)) == 0
        if not lost.any():
            return is_open
        arcs = np.flatnonzero(lost[node.demand] & (state[node.site] == FREE))
        arcs = arcs[np.lexsort((node.cost[arcs], node.demand[arcs]))]
        nearest = arcs[np.unique(node.demand[arcs], return_index=True)[1]]
        # One site for each neighbourhood: the one that most of those without a site have nearest.
        wanted = np.bincount(node.site[nearest], minlength=len(state))
        new = np.flatnonzero(wanted >= max(1, wanted.max(initial=0) // 2))
        if len(new) == 0 or wanted.max() == 0:
            return None
        state = state.copy()
        state[new] = MUST
        added, is_open = node.chosen(node.fixed - point.gain, state)
        if not np.isfinite(added):
            return None
    return None
