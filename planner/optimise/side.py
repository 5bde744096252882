"""Side conditions: what a solution may be asked to keep beside seats, rules and budgets.

Sizes of buildings, closest assignment (``closest``), where the demand of a closed site goes, and catchments in one
piece (``pieces``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.optimise.closest import NEARER, step_seats, steps
from planner.optimise.pieces import pieces
from planner.optimise.problem import LocationProblem, LocationSolution, at_pairs, pairs

if TYPE_CHECKING:
    from planner.optimise.mip import Layout, Rows

INF = float("inf")
NOBODY = 2e-5
"""A share of a demand point that is no more than this is noise: rows that come late are kept to half of it."""


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
    step_of, more = steps(problem, at)
    for k, j in enumerate(at.loaded):
        arcs = np.flatnonzero(at.site == j)
        rows.add(0, 0, [*arcs, at.load0 + k], [*problem.weight[at.demand[arcs]], -1.0])
        if not problem.whole:  # full: no seat is free
            seats = problem.capacity[j] + more[j]
            load = [(at.load0 + k, 1.0), (at.full0 + k, -seats)]
            if step_of[j] >= 0:
                load.append((int(step_of[j]), -step_seats(problem)[j]))
            rows.add(-more[j], INF, *zip(*load, strict=True))


def loaded(problem: LocationProblem) -> np.ndarray:
    """Sites whose load needs a variable, and where demand points may be split one for being full: those with seats."""
    if problem.side is None or problem.side.distance is None:
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(np.isfinite(problem.capacity))


# ---------------------------------------------------------------- check


def broken(problem: LocationProblem, side: Side, solution: LocationSolution) -> Iterator[str]:
    """Every side condition that a solution breaks, in plain numpy."""
    shares, is_open = solution.shares.tocoo(), solution.open
    load = np.bincount(shares.col, weights=shares.data * problem.weight[shares.row], minlength=len(is_open))
    used = shares.data > NOBODY
    demand, site = shares.row[used], shares.col[used]
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
    used = shares.data > NOBODY
    farthest = np.full(problem.cost.shape[0], -INF)
    np.maximum.at(farthest, shares.row[used], at_pairs(distance, shares.row[used], shares.col[used]))
    need = problem.weight if problem.whole else np.minimum(problem.weight, 1.0)
    roomy = solution.open[site] & (room[site] >= need[demand] - 1e-6)
    return bool((roomy & (length + NEARER < farthest[demand])).any())
