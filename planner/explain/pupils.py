"""More or fewer pupils where a school is the nearest, and what one plan tells of every number of them.

A plan serves other numbers as long as there are seats, each pupil at what its own trip costs: it bounds the best plan
from above. And whoever takes pupils from a plan takes at least their cheapest trips from it: so the best plan for fewer
bounds the best for more from below.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_left
from typing import Any

import numpy as np

from planner.explain.fates import Fate, allowed
from planner.explain.search import Steps
from planner.explain.worths import Worths, posed
from planner.model import BAND_GRADES, BAND_STAGE, StudyArea
from planner.optimise import NEVER, Forced
from planner.plan import Question, ask, pose

Cells = dict[tuple[str, str], int]
"""Pupils by demand point and grade."""


def cells_of(question: Question, fate: Fate) -> Cells:
    """Pupils of the bands whose nearest school it is (or would be, of a candidate)."""
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


def with_pupils(area: StudyArea, school_id: str, cells: Cells, count: int) -> StudyArea:
    """The area with ``count`` pupils in these cells, and the school's enrolment moved by as many.

    >>> cells = {("V2", "g1"): 5, ("V2", "g4"): 5}
    >>> more = with_pupils(tiny.area, "S2", cells, 13)
    >>> more.pupils.loc["V2", ["g1", "g4"]].tolist(), float(more.schools.at["S2", "pupils_primary"])
    ([7, 6], 23.0)
    """
    given = np.bincount(in_turn(cells, count), minlength=len(cells))
    pupils, schools = area.pupils.copy(), area.schools.copy()
    for (demand, grade), before, after in zip(cells, cells.values(), given, strict=True):
        pupils.at[demand, grade] = int(after)
        stage = f"pupils_{BAND_STAGE[_band(grade)]}"
        schools.at[school_id, stage] = max(schools.at[school_id, stage] + int(after) - before, 0)
    return dataclasses.replace(area, pupils=pupils, schools=schools)


def in_turn(cells: Cells, count: int) -> np.ndarray:
    """(count,) the cell of each pupil, in the order in which they come.

    Every further pupil goes to the cell that has most reason to (Sainte-Laguë 1910), so that no cell ever loses a pupil
    when there are more in all.

    >>> in_turn({("V1", "g1"): 3, ("V2", "g1"): 1}, 4).tolist()
    [0, 0, 1, 0]
    """
    shares = np.array(list(cells.values()), dtype=float)
    each = int(np.ceil(count / shares.sum() * shares.max())) + 1
    odds = shares[:, None] / (2 * np.arange(each) + 1)
    return np.argsort(-odds, axis=None, kind="stable")[:count] // each


def _band(grade: str) -> str:
    """The band of a grade."""
    (band,) = [band for band, grades in BAND_GRADES.items() if grade in grades]
    return band


class Pupils(Steps):
    """A pupil more at every step where a closing school is the nearest; one fewer where any other is."""

    def __init__(self, question: Question, fate: Fate, cells: Cells, count: int, today: Worths) -> None:
        super().__init__(count, rising=not fate.stays)
        self._base, self._fate, self._cells, self._today = posed(question), fate, cells, today
        self._now, self._sign = sum(cells.values()), -1 if fate.stays else 1
        self._row, self._pupils = self._by_step()
        self._exists = bool(question.exists[list({*fate.planned[0], *fate.planned[1]})].any())
        self._may = self._closable() if self.rising else count + 1

    def _closable(self) -> int:
        """The first step at which the school is too large to close."""
        steps, planned = range(self.count + 1), self._fate.planned
        return bisect_left(steps, True, key=lambda k: not allowed(self._question(k), planned))

    def _by_step(self) -> tuple[np.ndarray, np.ndarray]:
        """(n,) rows of the problem whose pupils change; (count + 1, n) their pupils at every step."""
        rows = self._base.question.rows.iloc[self._base.row]
        place = {pair: k for k, pair in enumerate(rows[["demand_id", "band"]].itertuples(index=False, name=None))}
        row, of_cell = np.unique([place[demand, _band(g)] for demand, g in self._cells], return_inverse=True)
        counts = self._now + self._sign * np.arange(self.count + 1)
        order = of_cell[in_turn(self._cells, int(counts.max()))]
        come = np.cumsum(order[:, None] == np.arange(len(row)), axis=0)
        return row, np.vstack([np.zeros((1, len(row)), dtype=np.int64), come])[counts]

    def _question(self, k: int) -> Question:
        base = self._base.question
        if k == 0:
            return base
        area = with_pupils(base.area, self._fate.school_id, self._cells, self._now + self._sign * k)
        if (self._pupils[k] == 0).any():  # a row of nobody is none
            return ask(area, base.times, base.scenario)
        pupils = base.rows["pupils"].to_numpy().copy()
        pupils[self._base.row[self._row]] = self._pupils[k]
        return dataclasses.replace(base, area=area, rows=base.rows.assign(pupils=pupils))

    def too_large(self, k: int) -> float:
        """The pupils it then has, where they are too many for it to close; NaN where it may."""
        own = list(self._fate.planned[1])
        return float(self._question(k).enrolled[own].sum()) if self.rising and k >= self._may else float("nan")

    def worth(self, k: int, *, other: bool) -> Forced:
        """What the best plan for this many pupils is worth."""
        if k == 0:
            return self._today[other]
        question, choice = self._question(k), (self._fate.planned, self._fate.other)[other]
        if not allowed(question, choice):
            return NEVER
        return self._base.forced(choice, of=pose(question, np.flatnonzero(question.reachable))[0])

    @property
    def _each(self) -> np.ndarray:
        """(n, n_site) what a pupil's trip costs, infinite where it is none."""
        problem = self._base.problem
        return np.asarray(np.nan_to_num(problem.cost[self._row] / problem.weight[self._row, None], nan=np.inf))

    def most(self, k: int, planned: Forced) -> np.ndarray:
        """The plan at step k serves every other number as long as nobody lacks a seat."""
        told, problem, found = super().most(k, planned), self._base.problem, planned.solution
        alone = self._exists and not problem.budgets and problem.side is None  # nothing but seats stops anybody
        if found is None or found.shares.shape != problem.cost.shape or not alone:
            return told
        more = self._pupils - self._pupils[k]
        share = found.shares.tocsr()[self._row].toarray()
        trip = (share * np.where(share > 0, self._each, 0.0)).sum(axis=1)
        weight = problem.weight.copy()
        weight[self._row] = self._pupils[k]
        load = found.shares.T @ weight + more @ share
        seats = self._base.question.sites["seats"].fillna(np.inf).to_numpy(dtype=float)
        if (added := problem.expansion) is not None:
            free = not added.cost_per_step.any()
            seats = seats + added.step_seats * (added.max_steps if free else found.steps)
        fits = (load <= seats + 1e-6).all(axis=1) & (np.arange(self.count + 1) < self._may)
        told[fits] = np.minimum(told, planned.upper + more @ trip)[fits]
        return told

    def least(self, k: int, other: Forced) -> np.ndarray:
        """The plan at another step, without the pupils that step k has not, serves those of step k."""
        each = self._each
        each[:, list(self._fate.other[1])] = np.inf
        cheapest = np.nan_to_num(each.min(axis=1), posinf=0.0)
        told = super().least(k, other)
        told += np.maximum((self._pupils - self._pupils[k]) @ cheapest, 0.0)
        return told
