"""Study area and plans -> the plain data that map.js draws. Ids and names stay text; NaN becomes null."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from planner.draw.basemap import bounds, place, to_lonlat, towns
from planner.draw.basemap import roads as roads_of
from planner.draw.catchments import catchments
from planner.draw.grounds import grounds
from planner.draw.whatif import lean, pupils, whatif
from planner.indicators import INDICATORS
from planner.model import BAND_GRADES, BAND_STAGE, BANDS, STAGES, StudyArea
from planner.plan import Plan
from planner.plan.whatif import to_tenths
from planner.privacy import partly_assumed
from planner.wording import plain

if TYPE_CHECKING:
    import pandas as pd

INDICATOR = ("indicator", "label_en", "label_zh", "unit", "direction")


def payload(
    area: StudyArea,
    plans: Sequence[Plan],
    scorecards: Sequence[pd.DataFrame] = (),
    roads: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Everything the page knows. What belongs to a plan is said of every plan, what they share is said once.

    Parameters
    ----------
    scorecards : one a plan, as ``planner.compare.scorecard`` gives it, or none at all
    roads : the area's (``basemap.roads``) where they are at hand

    >>> sorted(payload(tiny.area, [tiny.plan]))[:6]
    ['area', 'bands', 'bounds', 'grounds', 'indicators', 'plans']
    """
    school_row = {str(school): i for i, school in enumerate(area.schools.index)}
    village_row = {str(village): i for i, village in enumerate(area.demand.index)}
    carried, places = grounds(area, plans)
    cards = [_scores(card) for card in scorecards] or [{}] * len(plans)
    asked = whatif(area, plans, school_row, village_row)
    drawn = [_plan(area, plan, school_row, village_row) for plan in plans]
    return {
        "area": {
            "title": area.title,
            "synthetic": bool(area.synthetic),
            "assumed": partly_assumed(area),
            "public": bool(area.public),
            "dataDate": area.data_date,
            "attribution": list(area.attribution),
            "assumptions": [plain(said) for said in area.assumptions],
        },
        "bands": [{"band": band, "stage": BAND_STAGE[band]} for band in BANDS],
        "bounds": bounds(area),
        "roads": roads_of(area) if roads is None else roads,
        "grounds": carried,
        "towns": towns(area),
        "schools": schools(area),
        "villages": villages(area),
        "plans": [
            {**one, "trips": trips, "ground": ground, "layout": layout, "scores": card}
            for one, trips, (ground, layout), card in zip(drawn, lean(drawn, asked, area), places, cards, strict=True)
        ],
        "whatif": asked,
        "indicators": _indicators(scorecards[0]) if scorecards else [],
    }


def number(value: Any, digits: int = 4) -> float | None:
    """A number as JSON can say it: unknown and infinite are null.

    >>> number(1.23456), number(float("nan")), number(3.0)
    (1.2346, None, 3)
    """
    value = float(value)
    if not math.isfinite(value):
        return None
    value = round(value, digits)
    return int(value) if value.is_integer() else value


def schools(area: StudyArea) -> list[dict[str, Any]]:
    """Every school: what it is today."""
    frame = area.schools
    names = _town_names(area)
    return [
        {
            "id": str(school),
            "name": str(frame.at[school, "name"]),
            "kind": str(frame.at[school, "kind"]),
            "town": names.get(str(frame.at[school, "town_id"]), ""),
            "candidate": frame.at[school, "status"] == "candidate",
            "at": place(point),
            "stages": {
                stage: {
                    "seats": number(frame.at[school, f"seats_{stage}"]),
                    "pupils": number(frame.at[school, f"pupils_{stage}"]),
                }
                for stage in taught(frame.at[school, "grades"])
            },
            "assumed": _assumed(frame.at[school, "assumed"], taught(frame.at[school, "grades"])),
        }
        for school, point in zip(frame.index, to_lonlat(frame.geometry.to_numpy(), area.crs), strict=True)
    ]


def _assumed(columns: str, stages: Sequence[str]) -> list[str]:
    """Columns that were assumed, without those of stages that the school does not teach."""
    other = tuple(f"_{stage}" for stage in STAGES if stage not in stages)
    return [column for column in str(columns).split() if not column.endswith(other)]


def taught(grades: Sequence[str]) -> list[str]:
    """Stages of which a school teaches at least one whole band.

    >>> taught(("g1", "g2", "g3"))
    ['primary']
    """
    bands = [band for band in BANDS if set(BAND_GRADES[band]) <= set(grades)]
    return [stage for stage in STAGES if any(BAND_STAGE[band] == stage for band in bands)]


def villages(area: StudyArea) -> list[dict[str, Any]]:
    """Every demand point with its pupils by band."""
    frame, names = area.demand, _town_names(area)
    counts = pupils(area)
    points = to_lonlat(frame.geometry.to_numpy(), area.crs)
    return [
        {
            "id": str(village),
            "name": str(frame.at[village, "name"]),
            "town": names.get(str(frame.at[village, "town_id"]), ""),
            "at": place(points[i]),
            "population": number(frame.at[village, "population"]),
            "pupils": counts[i],
        }
        for i, village in enumerate(frame.index)
    ]


def _plan(area: StudyArea, plan: Plan, school_row: Mapping[str, int], village_row: Mapping[str, int]) -> dict[str, Any]:
    """A plan, schools and villages by their row."""
    actions, trips = plan.actions, to_tenths(plan).assignment
    return {
        "title": plan.title,
        "status": plan.status,
        "gap": number(plan.gap, 6),
        "notes": [plain(note) for note in plan.notes],
        "actions": [
            {
                "school": school_row[str(row["school_id"])],
                "stage": str(row["stage"]),
                "action": str(row["action"]),
                "into": school_row.get(str(row["into"])),
                "seats": number(row["seats"]),
                "added": number(row["seats_added"]),
                "pupils": number(row["pupils"]),
            }
            for row in actions.to_dict("records")
        ],
        "trips": [
            {
                "village": village_row[str(row["demand_id"])],
                "band": BANDS.index(str(row["band"])),
                "school": school_row.get(str(row["school_id"]), -1),
                "pupils": int(row["pupils"]),
                "minutes": number(row["minutes"], 1),
                "km": number(row["km"], 1),
                "mode": str(row["mode"]),
                "reason": str(row["reason"]),
            }
            for row in trips.to_dict("records")
        ],
        "catchments": catchments(area, plan, school_row),
    }


def _indicators(scorecard: pd.DataFrame) -> list[dict[str, str | bool]]:
    """What the register says of every figure of a scorecard."""
    of_trips = {key for key, known in INDICATORS.items() if known.of_trips}
    return [
        {key: str(row[key]) for key in INDICATOR} | {"of_trips": row["indicator"] in of_trips}
        for row in scorecard.to_dict("records")
    ]


def _scores(scorecard: pd.DataFrame) -> dict[str, list[Any]]:
    """A plan's figures in the order of the indicators, beside those before."""
    return {
        "today": [number(value, 6) for value in scorecard["today"]],  # the page rounds to three at most
        "plan": [number(value, 6) for value in scorecard["plan"]],
        "change": [str(word) for word in scorecard["change"]],
    }


def _town_names(area: StudyArea) -> dict[str, str]:
    return {str(town): str(name) for town, name in area.towns["name"].items()}
