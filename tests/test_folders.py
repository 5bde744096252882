"""Frontiers of a county: worked by hand on the tiny one, written as folders, drawn without trusting a name."""

import dataclasses
import json
import sys

import numpy as np
import pandas as pd
import pytest

from planner.area import read_area, write_area
from planner.draw.chart import chart, ticks
from planner.errors import DataError, InfeasibleError, ScenarioError
from planner.folders import frontier_map, save_alternatives, save_frontier
from planner.indicators import INDICATORS
from planner.optimise import OutOfTimeError
from planner.plan import alternatives, ask, frontier, optimise, score
from planner.plan.frontier import BETWEEN
from planner.plan.given import read_actions
from planner.report import save
from planner.scenario import parse_scenario
from planner.travel import travel_times
from planner.verify import checks, conditions, verify
from planner.verify.folder import read_folder
from tests import tiny as tiny_module
from tests.test_draw import data_of

LOOSE = tiny_module.SCENARIO.replace("max = 0", "max = 1").replace("lower_primary = 30", "lower_primary = 90")


@pytest.fixture(scope="module")
def loose():
    return parse_scenario(LOOSE, "tiny.toml")


def test_mean_minutes_against_open_schools_as_worked_by_hand(tiny, loose):
    """All at S3: V1 20 pupils x 60, V2 10 x 40, V3 10 x 20; S1 and S3: 440 in all; all three: V3's 12 pupils x 20."""
    front = frontier(tiny.area, tiny.times, loose, ("mean_minutes", "schools_open"))
    pupil_minutes = [20 * 60 + 10 * 40 + 12 * 20, 10 * 20 + 12 * 20, 12 * 20]
    assert [p.second for p in front.points] == [1, 2, 3]
    assert [p.first * 66 for p in front.points] == pytest.approx(pupil_minutes)
    assert all(p.proven and p.gap == 0 for p in front.points)
    assert front.table["point"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("between", [(a, b) for a in BETWEEN for b in BETWEEN if a != b], ids="-".join)
def test_every_pair_says_what_its_plans_indicators_say(tiny, loose, between):
    front = frontier(tiny.area, tiny.times, loose, between, points=3)
    assert set(front.between) == set(between)
    for point in front.points:
        assert point.first == pytest.approx(INDICATORS[front.between[0]](point.plan))
        assert point.second == pytest.approx(INDICATORS[front.between[1]](point.plan))
        assert point.plan.scenario == loose
    seconds = [p.second for p in front.points]
    assert seconds == sorted(seconds)


def test_how_many_can_close_before_anyone_passes_so_many_minutes(tiny, loose):
    front = frontier(tiny.area, tiny.times, loose, ("longest_minutes", "schools_open"), limits=[20, 45])
    assert front.between == ("schools_open", "longest_minutes")
    assert [(p.first, p.second) for p in front.points] == [(2, 20)]  # S1 and S3 keep even 20 minutes
    with pytest.raises(InfeasibleError) as caught:
        frontier(tiny.area, tiny.times, loose, ("schools_open", "longest_minutes"), limits=[10])
    assert "longest_minutes of at most 10; the least there is is 20" in str(caught.value)
    assert "V3 三村: no school of 12 pupils' bands is that near" in str(caught.value)


def test_what_cannot_be_asked_is_said(tiny, loose):
    with pytest.raises(ScenarioError, match=r"'mean_minute' is no indicator .* Did you mean mean_minutes\?"):
        frontier(tiny.area, tiny.times, loose, ("mean_minute", "schools_open"))
    with pytest.raises(ScenarioError, match="is not two indicators"):
        frontier(tiny.area, tiny.times, loose, ("schools_open",))
    free = parse_scenario(LOOSE.replace("cost_per_seat_cny = 1000\n", ""), "tiny.toml")
    with pytest.raises(ScenarioError, match="Give a cost per seat"):
        frontier(tiny.area, tiny.times, free, ("mean_minutes", "capital_cost_cny"))
    none = parse_scenario(tiny_module.SCENARIO.replace("lower_primary = 30", "lower_primary = 10"), "tiny.toml")
    with pytest.raises(InfeasibleError, match="5 pupils have no open"):
        frontier(tiny.area, tiny.times, none)


@pytest.fixture(scope="module")
def area(tmp_path_factory):
    """The tiny county as a folder."""
    return read_area(write_area(tiny_module.make_area(), tmp_path_factory.mktemp("area") / "tiny"))


def test_a_folder_appears_whole_and_its_plans_verify(area, loose, tmp_path):
    front = frontier(area, travel_times(area, loose.travel), loose, ("mean_minutes", "schools_open"))
    folder = save_frontier(front, tmp_path / "一 front")
    names = ["frontier.csv", "frontier.html", "frontier.json", "map.html", "plans"]
    assert sorted(p.name for p in folder.iterdir()) == names
    assert [p.name for p in tmp_path.iterdir()] == ["一 front"]
    said = json.loads((folder / "frontier.json").read_text("utf-8"))
    assert said["plans"] == ["plans/01", "plans/02", "plans/03"]
    for name in said["plans"]:
        assert verify(folder / name, area=area.folder).passed
        assert (folder / name / "map.html").is_file()
        assert f'href="{name}/map.html"' in (folder / "frontier.html").read_text("utf-8")
    assert save_frontier(front, folder) == folder  # an older one is replaced
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "mine.txt").write_text("x")
    with pytest.raises(DataError, match="it exists and is no frontier folder"):
        save_frontier(front, tmp_path / "else")


@pytest.mark.parametrize("seats", [25.0, np.nan])
def test_a_plan_that_opens_a_candidate_is_read_back_as_it_was_written(seats, tmp_path):
    """All seats of what opens are new ones, which are neither added twice nor taken for none where they are unknown."""
    base = tiny_module.make_area()
    schools = base.schools.assign(status=["existing", "candidate", "existing"], seats_primary=[100.0, seats, 50.0])
    area = read_area(write_area(dataclasses.replace(base, schools=schools), tmp_path / "area"))
    asked = parse_scenario(tiny_module.SCENARIO.replace("max = 0", "max = 1"), "tiny.toml")
    times = travel_times(area, asked.travel)
    plan = optimise(area, times, asked)
    opened = plan.actions.set_index("school_id").loc["S2"]
    assert opened[["action", "pupils"]].tolist() == ["open", 10]
    assert opened[["seats", "seats_added"]].tolist() == pytest.approx([seats, seats], nan_ok=True)
    assert INDICATORS["seats_added"](plan) == pytest.approx(seats, nan_ok=True)
    folder = save(plan, tmp_path / "plan")
    assert verify(folder).passed
    again = score(area, times, asked, read_actions(folder / "actions.csv"))
    pd.testing.assert_frame_equal(again.actions, plan.actions)
    assert again.capital_cost_cny == pytest.approx(1000 * seats, nan_ok=True)
    said = read_folder(folder)
    row = next(row for row in said.actions if row["school_id"] == "S2")
    row["seats"] = "26.0"
    assert len(checks.seats(said).failures) == 1


def test_unknown_seats_of_a_candidate_are_asked_for_where_building_costs_count(tiny):
    base = tiny_module.make_area()
    schools = base.schools.assign(status=["existing", "candidate", "existing"], seats_primary=[100.0, np.nan, 50.0])
    area = dataclasses.replace(base, schools=schools)
    for section, said in (("costs", "max_capital_cny = 1e6"), ("objective", 'then = ["capital_cost_cny"]')):
        text = tiny_module.SCENARIO + "[objective]\n"
        asked = parse_scenario(text.replace(f"[{section}]", f"[{section}]\n{said}"), "tiny.toml")
        with pytest.raises(ScenarioError, match=r"no seats are known for 1 candidate stage \(S2 primary\)"):
            optimise(area, tiny.times, asked)


def test_unknown_enrolments_are_those_of_whose_quickest_school_it_is(area, tmp_path):
    """S3: 20 primary pupils, or 30 with V3, as far from S2; 6 of junior age. It may be small if one may not end."""
    unknown = area.schools.assign(pupils_primary=[20.0, 10.0, np.nan], pupils_junior=[0.0, 0.0, np.nan])
    county = read_area(write_area(dataclasses.replace(area, schools=unknown), tmp_path / "area"))

    def asked(below):
        rules = f"may_close_below_pupils = {below}\nmin_pupils_per_school = 60"
        return parse_scenario(tiny_module.SCENARIO.replace("may_close_below_pupils = 40", rules), "tiny.toml")

    times = travel_times(county, asked(20).travel)
    kept = optimise(county, times, asked(20))
    folder = read_folder(save(kept, tmp_path / "plan"))
    assert verify(folder.path).passed
    assert checks.may_end(folder)["S3", "primary"] is False
    assert checks.may_end(folder)["S3", "junior"] is True
    small = dataclasses.replace(folder, scenario=asked(31))
    assert checks.may_end(small)["S3", "primary"] is True
    assert any(failure.startswith("S3: ") for failure in conditions.sizes(small, small).failures)
    for below in (20, 21, 26, 31, 37):
        small = dataclasses.replace(folder, scenario=asked(below))
        may = ask(county, times, asked(below))
        pairs = zip(may.sites["school_id"], may.sites["stage"], strict=True)
        assert checks.may_end(small) == dict(zip(pairs, may.may_end.tolist(), strict=True))


def test_the_chart_trusts_no_name(tiny, loose):
    hostile = '</title><script>alert(1)</script>"><img src=x onerror=alert(2)>'
    area = dataclasses.replace(tiny.area, title=hostile, attribution=(hostile,), assumptions=(hostile,))
    front = frontier(area, tiny.times, loose, ("mean_minutes", "schools_open"))
    page = chart(dataclasses.replace(front, scenario=loose.model_copy(update={"title": hostile})), ['"><script>'] * 3)
    assert "<script" not in page
    assert "<img" not in page
    assert "default-src 'none'" in page


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.0), (8.7, 10.1), (-3.0, 1e9), (41.0, 41.0), (2.386e8, 2.55e8)])
def test_ticks_are_even_and_cover_the_range(low, high):
    found = ticks(low, high)
    assert found[0] <= low + 1e-6 * abs(low)
    assert found[-1] >= high - 1e-6 * abs(high)
    assert 2 <= len(found) <= 9
    assert np.allclose(np.diff(found), found[1] - found[0])


def test_out_of_time_is_not_called_infeasible(tiny, loose, monkeypatch):
    def late(*_, **__):
        raise OutOfTimeError

    monkeypatch.setattr(sys.modules["planner.plan.frontier"], "frontier_of", late)
    with pytest.raises(InfeasibleError, match=r"none was ruled out\.\n.*\n- Raise solver\.time_limit_s"):
        frontier(tiny.area, tiny.times, loose)


def test_alternatives_as_worked_by_hand(area, loose, tmp_path):
    """Open sets with S3 (junior): all 240 pupil minutes, S1 S3 440, S2 S3: V1's 20 x 20 + 240, S3 alone 1840."""
    times = travel_times(area, loose.travel)
    found = alternatives(area, times, loose, within_percent=300, apart=1)
    assert found.table["objective"].tolist() == pytest.approx([240, 440, 640], abs=1e-3)
    assert found.table["more_percent"].tolist() == pytest.approx([0, 83.33, 166.67], abs=1e-2)
    assert found.table["closes"].tolist() == ["", "S2", "S1"]
    assert found.table["proven"].all()
    assert found.schools[["plans_open", "fate"]].values.tolist() == [[2, "sometimes"], [2, "sometimes"], [3, "always"]]
    assert found.ended == "beyond"
    apart = alternatives(area, times, loose, within_percent=1000, apart=2)
    assert apart.table["closes"].tolist() == ["", "S1 S2"]
    assert apart.ended == "none"
    folder = save_alternatives(found, tmp_path / "others")
    assert sorted(p.name for p in folder.iterdir()) == ["alternatives.csv", "alternatives.json", "plans", "schools.csv"]
    for k in (1, 2, 3):
        assert verify(folder / "plans" / f"0{k}", area=area.folder).passed


def test_alternatives_of_nothing_say_what_is_short(tiny):
    none = parse_scenario(tiny_module.SCENARIO.replace("lower_primary = 30", "lower_primary = 10"), "tiny.toml")
    with pytest.raises(InfeasibleError, match="5 pupils have no open"):
        alternatives(tiny.area, tiny.times, none)


def test_the_map_of_all_points_has_today_and_each_point_by_its_figures(tiny):
    front = frontier(tiny.area, tiny.times, tiny.scenario, ("mean_minutes", "schools_open"))
    titles = [plan["title"] for plan in data_of(frontier_map(front))["plans"]]
    assert titles[0] == front.today.title
    assert titles[1:] == ["1: 6.67 min · 2 schools"]
