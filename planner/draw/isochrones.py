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
from planner.travel.isochrones import MINUTES, lasting_longest, rides_within
from planner.travel.network import off_road
from planner.travel.reach import Reach, reach

TOLERANCE_M = 10.0
RIDES = 60_000
"""More stretches of road than this make a page too heavy: isochrones are left out."""
OPEN = ("keep", "expand", "open")

Asked = tuple[tuple[int, ...], tuple[str, ...]]
"""Rows of schools, and modes."""


def isochrones(area: StudyArea, plans: Sequence[Plan], rides: int = RIDES) -> dict[str, Any]:
    """Minutes along the roads to the nearest open school, by the quickest way that a band's pupils may travel.

    Parameters
    ----------
    rides : no more stretches of road than this

    Returns
    -------
    ``minutes`` to draw; ``pace`` (minutes a metre beside the road); ``lines`` (roads); ``sets`` of stretches of road,
    each with ``within`` (metres beside the road), ``rides`` (five numbers a stretch: line, from and to in thousandths
    of it, tenths of a minute at either end) and ``most`` (a number a stretch: more tenths of a minute are of no use
    there; empty where all minutes are); ``of`` (by plan and band, which of the sets); ``dropped``, whether they were
    left out

    >>> found = isochrones(tiny.area, [tiny.today, tiny.plan])
    >>> found["of"]  # today's three schools, two in the plan, one junior school
    [[[], [0], [0], [1]], [[], [2], [2], [1]]]
    >>> found["sets"][1]["rides"]  # to S3: 30 to 20 minutes along half of one road, 20 to 0 along the next
    [2, 500, 1000, 300, 200, 1, 0, 1000, 200, 0]
    """
    travel = plans[-1].scenario.travel if plans else Travel()
    keys = [[(open_rows(plan, band), modes_of(travel, band)) for band in BANDS] for plan in plans]
    asked = list(dict.fromkeys(key for row in keys for key in row if key[0] and key[1]))
    tables = _tables(area, travel, asked, rides)
    sets: list[dict[str, Any]] = []
    line_of: dict[int, int] = {}
    numbers: dict[Asked, list[int]] = {}
    for key in asked if tables else ():
        numbers[key] = list(range(len(sets), len(sets) + len(tables[key])))
        sets += ({"within": round(within, 1), **_numbers(table, line_of)} for within, table in tables[key].items())
    drawn = shapely.simplify(roads_of(area, travel).edges.geometry.to_numpy()[list(line_of)], TOLERANCE_M)
    off = off_road(travel)
    return {
        "minutes": MINUTES,
        "pace": round(off.pace, 6),
        "lines": encode(to_lonlat(drawn, area.crs)),
        "sets": sets,
        "of": [[numbers.get(key, []) for key in row] for row in keys],
        "dropped": bool(asked) and not sets,
    }


def _tables(
    area: StudyArea, travel: Travel, asked: Sequence[Asked], rides: int
) -> dict[Asked, dict[float, np.ndarray]]:
    """Stretches by what is asked and by metres beside the road; nothing where there are too many.

    The most schools first: they have the most stretches, and whatever is too much is found out soonest.
    """
    tables: dict[Asked, dict[float, np.ndarray]] = {}
    for key in sorted(asked, key=lambda key: len(key[0]), reverse=True):
        reached = [reach(area, travel, np.array(key[0]), mode, max(MINUTES)) for mode in key[1]]
        tables[key] = {}
        for within in sorted({found.off.within_m for found in reached}):
            some = [found for found in reached if found.off.within_m == within]
            tables[key][within] = np.concatenate([_quickest(_stretches(found), found, reached) for found in some])
            rides -= len(tables[key][within])
        if rides < 0:
            return {}
    return tables


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
    """The modes of a band's pupils, in the order of ``MODES``."""
    allowed = travel.modes_by_band.get(band, travel.modes)  # type: ignore[call-overload]
    return tuple(mode for mode in MODES if mode in allowed)


def _stretches(found: Reach) -> np.ndarray:
    """(n, 6) edge, from and to (shares of it), minutes at either end, and the most of use; the wait is not counted."""
    budget, lines, way = found.budget(max(MINUTES)), found.lines, found.crossings
    rides = rides_within(lasting_longest(found.rides, [found.budget(limit) for limit in MINUTES]), budget)
    places = (rides.edge, rides.low, rides.high)
    table = [np.column_stack([*places, rides.minutes_low, rides.minutes_high, rides.most])]
    # The straight way across the road to school, up to its nearest point and beyond it.
    ends = np.stack([way.low, np.clip(way.foot, way.low, way.high), way.high])
    minutes = found.off.pace * np.hypot(way.height, ends - way.foot)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(lines.drawn[way.edge] > 0, (lines.start[way.piece] + ends) / lines.drawn[way.edge], 0.0)
    for i in (0, 1):
        some = (minutes[i : i + 2].max(axis=0) <= budget) & (ends[i] < ends[i + 1])
        across = (way.edge, share[i], share[i + 1], minutes[i], minutes[i + 1], np.full(len(some), budget))
        table.append(np.column_stack(across)[some])
    return np.concatenate(table)


def _quickest(table: np.ndarray, found: Reach, others: Sequence[Reach]) -> np.ndarray:
    """Stretches with their waits, without those over whose length (ends and middle) another mode is quicker.

    Another mode that every minute is of use to, and that leads as far beside the road.
    """
    edge, low, high = table[:, 0].astype(np.int64), table[:, 1], table[:, 2]
    first, last, most = (table[:, 3:] + found.wait_minutes).T
    slower = np.zeros(len(table), dtype=bool)
    for other in others:
        limited = other.most_minutes < max(MINUTES) or np.isfinite(other.rides.most).any()
        if other is found or limited or other.off.within_m < found.off.within_m:
            continue
        sooner = [
            other.at(edge, share)[0] + other.wait_minutes < minutes - 1e-6
            for share, minutes in ((low, first), ((low + high) / 2, (first + last) / 2), (high, last))
        ]
        slower |= np.all(sooner, axis=0)
    return np.column_stack([edge, low, high, first, last, most])[~slower]


def _numbers(table: np.ndarray, line_of: dict[int, int]) -> dict[str, list[int]]:
    """Stretches as whole numbers; ``line_of`` gives edges their line, and new edges a new one."""
    line = [line_of.setdefault(int(edge), len(line_of)) for edge in table[:, 0]]
    numbers = np.round(np.column_stack([line, 1000 * table[:, 1:3], 10 * table[:, 3:]])).astype(int)
    most = numbers[:, 5] if (numbers[:, 5] < 10 * max(MINUTES)).any() else numbers[:0, 5]
    return {"rides": numbers[:, :5].ravel().tolist(), "most": most.tolist()}
