"""A plan in futures, by hand on the tiny county: fewer pupils, slower walks, a road gone."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.area import read_area, write_area
from planner.demand import scaled
from planner.errors import InfeasibleError, ScenarioError
from planner.model import GRADES
from planner.plan import alternatives, optimise
from planner.plan.futures import come_true
from planner.robust import USUAL, in_future, robustness
from planner.scenario import Future, parse_scenario
from planner.travel import travel_times
from planner.verify import verify
from tests import tiny as tiny_module

LOOSE = tiny_module.SCENARIO.replace("max = 0", "max = 1").replace("lower_primary = 30", "lower_primary = 90")


@pytest.fixture(scope="module")
def area(tmp_path_factory):
    """The tiny county as a folder."""
    return read_area(write_area(tiny_module.make_area(), tmp_path_factory.mktemp("area") / "tiny"))


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
    assert "cannot be kept" in str(found.plans[0].notes[0])


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


OVER = """
[[futures]]
name = "west"
pupils = 1.0
[[futures]]
name = "slow"
weight = 3
speed = 0.5
[objective]
over = "{}"
"""


def over(how: str, base: str = LOOSE, more: str = OVER):
    return parse_scenario(base + more.format(how), "tiny.toml")


def test_best_on_average_and_in_the_worst_as_worked_by_hand(area):
    """All three schools: 240 pupil minutes (V3's 12 pupils, 20 minutes), at half the speed 480."""
    times = travel_times(area, over("worst").travel)
    worst = optimise(area, times, over("worst"))
    assert worst.status == "optimal"
    assert worst.objective == pytest.approx(480, abs=1e-2)
    assert "west: 240 pupil minutes." in map(str, worst.notes)  # its own best, though only the slow one counts
    average = optimise(area, times, over("average"))
    assert average.objective == pytest.approx((240 + 3 * 480) / 4, abs=1e-2)
    assert str(average.notes[-1]) == "The objective is their weighted mean; the assignment shown is the present's."
    assert any(str(note).startswith("slow: 480") for note in average.notes)


def test_seats_do_for_the_future_that_needs_most(area):
    text = LOOSE.replace("max = 1", "max = 0")  # S2 must close: 30 pupils at S1, 30 at S3 in primary
    many = '\n[[futures]]\nname = "many"\npupils = 4\n[objective]\nover = "average"\n'
    question = parse_scenario(text + many, "tiny.toml")
    plan = optimise(area, travel_times(area, question.travel), question)
    assert plan.actions.set_index(["school_id", "stage"]).loc[("S1", "primary"), "seats"] >= 120
    assert plan.actions["seats"].sum() >= 240
    assert plan.assignment["pupils"].sum() == 66


def test_a_plan_over_futures_verifies(area, tmp_path):
    plan = optimise(area, travel_times(area, over("worst").travel), over("worst"))
    assert verify(plan.save(tmp_path / "plan"), area=area.folder).passed


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["worst", "average"]))
def test_equal_to_trying_every_closing_in_every_future(seed, how):
    """Without seats and norms: everybody at the quickest open school of each future."""
    rng = np.random.default_rng(seed)
    base = tiny_module.make()
    schools = base.area.schools.assign(seats_primary=np.nan, seats_junior=np.nan)
    pupils = base.area.pupils.copy()
    pupils[["g1", "g4"]] = rng.integers(0, 9, (4, 2))
    area = dataclasses.replace(base.area, schools=schools, pupils=pupils)
    factors = rng.choice([0.0, 0.5, 1.0, 2.0, 3.0], (2, 2)).tolist()
    text = LOOSE.replace("may_close_below_pupils = 40", "may_close_below_pupils = 1e9").replace(
        "lower_primary = 90", ""
    )
    for number, (lower, junior) in enumerate(factors):
        text += f'[[futures]]\nname = "{number}"\nweight = {number + 1}\npupils = {{ lower_primary = {lower}, '
        text += f"junior = {junior} }}\n"
    text += f'[objective]\nover = "{how}"\n'
    found = optimise(area, base.times, parse_scenario(text)).objective
    best = np.inf
    for first, second in itertools.product([False, True], repeat=2):
        is_open = np.array([first, second, True])  # the junior stage is S3's alone
        values = []
        for lower, junior in factors:
            value = 0.0
            for band, factor, grades, may in (
                ("lower_primary", lower, ["g1"], is_open),
                ("upper_primary", 1.0, ["g4"], is_open),
                ("junior", junior, ["g7"], np.array([False, False, True])),
            ):
                weight = scaled(pupils[grades], dict.fromkeys(grades, factor)).sum(axis=1).to_numpy()
                value += float(
                    weight @ np.where(may, base.times.data["minutes"].sel(band=band).values, np.inf).min(axis=1)
                )
            values.append(value)
        best = min(best, max(values) if how == "worst" else float(np.average(values, weights=[1, 2])))
    assert found == pytest.approx(best)


def test_what_does_not_go_with_futures_is_said(area):
    times = travel_times(area, over("worst").travel)
    with pytest.raises(ScenarioError, match="needs futures with a weight"):
        parse_scenario(LOOSE + '[objective]\nover = "worst"\n')
    with pytest.raises(ScenarioError, match="futures: 'west' stands twice"):
        over("worst", more=OVER.replace("slow", "west"))
    with pytest.raises(ScenarioError, match="in the present alone"):
        alternatives(area, times, over("worst"))
    with pytest.raises(InfeasibleError, match=r"now and in the future 'slow'\."):
        optimise(area, times, over("worst", LOOSE.replace("lower_primary = 90", "lower_primary = 30")))
