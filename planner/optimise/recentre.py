"""Open sites given up for others that serve the same demand points for less, and these then moved among all of them.

A heuristic by turns, first where, then who goes where (Cooper 1964, SIAM Review 6:37; Maranzana 1964, Operational
Research Quarterly 15:261): what it finds is a valid answer, never a proof.
"""

from __future__ import annotations

import numpy as np

from planner.compiled import clock
from planner.optimise.knapsack import FREE, MUST, OUT
from planner.optimise.lagrange import Point, Relaxation
from planner.optimise.problem import LocationProblem, LocationSolution
from planner.optimise.round import put


def recentred(
    problem: LocationProblem, relaxed: Relaxation, point: Point, best: LocationSolution, ends: float
) -> LocationSolution:
    """A solution of whole demand points at least as good, when no open site can be replaced or the time is up."""
    while clock() < ends:
        instead = _instead(relaxed, best)
        is_open = np.zeros(len(instead), dtype=bool)
        is_open[instead[best.open]] = True
        # What the best solution uses may have been ruled out of better ones.
        reached = np.bincount(relaxed.demand, weights=is_open[relaxed.site], minlength=len(relaxed.weight)) > 0
        if (is_open == best.open).all() or not reached.all():
            return best
        taken = (relaxed.site == instead[best.assignment[relaxed.demand]]).astype(float)
        found = put(problem, relaxed, point, is_open, (taken,), best.objective)
        if found is None or found.objective >= best.objective:  # of a building of several sites a part was counted
            return best
        best = found
    return best


def _instead(relaxed: Relaxation, best: LocationSolution) -> np.ndarray:
    """(n_site,) the site to serve what each serves now: another where that is cheaper and rules allow it."""
    from scipy.sparse import coo_array

    m = len(relaxed.seats)
    ones = np.ones(len(relaxed.demand))
    key = (best.assignment[relaxed.demand], relaxed.site)
    reached, cost = (coo_array((by, key), shape=(m, m)).tocsr() for by in (ones, relaxed.cost))
    count = np.bincount(best.assignment, minlength=m)
    load = np.bincount(best.assignment, weights=relaxed.weight, minlength=m)
    may = (relaxed.sites.twins == 1) & (relaxed.state == FREE)
    old, new = reached.tocoo().coords
    here = best.open[old] & may[old] & may[new] & ~best.open[new] & (reached.data == count[old])
    spent = np.where(best.open, _spent(relaxed, np.arange(m), load) + cost.diagonal(), 0.0)
    gain = (spent[old] - _spent(relaxed, new, load[old]) - cost.data)[here]
    old, new = old[here], new[here]
    instead, is_open = np.arange(m), best.open.copy()
    for k in np.argsort(-gain, kind="stable"):
        if gain[k] <= 1e-9 * abs(best.objective):
            break
        if instead[old[k]] != old[k] or is_open[new[k]]:
            continue
        is_open[[old[k], new[k]]] = False, True
        if np.isfinite(relaxed.chosen(np.zeros(m), np.where(is_open, MUST, OUT))[0]):
            instead[old[k]] = new[k]
        else:
            is_open[[old[k], new[k]]] = True, False
    return instead


def _spent(relaxed: Relaxation, site: np.ndarray, load: np.ndarray) -> np.ndarray:
    """What opening each site costs with steps of seats for a load; infinite where there are not as many."""
    steps = relaxed.steps_for(site, load)
    few = np.isfinite(steps)
    return np.where(few, relaxed.fixed[site] + relaxed.step_cost[site] * np.where(few, steps, 0.0), np.inf)
