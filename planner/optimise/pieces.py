"""Catchments in one piece: what those in several break, and how they could grow.

Separators as in Oehrlein and Haunert 2017: who lies apart is joined by somebody of those round it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.optimise.problem import LocationProblem, at_pairs

TINY = 1e-6


LEVELS = 0.001, 0.1, 0.3, 0.5, 0.7  # who counts as served at a site whose demand points are split by a relaxation


@dataclass(frozen=True)
class Separator:
    """Two demand points of a site, and those that could join them: both go there only if one of those does."""

    site: int
    two: tuple[int, int]
    between: tuple[int, ...]


def separators(problem: LocationProblem, demand: np.ndarray, site: np.ndarray, share: np.ndarray) -> list[Separator]:
    """What catchments in several pieces break, also those of a relaxation, which splits demand points.

    Of each site, the nearest of those that it serves most has to be reached from every piece of the others.

    Parameters
    ----------
    demand, site, share : (n_arc,) the allowed pairs, and how much of the demand point each serves
    """
    if problem.side is None or problem.side.touching is None:
        return []
    n, m = problem.cost.shape
    touching = np.asarray(problem.side.touching, dtype=np.int64).reshape(-1, 2)
    away = at_pairs(problem.cost if problem.side.distance is None else problem.side.distance, demand, site)
    levels = (0.5,) if (share == np.round(share)).all() else LEVELS
    found: dict[Separator, None] = {}
    order = np.argsort(site, kind="stable")
    first = np.searchsorted(site[order], np.arange(m + 1))
    for j in np.unique(site[share > TINY]).tolist():
        arcs = order[first[j] : first[j + 1]]
        served, may = np.zeros(n), np.zeros(n, dtype=bool)
        served[demand[arcs]], may[demand[arcs]] = share[arcs], True
        most = arcs[share[arcs] >= share[arcs].max() - TINY]
        root = int(demand[most[away[most].argmin()]])
        for level in levels:
            piece = pieces(touching, served > level)
            for k in range(int(piece.max(initial=-1)) + 1 if piece[root] >= 0 else 0):
                inside = np.flatnonzero(piece == k)
                far = int(inside[served[inside].argmax()])
                for one in (k, piece[root]) if k != piece[root] else ():
                    between = tuple(i for i in _round(touching, piece == one) if may[i])
                    if served[far] + served[root] > 1 + served[list(between)].sum() + TINY:
                        found[Separator(j, (far, root), between)] = None
    return list(found)


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
