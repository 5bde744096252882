"""Where things are: coordinates of any datum, the projected system of an area, its towns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.area.manifest import FILE, Findings, Manifest
from planner.errors import DataError, Fault
from planner.sources.datum import DATUMS, to_wgs84, transformer
from planner.sources.files import read_table
from planner.tables import Checked, RawTable, check_table, nearest, read_schema

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

FAR_M = 20_000.0
NEAR_TOWN_M = 2_000.0
AROUND_M = 500.0
"""How far a town made from its points reaches beyond them."""


@dataclass(frozen=True)
class Source:
    """One table of the area: as it stands, checked, and where its rows lie in WGS-84 (NaN where that is a fault)."""

    raw: RawTable
    checked: Checked
    datum: str
    lon: np.ndarray
    lat: np.ndarray

    @property
    def frame(self) -> pd.DataFrame:
        """The checked table."""
        return self.checked.frame

    def fault(self, problem: str, fix: str, where: np.ndarray | None = None, column: str | None = None) -> Fault:
        """A fault in the rows where ``where`` is true."""
        rows = () if where is None else tuple(int(row) for row in self.raw.rows[where])
        header = self.checked.headers.get(column, column) if column else None
        return Fault(self.raw.file, problem, fix, header, rows)


def load(manifest: Manifest, name: str, found: Findings, *, placed: bool = False) -> Source | None:
    """A table of ``area.toml`` against its schema; None where it is not named or cannot be read.

    Parameters
    ----------
    placed : its rows are points
    """
    if name not in manifest.files:
        return None
    try:
        raw = read_table(manifest.path(name), manifest.sheets.get(name))
    except DataError as error:
        found.faults.extend(error.faults)
        return None
    checked = check_table(raw, read_schema(name))
    found.faults.extend(checked.faults)
    found.doubts.extend(checked.doubts)
    found.doubts.extend(Fault(raw.file, note, "Nothing to do if that is right.") for note in raw.notes)
    nowhere = np.full(len(raw.rows), np.nan)
    source = Source(raw, checked, manifest.datum.get(name, "wgs84"), nowhere, nowhere)
    if not placed:
        return source
    lon, lat = _coordinates(source, found)
    return Source(raw, checked, source.datum, lon, lat)


def _coordinates(source: Source, found: Findings) -> tuple[np.ndarray, np.ndarray]:
    """WGS-84 of every row; what cannot be a place is a fault and NaN."""
    import shapely

    raw, frame, headers = source.raw, source.frame, source.checked.headers
    names = ("x", "y") if source.datum not in DATUMS and {"x", "y"} <= set(headers) else ("lon", "lat")
    datum = source.datum
    if set(names) <= set(headers):
        a, b = (frame[name].to_numpy(dtype=float) for name in names)
        said = [name for name in names if frame[name].isna().any()]
        empty = np.isnan(a) | np.isnan(b)
        at_fault = {
            row for fault in source.checked.faults if fault.column in map(headers.get, names) for row in fault.rows
        }
        empty_only = empty & ~np.isin(raw.rows, list(at_fault))
        if empty_only.any():
            found.faults.append(source.fault(f"{said[0]} is blank", "Enter the place.", empty_only, said[0]))
    elif raw.geometry is not None:
        shapes = raw.geometry
        empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
        if empty.any():
            found.faults.append(source.fault("the shape is empty", "Draw the place, or drop the row.", empty))
        centre = shapely.centroid(shapes)
        a, b = shapely.get_x(centre), shapely.get_y(centre)
        if source.datum in DATUMS and raw.crs not in (None, "EPSG:4326"):
            a, b = to_wgs84_of(raw.crs, a, b)
    else:
        wanted = "x and y" if datum not in DATUMS else "lon and lat"
        fault = source.fault(
            f"columns {wanted} are missing", "Add them, headed lon, 经度 and lat, 纬度; or give shapes."
        )
        found.faults.append(fault)
        return source.lon, source.lat
    zero = (a == 0) & (b == 0)
    beyond = ~zero & (datum in DATUMS) & (np.abs(b) > 90)
    if zero.any():
        found.faults.append(source.fault("0, 0 is a place in the Gulf of Guinea", "Enter the place.", zero, names[0]))
    if beyond.any():
        problem = f"{b[beyond][0]:g} is no latitude: lon and lat are swapped"
        found.faults.append(source.fault(problem, "Swap the two columns.", beyond, names[1]))
    good = ~(zero | beyond | np.isnan(a) | np.isnan(b))
    lon, lat = np.full(len(a), np.nan), np.full(len(a), np.nan)
    lon[good], lat[good] = to_wgs84(a[good], b[good], datum)
    lost = good & ~(np.isfinite(lon) & np.isfinite(lat))
    if lost.any():
        found.faults.append(source.fault(f"the place is not in {datum}", "Correct the place or the datum.", lost))
        lon[lost], lat[lost] = np.nan, np.nan
    return lon, lat


def to_wgs84_of(crs: Any, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Degrees of WGS-84 from any system pyproj knows."""
    lon, lat = transformer(crs, "EPSG:4326").transform(x, y)
    return np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)


def shapes_to_wgs84(shapes: np.ndarray, crs: str | None, datum: str) -> np.ndarray:
    """Shapes as a file has them -> WGS-84, by the file's own system and then by the datum it is declared in."""
    import shapely

    def move(xy: np.ndarray) -> np.ndarray:
        a, b = xy.T
        if datum in DATUMS and crs not in (None, "EPSG:4326"):
            a, b = to_wgs84_of(crs, a, b)
        return np.column_stack(to_wgs84(a, b, datum))

    return np.asarray(shapely.transform(shapely.force_2d(shapes), move), dtype=object)


def project(lon: np.ndarray, lat: np.ndarray, crs: str) -> np.ndarray:
    """(n, 2) metres in ``crs``; NaN where the place is unknown."""
    x, y = transformer("EPSG:4326", crs).transform(lon, lat)
    xy = np.column_stack([x, y])
    xy[~np.isfinite(xy).all(axis=1)] = np.nan
    return xy


def town_polygons(source: Source, crs: str, found: Findings) -> gpd.GeoDataFrame:
    """Valid polygons by town in ``crs``; what is no polygon is a fault."""
    import geopandas as gpd
    import pandas as pd
    import shapely

    raw, frame = source.raw, source.frame
    index = pd.Index(frame["town_id"], name="town_id", dtype=object)
    shapes = np.full(len(frame), shapely.Polygon(), dtype=object)
    if raw.geometry is None:
        found.faults.append(source.fault("there are no shapes in it", "Give polygons, as GeoJSON or GeoPackage."))
    else:
        empty = shapely.is_missing(raw.geometry) | shapely.is_empty(raw.geometry)
        line = ~empty & (shapely.get_dimensions(raw.geometry) != 2)
        if empty.any():
            found.doubts.append(source.fault("the town has no shape", "Draw it, or its points must name it.", empty))
        if line.any():
            kind = raw.geometry[line][0].geom_type
            found.faults.append(source.fault(f"{kind} is no polygon", "Draw the town's border as a polygon.", line))
        good = ~empty & ~line
        moved = shapes_to_wgs84(raw.geometry[good], raw.crs, source.datum)
        shapes[good] = shapely.transform(moved, lambda lonlat: project(lonlat[:, 0], lonlat[:, 1], crs))
        lost = np.array([not np.isfinite(shapely.get_coordinates(shape)).all() for shape in shapes], dtype=bool)
        if lost.any():
            fix = f"Correct the border, or the datum in {FILE}."
            found.faults.append(source.fault(f"the border leaves what {crs} can show", fix, lost))
            shapes[lost] = shapely.Polygon()
        crossed = good & ~shapely.is_valid(shapes)
        if crossed.any():
            found.doubts.append(source.fault("the border crosses itself and was mended", "Look at it.", crossed))
            mended = [_areas(shape) for shape in shapely.make_valid(shapes[crossed])]
            shapes[crossed] = mended
    name = np.where(frame["name"] == "", frame["town_id"], frame["name"])
    return gpd.GeoDataFrame({"name": name}, geometry=shapes, index=index, crs=crs)


def _areas(shape: Any) -> Any:
    """The polygons of what ``make_valid`` returns: slivers of length only are no part of a town."""
    import shapely

    parts = [part for part in shapely.get_parts(shape) if shapely.get_dimensions(part) == 2]
    return shapely.union_all(parts)


def towns_of_points(ids: Sequence[str], xy: np.ndarray, crs: str) -> gpd.GeoDataFrame:
    """Towns where no file draws them: round the points that name each, or one ``county`` round all."""
    import geopandas as gpd
    import pandas as pd
    import shapely

    known = ~np.isnan(xy).any(axis=1)
    words = np.asarray(ids, dtype=object)
    towns = list(dict.fromkeys(word for word in words if word))
    where: Iterable[np.ndarray] = [known & (words == town) for town in towns] if towns else [known]
    shapes = [shapely.buffer(shapely.MultiPoint(xy[here]).convex_hull, AROUND_M, quad_segs=4) for here in where]
    index = pd.Index(towns or ["county"], name="town_id", dtype=object)
    return gpd.GeoDataFrame({"name": towns or ["County"]}, geometry=shapes, index=index, crs=crs)


def check_far(source: Source, xy: np.ndarray, towns: gpd.GeoDataFrame, found: Findings) -> None:
    """Points more than 20 km outside every town are faults, and those that lie in one with lon and lat swapped."""
    import shapely

    shapes = towns.geometry.to_numpy()
    drawn = shapes[~shapely.is_empty(shapes)]
    known = ~np.isnan(xy).any(axis=1)
    if not len(drawn) or not known.any():
        return
    tree = shapely.STRtree(drawn)
    away = _away(tree, xy, known)
    far = away > FAR_M
    if not far.any():
        return
    turned = project(source.lat, source.lon, str(towns.crs))
    inside = far & (_away(tree, turned, far & ~np.isnan(turned).any(axis=1)) <= NEAR_TOWN_M)
    if inside.any():
        found.faults.append(source.fault("lon and lat are swapped", "Swap the two columns.", inside, "lon"))
    if (outside := far & ~inside).any():
        problem = f"the place is {away[outside][0] / 1000:.0f} km outside the towns"
        fix = f"Correct the place, or the datum in {FILE}."
        found.faults.append(source.fault(problem, fix, outside))


def _away(tree: Any, xy: np.ndarray, some: np.ndarray) -> np.ndarray:
    """Metres (n,) from some of the places to the nearest shape of a tree; NaN for the others."""
    import shapely

    away = np.full(len(xy), np.nan)
    away[some] = tree.query_nearest(shapely.points(xy[some]), return_distance=True, all_matches=False)[1]
    return away


def town_ids(source: Source, xy: np.ndarray, towns: gpd.GeoDataFrame, found: Findings) -> np.ndarray:
    """The town of every row: as given (its id, or a name that one town has), else where it lies.

    Returns
    -------
    (n,) str; ``""`` where it is a fault
    """
    import shapely

    words = known_towns(towns)
    given = source.frame["town_id"].to_numpy(dtype=object)
    made = np.array([words.get(word, "") for word in given], dtype=object)
    for word in dict.fromkeys(word for word in given if word and word not in words):
        alike = nearest(word, list(words))
        fix = f"Did you mean {alike}?" if alike else "Enter a town of the towns file, or leave blank."
        found.faults.append(source.fault(f"{word} is no town", fix, given == word, "town_id"))
    rows = np.flatnonzero((given == "") & ~np.isnan(xy).any(axis=1))
    shapes = towns.geometry.to_numpy()
    drawn = np.flatnonzero(~shapely.is_empty(shapes))
    if not len(rows) or not len(drawn):
        return made
    (who, which), away = shapely.STRtree(shapes[drawn]).query_nearest(
        shapely.points(xy[rows]), return_distance=True, all_matches=True
    )
    first = np.unique(who, return_index=True)[1]
    made[rows] = towns.index.to_numpy()[drawn[which[first]]]
    outside = np.isin(np.arange(len(xy)), rows[away[first] > NEAR_TOWN_M])
    if outside.any():
        problem = f"no town within {NEAR_TOWN_M / 1000:.0f} km; the nearest, {made[outside][0]}, was taken"
        found.doubts.append(source.fault(problem, "Enter its town.", outside, "town_id"))
    return made


def known_towns(towns: gpd.GeoDataFrame) -> dict[str, str]:
    """Every word that means one town -> its id: the ids, and names that stand once.

    >>> known_towns(tiny.area.towns)
    {'甲镇': 'A', 'Town B': 'B', 'A': 'A', 'B': 'B'}
    """
    names = towns["name"]
    once = names[~names.duplicated(keep=False)]
    return {str(name): str(i) for i, name in once.items()} | {str(i): str(i) for i in towns.index}
