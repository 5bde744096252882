"""The figures of every sheet, as plain data that the pages lay out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.compare import scorecard
from planner.hearing.facts import ENDS, seats, trips
from planner.hearing.sketch import Mark
from planner.hearing.terms import norms, rules
from planner.hearing.why import Why
from planner.indicators import by_town
from planner.indicators.trips import quantile
from planner.model import BANDS, STAGES
from planner.plan import Plan
from planner.wording import Listed, Phrase, Word

if TYPE_CHECKING:
    import pandas as pd

MOST_TRIPS = 22
MOST_FLOWS = 14
"""Rows of a table at most; the rest, which are the smallest, is summed up in one."""


@dataclass(frozen=True)
class Sheet:
    """One sheet.

    Parameters
    ----------
    kind : ``county``, ``town`` or ``school``
    number : as other sheets refer to it, "" of the county's
    file : where it lies in the pack, also its anchor in the whole
    name : of the place
    about : what the page of its kind lays out
    marks, ways : what its map shows
    """

    kind: str
    number: str
    file: str
    name: str
    about: Mapping[str, Any]
    marks: Sequence[Mark] = ()
    ways: Sequence[Any] = ()


def file_name(folder: str, number: str, identifier: str) -> str:
    """A file name that no id can break.

    >>> file_name("schools", "07", "../S<b>001")
    'schools/07-Sb001.html'
    """
    safe = re.sub(r"[^A-Za-z0-9]+", "", identifier)[:24]
    return f"{folder}/{number}{f'-{safe}' if safe else ''}.html"


def school_sheet(plan: Plan, school_id: str, number: str, why: Why, ways: pd.DataFrame) -> Sheet:
    """Why one school ends, and where everybody goes."""
    schools, moved = plan.area.schools, trips(plan)
    moved = moved[moved["from_school"] == school_id]
    row = schools.loc[school_id]
    at_plan = plan.actions[plan.actions["school_id"] == school_id]
    about = {
        "id": school_id,
        "kind": Word(f"kind.{row['kind']}"),
        "town": _town(plan, str(row["town_id"])),
        "fate": fate(plan, at_plan),
        "assumed": bool(str(row["assumed"]).strip()),
        "enrolled": _sum(row[f"pupils_{stage}"] for stage in at_plan["stage"]),
        "seats": _sum(row[f"seats_{stage}"] for stage in at_plan["stage"]),
        "moving": int(moved["pupils"].sum()),
        "trips": _trips(plan, moved),
        "rest": _rest(moved.iloc[MOST_TRIPS:]),
        "all": _rest(moved),
        "seats_there": _seats(plan, moved),
        "why": why,
        "norms": [norm for norm in norms(plan.scenario) if norm.value is not None or norm.on_hearings],
    }
    marks = _marks(plan, [school_id], list(dict.fromkeys(moved["to_school"])), list(dict.fromkeys(moved["demand_id"])))
    return Sheet(
        "school",
        number,
        file_name("schools", number, school_id),
        str(row["name"]),
        about,
        marks,
        _lines(ways, moved),
    )


def town_sheet(plan: Plan, town: str, number: int, numbers: Mapping[str, str], ways: pd.DataFrame) -> Sheet:
    """A town's schools before and after, who moves, and how long everybody travels.

    Parameters
    ----------
    numbers : of the sheets of schools
    """
    area, today = plan.area, plan.today or plan
    here = [str(s) for s in area.schools.index if area.schools.at[s, "town_id"] == town]
    homes = area.demand.index[area.demand["town_id"] == town]
    moved = trips(plan)
    moved = moved[moved["demand_id"].isin(homes)]
    pairs = [(school, _stage(plan, today, school, stage)) for school in here for stage in STAGES]
    rows = [
        {"number": numbers.get(school, ""), "school": _school(plan, school), **found}
        for school, found in pairs
        if found
    ]
    about = {
        "id": town,
        "schools": [row for row in rows if row["pupils_before"] or row["pupils_after"] or row["ends"] or row["open"]],
        "flows": (flows := _flows(plan, moved))[:MOST_FLOWS],
        "rest": sum(flow["pupils"] for flow in flows[MOST_FLOWS:]),
        "moving": int(moved["pupils"].sum()),
        "bands": _bands(plan, today, homes),
        "ending": sum(1 for school in here if school in numbers),
    }
    others = [s for s in dict.fromkeys(moved["to_school"]) if s and s not in here]
    open_here = [s for s in here if _goes_on(plan, s)]
    marks = _marks(plan, [s for s in here if s in numbers], others, [], open_here)
    file = file_name("towns", f"{number:02d}", town)
    return Sheet("town", f"T{number:02d}", file, _town(plan, town), about, marks, _lines(ways, moved))


def county_sheet(plan: Plan, numbers: Mapping[str, str], schools: Sequence[Sheet], towns: Sequence[Sheet]) -> Sheet:
    """The scorecard, the rules in words, the towns and the list of all that ends, whichever sheets are in the pack.

    Parameters
    ----------
    numbers : of the sheets of all schools that end
    schools, towns : those that are in the pack
    """
    area, today = plan.area, plan.today or plan
    before: Any = by_town(today)
    after: Any = by_town(plan)
    moved = trips(plan)
    lives = moved["demand_id"].map(area.demand["town_id"])
    sheets, of_schools = ({str(sheet.about["id"]): sheet for sheet in some} for some in (towns, schools))
    leaving = moved.groupby("from_school")["pupils"].sum()
    open_in = [p.actions[~p.actions["action"].isin((*ENDS, "none"))]["school_id"].unique() for p in (today, plan)]
    place = area.schools["town_id"]
    rows = [
        {
            "sheet": sheets.get(str(town)),
            "name": _town(plan, str(town)),
            "open_before": int((place.loc[open_in[0]] == town).sum()),
            "open_after": int((place.loc[open_in[1]] == town).sum()),
            "moving": int(moved["pupils"][lives == town].sum()),
            "pupils": int(after.at[town, "pupils"]),
            **{
                f"{key}_{side}": float(t.at[town, key])
                for key in ("mean", "longest")
                for side, t in (("before", before), ("after", after))
            },
        }
        for town in area.towns.index
    ]
    ends = [
        {
            "sheet": of_schools.get(school),
            "number": number,
            "name": str(area.schools.at[school, "name"]),
            "town": _town(plan, str(place[school])),
            "fate": fate(plan, plan.actions[plan.actions["school_id"] == school]),
            "moving": int(leaving.get(school, 0)),
        }
        for school, number in numbers.items()
    ]
    about = {
        "moving": int(moved["pupils"].sum()),
        "longest": float(after["longest"].max()),
        "scores": _records(scorecard(plan)),
        "rules": list(rules(plan.scenario, area)),
        "norms": norms(plan.scenario),
        "towns": rows,
        "ends": ends,
        "bands": _bands(plan, today, area.demand.index),
        "notes": list(dict.fromkeys((*plan.notes, *area.assumptions))),
    }
    stay = [s for s in map(str, area.schools.index) if s not in numbers and _goes_on(plan, s)]
    marks = _marks(plan, list(numbers), [], [], stay)
    return Sheet("county", "", "county.html", area.title, about, [Mark(m.x, m.y, m.what) for m in marks])


# ---------------------------------------------------------------- parts


def fate(plan: Plan, actions: pd.DataFrame) -> Listed:
    """What becomes of a school, stage by stage where it has several."""
    parts: list[Any] = []
    for stage, action, into in actions[["stage", "action", "into"]].itertuples(index=False):
        state = Word("state.merge_into", {"n": _school(plan, into)}) if into else Word(f"state.{action}")
        parts.append(Phrase("stage", {"stage": Word(f"stage.{stage}"), "state": state}) if len(actions) > 1 else state)
    return Listed(tuple(parts))


def _town(plan: Plan, town: str) -> str:
    return str(plan.area.towns.at[town, "name"]) if town in plan.area.towns.index else town


def _school(plan: Plan, school: str) -> str:
    return f"{school} {plan.area.schools.at[school, 'name']}" if school else ""


def _goes_on(plan: Plan, school: str) -> bool:
    actions = plan.actions["action"][plan.actions["school_id"] == school]
    return bool((~actions.isin((*ENDS, "none"))).any())


def _sum(values: Any) -> float:
    return float(sum(values))


def _trips(plan: Plan, moved: pd.DataFrame) -> list[dict[str, Any]]:
    shown = []
    for row in _records(moved.head(MOST_TRIPS)):
        limits = [plan.scenario.travel.limit_minutes(band) for band in row["bands"]]
        beyond = bool(row["to_school"]) and row["minutes_after"] > min(limits) + 1e-6
        names = {"village": str(plan.area.demand.at[row["demand_id"], "name"]), "to": _school(plan, row["to_school"])}
        shown.append({**row, **names, "beyond": beyond})
    return shown


def _rest(moved: pd.DataFrame) -> dict[str, Any] | None:
    """Trips summed up; None where there are none."""
    if moved.empty:
        return None
    known = moved.dropna(subset=["minutes_before", "minutes_after"])
    weights = known["pupils"]
    return {
        "villages": int(moved["demand_id"].nunique()),
        "pupils": int(moved["pupils"].sum()),
        **{
            side: float(np.average(known[f"minutes_{side}"], weights=weights)) if len(known) else float("nan")
            for side in ("before", "after")
        },
        "longest": float(known["minutes_after"].max()) if len(known) else float("nan"),
    }


def _seats(plan: Plan, moved: pd.DataFrame) -> list[dict[str, Any]]:
    return [{**row, "school": _school(plan, row["school_id"])} for row in _records(seats(plan, moved))]


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def _stage(plan: Plan, today: Plan, school: str, stage: str) -> dict[str, Any] | None:
    """Seats, pupils and fate of a stage; None where the school never has it."""
    old, new = (p.actions[(p.actions["school_id"] == school) & (p.actions["stage"] == stage)] for p in (today, plan))
    if old.empty and new.empty:
        return None
    values = {}
    for side, table in (("before", old), ("after", new)):
        values[f"seats_{side}"] = float(table["seats"].iloc[0]) if len(table) else 0.0
        values[f"pupils_{side}"] = int(table["pupils"].iloc[0]) if len(table) else 0
    action = str(new["action"].iloc[0]) if len(new) else "none"
    into = str(new["into"].iloc[0]) if len(new) else ""
    state = Word("state.merge_into", {"n": _school(plan, into)}) if into else Word(f"state.{action}")
    flags = {"ends": action in ENDS, "open": action not in (*ENDS, "none"), "changed": action not in ("keep", "none")}
    return values | flags | {"stage": Word(f"stage.{stage}"), "state": state}


def _flows(plan: Plan, moved: pd.DataFrame) -> list[dict[str, Any]]:
    """From school to school, the most pupils first."""
    rows = []
    for (before, after), part in moved.groupby(["from_school", "to_school"], sort=False):
        rows.append({"from": _school(plan, str(before)), "to": _school(plan, str(after)), **(_rest(part) or {})})
    return sorted(rows, key=lambda row: -row["pupils"])


def _bands(plan: Plan, today: Plan, homes: Any) -> list[dict[str, Any]]:
    """Minutes before and after of those who live there, by band."""
    rows = []
    for band in BANDS:
        row: dict[str, Any] = {"band": Word(f"band.{band}"), "norm": plan.scenario.travel.limit_minutes(band)}
        for side, of in (("before", today), ("after", plan)):
            table = of.assignment
            table = table[(table["band"] == band) & table["demand_id"].isin(homes)]
            row["pupils"] = int(table["pupils"].sum())
            some = table.dropna(subset="minutes")
            minutes, weight = some["minutes"].to_numpy(), some["pupils"].to_numpy()
            row[f"mean_{side}"] = float(np.average(minutes, weights=weight)) if weight.sum() else float("nan")
            row[f"p90_{side}"] = quantile(minutes, weight, 0.9)
            row[f"longest_{side}"] = float(minutes.max()) if len(minutes) else float("nan")
            far = ~(table["minutes"].to_numpy() <= row["norm"] + 1e-6)
            row[f"beyond_{side}"] = int(table["pupils"].to_numpy()[far].sum()) if np.isfinite(row["norm"]) else None
        rows.append(row)
    return [row for row in rows if row["pupils"]]


def _marks(
    plan: Plan, ends: Sequence[str], to: Sequence[str], villages: Sequence[str], stay: Sequence[str] = ()
) -> list[Mark]:
    """Schools first, so that their names find room first."""
    schools, demand = plan.area.schools, plan.area.demand
    opened = set(plan.actions["school_id"][plan.actions["action"] == "open"])
    marks, seen = [], set()
    for what, ids in (("ends", ends), ("receives", [s for s in to if s]), ("stays", stay)):
        for school in ids:
            if school not in seen:
                seen.add(school)
                point, name = schools.geometry[school], str(schools.at[school, "name"])
                marks.append(Mark(point.x, point.y, "opens" if what == "stays" and school in opened else what, name))
    for village in villages:
        point = demand.geometry[village]
        marks.append(Mark(point.x, point.y, "village", str(demand.at[village, "name"])))
    return marks


def _lines(ways: pd.DataFrame, moved: pd.DataFrame) -> list[Any]:
    """The ways to the new schools."""
    pairs = set(zip(moved["demand_id"], moved["to_school"], strict=True))
    keys = zip(ways["demand_id"], ways["school_id"], ways["geometry"], strict=True)
    return [line for demand, school, line in keys if (demand, school) in pairs]
