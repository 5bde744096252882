"""Split solutions without fractions of a pupil, every limit kept where that can be found."""

from __future__ import annotations

import dataclasses

import numpy as np

from planner.optimise import Budget, LocationProblem, LocationSolution, Side, Terms, solve, total, violations

NOISE = 1e-6
ANEW = (0, 1, 5)  # pupils of each flow, beside its fraction, that are sent anew: the fewest that do


def without_fractions(
    problem: LocationProblem, found: LocationSolution, cost: np.ndarray, *, time_limit_s: float
) -> LocationSolution:
    """A split solution without fractions of a pupil.

    A ceiling, a bound on another objective, or stopping at a gap leave fractions. For the same open sites and seats the
    cheapest flows are a transportation problem, whose corners are whole (Dantzig 1951). Where they break a limit, flows
    stay as they are but for the few pupils whose fractions are left, who are sent one by one.

    Parameters
    ----------
    cost : (n_demand, n_site) of serving the whole demand point; the weight of a demand point is its pupils

    Returns
    -------
    The solution itself where nothing whole that keeps every limit was found

    >>> import numpy as np
    >>> near = np.array([[0.0, 10.0]])
    >>> problem = LocationProblem(near, weight=[10], whole=False, budgets=(Budget(Terms(cost=[[10.0, 0.0]]), 2.5),))
    >>> half = solve(problem)
    >>> half.shares.toarray().tolist()
    [[0.25, 0.75]]
    >>> without_fractions(problem, half, near, time_limit_s=9).shares.toarray().tolist()
    [[0.2, 0.8]]
    """
    flows = found.shares.multiply(problem.weight[:, None]).tocsr().data
    if problem.whole or np.abs(flows - flows.round()).max(initial=0.0) < NOISE:
        return found
    moved = _corner(problem, found, cost, time_limit_s)
    if moved is not None:
        return moved
    for again in ANEW:
        moved = _one_by_one(problem, found, cost, again, time_limit_s)
        if moved is not None:
            return moved
    return found


def _corner(
    problem: LocationProblem, found: LocationSolution, cost: np.ndarray, time_limit_s: float
) -> LocationSolution | None:
    """The cheapest flows with the same open sites and seats; None where they are not whole, or break a limit."""
    flow = LocationProblem(
        np.where(np.isnan(problem.cost), np.nan, cost),
        weight=problem.weight,
        capacity=_seats(problem, found),
        forced_open=tuple(np.flatnonzero(found.open).tolist()),
        forced_closed=tuple(np.flatnonzero(~found.open).tolist()),
        whole=False,
        facility=problem.facility,
        side=problem.side,
    )
    moved = solve(flow, gap=0.0, time_limit_s=time_limit_s)
    if moved.status != "optimal":
        return None
    made = dataclasses.replace(found, assignment=moved.assignment, shares=moved.shares)
    flows = made.shares.multiply(problem.weight[:, None]).tocsr().data
    whole = np.abs(flows - flows.round()).max(initial=0.0) < NOISE
    return made if whole and not violations(problem, made) else None


def _one_by_one(
    problem: LocationProblem, found: LocationSolution, cost: np.ndarray, again: int, time_limit_s: float
) -> LocationSolution | None:
    """Flows without their fractions and ``again`` pupils of each, who are sent anew; None where that breaks a limit."""
    n = len(problem.weight)
    shares = found.shares.toarray()
    flow = shares * problem.weight[:, None]
    kept = np.maximum(np.floor(flow + NOISE) - again, 0.0)
    who = np.repeat(np.arange(n), np.round(problem.weight - kept.sum(axis=1)).astype(int))
    each = 1 / np.maximum(problem.weight, 1.0)[:, None]
    side = problem.side or Side()
    near = side.distance is not None  # nobody is sent where nobody of the same goes already: it may be past a site
    may = ~np.isnan(problem.cost) & found.open[None, :] & ((shares > NOISE) | (not near))
    load = kept.sum(axis=0)
    together = np.bincount(problem.facility, weights=load, minlength=len(problem.facility_cost))
    budgets = []
    for budget in problem.budgets:
        paid = total(problem, dataclasses.replace(budget.terms, cost=None), found)
        if budget.terms.cost is not None:
            serving = np.where(may, np.asarray(budget.terms.cost) * each, 0.0)
            paid += float((serving * kept).sum())
            budgets.append(Budget(Terms(cost=serving[who]), budget.max - paid))
    posed = LocationProblem(
        np.where(may, cost * each, np.nan)[who],
        capacity=np.maximum(_seats(problem, found) - load, 0.0),
        forced_open=tuple(np.flatnonzero(found.open).tolist()),
        forced_closed=tuple(np.flatnonzero(~found.open).tolist()),
        facility=problem.facility,
        budgets=tuple(budgets),
        side=Side(
            least=None if side.least is None else np.maximum(np.asarray(side.least) - together, 0.0),
            most=None if side.most is None else np.asarray(side.most) - together,
        ),
    )
    sent = solve(posed, gap=0.0, time_limit_s=time_limit_s)
    if sent.status not in ("optimal", "feasible"):
        return None
    np.add.at(kept, (who, sent.assignment), 1.0)
    from scipy.sparse import csr_array

    whole = np.where(problem.weight[:, None] > 0, kept * each, shares)
    made = dataclasses.replace(found, assignment=whole.argmax(axis=1), shares=csr_array(whole))
    return None if violations(problem, made) else made


def _seats(problem: LocationProblem, found: LocationSolution) -> np.ndarray:
    """(n_site,) with those that are added."""
    if problem.expansion is None:
        return np.asarray(problem.capacity)
    return np.asarray(problem.capacity + problem.expansion.step_seats * found.steps)
