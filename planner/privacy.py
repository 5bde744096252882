"""Counts that give no child away: every number of pupils of an area becomes a multiple of five.

Rounding the cells before anything is added up is as if there were other pupils: every table, sum, difference and map
made afterwards is safe and adds up (Langsrud and Heldal 2018, "An algorithm for small count rounding of tabular data").
Why so, and what it does not protect from: ``docs/decisions/0010``.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from planner.model import BAND_GRADES, BANDS, STAGES, StudyArea
from planner.wording import Label, remark

if TYPE_CHECKING:
    import pandas as pd

BASE = 5
"""No count of pupils from 1 to 4 is published; every count is a multiple of this."""


def rounded(counts: np.ndarray) -> np.ndarray:
    """Whole numbers as multiples of five, each the one below or above; so is the sum of any that stand together.

    The running total is rounded, and its steps are the numbers: what one row gains its neighbour gives.

    Parameters
    ----------
    counts : (n,) whole numbers from 0, in an order in which neighbours belong together

    Returns
    -------
    (n,) int64; multiples of five stay what they are, when all before them are

    >>> rounded(np.array([2, 2, 2, 2, 2])).tolist()
    [0, 5, 0, 5, 0]
    """
    total = np.concatenate([[0], np.cumsum(np.asarray(counts, dtype=np.int64))])
    return np.diff((2 * total + BASE) // (2 * BASE)) * BASE


def public_area(area: StudyArea) -> StudyArea:
    """The area with pupils in multiples of five, marked as public.

    Pupils are rounded by demand point and band, on a walk through town after town that passes from a village to its
    neighbours (a Hilbert curve), so that a band's total, a town's, and nearly a school's, are kept. A band's pupils all
    stand under its first grade; enrolments are rounded each by itself, seats and beds upwards. Running costs, which
    mostly follow enrolment, become the mean of the schools' kind. The same area always gives the same counts, whatever
    is planned with it and however its rows are sorted: no two papers tell more than one.

    >>> public_area(tiny.area).pupils.sum().loc[["g1", "g4", "g7"]].tolist()  # 30, 30 and 6
    [30, 30, 5]
    """
    made = area.pupils.copy()
    made.loc[:, :] = 0
    walk = _walk(area)
    for band in BANDS:
        grades = list(BAND_GRADES[band])
        made.loc[walk, grades[0]] = rounded(area.pupils.loc[walk, grades].sum(axis=1).to_numpy())
    schools = area.schools.copy()
    for stage in STAGES:
        schools[f"pupils_{stage}"] = np.floor(schools[f"pupils_{stage}"].astype(float) / BASE + 0.5) * BASE
        schools[f"seats_{stage}"] = upwards(schools[f"seats_{stage}"].astype(float))
    schools["beds"] = upwards(schools["beds"].astype(float))
    schools["annual_cost_cny"] = _costs(schools)
    said = tuple(dict.fromkeys((*area.assumptions, said_of_public())))
    return dataclasses.replace(area, pupils=made, schools=schools, assumptions=said, public=True)


def _costs(schools: pd.DataFrame) -> pd.Series:
    """Running costs without a school's own: the mean of its kind, or of all schools where the kind has fewer than five.

    Three digits are kept; unknown stays unknown.

    >>> import pandas as pd
    >>> some = {"kind": ["teaching_point"] * 5 + ["nine_year"], "annual_cost_cny": [1, 2, 3, 4, 5, 1209.0]}
    >>> _costs(pd.DataFrame(some)).tolist()
    [3.0, 3.0, 3.0, 3.0, 3.0, 204.0]
    """
    own = schools["annual_cost_cny"].astype(float)
    of_kind = own.groupby(schools["kind"])
    shared = of_kind.transform("mean").where(of_kind.transform("count") >= BASE, own.mean())
    return shared.map(lambda cost: float(f"{cost:.3g}")).where(own.notna())


def said_of_public() -> Label:
    """What every public edition says of its counts.

    >>> said_of_public().zh[:4]
    '公开版：'
    """
    return remark("area.public", base=BASE, most=BASE - 1)


def partly_assumed(area: StudyArea) -> bool:
    """Whether some of an area's data are assumed, not reported; that a public edition is rounded is no such thing.

    >>> partly_assumed(tiny.area), partly_assumed(public_area(tiny.area))
    (False, False)
    """
    columns = area.schools["assumed"].astype(str).str.strip()
    return any(said != said_of_public() for said in area.assumptions) or bool((columns != "").any())


def upwards(numbers: pd.Series) -> pd.Series:
    """The next multiple of five; unknown stays unknown.

    >>> import pandas as pd
    >>> upwards(pd.Series([96.0, 95.0])).tolist()
    [100.0, 95.0]
    """
    next_one: pd.Series = np.ceil(numbers / BASE) * BASE
    return next_one


def _walk(area: StudyArea) -> pd.Index:
    """Demand points town by town, each next to its neighbours; the order does not depend on the table's."""
    where = area.demand.geometry.hilbert_distance()
    order = area.demand[["town_id"]].astype(str).assign(where=where, own=area.demand.index.astype(str))
    walk: pd.Index = order.sort_values(["town_id", "where", "own"], kind="stable").index
    return walk
