"""Thresholds on drawn counties with seats and every option of a scenario: each step solved anew, one by one."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import InfeasibleError
from planner.explain.fates import allowed, fates
from planner.explain.pupils import cells_of, with_pupils
from planner.explain.thresholds import MOST_TIMES, by_norm, by_pupils, norms_priced, unordered, with_norm
from planner.explain.worths import worths
from planner.model import BANDS
from planner.optimise import solve
from planner.optimise.forced import force, noise
from planner.plan import ask, optimise, pose
from planner.travel import travel_times
from tests.test_over import county, question

SEEDS = st.integers(0, 10**6)


def drawn(seed):
    """A plan for the present, and its question; None where there is none, or thresholds are not asked."""
    rng = np.random.default_rng(seed)
    area, scenario = county(rng), question(rng, "average")
    area = dataclasses.replace(area, pupils=area.pupils.clip(upper=4))  # few, so that every number of them can be tried
    ways = {"unit": str(rng.choice(["village", "pupil"])), "closest": False, "contiguous": False}
    changed = {
        "objective": scenario.objective.model_copy(update={"over": None}),
        "futures": (),
        "assignment": scenario.assignment.model_copy(update=ways),
        "rules": scenario.rules.model_copy(update={"min_pupils_per_school": 0}),
    }
    scenario = scenario.model_copy(update=changed)
    times = travel_times(area, scenario.travel)
    try:
        plan = optimise(area, times, scenario)
    except InfeasibleError:
        return None
    assert not unordered(scenario)
    return plan, ask(area, times, scenario)


def anew(asked, choice):
    """The best objective with a fate, by a solve of its own."""
    problem = force(pose(asked, np.flatnonzero(asked.reachable))[0], *choice)
    if problem is None or not allowed(asked, choice):
        return math.inf
    found = solve(problem)
    assert found.status in ("optimal", "infeasible")
    return found.objective if found.status == "optimal" else math.inf


def first(questions, fate):
    """The first question, counted from 0, at which the other fate is at least as good; None: there is none."""
    for k, asked in enumerate(questions):
        planned, other = (anew(asked, choice) for choice in (fate.planned, fate.other))
        if math.isfinite(other) and other <= planned + noise(other):
            return k
    return None


def same(flip, values, expected, within=None):
    """``within``: what is as good as the first value, and named as the last figure before a flip at the second."""
    if expected is None:
        assert (flip.status, flip.at) == ("never", values[-1])
    else:
        before = within if within is not None and expected == 1 else values[max(expected - 1, 0)]
        assert (flip.status, flip.at, flip.last) == ("flips", values[expected], before)


@settings(max_examples=6, deadline=None)
@given(SEEDS)
def test_pupils(seed):
    if (found := drawn(seed)) is None:
        return
    plan, asked = found
    for fate in fates(plan, asked):
        cells = cells_of(asked, fate)
        flip = by_pupils(asked, fate, worths(asked, fate))
        if not cells:
            assert flip is None
            continue
        now = sum(cells.values())
        counts = range(now, -1, -1) if fate.stays else range(now, MOST_TIMES * now + 1)
        areas = (with_pupils(plan.area, fate.school_id, cells, count) for count in counts)
        same(flip, counts, first((ask(area, plan.times, plan.scenario) for area in areas), fate))


@settings(max_examples=6, deadline=None)
@given(SEEDS)
def test_norms(seed):
    if (found := drawn(seed)) is None or norms_priced(found[0].scenario):
        return
    plan, asked = found
    for fate in fates(plan, asked):
        for band in [b for b in BANDS if math.isfinite(plan.scenario.travel.limit_minutes(b))]:
            flip = by_norm(asked, fate, band, worths(asked, fate))
            if flip is None:
                continue
            now = plan.scenario.travel.limit_minutes(band)
            trips = asked.minutes[(asked.rows["band"] == band).to_numpy()]
            trips = np.unique(trips[np.isfinite(trips)])
            inside = trips[trips <= now + 1e-6][::-1]
            further = trips[trips > now + 1e-6] if fate.stays else inside[1:]
            scenarios = [plan.scenario, *(with_norm(plan.scenario, band, norm) for norm in further)]
            found_at = first((dataclasses.replace(asked, scenario=s) for s in scenarios), fate)
            # Down to the longest trip within today's norm a stricter one means the same.
            same(flip, [now, *further], found_at, within=None if fate.stays or len(inside) == 0 else inside[0])


@settings(max_examples=6, deadline=None)
@given(SEEDS)
def test_worths(seed):
    if (found := drawn(seed)) is None:
        return
    plan, asked = found
    for fate in fates(plan, asked):
        for worth, choice in zip(worths(asked, fate), (fate.planned, fate.other), strict=True):
            assert worth.exact
            assert worth.upper == pytest.approx(anew(asked, choice))
