"""Catchments: the land shared out among schools, without gaps or overlaps.

Every place is given to the school of the seed nearest to it (Voronoi), and only the borders between seeds of different
schools are kept: they and the outline cut the county into faces, each of which is one school's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.model import StudyArea
from planner.roads.access import Lines
from planner.scenario import Travel
from planner.travel.isochrones import place_on, school_rows
from planner.travel.reach import Reach, reach
from planner.travel.times import mode_times

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

SPACING_M = 100.0
BESIDE_M = 1.0
"""How far to either side of a place that two schools share the seeds stand."""
HALVINGS = 30
MOST_CHANGES = 8
"""Of the way between two places that are looked at; more there are where rounding alone tells ways apart."""
AROUND_M = 1500.0
"""How far the outline goes beyond the outermost demand points where no town has one."""


def nearest_school_catchments(
    area: StudyArea,
    travel: Travel,
    schools: Sequence[str] | None = None,
    mode: str = "walk",
    *,
    spacing_m: float = SPACING_M,
) -> gpd.GeoDataFrame:
    """The land by its quickest school: by road, from the places on the road that each school is quickest to.

    Roads are split where two schools are equally far; the land beside them goes with the nearest place on a road, and
    every demand point lies in the catchment of the school that the travel times give it. Of schools at one place the
    first has the land.

    Parameters
    ----------
    schools : ids; None for every school of the area, candidates included
    mode : any mode
    spacing_m : between the places on the roads that the land is shared out by

    Returns
    -------
    Columns ``school_id`` ("" for land from which there is no way to any) and valid ``geometry`` in the area's CRS, by
    id. Together they are the outline: the towns, or the surroundings of the demand points where no town has a polygon.

    Raises
    ------
    DataError : no such school
    ScenarioError : no such mode

    >>> found = nearest_school_catchments(tiny.area, tiny.scenario.travel)
    >>> dict(zip(found["school_id"], (found.area / 1e6).round(2)))
    {'S1': 2.5, 'S2': 4.55, 'S3': 3.95}
    """
    import geopandas as gpd
    import shapely

    rows = school_rows(area, schools)
    found = reach(area, travel, rows, mode)
    xy, school = _seeds(found, spacing_m)
    twin = _first_at_its_place(shapely.get_coordinates(area.schools.geometry.to_numpy()[rows]))
    some = dataclasses.replace(area, schools=area.schools.iloc[rows])
    minutes = mode_times(some, travel, mode).minutes
    known, own = np.isfinite(minutes).any(axis=1), np.full(len(area.demand), -1)
    if known.any():
        own[known] = np.nanargmin(minutes[known], axis=1)
    ids = np.append(area.schools.index.to_numpy(dtype=object)[rows[twin]], "")
    points = shapely.get_coordinates(area.demand.geometry.to_numpy())
    shapes = partition(outline(area), np.concatenate([points, xy]), ids[np.append(own, school)])
    return gpd.GeoDataFrame({"school_id": shapes.index}, geometry=shapes.to_numpy(), crs=area.crs)


def partition(whole: Any, xy: np.ndarray, labels: np.ndarray) -> pd.Series:
    """A shape shared out among the labels of seeds, by the nearest seed.

    Parameters
    ----------
    whole : polygon or multipolygon
    xy : (n, 2) seeds, metres; of two at one place the earlier counts
    labels : (n,) text

    Returns
    -------
    Valid shapes by label, ascending: they cover the whole and no two overlap; a label without land is left out.

    >>> import shapely
    >>> parts = partition(shapely.box(0, 0, 4, 2), np.array([[1, 1], [3, 1], [3.5, 1]]), np.array(["a", "b", "b"]))
    >>> parts.map(lambda part: part.area).to_dict()
    {'a': 4.0, 'b': 4.0}
    """
    import pandas as pd
    import shapely

    first = np.sort(np.unique(xy, axis=0, return_index=True)[1])
    xy, labels = np.asarray(xy, dtype=float)[first], np.asarray(labels, dtype=object)[first]
    names, of_seed = np.unique(labels, return_inverse=True)
    if whole.is_empty or not len(names):
        return pd.Series([], index=pd.Index([], dtype=object), dtype=object)
    if len(names) == 1:
        return pd.Series([whole], index=pd.Index(names, dtype=object), dtype=object)
    # Borders are not clipped first: their ends would no longer lie on the outline exactly.
    net = shapely.union_all([*_borders(whole, xy, of_seed), shapely.boundary(whole)])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(net)))
    inside = shapely.point_on_surface(faces)
    kept = shapely.intersects(whole, inside)
    nearest = of_seed[shapely.STRtree(shapely.points(xy)).query_nearest(inside[kept], all_matches=False)[1]]
    shapes = {names[i]: shapely.union_all(faces[kept][nearest == i]) for i in np.unique(nearest)}
    return pd.Series(list(shapes.values()), index=pd.Index(list(shapes), dtype=object), dtype=object)


def _borders(whole: Any, xy: np.ndarray, label: np.ndarray) -> np.ndarray:
    """The lines round the land of each label (0, 1, ...): where a seed of another is as near."""
    import shapely

    west, south, east, north = shapely.bounds(whole)
    middle = np.array([(west + east) / 2, (south + north) / 2])
    far = 8 * (max(east - west, north - south) + np.abs(xy - middle).max())
    seeds, around = shapely.multipoints(xy - middle), shapely.box(-far, -far, far, far)
    cells = shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=around, ordered=True))
    lands = np.array([shapely.coverage_union_all(cells[label == i]) for i in range(label.max() + 1)])
    return np.asarray(shapely.boundary(shapely.transform(lands, lambda corners: corners + middle)))


def outline(area: StudyArea) -> Any:
    """The county: its towns together, or the surroundings of its demand points where no town has a polygon."""
    import shapely

    shapes = area.towns.geometry.to_numpy()
    shapes = shapely.make_valid(shapes[~shapely.is_missing(shapes)])
    together = shapely.union_all(shapes[shapely.area(shapes) > 0])
    if not together.is_empty:
        return together
    points = shapely.multipoints(shapely.get_coordinates(area.demand.geometry.to_numpy()))
    return shapely.buffer(shapely.convex_hull(points), AROUND_M)


def _seeds(found: Reach, spacing_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Places on the roads, (n, 2) metres, and (n,) the school each is quickest to, -1 for none."""
    edge, share, even = _looked_at(found, spacing_m)
    school = found.school_of(_quickest(found, edge, share))
    on, at, beside, before, after = _changes(found, edge, share)
    # Two seeds close by and none closer, so that the border between the schools passes through the place.
    even &= ~_close(edge, share, on, at, 3 * beside)
    edge, share = np.concatenate([edge[even], on, on]), np.concatenate([share[even], at - beside, at + beside])
    return _places(found.lines, edge, np.clip(share, 0.0, 1.0)), np.concatenate([school[even], before, after])


def _changes(found: Reach, edge: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, ...]:
    """Where on the edges another school becomes the quickest.

    Between two places that are looked at, one way gives way to another, and the way before never comes back; so every
    change of way is found by halves, whatever the number of schools.

    Returns
    -------
    (n,) the edge, the share, the distance of seeds beside it as a share, and the schools before and after it
    """
    way = _quickest(found, edge, share)
    changing = np.flatnonzero((edge[1:] == edge[:-1]) & (way[1:] != way[:-1]))
    on, begin, end, first, last = edge[changing], share[changing], share[changing + 1], way[changing], way[changing + 1]
    known: list[tuple[np.ndarray, ...]] = []
    for _ in range(MOST_CHANGES):
        low, high = begin, end
        for _ in range(HALVINGS):
            half = (low + high) / 2
            same = _quickest(found, on, half) == first
            low, high = np.where(same, half, low), np.where(same, high, half)
        then = _quickest(found, on, high)
        beside = np.minimum(BESIDE_M / found.lines.drawn[on], (end - begin) / 4)
        before, after = found.school_of(first), found.school_of(then)
        other, more = before != after, then != last
        known.append(tuple(column[other] for column in (on, (low + high) / 2, beside, before, after)))
        on, begin, end, first, last = on[more], high[more], end[more], then[more], last[more]
        if not len(on):
            break
    return tuple(np.concatenate(columns) for columns in zip(*known, strict=True))


def _looked_at(found: Reach, spacing_m: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places in order along the edges, between which no way to school begins or ends.

    Returns
    -------
    (n,) edges, shares, and which of them are spread evenly
    """
    edges, drawn = np.flatnonzero(found.stops), found.lines.drawn
    count = np.maximum(np.ceil(drawn[edges] / spacing_m), 1).astype(np.int64)
    edge = np.repeat(edges, count)
    share = (np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + 0.5) / np.repeat(count, count)
    rides, ways = found.rides, found.crossings
    with np.errstate(invalid="ignore", divide="ignore"):
        crossed = [(found.lines.start[ways.piece] + place) / drawn[ways.edge] for place in (ways.low, ways.high)]
    edge = np.concatenate([edge, edges, edges, rides.edge, rides.edge, ways.edge, ways.edge])
    share = np.concatenate([share, np.zeros(len(edges)), np.ones(len(edges)), rides.low, rides.high, *crossed])
    share = np.clip(np.nan_to_num(share), 0.0, 1.0)
    even = np.arange(len(edge)) < count.sum()
    order = np.lexsort((~even, share, edge))
    order = order[found.stops[edge[order]]]
    again = (np.diff(edge[order], prepend=-1) == 0) & (np.diff(share[order], prepend=-1.0) == 0)
    order = order[~again]
    return edge[order], share[order], even[order]


def _close(
    edge: np.ndarray, share: np.ndarray, other_edge: np.ndarray, other_share: np.ndarray, within: np.ndarray
) -> np.ndarray:
    """(n,) whether a place is within so much of one of the others on its edge."""
    place, other = 2.0 * edge + share, 2.0 * other_edge + other_share
    order = np.argsort(other)
    other, within = other[order], within[order]
    after = np.searchsorted(other, place)
    near = np.zeros(len(place), dtype=bool)
    for i in (after - 1, after):
        known = (i >= 0) & (i < len(other))
        near[known] |= np.abs(place[known] - other[i[known]]) < within[i[known]]
    return near


def _first_at_its_place(xy: np.ndarray) -> np.ndarray:
    """(n,) for each of some points the first one that stands at the same place."""
    _, first, place = np.unique(xy, axis=0, return_index=True, return_inverse=True)
    return np.asarray(first[place])


def _quickest(found: Reach, edge: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The quickest way from places, -1 where the trip is longer than any may be."""
    minutes, way = found.ways_from(edge, share)
    return np.where(minutes <= found.budget(np.inf), way, -1)


def _places(lines: Lines, edge: np.ndarray, share: np.ndarray) -> np.ndarray:
    """(n, 2) places on edges."""
    begins = np.cumsum(lines.length) - lines.length
    along = share * lines.drawn[edge]
    piece = np.searchsorted(begins, begins[lines.first[edge]] + along, side="right") - 1
    piece = np.clip(piece, lines.first[edge], lines.first[edge + 1] - 1)
    return place_on(lines, piece, along - lines.start[piece])
