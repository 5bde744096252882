"""The best different plans equal what listing every open set gives, one after another."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.optimise import LocationProblem, Terms, alternatives, violations
from tests import oracle
from tests.test_optimise import problems


def buildings(problem, is_open):
    return frozenset(problem.facility[is_open].tolist())


def listed(problem, most, within, apart):
    """Objectives of the best, the best that differs from it, and so on; and the sets of buildings that tie for each."""
    best = {}
    for is_open in oracle.open_sets(problem):
        key = buildings(problem, is_open)
        for pick, steps in oracle.choices(problem, is_open):
            if all(oracle.value(problem, b.terms, is_open, pick, steps) <= b.max + 1e-9 for b in problem.budgets):
                value = oracle.value(problem, problem.objective, is_open, pick, steps)
                best[key] = min(best.get(key, math.inf), value)
    chosen = []
    for key, value in sorted(best.items(), key=lambda item: item[1]):
        if len(chosen) == most or (chosen and value > chosen[0][1] * (1 + within) + 1e-9):
            break
        if all(len(key ^ other) >= apart for other, _ in chosen):
            chosen.append((key, value))
    return chosen


def untied(problem, seed):
    """The problem with costs that no two sets share, so that the order is the only one."""
    rng = np.random.default_rng(seed)
    return dataclasses.replace(
        problem,
        cost=problem.cost + rng.random(problem.cost.shape),
        fixed_cost=problem.fixed_cost + rng.random(problem.cost.shape[1]),
    )


@settings(max_examples=80, deadline=None)
@given(problems(whole=True), st.integers(0, 10**6), st.sampled_from([1, 2, 3]), st.sampled_from([0.0, 0.3, 10.0]))
def test_the_order_is_that_of_the_list(problem, seed, apart, within):
    problem = untied(problem, seed)
    expected = listed(problem, 6, within, apart)
    found = alternatives(problem, most=6, within=within, apart=apart)
    assert [buildings(problem, s.open) for s in found.solutions] == [key for key, _ in expected]
    assert [s.objective for s in found.solutions] == pytest.approx([value for _, value in expected])
    assert (found.ended == "enough") == (len(expected) == 6)
    for solution in found.solutions:
        assert solution.status == "optimal"
        assert solution.gap == 0
        assert violations(problem, solution) == []


def test_buildings_of_several_sites_count_once():
    """Two schools, the second with two stages: closing one stage of it makes no other plan."""
    problem = LocationProblem([[5.0, 1.0, np.nan], [6.0, np.nan, 2.0]], facility=[0, 1, 1], facility_cost=[1.0, 1.0])
    found = alternatives(problem, within=9.0, apart=1)
    assert [buildings(problem, s.open) for s in found.solutions] == [{1}, {0, 1}, {0}]
    assert [s.objective for s in found.solutions] == [4.0, 5.0, 12.0]
    assert found.ended == "none"


def test_a_second_goal_decides_among_equals():
    problem = LocationProblem(np.zeros((2, 3)), fixed_cost=[1.0, 1.0, 1.0], open_min=1)
    found = alternatives(problem, Terms(cost=np.array([[9.0, 3.0, 5.0]] * 2)), most=3, within=0.0)
    assert [int(np.flatnonzero(s.open)[0]) for s in found.solutions] == [1, 2, 0]


def test_out_of_time_is_said():
    problem = LocationProblem(np.random.default_rng(0).random((30, 12)), open_max=3)
    found = alternatives(problem, most=10**6, within=1e6, time_limit_s=1.0)
    assert found.ended == "time"
