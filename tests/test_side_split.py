"""Split demand beside side conditions, ceilings and further objectives: a program for every open set and its seats."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from planner.optimise import Expansion, LocationProblem, OpenRule, Side, Terms, narrow, solve, solve_then, violations
from planner.optimise.futures import Stack
from tests import oracle, test_side

ROOM = 1e-5  # relative: what earlier objectives give way in the second oracle, for what noise may gain


@st.composite
def problems(draw, most_demand=3, most_sites=3):
    """A few demand points that may be split, some of nobody, with any conditions beside but for pieces."""
    whole = draw(test_side.problems(most_demand, most_sites))
    nobody = draw(st.sampled_from([False, False, True]))
    weight = np.append(whole.weight[:-1], 0.0) if nobody else whole.weight
    side = dataclasses.replace(whole.side, touching=None)
    return dataclasses.replace(whole, weight=weight, side=side, whole=False)


def settings_of(block):
    """Every open set with every number of steps that it may have."""
    m = block.cost.shape[1]
    most = block.expansion.max_steps if block.expansion else np.zeros(m)
    most = np.where(np.isfinite(block.capacity), most, 0).astype(int)
    for is_open in oracle.open_sets(block):
        for steps in itertools.product(*(range(k + 1) if o else [0] for k, o in zip(most, is_open, strict=True))):
            yield is_open, np.array(steps)


def rows_of(block, is_open, steps):
    """The arcs of a block, and its limits as rows over arcs and, for each site, a flag for being full."""
    m = block.cost.shape[1]
    i, j = np.nonzero(~np.isnan(block.cost) & is_open[None, :])
    a, rows = len(i), []
    seats = block.capacity + (block.expansion.step_seats * steps if block.expansion else 0)

    def add(low, high, some, flag=None):
        row = np.zeros(a + m)
        row[:a] = some
        if flag is not None:
            row[a + flag[0]] = flag[1]
        rows.append((low, high, row))

    load = [np.where(j == site, block.weight[i], 0.0) for site in range(m)]
    for point in range(len(block.weight)):
        add(1, 1, i == point)
    for site in np.flatnonzero(np.isfinite(seats)):
        add(-math.inf, seats[site], load[site])
        add(0, math.inf, load[site], (site, -seats[site]))  # full: no seat is left
    side = block.side
    for building in np.unique(block.facility[is_open]):
        low = 0 if side.least is None else side.least[building]
        high = math.inf if side.most is None else side.most[building]
        add(low, high, sum(load[site] for site in np.flatnonzero(block.facility == building)))
    for only in side.only:
        for point in only.demand if not is_open[only.unless] else ():
            add(0, 0, (i == point) & ~np.isin(j, only.sites))
    if side.distance is not None:
        for point, site in zip(i, j, strict=True):
            farther = (i == point) & (side.distance[i, j] > side.distance[point, site])
            may_be_full = np.isfinite(seats[site]) and block.weight[point] > 0
            add(-math.inf, 0, farther, (site, -1.0 if may_be_full else 0.0))
    for budget in block.budgets:
        fixed = oracle.value(block, dataclasses.replace(budget.terms, cost=None), is_open, (), steps)
        add(-math.inf, budget.max - fixed, 0 if budget.terms.cost is None else budget.terms.cost[i, j])
    return i, j, rows


def least(block, goals, is_open, steps, kept):
    """The least of the goal after those ``kept``, each at most so much; infinite where nothing is possible."""
    i, j, rows = rows_of(block, is_open, steps)
    m = block.cost.shape[1]
    sums = []
    for goal in goals[: len(kept) + 1]:
        serving = np.zeros(len(i)) if goal.cost is None else np.asarray(goal.cost)[i, j]
        fixed = oracle.value(block, dataclasses.replace(goal, cost=None), is_open, (), steps)
        sums.append((np.append(serving, np.zeros(m)), fixed))
    rows = [*rows, *((-math.inf, most - fixed, row) for most, (row, fixed) in zip(kept, sums[:-1], strict=True))]
    if len(i) == 0:
        return math.inf
    low, high, matrix = (np.array(part) for part in zip(*rows, strict=True))
    whole = np.append(np.zeros(len(i)), np.ones(m))
    found = milp(sums[-1][0], constraints=LinearConstraint(matrix, low, high), bounds=Bounds(0, 1), integrality=whole)
    return found.fun + sums[-1][1] if found.status == 0 else math.inf


def best(block, goals, room=1e-8):
    """The least of each goal in turn, those before it kept but for room for noise; none where nothing is possible."""
    kept, left = [], list(settings_of(block))
    for _ in goals:
        values = [least(block, goals, *one, [v + room * max(1.0, abs(v)) for v in kept]) for one in left]
        kept.append(min(values, default=math.inf))
        if math.isinf(kept[-1]):
            return kept[:-1]
        left = [one for one, v in zip(left, values, strict=True) if v <= kept[-1] + room * max(1.0, abs(kept[-1]))]
    return kept


@pytest.mark.parametrize("ceilings", [False, True])
@settings(max_examples=40, deadline=None)
@given(problem=problems(), seed=st.integers(0, 10**6))
def test_equal_to_a_program_for_every_open_set(ceilings, problem, seed):
    """One objective, then another, over split demand; the first ceiling low and high."""
    rng = np.random.default_rng(seed)
    n, m = problem.cost.shape
    then = Terms(
        rng.integers(0, 9, (n, m)).astype(float) if seed % 2 else None, fixed=rng.integers(0, 9, m).astype(float)
    )
    goals = [problem.objective, then]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"WORTH_FROM": 0, "MOST_LEFT": 0.999}.items() if ceilings else ():
            patch.setattr(narrow, name, value)
        found = solve_then(problem, then)
    expected = best(problem, goals)
    if not expected:
        assert found[0].status == "infeasible"
        return
    assert found[0].status == "optimal"
    assert found[0].objective == pytest.approx(expected[0], abs=1e-5)
    assert found[0].bound == pytest.approx(expected[0], abs=1e-5)
    assert violations(problem, found[1]) == []
    assert found[1].gap < 1e-6
    loosest = best(problem, goals, ROOM)[1]
    assert loosest - 1e-5 <= found[1].objective <= expected[1] + 1e-4


@settings(max_examples=30, deadline=None)
@given(present=problems(2, 3), seed=st.integers(0, 10**6), over=st.sampled_from(["worst", "average"]))
def test_split_demand_beside_side_conditions_over_futures(present, seed, over):
    """Every open set and its seats, each future at its best with them."""
    rng = np.random.default_rng(seed)
    n, m = present.cost.shape
    if present.expansion is not None:
        free = dataclasses.replace(present.expansion, cost_per_step=np.zeros(m))
        present = dataclasses.replace(present, expansion=free)
    fewer = {"most": None, "least": present.side.least if seed % 2 else None}
    side = dataclasses.replace(present.side, **fewer, only=present.side.only if seed % 3 == 0 else ())
    present = dataclasses.replace(
        present, budgets=(), rules=(), open_min=0, open_max=None, capacity=present.capacity + 6, side=side
    )
    futures = [
        dataclasses.replace(
            present,
            cost=np.where(rng.random((n, m)) < 0.1, np.nan, rng.integers(0, 30, (n, m)).astype(float)),
            weight=rng.integers(1, 9, n),
        )
        for _ in range(2)
    ]
    stack = Stack((present, *futures))
    posed = stack.joint(stack.goal([future.objective for future in futures], [1, 2], over))
    found, expected = solve(posed), math.inf
    for is_open, steps in settings_of(present):
        if math.isinf(least(present, [present.objective], is_open, steps, [])):
            continue
        each = [least(future, [future.objective], is_open, steps, []) for future in futures]
        expected = min(expected, max(each) if over == "worst" else (each[0] + 2 * each[1]) / 3)
    if math.isinf(expected):
        assert found.status == "infeasible"
        return
    assert (found.status, found.objective) == ("optimal", pytest.approx(expected, abs=1e-5))
    assert found.bound == pytest.approx(expected, abs=1e-5)
    assert violations(posed, found) == []


def test_who_needs_no_seat_is_sent_past_no_open_site():
    """Nobody lives at the point: a site without a seat has room for them all the same, and the check says so, too."""
    problem = LocationProblem(
        [[5.0, 1.0]], weight=[0], capacity=[0, 9], whole=False, side=Side(distance=[[1.0, 2.0]]), forced_open=(0, 1)
    )
    assert solve(problem).assignment.tolist() == [0]
    assert solve(dataclasses.replace(problem, whole=True)).assignment.tolist() == [0]


def test_noise_in_an_objective_that_is_kept_sends_nobody_far():
    """The second objective would send a millionth of the second point past site 1, as the first one's noise allows."""
    side = Side(distance=[[5.0, 14.0, 20.0, 30.0], [47.0, 49.0, 30.0, 4.0], [19.0, 42.0, 27.0, 27.0]])
    problem = LocationProblem(
        [[0.0, 0.0, 0.0, 0.3], [0.0, 0.0, 0.0, 0.1], [0.0, 0.0, 0.0, 0.2]], weight=[4, 6, 2], capacity=[1, 16, 0, 15],
        fixed_cost=[0.1, 0.1, 0.1, 0.1], whole=False, side=side, forced_open=(1, 3),
    )  # fmt: skip
    first, second = solve_then(problem, Terms(cost=[[1.0, 0.5, 1.0, 0.0]] * 3))
    assert violations(problem, first) == violations(problem, second) == []


def test_what_noise_gains_of_a_second_objective_costs_the_third_nothing():
    """Half a millionth of a point at site 2 betters the second sum; that is no reason to open site 2, third sum 1."""
    nan = np.nan
    problem = LocationProblem(
        [[3.0, 1.0, nan, 2.0], [nan, nan, 3.0, 2.0], [nan, nan, 0.0, 3.0]], weight=[3.12, 5.44, 2.28],
        capacity=[0.0, 9.71, 5.81, 13.69], fixed_cost=[2.0, 3.0, 3.0, 1.0], whole=False,
    )  # fmt: skip
    second = Terms([[2.0, 0, 0, 0], [1.0, 2, 1, 3], [3.0, 2, 2, 2]], fixed=[2.0, 1, 0, 1])
    third = Terms([[3.0, 1, 2, 2], [2.0, 3, 3, 3], [2.0, 2, 2, 3]], fixed=[2.0, 0, 2, 2])
    found = solve_then(problem, second, third)
    assert [round(one.objective, 3) for one in found] == [8.0, 6.0, 10.0]


def test_an_objective_of_nothing_is_proven():
    """A bound of -4e-16 is one of 0."""
    problem = LocationProblem([[0.0, 1.0]], capacity=[1.0, 1.0])
    made = dataclasses.replace(solve(problem), bound=-4e-16)
    from planner.optimise.answers import valued

    assert (valued(problem, made).gap, valued(problem, made).bound) == (0.0, 0.0)


def test_a_site_named_twice_by_a_rule_counts_once():
    problem = LocationProblem([[1.0, 2.0]], forced_open=(0,), rules=(OpenRule((0, 0), 0, 1),))
    assert problem.rules[0].sites == (0,)
    assert solve(problem).objective == 1


def test_a_site_that_can_have_no_steps_leaves_none_to_those_alike():
    more = Expansion([1.0, 1.0], [0.0, 4.0], [1.0, 1.0], alike=((0, 1),))
    problem = LocationProblem([[0.0, 5.0]], weight=[3], capacity=[3.0, 0.0], expansion=more)
    assert solve(problem).assignment.tolist() == [0]
    assert solve(dataclasses.replace(problem, forced_closed=(0,))).status == "infeasible"
    free = dataclasses.replace(problem, capacity=[np.inf, 0.0], forced_closed=(0,), expansion=more)
    assert solve(free).status == "infeasible"
    both = Expansion([1.0, 1.0], [4.0, 4.0], [1.0, 1.0], alike=((0, 1),))
    unlimited = dataclasses.replace(problem, cost=[[np.nan, 0.0]], capacity=[np.inf, 0.0], expansion=both)
    assert solve(unlimited).steps.tolist() == [3, 3]


def test_sites_that_open_together_are_ruled_in_or_out_together_below_a_ceiling():
    """One is ruled out by what it costs and the other must open: nothing is below the ceiling, and nothing is wrong."""
    problem = LocationProblem([[0.0, 90.0, np.nan], [90.0, np.nan, 0.0]], fixed_cost=[1.0, 50.0, 1.0], linked=((0, 1),))
    relaxed = narrow.relax(problem, time_limit_s=9)
    cost = relaxed.cost.copy()
    cost[relaxed.layout.open0 : relaxed.layout.facility0] = -100.0, 100.0, 0.0
    small = narrow.below(problem, dataclasses.replace(relaxed, cost=cost), relaxed.bound + 1)
    assert (small.forced_open, small.forced_closed) == ((), (1,))
