"""Parts of a problem: their optima sum to the whole's."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.optimise import Budget, Expansion, LocationProblem, OpenRule, Terms
from planner.optimise.parts import part_of
from tests import oracle
from tests.test_optimise import problems


def all_parts(problem):
    left, found = set(range(problem.cost.shape[1])), []
    while left:
        part, rows, sites = part_of(problem, [min(left)])
        found.append((part, rows, sites))
        left -= set(sites.tolist())
    return found


@settings(max_examples=100, deadline=None)
@given(problems(), st.integers(0, 10**6))
def test_the_optima_of_the_parts_sum_to_the_whole(problem, seed):
    rng = np.random.default_rng(seed)
    cost = problem.cost.copy()
    cost[rng.random(cost.shape) < 0.5] = np.nan  # so that there are parts
    sparse = dataclasses.replace(problem, cost=cost)
    expected = oracle.best(sparse)
    found = all_parts(sparse)
    rows = np.concatenate([rows for _, rows, _ in found])
    ruled = any(not rule.sites and rule.min > 0 for rule in sparse.rules)  # a rule of no sites is nobody's
    if len(np.unique(rows)) < len(cost) or ruled:
        assert math.isinf(expected)
        return
    assert sum(oracle.best(part) for part, _, _ in found) == pytest.approx(expected)


def test_what_ties_sites_together():
    apart = np.where(np.eye(4, dtype=bool), 1.0, np.nan)
    assert [len(sites) for _, _, sites in all_parts(LocationProblem(apart))] == [1, 1, 1, 1]
    tied = {
        "rules": (OpenRule((0, 2), 1),),
        "linked": ((0, 1, 3),),
        "facility": [0, 1, 1, 0],
    }
    sizes = {
        key: [len(sites) for _, _, sites in all_parts(LocationProblem(apart, **{key: value}, facility_cost=None))]
        for key, value in tied.items()
    }
    assert sizes == {"rules": [2, 1, 1], "linked": [3, 1], "facility": [1, 1, 1, 1]}
    paid = LocationProblem(apart, facility=[0, 1, 1, 0], facility_cost=[1, 1])
    assert [len(sites) for _, _, sites in all_parts(paid)] == [2, 2]
    assert len(all_parts(LocationProblem(apart, open_max=3))) == 1
    assert len(all_parts(LocationProblem(apart, budgets=(Budget(Terms(fixed=np.ones(4)), 4),)))) == 1
    part, _, _ = part_of(LocationProblem(apart, expansion=Expansion([1, 2, 3, 4], np.ones(4), np.ones(4))), [2])
    assert part.expansion.step_seats.tolist() == [3]
