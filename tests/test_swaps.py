"""Open sites given up for others: what comes out is valid, never dearer, and costs what was said."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.compiled import clock
from planner.optimise import Expansion, LocationProblem, OpenRule, solve, violations
from planner.optimise.lagrange import at_prices, relax, second_costs, shrink
from planner.optimise.problem import total
from planner.optimise.recentre import recentred
from planner.optimise.round import at_sites
from planner.optimise.swaps import _places, _way, swapped
from tests import oracle
from tests.test_optimise import problems


def at(problem, open_sites, assignment):
    is_open = np.zeros(problem.cost.shape[1], dtype=bool)
    is_open[open_sites] = True
    found = at_sites(problem, is_open, np.array(assignment))
    assert found is not None
    return found


def recentre(problem, best):
    relaxed = relax(problem)
    return recentred(problem, relaxed, at_prices(relaxed, second_costs(relaxed)), best, clock() + 1)


def swap(problem, best):
    return swapped(problem, relax(problem), best, ends=clock() + 5, seed=1)  # ends sooner, as shaking helps no longer


# Villages at 0, 1, 2 and 10, 11, 12 on a line, of 5 pupils each, with a school in each of them: two may be open.
LINE = np.array([0.0, 1, 2, 10, 11, 12])
COUNTY = LocationProblem(
    5 * np.abs(LINE[:, None] - LINE), weight=np.full(6, 5.0), capacity=np.full(6, 15.0), open_min=2, open_max=2
)


@pytest.mark.parametrize("better", [recentre, swap])
def test_the_middle_of_those_served_is_found(better):
    found = better(COUNTY, at(COUNTY, [0, 5], [0, 0, 0, 5, 5, 5]))
    assert np.flatnonzero(found.open).tolist() == [1, 4]
    assert found.objective == 20.0


def test_a_swap_moves_those_round_it_where_no_other_site_has_room_for_all():
    """Three go to the first of four; the second has seats for two of them, and the fourth for the third."""
    problem = LocationProblem(
        5 * np.abs(np.arange(4.0)[:, None] - np.arange(4.0)),
        weight=np.full(4, 5.0),
        capacity=np.array([20.0, 10, 10, 10]),
        open_min=2,
        open_max=2,
    )
    start = at(problem, [0, 3], [0, 0, 0, 3])
    assert recentre(problem, start) is start
    assert swap(problem, start).objective == 10.0 == oracle.best(problem)


def test_rules_keep_their_counts():
    """One of the first two and one of the rest: the best two of all are both of the rest."""
    rules = (OpenRule((0, 1), 1, 1), OpenRule((2, 3, 4, 5), 1, 1))
    ruled = dataclasses.replace(COUNTY, rules=rules, capacity=np.full(6, 30.0))
    for better in (recentre, swap):
        found = better(ruled, at(ruled, [0, 2], [0, 0, 2, 2, 2, 2]))
        assert violations(ruled, found) == []
        assert np.flatnonzero(found.open).tolist() == [1, 4]


@pytest.mark.parametrize("better", [recentred, swapped])
def test_ways_that_were_ruled_out_of_better_answers_stay_where_they_are_used(better):
    """The relaxation has lost the first village's way to its school, which a better answer would not use."""
    start = at(COUNTY, [0, 5], [0, 0, 0, 5, 5, 5])
    whole = relax(COUNTY)
    kept = (whole.demand != 0) | np.isin(whole.site, (1, 3))
    relaxed = shrink(whole, whole.state, kept)
    given = (at_prices(whole, second_costs(whole)), start, clock() + 5) if better is recentred else (start,)
    more = {} if better is recentred else {"ends": clock() + 5, "seed": 1}
    found = better(COUNTY, relaxed, *given, **more)
    assert violations(COUNTY, found) == []
    assert found.objective == total(COUNTY, COUNTY.objective, found) <= start.objective
    if better is swapped:
        added = _way(_places(COUNTY, relaxed, start), start, 1e-9, clock() + 5, 1)[0]
        assert start.objective + added == found.objective == 20.0


@settings(max_examples=100, deadline=None)
@given(problems(whole=True), st.integers(0, 10**6))
def test_from_any_valid_answer_a_valid_one_that_is_no_dearer(problem, seed):
    """Begun with the best answer to other costs, every feature drawn."""
    rng = np.random.default_rng(seed)
    allowed = ~np.isnan(problem.cost)
    if not allowed.any(axis=1).all():
        return
    other = dataclasses.replace(problem, cost=np.where(allowed, rng.integers(0, 30, allowed.shape), np.nan))
    start = solve(other)
    if start.status != "optimal":
        return
    start = dataclasses.replace(start, objective=total(problem, problem.objective, start))
    for better in (recentre, swap):
        found = better(problem, start)
        assert violations(problem, found) == []
        assert found.objective == pytest.approx(total(problem, problem.objective, found))
        assert oracle.best(problem) - 1e-6 <= found.objective <= start.objective + 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_what_swaps_are_said_to_add_is_what_they_add(seed):
    """60 villages, 25 schools of which 6 are open, seats in steps."""
    rng = np.random.default_rng(seed)
    place, school = rng.random((60, 2)), rng.random((25, 2))
    weight = rng.integers(1, 30, 60).astype(float)
    problem = LocationProblem(
        np.linalg.norm(place[:, None] - school, axis=2) * weight[:, None],
        weight=weight,
        capacity=np.full(25, np.ceil(weight.sum() / 7)),
        expansion=Expansion(np.full(25, 10.0), np.full(25, 9.0), np.full(25, 0.5)),
        fixed_cost=rng.random(25),
        open_min=6,
        open_max=6,
    )
    relaxed = relax(problem)
    start = recentre(problem, _any(problem, rng))
    added, is_open, assignment = _way(_places(problem, relaxed, start), start, 1e-9, clock() + 0.2, seed)
    found = at_sites(problem, is_open, assignment)
    assert added <= 0.0
    assert found is not None
    assert found.objective == pytest.approx(start.objective + added)


def _any(problem, rng):
    """Some answer: the first six sites, each demand point where there is room."""
    room, pick = np.full(6, problem.capacity[0] + 90.0), []
    for size in problem.weight:
        pick.append(int(rng.choice(np.flatnonzero(room >= size))))
        room[pick[-1]] -= size
    return at(problem, list(range(6)), pick)
