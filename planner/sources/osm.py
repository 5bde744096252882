"""An OpenStreetMap extract (.osm.pbf, .osm, .osm.gz, .osm.bz2) -> plain tables, through pyosmium."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import DataError, Fault
from planner.sources.opl import Things, freed_at_once, nodes_of, read_tagged, write_tagged
from planner.wording import Label, remark

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


AREA_TAGS = ("area", "type")
FEATURE_KEYS = ("amenity", "place", "boundary")
MEMBER_WAY = re.compile(r"[M,]w(\d+)@")


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
    doubts: tuple[Label, ...] = ()


@dataclass(frozen=True, eq=False)
class Tagged:
    """What the objects of an extract say, one by one; another process may have read it.

    Parameters
    ----------
    tags, first, vertex, lonlat : the roads, as in ``Ways``; the tags a table of Arrow
    things : whatever may be a feature, a table of Arrow: ``osm_id``, ``body``, ``kind`` and its tags
    outlines : the lines round every area among them, by its id; None for a line that the extract holds a part of
    date : day of the newest road
    """

    tags: Any
    first: np.ndarray
    vertex: np.ndarray
    lonlat: np.ndarray
    things: Any
    outlines: dict[str, list[Any]]
    date: str

    def to_bytes(self) -> bytes:
        """All of it, for another process: tables of Arrow, one after another."""
        import pyarrow as pa
        import shapely

        lines = [(area, line) for area, parts in self.outlines.items() for line in parts]
        outlines = {"area": [area for area, _ in lines], "line": shapely.to_wkb([line for _, line in lines]).tolist()}
        roads = {"vertex": self.vertex, "lon": self.lonlat[:, 0], "lat": self.lonlat[:, 1]}
        sink = pa.BufferOutputStream()
        for table in (
            self.tags,
            self.things,
            pa.table(outlines, pa.schema({"area": pa.string(), "line": pa.binary()})),
            pa.table(roads),
            pa.table({"first": self.first}),
            pa.table({"date": [self.date]}),
        ):
            with pa.ipc.new_stream(sink, table.schema) as stream:
                stream.write_table(table)
        return bytes(sink.getvalue())

    @classmethod
    def of_bytes(cls, held: bytes) -> Tagged:
        """What was made bytes."""
        import pyarrow as pa
        import shapely

        source = pa.BufferReader(held)
        tags, things, lines, roads, first, date = (pa.ipc.open_stream(source).read_all() for _ in range(6))
        outlines: dict[str, list[Any]] = {}
        for area, line in zip(lines["area"].to_pylist(), shapely.from_wkb(lines["line"].to_pylist()), strict=True):
            outlines.setdefault(area, []).append(line)
        vertex, lon, lat = (roads[name].to_numpy() for name in ("vertex", "lon", "lat"))
        lonlat, day = np.column_stack([lon, lat]), date["date"][0].as_py()
        return cls(tags, first["first"].to_numpy(), vertex, lonlat, things, outlines, day)


def read_osm(path: str | Path, *, roads_only: bool = False, box: Sequence[float] | None = None) -> OsmExtract:
    """Roads, schools, places and administrative boundaries of an extract.

    Parameters
    ----------
    roads_only : leave out all but the roads, in about half the time
    box : west, south, east and north in degrees: roads that lie wholly outside are left out, so that a county out of a
        province's file takes little more memory than the places of the province's nodes (16 bytes each)

    Raises
    ------
    DataError : no such file, not an OSM file, cut off in the middle, or without any road
    """
    return extract_of(read_objects(path, roads_only=roads_only, box=box))


@freed_at_once()
def read_objects(path: str | Path, *, roads_only: bool = False, box: Sequence[float] | None = None) -> Tagged:
    """What ``read_osm`` reads, before it becomes tables; pandas is not loaded for it.

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
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "tagged.opl"
        try:
            places = write_tagged(file, ("highway",) if roads_only else ("highway", *FEATURE_KEYS), text)
        except (RuntimeError, ValueError, osmium.InvalidLocationError) as error:
            raise DataError(
                [Fault(str(path), f"it cannot be read as OSM data: {error}", "Fetch the extract again.")]
            ) from None
        tags, first, vertex, lonlat, things, date = _objects(text, box)
    if not len(tags):
        raise DataError([Fault(str(path), "it holds no road", "Give an extract that covers the county.")])
    things = things[:0] if roads_only else things
    return Tagged(tags, first, vertex, lonlat, things, _outlines(things, file, places), date)


def extract_of(tagged: Tagged) -> OsmExtract:
    """The same as tables, its features as places and areas."""
    features, broken = _features(tagged.things.to_pandas(), tagged.outlines)
    of_kind = {kind: frame.drop(columns="kind").reset_index(drop=True) for kind, frame in features.groupby("kind")}
    none = features.drop(columns="kind").iloc[:0]
    return OsmExtract(
        ways=Ways(tagged.tags.to_pandas(), tagged.first, tagged.vertex, tagged.lonlat),
        schools=of_kind.get("school", none),
        places=of_kind.get("place", none),
        boundaries=of_kind.get("boundary", none),
        date=tagged.date,
        doubts=(remark("osm.no_outline", n=broken),) if broken else (),
    )


def _objects(text: Path, box: Sequence[float] | None) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, Any, str]:
    """The columns of ``Tagged`` but for its outlines."""
    import pyarrow as pa
    import pyarrow.compute as pc

    keys = tuple(dict.fromkeys((*WAY_TAGS, *FEATURE_TAGS, *AREA_TAGS)))
    tags, sizes, vertices, places, features, newest = [], [], [], [], [], ""
    for things in read_tagged(text, keys):
        features.append(_feature_rows(things))
        lines = pc.starts_with(things.osm_id, "w").to_numpy(zero_copy_only=False)
        roads = np.flatnonzero(lines & things.has("highway"))
        newest = max(newest, pc.max(things.time.take(roads)).as_py() or "")
        way, size, vertex, lonlat = _whole_runs(*nodes_of(things.body.take(roads)))
        if box is not None:
            near = _touches(size, lonlat, box)
            inside = np.repeat(near, size)
            way, size, vertex, lonlat = way[near], size[near], vertex[inside], lonlat[inside]
        tags.append(things.table(roads[way], WAY_TAGS))
        sizes.append(size)
        vertices.append(vertex)
        places.append(lonlat)
    day = newest[1:11]
    return (
        pa.concat_tables(tags),
        np.append(0, np.cumsum(np.concatenate(sizes))),
        np.concatenate(vertices),
        np.concatenate(places),
        pa.concat_tables(features),
        "" if day < "2000" else day,
    )


def _feature_rows(things: Things) -> Any:
    """Whatever may be a feature: ``osm_id``, ``body``, ``kind`` and its tags; a table of Arrow."""
    import pyarrow as pa

    rows = np.flatnonzero(things.has(*FEATURE_KEYS))
    table = things.table(rows, dict.fromkeys((*FEATURE_TAGS, *AREA_TAGS)))
    table = table.append_column("osm_id", things.osm_id.take(rows)).append_column("body", things.body.take(rows))
    kind = _feature_kinds(table)
    return table.append_column("kind", pa.array(kind, pa.string())).filter(pa.array(kind != ""))


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


def _touches(size: np.ndarray, lonlat: np.ndarray, box: Sequence[float]) -> np.ndarray:
    """Whether the bounds of each run meet a box.

    >>> _touches(np.array([2, 2]), np.array([[0.0, 0], [4, 4], [7, 0], [9, 1]]), (1, 1, 2, 2)).tolist()
    [True, False]
    """
    if len(size) == 0:
        return np.zeros(0, dtype=bool)
    first = np.cumsum(size) - size
    low, high = np.minimum.reduceat(lonlat, first), np.maximum.reduceat(lonlat, first)
    return np.asarray(((low <= np.array(box[2:])) & (high >= np.array(box[:2]))).all(axis=1))


def _outlines(things: Any, file: Path, places: Any) -> dict[str, list[Any]]:
    """The lines round every area, by its id; None for a line that the extract holds a part of.

    An area with a line of which the extract holds nothing is left out.

    Parameters
    ----------
    things : as in ``Tagged``
    places : of all nodes, by their numbers
    """
    import osmium
    import shapely

    columns = (things[column].to_pylist() for column in ("osm_id", "body", "type", "area"))
    rows = list(zip(*columns, strict=True))
    members = {
        osm_id: dict.fromkeys(int(way) for way in MEMBER_WAY.findall(body))
        for osm_id, body, kind, _ in rows
        if osm_id.startswith("r") and kind in ("boundary", "multipolygon")
    }
    wanted = osmium.filter.IdFilter({way for parts in members.values() for way in parts})
    ways: Any = osmium.FileProcessor(str(file), osmium.osm.WAY).with_filter(wanted) if members else ()
    lines = {way.id: _line(way, places) for way in ways}
    whole = {area: parts for area, parts in members.items() if parts and parts.keys() <= lines.keys()}
    held = {area: [lines[way] for way in parts] for area, parts in whole.items()}
    single = [(osm_id, body) for osm_id, body, _, area in rows if osm_id.startswith("w") and area != "no"]
    first, vertex, lonlat = nodes_of([body for _, body in single])
    for (osm_id, _), a, b in zip(single, first[:-1], first[1:], strict=True):
        if b - a > 3 and vertex[a] == vertex[b - 1]:
            held[osm_id] = [shapely.LineString(lonlat[a:b]) if np.isfinite(lonlat[a:b]).all() else None]
    return held


def _line(way: Any, places: Any) -> Any:
    import shapely

    try:
        nodes = [places.get(node.ref) for node in way.nodes]
    except KeyError:
        return None
    return shapely.LineString([(node.lon, node.lat) for node in nodes]) if len(nodes) > 1 else None


def _features(things: pd.DataFrame, outlines: dict[str, list[Any]]) -> tuple[gpd.GeoDataFrame, int]:
    """Schools and places as points, boundaries as polygons; and how many areas are broken.

    Parameters
    ----------
    outlines : by the ids of areas
    """
    import geopandas as gpd
    import shapely

    geometry = np.full(len(things), None, dtype=object)
    node = things["osm_id"].str.startswith("n").to_numpy()
    lonlat = things["body"][node].str.extract(r"^x(\S+) y(\S+)$").to_numpy(dtype=float)
    geometry[node] = shapely.points(lonlat)
    area = things["osm_id"].isin(outlines.keys()).to_numpy()
    geometry[area] = [_area(outlines[osm_id]) for osm_id in things["osm_id"][area]]
    broken = area & shapely.is_missing(geometry)
    kind = things["kind"].to_numpy()
    inside = area & ~broken & (kind != "boundary")
    geometry[inside] = shapely.point_on_surface(geometry[inside])
    kept = ~shapely.is_missing(geometry) & ~(node & (kind == "boundary"))
    columns = things[["kind", "osm_id", *FEATURE_TAGS]][kept].reset_index(drop=True)
    return gpd.GeoDataFrame(columns, geometry=geometry[kept], crs="EPSG:4326"), int(broken.sum())


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


def _feature_kinds(things: Any) -> np.ndarray:
    """``school``, ``boundary``, ``place`` or "" for every row of tags."""
    tags = {key: things[key].to_numpy() for key in ("amenity", "boundary", "admin_level", "place")}
    school = np.isin(tags["amenity"], ("school", "kindergarten"))
    boundary = (tags["boundary"] == "administrative") & (tags["admin_level"] != "")
    return np.select([school, boundary, tags["place"] != ""], ["school", "boundary", "place"], "")
