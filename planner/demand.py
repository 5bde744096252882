"""Pupils to demand points by grade; a total that is spread is kept exactly (docs/conventions.md 2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from planner.model import GRADES

if TYPE_CHECKING:
    import pandas as pd

# A year's cohort as a share of the population: about a birth rate of ten years ago. An assumption, marked as one.
GRADE_SHARE: Mapping[str, float] = MappingProxyType(dict.fromkeys(GRADES, 0.011))


def largest_remainder(total: int, weights: np.ndarray) -> np.ndarray:
    """``total`` in whole numbers in proportion to ``weights``: largest remainders are rounded up (earlier of ties).

    A NaN weight counts as 0; where all are 0 the total is spread evenly.

    Returns
    -------
    int64 array of the weights' length; sums to ``total`` (an empty one holds nothing)

    Raises
    ------
    ValueError : a negative total or weight

    >>> largest_remainder(10, np.array([1.0, 1.0, 1.0])).tolist()
    [4, 3, 3]
    """
    weight = np.nan_to_num(np.asarray(weights, dtype=np.float64))
    if total < 0 or (weight < 0).any():
        raise ValueError("a total and its weights may not be negative")
    if len(weight) == 0:
        return np.zeros(0, dtype=np.int64)
    if weight.sum() == 0:
        weight = np.ones(len(weight))
    exact = total * (weight / weight.sum())
    whole = np.floor(exact + 1e-9).astype(np.int64)
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: total - int(whole.sum())]] += 1
    return np.asarray(whole)


def spread_totals(totals: pd.DataFrame, town: pd.Series, population: pd.Series) -> pd.DataFrame:
    """Pupils by grade of towns (or of the county, town_id "") to their demand points in proportion to population.

    Parameters
    ----------
    totals : index town_id ("" the whole county), columns of ``GRADES``, whole numbers
    town, population : by demand_id; an unknown population counts as 0

    Returns
    -------
    demand_id x ``GRADES``, int64; every total is kept exactly

    Raises
    ------
    KeyError : a town without demand points has pupils
    """
    import pandas as pd

    spread = pd.DataFrame(0, index=population.index, columns=list(GRADES), dtype=np.int64)
    weight = population.to_numpy(dtype=float)
    for town_id, row in totals.iterrows():
        here = np.flatnonzero((town == town_id).to_numpy() | (town_id == ""))
        if len(here) == 0 and row.sum() > 0:
            raise KeyError(town_id)
        for column, grade in enumerate(GRADES):
            spread.iloc[here, column] += largest_remainder(int(row[grade]), weight[here])
    return spread


def pupils_from_population(population: pd.Series, share: Mapping[str, float] = GRADE_SHARE) -> pd.DataFrame:
    """Pupils by grade from population alone: the county's total of a grade is rounded once, then spread.

    >>> import pandas as pd
    >>> pupils_from_population(pd.Series([1000.0, 500.0, float("nan")]))["g1"].tolist()
    [11, 5, 0]
    """
    import pandas as pd

    people = population.fillna(0)
    totals = pd.DataFrame([{grade: round(float(people.sum()) * share[grade]) for grade in GRADES}], index=[""])
    return spread_totals(totals, pd.Series("", index=people.index), people)
