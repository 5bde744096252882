"""Capacitated problems by prices against the brute-force oracle: answers, bounds, and what a ceiling leaves."""

import dataclasses
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from planner.compiled import clock
from planner.optimise import LocationProblem, province, solve, violations
from planner.optimise.dive import dive
from planner.optimise.exact import _priced
from planner.optimise.flow import score
from planner.optimise.highs import by_rows
from planner.optimise.lagrange import Ascent, at_prices, first_prices, relax, second_costs, shrink, stepped, together
from planner.optimise.prices import root, solve_by_prices
from planner.optimise.problem import pairs
from planner.optimise.province import improve
from planner.optimise.restrict import left
from tests import oracle
from tests.benchmarks import counties
from tests.test_optimise import problems


def sparse(problem):
    demand, site, cost = pairs(problem.cost)
    return dataclasses.replace(problem, cost=csr_array((cost, (demand, site)), shape=problem.cost.shape))


def servable(problem):
    return len(np.unique(pairs(problem.cost)[0])) == problem.cost.shape[0]


@settings(max_examples=120, deadline=None)
@given(problems(), st.integers(0, 10**6), st.booleans())
def test_no_prices_prove_more_than_the_optimum(problem, seed, climbed):
    """Any prices bound any problem, rules that cross and budgets included; and what they drop is in no optimum."""
    if not servable(problem):
        return
    rng = np.random.default_rng(seed)
    relaxed = relax(problem)
    price = rng.normal(10, 15, len(problem.weight))
    if climbed:
        ascent = Ascent(relaxed, second_costs(relaxed), 10.0)
        ascent.climb(60, np.inf)
        price = ascent.best.price
    point = at_prices(relaxed, price)
    best = oracle.best(problem)
    assert point.bound <= best + 1e-6 * max(1.0, abs(best)) or math.isinf(best)
    if math.isinf(best):
        return
    kept = left(relaxed, point, best + 1e-6)
    table = np.full(problem.cost.shape, np.nan)
    table[relaxed.demand[kept.arcs], relaxed.site[kept.arcs]] = relaxed.cost[kept.arcs]
    shut = tuple(np.flatnonzero(kept.state == 2).tolist())
    opened = tuple(np.flatnonzero(kept.state == 1).tolist())
    rest = dataclasses.replace(problem, cost=table, forced_open=opened, forced_closed=shut)
    assert oracle.best(rest) == pytest.approx(best)


@settings(max_examples=120, deadline=None)
@given(problems())
def test_equal_to_the_oracle_by_prices(problem):
    if not servable(problem) or not _priced(problem):
        return
    expected = oracle.best(problem)
    found = solve_by_prices(problem, gap=0.0, time_limit_s=30, seed=0)
    oracle.proves(problem, found, expected)


@settings(max_examples=60, deadline=None)
@given(problems())
def test_sparse_equals_dense(problem):
    if any(budget.terms.cost is not None for budget in problem.budgets):
        budgets = tuple(
            dataclasses.replace(b, terms=dataclasses.replace(b.terms, cost=csr_array(b.terms.cost)))
            for b in problem.budgets
            if b.terms.cost is not None and b.terms.cost.all()
        )
        other = dataclasses.replace(sparse(problem), budgets=budgets or problem.budgets)
        if len(budgets) not in (0, len(problem.budgets)):
            return
    else:
        other = sparse(problem)
    first, second = solve(problem), solve(other)
    assert first.status == second.status
    assert first.objective == pytest.approx(second.objective, nan_ok=True)


def test_a_sparse_cost_holds_numbers():
    with pytest.raises(ValueError, match="cost: holds NaN"):
        LocationProblem(csr_array(np.array([[np.nan, 1.0]])))


@settings(max_examples=100, deadline=None)
@given(problems(whole=False))
def test_a_score_is_the_cheapest_split(problem):
    base = dataclasses.replace(
        problem,
        rules=(),
        linked=(),
        open_min=0,
        open_max=None,
        forced_open=(),
        forced_closed=(),
        expansion=None,
    )
    for is_open in oracle.open_sets(base):
        shut = np.where(is_open[None, :], base.cost, np.nan)
        expected = oracle.split(dataclasses.replace(base, cost=shut), is_open)
        assert score(base, is_open) == pytest.approx(expected)
        assert score(sparse(base), is_open) == pytest.approx(expected)


def test_what_is_left_has_the_types_of_the_whole():
    """Else every loop is compiled once more, for half a minute of a first run."""
    relaxed = relax(counties.pose(counties.draw(8, 20, seed=3), whole=True))
    point = at_prices(relaxed, second_costs(relaxed))
    kept = left(relaxed, point, 2 * abs(point.bound))
    rest = stepped(shrink(relaxed, kept.state, kept.arcs), kept.fewest, kept.most)
    assert [part.dtype for part in rest.sites] == [part.dtype for part in relaxed.sites]


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("seed", [3, 4])
def test_a_drawn_county(seed, whole):
    """Small enough to be quick: constraints by code of its own, the same optimum by rows alone."""
    county = counties.draw(14, 60, seed=seed)
    problem = counties.pose(county, whole=whole)
    found = solve_by_prices(problem, gap=1e-4, time_limit_s=30, seed=0)
    counties.check(county, problem, found)
    other = by_rows(problem, gap=1e-4, time_limit_s=30, seed=0)
    assert found.status == other.status == "optimal"
    assert found.bound <= other.objective + 1e-6
    assert other.bound <= found.objective + 1e-6


def test_part_by_part_keeps_every_rule_and_never_worsens():
    county = counties.draw(60, 400, seed=5, nearest=20)
    problem = counties.pose(county, whole=True)
    found = solve_by_prices(problem, gap=0.02, time_limit_s=20, seed=0)
    relaxed = relax(problem)
    ascent = Ascent(relaxed, second_costs(relaxed), 1e4)
    ascent.climb(200, np.inf)
    better = improve(problem, relaxed, ascent.best, found, gap=1e-3, ends=time.perf_counter() + 2, seed=0)
    assert better.objective <= found.objective
    counties.check(county, problem, better)


def test_too_few_seats_are_infeasible_at_once():
    """Seats of the sites that may open fall short by 1 %: proven by the linear program, not by a search."""
    rng = np.random.default_rng(5)
    weight = rng.integers(1, 40, 30).astype(float)
    seats = np.full(8, np.floor(weight.sum() * 0.99 / 5))
    problem = LocationProblem(rng.random((30, 8)) * weight[:, None], weight=weight, capacity=seats, open_max=5)
    found = solve_by_prices(problem, gap=0.0, time_limit_s=60, seed=0)
    assert found.status == "infeasible"
    assert found.seconds < 20


@settings(max_examples=40, deadline=None)
@given(problems(), st.integers(0, 10**6))
def test_a_dive_proves_no_more_than_the_optimum_and_breaks_no_limit(problem, seed):
    """Small problems, few rounds: what it decides on the way down is a guess, its bound is not."""
    if not servable(problem) or not problem.whole:
        return
    point, found = dive(problem, relax(problem), math.inf)
    best = oracle.best(problem)
    assert point.bound <= best + 1e-6 * max(1.0, abs(best)) or math.isinf(best)
    if found is not None:
        assert not violations(problem, found)
        assert found.objective >= best - 1e-6 * max(1.0, abs(best))


def test_a_dive_ends_near_the_optimum():
    county = counties.draw(60, 400, seed=5, nearest=20)
    problem = counties.pose(county, whole=True)
    point, found = dive(problem, relax(problem), math.inf)
    counties.check(county, problem, dataclasses.replace(found, bound=point.bound))
    assert found.objective - point.bound < 0.02 * found.objective


def test_parts_that_are_searched_side_by_side_share_no_rule():
    county = counties.draw(60, 400, seed=5, nearest=20)
    problem = counties.pose(county, whole=True)
    relaxed = relax(problem)
    close = province._neighbours(relaxed.demand, relaxed.site, 60, 400)
    tied = together(province._tied(problem), 60)
    waste = np.random.default_rng(0).random(60)
    centres = province._apart(waste, close, 8, tied)
    assert len(centres) == 2
    one, other = (province._around(centre, close, 8) for centre in centres)
    assert not np.intersect1d(tied[one], tied[other]).size
    for rule in problem.rules:
        assert not (one[list(rule.sites)].any() and other[list(rule.sites)].any())


def test_prices_move_by_how_far_costs_are_apart():
    """By hand: means of 0, 3, 6 and of 0, 0, 3 above the cheapest are 3 and 1, and so 1.5 and 0.5 of their mean."""
    problem = LocationProblem([[1.0, 4.0, 7.0], [2.0, 2.0, 5.0]], weight=[1, 9], capacity=[9, 9, 9])
    assert relax(problem).spread == pytest.approx([1.5, 0.5])
    assert first_prices(relax(problem)).tolist() == [4.0, 2.0]


def test_where_serving_costs_nothing_prices_begin_at_nothing():
    """In proportion to weights, each knapsack would be one of sums of weights, which is the slowest there is."""
    problem = LocationProblem(np.zeros((3, 2)), weight=[1, 2, 3], capacity=[4, 4], fixed_cost=[8.0, 8.0], whole=True)
    node = relax(problem)
    assert node.spread.tolist() == [1, 1, 1]
    assert first_prices(node).tolist() == [0, 0, 0]
    dear = relax(dataclasses.replace(problem, cost=np.eye(3, 2)))
    assert first_prices(dear).tolist() == pytest.approx([2.0, 4.0, 6.0])


@pytest.mark.parametrize("seed", range(5))
def test_a_first_answer_is_found_where_prices_open_too_few_seats(seed):
    """Ten of 25 sites are needed, by a little: prices mostly open nine and a half."""
    rng = np.random.default_rng(seed)
    place, school, weight = rng.random((80, 2)), rng.random((25, 2)), rng.integers(1, 40, 80).astype(float)
    problem = LocationProblem(
        np.linalg.norm(place[:, None] - school, axis=2) * weight[:, None],
        weight=weight,
        capacity=np.full(25, np.floor(weight.sum() / 9.5)),
        fixed_cost=np.full(25, 300.0),
    )
    found = root(problem, relax(problem), 1e-4, clock() + 20)[2]
    assert found is not None
    assert violations(problem, found) == []
