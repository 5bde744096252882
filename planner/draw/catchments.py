"""A plan's catchments for the map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely

from planner.draw.basemap import encode_area, to_lonlat, town_shapes
from planner.model import STAGES, StudyArea
from planner.plan import Plan
from planner.plan import catchments as plan_catchments

TINTS = 6


def catchments(area: StudyArea, plan: Plan, school_row: Mapping[str, int]) -> dict[str, list[dict[str, Any]]]:
    """Catchments of a plan by stage: the school's row, a tint that no neighbour has, and the rings.

    >>> found = catchments(tiny.area, tiny.plan, {"S1": 0, "S2": 1, "S3": 2})
    >>> [part["school"] for part in found["primary"]], [part["school"] for part in found["junior"]]
    ([0, 2], [2])
    """
    county = shapely.union_all(town_shapes(area))  # with the borders that are drawn
    found = plan_catchments(plan, whole=None if county.is_empty else county)
    made = {}
    for stage in STAGES:
        here = found[(found["stage"] == stage) & found["school_id"].isin(list(school_row))]
        shapes = here.geometry.to_numpy()
        outlines = to_lonlat(shapes, area.crs)
        made[stage] = [
            {"school": school_row[school], "tint": tint, "rings": encode_area(shape)}
            for school, tint, shape in zip(here["school_id"], tints(shapes), outlines, strict=True)
        ]
    return made


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
