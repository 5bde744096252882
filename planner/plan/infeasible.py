"""Why a scenario has no plan, in the words of the county."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np

from planner.errors import InfeasibleError
from planner.optimise import LocationProblem, Presolve, presolve, repair, solve
from planner.plan.best import pose
from planner.plan.question import Question
from planner.plan.remedies import remedies, split_villages
from planner.scenario import Scenario, TownRule

Meant = Sequence[tuple[str, TownRule]]
"""The town and the rule of each of the problem's rules."""


def infeasible(question: Question, status: str) -> InfeasibleError:
    """The error that says why no plan was found, and what would help, the cheapest first."""
    if status == "unknown":
        limit = question.scenario.solver.time_limit_s
        return InfeasibleError(
            [f"No plan was found within {limit:g} s, and none was ruled out."], ["Raise solver.time_limit_s."]
        )
    return InfeasibleError(reasons(question), [f"{remedy}." for remedy in remedies(question)])


def reasons(question: Question) -> list[str]:
    """Why there is no plan: what is seen at once, else what the elastic model leaves short.

    >>> import dataclasses
    >>> dear = tiny.scenario.model_copy(update={"rules": tiny.scenario.rules.model_copy(update={"close": ("S3",)})})
    >>> print(reasons(dataclasses.replace(tiny.question, scenario=dear))[1])
    Town B, junior: 6 pupils have no school that may be open. Short: V3 三村 (2), V4 Four (4).
    """
    row = np.flatnonzero(question.reachable)
    problem, meant = pose(question, row)
    seen = presolve(problem)
    if seen.infeasible:
        return [
            *_unserved(question, row[seen.unserved]),
            *_too_big(question, problem, row, seen),
            *_short(question, row, seen),
            *_over(question, row, meant, seen),
            *_rules_broken(question, meant, dict.fromkeys(seen.under, 1)),
        ]
    if problem.side is not None and _has_plan(dataclasses.replace(problem, side=None)):
        asked = " or ".join(asked_beside(question.scenario))
        return [f"Every other rule can be kept; what stands in the way is {asked}."]
    short = repair(problem)
    if short is None:
        return ["No plan keeps every rule, and what is short was not found in time."]
    whole = []
    if problem.whole and split_villages(question):
        whole = ["Every pupil would have a seat if villages could be split; kept whole, they do not fit."]
    return [
        *whole,
        *_unserved(question, row[short.unserved > 1e-6]),
        *_rules_broken(question, meant, short.rules),
        *_seats_missing(question, short.seats),
        *_over_ceilings(question, problem, short.budgets),
    ] or ["No plan keeps every rule."]


def _has_plan(problem: LocationProblem) -> bool:
    """Whether a plan is found within some seconds."""
    return solve(problem, gap=1.0, time_limit_s=10.0).status in ("optimal", "feasible")


def asked_beside(scenario: Scenario) -> Iterator[str]:
    """Keys of what a scenario asks of sizes and catchments.

    >>> list(asked_beside(tiny.scenario))
    []
    """
    if scenario.rules.min_pupils_per_school > 0:
        yield "rules.min_pupils_per_school"
    if math.isfinite(scenario.capacity.max_pupils_per_school):
        yield "capacity.max_pupils_per_school"
    if scenario.rules.merge_into:
        yield "rules.merge_into"
    for key in ("closest", "contiguous"):
        if getattr(scenario.assignment, key):
            yield f"assignment.{key}"


def town_name(question: Question, town: str) -> str:
    """The town's name; its id where it has none."""
    towns = question.area.towns
    return str(towns.at[town, "name"]) if town in towns.index else town


def _villages(question: Question, rows: np.ndarray, most: int = 5) -> str:
    """The villages of some rows with their pupils, the first ``most`` by name."""
    pupils = question.rows.iloc[rows].groupby("demand_id", sort=False)["pupils"].sum()
    named = [f"{d} {question.area.demand.at[d, 'name']} ({n})" for d, n in list(pupils.items())[:most]]
    return ", ".join(named) + (f" and {len(pupils) - most} more" if len(pupils) > most else "")


def _schools(question: Question, sites: np.ndarray) -> str:
    """Sites with their seats, the first five by name."""
    part = question.sites.iloc[sites]
    named = [f"{s} {n} ({seats:g})" for s, n, seats in zip(part["school_id"], part["name"], part["seats"], strict=True)]
    return ", ".join(named[:5]) + (f", and {len(named) - 5} more" if len(named) > 5 else "")


def _school(question: Question, site: int) -> str:
    return f"{question.sites['school_id'].iloc[site]} {question.sites['name'].iloc[site]}"


def _places(question: Question, rows: np.ndarray) -> str:
    """Towns and bands of some rows."""
    part = question.rows.iloc[rows]
    towns = [town_name(question, str(t)) for t in dict.fromkeys(part["town_id"])]
    bands = [str(b).replace("_", " ") for b in dict.fromkeys(part["band"])]
    return f"{', '.join(towns[:3])}{f' and {len(towns) - 3} more towns' if len(towns) > 3 else ''}, {', '.join(bands)}"


def _unserved(question: Question, rows: np.ndarray) -> Iterator[str]:
    for (town, band), part in question.rows.iloc[rows].groupby(["town_id", "band"], sort=False):
        limit = question.scenario.travel.limit_minutes(str(band))
        what = f"open school within {limit:g} minutes" if math.isfinite(limit) else "school that may be open"
        yield (
            f"{town_name(question, str(town))}, {str(band).replace('_', ' ')}: {part['pupils'].sum()} pupils have no "
            f"{what}. Short: {_villages(question, part.index.to_numpy())}."
        )


def _too_big(question: Question, problem: LocationProblem, row: np.ndarray, seen: Presolve) -> Iterator[str]:
    for i in seen.too_big:
        largest = np.nanmax(np.where(np.isnan(problem.cost[i]), np.nan, problem.capacity))
        yield (
            f"{_places(question, row[[i]])}: {_villages(question, row[[i]])} stays together "
            f"(assignment.unit = village), and no school in reach has so many seats: the largest has {largest:g}."
        )


def _short(question: Question, row: np.ndarray, seen: Presolve) -> Iterator[str]:
    if len(seen.short_demand):
        rows = row[seen.short_demand]
        yield (
            f"{_places(question, rows)}: {seen.needed:g} pupils need a seat; the schools in reach, as far as they may "
            f"be open, have {seen.offered:g}: {_schools(question, seen.short_sites)}. "
            f"Who needs them: {_villages(question, rows)}."
        )


def _over(question: Question, row: np.ndarray, meant: Meant, seen: Presolve) -> Iterator[str]:
    """Rules with more schools that must be open than may be."""
    for k in seen.over:
        town, rule = meant[k]
        members = _members(question, town, rule)
        must = [j for j in members if j in seen.only or not _may_close(question, j)]
        named = []
        for j in must[:4]:
            captive = row[seen.only == j]
            why = (
                f"no other can be reached by {_villages(question, captive, 2)}" if len(captive) else "it may not close"
            )
            named.append(f"{_school(question, j)} ({why})")
        if len(must) > 4:
            named.append(f"and {len(must) - 4} more")
        span = rule.except_towns.get(town, rule.open)
        yield (
            f"{town_name(question, town)}, {' or '.join(rule.kinds)}: at most {span.max} may be open, but "
            f"these cannot be closed: {', '.join(named)}."
        )


def _may_close(question: Question, site: int) -> bool:
    return bool(question.may_end[site] and question.sites["school_id"].iloc[site] not in question.scenario.rules.keep)


def _members(question: Question, town: str, rule: TownRule) -> list[int]:
    here = question.sites
    is_member = here["kind"].isin(rule.kinds) & (here["stage"] == rule.stage) & (here["town_id"] == town)
    return [int(j) for j in np.flatnonzero(is_member.to_numpy())]


def _rules_broken(question: Question, meant: Meant, broken: dict[int, int]) -> Iterator[str]:
    for k, short in broken.items():
        if k >= len(meant):
            continue
        town, rule = meant[k]
        span = rule.except_towns.get(town, rule.open)
        members = _members(question, town, rule)
        head = f"{town_name(question, town)}, {' or '.join(rule.kinds)}"
        if short > 0:
            could = [j for j in members if question.sites["school_id"].iloc[j] not in question.scenario.rules.close]
            shut = [_school(question, j) for j in members if j not in could]
            must = f"; {', '.join(shut[:3])} must close" if shut else ""
            yield f"{head}: needs at least {span.min} open with a {rule.stage} stage; {len(could)} could be{must}."
            continue
        stay = [j for j in members if not _may_close(question, j)]
        if stay:
            named = _schools(question, np.array(stay))
            yield f"{head}: at most {span.max} may be open, but these cannot be closed: {named}."
        else:
            yield f"{head}: at most {span.max} may be open, and their pupils need {-short} more of {len(members)}."


def _seats_missing(question: Question, seats: np.ndarray) -> Iterator[str]:
    for j in np.flatnonzero(seats > 1e-6):
        site = question.sites.iloc[j]
        have = "0" if np.isnan(site["seats"]) else f"{site['seats']:g}"
        yield (
            f"{town_name(question, site['town_id'])}, {site['school_id']} {site['name']}, {site['stage']}: "
            f"{np.ceil(seats[j]):g} seats are missing beside its {have}."
        )


def _over_ceilings(question: Question, problem: LocationProblem, missing: dict[int, float]) -> Iterator[str]:
    for k, more in missing.items():
        key = problem.budgets[k].name
        yield f"costs.{key}: {getattr(question.scenario.costs, key):,.0f} CNY are too few; {more:,.0f} CNY are missing."
