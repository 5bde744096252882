"""The coordinate systems a Chinese file may be in, and the way to WGS-84 and back.

GCJ-02 (AMap, Tencent) and BD-09 (Baidu) shift every place by a smooth, publicly known function; outside China, which
is where the function itself says so (a box of longitudes 72.004..137.8347 and latitudes 0.8293..55.8271), they
shift nothing. CGCS2000 equals WGS-84 within a metre, as EPSG has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pyproj import Transformer

DATUMS = ("wgs84", "cgcs2000", "gcj02", "bd09")
CHINA = (72.004, 0.8293, 137.8347, 55.8271)
ELLIPSOID_A, ELLIPSOID_E2 = 6378245.0, 0.00669342162296594323  # Krasovsky 1940, as in GCJ-02
BD_TURN = np.pi * 3000 / 180
CLOSE_ENOUGH_DEG = 1e-12  # 0.1 micrometre

# China, drawn by hand a little too large over sea and a little coarse over land: only to choose a projection.
CHINA_OUTLINE = [
    *[(73.4, 39.5), (80, 45.5), (82.5, 47.5), (87.5, 49.3), (91, 46), (96.4, 42.9), (105, 42), (111, 44), (116, 46.5)],
    *[(116, 49.9), (120, 53.6), (126, 53.2), (131, 48.4), (135.2, 48.6), (131.5, 42.5), (124.5, 40), (122, 38.5)],
    *[(124, 31), (122.5, 24), (118, 20), (110, 17), (107.9, 21.5), (102, 21.1), (99, 21.8), (97.5, 24), (97.3, 28.2)],
    *[(92, 27.8), (88.5, 27.8), (82, 30), (78.5, 31.5), (74.5, 37)],
]

Place = tuple[np.ndarray, np.ndarray]


def is_datum(word: str) -> bool:
    """Whether ``word`` is one of ``DATUMS`` or an EPSG code that exists.

    >>> is_datum("gcj02"), is_datum("EPSG:4545"), is_datum("wgs-84")
    (True, True, False)
    """
    if word in DATUMS:
        return True
    if not re.fullmatch(r"EPSG:\d+", word):
        return False
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        CRS.from_user_input(word)
    except CRSError:
        return False
    return True


def projected_crs(lon: np.ndarray, lat: np.ndarray) -> str:
    """The projected system of an area: in China its CGCS2000 3-degree zone, elsewhere its UTM zone.

    Parameters
    ----------
    lon, lat : (n,) degrees of WGS-84

    >>> projected_crs(np.array([108.3]), np.array([35.1])), projected_crs(np.array([9.5]), np.array([47.1]))
    ('EPSG:4545', 'EPSG:32632')
    """
    import shapely

    east, north = float(np.nanmedian(lon)), float(np.nanmedian(lat))
    if shapely.contains_xy(shapely.Polygon(CHINA_OUTLINE), east, north):
        return f"EPSG:{4534 + round((min(max(east, 75.0), 135.0) - 75.0) / 3)}"
    zone = int((east + 180) // 6) % 60 + 1
    return f"EPSG:{(32600 if north >= 0 else 32700) + zone}"


def to_wgs84(lon: np.ndarray, lat: np.ndarray, datum: str) -> Place:
    """WGS-84 of places given in another system; GCJ-02 and BD-09 to better than 0.1 mm.

    Parameters
    ----------
    lon, lat : (n,) degrees; easting and northing for a projected EPSG code
    datum : one of ``DATUMS`` or ``"EPSG:n"``

    Raises
    ------
    ValueError : ``datum`` is none of these

    >>> lon, lat = to_wgs84(np.array([108.3355]), np.array([35.1105]), "gcj02")
    >>> round(float(lon[0]), 6), round(float(lat[0]), 6)
    (108.330671, 35.111116)
    """
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    if datum in SHIFTS:
        near = _invert(SHIFTS[datum], lon, lat)
        inside = in_china(*near)
        return np.where(inside, near[0], lon), np.where(inside, near[1], lat)
    return _through_epsg(lon, lat, datum, to_wgs=True)


def from_wgs84(lon: np.ndarray, lat: np.ndarray, datum: str) -> Place:
    """Places of WGS-84 in another system: the inverse of ``to_wgs84``.

    >>> lon, lat = from_wgs84(np.array([2.35]), np.array([48.86]), "gcj02")  # outside China nothing moves
    >>> float(lon[0]), float(lat[0])
    (2.35, 48.86)
    """
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    if datum in SHIFTS:
        inside = in_china(lon, lat)
        moved = SHIFTS[datum](lon, lat)
        return np.where(inside, moved[0], lon), np.where(inside, moved[1], lat)
    return _through_epsg(lon, lat, datum, to_wgs=False)


def in_china(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Where GCJ-02 and BD-09 shift at all: (n,) bool."""
    west, south, east, north = CHINA
    return (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)


def _gcj02(lon: np.ndarray, lat: np.ndarray) -> Place:
    x, y = lon - 105.0, lat - 35.0
    both = (20 * np.sin(6 * np.pi * x) + 20 * np.sin(2 * np.pi * x)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + both
    north += (20 * np.sin(np.pi * y) + 40 * np.sin(np.pi * y / 3)) * 2 / 3
    north += (160 * np.sin(np.pi * y / 12) + 320 * np.sin(np.pi * y / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + both
    east += (20 * np.sin(np.pi * x) + 40 * np.sin(np.pi * x / 3)) * 2 / 3
    east += (150 * np.sin(np.pi * x / 12) + 300 * np.sin(np.pi * x / 30)) * 2 / 3
    phi = np.radians(lat)
    w2 = 1 - ELLIPSOID_E2 * np.sin(phi) ** 2
    metres_lat = ELLIPSOID_A * (1 - ELLIPSOID_E2) / (w2 * np.sqrt(w2))
    metres_lon = ELLIPSOID_A / np.sqrt(w2) * np.cos(phi)
    return lon + np.degrees(east / metres_lon), lat + np.degrees(north / metres_lat)


def _bd09(lon: np.ndarray, lat: np.ndarray) -> Place:
    x, y = _gcj02(lon, lat)
    radius = np.hypot(x, y) + 0.00002 * np.sin(y * BD_TURN)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * BD_TURN)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


SHIFTS: dict[str, Callable[[np.ndarray, np.ndarray], Place]] = {"gcj02": _gcj02, "bd09": _bd09}


def _invert(shift: Callable[[np.ndarray, np.ndarray], Place], lon: np.ndarray, lat: np.ndarray) -> Place:
    """Fixed-point iteration: the shift changes by less than a hundredth of the way it is moved, so a few do."""
    x, y = lon.copy(), lat.copy()
    for _ in range(30):
        there = shift(x, y)
        dx, dy = there[0] - lon, there[1] - lat
        x, y = x - dx, y - dy
        if not np.any(np.abs(dx) > CLOSE_ENOUGH_DEG) and not np.any(np.abs(dy) > CLOSE_ENOUGH_DEG):
            break
    return x, y


def _through_epsg(lon: np.ndarray, lat: np.ndarray, datum: str, *, to_wgs: bool) -> Place:
    if datum in DATUMS:
        return lon, lat
    if not is_datum(datum):
        raise ValueError(f"{datum!r} is none of {', '.join(DATUMS)} or EPSG:n")
    ends = (datum, "EPSG:4326") if to_wgs else ("EPSG:4326", datum)
    x, y = transformer(*ends).transform(lon, lat)
    return np.asarray(x, dtype=float), np.asarray(y, dtype=float)


@cache
def transformer(source: Any, target: Any) -> Transformer:
    """From one system of pyproj's to another, longitude or easting first; kept, as finding one takes up to 0.1 s.

    >>> x, y = transformer("EPSG:4326", "EPSG:4545").transform(108, 35)
    >>> round(x), round(y)
    (500000, 3874593)
    """
    from pyproj import Transformer

    return Transformer.from_crs(source, target, always_xy=True)
