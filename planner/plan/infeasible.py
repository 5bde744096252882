"""Why a scenario has no plan, in the words of the county."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np

from planner.errors import InfeasibleError
from planner.optimise import LocationProblem, Presolve, presolve, repair, solve
from planner.plan.best import pose
from planner.plan.naming import band, of_rule, places, school, schools, stage, town_name, villages
from planner.plan.question import Question
from planner.plan.remedies import remedies, split_villages
from planner.scenario import Scenario, TownRule
from planner.wording import Amount, Either, Listed, Phrase, Sentence

Meant = Sequence[tuple[str, TownRule]]
"""The town and the rule of each of the problem's rules."""


def infeasible(question: Question, status: str) -> InfeasibleError:
    """The error that says why no plan was found, and what would help, the cheapest first."""
    if status == "unknown":
        limit = Amount(question.scenario.solver.time_limit_s, "seconds", 3)
        return InfeasibleError([Sentence("none.in_time", {"limit": limit})], [Sentence("help.time")])
    return InfeasibleError(reasons(question), remedies(question))


def reasons(question: Question) -> list[Sentence]:
    """Why there is no plan: what is seen at once, else what the elastic model leaves short.

    >>> import dataclasses
    >>> dear = tiny.scenario.model_copy(update={"rules": tiny.scenario.rules.model_copy(update={"close": ("S3",)})})
    >>> print(reasons(dataclasses.replace(tiny.question, scenario=dear))[1].text("en"))
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
        return [Sentence("none.beside", {"keys": Either(tuple(asked_beside(question.scenario)))})]
    short = repair(problem)
    if short is None:
        return [Sentence("none.cause_in_time")]
    whole = []
    if problem.whole and split_villages(question):
        whole = [Sentence("none.whole")]
    return [
        *whole,
        *_unserved(question, row[short.unserved > 1e-6]),
        *_rules_broken(question, meant, short.rules),
        *_seats_missing(question, short.seats),
        *_over_ceilings(question, problem, short.budgets),
    ] or [Sentence("none")]


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


def _unserved(question: Question, rows: np.ndarray) -> Iterator[Sentence]:
    for (town, of), part in question.rows.iloc[rows].groupby(["town_id", "band"], sort=False):
        limit = question.scenario.travel.limit_minutes(str(of))
        values = {
            "town": town_name(question, str(town)),
            "band": band(str(of)),
            "pupils": Amount(part["pupils"].sum(), "pupils"),
            "limit": Amount(limit, "minutes", 2),
            "villages": villages(question, part.index.to_numpy()),
        }
        yield Sentence("unserved.within" if math.isfinite(limit) else "unserved", values)


def _too_big(question: Question, problem: LocationProblem, row: np.ndarray, seen: Presolve) -> Iterator[Sentence]:
    for i in seen.too_big:
        largest = np.nanmax(np.where(np.isnan(problem.cost[i]), np.nan, problem.capacity))
        here = row[[i]]
        values = {"places": places(question, here), "village": villages(question, here), "largest": f"{largest:g}"}
        yield Sentence("too_big", values)


def _short(question: Question, row: np.ndarray, seen: Presolve) -> Iterator[Sentence]:
    if len(seen.short_demand):
        rows = row[seen.short_demand]
        values = {
            "places": places(question, rows),
            "needed": Amount(seen.needed, "pupils"),
            "offered": f"{seen.offered:,.15g}",
            "schools": schools(question, seen.short_sites),
            "villages": villages(question, rows),
        }
        yield Sentence("seats.short", values)


def _over(question: Question, row: np.ndarray, meant: Meant, seen: Presolve) -> Iterator[Sentence]:
    """Rules with more schools that must be open than may be."""
    for k in seen.over:
        town, rule = meant[k]
        must = [j for j in _members(question, town, rule) if j in seen.only or not _may_close(question, j)]
        named = []
        for j in must:
            captive = row[seen.only == j]
            why = {"school": school(question, j), "villages": villages(question, captive, 2)}
            named.append(Phrase("must.captive" if len(captive) else "must", why))
        yield Sentence("rule.over.must", of_rule(question, town, rule) | {"schools": Listed(tuple(named), 4)})


def _may_close(question: Question, site: int) -> bool:
    return bool(question.may_end[site] and question.sites["school_id"].iloc[site] not in question.scenario.rules.keep)


def _members(question: Question, town: str, rule: TownRule) -> list[int]:
    here = question.sites
    is_member = here["kind"].isin(rule.kinds) & (here["stage"] == rule.stage) & (here["town_id"] == town)
    return [int(j) for j in np.flatnonzero(is_member.to_numpy())]


def _rules_broken(question: Question, meant: Meant, broken: dict[int, int]) -> Iterator[Sentence]:
    for k, short in broken.items():
        if k >= len(meant):
            continue
        town, rule = meant[k]
        members, values = _members(question, town, rule), of_rule(question, town, rule)
        if short > 0:
            could = [j for j in members if question.sites["school_id"].iloc[j] not in question.scenario.rules.close]
            shut = Listed(tuple(school(question, j) for j in members if j not in could), 3)
            key = "rule.under.shut" if shut.parts else "rule.under"
            yield Sentence(key, values | {"could": len(could), "schools": shut})
            continue
        stay = [j for j in members if not _may_close(question, j)]
        if stay:
            yield Sentence("rule.over.must", values | {"schools": schools(question, np.array(stay))})
        else:
            yield Sentence("rule.over", values | {"more": -short, "all": len(members)})


def _seats_missing(question: Question, seats: np.ndarray) -> Iterator[Sentence]:
    for j in np.flatnonzero(seats > 1e-6):
        site = question.sites.iloc[j]
        values = {
            "town": town_name(question, site["town_id"]),
            "school": f"{site['school_id']} {site['name']}",
            "stage": stage(str(site["stage"])),
            "missing": f"{np.ceil(seats[j]):g}",
            "have": "0" if np.isnan(site["seats"]) else f"{site['seats']:g}",
        }
        yield Sentence("seats.missing", values)


def _over_ceilings(question: Question, problem: LocationProblem, missing: dict[int, float]) -> Iterator[Sentence]:
    for k, more in missing.items():
        key = problem.budgets[k].name
        most = f"{getattr(question.scenario.costs, key):,.0f}"
        yield Sentence("ceiling", {"key": f"costs.{key}", "most": most, "more": f"{more:,.0f}"})
