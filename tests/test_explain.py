"""Explanations: who moves by hand, the rules that bind, and text in two languages."""

import dataclasses
import itertools
import json
import math
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from planner.compare import compare
from planner.errors import DataError
from planner.explain import explain, explain_all, read_plan
from planner.explain.bindings import bindings
from planner.explain.fates import fate_of, moves_between, the_other_way
from planner.explain.pupils import with_pupils
from planner.explain.show import document, table_of
from planner.explain.telling import opposite
from planner.plan import ask, current_plan, optimise, score
from planner.scenario import parse_scenario
from planner.wording import LANGUAGES, Amount, Listed, spoken
from tests import tiny as tiny_module

# ---------------------------------------------------------------- by hand


def loose():
    return parse_scenario(tiny_module.SCENARIO.replace("max = 0", "max = 1"), "tiny.toml")


def test_a_closing_school(tiny):
    why = explain(tiny.plan, "S2")
    assert why.moves["pupils"].sum() == 20
    assert why.other_way is None
    assert why.change == (math.inf, math.inf)
    assert why.rules == ("town_max",)
    assert (why.flips[0].what, why.flips[0].status, why.flips[0].now, why.flips[0].at) == ("pupils", "never", 20, 60)
    with pytest.raises(DataError, match="there is no school 'X'"):
        explain(tiny.plan, "X")


def test_a_kept_school(tiny):
    best = optimise(tiny.area, tiny.times, loose())
    assert best.objective == 240
    why = explain(best, "S2")
    assert why.other_way.objective == 440
    assert why.change == (200, 200)
    assert why.rules == ()
    assert why.indicators.loc["mean_minutes", ["plan", "other"]].tolist() == pytest.approx([240 / 66, 440 / 66])
    assert why.other_moves.groupby(["from_school", "to_school"])["pupils"].sum().to_dict() == {
        ("S2", "S1"): 10,
        ("S2", "S3"): 10,
    }
    with pytest.MonkeyPatch.context() as patch:  # what is proven already is not looked for again
        patch.delattr(sys.modules["planner.explain.school"], "optimise")
        known = explain(best, "S2", thresholds_s=0, in_turn=False)
    assert str(known) == str(explain(best, "S2", thresholds_s=0))
    said = str(why)
    assert "With it closed, the best plan has 440 pupil minutes, which is 200 pupil minutes more than the 240" in said
    assert "This is proven" in said
    # without pupils in Two and 三村 nobody would miss it, and not before
    flip = next(f for f in why.flips if f.what == "pupils")
    assert (flip.status, flip.now) == ("flips", 20)
    assert flip.at < 20


def test_a_school_that_grows_too_large_to_close_is_not_said_to_do_as_well(tiny):
    """With 23 pupils it may not close; kept, it would still be one school more than without it."""
    rules = loose().rules.model_copy(update={"keep": ("S1",), "may_close_below_pupils": 23})
    goal = loose().objective.model_copy(update={"minimise": "schools_open"})
    why = explain(optimise(tiny.area, tiny.times, loose().model_copy(update={"rules": rules, "objective": goal})), "S2")
    flip = next(f for f in why.flips if f.what == "pupils")
    assert (flip.status, flip.now, flip.at, flip.enrolled) == ("flips", 20, 23, 23)
    assert "with 23 pupils or more" in str(why)
    assert "it would have 23 pupils itself and be too large to close" in str(why)
    assert all(math.isnan(f.enrolled) for f in why.flips if f is not flip)


def test_a_school_that_a_rule_keeps_is_explained_with_the_rule_set_aside(tiny):
    kept = loose().model_copy(update={"rules": loose().rules.model_copy(update={"keep": ("S2",)})})
    why = explain(optimise(tiny.area, tiny.times, kept), "S2")
    assert why.rules == ("keep",)
    assert why.change == (200, 200)
    assert "set aside" in str(why)
    assert {f.status for f in why.flips} <= {"never"}


def test_keeping_a_school_does_not_make_it_take_up_what_it_may_gain(tiny):
    text = tiny_module.SCENARIO.replace("[rules]", '[rules]\nkeep = ["S1"]\nmay_gain = { S1 = ["junior"] }')
    plan = optimise(tiny.area, tiny.times, parse_scenario(text, "tiny.toml"))
    assert plan.actions["action"].tolist() == ["keep", "close", "keep", "keep"]


def test_a_candidate_that_is_not_opened_is_explained_too(tiny):
    schools = tiny.area.schools.assign(status=["existing", "candidate", "existing"])
    area = dataclasses.replace(tiny.area, schools=schools)
    plan = optimise(area, tiny.times, tiny.scenario)
    assert plan.actions.set_index("school_id").loc["S2", "action"] == "none"
    why = explain(plan, "S2")
    assert why.rules == ("town_max",)
    assert "candidate, not opened" in str(why)
    assert "With it opened, no plan keeps every rule" in str(why)
    assert "若开办该校，" in why.text("zh")
    opened = optimise(area, tiny.times, loose())
    assert opened.actions.set_index("school_id").loc["S2", "action"] == "open"
    assert "it could as well be left unopened" in str(explain(opened, "S2"))


def test_two_rules_of_towns_are_eased_together(tiny):
    rule = tiny_module.SCENARIO[tiny_module.SCENARIO.index("[[rules.per_town]]") : tiny_module.SCENARIO.index("[capac")]
    twice = tiny_module.SCENARIO.replace(rule, rule + rule.replace(', "teaching_point"', ""))
    said = str(explain(optimise(tiny.area, tiny.times, parse_scenario(twice, "tiny.toml")), "S2", thresholds_s=0))
    assert "If each of these rules allowed one more, it would be kept: the best plan would then have 200 pupil" in said


def test_figures_in_a_sentence_add_up(tiny):
    """As rounded: 240.4 and 200.4 more are 440.8, which is said as 440."""
    best = optimise(tiny.area, tiny.times, loose())
    said = opposite(best, tiny.question, fate_of(best, tiny.question, "S2"), 240.4, (200.4, 200.4), (), [])
    assert "has 440 pupil minutes, which is 200 pupil minutes more than the 240 pupil" in said[0].text("en")


def test_a_proposal_is_explained_against_the_best_plan_with_the_same_fate(tiny):
    close = pd.DataFrame({"school_id": ["S2"], "action": ["close"]})
    plan = score(tiny.area, tiny.times, loose(), close)
    why = explain(plan, "S2")
    assert why.change == (-200, -200)
    assert explain_all(plan).set_index("school_id").loc["S2", "at_most"] == -200


def test_moves_of_a_split_band_pair_whoever_leaves_with_whoever_comes(tiny):
    rows = tiny.plan.assignment.iloc[[0, 0]].assign(school_id=["S1", "S3"], pupils=[6, 4], minutes=[0.0, 60.0])
    before = dataclasses.replace(tiny.plan, assignment=rows)
    after = dataclasses.replace(tiny.plan, assignment=rows.assign(pupils=[1, 9]))
    assert moves_between(before, after).values.tolist() == [["V1", "lower_primary", 5, "S1", "S3", 0.0, 60.0]]
    assert moves_between(before, before).empty


def test_pupils_are_added_one_by_one_and_none_is_lost():
    cells = {("V1", "g1"): 7, ("V1", "g4"): 3, ("V2", "g1"): 1}
    area = tiny_module.make_area()
    before = np.zeros(3)
    for count in range(34):
        changed = with_pupils(area, "S1", cells, count)
        now = np.array([changed.pupils.at[cell] for cell in cells])
        assert now.sum() == count
        assert (now >= before).all()
        before = now
        if count == 11:
            assert now.tolist() == [7, 3, 1]
            assert changed.schools.at["S1", "pupils_primary"] == 20
    assert area.pupils.at["V1", "g1"] == 10


def test_rules_that_bind(tiny):
    question = tiny.question
    of = {s: [b.rule for b in bindings(tiny.plan, question, fate_of(tiny.plan, question, s))] for s in ("S1", "S2")}
    assert of == {"S1": ["captive"], "S2": ["town_max"]}
    text = tiny_module.SCENARIO.replace("may_close_below_pupils = 40", 'may_close_below_pupils = 5\nclose = ["S2"]')
    text = text.replace('["village_primary", "teaching_point"]', '["central_primary", "village_primary"]')
    text = text.replace("{ min = 0, max = 0 }", "{ min = 0, except_towns = {} }").replace(", except_towns = {}", "")
    text = text.replace("open = { min = 0 }", "open = { min = 0, max = 3 }\nexcept_towns = { A = { min = 1 } }")
    scenario = parse_scenario(text, "tiny.toml")
    plan = optimise(tiny.area, tiny.times, scenario)
    question = ask(plan.area, plan.times, scenario)
    of = {s: [b.rule for b in bindings(plan, question, fate_of(plan, question, s))] for s in ("S1", "S2")}
    assert of == {"S1": ["too_large", "captive", "town_min"], "S2": ["close"]}
    assert the_other_way(scenario, fate_of(plan, question, "S2")).rules.close == ()
    assert the_other_way(scenario, fate_of(plan, question, "S1")).rules.close == ("S2", "S1")


# ---------------------------------------------------------------- text and files


def test_every_key_that_the_code_can_ask_for_is_there():
    file = Path(__file__).parents[1] / "planner" / "explain" / "sentences.toml"
    table = tomllib.loads(file.read_text("utf-8"))["sentences"]
    for side, what in itertools.product(("keep", "close"), ("pupils", "norm")):
        assert {f"flip.{what}.{side}.{status}" for status in ("flips", "never", "open")} <= set(table)
    assert {"flip.pupils.keep.large", "flip.pupils.close.none"} <= set(table)
    assert {f"flip.worth.{side}.flips" for side in ("keep", "close")} <= set(table)
    assert {f"flip.annual_cost_cny.{side}.flips" for side in ("keep", "close")} <= set(table)
    assert {f"eased.{s}{each}{t}" for s in ("keep", "close") for each in ("", ".each") for t in ("", ".not")} <= set(
        table
    )


@pytest.mark.parametrize("school", tiny_module.SCHOOLS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_text_has_no_gaps(tiny, school, language):
    for plan in (tiny.plan, optimise(tiny.area, tiny.times, loose())):
        text = explain(plan, school).text(language)
        assert "nan" not in text
        assert "inf" not in text.replace("infeasible", "")
        assert ("学生" in text) == (language == "zh")


def test_lists_and_amounts():
    assert spoken(Amount(1, "pupils"), "en") == "1 pupil"
    assert spoken(Amount(0.04, "minutes", 1), "en") == "0 minutes"
    assert spoken(Listed(("a",)), "zh") == "a"


def test_json_holds_it_all_and_no_infinity(tiny):
    best = optimise(tiny.area, tiny.times, loose())
    for plan, school in ((tiny.plan, "S2"), (best, "S2"), (best, "S1")):
        made = json.loads(json.dumps(document(plan, explain(plan, school)), allow_nan=False))
        assert set(made["text"]) == {"en", "zh"}
        assert made["other_way"]["possible"] == (made["other_way"]["at_least"] is not None)
    title, shown = table_of(best, explain_all(best), "zh")
    assert "人·分钟" in title
    assert shown.columns.tolist()[:2] == ["编号", "学校"]
    assert shown.iloc[1].tolist()[3:6] == ["保留", "撤并", "+200"]


def test_a_saved_plan_is_the_plan_again(tmp_path):
    from planner.area import read_area, write_area
    from planner.travel import travel_times

    folder = write_area(tiny_module.make_area(), tmp_path / "tiny", scenarios={"plan.toml": tiny_module.SCENARIO})
    area, scenario = read_area(folder), parse_scenario(tiny_module.SCENARIO, "tiny.toml")
    made = optimise(area, travel_times(area, scenario.travel), scenario)
    again = read_plan(made.save(tmp_path / "plan"))
    pd.testing.assert_frame_equal(again.actions, made.actions, check_dtype=False)
    pd.testing.assert_frame_equal(
        again.assignment[made.assignment.columns], made.assignment, check_dtype=False, atol=1e-12
    )
    assert set(compare(made=made, again=again)["again_change"]) <= {"same", ""}
    assert (again.status, again.objective, again.gap) == (made.status, made.objective, made.gap)
    pd.testing.assert_frame_equal(again.today.actions, current_plan(area, made.times, scenario).actions)
    with (tmp_path / "plan" / "assignment.csv").open("a", encoding="utf-8") as file:
        file.write("V1,x,A,junior,S1,x,1,1,1,walk,\n")
    with pytest.raises(DataError, match=r"assignment\.csv has been changed since the plan was written"):
        read_plan(tmp_path / "plan")
    made.save(tmp_path / "plan")
    table = pd.read_csv(folder / "demand.csv")
    table["population"] += 1
    table.to_csv(folder / "demand.csv", index=False)
    with pytest.raises(DataError, match="the study area has changed since the plan was written"):
        read_plan(tmp_path / "plan")


@pytest.mark.parametrize(
    ("section", "asked", "said", "zh"),
    [
        ("rules", {"min_pupils_per_school": 5}, "With rules.min_pupils_per_school, more pupils", "未求翻转点"),
        (
            "assignment",
            {"closest": True, "contiguous": True},
            "assignment.closest or assignment.contiguous",
            "assignment.closest或",
        ),
        ("assignment", {"beyond_norm": "allow"}, "Norm: not looked into. Ways beyond it are allowed", "计入目标"),
    ],
)
def test_what_is_not_looked_into_is_said_and_why(tiny, section, asked, said, zh):
    changed = {section: getattr(tiny.scenario, section).model_copy(update=asked)}
    if "beyond_norm" in asked:
        changed["objective"] = tiny.scenario.objective.model_copy(update={"minimise": "excess_pupil_minutes"})
    plan = optimise(tiny.area, tiny.times, tiny.scenario.model_copy(update=changed))
    why = explain(plan, "S3")
    assert said in why.text("en")
    assert zh in why.text("zh")
    assert not [flip for flip in why.flips if flip.what == "norm"]
    assert "not looked into" not in explain(plan, "S3", thresholds_s=0).text("en")
