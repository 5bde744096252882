"""The brute-force oracle: every open set, every assignment; slow, and too simple to be wrong."""

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import linprog

from planner.optimise import LocationProblem, LocationSolution, violations


def open_sets(problem: LocationProblem):
    m = problem.cost.shape[1]
    for bits in itertools.product([False, True], repeat=m):
        is_open = np.array(bits, dtype=bool)
        count = int(is_open.sum())
        if count < problem.open_min or (problem.open_max is not None and count > problem.open_max):
            continue
        if not all(is_open[list(problem.forced_open)]) or any(is_open[list(problem.forced_closed)]):
            continue
        if any(len(set(is_open[list(group)].tolist())) > 1 for group in problem.linked):
            continue
        inside = [
            rule.min <= is_open[list(rule.sites)].sum() <= (math.inf if rule.max is None else rule.max)
            for rule in problem.rules
        ]
        if all(inside):
            yield is_open


def fixed_part(problem, terms, is_open):
    value = 0.0
    if terms.fixed is not None:
        value += np.asarray(terms.fixed)[is_open].sum()
    if terms.facility is not None:
        value += np.asarray(terms.facility)[np.unique(problem.facility[is_open])].sum()
    return value


def best(problem: LocationProblem) -> float:
    """The optimum; infinite when nothing is feasible. Steps cost at least 0, so the fewest that do are best."""
    found = math.inf
    for is_open in open_sets(problem):
        found = min(found, (whole if problem.whole else split)(problem, is_open))
    return found


def best_without_seats(problem: LocationProblem) -> float:
    """The optimum where seats do not matter: every open set, everybody at the cheapest open site."""
    found = math.inf
    for is_open in open_sets(problem):
        cost = np.where(is_open[None, :], problem.cost, np.inf)
        serving = np.fmin.reduce(np.where(np.isnan(cost), np.inf, cost), axis=1, initial=np.inf).sum()
        found = min(found, serving + fixed_part(problem, problem.objective, is_open))
    return found


def whole(problem, is_open):
    found = math.inf
    for pick, steps in choices(problem, is_open):
        if all(value(problem, b.terms, is_open, pick, steps) <= b.max + 1e-9 for b in problem.budgets):
            found = min(found, value(problem, problem.objective, is_open, pick, steps))
    return found


def choices(problem, is_open):
    """Every way to serve whole demand points from these sites, with the fewest steps of seats that do."""
    n, m = problem.cost.shape
    for choice in itertools.product(np.flatnonzero(is_open), repeat=n):
        pick = np.array(choice, dtype=int)
        if np.isnan(problem.cost[np.arange(n), pick]).any():
            continue
        load = np.bincount(pick, weights=problem.weight, minlength=m)
        steps = np.zeros(m)
        over = np.maximum(load - problem.capacity, 0)
        if over.any():
            if problem.expansion is None:
                continue
            with np.errstate(divide="ignore", invalid="ignore"):
                need = np.ceil(np.where(over > 0, over / problem.expansion.step_seats, 0) - 1e-9)
            if (need > problem.expansion.max_steps).any():
                continue
            steps = need
        yield pick, steps


def value(problem, terms, is_open, pick, steps):
    total = fixed_part(problem, terms, is_open)
    if terms.cost is not None:
        total += np.asarray(terms.cost)[np.arange(len(pick)), pick].sum()
    if terms.step is not None:
        total += (np.asarray(terms.step) * steps).sum()
    return total


def pareto(pairs):
    """The pairs that no other beats on both, each once, from the least second on."""
    best, found = math.inf, []
    for first, second in sorted(pairs, key=lambda pair: (pair[1], pair[0])):
        if first < best - 1e-9:
            best = first
            found.append((first, second))
    return found


def split(problem, is_open):
    """For problems without budgets: every number of steps at every open site."""
    n, m = problem.cost.shape
    allowed = ~np.isnan(problem.cost) & is_open[None, :]
    if n and not allowed.any(axis=1).all():
        return math.inf
    base = fixed_part(problem, problem.objective, is_open)
    if n == 0:
        return base
    most = np.zeros(m)
    if problem.expansion is not None:
        most = np.where(is_open & np.isfinite(problem.capacity), problem.expansion.max_steps, 0)
    found = math.inf
    for steps in itertools.product(*(range(int(k) + 1) for k in most)):
        seats, paid = problem.capacity, 0.0
        if problem.expansion is not None:
            seats = seats + problem.expansion.step_seats * np.array(steps)
            paid = float(problem.expansion.cost_per_step @ np.array(steps))
        found = min(found, paid + flow(problem, allowed, seats))
    return base + found


def flow(problem, allowed, seats):
    """The cheapest split within seats, by a linear program."""
    n, i, j = len(allowed), *np.nonzero(allowed)
    served = np.zeros((n, len(i)))
    served[i, np.arange(len(i))] = 1
    limited = np.flatnonzero(np.isfinite(seats))
    load = np.array([np.where(j == site, problem.weight[i], 0.0) for site in limited]).reshape(len(limited), len(i))
    result = linprog(problem.cost[i, j], load, seats[limited], served, np.ones(n), bounds=(0, 1), method="highs")
    return result.fun if result.status == 0 else math.inf


def proves(problem: LocationProblem, found: LocationSolution, expected: float) -> None:
    """What was found is the optimum, with the bound that says so; or it says that there is none."""
    if math.isinf(expected):
        assert found.status == "infeasible"
        return
    assert found.status == "optimal"
    assert found.objective == pytest.approx(expected)
    assert found.bound == pytest.approx(expected)
    assert violations(problem, found) == []
