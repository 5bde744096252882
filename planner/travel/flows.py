"""How many pupils use every road on their way to school."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.model import MODES, StudyArea
from planner.scenario import Travel
from planner.travel.changes import settle
from planner.travel.routes import Direction, Routes, going, mode_routes

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

SUMS = ("pupils_ahead", "pupils_back", "pupils", "pupil_km")
COLUMNS = ("mode", "on_foot", "edge", "name", "road_class", *SUMS, "geometry")


def flows(
    area: StudyArea,
    travel: Travel,
    assignment: pd.DataFrame,
    mode: str | None = None,
    direction: Direction = "to_school",
) -> gpd.GeoDataFrame:
    """Pupils by road, mode and direction on the way to school (or from it), all bands together.

    A pupil counts on every edge of the way, also on one that is used in part; ``pupil_km`` counts the kilometres
    ridden or walked on it alone. Ways off the road are on no edge. One search a school and mode.

    Parameters
    ----------
    assignment : columns ``demand_id, school_id, mode, pupils``, as in a plan's; rows without a school are on no road
    mode : this mode alone
    direction : ``to_school``, or ``from_school`` for the ways home

    Returns
    -------
    One row a mode and an edge with pupils, two where some walk on it and some ride (``walk_bus``): ``mode``,
    ``on_foot``, ``edge`` (row of ``roads.edges``), its ``name`` and ``road_class``, ``pupils_ahead`` (with the edge's
    line), ``pupils_back``, ``pupils`` (both), ``pupil_km``, the line; modes in the order of ``MODES``, walkers first,
    then by edge.

    Raises
    ------
    DataError : a column is missing; no such demand point, school, mode or direction; all in one pass

    >>> found = flows(tiny.area, tiny.scenario.travel, tiny.plan.assignment)
    >>> found[["edge", "pupils_ahead", "pupils_back", "pupil_km"]].values.tolist()
    [[0.0, 0.0, 10.0, 15.0], [2.0, 12.0, 0.0, 18.0]]
    """
    area, travel = settle(area, travel)
    return summed(area, followed(area, travel, assignment, mode, direction))


@dataclass(frozen=True, eq=False)
class Pairs:
    """Who goes where by one mode: (n_pair,) rows of demand points and schools, no pair twice, and pupils."""

    mode: str
    demand: np.ndarray
    school: np.ndarray
    pupils: np.ndarray


Followed = list[tuple[Pairs, Routes]]
"""Pairs and their ways, mode by mode."""


def followed(
    area: StudyArea,
    travel: Travel,
    assignment: pd.DataFrame,
    mode: str | None = None,
    direction: Direction = "to_school",
) -> Followed:
    """The ways of an assignment, as ``flows`` sums them up; roads and scenario settled (``changes.settle``).

    >>> ((part, ways),) = followed(tiny.area, tiny.scenario.travel, tiny.plan.assignment)
    >>> part.pupils[ways.pair].tolist(), ways.edge.tolist()
    ([10, 12], [0, 2])
    """
    return [
        (part, mode_routes(area, travel, part.mode, part.demand, part.school, direction))
        for part in pairs(area, assignment, direction)
        if mode in (None, part.mode)
    ]


def pairs(area: StudyArea, assignment: pd.DataFrame, direction: Direction = "to_school") -> list[Pairs]:
    """An assignment by mode, bands together.

    >>> [(part.mode, part.pupils.tolist()) for part in pairs(tiny.area, tiny.plan.assignment)]
    [('walk', [20, 10, 12, 24])]
    """
    table = going(area, assignment, "pupils", direction=direction)
    made = []
    for mode in MODES:
        rows = (
            table[(table["mode"] == mode) & (table["pupils"] > 0)].groupby(["demand_id", "school_id"])["pupils"].sum()
        )
        demand, school = (rows.index.get_level_values(level) for level in (0, 1))
        places = area.demand.index.get_indexer(demand), area.schools.index.get_indexer(school)
        made.append(Pairs(mode, *places, rows.to_numpy()))
    return [part for part in made if len(part.pupils)]


def summed(area: StudyArea, ways: Followed) -> gpd.GeoDataFrame:
    """Pupils by mode and edge along ways: the rows of ``flows``."""
    import geopandas as gpd
    import pandas as pd

    parts = [_sum(area, part, found, on_foot) for part, found in ways for on_foot in (True, False)]
    if parts := [part for part in parts if len(part)]:
        return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geometry", crs=area.crs)
    return gpd.GeoDataFrame(columns=list(COLUMNS), geometry="geometry", crs=area.crs)


def _sum(area: StudyArea, part: Pairs, found: Routes, on_foot: bool) -> pd.DataFrame:
    import pandas as pd

    edges, count, some = area.roads.edges, len(area.roads.edges), found.on_foot == on_foot
    pair, edge, along = found.pair[some], found.edge[some], (found.end - found.start)[some]
    # Whoever leaves an edge and comes back to it the same way is one pupil on it.
    ahead, back = (
        np.bincount(once % count, weights=part.pupils[once // count], minlength=count)
        for once in (np.unique(pair[way] * np.int64(count) + edge[way]) for way in (along > 0, along < 0))
    )
    ridden = np.abs(along) * edges["length_m"].to_numpy()[edge] / 1000
    pupil_km = np.bincount(edge, weights=part.pupils[pair] * ridden, minlength=count)
    used = np.flatnonzero(ahead + back)
    ahead, back = ahead[used].astype(np.int64), back[used].astype(np.int64)
    table = pd.DataFrame(
        {column: edges[column].to_numpy()[used] for column in ("name", "road_class", "geometry")}
        | {"mode": part.mode, "on_foot": on_foot, "edge": used, "pupil_km": pupil_km[used]}
        | {"pupils_ahead": ahead, "pupils_back": back, "pupils": ahead + back}
    )
    return table[list(COLUMNS)]
