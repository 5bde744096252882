"""How many pupils use every road on their way to school."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.model import MODES, StudyArea
from planner.scenario import Travel
from planner.travel.changes import settle
from planner.travel.routes import UNDRAWN, going, mode_routes

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

COLUMNS = ("mode", "edge", "name", "road_class", "pupils_ahead", "pupils_back", "pupils", "pupil_km", "geometry")


def flows(area: StudyArea, travel: Travel, assignment: pd.DataFrame, mode: str | None = None) -> gpd.GeoDataFrame:
    """Pupils by road, mode and direction on the way to school, all bands together.

    A pupil counts on every edge of the way, also on one that is used in part; ``pupil_km`` counts the kilometres
    ridden or walked on it alone. Ways off the road are on no edge. One search a school and mode.

    Parameters
    ----------
    assignment : columns ``demand_id, school_id, mode, pupils``, as in a plan's; rows without a school, and of a mode
        whose ways are not followed (``routes.UNDRAWN``, see ``left_out``), are on no road
    mode : this mode alone

    Returns
    -------
    One row a mode and an edge with pupils: ``mode``, ``edge`` (row of ``roads.edges``), its ``name`` and
    ``road_class``, ``pupils_ahead`` (with the edge's line), ``pupils_back``, ``pupils`` (both), ``pupil_km``, the line;
    modes in the order of ``MODES``, then by edge.

    Raises
    ------
    DataError : a column is missing; no such demand point, school or mode; all in one pass

    >>> found = flows(tiny.area, tiny.scenario.travel, tiny.plan.assignment)
    >>> found[["edge", "pupils_ahead", "pupils_back", "pupil_km"]].values.tolist()
    [[0.0, 0.0, 10.0, 15.0], [2.0, 12.0, 0.0, 18.0]]
    """
    import geopandas as gpd
    import pandas as pd

    area, travel = settle(area, travel)
    parts = [_of_mode(area, travel, part) for part in pairs(area, assignment) if mode in (None, part.mode)]
    if not parts:
        return gpd.GeoDataFrame(columns=list(COLUMNS), geometry="geometry", crs=area.crs)
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geometry", crs=area.crs)


def left_out(assignment: pd.DataFrame) -> int:
    """Pupils of an assignment who travel by a mode whose ways are not followed yet.

    >>> left_out(tiny.plan.assignment)
    0
    """
    return int(assignment.loc[assignment["mode"].isin(UNDRAWN), "pupils"].sum())


@dataclass(frozen=True, eq=False)
class Pairs:
    """Who goes where by one mode: (n_pair,) rows of demand points and schools, no pair twice, and pupils."""

    mode: str
    demand: np.ndarray
    school: np.ndarray
    pupils: np.ndarray


def pairs(area: StudyArea, assignment: pd.DataFrame) -> list[Pairs]:
    """An assignment by mode, bands together.

    >>> [(part.mode, part.pupils.tolist()) for part in pairs(tiny.area, tiny.plan.assignment)]
    [('walk', [20, 10, 12, 24])]
    """
    table = going(area, assignment, "pupils")
    made = []
    for mode in MODES:
        rows = (
            table[(table["mode"] == mode) & (table["pupils"] > 0)].groupby(["demand_id", "school_id"])["pupils"].sum()
        )
        demand, school = (rows.index.get_level_values(level) for level in (0, 1))
        places = area.demand.index.get_indexer(demand), area.schools.index.get_indexer(school)
        made.append(Pairs(mode, *places, rows.to_numpy()))
    return [part for part in made if len(part.pupils)]


def _of_mode(area: StudyArea, travel: Travel, part: Pairs) -> gpd.GeoDataFrame:
    found = mode_routes(area, travel, part.mode, part.demand, part.school)
    edges, count = area.roads.edges, len(area.roads.edges)
    # Whoever leaves an edge and comes back to it the same way is one pupil on it.
    once = np.unique(np.column_stack([found.pair, found.edge, found.ahead]), axis=0)
    ahead, back = (
        np.bincount(rows[:, 1], weights=part.pupils[rows[:, 0]], minlength=count)
        for rows in (once[once[:, 2] == 1], once[once[:, 2] == 0])
    )
    ridden = np.abs(found.end - found.start) * edges["length_m"].to_numpy()[found.edge] / 1000
    pupil_km = np.bincount(found.edge, weights=part.pupils[found.pair] * ridden, minlength=count)
    used = np.flatnonzero(ahead + back)
    table = edges[["name", "road_class", "geometry"]].iloc[used].assign(mode=part.mode, edge=used)
    table["pupils_ahead"], table["pupils_back"] = ahead[used].astype(np.int64), back[used].astype(np.int64)
    table["pupils"], table["pupil_km"] = table["pupils_ahead"] + table["pupils_back"], pupil_km[used]
    return table[list(COLUMNS)]
