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
)
from planner.optimise.highs import Highs
from planner.optimise.mip import build
from tests import oracle

FEATURES = ("capacity", "fixed", "rules", "forced", "facility", "expansion", "budget", "count", "linked")


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
    if has["expansion"]:
        most = 4 if is_whole else 3
        parts["expansion"] = Expansion(rng.integers(1, 5, m), rng.integers(0, most, m), rng.integers(0, 9, m))
    if has["count"]:
        parts |= {"open_min": int(rng.integers(0, 2)), "open_max": int(rng.integers(1, m + 1))}
    if has["linked"] and m > 2 and not has["forced"]:
        parts["linked"] = (tuple(int(s) for s in rng.choice(m, 2, replace=False)),)
    problem = LocationProblem(cost, **parts)
    if has["budget"] and is_whole:
        terms = Terms(
            cost=rng.integers(0, 9, (n, m)) if rng.random() < 0.5 else None,
            fixed=rng.integers(0, 9, m),
            facility=rng.integers(0, 9, int(problem.facility.max()) + 1),
            step=rng.integers(0, 9, m) if rng.random() < 0.5 else None,
        )
        problem = dataclasses.replace(problem, budgets=(Budget(terms, float(rng.integers(5, 40))),))
    return problem


@settings(max_examples=300, deadline=None)
@given(problems())
def test_equal_to_the_oracle(problem):
    expected, found = oracle.best(problem), solve(problem)
    oracle.proves(problem, found, expected)
    if math.isfinite(expected):
        assert found.gap == 0
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
    terms = [
        dataclasses.replace(b.terms, cost=None if b.terms.cost is None else b.terms.cost[order])
        for b in problem.budgets
    ]
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
            linked=problem.linked,
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
        ({"linked": ((0, 9),)}, "linked: site 9 is not one of 0..1"),
        ({"linked": ((0, 1),), "forced_open": (0,), "forced_closed": (1,)}, "linked: of sites"),
        ({"cost": [[np.inf, 1.0], [1.0, 1.0]]}, "cost: is infinite"),
        ({"expansion": Expansion([1, 1], [-1, 1], [1, 1])}, "max_steps"),
        ({"budgets": (Budget(Terms(fixed=[1]), 3.0, "money"),)}, r"budgets: money.fixed: has shape \(1,\)"),
        ({"budgets": (Budget(Terms(cost=[[np.nan, 1], [1, 1]]), 3.0),)}, r"budgets: 0.cost: is not a number"),
        ({"budgets": (Budget(Terms(), np.nan),)}, "budgets: 0: max is NaN"),
    ],
)
def test_a_problem_that_contradicts_itself_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        LocationProblem(**({"cost": [[1.0, 2.0], [2.0, 1.0]]} | changes))


def test_edges():
    assert solve(LocationProblem(np.zeros((0, 3)))).status == "optimal"
    assert solve(LocationProblem(np.zeros((2, 0)))).status == "infeasible"
    assert solve(LocationProblem(np.zeros((0, 0)))).status == "optimal"
    assert solve(LocationProblem([[np.nan, np.nan]])).status == "infeasible"
    timeless = solve(LocationProblem(np.random.default_rng(0).random((40, 40)), open_max=5), time_limit_s=1e-9)
    assert timeless.status in ("optimal", "feasible", "unknown")
    assert timeless.status != "feasible" or timeless.bound <= timeless.objective


def test_out_of_time_the_relaxation_still_bounds():
    """Before branch and bound ends, the bound is at least the last relaxation's, and never above the optimum."""
    rng = np.random.default_rng(1)
    place, site = rng.random((200, 2)), rng.random((40, 2))
    cost = np.hypot(*(place[:, None] - site).transpose(2, 0, 1))
    problem = LocationProblem(cost, capacity=np.full(40, 25.0), open_max=10)
    hurried, patient = solve(problem, time_limit_s=0.4), solve(problem, gap=0.02)
    assert patient.status == "optimal"
    assert hurried.bound <= patient.objective + 1e-6 or hurried.status == "unknown"
    assert hurried.seconds < 3


def test_an_optimum_that_presolve_finds_whole_keeps_its_offset():
    """What HiGHS 1.16 got wrong when it was given the optimum to start from (docs/decisions/0004)."""
    problem = LocationProblem([[25, np.nan, 3, 8]], facility=[0, 1, 0, 1], facility_cost=[6, 5])
    found = solve(problem)
    assert (found.objective, found.bound, found.status) == (9, 9, "optimal")


def test_what_is_short_is_the_least_that_helps():
    cost = [[1.0, 2.0], [3.0, 1.0]]
    dear = LocationProblem(cost, budgets=(Budget(Terms(facility=[5, 7]), 3.0),))
    assert repair(dear).budgets == {0: 2.0}
    three = LocationProblem(np.ones((3, 2)), weight=[3, 3, 3], capacity=[4, 5])
    assert repair(three).seats.tolist() == [0.0, 1.0]
    assert repair(LocationProblem(cost, rules=(OpenRule((0, 1), 0, 1),), forced_open=(0, 1))).rules == {0: -1}
    assert repair(LocationProblem([[np.nan], [1.0]])).unserved.tolist() == [1.0, 0.0]
    assert repair(LocationProblem(np.zeros((2, 0)))).unserved.tolist() == [1.0, 1.0]
    assert repair(LocationProblem(np.zeros((0, 0)))).rules == {}


GOLDEN = """\
min
obj: +3 c0 +4 c1 +5 c2 +10 c3 +20 c4
st
r0: +1 c0 +1 c1 = +1
r1: +1 c2 = +1
r2: +2 c0 +1 c2 -2 c3 <= +0
r3: +1 c0 +1 c2 -2 c3 <= +0
r4: +1 c1 -1 c4 <= +0
r5lo: +1 c3 +1 c4 >= +0
r5up: +1 c3 +1 c4 <= +1
bounds
c0 <= 1
c1 <= 1
c2 <= 1
c3 <= 1
c4 <= 1
bin
c0
c1
c2
c3
c4
gen
semi
end"""


def test_the_program_of_a_tiny_problem(tmp_path):
    """Golden text: two demand points, two sites, one of them not within reach of the second point."""
    problem = LocationProblem(
        [[3.0, 4.0], [5.0, np.nan]], weight=[2, 1], capacity=[2, np.inf], fixed_cost=[10, 20], open_max=1
    )
    file = tmp_path / "tiny.lp"
    Highs(build(problem), seed=0, gap=0.0)._h.writeModel(str(file))
    lines = [line.strip() for line in file.read_text().splitlines() if not line.startswith("\\")]
    assert "\n".join(lines).strip() == GOLDEN


def test_who_goes_where_when_every_site_is_given_and_seats_are_scarce():
    """What re-scoring a plan asks, of so many pairs that prices would see it, beside the plain model of all pairs."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array, eye_array, kron

    n, m, rng = 150, 70, np.random.default_rng(7)
    weight = rng.integers(5, 40, n).astype(float)
    villages, schools = rng.random((n, 2)), rng.random((m, 2))
    cost = np.linalg.norm(villages[:, None] - schools[None], axis=2) * weight[:, None]
    seats = np.maximum(0.95 * np.bincount(cost.argmin(axis=1), weight, minlength=m), 60)
    found = solve(LocationProblem(cost, weight=weight, capacity=seats, whole=True), gap=1e-4, time_limit_s=60)
    assert found.status == "optimal"
    assert (np.bincount(found.assignment, weight, minlength=m) <= seats).all()
    somewhere = LinearConstraint(kron(eye_array(n), np.ones((1, m))), 1, 1)
    room = LinearConstraint(kron(csr_array(weight[None]), eye_array(m)), ub=seats)
    plain = milp(
        cost.ravel(), integrality=1, bounds=Bounds(0, 1), constraints=[somewhere, room], options={"mip_rel_gap": 0}
    )
    assert found.bound <= plain.fun * (1 + 1e-9)
    assert plain.fun * (1 - 1e-9) <= found.objective <= plain.fun * (1 + 1.1e-4)
