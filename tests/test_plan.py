"""Plans: the tiny county by hand, every rule, and the oracle of all closings on drawn counties."""

import dataclasses
import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import DataError, InfeasibleError, ScenarioError
from planner.model import GRADES, Trips
from planner.plan import Plan, current_plan, optimise, score
from planner.scenario import parse_scenario
from tests import tiny as tiny_module

COLUMNS = ["school_id", "stage", "action", "into", "seats", "seats_added", "pupils"]


def scenario(text: str = "", base: str = tiny_module.SCENARIO):
    return parse_scenario(base + text, "tiny.toml")


def changed(find: str, put: str):
    assert find in tiny_module.SCENARIO
    return parse_scenario(tiny_module.SCENARIO.replace(find, put), "tiny.toml")


def same(a: Plan, b: Plan) -> None:
    pd.testing.assert_frame_equal(a.actions, b.actions, check_dtype=False)
    left = a.assignment.sort_values(["band", "demand_id"]).reset_index(drop=True)
    right = b.assignment.sort_values(["band", "demand_id"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(left, right, check_dtype=False)
    assert a.annual_cost_cny == b.annual_cost_cny
    assert a.capital_cost_cny == b.capital_cost_cny


def test_today_is_as_worked_by_hand(tiny):
    same(current_plan(tiny.area, tiny.times, tiny.scenario), tiny.today)


def test_the_best_plan_is_as_worked_by_hand(tiny):
    best = optimise(tiny.area, tiny.times, tiny.scenario)
    same(best, tiny.plan)
    assert (best.status, best.objective, best.bound, best.gap) == ("optimal", 440.0, 440.0, 0.0)


def test_a_larger_school_may_not_close(tiny):
    with pytest.raises(InfeasibleError) as caught:
        optimise(tiny.area, tiny.times, changed("may_close_below_pupils = 40", "may_close_below_pupils = 20"))
    said = str(caught.value)
    assert "甲镇, village_primary or teaching_point: at most 0 may be open, but these cannot be closed: S2" in said
    assert "except_towns.A = { min = 0, max = 1 }" in said


def test_keep_and_close(tiny):
    loose = tiny_module.SCENARIO.replace("open = { min = 0, max = 0 }", "open = { min = 0 }")
    kept = optimise(tiny.area, tiny.times, scenario(base=loose.replace("[capacity]", "[capacity]")))
    assert kept.actions["action"].tolist() == ["keep"] * 4
    closed = optimise(tiny.area, tiny.times, scenario(base=loose.replace("[rules]", '[rules]\nclose = ["S2"]')))
    assert closed.actions.set_index("school_id").loc["S2", "action"] == "close"
    with pytest.raises(ScenarioError, match=r"there is no school S9\. Did you mean S"):
        optimise(tiny.area, tiny.times, scenario(base=loose.replace("[rules]", '[rules]\nkeep = ["S9"]')))


def test_no_school_within_the_norm_is_said_in_the_countys_words(tiny):
    far = tiny_module.SCENARIO.replace("lower_primary = 30", "lower_primary = 10")
    with pytest.raises(InfeasibleError) as caught:
        optimise(tiny.area, tiny.times, scenario(base=far))
    said = str(caught.value)
    assert "Town B, lower primary: 5 pupils have no open school within 10 minutes. Short: V3 三村 (5)." in said
    assert "- Set travel.max_minutes.lower_primary to 20 (now 10)." in said
    assert caught.value.exit_code == 1


def test_beyond_the_norm_as_today(tiny):
    text = tiny_module.SCENARIO.replace("lower_primary = 30", "lower_primary = 10").replace("max = 0", "max = 1")
    plan = optimise(tiny.area, tiny.times, scenario('[assignment]\nbeyond_norm = "as_today"', base=text))
    assert plan.assignment["minutes"].max() == 20
    assert plan.actions["action"].tolist() == ["keep"] * 4


def test_missing_seats_are_named(tiny):
    text = tiny_module.SCENARIO.replace("expansion = true", "expansion = false")
    schools = tiny.area.schools.assign(seats_primary=[20.0, 30.0, 20.0])
    area = dataclasses.replace(tiny.area, schools=schools)
    with pytest.raises(InfeasibleError) as caught:
        optimise(area, tiny.times, scenario(base=text))
    said = str(caught.value)
    assert "60 pupils need a seat; the schools in reach, as far as they may be open, have 40: S1" in said
    assert "Add 20 seats at S3 九年制学校 (primary, now 20)." in said


def test_expansion_adds_whole_steps_and_costs(tiny):
    schools = tiny.area.schools.assign(seats_primary=[21.0, 30.0, 50.0])
    area = dataclasses.replace(tiny.area, schools=schools)
    plan = optimise(area, tiny.times, tiny.scenario)
    row = plan.actions.set_index("school_id").loc["S1"]
    assert (row["action"], row["seats_added"], row["seats"], row["pupils"]) == ("expand", 10, 31, 30)
    assert plan.capital_cost_cny == 10_000


def test_unknown_seats_are_no_limit_and_said(tiny):
    schools = tiny.area.schools.assign(seats_primary=[np.nan, 30.0, 50.0])
    plan = optimise(dataclasses.replace(tiny.area, schools=schools), tiny.times, tiny.scenario)
    assert math.isnan(plan.actions.loc[0, "seats"])
    assert plan.actions.loc[0, "action"] == "keep"
    assert any("unknown for 1 school stages" in note for note in map(str, plan.notes))


def test_pupils_without_a_way_are_counted_not_assigned(tiny):
    data = tiny.times.data.copy(deep=True)
    data["minutes"].loc[{"demand": "V2"}] = np.nan
    times = dataclasses.replace(tiny.times, trips=Trips.of(data))
    plan = optimise(tiny.area, times, tiny.scenario)
    lost = plan.assignment[plan.assignment["demand_id"] == "V2"]
    assert lost["reason"].tolist() == ["unreachable"] * 2
    assert lost["school_id"].tolist() == ["", ""]
    assert lost["minutes"].isna().all()
    assert plan.assignment["pupils"].sum() == 66
    assert any("10 pupils live where no road" in note for note in map(str, plan.notes))


def test_a_split_village_keeps_its_pupils(tiny):
    text = tiny_module.SCENARIO.replace("expansion = true", "expansion = false")
    schools = tiny.area.schools.assign(seats_primary=[33.0, 0.0, 27.0])
    area = dataclasses.replace(tiny.area, schools=schools)
    plan = optimise(area, tiny.times, scenario('[assignment]\nunit = "pupil"', base=text))
    assert plan.assignment["pupils"].sum() == 66
    load = plan.assignment.groupby("school_id")["pupils"].sum()
    assert load["S1"] == 33
    assert plan.assignment.duplicated(["demand_id", "band"]).any()


def test_a_school_of_a_kind_that_may_merge_merges_into_its_receiver(tiny):
    base = tiny_module.SCENARIO.replace('kinds = ["village_primary", "teaching_point"]', 'kinds = ["nine_year"]')
    base = base.replace("may_close_below_pupils = 40", 'may_close_below_pupils = 5\nmay_merge_kinds = ["nine_year"]')
    base = base.replace("lower_primary = 30", "lower_primary = 90")
    plan = optimise(tiny.area, tiny.times, scenario(base=base))
    table = plan.actions.set_index(["school_id", "stage"])
    assert table.loc[("S3", "primary"), "action"] == "convert"  # the junior stage goes on
    junior = scenario(base=base.replace("[rules]", '[rules]\nmay_gain = { S1 = ["junior"] }\nclose = ["S3"]'))
    merged = optimise(tiny.area, tiny.times, junior).actions.set_index(["school_id", "stage"])
    assert merged.loc[("S1", "junior"), "action"] == "open"
    assert merged.loc[("S1", "junior"), "seats_added"] == 10
    assert merged.loc[("S3", "junior"), "action"] == "close"


def test_a_second_objective_decides_among_equals(tiny):
    base = tiny_module.SCENARIO.replace("max = 0", "max = 1").replace("lower_primary = 30", "lower_primary = 90")
    text = '[objective]\nminimise = "schools_open"\nthen = ["pupil_minutes"]'
    plan = optimise(tiny.area, tiny.times, scenario(text, base=base))
    assert plan.objective == 1  # the nine-year school alone can teach all
    assert plan.assignment["school_id"].unique().tolist() == ["S3"]
    cheap = optimise(tiny.area, tiny.times, scenario('[objective]\nminimise = "annual_cost_cny"', base=base))
    assert cheap.objective == 1500
    assert cheap.annual_cost_cny == 1500 + 660


def test_a_proposal_is_scored_the_same_way(tiny):
    proposed = pd.DataFrame({"school_id": ["S2"], "action": ["merge"], "into": ["S1"]})
    plan = score(tiny.area, tiny.times, tiny.scenario, proposed)
    assert plan.status == "scored"
    assert plan.actions.loc[1, ["action", "into"]].tolist() == ["merge", "S1"]
    pd.testing.assert_frame_equal(
        plan.assignment.sort_values(["band", "demand_id"]).reset_index(drop=True),
        tiny.plan.assignment.sort_values(["band", "demand_id"]).reset_index(drop=True),
        check_dtype=False,
    )


def test_a_proposal_keeps_seats_and_may_split_where_the_scenario_lets_it(tiny):
    schools = tiny.area.schools.assign(seats_primary=[33.0, 30.0, 27.0])
    area = dataclasses.replace(tiny.area, schools=schools)
    close = pd.DataFrame({"school_id": ["S2"], "action": ["close"]})
    plan = score(area, tiny.times, scenario('[assignment]\nunit = "pupil"'), close)
    assert plan.assignment.groupby("school_id")["pupils"].sum()["S1"] == 33
    assert plan.assignment["pupils"].sum() == 66
    assert plan.notes == ()
    whole = score(area, tiny.times, scenario(), close)
    assert any("cannot be kept" in note for note in map(str, whole.notes))


def test_a_county_without_pupils_has_a_plan(tiny):
    area = dataclasses.replace(tiny.area, pupils=tiny.area.pupils * 0)
    for unit in ("village", "pupil"):
        plan = optimise(area, tiny.times, scenario(f'[assignment]\nunit = "{unit}"'))
        assert plan.assignment.empty
        assert plan.objective == 0


def test_every_fault_of_a_proposal_comes_at_once(tiny):
    proposed = pd.DataFrame(
        {
            "school_id": ["S9", "S1", "S2", "S2", "S3", "S3"],
            "action": ["close", "shut", "expand", "keep", "keep", "expand"],
            "seats_added": ["", "", "", "x", "5", "5"],
            "stage": ["", "", "", "", "kindergarten", ""],
        }
    )
    with pytest.raises(DataError) as caught:
        score(tiny.area, tiny.times, tiny.scenario, proposed)
    said = str(caught.value).splitlines()
    assert len(said) == 6
    assert said[0].startswith("actions row 2, column school_id: there is no school 'S9'. Did you mean S")
    assert "'shut' is no action" in said[1]
    assert "expand adds no seats" in said[2]
    assert "S3 teaches several stages. Say which stage the added seats are for." in said[5]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_the_optimum_of_drawn_counties_equals_trying_every_closing(seed):
    """Uncapacitated: for every set of open small schools, everyone goes to the quickest within the norm."""
    rng = np.random.default_rng(seed)
    base = tiny_module.make()
    pupils = base.area.pupils.copy()
    pupils[list(GRADES[3:9])] = rng.integers(0, 6, (4, 6))
    schools = base.area.schools.assign(seats_primary=np.nan)
    area = dataclasses.replace(base.area, pupils=pupils, schools=schools)
    data = base.times.data.copy(deep=True)
    data["minutes"][:] = rng.integers(1, 40, (1, 4, 3))
    times = dataclasses.replace(base.times, trips=Trips.of(data))
    question = parse_scenario(
        tiny_module.SCENARIO.replace("may_close_below_pupils = 40", "may_close_below_pupils = 1e9")
    )
    limit = {"lower_primary": 30.0, "upper_primary": math.inf, "junior": math.inf}
    found = math.inf
    for bits in itertools.product([False, True], repeat=3):
        is_open = np.array([bits[0], False, bits[1]])  # the village primary must close (max = 0)
        value = 0.0
        for band, grades in {"lower_primary": GRADES[3:6], "upper_primary": GRADES[6:9]}.items():
            minutes = np.where(is_open, data["minutes"].sel(band=band).values, np.inf)
            minutes = np.where(minutes <= limit[band], minutes, np.inf).min(axis=1)
            weight = pupils[list(grades)].sum(axis=1).to_numpy()
            value += sum(w * m for w, m in zip(weight, minutes, strict=True) if w)
        found = min(found, value)
    junior = float((data["minutes"].sel(band="junior").values[:, 2] * pupils["g7"]).sum())
    try:
        assert optimise(area, times, question).objective == pytest.approx(found + junior)
    except InfeasibleError:
        assert math.isinf(found)
