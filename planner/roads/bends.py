"""Sharp bends: where a road turns more tightly than a road for 30 km/h may."""

from __future__ import annotations

import numpy as np

SHARP_RADIUS_M = 30.0
"""The least radius of a road for 30 km/h (JTG B01-2014, unverified): what is tighter is driven at 20 km/h."""

ROUNDED_M = 15.0
"""A corner between two long straight pieces is drawn, not built: it is rounded off from at most here before it."""


def bend_shares(lines: np.ndarray) -> np.ndarray:
    """Share of every line that lies in sharp bends.

    The bend at a vertex is the largest arc that touches both pieces no farther than half-way along them, and no
    farther than ``ROUNDED_M``: its radius is that distance over tan(half the turn), its stretch twice that distance.
    Ends of a line have no bend: a turn from one edge into another is not counted (docs/conventions.md 5.9).

    Parameters
    ----------
    lines : (n_edge,) shapely lines in metres

    Returns
    -------
    (n_edge,) 0 to 1

    >>> from shapely import LineString
    >>> corner = LineString([(0, 0), (300, 0), (300, 300)])
    >>> bend_shares(np.array([corner, LineString([(0, 0), (600, 0)])])).tolist()
    [0.05, 0.0]
    """
    import shapely

    xy, line = shapely.get_coordinates(lines, return_index=True)
    return bends_along(xy, line, len(lines))


def bends_along(xy: np.ndarray, line: np.ndarray, count: int) -> np.ndarray:
    """The same of lines given by their vertices.

    Parameters
    ----------
    xy, line : (n, 2) metres, and the line each vertex is of, ascending
    count : of lines

    >>> bends_along(np.array([[0.0, 0], [300, 0], [300, 300]]), np.zeros(3, dtype=int), 1).tolist()
    [0.05]
    """
    fresh = np.append(True, (line[1:] != line[:-1]) | (xy[1:] != xy[:-1]).any(axis=1))[: len(line)]
    xy, line = xy[fresh], line[fresh]  # a vertex that stands twice has no direction
    step = np.diff(xy, axis=0)
    length = np.hypot(*step.T)
    inside = (line[2:] == line[:-2]) if len(line) > 2 else np.zeros(0, dtype=bool)
    before, after = step[:-1][inside], step[1:][inside]
    tangent = np.minimum(np.minimum(length[:-1], length[1:])[inside] / 2, ROUNDED_M)
    across = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    turn = np.abs(np.arctan2(across, (before * after).sum(axis=1)))
    sharp = tangent < SHARP_RADIUS_M * np.tan(turn / 2)
    bent = np.bincount(line[1:-1][inside][sharp], weights=2 * tangent[sharp], minlength=count)
    whole = np.bincount(line[1:], weights=np.where(line[1:] == line[:-1], length, 0.0), minlength=count)
    return np.divide(bent, whole, out=np.zeros(count), where=whole > 0)
