"""What if a school closed or stayed: by hand (docs/conventions.md 3.25)."""

import numpy as np
import pytest

from planner.draw.asked import to_toml, without_rules
from planner.errors import DataError
from planner.indicators import INDICATORS
from planner.plan import read_actions, what_if
from planner.plan.whatif import tenths
from planner.scenario import parse_scenario
from tests import tiny

CARDS = {
    "changing_pupils": 0,
    "mean_minutes": 1,
    "p90_minutes": 1,
    "longest_minutes": 1,
    "beyond_norm_pupils": 0,
    "without_seat_pupils": 0,
    "schools_open": 0,
}


def figures(plan):
    return {key: INDICATORS[key](plan) for key in CARDS}


def test_keeping_the_village_school_by_hand():
    """V2 stays at S2, V3 is 20 minutes from S2 as from S3: it stays where it is today."""
    made = tiny.make()
    kept = what_if(made.plan, reopen=["S2"])
    assert kept.assignment["school_id"].tolist() == made.today.assignment["school_id"].tolist()
    assert figures(kept) == {
        "changing_pupils": 0,
        "mean_minutes": (5 * 20 + 5 * 20 + 2 * 20) / 66,
        "p90_minutes": 20,
        "longest_minutes": 20,
        "beyond_norm_pupils": 0,
        "without_seat_pupils": 0,
        "schools_open": 3,
    }


def test_one_school_for_all_by_hand():
    """S1 alone has a primary stage: 60 pupils fit its 100 seats; V3 and V4 walk 40 and 60 minutes."""
    made = tiny.make()
    alone = what_if(made.plan, close=["S3/primary"])
    assert figures(alone) == {
        "changing_pupils": 2 * (5 + 5 + 10),
        "mean_minutes": (2 * (5 * 20 + 5 * 40 + 10 * 60) + 2 * 20) / 66,
        "p90_minutes": 60,
        "longest_minutes": 60,
        "beyond_norm_pupils": 15,  # lower primary alone has a norm
        "without_seat_pupils": 0,
        "schools_open": 2,
    }
    assert alone.actions.set_index(["school_id", "stage"]).at[("S3", "primary"), "action"] == "convert"


def test_unknown_schools_are_told_in_one_pass():
    with pytest.raises(DataError) as raised:
        what_if(tiny.make().plan, close=["S9", "S1/junior"], reopen=["S2/college"])
    assert len(raised.value.faults) == 3


def test_tenths_keep_to_their_side_of_the_norm():
    minutes = np.array([30.0, 30.0000001, 30.01, 30.04, 30.06, 29.99, np.nan])
    assert tenths(minutes, [30.0]).tolist()[:6] == [300, 300, 301, 301, 301, 300]
    assert tenths(np.array([33.34, 33.36]), [33.345]).tolist() == [333, 334]
    assert np.isnan(tenths(minutes, [30.0])[6])


def test_a_scenario_comes_back_from_its_toml():
    text = tiny.SCENARIO.replace('title = "Tiny"', 'title = \'"a\\""\'')
    scenario = parse_scenario(text + '[[futures]]\nname = "\\u007f"\npupils = { junior = 0.5 }\n')
    assert parse_scenario(to_toml(scenario)).sha256 == scenario.sha256
    kept = parse_scenario(tiny.SCENARIO.replace("[rules]", '[rules]\nkeep = ["S1"]\nclose = ["S2"]'))
    assert parse_scenario(without_rules(kept)).sha256 == parse_scenario(tiny.SCENARIO).sha256


def test_a_table_of_actions_from_a_page_loses_its_guards(tmp_path):
    path = tmp_path / "actions.csv"
    path.write_text("\ufeffschool_id,action\n'=S1,keep\n'+2,close\nO'Neil,keep\n", "utf-8")
    assert read_actions(path)["school_id"].tolist() == ["=S1", "+2", "O'Neil"]
