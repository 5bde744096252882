"""Sites forced the other way: brackets against the brute-force oracle."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from planner.optimise import Expansion, LocationProblem, OpenRule, solve, violations
from planner.optimise.forced import Relaxation, force, forced
from tests import oracle
from tests.test_optimise import problems


def truth(problem, opened, closed):
    asked = force(problem, opened, closed)
    return math.inf if asked is None else oracle.best(asked)


def every_site_both_ways(problem):
    m = problem.cost.shape[1]
    return [pair for j in range(m) for pair in (((j,), ()), ((), (j,)))]


SPLIT = LocationProblem(
    cost=[[25.0, 7, 3, 8], [12, 24, 13, 2], [10, 18, 24, 21], [29, 5, 26, 1]],
    weight=[8.0, 3, 8, 8],
    capacity=[17.0, 3, np.inf, np.inf],
    fixed_cost=[10.0, 13, 9, 16],
    expansion=Expansion(step_seats=[3.0, 3, 2, 2], max_steps=[1.0, 1, 2, 1], cost_per_step=[4.0, 7, 1, 3]),
    whole=False,
)
"""With its second site open the best serves a little of a demand point at a price that for all of it is too high."""


@settings(max_examples=100, deadline=None)
@given(problems(), st.sampled_from([0.0, 5.0]), st.booleans())
@example(SPLIT, 5.0, False)
def test_brackets_hold_the_truth(problem, prove_s, start):
    choices = every_site_both_ways(problem)
    best = solve(problem) if start else None
    known = best if best is not None and best.status == "optimal" else None
    for (opened, closed), found in zip(choices, forced(problem, choices, known=known, prove_s=prove_s), strict=True):
        expected = truth(problem, opened, closed)
        if found.impossible:
            assert math.isinf(expected)
            continue
        assert found.lower <= expected + 1e-5
        assert found.upper >= expected - 1e-5
        if found.exact:
            assert found.upper == pytest.approx(expected)
        if prove_s:
            assert found.exact
        if found.solution is not None:
            asked = force(problem, opened, closed)
            assert violations(asked, found.solution) == []


@settings(max_examples=30, deadline=None)
@given(problems(), st.integers(0, 10**6))
def test_the_order_of_questions_is_irrelevant(problem, seed):
    """What was asked before leaves nothing behind."""
    choices = every_site_both_ways(problem)
    order = np.random.default_rng(seed).permutation(len(choices))
    straight = forced(problem, choices, prove_s=5.0)
    shuffled = forced(problem, [choices[k] for k in order], prove_s=5.0)
    for k, found in zip(order, shuffled, strict=True):
        assert found.upper == pytest.approx(straight[k].upper)


def test_what_the_problem_forces_is_overruled_for_one_question_only():
    problem = LocationProblem([[1.0, 3.0], [1.0, 3.0]], forced_open=(0,), forced_closed=(1,))
    relaxed = Relaxation(problem)
    assert relaxed.forced((1,), (0,)).upper == 6
    assert relaxed.forced().upper == 2
    assert relaxed.forced((), (0,)).impossible


def test_a_fractional_relaxation_is_proven_in_the_end():
    """Three villages, three sites, each village near two of them: the relaxation opens one and a half."""
    cost = np.array([[0.0, 0.0, 9.0], [9.0, 0.0, 0.0], [0.0, 9.0, 0.0]])
    problem = LocationProblem(cost, fixed_cost=[4.0, 4.0, 4.0])
    (left,) = forced(problem, [((), (2,))], prove_s=0.0)
    (proven,) = forced(problem, [((), (2,))])
    assert left.lower <= 8 <= left.upper
    assert proven.exact
    assert proven.upper == 8
    assert Relaxation(problem).forced(prove_s=0.0).lower == pytest.approx(6)


def test_rules_and_links_that_contradict_are_impossible():
    problem = LocationProblem([[1.0, 2.0]], rules=(OpenRule((0, 1), 1, 1),), linked=((0, 1),))
    assert force(problem, (0,), (1,)) is None
    assert all(found.impossible for found in forced(problem, every_site_both_ways(problem)))
    assert force(dataclasses.replace(problem, linked=()), (0,), (0,)) is None


def test_out_of_time_nothing_is_claimed():
    problem = LocationProblem(np.random.default_rng(0).random((30, 30)), open_max=5)
    (found,) = forced(problem, [((0,), ())], time_limit_s=0.0)
    assert (found.lower, found.upper, found.exact) == (-math.inf, math.inf, False)


@settings(max_examples=30, deadline=None)
@given(problems(), st.integers(0, 10**6))
def test_other_problems_are_asked_of_one_relaxation(problem, seed):
    """Fewer pairs, other costs, weights and counts; what was asked before leaves nothing behind."""
    rng, relaxed = np.random.default_rng(seed), Relaxation(problem)
    for _ in range(2):
        fewer = np.where(rng.random(problem.cost.shape) < 0.2, np.nan, problem.cost)
        rules = tuple(dataclasses.replace(rule, min=0, max=int(rng.integers(0, 3))) for rule in problem.rules)
        weight = rng.integers(1, 9, len(problem.weight))
        other = dataclasses.replace(problem, cost=fewer * rng.integers(1, 3), weight=weight, rules=rules)
        assert relaxed.answers(other)
        for asked in (other, problem):
            for opened, closed in every_site_both_ways(problem):
                found = relaxed.forced(opened, closed, of=asked, prove_s=5.0)
                assert found.upper == pytest.approx(truth(asked, opened, closed))
                assert found.exact


def test_a_problem_with_more_pairs_or_other_limits_needs_a_relaxation_of_its_own():
    problem = LocationProblem([[1.0, np.nan], [1.0, 3.0]], capacity=[9.0, 9.0])
    relaxed = Relaxation(problem)
    assert relaxed.answers(problem)
    assert not relaxed.answers(dataclasses.replace(problem, cost=[[1.0, 2.0], [1.0, 3.0]]))
    assert not relaxed.answers(dataclasses.replace(problem, capacity=[9.0, 8.0]))
    assert not relaxed.answers(dataclasses.replace(problem, rules=(OpenRule((0,), 0, 1),)))
    assert not relaxed.answers(dataclasses.replace(problem, cost=problem.cost[:1], weight=[1.0]))
