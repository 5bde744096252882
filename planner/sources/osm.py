"""An OpenStreetMap extract (.osm.pbf, .osm, .osm.gz, .osm.bz2) -> plain tables, through pyosmium."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import DataError, Fault

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
    "motorcar",
    "motorcycle",
    "psv",
    "width",
    "est_width",
    "lanes",
    "maxwidth",
    "maxweight",
    "maxheight",
    "tracktype",
    "bridge",
    "tunnel",
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
        ways, date = _ways(osmium, file)
        features, doubts = _features(osmium, file)
    except (RuntimeError, ValueError, osmium.InvalidLocationError) as error:
        raise DataError(
            [Fault(str(path), f"it cannot be read as OSM data: {error}", "Fetch the extract again.")]
        ) from None
    if ways.tags.empty:
        raise DataError([Fault(str(path), "it holds no road", "Give an extract that covers the county.")])
    kinds = features["kind"]
    return OsmExtract(
        ways=ways,
        schools=features[kinds == "school"].drop(columns="kind").reset_index(drop=True),
        places=features[kinds == "place"].drop(columns="kind").reset_index(drop=True),
        boundaries=features[kinds == "boundary"].drop(columns="kind").reset_index(drop=True),
        date=date,
        doubts=doubts,
    )


def _ways(osmium: Any, file: Path) -> tuple[Ways, str]:
    import pandas as pd

    tags: list[list[str]] = []
    first = [0]
    vertex: list[int] = []
    lonlat: list[tuple[float, float]] = []
    newest = ""
    found = osmium.FileProcessor(str(file)).with_locations().with_filter(osmium.filter.KeyFilter("highway"))
    for way in found:
        if not way.is_way():
            continue
        row = [way.tags.get(key, "") for key in WAY_TAGS]
        newest = max(newest, way.timestamp.strftime("%Y-%m-%d"))
        run: list[tuple[int, float, float]] = []
        for node in (*way.nodes, None):
            if node is not None and node.location.valid():
                if not run or run[-1][0] != node.ref:
                    run.append((node.ref, node.lon, node.lat))
                continue
            if len(run) > 1:  # the end of the way, or of the part of it that the extract holds
                tags.append(row)
                vertex.extend(ref for ref, _, _ in run)
                lonlat.extend((lon, lat) for _, lon, lat in run)
                first.append(len(vertex))
            run = []
    ways = Ways(
        pd.DataFrame(tags, columns=list(WAY_TAGS)),
        np.array(first),
        np.array(vertex, dtype=np.int64),
        np.array(lonlat, dtype=np.float64).reshape(-1, 2),
    )
    return ways, "" if newest < "2000" else newest


def _features(osmium: Any, file: Path) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    import geopandas as gpd
    import shapely

    rows: list[tuple[Any, ...]] = []
    broken = 0
    keep = osmium.filter.KeyFilter("amenity", "place", "boundary")
    wkb = osmium.geom.WKBFactory()
    for thing in osmium.FileProcessor(str(file)).with_areas(keep).with_filter(keep):
        kind = _feature_kind(thing.tags)
        if kind is None:
            continue
        if thing.is_node():
            osm_id, geometry = f"n{thing.id}", shapely.Point(thing.location.lon, thing.location.lat)
        elif thing.is_area():
            try:
                geometry = shapely.from_wkb(wkb.create_multipolygon(thing))
            except RuntimeError:
                broken += 1
                continue
            osm_id = f"{'w' if thing.from_way() else 'r'}{thing.orig_id()}"
        else:
            continue
        if kind != "boundary" and geometry.geom_type != "Point":
            geometry = geometry.point_on_surface()
        if kind == "boundary" and geometry.geom_type == "Point":
            continue
        rows.append((kind, osm_id, *(thing.tags.get(key, "") for key in FEATURE_TAGS), geometry))
    frame = gpd.GeoDataFrame(rows, columns=["kind", "osm_id", *FEATURE_TAGS, "geometry"], crs="EPSG:4326")
    doubts = (f"{broken} areas of the extract have no closed outline and were left out.",) if broken else ()
    return frame, doubts


def _feature_kind(tags: Any) -> str | None:
    if tags.get("amenity") in ("school", "kindergarten"):
        return "school"
    if tags.get("boundary") == "administrative" and tags.get("admin_level"):
        return "boundary"
    return "place" if "place" in tags else None
