"""Pupils on roads, as the page stores them: each line once, with its pupils in every layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import shapely

from planner.draw.basemap import encode, to_lonlat
from planner.draw.ways import NUMBERS, legs_of, lines_of, numbers, runs
from planner.model import StudyArea
from planner.plan import Plan, road_flows, school_ways
from planner.travel import roads_of

TOLERANCE_M = 8.0


def flows(area: StudyArea, plans: Sequence[Plan], most: int = NUMBERS) -> dict[str, Any]:
    """Lines with the pupils that use them on their way to school, both directions, all bands and modes together.

    Parameters
    ----------
    most : no more numbers than this for the ways

    Returns
    -------
    ``lines`` (encoded): runs of road that the same pupils use; ``pupils`` (for each line, one number a plan); ``ways``
    by mode (``ways.numbers``); ``dropped``, whether the ways were left out

    >>> found = flows(tiny.area, [tiny.today, tiny.plan])
    >>> found["pupils"], len(found["lines"])
    ([[0, 10], [10, 0], [2, 12]], 3)
    >>> found["ways"]  # V3 to S2 and to S3, V2 to S1: each along a whole run, on foot
    {'walk': [[2, 1, 0, 1000, 1, 0, 2], [2, 2, 0, 1000, 1, 0, 3], [1, 0, 0, 1000, 1, 0, 1]]}
    """
    table = pd.DataFrame({i: road_flows(plan).groupby("edge")["pupils"].sum() for i, plan in enumerate(plans)})
    roads = roads_of(area, plans[-1].scenario.travel) if plans else area.roads
    legs = legs_of([school_ways(plan) for plan in plans])
    run = runs(legs)
    shapes, edge, with_line = lines_of(legs, run, roads.edges.geometry.to_numpy())
    ways = numbers(legs, run, with_line, roads.edges["length_m"].to_numpy())
    heavy = sum(len(way) for some in ways.values() for way in some) > most
    return {
        "lines": encode(to_lonlat(shapely.simplify(shapes, TOLERANCE_M), area.crs)),
        "pupils": table.reindex(edge).fillna(0).astype(int).to_numpy().tolist(),
        "ways": {} if heavy else ways,
        "dropped": heavy,
    }
