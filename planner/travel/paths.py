"""The ways of demand points to schools as lines, and edge by edge."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import DataError, Fault
from planner.model import BANDS, MODES, StudyArea
from planner.roads.access import explode, lines_of
from planner.scenario import Travel
from planner.travel.changes import settle
from planner.travel.routes import Direction, Routes, going, mode_routes, unknown_direction

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Path:
    """The quickest way of one pair.

    Parameters
    ----------
    demand_id, school_id : whose way
    mode : by which mode, "" where there is no way
    minutes, km : door to door, one way, as the travel times have them; NaN without a way
    off_road_m : metres off the road, straight, both ends together; ``km`` counts them ``access_detour`` times
    edges : rides in order of travel: columns ``edge`` (row of ``roads.edges``), ``name``, ``road_class``, ``ahead``
        (with the edge's line), ``start, end`` (places on it, 0 to 1), ``km``, ``on_foot`` (walked)
    geometry : line from door to door in the area's CRS, empty without a way
    parts : the same line in order of travel as walked and ridden parts, the ways off the road walked: columns
        ``on_foot``, ``geometry``
    """

    demand_id: str
    school_id: str
    mode: str
    minutes: float
    km: float
    off_road_m: float
    edges: pd.DataFrame
    geometry: Any
    parts: gpd.GeoDataFrame


def path(
    area: StudyArea,
    travel: Travel,
    demand_id: str,
    school_id: str,
    *,
    band: str | None = None,
    mode: str | None = None,
    direction: Direction = "to_school",
) -> Path:
    """The way of one pair by the quickest mode, of equals the earlier of ``MODES``.

    Parameters
    ----------
    band : by the modes that it may use; without one by those of ``travel.modes``
    mode : by this mode alone
    direction : ``to_school``, or ``from_school`` for the way home

    Raises
    ------
    DataError : no such demand point, school, band, mode or direction

    >>> found = path(tiny.area, tiny.scenario.travel, "V3", "S1")
    >>> found.minutes, found.km, found.edges["edge"].tolist(), found.edges["ahead"].tolist()
    (40.0, 3.0, [1, 0], [False, False])
    """
    if faults := [
        *_unknown("demand point", demand_id, area.demand.index),
        *_unknown("school", school_id, area.schools.index),
        *(_unknown("band", band, BANDS) if band is not None else ()),
        *(_unknown("mode", mode, MODES) if mode is not None else ()),
        *unknown_direction(direction),
    ]:
        raise DataError(faults)
    area, travel = settle(area, travel)
    chosen = (mode,) if mode else travel.modes_by_band.get(band, travel.modes)  # type: ignore[call-overload]
    pair = np.array([area.demand.index.get_loc(demand_id)]), np.array([area.schools.index.get_loc(school_id)])
    by_mode = {m: mode_routes(area, travel, m, *pair, direction) for m in MODES if m in chosen}
    best = min(by_mode, key=lambda m: by_mode[m].minutes[0], default="")
    known = bool(best) and bool(np.isfinite(by_mode[best].minutes[0]))
    found = by_mode[best] if known else Routes.none(1)
    minutes, metres, away = (float(figure[0]) for figure in (found.minutes, found.metres, found.away_m))
    if not known:
        best, minutes, metres = "", np.nan, np.nan
    edges, drawn = rides(area, found).drop(columns="pair"), (area, *pair, found, direction)
    return Path(demand_id, school_id, best, minutes, metres / 1000, away, edges, lines(*drawn)[0], _parts(*drawn))


def _unknown(what: str, given: str, known: Iterable[Any]) -> list[Fault]:
    words = [str(word) for word in known]
    if given in words:
        return []
    near = difflib.get_close_matches(str(given), words, 1, 0.5)
    fix = f"Did you mean {near[0]}?" if near else f"Use one of {', '.join(words[:10])}{', ...' if words[10:] else ''}."
    return [Fault("path", f"there is no {what} {given!r}", fix)]


def paths(area: StudyArea, travel: Travel, pairs: pd.DataFrame, direction: Direction = "to_school") -> gpd.GeoDataFrame:
    """The ways of many pairs, with one search a school and mode.

    Parameters
    ----------
    pairs : columns ``demand_id, school_id, mode``, as in a plan's assignment; rows without a school are left out
    direction : ``to_school``, or ``from_school`` for the ways home

    Returns
    -------
    One row a pair and mode, in order of first mention: ``demand_id, school_id, mode, minutes, km, off_road_m`` as in
    ``Path``, and the line.

    Raises
    ------
    DataError : a column is missing; no such demand point, school, mode or direction; all in one pass

    >>> paths(tiny.area, tiny.scenario.travel, tiny.plan.assignment)["km"].tolist()
    [0.0, 1.5, 1.5, 0.0]
    """
    import geopandas as gpd
    import pandas as pd

    area, travel = settle(area, travel)
    keys = ["demand_id", "school_id", "mode"]
    table = going(area, pairs, direction=direction)[keys].drop_duplicates()
    parts = []
    for mode, rows in table.groupby("mode", sort=False):
        places = area.demand.index.get_indexer(rows["demand_id"]), area.schools.index.get_indexer(rows["school_id"])
        found = mode_routes(area, travel, str(mode), *places, direction)
        known = np.isfinite(found.minutes)
        minutes, km = np.where(known, found.minutes, np.nan), np.where(known, found.metres / 1000, np.nan)
        figures = rows.assign(minutes=minutes, km=km, off_road_m=found.away_m)
        parts.append(gpd.GeoDataFrame(figures, geometry=lines(area, *places, found, direction), crs=area.crs))
    if not parts:
        empty = table.assign(minutes=0.0, km=0.0, off_road_m=0.0)
        return gpd.GeoDataFrame(empty, geometry=[], crs=area.crs)
    return pd.concat(parts).loc[table.index].reset_index(drop=True)


def rides(area: StudyArea, found: Routes) -> pd.DataFrame:
    """Every ride along an edge: the columns of ``Path.edges``, and ``pair``."""
    import pandas as pd

    edges = area.roads.edges
    named = edges[["name", "road_class", "length_m"]].iloc[found.edge].reset_index(drop=True)
    km = np.abs(found.end - found.start) * named.pop("length_m") / 1000
    places = {"ahead": found.ahead, "start": found.start, "end": found.end, "km": km, "on_foot": found.on_foot}
    return pd.DataFrame({"pair": found.pair, "edge": found.edge, **named, **places})


def lines(
    area: StudyArea, demand: np.ndarray, school: np.ndarray, found: Routes, direction: Direction = "to_school"
) -> np.ndarray:
    """(n_pair,) lines from door to door: straight to the road, along it, straight to the door; empty without a way."""
    import shapely

    pair, xy, _ = _vertices(area, demand, school, found, direction)
    made, some = np.full(len(found.minutes), shapely.LineString(), dtype=object), np.unique(pair)
    if len(some):
        whole = shapely.linestrings(xy, indices=np.searchsorted(some, pair))
        made[some] = shapely.remove_repeated_points(whole)
    return made


def _parts(
    area: StudyArea, demand: np.ndarray, school: np.ndarray, found: Routes, direction: Direction
) -> gpd.GeoDataFrame:
    """The line of one pair, cut where it changes from walking to riding."""
    import geopandas as gpd
    import shapely

    _, xy, on_foot = _vertices(area, demand, school, found, direction)
    moves = (xy[1:] != xy[:-1]).any(axis=1)
    steps, on_foot = np.stack([xy[:-1], xy[1:]], axis=1)[moves], on_foot[1:][moves]
    cuts = np.flatnonzero(np.diff(on_foot)) + 1
    whole = [np.concatenate([part[:1, 0], part[:, 1]]) for part in np.split(steps, cuts) if len(part)]
    walked = [bool(part[0]) for part in np.split(on_foot, cuts) if len(part)]
    return gpd.GeoDataFrame({"on_foot": walked}, geometry=[shapely.LineString(part) for part in whole], crs=area.crs)


def _vertices(
    area: StudyArea, demand: np.ndarray, school: np.ndarray, found: Routes, direction: Direction
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pair by pair in order of travel: the pair, (n, 2) metres, and whether one walks up to there."""
    import shapely

    some = np.flatnonzero(found.on_edge >= 0)
    shapes, walked = area.roads.edges.geometry.to_numpy(), np.ones(len(some), dtype=bool)
    leg, along = _along(shapes, found)
    doors = [
        shapely.get_coordinates(places.geometry.to_numpy()[rows[some]])
        for places, rows in ((area.demand, demand), (area.schools, school))
    ]
    begin, end = doors if direction == "to_school" else doors[::-1]
    parts = [
        (some, begin, walked),
        (some, _places(shapes, found.on_edge[some], found.on_share[some]), walked),
        (found.pair[leg], along, found.on_foot[leg]),
        (some, _places(shapes, found.off_edge[some], found.off_share[some]), walked),
        (some, end, walked),
    ]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    pair, xy, on_foot = (column[order] for column in columns)
    return pair, xy, on_foot


def _places(shapes: np.ndarray, edge: np.ndarray, share: np.ndarray) -> np.ndarray:
    """(n, 2) metres, places on edges."""
    import shapely

    points = shapely.line_interpolate_point(shapes[edge], share, normalized=True)
    return np.asarray(shapely.get_coordinates(points)).reshape(-1, 2)


def _along(shapes: np.ndarray, found: Routes) -> tuple[np.ndarray, np.ndarray]:
    """Vertices of all rides, in order of travel: the ride, and (n, 2) metres."""
    used, edge = np.unique(found.edge, return_inverse=True)
    drawn = lines_of(shapes[used])
    ride, piece = explode(drawn, edge, found.end < found.start)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = drawn.start[piece] / drawn.drawn[edge[ride]]
    between = (np.fmin(found.start, found.end)[ride] < share) & (share < np.fmax(found.start, found.end)[ride])
    every = np.arange(len(found.edge))
    parts = [
        (every, _places(shapes, found.edge, found.start)),
        (ride[between], np.column_stack([drawn.x, drawn.y])[piece[between]]),
        (every, _places(shapes, found.edge, found.end)),
    ]
    leg, xy = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(leg, kind="stable")
    return leg[order], xy[order]
