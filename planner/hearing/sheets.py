"""The figures of every sheet, as plain data that the pages lay out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from planner.compare import for_people, scorecard
from planner.hearing.facts import trips
from planner.hearing.rows import (
    CLOSED,
    band_rows,
    fate,
    flows,
    goes_on,
    lines_of,
    marks_of,
    receiving,
    records,
    seat_rows,
    stage_rows,
    together,
    town_name,
    trip_rows,
)
from planner.hearing.sketch import Mark
from planner.hearing.terms import norms, rules
from planner.hearing.why import Why
from planner.indicators import by_town
from planner.plan import Plan
from planner.privacy import said_of_public
from planner.wording import Sentence, Word, can_say

if TYPE_CHECKING:
    import pandas as pd

    from planner.hearing.terms import Norm

LEFT_OUT = ("exchange.", "other.move", "flip.worth.")
"""Left to a school's own sheet: who would go where if it were kept, and what that is worth, which is said already."""
SHORT = "hearing.short."
"""Begins the keys of sentences that say in few words, on a sheet of many schools, what the rest of the key says."""


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
        "town": town_name(plan, str(row["town_id"])),
        "fate": fate(plan, at_plan),
        "assumed": bool(str(row["assumed"]).strip()),
        "enrolled": float(sum(row[f"pupils_{stage}"] for stage in at_plan["stage"])),
        "seats": float(sum(row[f"seats_{stage}"] for stage in at_plan["stage"])),
        "moving": int(moved["pupils"].sum()),
        "trips": trip_rows(plan, moved),
        "all": together(moved),
        "seats_there": seat_rows(plan, moved),
        "why": why,
        "norms": _at_hearings(plan),
    }
    villages = list(dict.fromkeys(moved["demand_id"]))
    marks = marks_of(plan, [school_id], list(dict.fromkeys(moved["to_school"])), villages)
    file = file_name("schools", number, school_id)
    return Sheet("school", number, file, str(row["name"]), about, marks, lines_of(ways, moved))


def town_sheet(
    plan: Plan, town: str, number: int, numbers: Mapping[str, str], whys: Mapping[str, Why], ways: pd.DataFrame
) -> Sheet:
    """A town's schools before and after, why those that end do, every village that changes school, and its way.

    Parameters
    ----------
    numbers : of the sheets of schools
    whys : at least of the town's schools that end
    """
    area = plan.area
    here = [str(s) for s in area.schools.index if area.schools.at[s, "town_id"] == town]
    ends = [school for school in here if school in numbers]
    homes = area.demand.index[area.demand["town_id"] == town]
    moved = trips(plan)
    leaving = moved.groupby("from_school")["pupils"].sum()
    moved = moved[moved["demand_id"].isin(homes)]
    closing = [
        {
            "number": numbers[school],
            "name": str(area.schools.at[school, "name"]),
            "fate": fate(plan, plan.actions[plan.actions["school_id"] == school]),
            "moving": int(leaving.get(school, 0)),
            "why": whys[school],
        }
        for school in ends
    ]
    about = {
        "id": town,
        "schools": [
            {"number": numbers.get(row["id"], ""), **row}
            for row in (*stage_rows(plan, here), *receiving(plan, moved, here))
        ],
        "flows": flows(plan, moved),
        "moving": int(moved["pupils"].sum()),
        "living": int(plan.assignment["pupils"][plan.assignment["demand_id"].isin(homes)].sum()),
        "bands": band_rows(plan, homes),
        "ending": len(ends),
        "closing": (groups := by_rule(closing)),
        "in_villages": any(
            s.key.startswith(f"{SHORT}flip.pupils") for g in groups for r in g["schools"] for s in r["said"]
        ),
        "norms": _at_hearings(plan),
    }
    others = [s for s in dict.fromkeys(moved["to_school"]) if s and s not in here]
    villages = list(dict.fromkeys(moved["demand_id"]))
    marks = marks_of(plan, ends, others, villages, [s for s in here if goes_on(plan, s)])
    file = file_name("towns", f"{number:02d}", town)
    return Sheet("town", f"T{number:02d}", file, town_name(plan, town), about, marks, lines_of(ways, moved))


def by_rule(closing: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Schools that end, those together that the same rules bind; what holds for all of a group is said once.

    Parameters
    ----------
    closing : rows with ``why``

    Returns
    -------
    Rows ``rules`` (sentences), ``schools`` (the given rows, each with ``said``, its own sentences), ``common``

    >>> from planner.wording import Sentence
    >>> why = Why((Sentence("rule.close"),), (Sentence("proof.exact"),), (Sentence("hearing.flips.quick"),))
    >>> (group,) = by_rule([{"name": "A", "why": why}, {"name": "B", "why": why}])
    >>> [s.key for s in group["rules"]], [s.key for s in group["common"]], group["schools"][0]["said"]
    (['rule.close'], ['proof.exact', 'hearing.flips.quick'], [])
    """
    groups: list[dict[str, Any]] = []
    for row in closing:
        why: Why = row["why"]
        binding = [sentence for sentence in why.reasons if sentence.key.startswith("rule.")]
        eased = [sentence for sentence in why.reasons if sentence not in binding]
        said = [in_short(s) for s in (*eased, *why.opposite, *why.flips) if not s.key.startswith(LEFT_OUT)]
        group = next((group for group in groups if group["rules"] == binding), None)
        if group is None:
            groups.append(group := {"rules": binding, "schools": []})
        group["schools"].append({**row, "said": said})
    for group in groups:
        rows: list[dict[str, Any]] = group["schools"]
        common = [s for s in rows[0]["said"] if len(rows) > 1 and all(s in row["said"] for row in rows)]
        group["common"] = common
        for row in rows:
            row["said"] = [sentence for sentence in row["said"] if sentence not in common]
    return groups


def in_short(sentence: Sentence) -> Sentence:
    """What a sentence says in fewer words, if there are such.

    >>> from planner.wording import Sentence
    >>> [in_short(Sentence(key)).key for key in ("eased.keep.not", "proof.exact")]
    ['hearing.short.eased.keep.not', 'proof.exact']
    """
    key = f"{SHORT}{sentence.key}"
    return replace(sentence, key=key) if can_say(key) else sentence


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
    open_in = [p.actions[~p.actions["action"].isin(CLOSED)]["school_id"].unique() for p in (today, plan)]
    place = area.schools["town_id"]
    rows = [
        {
            "sheet": sheets.get(str(town)),
            "name": town_name(plan, str(town)),
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
            "town": town_name(plan, str(place[school])),
            "fate": fate(plan, plan.actions[plan.actions["school_id"] == school]),
            "moving": int(leaving.get(school, 0)),
        }
        for school, number in numbers.items()
    ]
    about = {
        "moving": int(moved["pupils"].sum()),
        "longest": float(after["longest"].max()),
        "scores": records(for_people(scorecard(plan))),
        "rules": list(rules(plan.scenario, area)),
        "norms": norms(plan.scenario),
        "towns": rows,
        "ends": ends,
        "bands": band_rows(plan, area.demand.index),
        "notes": [said for said in dict.fromkeys((*plan.notes, *area.assumptions)) if said != said_of_public()],
    }
    stay = [s for s in map(str, area.schools.index) if s not in numbers and goes_on(plan, s)]
    marks = marks_of(plan, [*numbers], [], [], stay)
    labels = [*numbers.values(), *("" for _ in stay)]
    marks = [replace(mark, label=label) for mark, label in zip(marks, labels, strict=True)]
    return Sheet("county", "", "county.html", area.title, about, marks)


def _at_hearings(plan: Plan) -> list[Norm]:
    """Norms with a value in the scenario, and those on hearings."""
    return [norm for norm in norms(plan.scenario) if norm.value is not None or norm.on_hearings]
