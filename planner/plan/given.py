"""Plans that are given: today's layout, and one that people propose."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import DataError, Fault
from planner.model import ACTIONS, STAGES, StudyArea, TravelTimes
from planner.optimise import LocationProblem, solve
from planner.plan.layout import make_plan, split, whole
from planner.plan.question import Question, ask, nearest
from planner.plan.types import Plan
from planner.scenario import Scenario
from planner.travel import changed
from planner.wording import Amount, Remark, remark

if TYPE_CHECKING:
    import pandas as pd

ENDING = ("close", "merge", "convert", "none")


def current_plan(area: StudyArea, times: TravelTimes, scenario: Scenario) -> Plan:
    """Today's layout: every existing school open, every band at its quickest one (docs/conventions.md 3.5).

    Raises
    ------
    ScenarioError : the scenario does not fit the area

    >>> current_plan(tiny.area, tiny.times, tiny.scenario).annual_cost_cny
    3360.0
    """
    question = ask(area, times, scenario)
    return today_of(question)


def today_of(question: Question) -> Plan:
    """Today's layout of a question."""
    choice = whole(question, question.exists, question.nearest_today)
    return make_plan(question, choice, title="今日 / Today", status="scored", notes=notes(question))


def notes(question: Question) -> tuple[Remark, ...]:
    """What a reader must know about any plan of this question."""
    found: list[Remark] = list(changed(question.area, question.scenario.travel).said)
    unknown = int(question.sites["seats"].isna().sum())
    if unknown:
        found.append(remark("note.seats_unknown", n=unknown))
    lost = question.rows["pupils"].to_numpy()[~question.reachable].sum()
    if lost:
        found.append(remark("note.unreachable", pupils=Amount(int(lost), "pupils")))
    return tuple(found)


def score(
    area: StudyArea, times: TravelTimes, scenario: Scenario, actions: pd.DataFrame, *, file: str = "actions"
) -> Plan:
    """A plan that people propose, with the assignment that suits pupils best.

    Every band goes, within the norm and the seats, where the sum of trips is least (a village's band whole or split, as
    the scenario says); where norms or seats cannot be kept, to the quickest open school, and the plan's notes say so.

    Parameters
    ----------
    actions : columns ``school_id, action``, and where they matter ``stage`` ("" for all), ``into``, ``seats_added``,
        ``seats``; existing schools that are not named are kept, candidates are not opened. What opens has the ``seats``
        that are said of it, as in a plan's own table, where all of them are new ones; else its own and those added
    file : what error messages call the table

    Raises
    ------
    DataError : an unknown school, stage or action; contradictions; all in one pass

    >>> import pandas as pd
    >>> proposed = pd.DataFrame({"school_id": ["S2"], "action": ["close"]})
    >>> score(tiny.area, tiny.times, tiny.scenario, proposed).actions["action"].tolist()
    ['keep', 'close', 'keep', 'keep']
    """
    question = ask(area, times, scenario)
    is_open, added = _proposed(question, actions, file)
    plan = placed(question, is_open, added, title=f"拟议 / Proposed: {scenario.title}", today=today_of(question))
    return _with_words(plan, actions)


def placed(question: Question, is_open: np.ndarray, added: np.ndarray, **said: Any) -> Plan:
    """The plan of open sites, with the assignment that suits pupils best (see ``score``).

    Parameters
    ----------
    is_open, added : (n_site,) open, and seats added
    said : goes to ``Plan`` as it is
    """
    scenario = question.scenario
    row = np.flatnonzero((np.isfinite(question.minutes) & is_open[None, :]).any(axis=1))
    seats = np.nan_to_num(question.sites["seats"].to_numpy(), nan=np.inf) + added
    pupils = question.rows["pupils"].to_numpy(dtype=float)
    allowed = question.allowed & is_open[None, :]
    site = nearest(question.minutes, is_open)
    known = notes(question)
    load = np.bincount(site[row], weights=pupils[row], minlength=len(is_open))
    if (load > seats).any() or not allowed[row, site[row]].all():
        problem = LocationProblem(
            np.where(allowed, question.minutes * pupils[:, None], np.nan)[row],
            weight=pupils[row],
            capacity=seats,
            whole=scenario.assignment.unit == "village",
            forced_closed=tuple(int(j) for j in np.flatnonzero(~is_open)),
        )
        found = solve(problem, gap=scenario.solver.gap, time_limit_s=scenario.solver.time_limit_s)
        kept = found.status in ("optimal", "feasible")
        if kept:
            site[row] = found.assignment
        else:
            known += (remark("note.not_kept"),)
        choice = whole(question, is_open, site, added)
        if kept and not problem.whole:
            choice = split(choice, row, found, question.rows["pupils"].to_numpy())
    else:
        choice = whole(question, is_open, site, added)
    return make_plan(question, choice, status="scored", notes=known, **said)


def _with_words(plan: Plan, proposed: pd.DataFrame) -> Plan:
    """The proposal's own words for stages that end: ``merge`` and ``into`` are for people to say."""
    import dataclasses

    table = plan.actions.copy()
    for item in _rows_of(proposed):
        if item["action"] in ("merge", "close"):
            here = (table["school_id"] == item["school_id"]) & table["action"].isin(("close", "merge", "convert"))
            here &= (table["stage"] == item["stage"]) | (item["stage"] == "")
            table.loc[here, "action"] = item["action"]
            table.loc[here, "into"] = item["into"] if item["action"] == "merge" else ""
    return dataclasses.replace(plan, actions=table)


def _rows_of(actions: pd.DataFrame) -> list[dict[str, str]]:
    names = ("school_id", "action", "stage", "into", "seats_added", "seats")
    columns = {name: [""] * len(actions) for name in names}
    for name in set(names) & set(actions.columns):
        columns[name] = [str(value).strip() for value in actions[name].astype(object).where(actions[name].notna(), "")]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _proposed(question: Question, actions: pd.DataFrame, file: str) -> tuple[np.ndarray, np.ndarray]:
    """(n_site,) open, and seats added, as the table of actions says."""
    schools = [str(s) for s in question.area.schools.index]
    sites = question.sites
    is_open, added = question.exists.copy(), np.zeros(len(sites))
    faults: list[Fault] = []
    said: dict[int, int] = {}

    def fault(row: int, column: str, problem: str, fix: str) -> None:
        faults.append(Fault(file, problem, fix, column, (row,)))

    def hint(word: str, known: list[str], otherwise: str) -> str:
        near = difflib.get_close_matches(word, known, 1, 0.5)
        return f"Did you mean {near[0]}?" if near else otherwise

    if missing := [name for name in ("school_id", "action") if name not in actions]:
        raise DataError([Fault(file, f"column {name} is missing", "Add it.", name) for name in missing])
    for row, item in enumerate(_rows_of(actions), 2):
        school, action, stage = item["school_id"], item["action"], item["stage"]
        if school not in schools:
            fault(row, "school_id", f"there is no school {school!r}", hint(school, schools, "Use an id of schools."))
            continue
        if action not in ACTIONS:
            fault(
                row, "action", f"{action!r} is no action", hint(action, list(ACTIONS), f"One of {', '.join(ACTIONS)}.")
            )
            continue
        if stage and stage not in STAGES:
            fault(row, "stage", f"{stage!r} is no stage", hint(stage, list(STAGES), f"One of {', '.join(STAGES)}."))
            continue
        here = (sites["school_id"] == school).to_numpy() & ((sites["stage"] == stage).to_numpy() | (stage == ""))
        if stage == "":
            here &= (sites["origin"] != "gain").to_numpy()
        if not here.any():
            fault(
                row, "stage", f"school {school} does not teach {stage}", "Correct the stage, or allow rules.may_gain."
            )
            continue
        # In a plan's own table all seats of what opens are added ones; here those beyond the school's own count.
        told = "seats" if action == "open" and item["seats"] else "seats_added"
        seats = _number(item[told] or "0")
        if not (np.isfinite(seats) and seats >= 0):
            fault(row, told, f"{item[told]!r} is not a number from 0", "Enter seats, or leave blank.")
            continue
        if told == "seats":
            seats = max(seats - float(np.nansum(sites["seats"].to_numpy()[here])), 0.0)
        if action == "expand" and seats == 0:
            fault(row, "seats_added", "expand adds no seats", "Enter how many, or say keep.")
        if action in ENDING and seats > 0:
            fault(row, "seats_added", f"{action} cannot add seats", "Leave it blank.")
        if seats > 0 and int(here.sum()) > 1:
            fault(row, "stage", f"{school} teaches several stages", "Say which stage the added seats are for.")
        if item["into"] and item["into"] not in schools:
            fault(row, "into", f"there is no school {item['into']!r}", hint(item["into"], schools, "Use an id."))
        for j in np.flatnonzero(here).tolist():
            if j in said:
                fault(row, "action", f"{school} {sites['stage'].iloc[j]} stands in row {said[j]} already", "Keep one.")
            said[j] = row
        is_open[here] = action not in ENDING
        added[here] = 0.0 if action in ENDING else seats
    if faults:
        raise DataError(faults)
    return is_open, added


def _number(text: str) -> float:
    """A cell's number; NaN where it is none."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


def read_actions(path: str | Path) -> pd.DataFrame:
    """A table of proposed actions, CSV or XLSX, every cell as text, without the guards of conventions 6.1.

    Raises
    ------
    DataError : the file cannot be read
    """
    from planner.sources.files import read_table, unguarded

    raw = read_table(path)
    frame: pd.DataFrame = raw.frame.copy()
    frame.columns = [str(column).strip().lower() for column in frame.columns]
    return frame.map(lambda cell: unguarded(cell) if isinstance(cell, str) else cell)
