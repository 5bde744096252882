"""One choice of sites for several futures equals trying every open set in each of them."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.optimise import LocationProblem, Terms, solve, solve_then, stacked, value, violations
from tests import oracle
from tests.test_optimise import problems


def another(problem, rng):
    """The same sites in a future: other ways, other demand, other seats."""
    cost = rng.integers(0, 30, problem.cost.shape).astype(float)
    cost[rng.random(cost.shape) < 0.1] = np.nan
    return dataclasses.replace(
        problem,
        cost=cost,
        weight=rng.integers(1, 9, len(cost)),
        capacity=problem.capacity + rng.integers(0, 9),
        budgets=(),
    )


def tried(present, futures, weights, over):
    """The best there is, by every open set."""
    best = math.inf
    for is_open in oracle.open_sets(present):
        if math.isinf(oracle.whole(present, is_open)):
            continue
        each = [oracle.whole(future, is_open) for future in futures]
        best = min(best, max(each) if over == "worst" else float(np.average(each, weights=weights)))
    return best


@pytest.mark.parametrize("over", ["worst", "average"])
@settings(max_examples=80, deadline=None)
@given(problem=problems(whole=True), seed=st.integers(0, 10**6))
def test_equal_to_trying_every_open_set(over, problem, seed):
    rng = np.random.default_rng(seed)
    if problem.expansion is not None:
        free = dataclasses.replace(problem.expansion, cost_per_step=np.zeros(problem.cost.shape[1]))
        problem = dataclasses.replace(problem, expansion=free, budgets=())
    futures = [another(problem, rng) for _ in range(2)]
    weights = rng.integers(1, 5, 2)
    expected = tried(problem, futures, weights, over)
    posed = stacked(problem, futures, weights, over)
    found = solve(posed)
    if math.isinf(expected):
        assert found.status == "infeasible"
        return
    assert found.status == "optimal"
    assert found.objective == pytest.approx(expected, abs=1e-6)
    assert found.bound == pytest.approx(expected, abs=1e-6)
    assert violations(posed, found) == []
    assert value(posed, found) == pytest.approx(expected, abs=1e-6)


def test_the_worst_of_two_sums_and_then_the_fewest():
    """Site 0 costs 4 or 0, site 1 costs 1 or 3, both serve: 3 is the least worst; with both open it is 5."""
    problem = LocationProblem([[0.0, 0.0]], worst=(Terms(fixed=[4, 1]), Terms(fixed=[0, 3])))
    assert solve(problem).objective == 3
    first, second = solve_then(problem, Terms(fixed=[1.0, 5.0]))
    assert (first.objective, second.objective) == (3, 5)
    assert second.open.tolist() == [False, True]


def test_steps_that_cost_are_refused():
    from planner.optimise import Expansion

    paid = LocationProblem([[1.0]], capacity=[0.0], expansion=Expansion([1.0], [2.0], [5.0]))
    with pytest.raises(ValueError, match="would be paid in every future"):
        stacked(paid, [paid], [1], "worst")
