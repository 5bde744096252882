"""Where a door meets the network."""

from __future__ import annotations

import numpy as np

from planner.model import Roads


def snap(points: np.ndarray, roads: Roads, usable: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The nearest usable edge of every point, at the place on it.

    Parameters
    ----------
    points : (n,) shapely points in the roads' CRS
    usable : (n_edge,) bool

    Returns
    -------
    edge : (n,) rows of ``roads.edges``, -1 where no edge is usable; the lower row wins a tie
    along_m : (n,) metres from the edge's start
    away_m : (n,) metres from the point to the edge
    """
    import shapely

    rows = np.flatnonzero(usable)
    edge = np.full(len(points), -1)
    along, away = np.zeros(len(points)), np.full(len(points), np.inf)
    if len(rows) == 0 or len(points) == 0:
        return edge, along, away
    lines = roads.edges.geometry.to_numpy()[rows]
    (who, which), distance = shapely.STRtree(lines).query_nearest(points, return_distance=True, all_matches=True)
    order = np.lexsort((which, who))
    first = order[np.unique(who[order], return_index=True)[1]]
    who, which = who[first], which[first]
    edge[who], away[who] = rows[which], distance[first]
    on_line = shapely.line_locate_point(lines[which], points[who], normalized=True)
    # ``length_m`` is the road's own length and may exceed the drawn line's.
    along[who] = on_line * roads.edges["length_m"].to_numpy()[edge[who]]
    return edge, along, away
