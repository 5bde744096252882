"""A school's fate in a plan, the other fate it could have had, and what the best plan is worth with either."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import DataError, Fault, ScenarioError
from planner.plan import Plan, Question
from planner.remembered import remembered
from planner.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd

ENDING = ("close", "merge", "convert", "none")
Sites = tuple[int, ...]


@dataclass(frozen=True)
class Fate:
    """What becomes of a school, and the other way: sites (rows of ``Question.sites``) that open and that close.

    A school that goes on with all its stages could close. Any other, a candidate that is not opened included, could
    be kept with all of them.

    Parameters
    ----------
    school_id : the school
    stays : all its stages go on in the plan
    planned, other : sites that are open, sites that are closed
    """

    school_id: str
    stays: bool
    planned: tuple[Sites, Sites]
    other: tuple[Sites, Sites]


def fate_of(plan: Plan, question: Question, school_id: str) -> Fate:
    """The school's fate.

    Raises
    ------
    DataError : the area has no such school

    >>> fate_of(tiny.plan, tiny.question, "S2")
    Fate(school_id='S2', stays=False, planned=((), (1,)), other=((1,), ()))
    """
    if school_id not in plan.area.schools.index:
        raise DataError([Fault("schools", f"there is no school {school_id!r}", "Use an id of the area's schools.")])
    rows = plan.actions[plan.actions["school_id"] == school_id]
    return _fate(question, school_id, dict(zip(rows["stage"], rows["action"], strict=True)))


def fates(plan: Plan, question: Question) -> list[Fate]:
    """The fate of every school with a stage, in the order of the area's schools."""
    actions: dict[str, dict[str, str]] = {}
    for school, stage, action in plan.actions[["school_id", "stage", "action"]].itertuples(index=False):
        actions.setdefault(str(school), {})[str(stage)] = str(action)
    return [_fate(question, str(s), actions[str(s)]) for s in plan.area.schools.index if str(s) in actions]


def _fate(question: Question, school_id: str, actions: dict[str, str]) -> Fate:
    sites = question.sites
    everything = tuple(np.flatnonzero((sites["school_id"] == school_id).to_numpy()).tolist())
    own = tuple(j for j in everything if sites["origin"].iloc[j] != "gain")
    ends = {j: actions.get(sites["stage"].iloc[j], "none") in ENDING for j in own}
    if not any(ends.values()):
        return Fate(school_id, True, (own, ()), ((), everything))
    planned = tuple(j for j in own if not ends[j]), tuple(j for j in own if ends[j])
    return Fate(school_id, False, planned, (own, ()))


def the_other_way(scenario: Scenario, fate: Fate) -> Scenario:
    """The scenario that forces the other fate."""
    rules = scenario.rules
    lists = {key: tuple(s for s in getattr(rules, key) if s != fate.school_id) for key in ("keep", "close")}
    forced = "close" if fate.stays else "keep"
    lists[forced] += (fate.school_id,)
    return scenario.model_copy(update={"rules": rules.model_copy(update=lists)})


def allowed(question: Question, choice: tuple[Sites, Sites]) -> bool:
    """Whether the scenario's own word on single schools lets these sites open and close."""
    opened, closed = (np.array(part, dtype=np.int64) for part in choice)
    named = question.sites["school_id"].iloc[opened].isin(question.scenario.rules.close)
    return bool(question.may_end[closed].all()) and not named.any()


def moves_between(before: Plan, after: Plan) -> pd.DataFrame:
    """Pupils whose school differs between two plans of one area.

    Returns
    -------
    Columns ``demand_id, band, pupils, from_school, to_school, minutes_before, minutes_after``; a school is "" where
    there is none. Of a split band the pupils who can stay do, and the rest are paired in the order of schools.

    >>> moves_between(tiny.today, tiny.plan).values.tolist()[0]
    ['V2', 'lower_primary', 5, 'S2', 'S1', 0.0, 20.0]
    """
    import pandas as pd

    columns = ["demand_id", "band", "pupils", "from_school", "to_school", "minutes_before", "minutes_after"]
    old, new = (_by_band(plan) for plan in (before, after))
    found = []
    for key in [key for key in new if key in old and new[key] != old[key]]:
        leave, arrive = dict(old[key]), dict(new[key])
        for school in leave.keys() & arrive.keys():
            stay = min(leave[school][0], arrive[school][0])
            leave[school] = (leave[school][0] - stay, leave[school][1])
            arrive[school] = (arrive[school][0] - stay, arrive[school][1])
        for school, (count, minutes) in leave.items():
            left = count
            for to in list(arrive):
                moved = min(left, arrive[to][0])
                if moved > 0:
                    found.append((*key, moved, school, to, minutes, arrive[to][1]))
                    arrive[to] = (arrive[to][0] - moved, arrive[to][1])
                    left -= moved
    return pd.DataFrame(found, columns=columns).astype(
        {"pupils": "int64", "minutes_before": float, "minutes_after": float}
    )


@remembered
def _by_band(plan: Plan) -> dict[tuple[str, str], dict[str, tuple[int, float]]]:
    """Demand point and band -> school -> pupils and minutes."""
    found: dict[tuple[str, str], dict[str, tuple[int, float]]] = {}
    rows = plan.assignment[["demand_id", "band", "school_id", "pupils", "minutes"]]
    for demand, band, school, pupils, minutes in rows.itertuples(index=False):
        there = found.setdefault((demand, band), {})
        there[school] = (there.get(school, (0, 0.0))[0] + int(pupils), float(minutes))
    return found


def not_scored(plan: Plan) -> None:
    """Refuse a proposal under a scenario over futures: it is scored for the present, and its opposite would not be.

    Raises
    ------
    ScenarioError : the scenario's objective is over futures, and the plan is not the best for them
    """
    scenario = plan.scenario
    if scenario.objective.over and plan.futures is None:
        said = f"objective.over = {scenario.objective.over!r}, but the plan was scored for the present alone"
        raise ScenarioError([Fault(str(scenario.path or "scenario"), said, "Explain a plan that planner run made.")])
