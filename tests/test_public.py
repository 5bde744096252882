"""The public edition: no count of pupils from 1 to 4 anywhere, nor any total that gives one away."""

import dataclasses
import json
import math
import re
import sqlite3
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from planner.area import read_area, write_area
from planner.cli import app
from planner.compare import scorecard
from planner.draw.layers import payload
from planner.draw.pack import from_text
from planner.errors import DataError
from planner.explain import read_plan
from planner.hearing import hearing_pack
from planner.hearing.pages import page
from planner.indicators import INDICATORS, moves
from planner.model import BAND_GRADES, BANDS, GRADES
from planner.plan import alternatives, current_plan, frontier, optimise, road_flows
from planner.privacy import BASE, public_area, rounded, said_of_public
from planner.public import public, public_alternatives, public_frontier
from planner.report import save
from planner.robust import SHOWN, USUAL
from planner.scenario import parse_scenario
from planner.travel import travel_times
from planner.verify import verify
from planner.wording import bilingual, plain, remark
from tests.pages import counts_in
from tests.tiny import SCENARIO, make_area

XUNYI = "data/xunyi"
COUNTS = ("pupils", "seats", "without_school")
"""How columns of counts begin."""


@pytest.fixture(scope="module")
def county():
    """Xunyi, with one objective: the second would take ten times as long, and nothing here asks for it."""
    area = read_area(XUNYI)
    text, then = Path(f"{XUNYI}/scenarios/county-2023.toml").read_text("utf-8"), 'then = ["annual_cost_cny"]\n'
    assert then in text
    scenario = parse_scenario(text.replace(then, ""), "one-objective.toml")
    return area, travel_times(area, scenario.travel), scenario


@pytest.fixture(scope="module")
def published(county, tmp_path_factory):
    """A folder of the embedded county, in which most villages' bands have fewer than five pupils."""
    plan = optimise(*county)
    found = public(plan)
    return plan, found, found.save(tmp_path_factory.mktemp("public") / "plan")


def in_fives(values):
    """Whether every number is unknown or a multiple of five."""
    numbers = pd.to_numeric(pd.Series(list(values), dtype=object), errors="coerce").dropna().to_numpy(dtype=float)
    return bool((numbers % BASE == 0).all())


def counts(frame):
    return [column for column in frame if str(column).startswith(COUNTS) and not str(column).endswith("_percent")]


# ---------------------------------------------------------------- rounding


@given(st.lists(st.integers(0, 40), max_size=60))
def test_every_number_and_every_run_of_them_is_less_than_five_away(numbers):
    found = rounded(np.array(numbers, dtype=np.int64))
    assert (found % BASE == 0).all()
    before = np.concatenate([[0], np.cumsum(found - np.array(numbers, dtype=np.int64))])
    assert before.max(initial=0) - before.min(initial=0) < BASE
    assert all(new == 0 for new, old in zip(found, numbers, strict=True) if old == 0)


@settings(deadline=None, max_examples=30)
@given(st.permutations(["V1", "V2", "V3", "V4"]), st.lists(st.integers(0, 9), min_size=4, max_size=4))
def test_the_order_of_rows_changes_nothing_and_twice_is_once(order, pupils):
    area = make_area()
    some = area.pupils.assign(g2=pupils)
    once = public_area(dataclasses.replace(area, pupils=some))
    other = public_area(dataclasses.replace(area, pupils=some.loc[order], demand=area.demand.loc[order]))
    pd.testing.assert_frame_equal(once.pupils, other.pupils.loc[once.pupils.index])
    pd.testing.assert_frame_equal(once.pupils, public_area(once).pupils)


def test_the_county_keeps_its_totals_by_band_and_town(county):
    area = county[0]
    found = public_area(area)
    town = area.demand["town_id"]
    for band in BANDS:
        grades = list(BAND_GRADES[band])
        before, after = (some.pupils[grades].sum(axis=1) for some in (area, found))
        assert abs(before.sum() - after.sum()) < BASE
        assert ((before.groupby(town).sum() - after.groupby(town).sum()).abs() < BASE).all()
        assert ((before - after).abs() < BASE).all()


def test_a_schools_costs_do_not_tell_its_enrolment(county, published):
    """So much a school and so much a pupil: 303,000 a year was seven pupils."""
    area = county[0]
    own = area.schools["annual_cost_cny"].groupby(area.schools["kind"]).nunique()
    assert own["teaching_point"] > BASE  # so that what is hidden is there
    table = pd.read_csv(published[2] / "schools.csv")
    of_kind = table.groupby("kind")["annual_cost_cny"]
    assert (of_kind.min() == of_kind.max()).all()
    assert table["annual_cost_cny"].sum() == pytest.approx(area.schools["annual_cost_cny"].sum(), rel=0.05)
    assert in_fives(table["beds"])


def test_the_area_itself_is_not_written_into(tiny):
    before = tiny.area.pupils.copy(), tiny.area.schools.copy()
    public(tiny.plan)
    pd.testing.assert_frame_equal(tiny.area.pupils, before[0])
    pd.testing.assert_frame_equal(pd.DataFrame(tiny.area.schools), pd.DataFrame(before[1]))
    assert not tiny.plan.area.public


# ---------------------------------------------------------------- everything that is handed out


def test_most_cells_of_the_county_need_it(published):
    plan, _, _ = published
    assert (plan.assignment["pupils"] < BASE).mean() > 0.4


def test_the_map_holds_no_small_count(published):
    _, found, _ = published
    data = payload(found.area, [found.today, found], [scorecard(found.today), scorecard(found)])
    for village in data["villages"]:
        assert in_fives(village["pupils"])
    for school in data["schools"]:
        assert in_fives(stage[key] for stage in school["stages"].values() for key in ("pupils", "seats"))
    for plan in data["plans"]:
        assert in_fives(row[key] for row in plan["actions"] for key in ("pupils", "seats", "added"))
        assert in_fives(trip["pupils"] for trip in plan["trips"] if trip["pupils"] is not None)  # else all of a village
        for row, *values in zip(data["indicators"], plan["scores"]["today"], plan["scores"]["plan"], strict=True):
            if row["unit"] in ("pupils", "seats"):
                assert in_fives(value for value in values if value is not None)
    assert all(in_fives(some) for ground in data["grounds"] for some in ground["flows"]["pupils"])
    assert data["area"]["public"] is True
    assert plain(said_of_public()) in data["area"]["assumptions"]


def test_the_paper_for_the_hearing_tells_no_small_count(published):
    """Sentences, tables and headings of a town where six schools close, and of a school with 18 rows of villages."""
    plan, _, _ = published
    pack = hearing_pack(plan, towns=["610429101"], schools=["S013"], public=True)
    found = counts_in(page(pack.plan, "zh", pack.sheets))
    assert len(found) > 200
    assert in_fives(found)


def test_the_data_in_the_page_is_the_public_plans(published):
    """The page has nothing but what ``payload`` gives, which is read out of it as the page itself does."""
    _, _, folder = published
    said = re.search(r'id="plan-data">(.*?)</script>', (folder / "map.html").read_text("utf-8"))
    assert said is not None, "the page's data cannot be read: nobody knows what it tells"
    data = from_text(said[1])
    assert data["area"]["public"] is True
    assert len(data["villages"]) > 100
    assert in_fives(count for village in data["villages"] for count in village["pupils"])
    assert in_fives(trip["pupils"] or 0 for plan in data["plans"] for trip in plan["trips"])
    for question in data["whatif"]["questions"]:
        assert in_fives(site[2] for site in question["sites"])  # seats
        assert question["pupils"] is None  # those of the villages above


def test_no_table_holds_a_small_count(published):
    _, _, folder = published
    for file in folder.glob("*.csv"):
        frame = pd.read_csv(file)
        for column in counts(frame):
            assert in_fives(frame[column]), (file.name, column)
        if file.name == "scorecard.csv":
            rows = frame[frame["unit"].isin(["pupils", "seats"])]
            assert in_fives(rows["today"])
            assert in_fives(rows["plan"])


def test_no_cell_of_the_workbook_is_a_small_count(published):
    _, _, folder = published
    book = openpyxl.load_workbook(folder / "report.xlsx")
    seen = 0
    for sheet in book:
        for cells in sheet.iter_cols(min_row=1):
            if str(cells[0].value).startswith(COUNTS) and not str(cells[0].value).endswith("_percent"):
                numbers = [cell.value for cell in cells[2:] if isinstance(cell.value, (int, float))]
                assert in_fives(numbers), (sheet.title, cells[0].value)
                seen += len(numbers)
    assert seen > 1000
    assert any(bilingual(said_of_public()) in str(row[2].value) for row in book.worksheets[0].iter_rows())


def test_no_row_of_the_geopackage_is_a_small_count(published):
    _, _, folder = published
    seen = set()
    for layer in gpd.list_layers(folder / "plan.gpkg")["name"]:
        frame = gpd.read_file(folder / "plan.gpkg", layer=layer)
        for column in counts(frame):
            assert in_fives(frame[column]), (layer, column)
            seen.add(layer)
    assert seen >= {"schools", "demand", "towns", "assignment", "road_flows"}
    with sqlite3.connect(folder / "plan.gpkg") as file:  # nothing is left in free pages
        assert file.execute("pragma freelist_count").fetchone() == (0,)


def test_plan_json_holds_the_rounded_figures_and_no_bound(published):
    plan, found, folder = published
    said = json.loads((folder / "plan.json").read_text("utf-8"))
    assert said["public"] is True
    assert said["bound"] is None
    assert said["objective"] == pytest.approx((found.assignment["pupils"] * found.assignment["minutes"]).sum())
    assert said["objective"] != plan.objective
    assert said["notes"][0] == plain(said_of_public())
    for row in said["scorecard"].values():
        if row["unit"] in ("pupils", "seats"):
            assert in_fives([row["today"], row["plan"]])
    assert json.loads((folder / "manifest.json").read_text("utf-8"))["inputs"]["area"]["files"] == {}


def test_moves_flows_and_indicators_are_sums_of_the_rounded_counts(published):
    _, found, _ = published
    assert in_fives(moves(found)["pupils"])
    assert in_fives(road_flows(found)["pupils"])
    assert found.annual_cost_cny > 0
    for indicator in INDICATORS.values():
        if indicator.unit == "pupils":
            assert indicator(found) % BASE == 0


def test_schools_and_ways_are_those_of_the_plan(published):
    plan, found, _ = published
    same = ["school_id", "stage", "action", "into"]
    pd.testing.assert_frame_equal(found.actions[same], plan.actions[same])
    keys = ["demand_id", "band", "school_id"]
    both = found.assignment.merge(plan.assignment, on=keys, suffixes=("", "_full"))
    assert len(both) == len(found.assignment)
    assert (both["minutes"] == both["minutes_full"]).all()
    assert (both["pupils"] - both["pupils_full"]).abs().max() < BASE


# ---------------------------------------------------------------- kinds of plans


def test_parts_of_a_split_village_are_multiples_of_five(tiny):
    """V1's ten pupils of the lower grades go to two schools, 7 and 3; junior pupils are two and four."""
    rows = tiny.plan.assignment.copy()
    rows.loc[0, "pupils"] = 7
    extra = rows.iloc[[0]].assign(school_id="S3", pupils=3, minutes=60.0, km=4.5)
    plan = dataclasses.replace(tiny.plan, assignment=pd.concat([rows, extra], ignore_index=True))
    found = public(plan).assignment
    assert in_fives(found["pupils"])
    assert found[(found["demand_id"] == "V1") & (found["band"] == "lower_primary")]["pupils"].sum() == 10


def test_a_note_with_a_figure_is_left_out(tiny):
    plan = dataclasses.replace(tiny.plan, notes=("3 pupils live beyond.", "Norms cannot be kept."))
    assert public(plan).notes == (said_of_public(), "Norms cannot be kept.")


def test_seats_that_are_built_for_the_last_pupils_do_not_tell_of_them(tiny):
    actions = tiny.plan.actions.assign(seats_added=[3.0, 0, 0, 0], seats=[103.0, 0, 50, 30])
    found = public(dataclasses.replace(tiny.plan, actions=actions))
    assert found.actions["seats_added"].tolist() == [5, 0, 0, 0]
    assert found.capital_cost_cny == 5000


def test_an_area_without_pupils_is_published(tiny):
    pupils = pd.DataFrame(0, index=tiny.area.pupils.index, columns=list(GRADES), dtype="int64")
    area = dataclasses.replace(tiny.area, pupils=pupils)
    found = public(current_plan(area, tiny.times, tiny.scenario))
    assert found.assignment.empty
    assert found.actions["pupils"].sum() == 0


def test_points_of_a_frontier_and_alternatives_are_public(tiny):
    front = public_frontier(frontier(tiny.area, tiny.times, tiny.scenario, ("mean_minutes", "annual_cost_cny")))
    found = public_alternatives(alternatives(tiny.area, tiny.times, tiny.scenario, within_percent=1000))
    plans = [*(point.plan for point in front.points), *found.plans]
    assert all(plan.area.public and in_fives(plan.assignment["pupils"]) for plan in plans)
    assert front.table["bound"].isna().all()
    assert found.table["bound"].isna().all()
    for point in front.points:
        assert point.first == INDICATORS["mean_minutes"](point.plan)


# ---------------------------------------------------------------- the folder, read again


def test_a_public_folder_is_verified_as_far_as_rounded_counts_can_be(published, tiny, tmp_path):
    _, _, folder = published
    found = verify(folder)
    assert found.passed, found
    assert "public edition" in found.checks[-1].name
    (folder / "towns.csv").write_text("changed", "utf-8")
    assert "towns.csv has been changed" in str(verify(folder))
    with pytest.raises(DataError, match="public edition"):
        read_plan(folder)


def test_the_command_line_writes_a_public_edition(tmp_path):
    area = make_area()
    uneven = dataclasses.replace(area, pupils=area.pupils.assign(g2=[3, 4, 1, 2]))
    county = write_area(uneven, tmp_path / "county", scenarios={"plan.toml": SCENARIO})
    run = ["run", str(county / "scenarios" / "plan.toml"), "--public", "--json", "--out", str(tmp_path / "p")]
    found = CliRunner().invoke(app, run)
    assert found.exit_code == 0, found.output
    said = json.loads(found.stdout)
    assert said["public"] is True
    names = [check["name"] for check in said["verification"]["checks"]]
    assert "pupils have seats" in names  # of the full plan, which nobody sees
    assert not math.isnan(said["objective"])
    for name in ("assignment", "bands", "villages", "schools", "towns"):
        frame = pd.read_csv(tmp_path / "p" / f"{name}.csv")
        assert counts(frame)
        assert all(in_fives(frame[column]) for column in counts(frame)), name
    with pytest.raises(DataError, match="public edition"):
        read_plan(tmp_path / "p")
    refused = CliRunner().invoke(app, ["robust", str(tmp_path / "p")])
    assert isinstance(refused.exception, DataError)


def test_no_future_of_a_public_plan_tells_more_than_it_does(tmp_path):
    """The map's data and the table: counts in fives that come from the plan's own public counts, in futures as well."""
    area = make_area()
    uneven = dataclasses.replace(area, pupils=area.pupils.assign(g2=[3, 4, 1, 2]))
    county = write_area(uneven, tmp_path / "county", scenarios={"plan.toml": SCENARIO})
    run = CliRunner().invoke(app, ["run", str(county / "scenarios" / "plan.toml"), "--out", str(tmp_path / "p")])
    assert run.exit_code == 0, run.output
    map_file = tmp_path / "futures.html"
    asked = ["robust", str(tmp_path / "p"), "--roads", "1", "--public", "--map", str(map_file)]
    asked += ["--out", str(tmp_path / "futures.csv"), "--json"]
    found = CliRunner().invoke(app, asked)
    assert found.exit_code == 0, found.output
    table = pd.DataFrame(json.loads(found.stdout)["futures"])
    assert all(in_fives(table[name]) for name in table if str(name).endswith("pupils"))
    said = re.search(r'id="plan-data">(.*?)</script>', map_file.read_text("utf-8"))
    assert said is not None
    data = from_text(said[1])
    assert data["area"]["public"] is True
    assert len(data["plans"]) > len(USUAL)
    rows = pd.read_csv(tmp_path / "futures.csv")
    names = [row["indicator"] for row in data["indicators"]]
    for plan, (_, row) in zip(data["plans"], rows.iterrows(), strict=True):  # of the map, and of the table of this run
        said = dict(zip(names, plan["scores"]["plan"], strict=True))
        assert [said[key] for key in SHOWN] == pytest.approx(row[list(SHOWN)].tolist(), abs=1e-6), row["future"]
        rounded_again = plain(remark("note.public_future", base=BASE)) in plan["notes"]
        assert rounded_again is (row["future"] != USUAL[0].name)
    assert in_fives(count for village in data["villages"] for count in village["pupils"])
    assert any(question["pupils"] for question in data["whatif"]["questions"])  # of futures with fewer or more
    for question in data["whatif"]["questions"]:
        assert in_fives(count for some in question["pupils"] or [] for count in some)
        assert in_fives(site[2] for site in question["sites"])
    for plan in data["plans"]:
        assert in_fives(row[key] for row in plan["actions"] for key in ("pupils", "seats", "added"))
        assert in_fives(trip["pupils"] or 0 for trip in plan["trips"])


def test_a_full_plan_saved_says_so(tiny, tmp_path):
    folder = save(tiny.plan, tmp_path / "p")
    assert json.loads((folder / "plan.json").read_text("utf-8"))["public"] is False
