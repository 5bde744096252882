"""Height rasters (SRTM .hgt and .hgt.zip, GeoTIFF) -> heights of points."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import DataError, Fault

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

SUFFIXES = (".hgt", ".hgt.zip", ".tif", ".tiff")
SMOOTHED_M = 45.0
"""Standard deviation of the Gaussian that takes the radar's noise off a raster: noise of 5 m from cell to cell of
30 m, which is a slope of 17 %, becomes one of about 1 %; a hill of 200 m keeps its shape."""
LOWEST_M = -500.0
"""No land lies lower: what a raster says below is a void, also where it does not declare one."""
METRES_PER_DEGREE = 111_320.0
MARGIN = 8
"""Cells read round the points, so that smoothing has neighbours."""


def is_elevation(name: str) -> bool:
    """Whether a file is a height raster by its name.

    >>> is_elevation("N42E001.hgt.zip"), is_elevation("heights.zip")
    (True, False)
    """
    return name.lower().endswith(SUFFIXES)


def heights_m(paths: Sequence[Path], x: np.ndarray, y: np.ndarray, crs: str) -> np.ndarray:
    """Heights of points, metres: between the cells' centres by bilinear interpolation, on the smoothed raster.

    Parameters
    ----------
    paths : rasters; where several cover a point, the earlier counts
    x, y : (n,) in ``crs``

    Returns
    -------
    (n,) NaN where no raster has a height: outside of all, or in a void (-32768 in SRTM)

    Raises
    ------
    DataError : a file is absent, cannot be read, or says no coordinate system; all of them in one pass
    """
    found = np.full(len(x), np.nan)
    faults: list[Fault] = []
    for path in paths:
        try:
            lost = np.isnan(found)
            found[lost] = _from_one(path, x[lost], y[lost], crs)
        except DataError as error:
            faults += error.faults
    if faults:
        raise DataError(faults)
    return found


def _from_one(path: Path, x: np.ndarray, y: np.ndarray, crs: str) -> np.ndarray:
    import rasterio
    from pyproj import Transformer
    from rasterio.errors import RasterioError

    file = str(path)
    if not path.is_file():
        raise DataError([Fault(file, "there is no such file", "Check the path.")])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PendingDeprecationWarning)  # rasterio's own use of affine
            with rasterio.open(file) as source:
                if source.crs is None:
                    fix = "Save it with its CRS; a .hgt file keeps its name, as in N42E001.hgt."
                    raise DataError([Fault(file, "the raster says no coordinate system", fix)])
                to_raster = Transformer.from_crs(crs, source.crs, always_xy=True)
                column, row = ~source.transform * np.asarray(to_raster.transform(x, y))
                return _bilinear(source, column - 0.5, row - 0.5)
    except (RasterioError, ValueError) as error:
        fix = "Give an SRTM tile under its own name (N42E001.hgt or .hgt.zip), or a GeoTIFF of heights."
        raise DataError([Fault(file, f"not a raster that can be read ({error})", fix)]) from None


def _bilinear(source: DatasetReader, column: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Heights at places counted in cells from the first cell's centre; beside the outermost centres, theirs."""
    from rasterio.windows import Window

    found = np.full(len(column), np.nan)
    inside = (column > -1) & (row > -1) & (column < source.width) & (row < source.height)
    if not inside.any():
        return found
    left, top = (max(int(np.floor(at[inside].min())) - MARGIN, 0) for at in (column, row))
    right = min(int(np.ceil(column[inside].max())) + MARGIN + 1, source.width)
    bottom = min(int(np.ceil(row[inside].max())) + MARGIN + 1, source.height)
    cells = source.read(1, window=Window(left, top, right - left, bottom - top), masked=True)
    known = cells.astype(np.float64).filled(np.nan)
    grid = _smoothed(np.where(known > LOWEST_M, known, np.nan), _cell_m(source))
    c = np.clip(column[inside] - left, 0, grid.shape[1] - 1)
    r = np.clip(row[inside] - top, 0, grid.shape[0] - 1)
    c0, r0 = (np.minimum(at.astype(np.int64), size - 2) for at, size in ((c, grid.shape[1]), (r, grid.shape[0])))
    c0, r0 = np.maximum(c0, 0), np.maximum(r0, 0)
    c1, r1 = np.minimum(c0 + 1, grid.shape[1] - 1), np.minimum(r0 + 1, grid.shape[0] - 1)
    u, v = c - c0, r - r0
    upper = grid[r0, c0] * (1 - u) + grid[r0, c1] * u
    lower = grid[r1, c0] * (1 - u) + grid[r1, c1] * u
    found[inside] = upper * (1 - v) + lower * v
    return found


def _cell_m(source: Any) -> tuple[float, float]:
    """Height and width of a cell in metres, at the raster's middle."""
    wide, high = abs(source.transform.a), abs(source.transform.e)
    if source.crs.is_geographic:
        squeeze = np.cos(np.radians((source.bounds.top + source.bounds.bottom) / 2))
        return high * METRES_PER_DEGREE, wide * METRES_PER_DEGREE * float(squeeze)
    return high, wide


def _smoothed(grid: np.ndarray, cell_m: tuple[float, float]) -> np.ndarray:
    """The grid under a Gaussian of ``SMOOTHED_M``; voids stay void and weigh nothing."""
    from scipy.ndimage import gaussian_filter

    known = np.isfinite(grid)
    sigma = [SMOOTHED_M / size for size in cell_m]
    sums = gaussian_filter(np.where(known, grid, 0.0), sigma)
    weight = gaussian_filter(known.astype(np.float64), sigma)
    return np.asarray(np.divide(sums, weight, out=np.full(grid.shape, np.nan), where=known))
