"""What if this school stayed? Every pupil to the nearest open school, as maps say it (docs/conventions.md 3.25)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np

from planner.errors import DataError, Fault
from planner.model import BANDS, STAGES
from planner.plan.given import notes, today_of
from planner.plan.layout import make_plan, whole
from planner.plan.question import TOLERANCE_MINUTES, Question, ask, nearest
from planner.plan.types import Plan
from planner.scenario import Scenario

ENDED = ("close", "merge", "convert", "none")


def what_if(plan: Plan, *, close: Iterable[str] = (), reopen: Iterable[str] = ()) -> Plan:
    """A plan's schools, some of them closed or reopened, and every band of a village at the nearest that is open.

    Minutes count to a tenth, as maps show them; of equals a band stays at its school of today, else goes to the earlier
    one. Seats are not enforced: ``planner.score`` gives that answer for the same actions. A school that reopens has the
    stages it has in the plan, else those of today (a candidate all it could have), with the seats it has there.

    Parameters
    ----------
    close, reopen : ids of schools, for all their stages, or ``"id/stage"``

    Raises
    ------
    DataError : no such school or stage; all in one pass

    >>> kept = what_if(tiny.plan, reopen=["S2"])
    >>> kept.assignment["school_id"].tolist()[:4], kept.actions["action"].tolist()
    (['S1', 'S2', 'S2', 'S3'], ['keep', 'keep', 'keep', 'keep'])
    >>> what_if(tiny.plan, close=["S9"])
    Traceback (most recent call last):
    ...
    planner.errors.DataError: what_if: there is no school 'S9'. Use an id of schools.
    """
    question = ask(plan.area, plan.times, plan.scenario)
    is_open, added = sites_of(question, plan)
    start = is_open.copy()
    faults: list[Fault] = []
    for names, becomes in ((close, False), (reopen, True)):
        for name in names:
            here = _named(question, name, start, faults)
            is_open[here] = becomes
    if faults:
        raise DataError(faults)
    choice = whole(question, is_open, nearest_of(question, is_open), np.where(is_open, added, 0.0))
    made = make_plan(
        question,
        choice,
        title=f"如果 / What if: {plan.scenario.title}",
        status="scored",
        notes=notes(question),
        today=to_tenths(today_of(question)),
    )
    return to_tenths(made)


def tenths(minutes: np.ndarray, limits: Iterable[float]) -> np.ndarray:
    """Tenths of a minute: rounded, but no trip beyond a norm becomes one within it, nor the other way. NaN stays.

    >>> tenths(np.array([29.96, 30.04, 12.34, np.nan]), [30.0]).tolist()
    [300.0, 301.0, 123.0, nan]
    """
    made = np.round(np.asarray(minutes, dtype=float) * 10)
    for limit in limits:
        top = np.floor((limit + TOLERANCE_MINUTES) * 10)
        with np.errstate(invalid="ignore"):
            made = np.where(minutes <= limit + TOLERANCE_MINUTES, np.fmin(made, top), np.fmax(made, top + 1))
    return np.where(np.isnan(minutes), np.nan, made)


def limits_of(scenario: Scenario) -> list[float]:
    """The travel norms there are, in minutes.

    >>> limits_of(tiny.scenario)
    [30.0]
    """
    found = {scenario.travel.limit_minutes(band) for band in BANDS}
    return sorted(limit for limit in found if np.isfinite(limit))


def to_tenths(plan: Plan) -> Plan:
    """The plan with every trip in tenths of a minute (see ``tenths``)."""
    minutes = tenths(plan.assignment["minutes"].to_numpy(dtype=float), limits_of(plan.scenario)) / 10
    return dataclasses.replace(plan, assignment=plan.assignment.assign(minutes=minutes))


def sites_of(question: Question, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """(n_site,) open in the plan, and seats that it adds there."""
    names = list(zip(question.sites["school_id"], question.sites["stage"], strict=True))
    actions = plan.actions
    keys = zip(actions["school_id"].astype(str), actions["stage"].astype(str), strict=True)
    said = {
        key: (action, seats) for key, action, seats in zip(keys, actions["action"], actions["seats_added"], strict=True)
    }
    is_open = np.array([said.get(name, ("none", 0.0))[0] not in ENDED for name in names], dtype=bool)
    added = np.array([said.get(name, ("none", 0.0))[1] for name in names], dtype=float)
    given = question.sites["seats"].to_numpy(dtype=float)
    opened = ~question.exists
    return is_open, np.where(is_open, np.where(opened, np.fmax(added - np.nan_to_num(given), 0.0), added), 0.0)


def nearest_of(question: Question, is_open: np.ndarray) -> np.ndarray:
    """(n_row,) the nearest open site to a tenth of a minute; of equals today's, else the earlier; -1 none."""
    minutes = tenths(question.minutes, limits_of(question.scenario))
    site, today, rows = nearest(minutes, is_open), question.nearest_today, np.arange(len(minutes))
    stays = (today >= 0) & (site >= 0) & is_open[np.maximum(today, 0)]
    stays &= minutes[rows, today] == minutes[rows, site]
    return np.where(stays, today, site)


def _named(question: Question, name: str, start: np.ndarray, faults: list[Fault]) -> np.ndarray:
    """(n_site,) the stages that ``"id"`` or ``"id/stage"`` names."""
    school = (question.sites["school_id"] == name).to_numpy()
    if school.any():
        for some in (start, question.exists, (question.sites["origin"] == "candidate").to_numpy()):
            if (school & some).any():
                return np.asarray(school & some)
        return school
    ident, _, stage = name.rpartition("/")
    here = ((question.sites["school_id"] == ident) & (question.sites["stage"] == stage)).to_numpy()
    if stage not in STAGES or not (question.sites["school_id"] == ident).any():
        faults.append(Fault("what_if", f"there is no school {name!r}", "Use an id of schools."))
    elif not here.any():
        faults.append(Fault("what_if", f"school {ident} does not teach {stage}", "Correct the stage."))
    return np.asarray(here)
