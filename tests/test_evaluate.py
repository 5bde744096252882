"""Given open sites: against plain numpy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.optimise import LocationProblem, assign, objectives
from tests import oracle


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6))
def test_everybody_goes_to_the_cheapest(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 9), rng.integers(1, 7)
    cost = rng.random((n, m))
    cost[rng.random((n, m)) < 0.2] = np.nan
    facility = rng.integers(0, m, m)
    problem = LocationProblem(
        cost, fixed_cost=rng.random(m), facility=facility, facility_cost=rng.random(facility.max() + 1)
    )
    sets = rng.random((6, m)) < 0.6
    many = objectives(problem, sets)
    for is_open, objective in zip(sets, many, strict=True):
        chosen, alone = assign(problem, is_open)
        assert objective == pytest.approx(alone, nan_ok=True)
        serving = 0.0
        for i, site in enumerate(chosen):
            allowed = np.flatnonzero(is_open & ~np.isnan(cost[i]))
            assert (site == -1) == (len(allowed) == 0)
            if len(allowed):
                assert is_open[site]
                assert cost[i, site] == cost[i, allowed].min()
            serving += cost[i, site] if site >= 0 else np.nan
        assert alone == pytest.approx(serving + oracle.fixed_part(problem, problem.objective, is_open), nan_ok=True)


def test_open_sites_of_another_problem_are_refused():
    problem = LocationProblem(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"open sites: have shape \(2,\), need \(3,\)"):
        assign(problem, np.array([True, False]))
    with pytest.raises(ValueError, match=r"open sites: have shape \(3,\), need \(n_set, 3\)"):
        objectives(problem, np.ones(3, dtype=bool))
