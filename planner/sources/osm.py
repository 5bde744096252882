"""An OpenStreetMap extract (.osm.pbf, .osm, .osm.gz, .osm.bz2) -> plain tables, through pyosmium."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import DataError, Fault
from planner.sources.opl import Thing, nodes_of, read_tagged, write_tagged

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

WAY_TAGS = (
    "highway",
    "name",
    "surface",
    "maxspeed",
    "oneway",
    "junction",
    "access",
    "vehicle",
    "motor_vehicle",
    "foot",
    "bicycle",
    "bus",
    "route",
    "motorroad",
)
FEATURE_TAGS = (
    "name",
    "name:zh",
    "name:en",
    "amenity",
    "isced:level",
    "school:level",
    "grades",
    "min_age",
    "max_age",
    "capacity",
    "place",
    "population",
    "boundary",
    "admin_level",
)


AREA_TAGS = ("area", "type")
FEATURE_KEYS = ("amenity", "place", "boundary")
MEMBER_WAY = re.compile(r"(?:^|,)w(\d+)@")


@dataclass(frozen=True)
class Ways:
    """Lines that share vertices.

    Parameters
    ----------
    tags : one row a way, columns of ``WAY_TAGS`` ("" where there is none)
    first : (n_way + 1,) where each way's vertices begin
    vertex : (n,) ids of the vertices; the same id is the same place
    lonlat : (n, 2) degrees, WGS-84
    """

    tags: pd.DataFrame
    first: np.ndarray
    vertex: np.ndarray
    lonlat: np.ndarray


@dataclass(frozen=True)
class OsmExtract:
    """What the planner reads from OpenStreetMap.

    Parameters
    ----------
    ways : every way with a ``highway`` tag; one that runs out of the extract is cut where its nodes are missing
    schools : points (of a polygon: one inside it) of ``amenity`` school or kindergarten, columns ``osm_id`` and
        ``FEATURE_TAGS``
    places : points with a ``place`` tag, same columns
    boundaries : polygons with ``boundary=administrative``, same columns
    date : day of the newest object in it, ISO; "" where the extract does not tell
    doubts : what could not be read, in words
    """

    ways: Ways
    schools: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    boundaries: gpd.GeoDataFrame
    date: str
    doubts: tuple[str, ...] = ()


def read_osm(path: str | Path) -> OsmExtract:
    """Roads, schools, places and administrative boundaries of an extract.

    Raises
    ------
    DataError : no such file, not an OSM file, cut off in the middle, or without any road
    """
    import osmium

    file = Path(path)
    if not file.is_file():
        raise DataError([Fault(str(path), "there is no such file", "Check the path.")])
    if not file.name.endswith((".osm.pbf", ".osm", ".osm.gz", ".osm.bz2", ".pbf")):
        raise DataError(
            [Fault(str(path), "it is no OSM extract by its name", "Give .osm.pbf, .osm, .osm.gz or .osm.bz2.")]
        )
    try:
        with tempfile.TemporaryDirectory() as folder:
            text = Path(folder) / "tagged.opl"
            locate = write_tagged(file, ("highway", *FEATURE_KEYS), text)
            ways, things, date = _ways(text)
        outlines = _outlines(things, file, locate)
    except (RuntimeError, ValueError, osmium.InvalidLocationError) as error:
        raise DataError(
            [Fault(str(path), f"it cannot be read as OSM data: {error}", "Fetch the extract again.")]
        ) from None
    if ways.tags.empty:
        raise DataError([Fault(str(path), "it holds no road", "Give an extract that covers the county.")])
    features, doubts = _features(things, outlines)
    kinds = features["kind"]
    return OsmExtract(
        ways=ways,
        schools=features[kinds == "school"].drop(columns="kind").reset_index(drop=True),
        places=features[kinds == "place"].drop(columns="kind").reset_index(drop=True),
        boundaries=features[kinds == "boundary"].drop(columns="kind").reset_index(drop=True),
        date=date,
        doubts=doubts,
    )


def _ways(text: Path) -> tuple[Ways, list[Thing], str]:
    """The roads, whatever may be a feature, and the day of the newest road."""
    import pandas as pd

    tags, sizes, vertices, places = [pd.DataFrame(columns=list(WAY_TAGS))], [np.zeros(1, dtype=np.int64)], [], []
    features: list[Thing] = []
    newest = ""
    for things in read_tagged(text, {*WAY_TAGS, *FEATURE_TAGS, *AREA_TAGS}):
        features += [thing for thing in things if _feature_kind(thing.tags)]
        roads = [thing for thing in things if thing.osm_id[0] == "w" and "highway" in thing.tags]
        newest = max([newest, *(road.time[:10] for road in roads)])
        way, size, vertex, lonlat = _whole_runs(*nodes_of([road.body for road in roads]))
        rows = [[roads[w].tags.get(key, "") for key in WAY_TAGS] for w in way.tolist()]
        tags.append(pd.DataFrame(rows, columns=list(WAY_TAGS)))
        sizes.append(size)
        vertices.append(vertex)
        places.append(lonlat)
    ways = Ways(
        pd.concat(tags[1:] or tags, ignore_index=True),
        np.cumsum(np.concatenate(sizes)),
        np.concatenate([np.zeros(0, dtype=np.int64), *vertices]),
        np.concatenate([np.zeros((0, 2)), *places]),
    )
    return ways, features, "" if newest < "2000" else newest


def _whole_runs(
    first: np.ndarray, vertex: np.ndarray, lonlat: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Ways cut where the extract does not hold their nodes, and no vertex twice running.

    Returns
    -------
    way, size : (n_run,) the way each run is of, and how many vertices it has
    vertex, lonlat : of the runs, one after the other

    >>> lonlat = np.array([[1.0, 1], [2, 2], [2, 2], [np.nan, np.nan], [1, 1], [3, 3]])
    >>> way, size, vertex, _ = _whole_runs(np.array([0, 5, 6]), np.array([1, 2, 2, 9, 1, 3]), lonlat)
    >>> way.tolist(), size.tolist(), vertex.tolist()
    ([0], [2], [1, 2])
    """
    way = np.repeat(np.arange(len(first) - 1), np.diff(first))
    here = np.isfinite(lonlat[:, 0])
    follows = np.zeros(len(way), dtype=bool)  # in one run with the vertex before
    follows[1:] = here[1:] & here[:-1] & (way[1:] == way[:-1])
    again = follows.copy()
    again[1:] &= vertex[1:] == vertex[:-1]
    run = np.cumsum(~follows) - 1
    kept = here & ~again
    size = np.bincount(run[kept], minlength=np.count_nonzero(~follows))
    kept &= size[run] > 1
    return way[~follows][size > 1], size[size > 1], vertex[kept], lonlat[kept]


def _outlines(things: list[Thing], file: Path, locate: Any) -> dict[str, list[Any]]:
    """The lines round every area, by its id; areas whose lines the extract does not all hold are left out.

    Parameters
    ----------
    locate : pyosmium's handler that knows the places of the nodes
    """
    import osmium
    import shapely

    members = {
        thing.osm_id: dict.fromkeys(int(way) for way in MEMBER_WAY.findall(thing.body))
        for thing in things
        if thing.osm_id[0] == "r" and thing.tags.get("type") in ("boundary", "multipolygon")
    }
    wanted = {way for ways in members.values() for way in ways}
    wkb, lines = osmium.geom.WKBFactory(), {}
    ways = osmium.FileProcessor(str(file), osmium.osm.WAY).with_filter(locate) if wanted else ()
    for way in ways:
        if way.id in wanted:
            try:
                lines[way.id] = shapely.from_wkb(wkb.create_linestring(way))
            except (RuntimeError, osmium.InvalidLocationError):
                lines[way.id] = None  # some of its nodes are not in the extract
    held = {area: [lines[way] for way in ways] for area, ways in members.items() if ways and ways.keys() <= lines.keys()}
    closed = [t for t in things if t.osm_id[0] == "w" and t.tags.get("area") != "no" and _closed(t.body)]
    first, _, lonlat = nodes_of([thing.body for thing in closed])
    for thing, a, b in zip(closed, first[:-1], first[1:], strict=True):
        whole = np.isfinite(lonlat[a:b]).all()
        held[thing.osm_id] = [shapely.LineString(lonlat[a:b]) if whole else None]
    return held


def _closed(body: str) -> bool:
    """Whether a way ends at the node where it begins, and may be an area."""
    nodes = [node.partition("x")[0] for node in body.split(",")]
    return len(nodes) > 3 and nodes[0] == nodes[-1]


def _features(things: list[Thing], outlines: dict[str, list[Any]]) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    """Schools and places as points, boundaries as polygons; a sentence where areas are broken."""
    import geopandas as gpd
    import shapely

    rows: list[tuple[Any, ...]] = []
    broken = 0
    for thing in things:
        kind = _feature_kind(thing.tags)
        if thing.osm_id[0] == "n":
            geometry = shapely.Point(*(float(number[1:]) for number in thing.body.split(" ")))
        elif thing.osm_id in outlines:
            geometry = _area(outlines[thing.osm_id])
            if geometry is None:
                broken += 1
                continue
        else:
            continue
        if kind == "boundary" and geometry.geom_type == "Point":
            continue
        point = geometry if kind == "boundary" else geometry.point_on_surface()
        rows.append((kind, thing.osm_id, *(thing.tags.get(key, "") for key in FEATURE_TAGS), point))
    frame = gpd.GeoDataFrame(rows, columns=["kind", "osm_id", *FEATURE_TAGS, "geometry"], crs="EPSG:4326")
    doubts = (f"{broken} areas of the extract have no closed outline and were left out.",) if broken else ()
    return frame, doubts


def _area(lines: list[Any]) -> Any:
    """The area that lines enclose, rings inside rings being holes; None where they do not close."""
    import shapely

    if any(line is None for line in lines):
        return None
    drawn = shapely.multilinestrings(lines)
    _, cuts, dangles, crossed = shapely.polygonize_full([drawn])
    area = shapely.build_area(drawn)
    whole = shapely.is_empty([cuts, dangles, crossed]).all() and not area.is_empty and area.is_valid
    return area if whole else None


def _feature_kind(tags: dict[str, str]) -> str | None:
    if tags.get("amenity") in ("school", "kindergarten"):
        return "school"
    if tags.get("boundary") == "administrative" and tags.get("admin_level"):
        return "boundary"
    return "place" if "place" in tags else None
