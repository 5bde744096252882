"""Where a school's fate flips: pupils, money and the norm, each found exactly.

As pupils become more or a norm stricter, no plan becomes better: what the best plan is worth never falls, with either
fate. Between two figures whose answers are known, no flip is possible where the other fate at the easier end already
costs more than the planned one at the harder end; only the rest is searched, by halves. So what is found is the first
flip there is.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from planner.compiled import clock
from planner.explain.fates import Fate, Worths, worths
from planner.model import BAND_GRADES, BAND_STAGE, BANDS, StudyArea
from planner.optimise.forced import noise
from planner.plan import Question, ask
from planner.plan.layout import school_costs
from planner.scenario import Scenario

MOST_TIMES = 3
"""A closing school is looked at with up to so many times its pupils."""


@dataclass(frozen=True)
class Flip:
    """Where the other fate becomes at least as good as the planned one.

    Parameters
    ----------
    what : ``pupils`` (in the villages whose nearest school it is), ``annual_cost_cny`` (its own), ``worth`` (of the
        other fate, in the unit of the objective), or ``norm``
    band : of ``norm``
    status : ``flips``; ``never`` (nowhere up to ``at``); ``open`` (not settled in time between ``last`` and ``at``)
    now : the figure today; NaN unknown
    at : the first figure at which it flips, or the last that was looked at
    last : the last figure before ``at`` that was looked at and proven not to flip it
    """

    what: str
    status: str
    now: float
    at: float
    last: float
    band: str = ""


def first_flip(count: int, at: Callable[[int], Worths], *, rising: bool, seconds: float = 60.0) -> tuple[int, int, str]:
    """The first of the steps 1..count at which the other fate is at least as good as the planned one.

    Parameters
    ----------
    at : what the best plans with the planned and the other fate are worth, by step; 0 is today
    rising : with every step no plan becomes better; else, none becomes worse

    Returns
    -------
    The last step that does not flip it, the step that does (or ``count``), and ``Flip.status``

    >>> from planner.optimise import Forced
    >>> values = [(1.0, 9.0), (2.0, 9.0), (7.0, 9.5), (9.5, 9.5), (10.0, 10.0)]
    >>> first_flip(4, lambda k: tuple(Forced(v, v) for v in values[k]), rising=True)
    (2, 3, 'flips')
    """
    ends = clock() + seconds
    at = cache(at)
    unsure: list[tuple[int, int]] = []

    def flips(k: int) -> bool:
        planned, other = at(k)
        if planned.impossible and other.impossible:
            return False
        if other.upper <= planned.lower + noise(other.upper):
            return True
        if other.lower <= planned.upper + noise(planned.upper) and not (planned.exact and other.exact):
            unsure.append((k, k))
        return False

    def out_of_question(a: int, b: int) -> bool:
        """No step between a and b can flip it."""
        easy, hard = (a, b) if rising else (b, a)
        if all(worth.impossible for worth in at(easy)):
            return True
        planned, other = at(hard)[0], at(easy)[1]
        return other.lower > planned.upper + noise(planned.upper)

    def search(a: int, b: int) -> int | None:
        """The first flip after a up to b; a does not flip."""
        if b - a == 1 or out_of_question(a, b):
            return b if flips(b) else None
        if clock() > ends:
            unsure.append((a + 1, b - 1))
            return b if flips(b) else None
        middle = (a + b) // 2
        if flips(middle):
            return search(a, middle)
        found = search(a, middle)
        return found if found is not None else search(middle, b)

    if flips(0):
        return 0, 0, "flips"
    if count == 0:
        return 0, 0, "never"
    found = search(0, count)
    end = count if found is None else found
    before = [first for first, _ in unsure if first < end]
    if before:
        return max(min(before) - 1, 0), end, "open"
    return (end if found is None else end - 1), end, "never" if found is None else "flips"


def flips(question: Question, fate: Fate, *, seconds: float = 60.0) -> list[Flip]:
    """Every threshold of one school, with so many seconds for each.

    Smallest sizes, closest assignment and catchments in one piece may make a plan better when there are more pupils or
    stricter norms: pupils and norms are not asked then. Nor are norms where what is beyond them is minimised.
    """
    today = worths(question, fate)
    scenario = question.scenario
    every = [by_money(question, fate, today)]
    if not unordered(scenario):
        every.insert(0, by_pupils(question, fate, today, seconds=seconds))
        bands = [b for b in BANDS if math.isfinite(scenario.travel.limit_minutes(b)) and not norms_priced(scenario)]
        every += [by_norm(question, fate, band, today, seconds=seconds) for band in bands]
    return [flip for flip in every if flip is not None]


def unordered(scenario: Scenario) -> list[str]:
    """Keys of what is asked under which more pupils or a stricter norm may make a plan better."""
    asked = {
        "rules.min_pupils_per_school": scenario.rules.min_pupils_per_school > 0,
        "assignment.closest": scenario.assignment.closest,
        "assignment.contiguous": scenario.assignment.contiguous,
    }
    return [key for key, on in asked.items() if on]


def norms_priced(scenario: Scenario) -> bool:
    """Whether what is beyond the norms is part of the objective, so that a norm is no limit."""
    return "excess_pupil_minutes" in scenario.objective.named


# ---------------------------------------------------------------- pupils


def by_pupils(question: Question, fate: Fate, today: Worths, *, seconds: float = 60.0) -> Flip | None:
    """How many pupils more (or fewer) in the villages whose nearest school it is; None where it is nobody's nearest."""
    cells = _cells(question, fate)
    now = sum(cells.values())
    if now == 0:
        return None
    most = (MOST_TIMES - 1) * now if not fate.stays else now
    sign = -1 if fate.stays else 1

    def at(k: int) -> Worths:
        if k == 0:
            return today
        area = with_pupils(question.area, fate.school_id, cells, now + sign * k)
        return worths(ask(area, question.times, question.scenario), fate)

    last, end, status = first_flip(most, at, rising=not fate.stays, seconds=seconds)
    return Flip("pupils", status, now, now + sign * end, now + sign * last)


def _cells(question: Question, fate: Fate) -> dict[tuple[str, str], int]:
    """Pupils by demand point and grade, of the bands whose nearest school it is (or would be, of a candidate)."""
    own = list({*fate.planned[0], *fate.planned[1]})
    minutes = np.where(np.isfinite(question.minutes), question.minutes, np.inf)
    others = question.exists.copy()
    others[own] = False
    nearest = np.isin(question.nearest_today, own)
    nearest |= ~question.exists[own].any() & (
        minutes[:, own].min(axis=1) < minutes[:, others].min(axis=1, initial=np.inf)
    )
    counts: Any = question.area.pupils
    cells = {}
    for demand, band in question.rows[nearest][["demand_id", "band"]].itertuples(index=False):
        for grade in BAND_GRADES[band]:
            cells[str(demand), grade] = int(counts.at[demand, grade])
    return {cell: count for cell, count in cells.items() if count > 0}


def with_pupils(area: StudyArea, school_id: str, cells: dict[tuple[str, str], int], count: int) -> StudyArea:
    """The area with ``count`` pupils in these cells, and the school's enrolment moved by as many.

    Every further pupil goes to the cell that has most reason to (Sainte-Laguë 1910), so that no cell ever loses a pupil
    when there are more in all.

    >>> cells = {("V2", "g1"): 5, ("V2", "g4"): 5}
    >>> more = with_pupils(tiny.area, "S2", cells, 13)
    >>> more.pupils.loc["V2", ["g1", "g4"]].tolist(), float(more.schools.at["S2", "pupils_primary"])
    ([7, 6], 23.0)
    """
    shares = np.array(list(cells.values()), dtype=float)
    each = int(np.ceil(count / shares.sum() * shares.max())) + 1
    odds = shares[:, None] / (2 * np.arange(each) + 1)
    order = np.argsort(-odds, axis=None, kind="stable")[:count]
    given = np.bincount(order // each, minlength=len(shares))
    pupils, schools = area.pupils.copy(), area.schools.copy()
    for (demand, grade), before, after in zip(cells, cells.values(), given, strict=True):
        pupils.at[demand, grade] = int(after)
        stage = _stage(grade)
        schools.at[school_id, stage] = max(schools.at[school_id, stage] + int(after) - before, 0)
    return dataclasses.replace(area, pupils=pupils, schools=schools)


def _stage(grade: str) -> str:
    """The column of a grade's enrolment."""
    (band,) = [band for band, grades in BAND_GRADES.items() if grade in grades]
    return f"pupils_{BAND_STAGE[band]}"


# ---------------------------------------------------------------- money


def by_money(question: Question, fate: Fate, today: Worths) -> Flip | None:
    """What the school's own running costs would have to be, or what the other fate would have to be worth.

    Every plan that keeps the school pays its costs once, and no other does. The best plan with it is dearer by just as
    much as the school is, and the threshold is the difference of the two.
    """
    planned, other = today
    if planned.impossible or other.impossible or not (planned.exact and other.exact):
        return None
    margin = other.upper - planned.upper
    if question.scenario.objective.minimise != "annual_cost_cny":
        return Flip("worth", "flips", 0.0, margin, margin)
    now = float(school_costs(question)[fate.school_id])
    goes_on = bool(fate.planned[0])
    at = now + margin if fate.stays else now - margin
    if goes_on != fate.stays or at < 0:  # a school that goes on with one stage pays its costs either way
        return Flip("annual_cost_cny", "never", now, 0.0, 0.0)
    return Flip("annual_cost_cny", "flips", now, at, at)


# ---------------------------------------------------------------- the norm


def by_norm(question: Question, fate: Fate, band: str, today: Worths, *, seconds: float = 60.0) -> Flip | None:
    """How much stricter (a closing school) or looser (any other) the norm of a band would have to be.

    Only trips that exist matter: between two lengths of trips nothing changes. None where the school does not teach
    the band.
    """
    rows = (question.rows["band"] == band).to_numpy()
    own = list({*fate.planned[0], *fate.planned[1]})
    if not np.isfinite(question.minutes[rows][:, own]).any():
        return None
    now = question.scenario.travel.limit_minutes(band)
    trips = np.unique(question.minutes[rows][np.isfinite(question.minutes[rows])])
    inside = trips <= now + 1e-6
    steps = trips[~inside] if fate.stays else trips[inside][::-1][1:]
    longest = trips[inside][-1] if inside.any() else now  # any norm from there to today's means the same
    values = [now if fate.stays else longest, *steps.tolist()]

    def at(k: int, *, everywhere: bool = False) -> Worths:
        if k == 0:
            return today
        scenario = with_norm(question.scenario, band, values[k])
        return worths(ask(question.area, question.times, scenario), fate, everywhere=everywhere)

    last, end, status = first_flip(len(steps), at, rising=not fate.stays, seconds=seconds)
    if status == "flips" and end and not fate.stays and at(end, everywhere=True)[1].impossible:
        last, end, status = len(steps), len(steps), "never"  # so strict a norm has no plan at all elsewhere
    return Flip("norm", status, now, values[end] if end else now, values[last] if end else now, band)


def with_norm(scenario: Scenario, band: str, minutes: float) -> Scenario:
    """The scenario with another norm for a band."""
    limits: Any = {**scenario.travel.max_minutes, band: minutes}
    return scenario.model_copy(update={"travel": scenario.travel.model_copy(update={"max_minutes": limits})})
