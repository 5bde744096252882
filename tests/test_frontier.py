"""The frontier of two measures equals the Pareto front of everything there is, on problems small enough to list."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.optimise import Budget, LocationProblem, Longest, OpenRule, Terms, frontier, narrow, violations
from tests import oracle
from tests.test_optimise import problems


def listed(problem, first, second):
    """Both measures of every solution."""
    found = []
    for is_open in oracle.open_sets(problem):
        for pick, steps in oracle.choices(problem, is_open):
            if any(oracle.value(problem, b.terms, is_open, pick, steps) > b.max + 1e-9 for b in problem.budgets):
                continue
            if isinstance(second, Longest):
                other = max(second.minutes[np.arange(len(pick)), pick], default=0.0)
            else:
                other = oracle.value(problem, second, is_open, pick, steps)
            found.append((oracle.value(problem, first, is_open, pick, steps), other))
    return found


def drawn(problem, rng, kind):
    """A second measure of some kind."""
    n, m = problem.cost.shape
    facilities = int(problem.facility.max()) + 1
    if kind == "longest":
        return Longest(rng.integers(1, 9, (n, m)).astype(float))
    if kind == "count":
        return Terms(facility=np.ones(facilities))
    if kind == "cost":
        return Terms(facility=rng.integers(0, 9, facilities), step=rng.integers(0, 4, m))
    return Terms(cost=rng.random((n, m)), fixed=rng.random(m))


KINDS = ("longest", "count", "cost", "all")


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30, deadline=None)
@given(problem=problems(whole=True), seed=st.integers(0, 10**6))
def test_every_point_is_the_pareto_front(kind, problem, seed):
    second = drawn(problem, np.random.default_rng(seed), kind)
    expected = oracle.pareto(listed(problem, problem.objective, second))
    found = frontier(problem, problem.objective, second, points=None)
    assert [(p.first, p.second) for p in found] == [pytest.approx(pair, abs=1e-5) for pair in expected]
    for point in found:
        assert point.proven
        assert point.bound == pytest.approx(point.first, abs=1e-5)
        assert violations(problem, point.solution) == []


@settings(max_examples=40, deadline=None)
@given(problem=problems(whole=True), seed=st.integers(0, 10**6), kind=st.sampled_from(KINDS))
def test_points_at_limits_lie_on_the_front_and_hold_both_ends(problem, seed, kind):
    second = drawn(problem, np.random.default_rng(seed), kind)
    front = oracle.pareto(listed(problem, problem.objective, second))
    found = [(p.first, p.second) for p in frontier(problem, problem.objective, second, points=3)]
    assert len(found) <= 3
    for pair in found:
        assert any(pair == pytest.approx(point, abs=1e-5) for point in front)
    if front:
        assert found[0] == pytest.approx(front[0], abs=1e-5)
        assert found[-1] == pytest.approx(front[-1], abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(problem=problems(whole=True), seed=st.integers(0, 10**6), kind=st.sampled_from(KINDS))
def test_a_limit_that_is_asked_for_gives_the_best_within_it(problem, seed, kind):
    rng = np.random.default_rng(seed)
    second = drawn(problem, rng, kind)
    front = oracle.pareto(listed(problem, problem.objective, second))
    level = float(rng.integers(0, 20))
    within = [pair for pair in front if pair[1] <= level]
    found = [(p.first, p.second) for p in frontier(problem, problem.objective, second, levels=[level])]
    assert found == [pytest.approx(pair, abs=1e-5) for pair in within[-1:]]


@settings(max_examples=40, deadline=None)
@given(problem=problems(), seed=st.integers(0, 10**6), kind=st.sampled_from(KINDS))
def test_what_reduced_costs_and_prices_rule_out_is_on_no_point(problem, seed, kind):
    """The same front where even the smallest problems are searched below ceilings, split ones too."""
    second = drawn(problem, np.random.default_rng(seed), kind)
    points = None if problem.whole else 4  # splits have points without end
    expected = frontier(problem, problem.objective, second, points=points)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(narrow, "WORTH_FROM", 1)
        patch.setattr(narrow, "PRICED_FROM", 1)
        found = frontier(problem, problem.objective, second, points=points)
    assert [(p.first, p.second) for p in found] == [pytest.approx((p.first, p.second), abs=1e-5) for p in expected]


def test_splits_and_rules_as_worked_by_hand():
    """Two sites; the far one has four seats, and the demand point of six pupils may be split."""
    problem = LocationProblem(
        [[6.0, 60.0], [20.0, 2.0]], weight=[6, 2], capacity=[6, 4], rules=(OpenRule((0, 1), 1, 2),), whole=False
    )
    found = frontier(problem, problem.objective, Terms(fixed=[3.0, 4.0]), points=None)
    assert [(p.first, p.second) for p in found] == [(8.0, 7.0)]  # eight pupils need both
    roomy = dataclasses.replace(problem, capacity=[6, 9])
    found = frontier(roomy, problem.objective, Terms(fixed=[3.0, 4.0]), points=None)
    assert [(p.first, p.second) for p in found] == [(62.0, 4.0), (8.0, 7.0)]


def test_nothing_is_on_the_frontier_of_what_cannot_be():
    problem = LocationProblem([[1.0]], budgets=(Budget(Terms(fixed=[2.0]), 1.0),), open_min=1)
    for second in (Terms(fixed=[1.0]), Longest(np.ones((1, 1)))):
        assert frontier(problem, problem.objective, second) == ()


def test_without_time_points_have_bounds_that_hold():
    rng = np.random.default_rng(0)
    place, sites = rng.random((60, 2)), rng.random((20, 2))
    cost = np.linalg.norm(place[:, None] - sites[None], axis=2)
    problem = LocationProblem(cost, weight=rng.integers(1, 9, 60), capacity=np.full(20, 60.0))
    second = Terms(fixed=rng.integers(5, 9, 20))
    exact_points = frontier(problem, problem.objective, second, points=4, time_limit_s=60)
    assert all(point.proven for point in exact_points)
    for point in frontier(problem, problem.objective, second, points=4, time_limit_s=2):
        assert point.bound <= point.first + 1e-9
        assert violations(problem, point.solution) == []
        for other in exact_points:
            if other.second <= point.level:
                assert point.bound <= other.first + 1e-6


def test_of_split_demand_there_are_as_many_points_as_time_allows():
    """Any share of the point may go to either site: half a million points, formerly all of them whatever the limit."""
    problem = LocationProblem([[0.0, 10.0]], whole=False)
    found = frontier(problem, problem.objective, Terms(cost=[[100.0, 0.0]]), points=None, time_limit_s=0.3)
    assert (found[-1].first, found[-1].second) == (0.0, 100.0)
    assert 1 < len(found) < 10_000
    for point in found:
        assert point.first == pytest.approx(10 - point.second / 10, abs=1e-5)


def test_ways_that_rounding_alone_tells_apart_are_one_limit():
    """Sought between 20 and 20 and a bit for ever otherwise, and called unproven when the time was up."""
    longest = Longest(np.array([[20.0, 20.0 + 1e-6, 5.0], [20.0 + 1e-6, 20.0, 30.0]]))
    problem = LocationProblem([[1.0, 2.0, 3.0], [2.0, 1.0, 3.0]], fixed_cost=[1.0, 1.0, 1.0])
    found = frontier(problem, Terms(fixed=np.ones(3)), longest, points=None, time_limit_s=20)
    assert [(point.first, round(point.second, 3), point.proven) for point in found] == [(1.0, 20.0, True)]
