"""Fix and optimise: a large answer made better a few neighbouring sites at a time, each time by an exact search.

All but some sites and the demand points that they serve stay as they are; those are a small problem of its own
(Helber and Sahling 2010). What comes out is a valid answer; the bound is the prices'.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from planner.compiled import clock
from planner.optimise.branch import branch
from planner.optimise.lagrange import Point, Relaxation, nearest, relax, seat_costs, together
from planner.optimise.mip import rules_of
from planner.optimise.problem import Expansion, LocationProblem, LocationSolution, OpenRule, at_pairs
from planner.optimise.round import MANY, at_sites

SITES, NODES = 15, 150  # of one small problem, and of its search
FEWER, SHORTER = 8, 15  # the same where demand points are many, and there are more parts than time
NEAR = 8  # sites that a demand point of one may go to, beside its own
SECONDS = 2.0  # for one
GAP = 5e-4  # of one
AT_ONCE, TRIED = 2, 20  # small problems that are searched side by side; centres looked at for each


def improve(
    problem: LocationProblem,
    relaxed: Relaxation,
    point: Point,
    best: LocationSolution,
    *,
    gap: float,
    ends: float,
    seed: int,
) -> LocationSolution:
    """A solution at least as good as ``best``, when time is up, the gap is closed, or no neighbourhood helps."""
    rng = np.random.default_rng(seed)
    m = len(relaxed.seats)
    size, nodes = (FEWER, SHORTER) if len(relaxed.weight) >= MANY else (SITES, NODES)
    near = nearest(relaxed, seat_costs(relaxed, point), NEAR)
    demand, site, cost = relaxed.demand[near], relaxed.site[near], relaxed.cost[near]
    close = _neighbours(demand, site, m, len(relaxed.weight))
    paid = point.price - at_pairs(problem.cost, np.arange(len(relaxed.weight)), best.assignment)
    tied = together(_tied(problem), m)
    tired = np.zeros(m, dtype=bool)  # no neighbourhood of the site has helped since it last changed
    start = best
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while clock() < ends and best.objective - point.bound > gap * abs(best.objective) and not tired.all():
            waste = _waste(relaxed, point, best, paid)
            waste[tired] = -np.inf
            centres = _apart(waste + 1e-9 * rng.random(m), close, size, tied)
            parts = [
                _Part.of(problem, best, _around(centre, close, size), (demand, site, cost), point.price, paid)
                for centre in centres
            ]
            until = min(ends, clock() + SECONDS)
            tired[centres] = True
            for centre, part, found in zip(centres, parts, pool.map(_search(nodes, until), parts), strict=True):
                if found is not None and found.objective < part.now - 1e-9 * abs(best.objective):
                    best = _in_place(best, part.inside, part.own, found, found.objective - part.now)
                    own = np.arange(len(part.own))
                    paid[part.own] = part.price - at_pairs(part.problem.cost, own, found.assignment)
                    tired[part.inside] = False
                    tired[centre] = True
    # Each part kept what it was given of every rule; all of it is checked once more, in plain numpy.
    better = at_sites(problem, best.open, best.assignment)
    return start if better is None or better.objective > start.objective else better


@dataclasses.dataclass(frozen=True, eq=False)
class _Part:
    """A small problem: the sites inside, the demand points ``own``, their prices, and what the answer spends on it."""

    problem: LocationProblem
    inside: np.ndarray
    own: np.ndarray
    price: np.ndarray
    now: float

    @classmethod
    def of(
        cls,
        problem: LocationProblem,
        best: LocationSolution,
        inside: np.ndarray,
        arcs: tuple[np.ndarray, np.ndarray, np.ndarray],
        price: np.ndarray,
        paid: np.ndarray,
    ) -> _Part:
        """With the arcs (demand point, site, cost) that stay inside, and those of the answer."""
        demand, site, cost = arcs
        own = np.flatnonzero(inside[best.assignment])
        place = np.full(len(paid), -1)
        place[own] = np.arange(len(own))
        kept = (place[demand] >= 0) & inside[site]
        few = (
            np.concatenate([demand[kept], own]),
            np.concatenate([site[kept], best.assignment[own]]),
            np.concatenate([cost[kept], price[own] - paid[own]]),
        )
        part = _part(problem, best, inside, own, few)
        return cls(part, inside, own, price[own], _inside(part, best, inside, own))


def _search(nodes: int, until: float) -> Callable[[_Part], LocationSolution | None]:
    def search(part: _Part) -> LocationSolution | None:
        return branch(
            part.problem, relax(part.problem), part.price, None, part.now, gap=GAP, ends=until, most=nodes
        ).best

    return search


def _tied(problem: LocationProblem) -> tuple[tuple[int, ...], ...]:
    """Sites that a rule, a link or a building that costs something joins: two parts may not both change those."""
    buildings = [
        tuple(np.flatnonzero(problem.facility == f).tolist()) for f in np.flatnonzero(problem.facility_cost).tolist()
    ]
    return tuple(tuple(group) for group in (*(rule.sites for rule in rules_of(problem)), *problem.linked, *buildings))


def _apart(waste: np.ndarray, close: Any, size: int, tied: np.ndarray) -> list[int]:
    """The centres of small problems that have nothing to do with one another, the most wasteful first."""
    chosen: list[int] = []
    used = np.zeros(len(waste), dtype=bool)
    for centre in np.argsort(-waste, kind="stable")[:TRIED].tolist():
        if waste[centre] == -np.inf or len(chosen) == AT_ONCE:
            break
        inside = _around(centre, close, size)
        if not used[tied[inside]].any():
            chosen.append(centre)
            used[tied[inside]] = True
    return chosen


def _inside(part: LocationProblem, best: LocationSolution, inside: np.ndarray, own: np.ndarray) -> float:
    """What the answer spends on the small problem."""
    sites = np.flatnonzero(inside)
    place = np.cumsum(inside) - 1
    serving = at_pairs(part.cost, np.arange(len(own)), place[best.assignment[own]]).sum()
    is_open = best.open[sites]
    opening = part.fixed_cost[is_open].sum() + part.facility_cost[np.unique(part.facility[is_open])].sum()
    steps = 0.0 if part.expansion is None else float(part.expansion.cost_per_step @ best.steps[sites])
    return float(serving + opening + steps)


def _neighbours(demand: np.ndarray, site: np.ndarray, m: int, n: int) -> Any:
    """(n_site, n_site) sparse: how many demand points two sites are both near to."""
    from scipy.sparse import csr_array

    near = csr_array((np.ones(len(demand)), (demand, site)), shape=(n, m))
    return (near.T @ near).tocsr()


def _around(centre: int, close: Any, size: int) -> np.ndarray:
    """(n_site,) so many sites that share most with one."""
    row = slice(close.indptr[centre], close.indptr[centre + 1])
    others, shared = close.indices[row], close.data[row]
    inside = np.zeros(close.shape[0], dtype=bool)
    inside[others[np.argsort(-shared, kind="stable")[:size]]] = True
    inside[centre] = True
    return inside


def _waste(relaxed: Relaxation, point: Point, best: LocationSolution, paid: np.ndarray) -> np.ndarray:
    """(n_site,) by how much what a site serves costs more than its prices pay; ``paid`` (n_demand,) beyond serving."""
    taken = np.bincount(best.assignment, weights=paid, minlength=len(relaxed.seats))
    spent = np.where(best.open, relaxed.fixed + relaxed.step_cost * best.steps, 0.0) - taken
    return np.asarray(spent - np.minimum(relaxed.fixed - point.gain, 0.0))


def _part(
    problem: LocationProblem, best: LocationSolution, inside: np.ndarray, own: np.ndarray, arcs: Any
) -> LocationProblem:
    """The small problem: the sites inside, the demand points ``own``, and what the rest leaves of every rule."""
    from scipy.sparse import coo_array

    sites = np.flatnonzero(inside)
    place = np.cumsum(inside) - 1
    row = np.searchsorted(own, arcs[0])
    shape = (len(own), len(sites))
    pair, once = np.unique(row * shape[1] + place[arcs[1]], return_index=True)
    cost = coo_array((arcs[2][once], np.divmod(pair, shape[1])), shape=shape).tocsr()
    rules = []
    every = OpenRule(tuple(range(len(inside))), problem.open_min, problem.open_max)
    for rule in (every, *problem.rules):
        members = np.array(rule.sites, dtype=np.int64)
        here = members[inside[members]]
        if len(here) == 0:
            continue
        away = int(best.open[members[~inside[members]]].sum())
        most = None if rule.max is None else rule.max - away
        rules.append(OpenRule(tuple(place[here].tolist()), max(rule.min - away, 0), most))
    held = {site for group in problem.linked if not inside[list(group)].all() for site in group}
    forced = [set(problem.forced_open), set(problem.forced_closed)]
    for site in held:
        forced[0 if best.open[site] else 1].add(site)
    paid = np.zeros(len(problem.facility_cost), dtype=bool)
    paid[problem.facility[best.open & ~inside]] = True
    expansion = problem.expansion
    return LocationProblem(
        cost,
        weight=problem.weight[own],
        capacity=problem.capacity[sites],
        fixed_cost=problem.fixed_cost[sites],
        rules=tuple(rules),
        forced_open=tuple(int(place[j]) for j in sorted(forced[0]) if inside[j]),
        forced_closed=tuple(int(place[j]) for j in sorted(forced[1]) if inside[j]),
        expansion=None
        if expansion is None
        else Expansion(expansion.step_seats[sites], expansion.max_steps[sites], expansion.cost_per_step[sites]),
        whole=problem.whole,
        facility=np.unique(problem.facility[sites], return_inverse=True)[1],
        facility_cost=np.where(paid, 0.0, problem.facility_cost)[np.unique(problem.facility[sites])],
        linked=tuple(tuple(place[list(g)].tolist()) for g in problem.linked if inside[list(g)].all()),
    )


def _in_place(
    best: LocationSolution, inside: np.ndarray, own: np.ndarray, found: LocationSolution, change: float
) -> LocationSolution:
    """The answer with the small problem's in its place; its shares are left behind."""
    sites = np.flatnonzero(inside)
    is_open, steps, assignment = best.open.copy(), best.steps.copy(), best.assignment.copy()
    is_open[sites], steps[sites], assignment[own] = found.open, found.steps, sites[found.assignment]
    return dataclasses.replace(
        best, open=is_open, steps=steps, assignment=assignment, objective=best.objective + change
    )
