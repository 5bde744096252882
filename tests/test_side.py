"""Side conditions against every open set and every assignment, each on and off."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.optimise import (
    Budget,
    Expansion,
    LocationProblem,
    Only,
    OpenRule,
    Side,
    Terms,
    narrow,
    solve,
    violations,
)
from planner.optimise.mip import build
from planner.optimise.nearest import looked_for
from tests import oracle

CONDITIONS = ("least", "most", "distance", "only", "touching")


@st.composite
def problems(draw, most_demand=5, most_sites=4):
    """A few whole demand points and sites, any of the limits there are beside, and some side conditions."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n, m = draw(st.integers(1, most_demand)), draw(st.integers(1, most_sites))
    has = {name: draw(st.booleans()) for name in ("capacity", "expansion", "facility", *CONDITIONS)}
    cost = rng.integers(0, 30, (n, m)).astype(float)
    cost[rng.random((n, m)) < 0.15] = np.nan
    facility = rng.integers(0, max(m // 2, 1), m) if has["facility"] else np.arange(m)
    count = int(facility.max()) + 1
    side = Side(
        least=rng.integers(0, 12, count) if has["least"] else None,
        most=rng.integers(6, 30, count) if has["most"] else None,
        distance=rng.integers(0, 8, (n, m)).astype(float) if has["distance"] else None,
        only=(Only((0, n - 1), (int(rng.integers(m)),), int(rng.integers(m))),) if has["only"] else (),
        touching=np.argwhere(np.triu(rng.random((n, n)) < 0.5, 1)) if has["touching"] else None,
    )
    limits = {name: rng.random() < 0.35 for name in ("rules", "forced", "count", "linked", "budget")}
    more = {}
    if limits["rules"]:
        low = int(rng.integers(0, 2))
        more["rules"] = (OpenRule(tuple(np.flatnonzero(rng.random(m) < 0.7).tolist()), low, low + 1),)
    if limits["forced"] and m > 1:
        more |= {"forced_open": (0,), "forced_closed": (1,)} if rng.random() < 0.5 else {"forced_open": (m - 1,)}
    if limits["count"]:
        more |= {"open_min": int(rng.integers(0, 2)), "open_max": int(rng.integers(1, m + 1))}
    if limits["linked"] and m > 2:
        more["linked"] = ((m - 2, m - 1),)
    if limits["budget"]:
        terms = Terms(
            cost=rng.integers(0, 9, (n, m)), fixed=rng.integers(0, 9, m), facility=rng.integers(0, 9, count),
            step=rng.integers(0, 9, m),
        )  # fmt: skip
        more["budgets"] = (Budget(terms, float(rng.integers(15, 60))),)
    return LocationProblem(
        cost,
        **more,
        weight=rng.integers(1, 9, n),
        capacity=np.where(rng.random(m) < 0.2, np.inf, rng.integers(0, 18, m)) if has["capacity"] else None,
        fixed_cost=rng.integers(0, 20, m),
        expansion=Expansion(rng.integers(1, 5, m), rng.integers(0, 4, m), rng.integers(0, 9, m))
        if has["expansion"]
        else None,
        facility=facility,
        facility_cost=rng.integers(0, 9, count),
        side=side,
    )


def keeps(problem, is_open, pick, steps):
    """The conditions said once more, point by point."""
    side, n, m = problem.side, *problem.cost.shape
    load = [sum(problem.weight[i] for i in range(n) if pick[i] == j) for j in range(m)]
    for f in range(len(problem.facility_cost)):
        members = [j for j in range(m) if problem.facility[j] == f]
        total = sum(load[j] for j in members)
        if side.least is not None and any(is_open[j] for j in members) and total < side.least[f]:
            return False
        if side.most is not None and total > side.most[f]:
            return False
    for only in side.only:
        if not is_open[only.unless] and any(pick[i] not in only.sites for i in only.demand):
            return False
    if side.distance is not None:
        for i, j in itertools.product(range(n), range(m)):
            seats = problem.capacity[j] + (problem.expansion.step_seats[j] * steps[j] if problem.expansion else 0)
            room = is_open[j] and not math.isnan(problem.cost[i, j]) and load[j] + problem.weight[i] <= seats
            if room and pick[i] != j and side.distance[i, j] < side.distance[i, pick[i]]:
                return False
    if side.touching is not None:
        for j in set(pick):
            mine = [i for i in range(n) if pick[i] == j]
            reached, touching = {mine[0]}, np.array(side.touching).tolist()
            for _ in mine:
                reached |= {
                    i for i in mine for a, b in touching if (a in reached and b == i) or (b in reached and a == i)
                }
            if len(reached) < len(mine):
                return False
    return True


def spent(problem, budget, is_open, pick, steps):
    return oracle.value(problem, budget.terms, is_open, np.array(pick, dtype=int), np.array(steps))


def best(problem):
    """Every open set, assignment and number of steps."""
    (n, m), found = problem.cost.shape, math.inf
    most = problem.expansion.max_steps.astype(int) if problem.expansion else np.zeros(m, dtype=int)
    most = np.where(np.isfinite(problem.capacity), most, 0)
    for is_open in oracle.open_sets(problem):
        for pick in itertools.product(np.flatnonzero(is_open), repeat=n):
            serving = sum(problem.cost[i, j] for i, j in enumerate(pick))
            if math.isnan(serving):
                continue
            base = serving + oracle.fixed_part(problem, problem.objective, is_open)
            load = np.bincount(np.array(pick, dtype=int), weights=problem.weight, minlength=m)
            for steps in itertools.product(
                *(range(k + 1) if o else range(1) for k, o in zip(most, is_open, strict=True))
            ):
                added = problem.expansion.step_seats * np.array(steps) if problem.expansion else 0
                paid = float(problem.expansion.cost_per_step @ np.array(steps)) if problem.expansion else 0.0
                if (
                    base + paid < found
                    and (load <= problem.capacity + added).all()
                    and all(spent(problem, budget, is_open, pick, steps) <= budget.max for budget in problem.budgets)
                    and keeps(problem, is_open, pick, steps)
                ):
                    found = base + paid
    return found


@settings(max_examples=150, deadline=None)
@given(problems())
def test_the_optimum_is_the_one_of_every_possibility(problem):
    expected, found = best(problem), solve(problem)
    if math.isinf(expected):
        assert found.status == "infeasible"
    else:
        assert found.status == "optimal"
        assert found.objective == pytest.approx(expected)
        assert violations(problem, found) == []


@settings(max_examples=200, deadline=None)
@given(problems(), st.sampled_from([1e-4, 0.05, 0.5]))
def test_below_ceilings_too_the_optimum_is_the_one_of_every_possibility(problem, first):
    """However low the first ceiling is, and whatever the reduced costs rule out below it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"WORTH_FROM": 0, "MOST_LEFT": 0.999, "CEILING": first}.items():
            patch.setattr(narrow, name, value)
        expected, found = best(problem), solve(problem)
    if math.isinf(expected):
        assert found.status == "infeasible"
    else:
        assert (found.status, found.gap) == ("optimal", 0.0)
        assert found.objective == pytest.approx(expected)
        assert violations(problem, found) == []


@settings(max_examples=60, deadline=None)
@given(problems(), st.integers(0, 15))
def test_a_plan_of_nearest_sites_keeps_every_limit_and_is_never_better_than_the_best(problem, opened):
    """What is looked for where both closest sites and catchments in one piece are asked."""
    n, m = problem.cost.shape
    distance = np.where(np.isnan(problem.cost), 0.0, problem.cost) if problem.side.distance is None else None
    side = dataclasses.replace(problem.side, touching=np.argwhere(np.triu(np.ones((n, n)), 1)))
    side = side if distance is None else dataclasses.replace(side, distance=distance)
    problem = dataclasses.replace(problem, side=side)
    found = looked_for(problem, np.array([opened >> j & 1 for j in range(m)], dtype=float), time_limit_s=9)
    if found is not None:
        assert violations(problem, found) == []
        assert found.objective >= best(problem) - 1e-9


def test_a_county_whose_nearest_sites_leave_pieces_is_proven():
    """Along a road a b c d, a and c are nearest to site 0, b to site 1: that is open only if it may not be without."""
    distance = np.array([[1.0, 9.0, 8.0], [3.0, 1.0, 8.0], [2.0, 3.0, 8.0], [8.0, 8.0, 1.0]])
    side = Side(distance=distance, touching=[[0, 1], [1, 2], [2, 3]])
    problem = LocationProblem(distance, side=side)
    found = solve(problem)
    assert (found.status, found.open.tolist(), found.assignment.tolist()) == (
        "optimal",
        [True, False, True],
        [0, 0, 0, 2],
    )
    assert looked_for(problem, np.ones(3), time_limit_s=9).objective == found.objective == best(problem)
    assert solve(dataclasses.replace(problem, forced_open=(0, 1))).status == "infeasible"


def test_a_point_goes_past_a_full_site_and_not_past_one_with_room():
    problem = LocationProblem(
        [[5.0, 1.0], [5.0, 1.0]], weight=[3, 3], capacity=[3, 9], fixed_cost=[0, 0], forced_open=(0, 1),
        side=Side(distance=[[1.0, 2.0], [1.0, 2.0]]),
    )  # fmt: skip
    found = solve(problem)
    assert sorted(found.assignment.tolist()) == [0, 1]  # the near site is full with one of them
    assert solve(dataclasses.replace(problem, capacity=[9, 9])).assignment.tolist() == [0, 0]
    assert solve(dataclasses.replace(problem, capacity=[2, 9])).assignment.tolist() == [1, 1]


def test_rows_of_closest_sites_hold_whole_numbers_alone():
    """With parts of them, HiGHS 1.16 never ended to strengthen a row of Xunyi's in its presolve, whatever the limit."""
    problem = LocationProblem(
        [[5.0, 1.0, 2.0], [5.0, 1.0, 2.0]], weight=[3, 4], capacity=[7, 9, np.inf],
        expansion=Expansion([5, 5, 5], [2, 0, 0], [1, 1, 1]), side=Side(distance=[[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]),
    )  # fmt: skip
    late = build(problem).late
    assert late.matrix.nnz > 0
    assert (late.matrix.data == np.round(late.matrix.data)).all()
    assert (late.upper == np.round(late.upper)).all()


def test_split_points_fill_the_near_site_before_any_goes_farther():
    problem = LocationProblem(
        [[5.0, 1.0], [5.0, 1.0]], weight=[3, 3], capacity=[4, 9], forced_open=(0, 1), whole=False,
        side=Side(distance=[[1.0, 2.0], [1.0, 2.0]]),
    )  # fmt: skip
    found = solve(problem)
    load = found.shares.toarray().T @ problem.weight
    assert load.tolist() == pytest.approx([4.0, 2.0])


def test_sizes_hold_for_split_points_too():
    problem = LocationProblem(
        [[1.0, 2.0], [1.0, 2.0]], weight=[4, 4], forced_open=(0, 1), whole=False, side=Side(least=[0, 3], most=[6, 9])
    )
    load = solve(problem).shares.toarray().T @ problem.weight
    assert load.tolist() == pytest.approx([5.0, 3.0])


@pytest.mark.parametrize(
    ("side", "said"),
    [
        (Side(least=[1.0]), "needs 2 numbers"),
        (Side(most=[1.0, np.nan]), "needs 2 numbers"),
        (Side(distance=[[1.0, np.nan]]), "unknown for a pair"),
        (Side(touching=[[0, 0]]), "whole to be in one piece"),
    ],
)
def test_what_cannot_be_posed_is_refused(side, said):
    with pytest.raises(ValueError, match=said):
        LocationProblem([[1.0, 2.0]], side=side, whole=side.touching is None)


def test_part_pupils_have_no_room_to_speak_of():
    with pytest.raises(ValueError, match="whole numbers"):
        LocationProblem([[1.0, 2.0]], weight=[1.5], side=Side(distance=[[1.0, 2.0]]))
