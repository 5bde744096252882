"""Open sites exchanged, against brute force; fixed costs through the lane of prices and that of HiGHS alone."""

import dataclasses
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.compiled import clock
from planner.optimise import Expansion, LocationProblem, OpenRule, exact, prices, solve, violations
from planner.optimise.branch import branch
from planner.optimise.exchange import around, exchanged
from planner.optimise.highs import by_rows
from planner.optimise.lagrange import at_prices, relax, second_costs
from tests import oracle
from tests.benchmarks import fixed


@st.composite
def dear(draw):
    """Up to 4 demand points and 5 sites whose opening costs much, under every limit that prices see."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n, m = draw(st.integers(2, 4)), draw(st.integers(3, 5))
    parts = {"whole": draw(st.booleans()), "weight": rng.integers(1, 9, n), "capacity": rng.integers(2, 18, m)}
    parts["fixed_cost"] = rng.integers(10, 60, m)
    if draw(st.booleans()):
        parts["rules"] = (OpenRule((0, 1, 2), 0, int(rng.integers(1, 3))),)
    if draw(st.booleans()):
        parts |= {"open_min": 1, "open_max": int(rng.integers(1, m + 1))}
    if draw(st.booleans()):
        parts["facility"] = rng.integers(0, 2, m)
        parts["facility_cost"] = rng.integers(0, 60, int(parts["facility"].max()) + 1)
    if draw(st.booleans()):
        parts["expansion"] = Expansion(rng.integers(1, 5, m), rng.integers(0, 3, m), rng.integers(0, 9, m))
    some = rng.permutation(m)
    match draw(st.sampled_from(["free", "linked", "forced"])):
        case "linked":
            parts["linked"] = (tuple(some[:2].tolist()),)
        case "forced":
            parts |= {"forced_open": (int(some[0]),), "forced_closed": (int(some[1]),)}
    cost = rng.integers(0, 30, (n, m)).astype(float)
    cost[rng.random((n, m)) < 0.15] = np.nan
    cost[np.isnan(cost).all(axis=1), 0] = 7.0
    return LocationProblem(cost, **parts)


@settings(max_examples=120, deadline=None)
@given(dear(), st.integers(0, 99))
def test_what_is_exchanged_is_valid_and_never_better_than_the_optimum(problem, seed):
    node = relax(problem)
    point = at_prices(node, second_costs(node))
    best, found = oracle.best(problem), None
    for is_open in oracle.open_sets(problem):
        one = around(problem, node, point, is_open, None)
        if one is None:
            continue
        assert violations(problem, one) == []
        assert one.open.tolist() == is_open.tolist()
        assert one.objective >= best - 1e-6
        found = one
    better = exchanged(problem, node, point, found, ends=time.perf_counter() + 5, seed=seed)
    assert better is not None or found is None
    if better is not None:
        assert violations(problem, better) == []
        assert best - 1e-6 <= better.objective <= (math.inf if found is None else found.objective)


def test_the_best_sites_are_found_from_the_worst():
    """Twelve sites and room for choice: from every site open, and from three poor ones, to the optimum."""
    problem = fixed.draw(24, 12, 4, seed=3, whole=False)
    node = relax(problem)
    point = at_prices(node, second_costs(node))
    optimum = by_rows(problem, gap=0.0, time_limit_s=30, seed=0).objective
    ends = time.perf_counter() + 10
    assert exchanged(problem, node, point, None, ends=ends, seed=0).objective == pytest.approx(optimum)
    poor = around(problem, node, point, np.argsort(np.argsort(-problem.fixed_cost)) < 9, None)
    assert exchanged(problem, node, point, poor, ends=ends, seed=0).objective == pytest.approx(optimum)


@settings(max_examples=60, deadline=None)
@given(dear())
def test_dear_openings_by_prices_equal_the_oracle(problem):
    """Without HiGHS, and with every gap counting as wide: solve() goes all the way, and proves."""
    expected = oracle.best(problem)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "PRICES_AFTER", 0)
        patch.setattr(exact, "PRICES_FROM", 0)
        patch.setattr(prices, "AT_FIRST_S", 0.0)
        patch.setattr(prices, "_worth_exchanging", lambda *_: True)
        found = solve(problem, gap=0.0, time_limit_s=30)
    oracle.proves(problem, found, expected)


@pytest.mark.parametrize("whole", [True, False])
def test_bounds_of_both_lanes_agree(whole):
    """What HiGHS proves alone, no bound of prices passes, and what prices find is no better."""
    problem = fixed.draw(50, 12, 4, seed=2, whole=whole)
    alone = by_rows(problem, gap=1e-6, time_limit_s=60, seed=0)
    assert alone.status == "optimal"
    found = prices.solve_by_prices(problem, gap=1e-4, time_limit_s=8, seed=0)
    assert violations(problem, found) == []
    assert found.bound <= alone.objective + 1e-6
    assert alone.objective * (1 - 1e-6) <= found.objective <= alone.objective * (1 + 5e-3)


@pytest.mark.parametrize("whole", [True, False])
def test_open_sites_are_exchanged_where_the_gap_stays_wide(whole, monkeypatch):
    """Without a search before it the exchange is asked first."""
    problem = fixed.draw(40, 10, 4, seed=2, whole=whole)
    asked = []

    def counted(posed, *rest, **named):
        asked.append(posed.whole)
        return exchanged(posed, *rest, **named)

    monkeypatch.setattr(prices, "exchanged", counted)
    monkeypatch.setattr(prices, "AT_FIRST_S", 0.0)
    found = prices.solve_by_prices(problem, gap=1e-4, time_limit_s=20, seed=0)
    assert asked[0] is whole
    assert violations(problem, found) == []
    alone = by_rows(problem, gap=0.0, time_limit_s=60, seed=0)
    assert found.bound <= alone.objective + 1e-6
    assert alone.objective - 1e-6 <= found.objective <= alone.objective * (1 + 1e-3)


def test_packed_is_whole_and_keeps_the_sites():
    """Where the split problem's sites are the whole one's, too, what is packed there is the optimum."""
    problem = fixed.draw(50, 12, 4, seed=2, whole=True)
    alone = by_rows(problem, gap=0.0, time_limit_s=60, seed=0)
    split = by_rows(dataclasses.replace(problem, whole=False), gap=0.0, time_limit_s=60, seed=0)
    found = prices.packed(problem, relax(problem), split.open, None, gap=0.0, ends=clock() + 20)
    assert violations(problem, found) == []
    assert found.open.tolist() == split.open.tolist()
    assert found.objective == pytest.approx(alone.objective)


@pytest.mark.parametrize("above", [0.0, 0.5, 1.0])
def test_whole_costs_rule_out_what_is_less_than_one_better(above):
    """Below a guess between two whole numbers the lower one is found; nothing is below the optimum, which is proven."""
    rng = np.random.default_rng(4)
    problem = LocationProblem(
        rng.integers(1, 40, (14, 6)),
        weight=rng.integers(1, 6, 14),
        capacity=np.full(6, 14.0),
        fixed_cost=rng.integers(9, 30, 6),
        whole=True,
    )
    optimum = by_rows(problem, gap=0.0, time_limit_s=30, seed=0).objective
    node = relax(problem)
    found = branch(problem, node, second_costs(node), None, optimum + above, gap=0.0, ends=clock() + 30)
    assert found.bound == pytest.approx(optimum)
    assert found.best is None if above == 0 else found.best.objective == pytest.approx(optimum)


def test_what_is_known_is_kept():
    """Prices that begin with a proven answer end with it, whatever the time."""
    problem = fixed.draw(30, 8, 4, seed=1, whole=True)
    known = by_rows(problem, gap=0.0, time_limit_s=30, seed=0)
    found = prices.solve_by_prices(problem, gap=0.0, time_limit_s=0.5, seed=0, start=known)
    assert found.status == "optimal"
    assert found.objective == pytest.approx(known.objective)
    assert found.bound == pytest.approx(known.objective)


def test_few_pairs_stay_with_highs(monkeypatch):
    """Nothing is compiled for a small county, nor where the time is short."""

    def fails(*_, **__):
        raise AssertionError

    monkeypatch.setattr(prices, "solve_by_prices", fails)
    problem = fixed.draw(20, 6, 4, seed=1, whole=True)
    assert solve(problem, gap=1e-4).status == "optimal"
    monkeypatch.setattr(exact, "PRICES_AFTER", 0)
    assert solve(problem, gap=1e-4, time_limit_s=9).status == "optimal"
    short = dataclasses.replace(problem, capacity=problem.capacity / 4)
    assert solve(short).status == "infeasible"
