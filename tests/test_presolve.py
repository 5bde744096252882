"""What is infeasible at sight: never wrong, and complete where villages may be split and only seats bind."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.optimise import Expansion, LocationProblem, OpenRule
from planner.optimise.presolve import presolve
from tests import oracle
from tests.test_optimise import problems


@settings(max_examples=100, deadline=None)
@given(problems())
def test_what_is_found_is_infeasible(problem):
    found = presolve(problem)
    if found.infeasible:
        assert math.isinf(oracle.best(problem))
    if len(found.short_demand):
        assert found.needed > found.offered


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_seats_alone_are_decided_for_split_demand(seed, closed):
    """Hall: the flow finds every shortage, and names demand points that only the named sites may serve."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(1, 7)), int(rng.integers(1, 6))
    cost = np.where(rng.random((n, m)) < 0.5, 1.0, np.nan)
    shut = (int(rng.integers(m)),) if closed else ()
    problem = LocationProblem(
        cost, weight=rng.integers(1, 9, n), capacity=rng.integers(0, 15, m), forced_closed=shut, whole=False
    )
    found = presolve(problem)
    assert found.infeasible == math.isinf(oracle.best(problem))
    if len(found.short_demand):
        allowed = ~np.isnan(cost)
        allowed[:, list(shut)] = False
        reach = np.flatnonzero(allowed[found.short_demand].any(axis=0))
        assert set(reach) <= set(found.short_sites)
        assert found.needed == problem.weight[found.short_demand].sum()
        assert found.offered == problem.capacity[found.short_sites].sum()


def test_a_demand_point_with_one_site_forces_it():
    cost = [[1.0, np.nan, np.nan], [1.0, 2.0, np.nan], [np.nan, np.nan, 1.0]]
    problem = LocationProblem(cost, rules=(OpenRule((0, 2), max=1),))
    found = presolve(problem)
    assert found.only.tolist() == [0, -1, 2]
    assert found.over == (0,)


def test_a_rule_leaves_the_largest():
    """Two of three may be open: 5 + 4 seats for 10 pupils, though each alone and all together would do."""
    problem = LocationProblem(
        np.ones((5, 3)), weight=[2, 2, 2, 2, 2], capacity=[5, 4, 3], rules=(OpenRule((0, 1, 2), max=2),)
    )
    found = presolve(problem)
    assert (found.needed, found.offered) == (10, 9)
    assert math.isinf(oracle.best(problem))


def test_a_village_larger_than_every_school_in_reach():
    problem = LocationProblem([[1.0, 1.0], [1.0, np.nan]], weight=[6, 1], capacity=[5, 5])
    assert presolve(problem).too_big.tolist() == [0]
    grown = LocationProblem(
        [[1.0, 1.0], [1.0, np.nan]], weight=[6, 1], capacity=[5, 5], expansion=Expansion([1, 1], [2, 0], [0, 0])
    )
    assert not presolve(grown).infeasible


def test_edges():
    assert not presolve(LocationProblem(np.zeros((0, 0)))).infeasible
    assert not presolve(LocationProblem(np.zeros((0, 2)))).infeasible
    assert presolve(LocationProblem(np.zeros((2, 0)))).unserved.tolist() == [0, 1]
    assert presolve(LocationProblem([[1.0]], forced_closed=(0,))).unserved.tolist() == [0]


def test_milliseconds():
    import time

    rng = np.random.default_rng(0)
    cost = np.where(rng.random((2000, 100)) < 0.2, 1.0, np.nan)
    problem = LocationProblem(cost, weight=rng.integers(1, 20, 2000), capacity=np.full(100, 150.0))
    presolve(problem)
    began = time.perf_counter()
    assert presolve(problem).infeasible
    assert time.perf_counter() - began < 2.0  # a busy machine; 20 ms on a quiet one
    assert presolve(problem).needed == pytest.approx(problem.weight.sum())


def test_a_rule_that_asks_for_more_than_may_be_open():
    problem = LocationProblem(np.ones((1, 3)), forced_closed=(1,), rules=(OpenRule((0, 1), min=2),))
    assert presolve(problem).under == (0,)
    assert presolve(problem).infeasible
