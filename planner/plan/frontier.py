"""The frontier of two indicators: the plans that no other plan beats on both, each proven and each a plan to open."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import Fault, InfeasibleError, ScenarioError
from planner.model import StudyArea, TravelTimes
from planner.optimise import Longest, OutOfTimeError, Point, Terms, limit
from planner.optimise import frontier as frontier_of
from planner.plan.best import plan_of, pose, terms
from planner.plan.given import notes, today_of
from planner.plan.infeasible import infeasible
from planner.plan.naming import proof_of
from planner.plan.question import Question, ask
from planner.plan.types import Plan
from planner.scenario import Goal, Objective, Scenario, contradictions
from planner.wording import Amount, Label, Phrase, Sentence, remark

if TYPE_CHECKING:
    import pandas as pd

OBJECTIVES: dict[str, Objective] = {
    "mean_minutes": "pupil_minutes",
    "annual_cost_cny": "annual_cost_cny",
    "capital_cost_cny": "capital_cost_cny",
    "schools_open": "schools_open",
}
"""Indicators that are sums, and the objective each rises and falls with."""

BETWEEN = (*OBJECTIVES, "longest_minutes")
"""Indicators a frontier may be drawn between."""


@dataclass(frozen=True, eq=False)
class FrontierPoint:
    """One plan of a frontier.

    Parameters
    ----------
    plan : keeps every rule of the scenario
    first, second : its two indicators
    bound : no plan whose second indicator is at most ``level`` has a lower first one
    level : the limit on the second indicator it was asked with; infinite: none
    gap : of the first indicator, relative
    proven : no plan is better on one of the two and as good on the other, to the gap of the scenario
    """

    plan: Plan
    first: float
    second: float
    bound: float
    level: float
    gap: float
    proven: bool


@dataclass(frozen=True, eq=False)
class Frontier:
    """Plans between two indicators, from the least of the second to the least of the first.

    Parameters
    ----------
    between : the first indicator, which is made least, and the second, which is limited
    points : no point beats another on both
    today : the two indicators of today's layout, which need not keep the rules
    """

    area: StudyArea
    scenario: Scenario
    between: tuple[str, str]
    points: tuple[FrontierPoint, ...]
    today: Plan

    @property
    def table(self) -> pd.DataFrame:
        """A row per point: ``point`` (from 1), the two indicators, ``bound`` and ``gap`` of the first, ``proven``."""
        import pandas as pd

        rows = [(k, p.first, p.second, p.bound, p.gap, p.proven) for k, p in enumerate(self.points, 1)]
        return pd.DataFrame(rows, columns=["point", *self.between, "bound", "gap", "proven"])


@dataclass(frozen=True, eq=False)
class Measure:
    """An indicator as the optimiser carries it: ``scale`` times a sum (or a longest way), and ``offset``."""

    carried: Terms | Longest
    scale: float = 1.0
    offset: float = 0.0

    def of(self, value: float) -> float:
        """The indicator of a sum."""
        return self.scale * value + self.offset

    def back(self, indicator: float) -> float:
        """The sum of an indicator."""
        return (indicator - self.offset) / self.scale


def frontier(
    area: StudyArea,
    times: TravelTimes,
    scenario: Scenario,
    between: Sequence[str] = ("mean_minutes", "annual_cost_cny"),
    *,
    points: int | None = 9,
    limits: Sequence[float] | None = None,
) -> Frontier:
    """The plans that no other plan beats on both of two indicators, under the scenario's rules.

    Parameters
    ----------
    between : two of ``BETWEEN``: the first is made least at limits on the second (``longest_minutes`` is always the
        second); the scenario's own objective is not looked at
    points : how many limits are set on the second indicator, evenly between its least and where the first is least;
        None for every plan there is, which may be thousands (where villages may be split, as many as time allows)
    limits : on the second indicator, instead: ``[30]`` with ``("schools_open", "longest_minutes")`` asks how few
        schools will do before anybody travels longer than 30 minutes

    Returns
    -------
    Frontier : the solver's time limit is for all points together; those that are not proven by then have their gap

    Raises
    ------
    ScenarioError : an indicator that is not of these, or one that needs figures the area or scenario has not
    InfeasibleError : no plan keeps every rule (within the loosest limit)

    Source: Haimes, Lasdon and Wismer 1971, IEEE Trans. SMC 1:296 (limits on the second objective).

    >>> front = frontier(tiny.area, tiny.times, tiny.scenario, ("mean_minutes", "schools_open"))
    >>> [(round(p.first, 3), p.second) for p in front.points]
    [(6.667, 2.0)]
    """
    first, second = _pair(between, scenario)
    asked = _asked(scenario, first, second)
    question = ask(area, times, asked)
    row = np.flatnonzero(question.reachable)
    problem, _ = pose(question, row)
    one, two = measure(question, first, row), measure(question, second, row)
    goal = one.carried
    if not isinstance(goal, Terms):
        raise TypeError("the first indicator is a sum")

    def between_them(count: int | None, levels: list[float] | None) -> tuple[Point, ...]:
        solver = asked.solver
        return frontier_of(
            problem,
            goal,
            two.carried,
            points=count,
            levels=levels,
            gap=solver.gap,
            time_limit_s=solver.time_limit_s,
            seed=solver.seed,
        )

    try:
        found = between_them(points, None if limits is None else [two.back(most) for most in limits])
    except OutOfTimeError:
        raise infeasible(question, "unknown") from None
    if not found:
        ends = between_them(2, None) if limits else ()
        if not ends:
            raise infeasible(question, "infeasible")
        raise _beyond(question, row, second, max(limits or ()), two.of(ends[0].second))
    today = today_of(question)
    made = []
    for number, point in enumerate(found, 1):
        values = (one.of(point.first), two.of(point.second))
        limited = limit(problem, two.carried, point.level)
        plan = plan_of(
            question,
            limited,
            row,
            point.solution,
            title=f"{scenario.title} · {number}",
            status="scored",
            today=today,
            notes=(*notes(question), _said(first, second, values, point)),
        )
        made.append(
            FrontierPoint(
                _of_scenario(plan, scenario),
                *values,
                one.of(point.bound),
                two.of(point.level),
                point.gap,
                point.proven,
            )
        )
    return Frontier(area, scenario, (first, second), tuple(made), _of_scenario(today, scenario))


def _of_scenario(plan: Plan, scenario: Scenario) -> Plan:
    """The plan as an answer to the scenario as it was written, not to the question made of it."""
    rooted = dataclasses.replace(plan.rooted, scenario_sha256=scenario.sha256)
    return dataclasses.replace(plan, scenario=scenario, rooted=rooted)


def _said(first: str, second: str, values: tuple[float, float], point: Point) -> Label:
    """What is known of a point, for the plan's notes."""
    names = {"first": Phrase(f"indicator.{first}"), "second": Phrase(f"indicator.{second}")}
    figures = {"this": f"{values[0]:,.2f}", "that": f"{values[1]:,.2f}"}
    return remark("note.frontier", **names, **figures, proof=proof_of(point.proven, point.gap))


def _pair(between: Sequence[str], scenario: Scenario) -> tuple[str, str]:
    """The two indicators, the longest way last."""
    file = str(scenario.path or "scenario")
    faults = []
    for word in between:
        if word not in BETWEEN:
            near = difflib.get_close_matches(word, BETWEEN, 1, 0.5)
            fix = f"Did you mean {near[0]}?" if near else f"Use two of {', '.join(BETWEEN)}."
            faults.append(Fault(file, f"frontier: {word!r} is no indicator a frontier can be drawn between", fix))
    if not faults and (len(between) != 2 or len(set(between)) < 2):
        said = f"frontier: {', '.join(between) or 'nothing'} is not two indicators"
        faults.append(Fault(file, said, f"Use two of {', '.join(BETWEEN)}."))
    if faults:
        raise ScenarioError(faults)
    first, second = between
    return (second, first) if first == "longest_minutes" else (first, second)


def _asked(scenario: Scenario, first: str, second: str) -> Scenario:
    """The scenario with the indicators as its objectives, so that what they need is asked for."""
    then = (OBJECTIVES[second],) if second in OBJECTIVES else ()
    asked = scenario.model_copy(update={"objective": Goal(minimise=OBJECTIVES[first], then=then)})
    if faults := list(contradictions(asked, str(scenario.path or "scenario"))):
        raise ScenarioError(faults)
    return asked


def measure(question: Question, indicator: str, row: np.ndarray) -> Measure:
    """An indicator of ``BETWEEN`` as the optimiser carries it.

    Parameters
    ----------
    row : the rows of the question that are served
    """
    if indicator == "longest_minutes":
        return Measure(Longest(question.minutes[row]))
    carried = terms(question, OBJECTIVES[indicator], row)
    pupils = float(question.rows["pupils"].to_numpy()[row].sum())
    if indicator == "mean_minutes":
        return Measure(carried, scale=1 / pupils if pupils else 1.0)
    if indicator == "annual_cost_cny":
        return Measure(carried, offset=question.scenario.costs.annual_cny_per_pupil * pupils)
    return Measure(carried)


def _beyond(question: Question, row: np.ndarray, second: str, most: float, least: float) -> InfeasibleError:
    """That no plan keeps the limit, and whose way stands against it."""
    why = [Sentence("beyond", {"key": second, "most": f"{most:,.6g}", "least": f"{least:,.6g}"})]
    if second == "longest_minutes":
        nearest = np.where(question.allowed[row], question.minutes[row], np.inf).min(axis=1)
        far = question.rows.iloc[row[nearest > most + 1e-6]]
        names = question.area.demand["name"]
        for demand, part in list(far.groupby("demand_id", sort=False))[:5]:
            values = {"village": f"{demand} {names[demand]}", "pupils": Amount(part["pupils"].sum(), "pupils")}
            why.append(Sentence("beyond.far", values))
    return InfeasibleError(why, [Sentence("help.limit", {"least": f"{math.ceil(least * 100) / 100:,.2f}"})])
