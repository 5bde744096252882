"""A scenario's further conditions on the tiny county, worked by hand; and what contradicts itself."""

import dataclasses

import pytest

from planner.errors import InfeasibleError, ScenarioError
from planner.plan import optimise
from planner.plan.conditions import touching
from planner.scenario import parse_scenario
from tests import tiny as tiny_module

KEEP = 'keep = ["S1"]'


def scenario(rules="", capacity="", costs="", more="", most=1):
    """The tiny scenario, which may keep its village primary, with lines laid into its sections."""
    text = tiny_module.SCENARIO.replace("max = 0", f"max = {most}")
    for section, lines in (("rules", rules), ("capacity", capacity), ("costs", costs)):
        text = text.replace(f"[{section}]", f"[{section}]\n{lines}", 1)
    return parse_scenario(text + more, "tiny.toml")


def schools_open(plan) -> set[str]:
    return set(plan.actions.loc[plan.actions["action"].isin(("keep", "expand", "open")), "school_id"])


def schools_of(plan, demand: str) -> set[str]:
    return set(plan.assignment.loc[plan.assignment["demand_id"] == demand, "school_id"])


def test_a_school_that_goes_on_has_pupils_enough(tiny):
    """Of 60 primary pupils V2 and V3 bring 10 each: S2 in the middle can have 20, or V1's 20 as well."""
    assert "S2" in schools_open(optimise(tiny.area, tiny.times, scenario()))
    kept = optimise(tiny.area, tiny.times, scenario(rules="min_pupils_per_school = 20"))
    assert "S2" in schools_open(kept)
    assert schools_of(kept, "V3") == {"S2", "S3"}  # its junior pupils go to S3
    closed = optimise(tiny.area, tiny.times, scenario(rules="min_pupils_per_school = 25"))
    assert "S2" not in schools_open(closed)


def test_no_school_has_more_pupils_than_it_may(tiny):
    plan = optimise(tiny.area, tiny.times, scenario(capacity="max_pupils_per_school = 30"))
    assert plan.assignment.groupby("school_id")["pupils"].sum().max() <= 30
    with pytest.raises(InfeasibleError):
        optimise(tiny.area, tiny.times, scenario(capacity="max_pupils_per_school = 20"))


def test_pupils_of_a_school_go_where_it_merges_into(tiny):
    """V2 and V3 are nearest to S2 (V3 equally to S3, the later); S2 closes, and both go to S3, far as it is for V2."""
    closing = 'close = ["S2"]\nmerge_into = { S2 = ["S3"] }'
    plan = optimise(tiny.area, tiny.times, scenario(rules=closing).model_copy(update={"travel": no_norm()}))
    assert schools_of(plan, "V2") == {"S3"}
    assert schools_of(plan, "V1") == {"S1"}


def no_norm():
    return parse_scenario(tiny_module.SCENARIO).travel.model_copy(update={"max_minutes": {}})


def test_minutes_beyond_the_norm_cost_instead_of_being_forbidden(tiny):
    """S2 closed: V2 20 min from S1, V3 20 from S3; with a norm of 10 that is 10 beyond for 5 + 5 lower pupils."""
    text = tiny_module.SCENARIO.replace("lower_primary = 30", "lower_primary = 10")
    ways = '[assignment]\nbeyond_norm = "allow"\n[objective]\nminimise = "excess_pupil_minutes"\n'
    plan = optimise(tiny.area, tiny.times, parse_scenario(text + ways))
    assert (plan.objective, plan.gap) == (100.0, 0.0)
    with pytest.raises(InfeasibleError):
        optimise(tiny.area, tiny.times, parse_scenario(text))


def test_costs_stay_below_their_ceilings(tiny):
    """S1 900, S2 300, S3 1500 CNY a year, and 10 a pupil: 66 pupils."""
    plan = optimise(tiny.area, tiny.times, scenario(KEEP, costs="max_annual_cny = 3100"))
    assert "S2" not in schools_open(plan)
    assert plan.annual_cost_cny == 900 + 1500 + 660
    with pytest.raises(InfeasibleError):
        optimise(tiny.area, tiny.times, scenario(KEEP, costs="max_annual_cny = 3000"))


def test_weights_are_prices_of_a_unit(tiny):
    """Keeping S2 saves V2's 10 pupils 20 minutes each for 300 CNY: at 1 CNY a minute it closes, at 2 it stays."""
    saved = 200.0
    for price in (1.0, 2.0):
        weights = f"{{ pupil_minutes = {price}, annual_cost_cny = 1 }}"
        goal = f'[objective]\nminimise = "weighted_cny"\nweights_cny = {weights}\n'
        plan = optimise(tiny.area, tiny.times, scenario(KEEP, more=goal))
        assert ("S2" in schools_open(plan)) == (saved * price > 300)
        minutes = (plan.assignment["pupils"] * plan.assignment["minutes"]).sum()
        assert plan.objective == pytest.approx(price * minutes + plan.annual_cost_cny - 660)


def test_three_objectives_one_after_the_other(tiny):
    goal = '[objective]\nminimise = "schools_open"\nthen = ["capital_cost_cny", "pupil_minutes"]\n'
    plan = optimise(tiny.area, tiny.times, scenario(more=goal))
    assert plan.objective == 2
    assert [str(note).split(":")[0] for note in plan.notes] == [
        "Second objective, building costs",
        "Third objective, pupil minutes on the way to school",
    ]


def test_nobody_passes_a_school_with_room(tiny):
    """For the fewest pupils a school, everybody could go to S1 and S3; S2 stays open and is nearer to V2."""
    goal = '[objective]\nminimise = "annual_cost_cny"\n[assignment]\nclosest = true\n'
    plan = optimise(tiny.area, tiny.times, scenario('keep = ["S2"]', more=goal))
    assert schools_of(plan, "V2") == {"S2"}


def test_villages_touch_where_their_land_does(tiny):
    assert touching(tiny.area, ["V1", "V2", "V3", "V4"]).tolist() == [[0, 1], [1, 2], [2, 3]]
    assert touching(tiny.area, ["V4", "V1"]).tolist() == [[0, 1]]
    twins = tiny.area.demand.copy()
    twins.loc["V2", "geometry"] = twins.geometry["V1"]
    area = dataclasses.replace(tiny.area, demand=twins)
    assert touching(area, ["V1", "V2", "V3"]).tolist() == [[0, 1], [0, 2]]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"rules": 'merge_into = { S2 = ["S2"] }'}, "merge_into.S2 names itself"),
        ({"rules": "merge_into = { S2 = [] }"}, "merge_into.S2 names no school"),
        ({"more": '[assignment]\nunit = "pupil"\ncontiguous = true\n'}, "contiguous needs whole villages"),
        ({"more": '[objective]\nminimise = "weighted_cny"\n'}, "weights_cny and minimise do not fit"),
        ({"more": "[objective]\nweights_cny = { schools_open = 1 }\n"}, "weights_cny and minimise do not fit"),
        ({"more": '[objective]\nthen = ["schools_open", "schools_open"]\n'}, "schools_open stands twice"),
    ],
)
def test_contradictions_are_told_before_solving(parts, said):
    with pytest.raises(ScenarioError, match=said):
        scenario(**parts)


def test_a_school_to_merge_into_that_is_not_there(tiny):
    with pytest.raises(ScenarioError, match=r"rules\.merge_into: there is no school S9"):
        optimise(tiny.area, tiny.times, scenario(rules='merge_into = { S2 = ["S9"] }'))


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        ({"capacity": "max_pupils_per_school = 20"}, "capacity.max_pupils_per_school"),
        ({"rules": "min_pupils_per_school = 80"}, "rules.min_pupils_per_school"),
        ({"rules": 'close = ["S2"]\nmerge_into = { S2 = ["S3"] }'}, "rules.merge_into"),
    ],
)
def test_a_condition_that_no_plan_keeps_is_named_and_may_be_given_up(tiny, parts, key):
    with pytest.raises(InfeasibleError) as caught:
        optimise(tiny.area, tiny.times, scenario(**parts))
    assert caught.value.reasons == (f"Every other rule can be kept; what stands in the way is {key}.",)
    assert any(key in remedy for remedy in caught.value.repairs)
