"""The area's road file: its own GeoParquet, or lines of any format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from planner.area.manifest import Findings, Manifest
from planner.area.places import project, shapes_to_wgs84
from planner.errors import DataError, Fault
from planner.model import ROAD_MODES, Roads
from planner.roads import EDGE_COLUMNS, MAY_BE_ABSENT, bend_shares, from_lines, may_use, with_slope
from planner.sources.files import SHAPES, read_shapes
from planner.wording import remark

if TYPE_CHECKING:
    import geopandas as gpd

NUMBERS = ("from_node", "to_node", "oneway", "length_m", "maxspeed_kmh", "width_m", "lanes", "bend_share")
LEVEL = "area.level"
MADE_BY = "Make it with planner new, or give plain lines."


def load_roads(manifest: Manifest, crs: str, found: Findings, given: Roads | None = None) -> Roads | None:
    """The network in ``crs``; None where it cannot be read, and why in ``found.faults``.

    Parameters
    ----------
    given : what the file holds, where it is at hand
    """
    if "roads" not in manifest.files:
        return None
    try:
        return _sloped(_read(manifest, crs) if given is None else given, manifest, found)
    except DataError as error:
        found.faults.extend(error.faults)
        return None


def _read(manifest: Manifest, crs: str) -> Roads:
    path = manifest.path("roads")
    if not path.is_file():
        raise DataError([Fault(str(path), "there is no such file", "Correct files.roads in area.toml.")])
    if path.suffix.lower() not in SHAPES:
        fix = f"Give one of {', '.join(SHAPES)}."
        raise DataError([Fault(str(path), "this is no file of lines", fix)])
    frame = read_shapes(path, manifest.sheets.get("roads"))
    if not hasattr(frame, "crs"):
        raise DataError([Fault(str(path), "there are no shapes in it", MADE_BY)])
    frame = frame if frame.geometry.name == "geometry" else frame.rename_geometry("geometry")
    own = path.suffix.lower() == ".parquet" and "from_node" in frame.columns
    return _own(frame, crs, str(path)) if own else _lines(frame, manifest, crs, str(path))


def _sloped(roads: Roads, manifest: Manifest, found: Findings) -> Roads:
    """The network with its slopes; without a raster it is level, and that is said."""
    if not manifest.elevation:
        found.assumptions.append(remark(LEVEL))
        return roads
    sloped, unknown = with_slope(roads, [manifest.folder / name for name in manifest.elevation])
    if unknown == 1:
        fix = "Give the tile that covers the area."
        raise DataError([Fault(", ".join(manifest.elevation), "it has no height for any road", fix)])
    if unknown > 0:
        found.assumptions.append(remark("area.heights_unknown", share=f"{unknown:.1%}"))
    return sloped


def _own(frame: gpd.GeoDataFrame, crs: str, file: str) -> Roads:
    """The columns of ``Roads.edges``; nodes come from the ends of the lines."""
    import pandas as pd
    import shapely

    _refuse(frame, file)
    edges = frame.reset_index(drop=True)
    if edges.crs != crs:
        edges = edges.to_crs(crs)  # ``length_m`` stays: it is the road's, not the projection's
    edges = _completed(edges)[[*EDGE_COLUMNS, "geometry"]]
    ends = edges[["from_node", "to_node"]].to_numpy(dtype=np.int64)
    used, compact = np.unique(ends, return_inverse=True)
    edges["from_node"], edges["to_node"] = compact.reshape(-1, 2).T
    lines = edges.geometry.to_numpy()
    xy = np.zeros((len(used), 2))
    for column, at in (("to_node", -1), ("from_node", 0)):
        xy[edges[column]] = shapely.get_coordinates(shapely.get_point(lines, at))
    return Roads(edges, pd.DataFrame(xy, columns=["x", "y"]))


def _completed(edges: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Columns that a file of an earlier version lacks: cars go where buses do, bends are seen in the lines."""
    plain = {"width_m": np.nan, "lanes": np.nan, "off_ground": False}
    made: dict[str, Any] = {}
    for column in set(MAY_BE_ABSENT) - set(edges.columns):
        if column == "bend_share":
            made[column] = bend_shares(edges.geometry.to_numpy())
        else:
            made[column] = may_use(edges, column) if column in ROAD_MODES else plain[column]
    return edges.assign(**made)


def _refuse(frame: gpd.GeoDataFrame, file: str) -> None:
    """Whatever makes a road file no network, in one pass."""
    import pandas as pd
    import shapely

    absent = [column for column in EDGE_COLUMNS if column not in frame.columns and column not in MAY_BE_ABSENT]
    faults = [Fault(file, f"column {column} is missing", MADE_BY) for column in absent]
    if frame.crs is None:
        faults.append(Fault(file, "the file says no coordinate system", "Save it with its CRS."))
    if not len(frame):
        faults.append(Fault(file, "there is no road in it", MADE_BY))
    lines = frame.geometry.to_numpy()
    wrong = {"geometry": (shapely.get_type_id(lines) != 1) | shapely.is_empty(lines)}
    for column in NUMBERS:
        if column in frame.columns and not pd.api.types.is_numeric_dtype(frame[column]):
            faults.append(Fault(file, f"column {column} holds other than numbers", MADE_BY))
        elif column in frame.columns:
            wrong[column] = _wrong_numbers(column, frame[column].to_numpy(dtype=float))
    flags = [flag for flag in (*ROAD_MODES, "off_ground") if flag in frame.columns]
    other = [flag for flag in flags if not pd.api.types.is_bool_dtype(frame[flag])]
    faults += [Fault(file, f"column {flag} holds other than true and false", MADE_BY) for flag in other]
    for column, bad in wrong.items():
        if bad.any():
            rows = tuple(int(row) + 1 for row in np.flatnonzero(bad))
            faults.append(Fault(file, f"{frame[column].iloc[rows[0] - 1]} is no {column}", MADE_BY, column, rows))
    if faults:
        raise DataError(faults)


def _wrong_numbers(column: str, values: np.ndarray) -> np.ndarray:
    if column in ("maxspeed_kmh", "width_m", "lanes"):
        return np.asarray(values <= 0)
    if column == "bend_share":
        return ~((values >= 0) & (values <= 1))
    if column == "oneway":
        return ~np.isin(values, (-1, 0, 1))
    whole = values == np.floor(values) if column.endswith("_node") else np.isfinite(values)
    return np.asarray(~(whole & (values >= 0)))


def _lines(frame: gpd.GeoDataFrame, manifest: Manifest, crs: str, file: str) -> Roads:
    import geopandas as gpd
    import shapely

    datum = manifest.datum.get("roads", "wgs84")
    if frame.crs is None and "roads" not in manifest.datum:
        fault = Fault(file, "the file says no coordinate system", "Declare it under [datum] in area.toml.")
        raise DataError([fault])
    own = frame.crs.to_string() if frame.crs is not None else None
    good = frame[~(frame.geometry.isna() | frame.geometry.is_empty)]
    moved = shapes_to_wgs84(good.geometry.to_numpy(), own, datum)
    flat = shapely.transform(moved, lambda lonlat: project(lonlat[:, 0], lonlat[:, 1], crs))
    roads = from_lines(good.set_geometry(gpd.GeoSeries(flat, index=good.index, crs=crs)), crs)
    if not len(roads.edges):
        raise DataError([Fault(file, "there is no road in it", "Give lines that pupils or buses may use.")])
    return roads
