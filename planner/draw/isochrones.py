"""Isochrones for the map: how far the land round a plan's open schools is from the nearest of them.

The page gets the minutes along the roads, not polygons: it lays a disc round every place on them (as
``travel.isochrones`` does), and the paint makes the union. That is quicker to make, lighter, and sharp at every zoom.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from planner.draw.basemap import encode, to_lonlat
from planner.model import BAND_GRADES, BAND_STAGE, BANDS, MODES, StudyArea
from planner.plan import Plan
from planner.scenario import Travel
from planner.travel.changes import roads_of
from planner.travel.isochrones import MINUTES, rides_within
from planner.travel.network import off_road
from planner.travel.reach import TWO_IN_ONE, Reach, reach

TOLERANCE_M = 10.0
RIDES = 60_000
"""More stretches of road than this make a page too heavy: isochrones are left out."""
OPEN = ("keep", "expand", "open")


def isochrones(area: StudyArea, plans: Sequence[Plan], rides: int = RIDES) -> dict[str, Any]:
    """Minutes along the roads to the nearest open school, by the quickest way that a band's pupils may travel.

    Parameters
    ----------
    rides : no more stretches of road than this

    Returns
    -------
    ``minutes`` to draw; ``pace`` (minutes a metre beside the road) and ``within`` (metres); ``lines`` (roads);
    ``rides`` (sets of numbers, five a stretch: line, from and to in thousandths of it, tenths of a minute at either
    end); ``of`` (by plan and band, which of the sets, None for none); ``dropped``, whether they were left out

    >>> found = isochrones(tiny.area, [tiny.today, tiny.plan])
    >>> found["of"]  # today's three schools, two in the plan, one junior school
    [[None, 0, 0, 1], [None, 2, 2, 1]]
    >>> found["rides"][1]  # to S3: 30 to 20 minutes along half of one road, 20 to 0 along the next
    [2, 500, 1000, 300, 200, 1, 0, 1000, 200, 0]
    """
    travel = plans[-1].scenario.travel if plans else Travel()
    asked: dict[tuple[tuple[int, ...], tuple[str, ...]], int] = {}
    of: list[list[int | None]] = []
    for plan in plans:
        keys = [(open_rows(plan, band), modes_of(travel, band)) for band in BANDS]
        of.append([asked.setdefault(key, len(asked)) if key[0] and key[1] else None for key in keys])
    made: list[list[int]] = []
    line_of: dict[int, int] = {}
    for rows, modes in asked:
        reached = [reach(area, travel, np.array(rows), mode, max(MINUTES)) for mode in modes]
        table = np.concatenate([_quickest(_stretches(found), found, reached) for found in reached])
        made.append(_numbers(table, line_of))
        if sum(map(len, made)) > 5 * rides:
            made, line_of, of = [], {}, [[None] * len(BANDS) for _ in plans]
            break
    drawn = shapely.simplify(roads_of(area, travel).edges.geometry.to_numpy()[list(line_of)], TOLERANCE_M)
    off = off_road(travel)
    return {
        "minutes": MINUTES,
        "pace": round(off.pace, 6),
        "within": off.within_m,
        "lines": [encode([line]) for line in to_lonlat(drawn, area.crs)],
        "rides": made,
        "of": of,
        "dropped": bool(asked) and not made,
    }


def open_rows(plan: Plan, band: str) -> tuple[int, ...]:
    """Rows of the schools that are open to a band under a plan.

    >>> open_rows(tiny.plan, "lower_primary")
    (0, 2)
    """
    schools, actions = plan.area.schools, plan.actions
    here = actions[(actions["stage"] == BAND_STAGE[band]) & actions["action"].isin(OPEN)]
    taught = schools["grades"].reindex(here["school_id"]).map(lambda grades: set(BAND_GRADES[band]) <= set(grades))
    serving = here["school_id"].to_numpy()[taught.to_numpy(dtype=bool) | (here["action"] == "open").to_numpy()]
    return tuple(sorted(schools.index.get_indexer(serving).tolist()))


def modes_of(travel: Travel, band: str) -> tuple[str, ...]:
    """The modes of a band's pupils that have roads of their own, in the order of ``MODES``."""
    allowed = travel.modes_by_band.get(band, travel.modes)  # type: ignore[call-overload]
    return tuple(mode for mode in MODES if mode in allowed and mode not in TWO_IN_ONE)


def _stretches(found: Reach) -> np.ndarray:
    """(n, 5) edge, from and to (shares of it), and minutes to school at either end, the wait not counted."""
    budget, lines, way = found.budget(max(MINUTES)), found.lines, found.crossings
    rides = rides_within(found.rides, budget)
    table = [np.column_stack([rides.edge, rides.low, rides.high, rides.minutes_low, rides.minutes_high])]
    # The straight way across the road to school, up to its nearest point and beyond it.
    ends = np.stack([way.low, np.clip(way.foot, way.low, way.high), way.high])
    minutes = found.off.pace * np.hypot(way.height, ends - way.foot)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(lines.drawn[way.edge] > 0, (lines.start[way.piece] + ends) / lines.drawn[way.edge], 0.0)
    for i in (0, 1):
        some = (minutes[i : i + 2].max(axis=0) <= budget) & (ends[i] < ends[i + 1])
        part = np.column_stack([way.edge, share[i], share[i + 1], minutes[i], minutes[i + 1]])
        table.append(part[some])
    return np.concatenate(table)


def _quickest(table: np.ndarray, found: Reach, others: Sequence[Reach]) -> np.ndarray:
    """Stretches with their waits, without those over whose length (ends and middle) another mode is quicker."""
    edge, low, high = table[:, 0].astype(np.int64), table[:, 1], table[:, 2]
    first, last = (table[:, 3:] + found.wait_minutes).T
    slower = np.zeros(len(table), dtype=bool)
    for other in others:
        sooner = [
            other.at(edge, share)[0] + other.wait_minutes < minutes - 1e-6
            for share, minutes in ((low, first), ((low + high) / 2, (first + last) / 2), (high, last))
        ]
        slower |= np.all(sooner, axis=0) & (other is not found)
    return np.column_stack([edge, low, high, first, last])[~slower]


def _numbers(table: np.ndarray, line_of: dict[int, int]) -> list[int]:
    """Stretches as whole numbers; ``line_of`` gives edges their line, and new edges a new one."""
    line = [line_of.setdefault(int(edge), len(line_of)) for edge in table[:, 0]]
    numbers = np.round(np.column_stack([line, 1000 * table[:, 1:3], 10 * table[:, 3:]]))
    return [int(number) for number in numbers.ravel()]
