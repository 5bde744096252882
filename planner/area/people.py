"""Schools and pupils of an area, from what its tables give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from planner.area.manifest import Findings
from planner.area.places import Source, known_towns
from planner.demand import GRADE_SHARE, largest_remainder, long_to_wide, pupils_from_population, spread_totals
from planner.errors import Fault
from planner.model import BAND_GRADES, BAND_STAGE, GRADES, KIND_GRADES, STAGES
from planner.tables import nearest
from planner.wording import remark

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

STAGE_GRADES = {s: [g for band, stage in BAND_STAGE.items() if stage == s for g in BAND_GRADES[band]] for s in STAGES}


def school_frame(source: Source, towns: np.ndarray) -> pd.DataFrame:
    """The columns of ``StudyArea.schools``, index ``school_id``.

    Seats and pupils of a stage that a school does not teach are 0. Where they are given for the whole school only,
    they are its one stage's; of several stages, shared by the number of grades and marked as assumed.
    """
    import pandas as pd

    frame = source.frame
    grades = [g or KIND_GRADES.get(kind, ()) for g, kind in zip(frame["grades"], frame["kind"], strict=True)]
    taught = np.array([[sum(g in own for g in STAGE_GRADES[s]) for s in STAGES] for own in grades]).reshape(
        -1, len(STAGES)
    )
    made = {
        "name": np.where(frame["name"] == "", frame["school_id"], frame["name"]),
        "kind": frame["kind"],
        "status": np.where(frame["status"] == "", "existing", frame["status"]),
        "town_id": towns,
        "grades": pd.Series(grades, index=frame.index, dtype=object),
    }
    assumed = [words.split() for words in frame["assumed"]]
    for what in ("seats", "pupils"):
        columns = [f"{what}_{stage}" for stage in STAGES]
        by_stage = frame[columns].to_numpy(dtype=float, copy=True)
        for i, whole in enumerate(frame[what].to_numpy(dtype=float)):
            if np.isnan(by_stage[i]).all() and not np.isnan(whole) and taught[i].any():
                by_stage[i] = largest_remainder(round(whole), taught[i])
                if (taught[i] > 0).sum() > 1:
                    assumed[i] += [c for c, n in zip(columns, taught[i], strict=True) if n]
        by_stage[np.isnan(by_stage) & (taught == 0)] = 0.0
        made |= {column: by_stage[:, j] for j, column in enumerate(columns)}
    made |= {column: frame[column] for column in ("beds", "annual_cost_cny")}
    made["assumed"] = np.array([" ".join(dict.fromkeys(words)) for words in assumed], dtype=object)
    ready = pd.DataFrame(made, index=frame.index)
    ready.index = pd.Index(frame["school_id"], name="school_id", dtype=object)
    return ready


def pupils_of(
    demand: Source,
    pupils: Source | None,
    totals: Source | None,
    people: pd.DataFrame,
    towns: gpd.GeoDataFrame,
    found: Findings,
) -> tuple[pd.DataFrame, bool]:
    """Pupils by demand point and grade, and whether they had to be assumed from population alone.

    Parameters
    ----------
    people : index demand_id; columns ``town_id``, ``population``
    """
    own = demand.frame[list(GRADES)].notna().to_numpy().any()
    given = [s.raw.file for s in (demand if own else None, pupils, totals) if s is not None]
    if len(given) > 1:
        fix = "Keep one of them in area.toml, or drop the grade columns of the demand table."
        found.faults.append(Fault(given[0], f"pupils are given a second time in {given[1]}", fix))
    if own:
        return _wide(demand, found).set_axis(people.index), False
    if pupils is not None:
        return _from_table(pupils, people, found), False
    if totals is not None:
        return _from_totals(totals, people, towns, found), False
    if not people["population"].gt(0).any():
        problem = "neither pupils nor population are known"
        found.faults.append(demand.fault(problem, "Add grade columns (k1..g9), a pupils file, totals or population."))
        return _none(people), False
    share = f"{100 * GRADE_SHARE['g1']:g} %"
    found.assumptions.append(remark("area.pupils_assumed", share=share))
    return pupils_from_population(people["population"]), True


def _none(people: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(0, index=people.index, columns=list(GRADES), dtype="int64")


def _wide(source: Source, found: Findings) -> pd.DataFrame:
    """Grade columns of a table; a blank among them is no pupil, which is said."""
    columns = [grade for grade in GRADES if grade in source.checked.headers]
    counts = source.frame[columns]
    if (blank := counts.isna().any(axis=1).to_numpy()).any():
        fix = "Enter 0 where there is none."
        found.doubts.append(source.fault("a blank number of pupils is read as 0", fix, blank))
    return source.frame[list(GRADES)].fillna(0).astype("int64")


def _from_table(source: Source, people: pd.DataFrame, found: Findings) -> pd.DataFrame:
    import pandas as pd

    frame, headers = source.frame, source.checked.headers
    ids = frame["demand_id"].to_numpy(dtype=object)
    for word in dict.fromkeys(i for i in ids if i and i not in people.index):
        alike = nearest(word, people.index.tolist())
        fix = f"Did you mean {alike}?" if alike else "Add it to the demand table, or drop the row."
        found.faults.append(source.fault(f"{word} is no demand point", fix, ids == word, "demand_id"))
    if {"grade", "pupils"} <= set(headers):
        many = np.array([len(grades) != 1 for grades in frame["grade"]], dtype=bool)
        if many.any():
            found.faults.append(source.fault("a row needs one grade", "Enter one like g3.", many, "grade"))
        if (blank := frame["pupils"].isna().to_numpy()).any():
            found.doubts.append(source.fault("a blank number of pupils is read as 0", "Enter 0.", blank, "pupils"))
        grade = [grades[0] if len(grades) == 1 else "" for grades in frame["grade"]]
        long = pd.DataFrame({"demand_id": ids, "grade": grade, "pupils": frame["pupils"].fillna(0).to_numpy()})
        twice = long.duplicated(["demand_id", "grade"], keep=False).to_numpy() & ~many
        wide = long_to_wide(long)
    elif any(grade in headers for grade in GRADES):
        twice = pd.Series(ids).duplicated(keep=False).to_numpy()
        wide = _wide(source, found).set_axis(pd.Index(ids, name="demand_id"))
        wide = wide[~wide.index.duplicated()]
    else:
        fix = "Add grade and pupils, or a column a grade (k1..g9)."
        found.faults.append(source.fault("columns of pupils are missing", fix))
        return _none(people)
    if twice.any():
        problem = f"{ids[twice][0]} stands more than once with the same grade"
        found.faults.append(source.fault(problem, "Keep one row.", twice, "demand_id"))
    return wide.reindex(people.index).fillna(0).astype("int64")


def _from_totals(source: Source, people: pd.DataFrame, towns: gpd.GeoDataFrame, found: Findings) -> pd.DataFrame:
    frame, words = source.frame, known_towns(towns)
    given = frame["town_id"].to_numpy(dtype=object)
    at_fault = len(found.faults)
    for word in dict.fromkeys(word for word in given if word and word not in words):
        alike = nearest(word, list(words))
        fix = f"Did you mean {alike}?" if alike else "Enter a town of the towns file."
        found.faults.append(source.fault(f"{word} is no town", fix, given == word, "town_id"))
    ids = np.array([words.get(word, word) for word in given], dtype=object)
    if len(set(ids)) < len(ids):
        twice = np.array([list(ids).count(i) > 1 for i in ids])
        fix = "Keep one row a town."
        found.faults.append(source.fault(f"{given[twice][0] or 'blank'} stands twice", fix, twice, "town_id"))
    if not any(grade in source.checked.headers for grade in GRADES):
        found.faults.append(source.fault("columns of pupils are missing", "Add a column a grade (k1..g9)."))
    if len(found.faults) > at_fault:
        return _none(people)
    if unnamed := [town for town in towns.index if "" not in ids and town not in ids]:
        problem = f"no total for {', '.join(map(str, unnamed))}: no pupils there"
        found.doubts.append(source.fault(problem, "Add a row for it."))
    try:
        return spread_totals(_wide(source, found).set_axis(ids), people)
    except ValueError as error:
        fix = "Correct the totals, or the town's villages and their population."
        found.faults.append(source.fault(str(error), fix))
        return _none(people)


def add_word(words: Any, word: str) -> np.ndarray:
    """``assumed`` with one more column named.

    >>> add_word(["", "population", "pupils"], "pupils").tolist()
    ['pupils', 'population pupils', 'pupils']
    """
    return np.array([" ".join(dict.fromkeys([*text.split(), word])) for text in words], dtype=object)
