"""Pupils -> demand points by grade: whole numbers, and every total is kept exactly (conventions 2.1, 2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from planner.model import GRADES

if TYPE_CHECKING:
    import pandas as pd

GRADE_SHARE: Mapping[str, float] = MappingProxyType(dict.fromkeys(GRADES, 0.011))
"""Pupils of a grade among all people, where nobody counted them: 1.1 % a year of age, an assumption."""


def largest_remainder(total: int, weights: np.ndarray) -> np.ndarray:
    """``total`` in whole numbers, in proportion to ``weights``; ties go to the earlier row.

    Parameters
    ----------
    total : 0 or more
    weights : (n,) 0 or more; NaN counts as 0

    Returns
    -------
    (n,) int64 with the sum ``total``

    Raises
    ------
    ValueError : the total or a weight is negative or infinite, or all weights are 0 and the total is not

    >>> largest_remainder(10, np.array([1.0, 1.0, 1.0])).tolist()
    [4, 3, 3]
    """
    share = np.nan_to_num(np.asarray(weights, dtype=float), nan=0.0, posinf=np.inf)
    if total < 0 or (share < 0).any() or not np.isfinite(share).all():
        raise ValueError("a total and its weights are finite and not negative")
    if total == 0:
        return np.zeros(len(share), dtype=np.int64)
    if not share.any():
        raise ValueError(f"{total} cannot be spread: every weight is 0 or unknown")
    share = share / share.max()  # no overflow in the sum
    exact = total * (share / share.sum())
    whole: np.ndarray = np.floor(exact).astype(np.int64)
    left = total - int(whole.sum())
    # Equal weights have equal remainders, so a stable sort hands ties to the earlier row.
    order = np.argsort(-(exact - whole), kind="stable")
    if left >= 0:
        order = order[share[order] > 0]
        whole[order] += left // len(order)
        whole[order[: left % len(order)]] += 1
    else:  # only rounding at totals beyond 2**52 leads here
        whole[int(np.argmax(whole))] += left
    return whole


def spread_totals(totals: pd.DataFrame, demand: pd.DataFrame) -> pd.DataFrame:
    """Pupils by demand point from totals of towns, or of the county, in proportion to population.

    Parameters
    ----------
    totals : index town_id, or one row ``""`` for the whole county; columns of ``GRADES``, whole numbers
    demand : index demand_id; columns ``town_id``, ``population``

    Returns
    -------
    demand_id x ``GRADES``, int64; every total is kept by town and grade

    Raises
    ------
    ValueError : a town has pupils and no people, or the county stands beside its towns

    >>> import pandas as pd
    >>> totals = pd.DataFrame([[5] + [0] * 11], index=["A"], columns=list(GRADES))
    >>> demand = pd.DataFrame({"town_id": ["A", "A"], "population": [300.0, 200.0]}, index=["V1", "V2"])
    >>> spread_totals(totals, demand)["k1"].tolist()
    [3, 2]
    """
    import pandas as pd

    if "" in totals.index and len(totals) > 1:
        raise ValueError("a total of the county stands beside totals of towns")
    made = pd.DataFrame(0, index=demand.index, columns=list(GRADES), dtype="int64")
    made.index.name = "demand_id"
    people = demand["population"].to_numpy(dtype=float)
    towns = demand["town_id"].to_numpy(dtype=object)
    for town in totals.index:
        here = np.full(len(demand), True) if town == "" else towns == town
        for grade in GRADES:
            total = int(totals.loc[town, grade])
            try:
                made.loc[here, grade] = largest_remainder(total, people[here])
            except ValueError as error:
                raise ValueError(f"{town or 'the county'}, {grade}: {error}") from None
    return made


def pupils_from_population(
    population: pd.Series[float], share_per_grade: Mapping[str, float] = GRADE_SHARE
) -> pd.DataFrame:
    """Pupils by demand point where only people are known: an assumption, to be marked as such.

    Each grade's total over all points is rounded once and then spread, so that small villages do not round to none.

    Parameters
    ----------
    population : index demand_id; NaN counts as 0

    Returns
    -------
    demand_id x ``GRADES``, int64

    >>> import pandas as pd
    >>> pupils_from_population(pd.Series([100.0, 50.0], index=["V1", "V2"]))["g1"].tolist()
    [1, 1]
    """
    import pandas as pd

    people = population.to_numpy(dtype=float)
    everyone = float(np.nansum(people))
    made = {g: largest_remainder(round(share_per_grade.get(g, 0.0) * everyone), people) for g in GRADES}
    return pd.DataFrame(made, index=population.index.rename("demand_id"), dtype="int64")


def scaled(pupils: pd.DataFrame, factor: Mapping[str, float]) -> pd.DataFrame:
    """Pupils with every grade's total multiplied, rounded once, and spread as they are spread today.

    Parameters
    ----------
    pupils : demand_id x grades, whole numbers
    factor : by grade; 1 for a grade it does not name

    Returns
    -------
    demand_id x grades, int64; half a pupil counts as one

    >>> import pandas as pd
    >>> today = pd.DataFrame({"g1": [3, 2], "g2": [4, 0]}, index=["V1", "V2"])
    >>> scaled(today, {"g1": 1.2}).to_numpy().tolist()
    [[4, 4], [2, 0]]
    """
    made = pupils.copy()
    for grade in pupils.columns:
        total = int(np.floor(factor.get(grade, 1.0) * int(pupils[grade].sum()) + 0.5 + 1e-9))
        if pupils[grade].any():
            made[grade] = largest_remainder(total, pupils[grade].to_numpy(dtype=float))
    return made.astype("int64")


def long_to_wide(frame: pd.DataFrame) -> pd.DataFrame:
    """A row per demand point and grade -> a row per demand point; rows that repeat are added.

    Parameters
    ----------
    frame : columns ``demand_id``, ``grade``, ``pupils``

    Returns
    -------
    demand_id x ``GRADES``, int64, in the order demand points first appear

    >>> import pandas as pd
    >>> long = pd.DataFrame({"demand_id": ["V1", "V1"], "grade": ["g1", "g3"], "pupils": [4, 2]})
    >>> long_to_wide(long)[["g1", "g2", "g3"]].to_numpy().tolist()
    [[4, 0, 2]]
    """
    sums = frame.pivot_table("pupils", "demand_id", "grade", aggfunc="sum", sort=False)
    order = frame["demand_id"].drop_duplicates()
    wide = sums.reindex(index=order, columns=list(GRADES)).fillna(0).astype("int64")
    wide.index.name, wide.columns.name = "demand_id", None
    return wide
