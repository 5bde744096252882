"""Pupils on roads, as the page stores them: each line once, with its pupils in every layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely

from planner.draw.basemap import encode, to_lonlat
from planner.model import StudyArea
from planner.plan import Plan, road_flows
from planner.travel import roads_of

TOLERANCE_M = 8.0


def flows(area: StudyArea, plans: Sequence[Plan]) -> dict[str, Any]:
    """Lines with the pupils that use them on their way to school, both directions, all bands and modes together.

    Returns
    -------
    ``lines`` (encoded), ``pupils`` (for each line, one number a plan); roads in a row with the same pupils are one line

    >>> found = flows(tiny.area, [tiny.today, tiny.plan])
    >>> found["pupils"], len(found["lines"])
    ([[0, 10], [2, 12], [10, 0]], 3)
    """
    table = pd.DataFrame({i: road_flows(plan).groupby("edge")["pupils"].sum() for i, plan in enumerate(plans)})
    table = table.fillna(0).astype(np.int64).sort_index()
    roads = roads_of(area, plans[-1].scenario.travel) if plans else area.roads
    shapes = roads.edges.geometry.to_numpy()[table.index.to_numpy()]
    alike, which = np.unique(table.to_numpy(), axis=0, return_inverse=True) if len(table) else (table.to_numpy(), [])
    lines: list[list[int]] = []
    pupils: list[list[int]] = []
    for i, same in enumerate(alike.tolist()):
        joined = shapely.line_merge(shapely.multilinestrings(shapes[which == i]))
        made = encode(to_lonlat(shapely.simplify(shapely.get_parts(joined), TOLERANCE_M), area.crs))
        lines += made
        pupils += [same] * len(made)
    return {"lines": lines, "pupils": pupils}
