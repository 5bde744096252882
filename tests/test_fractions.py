"""Split solutions without fractions of a pupil keep every limit that the fractions kept."""

import dataclasses

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.optimise import Budget, LocationProblem, Side, Terms, solve, violations
from planner.plan.fractions import without_fractions
from tests.test_side_split import problems

NEAR = np.array([[0.0, 10.0], [4.0, 0.0]])
BUSES = Terms(cost=[[10.0, 0.0], [0.0, 8.0]])


def flows(problem, found):
    return (found.shares.toarray() * problem.weight[:, None]).round(9).tolist()


def test_a_ceiling_is_kept_by_whole_pupils():
    """Seven and a half buses' worth: the quickest flows alone take 18, far above what may be spent."""
    problem = LocationProblem(NEAR, weight=[10, 8], whole=False, budgets=(Budget(BUSES, 7.5, "annual"),))
    half = solve(problem)
    assert any(part % 1 for line in flows(problem, half) for part in line)
    made = without_fractions(problem, half, NEAR, time_limit_s=9)
    assert violations(problem, made) == []
    assert all(part % 1 == 0 for line in flows(problem, made) for part in line)
    assert flows(problem, made) in ([[7.0, 3.0], [8.0, 0.0]], [[0.0, 10.0], [1.0, 7.0]])


def test_a_full_site_stays_full():
    """Who goes to site 1 is sent past site 0, which therefore has to be full, whoever is sent anew."""
    side = Side(distance=[[1.0, 2.0], [1.0, 2.0]])
    problem = LocationProblem(
        np.array([[5.0, 1.0], [5.0, 2.0]]), weight=[3, 3], capacity=[4, 9], forced_open=(0, 1), whole=False, side=side
    )
    shares = solve(problem).shares.toarray()
    shares[:] = [[2.5 / 3, 0.5 / 3], [1.5 / 3, 1.5 / 3]]
    split = dataclasses.replace(solve(problem), shares=type(solve(problem).shares)(shares))
    made = without_fractions(problem, split, problem.cost, time_limit_s=9)
    assert violations(problem, made) == []
    assert all(part % 1 == 0 for line in flows(problem, made) for part in line)


@settings(max_examples=40, deadline=None)
@given(problem=problems(), seed=st.integers(0, 10**6))
def test_whatever_is_asked_nothing_is_broken(problem, seed):
    rng = np.random.default_rng(seed)
    ceiling = Budget(Terms(cost=rng.integers(0, 9, problem.cost.shape).astype(float)), float(rng.integers(5, 20)) + 0.3)
    problem = dataclasses.replace(problem, budgets=(*problem.budgets, ceiling))
    found = solve(problem)
    if found.status == "optimal":
        cost = np.where(np.isnan(problem.cost), 0.0, problem.cost)
        made = without_fractions(problem, found, cost, time_limit_s=9)
        assert violations(problem, made) == []
        whole = all(part % 1 == 0 for line in flows(problem, made) for part in line)
        assert whole or made is found  # as it was, where nothing whole keeps every limit
