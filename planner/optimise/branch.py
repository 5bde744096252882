"""Branch and bound on the relaxation by prices: demand points within seats.

The bound by whole knapsacks is that of the column-generation program (Geoffrion 1974; Pirkul 1987), much tighter than
the linear relaxation's. Every node moves its parent's prices a little, where few demand points fill a site by a linear
program (planner/optimise/columns.py), drops what cannot beat the best solution known (planner/optimise/restrict.py),
and branches first on an opening, then on steps of seats, then on who serves whom where nobody is split. Both
children are climbed at the same time.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from planner.compiled import clock
from planner.optimise.columns import Columns, Sharpened, sharpened
from planner.optimise.knapsack import FREE, MUST, OUT
from planner.optimise.lagrange import Ascent, Relaxation, at_prices, shrink, stepped
from planner.optimise.problem import LocationProblem, LocationSolution, pairs
from planner.optimise.recentre import recentred
from planner.optimise.restrict import left
from planner.optimise.round import made

NODE_ROUNDS = 40
CALM = 100  # nodes of the lowest bound between two ways down
WORKERS = 2
SURE = 1e-3  # how much a demand point counts that is never in doubt, or of no weight
HEAVY = 2.0  # power of its weight, by which the one to branch on is chosen
START = 0.1  # relative: the first steps where no solution is known


@dataclass(frozen=True, eq=False)
class Found:
    """What a search ends with: the best solution (None: none), and a bound on all."""

    best: LocationSolution | None
    bound: float
    nodes: int


@dataclass(frozen=True, eq=False)
class Node:
    """A part of the solutions: what is left of the problem there, and what its relaxation does on average.

    Parameters
    ----------
    rest : None when no solution of the part is better than what was known
    open, steps, taken : as in :class:`planner.optimise.lagrange.Ascent`
    tried : a solution met on the way
    opening : as in :class:`planner.optimise.round.Tried`
    columns : what its sites may take, where bounds are those of the linear program over them
    """

    bound: float
    rest: Relaxation | None
    price: np.ndarray
    open: np.ndarray
    steps: np.ndarray
    taken: np.ndarray
    tried: LocationSolution | None
    opening: bool = False
    columns: Columns | None = None


def branch(
    problem: LocationProblem,
    relaxed: Relaxation,
    price: np.ndarray,
    best: LocationSolution | None,
    upper: float,
    *,
    gap: float,
    ends: float,
    known: float = -np.inf,
    floor: float = -np.inf,
    most: float = np.inf,
    columns: Columns | None = None,
) -> Found:
    """Solutions better than ``upper``, from the prices given, until the gap is proven or time is up.

    Parameters
    ----------
    best : a solution, if one is known
    upper : its objective, or a guess: solutions above it are not looked for
    known : a bound on them by these prices
    floor : a bound on them by other means: it ends the search, but tells no part of it from another
    most : nodes to look at
    columns : of the linear program that each node then asks for better prices
    """
    count, calm, below = 0, 0, _below(problem)
    heap: list[tuple[float, int, Node]] = []
    parts, at = [relaxed], price
    with ThreadPoolExecutor(WORKERS) as pool:
        while True:
            seen = []
            for node in pool.map(_visits(problem, known, at, columns, upper, below, ends), parts):
                count += 1
                if node.tried is not None and node.tried.objective < upper:
                    best = node.tried
                    if problem.whole:
                        best = recentred(problem, relaxed, at_prices(relaxed, node.price), best, ends)
                    upper = best.objective
                if node.rest is not None:
                    seen.append((node.bound, count, node))
                    heapq.heappush(heap, seen[-1])
            goal = min(upper - gap * abs(upper), below(upper)) if np.isfinite(upper) else np.inf
            if not heap or max(heap[0][0], floor) >= goal or count >= most or clock() > ends:
                break
            # Down to an answer, then the lowest bounds for a while, and down again.
            calm = 0 if calm > CALM else calm + (not seen or calm > 0)
            if calm == 0 and seen:
                heap.remove(min(seen))
                heapq.heapify(heap)
                known, _, node = min(seen)
            else:
                known, _, node = heapq.heappop(heap)
            parts = [part for part in children(node) if _serves_all(part)]
            at, columns = node.price, node.columns
    bound = max(min(item[0] for item in heap) if heap else np.inf, floor)
    return Found(best, upper if bound >= below(upper) else bound, count)


def _below(problem: LocationProblem) -> Callable[[float], float]:
    """The most that a solution better than another costs: where nobody is split and all costs are whole, 1 less."""
    step = np.zeros(0) if problem.expansion is None else problem.expansion.cost_per_step
    costs = np.concatenate([pairs(problem.cost)[2], problem.fixed_cost, problem.facility_cost, step])
    if not problem.whole or (costs != np.round(costs)).any():
        return lambda upper: upper
    return lambda upper: float(np.ceil(upper - 1e-6)) - 1 + 1e-6


def _visits(
    problem: LocationProblem,
    known: float,
    price: np.ndarray,
    columns: Columns | None,
    upper: float,
    below: Callable[[float], float],
    ends: float,
) -> Callable[[Relaxation], Node]:
    """Climbs a part of the solutions from its parent's bound and prices."""
    wanted = below(upper)

    def visit(part: Relaxation) -> Node:
        gap = max(wanted - known, 1e-4 * abs(wanted))
        reach = 0.5 * gap if np.isfinite(gap) else START * np.abs(price).sum()
        if part.seats_at_most < part.weight.sum() * (1 - 1e-9):
            none = np.zeros(0)
            return Node(np.inf, None, price, none, none, none, None)
        ascent = Ascent(part, price, reach)
        ascent.climb(NODE_ROUNDS, wanted, ends)
        mean: Ascent | Sharpened = ascent
        if columns is not None and ascent.best.bound < wanted:
            mean = sharpened(part, ascent.best, columns, wanted, ends) or ascent
        point, least = mean.best, wanted
        bound = max(known, point.bound)
        gone = Node(bound, None, point.price, mean.open, mean.steps, mean.taken, None)
        if bound >= wanted:
            return gone
        found = made(problem, part, mean, wanted)
        tried, point = found.solution, found.point
        bound = max(bound, point.bound)
        if tried is not None:
            least = min(wanted, below(tried.objective))
        kept = left(part, point, least)
        if bound >= least or (np.bincount(part.demand[kept.arcs], minlength=len(part.weight)) == 0).any():
            return replace(gone, tried=tried)
        arcs = kept.arcs & (kept.state[part.site] != OUT)
        rest = stepped(shrink(part, kept.state, kept.arcs), kept.fewest, kept.most)
        steps = np.clip(mean.steps - kept.fewest, 0, rest.max_steps)
        more = mean.columns if isinstance(mean, Sharpened) else columns
        return Node(bound, rest, point.price, mean.open, steps, mean.taken[arcs], tried, found.opening, more)

    return visit


def children(of: Node) -> list[Relaxation]:
    """The node in two parts; none when nothing is left to decide.

    Given the openings and the steps, demand points that may be split are a flow, which is solved exactly.
    """
    node = of.rest
    if node is None:
        return []
    doubtful = _by_opening(of, node, 0.45) or _by_steps(of, node, 0.4)
    if not node.whole:
        return doubtful or _by_opening(of, node) or _by_steps(of, node)
    if of.opening:
        doubtful = doubtful or _by_opening(of, node)
    return doubtful or _by_serving(of, node) or _by_opening(of, node)


def _by_opening(of: Node, node: Relaxation, doubtful: float = 1.0) -> list[Relaxation]:
    """With the site open and closed that is nearest to being open half of the time, if by less than that."""
    free = np.flatnonzero(node.state == FREE)
    doubt = np.abs(of.open[free] - 0.5)
    if doubt.min(initial=1.0) >= doubtful:
        return []
    every, j = np.ones(len(node.demand), dtype=bool), int(free[np.argmin(doubt)])
    return [shrink(node, _with(node.state, j, side), every) for side in (MUST, OUT)]


def _by_steps(of: Node, node: Relaxation, doubtful: float = 1.0) -> list[Relaxation]:
    """With few and with more steps of seats at the site whose mean is nearest to half a step."""
    low = np.minimum(np.floor(of.steps), node.max_steps - 1)
    doubt = np.where((node.max_steps > 0) & (node.state == MUST), np.abs(of.steps - low - 0.5), np.inf)
    j = int(np.argmin(doubt))
    if doubt[j] >= doubtful:
        return []
    fewest, most = np.zeros(len(low)), node.max_steps.copy()
    fewest[j], most[j] = low[j] + 1, low[j]
    return [stepped(node, np.zeros(len(low)), most), stepped(node, fewest, node.max_steps)]


def _by_serving(of: Node, node: Relaxation) -> list[Relaxation]:
    """With a demand point going to one of its sites, and not going there."""
    several = np.bincount(node.demand, minlength=len(node.weight))[node.demand] > 1
    if not several.any():
        return []
    # What is large decides how the rest can be packed: it makes the bounds of both parts rise.
    doubt = np.minimum(of.taken, 1 - of.taken) + SURE
    heavy = (node.weight / max(node.weight.max(), 1e-9))[node.demand] ** HEAVY
    k = int(np.argmax(np.where(several, doubt * (heavy + SURE), -1.0)))
    same = node.demand == node.demand[k]
    this = np.arange(len(same)) == k
    return [shrink(node, node.state, ~same | this), shrink(node, node.state, ~this)]


def _serves_all(part: Relaxation) -> bool:
    """Whether every demand point may still go somewhere."""
    return bool((np.bincount(part.demand, minlength=len(part.weight)) > 0).all())


def _with(state: np.ndarray, site: int, side: int) -> np.ndarray:
    changed = state.copy()
    changed[site] = side
    return changed
