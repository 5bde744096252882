"""A population raster -> demand points."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import DataError, Fault

if TYPE_CHECKING:
    import geopandas as gpd

PEOPLE_PER_POINT = 500
MAX_POINTS = 3000
METRES_PER_DEGREE = 111_320.0


def cluster_population(
    path: str | Path,
    boundary: Any = None,
    *,
    people_per_point: float = PEOPLE_PER_POINT,
    max_points: int = MAX_POINTS,
    max_cells: int = 100_000_000,
    cell_m: float = 0.0,
    seed: int = 0,
) -> gpd.GeoDataFrame:
    """Demand points from people per cell; the raster's total is kept.

    Cells are grouped by weighted k-means, and a point stands on the populated cell nearest to its group's centre,
    never in a bay that the group surrounds.

    Parameters
    ----------
    path : one band of people per cell (WorldPop, GHS-POP), in any CRS; negative and nodata cells are empty
    boundary : shapely polygon in EPSG:4326; only cells with their centre in it count
    people_per_point, max_points : as many points as people ask for, at most ``max_points``
    max_cells : a larger raster is refused
    cell_m : cells are first added up in squares of this side (0: not), for very fine rasters
    seed : of the clustering

    Returns
    -------
    Points in EPSG:4326 with ``population`` (float, people), index 0..n-1

    Raises
    ------
    DataError : the file cannot be read, is too large, says no CRS, or holds nobody
    """
    import geopandas as gpd
    import shapely

    file = str(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # rasterio's own use of affine
        lon, lat, people = _cells(file, boundary, max_cells)
    if not len(people):
        where = "inside the boundary" if boundary is not None else "in the raster"
        raise DataError(
            [Fault(file, f"nobody lives {where}", "Give a raster of people per cell that covers the area.")]
        )
    squeeze = np.cos(np.radians(np.average(lat, weights=people)))
    metres = np.column_stack([lon * squeeze, lat]) * METRES_PER_DEGREE
    if cell_m > 0:
        first, group = np.unique(np.floor(metres / cell_m), axis=0, return_inverse=True)
        metres, people = _merge(metres, people, group.ravel(), len(first))
    count = int(np.clip(round(float(people.sum()) / people_per_point), 1, min(max_points, len(people))))
    group = _groups(metres, people, count, seed)
    kept, group = np.unique(group, return_inverse=True)
    centres, sums = _merge(metres, people, group, len(kept))
    points = centres / METRES_PER_DEGREE / [squeeze, 1.0]
    return gpd.GeoDataFrame({"population": sums}, geometry=shapely.points(points), crs="EPSG:4326")


def _cells(file: str, boundary: Any, max_cells: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Longitude, latitude and people of every populated cell."""
    import rasterio
    from pyproj import Transformer
    from rasterio.errors import RasterioError
    from rasterio.features import geometry_mask
    from rasterio.warp import transform_geom
    from rasterio.windows import Window, from_bounds

    try:
        with rasterio.open(file) as source:
            if source.crs is None:
                raise DataError([Fault(file, "the raster says no coordinate system", "Save it with its CRS.")])
            window = Window(0, 0, source.width, source.height)
            shape = None
            if boundary is not None:
                import shapely

                shape = transform_geom("EPSG:4326", source.crs, shapely.geometry.mapping(boundary))
                bounds = shapely.geometry.shape(shape).bounds
                exact = from_bounds(*bounds, source.transform)
                left, top = int(exact.col_off) - 1, int(exact.row_off) - 1
                asked = Window(left, top, int(exact.width) + 3, int(exact.height) + 3)
                if not _overlap(asked, window):
                    return np.zeros(0), np.zeros(0), np.zeros(0)
                window = asked.intersection(window)
            if window.width * window.height > max_cells:
                problem = f"{window.width * window.height:.0f} cells are more than {max_cells}"
                raise DataError([Fault(file, problem, "Clip the raster to the area, or give its towns.")])
            values = source.read(1, window=window, masked=True).astype(float)
            transform, crs = source.window_transform(window), source.crs
    except RasterioError as error:
        problem = "there is no such file" if not Path(file).exists() else f"not a raster that can be read ({error})"
        raise DataError([Fault(file, problem, "Give a GeoTIFF of people per cell.")]) from None
    people = np.nan_to_num(values.filled(0.0), nan=0.0, posinf=0.0, neginf=0.0)
    if shape is not None:
        people[geometry_mask([shape], people.shape, transform)] = 0.0
    row, column = np.nonzero(people > 0)
    x, y = transform * (column + 0.5, row + 0.5)
    lon, lat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(x, y)
    return np.asarray(lon), np.asarray(lat), people[row, column]


def _overlap(a: Any, b: Any) -> bool:
    over = min(a.col_off + a.width, b.col_off + b.width) > max(a.col_off, b.col_off)
    return bool(over and min(a.row_off + a.height, b.row_off + b.height) > max(a.row_off, b.row_off))


def _groups(metres: np.ndarray, people: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The group of every cell, by weighted k-means."""
    from sklearn.cluster import MiniBatchKMeans

    if count >= len(people):
        return np.arange(len(people))
    centred = metres - metres.mean(axis=0)
    size = max(1024, 3 * count)
    model = MiniBatchKMeans(
        count, random_state=seed, n_init=1, batch_size=size, init_size=3 * size, reassignment_ratio=0, max_iter=20
    )
    return np.asarray(model.fit_predict(centred, sample_weight=people))


def _merge(metres: np.ndarray, people: np.ndarray, group: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """For every group its people, and its populated cell nearest to the weighted centre."""
    sums = np.bincount(group, weights=people, minlength=n)
    centres = np.column_stack([np.bincount(group, weights=people * axis, minlength=n) / sums for axis in metres.T])
    away = np.hypot(*(metres - centres[group]).T)
    order = np.lexsort((np.arange(len(group)), away, group))
    first = order[np.unique(group[order], return_index=True)[1]]
    return metres[first], sums
