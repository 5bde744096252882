"""One battery for every indicator: unit, direction, empty plan, ids, row order, no mutation."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from planner.compare import compare, compare_folders, scorecard
from planner.indicators import INDICATORS, by_band, by_town, moves
from planner.indicators.registry import indicator

EVERY = pytest.mark.parametrize("measure", INDICATORS.values(), ids=lambda i: i.key)


def with_rows(plan, **changes):
    return dataclasses.replace(plan, **changes)


@EVERY
def test_unit_direction_and_labels(measure):
    assert measure.direction in ("lower", "higher", "")
    assert measure.unit or "Gini" in measure.label_en or "Theil" in measure.label_en
    assert measure.label_en.isascii()
    assert not measure.label_zh.isascii()
    assert measure.function.__doc__.count(">>>") >= 1


@EVERY
def test_a_plan_without_pupils_gives_nan_or_a_count(measure, tiny):
    empty = with_rows(tiny.plan, assignment=tiny.plan.assignment.iloc[:0], actions=tiny.plan.actions.assign(pupils=0))
    value = measure(empty)
    assert math.isnan(value) or value >= 0


@EVERY
def test_row_order_and_repeated_calls_change_nothing(measure, tiny):
    plan = tiny.plan
    before = plan.assignment.copy(), plan.actions.copy()
    shuffled = with_rows(plan, assignment=plan.assignment[::-1], actions=plan.actions[::-1])
    assert measure(shuffled) == pytest.approx(measure(plan), nan_ok=True)
    pd.testing.assert_frame_equal(plan.assignment, before[0])
    pd.testing.assert_frame_equal(plan.actions, before[1])


@EVERY
def test_ids_need_no_order_or_shape(measure, tiny):
    """A split row is the same plan."""
    rows = tiny.plan.assignment
    halves = pd.concat(
        [rows.assign(pupils=rows["pupils"] // 2), rows.assign(pupils=rows["pupils"] - rows["pupils"] // 2)]
    )
    assert measure(with_rows(tiny.plan, assignment=halves)) == pytest.approx(measure(tiny.plan), nan_ok=True)


def test_the_unreachable_are_counted_and_never_average_as_zero(tiny):
    rows = tiny.plan.assignment.copy()
    lost = (rows["demand_id"] == "V2") & (rows["band"] == "lower_primary")
    rows.loc[lost, ["school_id", "minutes", "km", "mode", "reason"]] = ["", np.nan, np.nan, "", "unreachable"]
    plan = with_rows(tiny.plan, assignment=rows)
    values = {key: measure(plan) for key, measure in INDICATORS.items()}
    assert values["unreachable_pupils"] == 5
    assert values["mean_minutes"] == pytest.approx(340 / 61)
    assert values["beyond_norm_pupils"] == 5
    assert values["within_norm_percent"] == pytest.approx(100 * 25 / 30)


def test_the_norm_is_inclusive(tiny):
    rows = tiny.plan.assignment.assign(minutes=30.0)
    assert INDICATORS["beyond_norm_pupils"](with_rows(tiny.plan, assignment=rows)) == 0
    rows = rows.assign(minutes=30.001)
    assert INDICATORS["beyond_norm_pupils"](with_rows(tiny.plan, assignment=rows)) == 30


def test_one_closed_road_cuts_off_who_lives_beyond_it(tiny):
    """Doors that reach one road only: V2's 10 pupils go to S1 by the first road, V3's 12 to S3 by the last."""
    near = tiny.scenario.travel.model_copy(update={"max_access_m": 100.0})
    plan = with_rows(tiny.plan, scenario=tiny.scenario.model_copy(update={"travel": near}))
    assert INDICATORS["critical_link_pupils"](plan) == 12


def test_today_changes_nothing(tiny):
    assert moves(tiny.today).empty
    assert INDICATORS["changing_pupils"](tiny.today) == 0
    assert math.isnan(INDICATORS["changing_more_minutes"](tiny.today))


def test_unknown_seats_are_unknown(tiny):
    actions = tiny.plan.actions.copy()
    actions.loc[0, "seats"] = np.nan
    plan = with_rows(tiny.plan, actions=actions)
    assert math.isnan(INDICATORS["seats"](plan))
    assert INDICATORS["seats_used_percent"](plan) == pytest.approx(100 * 36 / 80)


def test_tables_by_band_and_town(tiny):
    assert by_band(tiny.plan)["pupils"].sum() == by_town(tiny.plan)["pupils"].sum() == 66
    assert math.isnan(by_band(tiny.plan).loc["kindergarten", "mean"])
    assert by_town(tiny.plan)["mean"].tolist() == pytest.approx([200 / 30, 240 / 36])


def test_compare_marks_better_and_worse(tiny):
    table = scorecard(tiny.plan).set_index("indicator")
    assert table.loc["annual_cost_cny", "change"] == "better"
    assert table.loc["mean_minutes", "change"] == "worse"
    assert table.loc["longest_minutes", "change"] == "same"
    assert table.loc["schools_open", "change"] == ""
    assert compare(a=tiny.plan, b=tiny.plan, c=tiny.plan).columns.tolist()[-1] == "c_change"
    assert scorecard(tiny.today)["today"].isna().all()


def test_trips_are_no_better_for_those_who_lost_theirs(tiny, tmp_path):
    """V2 walks 20 minutes to S1; without any way, the others' mean is 4 and not 6.67, and that is nobody's gain."""
    rows = tiny.plan.assignment.copy()
    cut = (rows["demand_id"] == "V2") & (rows["minutes"] == 20.0)
    assert cut.any()
    rows.loc[cut, ["school_id", "minutes", "km", "mode", "reason"]] = ["", np.nan, np.nan, "", "unreachable"]
    worse = dataclasses.replace(tiny.plan, assignment=rows)
    marks = compare(plan=tiny.plan, cut=worse)["cut_change"]
    assert marks[["mean_minutes", "pupil_km"]].tolist() == ["incomparable"] * 2
    assert marks["unreachable_pupils"] == "worse"
    assert marks["longest_minutes"] == "same"
    assert compare(cut=worse, plan=tiny.plan)["plan_change"]["mean_minutes"] == "worse"
    for name, plan in {"plan": tiny.plan, "cut": worse}.items():
        (tmp_path / name).mkdir()
        scorecard(plan).to_csv(tmp_path / name / "scorecard.csv", index=False)
    table = compare_folders([tmp_path / "plan", tmp_path / "cut"]).set_index("indicator")
    assert table.loc["mean_minutes", "cut "] == "incomparable"
    assert table["cut "].tolist() == marks.tolist()


def test_a_name_is_registered_once():
    with pytest.raises(ValueError, match="stands twice"):
        indicator("A", "甲", "min", "")(INDICATORS["mean_minutes"].function)
