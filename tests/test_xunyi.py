"""The embedded county: what is true in it, and that the published result is the optimiser's own answer."""

from collections import Counter
from pathlib import Path

import pytest

import planner as pl
from planner.indicators import open_by_kind_and_town
from planner.report import save
from planner.scenario import parse_scenario

FOLDER = Path(__file__).parents[1] / "data" / "xunyi"


@pytest.fixture(scope="module")
def county():
    return pl.read_area(FOLDER)


@pytest.fixture(scope="module")
def plan(county):
    scenario = pl.read_scenario(FOLDER / "scenarios" / "county-2023.toml")
    return pl.optimise(county, pl.travel_times(county, scenario.travel), scenario)


def ended(plan):
    """Schools by how they end (a school of several stages counts once)."""
    rows = plan.actions[plan.actions["action"].isin(["close", "merge"])].drop_duplicates("school_id")
    return Counter(rows["action"])


def test_what_is_true_of_the_county(county):
    assert county.synthetic
    assert county.towns.area.sum() / 1e6 == pytest.approx(1774, abs=2)
    assert county.demand["population"].sum() == 262_000
    villages = county.demand.index[county.demand.index.str.startswith("V")].str[:4]
    assert villages.nunique() == 125
    assert len(county.towns) == 10
    report = pl.check_area(FOLDER)
    assert report.faults == ()


def test_twenty_five_small_schools_close_and_one_nine_year_school_merges(plan):
    assert ended(plan) == {"close": 25, "merge": 1}
    assert plan.status == "optimal"
    assert plan.gap <= 0.0005
    schools = plan.area.schools.loc[plan.actions.loc[plan.actions["action"] == "close", "school_id"]]
    assert set(schools["kind"]) == {"teaching_point", "village_primary"}


def test_the_town_pattern(plan):
    kept = open_by_kind_and_town(plan)
    assert (kept["junior_middle"] + kept.get("nine_year", 0) == 1).all()
    assert (kept["central_primary"] == 1).all()
    assert (kept["central_kindergarten"] == 1).all()
    assert (kept["village_primary"] + kept["teaching_point"]).between(1, 2).all()


def test_another_question_has_another_answer(county):
    text = (FOLDER / "scenarios" / "county-2023.toml").read_text("utf-8")
    assert "open = { min = 1, max = 2 }" in text
    for changed in (
        text.replace("open = { min = 1, max = 2 }", "open = { min = 1, max = 3 }"),
        text.replace('may_merge_kinds = ["nine_year"]', "may_close_below_pupils = 1")
        .replace("max = 2", "max = 99")
        .replace("max = 1 }", "max = 9 }"),
    ):
        scenario = parse_scenario(changed)
        other = pl.optimise(county, pl.travel_times(county, scenario.travel), scenario)
        assert ended(other) != {"close": 25, "merge": 1}


def test_the_published_plan_verifies(plan, tmp_path):
    found = pl.verify(plan.save(tmp_path / "county-2023"))
    assert found.passed, str(found)


OTHERS = sorted({*(FOLDER / "scenarios").glob("*.toml")} - {FOLDER / "scenarios" / "county-2023.toml"})


@pytest.mark.parametrize("file", OTHERS, ids=lambda p: p.stem)
def test_every_other_scenario_runs_and_verifies(file, county, tmp_path):
    scenario = pl.read_scenario(file)
    plan = pl.optimise(county, pl.travel_times(county, scenario.travel), scenario)
    found = pl.verify(plan.save(tmp_path / file.stem))
    assert found.passed, str(found)


@pytest.mark.parametrize("asked", ["closest", "contiguous"])
@pytest.mark.usefixtures("tables_alone")
def test_conditions_on_assignment_are_proven_and_verify(asked, county, tmp_path):
    """One objective alone, to be quick: about two and four seconds of a processor."""
    text = (FOLDER / "scenarios" / "county-2023.toml").read_text("utf-8")
    scenario = parse_scenario(
        text.replace("[assignment]", f"[assignment]\n{asked} = true").replace('then = ["annual_cost_cny"]', "")
    )
    plan = pl.optimise(county, pl.travel_times(county, scenario.travel), scenario)
    assert (plan.status, plan.gap) == ("optimal", 0.0)
    found = pl.verify(save(plan, tmp_path / asked))
    assert found.passed, str(found)


@pytest.mark.usefixtures("tables_alone")
def test_closest_schools_and_catchments_in_one_piece_together_have_a_plan(county, tmp_path):
    """Within 2 %, to be quick; the bound is at least that of catchments in one piece alone."""
    text = (FOLDER / "scenarios" / "county-2023.toml").read_text("utf-8")
    both = text.replace("[assignment]", "[assignment]\nclosest = true\ncontiguous = true").replace(
        "gap = 0.0", "gap = 0.02"
    )
    scenario = parse_scenario(both.replace('then = ["annual_cost_cny"]', ""))
    plan = pl.optimise(county, pl.travel_times(county, scenario.travel), scenario)
    assert plan.status == "optimal"
    assert 206_859 < plan.bound <= plan.objective
    found = pl.verify(save(plan, tmp_path / "both"))
    assert found.passed, str(found)
