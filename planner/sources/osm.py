"""An OpenStreetMap extract (.osm.pbf, .osm, .osm.gz, .osm.bz2) -> plain tables, through pyosmium."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import DataError, Fault
from planner.sources.arrow import freed_at_once, texts, to_arrow, to_numpy
from planner.sources.opl import Things, nodes_of, read_tagged, write_tagged
from planner.sources.outlines import area_of, outlines_of
from planner.sources.words import Words
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
KINDS = ("school", "boundary", "place")


@dataclass(frozen=True)
class Ways:
    """Lines that share vertices.

    Parameters
    ----------
    tags : columns of ``WAY_TAGS``, a word a way ("" where there is none)
    first : (n_way + 1,) where each way's vertices begin
    vertex : (n,) ids of the vertices; the same id is the same place
    lonlat : (n, 2) degrees, WGS-84
    """

    tags: Mapping[str, Words]
    first: np.ndarray
    vertex: np.ndarray
    lonlat: np.ndarray

    def __len__(self) -> int:
        return len(self.first) - 1


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
    ways : the roads
    things : whatever may be a feature, a table of Arrow: ``osm_id``, ``body``, ``kind`` and its tags
    outlines : the lines round every area among them, by its id; None for a line that the extract holds a part of
    date : day of the newest road
    """

    ways: Ways
    things: Any
    outlines: dict[str, list[Any]]
    date: str

    def to_bytes(self) -> bytes:
        """All of it, for another process: tables of Arrow, one after another."""
        import pyarrow as pa
        import shapely

        lines = [(area, line) for area, parts in self.outlines.items() for line in parts]
        drawn = shapely.to_wkb([line for _, line in lines]).tolist()
        vertex, (lon, lat) = self.ways.vertex, self.ways.lonlat.T
        sink = pa.BufferOutputStream()
        for table in (
            pa.table({key: column.to_arrow() for key, column in self.ways.tags.items()}),
            self.things,
            pa.table({"area": texts(area for area, _ in lines), "line": texts(drawn).cast(pa.binary())}),
            pa.table({"vertex": to_arrow(vertex), "lon": to_arrow(lon), "lat": to_arrow(lat)}),
            pa.table({"first": to_arrow(self.ways.first)}),
            pa.table({"date": texts([self.date])}),
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
        vertex, lon, lat = (to_numpy(roads[name].combine_chunks()) for name in ("vertex", "lon", "lat"))
        words = {key: Words.of_arrow(tags[key]) for key in WAY_TAGS}
        ways = Ways(words, to_numpy(first["first"].combine_chunks()), vertex, np.column_stack([lon, lat]))
        return cls(ways, things, outlines, date["date"][0].as_py())


def read_osm(path: str | Path, *, box: Sequence[float] | None = None) -> OsmExtract:
    """Roads, schools, places and administrative boundaries of an extract.

    Parameters
    ----------
    box : west, south, east and north in degrees: roads that lie wholly outside are left out, so that a county out of a
        province's file takes little more memory than the places of the province's nodes (16 bytes each)

    Raises
    ------
    DataError : no such file, not an OSM file, cut off in the middle, or without any road
    """
    return extract_of(read_objects(path, box=box))


@freed_at_once()
def read_ways(path: str | Path, *, box: Sequence[float] | None = None) -> Ways:
    """The roads alone, in half the time and without pandas, which takes more memory than a county's roads do.

    Parameters
    ----------
    box : as for ``read_osm``

    Raises
    ------
    DataError : as for ``read_osm``
    """
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "tagged.opl"
        _write(path, ("highway",), text)
        return _joined(path, [_ways(things, _roads(things), box) for things in read_tagged(text, WAY_TAGS)])


@freed_at_once()
def read_objects(path: str | Path, *, box: Sequence[float] | None = None) -> Tagged:
    """What ``read_osm`` reads, before it becomes tables; pandas is not loaded for it.

    Raises
    ------
    DataError : as for ``read_osm``
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    ways, features, newest = [], [], ""
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "tagged.opl"
        places = _write(path, ("highway", *FEATURE_KEYS), text)
        for found in read_tagged(text, tuple(dict.fromkeys((*WAY_TAGS, *FEATURE_TAGS, *AREA_TAGS)))):
            roads = _roads(found)
            ways.append(_ways(found, roads, box))
            features.append(_feature_rows(found))
            newest = max(newest, pc.max(found.time.take(to_arrow(roads))).as_py() or "")
    day, things = newest[1:11], pa.concat_tables(features)
    return Tagged(_joined(path, ways), things, outlines_of(things, Path(path), places), "" if day < "2000" else day)


def extract_of(tagged: Tagged) -> OsmExtract:
    """The same as tables, its features as places and areas."""
    features, broken = _features(tagged.things.to_pandas(), tagged.outlines)
    of_kind = {kind: frame.drop(columns="kind").reset_index(drop=True) for kind, frame in features.groupby("kind")}
    none = features.drop(columns="kind").iloc[:0]
    return OsmExtract(
        ways=tagged.ways,
        schools=of_kind.get("school", none),
        places=of_kind.get("place", none),
        boundaries=of_kind.get("boundary", none),
        date=tagged.date,
        doubts=(remark("osm.no_outline", n=broken),) if broken else (),
    )


def _write(path: str | Path, keys: Collection[str], text: Path) -> Any:
    """Write the objects with one of the keys to ``text``; gives where all nodes are.

    Raises
    ------
    DataError : no such file, not an OSM file, or cut off in the middle
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
        return write_tagged(file, keys, text)
    except (RuntimeError, ValueError, osmium.InvalidLocationError) as error:
        raise DataError(
            [Fault(str(path), f"it cannot be read as OSM data: {error}", "Fetch the extract again.")]
        ) from None


def _roads(things: Things) -> np.ndarray:
    """Which of the things are roads."""
    import pyarrow.compute as pc

    return np.flatnonzero(to_numpy(pc.starts_with(things.osm_id, "w")) & things.has("highway"))


def _ways(things: Things, roads: np.ndarray, box: Sequence[float] | None) -> Ways:
    """The roads among some things."""
    way, size, vertex, lonlat = _whole_runs(*nodes_of(things.body.take(to_arrow(roads))))
    if box is not None:
        near = _touches(size, lonlat, box)
        inside = np.repeat(near, size)
        way, size, vertex, lonlat = way[near], size[near], vertex[inside], lonlat[inside]
    tags = {key: things.said(key)[roads[way]] for key in WAY_TAGS}
    return Ways(tags, np.append(0, np.cumsum(size)), vertex, lonlat)


def _joined(path: str | Path, parts: Sequence[Ways]) -> Ways:
    """All roads of an extract.

    Raises
    ------
    DataError : there is none
    """
    size = np.concatenate([np.diff(part.first) for part in parts])
    if not len(size):
        raise DataError([Fault(str(path), "it holds no road", "Give an extract that covers the county.")])
    return Ways(
        {key: Words.joined([part.tags[key] for part in parts]) for key in WAY_TAGS},
        np.append(0, np.cumsum(size)),
        np.concatenate([part.vertex for part in parts]),
        np.concatenate([part.lonlat for part in parts]),
    )


def _feature_rows(things: Things) -> Any:
    """Whatever may be a feature: ``osm_id``, ``body``, ``kind`` and its tags; a table of Arrow."""
    said = {key: things.said(key) for key in ("amenity", "boundary", "admin_level", "place")}
    school = said["amenity"].among("school", "kindergarten")
    boundary = said["boundary"].among("administrative") & ~said["admin_level"].among("")
    kind = np.select([school, boundary, ~said["place"].among("")], [1, 2, 3], 0)
    rows = np.flatnonzero(kind)
    table = things.table(rows, dict.fromkeys((*FEATURE_TAGS, *AREA_TAGS)))
    for column in ("osm_id", "body"):
        table = table.append_column(column, getattr(things, column).take(to_arrow(rows)))
    return table.append_column("kind", texts(KINDS).take(to_arrow(kind[rows] - 1)))


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
    geometry[area] = [area_of(outlines[osm_id]) for osm_id in things["osm_id"][area]]
    broken = area & shapely.is_missing(geometry)
    kind = things["kind"].to_numpy()
    inside = area & ~broken & (kind != "boundary")
    geometry[inside] = shapely.point_on_surface(geometry[inside])
    kept = ~shapely.is_missing(geometry) & ~(node & (kind == "boundary"))
    columns = things[["kind", "osm_id", *FEATURE_TAGS]][kept].reset_index(drop=True)
    return gpd.GeoDataFrame(columns, geometry=geometry[kept], crs="EPSG:4326"), int(broken.sum())
