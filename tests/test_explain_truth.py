"""Explanations of small drawn counties against trying everything: brackets, thresholds, and their search."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import InfeasibleError
from planner.explain import explain_all
from planner.explain.fates import fates
from planner.explain.pupils import with_pupils
from planner.explain.search import Steps, first_flip
from planner.explain.thresholds import by_money, by_norm, by_pupils
from planner.explain.worths import worths
from planner.model import BAND_GRADES, GRADES, Trips
from planner.optimise import NEVER, Forced
from planner.plan import ask, optimise
from planner.scenario import parse_scenario
from tests import tiny as tiny_module

SITES = (("S1", "primary"), ("S2", "primary"), ("S3", "primary"), ("S3", "junior"))
COSTS = {"S1": 900.0, "S2": 300.0, "S3": 1500.0}
STAGE = {"lower_primary": "primary", "upper_primary": "primary", "junior": "junior"}


def small(seed: int):
    """A county of four villages and three schools without seats, and a question about it."""
    rng = np.random.default_rng(seed)
    base = tiny_module.make()
    pupils = base.area.pupils.copy()
    pupils[list(GRADES[3:9])] = rng.integers(0, 3, (4, 6))
    pupils[list(GRADES[9:])] = rng.integers(0, 2, (4, 3))
    schools = base.area.schools.assign(
        seats_primary=np.nan, seats_junior=np.nan, pupils_primary=rng.integers(5, 30, 3).astype(float)
    )
    data = base.times.data.copy(deep=True)
    data["minutes"][:] = rng.integers(1, 40, (1, 4, 3))
    high = rng.choice(["", ", max = 0", ", max = 1"])
    text = tiny_module.SCENARIO.replace("{ min = 0, max = 0 }", f"{{ min = 0{high} }}")
    text = text.replace("may_close_below_pupils = 40", f"may_close_below_pupils = {rng.choice([20, 40, 100])}")
    text = text.replace("lower_primary = 30", f"lower_primary = {rng.integers(8, 45)}")
    minimise = rng.choice(["pupil_minutes", "annual_cost_cny"])
    scenario = parse_scenario(f'{text}\n[objective]\nminimise = "{minimise}"\n', "small.toml")
    area = dataclasses.replace(base.area, pupils=pupils, schools=schools)
    return area, dataclasses.replace(base.times, trips=Trips.of(data)), scenario


def by_hand(area, times, scenario, choice, *, heed=True):
    """The best objective with some sites open and some closed, by trying every open set; no code of the planner's."""
    opened, closed = choice
    minutes = times.trips.minutes[0]
    pupils = {band: area.pupils[list(BAND_GRADES[band])].to_numpy().sum(axis=1) for band in STAGE}
    enrolled = [*area.schools["pupils_primary"], area.schools.at["S3", "pupils_junior"]]
    limit = scenario.rules.may_close_below_pupils
    of_school = [enrolled[0], enrolled[1], enrolled[2] + enrolled[3], enrolled[2] + enrolled[3]]
    several = [False, False, True, True]
    may_end = [of_school[j] < limit or (several[j] and enrolled[j] < limit) for j in range(4)]
    most = scenario.rules.per_town[0].open.max
    best = math.inf
    for bits in itertools.product([False, True], repeat=4):
        if not all(bits[j] for j in opened) or any(bits[j] for j in closed):
            continue
        free = set() if heed else {*opened, *closed}
        if any(not bits[j] and not may_end[j] and j not in free for j in range(4)):
            continue
        if most is not None and bits[1] > most:
            continue
        value = 0.0
        if scenario.objective.minimise == "annual_cost_cny":
            value = sum(COSTS[s] for s in {SITES[j][0] for j in range(4) if bits[j]})
        for band, stage in STAGE.items():
            norm = scenario.travel.limit_minutes(band)
            count = pupils[band]
            at = [int(SITES[j][0][1]) - 1 for j in range(4) if bits[j] and SITES[j][1] == stage]
            trips = np.where(minutes[:, at] <= norm, minutes[:, at], np.inf).min(axis=1, initial=np.inf)
            served = count > 0
            if np.isinf(trips[served]).any():
                value = math.inf
            elif scenario.objective.minimise == "pupil_minutes":
                value += float((trips[served] * count[served]).sum())
        best = min(best, value)
    return best


def planned(seed):
    area, times, scenario = small(seed)
    try:
        return optimise(area, times, scenario)
    except InfeasibleError:
        return None


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_the_table_of_all_schools_holds_the_truth(seed):
    plan = planned(seed)
    if plan is None:
        return
    question = ask(plan.area, plan.times, plan.scenario)
    table = explain_all(plan)
    assert table["school_id"].tolist() == ["S1", "S2", "S3"]
    for fate, row in zip(fates(plan, question), table.itertuples(), strict=True):
        truth = by_hand(plan.area, plan.times, plan.scenario, fate.other, heed=False) - plan.objective
        if row.proof == "impossible":
            assert math.isinf(truth)
        else:
            assert row.at_least - 1e-6 <= truth <= row.at_most + 1e-6
            assert row.proof == "exact"
            assert row.at_most == pytest.approx(truth)
            if "too_large" not in row.rules:
                assert row.at_least >= -1e-6  # no plan is better than the best


def first_by_hand(steps, values):
    """The first step from 1 whose other fate is at least as good, None where there is none."""
    for k in range(1, steps + 1):
        keeps, turns = values(k)
        if not math.isinf(turns) and turns <= keeps + 1e-6:
            return k
    return None


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10**6))
def test_pupils_flip_a_decision_where_trying_every_number_does(seed):
    plan = planned(seed)
    if plan is None:
        return
    question = ask(plan.area, plan.times, plan.scenario)
    minutes = plan.times.data["minutes"].values[0]
    for fate in fates(plan, question):
        flip = by_pupils(question, fate, worths(question, fate))
        cells = {}
        for band, stage in STAGE.items():
            for i, village in enumerate(tiny_module.VILLAGES):
                teaching = [j for j in range(4) if SITES[j][1] == stage]
                near = min(teaching, key=lambda j: (minutes[i, int(SITES[j][0][1]) - 1], j))
                if SITES[near][0] == fate.school_id:
                    cells |= {(village, g): int(plan.area.pupils.at[village, g]) for g in BAND_GRADES[band]}
        cells = {cell: n for cell, n in cells.items() if n}
        now, sign = sum(cells.values()), -1 if fate.stays else 1
        if now == 0:
            assert flip is None
            continue

        def values(k, fate=fate, cells=cells, now=now, sign=sign):
            area = with_pupils(plan.area, fate.school_id, cells, now + sign * k)
            return [by_hand(area, plan.times, plan.scenario, choice) for choice in (fate.planned, fate.other)]

        before = values(0)
        if before[1] <= before[0] + 1e-6:
            assert (flip.status, flip.at) == ("flips", now)
            continue
        expected = first_by_hand(now if fate.stays else 2 * now, values)
        assert flip.now == now
        if expected is None:
            assert flip.status == "never"
        else:
            assert (flip.status, flip.at, flip.last) == ("flips", now + sign * expected, now + sign * (expected - 1))


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6))
def test_the_norm_flips_a_decision_where_trying_every_norm_does(seed):
    plan = planned(seed)
    if plan is None:
        return
    question = ask(plan.area, plan.times, plan.scenario)
    now = plan.scenario.travel.limit_minutes("lower_primary")
    for fate in fates(plan, question):
        flip = by_norm(question, fate, "lower_primary", worths(question, fate))
        norms = [n for n in range(1, 45) if (n > now if fate.stays else n < now)]
        norms = norms if fate.stays else norms[::-1]

        def values(norm, fate=fate):
            limits = {**plan.scenario.travel.max_minutes, "lower_primary": norm}
            travel = plan.scenario.travel.model_copy(update={"max_minutes": limits})
            scenario = plan.scenario.model_copy(update={"travel": travel})
            return [by_hand(plan.area, plan.times, scenario, choice) for choice in (fate.planned, fate.other)]

        before = values(now)
        if flip is None:  # nobody of this band lives in the county
            assert plan.area.pupils[list(BAND_GRADES["lower_primary"])].to_numpy().sum() == 0
            continue
        if before[1] <= before[0] + 1e-6:
            assert (flip.status, flip.at) == ("flips", now)
            continue
        expected = first_by_hand(len(norms), lambda k, norms=norms: values(norms[k - 1]))
        if expected is None:
            assert flip.status == "never"
        elif fate.stays:  # the first norm in whole minutes that flips it is the trip that it lets in
            assert (flip.status, flip.at) == ("flips", norms[expected - 1])
        else:  # it flips below the shortest trip that is still needed
            assert (flip.status, flip.last) == ("flips", norms[expected - 1] + 1)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10**6))
def test_money_flips_a_decision_exactly_at_its_threshold(seed):
    plan = planned(seed)
    if plan is None or plan.scenario.objective.minimise != "annual_cost_cny":
        return
    question = ask(plan.area, plan.times, plan.scenario)
    for fate in fates(plan, question):
        flip = by_money(question, fate, worths(question, fate))
        if flip is None or flip.status != "flips":
            continue
        for cost, turned in ((flip.at, True), (flip.at + (-1 if fate.stays else 1), False)):
            if cost < 0:
                continue
            schools = plan.area.schools.assign(annual_cost_cny=[COSTS[s] for s in plan.area.schools.index])
            schools.loc[fate.school_id, "annual_cost_cny"] = cost
            area = dataclasses.replace(plan.area, schools=schools)
            same, other = worths(ask(area, plan.times, plan.scenario), fate)
            assert (other.upper <= same.upper + 1e-6) == turned


# ---------------------------------------------------------------- the search


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_the_first_flip_of_any_two_staircases(seed, rising):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(0, 40))
    stairs = [np.cumsum(rng.integers(0, 4, count + 1) * (rng.random(count + 1) < 0.4)) for _ in range(2)]
    keeps, turns = stairs[0] + rng.integers(0, 3), stairs[1] + rng.integers(1, 12)
    ends = [math.inf if rng.random() < 0.3 else 0 for _ in range(2)]
    values = [
        [float(v) if k < count * 0.7 or not end else end for k, v in enumerate(row)]
        for row, end in zip((keeps, turns), ends, strict=True)
    ]
    if not rising:
        values = [row[::-1] for row in values]
    if values[1][0] <= values[0][0]:
        return
    asked = []

    class Two(Steps):
        def worth(self, k, *, other):
            asked.append((k, other))
            return NEVER if math.isinf(values[other][k]) else Forced(values[other][k], values[other][k])

    expected = first_by_hand(count, lambda k: (values[0][k], values[1][k]))
    last, end, status = first_flip(Two(count, rising=rising))
    if expected is None:
        assert status == "never"
    else:
        assert (last, end, status) == (expected - 1, expected, "flips")
    assert len(asked) == len(set(asked))


def test_what_is_not_proven_is_left_open():
    class Two(Steps):
        def worth(self, k, *, other):
            return Forced(4.0, 6.0) if other and k in (2, 3) else Forced(*2 * [9.0 - k if other else 5.0])

    assert first_flip(Two(4, rising=False)) == (1, 4, "open")
    assert first_flip(Two(4, rising=False), seconds=-1.0) == (0, 4, "open")
