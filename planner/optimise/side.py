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
    """Every condition as rows of the program, but for catchments in one piece (``separators``)."""
    _sizes(problem, side, at, rows)
    if side.distance is not None:
        _closest(problem, side.distance, at, rows)
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


def _closest(problem: LocationProblem, distance: Any, at: Layout, rows: Rows) -> None:
    """Nobody is served farther than at an open site with room.

    A row by pair (i, j), f the arcs that serve i farther than j: ``f + open_j <= 1`` where j always has room; where
    it can be full, its load leaves no room for i as soon as f and open_j are 1.
    """
    length = at_pairs(distance, at.demand, at.site)
    order = np.lexsort((length, at.demand))
    first = np.searchsorted(at.demand[order], np.arange(problem.cost.shape[0] + 1))
    arcs_at = [np.flatnonzero(at.site == j) for j in range(problem.cost.shape[1])]
    step_of = {int(site): at.step0 + k for k, site in enumerate(at.stepped)}
    full_of = {int(site): at.full0 + k for k, site in enumerate(at.filled)}
    for j, full in full_of.items():
        load, more = _load(problem, arcs_at[j], at, j, step_of)
        rows.add(-more, INF, [*load[0], full], [*load[1], -(problem.capacity[j] + more)])  # full: no seat is free
    for i in range(len(first) - 1):
        mine = order[first[i] : first[i + 1]]
        for place, arc in enumerate(mine):
            j = int(at.site[arc])
            farther = mine[place + 1 :]
            farther = farther[length[farther] > length[arc] + NEARER]
            if not len(farther):
                break
            column, value = np.append(farther, at.open0 + j), np.ones(len(farther) + 1)
            if np.isinf(problem.capacity[j]):
                rows.add(-INF, 1, column, value)
            elif j in full_of:
                rows.add(-INF, 1, np.append(column, full_of[j]), np.append(value, -1.0))
            else:
                load, more = _load(problem, arcs_at[j], at, j, step_of)
                big = problem.capacity[j] - problem.weight[i] + 1 + more  # in whole numbers, no room from here on
                if big > 0:
                    rows.add(-more - big, INF, [*load[0], *column], [*load[1], *(-big * value)])


def _load(
    problem: LocationProblem, arcs: np.ndarray, at: Layout, site: int, step_of: dict[int, int]
) -> tuple[tuple[list[int], list[float]], float]:
    """A site's load less the seats added to it, as columns and values, and the seats that can be added."""
    column, value = arcs.tolist(), problem.weight[at.demand[arcs]].tolist()
    if site not in step_of or problem.expansion is None:
        return (column, value), 0.0
    seats = float(problem.expansion.step_seats[site])
    return ([*column, step_of[site]], [*value, -seats]), seats * float(problem.expansion.max_steps[site])


def filled(problem: LocationProblem) -> np.ndarray:
    """Sites that need a variable for being full: those with seats, where demand points may be split."""
    if problem.side is None or problem.side.distance is None or problem.whole:
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
