"""Explanations of plans over futures: the other fate of every school against trying everything."""

import dataclasses
import math

import pandas as pd
import pytest

from planner.errors import InfeasibleError, ScenarioError
from planner.explain import explain, explain_all
from planner.explain.fates import fates
from planner.explain.worths import question_of, worths
from planner.hearing.why import reasons_of
from planner.plan import optimise, score
from tests.test_over import best, blocks_of, drawn


def the_other_way(scenario, fate):
    """The scenario with the school among those to close, or those to keep."""
    rules = scenario.rules
    lists = {key: [s for s in getattr(rules, key) if s != fate.school_id] for key in ("keep", "close")}
    lists["close" if fate.stays else "keep"].append(fate.school_id)
    changed = {key: tuple(schools) for key, schools in lists.items()}
    return scenario.model_copy(update={"rules": rules.model_copy(update=changed)})


@pytest.mark.parametrize("over", ["worst", "average"])
@pytest.mark.parametrize("seed", [0, 2, 8, 11])
def test_the_other_fate_is_the_best_there_is(seed, over):
    area, times, scenario, _ = drawn(seed, over)
    try:
        plan = optimise(area, times, scenario)
    except InfeasibleError:
        return
    question, table = question_of(plan), explain_all(plan).set_index("school_id")
    for fate in fates(plan, question):
        expected = best(area, blocks_of(area, times, the_other_way(scenario, fate)))
        planned, other = worths(question, fate, heed=False, prove_s=10.0)
        assert planned.upper == pytest.approx(plan.objective, abs=1e-3)
        assert planned.exact
        assert other.exact
        row = table.loc[fate.school_id]
        if expected is None:
            assert other.impossible
            assert row["proof"] == "impossible"
            continue
        assert other.upper == pytest.approx(expected[0], abs=1e-3, rel=1e-5)
        assert row["at_least"] - 1e-3 <= expected[0] - plan.objective <= row["at_most"] + 1e-3


def plan_of(seed, over="average"):
    area, times, scenario, _ = drawn(seed, over)
    return optimise(area, times, scenario)


def test_what_is_said():
    said = set()
    for over, named in (
        ("worst", "of the worst of the futures one, two"),
        ("average", "means over the futures one"),
    ):
        plan = plan_of(11, over)
        for school in ("S1", "S3"):
            why = explain(plan, school)
            assert "not looked into for a plan over futures" in str(why)
            assert {flip.what for flip in why.flips} <= {"worth", "annual_cost_cny"}
            assert (why.other_way is None) == math.isinf(why.change[1])
            if why.other_way is not None:
                assert named in str(why)
                assert "当前情形" in why.text("zh")
                assert why.change[1] == pytest.approx(why.other_way.objective - plan.objective, abs=1e-3)
                said.add(over)
    assert said == {"worst", "average"}


def test_a_proposal_under_futures_is_refused():
    plan = plan_of(11)
    keep = pd.DataFrame({"school_id": list(plan.area.schools.index), "action": "keep"})
    scored = score(plan.area, plan.times, plan.scenario, keep[plan.area.schools["status"].to_numpy() == "existing"])
    for of in (scored, dataclasses.replace(plan, futures=None)):
        with pytest.raises(ScenarioError, match="but the plan was scored for the present alone"):
            explain(of, "S1")
        with pytest.raises(ScenarioError, match="scored for the present alone"):
            explain_all(of)


def test_the_hearing_reads_them_off_the_table():
    plan = plan_of(11)
    school = str(plan.actions.loc[plan.actions["action"].isin(["close", "none"]), "school_id"].iloc[0])
    for public in (False, True):
        why = reasons_of(plan, [school], quick=False, seconds=1.0, tell=print, public=public)[school]
        assert why.opposite[0].key in ("hearing.more", "other.never", "hearing.more.public")
        assert why.flips[0].key == ("hearing.flips.public" if public else "flip.unasked.futures")
    scored = dataclasses.replace(plan, futures=None)
    assert reasons_of(scored, [school], quick=False, seconds=1.0, tell=print)[school].flips[0].key == "hearing.futures"
