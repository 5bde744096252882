"""Pupils on roads, as the page stores them: each line once, with its pupils in every layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import shapely

from planner.draw.basemap import encode, to_lonlat
from planner.draw.ways import NUMBERS, legs_of, lines_of, numbers, runs, shared
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
    by mode (``ways.shared``); ``dropped``, whether the ways were left out

    >>> found = flows(tiny.area, [tiny.today, tiny.plan])
    >>> found["pupils"], len(found["lines"])
    ([[0, 10], [10, 0], [2, 12]], 3)
    >>> found["ways"]["walk"]["ends"]  # V2 to S1, V3 to S2 and to S3: each along a whole run, on foot
    [[1, 0, 0, 1000, 1, 0], [2, 1, 0, 1000, 1, 0], [2, 2, 0, 1000, 1, 0]]
    """
    table = pd.DataFrame({i: road_flows(plan).groupby("edge")["pupils"].sum() for i, plan in enumerate(plans)})
    roads = roads_of(area, plans[-1].scenario.travel) if plans else area.roads
    legs = legs_of([school_ways(plan) for plan in plans])
    run = runs(legs)
    shapes, edge, with_line = lines_of(legs, run, roads.edges.geometry.to_numpy())
    found = numbers(legs, run, with_line, roads.edges["length_m"].to_numpy())
    ways = {mode: shared(some) for mode, some in found.items()}
    heavy = sum(7 * len(way["ends"]) + sum(map(len, way["runs"])) for way in ways.values()) > most
    return {
        "lines": encode(to_lonlat(shapely.simplify(shapes, TOLERANCE_M), area.crs)),
        "pupils": table.reindex(edge).fillna(0).astype(int).to_numpy().tolist(),
        "ways": {} if heavy else ways,
        "dropped": heavy,
    }
