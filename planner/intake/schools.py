"""Schools from OSM: which kind they are, and what has to be assumed about them."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import DataError, Fault
from planner.model import BAND_GRADES, BANDS, KIND_GRADES, StudyArea
from planner.sources.osm import OsmExtract
from planner.wording import Amount, Label, Listed, Word, remark

if TYPE_CHECKING:
    import pandas as pd

# Names tell the kind where tags do not; the first that fits counts. Schools of none of the planner's grades: "".
KINDS_BY_NAME = (
    ("", r"大学|学院|职业|技校|高中|驾校|培训|党校|特殊教育"),
    ("", r"universit|vocational|berufs|driving|fahrschule|music school|musikschule|language school|dance|adult"),
    ("central_kindergarten", r"中心幼儿园"),
    ("kindergarten", r"幼儿园|幼教|托儿|kindergarten|nursery|pre-?school|préscolaire|maternelle|kita\b|spielgruppe"),
    ("kindergarten", r"guarder|escola bressol|jard[ií]n"),
    ("nine_year", r"九年|一贯|实验学校|nine.?year|primary and (junior|secondary)|combined school"),
    ("junior_middle", r"中学|初中|一中|二中|三中|middle school|secondary|high ?school|junior|oberschule|realschule"),
    ("junior_middle", r"sekundar|gymnasium|weiterführ|coll[eè]ge|lyc[ée]e|liceo|institut|segona ensenyan"),
    ("central_primary", r"中心小学|中心校|中心学校|central primary"),
    ("teaching_point", r"教学点"),
    ("village_primary", r"小学|完小|希望|primary|elementary|primarschule|volksschule|grundschule"),
    ("village_primary", r"[ée]cole|escola|escuela|primaire"),
)


def kind_of(tags: pd.Series | dict[str, str]) -> str | None:
    """The kind that a school's tags and name tell: "" is none of the planner's, None is not told.

    >>> kind_of({"name": "王家塬小学"}), kind_of({"amenity": "kindergarten"}), kind_of({"name": "School 7"})
    ('village_primary', 'kindergarten', None)
    """
    name = " ".join(str(tags.get(key, "")) for key in ("name", "name:zh", "name:en")).lower()
    levels = set(re.findall(r"\d", f"{tags.get('isced:level', '')} {tags.get('school:level', '')}"))
    grades = re.findall(r"\d+", str(tags.get("grades", "")))
    by_name = next((kind for kind, pattern in KINDS_BY_NAME if re.search(pattern, name)), None)
    if tags.get("amenity") == "kindergarten":
        return "central_kindergarten" if by_name == "central_kindergarten" else "kindergarten"
    if levels & set("012345678"):
        if "1" in levels and "2" in levels:
            return "nine_year"
        if "1" in levels:
            return by_name if by_name in ("central_primary", "teaching_point") else "village_primary"
        return "junior_middle" if "2" in levels else "kindergarten" if "0" in levels else ""
    if grades:
        low, high = int(grades[0]), int(grades[-1])
        return (
            "nine_year"
            if low <= 6 < high
            else "junior_middle"
            if 6 < low <= 9
            else ""
            if low > 9
            else "village_primary"
        )
    return by_name


def school_table(extract: OsmExtract, outline: Any, said: list[Label]) -> pd.DataFrame:
    """Schools of OSM inside the outline; those of no kind are left out, those not told stay blank for now.

    Raises
    ------
    DataError : there is no school
    """
    import pandas as pd

    found = extract.schools.drop_duplicates("osm_id").reset_index(drop=True)
    if outline is not None and len(found):
        found = found[np.array(outline.covers(found.geometry.to_numpy()))].reset_index(drop=True)
    kinds = [kind_of(row) for _, row in found.iterrows()]
    other = np.array([kind == "" for kind in kinds], dtype=bool)
    if other.any():
        names = Listed(tuple(n for n in found["name"][other] if n))
        said.append(remark("intake.other_kinds", n=other.sum(), names=names))
    found, kinds = found[~other].reset_index(drop=True), [kind for kind in kinds if kind != ""]
    if found.empty:
        raise DataError([Fault("--osm", "it holds no school inside the towns", "Give the schools with --schools.")])
    told = np.array([kind is not None for kind in kinds], dtype=bool)
    capacity = pd.to_numeric(found["capacity"], errors="coerce")
    return pd.DataFrame(
        {
            "school_id": found["osm_id"],
            "name": found["name"].where(found["name"] != "", found["osm_id"]),
            "kind": [kind or "village_primary" for kind in kinds],
            "lon": found.geometry.x,
            "lat": found.geometry.y,
            "seats": capacity.where(capacity > 0),
            "assumed": np.where(told, "", "kind"),
        }
    )


def kinds_that_are_needed(area: StudyArea, said: list[Label]) -> StudyArea:
    """Schools whose kind nothing tells: primary, or nine-year where no other school teaches a junior stage."""
    schools = area.schools.copy()
    open_kind = schools["assumed"].str.split().map(lambda words: "kind" in words)
    if not open_kind.any():
        return area
    taught = schools.loc[~open_kind, "grades"].map(lambda grades: "g7" in grades).any()
    kind = "village_primary" if taught else "nine_year"
    schools.loc[open_kind, "kind"] = kind
    schools["grades"] = [
        KIND_GRADES[kind] if unsure else grades for unsure, grades in zip(open_kind, schools["grades"], strict=True)
    ]
    said.append(remark("intake.kind", n=open_kind.sum(), all=len(schools), kind=Word(f"kind.{kind}")))
    return dataclasses.replace(area, schools=schools)


def only_taught(area: StudyArea, said: list[Label]) -> StudyArea:
    """Pupils of bands that no school of the area teaches are left out, and it is said how many."""
    pupils = area.pupils.copy()
    for band in BANDS:
        grades = list(BAND_GRADES[band])
        count = int(pupils[grades].to_numpy().sum())
        if count and not any(set(grades) <= set(taught) for taught in area.schools["grades"]):
            pupils[grades] = 0
            said.append(remark("intake.untaught", band=Word(f"band.{band}"), pupils=Amount(count, "pupils")))
    return dataclasses.replace(area, pupils=pupils)
