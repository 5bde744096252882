"""The solver against the brute-force oracle, and the properties that any optimum has."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.optimise import (
    Budget,
    Expansion,
    LocationProblem,
    OpenRule,
    Terms,
    repair,
    solve,
    solve_then,
    total,
    violations,
)
from tests import oracle

FEATURES = ("capacity", "fixed", "rules", "forced", "facility", "expansion", "budget", "count")


@st.composite
def problems(draw, whole=None):
    """Up to 4 demand points and 5 sites with every feature."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n, m = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    has = {name: draw(st.booleans()) for name in FEATURES}
    is_whole = draw(st.booleans()) if whole is None else whole
    cost = rng.integers(0, 30, (n, m)).astype(float)
    cost[rng.random((n, m)) < 0.15] = np.nan
    parts = {"weight": rng.integers(1, 9, n), "whole": is_whole}
    if has["capacity"]:
        parts["capacity"] = np.where(rng.random(m) < 0.2, np.inf, rng.integers(0, 18, m))
    if has["fixed"]:
        parts["fixed_cost"] = rng.integers(0, 20, m)
    if has["rules"]:
        members = tuple(int(s) for s in np.flatnonzero(rng.random(m) < 0.6))
        low = int(rng.integers(0, 2))
        parts["rules"] = (OpenRule(members, low, low + int(rng.integers(0, 2))),)
    if has["forced"] and m > 1:
        a, b = rng.choice(m, 2, replace=False)
        parts |= {"forced_open": (int(a),), "forced_closed": (int(b),)}
    if has["facility"]:
        parts["facility"] = rng.integers(0, max(m // 2, 1), m)
        parts["facility_cost"] = rng.integers(0, 25, int(parts["facility"].max()) + 1)
    if has["expansion"] and is_whole:
        parts["expansion"] = Expansion(rng.integers(1, 5, m), rng.integers(0, 4, m), rng.integers(0, 9, m))
    if has["count"]:
        parts |= {"open_min": int(rng.integers(0, 2)), "open_max": int(rng.integers(1, m + 1))}
    problem = LocationProblem(cost, **parts)
    if has["budget"] and is_whole:
        terms = Terms(cost=rng.integers(0, 9, (n, m)), fixed=rng.integers(0, 9, m))
        problem = dataclasses.replace(problem, budgets=(Budget(terms, float(rng.integers(5, 40))),))
    return problem


@settings(max_examples=300, deadline=None)
@given(problems())
def test_equal_to_the_oracle(problem):
    expected, found = oracle.best(problem), solve(problem)
    if math.isinf(expected):
        assert found.status == "infeasible"
        return
    assert found.status == "optimal"
    assert found.objective == pytest.approx(expected)
    assert found.bound == pytest.approx(expected)
    assert found.gap == 0
    assert violations(problem, found) == []
    assert total(problem, problem.objective, found) == pytest.approx(expected)


@settings(max_examples=100, deadline=None)
@given(problems(whole=True), st.integers(0, 10**6))
def test_the_second_objective_keeps_the_first(problem, seed):
    n, m = problem.cost.shape
    rng = np.random.default_rng(seed)
    facilities = int(problem.facility.max()) + 1
    then = Terms(
        cost=rng.integers(0, 9, (n, m)) if seed % 2 else None,
        fixed=rng.integers(0, 9, m),
        facility=rng.integers(0, 9, facilities),
    )
    first, second = solve_then(problem, then)
    if math.isinf(oracle.best(problem)):
        assert first.status == "infeasible"
        return
    tight = dataclasses.replace(
        problem,
        cost=np.where(np.isnan(problem.cost), np.nan, 0 if then.cost is None else then.cost),
        fixed_cost=then.fixed,
        facility_cost=then.facility,
        expansion=problem.expansion and dataclasses.replace(problem.expansion, cost_per_step=np.zeros(m)),
        budgets=(*problem.budgets, Budget(problem.objective, first.objective + 1e-6)),
    )
    assert second.objective == pytest.approx(oracle.best(tight))
    assert total(problem, problem.objective, second) == pytest.approx(first.objective)


@settings(max_examples=60, deadline=None)
@given(problems(), st.integers(0, 10**6))
def test_row_order_is_irrelevant(problem, seed):
    order = np.random.default_rng(seed).permutation(problem.cost.shape[0])
    terms = [dataclasses.replace(b.terms, cost=b.terms.cost[order]) for b in problem.budgets]
    shuffled = dataclasses.replace(
        problem,
        cost=problem.cost[order],
        weight=problem.weight[order],
        budgets=tuple(dataclasses.replace(b, terms=t) for b, t in zip(problem.budgets, terms, strict=True)),
    )
    assert solve(shuffled).objective == pytest.approx(solve(problem).objective, nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(problems(), st.integers(0, 10**6))
def test_a_looser_limit_never_worsens_the_optimum(problem, seed):
    rng = np.random.default_rng(seed)
    looser = dataclasses.replace(
        problem,
        capacity=problem.capacity + rng.integers(0, 5),
        open_max=None if problem.open_max is None else problem.open_max + 1,
        rules=tuple(dataclasses.replace(r, min=0) for r in problem.rules),
        forced_closed=(),
    )
    before, after = solve(problem), solve(looser)
    if before.status == "optimal":
        assert after.objective <= before.objective + 1e-6


@settings(max_examples=100, deadline=None)
@given(problems())
def test_a_repair_makes_it_feasible(problem):
    """Applied to the problem, what the repair says is enough; a feasible problem needs none."""
    found = repair(problem)
    assert found is not None
    feasible = not math.isinf(oracle.best(problem))
    nothing = not (found.unserved.any() or found.seats.any() or found.rules or found.budgets)
    assert feasible == nothing
    served = found.unserved < 1e-6
    rules = list(problem.rules)
    count = {"open_min": problem.open_min, "open_max": problem.open_max}
    for row, short in found.rules.items():
        if row == len(rules):
            count = {"open_min": count["open_min"] - max(short, 0), "open_max": None}
        else:
            rule = rules[row]
            high = None if rule.max is None else rule.max - min(short, 0)
            rules[row] = dataclasses.replace(rule, min=rule.min - max(short, 0), max=high)
    if problem.whole and served.any():
        relaxed = LocationProblem(
            problem.cost[served],
            weight=problem.weight[served],
            capacity=problem.capacity + found.seats,
            rules=tuple(rules),
            forced_open=problem.forced_open,
            forced_closed=problem.forced_closed,
            expansion=problem.expansion,
            **count,
        )
        assert not math.isinf(oracle.best(relaxed))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight": [1]}, r"weight: has shape \(1,\), needs \(2,\)"),
        ({"weight": [1, -1]}, "may not be negative"),
        ({"capacity": [np.nan, 1]}, "capacity: holds NaN"),
        ({"forced_open": (0,), "forced_closed": (0,)}, "site 0 is in both"),
        ({"rules": (OpenRule((7,), name="towns"),)}, "rules: towns: site 7 is not one of 0..1"),
        ({"rules": (OpenRule((0,), 2, 1),)}, "min 2 is above max 1"),
        ({"open_min": 3, "open_max": 1}, "min 3 is above max 1"),
        ({"facility": [0, -1]}, "facility: needs 2 rows"),
    ],
)
def test_a_problem_that_contradicts_itself_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        LocationProblem([[1.0, 2.0], [2.0, 1.0]], **changes)


def test_edges():
    assert solve(LocationProblem(np.zeros((0, 3)))).status == "optimal"
    assert solve(LocationProblem(np.zeros((2, 0)))).status == "infeasible"
    assert solve(LocationProblem([[np.nan, np.nan]])).status == "infeasible"
    timeless = solve(LocationProblem(np.random.default_rng(0).random((40, 40)), open_max=5), time_limit_s=1e-9)
    assert timeless.status in ("optimal", "feasible", "unknown")
    assert timeless.status != "feasible" or timeless.bound <= timeless.objective
