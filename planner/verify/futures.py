"""A plan made over futures, in each of them: who goes where then, and what the objective comes to over all of them."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from planner.demand import scaled
from planner.model import BAND_GRADES, BAND_STAGE, BANDS, ROAD_MODES
from planner.roads import SPEED_KMH
from planner.scenario import Future, Travel
from planner.verify import checks, conditions
from planner.verify.checks import Check, annual_cost, objective_value
from planner.verify.folder import Folder, number

ASSIGNED = (
    checks.pupils_conserved,
    checks.schools_open_and_teaching,
    checks.whole_villages,
    checks.seats,
    checks.norms,
    checks.trips,
)
"""What is checked of who goes where; what may end and the towns' rules are the present's."""


def over_futures(plan: Folder) -> Iterator[Check]:
    """The checks of a plan that was made over futures; none of any other."""
    if not plan.scenario.objective.over or plan.summary["status"] == "scored":
        return
    then = [come_true(plan, future) for future in plan.scenario.futures]
    for future, folder in zip(plan.scenario.futures, then, strict=True):
        found = [*(check(folder) for check in ASSIGNED), *conditions.asked(folder, plan)]
        failures = tuple(f"{check.name}: {failure}" for check in found for failure in check.failures)
        yield Check(f"in the future {future.name!r}", sum(check.checked for check in found), failures)
    yield objective(plan, then)


def objective(plan: Folder, then: list[Folder]) -> Check:
    """The objective is the worst of what it comes to in the futures, or their mean by weight."""
    goal, said = plan.scenario.objective, plan.summary["objective"]
    each = [objective_value(folder, goal.minimise) for folder in then]
    if goal.over == "worst":
        found = max(each)
    else:
        weights = [future.weight for future in plan.scenario.futures]
        found = sum(w * value for w, value in zip(weights, each, strict=True)) / sum(weights)
    failures = []
    if said is None or not math.isclose(found, said, rel_tol=1e-5, abs_tol=0.5):
        shown = "unknown" if said is None else f"{said:,.2f}"
        of = ", ".join(f"{f.name} {value:,.2f}" for f, value in zip(plan.scenario.futures, each, strict=True))
        failures.append(f"objective {shown} in plan.json, {found:,.2f} ({goal.over}) from the tables: {of}")
    return Check("objective over the futures", len(each), tuple(failures))


def come_true(plan: Folder, future: Future) -> Folder:
    """The folder as it would be of one future: its pupils, its ways, and who goes where in it."""
    factor = {grade: future.pupils_factor(band) for band in BANDS for grade in BAND_GRADES[band]}
    rows = [row for row in plan.futures if row["future"] == future.name]
    load: Counter[tuple[str, str]] = Counter()
    for row in rows:
        load[row["school_id"], BAND_STAGE[row["band"]]] += round(number(row["pupils"]))
    then = dataclasses.replace(
        plan,
        area=dataclasses.replace(plan.area, pupils=scaled(plan.area.pupils, factor)),
        scenario=plan.scenario.model_copy(update={"travel": _travel(plan.scenario.travel, future)}),
        actions=[{**a, "pupils": str(load[a["school_id"], a["stage"]])} for a in plan.actions],
        assignment=rows,
        futures=[],
    )
    annual = annual_cost(then)
    summary = {**plan.summary, "annual_cost_cny": None if math.isnan(annual) else annual}
    return dataclasses.replace(then, summary=summary)


def _travel(travel: Travel, future: Future) -> Travel:
    """Every speed of every mode times the future's factor, off the road too, and its roads closed."""
    changed: dict[str, Any] = {"closed_edges": (*travel.closed_edges, *future.closed_edges)}
    if future.speed != 1:
        own: dict[str, Mapping[str, float]] = {str(mode): of for mode, of in travel.speeds.items()}
        usual = {mode: {**SPEED_KMH[mode], **own.get(mode, {})} for mode in ROAD_MODES}
        changed["speeds"] = {mode: {road: kmh * future.speed for road, kmh in of.items()} for mode, of in usual.items()}
        changed["access_kmh"] = travel.access_kmh * future.speed
    return travel.model_copy(update=changed)
