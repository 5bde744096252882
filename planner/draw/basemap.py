"""What lies under every plan: roads, towns, and the frame of the map."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from planner.model import StudyArea
from planner.scenario import Travel
from planner.travel import changed

DEGREE = 100_000
"""Steps in a degree: coordinates are whole numbers of about a metre."""

RANKS = ("main", "secondary", "local", "path")
MAIN = ("motorway", "trunk", "primary")
SECONDARY = ("secondary", "tertiary")
PATH = ("path", "footway", "track", "bridleway", "steps", "pedestrian", "cycleway")
VERTICES = 60_000
"""More road vertices than this make a page too heavy: roads are drawn coarser, then the least ones are left out."""


def rank(road_class: str) -> str:
    """How a road is drawn, by its OSM class.

    >>> [rank(c) for c in ("trunk_link", "tertiary", "residential", "track")]
    ['main', 'secondary', 'local', 'path']
    """
    base = road_class.removesuffix("_link")
    if base in MAIN:
        return "main"
    if base in SECONDARY:
        return "secondary"
    return "path" if base in PATH else "local"


def roads(area: StudyArea, vertices: int = VERTICES) -> dict[str, Any]:
    """Road lines by rank, light enough for a page.

    Returns
    -------
    ``lines`` (rank -> encoded lines) and ``dropped`` (ranks left out)

    >>> sorted(roads(tiny.area)["lines"]), roads(tiny.area)["dropped"]
    (['local', 'main', 'path', 'secondary'], [])
    """
    edges = area.roads.edges
    ranks = np.array([rank(str(c)) for c in edges["road_class"]], dtype=object)
    shapes = edges.geometry.to_numpy()
    by_rank = {name: _merged(shapes[ranks == name]) for name in RANKS}
    dropped: list[str] = []
    for tolerance in (4.0, 12.0, 40.0):
        thin = {name: shapely.simplify(lines, tolerance) for name, lines in by_rank.items()}
        if _count(thin) <= vertices:
            break
    for name in reversed(RANKS[1:]):
        if _count(thin) > vertices and len(thin[name]):
            thin[name] = thin[name][:0]
            dropped.append(name)
    return {"lines": {name: encode(to_lonlat(lines, area.crs)) for name, lines in thin.items()}, "dropped": dropped}


def closed(area: StudyArea, travel: Travel) -> list[list[int]]:
    """Lines of the roads that a scenario closes, encoded; those that join are one.

    >>> len(closed(tiny.area, Travel())), len(closed(tiny.area, Travel(closed_edges=(1, 2))))
    (0, 1)
    """
    found = changed(area, travel)
    lines = found.roads.edges.geometry.to_numpy()[list(found.closed)]
    return encode(to_lonlat(shapely.simplify(_merged(lines), 4.0), area.crs))


def towns(area: StudyArea) -> list[dict[str, Any]]:
    """Outline, name and the place of the label of every town that has an outline."""
    shapes = town_shapes(area)
    known = ~shapely.is_empty(shapes)
    outlines = to_lonlat(shapes, area.crs)
    labels = to_lonlat(shapely.point_on_surface(shapes), area.crs)
    return [
        {"id": str(town), "name": str(name), "at": place(labels[i]), "rings": encode_area(outlines[i])}
        for i, (town, name) in enumerate(zip(area.towns.index, area.towns["name"], strict=True))
        if known[i]
    ]


def town_shapes(area: StudyArea, tolerance: float = 30.0) -> np.ndarray:
    """(n_town,) simplified outlines in metres, borders shared; empty where unknown."""
    shapes = area.towns.geometry.to_numpy()
    shapes = np.array([shapely.Polygon() if s is None else shapely.make_valid(s) for s in shapes], dtype=object)
    known = shapely.area(shapes) > 0
    shapes[~known] = shapely.Polygon()
    if known.any():
        shapes[known] = shapely.make_valid(shapely.coverage_simplify(shapes[known], tolerance))
    return shapes


def bounds(area: StudyArea) -> list[list[float]] | None:
    """South-west and north-east of the county: of its towns, else its places, else its roads."""
    places = [area.schools.geometry.to_numpy(), area.demand.geometry.to_numpy()]
    for shapes in (town_shapes(area), np.concatenate(places), area.roads.edges.geometry.to_numpy()):
        known = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
        if len(known):
            west, south, east, north = (float(x) for x in shapely.total_bounds(to_lonlat(known, area.crs)))
            return [[round(south, 5), round(west, 5)], [round(north, 5), round(east, 5)]]
    return None


def to_lonlat(shapes: np.ndarray, crs: str) -> np.ndarray:
    """Shapes in the area's CRS as WGS-84 longitude and latitude."""
    made: np.ndarray = gpd.GeoSeries(list(shapes), crs=crs).to_crs(4326).to_numpy()
    return made


def place(point: Any) -> list[float] | None:
    """[latitude, longitude] as Leaflet wants it; None where there is no point."""
    if point is None or shapely.is_empty(point):
        return None
    return [round(float(point.y), 5), round(float(point.x), 5)]


def encode(lines: Any) -> list[list[int]]:
    """Lines as whole numbers: the first longitude and latitude, then steps.

    >>> encode([shapely.LineString([(1, 2), (1.00001, 2), (1.00001, 2.00002)])])
    [[100000, 200000, 1, 0, 0, 2]]
    """
    xy, line = shapely.get_coordinates(lines, return_index=True)
    if not len(xy):
        return []
    grid = np.round(xy * DEGREE).astype(np.int64)
    steps = np.diff(grid, axis=0, prepend=0)
    first = np.diff(line, prepend=-1) > 0
    steps[first] = grid[first]
    kept = first | steps.any(axis=1)
    parts = np.split(steps[kept], np.flatnonzero(first[kept])[1:])
    return [part.ravel().tolist() for part in parts if len(part) > 1]


def encode_area(shape: Any) -> list[list[list[int]]]:
    """Polygons of a shape, each its outer ring and then its holes."""
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon" and not part.is_empty]
    rings = [encode([part.exterior, *part.interiors]) for part in parts]
    return [ring for ring in rings if ring]


def _merged(lines: np.ndarray) -> np.ndarray:
    """Lines that meet end to end as one: fewer vertices stay when they are simplified."""
    lines = shapely.get_parts(lines[~shapely.is_missing(lines)])
    made: np.ndarray = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(lines)))
    return made


def _count(lines: dict[str, np.ndarray]) -> int:
    return sum(int(shapely.get_num_coordinates(some).sum()) for some in lines.values())
