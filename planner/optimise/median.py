"""Problems without seats that bind, proven by Lagrangian bounds, a swap search and a tree (the p-median and its kin).

The rows that serve every demand point are relaxed (Cornuejols, Fisher and Nemhauser 1977). What is left chooses sites
by their worth under the rules, which greed does exactly. A bound forces most sites at once; the rest is branched on,
both children in parallel, the lowest bound first. The bound of a problem of whole numbers is rounded up.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from planner.compiled import announce, clock
from planner.optimise.evaluate import sorted_arcs
from planner.optimise.problem import LocationProblem

WORTH_COMPILING = 10_000  # pairs; below, HiGHS is as quick, and nothing needs compiling
MOST_PAIRS = 30_000_000  # arrays of all pairs are held several times
NOISE = 1e-8  # relative
ROOT_ROUNDS, NODE_ROUNDS = 800, 150
WORKERS = 2
MOST_STARTS = 20
LOOKING_S = 0.01  # between two looks at the clock once the time would be up but for compiling
MOST_SHAKES = 25  # in a row that found nothing better


class Counts(NamedTuple):
    """Group of every site (m,), least and most open of each group (n_group,), least and most in all."""

    group: np.ndarray
    low: np.ndarray
    high: np.ndarray
    least: int
    most: int


@dataclass(frozen=True, eq=False)
class Median:
    """A problem without seats, in the arrays of the compiled loops (``median_kernels``).

    Parameters
    ----------
    sites : (m,) row of each site in the problem
    first, site, value : arcs by demand point, the cheapest first
    cost : (m, n) of serving, ``missing`` where it is not allowed
    fixed, status : (m,) what an open site costs; 1 forced open, -1 forced closed, 0 free
    counts : how many open sites, by group and in all
    missing : costs more than any way to serve everybody
    whole : every objective is a whole number
    """

    sites: np.ndarray
    first: np.ndarray
    site: np.ndarray
    value: np.ndarray
    cost: np.ndarray
    fixed: np.ndarray
    status: np.ndarray
    counts: Counts
    missing: float
    whole: bool

    def below(self, objective: float, gap: float) -> float:
        """Where solutions begin that need not be found once ``objective`` has been."""
        step = 1 - 1e-5 if self.whole else 0.0
        return objective - max(step, gap * abs(objective), NOISE * abs(objective))

    def without(self, closed: np.ndarray) -> Median:
        """The problem without some sites (m,)."""
        kept = np.flatnonzero(~closed)
        number = np.cumsum(~closed) - 1
        arc = ~closed[self.site]
        return Median(
            self.sites[kept],
            np.append(0, np.cumsum(arc))[self.first],
            number[self.site[arc]],
            self.value[arc],
            self.cost[kept],
            self.fixed[kept],
            self.status[kept],
            self.counts._replace(group=self.counts.group[kept]),
            self.missing,
            self.whole,
        )


@dataclass(frozen=True, eq=False)
class Found:
    """Open sites (rows of the problem), their objective, a bound that no solution beats, and nodes of the tree."""

    open: np.ndarray
    objective: float
    bound: float = -np.inf
    nodes: int = 0


@dataclass(frozen=True, eq=False)
class Node:
    """A part of the solutions: sites forced so far, multipliers, and how often each site was open of late."""

    bound: float
    status: np.ndarray
    multiplier: np.ndarray
    share: np.ndarray


def carries(problem: LocationProblem) -> bool:
    """Whether seats, budgets, links and side conditions do not matter, and each rule is about sites of its own."""
    return (
        isinstance(problem.cost, np.ndarray)
        and problem.cost.size <= MOST_PAIRS
        and not problem.budgets
        and not problem.worst
        and problem.side is None
        and all(len(set(group)) < 2 for group in problem.linked)
        and bool((problem.capacity >= problem.weight @ ~np.isnan(problem.cost)).all())
        and (problem.expansion is None or bool((problem.expansion.cost_per_step >= 0).all()))
        and bool((np.bincount(problem.facility)[problem.facility_cost != 0] <= 1).all())
        and _counts(problem) is not None
    )


def _counts(problem: LocationProblem) -> Counts | None:
    """The rules by group, sites of no rule in group 0; None where two rules are about the same site."""
    m = problem.cost.shape[1]
    group = np.zeros(m, dtype=np.int64)
    low, high = [0], [m]
    least, most = problem.open_min, m if problem.open_max is None else min(problem.open_max, m)
    for rule in problem.rules:
        members = np.unique(np.array(rule.sites, dtype=np.int64))
        top = len(members) if rule.max is None else rule.max
        if len(members) == m:
            least, most = max(least, rule.min), min(most, top)
        elif rule.min > 0 or top < len(members):
            if group[members].any():
                return None
            group[members] = len(low)
            low.append(rule.min)
            high.append(top)
    return Counts(group, np.array(low), np.array(high), least, most)


def pose(problem: LocationProblem) -> Median:
    """The arrays of a problem that ``carries`` accepts."""
    cost = problem.cost
    m = cost.shape[1]
    fixed = problem.fixed_cost + problem.facility_cost[problem.facility]
    span = np.nanmax(cost, axis=1) - np.nanmin(cost, axis=1)
    missing = float(np.nanmax(np.abs(cost)) + 2 * (span.sum() + np.abs(fixed).sum() + 1))
    status = np.zeros(m, dtype=np.int8)
    status[list(problem.forced_open)] = 1
    status[list(problem.forced_closed)] = -1
    counts = _counts(problem)
    if counts is None:
        raise ValueError("rules: two of them are about the same site")
    known = cost[~np.isnan(cost)]
    return Median(
        np.arange(m),
        *sorted_arcs(cost),
        np.ascontiguousarray(np.where(np.isnan(cost), missing, cost).T),
        fixed,
        status,
        counts,
        missing,
        bool((known == np.round(known)).all() and (fixed == np.round(fixed)).all()),
    )


@contextmanager
def _stopped_after(seconds: float) -> Iterator[np.ndarray]:
    """A flag (1,) that is set when the time is up, compiling left out."""
    stop, over, ends = np.zeros(1, dtype=np.bool_), threading.Event(), clock() + seconds

    def watch() -> None:
        while not over.wait(min(max(ends - clock(), LOOKING_S), threading.TIMEOUT_MAX)):
            if clock() >= ends:
                stop.fill(True)
                break

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield stop
    finally:
        over.set()


def best_sites(
    problem: LocationProblem, *, gap: float = 0.0, time_limit_s: float = 60.0, seed: int = 0
) -> Found | None:
    """The best open sites of a problem that ``carries`` accepts; None when none were found that serve everybody.

    >>> found = best_sites(LocationProblem([[1.0, 9.0], [9.0, 2.0], [3.0, 4.0]], open_max=1))
    >>> found.open.tolist(), found.objective, found.bound
    ([0], 13.0, 13.0)
    """
    from planner.optimise.median_kernels import ascend, swap

    announce((ascend, swap), "the search for plans")
    posed = pose(problem)
    median = posed.without(posed.status < 0)
    with _stopped_after(time_limit_s) as stop, ThreadPoolExecutor(WORKERS) as pool:
        return _Search(median, gap, np.random.default_rng(seed), pool, stop).run()


class _Search:
    """One run: the best solution so far, and what looks for a better one."""

    def __init__(
        self, median: Median, gap: float, rng: np.random.Generator, pool: ThreadPoolExecutor, stop: np.ndarray
    ) -> None:
        self.median, self.gap, self.rng, self.pool, self.stop = median, gap, rng, pool, stop
        self.open, self.objective = np.zeros(0, dtype=np.int64), np.inf

    @property
    def cutoff(self) -> float:
        """Solutions at or above it need not be found."""
        return self.median.below(self.objective, self.gap)

    @property
    def is_open(self) -> np.ndarray:
        """Which sites of the problem in hand are open in the best solution."""
        return np.isin(self.median.sites, self.open)

    def run(self) -> Found | None:
        """Start, bound, shake what is left, bound again, and branch."""
        m, missing = len(self.median.sites), self.median.missing
        for _ in range(MOST_STARTS if m else 0):
            worth = self.rng.random(m) - 0.5
            worth[self.rng.integers(m)] = -1.0  # one at least is open, where the rules allow it
            self.take(*self.swapped(worth))
            two = np.sort(self.median.cost[self.is_open], axis=0)[:2]
            if len(two) and (two[0] < missing).all():
                break
        else:
            return None
        between = np.where(two < missing, two, two[0]).mean(axis=0)
        root = self.climb(Node(-np.inf, self.median.status, between, np.zeros(m)), ROOT_ROUNDS)
        root = self.shrink(root)
        if self.shake(root.bound):
            root = self.shrink(self.climb(root, ROOT_ROUNDS))
        bound, nodes = self.branch(root)
        bound = min(
            bound, self.cutoff
        )  # what was forced or dropped lies at the cutoff of its time or above, so above this
        if self.median.whole:
            bound = np.ceil(bound - 1e-6)
        return Found(self.open, self.objective, float(min(bound, self.objective)), nodes)

    def take(self, objective: float, is_open: np.ndarray) -> bool:
        """Keep a solution if it is the best so far."""
        better = objective < self.objective
        if better:
            self.open, self.objective = self.median.sites[is_open], float(objective)
        return better

    def swapped(self, worth: np.ndarray) -> tuple[float, np.ndarray]:
        """Objective and open sites: those of least worth under the rules, then swapped while that helps."""
        from planner.optimise.median_kernels import select, swap

        median = self.median
        is_open = np.zeros(len(worth), dtype=np.bool_)
        value = select(worth, np.arange(len(worth)), median.status, *median.counts, is_open)
        if np.isinf(value) or not is_open.any():
            return np.inf, is_open
        return swap(median.cost, median.fixed, median.status, *median.counts, is_open, self.stop), is_open

    def climb(self, node: Node, rounds: int) -> Node:
        """The node with a higher bound and more sites forced; the best solution on the way is taken."""
        higher, objective, is_open = self.climbed(node, rounds)
        self.take(objective, is_open)
        return higher

    def climbed(self, node: Node, rounds: int) -> tuple[Node, float, np.ndarray]:
        """A higher node, and a solution found on the way with its objective; changes nothing."""
        from planner.optimise.median_kernels import ascend, swap

        median = self.median
        status, multiplier = node.status.copy(), node.multiplier.copy()
        bound, objective, is_open, share = ascend(
            *(median.first, median.site, median.value, median.fixed, median.missing, status, *median.counts),
            *(multiplier, self.cutoff, rounds, self.stop),
        )
        if objective < np.inf and is_open.any():
            objective = swap(median.cost, median.fixed, median.status, *median.counts, is_open, self.stop)
        return Node(max(bound, node.bound), status, multiplier, share), objective, is_open

    def shrink(self, root: Node) -> Node:
        """The root and the problem without the sites that are forced closed."""
        closed = root.status < 0
        self.median = replace(self.median, status=root.status).without(closed)
        return replace(root, status=self.median.status, share=root.share[~closed])

    def shake(self, bound: float) -> bool:
        """Disturb the best solution and swap, until that has long been in vain; whether it helped."""
        m, before, in_vain = len(self.median.sites), self.objective, 0
        while m and in_vain < MOST_SHAKES and bound < self.cutoff and not self.stop[0]:
            is_open = self.is_open
            worths = [
                self.rng.random(m) - self.rng.uniform(0.5, 0.95) * is_open - (self.rng.random(m) < 2 / m)
                for _ in range(WORKERS)
            ]
            better = [self.take(*found) for found in self.pool.map(self.swapped, worths)]
            in_vain = 0 if any(better) else in_vain + WORKERS
        return self.objective < before

    def branch(self, root: Node) -> tuple[float, int]:
        """Force one site open and closed, the lowest bound first; the least bound left, and the nodes seen."""
        heap, nodes = [(root.bound, 0, root)], 0
        while heap and heap[0][0] < self.cutoff and not self.stop[0]:
            _, _, node = heapq.heappop(heap)
            free = np.flatnonzero(node.status == 0)
            if len(free) == 0:
                self.climb(node, 1)  # the one solution that is left here
                continue
            site = free[np.argmin(np.abs(node.share[free] - 0.5))]
            found = list(self.pool.map(self.climbed, _forced(node, site), [NODE_ROUNDS] * 2))
            for child, objective, is_open in found:
                self.take(objective, is_open)
                nodes += 1
                if child.bound < self.cutoff:
                    heapq.heappush(heap, (child.bound, nodes, child))
        return min((bound for bound, _, _ in heap), default=np.inf), nodes


def _forced(node: Node, site: int) -> list[Node]:
    """The node with a site forced open, and with it forced closed."""
    children = []
    for forced in (1, -1):
        status = node.status.copy()
        status[site] = forced
        children.append(replace(node, status=status))
    return children
