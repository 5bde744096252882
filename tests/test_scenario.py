"""Scenarios: presets, nearest spellings, contradictions; all faults in one pass."""

import math
import re

import pytest

from planner.errors import ScenarioError
from planner.scenario import parse_scenario, preset_names, read_preset, read_scenario


def test_the_preset_is_laid_under_the_scenario():
    scenario = parse_scenario('title = "A"\nnorms = "cn-rural-2018"\n[travel.max_minutes]\nkindergarten = 20')
    assert scenario.travel.limit_minutes("lower_primary") == 30
    assert scenario.travel.limit_minutes("kindergarten") == 20
    assert math.isinf(scenario.travel.limit_minutes("junior"))


@pytest.mark.parametrize("name", preset_names())
def test_every_value_of_a_preset_has_a_source_and_a_unit(name):
    for row in read_preset(name)["norm"]:
        assert row["source"]
        assert row["text"]
        assert row["text_zh"]
        assert row.get("source_zh") or not re.search("[A-Za-z]{3,} [A-Za-z]{3,}", row["source"])
        assert "unit" in row
    parse_scenario(f'title = "A"\nnorms = "{name}"')


def message(text: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, "a.toml")
    return str(caught.value)


def test_all_unknown_keys_are_named_with_the_nearest_spelling():
    said = message('title = "A"\n[travel]\nmodse = ["walk"]\n[[rules.per_town]]\nkind = []\n')
    assert "a.toml: travel.modse is not a key here. Did you mean modes?" in said
    assert "a.toml: rules.per_town.0.kind is not a key here. Did you mean kinds?" in said
    assert "a.toml: rules.per_town.0.stage is missing. Add it." in said


def test_contradictions_come_in_one_pass():
    said = message(
        """
        title = "A"
        [rules]
        keep = ["S1", "S2"]
        close = ["S1"]
        [[rules.per_town]]
        kinds = ["junior_middle"]
        stage = "primary"
        open = { min = 2, max = 1 }
        [objective]
        minimise = "capital_cost_cny"
        """
    )
    assert said.splitlines() == [
        "a.toml: rules: school S1 is in keep and in close. Take it out of one of them.",
        "a.toml: rules.per_town 1: open: min 2 is above max 1. Swap or correct them.",
        "a.toml: rules.per_town 1: junior_middle teaches no primary stage. Correct kinds or stage.",
        "a.toml: objective: capital_cost_cny needs capacity.cost_per_seat_cny. Give a cost per seat.",
    ]


def test_an_unknown_preset_and_text_that_is_no_toml():
    assert message('title = "A"\nnorms = "cn-rural"') == (
        "a.toml: norms: 'cn-rural' is no preset. Did you mean cn-rural-2018?"
    )
    assert message("title = ").startswith("a.toml: not TOML: ")


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ScenarioError, match="there is no such file"):
        read_scenario(tmp_path / "absent.toml")
    with pytest.raises(ScenarioError, match="this is a folder"):
        read_scenario(tmp_path)
    (tmp_path / "gbk.toml").write_bytes('title = "县"'.encode("gbk"))
    with pytest.raises(ScenarioError, match="not UTF-8"):
        read_scenario(tmp_path / "gbk.toml")
