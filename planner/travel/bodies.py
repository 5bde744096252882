"""Convex bodies round some discs each, and the land that they make together."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

Discs = tuple[np.ndarray, np.ndarray]
"""Bodies as some discs each: (n, k, 2) centres and (n, k) radii, metres."""
CORNERS = 4
"""Discs have so many corners, or a multiple."""
COARSE = 12
"""Discs have so many where it is only asked whether known land covers them."""
BODIES_AT_A_TIME = 4_000
FEWEST, MOST = 3, 16
"""One body in at least, and at most, so many is drawn before it is asked which of the others lie outside."""
PLAIN_M = 1.0
"""Of two discs of at least this radius, the corners of the hull are centimetres apart and more."""


def united(land: Any, parts: Sequence[Discs], tolerance_m: float) -> Any:
    """Known land and bodies in one shape.

    Parameters
    ----------
    parts : bodies; those of the first part of two discs each, neighbours mostly one after the other
    tolerance_m : how far a body may be drawn beyond its discs; it never falls short

    >>> import shapely
    >>> road = np.arange(50.0), np.zeros(50)
    >>> ends = np.stack([np.column_stack(road), np.column_stack(road) + [1, 0]], axis=1)
    >>> land = united(shapely.Polygon(), [(ends, np.full((50, 2), 20.0))], 0.1)
    >>> land.geom_type, round(land.area / (2 * 20 * 50 + np.pi * 20**2), 2)
    ('Polygon', 1.0)
    """
    import shapely

    with ThreadPoolExecutor(os.cpu_count()) as pool:

        def bodies(parts: Sequence[Discs]) -> np.ndarray:
            blocks = [block for part in parts for block in _blocks(part)]
            made = pool.map(lambda block: _bodies(block[0], block[1], tolerance_m), blocks)
            return np.concatenate([np.zeros(0, dtype=object), *made])

        def with_land(bodies: np.ndarray) -> Any:
            blocks = np.array_split(bodies, max(len(bodies) // BODIES_AT_A_TIME, 1))
            return shapely.union_all([land, *pool.map(shapely.union_all, blocks)])

        (centres, radii), *others = parts
        every = spacing(centres, radii)
        if every < FEWEST:
            return with_land(bodies(parts))
        # A few bodies that lie loosely cover most of the others, which need not be drawn then.
        few = np.arange(len(radii)) % every == 0
        land = with_land(bodies([(centres[few], radii[few])]))
        shapely.prepare(land)  # asked by one thread only: its index is built when it is first asked
        left = ~few
        plain = np.flatnonzero(left & (radii >= PLAIN_M).all(axis=1))
        left[plain] = ~shapely.contains_properly(land, round_two(centres[plain], radii[plain], corners(COARSE)))
        made = bodies([(centres[left], radii[left]), *others])
        return with_land(made[~shapely.contains_properly(land, made)])


def spacing(centres: np.ndarray, radii: np.ndarray) -> int:
    """Of so many bodies of two discs in a row, one is about as far from the next as its land reaches.

    >>> spacing(np.array([[[0, 0], [10, 0]], [[10, 0], [20, 0]]]), np.full((2, 2), 85.0))
    8
    """
    if not len(radii):
        return 1
    length = np.hypot(*(centres[:, 1] - centres[:, 0]).T).mean()
    return int(min(np.median(radii.max(axis=1)) / max(length, 1.0), MOST))


def _blocks(part: Discs) -> list[Discs]:
    """Not too many bodies at a time."""
    count = max(len(part[0]) // BODIES_AT_A_TIME, 1)
    return list(zip(*(np.array_split(column, count) for column in part), strict=True))


def _bodies(centres: np.ndarray, radii: np.ndarray, tolerance_m: float) -> np.ndarray:
    """Convex polygons round some discs each, of as many corners as the largest of the discs needs."""
    with np.errstate(invalid="ignore", divide="ignore"):
        half = np.arccos(radii.max(axis=1, initial=0.0) / (radii.max(axis=1, initial=0.0) + tolerance_m))
    count = CORNERS * np.ceil(np.maximum(np.pi / half, 8) / CORNERS).astype(int)
    made = [hulls(centres[count == n], radii[count == n], corners(n)) for n in np.unique(count).tolist()]
    return np.concatenate([np.zeros(0, dtype=object), *made])


def corners(count: int) -> np.ndarray:
    """(count, 2) corners round a disc of radius 1."""
    angle = 2 * np.pi * np.arange(count) / count
    return np.asarray(np.column_stack([np.cos(angle), np.sin(angle)]) / np.cos(np.pi / count))


def hulls(centres: np.ndarray, radii: np.ndarray, disc: np.ndarray) -> np.ndarray:
    """Convex polygons round some discs each, in any order; none for discs without land.

    Parameters
    ----------
    centres, radii : (n, k, 2) and (n, k) metres
    disc : (m, 2) corners round a disc of radius 1

    >>> square = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    >>> hulls(np.array([[[0, 0], [3, 0]]]), np.array([[1, 2]]), square)[0].area
    22.0
    """
    plain = (radii >= PLAIN_M).all(axis=1) & (radii.shape[1] == 2)
    return np.append(round_two(centres[plain], radii[plain], disc), round_any(centres[~plain], radii[~plain], disc))


def round_any(centres: np.ndarray, radii: np.ndarray, disc: np.ndarray) -> np.ndarray:
    """``hulls`` of any discs."""
    import shapely

    all_corners = centres[:, :, None, :] + radii[:, :, None, None] * disc
    rings = np.round(all_corners.reshape(len(centres), centres.shape[1] * len(disc), 2), 2)
    made = shapely.convex_hull(shapely.linestrings(rings))
    return np.asarray(made[shapely.area(made) > 0])


def round_two(centres: np.ndarray, radii: np.ndarray, disc: np.ndarray) -> np.ndarray:
    """``hulls`` of two discs each, not small ones, in their order: a side belongs to the disc that reaches farther."""
    import shapely

    side = disc + np.roll(disc, -1, axis=0)
    side = side / np.hypot(*side.T)[:, None]  # the way in which the side from a corner to the next one looks
    second = (centres[:, 1] - centres[:, 0]) @ side.T > (radii[:, 0] - radii[:, 1])[:, None]
    before = np.roll(second, 1, axis=1)
    # Where the sides before and after a corner belong to different discs, the corners of both are the hull's.
    row, corner, after = np.nonzero(np.stack([before != second, np.ones_like(second)], axis=2))
    owner = np.where(after, second[row, corner], before[row, corner]).astype(np.int64)
    xy = centres[row, owner] + radii[row, owner, None] * disc[corner]
    return np.asarray(shapely.polygons(shapely.linearrings(np.round(xy, 2), indices=row)))
