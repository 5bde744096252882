"""A plan in futures, by hand on the tiny county: fewer pupils, slower walks, a road gone."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.demand import scaled
from planner.errors import ScenarioError
from planner.model import GRADES
from planner.plan.futures import come_true
from planner.robust import USUAL, in_future, robustness
from planner.scenario import Future, parse_scenario
from tests import tiny as tiny_module


def test_as_planned_is_the_plan_itself(tiny):
    again = in_future(tiny.plan, Future(name="as planned"))
    pd.testing.assert_frame_equal(
        again.actions[["school_id", "stage", "seats", "pupils"]],
        tiny.plan.actions[["school_id", "stage", "seats", "pupils"]],
    )
    assert again.annual_cost_cny == tiny.plan.annual_cost_cny


def test_slower_and_quicker_walks(tiny):
    table = robustness(tiny.plan, roads=0).table
    assert table["future"].tolist() == [future.name for future in USUAL]
    assert table["longest_minutes"].to_numpy() == pytest.approx([20, 20, 20, 25, 20 / 1.2], abs=1e-6)
    assert table["pupils"].tolist() == [66, 53, 79, 66, 66]
    assert table["within_norm_percent"].tolist() == [100.0] * 5


def test_more_pupils_than_seats_are_counted(tiny):
    """Four times the pupils: 120 near S1 for 100 seats, 120 near S3 for 50, and 24 for 30 junior seats."""
    found = robustness(tiny.plan, [Future(name="many", pupils=4.0)], roads=0)
    assert found.table["without_seat_pupils"].tolist() == [90]
    assert "cannot be kept" in found.plans[0].notes[0]


def test_one_band_alone(tiny):
    area, _ = come_true(tiny.area, tiny.scenario, Future(name="few small ones", pupils={"lower_primary": 0.5}))
    assert area.pupils["g1"].sum() == 15
    assert area.pupils["g4"].sum() == 30
    assert tiny.area.pupils["g1"].sum() == 30


def test_a_closed_road_cuts_off_who_has_no_other(tiny):
    """Doors reach roads within 100 m only, so without the road V1-V2 neither V1 nor S1 is on any road.

    V1's 20 pupils have no way; V2 walks on to S3, 40 minutes, and the norm of 30 is for lower primary: 10 + 5 pupils.
    """
    near = tiny.scenario.model_copy(update={"travel": tiny.scenario.travel.model_copy(update={"max_access_m": 100.0})})
    found = robustness(dataclasses.replace(tiny.plan, scenario=near), [], roads=2)
    assert [future.closed_edges for future in found.futures] == [(2,), (0,)]
    last = found.table.iloc[-1]
    assert last["unreachable_pupils"] == 20
    assert last["beyond_norm_pupils"] == 15
    assert last["longest_minutes"] == pytest.approx(40)


def test_futures_of_the_scenario_are_looked_at_too(tiny):
    text = tiny_module.SCENARIO + '[[futures]]\nname = "寒冬 winter"\nspeed = 0.5\npupils = { junior = 0 }\n'
    plan = dataclasses.replace(tiny.plan, scenario=parse_scenario(text))
    last = robustness(plan, roads=0).table.iloc[-1]
    assert (last["future"], last["pupils"], last["longest_minutes"]) == ("寒冬 winter", 60, pytest.approx(40))
    with pytest.raises(ScenarioError, match=r"futures\.0\.pupil is not a key here"):
        parse_scenario(tiny_module.SCENARIO + '[[futures]]\nname = "x"\npupil = 1\n')


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 5))
def test_scaling_keeps_totals_and_who_has_none(seed, factor):
    rng = np.random.default_rng(seed)
    today = pd.DataFrame(rng.integers(0, 9, (6, len(GRADES))), columns=list(GRADES))
    made = scaled(today, dict.fromkeys(GRADES, factor))
    assert (np.abs(made.sum() - factor * today.sum()) <= 0.5 + 1e-6).all()
    assert not made.to_numpy()[today.to_numpy() == 0].any()
    pd.testing.assert_frame_equal(scaled(today, {}), today.astype("int64"))
