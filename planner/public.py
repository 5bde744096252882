"""The public edition of plans: what may be shown to everybody (``planner.privacy``, docs/decisions/0010)."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np

from planner.demand import largest_remainder
from planner.indicators import INDICATORS
from planner.model import BAND_STAGE, StudyArea
from planner.plan import Alternatives, Frontier, Plan, ask
from planner.plan.frontier import FrontierPoint
from planner.plan.given import ENDING, notes
from planner.plan.layout import Choice, annual_cost
from planner.plan.question import Question
from planner.privacy import BASE, public_area, said_of_public, upwards

if TYPE_CHECKING:
    import pandas as pd


def public(plan: Plan) -> Plan:
    """The plan on its area's public edition: schools and ways are the plan's, counts are multiples of five.

    Objective and costs are made again of the rounded counts; the bound, of which an objective could be told, is left
    out, and of the notes those with figures in them. A public plan is returned as it is.

    >>> found = public(tiny.plan)
    >>> found.assignment["pupils"].tolist(), found.objective, found.area.public
    ([10, 5, 5, 10, 10, 5, 5, 10, 5], 400.0, True)
    """
    return plan if plan.area.public else _published(plan, public_area(plan.area))


def public_frontier(front: Frontier) -> Frontier:
    """A frontier of public plans, its indicators those of the rounded counts.

    >>> from planner.plan import frontier
    >>> front = public_frontier(frontier(tiny.area, tiny.times, tiny.scenario, ("mean_minutes", "schools_open")))
    >>> front.table[["schools_open", "gap"]].values.tolist()
    [[2.0, 0.0]]
    """
    area, (first, second) = public_area(front.area), front.between
    points = []
    for point in front.points:
        plan = _published(point.plan, area)
        one, two = INDICATORS[first](plan), INDICATORS[second](plan)
        points.append(FrontierPoint(plan, one, two, math.nan, math.nan, _coarse(point.gap), point.proven))
    return dataclasses.replace(front, area=area, points=tuple(points), today=_published(front.today, area))


def public_alternatives(found: Alternatives) -> Alternatives:
    """Alternatives of public plans, their objectives those of the rounded counts, in the order they were found in.

    >>> from planner.plan import alternatives
    >>> public_alternatives(alternatives(tiny.area, tiny.times, tiny.scenario)).table["objective"].tolist()
    [400.0]
    """
    area = public_area(found.area)
    plans = tuple(_published(plan, area) for plan in found.plans)
    value = np.array([_value(plan, found.scenario.objective.minimise) for plan in plans])
    more = 100 * (value - value[0]) / abs(value[0]) if value[0] else np.zeros(len(value))
    gap = [_coarse(gap) for gap in found.table["gap"]]
    table = found.table.assign(objective=value, more_percent=more, bound=math.nan, gap=gap)
    return dataclasses.replace(found, area=area, plans=plans, table=table)


def _published(plan: Plan, area: StudyArea) -> Plan:
    question = ask(area, plan.times, plan.scenario)
    rows, choice = _choice(question, plan)
    actions = plan.actions.copy()
    came = rows.groupby(["school_id", "stage"])["pupils"].sum()
    keys = [*zip(actions["school_id"], actions["stage"], strict=True)]
    actions["pupils"] = [int(came.get(key, 0)) for key in keys]
    for column in ("seats", "seats_added"):  # as many are added as are needed: they tell of pupils
        actions[column] = upwards(actions[column])
    price = plan.scenario.capacity.cost_per_seat_cny
    seats = float(actions["seats_added"].sum(skipna=False))
    kept = tuple(note for note in plan.notes if not any(letter.isdigit() for letter in str(note)))
    made = dataclasses.replace(
        plan,
        area=area,
        actions=actions,
        assignment=rows.drop(columns="stage"),
        annual_cost_cny=annual_cost(question, choice),
        capital_cost_cny=0.0 if seats == 0 else math.nan if price is None else seats * price,
        bound=math.nan,
        gap=_coarse(plan.gap),
        today=None if plan.today is None else _published(plan.today, area),
        notes=tuple(dict.fromkeys((said_of_public(), *notes(question), *kept))),
        futures=None,
    )
    goal = plan.scenario.objective
    known = math.isfinite(plan.objective) and not goal.over
    return dataclasses.replace(made, objective=_value(made, goal.minimise) if known else math.nan)


def _choice(question: Question, plan: Plan) -> tuple[pd.DataFrame, Choice]:
    """Who goes where with the question's counts (and the stage), as a table and as a choice.

    The parts of a split band are multiples of five as well.
    """
    import pandas as pd

    rows = plan.assignment.assign(stage=plan.assignment["band"].map(BAND_STAGE))
    asked, sites = question.rows.reset_index(drop=True), question.sites.reset_index(drop=True)
    row = pd.MultiIndex.from_frame(asked[["demand_id", "band"]]).get_indexer(
        pd.MultiIndex.from_frame(rows[["demand_id", "band"]])
    )
    pupils = np.zeros(len(rows), dtype=np.int64)
    for k in np.unique(row[row >= 0]):
        of = row == k
        pupils[of] = BASE * largest_remainder(int(asked["pupils"][k]) // BASE, rows["pupils"].to_numpy(float)[of])
    some = pupils > 0
    rows = rows.assign(pupils=pupils)[some].reset_index(drop=True)
    site = pd.MultiIndex.from_frame(sites[["school_id", "stage"]]).get_indexer(
        pd.MultiIndex.from_frame(rows[["school_id", "stage"]])
    )
    open_stages = plan.actions[~plan.actions["action"].isin(ENDING)]
    is_open = pd.MultiIndex.from_frame(sites[["school_id", "stage"]]).isin(
        pd.MultiIndex.from_frame(open_stages[["school_id", "stage"]])
    )
    added = np.zeros(len(sites))
    return rows, Choice(is_open, row[some], site, pupils[some], rows["reason"].to_numpy(), added)


def _value(plan: Plan, objective: str) -> float:
    """An objective of a plan; running costs without those for a pupil, which no plan can change."""
    rows = plan.assignment[plan.assignment["school_id"] != ""]
    match objective:
        case "pupil_minutes":
            return float((rows["pupils"] * rows["minutes"]).sum())
        case "weighted_cny":
            weights = plan.scenario.objective.weights_cny
            return sum(price * _value(plan, word) for word, price in weights.items() if price)
        case "annual_cost_cny":
            return float(plan.annual_cost_cny - plan.scenario.costs.annual_cny_per_pupil * rows["pupils"].sum())
        case _:
            return float(INDICATORS[objective](plan))


def _coarse(gap: float) -> float:
    """A gap in hundredths of a per cent, upwards: it tells no objective."""
    return math.ceil(gap * 1e4 - 1e-6) / 1e4 if math.isfinite(gap) else gap
