"""Rows of the sheets' tables, places on their maps, and names as the sheets write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.hearing.facts import ENDS, seats
from planner.hearing.sketch import Mark
from planner.indicators.trips import quantile
from planner.model import BAND_STAGE, BANDS, STAGES
from planner.plan import Plan
from planner.wording import Listed, Phrase, Word

if TYPE_CHECKING:
    import pandas as pd

CLOSED = (*ENDS, "none")


def fate(plan: Plan, actions: pd.DataFrame) -> Listed:
    """What becomes of a school, stage by stage where it has several."""
    parts: list[Any] = []
    for stage, action, into in actions[["stage", "action", "into"]].itertuples(index=False):
        state = _state(plan, action, into)
        parts.append(Phrase("stage", {"stage": Word(f"stage.{stage}"), "state": state}) if len(actions) > 1 else state)
    return Listed(tuple(parts))


def _state(plan: Plan, action: str, into: str) -> Word:
    return Word("state.merge_into", {"n": school_name(plan, into)}) if into else Word(f"state.{action}")


def town_name(plan: Plan, town: str) -> str:
    """A town's name, or its id where the area has no such town."""
    return str(plan.area.towns.at[town, "name"]) if town in plan.area.towns.index else town


def school_name(plan: Plan, school: str) -> str:
    """A school's id and name; "" stays "".

    >>> school_name(tiny.plan, "S3"), school_name(tiny.plan, "")
    ('S3 九年制学校', '')
    """
    return f"{school} {plan.area.schools.at[school, 'name']}" if school else ""


def goes_on(plan: Plan, school: str) -> bool:
    """Whether a school is open with a stage."""
    actions = plan.actions["action"][plan.actions["school_id"] == school]
    return bool((~actions.isin(CLOSED)).any())


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries."""
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def trip_rows(plan: Plan, moved: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of ``trips`` with names, and whether a trip is beyond its norm."""
    shown = []
    for row in records(moved):
        limit = min(plan.scenario.travel.limit_minutes(band) for band in row["bands"])
        names = {
            "village": str(plan.area.demand.at[row["demand_id"], "name"]),
            "to": school_name(plan, row["to_school"]),
        }
        shown.append({**row, **names, "beyond": bool(row["to_school"]) and row["minutes_after"] > limit + 1e-6})
    return shown


def together(moved: pd.DataFrame) -> dict[str, Any] | None:
    """Trips summed up; None where there are none.

    >>> from planner.hearing.facts import trips
    >>> together(trips(tiny.plan))
    {'pupils': 20, 'before': 10.0, 'after': 20.0, 'longest': 20.0}
    """
    if moved.empty:
        return None
    known = moved.dropna(subset=["minutes_before", "minutes_after"])
    weights = known["pupils"]
    return {
        "pupils": int(moved["pupils"].sum()),
        **{
            side: float(np.average(known[f"minutes_{side}"], weights=weights)) if len(known) else float("nan")
            for side in ("before", "after")
        },
        "longest": float(known["minutes_after"].max()) if len(known) else float("nan"),
    }


def seat_rows(plan: Plan, moved: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of ``seats`` with names."""
    return [{**row, "school": school_name(plan, row["school_id"])} for row in records(seats(plan, moved))]


def stage_rows(plan: Plan, schools: Sequence[str]) -> list[dict[str, Any]]:
    """Seats, pupils and fate of every stage that these schools have, today or in the plan."""
    found = ((school, _stage(plan, school, stage)) for school in schools for stage in STAGES)
    return [
        {"id": school, "school": school_name(plan, school), "town": "", **row}
        for school, row in found
        if row and (row["pupils_before"] or row["pupils_after"] or row["ends"] or row["open"])
    ]


def _stage(plan: Plan, school: str, stage: str) -> dict[str, Any] | None:
    """Seats, pupils and fate of a stage; None where the school never has it."""
    tables = [p.actions for p in (plan.today or plan, plan)]
    old, new = (table[(table["school_id"] == school) & (table["stage"] == stage)] for table in tables)
    if old.empty and new.empty:
        return None
    values = {}
    for side, table in (("before", old), ("after", new)):
        values[f"seats_{side}"] = float(table["seats"].iloc[0]) if len(table) else 0.0
        values[f"pupils_{side}"] = int(table["pupils"].iloc[0]) if len(table) else 0
    action = str(new["action"].iloc[0]) if len(new) else "none"
    into = str(new["into"].iloc[0]) if len(new) else ""
    flags = {"ends": action in ENDS, "open": action not in CLOSED, "changed": action not in ("keep", "none")}
    return values | flags | {"stage": Word(f"stage.{stage}"), "state": _state(plan, action, into)}


def receiving(plan: Plan, moved: pd.DataFrame, here: Sequence[str]) -> list[dict[str, Any]]:
    """Stages of schools elsewhere that take these pupils in, with the name of the town."""
    takes = {
        (to, BAND_STAGE[band]) for to, bands in zip(moved["to_school"], moved["bands"], strict=True) for band in bands
    }
    places = plan.area.schools["town_id"]
    rows = (
        (school, stage, _stage(plan, school, stage)) for school, stage in sorted(takes) if school not in {"", *here}
    )
    return [
        {"id": school, "school": school_name(plan, school), "town": town_name(plan, str(places[school])), **row}
        for school, _, row in rows
        if row
    ]


def flows(plan: Plan, moved: pd.DataFrame) -> list[dict[str, Any]]:
    """From school to school, the most pupils first, each with its trips."""
    rows = []
    for (before, after), part in moved.groupby(["from_school", "to_school"], sort=False):
        ends = {"from": school_name(plan, str(before)), "to": school_name(plan, str(after))}
        listed = trip_rows(plan, part)
        beyond = any(trip["beyond"] for trip in listed)
        rows.append({**ends, "trips": listed, "beyond": beyond, **(together(part) or {})})
    return sorted(rows, key=lambda row: -row["pupils"])


def band_rows(plan: Plan, homes: Any) -> list[dict[str, Any]]:
    """Minutes before and after of those who live there, by band."""
    rows = []
    for band in BANDS:
        row: dict[str, Any] = {"band": Word(f"band.{band}"), "norm": plan.scenario.travel.limit_minutes(band)}
        for side, of in (("before", plan.today or plan), ("after", plan)):
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


def marks_of(
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


def lines_of(ways: pd.DataFrame, moved: pd.DataFrame) -> list[Any]:
    """The ways to the new schools."""
    pairs = set(zip(moved["demand_id"], moved["to_school"], strict=True))
    keys = zip(ways["demand_id"], ways["school_id"], ways["geometry"], strict=True)
    return [line for demand, school, line in keys if (demand, school) in pairs]
