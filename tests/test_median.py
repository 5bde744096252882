"""The fast lane without seats: against brute force, against HiGHS, and its parts by hand."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.optimise import Budget, Expansion, LocationProblem, OpenRule, Terms, solve, violations
from planner.optimise import median as lane
from planner.optimise.median_kernels import fix, select, swap
from tests import oracle


def drawn(rng, n, m, *, whole_costs):
    """Pairs that are not allowed, costs below 0, rules by group, counts, forced sites, buildings of their own."""
    has = dict(zip(("fixed", "rules", "count", "forced", "facility"), rng.random(5) < 0.6, strict=True))
    cost = rng.integers(-5, 30, (n, m)).astype(float) if whole_costs else rng.random((n, m)) * 20
    cost[rng.random((n, m)) < rng.choice([0, 0.15, 0.4])] = np.nan
    parts = {"whole": bool(rng.random() < 0.5)}
    if has["fixed"]:
        parts["fixed_cost"] = rng.integers(-4, 15, m)
    if has["rules"]:
        group = rng.integers(0, 3, m)
        members = [tuple(int(j) for j in np.flatnonzero(group == g)) for g in (0, 1)]
        low = rng.integers(0, 3, 2)
        parts["rules"] = tuple(
            OpenRule(sites, int(least), None if rng.random() < 0.3 else int(least + rng.integers(0, 2)))
            for sites, least in zip(members, low, strict=True)
        )
    if has["count"]:
        least = int(rng.integers(0, 3))
        parts |= {"open_min": least, "open_max": least + int(rng.integers(0, 3))}
    if has["forced"] and m > 1:
        a, b = rng.choice(m, 2, replace=False)
        parts |= {"forced_open": (int(a),), "forced_closed": (int(b),)}
    if has["facility"]:
        parts |= {"facility": rng.permutation(m), "facility_cost": rng.integers(-3, 9, m)}
    return LocationProblem(cost, **parts)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_equal_to_brute_force(seed, whole_costs):
    rng = np.random.default_rng(seed)
    problem = drawn(rng, rng.integers(1, 8), rng.integers(1, 9), whole_costs=whole_costs)
    if np.isnan(problem.cost).all(axis=1).any():
        return  # ``solve`` looks at these itself
    assert lane.carries(problem)
    expected, found = oracle.best_without_seats(problem), lane.best_sites(problem)
    if found is None:  # it proves nothing then; these problems are too small for it to miss a solution
        assert math.isinf(expected)
        return
    assert found.objective == pytest.approx(expected)
    assert found.bound == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(8))
def test_equal_to_highs(seed, monkeypatch):
    """Problems that are large enough to branch, through the one door: with the lane and without."""
    rng = np.random.default_rng(seed)
    place, site = rng.random((120, 2)), rng.random((30, 2))
    cost = np.hypot(*(place[:, None] - site).transpose(2, 0, 1)) * rng.integers(1, 50, (120, 1))
    cost[rng.random(cost.shape) < 0.1] = np.nan
    town = rng.integers(0, 4, 30)
    rules = tuple(OpenRule(tuple(int(j) for j in np.flatnonzero(town == t)), 1, 2) for t in range(3))
    problem = LocationProblem(cost, rules=rules, fixed_cost=rng.random(30) * 30 * (seed % 2), open_max=6)
    by_highs = solve(problem)
    monkeypatch.setattr(lane, "WORTH_COMPILING", 0)
    found = solve(problem)
    assert (found.status, found.gap, by_highs.status) == ("optimal", 0.0, "optimal")
    assert found.rounds == 0
    assert found.objective == pytest.approx(by_highs.objective, rel=1e-7)
    assert violations(problem, found) == []


def test_an_impossible_problem_is_proven_so(monkeypatch):
    """The lane finds nothing and proves nothing; HiGHS does."""
    monkeypatch.setattr(lane, "WORTH_COMPILING", 0)
    cost = np.where(np.eye(6, dtype=bool), 1.0, np.nan)
    assert solve(LocationProblem(cost, open_max=5)).status == "infeasible"
    assert solve(LocationProblem(np.ones((3, 3)), open_max=0)).status == "infeasible"
    assert solve(LocationProblem(np.ones((3, 2)), forced_closed=(0, 1))).status == "infeasible"
    assert solve(LocationProblem(cost), time_limit_s=math.inf).objective == 6


def test_a_seed_gives_one_answer():
    """Among equals too: costs of 1 to 3 have many optima."""
    cost = np.random.default_rng(3).integers(1, 4, (80, 40)).astype(float)
    problem = LocationProblem(cost, open_max=8)
    found = [lane.best_sites(problem, seed=5) for _ in range(3)]
    assert len({(tuple(f.open.tolist()), f.objective, f.bound, f.nodes) for f in found}) == 1


def test_a_gap_that_is_asked_for_ends_the_search_early():
    rng = np.random.default_rng(4)
    place = rng.random((150, 2))
    problem = LocationProblem(np.hypot(*(place[:, None] - place).transpose(2, 0, 1)), open_max=5)
    exact, early = lane.best_sites(problem), lane.best_sites(problem, gap=0.1)
    assert early.nodes <= exact.nodes
    assert early.bound <= exact.objective <= early.objective
    assert early.objective - early.bound <= 0.1 * early.objective + 1e-9


@pytest.mark.parametrize(
    "changes",
    [
        {"capacity": [2.9, np.inf, np.inf]},
        {"budgets": (Budget(Terms(fixed=[1, 1, 1]), 2.0),)},
        {"linked": ((0, 1),)},
        {"facility": [0, 0, 1], "facility_cost": [5, 0]},
        {"rules": (OpenRule((0, 1), 1), OpenRule((1, 2), 1))},
        {"expansion": Expansion([1, 1, 1], [1, 1, 1], [-1, 0, 0])},
    ],
)
def test_what_it_does_not_carry(changes):
    assert not lane.carries(LocationProblem(np.ones((3, 3)), **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"capacity": [3, 3, 3]},
        {"linked": ((1,), (2, 2))},
        {"facility": [0, 0, 1], "facility_cost": [0, 5]},
        {"rules": (OpenRule((0, 1), 1), OpenRule((1, 2), 0, 2), OpenRule((0, 1, 2), 1, 2))},
        {"expansion": Expansion([1, 1, 1], [1, 1, 1], [1, 0, 0])},
    ],
)
def test_what_binds_nothing_is_carried(changes):
    """Seats for everybody, a link of one site, a rule that always holds, and one about all sites."""
    problem = LocationProblem([[1.0, 2.0, 3.0], [3.0, 1.0, 2.0], [2.0, 3.0, 1.0]], **changes)
    assert lane.carries(problem)
    assert lane.best_sites(problem).objective == pytest.approx(oracle.best(problem))


def sets_of(status, group, low, high, least, most):
    """Every choice that the rules and what is forced allow."""
    for bits in itertools.product([False, True], repeat=len(status)):
        chosen = np.array(bits)
        count = np.bincount(group[chosen], minlength=len(low))
        if (chosen[status == 1].all() and not chosen[status == -1].any() and least <= chosen.sum() <= most) and (
            (count >= low) & (count <= high)
        ).all():
            yield chosen


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**6))
def test_greed_is_optimal_and_one_exchange_is_enough(seed):
    """``select`` gives the least worth of any allowed set; ``fix`` forces a site just when that is proven."""
    rng = np.random.default_rng(seed)
    m = int(rng.integers(1, 8))
    worth = rng.integers(-9, 9, m).astype(float)
    status = rng.choice(np.array([0, 0, 0, 1, -1], dtype=np.int8), m)
    low = np.append(0, rng.integers(0, 2, 2))
    high = np.append(m, low[1:] + rng.integers(0, 3, 2))
    group, least = rng.integers(0, 3, m), int(rng.integers(0, 4))
    rules = (group, low, high, least, least + int(rng.integers(0, 3)))
    allowed = [(worth[chosen].sum(), chosen) for chosen in sets_of(status, *rules)]
    chosen = np.zeros(m, dtype=bool)
    value = select(worth, np.arange(m), status, *rules, chosen)
    assert value == min((v for v, _ in allowed), default=np.inf)
    if not allowed:
        return
    assert worth[chosen].sum() == value
    cutoff, after = value + rng.integers(1, 8) - 0.5, status.copy()
    fix(worth, value, cutoff, after, *rules, chosen)
    for j in np.flatnonzero(status == 0):
        other = min((v for v, c in allowed if c[j] != chosen[j]), default=np.inf)
        assert after[j] == ((1 if chosen[j] else -1) if other >= cutoff else 0)


def test_swaps_end_where_none_helps():
    rng = np.random.default_rng(1)
    m, n = 12, 40
    cost, fixed, status = rng.random((m, n)), rng.random(m), np.zeros(m, dtype=np.int8)
    rules = (np.zeros(m, dtype=np.int64), np.array([0]), np.array([m]), 2, 5)
    is_open = np.arange(m) < 3
    value = swap(cost, fixed, status, *rules, is_open, np.zeros(1, dtype=bool))
    objective = lambda sites: cost[list(sites)].min(axis=0).sum() + fixed[list(sites)].sum()  # noqa: E731
    now = frozenset(np.flatnonzero(is_open).tolist())
    assert value == pytest.approx(objective(now))
    near = {now - {k} for k in now} | {now | {j} for j in range(m)} | {now - {k} | {j} for k in now for j in range(m)}
    assert all(objective(sites) >= value - 1e-9 for sites in near if 2 <= len(sites) <= 5)


def test_rules_that_overlap_are_refused():
    problem = LocationProblem(np.ones((3, 3)), rules=(OpenRule((0, 1), 1), OpenRule((1, 2), 1)))
    with pytest.raises(ValueError, match="two of them are about the same site"):
        lane.pose(problem)


def test_rows_keep_their_order_when_sites_are_left_out():
    posed = lane.pose(LocationProblem([[3.0, 1.0, 2.0], [np.nan, 5.0, 4.0]]))
    smaller = posed.without(np.array([False, True, False]))
    assert smaller.sites.tolist() == [0, 2]
    assert smaller.first.tolist() == [0, 2, 3]
    assert smaller.site.tolist() == [1, 0, 1]
    assert smaller.value.tolist() == [2.0, 3.0, 4.0]
    assert dataclasses.replace(smaller, whole=False).below(100.0, 0.01) == 99.0
