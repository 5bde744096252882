"""Side conditions: what a solution may be asked to keep beside seats, rules and budgets.

Sizes of buildings, closest assignment (Espejo, Marin and Rodriguez-Chia 2012), where the demand of a closed site goes,
and catchments in one piece (separators as in Oehrlein and Haunert 2017).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.optimise.problem import LocationProblem, LocationSolution, at_pairs, pairs

if TYPE_CHECKING:
    from planner.optimise.mip import Layout, Rows

INF = float("inf")
NEARER = 1e-6
"""A site counts as nearer than another by more than this."""


@dataclass(frozen=True)
class Only:
    """Demand points that only ``sites`` may serve as long as the site ``unless`` is closed."""

    demand: tuple[int, ...]
    sites: tuple[int, ...]
    unless: int


@dataclass(frozen=True, eq=False)
class Side:
    """Side conditions of a problem.

    Parameters
    ----------
    least, most : (n_facility,) weight that an open building serves in all; None or 0 and infinite: no limit
    distance : (n_demand, n_site) of allowed pairs, dense or sparse: nobody is sent past a nearer open site with room,
        that is with seats for the whole demand point, or for a part of it where it may be split; None: anybody may be
    only : where the demand of a closed site goes
    touching : (n, 2) demand points that touch: those served at one site are in one piece; None: they need not be
    """

    least: Any = None
    most: Any = None
    distance: Any = None
    only: tuple[Only, ...] = ()
    touching: Any = None


def faults(problem: LocationProblem, side: Side) -> Iterator[str]:
    """What cannot be posed, in words."""
    for name in ("least", "most"):
        given = getattr(side, name)
        if given is not None and (np.shape(given) != problem.facility_cost.shape or np.isnan(given).any()):
            yield f"side.{name}: needs {len(problem.facility_cost)} numbers, one a building"
    demand, site, _ = pairs(problem.cost)
    if side.distance is not None:
        if np.isnan(at_pairs(side.distance, demand, site)).any():
            yield "side.distance: is unknown for a pair that is allowed"
        parts = [problem.weight, problem.capacity[np.isfinite(problem.capacity)]]
        parts += [] if problem.expansion is None else [problem.expansion.step_seats]
        if any((part != np.round(part)).any() for part in parts):
            yield "side.distance: weights and seats need be whole numbers, to tell whether there is room"
    if side.touching is not None and not problem.whole:
        yield "side.touching: demand points need be whole to be in one piece"


# ---------------------------------------------------------------- rows


def add_rows(problem: LocationProblem, side: Side, at: Layout, rows: Rows) -> None:
    """Conditions as rows of the program, but for those that come late: ``closest`` and ``separators``."""
    _sizes(problem, side, at, rows)
    _fill(problem, at, rows)
    for only in side.only:
        for i in only.demand:
            arcs = np.flatnonzero((at.demand == i) & ~np.isin(at.site, (*only.sites, only.unless)))
            if len(arcs):
                rows.add(-INF, 0, np.append(arcs, at.open0 + only.unless), np.append(np.ones(len(arcs)), -1.0))


def _sizes(problem: LocationProblem, side: Side, at: Layout, rows: Rows) -> None:
    for facility in range(len(problem.facility_cost)):
        members = np.flatnonzero(problem.facility == facility)
        arcs = np.flatnonzero(np.isin(at.site, members))
        weight = problem.weight[at.demand[arcs]]
        if side.most is not None and side.most[facility] < weight.sum():
            rows.add(-INF, side.most[facility], arcs, weight)
        if side.least is not None and side.least[facility] > 0:
            for member in members:
                rows.add(0, INF, np.append(arcs, at.open0 + member), np.append(weight, -side.least[facility]))


def _fill(problem: LocationProblem, at: Layout, rows: Rows) -> None:
    """What tells whether a site has room: its load, and where demand points may be split, whether it is full."""
    step_of, more = _steps(problem, at)
    for k, j in enumerate(at.loaded):
        arcs = np.flatnonzero(at.site == j)
        rows.add(0, 0, [*arcs, at.load0 + k], [*problem.weight[at.demand[arcs]], -1.0])
        if not problem.whole:  # full: no seat is free
            seats = problem.capacity[j] + more[j]
            load = [(at.load0 + k, 1.0), (at.full0 + k, -seats)]
            if step_of[j] >= 0:
                load.append((int(step_of[j]), -_step_seats(problem)[j]))
            rows.add(-more[j], INF, *zip(*load, strict=True))


def closest(problem: LocationProblem, distance: Any, at: Layout) -> Late:
    """Nobody is served farther than at an open site with room.

    A row by pair (i, j), f the arcs that serve i farther than j: ``f + open_j <= 1`` where j always has room; where
    it can be full, its load leaves no room for i, or it is full, as soon as f and open_j are 1.
    """
    from scipy.sparse import csr_array

    length = at_pairs(distance, at.demand, at.site)
    order = np.lexsort((length, at.demand))
    i, j, away = at.demand[order], at.site[order], length[order]
    span = float(away.max(initial=0.0) - away.min(initial=0.0)) + 1.0  # sorts by demand point, then by length
    key = i * span + away
    begin = np.searchsorted(key, key + NEARER, side="right")
    end = np.searchsorted(i, i, side="right")
    step_of, more = _steps(problem, at)
    limited = np.isfinite(problem.capacity[j])
    # In whole numbers: from a load of seats - i + 1 on there is no room for i.
    big = np.where(limited & problem.whole, problem.capacity[j] - problem.weight[i] + 1 + more[j], 1.0)
    kept = np.flatnonzero((end > begin) & (big > 0))
    i, j, big, limited = i[kept], j[kept], big[kept], limited[kept]
    count = (end - begin)[kept]
    row = np.arange(len(kept))
    first = np.cumsum(count) - count
    farther = order[np.repeat(begin[kept] - first, count) + np.arange(int(count.sum()))]
    place = np.full(problem.cost.shape[1], -1)
    place[at.loaded] = np.arange(len(at.loaded))
    parts = [(np.repeat(row, count), farther, np.repeat(big, count)), (row, at.open0 + j, big)]
    upper = big.copy()
    if problem.whole:  # in whole numbers: with parts of them, the presolve of HiGHS 1.16 may never end
        stepped = limited & (step_of[j] >= 0)
        parts.append((row[limited], at.load0 + place[j[limited]], -np.ones(int(limited.sum()))))
        parts.append((row[stepped], step_of[j[stepped]], _step_seats(problem)[j[stepped]]))
        upper[limited] += more[j[limited]]
    else:
        parts.append((row[limited], at.full0 + place[j[limited]], -np.ones(int(limited.sum()))))
    rows, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Late(csr_array((values, (rows, columns)), shape=(len(row), at.size)), upper)


def _steps(problem: LocationProblem, at: Layout) -> tuple[np.ndarray, np.ndarray]:
    """(n_site,) the variable of its steps, -1 for none, and the seats that they can add."""
    variable, more = np.full(problem.cost.shape[1], -1), np.zeros(problem.cost.shape[1])
    variable[at.stepped] = at.step0 + np.arange(len(at.stepped))
    if problem.expansion is not None:
        more[at.stepped] = (problem.expansion.step_seats * problem.expansion.max_steps)[at.stepped]
    return variable, more


def _step_seats(problem: LocationProblem) -> np.ndarray:
    none = np.zeros(problem.cost.shape[1])
    return none if problem.expansion is None else np.asarray(problem.expansion.step_seats)


@dataclass(frozen=True, eq=False)
class Late:
    """Rows ``matrix . x <= upper``, too many to begin with: those that a solution breaks are added."""

    matrix: Any
    upper: np.ndarray

    def broken(self, values: np.ndarray, tolerance: float, most: int = 4000) -> np.ndarray:
        """The rows broken worst."""
        over = self.matrix @ values - self.upper
        found = np.flatnonzero(over > tolerance)
        return found[np.argsort(-over[found], kind="stable")[:most]]


def loaded(problem: LocationProblem) -> np.ndarray:
    """Sites whose load needs a variable, and where demand points may be split one for being full: those with seats."""
    if problem.side is None or problem.side.distance is None:
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(np.isfinite(problem.capacity))


# ---------------------------------------------------------------- one piece


def separators(touching: np.ndarray, assignment: np.ndarray) -> list[tuple[int, list[int], list[int]]]:
    """What catchments in several pieces break: (site, two demand points of it, those that could join them).

    Both of the two are served there only if somebody of those round the one's piece is, too.
    """
    found: list[tuple[int, list[int], list[int]]] = []
    for site in np.unique(assignment[assignment >= 0]):
        mine = assignment == site
        piece = pieces(touching, mine)
        count = int(piece.max(initial=-1)) + 1
        for k in range(count if count > 1 else 0):
            inside = piece == k
            two = [int(np.flatnonzero(part)[0]) for part in (inside, mine & ~inside)]
            found.append((int(site), two, _round(touching, inside)))
    return found


def pieces(touching: np.ndarray, some: np.ndarray) -> np.ndarray:
    """(n,) the piece each of some demand points is in, -1 for the others.

    >>> pieces(np.array([[0, 1], [1, 2], [2, 3]]), np.array([True, True, False, True])).tolist()
    [0, 0, -1, 1]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    touching = np.asarray(touching, dtype=np.int64).reshape(-1, 2)
    both = some[touching].all(axis=1)
    one, other = touching[both].T
    graph = coo_array((np.ones(len(one)), (one, other)), shape=(len(some), len(some)))
    label = connected_components(graph, directed=False)[1]
    found = np.full(len(some), -1)
    found[some] = np.unique(label[some], return_inverse=True)[1]
    return found


def grown(touching: np.ndarray, assignment: np.ndarray) -> dict[int, list[list[int]]]:
    """How the largest piece of each catchment could grow by its neighbours, as ``mip.growing`` takes it.

    From a root in it, by the fewest demand points on the way: one of them that is a step nearer comes before each.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    n = len(assignment)
    ends = np.concatenate([touching, touching[:, ::-1]])
    graph = coo_array((np.ones(len(ends)), tuple(ends.T)), shape=(n, n)).tocsr()
    beside: list[list[int]] = [graph.indices[graph.indptr[i] : graph.indptr[i + 1]].tolist() for i in range(n)]
    found = {}
    for site in np.unique(assignment[assignment >= 0]):
        piece = pieces(touching, assignment == site)
        inside = np.flatnonzero(piece == np.bincount(piece[piece >= 0]).argmax())
        steps = dijkstra(graph, indices=inside, unweighted=True)
        root = int(inside[steps[:, inside].max(axis=1).argmin()])  # the middle of the piece
        away = steps[np.flatnonzero(inside == root)[0]]
        found[int(site)] = [[k for k in beside[i] if away[k] == away[i] - 1] for i in range(n)]
        found[int(site)][root] = [root]
    return found


def _round(touching: np.ndarray, inside: np.ndarray) -> list[int]:
    """Demand points outside that touch one inside."""
    touching = np.asarray(touching, dtype=np.int64).reshape(-1, 2)
    ends = np.concatenate([touching, touching[:, ::-1]])
    return [int(i) for i in np.unique(ends[inside[ends[:, 0]] & ~inside[ends[:, 1]], 1])]


# ---------------------------------------------------------------- check


def broken(problem: LocationProblem, side: Side, solution: LocationSolution) -> Iterator[str]:
    """Every side condition that a solution breaks, in plain numpy."""
    shares, is_open = solution.shares.tocoo(), solution.open
    used = shares.data > 1e-9
    demand, site, share = shares.row[used], shares.col[used], shares.data[used]
    load = np.bincount(site, weights=share * problem.weight[demand], minlength=len(is_open))
    together = np.bincount(problem.facility, weights=load, minlength=len(problem.facility_cost))
    has_open = np.bincount(problem.facility, weights=is_open, minlength=len(problem.facility_cost)) > 0
    if side.least is not None and (has_open & (together < np.asarray(side.least) - 1e-6)).any():
        yield "an open building serves fewer than it must"
    if side.most is not None and (together > np.asarray(side.most) + 1e-6).any():
        yield "a building serves more than it may"
    for only in side.only:
        elsewhere = np.isin(demand, only.demand) & ~np.isin(site, (*only.sites, only.unless))
        if not is_open[only.unless] and elsewhere.any():
            yield f"the demand of closed site {only.unless} goes elsewhere than it may"
    if side.distance is not None and _passed(problem, side.distance, solution, load):
        yield "somebody is sent past an open site with room"
    if side.touching is not None:
        for j in np.unique(solution.assignment[solution.assignment >= 0]):
            if pieces(side.touching, solution.assignment == j).max(initial=0) > 0:
                yield f"what site {j} serves is not in one piece"


def _passed(problem: LocationProblem, distance: Any, solution: LocationSolution, load: np.ndarray) -> bool:
    room = problem.capacity - load
    if problem.expansion is not None:
        room = room + problem.expansion.step_seats * solution.steps
    demand, site, _ = pairs(problem.cost)
    length = at_pairs(distance, demand, site)
    shares = solution.shares.tocoo()
    used = shares.data > 1e-9
    farthest = np.full(problem.cost.shape[0], -INF)
    np.maximum.at(farthest, shares.row[used], at_pairs(distance, shares.row[used], shares.col[used]))
    need = problem.weight if problem.whole else np.minimum(problem.weight, 1.0)
    roomy = solution.open[site] & (room[site] >= need[demand] - 1e-6)
    return bool((roomy & (length + NEARER < farthest[demand])).any())
