"""Catchments: the area whose pupils one school serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import shapely

from planner.draw.basemap import encode_area, to_lonlat, town_shapes
from planner.model import BAND_STAGE, STAGES, StudyArea
from planner.plan import Plan

TINTS = 6
AROUND_M = 1500.0
"""How far a catchment goes beyond the outermost villages where no town has an outline."""


def catchments(area: StudyArea, plan: Plan, school_row: Mapping[str, int]) -> dict[str, list[dict[str, Any]]]:
    """Catchments of a plan by stage: the school's row, a tint that no neighbour has, and the rings.

    >>> found = catchments(tiny.area, tiny.plan, {"S1": 0, "S2": 1, "S3": 2})
    >>> [part["school"] for part in found["primary"]], [part["school"] for part in found["junior"]]
    ([0, 2], [2])
    """
    county = outline(area)
    made = {}
    for stage in STAGES:
        served = school_of(plan, stage)
        shapes = dissolve(cells(area, served.index, county), served)
        outlines = to_lonlat(shapes.to_numpy(), area.crs)
        made[stage] = [
            {"school": school_row[school], "tint": tint, "rings": encode_area(shape)}
            for school, tint, shape in zip(shapes.index, tints(shapes.to_numpy()), outlines, strict=True)
            if school in school_row
        ]
    return made


def school_of(plan: Plan, stage: str) -> pd.Series:
    """The school that takes most of each demand point's pupils of a stage ("" where none does).

    >>> school_of(tiny.plan, "primary").to_dict()
    {'V1': 'S1', 'V2': 'S1', 'V3': 'S3', 'V4': 'S3'}
    """
    rows = plan.assignment[plan.assignment["band"].map(BAND_STAGE) == stage]
    total = rows.groupby(["demand_id", "school_id"], sort=True)["pupils"].sum().reset_index()
    most = total.sort_values("pupils", ascending=False, kind="stable").drop_duplicates("demand_id")
    return most.set_index("demand_id")["school_id"].sort_index()


def outline(area: StudyArea) -> Any:
    """The county: its towns together, or the surroundings of its places where no town has an outline."""
    together = shapely.union_all(town_shapes(area))
    if not together.is_empty:
        return together
    points = shapely.multipoints(shapely.get_coordinates(area.demand.geometry.to_numpy()))
    return shapely.buffer(shapely.convex_hull(points), AROUND_M)


def cells(area: StudyArea, demand_ids: pd.Index, county: Any) -> pd.Series:
    """The land nearer to each demand point than to any other, by straight line (Voronoi), within the county."""
    xy = pd.DataFrame(area.demand.geometry.get_coordinates()).reindex(demand_ids).dropna().drop_duplicates()
    if len(xy) < 2:
        return pd.Series([county] * len(xy), index=xy.index, dtype=object)
    whole = shapely.box(*shapely.bounds(shapely.union(county, shapely.multipoints(xy.to_numpy()))))
    found = shapely.voronoi_polygons(shapely.multipoints(xy.to_numpy()), extend_to=whole, ordered=True)
    return pd.Series(list(shapely.intersection(shapely.get_parts(found), county)), index=xy.index, dtype=object)


def dissolve(land: pd.Series, served: pd.Series) -> pd.Series:
    """Cells of one school as one shape; index the school's id."""
    school = served.reindex(land.index)
    shapes = {str(s): shapely.union_all(land[school == s].to_numpy()) for s in sorted(set(school)) if s}
    return pd.Series(list(shapes.values()), index=list(shapes), dtype=object)


def tints(shapes: np.ndarray) -> list[int]:
    """A tint for each shape, other than its neighbours' while tints last.

    >>> tints(np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(2, 0, 3, 1)]))
    [0, 1, 0]
    """
    if not len(shapes):
        return []
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    chosen = np.full(len(shapes), -1)
    for i in range(len(shapes)):
        taken = set(chosen[other[one == i]].tolist())
        chosen[i] = next((tint for tint in range(TINTS) if tint not in taken), i % TINTS)
    return [int(tint) for tint in chosen]
