"""Where a school's fate flips: pupils, money and the norm, each found exactly (``planner.explain.search``)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.explain.fates import Fate, allowed
from planner.explain.pupils import Pupils, cells_of
from planner.explain.search import Steps, first_flip
from planner.explain.worths import Worths, posed, worths
from planner.model import BANDS
from planner.optimise import NEVER, Forced
from planner.plan import Question
from planner.plan.layout import school_costs
from planner.plan.question import TOLERANCE_MINUTES
from planner.remembered import remembered
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
    enrolled : of ``pupils``, how many the school then has, where it flips because these are too many for it to close;
        else NaN
    """

    what: str
    status: str
    now: float
    at: float
    last: float
    band: str = ""
    enrolled: float = math.nan


def flips(question: Question, fate: Fate, *, seconds: float = 60.0) -> list[Flip]:
    """Every threshold of one school, with so many seconds for each.

    Smallest sizes, closest assignment and catchments in one piece may make a plan better when there are more pupils or
    stricter norms: pupils and norms are not asked then, nor over futures, which have pupils of their own. Nor are norms
    where what is beyond them is minimised.
    """
    today = worths(question, fate)
    scenario = question.scenario
    every = [by_money(question, fate, today)]
    if not (unordered(scenario) or scenario.objective.over):
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


def by_pupils(question: Question, fate: Fate, today: Worths, *, seconds: float = 60.0) -> Flip | None:
    """How many pupils more (or fewer) in the villages whose nearest school it is; None where it is nobody's nearest."""
    cells = cells_of(question, fate)
    now = sum(cells.values())
    if now == 0:
        return None
    count, sign = (now, -1) if fate.stays else ((MOST_TIMES - 1) * now, 1)
    steps = Pupils(question, fate, cells, count, today)
    last, end, status = first_flip(steps, seconds=seconds)
    enrolled = steps.too_large(end) if status == "flips" else math.nan
    return Flip("pupils", status, now, now + sign * end, now + sign * last, enrolled=enrolled)


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
    longest = float(trips[inside][-1]) if inside.any() else now  # any norm from there to today's means the same
    values = [now if fate.stays else longest, *steps.tolist()]
    last, end, status = first_flip(Norms(question, fate, band, values, today), seconds=seconds)
    return Flip("norm", status, now, values[end] if end else now, values[last] if end else now, band)


class Norms(Steps):
    """A stricter norm of a band at every step for a closing school; a looser one for any other."""

    def __init__(self, question: Question, fate: Fate, band: str, values: Sequence[float], today: Worths) -> None:
        super().__init__(len(values) - 1, rising=not fate.stays)
        self._fate, self._band, self._values, self._today = fate, band, np.array(values), today
        self._question = question
        self._base = posed(question) if self.rising else posed(_loosest(question, band))

    def _allowed(self, k: int) -> np.ndarray:
        """(n_row, n_site) trips within the norm of a step."""
        scenario = with_norm(self._question.scenario, self._band, float(self._values[k]))
        return np.asarray(dataclasses.replace(self._question, scenario=scenario).allowed[self._base.row])

    def worth(self, k: int, *, other: bool) -> Forced:
        """What the best plan within this norm is worth."""
        if k == 0:
            return self._today[other]
        choice = (self._fate.planned, self._fate.other)[other]
        if not allowed(self._question, choice):
            return NEVER
        cost = np.where(self._allowed(k), self._base.problem.cost, np.nan)
        return self._base.forced(choice, of=dataclasses.replace(self._base.problem, cost=cost))

    def most(self, k: int, planned: Forced) -> np.ndarray:
        """The plan at step k does for every norm that none of its trips is beyond."""
        told = super().most(k, planned)
        if planned.solution is None:
            return told
        row, site = planned.solution.shares.nonzero()
        strict = self._allowed(self.count if self.rising else 0)[row, site]
        longest = self._base.question.minutes[self._base.row[row], site][~strict].max(initial=0.0)
        told[self._values + TOLERANCE_MINUTES >= longest] = planned.upper
        return told


@remembered
def _loosest(question: Question, band: str) -> Question:
    """The question without a norm for a band."""
    return dataclasses.replace(question, scenario=with_norm(question.scenario, band, math.inf))


def with_norm(scenario: Scenario, band: str, minutes: float) -> Scenario:
    """The scenario with another norm for a band."""
    limits: Any = {**scenario.travel.max_minutes, band: minutes}
    return scenario.model_copy(update={"travel": scenario.travel.model_copy(update={"max_minutes": limits})})
