"""Prices by a linear program over columns, and the kernel of few sites: against all columns, and brute force."""

import math
from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from scipy.optimize import linprog

from planner.compiled import clock
from planner.optimise import LocationProblem, OpenRule, exact, prices, solve, violations
from planner.optimise import kernel as kernels
from planner.optimise.columns import NONE, sharpened, suits
from planner.optimise.kernel import kernel
from planner.optimise.knapsack import MUST, OUT
from planner.optimise.lagrange import at_prices, first_prices, relax
from tests import oracle
from tests.test_exchange import dear


def by_all_columns(problem, node):
    """The least of the linear program that has every column: the sites' openings, then what each may take."""
    n, m = problem.cost.shape
    cost, rows = list(node.fixed), [np.zeros(n + m) for _ in range(m)]
    for j in range(m):
        rows[j][n + j] = -1.0
        some = np.flatnonzero(~np.isnan(problem.cost[:, j]))
        for taken in map(list, chain.from_iterable(combinations(some, k) for k in range(1, len(some) + 1))):
            short = problem.weight[taken].sum() - problem.capacity[j]
            steps = 0
            if short > 0:
                more = problem.expansion
                if more is None or short > more.max_steps[j] * more.step_seats[j]:
                    continue
                steps = math.ceil(short / more.step_seats[j])
            cost.append(problem.cost[taken, j].sum() + (steps and steps * problem.expansion.cost_per_step[j]))
            row = np.zeros(n + m)
            row[taken], row[n + j] = -1.0, 1.0
            rows.append(row)
    above = np.array(rows).T
    limit = np.concatenate([-np.ones(n), np.zeros(m)])
    for rule in (OpenRule(tuple(range(m)), problem.open_min, problem.open_max), *problem.rules):
        row = np.zeros(len(cost))
        row[list(rule.sites)] = 1.0
        above, limit = np.vstack([above, -row]), np.append(limit, -rule.min)
        if rule.max is not None:
            above, limit = np.vstack([above, row]), np.append(limit, rule.max)
    same = np.zeros((len(problem.linked), len(cost)))
    for k, (one, other) in enumerate(problem.linked):
        same[k, [one, other]] = 1.0, -1.0
    bounds = [(float(s == MUST), float(s != OUT)) for s in node.state] + [(0, None)] * (len(cost) - m)
    equal = {"A_eq": same, "b_eq": np.zeros(len(same))} if len(same) else {}
    found = linprog(cost, above, limit, **equal, bounds=bounds)
    return found.fun if found.status == 0 else math.inf


# Of two sites that open together a rule names one: what each counts is not the mean of both.
TIED = LocationProblem(
    [[10, 28, 18, 27, 3], [11, 27, 19, 2, 4], [np.nan, 15, np.nan, 22, 20], [np.nan, np.nan, 20, 1, 7]],
    weight=[8, 3, 4, 8],
    capacity=[12, 12, 10, 5, 10],
    fixed_cost=[17, 40, 48, 47, 38],
    rules=(OpenRule((0, 1, 2), 0, 2),),
    linked=((2, 4),),
    whole=True,
)


@settings(max_examples=80, deadline=None)
@example(TIED)
@given(dear())
def test_the_bound_is_that_of_all_columns(problem):
    assume(problem.whole)
    node = relax(problem)
    expected = by_all_columns(problem, node)
    assume(math.isfinite(expected))
    found = sharpened(node, at_prices(node, first_prices(node)), NONE, math.inf, clock() + 20)
    assert found.best.bound == pytest.approx(expected, rel=1e-4, abs=1e-3)
    assert found.best.bound <= expected + 1e-6
    assert found.best.bound <= oracle.best(problem) + 1e-6
    # What it mixes serves everybody, from open sites.
    assert (np.bincount(node.demand, weights=found.taken, minlength=len(node.weight)) >= 1 - 1e-6).all()
    assert (found.taken <= found.open[node.site] + 1e-6).all()
    # Asked again with what it ends with, it is there at once.
    again = sharpened(node, found.best, found.columns, math.inf, clock() + 20)
    assert again.best.bound == pytest.approx(found.best.bound, rel=2e-5, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(dear())
def test_a_tree_with_columns_equals_the_oracle(problem):
    """Every node asks the program, whatever suits it, in parts and kernels as well."""
    expected = oracle.best(problem)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "PRICES_AFTER", 0)
        patch.setattr(exact, "PRICES_FROM", 0)
        patch.setattr(prices, "suits", lambda node, _: node.whole)
        patch.setattr(prices, "LINEAR_UP_TO", -1)
        found = solve(problem, gap=0.0, time_limit_s=30)
    oracle.proves(problem, found, expected)


@settings(max_examples=60, deadline=None)
@given(dear())
def test_a_search_that_begins_with_a_kernel_equals_the_oracle(problem):
    """However few sites a kernel has: what it proves is not taken for a proof about the others."""
    expected, first = oracle.best(problem), iter([True])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "PRICES_AFTER", 0)
        patch.setattr(exact, "PRICES_FROM", 0)
        patch.setattr(prices, "_worth_a_kernel", lambda *_: next(first, False))
        patch.setattr(kernels, "MOST", 1.0)
        patch.setattr(kernels, "SELDOM", 0.6)
        found = solve(problem, gap=0.0, time_limit_s=30)
    oracle.proves(problem, found, expected)


@settings(max_examples=60, deadline=None)
@given(dear())
def test_a_kernel_holds_the_solution_that_is_known(problem):
    known = solve(problem, gap=0.0, time_limit_s=10)
    assume(known.status == "optimal")
    node = relax(problem)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "MOST", 1.0)
        few = kernel(problem, node, at_prices(node, first_prices(node)), known, clock() + 5)
    assert few is not None
    assert violations(few, known) == []


def test_few_demand_points_a_site_suit_columns():
    """Thirty homes at ten sites do, at three they do not; nor do split ones."""
    rng = np.random.default_rng(1)
    far = rng.random((30, 10))
    for sites, whole, expected in ((10, True, True), (3, True, False), (10, False, False)):
        problem = LocationProblem(
            far, weight=np.ones(30), capacity=np.full(10, 12.0), open_min=sites, open_max=sites, whole=whole
        )
        node = relax(problem)
        assert suits(node, at_prices(node, first_prices(node))) is expected
