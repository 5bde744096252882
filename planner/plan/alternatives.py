"""Nearly as good: the best plans that differ, in order, and how often each school is open among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import Fault, ScenarioError
from planner.model import StudyArea, TravelTimes
from planner.optimise import LocationSolution
from planner.optimise import alternatives as alternatives_of
from planner.plan.best import plan_of, pose, terms
from planner.plan.given import notes, today_of
from planner.plan.infeasible import infeasible
from planner.plan.naming import proof_of
from planner.plan.question import ask
from planner.plan.types import Plan
from planner.scenario import Scenario
from planner.wording import Label, remark

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = {
    "enough": "As many as were asked for.",
    "beyond": "No other plan that far apart is as good as was asked for: proven.",
    "none": "No other plan that far apart keeps every rule: proven.",
    "time": "There was no time to look for more.",
}


@dataclass(frozen=True, eq=False)
class Alternatives:
    """Plans that differ, the best first.

    Parameters
    ----------
    plans : each keeps every rule of the scenario
    table : a row per plan: ``plan`` (from 1), ``objective``, ``more_percent`` than the first, ``bound`` and ``gap`` (no
        plan that differs from those before it is below the bound), ``proven``, ``schools_open``, and, against the first
        plan, ``opens`` and ``closes`` (ids with spaces between them)
    schools : a row per school: ``school_id, name, kind, town_id, plans_open, share_open`` (of the plans), ``fate``
        (``always``, ``never`` or ``sometimes`` open)
    ended : a key of ``ENDINGS``
    """

    area: StudyArea
    scenario: Scenario
    plans: tuple[Plan, ...]
    table: pd.DataFrame
    schools: pd.DataFrame
    ended: str


def alternatives(
    area: StudyArea,
    times: TravelTimes,
    scenario: Scenario,
    *,
    within_percent: float = 2.0,
    plans: int = 10,
    apart: int = 2,
) -> Alternatives:
    """The best plans within some per cent of the optimum, any two of them at least ``apart`` schools apart.

    Each is the best, proven to the scenario's gap, of all that differ from every one before it. Two plans are as many
    schools apart as are open in one of them alone.

    Parameters
    ----------
    within_percent : of the scenario's first objective; further objectives decide among equals
    plans : at most

    Raises
    ------
    ScenarioError : the scenario does not fit the area, or its objective is over futures
    InfeasibleError : no plan keeps every rule

    >>> found = alternatives(tiny.area, tiny.times, tiny.scenario, within_percent=1000)
    >>> found.schools[["school_id", "fate"]].values.tolist(), found.ended
    ([['S1', 'always'], ['S2', 'never'], ['S3', 'always']], 'none')
    """
    if scenario.objective.over:
        unfit = "objective.over: alternatives are looked for in the present alone"
        raise ScenarioError([Fault(str(scenario.path or "scenario"), unfit, "Leave over out.")])
    question = ask(area, times, scenario)
    row = np.flatnonzero(question.reachable)
    problem, _ = pose(question, row)
    solver = scenario.solver
    found = alternatives_of(
        problem,
        *(terms(question, word, row) for word in scenario.objective.then),
        most=plans,
        within=within_percent / 100,
        apart=apart,
        gap=solver.gap,
        time_limit_s=solver.time_limit_s,
        seed=solver.seed,
    )
    if not found.solutions:
        raise infeasible(question, "unknown" if found.ended == "time" else "infeasible")
    today, said = today_of(question), notes(question)
    best = found.solutions[0].objective
    made = tuple(
        plan_of(
            question,
            problem,
            row,
            solution,
            title=f"{scenario.title} · {number}",
            status="scored",
            today=today,
            notes=(*said, _said(number, solution, best)),
        )
        for number, solution in enumerate(found.solutions, 1)
    )
    return Alternatives(
        area, scenario, made, _table(made, found.solutions, solver.gap), _schools(area, made), found.ended
    )


def _said(number: int, solution: LocationSolution, best: float) -> Label:
    """What is known of a plan, for its notes."""
    more = f"{_more(solution.objective, best):+.2f} %"
    proof = proof_of(solution.status == "optimal", solution.gap)
    return remark("note.alternative", number=number, more=more, proof=proof)


def _more(objective: float, best: float) -> float:
    return 100 * (objective - best) / abs(best) if best else 0.0


def open_schools(plan: Plan) -> frozenset[str]:
    """Schools with at least one stage that goes on.

    >>> sorted(open_schools(tiny.plan))
    ['S1', 'S3']
    """
    goes_on = ~plan.actions["action"].isin(("close", "merge", "convert", "none"))
    return frozenset(plan.actions.loc[goes_on, "school_id"])


def _table(plans: tuple[Plan, ...], solutions: tuple[LocationSolution, ...], gap: float) -> pd.DataFrame:
    import pandas as pd

    first, best = open_schools(plans[0]), solutions[0].objective
    rows = []
    for number, (plan, solution) in enumerate(zip(plans, solutions, strict=True), 1):
        here = open_schools(plan)
        rows.append(
            {
                "plan": number,
                "objective": solution.objective,
                "more_percent": _more(solution.objective, best),
                "bound": solution.bound,
                "gap": solution.gap,
                "proven": solution.gap <= gap + 1e-9,
                "schools_open": len(here),
                "opens": " ".join(sorted(here - first)),
                "closes": " ".join(sorted(first - here)),
            }
        )
    return pd.DataFrame(rows)


def _schools(area: StudyArea, plans: tuple[Plan, ...]) -> pd.DataFrame:
    table: pd.DataFrame = area.schools[["name", "kind", "town_id"]].rename_axis("school_id").reset_index()
    sets = [open_schools(plan) for plan in plans]
    table["plans_open"] = [sum(school in is_open for is_open in sets) for school in table["school_id"]]
    table["share_open"] = table["plans_open"] / len(plans)
    fates = {0: "never", len(plans): "always"}
    table["fate"] = [fates.get(count, "sometimes") for count in table["plans_open"]]
    return table
