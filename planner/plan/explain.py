"""Why a school closes or stays, who moves, and what would flip it: for the hearing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import DataError, Fault, InfeasibleError, ScenarioError
from planner.plan.best import optimise
from planner.plan.question import ask
from planner.plan.types import Plan

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Explanation:
    """What a parent may ask about one school.

    Parameters
    ----------
    school_id : the school
    actions : its rows of ``Plan.actions``
    reasons : sentences
    moves : pupils whose nearest school today it is and who go elsewhere: ``demand_id, band, pupils, school_id,
        minutes_today, minutes``
    other_way : the best plan in which the school has the opposite fate, None where there is none
    flips : sentences: what the opposite costs, or why it cannot be
    """

    school_id: str
    actions: pd.DataFrame
    reasons: tuple[str, ...]
    moves: pd.DataFrame
    other_way: Plan | None
    flips: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join((*self.reasons, *self.flips))


def explain(plan: Plan, school_id: str) -> Explanation:
    """Why this school closes or stays, who moves, and what the opposite would cost (solved anew).

    Raises
    ------
    DataError : the area has no such school

    >>> print(explain(tiny.plan, "S2"))
    S2 Village `${x}` </script>, primary: close.
    It has 20 pupils, fewer than the 40 below which a school may close.
    20 pupils move; their trips become 10.0 minutes longer on average, one way.
    With S2 kept, no plan keeps every rule: 甲镇, village_primary or teaching_point: at most 0 may be open, ...
    """
    schools = plan.area.schools
    if school_id not in schools.index:
        raise DataError([Fault("schools", f"there is no school {school_id!r}", "Use an id of the area's schools.")])
    question = ask(plan.area, plan.times, plan.scenario)
    actions = plan.actions[plan.actions["school_id"] == school_id].reset_index(drop=True)
    ends = actions["action"].isin(("close", "merge", "convert", "none"))
    moves = _moves(plan, school_id)
    here = (question.sites["school_id"] == school_id).to_numpy()
    pupils = question.enrolled[here & question.exists].sum()
    limit = plan.scenario.rules.may_close_below_pupils
    reasons = [
        f"{school_id} {schools.at[school_id, 'name']}, {stage}: {action}{f' into {into}' if into else ''}."
        for stage, action, into in zip(actions["stage"], actions["action"], actions["into"], strict=True)
    ]
    if not question.may_end[here].any():
        why = "the scenario keeps it" if school_id in plan.scenario.rules.keep else f"not fewer than {limit:g}"
        reasons.append(f"It has {pupils:g} pupils: it may not close ({why}).")
    elif ends.any() and pupils < limit < np.inf:
        reasons.append(f"It has {pupils:g} pupils, fewer than the {limit:g} below which a school may close.")
    if len(moves):
        longer = np.average(moves["minutes"] - moves["minutes_today"], weights=moves["pupils"])
        reasons.append(
            f"{moves['pupils'].sum()} pupils move; their trips become {longer:.1f} minutes longer on average, one way."
        )
    other, flips = _other_way(plan, school_id, bool(ends.all()))
    return Explanation(school_id, actions, tuple(reasons), moves, other, flips)


def _moves(plan: Plan, school_id: str) -> pd.DataFrame:
    columns = ["demand_id", "band", "pupils", "school_id", "minutes_today", "minutes"]
    if plan.today is None:
        return plan.assignment.iloc[:0].reindex(columns=columns)
    before = plan.today.assignment
    before = before[before["school_id"] == school_id][["demand_id", "band", "minutes"]]
    both = plan.assignment.merge(before, on=["demand_id", "band"], suffixes=("", "_today"))
    return both[both["school_id"] != school_id][columns].reset_index(drop=True)


def _other_way(plan: Plan, school_id: str, ended: bool) -> tuple[Plan | None, tuple[str, ...]]:
    rules = plan.scenario.rules
    key = "keep" if ended else "close"
    others = {
        "keep": tuple(s for s in rules.keep if s != school_id),
        "close": tuple(s for s in rules.close if s != school_id),
    }
    others[key] = (*others[key], school_id)
    scenario = plan.scenario.model_copy(update={"rules": rules.model_copy(update=others)})
    word = "kept" if ended else "closed"
    try:
        other = optimise(plan.area, plan.times, scenario)
    except (InfeasibleError, ScenarioError) as error:
        return None, (f"With {school_id} {word}, no plan keeps every rule: {str(error).splitlines()[0]}",)
    if np.isnan(plan.objective):
        return other, (f"With {school_id} {word}, the best plan has an objective of {other.objective:,.0f}.",)
    unit = plan.scenario.objective.minimise.replace("_", " ")
    more = other.objective - plan.objective
    share = more / plan.objective if plan.objective else float("nan")
    figures = f"{more:+,.0f} {unit} ({share:+.2%}) against {plan.objective:,.0f}"
    return other, (f"With {school_id} {word}, the best plan costs {figures}.",)
