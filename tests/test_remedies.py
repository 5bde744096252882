"""Infeasible scenarios: every remedy that is offered works, the cheapest comes first, and the reasons are true."""

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import InfeasibleError
from planner.model import Trips
from planner.plan import ask, optimise
from planner.plan.infeasible import reasons
from planner.plan.remedies import remedies
from planner.scenario import parse_scenario
from tests import tiny as tiny_module


def strict(seed):
    """A county of four villages and three schools, and a question that asks too much of it."""
    rng = np.random.default_rng(seed)
    base = tiny_module.make()
    schools = base.area.schools.assign(
        seats_primary=rng.integers(0, 45, 3).astype(float),
        seats_junior=[np.nan, np.nan, float(rng.integers(0, 9))],
        pupils_primary=rng.integers(0, 60, 3).astype(float),
    )
    data = base.times.data.copy(deep=True)
    data["minutes"][:] = rng.integers(1, 40, (4, 4, 3))
    lists = {key: [s for s in tiny_module.SCHOOLS if rng.random() < 0.2] for key in ("keep", "close")}
    lists["close"] = [s for s in lists["close"] if s not in lists["keep"]]
    low = int(rng.integers(0, 2))
    text = f"""
        title = "Strict"
        travel.max_minutes.lower_primary = {rng.integers(5, 40)}
        travel.max_minutes.upper_primary = {rng.integers(5, 60)}
        rules.may_close_below_pupils = {rng.choice([10, 30, 1000])}
        rules.keep = {lists["keep"]}
        rules.close = {lists["close"]}
        capacity.expansion = {"true" if rng.random() < 0.3 else "false"}
        capacity.seat_step = 5
        capacity.max_added_seats_per_school = 10
        capacity.max_seats_per_school = {rng.choice([25, 60])}
        assignment.unit = "{rng.choice(["village", "pupil"])}"
        [[rules.per_town]]
        kinds = ["village_primary", "central_primary"]
        stage = "primary"
        open = {{ min = {low}, max = {low + int(rng.integers(0, 2))} }}
        [[rules.per_town]]
        kinds = ["nine_year"]
        stage = "primary"
        open = {{ min = {rng.integers(0, 2)} }}
    """
    area = dataclasses.replace(base.area, schools=schools)
    return area, dataclasses.replace(base.times, trips=Trips.of(data)), parse_scenario(text, "strict.toml")


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_every_remedy_gives_the_scenario_a_plan(seed):
    area, times, scenario = strict(seed)
    try:
        optimise(area, times, scenario)
        return
    except InfeasibleError as raised:
        error = raised
    question = ask(area, times, scenario)
    found = remedies(question)
    assert found
    assert error.repairs == tuple(remedy.text("en") for remedy in found)
    assert error.reasons == tuple(reason.text("en") for reason in reasons(question))
    assert [r.price for r in found] == sorted(r.price for r in found)
    assert re.search("[\u4e00-\u9fff]", error.text("zh"))
    for remedy in found:
        helped_area, helped = remedy.apply(area, scenario)
        assert optimise(helped_area, times, helped).status == "optimal", remedy.text("en")


def test_drawn_counties_have_remedies():
    from planner.travel import travel_times
    from tests.test_drawn import county, question

    seen = 0
    for seed in range(14):
        rng = np.random.default_rng(seed)
        area, scenario = county(rng), question(rng)
        few = area.schools.assign(seats_primary=np.floor(area.schools["seats_primary"] / 5))
        area = dataclasses.replace(area, schools=few)
        times = travel_times(area, scenario.travel)
        try:
            optimise(area, times, scenario)
        except InfeasibleError:
            seen += 1
            found = remedies(ask(area, times, scenario))
            assert found, seed
            for remedy in found:
                changed_area, changed = remedy.apply(area, scenario)
                assert optimise(changed_area, times, changed).status in ("optimal", "feasible"), (seed, str(remedy))
    assert seen > 2


def test_whole_villages_that_do_not_fit_though_their_pupils_would(tiny):
    """60 pupils, 62 seats, three bands of 10 at the least: 25 and 37 hold 20 and 30 of whole villages."""
    text = tiny_module.SCENARIO.replace("expansion = true", "expansion = false")
    text = text.replace("lower_primary = 30", "lower_primary = 90")
    pupils = tiny.area.pupils.copy()
    pupils[["g1", "g4"]] = 10
    schools = tiny.area.schools.assign(seats_primary=[35.0, 0.0, 45.0])
    area = dataclasses.replace(tiny.area, schools=schools, pupils=pupils)
    with pytest.raises(InfeasibleError) as caught:
        optimise(area, tiny.times, parse_scenario(text, "whole.toml"))
    said = str(caught.value)
    assert "Every pupil would have a seat if villages could be split; kept whole, they do not fit." in said
    assert 'Set assignment.unit to "pupil" (villages may be split).' in said
    assert "- Add 5 seats at S" in said
    assert said.index("- Add 5 seats") < said.index("- Set assignment.unit")


def test_a_village_larger_than_every_school_in_reach(tiny):
    text = tiny_module.SCENARIO.replace("expansion = true", "expansion = false")
    schools = tiny.area.schools.assign(seats_primary=[9.0, 100.0, 300.0])
    area = dataclasses.replace(tiny.area, schools=schools)
    with pytest.raises(InfeasibleError) as caught:
        optimise(area, tiny.times, parse_scenario(text, "big.toml"))
    assert "V1 东村 (10) stays together (assignment.unit = village), and no school in reach has so many seats" in str(
        caught.value
    )


def test_a_school_that_must_close_and_is_the_only_one(tiny):
    text = tiny_module.SCENARIO.replace("[rules]", '[rules]\nclose = ["S3"]')
    with pytest.raises(InfeasibleError) as caught:
        optimise(tiny.area, tiny.times, parse_scenario(text, "close.toml"))
    said = str(caught.value)
    assert "Town B, junior: 6 pupils have no school that may be open. Short: V3 三村 (2), V4 Four (4)." in said
    assert "- Take S3 九年制学校 off rules.close." in said
    chinese = caught.value.text("zh")
    assert "Town B，初中 7–9年级：6名学生没有可开办的学校可上。涉及：V3 三村 (2)、V4 Four (4)。" in chinese
    assert "最小补救：" in chinese
    assert "- 将S3 九年制学校从 rules.close 中去掉。" in chinese


def test_too_large_to_close_may_be_let_close(tiny):
    text = tiny_module.SCENARIO.replace("may_close_below_pupils = 40", "may_close_below_pupils = 10")
    with pytest.raises(InfeasibleError) as caught:
        optimise(tiny.area, tiny.times, parse_scenario(text, "large.toml"))
    assert "at most 0 may be open, but these cannot be closed: S2 Village `${x}` </script> (it may not close)." in str(
        caught.value
    )
    assert any("put it on rules.close" in repair for repair in caught.value.repairs)
    kept = text.replace("[rules]", '[rules]\nkeep = ["S2"]')
    with pytest.raises(InfeasibleError) as caught:
        optimise(tiny.area, tiny.times, parse_scenario(kept, "large.toml"))
    assert any("from rules.keep to rules.close" in repair for repair in caught.value.repairs)


def test_trips_as_long_as_today(tiny):
    text = tiny_module.SCENARIO.replace("{ min = 0, max = 0 }", "{ min = 0 }").replace("= 30", "= 10", 1)
    with pytest.raises(InfeasibleError) as caught:
        optimise(tiny.area, tiny.times, parse_scenario(text, "norm.toml"))
    repairs = caught.value.repairs
    assert 'Set assignment.beyond_norm to "as_today" (trips that are longer today may stay as long).' in repairs
    assert "Set travel.max_minutes.lower_primary to 20 (now 10)." in repairs


def test_a_rule_that_asks_for_a_school_that_must_close(tiny):
    text = tiny_module.SCENARIO.replace("[rules]", '[rules]\nclose = ["S2"]').replace(
        "{ min = 0, max = 0 }", "{ min = 0 }\nexcept_towns = { A = { min = 1 } }"
    )
    with pytest.raises(InfeasibleError) as caught:
        optimise(tiny.area, tiny.times, parse_scenario(text, "under.toml"))
    said = str(caught.value)
    assert "needs at least 1 open with a primary stage; 0 could be; S2 Village `${x}` </script> must close." in said
    assert "- Take S2 Village `${x}` </script> off rules.close." in said
    assert "- 甲镇: set except_towns.A = { min = 0 } for village_primary or teaching_point (primary)." in said


def test_ceilings_and_sizes(tiny):
    text = tiny_module.SCENARIO.replace("[costs]", "[costs]\nmax_annual_cny = 1000")
    with pytest.raises(InfeasibleError) as caught:
        optimise(tiny.area, tiny.times, parse_scenario(text, "dear.toml"))
    said = str(caught.value)
    assert "costs.max_annual_cny: 1,000 CNY are too few;" in said
    assert "- Set costs.max_annual_cny to 4,000 (now 1,000)." in said
    text = tiny_module.SCENARIO.replace("[rules]", "[rules]\nmin_pupils_per_school = 60")
    with pytest.raises(InfeasibleError) as caught:
        optimise(tiny.area, tiny.times, parse_scenario(text, "small.toml"))
    assert "- Set rules.min_pupils_per_school to 0 (now 60)." in str(caught.value)
