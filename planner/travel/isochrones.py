"""Isochrones: the land from which school is at most so many minutes away.

A door's way to the road is a straight line that costs the same wherever it leads, so the land within reach of a place
on the road is a disc: its radius is the time that is left there, at the pace of the land. Along a straight stretch the
radius is concave, so that the discs together are convex, and their supporting lines are known in every direction. An
isochrone is the union of such bodies: made from every place on every road, not from junctions, and with no other error
than that a round edge is drawn by some of its tangents.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import DataError, Fault
from planner.model import StudyArea
from planner.roads.access import Lines, explode
from planner.scenario import Travel
from planner.travel.bodies import Discs, united
from planner.travel.reach import Reach, Rides, reach

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

MINUTES = (5, 10, 15, 20, 30)
TOLERANCE_M = 5.0


def isochrones(
    area: StudyArea,
    travel: Travel,
    schools: Sequence[str] | None = None,
    minutes: Sequence[float] = MINUTES,
    mode: str = "walk",
    *,
    each: bool = False,
    tolerance_m: float = TOLERANCE_M,
) -> gpd.GeoDataFrame:
    """The land from which the nearest of some schools (or each of them) is at most so many minutes away, door to door.

    Parameters
    ----------
    schools : ids; None for every school of the area, candidates included
    minutes : limits, inclusive
    mode : any mode, whatever ``travel.modes`` says
    each : a set of polygons for every school instead of one for the nearest
    tolerance_m : how far an isochrone may reach beyond its place; it never falls short

    Returns
    -------
    A row a limit, ascending (and a school, in the order given): ``minutes``, with ``each`` ``school_id``, and valid
    ``geometry`` in the area's CRS, empty where nothing is within reach. A smaller limit's polygon lies inside a larger
    one's, up to the tolerance.

    Raises
    ------
    DataError : no such school
    ScenarioError : no such mode

    >>> found = isochrones(tiny.area, tiny.scenario.travel, ["S1"], [5, 30])
    >>> found.geometry.bounds.round(-1)["maxx"].tolist()  # 375 m and 2,250 m along the road from S1
    [530380.0, 532250.0]
    """
    import geopandas as gpd

    rows = school_rows(area, schools)
    limits = sorted({float(limit) for limit in minutes})
    groups = rows[:, None] if each else rows[None, :]
    shapes = []
    for group in groups:
        found, land = reach(area, travel, group, mode, max(limits, default=0.0)), None
        for limit in limits:
            land = land_within(found, limit, tolerance_m, land)
            shapes.append(land)
    columns: dict[str, object] = {"minutes": np.tile(limits, len(groups))}
    if each:
        columns["school_id"] = np.repeat(area.schools.index.to_numpy(dtype=object)[rows], len(limits))
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(shapes, crs=area.crs), crs=area.crs)


def reachable_edges(
    area: StudyArea,
    travel: Travel,
    minutes: float,
    schools: Sequence[str] | None = None,
    mode: str = "walk",
) -> pd.DataFrame:
    """Which part of which road, in which direction, lies within so many minutes of the nearest of some schools.

    Only where a door may meet the road: a bus passes along an expressway, and nobody gets on. What a trip waits counts.

    Returns
    -------
    Columns ``edge`` (row of ``area.roads.edges``), ``ahead`` (going with the line), ``on_foot`` (else riding),
    ``from_share`` and ``to_share`` (of the edge, 0 at its start), ``from_minutes`` and ``to_minutes`` (to school from
    there; evenly between), and ``school_id``. Ways on foot to several bus stops may lie over each other: the quickest
    counts.

    >>> reachable_edges(tiny.area, tiny.scenario.travel, 10, ["S1"]).round(6).values.tolist()
    [[0, False, True, 0.0, 0.5, 0.0, 10.0, 'S1']]
    """
    import pandas as pd

    rows = school_rows(area, schools)
    found = reach(area, travel, rows, mode, minutes)
    rides, wait = found.rides, found.wait_minutes
    ids = area.schools.index.to_numpy(dtype=object)[rows]
    table = pd.DataFrame(
        {
            "edge": rides.edge,
            "ahead": rides.ahead,
            "on_foot": np.isfinite(rides.most) | (mode == "walk"),
            "from_share": rides.low,
            "to_share": rides.high,
            "from_minutes": rides.minutes_low + wait,
            "to_minutes": rides.minutes_high + wait,
            "school_id": ids[rides.school],
        }
    )
    columns = ["edge", "ahead", "on_foot", "from_share"]
    return table.sort_values(columns, ascending=[True, False, True, True], ignore_index=True)


def school_rows(area: StudyArea, schools: Sequence[str] | None) -> np.ndarray:
    """(n,) rows of ``area.schools`` by id; all of them for None.

    Raises
    ------
    DataError : an id that no school has
    """
    if schools is None:
        return np.arange(len(area.schools))
    rows = area.schools.index.get_indexer(list(schools))
    unknown = [str(school) for school, row in zip(schools, rows, strict=True) if row < 0]
    if unknown:
        fix = f"Choose from {', '.join(map(str, area.schools.index[:5]))}{', ...' if len(area.schools) > 5 else ''}."
        raise DataError([Fault("schools", f"{school!r} is no school of {area.area_id}", fix) for school in unknown])
    return np.asarray(rows, dtype=np.int64)


def land_within(found: Reach, minutes: float, tolerance_m: float = TOLERANCE_M, known: Any = None) -> Any:
    """The land within so many minutes, as one valid polygon or several; empty where there is none.

    Parameters
    ----------
    known : a part of it, where one is known (the land within fewer minutes)
    """
    import shapely

    land = shapely.Polygon() if known is None else known
    budget = found.budget(minutes)
    if budget <= 0:
        return land
    parts = [*_ride_discs(found, budget), *_crossing_discs(found, budget, tolerance_m / 8)]
    land = united(land, parts, tolerance_m * 7 / 8)
    if land.is_empty:  # the union of nothing is no polygon
        return shapely.Polygon()
    return land if shapely.is_valid(land) else shapely.make_valid(land)


def _stretches(found: Reach, budget: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Straight stretches of the rides within the budget: (n, 2) ends, and (n,) minutes that are left there."""
    lines, rides = found.lines, rides_within(lasting_longest(found.rides, (budget,)), budget)
    edge, low, high, first, last = rides.edge, rides.low, rides.high, rides.minutes_low, rides.minutes_high
    row, piece = explode(lines, edge)
    drawn = lines.drawn[edge][row]
    start = np.clip(low[row] * drawn - lines.start[piece], 0.0, lines.length[piece])
    stop = np.clip(high[row] * drawn - lines.start[piece], 0.0, lines.length[piece])
    some = (start < stop) | (drawn == 0)
    row, piece, start, stop, drawn = row[some], piece[some], start[some], stop[some], drawn[some]
    whole = (high - low)[row] * drawn

    def left(at: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.where(whole > 0, (lines.start[piece] + at - low[row] * drawn) / whole, 0.0)
        return np.asarray((rides.most - first)[row] - np.clip(part, 0.0, 1.0) * (last - first)[row])

    return place_on(lines, piece, start), place_on(lines, piece, stop), left(start), left(stop)


def lasting_longest(rides: Rides, budgets: Sequence[float]) -> Rides:
    """Without ways on foot to a stop that leave less time than another the same way along the edge, at every budget."""
    walked = np.flatnonzero(np.isfinite(rides.most))
    kept = np.isinf(rides.most)
    edge, ahead, most = rides.edge[walked], rides.ahead[walked], rides.most[walked]
    own = np.where(ahead, rides.minutes_high[walked], rides.minutes_low[walked])
    for budget in budgets:
        order = np.lexsort((own - np.minimum(budget, most), ahead, edge))
        first = np.append(True, np.diff(2 * edge[order] + ahead[order]) != 0)[: len(order)]
        kept[walked[order[first]]] = True
    return rides.take(kept)


def rides_within(rides: Rides, budget: float) -> Rides:
    """The parts of rides from which school is within the budget, without what is quicker the other way along the edge.

    Both ways are compared where each has one ride only; elsewhere, and on foot to a stop, they may overlap. ``most`` of
    the result is no more than the budget.
    """
    low, high, first, last = rides.low.copy(), rides.high.copy(), rides.minutes_low.copy(), rides.minutes_high.copy()
    size, free, most = rides.edge.max(initial=0) + 1, np.isinf(rides.most), np.minimum(rides.most, budget)
    counts = [np.bincount(rides.edge[free & (rides.ahead == way)], minlength=size)[rides.edge] for way in (True, False)]
    single = free & (counts[0] == 1) & (counts[1] == 1)
    one, other = (np.flatnonzero(single & (rides.ahead == way)) for way in (True, False))
    one, other = one[np.argsort(rides.edge[one])], other[np.argsort(rides.edge[other])]
    # Minutes fall going ahead and rise going back: at share s they are a + b s one way, c + d s the other.
    with np.errstate(invalid="ignore", divide="ignore"):
        b, d = ((last[way] - first[way]) / (high[way] - low[way]) for way in (one, other))
        a, c = first[one] - b * low[one], first[other] - d * low[other]
        equal = np.clip(np.where(d - b > 0, (a - c) / (d - b), 0.0), 0.0, 1.0)
    first[one], last[other] = (
        np.where(equal > low[one], a + b * equal, first[one]),
        np.where(equal < high[other], c + d * equal, last[other]),
    )
    low[one], high[other] = np.maximum(low[one], equal), np.minimum(high[other], equal)
    with np.errstate(invalid="ignore", divide="ignore"):
        cut = low + (most - first) / (last - first) * (high - low)
    found = Rides(
        rides.edge,
        rides.ahead,
        np.where(first > most, cut, low),
        np.where(last > most, cut, high),
        np.minimum(first, most),
        np.minimum(last, most),
        rides.school,
        most,
    )
    return found.take((np.minimum(first, last) <= most) & (low < high))


def _ride_discs(found: Reach, budget: float) -> list[Discs]:
    """Straight stretches of the rides as discs, (n, k, 2) and (n, k): two, or three where the limit sets in."""
    begin, end, *left_there = _stretches(found, budget)
    most = found.off.within_m
    left = np.column_stack(left_there) / found.off.pace
    centres = np.stack([begin, end], axis=1)
    cut = np.flatnonzero((left > most).any(axis=1) & (left < most).any(axis=1))
    part = (most - left[cut, 0]) / (left[cut, 1] - left[cut, 0])
    kink = begin[cut] + part[:, None] * (end - begin)[cut]
    radii = np.minimum(left, most)
    three = np.stack([centres[cut, 0], kink, centres[cut, 1]], axis=1)
    return [(centres, radii), (three, np.insert(radii[cut], 1, most, axis=1))]


def _crossing_discs(found: Reach, budget: float, tolerance_m: float) -> list[Discs]:
    """Stretches that are crossed on the way to school as some discs each: (n, k, 2) centres and (n, k) radii."""
    way, lines, most = found.crossings, found.lines, found.off.within_m
    whole = budget / found.off.pace
    half, full = (np.sqrt(np.maximum(r**2 - way.height**2, 0.0)) for r in (whole, max(whole - most, 0.0)))
    # Nearer than ``full`` the limit of the way to the road sets in, beyond ``half`` the time is up.
    cuts = np.stack([way.foot + cut for cut in (-half, -full, full, half)], axis=1)
    cuts = np.clip(cuts, way.low[:, None], way.high[:, None])
    one_place = (way.low == way.high) & (np.abs(way.low - way.foot) <= half)
    some = (cuts[:, 1:] > cuts[:, :-1]) | (one_place[:, None] & (np.arange(3) == 1))
    row, part = np.nonzero(some & (way.height <= whole)[:, None])
    foot, piece, height = way.foot[row], way.piece[row], np.maximum(way.height[row], 1e-3)
    # The straight line to school is a hyperbola along the stretch, between it and its tangents lies the tolerance.
    begin, end = (np.arcsinh((cuts[row, part + i] - foot) / height) for i in (0, 1))
    tangents = 2 + ((end - begin) * np.sqrt(height / tolerance_m / 8)).astype(int)
    made = []
    for count in np.unique(tangents).tolist():
        some = tangents == count
        touch = begin[some, None] + (end - begin)[some, None] * np.linspace(0, 1, count)
        middle, near = (touch[:, 1:] + touch[:, :-1]) / 2, np.cosh((touch[:, 1:] - touch[:, :-1]) / 2)
        corners = [
            (np.sinh(u) / c, np.cosh(u) / c) for u, c in ((touch[:, :1], 1.0), (middle, near), (touch[:, -1:], 1.0))
        ]
        at, away = (np.concatenate(c, axis=1) * height[some, None] for c in zip(*corners, strict=True))
        centres = place_on(lines, np.repeat(piece[some], at.shape[1]), (at + foot[some, None]).ravel())
        made.append((centres.reshape(*at.shape, 2), np.clip(whole - away, 0.0, most)))
    return made


def place_on(lines: Lines, piece: np.ndarray, at: np.ndarray) -> np.ndarray:
    """(n, 2) places on straight pieces, so many metres from their start."""
    return np.column_stack([lines.x[piece] + at * lines.east[piece], lines.y[piece] + at * lines.north[piece]])
