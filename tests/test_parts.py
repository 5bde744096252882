"""Parts of a problem: their optima sum to the whole's."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.optimise import Budget, Expansion, LocationProblem, Only, OpenRule, Side, Terms, parts, solve
from tests import oracle
from tests.test_optimise import problems


def fallen_apart(problem, seed):
    """The problem with half of its pairs, so that there are parts."""
    rng = np.random.default_rng(seed)
    cost = problem.cost.copy()
    cost[rng.random(cost.shape) < 0.5] = np.nan
    return dataclasses.replace(problem, cost=cost)


@settings(max_examples=100, deadline=None)
@given(problems(), st.integers(0, 10**6))
def test_the_optima_of_the_parts_sum_to_the_whole(problem, seed):
    sparse = fallen_apart(problem, seed)
    expected, found = oracle.best(sparse), parts(sparse)
    assert sorted(np.concatenate([part.demand for part in found])) == list(range(len(sparse.weight)))
    assert sorted(np.concatenate([part.site for part in found])) == list(range(len(sparse.capacity)))
    assert sum(oracle.best(part.problem) for part in found) == pytest.approx(expected)
    solved = solve(sparse)
    assert (solved.status == "infeasible") == math.isinf(expected)
    if not math.isinf(expected):
        assert (solved.status, solved.objective) == ("optimal", pytest.approx(expected))


def test_what_ties_sites_together():
    alone = np.where(np.eye(4, dtype=bool), 1.0, np.nan)
    assert [len(part.site) for part in parts(LocationProblem(alone))] == [1, 1, 1, 1]
    tied = {
        "rules": (OpenRule((0, 2), 1),),
        "linked": ((0, 1, 3),),
        "facility": [0, 1, 1, 0],
    }
    sizes = {
        key: [len(part.site) for part in parts(LocationProblem(alone, **{key: value}, facility_cost=None))]
        for key, value in tied.items()
    }
    assert sizes == {"rules": [2, 1, 1], "linked": [3, 1], "facility": [1, 1, 1, 1]}
    paid = LocationProblem(alone, facility=[0, 1, 1, 0], facility_cost=[1, 1])
    assert [len(part.site) for part in parts(paid)] == [2, 2]
    assert len(parts(LocationProblem(alone, open_max=3))) == 1
    assert len(parts(LocationProblem(alone, budgets=(Budget(Terms(fixed=np.ones(4)), 4),)))) == 1
    assert len(parts(LocationProblem(np.where(np.isnan(alone), alone, -1.0)))) == 1
    third = parts(LocationProblem(alone, expansion=Expansion([1, 2, 3, 4], np.ones(4), np.ones(4))))[2]
    assert third.problem.expansion.step_seats.tolist() == [3]
    stepped = Expansion(np.ones(4), np.ones(4), np.ones(4), alike=((0, 2),))
    assert [part.site.tolist() for part in parts(LocationProblem(alone, expansion=stepped))] == [[0, 2], [1], [3]]


def test_conditions_stay_with_their_part():
    """A size ties the sites of its building, a closed site's targets those sites; touching ties nothing."""
    alone = np.where(np.eye(4, dtype=bool), 1.0, np.nan)
    sizes = Side(least=[0, 2, 0], most=[np.inf, 3, np.inf], touching=[[0, 1], [1, 2], [2, 3]])
    found = parts(LocationProblem(alone, facility=[0, 1, 1, 2], side=sizes))
    assert [part.site.tolist() for part in found] == [[0], [1, 2], [3]]
    assert [part.problem.side.least.tolist() for part in found] == [[0], [2], [0]]
    assert [part.problem.side.touching.tolist() for part in found] == [[], [[0, 1]], []]
    only = Side(only=(Only((3,), (0,), 2),))
    found = parts(LocationProblem(alone, side=only))
    assert [part.site.tolist() for part in found] == [[0, 2, 3], [1]]
    assert found[0].problem.side.only == (Only((2,), (0,), 1),)
