"""Bounded frontiers: every point a valid solution, no bound above what there is, against every solution listed."""

import dataclasses
import importlib
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.optimise import LocationProblem, Terms, frontier, violations
from planner.optimise.sketch import sketch
from tests import oracle
from tests.benchmarks import counties
from tests.test_frontier import drawn, listed
from tests.test_optimise import problems


@settings(max_examples=120, deadline=None)
@given(problem=problems(whole=True), seed=st.integers(0, 10**6), kind=st.sampled_from(("count", "cost", "all")))
def test_no_bound_is_above_what_there_is(problem, seed, kind):
    second = drawn(problem, np.random.default_rng(seed), kind)
    everything = listed(problem, problem.objective, second)
    front = oracle.pareto(everything)
    for point in sketch(problem, problem.objective, second, points=6):
        assert violations(problem, point.solution) == []
        assert any((point.first, point.second) == pytest.approx(pair, abs=1e-6) for pair in everything)
        assert point.bound <= min(first for first, other in front if other <= point.second + 1e-9) + 1e-6
        if point.proven:
            assert any((point.first, point.second) == pytest.approx(pair, abs=1e-5) for pair in front)


@settings(max_examples=60, deadline=None)
@given(problem=problems(whole=False), seed=st.integers(0, 10**6))
def test_no_bound_of_split_problems_is_above_the_best_at_its_limit(problem, seed):
    second = drawn(problem, np.random.default_rng(seed), "cost")
    for point in sketch(problem, problem.objective, second, points=5):
        assert violations(problem, point.solution) == []
        (best,) = frontier(problem, problem.objective, second, levels=[point.second])
        assert point.bound <= best.first + 1e-5
        assert point.first >= best.bound - 1e-5


@pytest.mark.parametrize("whole", [True, False])
def test_a_drawn_county_is_covered(whole):
    county = counties.draw(30, 200, seed=1)
    problem = dataclasses.replace(counties.pose(county, whole=whole), fixed_cost=np.zeros(30))
    running = Terms(fixed=np.random.default_rng(0).integers(200, 900, 30))
    found = sketch(problem, problem.objective, running, points=12)
    assert len(found) >= 6
    assert all(a.first > b.first and a.second < b.second for a, b in pairwise(found))
    assert np.median([point.gap for point in found]) < 0.02
    for point in found:
        assert violations(problem, point.solution) == []


def test_large_problems_are_covered_at_once_unless_limits_or_every_point_are_asked(monkeypatch):
    monkeypatch.setattr(importlib.import_module("planner.optimise.frontier"), "AT_ONCE_FROM", 1)
    county = counties.draw(20, 100, seed=2)
    problem = counties.pose(county, whole=True)
    running = Terms(fixed=np.random.default_rng(0).integers(200, 900, 20))
    covered = frontier(problem, problem.objective, running, points=5)
    assert [p.second for p in covered] == [p.second for p in sketch(problem, problem.objective, running, points=5)]
    (exact,) = frontier(problem, problem.objective, running, levels=[covered[1].second])
    assert exact.proven
    assert covered[1].bound <= exact.first + 1e-6 <= covered[1].first + 2e-6


def test_nothing_is_found_where_nobody_can_go_anywhere():
    problem = LocationProblem([[np.nan], [1.0]])
    assert sketch(problem, problem.objective, Terms(fixed=[1.0])) == ()


def test_steps_that_count_for_less_than_nothing_are_refused():
    problem = LocationProblem([[1.0]])
    with pytest.raises(ValueError, match="less than nothing"):
        sketch(problem, problem.objective, Terms(step=[-1.0]))
