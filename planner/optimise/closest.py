"""Nobody is sent past a nearer open site with room (Espejo, Marin and Rodriguez-Chia 2012), as rows that come late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.optimise.problem import LocationProblem, at_pairs

if TYPE_CHECKING:
    from planner.optimise.mip import Layout

NEARER = 1e-6
"""A site counts as nearer than another by more than this."""


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


def closest(problem: LocationProblem, distance: Any, at: Layout) -> Late:
    """Nobody is served farther than at an open site with room.

    A row by pair (i, j), f the arcs that serve i farther than j: ``f + open_j <= 1`` where j always has room, as for
    whoever needs no seat; where it can be full, its load leaves no room for i, or it is full, as soon as f and open_j
    are 1. Of a site with steps there are two: what leaves no room beside the steps added leaves none without them
    either, which holds a relaxation that adds parts of steps much closer.
    """
    from scipy.sparse import csr_array

    length = at_pairs(distance, at.demand, at.site)
    order = np.lexsort((length, at.demand))
    i, j, away = at.demand[order], at.site[order], length[order]
    span = float(away.max(initial=0.0) - away.min(initial=0.0)) + 1.0  # sorts by demand point, then by length
    key = i * span + away
    begin = np.searchsorted(key, key + NEARER, side="right")
    end = np.searchsorted(i, i, side="right")
    step_of, more = steps(problem, at)
    limited = np.isfinite(problem.capacity[j]) & (problem.weight[i] > 0)
    pair = np.arange(len(i))
    stepped = limited & (step_of[j] >= 0) & problem.whole
    pair, more = np.append(pair, pair[stepped]), np.append(np.zeros(len(i)), more[j[stepped]])
    # In whole numbers: from a load of seats - i + 1 on there is no room for i.
    seats = problem.capacity[j[pair]] - problem.weight[i[pair]] + 1
    big = np.where(limited[pair] & problem.whole, seats + more, 1.0)
    kept = (end > begin)[pair] & (big > 0)
    pair, big, more = pair[kept], big[kept], more[kept]
    i, j, limited = i[pair], j[pair], limited[pair]
    count, row = (end - begin)[pair], np.arange(len(pair))
    first = np.cumsum(count) - count
    farther = order[np.repeat(begin[pair] - first, count) + np.arange(int(count.sum()))]
    place = np.full(problem.cost.shape[1], -1)
    place[at.loaded] = np.arange(len(at.loaded))
    full = (at.load0 if problem.whole else at.full0) + place[j[limited]]
    parts = [
        (np.repeat(row, count), farther, np.repeat(big, count)),
        (row, at.open0 + j, big),
        (row[limited], full, -np.ones(len(full))),
        (row[more > 0], step_of[j[more > 0]], step_seats(problem)[j[more > 0]]),
    ]
    rows, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Late(csr_array((values, (rows, columns)), shape=(len(row), at.size)), big + more)


def steps(problem: LocationProblem, at: Layout) -> tuple[np.ndarray, np.ndarray]:
    """(n_site,) the variable of its steps, -1 for none, and the seats that they can add."""
    variable, more = np.full(problem.cost.shape[1], -1), np.zeros(problem.cost.shape[1])
    variable[at.stepped] = at.step0 + np.arange(len(at.stepped))
    if problem.expansion is not None:
        more[at.stepped] = (problem.expansion.step_seats * problem.expansion.max_steps)[at.stepped]
    return variable, more


def step_seats(problem: LocationProblem) -> np.ndarray:
    """(n_site,) seats of a step, 0 where there are none."""
    none = np.zeros(problem.cost.shape[1])
    return none if problem.expansion is None else np.asarray(problem.expansion.step_seats)
