"""What a scenario asks beside seats and town rules, as the optimiser takes it: sizes, ceilings, catchments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from planner.model import STAGES, StudyArea
from planner.optimise import Budget, Only, Side
from planner.plan.question import Question
from planner.travel.catchments import outline, partition

if TYPE_CHECKING:
    from planner.optimise import Terms


def side_of(
    question: Question, row: np.ndarray, forced: np.ndarray, facility: np.ndarray, today: Question
) -> Side | None:
    """The side conditions of a scenario; None where it asks none.

    Parameters
    ----------
    row : the rows of the question that are served
    forced : (n_site,) bool, the stage goes on whatever happens: its school may be as small as it is
    facility : (n_site,) the school of each site, counted from 0
    today : says whose nearest school one is
    """
    rules, ways = question.scenario.rules, question.scenario.assignment
    count = int(facility.max(initial=-1)) + 1
    least = most = None
    if rules.min_pupils_per_school > 0:
        free = np.bincount(facility, weights=forced, minlength=count) == 0
        least = np.where(free, rules.min_pupils_per_school, 0.0)
    if np.isfinite(question.scenario.capacity.max_pupils_per_school):
        most = np.full(count, question.scenario.capacity.max_pupils_per_school)
    side = Side(
        least=least,
        most=most,
        distance=question.minutes[row] if ways.closest else None,
        only=_merging(question, row, today),
        touching=_touching(question, row) if ways.contiguous else None,
    )
    asked = (least, most, side.distance, side.only or None, side.touching)
    return None if all(part is None for part in asked) else side


def _merging(question: Question, row: np.ndarray, today: Question) -> tuple[Only, ...]:
    """Where the pupils of schools in ``merge_into`` go, stage by stage."""
    import pandas as pd

    sites, found = question.sites, []
    if not question.scenario.rules.merge_into:
        return ()
    keys = ["demand_id", "band"]
    place = pd.MultiIndex.from_frame(today.rows[keys]).get_indexer(pd.MultiIndex.from_frame(question.rows[keys]))
    at_today = today.nearest_today[place[row]]
    for school, targets in question.scenario.rules.merge_into.items():
        into = sites["school_id"].isin(targets)
        for j in np.flatnonzero((sites["school_id"] == school) & question.exists):
            mine = tuple(int(i) for i in np.flatnonzero(at_today == j))
            same_stage = into & (sites["stage"] == sites["stage"].iloc[j])
            found.append(Only(mine, tuple(int(k) for k in np.flatnonzero(same_stage)), int(j)))
    return tuple(found)


def _touching(question: Question, row: np.ndarray) -> np.ndarray:
    """(n, 2) served rows of one stage whose land touches, or is the same."""
    rows, found = question.rows.iloc[row].reset_index(drop=True), [np.zeros((0, 2), dtype=np.int64)]
    for stage in STAGES:
        bands = rows[rows["stage"] == stage].groupby("demand_id", sort=True).indices
        mine = {demand: rows.index[rows["stage"] == stage].to_numpy()[places] for demand, places in bands.items()}
        names = list(mine)
        near = [*touching(question.area, names).tolist(), *((i, i) for i in range(len(names)))]
        pairs = [(a, b) for i, k in near for a in mine[names[i]] for b in mine[names[k]] if i != k or a < b]
        found.append(np.array(pairs, dtype=np.int64).reshape(-1, 2))
    return np.concatenate(found)


def touching(area: StudyArea, demand: Any) -> np.ndarray:
    """Which demand points touch: the land shared out by the nearest of them has a border in common.

    Parameters
    ----------
    demand : (n,) ids

    Returns
    -------
    (n_pair, 2) places in ``demand``, the lesser first; those at one place touch, and touch what the first of them does

    >>> touching(tiny.area, ["V1", "V2", "V4"]).tolist()
    [[0, 1], [1, 2]]
    """
    import shapely

    xy = area.demand.geometry.loc[list(demand)].get_coordinates().to_numpy()
    _, first, place = np.unique(xy, axis=0, return_index=True, return_inverse=True)
    twin = first[place.ravel()]
    land = partition(outline(area), xy, np.arange(len(xy)))
    label, shapes = land.index.to_numpy(dtype=np.int64), land.to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    one, other = one[one < other], other[one < other]
    long = shapely.length(shapely.intersection(shapes[one], shapes[other])) > 0  # a common point is no border
    ends = np.sort(np.stack([label[one[long]], label[other[long]]], axis=1), axis=1)
    same = np.flatnonzero(twin != np.arange(len(xy)))
    pairs = [ends, np.stack([twin[same], same], axis=1)]
    return np.unique(np.concatenate(pairs).astype(np.int64).reshape(-1, 2), axis=0)


def ceilings(question: Question, row: np.ndarray, annual: Terms, capital: Terms) -> tuple[Budget, ...]:
    """The most that may be spent, a year and on building.

    Parameters
    ----------
    annual, capital : the costs as sums over a plan, those for a pupil left out
    """
    costs, found = question.scenario.costs, []
    if np.isfinite(costs.max_annual_cny):
        pupils = float(question.rows["pupils"].to_numpy()[row].sum())
        found.append(Budget(annual, costs.max_annual_cny - costs.annual_cny_per_pupil * pupils, "max_annual_cny"))
    if np.isfinite(costs.max_capital_cny):
        found.append(Budget(capital, costs.max_capital_cny, "max_capital_cny"))
    return tuple(found)
