"""One school explained: why it closes or stays, who moves, what the opposite costs, and what would flip it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.compare import compare
from planner.errors import InfeasibleError
from planner.explain.bindings import bindings
from planner.explain.fates import Fate, fate_of, moves_between, not_scored, the_other_way
from planner.explain.telling import about, binding, exchange, flipping, moved, moved_then, opposite, told
from planner.explain.thresholds import Flip, flips
from planner.explain.worths import question_of, worths
from planner.optimise import Forced, LocationSolution
from planner.plan import Plan, ask, optimise, pose
from planner.plan.best import plan_of
from planner.plan.infeasible import reasons
from planner.scenario import Scenario
from planner.wording import Sentence, text

if TYPE_CHECKING:
    import pandas as pd

PROVE_S = 5.0
"""Seconds to close what the relaxation leaves open."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """What a parent may ask about one school.

    Parameters
    ----------
    school_id : the school
    actions : its rows of ``Plan.actions``
    moves : pupils whose nearest school today it is and who go elsewhere: columns as ``moves_between`` gives them
    other_way : the best plan in which the school has the opposite fate, None where there is none or none was found
    change : how much more the objective is then, in its unit: at least and at most; infinite where no plan is left
    other_moves : pupils whose school then differs from the plan's
    indicators : every indicator of the plan and of ``other_way``, as ``compare`` gives it; empty without one
    rules : names of the rules that bind (``planner.explain.bindings``)
    flips : where the decision flips
    sentences : all of it as text
    """

    school_id: str
    actions: pd.DataFrame
    moves: pd.DataFrame
    other_way: Plan | None
    change: tuple[float, float]
    other_moves: pd.DataFrame
    indicators: pd.DataFrame
    rules: tuple[str, ...]
    flips: tuple[Flip, ...]
    sentences: tuple[Sentence, ...]

    def text(self, language: str = "en") -> str:
        """Sentences one a line, in ``en`` or ``zh``."""
        return text(self.sentences, language)

    def __str__(self) -> str:
        return self.text()


def explain(plan: Plan, school_id: str, *, thresholds_s: float = 30.0, in_turn: bool = True) -> Explanation:
    """Why this school closes or stays, who moves, what the opposite would cost, proven, and what would flip it.

    Parameters
    ----------
    thresholds_s : seconds for each threshold; 0 leaves them out
    in_turn : the opposite plan is the best in the objectives that come second and third, too. Without, where it is
        known already, any that is best in the first will do: in half the time

    Raises
    ------
    DataError : the area has no such school
    ScenarioError : the plan was not made for the futures that the scenario's objective is over

    >>> print(explain(tiny.plan, "S2"))
    S2 Village `${x}` </script>, village primary school in 甲镇: closing.
    It has 20 pupils today, and for 20 pupils it is the nearest school.
    10 pupils from Two go to S1 ... instead: 0 minutes before, 20 minutes after, one way on average; ... at the longest.
    10 pupils from 三村 go to S3 九年制学校 instead: ...
    Rule: in 甲镇 none may be open with a primary stage (village primary school or teaching point).
    If one more were allowed there, it would be kept: the best plan would then have 200 pupil minutes less ...
    With it kept, no plan keeps every rule: this is proven.
    Pupils: not even with 60 pupils in the villages it is nearest to (today 20 pupils) would it be kept.
    Norm: however strict the norm for lower-primary pupils, it would not be kept, as long as any plan keeps ...
    """
    not_scored(plan)
    question = question_of(plan)
    fate = fate_of(plan, question, school_id)
    actions = plan.actions[plan.actions["school_id"] == school_id].reset_index(drop=True)
    planned, other = worths(question, fate, heed=False, prove_s=PROVE_S)
    held = bindings(plan, question, fate)
    other_way, why = _other_way(plan, fate, other, in_turn=in_turn)
    moves = _moves_of(plan, fate)
    found = flips(question, fate, seconds=thresholds_s) if thresholds_s > 0 else []
    reference = planned.upper if math.isnan(plan.objective) else plan.objective
    change = _change(reference, other, other_way)
    if other_way is None:
        other_moves, indicators = moves_between(plan, plan), compare(plan=plan).iloc[:0]
    else:
        other_moves, indicators = moves_between(plan, other_way), compare(plan=plan, other=other_way)
    sentences = [
        *about(plan, question, fate, actions),
        *moved(plan, moves),
        *binding(question, fate, held),
        *opposite(plan, question, fate, reference, change, why, held),
        *(exchange(plan, other_way, fate) if other_way else ()),
        *(moved_then(plan, other_moves) if other_way else ()),
        *told(indicators),
        *(flipping(question, fate, found) if thresholds_s > 0 else ()),
    ]
    rules = tuple(dict.fromkeys(binding.rule for binding in held))
    return Explanation(
        school_id, actions, moves, other_way, change, other_moves, indicators, rules, tuple(found), tuple(sentences)
    )


def _other_way(plan: Plan, fate: Fate, other: Forced, *, in_turn: bool) -> tuple[Plan | None, tuple[Sentence, ...]]:
    """The best plan with the opposite fate; without one, why not."""
    scenario = the_other_way(plan.scenario, fate)
    over = bool(scenario.objective.over)
    if other.impossible and not over:
        return None, tuple(reasons(ask(plan.area, plan.times, scenario)))
    whole = scenario.objective.minimise == "pupil_minutes" and not over  # else a solution does not say who goes where
    if not in_turn and whole and other.exact and other.solution is not None:
        return _known(plan, scenario, other, other.solution), ()
    try:
        return optimise(plan.area, plan.times, scenario), ()
    except InfeasibleError as error:  # or out of time
        return None, tuple(why for why in error.why if isinstance(why, Sentence)) if other.impossible else ()


def _known(plan: Plan, scenario: Scenario, other: Forced, solution: LocationSolution) -> Plan:
    """The plan of a solution that is proven to be the best."""
    question = ask(plan.area, plan.times, scenario)
    row = np.flatnonzero(question.reachable)
    said = {"objective": other.upper, "bound": other.lower, "gap": 0.0, "seconds": 0.0, "today": plan.today}
    return plan_of(
        question, pose(question, row)[0], row, solution, title=scenario.title, status="optimal", notes=(), **said
    )


def _change(reference: float, other: Forced, other_way: Plan | None) -> tuple[float, float]:
    """By how much the objective rises at least and at most."""
    lower, upper = other.lower, other.upper
    if other_way is not None:
        lower, upper = max(lower, other_way.bound), min(upper, other_way.objective)
    return min(lower, upper) - reference, upper - reference


def _moves_of(plan: Plan, fate: Fate) -> pd.DataFrame:
    """Of all who move between today and the plan, those whose school it is today."""
    moves = moves_between(plan.today or plan, plan)
    return moves[moves["from_school"] == fate.school_id].reset_index(drop=True)
