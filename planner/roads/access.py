"""How a door reaches the roads: straight to whichever point of a road near it serves the trip best.

The ground off the road is slower than the road, so the best point lies ahead of the nearest one, by the law of
refraction: sin(angle) = pace on the road / pace off it. Taking every point of every road as a way onto the network,
instead of the nearest one alone, is what keeps an added road, or a road cut in two, from ever raising a time.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from planner.model import Roads
from planner.remembered import remembered

PAIRS_AT_A_TIME = 32_000
"""Doors and straight pieces that are looked at together: arrays of 0.3 MB stay in the processor's cache."""


@dataclass(frozen=True, eq=False)
class Lines:
    """Edges as straight pieces.

    Parameters
    ----------
    first : (n_edge + 1,) where each edge's pieces begin
    x, y : (n_piece,) where a piece begins, metres
    east, north : (n_piece,) its direction, of length 1 (0 for a piece without length)
    length, start : (n_piece,) metres drawn, of the piece and of its edge before it
    drawn : (n_edge,) metres drawn
    """

    first: np.ndarray
    x: np.ndarray
    y: np.ndarray
    east: np.ndarray
    north: np.ndarray
    length: np.ndarray
    start: np.ndarray
    drawn: np.ndarray


def lines_of(drawn: np.ndarray) -> Lines:
    """Shapely lines (n_edge,) as straight pieces."""
    import shapely

    xy, edge = shapely.get_coordinates(drawn, return_index=True)
    piece = edge[1:] == edge[:-1]
    step = (xy[1:] - xy[:-1])[piece]
    length = np.hypot(*step.T)
    with np.errstate(invalid="ignore", divide="ignore"):
        way = np.where(length[:, None] > 0, step / length[:, None], 0.0)
    first = np.searchsorted(edge[:-1][piece], np.arange(len(drawn) + 1))
    before = np.append(0.0, np.cumsum(length))
    start = before[:-1] - np.repeat(before[first[:-1]], np.diff(first))
    x, y = np.ascontiguousarray(xy[:-1][piece].T)
    east, north = np.ascontiguousarray(way.T)
    return Lines(first, x, y, east, north, length, start, before[first[1:]] - before[first[:-1]])


@remembered
def lines_of_roads(roads: Roads) -> Lines:
    """All edges as straight pieces."""
    return lines_of(roads.edges.geometry.to_numpy())


@dataclass(frozen=True, eq=False)
class Access:
    """Where a door gets on an edge to go one way along it: one row a door, an edge and a direction.

    Parameters
    ----------
    door, edge : (n,) rows
    ahead : (n,) bool, towards the edge's end; else towards its start
    share : (n,) place on the edge, 0 at its start to 1 at its end
    away_m : (n,) metres from the door to there
    """

    door: np.ndarray
    edge: np.ndarray
    ahead: np.ndarray
    share: np.ndarray
    away_m: np.ndarray

    def take(self, rows: np.ndarray) -> Access:
        """Some of the rows."""
        return Access(self.door[rows], self.edge[rows], self.ahead[rows], self.share[rows], self.away_m[rows])

    def renumbered(self, number: np.ndarray) -> Access:
        """The same under other numbers (n_door,) of the doors."""
        return Access(number[self.door], self.edge, self.ahead, self.share, self.away_m)


def access(
    points: np.ndarray,
    roads: Roads,
    ahead: np.ndarray,
    back: np.ndarray,
    off_road: float,
    within_m: float,
    near: tuple[np.ndarray, np.ndarray] | None = None,
) -> Access:
    """Where doors get on the roads: for every edge near a door and either way along it, the best place.

    Parameters
    ----------
    points : (n_door,) shapely points in the roads' CRS
    ahead, back : (n_edge,) minutes per metre with and against the line; infinite where nobody gets on so
    off_road : minutes per metre off the road
    within_m : no farther than this from the door, straight
    near : the doors and edges to look at, by default ``edges_near``

    >>> found = access(tiny.area.demand.geometry.to_numpy()[1:2], tiny.area.roads, *np.full((2, 3), 1 / 75), 0.02, 100)
    >>> found.edge.tolist(), found.ahead.tolist(), found.share.tolist()
    ([0, 0, 1, 1], [True, False, True, False], [1.0, 1.0, 0.0, 0.0])
    """
    import shapely

    lines = lines_of_roads(roads)
    xy = shapely.get_coordinates(points)
    door, edge = edges_near(points, roads, ahead, back, within_m) if near is None else near
    pieces = np.append(0, np.cumsum(np.diff(lines.first)[edge]))
    cuts = np.searchsorted(pieces, np.arange(0, pieces[-1] + PAIRS_AT_A_TIME, PAIRS_AT_A_TIME))
    with np.errstate(invalid="ignore", divide="ignore"):
        length = roads.edges["length_m"].to_numpy()
        paces = tuple(np.where(lines.drawn > 0, pace * length / lines.drawn, 0.0 * pace) for pace in (ahead, back))
    found = []
    for a, b in pairwise(cuts.tolist()):
        found += _best(lines, xy, door[a:b], edge[a:b], paces, off_road, within_m)
    if not found:
        none = np.zeros(0, dtype=np.int64)
        return Access(none, none, none.astype(bool), none.astype(float), none.astype(float))
    door, edge, share, away, forward = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((~forward, edge, door))
    return Access(door[order], edge[order], forward[order], share[order], away[order])


def edges_near(
    points: np.ndarray, roads: Roads, ahead: np.ndarray, back: np.ndarray, within_m: float
) -> tuple[np.ndarray, np.ndarray]:
    """Doors and edges (n,), by doors, then edges: usable edges whose boxes come within metres of the door's own."""
    import shapely

    usable = np.flatnonzero(np.isfinite(ahead) | np.isfinite(back))
    xy = shapely.get_coordinates(points)
    boxes = shapely.box(*(xy - within_m).T, *(xy + within_m).T)
    door, at = shapely.STRtree(roads.edges.geometry.to_numpy()[usable]).query(boxes)
    size = np.int64(max(len(ahead), 1))
    key = np.sort(door * size + usable[at])
    return key // size, key % size


def explode(lines: Lines, edge: np.ndarray, from_end: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The pieces of some edges, in order or from the end: the row of ``edge`` each comes from, and the piece."""
    count = np.diff(lines.first)[edge]
    row = np.repeat(np.arange(len(edge)), count)
    nth = np.arange(len(row)) - (np.cumsum(count) - count)[row]
    if from_end is not None:
        nth = np.where(from_end[row], count[row] - 1 - nth, nth)
    return row, lines.first[edge][row] + nth


class Side:
    """Points beside pieces: the foot of the perpendicular, its height, and the part of the piece within reach."""

    def __init__(self, lines: Lines, piece: np.ndarray, xy: np.ndarray, within_m: float) -> None:
        x, y = xy[:, 0] - lines.x[piece], xy[:, 1] - lines.y[piece]
        self.foot = x * lines.east[piece] + y * lines.north[piece]
        self.height = np.abs(x * lines.north[piece] - y * lines.east[piece])
        point = np.flatnonzero(lines.length[piece] == 0)
        self.height[point] = np.hypot(x[point], y[point])
        half = np.sqrt(np.maximum(within_m**2 - self.height**2, 0.0))
        self.low, self.high = np.maximum(self.foot - half, 0.0), np.minimum(self.foot + half, lines.length[piece])
        self.near = (self.height <= within_m) & (self.low <= self.high)

    def take(self, rows: np.ndarray) -> Side:
        """Some of the points and pieces."""
        side = copy(self)
        for name, column in vars(self).items():
            setattr(side, name, column[rows])
        return side

    def nearest(self, lead: np.ndarray) -> np.ndarray:
        """The place within reach nearest to the foot and ``lead`` metres beyond."""
        return np.asarray(np.clip(self.foot + lead, self.low, self.high))

    def away(self, at: np.ndarray) -> np.ndarray:
        """Metres from the point to a place on the piece."""
        return np.asarray(np.sqrt(self.height**2 + (at - self.foot) ** 2))  # ``hypot`` takes five times as long


def lead(pace: np.ndarray, off_road: float, height: np.ndarray) -> np.ndarray:
    """How far beyond the foot it is best to get on; infinite where the road is no quicker than the land."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pace < off_road, height * pace / np.sqrt(np.maximum(off_road**2 - pace**2, 0.0)), np.inf)


def _best(
    lines: Lines,
    xy: np.ndarray,
    door: np.ndarray,
    edge: np.ndarray,
    paces: tuple[np.ndarray, ...],
    off_road: float,
    within_m: float,
) -> list[tuple[np.ndarray, ...]]:
    """(door, edge, share, metres away, forward) of the best place on each edge to go with it, and against it."""
    row, piece = explode(lines, edge)
    side = Side(lines, piece, xy[door[row]], within_m)
    near = np.flatnonzero(side.near)
    row, side, start = row[near], side.take(near), lines.start[piece[near]]
    found: list[tuple[np.ndarray, ...]] = []
    for pace, forward in zip(paces, (True, False), strict=True):
        sign, g = (1.0 if forward else -1.0), pace[edge][row]
        at = side.nearest(sign * lead(g, off_road, side.height))
        away, along = side.away(at), start + at
        usable = np.isfinite(g)
        with np.errstate(invalid="ignore"):
            cost = np.where(usable, off_road * away - sign * g * along, np.inf)
        best = least(row, cost, away)
        best = best[usable[best]]
        e = edge[row[best]]
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(lines.drawn[e] > 0, along[best] / lines.drawn[e], 0.0)
        ways = np.full(len(best), forward)
        found.append((door[row[best]], e, np.clip(share, 0.0, 1.0), away[best], ways))
    return found


def least(row: np.ndarray, cost: np.ndarray, away: np.ndarray) -> np.ndarray:
    """The first place of each row (ascending) with the least cost, and of equals the least way."""
    begins = np.diff(row, prepend=-1) > 0
    first, group = np.flatnonzero(begins), np.cumsum(begins) - 1
    if not len(row):
        return first
    away = np.where(cost == np.minimum.reduceat(cost, first)[group], away, np.inf)
    found = np.flatnonzero(away == np.minimum.reduceat(away, first)[group])
    return found[np.diff(row[found], prepend=-1) > 0]


def along_one(
    roads: Roads,
    edge: np.ndarray,
    ahead: np.ndarray,
    pace: np.ndarray,
    one: np.ndarray,
    other: np.ndarray,
    off_road: float,
    within_m: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """From one point to another over one edge: on it somewhere, along it one way, and off it; or straight across.

    Parameters
    ----------
    edge, ahead, pace : (n,) rows, which way along it, and minutes per metre (of ``length_m``) that way
    one, other : (n, 2) metres
    off_road, within_m : as in ``access``

    Returns
    -------
    (n,) minutes, metres off the road, and the places on the edge where one gets on it and off it (one place where one
    goes straight across); minutes are infinite where the edge is not within reach of both
    """
    some, edge = np.unique(edge, return_inverse=True)
    lines = lines_of(roads.edges.geometry.to_numpy()[some])
    row, piece = explode(lines, edge, ~ahead)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.where(lines.drawn > 0, roads.edges["length_m"].to_numpy()[some] / lines.drawn, 0.0)[edge]
    g, sign = (pace * scale)[row], np.where(ahead, 1.0, -1.0)[row]
    on, off = (Side(lines, piece, points[row], within_m) for points in (one, other))
    on_at = on.nearest(lead(g, off_road, on.height) * sign)
    off_at = off.nearest(-lead(g, off_road, off.height) * sign)
    on_cost = off_road * on.away(on_at) - sign * g * (lines.start[piece] + on_at)
    off_cost = off_road * off.away(off_at) + sign * g * (lines.start[piece] + off_at)
    on_cost, off_cost = np.where(on.near, on_cost, np.inf), np.where(off.near, off_cost, np.inf)
    # Over an earlier piece, or over one's own where the two places do not pass each other.
    here = np.arange(len(row))
    earlier = np.append(here[:1], _least_so_far(on_cost, row)[:-1])
    none = np.append(True, row[1:] != row[:-1])[: len(row)]
    straight = (off_at - on_at) * sign >= 0
    via = np.where(straight & (none | (on_cost <= on_cost[earlier])), here, earlier)
    minutes = np.where(straight | ~none, on_cost[via] + off_cost, np.inf)
    # Where they would, both are best at one place: on the line from one point to the other's mirror image.
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(on.height + off.height > 0, on.height / (on.height + off.height), 0.0)
    low, high = np.maximum(on.low, off.low), np.minimum(on.high, off.high)
    at = np.clip(on.foot + share * (off.foot - on.foot), low, high)
    across = np.where(on.near & off.near & (low <= high), on.away(at) + off.away(at), np.inf)
    crossing = off_road * across < minutes
    walked = np.where(crossing, across, on.away(on_at)[via] + off.away(off_at))
    place = lines.start[piece]
    minutes = np.where(crossing, off_road * across, minutes)
    order = np.lexsort((minutes, row))
    best = order[np.unique(row[order], return_index=True)[1]]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(lines.drawn > 0, 1 / lines.drawn, 0.0)[edge]
    gets_on = np.where(crossing, place + at, (place + on_at)[via])[best] * share
    gets_off = np.where(crossing, place + at, place + off_at)[best] * share
    return minutes[best], walked[best], gets_on, gets_off


def _least_so_far(cost: np.ndarray, row: np.ndarray) -> np.ndarray:
    """For each place the earlier one (or itself) of its row with the least cost."""
    best, step = np.arange(len(row)), 1
    while step < len(row):
        earlier = best[:-step]
        better = (row[step:] == row[:-step]) & (cost[earlier] < cost[best[step:]])
        if step > 1 and not (row[step:] == row[:-step]).any():
            break
        best = np.append(best[:step], np.where(better, earlier, best[step:]))
        step *= 2
    return best
